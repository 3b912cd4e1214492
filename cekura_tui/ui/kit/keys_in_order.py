"""Keys that come together, as over a slow connection, done one after the other: what one changes holds for the next."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from textual import events
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from cekura_tui.ui.terminal.textual_private import do_key, forward_key, wait_mounted

T = TypeVar("T")
PATIENCE = 1.0
"""Seconds that keys wait for what the key before them opens; then something stands in for it, and takes them."""

_focus_at: WeakKeyDictionary[events.Key, Widget | None] = WeakKeyDictionary()
"""The widget that had the focus when each key arrived."""

StandIn = Callable[[str, Callable[[], object]], Screen[None]]
"""Makes a screen that says what is waited for, and can be told to wait no more."""


class PendingDialog:
    """The dialog that a screen is about to open, for which something is still to be read: no key that comes meanwhile
    gets to the screen. What opens at once needs none of this."""

    def __init__(self, screen: Screen[Any], stand_in: StandIn) -> None:
        self._screen, self._make_stand_in = screen, stand_in
        self._there: asyncio.Event | None = None
        self._words = ""
        self._worker: Worker[None] | None = None
        self._stand_in: Screen[None] | None = None

    def begin(self, work: Callable[[], Awaitable[None]], words: str, *, group: str) -> None:
        """Do work that opens a dialog by `ask` or after `arrived`, or none; `words` say what is read for it."""
        self.arrived()
        self._there = there = asyncio.Event()
        self._words = words

        async def open_dialog() -> None:
            try:
                await work()
            finally:
                if self._there is there:
                    self.arrived()

        self._worker = self._screen.run_worker(open_dialog, group=group, exclusive=True)
        self._screen.app.set_timer(PATIENCE, lambda: self._show_stand_in(there))

    async def ask(self, dialog: Screen[T]) -> T | None:
        """Open the dialog and wait for its answer; in a worker."""
        self.arrived()
        return await asyncio.shield(self._screen.app.push_screen(dialog, wait_for_dismiss=True))

    def arrived(self) -> None:
        """It is opened now, or is not coming: keys are waiting no more."""
        if self._there is not None:
            self._there.set()
            self._there = None
        if (stand_in := self._stand_in) is not None:
            self._stand_in = None
            if self._screen.app.screen is stand_in:
                stand_in.dismiss(None)
                return

            def dismiss(top: Screen[Any]) -> None:
                if top is stand_in:
                    stand_in.dismiss(None)

            # The help or the palette was opened over it: it goes once it is seen again.
            self._screen.app.screen_change_signal.subscribe(stand_in, dismiss)

    async def wait(self) -> None:
        """For a key: wait until it is opened, or something stands in for it."""
        waited_for = None
        # What was waited for may begin to open the next thing: a decision that is saved, then the dialog with its runs.
        while (there := self._there) is not None and there is not waited_for:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(there.wait(), PATIENCE)
            self._show_stand_in(there)
            waited_for = there

    def _show_stand_in(self, there: asyncio.Event) -> None:
        app, worker = self._screen.app, self._worker
        if self._there is there and self._stand_in is None and app.screen is self._screen and worker is not None:
            self._stand_in = self._make_stand_in(self._words, worker.cancel)
            app.push_screen(self._stand_in)


def note_focus(event: events.Key, focused: Widget | None) -> None:
    """Record which widget has the focus as a key arrives: if another has it when the key bubbles up to the screen, the
    key is for that one."""
    _focus_at[event] = focused


async def passed_on(widget: Widget, event: events.Key) -> bool:
    """Give a key to where the focus is by now, if the key before it led away from this widget, and drop one that was
    pressed too early for this screen; returns whether there is nothing left to do."""
    app = widget.app
    opening = getattr(widget.screen, "opening", None)
    if isinstance(opening, PendingDialog):
        await opening.wait()
    screen = app.screen
    # A screen that came by the key before has no focus until it is put together.
    await wait_mounted(screen)
    focused = screen.focused
    if focused is widget or (screen is widget and focused is _focus_at.get(event, focused)):
        if not _too_early(screen, event):
            return False
        _done(event)
        return True
    _done(event)
    if not _too_early(screen, event) and not await do_key(app, event.key, priority=True):
        # A new event: one that is stopped would go no further there.
        later = events.Key(event.key, event.character)
        later.time = event.time
        note_focus(later, screen.focused)
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
    """Whether a key was pressed when nobody could have seen this screen, which takes no such keys but the one that
    closes it."""
    return event.key != "escape" and event.time < getattr(screen, "deaf_until", 0.0)


def _done(event: events.Key) -> None:
    event.stop()
    event.prevent_default()
