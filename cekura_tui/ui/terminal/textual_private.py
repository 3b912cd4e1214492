"""Private names of Textual 8.2.8 that this program uses; each docstring says what to do without them.

`test_textual_private.py` names those that a release has changed. Only overridden or inherited names are elsewhere:
`_fatal_error`, `_display`, `_prune` and `_background_screens` of the app; `_binding_chain`, `_compositor_refresh`,
`_update_focus_styles`, `_callbacks`, `_on_compose`, `_on_idle`, `_on_prune` and `_on_screen_resume` of screens;
`_on_key` of widgets; `_app`, `_loop`, `_writer_thread` and `_run_input_thread` of the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, update_wrapper
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.segment import Segment
from textual import events
from textual._compositor import LayoutUpdate
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.binding import BindingsMap
from textual.cache import LRUCache
from textual.color import Color
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

if TYPE_CHECKING:
    from textual.widgets import TextArea


def driver_of(app: App[Any]) -> Driver | None:
    """The app's driver, for writing between two writes of Textual; None before there is one; `App._driver`.

    Without it: no title, no notification, and only Textual's clipboard.
    """
    return app._driver


def end_by_error(app: App[Any]) -> BaseException | None:
    """End an app after an error, and return that error; `App._exception`, `App._close_messages_no_wait`.

    Without it: `App._fatal_error`, which prints the error with all variables, keys too.
    """
    app._close_messages_no_wait()
    return app._exception


def end_with(app: App[Any], error: Exception) -> None:
    """End an app by an error of our own painting task; `App._handle_exception`. Without it: `App.exit`, silently."""
    with app._context():
        app._handle_exception(error)


def drop_toasts(app: App[Any], dropped: Callable[[Notification], bool]) -> None:
    """Remove the messages in the corner for which `dropped` is true; `App._notifications`, `App._unnotify`.

    Textual removes all or none. Without it: remove none, and messages cover the titles of new screens.
    """
    for notification in [one for one in app._notifications if dropped(one)]:
        app._unnotify(notification)


def is_gone(screen: Screen[Any]) -> bool:
    """Whether a screen is being removed or is not mounted yet; `Widget.display`, whose False for widgets that are being
    removed is undocumented. Without it: a late answer looks for removed widgets, which ends the program."""
    return not (screen.display and screen.is_attached and screen.children)


def cancel_workers(screen: Screen[Any]) -> None:
    """Cancel the workers of a screen and its widgets at `messages.Prune`, the first message of a removal.

    Textual cancels them only after the children are removed. Without it: as `is_gone`.
    """
    for node in screen.walk_children(with_self=True):
        screen.workers.cancel_node(node)


async def wait_mounted(screen: Screen[Any]) -> None:
    """Wait until a screen has its widgets; `MessagePump._mounted_event`.

    Without it: keys right after the one that opens a screen are lost, or go to the screen below.
    """
    await screen._mounted_event.wait()


def is_quiet(app: App[Any]) -> bool:
    """Whether the top screen is mounted, and no work is queued there or in the app; `MessagePump._is_mounted`,
    `_next_callbacks`, `_message_queue`. Without it: paint a screen a moment after it was opened."""
    return all(
        node._is_mounted and not node._next_callbacks and node._message_queue.empty()
        for node in (app, *app.screen.walk_children(with_self=True))
    )


def run_callbacks(screen: Screen[Any]) -> bool:
    """Run a screen's callbacks after refresh next, and return whether there are any; `Screen._callbacks`,
    `_invoke_and_clear_callbacks`. Without it: as `is_quiet`, and their changes are painted later."""
    if screen._callbacks:
        screen.call_next(screen._invoke_and_clear_callbacks)
    return bool(screen._callbacks)


def lay_out_if_needed(screen: Screen[Any]) -> bool:
    """Lay a screen out now if that is due, and return whether it was; `Screen._refresh_layout`, `_layout_required`,
    `_scroll_required`. Textual does it at its next frame, and not while painting is held. Without it: as `is_quiet`."""
    due, scrolled = screen._layout_required, screen._scroll_required
    screen._layout_required = screen._scroll_required = False
    if due or scrolled:
        screen._refresh_layout(scroll=scrolled)
    return due or scrolled


def paint(app: App[Any], *, whole: bool) -> None:
    """Paint the changes of the top screen now, or all of it; `Screen._on_timer_update`, `_repaint_required`.

    Without it: Textual paints at its next frame.
    """
    screen = app.screen
    for below in app._background_screens if whole else ():
        # What is seen of it is painted with the screen on top.
        lay_out_if_needed(below)
        below._dirty_widgets.clear()
        below._compositor._dirty_regions.clear()
        below._repaint_required = False
    screen._repaint_required = screen._repaint_required or whole
    screen._on_timer_update()


def load_sheets(screen: Screen[Any]) -> None:
    """Read the style sheets of a screen; `App._load_screen_css`.

    Textual may do it after styling the screen's widgets, and never for the first screen. Without it: name all sheets in
    `CSS_PATH` of the app.
    """
    screen.app._load_screen_css(screen)


def size_classes(screen: Screen[Any], size: Size) -> None:
    """Give a screen the classes of its breakpoints; `Screen._get_breakpoint_classes`.

    Textual does it at the first layout, and then styles the screen again. Without it: leave it out.
    """
    for length, breakpoints in (
        (size.width, screen.HORIZONTAL_BREAKPOINTS),
        (size.height, screen.VERTICAL_BREAKPOINTS),
    ):
        for name in screen._get_breakpoint_classes(length, breakpoints or []):
            screen.add_class(name, update=False)


class AppStylesheet(Stylesheet):
    """Caches parsed sheets and the styles of widgets; `Stylesheet.set_variables`, `reparse`, `apply`, `replace_rules`,
    `_parse_cache`, `_variables`, `_require_parse`, `_process_component_classes`, `DOMNode._component_styles`,
    `_selector_names`, `_PSEUDO_CLASSES`.

    Textual parses all sheets whenever one is added, and searches all rules for each widget each time. Without it: leave
    it out; starting and opening screens take longer.
    """

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(_SHEETS)
        self.version = 0
        """How often the variables changed."""
        self._asked_by: list[RuleSet] = []
        self._asked: dict[frozenset[str], _Asked] = {}
        """The conditions of `_asked_by` on a node, by the node's selector names."""
        self._found: dict[tuple[object, ...], tuple[RulesMap | None, dict[str, bool]]] = {}
        """Styles by all that rules ask of a node and its ancestors."""
        self._replaced: dict[int, RulesMap] = {}
        """The rules just applied to a node, by its identity."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._variables:
            super().set_variables(variables)
            self._require_parse = True
            self.version += 1
            self._found.clear()  # its keys have the identities of the old rules

    def reparse(self) -> None:
        if self._require_parse:
            self.parse()

    def apply(self, node: DOMNode, *, animate: bool = False, cache: Any = None) -> None:
        """Style a node, unless it has the right styles already."""
        key, own = self._key(node), vars(node)
        above = vars(node.parent).get(_STAMP) if node.parent is not None else None
        former_key, former_above = own.get(_STYLED_AS, _NOTHING)
        if former_key == key and former_above is above:
            self._process_component_classes(node)
            return
        own[_STYLED_AS], own[_STAMP] = (key, above), object()
        if former_key == key:  # only its ancestors' styles changed
            node.notify_style_update()
            self._process_component_classes(node)
            return
        if key in self._found:
            values, flags = self._found[key]
            vars(node).update(flags)
            if values is not None:
                self.replace_rules(node, values, animate=animate)
            self._process_component_classes(node)
            return
        if len(self._found) >= _NODES:
            self._found.clear()
        self._replaced.pop(id(node), None)
        super().apply(node, animate=animate)
        self._found[key] = self._replaced.pop(id(node), None), {name: getattr(node, name) for name in _FLAGS}

    def _process_component_classes(self, node: DOMNode) -> None:
        parts = [part.node for part in node._component_styles.values()]
        if not parts or any(
            part is None or vars(part).get(_STYLED_AS, _NOTHING)[0] != self._key(part) for part in parts
        ):
            super()._process_component_classes(node)

    def replace_rules(  # type: ignore[override] # a class method there, called by `apply`
        self, node: DOMNode, rules: RulesMap, animate: bool = False
    ) -> None:
        self._replaced[id(node)] = rules
        super().replace_rules(node, rules, animate)

    def _key(self, node: DOMNode) -> tuple[object, ...]:
        rules = self.rules
        if self._asked_by is not rules:
            self._asked_by, self._asked = rules, {}
        of = self.rules_map
        # Only names that rules know: each message in the corner has its own id.
        names = frozenset(of.keys() & node._selector_names)
        if (asked := self._asked.get(names)) is None:
            matching = {rule for name in names for rule in of[name]}
            asked = self._asked[names] = _Asked(
                frozenset(map(id, matching)),
                any(
                    selector.name != "App" or selector.pseudo_classes  # there is always an app
                    for rule in matching
                    for one in rule.selector_set
                    for selector in one.selectors[:-1]
                ),
                sorted(set().union(*(rule.pseudo_classes for rule in matching))),
            )
        path = node.css_path_nodes if asked.above else (node,)
        return (self.version, asked.rules, *((type(one), one.id, one.classes, *asked.states(one)) for one in path))


class _Asked(NamedTuple):
    """The identities of the rules that may match a node, whether they ask about ancestors, and for which states."""

    rules: frozenset[int]
    above: bool
    pseudo_classes: list[str]

    def states(self, node: DOMNode) -> list[bool]:
        return [has(node) for name in self.pseudo_classes if (has := node._PSEUDO_CLASSES.get(name))]  # type: ignore[arg-type]


def version_of(stylesheet: Stylesheet) -> int:
    """How often the variables of a style sheet changed; 0 of Textual's own."""
    return stylesheet.version if isinstance(stylesheet, AppStylesheet) else 0


