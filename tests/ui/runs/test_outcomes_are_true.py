"""A filter never contradicts the outcome column: what the server leaves out is looked for, and until then said."""

from __future__ import annotations

import threading

import pytest
from app_on_a_server import LIST, opened, setup_of
from listed_runs import Listed, every_outcome
from scripted_server import Got, Reply, ScriptedServer
from test_finding_runs import rows_of
from textual.pilot import Pilot
from waiting import PATIENCE, eventually
from watching import sees

from cekura_tui.jobs.polling import Budget
from cekura_tui.model.filter.filter import BY_NAME
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of
from cekura_tui.ui.runs.screen import RunsScreen

KINDS = BY_NAME["outcome"].words


def runs_screen(pilot: Pilot[None]) -> RunsScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, RunsScreen)
    return screen


async def unhurried(pilot: Pilot[None]) -> None:
    """Let requests not wait for their turns."""

    async def change(session: object) -> None:
        session.budget = Budget(100_000)  # type: ignore[attr-defined]

    await pilot.app.state.workspace.call(change)  # type: ignore[attr-defined]


async def list_all(pilot: Pilot[None], text: str) -> list[int]:
    """The ids of all rows that a filter lists in the end, down the list."""
    controller = runs_screen(pilot).controller
    controller.filter_by(text)
    await eventually(lambda: controller.listing.whole, "all runs were looked through")
    await eventually(lambda: rows_of(pilot) == list(controller.listing.rows), "all of it is drawn")
    return [row.id for row in rows_of(pilot)]


async def test_each_outcome_lists_the_runs_whose_column_says_so_and_no_others(scripted: ScriptedServer) -> None:
    server = Listed(scripted, list(range(1, 397)), page=100, fields=every_outcome())
    outcomes = {number: row_of(Run.read(server.run(number))).outcome.kind for number in range(396, 0, -1)}
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await sees(pilot, "396 runs")
        await unhurried(pilot)
        for kind in KINDS:
            wanted = [number for number, outcome in outcomes.items() if outcome == kind]
            assert await list_all(pilot, f"outcome:{kind}") == wanted
            await sees(pilot, f"{len(wanted)} of 396 runs")


async def test_what_the_server_finds_is_there_at_once_and_the_line_says_what_was_not_looked_through(
    scripted: ScriptedServer,
) -> None:
    fields: dict[int, dict[str, object]] = {
        number: {"success": number % 50 > 0, "evaluation_status": None} for number in range(1, 362)
    }
    fields[7] = {"success": True, "evaluation_status": "reviewed_failure"}
    server, second = Listed(scripted, list(range(1, 362)), page=100, fields=fields), threading.Event()

    def answer(got: Got) -> Reply:
        if got.query["page"] == "2":
            second.wait(PATIENCE)
        return server.answer(got)

    scripted.on("GET", LIST, answer)
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await sees(pilot, "361 runs")
        scripted.seen.clear()
        await pilot.press("!")
        await sees(pilot, "7 of 361 runs", "outcome: 100 of 361 runs checked · F stop", gone="reviewed")
        assert scripted.requests("GET", LIST)[0].query["success"] == "false"
        second.set()
        await sees(pilot, "8 of 361 runs", "✗ reviewed", gone="checked")
        assert [row.id for row in rows_of(pilot)] == [350, 300, 250, 200, 150, 100, 50, 7]
        assert len(scripted.requests("GET", LIST)) == 6


@pytest.mark.long
async def test_a_hundred_thousand_runs_are_looked_through_page_by_page_once(scripted: ScriptedServer) -> None:
    fields: dict[int, dict[str, object]] = {
        number: {"success": number % 10 > 0, "evaluation_status": None} for number in range(1, 100_001)
    }
    fields |= {n: {"success": True, "evaluation_status": "reviewed_failure"} for n in range(33, 100_001, 1000)}
    Listed(scripted, list(range(1, 100_001)), page=100, fields=fields)
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await sees(pilot, "100,000 runs")
        await unhurried(pilot)
        scripted.seen.clear()
        controller = runs_screen(pilot).controller
        controller.filter_by("outcome:failed")
        await eventually(lambda: controller.listing.fresh, "the first answer")
        assert len(scripted.requests("GET", LIST)) <= 4
        for read in range(9_000, 100_000, 9_000):
            sweep = controller.feed.sweep
            await eventually(lambda: sweep.whole or sweep.read > read, "more was looked through")  # noqa: B023
        await eventually(lambda: controller.listing.whole, "all runs were looked through")
        assert [row.id for row in controller.listing.rows] == [
            number for number in range(100_000, 0, -1) if number % 10 == 0 or number % 1000 == 33
        ]
        assert len(scripted.requests("GET", LIST)) <= 1_004
