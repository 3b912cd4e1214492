"""A pytest plugin: screen tests in half the time. Read in Textual 8.2.8; `test_quick_pilot.py` watches over it.

- A key of a pilot waits until the app is idle, by default twice 20 ms in which the whole process, with its servers,
  must be nearly still. Here idle means what it says: this loop has nothing ready, and no widget has a message, a
  layout, a painting or an animation pending, twice in a row.
- Every app parses its style sheets, though they are the same: here each is parsed once a process.
- Paintings are counted: who waits for something to be on screen looks again only when the screen was painted again.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from weakref import WeakKeyDictionary

import textual.app
import textual.pilot
from textual._context import active_app
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.dom import NoScreen

STEP, ROUNDS = 0.002, 2
"""Seconds between two looks, and how many in a row must find everything calm."""
BUSY = 0.25
"""The share of a step that other threads may use while it still counts as calm."""

paintings: WeakKeyDictionary[App[Any], int] = WeakKeyDictionary()
"""How often each app was painted."""

_parse_rules, _display = Stylesheet._parse_rules, App._display
_parsed: dict[tuple[object, ...], Any] = {}


def is_pending(app: App[object]) -> bool:
    """Whether anything is still to be handled, laid out, painted or moved."""
    try:
        screen: Any = app.screen
    except (NoScreen, textual.app.ScreenStackError):
        return False
    if screen._layout_required or screen._scroll_required or screen._repaint_required or screen._recompose_required:
        return True
    if screen._dirty_widgets or screen._callbacks:
        return True
    if app._batch_count or app._animator._animations or app._animator._scheduled:
        return True
    return any(
        widget._next_callbacks or not widget._message_queue.empty()
        for widget in (app, *screen.walk_children(with_self=True))
    )


async def wait_for_idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """In place of Textual's, with its arguments; the shortest sleep is not needed."""
    loop: Any = asyncio.get_running_loop()
    end, quiet = time.monotonic() + max_sleep, 0
    app = active_app.get(None)
    while quiet < ROUNDS and time.monotonic() < end:
        used = time.process_time()
        await asyncio.sleep(STEP)
        is_calm = time.process_time() - used < STEP * BUSY
        is_calm = is_calm and not loop._ready and (app is None or not is_pending(app))
        quiet = quiet + 1 if is_calm else 0


def _parsed_once(
    self: Stylesheet, css: str, read_from: Any, is_default_rules: bool = False, tie_breaker: int = 0, scope: str = ""
) -> Any:
    key = (css, read_from, is_default_rules, tie_breaker, scope, frozenset(self._variables.items()))
    if key not in _parsed:
        _parsed[key] = _parse_rules(self, css, read_from, is_default_rules, tie_breaker, scope)
    return _parsed[key]


def _counted(self: App[Any], screen: Any, renderable: Any) -> None:
    paintings[self] = paintings.get(self, 0) + 1
    _display(self, screen, renderable)


textual.app.wait_for_idle = textual.pilot.wait_for_idle = wait_for_idle  # type: ignore[attr-defined]
Stylesheet._parse_rules = _parsed_once  # type: ignore[method-assign]
App._display = _counted  # type: ignore[method-assign]
