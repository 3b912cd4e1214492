"""Keys that come together, as over a slow connection, done one after the other: what one changes holds for the next."""

from __future__ import annotations

import asyncio

from textual import events
from textual.widget import Widget

from cekura_tui.ui.terminal.textual_private import do_key, forward_key, put_together

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
    await put_together(screen)
    if screen is widget or screen.focused is widget:
        return False
    _done(event)
    if not _too_early(screen, event) and not await do_key(app, event.key, priority=True):
        # A new event: one that is stopped would go no further there.
        later = events.Key(event.key, event.character)
        later.time = event.time
        forward_key(screen.focused or screen, later)
    return True


async def do_binding(widget: Widget, event: events.Key) -> None:
    """Do what a key is bound to at once, where Textual would first send it up to the app."""
    if await do_key(widget.app, event.key):
        _done(event)


async def do_in_order(screen: Widget, event: events.Key) -> None:
    """For `_on_key` of a screen: do the keys its widgets left to it in their order, and those for another screen
    there."""
    if _too_early(screen, event):
        _done(event)
    elif not await passed_on(screen, event):
        await do_binding(screen, event)
        # The app has nothing more to do with it, and may have another screen on top by then.
        event.stop()


def _too_early(screen: Widget, event: events.Key) -> bool:
    """Whether a key was pressed when nobody could have seen this screen, which takes no such keys."""
    return event.time < getattr(screen, "deaf_until", 0.0)


def _done(event: events.Key) -> None:
    event.stop()
    event.prevent_default()
