"""Engine, store and command line support any kind of job that is in KINDS."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from calling import call
from engine_window import ACCEPTED, DONE, DRAFT, OpenWindow, Window, fast_engine, opened_window
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer
from second_kind import RERUN, RESULT, TEST, TESTS

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.store.job_reading import UnreadableJob
from cekura_tui.store.runs import read_cached_start


@pytest.fixture(autouse=True)
def second_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, TESTS.name, TESTS)


async def ended(here: Window, server: ScriptedServer) -> Job:
    """Launch job 1, which is of the second kind, and poll it until it succeeds."""
    server.on("POST", RERUN, Reply({"id": 41, "status": "pending"}, 201))
    done = {"status": "completed", "success_runs_count": 3, "name": "Night\trun\r\n"}
    server.on("GET", RESULT, Reply({"status": "running"}), Reply(done))
    here.engine.start()
    job = await here.engine.launch(TEST)
    assert (job.state, job.kind, job.progress_id, job.parameters) == (JobState.RUNNING, "rerun", "41", {"result": 9})
    return await here.wait_for_state(JobState.SUCCEEDED)


async def test_a_job_of_a_second_kind_is_launched_and_polled_and_recorded(open_window: OpenWindow, home: Path) -> None:
    here = await open_window(engine=fast_engine())
    job = await ended(here, here.server)
    assert job.result == {"passed": 3, "name": "Night\trun\r\n"}, "a text at an exact path is exact"
    assert (job.improved_sha256, job.summary_of_changes, job.error) == (None, None, None)
    assert here.store.jobs.draft_of(job) == TEST
    assert json.loads(here.server.requests("POST", RERUN)[0].body) == {}
    curls = here.client.curls(KINDS[TEST.kind], TEST, job.progress_id)
    assert curls["progress"].startswith(f"curl {here.server.url}{RESULT} -H ")
    assert here.store.prompt_uses.all(7) == []
    assert here.store.jobs.last_prompt(7) is None
    (row,) = read_cached_start(home / "cekura.db", here.server.url, "key", "default", None).jobs
    assert row == job


def test_the_command_line_shows_the_result_of_a_job_of_a_second_kind(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", "key")

    async def work() -> None:
        async with opened_window(home, scripted, engine=fast_engine()) as here:
            await ended(here, scripted)

    asyncio.run(work())
    shown = call("jobs", "show", 1)
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith("job 1: succeeded\n")
    assert '"passed": 3' in shown.out
    assert "prompt" not in shown.out
    shown_json = json.loads(call("jobs", "show", 1, "--json").out)
    assert (shown_json["kind"], shown_json["result"]["passed"]) == ("rerun", 3)
    assert call("jobs", "show", 1, "--prompt").status == 2
    assert "succeeded" in call("jobs", "list").out


async def test_two_kinds_of_jobs_have_separate_durations_and_drafts(
    open_window: OpenWindow, scripted: ScriptedServer
) -> None:
    scripted.on("POST", LAUNCH, ACCEPTED)
    scripted.on("GET", PROGRESS, DONE)
    here = await open_window(engine=fast_engine())
    await ended(here, scripted)
    await here.engine.launch(DRAFT)
    await here.wait_for_state(JobState.SUCCEEDED, 2)
    assert {kind: len(took) for kind, took in here.store.jobs.durations().items()} == {"rerun": 1, "improve_prompt": 1}
    here.store.jobs.save_draft(TEST, 1.0)
    assert here.store.jobs.latest_draft(7, ()) is None
    saved = here.store.jobs.latest_draft(7, (), "rerun")
    assert saved is not None
    other = replace(TEST, parameters={"result": 10})
    begun = here.store.jobs.begin_launch(other, 2.0, "somebody", replace(saved, parameters={}))
    assert begun.number != saved.number, "what another window typed meanwhile is not lost"
    assert here.store.jobs.draft_of(here.job(saved.number)) == TEST
    assert here.store.jobs.forget(1, 9.0).state == JobState.FORGOTTEN
    assert (here.job().parameters, here.job().result) == ({}, None)


async def test_a_job_of_a_second_kind_fails_with_the_messages_of_its_kind(
    open_window: OpenWindow, scripted: ScriptedServer
) -> None:
    scripted.on("POST", RERUN, Reply({"id": 41}), Reply({"detail": "Gone."}, 404))
    scripted.on("GET", RESULT, Reply({"status": "running"}), Reply({"status": "timeout"}))
    here = await open_window(engine=fast_engine())
    here.engine.start()
    await here.engine.launch(TEST)
    assert (await here.wait_for_state(JobState.FAILED)).error == "It took too long."
    with pytest.raises(CekuraTuiError, match="does not support test runs"):
        await here.engine.launch(TEST)


async def test_a_job_of_an_unknown_kind_does_not_hide_other_jobs(
    open_window: OpenWindow, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("POST", LAUNCH, ACCEPTED)
    here = await open_window(engine=fast_engine())
    await ended(here, scripted)
    monkeypatch.delitem(KINDS, TESTS.name)
    await here.engine.launch(DRAFT)
    assert [job.number for job in here.store.jobs.all()] == [2]
    with pytest.raises(UnreadableJob, match="unknown kind “rerun”") as caught:
        here.job(1)
    assert "update this one" in caught.value.hint
