"""A list of one-line rows, a list of choices, and column headings above a list."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.lines import TONE_CLASSES
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.terminal.cells import fit

R = TypeVar("R")
Ink = Callable[[str], Style]
"""Returns the style of a tone; the tones are the keys of `TONES`."""


class SimpleList(VirtualList[R]):
    """A list of one-line rows. `key` returns a row's key; `line` draws a row in the given number of cells."""

    COMPONENT_CLASSES = TONE_CLASSES

    def __init__(
        self,
        *,
        key: Callable[[R], Hashable],
        line: Callable[[R, int, Ink], Line],
        id: str,  # noqa: A002 - Textual's own word
        opened: Callable[[Hashable], None] | None = None,
        can_focus: bool = True,
    ) -> None:
        self.key_of = key
        self.lines_of = lambda row, width, state: [line(row, width, lambda tone: self.style_of(f"tone--{tone}"))]
        super().__init__(opened=opened, id=id)
        self.can_focus = can_focus


@dataclass(frozen=True, slots=True)
class Choice:
    key: str
    words: str


class ChoiceList(VirtualList[Choice]):
    """A list of choices. Space or enter chooses a row; the chosen rows are the list's marks."""

    ACTIONS = (Action("choice.choose", "space,enter", lambda choices: choices.choose_row(), "Choose", footer=1),)
    DEFAULT_CSS = """
    ChoiceList {
        & > .virtual-list--mark { color: $text; text-style: none; }
        &:blur > .virtual-list--cursor-blurred { background: transparent; }
    }
    """

    def __init__(self, *, several: bool, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._several = several

    def key_of(self, row: Choice) -> Hashable:
        return row.key

    def lines_of(self, row: Choice, width: int, state: RowState) -> Sequence[Line]:
        boxes = ("[x]", "[ ]") if self._several else ("(•)", "( )")
        return [[Segment(fit(f"{boxes[not state.marked]} {row.words}", width))]]

    @property
    def chosen(self) -> frozenset[str]:
        return frozenset(str(key) for key in self.marks)

    def choose_row(self) -> None:
        """With `several`, choose the row under the cursor or undo its choice; otherwise choose only that row."""
        if self.cursor_key is None:
            return
        if self._several:
            self.toggle_mark(self.cursor_key)
        elif self.marks != {self.cursor_key}:
            self.marks = frozenset({self.cursor_key})
            self.post_message(self.Marked(self, self.marks))


class Heading(NamedTuple):
    """The heading of a column that is `cells` wide and is followed by a blank cell. `right` aligns the text right."""

    name: str
    words: str
    cells: int
    right: bool = False
    style: str = "$muted"


class ColumnHeader(Static):
    """Column headings above a list; a change of `basis` repaints the headings. `headings` returns the headings for a
    width in cells; `gutter` is the number of blank cells before the first heading."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ColumnHeader { height: 1; text-wrap: nowrap; }"
    basis: reactive[Hashable] = reactive(None)

    @dataclass(eq=False, repr=False)
    class Clicked(Message):
        column: str

    def __init__(self, headings: Callable[[int], Iterable[Heading]], gutter: int, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._headings, self._gutter = headings, gutter

    def _shown(self) -> Iterable[Heading]:
        return self._headings(self.size.width - 1)

    def render(self) -> Content:
        cells = ((f"{fit(one.words, one.cells, right=one.right)} ", one.style) for one in self._shown())
        return Content.assemble(" " * self._gutter, *cells)

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or event.button != 1:
            return
        end = self._gutter
        for one in self._shown():
            end += one.cells + 1
            if offset.x < end:
                self.post_message(self.Clicked(one.name))
                return


def short_moment(when: str, cells: int) -> str:
    """A date and time, without the time if both do not fit."""
    return when if len(when) <= cells else when.rsplit(" ", 1)[0]
