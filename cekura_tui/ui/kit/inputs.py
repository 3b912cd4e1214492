"""A single-line input that handles keys in the order they arrive, and functions that decide which keys are text."""

from __future__ import annotations

import unicodedata
from typing import Any, ClassVar

from textual import events
from textual.reactive import reactive
from textual.widgets import Input

from cekura_tui.model.text import clean
from cekura_tui.ui.actions import bind, do_action, is_offered
from cekura_tui.ui.kit.keys_in_order import consume, do_binding, handled_elsewhere
from cekura_tui.ui.terminal.cells import one_line

_NO_TEXT = ("Cc", "Cs", "Co", "Zl", "Zp")
"""Unicode categories that are not text; some terminals send private characters (Co) for function keys."""


def text_of(event: events.Key) -> str | None:
    """The character that a key types; None if the key types no text, for example with alt."""
    return event.character if is_typed(event.character) and not event.key.startswith("alt+") else None


def is_typed(character: str | None) -> bool:
    """Whether a character is text. Joiners, spaces and new emoji count as text if `clean()` keeps them."""
    if character is None or len(character) != 1:
        return False
    return character.isprintable() or (
        unicodedata.category(character) not in _NO_TEXT and clean(character) == character
    )


class TypedLine(Input):
    """An input that keeps joiners, limits its length, pastes one line, and handles keys in order: with Textual's own
    input, a letter overtakes a backspace pressed before over a slow connection."""

    cursor_blink = reactive(False, init=False)
    """Off, because a blinking cursor would keep writing to the terminal."""
    longest: ClassVar[int] = 1_000
    """Maximum number of characters; there is a limit because each key redraws the whole line."""
    _full = False

    def __init_subclass__(cls, **options: Any) -> None:
        bind(cls)
        super().__init_subclass__(**options)

    action_do = do_action
    check_action = is_offered

    def entered(self, value: str) -> bool:
        """A subclass may handle enter here, before the next key, and return True. False posts `Input.Submitted`."""
        return False

    async def action_submit(self) -> None:
        if not self.entered(self.value):
            await super().action_submit()

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace a range with as much of the text as fits; warn if the text is cut. Line ends become spaces."""
        start, end = sorted((start, end))
        room = max(self.longest - len(self.value) + end - start, 0)
        fits = one_line(text[: 2 * self.longest])
        full, self._full = self._full, len(fits) > room
        if self._full and not full:
            self.app.notify(f"Too long: at most {self.longest:,} characters.", severity="warning", markup=False)
        super().replace(fits[:room], start, end)

    def on_paste(self, event: events.Paste) -> None:
        """Insert all lines; Textual would insert only the first."""
        consume(event)
        self.replace(" ".join(event.text[: 2 * self.longest].splitlines()), *self.selection)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return is_typed(character)

    async def _on_key(self, event: events.Key) -> None:
        if await handled_elsewhere(self, event):
            return
        if (text := text_of(event)) is None or not self.check_consume_key(event.key, text):
            event.prevent_default()  # Textual would insert the letter of alt+letter
            await do_binding(self, event)
        elif event.is_printable:
            await super()._on_key(event)
        else:
            consume(event)
            self.replace(text, *self.selection)
