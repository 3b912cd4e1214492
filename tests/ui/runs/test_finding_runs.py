"""Finding runs in the app: filters, views, groups, order and notes, with and without the server."""

from __future__ import annotations

from contextlib import closing

import pytest
from app_on_a_server import LIST, SMALL, Served, no_crash, on_run, opened, setup_of
from one_dialog import burst
from run_list import footer, kinds_of, list_of, offset_of, rows_of, typed
from scripted_server import Got, Hold, Reply, Reset, ScriptedServer, run_of
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.run.columns import COLUMN_BY_NAME
from cekura_tui.store.store import Store
from cekura_tui.ui.kit.lists import ColumnHeader
from cekura_tui.ui.kit.palette import commands_on, find_commands
from cekura_tui.ui.runs.groups import GroupList


def page_of_500(got: Got) -> Reply:
    """The requested page of a list of 500 runs, in which every tenth run has the scenario "Refund"."""
    page = int(got.query.get("page", 1))
    numbers = range(1_000 - 100 * page, 900 - 100 * page, -1)
    rows = [run_of(number, **({} if number % 10 else {"scenario_name": "Refund"})) for number in numbers]
    return Reply({"count": 500, "next": "there is" if page < 5 else None, "results": rows})


# Filters


async def test_toggling_failures_keeps_the_cursor_and_tab_completes_an_agent(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("slash", "escape", "exclamation_mark")
        await sees(pilot, "/ outcome:failed,error", "900238", gone="900239")
        assert kinds_of(pilot) == {"failed", "error"}
        await pilot.press(*("j" * 6))
        run_id = list_of(pilot).cursor_key
        await pilot.press("exclamation_mark")
        await sees(pilot, "240 runs", str(run_id), gone="outcome:failed")
        assert list_of(pilot).cursor_key == run_id
        await pilot.press("slash", "ctrl+u", *"agent:h", "tab", "enter")
        await sees(pilot, '/ agent:"Harbour Bank, card line"')


async def test_typing_continues_after_the_terminal_was_briefly_too_small(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("slash", *"agent")
        await pilot.resize_terminal(40, 10)
        await sees(pilot, "cekura-tui needs")
        await pilot.resize_terminal(*SMALL)
        await sees(pilot, "/ agent", gone="cekura-tui needs")
        await eventually(lambda: pilot.app.focused is not None, "the line has the focus again")
        await pilot.press("colon", *"7", "enter")
        await sees(pilot, "/ agent:7")


async def test_escape_removes_the_marks_first_and_then_the_filter(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await on_run(pilot, 900239)
        assert footer(pilot).startswith("enter Open  space Mark  i Improve  / Filter  ! Failures  ")
        await pilot.press("space", "j", "V")
        await sees(pilot, "3 marked", "esc Unmark all")
        await typed(pilot, "outcome:passed")
        await sees(pilot, "/ outcome:passed", "3 marked", gone="900238 ")
        await pilot.press("y")
        await sees(pilot, "Copy or save 3 runs")
        await pilot.press("escape", "escape")
        await sees(pilot, "/ outcome:passed", "esc Clear filter", gone="marked")
        await pilot.press("escape")
        await sees(pilot, "240 runs", "/ filter by", gone="Clear filter")


# Order


async def test_a_key_or_a_click_on_a_column_or_a_command_sorts_the_list(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded", "when ▼")
        await pilot.press("s")
        await sees(pilot, "outcome ▼", "sorted by outcome: 200 of 240 runs loaded · F load all")
        assert (list_of(pilot).at_top, list_of(pilot).cursor_index) == (True, 0)
        await pilot.press("s", "s")
        await sees(pilot, "agent ▼")  # this width has no room for the personality
        for arrow in "▼▲":
            await pilot.click("#runs-header", offset=offset_of(pilot, ColumnHeader, "scenario"))
            await sees(pilot, f"scenario {arrow}")
        scenarios = [row.scenario for row in rows_of(pilot)]
        assert scenarios == sorted(scenarios, key=str.casefold, reverse=True)
        assert pilot.app.focused is list_of(pilot)
        assert set(map("Sort by {}".format, COLUMN_BY_NAME)) <= {one.name for one in commands_on(pilot.app.screen)}
        await pilot.press("colon", *"by", "space", *"length", "enter")
        await sees(pilot, "length▼")
        await pilot.press("j")
        run_id = list_of(pilot).cursor_key
        await pilot.press("S")
        await sees(pilot, "length▲")
        assert list_of(pilot).cursor_key == run_id
        lengths = [row.seconds for row in rows_of(pilot) if row.seconds is not None]
        assert lengths == sorted(lengths)


# Views and groups


async def test_a_filter_is_saved_as_a_view_and_a_view_has_its_own_columns(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "length")
        await pilot.press("v", "j")
        await sees(pilot, "Failed today", "Errors", "To review", "Running")
        await pilot.press("enter")
        await sees(pilot, "/ outcome:error", gone="Failed today")
        assert kinds_of(pilot) == {"error"}
        await pilot.press("C")
        await sees(pilot, "Of the view “Errors”")
        await pilot.press(*"jjjjj", "space", "enter")
        await sees(pilot, "/ outcome:error", "when ▼", gone="length")
        await typed(pilot, "agent:~bank")
        await sees(pilot, "/ agent:~bank", "length")
        await pilot.press("v")
        burst(pilot.app, "w", *"bank", "enter")
        await sees(pilot, "Saved as “bank”.")
        await pilot.press("g", "j", "enter")
        await sees(pilot, "/ outcome:error", "when ▼", gone="length")


async def test_the_list_takes_over_all_runs_that_groups_have_loaded(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        await pilot.press("b", "b")
        await sees(pilot, "By scenario", "240 runs", gone="rovisional")
        asked = len(served.requests_to(LIST))
        await pilot.press("escape", "G")
        await sees(pilot, "240 runs", "900001", gone="loaded")
        assert [row.id for row in rows_of(pilot)] == list(range(900240, 900000, -1))
        assert len(served.requests_to(LIST)) == asked


async def test_a_group_opens_its_runs_and_escape_returns_to_the_group(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        await typed(pilot, "agent:~bank")
        await sees(pilot, "/ agent:~bank")
        await pilot.press("b", "b")
        await sees(pilot, "By scenario", "Groups · ")
        await pilot.press("j", "enter")
        await sees(pilot, " · agent:~bank scenario:", "esc back to groups")
        (name,) = {row.scenario for row in rows_of(pilot)}
        await pilot.press("b", "escape")
        await sees(pilot, f"/ {name} · agent:~bank scenario:")
        await pilot.press("escape")
        await sees(pilot, "By scenario", "Groups · ")
        group = pilot.app.screen.query_one(GroupList).cursor_row
        assert group is not None
        assert group.group.title == name
        await pilot.press("b", "b", "b")
        await sees(pilot, "By scenario × personality", "failing since", gone="filtered out")
        await pilot.press("escape")
        await sees(pilot, "/ agent:~bank", gone="scenario:")
        assert "back to groups" not in screen_text(pilot.app)
        await pilot.press("exclamation_mark")
        await sees(pilot, "/ agent:~bank outcome:failed,error")
        await pilot.press("b", "b", "b", "b", "b")
        left_out = "since when is unknown: other outcomes are filtered out"
        await sees(pilot, "By scenario × personality", left_out, gone="failing since")


# Notes


@pytest.mark.long
async def test_a_note_is_saved_after_a_lock_and_is_then_marked_and_found(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.store.database.BUSY_MS", 100)
    monkeypatch.setattr("cekura_tui.store.unsaved.RETRY", 0.1)
    monkeypatch.setattr("cekura_tui.store.unsaved.MOMENT", 0.1)
    setup = served.setup()
    with closing(Store(setup.paths.database, setup.origin, served.server.key, setup.profile)) as other:
        other.notes.put(900239, "of yesterday", 1.0)
        async with opened(setup) as pilot:
            await sees(pilot, "+900239")
            await on_run(pilot, 900238)
            other.notes.put(900238, "of another window", 2.0)
            await pilot.press("m")
            await sees(pilot, "Note on run 900238", "of another window")
            with other.database.write():
                await pilot.press("!")
                await sees(pilot, "Not saved yet: 1 typed note (database is locked).", "of another window!")
                await pilot.press("s", "enter")
                await sees(pilot, "1 note", gone="Note on run")
                await pilot.press("m")
                await sees(pilot, "Note on run 900238", "of another window!s", gone="Typed earlier")
                await pilot.press("escape")
                with monkeypatch.context() as patched:
                    patched.setattr("cekura_tui.store.unsaved.UnsavedInput.keep", lambda unsaved: False)
                    await pilot.press("q")
                    await sees(pilot, "Quit without saving?")
                    await pilot.press("enter")
            await sees(pilot, "+900238", gone="Not saved yet")
            assert other.notes.all()[900238] == "of another window!s"
            await pilot.press("enter")
            await sees(pilot, "Run 900238", "+ of another window!s", "Transcript")
            assert find_commands(commands_on(pilot.app.screen), "note")[0].command.name == "Note"
            burst(pilot.app, "tab", "tab", "m", "x", "enter")
            await sees(pilot, "+ of another window!sx", "Note: of another window!sx", gone="Note on run")
            await pilot.press("escape")
            await sees(pilot, "+900238", "│ + of another window!sx")
            for key in ("j", "m", *"rude", "enter", "j"):
                pilot.app.simulate_key(key)
            await sees(pilot, "+900237")
            await eventually(lambda: list_of(pilot).cursor_key == 900236, "the key after the note moves the cursor")
            await typed(pilot, "note:~rude")
            await sees(pilot, "/ note:~rude", "1 of 240 runs")
            assert [row.id for row in rows_of(pilot)] == [900237]
            await pilot.press("m", "ctrl+u", "enter")
            await sees(pilot, "0 runs", "No matching runs.")


# A server that is slow or out of reach


async def test_marks_and_keys_work_without_requests_while_the_server_is_busy(scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, page_of_500)
    async with opened(setup_of(scripted.url, "key", 1), size=SMALL) as pilot:
        await sees(pilot, "500 runs", "of 200 loaded", "b Groups")
        third = Hold(Reply({}))
        scripted.on("GET", LIST, third)
        await pilot.press("F")
        await sees(pilot, "loading: 200 of 500 · F stop", "b Groups", gone="esc ")
        await pilot.press("F")
        third.released.set()
        scripted.on("GET", LIST, page_of_500)
        await pilot.press("space", "G")
        await sees(pilot, "401", "of 300 loaded")
        await pilot.press("V")
        await sees(pilot, "300 marked", "200 runs not marked")
        pilot.app.clear_notifications()
        scripted.on("GET", LIST, Reply({"detail": "Request was throttled."}, 429, {"Retry-After": "600"}))
        await pilot.press(*["pageup"] * 6)
        await sees(pilot, "server busy, retrying at")
        requests = len(scripted.requests("GET", LIST))
        await pilot.press("g", "space", "j", "G", *["pageup"] * 6)
        await sees(pilot, "299 marked", "server busy")
        assert len(scripted.requests("GET", LIST)) == requests


async def test_without_the_server_the_cached_runs_can_be_filtered(scripted: ScriptedServer) -> None:
    setup = setup_of(scripted.url, "key", 1)
    scripted.on("GET", LIST, page_of_500)
    async with opened(setup) as pilot:
        await sees(pilot, "500 runs", "of 200 loaded")
    scripted.on("GET", LIST, Reset())
    async with opened(setup) as pilot:
        await sees(pilot, "500 runs", "unreachable since", "of 200 cached")
        await typed(pilot, "scenario:~refund")
        await sees(pilot, "/ scenario:~refund", "cached run", "unreachable since")
        assert {row.scenario for row in rows_of(pilot)} == {"Refund"}
        scripted.on("GET", LIST, page_of_500)
        await pilot.press("r")
        await sees(pilot, "/ scenario:~refund", "paused, as of", gone="unreachable")
        no_crash(pilot)
