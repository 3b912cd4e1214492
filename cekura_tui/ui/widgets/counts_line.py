"""The line under the filter: how many runs there are, how the loaded ones ended, what is marked and what waits."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widgets import Static


class CountsLine(Static):
    """Repainted only when a word of it changes."""

    counts: reactive[str] = reactive("")
    marked: reactive[int] = reactive(0)
    waiting: reactive[int] = reactive(0)
    flood: reactive[bool] = reactive(False)

    def render(self) -> Text:
        """One line."""
        text = Text(f" {self.counts}", no_wrap=True, overflow="ellipsis", end="")
        if self.waiting:
            more = "+" if self.flood else ""
            text.append(f"  {self.waiting:,}{more} new ↑", style="bold")
        if self.marked:
            text.append(f"  {self.marked:,} marked", style="bold")
        return text
