"""The dialog that takes a note on a run: no typed text is lost or cut."""

from __future__ import annotations

import asyncio

import pytest
from app_on_a_server import setup_of
from hostile import EVIL
from one_dialog import OneDialog, answer, ask_again, asked
from scripted_server import ScriptedServer
from textual.events import Paste
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.model.errors import UsageError
from cekura_tui.ui.runs import notes
from cekura_tui.ui.runs.notes import LONGEST, NoteDialog
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace

TOO_LONG = "a note has at most 4,000"


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    return setup_of(scripted.url, "key", 1)


def line(app: OneDialog) -> Input:
    return app.screen.query_one(Input)


async def test_a_note_is_typed_changed_and_removed(setup: Setup) -> None:
    notes = iter(("", "late", "late"))
    async with asked(setup, lambda _: NoteDialog(48213, next(notes))) as (app, pilot):
        await sees(pilot, "Note on run 48213", "enter save")
        assert await answer(app, pilot, *"late q", "enter") == "late q"
        await ask_again(app)
        await sees(pilot, "late")
        assert await answer(app, pilot, "r", "enter") == "later"
        await ask_again(app)
        await sees(pilot, "late")
        assert await answer(app, pilot, "ctrl+u", "space", "enter") == "", "a note of spaces is none"


async def test_escape_discards_a_changed_note_only_when_pressed_twice(setup: Setup) -> None:
    async with asked(setup, lambda _: NoteDialog(5, "late")) as (app, pilot):
        await sees(pilot, "late")
        assert await answer(app, pilot, "escape") is None
        await ask_again(app)
        await sees(pilot, "late")
        await pilot.press("r", "escape")
        await sees(pilot, "Not saved yet", "later")
        await pilot.press("!")
        await sees(pilot, "later!", gone="Not saved yet")
        await pilot.press("escape")
        await sees(pilot, "Not saved yet")
        assert app.answers == [None]
        assert await answer(app, pilot, "escape") is None


async def test_pasted_lines_become_one_without_control_characters(setup: Setup) -> None:
    async with asked(setup, lambda _: NoteDialog(5, "so:")) as (app, pilot):
        await sees(pilot, "so:")
        line(app).post_message(Paste(f" first\r\nsecond\tthird {EVIL}"))
        await sees(pilot, "[INFO] end")
        note = await answer(app, pilot, "enter")
        assert note.startswith("so: first second third [2J]0;owned[/red] [@click=app.quit]")
        assert note.isprintable()


async def test_a_note_that_is_too_long_is_refused_and_stays_to_be_shortened(setup: Setup) -> None:
    async with asked(setup, lambda _: NoteDialog(5, "")) as (app, pilot):
        line(app).value = "x" * (LONGEST + 12)
        await pilot.press("enter")
        await sees(pilot, TOO_LONG, "! 12 characters too long")
        assert app.answers == []
        await pilot.press(*["backspace"] * 12)
        await sees(pilot, gone="A note has")
        assert await answer(app, pilot, "enter") == "x" * LONGEST


async def test_the_longest_note_that_the_dialog_takes_is_stored_whole(setup: Setup) -> None:
    workspace = Workspace(setup)
    workspace.start(lambda: None)
    try:
        await workspace.call(lambda session: session.notes.save(5, "x" * LONGEST))
        with pytest.raises(UsageError):
            await workspace.call(lambda session: session.notes.save(5, "x" * (LONGEST + 1)))
    finally:
        await asyncio.to_thread(workspace.close)


async def test_a_changed_note_is_kept_when_the_program_is_closed(setup: Setup) -> None:
    found: list[str] = []
    async with asked(setup, lambda _: NoteDialog(5, "late", keep=found.append)) as (app, pilot):
        await sees(pilot, "late")
        for keys, kept in ((), []), (("r",), ["later"]), (("ctrl+u",), []), (("x",), ["x"]):
            await pilot.press(*keys)
            app.dialog.keep()
            assert found == kept, keys
            found.clear()


async def test_a_typed_note_is_stored_as_a_draft_until_it_is_saved_or_discarded(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "AUTOSAVE", 0.01)
    drafts: list[str] = []
    async with asked(setup, lambda _: NoteDialog(5, "late", autosave=drafts.append)) as (app, pilot):
        await sees(pilot, "late")
        await pilot.press("r")
        await eventually(lambda: drafts == ["later"], "the draft is saved")
        await pilot.press("backspace")
        await eventually(lambda: drafts == ["later", ""], "the note is as it was")
        await pilot.press("!")
        await eventually(lambda: drafts[2:] == ["late!"], "the draft is saved again")
        assert await answer(app, pilot, "escape", "escape") is None
        assert drafts[3:] == [""]


async def test_a_draft_is_restored_beside_a_note_of_another_window(setup: Setup) -> None:
    async with asked(setup, lambda _: NoteDialog(5, "late")) as (app, pilot):
        for keys, now, draft, former, seen in (
            ("", "late", "late and rude", "late", "late and rude"),
            ("", "late", "lat", "late", "lat"),
            ("", "late", "rude", "late", "rude"),
            ("!", "late", "rude", "late", "late! | rude"),
            ("", "calm", "rude", "late", "calm | rude"),
            ("!", "calm", "rude", "late", "late! | calm | rude"),
            ("", "late and rude", "rude", "late", "late and rude"),
        ):
            await sees(pilot, "late")
            await pilot.press(*keys)
            app.dialog.replace_former(now, draft, former)
            await sees(pilot, seen, *["Typed earlier, not saved."] * (seen != now))
            assert line(app).value == seen
            assert await answer(app, pilot, "enter") == seen
            await ask_again(app)


async def test_a_note_that_was_not_stored_is_shown_again_with_the_reason(setup: Setup) -> None:
    dialog = lambda _: NoteDialog(5, "late", typed="late, and rude", problem="The disk is full.")  # noqa: E731
    async with asked(setup, dialog) as (app, pilot):
        await sees(pilot, "late, and rude", "The disk is full.")
        assert await answer(app, pilot, "enter") == "late, and rude"
