"""`test` calls scenarios again after saying what that costs, and its exit status is a gate for scripts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from calling import Result, call, called, refused
from documented_shapes import read_all
from scripted_server import HTML_502, Got, Reply, ScriptedServer, list_page, run_of

from cekura_tui.model.errors import UsageError
from cekura_tui.workspace.scenario_tests import LaunchChoice
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

V1 = "/test_framework/v1"
LAUNCH = f"{V1}/scenarios/run_scenarios/"
NAMES = {3: "Refund", 4: "Opening"}
PASSED = {"evaluation_status": "success"}
FAILED = {"evaluation_status": "failure"}
BROKEN = {"status": "failed", "evaluation_status": None, "error_message": "Line dropped."}


@dataclass
class Desk:
    """Agent 7 with the failed run 11 of scenario 3 and the passed run 12 of scenario 4, both of result 30. `calls` are
    the new calls of each scenario, whose result is 41 and ends at once with this `status`."""

    server: ScriptedServer
    agent: dict[str, object] = field(default_factory=dict)
    calls: dict[int, list[dict[str, object]]] = field(default_factory=dict)
    status: str = "completed"
    runs: dict[int, dict[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._add(11, 3, 30, FAILED)
        self._add(12, 4, 30, PASSED)
        for path, answer in {
            f"{V1}/aiagents/7/": lambda got: Reply(
                {"id": 7, "agent_name": "Desk", "description": "Be kind.", "contact_number": "+1555", **self.agent}
            ),
            f"{V1}/scenarios/": lambda got: list_page(got, [{"id": n, "name": NAMES[n]} for n in NAMES]),
            f"{V1}/runs/": self._listed,
            f"{V1}/runs/bulk/": lambda got: Reply([self.runs[int(n)] for n in got.query["run_ids"].split(",")]),
            "/test_framework/billing/info/": lambda got: Reply({"credits_remaining": 1204}),
            f"{V1}/results/41/": lambda got: Reply(
                {"id": 41, "status": self.status, "total_runs_count": "4", "completed_runs_count": 1}
            ),
        }.items():
            self.server.on("GET", path, answer)
        self.server.on("POST", LAUNCH, self._launched)
        self.server.on("POST", f"{V1}/results/41/end_calls/", Reply())

    def _add(self, number: int, scenario: int, result: int, fields: dict[str, object]) -> None:
        whose = {
            "scenario": scenario,
            "scenario_name": NAMES[scenario],
            "result_id": result,
            "project": 1,
            "agent_version": result,
        }
        self.runs[number] = run_of(number, duration="02:00", mocked_tool_names=[], **whose, **fields)

    def _listed(self, got: Got) -> Reply:
        result = got.query.get("result_id")
        return list_page(got, [run for run in self.runs.values() if result in (None, str(run["result_id"]))])

    def _launched(self, got: Got) -> Reply:
        for scenario in got.json()["scenarios"]:
            for fields in self.calls.get(scenario, []):
                self._add(100 + len(self.runs), scenario, 41, fields)
        return Reply({"id": 41, "status": "pending"}, 201)

    @property
    def sent(self) -> list[Any]:
        return [got.json() for got in self.server.requests("POST", LAUNCH)]


@pytest.fixture
def desk(api: ScriptedServer, polled_at_once: None) -> Desk:
    return Desk(api)


def gate(*words: object) -> Result:
    return call("test", *words, "--yes", "--wait")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name what to test: runs, --result or --job."),
        ((11, "--job", 1), "Name what to test: runs, --result or --job."),
        ((11, "--threshold", "3/4"), "--threshold needs --wait."),
        ((11, "--no-newly-failing"), "--no-newly-failing needs --wait."),
        ((11, "--timeout", 5), "--timeout needs --wait."),
        ((11, "--markdown"), "--markdown needs --wait."),
        ((11, "--json"), "--json needs --wait."),
        ((11, "--wait", "--end-calls"), "--end-calls needs --timeout."),
        ((11, "--wait", "--markdown", "--json"), "Use only one of --json and --markdown."),
        ((11, "--wait", "--threshold", "5/4"), "“5/4” is not a pass rate"),
        ((11, "--wait", "--threshold", "1/0"), "“1/0” is not a pass rate"),
        ((11, "--times", 101), "101 is not in the range"),
        ((11, "--way", "pigeon"), "'pigeon' is not one of"),
        ((11, "--way", "voice", "--target", "x"), "Calls by Telephone take no other agent's id."),
    ],
)
def test_impossible_options_are_refused_before_any_request(desk: Desk, words: tuple[object, ...], said: str) -> None:
    refused(said, "test", *words)
    assert desk.server.seen == []


def test_without_a_terminal_the_cost_is_named_and_nothing_is_called(desk: Desk) -> None:
    result = refused("Nothing was called. This would make 4 calls · about 40 credits", "test", "--result", 30)
    assert "1,204 left. To call, add --yes." in result.err
    assert "By Telephone, 4 calls each: Refund (0 of 1 passed)\n" in result.err
    for odd in ("nan", 10**400):
        desk.server.on("GET", "/test_framework/billing/info/", Reply({"credits_remaining": odd}))
        refused("40 credits, estimated. To call, add --yes.", "test", "--result", 30)
    assert refused("Read-only session: nothing was called.", "--read-only", "test", 11, "--yes").out == ""
    desk.runs[12] |= {**FAILED, "duration": None}
    refused("This would make 8 calls · about 80 credits", "test", 11, 12)
    assert desk.sent == []


def test_failed_scenarios_are_called_and_jobs_are_printed(desk: Desk) -> None:
    result = called("test", "--result", 30, "--yes", "--times", 2, "--name", "Night", "--at-once", 3)
    assert result.out == "1\n"
    assert "2 calls requested. To wait for the end later, run `cekura-tui jobs wait 1`." in result.err
    body = {"agent_id": 7, "scenarios": [3], "frequency": 2, "name": "Night", "mock_tool_names": []}
    assert desk.sent == [{**body, "concurrency_limit": 3}]
    assert called("test", 11, 12, "--yes", "--also-passed").out == "2\n"
    assert desk.sent[1].items() >= {"scenarios": [3, 4], "frequency": 4}.items()


@pytest.mark.parametrize(
    ("calls", "words", "status"),
    [
        ([PASSED] * 4, (), 0),
        ([PASSED] * 3 + [FAILED], (), 1),
        ([PASSED] * 3 + [FAILED], ("--threshold", "3/4"), 0),
        ([PASSED] * 3 + [BROKEN], (), 1),
        ([PASSED] * 3 + [BROKEN], ("--threshold", "3/4"), 0),
        ([PASSED] * 3, (), 1),
        ([FAILED] * 4, ("--threshold", "0/1"), 0),
        ([BROKEN] * 4, ("--threshold", "0/1"), 3),
        ([], (), 3),
    ],
    ids=str,
)
def test_the_exit_status_follows_the_verdicts_of_all_calls(
    desk: Desk, calls: list[dict[str, object]], words: tuple[object, ...], status: int
) -> None:
    desk.calls = {3: calls}
    assert gate(11, *words).status == status


def test_no_newly_failing_only_adds_a_condition(desk: Desk) -> None:
    for number in range(20, 24):
        desk._add(number, 4, 30, PASSED)
    desk.calls = {4: [FAILED] * 4}
    words = (12, 20, "--threshold", "0/1")
    assert [gate(*words).status, gate(*words, "--no-newly-failing").status] == [0, 1]
    desk.calls = {3: [FAILED] * 4}
    assert gate(11, "--no-newly-failing").status == 1


def test_every_way_to_print_a_test_shows_what_became_of_the_scenarios(desk: Desk) -> None:
    for number in range(20, 23):
        desk._add(number, 3, 30, FAILED)
    desk.calls = {3: [PASSED] * 4 + [BROKEN]}
    result = gate(11, "--times", 5, "--threshold", "4/5")
    assert (result.status, "job 1: succeeded" in result.err) == (0, True)
    assert result.out.splitlines()[1] == "Refund    0 of 4  4 of 4, 1 did not run  fixed"
    assert "Passes now: 4 of 4, 1 did not run" in result.out
    assert "The calls use Cekura's own record of the prompt." in result.out
    assert "1 fixed\n" in call("jobs", "list").out
    shown = called("jobs", "show", 1).out
    assert shown.startswith("job 1: succeeded\n")
    assert shown.endswith(result.out)
    page = called("jobs", "show", 1, "--markdown").out
    assert page.startswith("# Desk: prompt test")
    assert "/1/results/41>" in page
    (job,) = read_all("jobs-show", called("jobs", "show", 1, "--json").out)
    (waited,) = read_all("jobs-wait", called("jobs", "wait", 1, "--json").out)
    (again,) = read_all("test", gate(11, "--times", 5, "--json").out)
    assert job["test"] == waited["test"]
    assert job["test"]["comparison"]["lines"][0]["became"] == "fixed"
    assert (again["jobs"], again["ended"]) == ([2], True)
    refused("Job 1 is a test.", "test", "--job", 1, "--yes")


def test_waiting_later_has_the_same_status_and_a_test_is_shown_without_the_server(desk: Desk) -> None:
    desk.calls = {3: [PASSED] * 3 + [FAILED]}
    called("test", 11, "--yes")
    later = call("jobs", "wait", 1)
    assert (later.status, later.err.splitlines()[-1]) == (1, "job 1: 1 unclear")
    desk.server.on("GET", f"{V1}/runs/", Reply({"detail": "Down."}, 500))
    assert called("jobs", "show", 1).out.startswith("job 1: succeeded\n")
    assert "test" not in json.loads(called("jobs", "show", 1, "--json").out)


def test_a_refused_part_of_a_test_is_no_pass(desk: Desk) -> None:
    desk.runs[12] |= {**FAILED, "mocked_tool_names": ["refund"]}
    desk.calls = {4: [PASSED] * 4}
    desk.server.on("POST", LAUNCH, desk._launched, Reply({"scenarios": ["Not active."]}, 400))
    refused("Draft saved as job 2. 1 of 2 launches were made (job 1).", "test", 11, 12, "--yes", "--wait")
    assert call("jobs", "wait", 1).status == 1
    assert "Refund\n  No new call." in called("jobs", "show", 1).out
    assert [one["test"]["calls"] for one in read_all("jobs-show", called("jobs", "show", 1, "--json").out)] == [4]


def test_a_rerun_calls_each_scenario_of_a_long_result_once(desk: Desk) -> None:
    desk.agent = {"contact_number": None}
    desk.runs[12] |= {"scenario": 3}
    desk._add(13, 4, 30, FAILED)
    desk.server.on("GET", f"{V1}/runs/", lambda got: list_page(got, list(desk.runs.values()), most=1))
    desk.server.on("POST", f"{V1}/results/30/rerun/", Reply({"id": 41}))
    said = called("test", 11, "--yes").err
    assert "1 call each: Refund (1 of 2 passed), Opening (0 of 1 passed)\n" in said
    assert "\n2 calls requested." in said


@pytest.mark.parametrize("ends", [0, 200, 502])
def test_calls_that_do_not_end_in_time_exit_with_5(desk: Desk, ends: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cekura_tui.cli.test.END_TIMEOUT", 0.0)
    desk.calls, desk.status = {3: [{"status": "in_progress", "evaluation_status": None}]}, "running"
    desk.server.on("POST", f"{V1}/results/41/end_calls/", Reply(b"", ends))
    result = gate(11, "--timeout", 0, *(["--end-calls"] if ends else []))
    assert result.status == 5
    assert {0: "The calls continue.", 200: "The calls were ended.", 502: "The calls may continue."}[ends] in result.err
    assert len(desk.server.requests("POST", f"{V1}/results/41/end_calls/")) == bool(ends)
    assert "1 to come" in result.out
    assert call("jobs", "resume", 1).status == 0, "waits for an answer"
    assert "1 of 4 calls ended" in call("jobs", "list").out
    assert called("jobs", "forget", 1, "--force").err == "job 1: forgotten\n"


def test_a_prompt_at_a_provider_needs_an_answer(desk: Desk) -> None:
    desk.agent = {"assistant_provider": "retell"}
    refused("The calls use the prompt at Retell, which may not be Cekura's.", "test", 11, "--yes")
    assert desk.sent == []
    assert "the user tested anyway" in called("test", 11, "--yes", "--live", "no").err
    assert "was published at Retell" in called("test", 11, "--yes", "--live", "yes").err
    assert "was published at Retell" in called("test", 11, "--yes").err, "the answer is remembered"
    refused("Desk can't be called by SIP. Use --way voice, retell, text.", "test", 11, "--way", "sip")


def test_an_agent_without_a_way_exits_with_3_and_a_refused_key_with_4(desk: Desk) -> None:
    desk.agent = {"contact_number": None}
    desk.runs[11]["result_id"] = None
    result = gate(11)
    assert (result.status, result.err) == (3, "No way is known to call Desk. Nothing was called.\n")
    desk.server.on("GET", f"{V1}/aiagents/7/", Reply({"detail": "Invalid key."}, 401))
    assert gate(11).status == 4
    assert desk.sent == []


def test_a_terminal_is_asked_and_many_calls_must_be_typed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answering(answer: str) -> Callable[[str], Any]:
        async def ask(question: str) -> str:
            asked.append(question)
            return answer

        return ask

    monkeypatch.setattr("cekura_tui.cli.test.can_ask", lambda: True)
    for times, answer, status in ((4, "n", 1), (4, "y", 0), (21, "y", 1), (21, "21", 0)):
        monkeypatch.setattr("cekura_tui.cli.test.ask", answering(answer))
        assert call("test", 11, "--times", times).status == status
    assert [question.partition("left. ")[2] for question in asked[1:3]] == [
        "Launch? [y/N]: ",
        "More than 20 calls: to launch, type their number: ",
    ]
    assert [body["frequency"] for body in desk.sent] == [4, 21]


@pytest.mark.parametrize(("found", "status"), [(1, 0), (0, 1)])
def test_a_launch_without_an_answer_is_looked_for_by_its_name(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, found: int, status: int
) -> None:
    monkeypatch.setattr("cekura_tui.jobs.engine.SEARCH_WAITS", (0.0,))
    desk.calls = {3: [PASSED] * 4}
    desk.server.on("POST", LAUNCH, lambda got: Reply(HTML_502, 502 if desk._launched(got) else 0))
    desk.server.on("GET", f"{V1}/results/", Reply({"results": [{"id": 41, "name": "Night"}] * found, "count": found}))
    result = gate(11, "--name", " Night\t")
    assert (result.status, len(desk.sent)) == (status, 1)
    assert ("job 1: succeeded" if found else "job 1: unconfirmed") in result.err


async def test_whole_calls_are_read_once_they_have_ended_and_again_on_demand(desk: Desk) -> None:
    def numbers() -> str:
        return desk.server.requests("GET", f"{V1}/runs/bulk/")[-1].query["run_ids"]

    async def after(number: int, *, fresh: bool = False) -> str:
        return (await session.tests.report(number, fresh=fresh)).comparison.lines[0].after.words

    session = Session.open(make_setup(project_id=1, env=dict(os.environ)))
    session.budget._window = 0.0
    desk.calls = {3: [PASSED, {"evaluation_status": None}, {"status": "in_progress", "evaluation_status": None}]}
    plan = replace(await session.tests.plan([11]), before=True)
    (job,) = await session.tests.launch(plan, LaunchChoice((3,), "own", "voice"))
    passed, unjudged, running = (number for number in desk.runs if number > 100)
    assert await after(job.number) == "1 of 1, 1 did not run, 1 to come"
    assert numbers() == f"{unjudged},{passed}"
    history = f"{V1}/aiagents/7/history/"
    desk.server.on("GET", history, Reply({"results": [{"history_id": 41, "description": "Be kind."}]}))
    report = await session.tests.report(job.number)
    assert "that has the tested prompt" in report.version
    assert "Tests the prompt before its update." in await session.tests.markdown(report, "")
    desk.runs[unjudged] |= PASSED
    desk.runs[passed] |= {"evaluation_status": "reviewed_failure"}
    for closes, at in (("soon", None), ("1970-01-01T01:00:09+01:00", 9.0)):
        desk.runs[running] |= {"outbound_dial_window_closes_at": closes}
        assert (await session.tests.report(job.number)).window == at
    assert await after(job.number) == "2 of 2, 1 to come"
    assert len(desk.server.requests("GET", history)) == 2, "the first one was not answered"
    assert numbers() == str(unjudged)
    assert await after(job.number, fresh=True) == "1 of 2, 1 to come"
    desk.runs[running] |= {"status": "completed", **PASSED}
    assert await after(job.number) == "2 of 3"
    await session.close()
    session = Session.open(make_setup(project_id=1, read_only=True, env=dict(os.environ)))
    with pytest.raises(UsageError, match="Read-only session: no call was ended"):
        await session.tests.end_calls(job.number)
    await session.close()


def test_a_refused_test_leaves_no_draft(desk: Desk) -> None:
    desk.server.on("POST", LAUNCH, Reply({"scenarios": ["Not runnable."]}, 400))
    result = refused("scenarios: Not runnable.", "test", 11, "--yes")
    assert "Draft" not in result.err
    assert call("jobs", "list", "--drafts", "--json").out == ""
