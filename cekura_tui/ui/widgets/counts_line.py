"""The line above the run list: how many runs there are, how the loaded ones ended, and what is marked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from cekura_tui.model.text import count
from cekura_tui.model.view import RunRow


class CountsLine(Static):
    """`total` is None until the server or the cache tells it."""

    def show(self, total: int | None, rows: Sequence[RunRow], *, failures: bool, marked: int) -> None:
        """Draw these counts."""
        text = Text(" ", no_wrap=True, overflow="ellipsis", end="")
        if total is not None:
            kinds = [row.outcome.kind for row in rows]
            told = (count(total, "run"), f"{kinds.count('failed')} failed", count(kinds.count("error"), "error"))
            text.append(" · ".join(told))
            if len(kinds) < total:
                text.append(f" of {len(kinds):,} loaded")
        if failures:
            text.append("  failures only", style="bold")
        if marked:
            text.append(f"  {marked} marked", style="bold")
        self.update(text)
