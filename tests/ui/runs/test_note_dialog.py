"""The note dialog never loses or cuts typed text."""

from __future__ import annotations

import pytest
from hostile import EVIL
from one_dialog import answer, ask_again, opened_dialog
from textual.events import Paste
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.ui.runs import notes
from cekura_tui.ui.runs.notes import LONGEST_NOTE, NoteDialog
from cekura_tui.workspace.setup import Setup


async def test_a_note_can_be_typed_and_changed_and_removed(quiet: Setup) -> None:
    notes = iter(("", "late", "late", ""))
    async with opened_dialog(quiet, lambda _: NoteDialog(48213, next(notes))) as (app, pilot):
        await sees(pilot, "Note on run 48213", "enter save")
        for keys, note in (("late q", "late q"), ("r", "later"), (("ctrl+u", "space"), "")):
            assert await answer(app, pilot, *keys, "enter") == note, "a note of spaces is none"
            await ask_again(app)


async def test_a_note_that_is_too_long_or_not_saved_stays_in_the_dialog_with_a_message(quiet: Setup) -> None:
    unsaved = lambda _: NoteDialog(5, "late", typed="late, and rude", problem="The disk is full.")  # noqa: E731
    async with opened_dialog(quiet, unsaved) as (app, pilot):
        await sees(pilot, "late, and rude", "The disk is full.")
        assert await answer(app, pilot, "ctrl+g") == "late, and rude"
        await ask_again(app)
        line = app.screen.query_one(Input)
        line.value = "x" * (LONGEST_NOTE + 12)
        await pilot.press("enter")
        await sees(pilot, "! 12 characters too long: a note has at most 4,000.")
        assert len(app.answers) == 1
        await pilot.press(*["backspace"] * 12)
        await sees(pilot, gone="too long")
        assert await answer(app, pilot, "enter") == "x" * LONGEST_NOTE


async def test_typed_text_is_a_draft_until_saved_or_discarded_and_survives_quitting(
    quiet: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "AUTOSAVE", 0.01)
    drafts: list[str] = []
    dialog = lambda _: NoteDialog(5, "late", autosave=drafts.append)  # noqa: E731
    async with opened_dialog(quiet, dialog) as (app, pilot):
        await sees(pilot, "late")
        for keys, draft in ((), None), (("r",), "later"), (("backspace",), ""):
            await pilot.press(*keys)
            await eventually(lambda draft=draft: drafts[-1:] == ([] if draft is None else [draft]), f"draft {draft}")
        await pilot.press("!")
        app.dialog.save_typed()
        assert drafts == ["later", "", "late!"], "the draft is saved when the program is closed"
        assert await answer(app, pilot, "escape", "ctrl+g") is None
        assert drafts[3:] == [""]


async def test_escape_discards_a_changed_note_only_after_a_question(quiet: Setup) -> None:
    async with opened_dialog(quiet, lambda _: NoteDialog(5, "late")) as (app, pilot):
        await sees(pilot, "late")
        assert await answer(app, pilot, "escape") is None
        await ask_again(app)
        await sees(pilot, "late")
        await pilot.press("r", "escape")
        await sees(pilot, "Discard the change of the note?", "later")
        await pilot.press("enter", "!")
        await sees(pilot, "later!", gone="Discard the change")
        closed = app.dialog
        await pilot.press("escape")
        await sees(pilot, "Discard the change")
        assert app.answers == [None]
        assert await answer(app, pilot, "ctrl+g") is None
        closed.report("The disk is full.")  # must not fail although the dialog is closed


async def test_pasted_lines_become_one_line_without_control_characters(quiet: Setup) -> None:
    async with opened_dialog(quiet, lambda _: NoteDialog(5, "so:")) as (app, pilot):
        await sees(pilot, "so:")
        app.screen.query_one(Input).post_message(Paste(f" first\r\nsecond\tthird {EVIL}"))
        await sees(pilot, "[INFO] end")
        note = await answer(app, pilot, "enter")
        assert note.startswith("so: first second third [2J]0;owned[/red] [@click=app.quit]")
        assert note.isprintable()


async def test_a_draft_saved_by_the_dialog_itself_is_not_an_earlier_draft(quiet: Setup) -> None:
    async with opened_dialog(quiet, lambda _: NoteDialog(5, "")) as (app, pilot):
        await pilot.press("M")
        app.dialog.save_typed()
        await pilot.press("o")
        app.dialog.show_stored("", "M")  # a busy database answers late
        await sees(pilot, "Mo", gone="Typed earlier")
        assert app.screen.query_one(Input).value == "Mo"


async def test_a_draft_is_restored_and_text_typed_before_the_draft_is_loaded_is_kept(quiet: Setup) -> None:
    async with opened_dialog(quiet, lambda _: NoteDialog(5, "late")) as (app, pilot):
        for key, now, draft, seen in (
            ("end", "calm", "", "calm"),
            ("!", "calm", "", "late!"),
            ("end", "calm", "rude", "rude"),
            ("!", "late", "rude", "late! | rude"),
            ("ctrl+u", "late", "", ""),
        ):
            await sees(pilot, "late")
            await pilot.press(key)
            app.dialog.show_stored(now, draft)
            await sees(pilot, seen, *["Typed earlier, not saved."] * bool(draft))
            assert app.screen.query_one(Input).value == seen
            assert await answer(app, pilot, "enter") == seen
            await ask_again(app)
