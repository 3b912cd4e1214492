"""Keys that come together, as over a slow connection, done one after the other: what one changes holds for the next."""

from __future__ import annotations

import asyncio
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

StandIn = Callable[[str, Callable[[], object], Callable[[], bool]], Screen[None]]
"""Makes a screen that says what is waited for: one function cancels the wait, the other says whether it is over."""


class PendingDialog:
    """The dialog that a screen is about to open, for which something is still to be read: no key that comes meanwhile
    gets to the screen. What opens at once needs none of this."""

    def __init__(self, screen: Screen[Any], make_stand_in: StandIn) -> None:
        self._screen, self._make_stand_in = screen, make_stand_in
        self._worker: Worker[None] | None = None
        """What reads, and opens the dialog; None once that is open, or where none is coming."""
        self._stand_in: Screen[None] | None = None
        self._takes_keys = asyncio.Event()
        """Whether keys need not wait: it is open, or something stands in for it."""
        self._takes_keys.set()

    def begin(self, work: Callable[[], Awaitable[None]], words: str, *, group: str) -> None:
        """Do work that opens a dialog by `ask` or after `arrived`, or none; `words` say what is read for it."""
        self.arrived()
        self._takes_keys.clear()

        async def open_dialog() -> None:
            try:
                await work()
            finally:
                if self._worker is worker:
                    self.arrived()

        self._worker = worker = self._screen.run_worker(open_dialog(), name=words, group=group, exclusive=True)
        asyncio.get_running_loop().call_later(PATIENCE, self._show_stand_in, worker)

    async def ask(self, dialog: Screen[T]) -> T | None:
        """Open the dialog and wait for its answer; in a worker."""
        self.arrived()
        return await asyncio.shield(self._screen.app.push_screen(dialog, wait_for_dismiss=True))

    def arrived(self) -> None:
        """It is opened now, or is not coming: keys are waiting no more."""
        self._worker = None
        self._takes_keys.set()
        if (stand_in := self._stand_in) is not None:
            self._stand_in = None
            if stand_in.is_active:
                stand_in.dismiss(None)

    async def wait(self) -> None:
        """For a key: wait until it is opened, or something stands in for it."""
        # What was waited for may begin to open the next thing: a decision that is saved, then the dialog with its runs.
        while not self._takes_keys.is_set():
            await self._takes_keys.wait()

    def _show_stand_in(self, worker: Worker[None]) -> None:
        app = self._screen.app
        if self._worker is worker and app.screen is self._screen:
            self._stand_in = self._make_stand_in(worker.name, worker.cancel, lambda: self._worker is not worker)
            app.push_screen(self._stand_in)
            self._takes_keys.set()


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
