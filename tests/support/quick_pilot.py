"""A pytest plugin that halves the time of screen tests (private parts of Textual 8.2.8: `test_textual_private.py`).

- After a key, a pilot waits until the app is idle: by default twice 20 ms in which the whole process, with its
  servers, is nearly idle. Here an app is idle if its loop has nothing ready and no widget has a pending message,
  layout, repaint or animation, twice in a row.
- Pending layouts and repaints are batched for 2 ms instead of a sixtieth of a second.
- Nothing is painted until a test reads the screen (`watching.screen_text`); apps in `painted` paint every change as
  the program does, for tests that count paintings.
- Each style sheet is parsed once per process, not once per app, and all apps share a cache of the resulting styles.
- Strips have light caches as in the program, also in apps that are not ours.
- Paintings are counted, so that a test waiting for text reads the screen again only after a repaint.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import textual.app
import textual.pilot
import textual.screen
from textual._compositor import Compositor
from textual._context import active_app
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.dom import NoScreen

from cekura_tui.ui.terminal.textual_private import AppStylesheet, fire_single_timers, make_strips_light

STEP, ROUNDS = 0.002, 2
"""Seconds between two checks whether the app is idle, and the number of checks in a row that must find it idle."""
BUSY = 0.25
"""Largest share of CPU time in a step, over all threads, at which the process counts as idle."""

PERIOD = 0.002
"""Seconds for which pending layouts and repaints are batched."""

paintings: WeakKeyDictionary[App[Any], int] = WeakKeyDictionary()
"""Number of paintings of each app."""
painted: WeakSet[App[Any]] = WeakSet()
"""Apps that paint every change although they have no terminal."""
_last_idle: WeakKeyDictionary[App[Any], float] = WeakKeyDictionary()

_parse_rules, _render_update = Stylesheet._parse_rules, Compositor.render_update
_parsed: dict[tuple[object, ...], Any] = {}
_variables: WeakKeyDictionary[Stylesheet, tuple[dict[str, str], frozenset[tuple[str, str]]]] = WeakKeyDictionary()
_init = AppStylesheet.__init__


class _Uncleared(dict[tuple[object, ...], Any]):
    def clear(self) -> None:
        """Keep all entries, although each app clears its cache when it sets its theme."""


_style_cache = _Uncleared()
"""Styles of nodes. All apps share this cache, because all apps share the parsed rules."""


def is_pending(app: App[object]) -> bool:
    """Whether the app still has something to handle, lay out, paint or animate."""
    try:
        screen: Any = app.screen
    except (NoScreen, textual.app.ScreenStackError):
        return False
    if screen._layout_required or screen._scroll_required or screen._repaint_required or screen._recompose_required:
        return True
    if screen._dirty_widgets or screen._callbacks:
        return True
    if app._batch_count or app._resize_timer or app._animator._animations or app._animator._scheduled:
        return True
    return any(
        widget._next_callbacks or not widget._message_queue.empty()
        for widget in (app, *screen.walk_children(with_self=True))
    )


async def wait_for_idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until the app is idle, for at most `max_sleep` seconds. Replaces Textual's function of this name;
    `min_sleep` is ignored."""
    loop: Any = asyncio.get_running_loop()
    app = active_app.get(None)
    now = time.monotonic()
    if app is not None and app._exit:
        return  # an exiting app leaves its pending work undone
    if app is not None and now - _last_idle.get(app, 0.0) < STEP / 2 and not loop._ready and not is_pending(app):
        return
    end, quiet = now + max_sleep, 0
    while quiet < ROUNDS and time.monotonic() < end:
        used = time.process_time()
        await asyncio.sleep(STEP)
        is_calm = time.process_time() - used < STEP * BUSY
        is_calm = is_calm and not loop._ready and (app is None or not is_pending(app))
        quiet = quiet + 1 if is_calm else 0
    if app is not None:
        _last_idle[app] = time.monotonic()


def _parsed_once(
    self: Stylesheet, css: str, read_from: Any, is_default_rules: bool = False, tie_breaker: int = 0, scope: str = ""
) -> Any:
    if (named := _variables.get(self)) is None or named[0] is not self._variables:
        named = _variables[self] = self._variables, frozenset(self._variables.items())
    key = (css, read_from, is_default_rules, tie_breaker, scope, named[1])
    if (rules := _parsed.get(key)) is None:
        rules = _parsed[key] = _parse_rules(self, css, read_from, is_default_rules, tie_breaker, scope)
    return rules


def _share_style_cache(self: AppStylesheet, **options: Any) -> None:
    _init(self, **options)
    self._style_cache = _style_cache


def _counted(self: Compositor, full: bool = False, screen_stack: Any = None, simplify: bool = False) -> Any:
    app = active_app.get()
    paintings[app] = paintings.get(app, 0) + bool(self._dirty_regions)
    if full or app in painted or not app.is_headless:
        return _render_update(self, full, screen_stack, simplify)
    self._dirty_regions.clear()
    return None


textual.app.wait_for_idle = textual.pilot.wait_for_idle = wait_for_idle  # type: ignore[attr-defined]
textual.screen.UPDATE_PERIOD = PERIOD  # type: ignore[misc]
Stylesheet._parse_rules = _parsed_once  # type: ignore[method-assign]
AppStylesheet.__init__ = _share_style_cache  # type: ignore[method-assign, assignment]
textual.app.Stylesheet = AppStylesheet  # type: ignore[misc]
Compositor.render_update = _counted  # type: ignore[method-assign]
make_strips_light()
fire_single_timers()
