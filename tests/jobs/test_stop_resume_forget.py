"""Stopping, resuming, forgetting and relaunching jobs."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from engine_window import ACCEPTED, DONE, DRAFT, RUNNING, Follow, LeapingClock, OpenWindow, Window, fast_engine
from scripted_server import HTML_502, LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from waiting import eventually

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt


def files_with(home: Path, text: bytes) -> list[str]:
    return [path.name for path in home.iterdir() if text in path.read_bytes()]


async def test_forgetting_a_job_deletes_its_texts_unless_another_job_has_the_same_texts(follow: Follow) -> None:
    here = await follow(DONE)
    await here.wait_for_state(JobState.SUCCEEDED)
    other = here.store.jobs.save_draft(DRAFT, 1.0).number
    here.engine.forget(1)
    assert here.store.jobs.draft_of(here.job(other)) == DRAFT
    here.engine.forget(other)
    assert (here.store.jobs.all(drafts=True), here.store.jobs.answers(1)) == ([], [])
    kept = here.store.database.read("SELECT text FROM prompts")
    assert [bytes(row["text"]) for row in kept] == [b""]
    assert here.store.jobs.last_prompt(DRAFT.agent_id) is None


async def test_a_forgotten_text_is_in_no_file_while_another_window_is_open(
    here: Window, open_window: OpenWindow, home: Path
) -> None:
    there = await open_window()
    job = here.store.jobs.save_draft(Draft((5,), Prompt("SECRETTEXT " * 2000), 7), 1.0)
    there.store.jobs.all(drafts=True)
    here.engine.forget(job.number)
    assert files_with(home, b"SECRETTEXT") == []


async def test_an_unconfirmed_job_is_relaunched_only_once(here: Window, open_window: OpenWindow) -> None:
    here.server.on("POST", LAUNCH, Reply(HTML_502, 502), Reply({"prompt": ["Too long."]}, 400), ACCEPTED)
    other = await open_window()
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


async def test_a_failing_server_makes_every_job_stale_without_a_poll_of_each(
    open_window: OpenWindow, scripted: ScriptedServer
) -> None:
    scripted.on("GET", PROGRESS, Reply(HTML_502, 502))
    here = await open_window(engine=fast_engine(0.2))
    await here.follow(*range(15))
    await eventually(lambda: all(here.job(n).stale_since for n in range(1, 16)), "all jobs are stale")
    assert here.polls() < 15
    scripted.on("GET", PROGRESS, DONE)
    here.engine.resume_polling()
    await eventually(lambda: not here.store.jobs.unfinished(), "all jobs ended")


async def test_a_duration_is_recorded_only_for_a_job_polled_until_its_end(
    open_window: OpenWindow, scripted: ScriptedServer
) -> None:
    now = [1000.0]
    scripted.on("GET", PROGRESS, RUNNING, DONE)
    for number, end in ((1, 1040.0), (2, 9000.0)):  # the second ends while the program is closed
        here = await open_window(engine=partial(JobEngine, clock=lambda: now[0], monotonic=LeapingClock(30)))
        await here.launch()
        now[0] = end
        here.engine.start()
        await here.wait_for_state(JobState.SUCCEEDED, number)
        assert here.store.jobs.durations() == {"improve_prompt": [40.0]}
        await here.close()


async def test_a_resumed_job_is_polled_at_once_even_if_another_window_just_polled_it(
    here: Window, open_window: OpenWindow
) -> None:
    here.server.on("GET", PROGRESS, RUNNING)
    there = await open_window()
    await here.launch()
    with here.store.database.write() as sql:
        sql.execute("UPDATE jobs SET launched_at = launched_at - 7200")  # old jobs are polled once a minute
    here.engine.start()
    await here.wait_for_polls(1)
    await eventually(lambda: not here.engine.in_flight, "it was answered")
    there.engine.start()
    await eventually(lambda: there.engine._running, "the other window follows it")
    await there.engine.resume(1)
    await here.wait_for_polls(2)


async def test_a_forgotten_job_stays_forgotten_if_a_poll_with_another_key_is_answered(
    open_window: OpenWindow, scripted: ScriptedServer
) -> None:
    hold = Hold(RUNNING)
    scripted.on("GET", PROGRESS, hold)
    first = await open_window(key="first")
    second = await open_window(key="second")
    await first.launch()
    resuming = asyncio.create_task(second.engine.resume(1))
    await eventually(hold.arrived.is_set, "the question arrived")
    first.engine.forget(1)
    hold.released.set()
    await resuming
    assert first.job().state == JobState.FORGOTTEN
