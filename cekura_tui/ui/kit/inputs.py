"""A line to type into that handles keys in the order they arrive, and which keys are text."""

from __future__ import annotations

import unicodedata
from typing import Any, ClassVar

from textual import events
from textual.reactive import reactive
from textual.widgets import Input

from cekura_tui.model.text import clean
from cekura_tui.ui.actions import bind, do_action, is_offered
from cekura_tui.ui.kit.keys_in_order import do_binding, passed_on
from cekura_tui.ui.terminal.cells import one_line

_NO_TEXT = ("Cc", "Cs", "Co", "Zl", "Zp")
"""Controls, surrogates, line ends, and private characters, which some terminals send for function keys."""


def text_of(event: events.Key) -> str | None:
    """The character a key types; None if it types none, for example with alt."""
    return event.character if is_typed(event.character) and not event.key.startswith("alt+") else None


def is_typed(character: str | None) -> bool:
    """Whether a character is text: also joiners, marks of direction, any spaces, and emoji newer than this Python; but
    nothing that `clean()` removes, which would be invisible."""
    if character is None or len(character) != 1:
        return False
    return character.isprintable() or (
        unicodedata.category(character) not in _NO_TEXT and clean(character) == character
    )


class TypedLine(Input):
    """Handles keys in order, keeps joiners, and limits its length; a paste becomes one line.

    Textual's own inserts letters before it handles other keys: over a slow connection a letter would overtake the
    backspace before it.
    """

    cursor_blink = reactive(False, init=False)
    """A blinking cursor would keep writing to the terminal."""
    longest: ClassVar[int] = 1_000
    """Characters at most: each key draws the whole line again."""
    _full = False

    def __init_subclass__(cls, **options: Any) -> None:
        bind(cls)
        super().__init_subclass__(**options)

    async def action_do(self, action_id: str) -> None:
        await do_action(self, action_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return is_offered(self, action, parameters)

    def entered(self, value: str) -> bool:
        """Handle enter before the next key and return True; else `Input.Submitted` is posted."""
        return False

    async def action_submit(self) -> None:
        if not self.entered(self.value):
            await super().action_submit()

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace a range by as much of the text as fits, with spaces for line ends."""
        start, end = sorted((start, end))
        room = max(self.longest - len(self.value) + end - start, 0)
        fits = one_line(text[: 2 * self.longest])
        full, self._full = self._full, len(fits) > room
        if self._full and not full:
            self.app.notify(f"Too long: at most {self.longest:,} characters.", severity="warning", markup=False)
        super().replace(fits[:room], start, end)

    def on_paste(self, event: events.Paste) -> None:
        """Insert all lines; Textual takes only the first."""
        event.prevent_default()
        event.stop()
        self.replace(" ".join(event.text[: 2 * self.longest].splitlines()), *self.selection)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return is_typed(character)

    async def _on_key(self, event: events.Key) -> None:
        if await passed_on(self, event):
            return
        if (text := text_of(event)) is None:
            event.prevent_default()  # Textual would type alt's character
            await do_binding(self, event)
        elif event.is_printable:
            await super()._on_key(event)
        else:
            event.stop()
            event.prevent_default()
            self.replace(text, *self.selection)
