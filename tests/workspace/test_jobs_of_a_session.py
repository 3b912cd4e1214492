"""What is wished of jobs is done only where it makes sense, and what is told of them is what the database has."""

from __future__ import annotations

import pytest
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer
from waiting import answered

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.errors import KeyMissing, UsageError
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store
from cekura_tui.workspace.session import Session

DRAFT = Draft((5,), Prompt("Be kind."), 7, "Agent 7")
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder."}})


@pytest.fixture
async def done(quick: Session, scripted: ScriptedServer) -> Session:
    """A session whose job 1 brought a suggestion."""
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, DONE)
    quick.engine.start()
    await quick.engine.launch(DRAFT)
    await answered(lambda: quick.jobs.get(1), lambda job: job.state == JobState.SUCCEEDED, "the job ends")
    return quick


async def test_a_job_that_ended_is_neither_stopped_nor_launched_again(done: Session, scripted: ScriptedServer) -> None:
    with pytest.raises(UsageError, match="Can't stop job"):
        await done.jobs.stop(1)
    with pytest.raises(UsageError, match="Can't relaunch job"):
        await done.jobs.launch_again(1)
    assert (await done.jobs.get(1)).state == JobState.SUCCEEDED
    assert len(scripted.requests("POST", LAUNCH)) == 1


async def test_a_job_that_is_stopped_is_asked_about_no_more(quick: Session, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, Reply({"status": "running"}))
    await quick.engine.launch(DRAFT)
    assert (await quick.jobs.stop(1)).state == JobState.STOPPED
    with pytest.raises(UsageError, match="Can't stop job"):
        await quick.jobs.stop(1)


async def test_jobs_are_listed_with_durations_and_why_polling_paused(done: Session, scripted: ScriptedServer) -> None:
    jobs, durations, trouble = await done.jobs.overview()
    assert [job.number for job in jobs] == [1]
    assert [len(took) for took in durations.values()] == [1]
    assert trouble is None
    scripted.on("GET", PROGRESS, Reply({"detail": "No."}, 401))
    await done.engine.launch(DRAFT)
    _, _, told = await answered(done.jobs.overview, lambda found: found[2], "the key was refused")
    assert told is done.engine.paused


async def test_the_prompt_that_was_launched_last_is_that_of_its_agent(done: Session) -> None:
    assert done.store.jobs.last_prompt(7) == DRAFT.prompt
    assert done.store.jobs.last_prompt(8) is None


async def test_a_draft_whose_text_is_damaged_is_as_none(quick: Session) -> None:
    quick.store.jobs.save_draft(DRAFT, 1.0)
    assert await quick.jobs.draft(7, (5,)) is not None
    with quick.store.database.write() as sql:
        sql.execute("UPDATE prompts SET text = 'Be rude.'")
    assert await quick.jobs.draft(7, (5,)) is None


async def test_when_somebody_last_sat_before_the_jobs_is_kept(quick: Session) -> None:
    assert quick.store.last_visit() is None
    await quick.jobs.note_visit()
    assert quick.store.last_visit() is not None


async def test_without_a_key_nothing_is_launched(session: Session) -> None:
    keyless = JobEngine(session.store.jobs, session.client, refusal=KeyMissing("No API key."))
    with pytest.raises(KeyMissing):
        await keyless.launch(DRAFT)
    assert session.store.jobs.all(drafts=True) == []


async def test_of_another_keys_jobs_lost_ones_are_followed_only_if_wished(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[list[int]] = []
    monkeypatch.setattr(session.engine, "take_over", lambda numbers: taken.append(sorted(numbers)))
    jobs = Store(session.store.database.path, session.store.account.origin, "former", "default").jobs
    for state in (None, JobState.RUNNING, JobState.LOST, JobState.STOPPED):
        number = jobs.begin_launch(DRAFT, 1.0, "me").number
        if state is not None:
            jobs.record_progress_id(number, f"p-{number}", "raw", 2.0)
            jobs.record_state(number, state, "", 3.0, only_from=(JobState.RUNNING,))
    session.jobs.take_over()
    session.jobs.take_over(lost=True)
    assert taken == [[2], [2, 3]]


async def test_the_same_id_is_adopted_again_only_for_a_lost_job(session: Session) -> None:
    jobs = session.store.jobs
    number = jobs.begin_launch(Draft((5,), Prompt("Be kind."), 7), 1.0, "me").number
    running = jobs.record_progress_id(number, "p-1", "raw", 2.0)
    assert await session.jobs.adopt(number, "p-1") == running
    jobs.record_state(number, JobState.LOST, "Unknown.", 3.0, only_from=(JobState.RUNNING,))
    assert (await session.jobs.adopt(number, "p-1")).state == JobState.RUNNING
