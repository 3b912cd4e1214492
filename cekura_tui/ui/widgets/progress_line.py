"""How far something has come, in blocks that stand still between two looks."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

_BLOCKS = 24


class ProgressLine(Static):
    """A bar and a few words; it is drawn only when they change."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._shown = ""

    def show(self, done: int, total: int, words: str) -> None:
        """So many of so many; nothing of the bar is full that is not done."""
        full = _BLOCKS * min(done, total) // total if total > 0 else 0
        text = f"{'█' * full}{'·' * (_BLOCKS - full)} {words}"
        if text != self._shown:
            self._shown = text
            self.update(Content(text))
