"""A short list to choose one or several from: the choice is a shape, not a colour."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from rich.segment import Segment

from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.terminal.cells import fit


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen."""

    key: str
    words: str


class ChoiceList(VirtualList[Choice]):
    """Choose with space or enter; what is chosen are the list's marks."""

    ACTIONS = (Action("choice.choose", "space,enter", "choose", "Choose", footer=1),)
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

    def action_choose(self) -> None:
        """Choose the row under the cursor; of several, toggle it."""
        if self.cursor_key is None:
            return
        if self._several:
            self.toggle_mark(self.cursor_key)
        elif self.marks != {self.cursor_key}:
            self.marks = frozenset({self.cursor_key})
            self.post_message(self.Marked(self, self.marks))
