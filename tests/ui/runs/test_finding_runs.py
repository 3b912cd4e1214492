"""Finding the runs that matter in the app: filters, views, groups, order and notes, with and without the server."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from app_on_a_server import LIST, SMALL, Served, no_crash, on_run, opened, setup_of
from scripted_server import Got, Reply, ScriptedServer, run_of
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.runs.groups import GroupList
from cekura_tui.ui.runs.list import RunList
from cekura_tui.workspace.workspace import Workspace

KEYS = {" ": "space", "/": "slash", ":": "colon", "~": "tilde", '"': "quotation_mark", ",": "comma", "-": "minus"}


def list_of(pilot: Pilot[None]) -> RunList:
    return pilot.app.screen_stack[0].query_one(RunList)


def rows_of(pilot: Pilot[None]) -> list[RunRow]:
    return [row for row in list_of(pilot).rows if isinstance(row, RunRow)]


async def typed(pilot: Pilot[None], text: str) -> None:
    """Type a filter in place of the one in effect."""
    await pilot.press("slash", "ctrl+u", *(KEYS.get(letter, letter) for letter in text), "enter")


@pytest.mark.long
async def test_a_filter_is_kept_while_runs_are_opened_the_list_read_anew_and_the_program_left(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await typed(pilot, "outcome:failed,error scenario:~appointment")
        await sees(pilot, "/ outcome:failed,error scenario:~appointment", "of 240 runs", gone="900239")
        await pilot.press("enter")
        await sees(pilot, "Verdicts", "Details", "Transcript")
        await pilot.press("escape", "r")
        await sees(pilot, "/ outcome:failed,error scenario:~appointment", "of 240 runs")
        shown = rows_of(pilot)
        assert {row.outcome.kind for row in shown} <= {"failed", "error"}
        assert all("appointment" in row.scenario for row in shown)
    async with opened(served.setup()) as pilot:
        await sees(pilot, "/ outcome:failed,error scenario:~appointment", "of 240 runs", "paused")
        assert rows_of(pilot) == shown


async def test_keys_that_come_in_one_burst_with_the_slash_are_typed_into_the_filter(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        for key in ("slash", *"refund", "enter"):
            pilot.app.simulate_key(key)
        await sees(pilot, "/ refund", gone="240 runs")
        assert {row.scenario for row in rows_of(pilot)} == {"Refund instead of a voucher"}


async def test_keys_that_come_together_are_done_in_their_order(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        for key in (
            "slash",
            *"abx",
            "backspace",
            *"zz",
            "ctrl+u",
            *"refundx",
            "home",
            "end",
            "backspace",
            "enter",
            "j",
            "j",
        ):
            pilot.app.simulate_key(key)
        await sees(pilot, "/ refund", gone="240 runs")
        shown = rows_of(pilot)
        assert {row.scenario for row in shown} == {"Refund instead of a voucher"}


async def test_failures_only_and_back_leaves_the_filter_as_it_was(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await typed(pilot, "outcome:review -outcome:passed")
        await sees(pilot, "/ outcome:review -outcome:passed")
        await pilot.press("exclamation_mark")
        await sees(pilot, "/ -outcome:passed outcome:failed,error")
        await pilot.press("exclamation_mark")
        await sees(pilot, "/ outcome:review -outcome:passed")


async def test_failures_only_and_back_keeps_the_cursor_on_its_run(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("exclamation_mark")
        await sees(pilot, "/ outcome:failed,error")
        await pilot.press(*("j" * 6))
        run_id = list_of(pilot).cursor_key
        await pilot.press("exclamation_mark")
        await sees(pilot, "240 runs", str(run_id), gone="outcome:failed")
        assert list_of(pilot).cursor_key == run_id


async def test_in_a_terminal_that_was_too_small_for_a_moment_typing_goes_on(served: Served) -> None:
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
        await pilot.resize_terminal(40, 10)
        await sees(pilot, "cekura-tui needs")
        await pilot.resize_terminal(*SMALL)
        await typed(pilot, "")
        await sees(pilot, "240 runs")
        await pilot.press("j")
        await eventually(lambda: list_of(pilot).cursor_index == 1, "the list takes keys")


async def test_from_the_top_another_order_shows_its_first_runs(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        await pilot.press("s")
        await sees(pilot, "outcome ▼")
        assert list_of(pilot).at_top
        assert list_of(pilot).cursor_index == 0
        await pilot.press("s", "s")
        await sees(pilot, "agent ▼")  # the personality is not seen in this width


async def test_a_term_that_is_told_here_says_of_how_many_runs_and_f_loads_the_others(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        # So many pass that their end is far away; of few, more would be loaded without a key.
        await typed(pilot, "-persona:~hurry")
        await sees(pilot, "persona: ", " of 240 runs loaded · F load all")
        some = len(rows_of(pilot))
        await pilot.press("F")
        await eventually(lambda: len(rows_of(pilot)) > some, "more rows")
        await sees(pilot, "of 240 runs", gone="loaded · F")
        assert "In a hurry" not in {row.personality for row in rows_of(pilot)}


async def test_sorted_by_outcome_the_line_leads_to_the_run_with_the_most_failed_checks(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        await pilot.press("s", "F")
        await sees(pilot, "outcome ▼", "checks 0 of 71 · F load")
        await pilot.press("j")
        at, failed = list_of(pilot).cursor_key, [row for row in rows_of(pilot) if row.outcome.kind == "failed"]
        await pilot.press("F")
        await sees(pilot, "✗ 4 checks", gone=" of 71")
        checks = [row.failed_checks for row in rows_of(pilot)[: len(failed)]]
        assert checks == sorted(checks, key=lambda number: -(number or 0))
        assert list_of(pilot).cursor_key == at
        await pilot.press("F")
        await sees(pilot, "All runs and their checks are loaded.")


async def test_escape_clears_the_filter_once_nothing_is_marked(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await typed(pilot, "outcome:error")
        await sees(pilot, "/ outcome:error", "esc Clear filter")
        await pilot.press("space")
        await sees(pilot, "1 marked", "esc Unmark all", gone="Clear filter")
        await pilot.press("escape", "escape")
        await sees(pilot, "240 runs", "/ filter by", gone="Clear filter")


async def test_a_filter_that_finds_nothing_says_what_may_have_been_meant(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await typed(pilot, "agent:harb")
        await sees(pilot, "No agent is called “harb”; agent:~harb finds parts of names")
        await pilot.press("slash", "ctrl+u", *"agent:h", "tab", "enter")
        await sees(pilot, '/ agent:"Harbour Bank, card line"', gone="No agent")
        await typed(pilot, "dosage")
        await sees(pilot, "Words search names only · ctrl+f searches transcripts", gone="No agent")
    async with opened(served.setup(), size=SMALL) as pilot:
        await typed(pilot, "persona:hurry")
        await sees(pilot, "No personality is called “hurry”; persona:~hurry finds parts of names")


async def test_a_list_in_another_order_says_when_only_the_loaded_ones_are_in_it(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        await pilot.press("s")
        await sees(pilot, "outcome ▼", "sorted by outcome: 200 of 240 runs loaded · F load all")
        await pilot.press("F")
        await sees(pilot, "outcome ▼", "240 runs", gone="F load all")
        await pilot.press("s", "s", "s")
        await sees(pilot, "length▼")
        lengths = [row.seconds for row in rows_of(pilot) if row.seconds is not None]
        assert len(rows_of(pilot)) == 240
        assert lengths == sorted(lengths, reverse=True)
        await pilot.press("S")
        await sees(pilot, "length▲")
        lengths = [row.seconds for row in rows_of(pilot) if row.seconds is not None]
        assert lengths == sorted(lengths)


async def test_a_view_is_a_filter_with_a_name_and_can_be_saved(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("v", "j")
        await sees(pilot, "Failed today", "Errors", "To review", "Running")
        await pilot.press("enter")
        await sees(pilot, "/ outcome:error", gone="Failed today")
        assert {row.outcome.kind for row in rows_of(pilot)} == {"error"}
        await typed(pilot, "agent:~bank")
        await sees(pilot, "/ agent:~bank")
        await pilot.press("v", "s", *"bank", "enter")
        await sees(pilot, "Saved as")
        await pilot.press("escape")
        await typed(pilot, "")
        await sees(pilot, "240 runs", gone="agent:~bank")
        await pilot.press("v", "G", "enter")
        await sees(pilot, "/ agent:~bank")


async def test_a_group_opens_to_its_runs_adds_to_the_filter_and_escape_leads_back_to_it(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        await typed(pilot, "agent:~bank")
        await sees(pilot, "/ agent:~bank")
        await pilot.press("b", "b")
        await sees(pilot, "By scenario", "groups")
        await pilot.press("j", "enter")
        await sees(pilot, " · agent:~bank scenario:", "esc back to groups")
        shown = rows_of(pilot)
        (name,) = {row.scenario for row in shown}
        await pilot.press("b", "escape")
        await sees(pilot, f"/ {name} · agent:~bank scenario:")
        await pilot.press("exclamation_mark")
        await sees(pilot, f"/ {name} · agent:~bank scenario:", "outcome:failed,error")
        await pilot.press("exclamation_mark")
        await sees(pilot, f"/ {name} · agent:~bank scenario:", gone="outcome:failed")
        await pilot.press("escape")
        await sees(pilot, "By scenario", "groups")
        group = pilot.app.screen.query_one(GroupList).cursor_row
        assert group is not None
        assert group.title == name
        await pilot.press("escape")
        await sees(pilot, "/ agent:~bank", gone="scenario:")
        assert "back to groups" not in screen_text(pilot.app)


async def test_groups_of_failures_alone_do_not_say_since_when_something_fails(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        await pilot.press("b", "b", "b", "b", "b")
        await sees(pilot, "By scenario × personality", "failing since")
        await pilot.press("escape", "exclamation_mark")
        await sees(pilot, "/ outcome:failed,error")
        await pilot.press("b", "b", "b", "b", "b")
        await sees(
            pilot, "By scenario × personality", "runs with other outcomes are filtered out", gone="failing since"
        )


async def test_a_note_is_kept_marked_and_found(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        await pilot.press("m", *"dosage", "enter")
        await sees(pilot, "+900238", gone="Note on run")
    async with opened(served.setup()) as pilot:
        await sees(pilot, "+900238", "240 runs")
        await typed(pilot, "note:~dosage")
        await sees(pilot, "/ note:~dosage", "1 of 240 runs")
        assert [row.id for row in rows_of(pilot)] == [900238]
        await pilot.press("m", "ctrl+u", "enter")
        await sees(pilot, "0 runs", "No matching runs.")


async def test_keys_in_one_burst_make_a_note_and_go_on_in_the_list(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        for key in ("j", "m", *"rude", "enter", "j", "j"):
            pilot.app.simulate_key(key)
        await sees(pilot, "+900238")
        notes = await pilot.app.state.workspace.call(lambda session: session.notes.all())  # type: ignore[attr-defined]
        assert notes == {900238: "rude"}
        await eventually(lambda: list_of(pilot).cursor_key == 900236, "the cursor went on")


async def test_a_note_that_another_window_wrote_is_there_to_be_changed(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        other = Workspace(served.setup())
        other.start(lambda: None)
        await other.call(lambda session: session.notes.save(900238, "from elsewhere"))
        await asyncio.to_thread(other.close)
        await pilot.press("m")
        await sees(pilot, "Note on run 900238", "from elsewhere")
        await pilot.press("escape")
        await sees(pilot, "+900238", gone="Note on run")


async def test_a_note_that_cannot_be_stored_stays_to_be_stored_again(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        database = sqlite3.connect(served.setup().paths.database, isolation_level=None)
        await pilot.press("m")
        await sees(pilot, "Note on run 900238")
        database.execute("BEGIN IMMEDIATE")
        await pilot.press(*"rude", "enter")
        await eventually(lambda: "try again" in screen_text(pilot.app).lower(), "the reason")
        await sees(pilot, "Note on run 900238", "rude")
        database.execute("ROLLBACK")
        await pilot.press("enter")
        await sees(pilot, "+900238", gone="Note on run")


async def test_a_range_over_rows_that_are_not_loaded_says_how_many_it_left_out(scripted: ScriptedServer) -> None:
    def answer(got: Got) -> Reply:
        page = int(got.query.get("page", 1))
        rows = [run_of(number) for number in range(1_000 - 100 * page, 900 - 100 * page, -1)]
        return Reply({"count": 500, "next": "there is" if page < 5 else None, "results": rows})

    scripted.on("GET", LIST, answer)
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await sees(pilot, "500 runs", "of 200 loaded")
        await pilot.press("space", "G")
        await sees(pilot, "401", "of 300 loaded")
        await pilot.press("V")
        await sees(pilot, "300 marked", "200 runs not marked")


async def test_marks_of_a_range_stay_when_another_filter_is_typed(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        await pilot.press("space", "j", "V")
        await sees(pilot, "3 marked")
        await typed(pilot, "outcome:passed")
        await sees(pilot, "/ outcome:passed", "3 marked", gone="900238 ")
        await pilot.press("y")
        await sees(pilot, "Copy or save 3 runs")
        await pilot.press("escape", "escape")
        await sees(pilot, "/ outcome:passed", gone="marked")


async def test_without_the_server_what_is_kept_can_be_filtered_and_the_list_goes_on_by_itself(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
    served.server.stop()
    async with opened(served.setup()) as pilot:
        try:
            await sees(pilot, "240 runs", "unreachable since", "of 200 cached")
            await typed(pilot, "scenario:~refund")
            await sees(pilot, "/ scenario:~refund", "cached run", "unreachable since")
            assert {row.scenario for row in rows_of(pilot)} == {"Refund instead of a voucher"}
        finally:
            served.server._port = int(served.server.url.rpartition(":")[2])
            served.server.start()
        await sees(pilot, "/ scenario:~refund", "paused, as of", gone="unreachable")
        no_crash(pilot)


async def test_a_busy_server_is_named_left_alone_as_long_as_it_asked_and_the_list_can_be_used(
    scripted: ScriptedServer,
) -> None:
    busy = False

    def answer(got: Got) -> Reply:
        if busy:
            return Reply({"detail": "Request was throttled."}, 429, {"Retry-After": "2"})
        page = int(got.query.get("page", 1))
        rows = [run_of(number) for number in range(1_000 - 100 * page, 900 - 100 * page, -1)]
        return Reply({"count": 500, "next": "there is", "results": rows})

    scripted.on("GET", LIST, answer)
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await sees(pilot, "500 runs", "of 200 loaded")
        busy = True
        await pilot.press("G")
        await sees(pilot, "server busy, retrying at", "…")
        asked = len(scripted.requests("GET", LIST))
        await pilot.press("g", "j", "space", "G", "g", "G")
        await sees(pilot, "1 marked", "server busy")
        assert len(scripted.requests("GET", LIST)) == asked
        busy = False
        await eventually(lambda: len(scripted.requests("GET", LIST)) > asked, "it is asked again")
        await sees(pilot, "401", gone="server busy")
