"""The help of a screen, with its keys grouped by task, and the pages of the manual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from cekura_tui.manual import TOPICS, read_page
from cekura_tui.ui.actions import GROUPS, OTHER, Action, action_of
from cekura_tui.ui.keymap import keymap_in_use, shown_key, with_keys
from cekura_tui.ui.kit.dialog import Dialog
from cekura_tui.ui.kit.lines import WrappedText
from cekura_tui.ui.kit.palette import Command, Palette
from cekura_tui.ui.terminal.markdown import ManualPage

_KEY = "bold $accent"
_GAP = 4
_TYPING = "Edit the text"
_TEXTUALS = {
    "app.focus_next": ("Move", "Next pane or field"),
    "app.focus_previous": ("Move", "Previous pane or field"),
    "screen.copy_text": ("Copy or save", "Copy selected text"),
}
"""(group, label) of actions of Textual that the help shows, by action string."""


class KeyRow(NamedTuple):
    keys: tuple[str, ...]
    words: str
    about: str
    enabled: bool


def keys_of(screen: Screen[Any]) -> dict[str, list[KeyRow]]:
    """List the keys that work with the current focus, by group."""
    rows: dict[str, dict[str, KeyRow]] = {group: {} for group in (*GROUPS, _TYPING)}
    # Bindings without an id are Textual's own.
    bound = sorted(screen.active_bindings.values(), key=lambda one: one.binding.id is None)
    for node, binding, enabled, _ in bound:
        if binding.system or not binding.description or binding.key.startswith("super+"):
            continue  # terminals do not send super
        action = action_of(node, binding)
        group, name = _group_of(node, binding, action), shown_key(binding.key)
        words = binding.description
        if not binding.id:
            _, words = _TEXTUALS.get(binding.action, ("", words.capitalize()))
        row = rows[group].get(binding.action, KeyRow((), words, action.tooltip if action else "", enabled))
        if name not in row.keys:
            rows[group][binding.action] = row._replace(keys=(*row.keys, name))
    return {group: list(found.values()) for group, found in rows.items() if found}


def _group_of(node: DOMNode, binding: Binding, action: Action | None) -> str:
    if action is not None:
        return action.group
    if binding.action in _TEXTUALS:
        return _TEXTUALS[binding.action][0]
    if isinstance(node, App | Screen):
        return "Go to"
    if isinstance(node, Widget) and node.check_consume_key("a", "a"):
        return _TYPING
    return "Move" if binding.action.startswith(("scroll", "page")) else OTHER


class HelpText(WrappedText):
    """Shows problems, groups of keys (in two columns if they fit) and paragraphs with indented continuation lines."""

    DEFAULT_CSS = "HelpText { height: auto; }"

    def __init__(
        self, groups: Mapping[str, Sequence[KeyRow]], prose: Iterable[str], problems: Sequence[str] = ()
    ) -> None:
        super().__init__(id="help-text")
        self._groups, self._prose = groups, [" ".join(paragraph.split()) for paragraph in prose]
        self._problems = problems

    def lines_at(self, width: int) -> Iterator[Content]:
        if self._problems:
            yield Content.styled("Problems in config.toml", "bold $warning")
            for problem in self._problems:
                yield from _paragraph(problem, width)
            yield Content()
        two = width >= 96
        column = (width - _GAP) // 2 if two else width
        keys = max((cell_len(" ".join(row.keys)) for rows in self._groups.values() for row in rows), default=0)
        blocks = [list(_block(group, rows, keys, column)) for group, rows in self._groups.items()]
        if two:
            at = _balanced_split([len(block) for block in blocks])
            left, right = (_stacked(blocks[:at]), _stacked(blocks[at:]))
            for a, b in zip_longest(left, right, fillvalue=Content()):
                yield Content.assemble(a.pad_right(column + _GAP - a.cell_length), b) if b else a
        else:
            yield from _stacked(blocks)
        for paragraph in self._prose:
            yield Content()
            yield from _paragraph(paragraph, width)


def _block(group: str, rows: Iterable[KeyRow], keys: int, width: int) -> Iterator[Content]:
    yield Content.styled(group, "bold $text")
    for row in rows:
        ink, mark = ("$text", _KEY) if row.enabled else ("$muted", "$muted")
        for n, line in enumerate(_words(row, ink, width - keys - 4)):
            key = "" if n else " ".join(row.keys)
            yield Content.assemble("  ", (key, mark), " " * (keys - cell_len(key) + 2), line)


def _words(row: KeyRow, ink: str, width: int) -> list[Content]:
    """The lines that describe a key: label and tooltip if both fit on one line, else only the label, wrapped. A tooltip
    that begins with the label replaces the label."""
    about = with_keys(row.about.replace("`", ""))
    if about.casefold().startswith(row.words.casefold()):
        longer = Content.styled(about[:1].upper() + about[1:], ink)
    else:
        longer = Content.assemble((row.words, ink), (f"  {about}" if about else "", "$muted"))
    return [longer] if longer.cell_length <= width else Content.styled(row.words, ink).wrap(width)


def _stacked(blocks: Iterable[Sequence[Content]]) -> list[Content]:
    lines: list[Content] = []
    for block in blocks:
        lines += [Content()] if lines else []
        lines += block
    return lines


def _balanced_split(heights: Sequence[int]) -> int:
    """How many blocks to put into the first of two columns so that the taller column is as short as possible."""
    return min(
        range(1, len(heights) + 1), key=lambda at: max(sum(heights[:at]) + at, sum(heights[at:]) + len(heights) - at)
    )


def _paragraph(text: str, width: int) -> Iterator[Content]:
    """Wrap a paragraph beside a bullet, and highlight keys and input, which are in backticks."""
    parts = [(part, _KEY if n % 2 else "$text") for n, part in enumerate(text.split("`"))]
    for n, line in enumerate(Content.assemble(*parts).wrap(width - 2)):
        yield Content.assemble("  " if n else ("· ", "$faint"), line)


class ManualText(WrappedText):
    COMPONENT_CLASSES: ClassVar[set[str]] = {"manual--heading", "manual--code", "manual--rule"}
    DEFAULT_CSS = """
    ManualText {
        height: auto;
        & > .manual--heading { color: $accent; text-style: bold; }
        & > .manual--code { color: $success; text-style: bold; }
        & > .manual--rule { color: $faint; }
    }
    """

    def __init__(self, topic: str) -> None:
        super().__init__(id="help-text")
        self._page = read_page(topic)

    def lines_at(self, width: int) -> Iterator[Content]:
        """The page as content, because the text of a Rich renderable cannot be selected."""
        names = ("heading", "code", "rule")
        styles = {name: self.get_component_rich_style(f"manual--{name}", partial=True) for name in names}
        console = self.app.console
        lines = console.render_lines(ManualPage(self._page, styles), console.options.update(width=width), pad=False)
        for line in lines:
            yield Content.from_rich_text(Text.assemble(*((part.text, part.style or "") for part in line)))


class HelpDialog(Dialog[None]):
    """Shows a text that can be scrolled, for example the keys of a screen; q, ? and esc close the dialog."""

    PLACE = "In the help"
    ACTIONS = (
        Action("help.close", "q,question_mark", lambda shown: shown.action_give_up(), "Close"),
        Action("help.down", "j,down", lambda shown: shown.scroll_by(1), "Down"),
        Action("help.up", "k,up", lambda shown: shown.scroll_by(-1), "Up"),
        Action("help.page-down", "pagedown", lambda shown: shown.page(1.0), "Page down"),
        Action("help.page-up", "pageup", lambda shown: shown.page(-1.0), "Page up"),
        Action("help.half-down", "ctrl+d", lambda shown: shown.page(0.5), "Half a page down"),
        Action("help.half-up", "ctrl+u", lambda shown: shown.page(-0.5), "Half a page up"),
        Action("help.first", "g,home", lambda shown: shown.box.scroll_home(animate=False), "First line"),
        Action("help.last", "G,end", lambda shown: shown.box.scroll_end(animate=False), "Last line"),
        Action("help.manual", "M", lambda shown: shown.open_manual(), "Manual"),
    )

    def __init__(self, title: str, text: Widget) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help", classes="dialog", can_focus=False) as box:
            box.border_title = Content(self._title)
            keys = keymap_in_use().hint(
                "{help.down} {help.up} {help.page-down} scroll · {help.manual} manual · {dialog.close} close"
            )
            box.border_subtitle = Content(keys)
            yield self._text

    @property
    def box(self) -> VerticalScroll:
        return self.query_one("#help", VerticalScroll)

    def scroll_by(self, lines: int) -> None:
        self.box.scroll_relative(y=lines, animate=False)

    def page(self, pages: float) -> None:
        """Scroll by pages, or fractions of a page, that overlap by one line; a negative number scrolls up."""
        lines = int(self.box.scrollable_content_region.height * abs(pages)) - 1
        self.scroll_by(max(lines, 1) * (1 if pages > 0 else -1))

    def open_manual(self) -> None:
        """Close the help and list the manual's topics."""
        self.dismiss(None)
        self.app.push_screen(manual_palette(self.app))


def key_help(screen: Screen[Any], problems: Sequence[str] = ()) -> HelpDialog:
    """A dialog with the keys that work on a screen now; `problems` are sentences about config.toml, shown first."""
    head, _, prose = (screen.HELP or "").strip().partition("\n")
    title = f"Keys · {head.removeprefix('# ')}" if head else "Keys"
    return HelpDialog(title, HelpText(keys_of(screen), filter(None, with_keys(prose).split("\n\n")), problems))


def manual_palette(app: App[Any]) -> Palette:
    """A palette of the manual's topics; choosing a topic opens its page."""

    async def read(topic: str) -> None:
        await app.push_screen(HelpDialog(f"Manual · {topic}", ManualText(topic)))

    return Palette([Command(topic, about, partial(read, topic)) for topic, about in TOPICS.items()], "Manual", "read")
