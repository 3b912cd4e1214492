"""What may be wished of a job: to stop asking, to go on, to be forgotten, to be launched again."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from engine_room import DONE, DRAFT, RUNNING, TAKEN, UNKNOWN, Follow, Leaps, OpenRoom, Room, hasty
from scripted_server import HTML_502, LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from waiting import eventually

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt


def files_with(home: Path, text: bytes) -> list[str]:
    return [path.name for path in home.iterdir() if text in path.read_bytes()]


async def test_a_stopped_job_is_not_polled_until_it_is_resumed(follow: Follow) -> None:
    here = await follow(RUNNING)
    await here.asked(1)
    assert here.engine.stop(1).state == JobState.STOPPED
    await eventually(lambda: not here.engine.in_flight, "the last question was answered")
    asked = here.polls()
    await here.engine.news(0.2)
    assert here.polls() == asked
    here.server.on("GET", PROGRESS, DONE)
    assert (await here.engine.resume(1)).state == JobState.RUNNING
    await here.comes_into(JobState.SUCCEEDED)


async def test_a_lost_job_that_is_resumed_comes_to_its_result(follow: Follow) -> None:
    here = await follow(UNKNOWN)
    await here.comes_into(JobState.LOST)
    here.server.on("GET", PROGRESS, DONE)
    assert (await here.engine.resume(1)).stale_since is None
    await here.comes_into(JobState.SUCCEEDED)


async def test_a_forgotten_job_leaves_only_the_text_that_another_job_needs(follow: Follow) -> None:
    here = await follow(DONE)
    await here.comes_into(JobState.SUCCEEDED)
    other = here.store.jobs.save_draft(DRAFT, 1.0).number
    here.engine.forget(1)
    assert here.store.jobs.draft_of(here.job(other)) == DRAFT
    here.engine.forget(other)
    assert (here.store.jobs.all(drafts=True), here.store.jobs.answers(1)) == ([], [])
    kept = here.store.database.read("SELECT text FROM prompts")
    assert [bytes(row["text"]) for row in kept] == [b""]
    assert here.store.jobs.last_prompt(DRAFT.agent_id) is None


async def test_a_forgotten_text_is_in_no_file_while_another_window_is_open(
    here: Room, open_room: OpenRoom, home: Path
) -> None:
    there = await open_room()
    job = here.store.jobs.save_draft(Draft((5,), Prompt("SECRETTEXT " * 2000), 7), 1.0)
    there.store.jobs.all(drafts=True)
    here.engine.forget(job.number)
    assert files_with(home, b"SECRETTEXT") == []


async def test_an_unconfirmed_job_is_launched_again_only_once(here: Room, open_room: OpenRoom) -> None:
    here.server.on("POST", LAUNCH, Reply(HTML_502, 502), Reply({"prompt": ["Too long."]}, 400), TAKEN)
    other = await open_room()
    assert (await here.engine.launch(DRAFT)).state == JobState.UNCONFIRMED
    with pytest.raises(Exception, match="Too long"):
        await here.engine.launch(DRAFT, again_of=1)
    launches = [window.engine.launch(DRAFT, again_of=1) for window in (here, other, here)]
    found = await asyncio.gather(*launches, return_exceptions=True)
    (job,) = [one for one in found if not isinstance(one, BaseException)]
    assert (job.state, job.again_of) == (JobState.RUNNING, 1)
    refused = [one for one in found if isinstance(one, UsageError)]
    assert (len(refused), f"as job {job.number}" in str(refused[0])) == (2, True)
    assert here.posts() == 3


async def test_a_server_that_asks_to_wait_is_polled_for_no_job(open_room: OpenRoom, scripted: ScriptedServer) -> None:
    """Each reading of this clock is a second, and each job would be polled every two."""
    scripted.on("GET", PROGRESS, Reply({}, 429, {"Retry-After": "3000"}), RUNNING)
    here = await open_room(engine=hasty(1))
    await here.follow(*range(5))
    await eventually(lambda: any(here.job(n).stale_since for n in range(1, 6)), "the refusal was recorded")
    await eventually(lambda: not here.engine.in_flight, "nothing is in flight")
    polls = here.polls()
    for _ in range(50):
        here.engine._wake.set()
        await asyncio.sleep(0)
    assert here.polls() == polls <= 8


async def test_an_unreachable_server_makes_every_job_stale_and_is_polled_less(
    open_room: OpenRoom, scripted: ScriptedServer
) -> None:
    scripted.on("GET", PROGRESS, Reply(HTML_502, 502))
    here = await open_room(engine=hasty(0.2))
    await here.follow(*range(15))
    await eventually(lambda: all(here.job(n).stale_since for n in range(1, 16)), "all jobs are stale")
    assert here.polls() < 15
    scripted.on("GET", PROGRESS, DONE)
    here.engine.resume_polling()
    await eventually(lambda: not here.store.jobs.unfinished(), "all jobs ended")


async def test_the_duration_of_a_job_is_known_only_if_its_end_was_watched(
    open_room: OpenRoom, scripted: ScriptedServer
) -> None:
    now = [1000.0]
    scripted.on("GET", PROGRESS, RUNNING, DONE)
    for number, end in ((1, 1040.0), (2, 9000.0)):  # the second one ended at some time while the program was closed
        here = await open_room(engine=partial(JobEngine, clock=lambda: now[0], monotonic=Leaps(30)))
        await here.launch()
        now[0] = end
        here.engine.start()
        await here.comes_into(JobState.SUCCEEDED, number)
        assert here.store.jobs.durations() == {"improve_prompt": [40.0]}
        await here.close()


async def test_a_resumed_job_is_polled_at_once_though_another_window_polls(here: Room, open_room: OpenRoom) -> None:
    here.server.on("GET", PROGRESS, RUNNING)
    there = await open_room()
    await here.launch()
    with here.store.database.write() as sql:
        sql.execute("UPDATE jobs SET launched_at = launched_at - 7200")  # an old one is asked about once a minute
    here.engine.start()
    await here.asked(1)
    await eventually(lambda: not here.engine.in_flight, "it was answered")
    there.engine.start()
    await eventually(lambda: there.engine._running, "the other window follows it")
    await there.engine.resume(1)
    await here.asked(2)


async def test_a_refused_key_is_reported_though_jobs_are_stale_already(follow: Follow) -> None:
    here = await follow(Reply(HTML_502, 502), Reply({}, 401), engine=hasty(0.5))
    await eventually(lambda: here.job().stale_since, "the silence was recorded")
    told: list[object] = []
    here.on_change = lambda: told.append(here.engine.paused)
    await eventually(lambda: any(told), "the refusal was told")


async def test_a_key_refused_for_one_job_does_not_stop_the_others(
    open_room: OpenRoom, scripted: ScriptedServer
) -> None:
    refused = Reply({"detail": "Not yours."}, 403)
    scripted.on("GET", PROGRESS, lambda got: refused if got.query["progress_id"] == "a" else RUNNING)
    here = await open_room(engine=hasty())
    await here.follow("a", "b")
    await here.asked(12)
    assert (here.engine.paused, here.job(2).stale_since) == (None, None)
    assert here.job(1).stale_since


async def test_a_job_forgotten_while_another_key_polls_it_stays_forgotten(
    open_room: OpenRoom, scripted: ScriptedServer
) -> None:
    hold = Hold(RUNNING)
    scripted.on("GET", PROGRESS, hold)
    first = await open_room(key="first")
    second = await open_room(key="second")
    await first.launch()
    resuming = asyncio.create_task(second.engine.resume(1))
    await eventually(hold.arrived.is_set, "the question arrived")
    first.engine.forget(1)
    hold.released.set()
    await resuming
    assert first.job().state == JobState.FORGOTTEN


async def test_an_error_of_the_program_does_not_end_polling(here: Room) -> None:
    here.server.on("GET", PROGRESS, DONE)
    await here.launch()
    ask_due, broken = here.engine._poll_due, iter([True])

    def once_broken() -> float:
        if next(broken, False):
            raise ValueError("nobody expected this")
        return ask_due()

    here.engine._poll_due = once_broken  # type: ignore[method-assign]
    here.engine.start()
    await here.comes_into(JobState.SUCCEEDED)
