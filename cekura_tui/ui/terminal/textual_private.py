"""Private names of Textual 8.2.8 that this program uses.

Each docstring lists the names that a function uses, and a fallback in case Textual removes them.
`test_textual_private.py` reports names that a release has changed. Elsewhere, private names are only overridden or
inherited: `_fatal_error`, `_display`, `_prune` and `_background_screens` of the app; `_binding_chain`,
`_compositor_refresh`, `_update_focus_styles`, `_callbacks`, `_on_compose`, `_on_idle`, `_on_prune` and
`_on_screen_resume` of screens; `_on_key` of widgets; `_app`, `_loop`, `_writer_thread` and `_run_input_thread` of the
driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, update_wrapper
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.segment import Segment
from textual import events
from textual._compositor import Compositor, CompositorMap, LayoutUpdate, ReflowResult
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.binding import BindingsMap
from textual.cache import LRUCache
from textual.color import Color
from textual.content import Content
from textual.css.model import RuleSet
from textual.css.styles import RulesMap, StylesBase
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.driver import Driver
from textual.geometry import Region, Size
from textual.message import Message
from textual.notifications import Notification
from textual.screen import Screen
from textual.strip import Strip
from textual.style import Style
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets._toast import Toast, ToastHolder

if TYPE_CHECKING:
    from textual.widgets import TextArea


def driver_of(app: App[Any]) -> Driver | None:
    """The app's driver, for writing between Textual's writes; None before the driver starts. Uses `App._driver`.
    Fallback if removed: no title, no notifications, only Textual's clipboard."""
    return app._driver


def exit_after_error(app: App[Any]) -> BaseException | None:
    """Stop the app after an unhandled exception and return its first one. Uses `App._exception`,
    `App._close_messages_no_wait`. Fallback: `App._fatal_error`, which prints local variables, with API keys."""
    app._close_messages_no_wait()
    return app._exception


def exit_with_error(app: App[Any], error: Exception) -> None:
    """Exit the app with an error of the painting task. Uses `App._handle_exception`. Fallback: `App.exit`, silently."""
    with app._context():
        app._handle_exception(error)


def drop_toasts(app: App[Any], dropped: Callable[[Notification], bool]) -> None:
    """Remove the toasts for which `dropped` is true; Textual can only remove all toasts. Uses `App._notifications`,
    `App._unnotify`. Fallback if removed: remove none; toasts then cover the titles of new screens."""
    for notification in [one for one in app._notifications if dropped(one)]:
        app._unnotify(notification)


def is_toast_shown(app: App[Any], message: str) -> bool:
    """Whether a toast with this message is shown. Uses `App._notifications`. Fallback if removed: False."""
    return any(one.message == message for one in app._notifications)


class AppCompositor(Compositor):
    """Erases each removed widget. If a widget is looked up between a removal and the next layout, Textual forgets the
    removed one and leaves it on the terminal. Uses `Compositor.reflow`, `_full_map`. Fallback: omit."""

    _last: CompositorMap | None = None  # of the last layout

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        self._full_map = self._full_map if self._last is None else self._last
        result = super().reflow(parent, size)
        self._last = self._full_map
        return result


def is_unmounted(screen: Screen[Any]) -> bool:
    """Whether a screen is being removed or is not mounted yet. Uses the undocumented False of `Widget.display` during
    removal. No fallback if removed: a late answer would then query removed widgets and crash the app."""
    return not (screen.display and screen.is_attached and screen.children)


def release_screen(screen: Screen[Any]) -> None:
    """Cancel the workers of a screen being removed, and drop its watchers of the app; Textual does so only at the end
    or when the value changes. Uses `__watchers`. Fallback if removed: as for `is_unmounted`."""
    nodes = screen.walk_children(with_self=True)
    for node in nodes:
        screen.workers.cancel_node(node)
    for watchers in getattr(screen.app, "__watchers", {}).values():
        watchers[:] = [one for one in watchers if one[0] not in nodes]


async def wait_mounted(screen: Screen[Any]) -> None:
    """Wait until a screen has mounted its widgets. Uses `MessagePump._mounted_event`. No fallback if removed: keys
    pressed while a screen opens would be lost or go to the screen below."""
    await screen._mounted_event.wait()


def is_quiet(app: App[Any]) -> bool:
    """Whether the app and the top screen's widgets are mounted and have no queued messages or callbacks. Uses
    `_is_mounted`, `_next_callbacks`, `_message_queue`. Fallback if removed: paint a moment after a screen opened."""
    return all(
        node._is_mounted and not node._next_callbacks and node._message_queue.empty()
        for node in (app, *app.screen.walk_children(with_self=True))
    )


