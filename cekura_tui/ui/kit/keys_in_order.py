"""Handle keys one after the other, even if several arrive together, as over a slow connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

from textual import events
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from cekura_tui.ui.terminal.textual_private import do_key, forward_key, wait_mounted

T = TypeVar("T")
LOADING_PATIENCE = 1.0
"""Seconds that keys wait for a dialog to load before a placeholder opens and receives the keys."""

_focus_at: WeakKeyDictionary[events.Key, Callable[[], Widget | None]] = WeakKeyDictionary()
"""For each key, a weak reference (as the screen may reference the key) to the widget in focus when it arrived."""

MakePlaceholder = Callable[[str, Callable[[], object], Callable[[], bool]], Screen[None]]
"""Makes a placeholder screen from its text, a function that cancels loading, and one that says if loading has ended."""


class PendingDialog:
    """A dialog that a screen opens after loading data. Until it or a placeholder opens, no key reaches the screen."""

    def __init__(self, screen: Screen[Any], make_placeholder: MakePlaceholder) -> None:
        self._screen, self._make_placeholder = screen, make_placeholder
        self._worker: Worker[None] | None = None
        """The worker that loads data and opens the dialog; None once the wait is over."""
        self._placeholder: Screen[None] | None = None
        self._may_pass_keys = asyncio.Event()
        """Set unless keys must wait for the dialog or its placeholder to open."""
        self._may_pass_keys.set()

    def begin(self, work: Callable[[], Awaitable[None]], words: str, *, group: str) -> None:
        """Run `work` in a worker of this group; `words` describe the data that `work` loads. To open a dialog, `work`
        calls `ask`, or calls `end_wait` and then opens the dialog itself."""
        self.end_wait()
        self._may_pass_keys = asyncio.Event()

        async def open_dialog() -> None:
            try:
                await work()
            finally:
                if self._worker is worker:
                    self.end_wait()

        worker: Worker[None] = self._screen.run_worker(open_dialog, name=words, group=group, exclusive=True)
        self._worker = worker
        asyncio.get_running_loop().call_later(LOADING_PATIENCE, self._show_placeholder, worker)

    async def ask(self, dialog: Screen[T]) -> T | None:
        """Open a dialog and return its result, None if the dialog is closed without one. Must be called in a worker."""
        self.end_wait()
        return await asyncio.shield(self._screen.app.push_screen(dialog, wait_for_dismiss=True))

    def hold_keys(self) -> None:
        """Let keys wait for a screen that is loading, until `end_wait` or at most `LOADING_PATIENCE` seconds."""
        self._may_pass_keys = asyncio.Event()  # a new one, as the timer must not end a later wait
        asyncio.get_running_loop().call_later(LOADING_PATIENCE, self._may_pass_keys.set)

    def end_wait(self) -> None:
        """Let keys pass and close the placeholder, because the dialog opens now or will not open."""
        self._worker = None
        self._may_pass_keys.set()
        if (placeholder := self._placeholder) is not None:
            self._placeholder = None
            if placeholder.is_active:
                placeholder.dismiss(None)

    async def wait(self) -> None:
        """Wait until the dialog or its placeholder is open, or until loading ended without a dialog."""
        # The work may begin another wait, for example first save a decision, then load the dialog.
        while not self._may_pass_keys.is_set():
            await self._may_pass_keys.wait()

    def _show_placeholder(self, worker: Worker[None]) -> None:
        app = self._screen.app
        if self._worker is worker and app.screen is self._screen:
            self._placeholder = self._make_placeholder(worker.name, worker.cancel, lambda: self._worker is not worker)
            app.push_screen(self._placeholder)
            self._may_pass_keys.set()


def note_focus(event: events.Key, focused: Widget | None) -> None:
    """Record the focus when a key arrives. If the focus moves before the key is handled, the key follows the focus."""
    _focus_at[event] = ref(focused) if focused is not None else lambda: None


async def handled_elsewhere(widget: Widget, event: events.Key) -> bool:
    """Forward a key to the current focus if an earlier key moved the focus away from this widget. Drops the key if it
    was pressed too early for the screen. Returns whether the key was forwarded or dropped."""
    app = widget.app
    opening = getattr(widget.screen, "opening", None)
    if isinstance(opening, PendingDialog):
        await opening.wait()
    screen = app.screen
    # A screen opened by the previous key has no focus until it is mounted.
    await wait_mounted(screen)
    focused = screen.focused
    if focused is widget or (screen is widget and focused is _focus_at.get(event, lambda: focused)()):
        if not _too_early(screen, event):
            return False
        consume(event)
        return True
    consume(event)
    if not _too_early(screen, event) and not await do_key(app, event.key, priority=True):
        later = events.Key(event.key, event.character)
        later.time = event.time
        note_focus(later, screen.focused)
        forward_key(screen.focused or screen, later)
    return True


async def do_binding(widget: Widget, event: events.Key) -> None:
    """Run a key's binding at once; Textual would first bubble the key up to the app."""
    if await do_key(widget.app, event.key):
        consume(event)


async def do_in_order(screen: Widget, event: events.Key) -> None:
    """Implement a screen's `_on_key`: run the binding, forward the key if the focus moved, or drop an early key."""
    if _too_early(screen, event):
        consume(event)
    elif not await handled_elsewhere(screen, event):
        await do_binding(screen, event)
        event.stop()  # it must not bubble to the app, which may have another screen on top by then


def _too_early(screen: Widget, event: events.Key) -> bool:
    """Whether a key other than esc was pressed before the user could see this screen."""
    return event.key != "escape" and event.time < getattr(screen, "keys_dropped_until", 0.0)


def consume(event: events.Key | events.Paste) -> None:
    event.stop()
    event.prevent_default()
