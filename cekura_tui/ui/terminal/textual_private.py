"""Names that Textual keeps to itself and this program uses all the same.

All were read in Textual 8.2.8. Each says what it is for, and what happens with a release that no longer has it;
`test_textual_private.py` names those that a release has changed. Only what a class of ours overrides or inherits is
elsewhere, and watched over by the same test: `_fatal_error`, `_display`, `_prune` and `_background_screens` of the app;
of screens `_binding_chain`, `_compositor_refresh`, `_update_focus_styles`, `_callbacks`, and what they do at
`_on_compose`, `_on_idle`, `_on_prune` and `_on_screen_resume`; `_on_key` of widgets; and of the driver `_app`, `_loop`,
`_writer_thread` and `_run_input_thread`.
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
from textual.geometry import Region, Size, Spacing
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
    """What writes to the terminal, None before there is one; `App._driver`.

    For writing between two writes of Textual. Without it: no title, no notification, and a clipboard only as Textual's.
    """
    return app._driver


def end_by_error(app: App[Any]) -> BaseException | None:
    """Let an app that met an error end, and return that error; `App._exception`, `App._close_messages_no_wait`.

    Called by what the app does in place of `App._fatal_error`, which prints the error with all variables, keys too.
    Without it: do only that, and the terminal shows what nobody should see.
    """
    app._close_messages_no_wait()
    return app._exception


def end_with(app: App[Any], error: Exception) -> None:
    """End an app by an error that none of Textual's own tasks met; `App._handle_exception`.

    For painting, which has a task of its own. Without it: `App.exit`, and nobody hears of the error.
    """
    with app._context():
        app._handle_exception(error)


def drop_toasts(app: App[Any], dropped: Callable[[Notification], bool]) -> None:
    """Take away the messages in the corner for which `dropped` is true; `App._notifications`, `App._unnotify`.

    Textual takes away all or none. Without it: drop none, and messages lie on the title of what is opened.
    """
    for notification in [one for one in app._notifications if dropped(one)]:
        app._unnotify(notification)


def is_gone(screen: Screen[Any]) -> bool:
    """Whether a screen is being taken apart or is not put together yet; `Widget.display`, which is public, but that it
    is False for what is being removed is said nowhere.

    For whoever waited for something to draw. Without it: a late answer looks for widgets that are no more, which ends
    the program.
    """
    return not (screen.display and screen.is_attached and screen.children)


def cancel_workers(screen: Screen[Any]) -> None:
    """Cancel what a screen and its widgets wait for; called at `messages.Prune`, which a screen gets first of what is
    removed.

    Textual cancels the workers of a widget only after its children are gone. Without it: an answer that comes in
    between looks for widgets that are no more, which ends the program.
    """
    for node in screen.walk_children(with_self=True):
        screen.workers.cancel_node(node)


async def wait_mounted(screen: Screen[Any]) -> None:
    """Wait until a screen has its widgets; `MessagePump._mounted_event`.

    For keys that come right after the one that opens a screen. Without it: they are lost, or go to the screen below.
    """
    await screen._mounted_event.wait()


def is_quiet(app: App[Any]) -> bool:
    """Whether the screen on top has its widgets, and nothing is due there or in the app; `MessagePump._is_mounted`,
    `_next_callbacks`, `_message_queue`.

    For painting a screen once it is whole. Without it: paint it a moment after it was opened.
    """
    return all(
        node._is_mounted and not node._next_callbacks and node._message_queue.empty()
        for node in (app, *app.screen.walk_children(with_self=True))
    )


def run_callbacks(screen: Screen[Any]) -> bool:
    """Have done next what waits for a painting of a screen, and say whether there is any; `Screen._callbacks`,
    `_invoke_and_clear_callbacks`.

    What is done then is painted with all else. Without it: as `is_quiet`, and it is painted after that.
    """
    if screen._callbacks:
        screen.call_next(screen._invoke_and_clear_callbacks)
    return bool(screen._callbacks)


def lay_out_if_needed(screen: Screen[Any]) -> bool:
    """Lay a screen out now if that is due, and say whether it was; `Screen._refresh_layout`, `_layout_required` and
    `_scroll_required`.

    Textual does it at its next frame, and not at all while painting is held back. Without it: as `is_quiet`.
    """
    due, scrolled = screen._layout_required, screen._scroll_required
    screen._layout_required = screen._scroll_required = False
    if due or scrolled:
        screen._refresh_layout(scroll=scrolled)
    return due or scrolled


def paint(app: App[Any], *, whole: bool) -> None:
    """Paint now what changed of the screen on top, or all of it; `Screen._on_timer_update`, `_repaint_required`.

    For what was held back. Without it: leave it out, and Textual paints at its next frame.
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
    """Read the style sheets of a screen, if they are not read yet; `App._load_screen_css`.

    Textual does it after what is in a screen may have been styled, and not at all for the first one. Without it: name
    all sheets in `CSS_PATH` of the app.
    """
    screen.app._load_screen_css(screen)


