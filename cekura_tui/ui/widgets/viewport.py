"""Which lines of which rows are on screen. Positions are (row, line within it), never a line of the whole list, so that
nothing moves under the eyes when an estimate above turns out to be wrong."""

from __future__ import annotations

from collections.abc import Callable

from cekura_tui.ui.widgets.row_heights import Heights

Position = tuple[int, int]


class Viewport:
    """A window of `height` lines over rows; the rows it shows, and those it walks over, are measured exactly."""

    def __init__(self, heights: Heights, measure: Callable[[int], int], height: int = 0) -> None:
        self.heights = heights
        self.height = height
        self.top: Position = (0, 0)
        self._measure = measure

    @property
    def y(self) -> int:
        """The line of the whole list that is uppermost, as the scroll bar knows it."""
        index, line = self.top
        return self.heights.top_of(index) + line

    def exact(self, index: int) -> int:
        """The true height of a row, measured now if it was an estimate."""
        if not self.heights.is_exact(index):
            self.heights.put(index, self._measure(index))
        return self.heights.height(index)

    def place(self, index: int, line: int) -> None:
        """Put this line of this row uppermost, or as near to it as the end of the list allows."""
        count = self.heights.count
        if not count:
            self.top = (0, 0)
            return
        if index >= count:
            index, line = count - 1, self.exact(count - 1)
        index = max(index, 0)
        line = min(max(line, 0), self.exact(index) - 1)
        below = index
        room = self.height + line
        while room > 0 and below < count:
            room -= self.exact(below)
            below += 1
        self.top = self._up(index, line, room) if room > 0 else (index, line)

    def hold(self, index: int, line: int, at: int) -> None:
        """Put this line of this row on line `at` of the window, or as near to it as the ends of the list allow."""
        if self.heights.count:
            self.place(*self._up(index, min(line, self.exact(index) - 1), at))
        else:
            self.top = (0, 0)

    def scroll(self, lines: int) -> None:
        """Move by so many true lines; for distances of a few screens."""
        index, line = self.top
        last = self.heights.count - 1
        if lines < 0:
            self.place(*self._up(index, line, -lines))
            return
        line += lines
        while index < last and line >= self.exact(index):
            line -= self.exact(index)
            index += 1
        self.place(index, line)

    def jump(self, y: int) -> None:
        """Go to a line of the whole list, measured or not; its end is the true end."""
        if y >= self.heights.total - self.height:
            self.place(self.heights.count, 0)
        else:
            self.place(*self.heights.at(y))

    def reveal(self, index: int, *, bottom: bool = False) -> None:
        """The least move that shows a row whole; of one higher than the window its top, or with `bottom` its end."""
        height = self.exact(index)
        if height > self.height:
            self.place(*((index, height - self.height) if bottom else (index, 0)))
        elif (index, 0) < self.top:
            self.place(index, 0)
        elif (lowest := self._up(index, 0, self.height - height)) > self.top:
            self.place(*lowest)

    def lines(self) -> list[Position]:
        """The position of every line on screen, from above; shorter than the window if the list is."""
        index, line = self.top
        shown: list[Position] = []
        while len(shown) < self.height and index < self.heights.count:
            take = min(self.exact(index) - line, self.height - len(shown))
            shown.extend((index, line + offset) for offset in range(take))
            index, line = index + 1, 0
        return shown

    def _up(self, index: int, line: int, lines: int) -> Position:
        """The position so many true lines above this one, or the very top."""
        line -= lines
        while line < 0 and index > 0:
            index -= 1
            line += self.exact(index)
        return index, max(line, 0)
