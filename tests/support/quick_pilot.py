"""A pytest plugin: screen tests in half the time. Read in Textual 8.2.8; `test_textual_private.py` watches over it.

- A key of a pilot waits until the app is idle, by default twice 20 ms in which the whole process, with its servers,
  must be nearly still. Here idle means what it says: this loop has nothing ready, and no widget has a message, a
  layout, a painting or an animation pending, twice in a row.
- Layouts and paintings that are due wait 2 ms for more of their kind, not a sixtieth of a second.
- What no terminal shows is painted when a test looks at it (`watching.screen_text`), not at every change; `painted`
  apps are painted as the program is, for tests that count it.
- Every app parses its style sheets, though they are the same, and looks through all rules for every widget: here each
  sheet is parsed once a process, and what its rules make of a widget is found once for all that they can ask of it.
- Strips are as light as in the program, also of widgets without our app.
- Paintings are counted: who waits for something to be on screen looks again only when the screen was painted again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import textual.app
import textual.pilot
import textual.screen
from textual._compositor import Compositor
from textual._context import active_app
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode, NoScreen

from cekura_tui.ui.terminal.textual_private import make_strips_light

STEP, ROUNDS = 0.002, 2
"""Seconds between two looks, and how many in a row must find everything calm."""
BUSY = 0.25
"""The share of a step that other threads may use while it still counts as calm."""

PERIOD = 0.002
"""Seconds for which a layout or a painting that is due waits for more."""

paintings: WeakKeyDictionary[App[Any], int] = WeakKeyDictionary()
"""How often each app was painted."""
painted: WeakSet[App[Any]] = WeakSet()
"""Apps that paint every change though they have no terminal."""
_last_idle: WeakKeyDictionary[App[Any], float] = WeakKeyDictionary()

_parse_rules, _render_update = Stylesheet._parse_rules, Compositor.render_update
_parsed: dict[tuple[object, ...], Any] = {}
_variables: WeakKeyDictionary[Stylesheet, tuple[dict[str, str], frozenset[tuple[str, str]]]] = WeakKeyDictionary()
_apply, _replace_rules = Stylesheet.apply, Stylesheet.replace_rules
_by_rules: dict[tuple[int, ...], _Found] = {}
_found: WeakKeyDictionary[Stylesheet, _Found] = WeakKeyDictionary()
_replaced: dict[int, Any] = {}
"""Values that a node was given last, by its identity: read at once."""
_FLAGS = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")


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
    app = active_app.get(None)
    now = time.monotonic()
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
    if key not in _parsed:
        _parsed[key] = _parse_rules(self, css, read_from, is_default_rules, tie_breaker, scope)
    return _parsed[key]


@dataclass
class _Found:
    """What a list of rules makes of nodes, by all that rules can ask of a node and of those above it."""

    rules: list[RuleSet]
    asked: dict[frozenset[str], list[str]] = field(default_factory=dict)
    """Pseudo-classes that rules ask for, by the names that selectors may know a node by."""
    of: dict[tuple[object, ...], tuple[Any, dict[str, bool]]] = field(default_factory=dict)

    def key(self, node: DOMNode) -> tuple[object, ...]:
        names = frozenset(node._selector_names)
        if (asked := self.asked.get(names)) is None:
            matching = (rule.pseudo_classes for rule in self.rules if rule.selector_names & names)
            asked = self.asked[names] = sorted(set().union(*matching))
        return tuple(
            (type(one), one.id, one.classes, *[has(one) for name in asked if (has := one._PSEUDO_CLASSES.get(name))])
            for one in node.css_path_nodes
        )


def _applied_once(self: Stylesheet, node: DOMNode, *, animate: bool = False, cache: Any = None) -> None:
    rules = self.rules
    if (found := _found.get(self)) is None or found.rules is not rules:
        # Rule sets are those that were parsed once, and live on.
        found = _found[self] = replace(_by_rules.setdefault(tuple(map(id, rules)), _Found(rules)), rules=rules)
    key = found.key(node)
    if key in found.of:
        values, flags = found.of[key]
        vars(node).update(flags)
        if values is not None:
            self.replace_rules(node, values, animate=animate)
        self._process_component_classes(node)
        return
    _replaced.pop(id(node), None)
    _apply(self, node, animate=animate, cache=cache)
    found.of[key] = _replaced.pop(id(node), None), {name: getattr(node, name) for name in _FLAGS}


def _recorded(cls: type[Stylesheet], node: DOMNode, rules: Any, animate: bool = False) -> None:
    _replaced[id(node)] = rules
    _replace_rules(node, rules, animate)


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
Stylesheet.apply = wraps(Stylesheet.apply)(_applied_once)  # type: ignore[method-assign]
Stylesheet.replace_rules = classmethod(_recorded)  # type: ignore[assignment]
Compositor.render_update = _counted  # type: ignore[method-assign]
make_strips_light()
