"""A line of text above or between other things."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class OneLine(Static):
    """Drawn only when its words change; its height never does, so nothing is laid out again for it."""

    DEFAULT_CSS = "OneLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, classes=classes)
        self._shown = Text()

    def show(self, text: Text) -> None:
        """These words from now on."""
        if text != self._shown or text.style != self._shown.style:
            self._shown = text
            self.update(text, layout=False)
