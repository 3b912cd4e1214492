"""Handle keys one after the other, even if several arrive together, as over a slow connection."""

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
"""Seconds that keys wait for a dialog to load, before a placeholder opens and receives them."""

_focus_at: WeakKeyDictionary[events.Key, Widget | None] = WeakKeyDictionary()
"""For each key, the widget that had the focus when the key arrived."""

StandIn = Callable[[str, Callable[[], object], Callable[[], bool]], Screen[None]]
"""Makes a placeholder from its text, a function that cancels loading, and one that returns whether loading is over."""


class PendingDialog:
    """A dialog that a screen opens once something is loaded; until then no key reaches the screen."""

    def __init__(self, screen: Screen[Any], make_stand_in: StandIn) -> None:
        self._screen, self._make_stand_in = screen, make_stand_in
        self._worker: Worker[None] | None = None
        """Loads and opens the dialog; None once the wait is over."""
        self._stand_in: Screen[None] | None = None
        self._takes_keys = asyncio.Event()
        """Set unless keys must wait for the dialog or its placeholder to open."""
        self._takes_keys.set()

    def begin(self, work: Callable[[], Awaitable[None]], words: str, *, group: str) -> None:
        """Run `work`, which opens a dialog with `ask` or after `end_wait`, or opens none.

        `words` describe what is loaded, for the placeholder.
        """
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
        """Open the dialog and wait for its answer; must be called in a worker."""
        self.arrived()
        return await asyncio.shield(self._screen.app.push_screen(dialog, wait_for_dismiss=True))

    def arrived(self) -> None:
        """Stop waiting: the dialog opens now, or will not open."""
        self._worker = None
        self._takes_keys.set()
        if (stand_in := self._stand_in) is not None:
            self._stand_in = None
            if stand_in.is_active:
                stand_in.dismiss(None)

    async def wait(self) -> None:
        """Wait until the dialog or its placeholder is open."""
        # The work may begin another wait, for example first save a decision, then load the dialog.
        while not self._takes_keys.is_set():
            await self._takes_keys.wait()

    def _show_stand_in(self, worker: Worker[None]) -> None:
        app = self._screen.app
        if self._worker is worker and app.screen is self._screen:
            self._stand_in = self._make_stand_in(worker.name, worker.cancel, lambda: self._worker is not worker)
            app.push_screen(self._stand_in)
            self._takes_keys.set()


def note_focus(event: events.Key, focused: Widget | None) -> None:
    """Record which widget has the focus as a key arrives.

    If the focus has moved when the key bubbles up to the screen, the key is for the newly focused widget.
    """
    _focus_at[event] = focused


async def passed_on(widget: Widget, event: events.Key) -> bool:
    """Forward a key to the current focus if an earlier key moved it away from this widget.

    Drops the key if it was pressed too early for the screen. Returns whether the key was forwarded or dropped.
    """
    app = widget.app
    opening = getattr(widget.screen, "opening", None)
    if isinstance(opening, PendingDialog):
        await opening.wait()
    screen = app.screen
    # A screen opened by the previous key has no focus until it is mounted.
    await wait_mounted(screen)
    focused = screen.focused
    if focused is widget or (screen is widget and focused is _focus_at.get(event, focused)):
        if not _too_early(screen, event):
            return False
        _done(event)
        return True
    _done(event)
    if not _too_early(screen, event) and not await do_key(app, event.key, priority=True):
        later = events.Key(event.key, event.character)
        later.time = event.time
        note_focus(later, screen.focused)
        forward_key(screen.focused or screen, later)
    return True


async def do_binding(widget: Widget, event: events.Key) -> None:
    """Run a key's binding at once; Textual would first bubble the key up to the app."""
    if await do_key(widget.app, event.key):
        _done(event)


async def do_in_order(screen: Widget, event: events.Key) -> None:
    """Implement a screen's `_on_key`: do the keys that its widgets ignored, and forward those for another screen."""
    if _too_early(screen, event):
        _done(event)
    elif not await passed_on(screen, event):
        await do_binding(screen, event)
        event.stop()  # it must not bubble to the app, which may have another screen on top by then


def _too_early(screen: Widget, event: events.Key) -> bool:
    """Whether a key other than esc was pressed before the user could see this screen."""
    return event.key != "escape" and event.time < getattr(screen, "deaf_until", 0.0)


def _done(event: events.Key) -> None:
    event.stop()
    event.prevent_default()
