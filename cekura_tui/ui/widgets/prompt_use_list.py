"""The uses of an agent's prompts as lines: when, how, how many words, and how the text begins."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType

from cekura_tui.model.prompt_use import PromptUse
from cekura_tui.model.text import count
from cekura_tui.ui.board import Board
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import TONE_CLASSES, TONE_CSS
from cekura_tui.ui.widgets.virtual_list import VirtualList

_WHEN_CELLS, _WORDS_CELLS, _HOW_CELLS = 12, 12, 26
_HASH_CELLS, _WIDE = 8, 100
_HERE = "» "


@dataclass(frozen=True, slots=True)
class UseRow:
    """A use as it is drawn; `here` tells that the agent has this text now."""

    use: PromptUse
    when: str
    here: bool


def how_words(use: PromptUse) -> str:
    """How a prompt was used, in words: "sent with job 4"."""
    job = f"job {use.job}" if use.job is not None else ""
    return {
        "seen": "seen at the agent",
        "sent": f"sent with {job}" if job else "sent with a job",
        "proposed": f"proposed by {job}" if job else "proposed by a job",
        "staged": f"staged from {job}" if job else "staged",
        "written": f"written, from {job}" if job else "written",
        "replaced": f"replaced by {job}'s" if job else "replaced",
    }[use.how]


class PromptUseList(VirtualList[UseRow]):
    """Uses, the newest first; one can be marked, to be compared with another."""

    marking = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Compare", key_display="enter", id="prompt-uses.open"),
        Binding("space", "toggle_mark", "Mark", id="prompt-uses.mark"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    DEFAULT_CSS = f"PromptUseList {{ {TONE_CSS} }}"

    def show_uses(self, uses: Iterable[PromptUse], board: Board, here: str) -> None:
        """Show these; `here` is the hash of the text that the agent has, or empty where that is not known."""
        self.show_rows([UseRow(use, board.when(use.at), use.sha256 == here) for use in uses])

    @property
    def marked(self) -> PromptUse | None:
        """The one that is marked."""
        return next((row.use for row in self.rows if self.key_of(row) in self.marks), None)

    def key_of(self, row: UseRow) -> Hashable:
        """Text and use: of each text every kind of use is kept once."""
        return row.use.sha256, row.use.how

    def toggle_mark(self, key: Hashable) -> None:
        """Mark it in place of another, or no more."""
        self.marks &= {key}
        super().toggle_mark(key)

    def mark_range_to_cursor(self) -> None:
        """One alone can be marked."""
        self.action_toggle_mark()

    def lines_of(self, row: UseRow, width: int, state: RowState) -> Sequence[Line]:
        """One line."""
        use, dim = row.use, self.ink("tone--dim")
        words = count(use.words, "word")
        rest = width - 2 - len(_HERE) - _WHEN_CELLS - _HOW_CELLS - _WORDS_CELLS - 4
        name = []
        if width >= _WIDE:
            # Prompts of an agent often begin alike: by its hash one sees which are the same.
            name, rest = [Segment(use.sha256[:_HASH_CELLS] + "  ", dim)], rest - _HASH_CELLS - 2
        return [
            [
                Segment("● " if state.marked else "  "),
                Segment(_HERE if row.here else "  ", self.ink("tone--good")),
                Segment(fit(row.when, _WHEN_CELLS) + " ", dim),
                Segment(fit(how_words(use), _HOW_CELLS) + " "),
                Segment(fit(words, _WORDS_CELLS, right=True) + "  "),
                *name,
                Segment(fit(use.first_line, rest), dim),
            ]
        ]