def size_classes(screen: Screen[Any], size: Size) -> None:
    """Give a screen the classes of its breakpoints; `Screen._get_breakpoint_classes`.

    Textual does so only when it is laid out, and styles all of it again. Without it: leave it out.
    """
    for length, breakpoints in (
        (size.width, screen.HORIZONTAL_BREAKPOINTS),
        (size.height, screen.VERTICAL_BREAKPOINTS),
    ):
        for name in screen._get_breakpoint_classes(length, breakpoints or []):
            screen.add_class(name, update=False)


class AppStylesheet(Stylesheet):
    """Parses each sheet once as long as the variables are the same, and finds once what its rules make of a widget;
    `Stylesheet.set_variables`, `reparse`, `apply`, `replace_rules`, `_parse_cache`, `_variables`, `_require_parse`,
    `_process_component_classes`, `DOMNode._component_styles`, `_selector_names`, `_PSEUDO_CLASSES`.

    Textual parses all sheets whenever one is added, and looks through all rules for each widget each time. Without it:
    leave it out, and starting and opening screens take longer.
    """

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(_SHEETS)
        self.version = 0
        """How often the variables changed."""
        self._asked_by: list[RuleSet] = []
        self._asked: dict[frozenset[str], _Asked] = {}
        """What these rules ask of a node, by the names that they may know it by."""
        self._found: dict[tuple[object, ...], tuple[RulesMap | None, dict[str, bool]]] = {}
        """By all that rules ask of a node and of those above it."""
        self._replaced: dict[int, RulesMap] = {}
        """What a node was given just now, by its identity: read at once."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._variables:
            super().set_variables(variables)
            self._require_parse = True
            self.version += 1
            self._found.clear()  # rules are known by their identity, and these go

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
        if former_key == key:  # what is above it looks otherwise
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
    """What rules ask of a node: which rules, by their identity, whether of those above it, and for which states."""

    rules: frozenset[int]
    above: bool
    pseudo_classes: list[str]

    def states(self, node: DOMNode) -> list[bool]:
        """Which of these states a node has, of those that its kind knows."""
        return [has(node) for name in self.pseudo_classes if (has := node._PSEUDO_CLASSES.get(name))]  # type: ignore[arg-type]


def version_of(stylesheet: Stylesheet) -> int:
    """How often the variables of a style sheet changed; 0 of Textual's own."""
    return stylesheet.version if isinstance(stylesheet, AppStylesheet) else 0


_SHEETS, _NODES = 512, 5_000
"""Sheets and kinds of nodes that are remembered."""
_FLAGS = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
"""What rules make a node know of itself."""
_NOTHING: tuple[tuple[object, ...], object] = (), None
_STYLED_AS, _STAMP = "_styled_as", "_stamp"
"""Where a node keeps by what it was styled, it and what is above it; and what is another object each time it was."""


async def do_key(app: App[Any], key: str, *, priority: bool = False) -> bool:
    """Do what a key is bound to where the focus is, and say whether it is bound; `App._check_bindings`.

    For keys that come together: each is done before the next is looked at. Without it: Textual sends a key up to the
    app first, and what the next one types overtakes it.
    """
    return await app._check_bindings(key, priority=priority)


def bindings_of(node: DOMNode) -> BindingsMap:
    """What keys do at a node, not to be changed; `DOMNode._bindings`.

    For keys of one's own. Without it: leave the override of `_binding_chain` out, and `[keys]` does nothing.
    """
    return node._bindings


def app_actions(app: App[Any], key: str) -> set[str]:
    """What the app itself would do at a key, unless it is text where the focus is; `Screen._binding_chain`.

    For a window too small to show where the focus is. Without it: the keys of the app's table, also where they are text
    or where the user has others.
    """
    return {binding.action for binding in app.screen._binding_chain[-1][1].key_to_bindings.get(key, ())}


def lines_instead(app: App[Any], lines: Sequence[str]) -> LayoutUpdate:
    """What `App._display` sends to the terminal to show these lines and nothing else; `LayoutUpdate`.

    `lines` fill the window. Without it: the screens, laid out in a window that has no room for them.
    """
    background, filters = app.screen.styles.background, app.get_line_filters()
    strips = [Strip([Segment(line, app.screen.rich_style)]) for line in lines]
    for one in filters:
        strips = [strip.apply_filter(one, background) for strip in strips]
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, strips[0].cell_length, len(strips)))


def is_whole(update: object) -> bool:
    """Whether what `App._display` is given paints all of the terminal; `LayoutUpdate`."""
    return isinstance(update, LayoutUpdate)


def forward_key(receiver: Widget, event: events.Key) -> None:
    """Hand a key to a widget or a screen; `Widget._forward_event`.

    For keys that were pressed for a screen that came meanwhile. Without it: they are lost.
    """
    receiver._forward_event(event)


