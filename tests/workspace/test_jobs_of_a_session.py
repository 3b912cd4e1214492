"""Actions that do not fit a job's state are refused, and job lists match the database."""

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
    """A session in which job 1 has succeeded."""
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, DONE)
    quick.engine.start()
    await quick.engine.launch(DRAFT)
    await answered(lambda: quick.jobs.get(1), lambda job: job.state == JobState.SUCCEEDED, "the job ends")
    return quick


async def test_a_finished_job_cannot_be_stopped_or_relaunched(done: Session, scripted: ScriptedServer) -> None:
    with pytest.raises(UsageError, match="Can't stop job"):
        await done.jobs.stop(1)
    with pytest.raises(UsageError, match="Can't relaunch job"):
        await done.jobs.launch_again(1)
    assert (await done.jobs.get(1)).state == JobState.SUCCEEDED
    assert len(scripted.requests("POST", LAUNCH)) == 1


async def test_a_stopped_job_cannot_be_stopped_again(quick: Session, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, Reply({"status": "running"}))
    await quick.engine.launch(DRAFT)
    assert (await quick.jobs.stop(1)).state == JobState.STOPPED
    with pytest.raises(UsageError, match="Can't stop job"):
        await quick.jobs.stop(1)


async def test_the_overview_has_jobs_and_durations_and_the_error_that_paused_polling(
    done: Session, scripted: ScriptedServer
) -> None:
    jobs, durations, trouble = await done.jobs.overview()
    assert [job.number for job in jobs] == [1]
    assert [len(took) for took in durations.values()] == [1]
    assert trouble is None
    scripted.on("GET", PROGRESS, Reply({"detail": "No."}, 401))
    await done.engine.launch(DRAFT)
    _, _, error = await answered(done.jobs.overview, lambda found: found[2], "the key was refused")
    assert error is done.engine.paused


async def test_the_last_prompt_launched_for_an_agent_is_found(done: Session) -> None:
    assert done.store.jobs.last_prompt(7) == DRAFT.prompt
    assert done.store.jobs.last_prompt(8) is None


async def test_a_draft_with_a_damaged_prompt_is_ignored(quick: Session) -> None:
    quick.store.jobs.save_draft(DRAFT, 1.0)
    assert await quick.jobs.draft(7, (5,)) is not None
    with quick.store.database.write() as sql:
        sql.execute("UPDATE prompts SET text = 'Be rude.'")
    assert await quick.jobs.draft(7, (5,)) is None


async def test_the_time_of_the_last_visit_is_saved(quick: Session) -> None:
    assert quick.store.last_visit() is None
    await quick.jobs.note_visit()
    assert quick.store.last_visit() is not None


async def test_a_launch_without_a_key_is_refused_and_records_no_job(session: Session) -> None:
    keyless = JobEngine(session.store.jobs, session.client, refusal=KeyMissing("No API key."))
    with pytest.raises(KeyMissing):
        await keyless.launch(DRAFT)
    assert session.store.jobs.all(drafts=True) == []


async def test_lost_jobs_of_another_key_are_taken_over_only_on_request(
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


async def test_adopting_the_id_that_a_job_already_has_changes_only_a_lost_job(session: Session) -> None:
    jobs = session.store.jobs
    number = jobs.begin_launch(Draft((5,), Prompt("Be kind."), 7), 1.0, "me").number
    running = jobs.record_progress_id(number, "p-1", "raw", 2.0)
    assert await session.jobs.adopt(number, "p-1") == running
    jobs.record_state(number, JobState.LOST, "Unknown.", 3.0, only_from=(JobState.RUNNING,))
    assert (await session.jobs.adopt(number, "p-1")).state == JobState.RUNNING