def run_callbacks(screen: Screen[Any]) -> bool:
    """Schedule pending `call_after_refresh` callbacks now; return whether there are any. Uses `Screen._callbacks`,
    `_invoke_and_clear_callbacks`. Fallback if removed: omit; their changes are painted later."""
    if screen._callbacks:
        screen.call_next(screen._invoke_and_clear_callbacks)
    return bool(screen._callbacks)


def lay_out_if_needed(screen: Screen[Any]) -> bool:
    """Lay a screen out now, without waiting for a frame; return whether it was due. Uses `Screen._refresh_layout`,
    `_layout_required`, `_scroll_required`. Fallback if removed: paint a moment after a screen opened."""
    due, scrolled = screen._layout_required, screen._scroll_required
    screen._layout_required = screen._scroll_required = False
    if due or scrolled:
        screen._refresh_layout(scroll=scrolled)
    return due or scrolled


def paint(app: App[Any], *, whole: bool) -> None:
    """Paint the changes of the top screen now; with `whole`, paint all of the screen. Uses `Screen._on_timer_update`,
    `_repaint_required`. Fallback if removed: Textual paints at its next frame."""
    screen = app.screen
    for below in app._background_screens if whole else ():
        # Its visible part is painted together with the top screen.
        lay_out_if_needed(below)
        below._dirty_widgets.clear()
        below._compositor._dirty_regions.clear()
        below._repaint_required = False
    screen._repaint_required = screen._repaint_required or whole
    screen._on_timer_update()


def set_lower_edge(widget: Widget, text: Content | None) -> None:
    """Set the text in the lower edge of a frame and repaint that edge; Textual would repaint the whole widget. Uses
    `Widget._border_subtitle`. Fallback if removed: `Widget.border_subtitle`, which makes moving in a list slower."""
    widget._border_subtitle = text
    widget.refresh(Region(0, widget.content_size.height, widget.content_size.width, 1))


def load_sheets(screen: Screen[Any]) -> None:
    """Load a screen's style sheets before the screen is styled. Textual may load the sheets later, and never loads them
    for the first screen. Uses `App._load_screen_css`. Fallback if removed: list all sheets in `CSS_PATH` of the app."""
    screen.app._load_screen_css(screen)


def set_breakpoint_classes(screen: Screen[Any], size: Size) -> None:
    """Set a screen's breakpoint classes early; Textual sets them at the first layout and then styles the screen again.
    Uses `Screen._get_breakpoint_classes`. Fallback if removed: omit."""
    for length, breakpoints in (
        (size.width, screen.HORIZONTAL_BREAKPOINTS),
        (size.height, screen.VERTICAL_BREAKPOINTS),
    ):
        for name in screen._get_breakpoint_classes(length, breakpoints or []):
            screen.add_class(name, update=False)