_SHEETS, _NODES = 512, 5_000
"""Cached sheets and styles."""
_FLAGS = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
"""Attributes of a node that `Stylesheet.apply` sets."""
_NOTHING: tuple[tuple[object, ...], object] = (), None
_STYLED_AS, _STAMP = "_styled_as", "_stamp"
"""Attributes of a node: its key with its parent's stamp when it was styled, and a new object each time."""


async def do_key(app: App[Any], key: str, *, priority: bool = False) -> bool:
    """Do a key's binding at the focus, and return whether there is one; `App._check_bindings`.

    Without it: Textual sends the key up to the app first, and a letter typed after it overtakes it.
    """
    return await app._check_bindings(key, priority=priority)


def bindings_of(node: DOMNode) -> BindingsMap:
    """A node's bindings, not to be changed; `DOMNode._bindings`.

    Without it: leave the override of `_binding_chain` out; `[keys]` then does nothing.
    """
    return node._bindings


def app_actions(app: App[Any], key: str) -> set[str]:
    """The app's own actions for a key, unless it is text at the focus; `Screen._binding_chain`.

    Without it: the keys of the app's table, even if they are text or the user has others.
    """
    return {binding.action for binding in app.screen._binding_chain[-1][1].key_to_bindings.get(key, ())}


def lines_instead(app: App[Any], lines: Sequence[str]) -> LayoutUpdate:
    """The update for `App._display` that shows only these lines, which fill the window; `LayoutUpdate`.

    Without it: lay the screens out in a window that has no room for them.
    """
    background, filters = app.screen.styles.background, app.get_line_filters()
    strips = [Strip([Segment(line, app.screen.rich_style)]) for line in lines]
    for one in filters:
        strips = [strip.apply_filter(one, background) for strip in strips]
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, strips[0].cell_length, len(strips)))


