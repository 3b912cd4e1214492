"""A run is compared with the last passed run of its scenario, which is found with few requests."""

from __future__ import annotations

import time

import pytest
from scripted_server import Got, Reply, ScriptedServer, list_page, run_of, serve_runs

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, BadAnswer, NotFound, Rejected, ServerFault
from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoServer
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.workspace.session import Session

LIST = "/test_framework/v1/runs/"
SCENARIO = 3


def at(number: int) -> str:
    """The time of run `number`, as the server writes times. Runs are an hour apart, in order of their ids."""
    return f"2026-11-{1 + number // 24:02}T{number % 24:02}:00:00Z"


def run(number: int, *, passed: bool = True, scenario: int | None = SCENARIO, **fields: object) -> dict[str, object]:
    status = "success" if passed else "failure"
    return run_of(number, scenario=scenario, evaluation_status=status, timestamp=at(number), **fields)


class Runs:
    """A server that lists `runs` in pages of `page` runs. Unless `honest`, the server ignores the filters of
    requests."""

    def __init__(self, server: ScriptedServer, *runs: dict[str, object], honest: bool = True, page: int = 2) -> None:
        self.server, self.runs, self.honest, self.page = server, runs, honest, page
        server.on("GET", LIST, self.answer)
        serve_runs(server, *runs)

    def answer(self, got: Got) -> Reply:
        found = [each for each in self.runs if not self.honest or self._passes(each, got.query)]
        return list_page(got, found, most=self.page)

    def _passes(self, each: dict[str, object], query: dict[str, str]) -> bool:
        return (
            (str(each["agent"]), str(each["scenario"])) == (query["agent_id"], query["scenario__id"])
            and (each["evaluation_status"] == "success") == (query["success"] == "true")
            and str(each["timestamp"]) <= query.get("created_at_to", "9")
        )

    @property
    def asked(self) -> list[dict[str, str]]:
        return [got.query for got in self.server.requests("GET", LIST)]


FAILED = run(50, passed=False)
DOWN = Reply({"detail": "Down."}, 503, {"Retry-After": "999"})


def view(payload: dict[str, object]) -> RunView:
    return view_of(Run.read(payload), 0.0)


async def found(session: Session, payload: dict[str, object] = FAILED) -> int | None:
    passed = await session.passed_before(view(payload))
    return passed.row.id if passed else None


OTHERS = [run(49, passed=False), run(48, scenario=4), run(47, agent=8), run(46, scenario=None)]
MANY_FAILED = [run(number, passed=False) for number in range(49, 20, -1)]


@pytest.mark.parametrize(
    ("runs", "honest", "passed", "requests"),
    [
        ([run(60), FAILED, *OTHERS, run(45), run(44)], True, 45, 1),
        ([run(60), FAILED, *OTHERS, run(45), run(44)], False, 45, 2),
        ([run(62), run(60), FAILED, run(49, passed=False)], True, 62, 2),
        ([run(62), run(60), FAILED, run(49, passed=False)], False, 62, 1),
        ([FAILED, *MANY_FAILED, run(5)], True, 5, 1),
        ([FAILED, *MANY_FAILED, run(5)], False, None, 3),
        ([run(51, agent=8), FAILED, run(48, scenario=4), run(47, passed=False)], False, None, 2),
    ],
)
async def test_the_last_passed_run_is_searched_on_up_to_three_pages(
    quick: Session,
    scripted: ScriptedServer,
    runs: list[dict[str, object]],
    honest: bool,
    passed: int | None,
    requests: int,
) -> None:
    served = Runs(scripted, *runs, honest=honest, page=4)
    assert (await found(quick), len(served.asked)) == (passed, requests)
    first = served.asked[0]
    assert (first["agent_id"], first["scenario__id"], first["success"]) == ("7", "3", "true")


async def test_the_found_run_is_loaded_in_full_and_cached(quick: Session, scripted: ScriptedServer) -> None:
    Runs(scripted, FAILED, run(45), run(44))
    scripted.on("GET", f"{LIST}45/", Reply(run(45, transcript="[00:01] Main Agent: Hello.")))
    passed = await quick.passed_before(view(FAILED))
    assert passed is not None
    assert [turn.text for turn in passed.transcript.turns] == ["Hello."]
    assert await quick.cached_run(45) is not None
    assert await found(quick, run(45)) == 44


