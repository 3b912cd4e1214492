"""Which run another is compared with: the last one of its scenario that passed, found with few requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scripted_server import Got, Reply, ScriptedServer, page_of, run_of, serve_runs

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
    """Runs are made one an hour, as their ids say."""
    return f"2026-11-{1 + number // 24:02}T{number % 24:02}:00:00Z"


def run(number: int, *, passed: bool = True, scenario: int | None = SCENARIO, **fields: object) -> dict[str, object]:
    status = "success" if passed else "failure"
    return run_of(number, scenario=scenario, evaluation_status=status, timestamp=at(number), **fields)


class Runs:
    """A server that lists these runs in pages of its own; `honest` it filters, else it gives them all."""

    def __init__(self, server: ScriptedServer, *runs: dict[str, object], honest: bool = True, page: int = 2) -> None:
        self.server, self.runs, self.honest, self.page = server, runs, honest, page
        server.on("GET", LIST, self.answer)
        serve_runs(server, *runs)

    def answer(self, got: Got) -> Reply:
        found = [each for each in self.runs if not self.honest or self._passes(each, got.query)]
        return page_of(got, found, most=self.page)

    def _passes(self, each: dict[str, object], query: dict[str, str]) -> bool:
        return (
            str(each["agent"]) == query["agent_id"]
            and str(each["scenario"]) == query["scenario__id"]
            and (each["evaluation_status"] == "success") == (query["success"] == "true")
            and str(each["timestamp"]) <= query.get("created_at_to", "9")
        )

    @property
    def asked(self) -> list[dict[str, str]]:
        return [got.query for got in self.server.requests("GET", LIST)]


def view(payload: dict[str, object]) -> RunView:
    return view_of(Run.read(payload), 0.0)


async def found(session: Session, payload: dict[str, object]) -> int | None:
    told = await session.passed_before(view(payload))
    return told.row.id if told else None


@pytest.mark.parametrize("honest", [True, False])
async def test_it_is_the_last_passed_run_of_this_scenario_and_agent(
    quick: Session, scripted: ScriptedServer, honest: bool
) -> None:
    here = run(50, passed=False)
    others = [run(49, passed=False), run(48, scenario=4), run(47, agent=8), run(46, scenario=None)]
    runs = Runs(scripted, run(60), here, *others, run(45), run(44), honest=honest, page=4)
    assert await found(quick, here) == 45
    assert len(runs.asked) == (1 if honest else 2)
    first = runs.asked[0]
    assert (first["agent_id"], first["scenario__id"], first["success"]) == ("7", "3", "true")


async def test_what_is_found_is_read_whole_and_kept_for_the_next_time(quick: Session, scripted: ScriptedServer) -> None:
    here = run(50, passed=False)
    Runs(scripted, here, run(45))
    scripted.on("GET", f"{LIST}45/", Reply(run(45, transcript="[00:01] Main Agent: Hello.")))
    told = await quick.passed_before(view(here))
    assert told is not None
    assert [turn.text for turn in told.transcript.turns] == ["Hello."]
    assert await quick.cached_run(45) is not None


async def test_a_passed_run_is_compared_with_the_one_before_it(quick: Session, scripted: ScriptedServer) -> None:
    Runs(scripted, run(50), run(44))
    assert await found(quick, run(50)) == 44


@pytest.mark.parametrize("honest", [True, False])
async def test_if_none_passed_before_it_is_the_newest_passed_since(
    quick: Session, scripted: ScriptedServer, honest: bool
) -> None:
    here = run(50, passed=False)
    runs = Runs(scripted, run(62), run(60), here, run(49, passed=False), honest=honest)
    assert await found(quick, here) == 62
    assert len(runs.asked) == 2


@pytest.mark.parametrize("honest", [True, False])
async def test_a_search_ends_after_three_pages(quick: Session, scripted: ScriptedServer, honest: bool) -> None:
    here = run(400, passed=False)
    many = [run(number, passed=False) for number in range(399, 300, -1)]
    runs = Runs(scripted, here, *many, run(5), honest=honest)
    assert await found(quick, here) == (5 if honest else None)
    assert len(runs.asked) == (1 if honest else 3)


async def test_a_server_that_passes_over_every_filter_is_not_believed(quick: Session, scripted: ScriptedServer) -> None:
    here = run(50, passed=False)
    Runs(scripted, run(51, agent=8), here, run(48, scenario=4), run(47, passed=False), honest=False)
    assert await found(quick, here) is None


async def test_without_an_agent_the_project_or_result_is_searched(quick: Session, scripted: ScriptedServer) -> None:
    runs = Runs(scripted, run(45), honest=False)
    assert await found(quick, run(50, scenario=None)) is None
    assert await found(quick, {**run(50), "agent": None}) is None
    assert runs.asked == []
    assert await found(quick, {**run(50), "agent": None, "project": 9, "result_id": 8}) == 45
    assert await found(quick, {**run(50), "agent": None, "result_id": 8}) == 45
    assert [asked.get("project_id") for asked in runs.asked] == ["9", None]
    assert [asked.get("result_id") for asked in runs.asked] == [None, "8"]


@pytest.mark.parametrize("newer", [True, False])
async def test_without_the_server_opened_runs_are_searched(
    quick: Session, scripted: ScriptedServer, newer: bool
) -> None:
    scripted.on("GET", LIST, Reply({"detail": "Down."}, 503, {"Retry-After": "999"}))
    kept = [run(60), run(48, passed=False), run(47, agent=8), run(46, scenario=4), *([] if newer else [run(45)])]
    for payload in kept:
        quick.store.runs.keep_opened(Run.read(payload), 1.0)
    told = await quick.passed_before(view(run(50)))
    assert told is not None
    assert (told.row.id, told.cached) == (60 if newer else 45, True)


async def test_without_the_server_and_such_a_run_both_are_reported(quick: Session, scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, Reply({"detail": "Down."}, 503, {"Retry-After": "999"}))
    with pytest.raises(ServerFault, match="No run opened here passed this scenario"):
        await quick.passed_before(view(run(50)))


async def test_a_run_without_a_time_is_compared_by_id(quick: Session, scripted: ScriptedServer) -> None:
    runs = Runs(scripted, run(60), run(45), run(44), page=4)
    assert await found(quick, {**run(50, passed=False), "timestamp": None}) == 45
    assert ["created_at_to" in asked for asked in runs.asked] == [False]


@pytest.mark.parametrize("passed", [True, False])
async def test_the_loaded_part_of_a_broken_list_is_searched(
    quick: Session, scripted: ScriptedServer, passed: bool
) -> None:
    runs = Runs(scripted, run(60, passed=passed), run(58, passed=False))
    scripted.on("GET", LIST, Reply({"count": 9, "next": None, "results": runs.runs}))
    assert await found(quick, run(50, passed=False)) == (60 if passed else None)


@pytest.mark.parametrize("known", [True, False])
async def test_an_unreadable_page_ends_the_search(quick: Session, scripted: ScriptedServer, known: bool) -> None:
    serve_runs(scripted, run(60))
    first = Reply({"count": 9, "next": "more", "results": [run(60)] if known else []})
    scripted.on("GET", LIST, first, Reply(b"<html>"))
    if known:
        assert await found(quick, run(50, passed=False)) == 60
    else:
        with pytest.raises(BadAnswer):
            await found(quick, run(50, passed=False))


@pytest.mark.parametrize(("status", "kind"), [(400, Rejected), (404, NotFound)])
async def test_a_refusal_is_told(quick: Session, scripted: ScriptedServer, status: int, kind: type[ApiError]) -> None:
    scripted.on("GET", LIST, Reply({"detail": "No."}, status))
    with pytest.raises(kind):
        await quick.passed_before(view(run(50)))


async def test_the_search_waits_for_its_turn(session: Session, scripted: ScriptedServer) -> None:
    here = run(50, passed=False)
    Runs(scripted, here, run(45))
    taken: list[float] = []

    class Counted(Budget):
        def take(self, now: float) -> None:
            taken.append(now)
            super().take(now)

    session.budget = Counted()
    assert await found(session, here) == 45
    assert len(taken) == 1


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    server = DemoServer(tmp_path_factory.mktemp("passed") / "demo", epoch=1_760_000_000.0)
    server.start()
    yield server
    server.stop()


async def test_it_is_the_run_that_the_whole_list_of_the_demo_says(quick: Session, demo: DemoServer) -> None:
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
            and (await quick.run(other.row.id)).transcript.turns  # there is nothing to compare with in the others
        ]
        wanted = max((number for number in passed if number < one.row.id), default=max(passed, default=None))
        told = await quick.passed_before(one)
        assert (told.row.id if told else None) == wanted


async def test_a_run_without_a_transcript_is_skipped_if_another_has_one(
    quick: Session, scripted: ScriptedServer
) -> None:
    here, said = run(50, passed=False), "[00:01] Main Agent: Hello."
    runs = Runs(scripted, here, run(49), run(48), run(47, transcript=said), run(46, transcript=said), page=4)
    assert await found(quick, here) == 47
    assert len(runs.asked) == 1


async def test_if_none_has_a_transcript_it_is_the_last_one(quick: Session, scripted: ScriptedServer) -> None:
    here = run(50, passed=False)
    Runs(scripted, here, run(49), run(48), run(47), run(46), page=8)
    assert await found(quick, here) == 49