def is_whole(update: object) -> bool:
    """Whether an update for `App._display` paints the whole terminal; `LayoutUpdate`."""
    return isinstance(update, LayoutUpdate)


def forward_key(receiver: Widget, event: events.Key) -> None:
    """Pass a key on to a widget or a screen; `Widget._forward_event`. Without it: keys for a new screen are lost."""
    receiver._forward_event(event)


def new_parser() -> XTermParser:
    """Textual's parser of a terminal's input; `textual._xterm_parser`. Without it: the parser of `LinuxDriver`."""
    return XTermParser()


def events_of(parser: XTermParser, sent: str) -> tuple[list[Message], list[Message]]:
    """The messages of text or one whole sequence, and the keys that Textual makes of the characters of an unknown one;
    `Parser._awaiting`, `Parser._timeout_time`, `XTermParser._sequence_to_key_events`.

    Raises ValueError or ArithmeticError if a number is no character or no size; the parser is then unusable. Without
    it: letters of a cut off sequence act as keys.
    """
    if sent.startswith("\x1b") and len(sent) > _LONGEST_SEQUENCE:
        return [*parser._sequence_to_key_events(sent)], []  # a composed word
    known = [*parser.feed(sent)] if sent else []
    if parser._awaiting.timeout is None:
        return known, []
    parser._timeout_time = 0.0
    return known, [*parser.tick()]