class AppStylesheet(Stylesheet):
    """Caches parsed sheets and nodes' computed styles. Uses `Stylesheet.set_variables`, `reparse`, `apply`,
    `replace_rules`, `_parse_cache`, `_variables`, `_require_parse`, `_process_component_classes`,
    `DOMNode._component_styles`, `_selector_names`, `_PSEUDO_CLASSES`. Fallback if removed: omit; the app is slower."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(512)
        self.version = 0
        """Number of times the variables changed."""
        self._conditions_of: list[RuleSet] = []
        self._conditions: dict[frozenset[str], _RuleConditions] = {}
        """The conditions that the rules in `_conditions_of` test on a node, by the node's selector names."""
        self._style_cache: dict[tuple[object, ...], tuple[RulesMap | None, dict[str, bool]]] = {}
        """Computed styles, by everything about a node and its ancestors that rules test."""
        self._applied_rules: dict[int, RulesMap] = {}
        """The rules last applied to a node, by the node's `id()`."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._variables:
            super().set_variables(variables)
            self._require_parse = True
            self.version += 1
            self._style_cache.clear()  # its keys contain `id()`s of the old rules

    def reparse(self) -> None:
        if self._require_parse:
            self.parse()

    def apply(self, node: DOMNode, *, animate: bool = False, cache: Any = None) -> None:
        """Style a node, unless its styles are up to date."""
        key, own = self._style_key(node), vars(node)
        parent_stamp = vars(node.parent).get(_STAMP) if node.parent is not None else None
        former_key, former_stamp = own.get(_STYLED_AS, _NEVER_STYLED)
        if former_key == key and former_stamp is parent_stamp:
            self._process_component_classes(node)
            return
        own[_STYLED_AS], own[_STAMP] = (key, parent_stamp), object()
        if former_key == key:  # only its ancestors' styles changed
            node.notify_style_update()
            self._process_component_classes(node)
            return
        if key in self._style_cache:
            values, flags = self._style_cache[key]
            vars(node).update(flags)
            if values is not None:
                super().replace_rules(node, values, animate=animate)
            self._process_component_classes(node)
            return
        if len(self._style_cache) >= 5_000:
            self._style_cache.clear()
        self._applied_rules.pop(id(node), None)
        super().apply(node, animate=animate)
        self._style_cache[key] = self._applied_rules.pop(id(node), None), {name: getattr(node, name) for name in _FLAGS}

    def _process_component_classes(self, node: DOMNode) -> None:
        parts = [part.node for part in node._component_styles.values()]
        if not parts or any(
            part is None or vars(part).get(_STYLED_AS, _NEVER_STYLED)[0] != self._style_key(part) for part in parts
        ):
            super()._process_component_classes(node)

    def replace_rules(  # type: ignore[override] # a class method in Textual, called by `apply`
        self, node: DOMNode, rules: RulesMap, animate: bool = False
    ) -> None:
        self._applied_rules[id(node)] = rules
        super().replace_rules(node, rules, animate)

    def _style_key(self, node: DOMNode) -> tuple[object, ...]:
        rules = self.rules
        if self._conditions_of is not rules:
            self._conditions_of, self._conditions = rules, {}
        rules_map = self.rules_map
        # Only names used in rules, because each toast has a unique id.
        names = frozenset(rules_map.keys() & node._selector_names)
        if (tests := self._conditions.get(names)) is None:
            matching = {rule for name in names for rule in rules_map[name]}
            tests = self._conditions[names] = _RuleConditions(
                frozenset(map(id, matching)),
                any(
                    selector.name != "App" or selector.pseudo_classes  # there is always an app
                    for rule in matching
                    for one in rule.selector_set
                    for selector in one.selectors[:-1]
                ),
                sorted(set().union(*(rule.pseudo_classes for rule in matching))),
            )
        path = node.css_path_nodes if tests.needs_ancestors else (node,)
        named = ((one, one.id if f"#{one.id}" in rules_map else None) for one in path)
        return (self.version, tests.rules, *((type(one), name, one.classes, *tests.states(one)) for one, name in named))


class _RuleConditions(NamedTuple):
    """The conditions that decide a node's styles. `rules` are the `id()`s of candidate rules; `needs_ancestors` is
    whether the rules test ancestors; `pseudo_classes` are the names that the rules test."""

    rules: frozenset[int]
    needs_ancestors: bool
    pseudo_classes: list[str]

    def states(self, node: DOMNode) -> list[bool]:
        return [has(node) for name in self.pseudo_classes if (has := node._PSEUDO_CLASSES.get(name))]  # type: ignore[arg-type]


def stylesheet_version(stylesheet: Stylesheet) -> int:
    """Number of times the variables of a style sheet changed; 0 for an object of Textual's own class."""
    return stylesheet.version if isinstance(stylesheet, AppStylesheet) else 0


_FLAGS = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
"""Attributes that `Stylesheet.apply` sets on a node."""
_NEVER_STYLED: tuple[tuple[object, ...], object] = (), None
_STYLED_AS, _STAMP = "_styled_as", "_stamp"
"""Names of attributes set on a node when it is styled: (style key, parent's stamp), and a new stamp."""


async def do_key(app: App[Any], key: str, *, priority: bool = False) -> bool:
    """Run the focused widget's binding for a key; return whether there is one. Uses `App._check_bindings`. No fallback
    if removed: the key would go to the app first, and a letter typed next overtake it."""
    return await app._check_bindings(key, priority=priority)


def bindings_of(node: DOMNode) -> BindingsMap:
    """A node's bindings, which must not be changed. Uses `DOMNode._bindings`. Fallback if removed: remove the override
    of `_binding_chain`; `[keys]` then has no effect."""
    return node._bindings


def app_actions(app: App[Any], key: str) -> set[str]:
    """The app-level actions of a key; empty if the focused widget takes the key as text. Uses `Screen._binding_chain`.
    Fallback if removed: the app's default keys, which ignore focus and `[keys]`."""
    return {binding.action for binding in app.screen._binding_chain[-1][1].key_to_bindings.get(key, ())}


def full_screen_lines(app: App[Any], lines: Sequence[str]) -> LayoutUpdate:
    """An update for `App._display`: these lines fill the window. Uses `LayoutUpdate`. Fallback: crop the screens."""
    background, filters = app.screen.styles.background, app.get_line_filters()
    strips = [Strip([Segment(line, app.screen.rich_style)]) for line in lines]
    for one in filters:
        strips = [strip.apply_filter(one, background) for strip in strips]
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, strips[0].cell_length, len(strips)))


def is_full_repaint(update: object) -> bool:
    """Whether an update for `App._display` repaints the whole terminal; uses `LayoutUpdate`."""
    return isinstance(update, LayoutUpdate)


