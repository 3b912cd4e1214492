"""The dialog that edits a hunk or a conflict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static, TextArea

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import Prompt, clean, clean_line, count
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.debounce import Debounce
from cekura_tui.ui.kit.dialog import Dialog, DialogNote, KeyHint, dialog_box
from cekura_tui.ui.kit.prompt_box import PromptArea, PromptText
from cekura_tui.ui.terminal.foreground import edit_prompt
from cekura_tui.workspace.prompt_files import without_file_end

AUTOSAVE = 0.5
"""Seconds from the first unsaved keystroke to the next save of the typed text."""


class EditResult(NamedTuple):
    """The text at the time when the dialog closed, and whether to apply the text."""

    text: str
    applied: bool


class EditHunkDialog(Dialog[EditResult]):
    """Edits a hunk or a conflict, and returns the typed text even if it is not applied; `autosave` gets the text while
    the user types. `sent` is the original; `others` counts further places, not edited here."""

    PLACE = "In the dialog that edits a change"
    AUTO_FOCUS = "TextArea"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("edit-hunk.take", "ctrl+g", "apply", "Apply", footer=1),
        Action("edit-hunk.editor", "ctrl+e", "edit", "Edit in $EDITOR", footer=2, priority=True),
    )

    def __init__(
        self,
        title: str,
        sent: str,
        text: str,
        home: Path,
        autosave: Callable[[str], object] = lambda text: None,
        *,
        others: int = 0,
    ) -> None:
        super().__init__()
        self._autosave, self._saved = autosave, text
        self._debounce = Debounce(self, AUTOSAVE, self._save_now, postponed=False)
        self._title, self._sent, self._home, self._others = title, sent, home, others
        self._before = Prompt(text)
        self._text = PromptText()

    def compose(self) -> ComposeResult:
        with dialog_box(clean_line(self._title), id="edit-hunk"):
            with VerticalScroll(id="edit-hunk-sent"):
                sent = f"Original: {clean(self._sent)}" if self._sent.strip() else "New text; no original."
                yield Static(Content(sent))
            yield PromptArea(id="edit-hunk-text")
            yield DialogNote(id="edit-hunk-note")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Apply"), id="take", variant="primary", compact=True)
                yield Button(Content("Cancel"), id="cancel", compact=True)
            yield KeyHint(
                "{edit-hunk.take} apply · {edit-hunk.editor} editor · {dialog.close} close (draft saved, not applied)"
            )

    def on_mount(self) -> None:
        # Now, and even if the terminal is not focused, because keys typed after the opening one are for this box.
        self.set_focus(self.query_one(TextArea))
        self._show(self._before)

    def _show(self, text: Prompt) -> None:
        area = self.query_one(TextArea)
        area.load_text(clean(text))
        area.move_cursor(area.document.end)
        self._text.put(text, area.text)
        self._draw_facts()

    @property
    def _current(self) -> Prompt:
        return self._text.read(self.query_one(TextArea).text)

    @on(TextArea.Changed)
    def typed(self) -> None:
        self._draw_facts()
        self._debounce.start()

    def _save_now(self) -> None:
        if (current := self._current) != self._saved:
            self._saved = current
            self._autosave(current)

    def _draw_facts(self) -> None:
        text = self.query_one(TextArea).text
        facts = self._text.facts(text) if text.strip() else "Empty: the passage is removed."
        also = f" · the change has {count(self._others, 'more place')}, not edited here" if self._others else ""
        self.query_one(DialogNote).show(facts + also)

    def action_edit(self) -> None:
        try:
            edited = edit_prompt(self.app, self._current, self._home)
        except CekuraTuiError as error:
            self.query_one(DialogNote).show(error.sentence(), failed=True)
            return
        if edited != self._current:
            self._show(Prompt(without_file_end(edited, self._current)))

    @on(Button.Pressed, "#take")
    def action_apply(self) -> None:
        self.dismiss(EditResult(self._current, True))

    @on(Button.Pressed, "#cancel")
    def action_give_up(self) -> None:
        self.dismiss(EditResult(self._current, False))
