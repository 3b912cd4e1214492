"""The terminal's title while the program runs; the former one is put back."""

from __future__ import annotations

from collections.abc import Callable

from cekura_tui.ui.terminal.notifications import harmless

_KEEP = "\x1b[22;2t"
# A terminal that keeps no titles is left without one, rather than with ours.
_BACK = "\x1b]2;\x07\x1b[23;2t"


class Title:
    """Writes only what differs from what is there; `back` is what restores the title, empty where it was never set."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._shown: str | None = None

    def show(self, text: str) -> None:
        """Make this the title."""
        text = harmless(text)
        if text != self._shown:
            self._write(f"{_KEEP if self._shown is None else ''}\x1b]2;{text}\x07")
            self._shown = text

    @property
    def back(self) -> str:
        """What to write when the program ends."""
        return "" if self._shown is None else _BACK
