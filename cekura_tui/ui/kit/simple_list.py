"""Lists that need no class of their own: rows of one line each, and choices, which are shapes, not colours."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.segment import Segment
from rich.style import Style

from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.lines import TONE_CLASSES
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.terminal.cells import fit

R = TypeVar("R")
Ink = Callable[[str], Style]
"""The style of a tone: one of `TONES`."""


class SimpleList(VirtualList[R]):
    """Rows of one line: `key` says what stays the same when a row changes, `line` draws a row in so many cells."""

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
        self.lines_of = lambda row, width, state: [line(row, width, self._ink)]
        super().__init__(opened=opened, id=id)
        self.can_focus = can_focus

    def _ink(self, tone: str) -> Style:
        return self.style_of(f"tone--{tone}")


@dataclass(frozen=True, slots=True)
class Choice:
    key: str
    words: str


class ChoiceList(VirtualList[Choice]):
    """Choose with space or enter; what is chosen are the list's marks."""

    ACTIONS = (Action("choice.choose", "space,enter", lambda choices: choices.choose_row(), "Choose", footer=1),)
    DEFAULT_CSS = """
    ChoiceList {
        & > .virtual-list--mark { color: $text; text-style: none; }
        /* Only what has the focus looks like it: here the boxes show what is chosen. */
        &:blur > .virtual-list--cursor-blurred { background: transparent; }
    }
    """

    def __init__(self, *, several: bool, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._several = several

    def key_of(self, row: Choice) -> Hashable:
        """Its key."""
        return row.key

    def lines_of(self, row: Choice, width: int, state: RowState) -> Sequence[Line]:
        """A box and the words."""
        boxes = ("[x]", "[ ]") if self._several else ("(•)", "( )")
        return [[Segment(fit(f"{boxes[not state.marked]} {row.words}", width))]]

    @property
    def chosen(self) -> frozenset[str]:
        """The keys that are chosen."""
        return frozenset(str(key) for key in self.marks)

    def choose_row(self) -> None:
        """Choose the row under the cursor; of several, toggle it."""
        if self.cursor_key is None:
            return
        if self._several:
            self.toggle_mark(self.cursor_key)
        elif self.marks != {self.cursor_key}:
            self.marks = frozenset({self.cursor_key})
            self.post_message(self.Marked(self, self.marks))