def forward_key(receiver: Widget, event: events.Key) -> None:
    """Pass a key on. Uses `Widget._forward_event`. No fallback if removed: keys for a new screen would be lost."""
    receiver._forward_event(event)


def new_parser() -> XTermParser:
    """Textual's input parser, from `textual._xterm_parser`. Fallback if removed: the input thread of `LinuxDriver`."""
    return XTermParser()


def events_of(parser: XTermParser, sent: str) -> tuple[list[Message], list[Message]]:
    """Parse text or one sequence to messages, and the keys Textual makes of an unknown one. Raises ValueError or
    ArithmeticError for an invalid number; the parser is then unusable. Uses `Parser._awaiting`, `_timeout_time`,
    `XTermParser._sequence_to_key_events`. No fallback: letters of an incomplete sequence would act as keys."""
    if sent.startswith("\x1b") and len(sent) > 32:  # longer than Textual accepts: text composed by an input method
        return [*parser._sequence_to_key_events(sent)], []
    known = [*parser.feed(sent)] if sent else []
    if parser._awaiting.timeout is None:
        return known, []
    parser._timeout_time = 0.0
    return known, [*parser.tick()]


def type_into(area: TextArea, text: str) -> None:
    """Type text that Textual does not count as printable into a text area. Uses `TextArea._replace_via_keyboard`.
    Fallback if removed: `TextArea.replace`, which ignores `read_only` and does not scroll to the cursor."""
    area._replace_via_keyboard(text, *area.selection)


def bypass_style_cache(widget: Widget) -> None:
    """Draw a widget's lines uncached. Uses `Widget._styles_cache`. Fallback if removed: omit; lists are slower."""
    widget._styles_cache = _UncachedLines()


class _UncachedLines(StylesCache):
    """Returns the lines of a borderless widget without caching, because lists cache their own lines."""

    def render_line(self, styles: StylesBase, y: int, size: Size, *more: Any) -> Strip:
        _, _, base_background, background, render_content_line, _, _, opacity, *_ = more
        mixed = styles.tint.a or opacity != 1.0 or styles.text_opacity != 1.0 or styles.has_rule("hatch")
        if mixed or any(styles.gutter) or any(edge for edge, _ in styles.outline):
            return super().render_line(styles, y, size, *more)
        inner, _ = self.get_inner_outer(base_background, background)
        line: Strip = render_content_line(y)
        return line.adjust_cell_length(size.width, inner.rich_style)


def free_removed_widgets() -> None:
    """Free widgets that Textual keeps after their removal: those in the cache of `StylesCache.get_inner_outer`, and the
    holder of a toast that expired under another screen. Fallback if removed: omit, if Textual frees them."""
    StylesCache.get_inner_outer = lambda asking, *backgrounds: _inner_outer(*backgrounds)  # type: ignore[method-assign, assignment]
    Toast.remove = lambda toast: (  # type: ignore[method-assign, assignment]
        toast.parent.remove() if isinstance(toast.parent, ToastHolder) else Widget.remove(toast)
    )


@lru_cache(256)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


def make_strips_light() -> None:
    """Use plain dictionaries as the caches of each `Strip`. Textual creates seven bounded caches for each line, which
    takes a quarter of the painting time. Uses `Strip.__init__`. Fallback if removed: omit."""
    if Strip.__init__ is not _light_strip:
        Strip.__init__ = update_wrapper(_light_strip, Strip.__init__)  # type: ignore[method-assign]


class _DiscardingDict(dict[Any, Any]):
    def __setitem__(self, key: Any, value: Any) -> None:
        pass


_DISABLED_CACHE = _DiscardingDict()
"""Replaces rarely used caches of a `Strip`, which saves 300 bytes for each of thousands of lines."""


def _light_strip(self: Strip, segments: Iterable[Segment], cell_length: int | None = None) -> None:
    caches: Any = self
    caches._segments, caches._cell_length = list(segments), cell_length
    caches._divide_cache, caches._filter_cache, caches._line_length_cache = {}, {}, {}
    caches._crop_cache = caches._style_cache = caches._crop_extend_cache = caches._offsets_cache = _DISABLED_CACHE
    caches._render_cache = caches._link_ids = caches._cell_count = None


_run_timer = Timer._run


def fire_single_timers() -> None:
    """Never skip the only tick of a one-shot timer: on a busy machine Textual may, and then ignores every later resize.
    Uses `Timer._run`, `_repeat`, `_skip`. Fallback if removed: omit, if Textual has fixed this."""
    Timer._run = _run_unskipped  # type: ignore[method-assign]


async def _run_unskipped(self: Timer) -> None:
    self._skip = self._skip and self._repeat != 0
    await _run_timer(self)
