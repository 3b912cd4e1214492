"""Where a filter is typed: one line in which what is wrong is underlined and names that are known are offered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.geometry import Region
from textual.suggester import Suggester
from textual.widget import Widget

from cekura_tui.model.filter_completion import Names, complete
from cekura_tui.ui.widgets.cells import one_line
from cekura_tui.ui.widgets.typed_line import TypedLine

LONGEST = 1_000
"""Characters of a filter that can be typed."""


class WrongMarks(Highlighter):
    """Underlines what is wrong in the line that is being typed."""

    def __init__(self, field: Widget) -> None:
        self._field = field
        self.spans: Sequence[tuple[int, int]] = ()

    def highlight(self, text: Text) -> None:
        """Mark the spans."""
        for start, end in self.spans:
            text.stylize(self._field.get_component_rich_style("filter-input--wrong", partial=True), start, end)


class KnownNames(Suggester):
    """Offers behind the cursor how the text may go on, where that is all there is to change."""

    def __init__(self, names: Callable[[], Names]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        """The whole text as it would be."""
        completed = completed_line(value, self._names())
        return completed if completed is not None and goes_on(completed, value) else None


class FilterInput(TypedLine):
    """Where a filter is typed: one line, whatever is pasted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"filter-input--wrong"}

    def __init__(self, names: Callable[[], Names], submit: Callable[[str], None] | None = None) -> None:
        self._marks, self._submit = WrongMarks(self), submit
        super().__init__(highlighter=self._marks, suggester=KnownNames(names), select_on_focus=False, compact=True)
        self.cursor_blink = False

    def entered(self, value: str) -> bool:
        """Enter."""
        if self._submit is None:
            return False
        self._submit(value)
        return True

    def mark(self, spans: Sequence[tuple[int, int]]) -> None:
        """These parts are wrong."""
        if self._marks.spans != spans:
            self._marks.spans = spans
            self.refresh()

    def put(self, text: str, rest: str = "") -> None:
        """Hold this text, the cursor at its end, and the rest behind it; nothing of what was kept is cut."""
        self.value = one_line(text) + rest
        self.cursor_position = len(self.value) - len(rest)

    def replace(self, text: str, start: int, end: int) -> None:
        """Put text between these places; as much of it as there is room for, and of several lines only spaces stay."""
        start, end = sorted((start, end))
        room = max(LONGEST - len(self.value) + end - start, 0)
        # Far more than there is room for is not worth cleaning.
        super().replace(one_line(text[: 2 * LONGEST])[:room], start, end)

    def on_resize(self) -> None:
        """The cursor stays in sight."""
        at = cell_len(self.value[: self.cursor_position])
        self.scroll_to_region(Region(at, 0, 2, 1), force=True, animate=False)

    def on_paste(self, event: events.Paste) -> None:
        """Textual would take the first line alone."""
        event.prevent_default()
        event.stop()
        self.replace(" ".join(event.text[: 2 * LONGEST].splitlines()), *self.selection)


def completed_line(text: str, names: Names, room: int = LONGEST) -> str | None:
    """The text with its last term completed, as the line holds it; None where nothing fits or there is no room."""
    completed = complete(text, names)
    line = None if completed is None else one_line(completed)
    return line if line is not None and len(line) <= room and line != text else None


def goes_on(completed: str, text: str) -> bool:
    """Whether a completed text only adds to what was typed, so that the addition can be shown behind it."""
    return len(completed) > len(text) and completed[: len(text)].casefold() == text.casefold()
