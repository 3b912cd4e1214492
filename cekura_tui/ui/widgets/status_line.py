"""The top line: which workspace, project and agent, how fresh, and what runs."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widgets import Static

from cekura_tui.model.text import clean_line


class StatusLine(Static):
    """One line; what matters most stands at both ends."""

    left: reactive[tuple[str, ...]] = reactive(())
    right: reactive[tuple[str, ...]] = reactive(())

    def render(self) -> Text:
        """The parts with dots between."""
        left = Text(" ").append(clean_line(self.left[0], 60) if self.left else "", style="bold")
        for part in self.left[1:]:
            left.append(" · ", style="dim").append(clean_line(part, 60))
        right = Text(" · ".join(clean_line(part, 80) for part in self.right if part) + " ")
        room = self.size.width - right.cell_len
        left.truncate(max(room - 1, 0), overflow="ellipsis", pad=True)
        return Text.assemble(left, " ", right, no_wrap=True, overflow="crop", end="")
