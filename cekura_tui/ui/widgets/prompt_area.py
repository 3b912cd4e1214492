"""A box to type a prompt into, which takes every key that is text, in the order in which keys come."""

from __future__ import annotations

from textual import events
from textual.widgets import TextArea

from cekura_tui.ui.widgets.keys_in_order import do_binding, passed_on
from cekura_tui.ui.widgets.typed_characters import is_typed, text_of


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
            self._replace_via_keyboard(text, *self.selection)
        else:
            event.prevent_default()  # Textual would type what is pressed with alt
            await do_binding(self, event)
