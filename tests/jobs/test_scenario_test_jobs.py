"""Engine, store and command line support tests of a prompt, the second kind of job; a lost launch is found by name."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from calling import call
from engine_window import ACCEPTED, DONE, DRAFT, OpenWindow, Window, fast_engine, opened_window
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer

from cekura_tui.api.errors import Rejected
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.scenario_test import KIND_NAME, LaunchSettings, launch_draft
from cekura_tui.model.scope import Agent
from cekura_tui.store.job_reading import UnreadableJob
from cekura_tui.store.runs import read_cached_start

AGENT = Agent(7, "Agent 7", 1, None)
LAUNCHED = LaunchSettings("abc", "Night test", 7, "voice", (3, 4), ("Opening", "Refund"), calls=8)
TEST = launch_draft(LAUNCHED, AGENT)
RUN_SCENARIOS, RESULTS = "/test_framework/v1/scenarios/run_scenarios/", "/test_framework/v1/results/"
RESULT = f"{RESULTS}41/"
COUNTS = {"total_runs_count": "8", "completed_runs_count": "8", "success_runs_count": 5, "failed_runs_count": None}


async def ended(here: Window, server: ScriptedServer) -> Job:
    """Launch job 1, a test, and poll it until it succeeds."""
    server.on("POST", RUN_SCENARIOS, Reply({"id": 41, "status": "pending"}, 201))
    server.on("GET", RESULT, Reply({"status": "running"}), Reply({"status": "completed", **COUNTS}))
    here.engine.start()
    job = await here.engine.launch(TEST)
    assert (job.state, job.kind, job.progress_id, job.parameters) == (
        JobState.RUNNING,
        KIND_NAME,
        "41",
        LAUNCHED.to_json(),
    )
    return await here.wait_for_state(JobState.SUCCEEDED)


async def test_a_test_is_launched_and_polled_and_recorded(open_window: OpenWindow, home: Path) -> None:
    here = await open_window(engine=fast_engine())
    job = await ended(here, here.server)
    assert job.result == {"status": "completed", "total": 8, "ended": 8, "passed": 5}
    assert (job.improved_sha256, job.summary_of_changes, job.error) == (None, "8 calls ended", None)
    assert here.store.jobs.draft_of(job) == TEST
    sent = {"agent_id": 7, "scenarios": [3, 4], "frequency": 4, "name": "Night test"}
    assert json.loads(here.server.requests("POST", RUN_SCENARIOS)[0].body) == sent, "nothing multiplies the calls"
    curls = here.client.curls(KINDS[TEST.kind], TEST, job.progress_id)
    assert curls["progress"].startswith(f"curl {here.server.url}{RESULT} -H ")
    assert here.store.prompt_uses.all(7) == []
    assert here.store.jobs.last_prompt(7) is None
    (row,) = read_cached_start(home / "cekura.db", here.server.url, "key", "default", None).jobs
    assert row == job


def test_the_command_line_shows_the_result_of_a_test(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", "key")

    async def work() -> None:
        async with opened_window(home, scripted, engine=fast_engine()) as here:
            await ended(here, scripted)

    asyncio.run(work())
    scripted.on("GET", "/test_framework/v1/runs/", Reply({"results": [], "count": 0}))
    shown = call("jobs", "show", 1)
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith("job 1: succeeded\n")
    assert "Refund    no calls  no calls  no calls\n" in shown.out
    assert "\nprompt:" not in shown.out
    shown_json = json.loads(call("jobs", "show", 1, "--json").out)
    assert (shown_json["kind"], shown_json["result"]["passed"]) == (KIND_NAME, 5)
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
    assert {kind: len(took) for kind, took in here.store.jobs.durations().items()} == {
        KIND_NAME: 1,
        "improve_prompt": 1,
    }
    saved = here.store.jobs.save_draft(TEST, 1.0)
    assert here.store.jobs.latest_draft(7, ()) is None
    other = replace(TEST, parameters={**TEST.parameters, "times": 5})
    begun = here.store.jobs.begin_launch(other, 2.0, "somebody", replace(saved, parameters={}))
    assert begun.number != saved.number, "what another window typed meanwhile is not lost"
    assert here.store.jobs.draft_of(here.job(saved.number)) == TEST
    assert here.store.jobs.forget(1, 9.0).state == JobState.FORGOTTEN
    assert (here.job().parameters, here.job().result) == ({}, None)


async def test_a_test_whose_calls_could_not_be_made_fails(open_window: OpenWindow, scripted: ScriptedServer) -> None:
    scripted.on("POST", RUN_SCENARIOS, Reply({"id": 41}), Reply({"detail": "Gone."}, 404))
    scripted.on("GET", RESULT, Reply({"status": "running"}), Reply({"status": "timeout"}))
    here = await open_window(engine=fast_engine())
    here.engine.start()
    await here.engine.launch(TEST)
    assert (await here.wait_for_state(JobState.FAILED)).error == "The calls took too long."
    with pytest.raises(CekuraTuiError, match="does not support test calls in this way"):
        await here.engine.launch(TEST)


async def test_a_job_of_an_unknown_kind_does_not_hide_other_jobs(
    open_window: OpenWindow, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("POST", LAUNCH, ACCEPTED)
    here = await open_window(engine=fast_engine())
    await ended(here, scripted)
    monkeypatch.delitem(KINDS, KIND_NAME)
    await here.engine.launch(DRAFT)
    assert [job.number for job in here.store.jobs.all()] == [2]
    with pytest.raises(UnreadableJob, match="unknown kind “scenario_test”") as caught:
        here.job(1)
    assert "update this one" in caught.value.hint


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cekura_tui.jobs.engine.SEARCH_WAITS", (0.0, 0.0))


def named(number: int, name: str = "Night test") -> dict[str, object]:
    return {"id": number, "name": name, "created_at": None}


@pytest.mark.usefixtures("no_waits")
async def test_a_launch_whose_answer_was_lost_is_found_by_its_name(
    open_window: OpenWindow, scripted: ScriptedServer
) -> None:
    scripted.on("POST", RUN_SCENARIOS, Reply({"detail": "Bad gateway."}, 502))
    scripted.on("GET", RESULTS, Reply({"results": []}), Reply({"results": [named(40, "Other"), named(41)]}))
    here = await open_window()
    job = await here.engine.launch(TEST)
    assert (job.state, job.progress_id) == (JobState.RUNNING, "41")
    assert len(scripted.requests("POST", RUN_SCENARIOS)) == 1
    scripted.on("GET", RESULTS, Reply({"results": [named(41), named(42), named(43)]}))
    job = await here.engine.launch(TEST)
    assert (job.state, job.progress_id) == (JobState.UNCONFIRMED, None), "the user decides between two"
    assert "42, 43" in job.reason, "a result of another job is no candidate"
    assert "`jobs adopt`" in job.reason
    scripted.on("GET", RESULTS, Reply({"results": []}))
    lost = await here.engine.launch(TEST)
    assert lost.reason.endswith("The server has no such test result: it may not have started.")
    assert (await here.engine.resume(lost.number)).reason == lost.reason, "a second search adds nothing"


@pytest.mark.usefixtures("no_waits")
async def test_a_fresh_start_looks_for_the_launch_of_a_dead_process(
    open_window: OpenWindow, scripted: ScriptedServer
) -> None:
    here = await open_window()
    at = here.store.jobs.begin_launch(TEST, 1.0, "", None).launched_at
    assert at == 1.0
    rerun = launch_draft(LAUNCHED._replace(way="rerun", result=9), AGENT)
    begun = here.store.jobs.begin_launch(rerun, time.time(), "", None)
    rows = [
        {"id": 50, "scenarios": [{"id": 3}]},
        {"id": 51, "scenarios": [{"id": 4}, {"id": 3}], "created_at": "1999-01-01T00:00:00Z"},
        {"id": "52", "scenarios": {"3": {"id": 3}, "4": {"id": "4"}}},
        {"id": 53, "scenarios": [[3, 4], {"id": [4]}]},
        {"id": 9, "scenarios": [3, 4]},
    ]
    scripted.on("GET", RESULTS, Reply({"results": rows}))
    scripted.on("GET", f"{RESULTS}52/", Reply({"status": "running"}))
    here.engine.reload()  # as when a session opens
    here.engine.start()
    assert (await here.wait_for_state(JobState.RUNNING, begun.number)).progress_id == "52"
    assert here.job(1).state == JobState.UNCONFIRMED, "a launch of long ago is not looked for"
    server = KINDS[KIND_NAME].server
    assert server is not None
    assert server.progress("4/../../aiagents/7").path == f"{RESULTS}4%2F..%2F..%2Faiagents%2F7/"


@pytest.mark.parametrize(("status", "detail"), [(402, "Payment required."), (403, "Not enough credits.")])
async def test_used_up_credits_refuse_a_test_without_blaming_the_key(
    open_window: OpenWindow, scripted: ScriptedServer, status: int, detail: str
) -> None:
    scripted.on("POST", RUN_SCENARIOS, Reply({"detail": detail}, status))
    here = await open_window()
    with pytest.raises(Rejected, match="too few credits"):
        await here.engine.launch(TEST)
    assert here.job().state == JobState.DRAFT


async def test_a_launch_may_be_answered_with_the_id_of_its_result(
    open_window: OpenWindow, scripted: ScriptedServer
) -> None:
    scripted.on("POST", RUN_SCENARIOS, Reply({"id": None, "result_id": 41}, 201))
    assert (await (await open_window()).engine.launch(TEST)).progress_id == "41"
