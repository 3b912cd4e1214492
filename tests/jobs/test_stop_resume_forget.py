"""What may be wished of a job: to stop asking, to go on, to be forgotten, to be launched again."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from engine_room import DONE, DRAFT, RUNNING, TAKEN, UNKNOWN, Follow, Leaps, Room, hasty, room
from scripted_server import HTML_502, LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from waiting import eventually

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt


def files_with(home: Path, text: bytes) -> list[str]:
    return [path.name for path in home.iterdir() if text in path.read_bytes()]


async def launched(here: Room, server: ScriptedServer) -> None:
    server.on("POST", LAUNCH, TAKEN)
    await here.engine.launch(DRAFT)


async def test_a_stopped_job_is_not_polled_until_it_is_resumed(follow: Follow, scripted: ScriptedServer) -> None:
    async with follow(RUNNING) as here:
        await here.asked(1)
        assert here.engine.stop(1).state == JobState.STOPPED
        await eventually(lambda: not here.engine.in_flight, "the last question was answered")
        asked = len(scripted.requests("GET"))
        await here.engine.news(0.2)
        assert len(scripted.requests("GET")) == asked
        scripted.on("GET", PROGRESS, DONE)
        assert (await here.engine.resume(1)).state == JobState.RUNNING
        await here.comes_into(JobState.SUCCEEDED)


async def test_a_lost_job_that_is_resumed_comes_to_its_result(follow: Follow, scripted: ScriptedServer) -> None:
    async with follow(UNKNOWN) as here:
        await here.comes_into(JobState.LOST)
        scripted.on("GET", PROGRESS, DONE)
        assert (await here.engine.resume(1)).stale_since is None
        await here.comes_into(JobState.SUCCEEDED)


async def test_a_forgotten_job_leaves_no_text_behind(follow: Follow) -> None:
    async with follow(DONE) as here:
        await here.comes_into(JobState.SUCCEEDED)
        here.engine.forget(1)
        assert here.store.jobs.all(drafts=True) == []
        assert here.store.jobs.answers(1) == []
        kept = here.store.database.read("SELECT text FROM prompts")
        assert [bytes(row["text"]) for row in kept] == [b""]
        assert here.store.jobs.last_prompt(DRAFT.agent_id) is None


async def test_a_forgotten_job_leaves_the_text_that_another_job_needs(home: Path, scripted: ScriptedServer) -> None:
    async with room(home, scripted) as here:
        await launched(here, scripted)
        await launched(here, scripted)
        here.engine.forget(1)
        assert here.store.jobs.draft_of(here.job(2)) == DRAFT


async def test_an_unconfirmed_job_is_launched_again_only_once(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, Reply(HTML_502, 502), TAKEN)
    async with room(home, scripted) as here, room(home, scripted) as other:
        first = await here.engine.launch(DRAFT)
        assert first.state == JobState.UNCONFIRMED
        launches = [window.engine.launch(DRAFT, again_of=1) for window in (here, other, here)]
        told = await asyncio.gather(*launches, return_exceptions=True)
        (job,) = [one for one in told if not isinstance(one, BaseException)]
        assert (job.state, job.again_of) == (JobState.RUNNING, 1)
        refused = [one for one in told if isinstance(one, UsageError)]
        assert len(refused) == 2
        assert f"as job {job.number}" in str(refused[0])
    assert here.posts() == 2


async def test_a_refused_relaunch_may_be_tried_again(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, Reply(HTML_502, 502), Reply({"prompt": ["Too long."]}, 400), TAKEN)
    async with room(home, scripted) as here:
        await here.engine.launch(DRAFT)
        with pytest.raises(Exception, match="Too long"):
            await here.engine.launch(DRAFT, again_of=1)
        assert (await here.engine.launch(DRAFT, again_of=1)).state == JobState.RUNNING


async def test_a_server_that_asks_to_wait_is_polled_for_no_job(home: Path, scripted: ScriptedServer) -> None:
    """Each reading of this clock is a second, and each job would be asked about every two."""
    ids = iter(range(100))
    scripted.on("POST", LAUNCH, lambda got: Reply({"progress_id": next(ids)}))
    scripted.on("GET", PROGRESS, Reply({}, 429, {"Retry-After": "3000"}), RUNNING)
    async with room(home, scripted, engine=hasty(1)) as here:
        for _ in range(5):
            await here.engine.launch(DRAFT)
        here.engine.start()
        await eventually(lambda: any(here.job(n).stale_since for n in range(1, 6)), "the refusal was recorded")
        await eventually(lambda: not here.engine.in_flight, "nothing is on its way")
        asked = len(scripted.requests("GET"))
        for _ in range(50):
            here.engine._wake.set()
            await asyncio.sleep(0)
        assert len(scripted.requests("GET")) == asked <= 8


async def test_an_unreachable_server_makes_every_job_stale_and_is_polled_less(
    home: Path, scripted: ScriptedServer
) -> None:
    ids = iter(range(100))
    scripted.on("POST", LAUNCH, lambda got: Reply({"progress_id": next(ids)}))
    scripted.on("GET", PROGRESS, Reply(HTML_502, 502))
    async with room(home, scripted, engine=hasty(0.2)) as here:
        for _ in range(15):
            await here.engine.launch(DRAFT)
        here.engine.start()
        numbers = range(1, 16)
        await eventually(lambda: all(here.job(n).stale_since for n in numbers), "all jobs are stale")
        assert len(scripted.requests("GET")) < 15
        scripted.on("GET", PROGRESS, DONE)
        here.engine.resume_polling()
        await eventually(lambda: not here.store.jobs.unfinished(), "all jobs ended")


async def test_the_duration_of_a_job_is_known_only_if_its_end_was_watched(home: Path, scripted: ScriptedServer) -> None:
    now = 1000.0
    scripted.on("GET", PROGRESS, RUNNING, DONE)
    engine = partial(JobEngine, clock=lambda: now, monotonic=Leaps(30))
    async with room(home, scripted, engine=engine) as here:
        await launched(here, scripted)
        now = 1040.0
        here.engine.start()
        await here.comes_into(JobState.SUCCEEDED)
        assert here.store.jobs.durations() == {"improve_prompt": [40.0]}
    async with room(home, scripted, engine=engine) as again:
        await launched(again, scripted)
        now = 9000.0  # the program was closed meanwhile, and nobody knows when the job ended
        again.engine.start()
        await again.comes_into(JobState.SUCCEEDED, 2)
        assert again.store.jobs.durations() == {"improve_prompt": [40.0]}


async def test_a_resumed_job_is_polled_at_once_though_another_window_polls(
    home: Path, scripted: ScriptedServer
) -> None:
    scripted.on("GET", PROGRESS, RUNNING)
    async with room(home, scripted) as here, room(home, scripted) as there:
        await launched(here, scripted)
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
    async with follow(Reply(HTML_502, 502), Reply({}, 401), engine=hasty(0.5)) as here:
        await eventually(lambda: here.job().stale_since, "the silence was recorded")
        told: list[object] = []
        here.on_change = lambda: told.append(here.engine.paused)
        await eventually(lambda: any(told), "the refusal was told")


async def test_a_forgotten_text_is_in_no_file_while_another_window_is_open(
    home: Path, scripted: ScriptedServer
) -> None:
    secret = Draft((5,), Prompt("SECRETTEXT " * 2000), 7)
    async with room(home, scripted) as here, room(home, scripted) as there:
        job = here.store.jobs.save_draft(secret, 1.0)
        there.store.jobs.all(drafts=True)
        here.engine.forget(job.number)
        assert not files_with(home, b"SECRETTEXT")


async def test_a_key_refused_for_one_job_does_not_stop_the_others(home: Path, scripted: ScriptedServer) -> None:
    ids = iter("ab")
    scripted.on("POST", LAUNCH, lambda got: Reply({"progress_id": next(ids)}))
    refused, going = Reply({"detail": "Not yours."}, 403), Reply({"status": "running"})
    scripted.on("GET", PROGRESS, lambda got: refused if got.query["progress_id"] == "a" else going)
    async with room(home, scripted, engine=hasty()) as here:
        await here.engine.launch(DRAFT)
        await here.engine.launch(DRAFT)
        here.engine.start()
        await here.asked(12)
        assert here.engine.paused is None
        assert here.job(1).stale_since
        assert here.job(2).stale_since is None


async def test_a_job_forgotten_while_another_key_polls_it_stays_forgotten(home: Path, scripted: ScriptedServer) -> None:
    hold = Hold(RUNNING)
    scripted.on("GET", PROGRESS, hold)
    async with room(home, scripted, key="first") as first, room(home, scripted, key="second") as second:
        await launched(first, scripted)
        resuming = asyncio.create_task(second.engine.resume(1))
        await eventually(hold.arrived.is_set, "the question arrived")
        first.engine.forget(1)
        hold.released.set()
        await resuming
        assert first.job().state == JobState.FORGOTTEN


async def test_an_error_of_the_program_does_not_end_polling(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, DONE)
    async with room(home, scripted) as here:
        await launched(here, scripted)
        ask_due, broken = here.engine._poll_due, iter([True])

        def once_broken() -> float:
            if next(broken, False):
                raise ValueError("nobody expected this")
            return ask_due()

        here.engine._poll_due = once_broken  # type: ignore[method-assign]
        here.engine.start()
        await here.comes_into(JobState.SUCCEEDED)
