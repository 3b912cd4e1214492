"""The dialog that searches transcripts, loads missing ones, and opens a run at a hit."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing

import pytest
from app_on_a_server import Served, no_crash, on_run
from app_on_a_server import opened as opened_app
from one_dialog import OneDialog, answer, ask_again, burst, opened_dialog
from seeded_jobs import KEY
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees, still

from cekura_tui.model.run.run import Run
from cekura_tui.store.store import Store
from cekura_tui.ui.messages import OpenRun
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.ui.runs.search import HitList, SearchRunsDialog
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import Setup

Said = dict[int, list[str]]
CALLS: Said = {
    41: ["Hello, this is the clinic.", "I lost my blue card yesterday"],
    42: [
        "Hello, this is the bank.",
        "My card is blue",
        "A refund? " + "Let me see. " * 30 + "The refund is on its way.",
    ],
    43: ["我想预订明天的座位"],
}


@pytest.fixture(autouse=True)
def nothing_searched_before() -> Iterator[None]:
    SearchRunsDialog.last = ""
    yield
    SearchRunsDialog.last = ""


def store_runs(setup: Setup, said: Said) -> None:
    """Store runs with the texts of `said` as if the user had opened these runs; agent and caller speak in turn."""
    store = Store(setup.paths.database, setup.origin, KEY, setup.profile)
    for number, texts in said.items():
        turns = [
            {"role": ("Main Agent", "Testing Agent")[n % 2], "content": text, "start_time": 65.0 * n}
            for n, text in enumerate(texts)
        ]
        run = {"id": number, "scenario_name": f"Scenario {number}", "transcript_object": turns}
        store.runs.save_opened(Run.read(run), float(number))
    store.close()


def dialog(state: AppState) -> SearchRunsDialog:
    """The dialog without a list, which searches all cached transcripts."""
    return SearchRunsDialog(state, RunListing(None, None))


def hits(app: OneDialog) -> list[tuple[int, int]]:
    return [(row.run_id, row.n) for row in app.screen.query_one(HitList).rows]


@asynccontextmanager
async def searching(setup: Setup, said: Said) -> AsyncIterator[tuple[OneDialog, Pilot[None]]]:
    """Store the runs in `said` as if the user had opened these runs, and show the search dialog."""
    store_runs(setup, said)
    async with opened_dialog(setup, dialog) as (app, pilot):
        await sees(pilot, "Search transcripts", gone="Searching …")
        yield app, pilot


async def test_hits_appear_while_typing_and_enter_opens_the_run_at_the_turn(quiet: Setup) -> None:
    async with searching(quiet, CALLS) as (app, pilot):
        await sees(pilot, "Type words from a call.")
        await pilot.press(*"blue card")
        await sees(pilot, "2 hits in 2 of 3 runs", "42", "Scenario 42", "01:05 caller", "My card is blue")
        assert hits(app) == [(42, 2), (41, 2)]
        assert app.screen.focused is app.screen.query_one(Input)
        await pilot.press("enter", "down")
        assert await answer(app, pilot, "enter") == OpenRun(41, 2, "blue card")
        await ask_again(app)
        await pilot.press("ctrl+u", *'"refund is"')
        await sees(pilot, "The refund is on its way", "02:10 agent")
        line = app.screen.query_one(HitList).render_line(1)
        assert [s.text for s in line if s.style and s.style.bold] == ["refund is"], "a match late in a long turn"
        await pilot.resize_terminal(50, 24)
        await pilot.pause()
        assert app.screen.query_one(HitList).render_line(1).text.rstrip().endswith("…")
        await pilot.press("ctrl+u", *"agent:hello")
        await sees(pilot, "2 hits in 2 of 3 runs")
        await pilot.press("down", "down")
        assert app.screen.query_one(HitList).cursor_key == (41, 1)
        await pilot.press("slash", "end", *" bank")
        await sees(pilot, "1 hit in 1 of 3 runs")
        assert await answer(app, pilot, "down", "enter") == OpenRun(42, 1, "agent:hello bank")
        await ask_again(app)
        burst(app, *"hello clx", "backspace", *"inic", "enter")
        await sees(pilot, "1 hit in 1 of 3 runs", "hello clinic")
        await eventually(lambda: isinstance(app.screen.focused, HitList), "enter in haste waits for the hits")
        assert await answer(app, pilot, "enter") == OpenRun(41, 1, "hello clinic")


async def test_a_search_in_a_run_continues_in_all_transcripts_and_in_the_opened_run(served: Served) -> None:
    async with opened_app(served.setup()) as pilot:
        await on_run(pilot, 900237)
        await sees(pilot, "Run 900237 · ✓ passed")
        await pilot.press("k", "enter")
        await sees(pilot, "Run 900238", "Transcript · ")
        await pilot.press("slash", *"Patel", "enter")
        await sees(pilot, "No match here · ctrl+f searches other runs")
        await pilot.press("ctrl+f")
        await sees(pilot, "of 240 listed runs · ctrl+g loads 2", "requests, 3 s)", "ctrl+g load all", "900237")
        await pilot.press("enter", "enter")
        await sees(pilot, "Run 900237", "“Patel” 1 of ")
        await pilot.press("n")
        await sees(pilot, "“Patel” 2 of ")
        no_crash(pilot)


async def test_last_search_is_repeated_on_opening_and_replaced_by_typing(quiet: Setup) -> None:
    async with searching(quiet, CALLS) as (app, pilot):
        await pilot.press(*"blue")
        await sees(pilot, "2 hits in 2 of 3")
        await answer(app, pilot, "escape")
        store_runs(quiet, {44: ["a blue note"]})
        await ask_again(app)
        await sees(pilot, "blue", "3 hits in 3 of 4 runs", "a blue note")
        await pilot.press("明", "天")
        await sees(pilot, "1 hit in 1 of 4", "我想预订明天的座位")
        assert app.screen.query_one(Input).value == "明天"
        await pilot.press("ctrl+u", *'"a nowhere')
        await sees(pilot, 'No hits in 4 runs. Only whole words match; "a nowhere*" finds')
        await pilot.press("enter", "down", "enter")
        await still(pilot)
        assert app.answers == [None], "without a hit enter opens nothing"


async def test_all_hits_are_counted_but_only_the_first_are_listed(
    quiet: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.ui.runs.search.MOST_HITS", 20)
    async with searching(quiet, {number: ["again"] * 15 for number in (1, 2)}) as (app, pilot):
        await pilot.press(*"again")
        await sees(pilot, "30 hits in 2 of 2 runs. The first 20 are shown.")
        assert len(hits(app)) == 20


@pytest.mark.long
async def test_loading_all_transcripts_goes_on_while_the_dialog_is_closed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.ui.runs.search.PROGRESS_EVERY", 0.02)
    async with opened_app(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("ctrl+f", *"fee")
        await sees(pilot, "of 240 listed runs · ctrl+g loads ")
        await pilot.press("ctrl+g", "enter")
        await sees(pilot, " of 240 listed runs · F stops")
        rows = pilot.app.screen.query_one(HitList)
        await eventually(lambda: len(rows.rows) > 5, "hits appear while transcripts are loaded")
        await pilot.press("down", "down")
        cursor = rows.cursor_key
        await pilot.press("escape", "ctrl+f", "enter")
        await sees(pilot, "in all 240 listed runs, 21", "46 hits in 26 of 21")  # a running run may have a transcript
        assert cursor in [(row.run_id, row.n) for row in pilot.app.screen.query_one(HitList).rows]
        no_crash(pilot)


async def test_a_search_that_fails_says_why_and_enter_searches_again(
    quiet: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.store.database.BUSY_MS", 100)
    async with searching(quiet, CALLS) as (app, pilot):
        await answer(app, pilot, "escape")
        store_runs(quiet, {45: ["blue again"]})
        with closing(sqlite3.connect(quiet.paths.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await ask_again(app)
            await pilot.press(*"blue")
            await sees(pilot, "! Can't write the database")
            assert hits(app) == []
        await pilot.press("enter")
        await sees(pilot, "3 hits in 3 of 4 runs")
