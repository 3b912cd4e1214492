"""The names of the columns of a list above it, and cells that lists in columns have in common."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from cekura_tui.ui.terminal.cells import fit


class Heading(NamedTuple):
    """The column `name`, headed by `words`, in so many cells, followed by one cell of space."""

    name: str
    words: str
    cells: int
    right: bool = False
    style: str = "$muted"


class ColumnHeader(Static):
    """One line over a list that has a scroll bar; `headings` gives the columns of a list of so many cells.

    A change of `basis`, which is what they depend on beside the width, repaints them.
    """

    ALLOW_SELECT = False
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
        """The names, each over its column."""
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
    """A date loses its time of day where it does not fit."""
    return when if len(when) <= cells else when.rsplit(" ", 1)[0]
