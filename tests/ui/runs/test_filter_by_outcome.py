"""Filters by outcome match the outcome column, even for runs that the server's own filter misses."""

from __future__ import annotations

import threading

import pytest
from app_on_a_server import LIST
from controlled_runs import controlled, ids
from listed_runs import Listed, every_outcome
from scripted_server import Got, Reply, ScriptedServer
from waiting import PATIENCE, eventually

from cekura_tui.jobs.polling import Budget
from cekura_tui.model.filter.filter import BY_NAME
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of
from cekura_tui.ui.runs.controller import RunsController

KINDS = BY_NAME["outcome"].words


async def raise_budget(controller: RunsController) -> None:
    """Raise the request budget so that requests do not wait."""

    async def change(session: object) -> None:
        session.budget = Budget(100_000)  # type: ignore[attr-defined]

    await eventually(lambda: controller.listing.fresh, "the list came")
    await controller._state.workspace.call(change)  # type: ignore[arg-type]


async def test_each_outcome_filter_lists_exactly_the_runs_with_that_outcome(scripted: ScriptedServer) -> None:
    server = Listed(scripted, list(range(1, 397)), page=100, fields=every_outcome())
    outcomes = {number: row_of(Run.read(server.run(number))).outcome.kind for number in range(396, 0, -1)}
    async with controlled(scripted) as (controller, _):
        await raise_budget(controller)
        for kind in KINDS:
            wanted = [number for number, outcome in outcomes.items() if outcome == kind]
            controller.filter_by(f"outcome:{kind}")
            runs = f"{len(wanted)} of 396 runs"
            await eventually(lambda: controller.listing.all_loaded, "all runs were checked")
            await eventually(lambda runs=runs: controller.listing.outcomes().runs == runs, runs)  # type: ignore[misc]
            assert ids(controller) == wanted


async def test_runs_found_by_the_server_are_listed_while_other_runs_are_checked(scripted: ScriptedServer) -> None:
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
    async with controlled(scripted) as (controller, _):
        listing = controller.listing
        await eventually(lambda: listing.fresh and len(listing.rows) == 361, "the list came")
        scripted.seen.clear()
        controller.change_filter(listing.toggle_failures())
        await eventually(lambda: listing.outcomes().runs == "7 of 361 runs", "what the server finds")
        checked = "outcome: 100 of 361 runs checked · F stop"
        await eventually(lambda: listing.filter_notes()[:1] == (checked,), checked)
        assert scripted.requests("GET", LIST)[0].query["success"] == "false"
        second.set()
        await eventually(lambda: listing.all_loaded, "all runs were checked")
        assert (listing.outcomes().runs, listing.filter_notes()) == ("8 of 361 runs", ())
        assert ids(controller) == [350, 300, 250, 200, 150, 100, 50, 7]
        assert len(scripted.requests("GET", LIST)) == 5


async def test_loaded_runs_are_kept_while_a_filter_is_set(scripted: ScriptedServer) -> None:
    fields: dict[int, dict[str, object]] = {
        number: {"success": number != 7, "evaluation_status": None} for number in range(1, 322)
    }
    server, held = Listed(scripted, list(range(1, 322)), page=100, fields=fields), threading.Event()
    scripted.on("GET", LIST, lambda got: (held.wait(PATIENCE) and None) or server.answer(got))
    held.set()
    async with controlled(scripted) as (controller, _):
        listing = controller.listing
        await eventually(lambda: listing.fresh, "the list came")
        controller.load_all()
        await eventually(lambda: listing.all_loaded, "all runs were loaded")
        before = listing.outcomes()
        held.clear()
        controller.filter_by("outcome:failed")
        controller.filter_by("outcome:error")
        assert (listing.outcomes().runs, listing.outcomes().counts) == ("… of 321 runs", (("error", None),))
        controller.filter_by("outcome:failed")
        assert listing.outcomes().runs == "1 of 321 runs"
        controller.filter_by("")
        assert (listing.outcomes(), listing.all_loaded) == (before, True)
        held.set()


@pytest.mark.long
async def test_twenty_thousand_runs_are_checked_once_page_by_page(scripted: ScriptedServer) -> None:
    fields: dict[int, dict[str, object]] = {
        number: {"success": number % 10 > 0, "evaluation_status": None} for number in range(1, 20_001)
    }
    fields |= {n: {"success": True, "evaluation_status": "reviewed_failure"} for n in range(33, 20_001, 1000)}
    Listed(scripted, list(range(1, 20_001)), page=100, fields=fields)
    async with controlled(scripted) as (controller, _):
        await raise_budget(controller)
        scripted.seen.clear()
        controller.filter_by("outcome:failed")
        await eventually(lambda: controller.listing.fresh, "the first answer")
        assert len(scripted.requests("GET", LIST)) <= 4
        for read in range(5_000, 20_000, 5_000):
            sweep = controller.feed.sweep
            await eventually(lambda: sweep.all_checked or sweep.read > read, "more was checked")  # noqa: B023
        await eventually(lambda: controller.listing.all_loaded, "all runs were checked")
        assert ids(controller) == [number for number in range(20_000, 0, -1) if number % 10 == 0 or number % 1000 == 33]
        assert len(scripted.requests("GET", LIST)) <= 204
