"""kill -9 at each stage of a test of a prompt: one launch reaches the server, and a fresh start takes its result up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import call, process
from one_job import state
from scripted_server import Got, Hold, Reply, ScriptedServer, list_page, run_of
from waiting import until

RUN_SCENARIOS, RESULTS = "/test_framework/v1/scenarios/run_scenarios/", "/test_framework/v1/results/"
BILLING = "/test_framework/billing/info/"
STARTED = Reply({"id": 41, "status": "pending"}, 201)
HALF, DONE = (
    Reply({"status": status, "total_runs_count": "2", "completed_runs_count": ended})
    for status, ended in (("running", "1"), ("completed", "2"))
)


@pytest.fixture
def tested(server: ScriptedServer) -> ScriptedServer:
    """A server with the failed run 5 of scenario 3, and an agent with a telephone number."""
    runs = {5: run_of(5, scenario=3, result_id=30)}
    passed = {"scenario": 3, "result_id": 41, "evaluation_status": "success"}
    runs |= {number: run_of(number, **passed) for number in (101, 102)}

    def listed(got: Got) -> Reply:
        wanted = got.query.get("result_id", "30")
        return list_page(got, [run for run in runs.values() if str(run["result_id"]) == wanted])

    def whole(got: Got) -> Reply:
        return Reply([runs[int(number)] for number in got.query["run_ids"].split(",")])

    server.on("GET", "/test_framework/v1/runs/", listed)
    server.on("GET", "/test_framework/v1/runs/bulk/", whole)
    agent = {"id": 7, "agent_name": "Agent 7", "description": "Be kind.", "contact_number": "+15550100"}
    server.on("GET", "/test_framework/v1/aiagents/7/", Reply(agent))
    server.on("GET", "/test_framework/v1/scenarios/", Reply({"count": 1, "results": [{"id": 3, "name": "Table"}]}))
    server.on("GET", f"{RESULTS}41/", HALF)
    return server


def posts(server: ScriptedServer) -> int:
    return len(server.requests("POST", RUN_SCENARIOS))


def job_1() -> dict[str, object]:
    job: dict[str, object] = json.loads(call("jobs", "list", "--json").out)
    return job


def test_a_kill_before_the_launch_is_sent_sends_nothing(tested: ScriptedServer, home: Path) -> None:
    hold = Hold(Reply({"credits_remaining": "5.00"}))
    tested.on("GET", BILLING, hold)
    running = process("test", 5, "--times", 2, "--yes", "--wait")
    until(hold.arrived.is_set, "the test is planned")
    with tested.overloaded():
        hold.released.set()
        until(lambda: state(home) == "launching", "the launch is recorded")
        running.kill()
        running.wait()
    assert (posts(tested), job_1()["state"]) == (0, "unconfirmed")
    tested.on("GET", RESULTS, Reply({"results": []}))
    again = call("jobs", "resume", 1)
    assert (again.status, "may not have started" in again.err, posts(tested)) == (1, True, 0)


def test_a_kill_before_the_answer_loses_no_launch(tested: ScriptedServer, home: Path) -> None:
    hold = Hold(STARTED)
    tested.on("POST", RUN_SCENARIOS, hold)
    running = process("test", 5, "--times", 2, "--yes", "--wait")
    until(hold.arrived.is_set, "the server has the launch")
    running.kill()
    running.wait()
    hold.released.set()
    name = tested.requests("POST", RUN_SCENARIOS)[0].json()["name"]
    tested.on("GET", RESULTS, Reply({"results": [{"id": 40, "name": "Night"}, {"id": 41, "name": name}]}))
    assert job_1()["state"] == "unconfirmed"
    assert call("jobs", "resume", 1).status == 0
    assert (job_1()["progress_id"], posts(tested)) == ("41", 1)


def test_a_kill_during_the_calls_leaves_a_test_that_ends(tested: ScriptedServer, home: Path) -> None:
    tested.on("POST", RUN_SCENARIOS, STARTED)
    running = process("test", 5, "--times", 2, "--yes", "--wait")
    until(lambda: tested.requests("GET", f"{RESULTS}41/"), "the result was polled")
    running.kill()
    running.wait()
    tested.on("GET", f"{RESULTS}41/", DONE)
    waited = call("jobs", "wait", 1)
    assert (waited.status, job_1()["state"], posts(tested)) == (0, "succeeded", 1)
