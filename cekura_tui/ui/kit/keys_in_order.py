"""Keys that come together, as over a slow connection, done one after the other: what one changes holds for the next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import events
from textual.widget import Widget

if TYPE_CHECKING:
    _Screen = Widget
else:
    _Screen = object  # of two bases that are widgets, the style of the first alone would hold

PATIENCE = 1.0
"""Seconds that keys wait for what the key before them opens."""


async def passed_on(widget: Widget, event: events.Key) -> bool:
    """Give a key to where the focus is by now, if the key before it led away from this widget; whether it did."""
    app = widget.app
    opening = getattr(widget.screen, "opening", None)
    if isinstance(opening, asyncio.Event):
        try:
            await asyncio.wait_for(opening.wait(), PATIENCE)
        except TimeoutError:
            opening.set()  # the keys after this one wait no more
    screen = app.screen
    # A screen that came by the key before has no focus until it is put together.
    await screen._mounted_event.wait()
    if screen is widget or screen.focused is widget:
        return False
    _done(event)
    if not too_early(screen, event) and not await app._check_bindings(event.key, priority=True):
        # A new event: one that is stopped would go no further there.
        later = events.Key(event.key, event.character)
        later.time = event.time
        (screen.focused or screen)._forward_event(later)
    return True


async def do_binding(widget: Widget, event: events.Key) -> None:
    """Do what a key is bound to at once, where Textual would first send it up to the app."""
    if await widget.app._check_bindings(event.key):
        _done(event)


def too_early(screen: Widget, event: events.Key) -> bool:
    """Whether a key was pressed when nobody could have seen this screen, which takes no such keys."""
    return event.time < getattr(screen, "deaf_until", 0.0)


class KeysInOrder(_Screen):
    """A screen that does the keys its widgets left to it in their order, and those for another screen there."""

    async def _on_key(self, event: events.Key) -> None:
        if too_early(self, event):
            _done(event)
        elif not await passed_on(self, event):
            await do_binding(self, event)
            # The app has nothing more to do with it, and may have another screen on top by then.
            event.stop()


def _done(event: events.Key) -> None:
    event.stop()
    event.prevent_default()
