"""The dialog that searches all opened runs: what was said somewhere is found by typing, and a hit leads to its turn."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from app_on_a_server import Served, no_crash, on_run
from app_on_a_server import opened as opened_app
from hostile import EVIL
from one_dialog import OneDialog, answer, asked, burst
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import screen_text, sees, still

from cekura_tui.model.run.run import Run
from cekura_tui.store.transcript_search import TranscriptSearchStore
from cekura_tui.ui.messages import OpenRun
from cekura_tui.ui.runs.search import HitList, SearchRunsDialog
from cekura_tui.workspace.session import Session
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


async def keep(app: OneDialog, said: Said) -> None:
    """These runs are opened; main agent and caller speak in turn."""

    async def keep_all(session: Session) -> None:
        for number, texts in said.items():
            turns = [
                {"role": ("Main Agent", "Testing Agent")[n % 2], "content": text, "start_time": 65.0 * n}
                for n, text in enumerate(texts)
            ]
            run = {"id": number, "scenario_name": f"Scenario {number}", "transcript_object": turns}
            session.store.runs.keep_opened(Run.read(run), float(number))

    await app.state.workspace.call(keep_all)


def hits(app: OneDialog) -> list[tuple[int, int]]:
    return [(row.run_id, row.n) for row in app.screen.query_one(HitList).rows]


async def opened(app: OneDialog, pilot: Pilot[None], said: Said) -> None:
    """The dialog, opened anew when these runs have been."""
    await answer(app, pilot, "escape")
    await keep(app, said)
    app.ask()
    await sees(pilot, "Search transcripts", gone="Searching …")


async def test_what_was_said_is_found_as_one_types_and_enter_leads_to_its_turn(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await opened(app, pilot, CALLS)
        await sees(pilot, "Type words from a call. Searches 3 runs cached here.")
        await pilot.press(*"blue card")
        await sees(pilot, "2 hits in 2 of 3 runs cached here", "42", "Scenario 42", "01:05 caller", "My card is blue")
        assert hits(app) == [(42, 2), (41, 2)]
        assert app.screen.focused is app.screen.query_one(Input)
        await pilot.press("enter", "down")
        assert await answer(app, pilot, "enter") == OpenRun(41, 2, "blue card")


async def test_ctrl_f_searches_what_a_run_does_not_have_and_its_words_are_gone_through_there(served: Served) -> None:
    async with opened_app(served.setup()) as pilot:
        await on_run(pilot, 900237)
        await sees(pilot, "Run 900237 · ✓ passed")
        await pilot.press("k", "enter")
        await sees(pilot, "Run 900238", "Transcript · ")
        await pilot.press("slash", *"Patel", "enter")
        await sees(pilot, "No match here · ctrl+f searches all cached transcripts")
        await pilot.press("ctrl+f")
        await sees(pilot, "runs cached here", "900237")
        await pilot.press("enter", "enter")
        await sees(pilot, "Run 900237", "“Patel” 1 of ")
        await pilot.press("n")
        await sees(pilot, "“Patel” 2 of ")
        no_crash(pilot)


async def test_down_goes_to_the_hits_and_slash_back_to_the_words(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await opened(app, pilot, CALLS)
        await pilot.press(*"agent:hello")
        await sees(pilot, "2 hits in 2 of 3 runs cached here")
        await pilot.press("down", "down")
        assert app.screen.query_one(HitList).cursor_key == (41, 1)
        await pilot.press("slash", "end", *" bank")
        await sees(pilot, "1 hit in 1 of 3 runs cached here")
        assert await answer(app, pilot, "down", "enter") == OpenRun(42, 1, "agent: Hello")


async def test_enter_in_haste_waits_for_the_hits_of_what_was_typed(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await opened(app, pilot, CALLS)
        await pilot.press(*"hello")
        await sees(pilot, "2 hits in 2 of 3")
        burst(app, " ", "c", "l", "x", "backspace", "i", "n", "i", "c", "enter")
        await sees(pilot, "1 hit in 1 of 3")
        await eventually(lambda: isinstance(app.screen.focused, HitList), "the hits have the keys")
        assert app.screen.query_one(Input).value == "hello clinic"
        assert await answer(app, pilot, "enter") == OpenRun(41, 1, "clinic")


async def test_a_match_late_in_a_long_turn_is_on_screen_and_in_bold(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await opened(app, pilot, CALLS)
        await pilot.press(*'"refund is"')
        await sees(pilot, "The refund is on its way", "02:10 agent")
        line = app.screen.query_one(HitList).render_line(1)
        assert [s.text for s in line if s.style and s.style.bold] == ["refund is"]


async def test_the_last_search_is_there_again_and_is_typed_over(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await opened(app, pilot, CALLS)
        await pilot.press(*"blue")
        await sees(pilot, "2 hits in 2 of 3")
        await opened(app, pilot, {44: ["a blue note"]})
        await sees(pilot, "blue", "3 hits in 3 of 4 runs cached here", "a blue note")
        await pilot.press("明", "天")
        await sees(pilot, "1 hit in 1 of 4", "(slow: no index)", "我想预订明天的座位")
        assert app.screen.query_one(Input).value == "明天"


async def test_where_nothing_is_found_or_there_is_nothing_it_says_what_to_do(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await sees(pilot, "No runs to search yet.")
        await opened(app, pilot, CALLS)
        await pilot.press(*"nowhere")
        await sees(pilot, "No hits in 3 runs cached here. Try fewer or shorter words")
        await pilot.press("enter", "down", "enter")
        await still(pilot)
        assert app.answers == [None], "no hit, no answer but the escape before"


async def test_a_sqlite_without_an_index_finds_the_same_and_says_so(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):

        async def no_index(session: Session) -> None:
            store = session.store
            store.transcript_search = TranscriptSearchStore(store.database, store.account, index=False)

        await app.state.workspace.call(no_index)
        await opened(app, pilot, CALLS)
        await pilot.press(*"blue card")
        await sees(pilot, "2 hits in 2 of 3 runs cached here (slow: no index)")


async def test_a_search_that_fails_says_why_and_enter_searches_again(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await opened(app, pilot, CALLS)
        await pilot.press(*"blue")
        await sees(pilot, "2 hits in 2 of 3")
        await answer(app, pilot, "escape")
        await keep(app, {45: ["blue again"]})
        other = sqlite3.connect(quiet.paths.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            app.ask()
            await sees(pilot, "! Can't write the database", "enter to search again")
            assert hits(app) == []
        finally:
            other.execute("ROLLBACK")
            other.close()
        await pilot.press("enter")
        await sees(pilot, "3 hits in 3 of 4 runs cached here")


async def test_more_hits_than_are_listed_are_counted(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await opened(app, pilot, {number: ["again"] * 150 for number in (1, 2)})
        await pilot.press(*"again")
        await sees(pilot, "300 hits in 2 of 2 runs cached here · first 200 shown")
        assert len(hits(app)) == 200


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (60, 15)])
async def test_hostile_words_are_drawn_as_letters_at_every_size(quiet: Setup, size: tuple[int, int]) -> None:
    async with asked(quiet, SearchRunsDialog, size=size) as (app, pilot):
        await opened(app, pilot, {n: [f"found {EVIL}"] for n in range(1, 40)})
        await pilot.press(*"found [/red]")
        await sees(pilot, "39 hits in 39 of 39", "[/red]", "Scenario 39", "esc close", "00:00 agent")
        assert set(screen_text(app)) & set(EVIL) <= {char for char in EVIL if char.isprintable()}
        assert app.is_running


async def test_an_open_dialog_that_nobody_types_in_is_still(quiet: Setup) -> None:
    async with asked(quiet, SearchRunsDialog) as (app, pilot):
        await opened(app, pilot, CALLS)
        await pilot.press(*"blue")
        await sees(pilot, "2 hits in 2 of 3")
        dialog = app.screen
        assert isinstance(dialog, SearchRunsDialog)
        assert dialog._typing is None
        assert not app.screen.query_one(Input).cursor_blink
