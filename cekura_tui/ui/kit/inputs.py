"""A line to type into that handles keys in the order they arrive, and which keys are text.

Characters without ink of their own, such as joiners, are text here; Textual drops them.
"""

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
"""Controls, halves of characters, ends of lines; and what terminals send for keys that have no character."""


def text_of(event: events.Key) -> str | None:
    """What a key types; None for one that is none, as one pressed with alt."""
    return event.character if is_typed(event.character) and not event.key.startswith("alt+") else None


def is_typed(character: str | None) -> bool:
    """Whether a keyboard means this as text: joiners and marks of direction, spaces of any kind, emoji that are newer
    than this Python. What `clean()` removes is not: nobody would see that it is there."""
    if character is None or len(character) != 1:
        return False
    return character.isprintable() or (
        unicodedata.category(character) not in _NO_TEXT and clean(character) == character
    )


class TypedLine(Input):
    """Textual's own puts letters in at once and looks at all other keys when these have gone up to the app.

    Of keys that come together, as over a slow connection, a letter would overtake the backspace before it. It also
    drops joiners and other characters that have no ink of their own. A paste is one line here and so long at the most:
    each key draws the whole line again.
    """

    cursor_blink = reactive(False, init=False)
    """A blinking cursor would write to the terminal for ever."""
    longest: ClassVar[int] = 1_000
    """Characters that it takes."""
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
        """Put text between these places; as much of it as there is room for, and of several lines only spaces stay."""
        start, end = sorted((start, end))
        room = max(self.longest - len(self.value) + end - start, 0)
        # Far more than there is room for is not worth cleaning.
        fits = one_line(text[: 2 * self.longest])
        full, self._full = self._full, len(fits) > room
        if self._full and not full:
            self.app.notify(f"Too long: at most {self.longest:,} characters.", severity="warning", markup=False)
        super().replace(fits[:room], start, end)

    def on_paste(self, event: events.Paste) -> None:
        """Put all lines of a paste into one; Textual takes the first line alone."""
        event.prevent_default()
        event.stop()
        self.replace(" ".join(event.text[: 2 * self.longest].splitlines()), *self.selection)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return is_typed(character)

    async def _on_key(self, event: events.Key) -> None:
        if await passed_on(self, event):
            return
        if (text := text_of(event)) is None:
            event.prevent_default()  # Textual would type what is pressed with alt
            await do_binding(self, event)
        elif event.is_printable:
            await super()._on_key(event)
        else:
            event.stop()
            event.prevent_default()
            self.replace(text, *self.selection)