async def test_the_list_of_the_project_or_result_is_searched_if_the_run_has_no_agent(
    quick: Session, scripted: ScriptedServer
) -> None:
    runs = Runs(scripted, run(45), honest=False)
    assert [await found(quick, one) for one in (run(50, scenario=None), {**run(50), "agent": None})] == [None, None]
    quick.store.runs.save_opened(Run.read(run(44)), 1.0)
    assert (await found(quick, {**run(50), "agent": None}), runs.asked) == (44, [])
    assert await found(quick, {**run(50), "agent": None, "project": 9, "result_id": 8}) == 45
    assert await found(quick, {**run(50), "agent": None, "result_id": 8}) == 45
    assert [asked.get("project_id") for asked in runs.asked] == ["9", None]
    assert [asked.get("result_id") for asked in runs.asked] == [None, "8"]


@pytest.mark.parametrize("newer", [True, False])
async def test_opened_runs_are_searched_if_the_server_is_down(
    quick: Session, scripted: ScriptedServer, newer: bool
) -> None:
    scripted.on("GET", LIST, DOWN)
    with pytest.raises(ServerFault, match="No run opened here passed this scenario"):
        await quick.passed_before(view(run(50)))
    for payload in (run(60), *OTHERS, *([] if newer else [run(45)])):
        quick.store.runs.save_opened(Run.read(payload), 1.0)
    passed = await quick.passed_before(view(run(50)))
    assert passed is not None
    assert (passed.row.id, passed.cached) == (60 if newer else 45, True)


async def test_the_last_passed_run_before_a_run_without_a_time_is_found_by_id(
    quick: Session, scripted: ScriptedServer
) -> None:
    runs = Runs(scripted, run(60), run(45), run(44), page=4)
    assert await found(quick, {**run(50, passed=False), "timestamp": None}) == 45
    assert ["created_at_to" in asked for asked in runs.asked] == [False]


@pytest.mark.parametrize("passed", [True, False])
async def test_the_loaded_part_of_an_incomplete_list_is_searched(
    quick: Session, scripted: ScriptedServer, passed: bool
) -> None:
    runs = Runs(scripted, run(60, passed=passed), run(58, passed=False))
    scripted.on("GET", LIST, Reply({"count": 9, "next": None, "results": runs.runs}))
    assert await found(quick) == (60 if passed else None)


async def test_a_passed_run_found_before_an_unreadable_page_is_used(quick: Session, scripted: ScriptedServer) -> None:
    serve_runs(scripted, run(60))
    scripted.on("GET", LIST, Reply({"count": 9, "next": "more", "results": [run(60)]}), Reply(b"<html>"))
    assert await found(quick) == 60


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([Reply({"count": 9, "next": "more", "results": []}), Reply(b"<html>")], BadAnswer),
        ([Reply({"detail": "No."}, 400)], Rejected),
        ([Reply({"detail": "No."}, 404)], NotFound),
    ],
    ids=["unreadable", "400", "404"],
)
async def test_a_search_that_found_nothing_reports_the_error(
    quick: Session, scripted: ScriptedServer, answers: list[Reply], kind: type[ApiError]
) -> None:
    scripted.on("GET", LIST, *answers)
    with pytest.raises(kind):
        await found(quick)


async def test_the_search_uses_the_shared_request_budget(session: Session, scripted: ScriptedServer) -> None:
    Runs(scripted, FAILED, run(45))
    session.budget = Budget(1, 1_000.0)
    assert await found(session) == 45
    assert session.budget.wait(time.monotonic()) > 0


async def test_the_found_run_equals_the_result_of_reading_the_whole_demo_list(quick: Session, demo: DemoServer) -> None:
    await quick.client.aclose()
    quick.client = Client(demo.url, demo.key, loopback=True)
    pages = [await quick.client.runs({"project_id": FIRST_PROJECT}, number) for number in (1, 2, 3)]
    views = [view_of(each, 0.0) for page in pages for each in page.items]
    failed = [one for one in views if one.row.outcome.kind == "failed"]
    assert len(failed) > 20
    for one in failed[::40]:
        passed = [
            other.row.id
            for other in views
            if other.row.outcome.kind == "passed"
            and (other.row.scenario_id, other.row.agent_id) == (one.row.scenario_id, one.row.agent_id)
            and (await quick.run(other.row.id)).transcript.turns  # the others have nothing to compare
        ]
        wanted = max((number for number in passed if number < one.row.id), default=max(passed, default=None))
        match = await quick.passed_before(one)
        assert (match.row.id if match else None) == wanted


async def test_a_passed_run_without_a_transcript_is_used_only_if_no_run_has_a_transcript(
    quick: Session, scripted: ScriptedServer
) -> None:
    spoken = "[00:01] Main Agent: Hello."
    runs = Runs(scripted, FAILED, run(49), run(48), run(47, transcript=spoken), run(46, transcript=spoken), page=4)
    assert (await found(quick), len(runs.asked)) == (47, 1)
    Runs(scripted, FAILED, run(49), run(48), run(47), run(46), page=8)
    assert await found(quick) == 49
