"""Typed text arrives in its box exactly and does nothing else, however fast the user types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from agents_on_a_server import CLINIC, agents, revised
from app_on_a_server import SMALL, Served, no_crash, on_run, opened, setup_of
from one_dialog import answer, opened_dialog
from saved_suggestion import opened_suggestion
from scripted_server import LAUNCH, ScriptedServer
from suggestion_screens import chosen, chosen_edited, screen, updating, workspace
from textual.events import Key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, TextArea
from waiting import eventually
from watching import sees, still

from cekura_tui.ui.jobs.improve import ImproveDialog
from cekura_tui.ui.runs.filter_bar import FilterInput
from cekura_tui.ui.runs.notes import NoteDialog
from cekura_tui.ui.suggestion.edit import EditHunkDialog
from cekura_tui.ui.suggestion.hand_off import HandOffDialog

WORDS = "می\u200cخواهم 👩\u200d👩\u200d👧 \u200fe\u0301✂\ufe0f"
TYPED = WORDS + "\xa0\u202f\u3000\U0001fae8"
"""Persian with a zero-width joiner, a family emoji, a direction mark, a combining accent, a variation selector, three
kinds of spaces, and an emoji that is newer than the oldest supported Python."""


def burst(pilot: Pilot[None], *keys: str) -> None:
    """Press all of these keys before the app handles the first."""
    for key in keys:
        pilot.app.simulate_key(key)


async def on_dialog(pilot: Pilot[None], kind: type[Screen[Any]]) -> None:
    await eventually(lambda: isinstance(pilot.app.screen, kind), f"the {kind.__name__}")
    await still(pilot)


async def editing(pilot: Pilot[None], *keys: str) -> TextArea:
    """Press all of these keys at once, and return the text box of a change once the box is shown."""
    burst(pilot, *keys)
    await on_dialog(pilot, EditHunkDialog)
    no_crash(pilot)
    return pilot.app.screen.query_one(TextArea)


async def typed(area: TextArea, text: str) -> None:
    await eventually(lambda: area.text == text, f"the box has {text!r}")


def choices(pilot: Pilot[None]) -> list[str]:
    """The decisions on all decided changes, in order of the changes."""
    return [choice.what for _, choice in sorted(screen(pilot).staging.opened.choices.items())]


@pytest.mark.parametrize("focus", ["#diff", "#summary", "#staged"])
@pytest.mark.long
async def test_keys_in_one_burst_after_c_are_typed_into_the_box(served: Served, focus: str) -> None:
    async with opened_suggestion(served) as pilot:
        pilot.app.screen.query_one(focus).focus()
        await pilot.pause()
        area = await editing(pilot, "c", *"Always ask. Nay", "backspace", "backspace", "x")
        assert area.text.endswith("Always ask. Nx")
        assert len(pilot.app.screen_stack) == 3
        await chosen(pilot)
        burst(pilot, "A", "ctrl+g", "a")
        await eventually(lambda: not pilot.app.screen.is_modal, "the dialog is closed")
        # The page handles the last key again, at its next change.
        await eventually(lambda: choices(pilot) == ["edited", "accepted"], "both changes are decided")


async def test_changes_accepted_or_edited_in_one_burst_of_keys_are_saved_in_order(served: Served) -> None:
    async with opened_suggestion(served) as pilot:
        new = screen(pilot).staging.opened.diff.hunks[0].new
        burst(pilot, "c", *"Always. ", "ctrl+g")
        await chosen_edited(pilot, f"{new}Always. ")
        await sees(pilot, "2 of 2")
        await pilot.press("N")
        await editing(pilot, "c")
        burst(pilot, *"Now. ", "ctrl+g")
        await chosen_edited(pilot, f"{new}Always. Now. ")
        await pilot.press("N")
        area = await editing(pilot, "a", "n", "a", "c", *"Hello ")
        assert area.text.endswith("Hello ")
        assert "2 of 2" in pilot.app.screen._title  # type: ignore[attr-defined]
        await eventually(lambda: choices(pilot) == ["accepted"] * 2, "both are accepted")


@pytest.mark.long
async def test_the_page_below_gets_no_keys_typed_in_one_burst_after_y_or_p_or_i(served: Served) -> None:
    async with opened_suggestion(served, size=SMALL) as pilot:
        burst(pilot, "y", *"aAx.md")
        await on_dialog(pilot, HandOffDialog)
        assert pilot.app.screen.query_one(Input).value == "aAx.md"
        await chosen(pilot)
        await pilot.press("escape")
        for late in ("enter", "ctrl+g", "A"):
            burst(pilot, "i", late, "y", "enter")
            await on_dialog(pilot, ImproveDialog)
            assert isinstance(pilot.app.screen, ImproveDialog)
            await chosen(pilot)
            await pilot.press("escape")
            await still(pilot)
        await pilot.press("a")
        await sees(pilot, "✓1")
        burst(pilot, "W", "enter", "ctrl+g", "A", "x", "y")
        await sees(pilot, "ctrl+g update")
        await still(pilot)
        assert len(choices(pilot)) == 1
        assert not served.requests_to(LAUNCH, "POST")
        assert not [entry for entry in served.log if entry["method"] in ("PATCH", "PUT")]


async def test_y_pressed_before_the_question_is_shown_is_ignored(tmp_path: Path) -> None:
    with agents(tmp_path) as server:
        sent = server.prompt_of(CLINIC)
        number = server.job(CLINIC, sent)
        early = Key("ctrl+g", None)
        async with updating(server.setup(), number, revised(sent)) as (app, pilot):
            await sees(pilot, "(revised", "ctrl+g update")
            app.post_message(early)
            await still(pilot)
            await sees(pilot, "ctrl+g update")
            assert server.prompt_of(CLINIC) == sent


@pytest.mark.long
async def test_the_list_does_not_move_on_keys_typed_after_i_and_all_typed_text_is_kept(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        burst(pilot, "i", "j", "j", "enter")
        await sees(pilot, "Improve the prompt", "Runs  900238", "words,", gone="Loading")
        await still(pilot)
        assert not served.requests_to(LAUNCH, "POST")
        assert pilot.app.screen_stack[0].query_one("#runs").cursor_key == 900238  # type: ignore[attr-defined]
        area = pilot.app.screen.query_one(TextArea)
        area.focus()
        await pilot.pause()
        burst(pilot, "enter", *TYPED, "ctrl+g")
        await eventually(lambda: pilot.app.state.jobs, "a job on the state")  # type: ignore[attr-defined]
        record = await workspace(pilot).call(lambda session: session.jobs.record(1))
        assert TYPED in record.draft.prompt


# Characters


@pytest.mark.long
async def test_every_character_can_be_typed_and_the_cursor_moves_over_each_character(served: Served) -> None:
    async with opened_suggestion(served) as pilot:
        new = screen(pilot).staging.opened.diff.hunks[0].new
        area = await editing(pilot, "c", "ctrl+home", *TYPED)
        await typed(area, TYPED + new)
        for _ in TYPED:
            await pilot.press("left")
        assert area.cursor_location == (0, 0)
        for _ in TYPED:
            await pilot.press("right")
        await pilot.press("shift+left", "up", "down", "home", "end")
        area.move_cursor((0, len(TYPED)))
        await pilot.press(*["backspace"] * 3)
        assert area.text == TYPED[:-3] + new
        burst(pilot, *TYPED[-3:])
        await typed(area, TYPED + new)
        await pilot.press("ctrl+g")
        await chosen_edited(pilot, TYPED + new)
        no_crash(pilot)


async def test_invisible_characters_cannot_be_typed(served: Served) -> None:
    async with opened_suggestion(served) as pilot:
        new = screen(pilot).staging.opened.diff.hunks[0].new
        area = await editing(pilot, "c", *"a\u202e\u2066\U000e0041\x85\ue000b")
        await typed(area, new + "ab")
        pilot.app.post_message(Key("alt+x", "x"))  # as a terminal sends alt+x
        burst(pilot, "c")
        await typed(area, new + "abc")


async def test_a_note_and_a_filter_contain_every_typed_letter(served: Served, scripted: ScriptedServer) -> None:
    async with opened_dialog(setup_of(scripted.url, "key", 1), lambda _: NoteDialog(5, "")) as (app, pilot):
        burst(pilot, *WORDS)
        await eventually(lambda: app.dialog.query_one(Input).value == WORDS, "the note")
        assert await answer(app, pilot, "enter") == WORDS
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        burst(pilot, "slash", *WORDS)
        line = pilot.app.screen.query_one(FilterInput)
        await eventually(lambda: line.value == WORDS, "the filter")
        no_crash(pilot)