def new_parser() -> XTermParser:
    """Textual's parser of what a terminal sends; `textual._xterm_parser`.

    For what keys and clicks are called. Without it: whatever then reads the terminal in `LinuxDriver`.
    """
    return XTermParser()


def events_of(parser: XTermParser, sent: str) -> tuple[list[Message], list[Message]]:
    """What text or one whole sequence means, and the keys that Textual makes of the characters of an unknown one;
    `Parser._awaiting`, `Parser._timeout_time`, `XTermParser._sequence_to_key_events`.

    An unknown one is not waited for. Raises ValueError or ArithmeticError where a number in it is no character or no
    size, and is of no use any more then. Without it: letters of a sequence that was cut off act as keys.
    """
    if sent.startswith("\x1b") and len(sent) > _LONGEST_SEQUENCE:
        return [*parser._sequence_to_key_events(sent)], []  # as of a word that was composed
    known = [*parser.feed(sent)] if sent else []
    if parser._awaiting.timeout is None:
        return known, []
    parser._timeout_time = 0.0
    return known, [*parser.tick()]


_LONGEST_SEQUENCE = 32
"""Characters after which Textual's parser gives a sequence up."""


def type_into(area: TextArea, text: str) -> None:
    """Put text in place of what is selected, as if it was typed; `TextArea._replace_via_keyboard`.

    For characters without ink, which Textual takes for no text. Without it: `TextArea.replace`, which does not ask
    whether the text may be edited, and does not keep the cursor visible.
    """
    area._replace_via_keyboard(text, *area.selection)


def pass_lines_on(widget: Widget) -> None:
    """Send the lines of a widget that makes them itself to the terminal as they are; `Widget._styles_cache`.

    For lists, which scroll in less time. Without it: leave it out, and they are slower.
    """
    widget._styles_cache = _PassedOnLines()


class _PassedOnLines(StylesCache):
    """Passes lines of a widget without a frame on as they are: they cache their output, and a list that scrolls shows
    most of its lines again."""

    def render_line(
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Spacing,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        border_title: Any,
        border_subtitle: Any,
        opacity: float,
        *more: Any,
    ) -> Strip:
        mixed = styles.tint.a or opacity != 1.0 or styles.text_opacity != 1.0 or styles.has_rule("hatch")
        if mixed or any(styles.gutter) or any(edge for edge, _ in styles.outline):
            return super().render_line(
                styles,
                y,
                size,
                content_size,
                padding,
                base_background,
                background,
                render_content_line,
                border_title,
                border_subtitle,
                opacity,
                *more,
            )
        inner, _ = self.get_inner_outer(base_background, background)
        return render_content_line(y).adjust_cell_length(size.width, inner.rich_style)


def release_style_cache() -> None:
    """Have no widget kept after it is gone; `StylesCache.get_inner_outer`.

    Textual remembers a thousand answers of this method, and with each who asked, with all lines that were drawn. For
    programs that stay open for days. Without it: leave it out, if that method no longer remembers by who asks.
    """
    StylesCache.get_inner_outer = lambda asking, *backgrounds: _inner_outer(*backgrounds)  # type: ignore[method-assign, assignment]


@lru_cache(256)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


def make_strips_light() -> None:
    """Let a line remember what was made of it in dictionaries; `Strip.__init__`.

    Textual makes seven caches of a bounded size for each of the thousands of lines of a painting, which takes a quarter
    of its time. Without it: leave it out.
    """
    if Strip.__init__ is not _light_strip:
        Strip.__init__ = update_wrapper(_light_strip, Strip.__init__)  # type: ignore[method-assign]


def _light_strip(self: Strip, segments: Iterable[Segment], cell_length: int | None = None) -> None:
    caches: Any = self  # dictionaries have of a bounded cache what is used
    caches._segments, caches._cell_length = list(segments), cell_length
    caches._divide_cache, caches._crop_cache, caches._style_cache, caches._filter_cache = {}, {}, {}, {}
    caches._line_length_cache, caches._crop_extend_cache, caches._offsets_cache = {}, {}, {}
    caches._render_cache = caches._link_ids = caches._cell_count = None


_run_timer = Timer._run


def fire_single_timers() -> None:
    """Make a timer that fires once always fire; `Timer._run`, `Timer._repeat`, `Timer._skip`.

    Textual skips a tick that is late before the timer starts to wait for it. If a busy machine does not run the process
    for a few milliseconds just then, a short timer never fires: the app then ignores every later resize.
    Without it: leave it out, if such a timer is not skipped.
    """
    Timer._run = _run_unskipped  # type: ignore[method-assign]


async def _run_unskipped(self: Timer) -> None:
    self._skip = self._skip and self._repeat != 0
    await _run_timer(self)
