"""Keys that come together, as over a slow connection, done one after the other: what one changes holds for the next."""

from __future__ import annotations

from textual import events
from textual.widget import Widget


async def passed_on(widget: Widget, event: events.Key) -> bool:
    """Give a key to where the focus is by now, if the key before it led away from this widget; whether it did."""
    app, screen = widget.app, widget.app.screen
    if screen.focused is widget:
        return False
    _done(event)
    if not await app._check_bindings(event.key, priority=True):
        # A new event: one that is stopped would go no further there.
        (screen.focused or screen)._forward_event(events.Key(event.key, event.character))
    return True


async def do_binding(widget: Widget, event: events.Key) -> None:
    """Do what a key is bound to at once, where Textual would first send it up to the app."""
    if await widget.app._check_bindings(event.key):
        _done(event)


def _done(event: events.Key) -> None:
    event.stop()
    event.prevent_default()
