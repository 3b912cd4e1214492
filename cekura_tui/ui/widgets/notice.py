"""What a pane shows when it has no data: that it is loading, is empty, or why it failed."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean


class Notice(Static):
    """A headline and what to do."""

    def say(self, title: str, text: str = "", *, failed: bool = False) -> None:
        """Show this; both texts are cleaned."""
        self.set_class(failed, "-failed")
        shown = Text(clean(title), style="bold", justify="left")
        if text:
            shown.append(f"\n{clean(text)}", style="not bold")
        self.update(shown)

    def say_error(self, error: CekuraTuiError) -> None:
        """Show what failed, why, and the keys that help."""
        self.say(f"! {error.title}", f"{error.sentence()}\nr retries · enter shows the whole error", failed=True)
