"""A text box for a prompt, which handles keys in the order they arrive. Until the user types, the prompt stays the same
byte for byte. Textual's text box is slow to import, so the first frame contains no text box."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from cekura_tui.model.job import MAX_PROMPT_BYTES
from cekura_tui.model.text import Prompt, count, has_controls, prompt_bytes
from cekura_tui.ui.actions import ACTIONS
from cekura_tui.ui.keymap import keymap_in_use
from cekura_tui.ui.kit.inputs import is_typed, text_of
from cekura_tui.ui.kit.keys_in_order import consume, do_binding, handled_elsewhere
from cekura_tui.ui.terminal.textual_private import drop_toasts, type_into

_CLOSED = "Press enter to edit the prompt."


class PromptArea(TextArea):
    """A text box that keeps joiners, which Persian and emoji need. A `closed` box with text takes keys only after enter
    or a click, so that a space pressed while moving through a dialog changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+home", "document_edge(False)", "Cursor to start of text", show=False),
        Binding("ctrl+end", "document_edge(True)", "Cursor to end of text", show=False),
    ]

    def __init__(self, *, id: str, closed: bool = False) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False, compact=True, read_only=closed)
        self.cursor_blink = False
        self._is_guarded = closed
        if closed:
            self.show_cursor = False

    @property
    def _is_closed(self) -> bool:
        return self._is_guarded and self.read_only

    def action_document_edge(self, end: bool) -> None:
        self.move_cursor(self.document.end if end else (0, 0))

    def on_focus(self) -> None:
        self.read_only = self._is_guarded and bool(self.text)

    def on_blur(self) -> None:
        self.read_only = self._is_guarded

    def on_unmount(self) -> None:
        drop_toasts(self.app, lambda toast: toast.message == _CLOSED)

    def on_click(self) -> None:
        self.read_only = False

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Whether a key types text instead of running a binding. A closed box refuses text, but not the help's key."""
        is_help = self._is_closed and key in keymap_in_use().keys_of(ACTIONS["dialog.help"])
        return not is_help and (is_typed(character) or super().check_consume_key(key, character))

    def on_paste(self, event: events.Paste) -> None:
        """Insert the whole paste, or nothing if the box is closed or the prompt gets too long: half would be wrong."""
        size = sum(len(prompt_bytes(Prompt(text))) for text in (self.text, event.text))
        is_too_long = size - len(prompt_bytes(Prompt(self.selected_text))) > MAX_PROMPT_BYTES
        if self._is_closed or is_too_long:
            consume(event)
            if self._is_closed:
                self.app.notify(_CLOSED, markup=False)
            else:
                text = f"Nothing pasted: a prompt has at most {MAX_PROMPT_BYTES:,} bytes."
                self.app.notify(text, severity="warning", markup=False)

    async def _on_key(self, event: events.Key) -> None:
        if await handled_elsewhere(self, event):
            return
        text = text_of(event) if self.check_consume_key(event.key, event.character) else None
        if self._is_closed and (event.key == "enter" or text is not None):
            consume(event)
            if event.key == "enter":
                self.read_only = False
            else:
                self.app.notify(_CLOSED, markup=False)
        elif event.key == "enter" or self.read_only or (text is not None and event.is_printable):
            await super()._on_key(event)
        elif text is not None:
            consume(event)
            type_into(self, text)
        else:
            event.prevent_default()  # Textual would insert the letter of alt+letter
            await do_binding(self, event)


class PromptText:
    """Keeps the original prompt until the user edits the text, because the box shows only cleaned text."""

    def __init__(self) -> None:
        self._prompt = Prompt("")
        self._shown = ""
        self.changed_outside = False
        """Whether an external editor changed the prompt."""

    def put(self, prompt: Prompt, shown: str) -> None:
        """Record that the box contains this prompt, displayed as `shown`."""
        self._prompt, self._shown, self.changed_outside = prompt, shown, False

    def edited(self, text: str) -> bool:
        return self.changed_outside or text != self._shown

    def read(self, text: str) -> Prompt:
        """The original prompt if the box's text is unedited, else the text with the original's line ends."""
        if text == self._shown:
            return self._prompt
        return Prompt(text.replace("\n", "\r\n") if "\r\n" in self._prompt else text)

    def facts(self, text: str) -> str:
        """The prompt's length, whether it was edited, and whether the original has tabs or control characters."""
        prompt = self.read(text)
        facts = f"{count(len(prompt.split()), 'word')}, {count(len(prompt), 'character')}"
        if self.edited(text):
            facts += " · edited"
        if has_controls(self._prompt) or "\t" in self._prompt:
            facts += " · has tabs or control characters, sent unchanged unless you edit here"
        return facts
