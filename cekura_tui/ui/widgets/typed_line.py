"""A line to type into that takes keys in the order in which they come, however fast."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class TypedLine(Input):
    """Textual's own puts letters in at once and looks at all other keys when these have gone up to the app.

    Of keys that come together, as over a slow connection, a letter would overtake the backspace before it.
    """

    def entered(self, value: str) -> bool:
        """Whether enter was answered here, before the next key is looked at; else a message tells of it."""
        return False

    async def action_submit(self) -> None:
        """Enter."""
        if not self.entered(self.value):
            await super().action_submit()

    async def _on_key(self, event: events.Key) -> None:
        screen = self.app.screen
        if screen.focused is not self:
            # The key before this one led away from here, maybe to another screen.
            event.stop()
            event.prevent_default()
            if not await self.app._check_bindings(event.key, priority=True):
                # A new event: one that is stopped would go no further there.
                (screen.focused or screen)._forward_event(events.Key(event.key, event.character))
        elif event.is_printable:
            await super()._on_key(event)
        elif await self.app._check_bindings(event.key):
            event.stop()
            event.prevent_default()