_LONGEST_SEQUENCE = 32
"""Characters of the longest sequence that Textual's parser reads."""


def type_into(area: TextArea, text: str) -> None:
    """Replace the selection as if the text was typed; `TextArea._replace_via_keyboard`.

    For characters that Textual does not count as text. Without it: `TextArea.replace`, which ignores `read_only`, and
    does not keep the cursor visible.
    """
    area._replace_via_keyboard(text, *area.selection)


def pass_lines_on(widget: Widget) -> None:
    """Send a widget's own lines to the terminal as they are; `Widget._styles_cache`. Without it: lists are slower."""
    widget._styles_cache = _PassedOnLines()


class _PassedOnLines(StylesCache):
    """Passes lines of a widget without a frame on as they are: they cache their output, and a list that scrolls shows
    most of its lines again."""

    def render_line(self, styles: StylesBase, y: int, size: Size, *more: Any) -> Strip:
        _, _, base_background, background, render_content_line, _, _, opacity, *_ = more
        mixed = styles.tint.a or opacity != 1.0 or styles.text_opacity != 1.0 or styles.has_rule("hatch")
        if mixed or any(styles.gutter) or any(edge for edge, _ in styles.outline):
            return super().render_line(styles, y, size, *more)
        inner, _ = self.get_inner_outer(base_background, background)
        line: Strip = render_content_line(y)
        return line.adjust_cell_length(size.width, inner.rich_style)


def release_style_cache() -> None:
    """Keep no removed widget in memory; `StylesCache.get_inner_outer`, whose cache of a thousand results keeps the
    callers with all their lines. Without it: leave it out if that method's cache no longer does."""
    StylesCache.get_inner_outer = lambda asking, *backgrounds: _inner_outer(*backgrounds)  # type: ignore[method-assign, assignment]


@lru_cache(256)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


def make_strips_light() -> None:
    """Use dictionaries as the caches of a line; `Strip.__init__`.

    Textual makes seven bounded caches for each line, which takes a quarter of the time of painting. Without it: leave
    it out.
    """
    if Strip.__init__ is not _light_strip:
        Strip.__init__ = update_wrapper(_light_strip, Strip.__init__)  # type: ignore[method-assign]


class _Forgetful(dict[Any, Any]):
    def __setitem__(self, key: Any, value: Any) -> None:
        pass


_UNUSED = _Forgetful()
"""In place of the caches that are hardly ever asked: 300 bytes less for each of thousands of lines."""


def _light_strip(self: Strip, segments: Iterable[Segment], cell_length: int | None = None) -> None:
    caches: Any = self
    caches._segments, caches._cell_length = list(segments), cell_length
    caches._divide_cache, caches._filter_cache, caches._line_length_cache = {}, {}, {}
    caches._crop_cache = caches._style_cache = caches._crop_extend_cache = caches._offsets_cache = _UNUSED
    caches._render_cache = caches._link_ids = caches._cell_count = None


_run_timer = Timer._run


def fire_single_timers() -> None:
    """Make every single timer fire; `Timer._run`, `Timer._repeat`, `Timer._skip`.

    Textual skips a tick that is late before its timer starts to wait: on a busy machine a short timer may never fire,
    and the app then ignores every later resize. Without it: leave it out if such a timer is not skipped.
    """
    Timer._run = _run_unskipped  # type: ignore[method-assign]


async def _run_unskipped(self: Timer) -> None:
    self._skip = self._skip and self._repeat != 0
    await _run_timer(self)
