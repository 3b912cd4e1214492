"""A line to type into that takes keys in the order in which they come, however fast."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from cekura_tui.ui.widgets.keys_in_order import do_binding, passed_on
from cekura_tui.ui.widgets.typed_characters import is_typed, text_of


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
