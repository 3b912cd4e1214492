"""Which keys are text: also characters that have no ink of their own, which Textual takes for no text.

A line to type into that takes keys in the order in which they come, however fast.

A box to type a prompt into, which takes every key that is text, in the order in which keys come.

A prompt in a text box: exact until somebody types, however the box would show it.
"""

from __future__ import annotations

import unicodedata

from textual import events
from textual.widgets import Input, TextArea

from cekura_tui.model.text import Prompt, clean, count, has_controls
from cekura_tui.ui.kit.keys_in_order import do_binding, passed_on
from cekura_tui.ui.terminal.textual_private import type_into

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
    drops joiners and other characters that have no ink of their own.
    """

    def entered(self, value: str) -> bool:
        """Whether enter was answered here, before the next key is looked at; else a message tells of it."""
        return False

    async def action_submit(self) -> None:
        """Enter."""
        if not self.entered(self.value):
            await super().action_submit()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is text here, and so no binding."""
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


class PromptArea(TextArea):
    """Textual's own drops what `str.isprintable()` denies, without which Persian is misspelt and emoji fall apart."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False, compact=True)
        self.cursor_blink = False

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Whether a key is text here, and so no binding."""
        return (not self.read_only and is_typed(character)) or super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        if await passed_on(self, event):
            return
        text = text_of(event)
        if event.key == "enter" or self.read_only or (text is not None and event.is_printable):
            await super()._on_key(event)
        elif text is not None:
            event.stop()
            event.prevent_default()
            type_into(self, text)
        else:
            event.prevent_default()  # Textual would type what is pressed with alt
            await do_binding(self, event)


class PromptText:
    """Knows whether the box was edited. A box shows cleaned text with newlines, so only an edited one is read back."""

    def __init__(self) -> None:
        self._prompt = Prompt("")
        self._shown = ""
        self.changed_outside = False
        """Whether an editor changed the prompt before it was put here."""

    def put(self, prompt: Prompt, shown: str) -> None:
        """This prompt is in the box now, which reads back as `shown`."""
        self._prompt, self._shown, self.changed_outside = prompt, shown, False

    def edited(self, text: str) -> bool:
        """Whether the text is another than what was put in."""
        return self.changed_outside or text != self._shown

    def read(self, text: str) -> Prompt:
        """The prompt that this text stands for: the exact one, or the edited text with the line ends it had."""
        if text == self._shown:
            return self._prompt
        return Prompt(text.replace("\n", "\r\n") if self._crlf else text)

    @property
    def _crlf(self) -> bool:
        return "\r\n" in self._prompt

    def facts(self, text: str) -> str:
        """How long the prompt of this text is, whether it was edited, and what the box does not show of it."""
        prompt = self.read(text)
        edited = " · edited" if self.edited(text) else ""
        return f"{count(len(prompt.split()), 'word')}, {count(len(prompt), 'character')}{edited}{self._note}"

    @property
    def _note(self) -> str:
        hidden = has_controls(self._prompt) or "\t" in self._prompt
        return " · has tabs or control characters, sent as they are unless you edit here" if hidden else ""
