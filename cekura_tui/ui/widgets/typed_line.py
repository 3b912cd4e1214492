"""A line to type into that takes keys in the order in which they come, however fast."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class TypedLine(Input):
    """Textual's own puts letters in at once and looks at all other keys when these have gone up to the app.

    Of keys that come together, as over a slow connection, a letter would overtake the backspace before it.
    """

    async def _on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if focused is not self:
            # The key before this one led away from here.
            event.stop()
            event.prevent_default()
            (focused or self.screen)._forward_event(event)
        elif event.is_printable:
            await super()._on_key(event)
        elif await self.app._check_bindings(event.key):
            event.stop()
            event.prevent_default()
