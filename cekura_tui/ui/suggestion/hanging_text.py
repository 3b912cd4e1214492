"""A widget that shows text with hanging indents, for bullets and indented lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual.content import Content

from cekura_tui.model.text import clean, clean_line
from cekura_tui.ui.kit.lines import WrappedText
from cekura_tui.ui.suggestion.diff_lines import hanging_breaks

MessageKind = Literal["", "good", "failed"]
_SIGNS: dict[MessageKind, str] = {"": "", "good": "✓ ", "failed": "✗ "}


class HangingText(WrappedText):
    """Shows paragraphs with hanging indents. The widget is as high as the wrapped paragraphs."""

    DEFAULT_CSS = """
    HangingText {
        height: auto;
        &.-good { color: $success; }
        &.-failed { color: $error; }
        &.-warning { color: $warning; }
    }
    """

    _paragraphs: Sequence[Content] = ()

    def show(self, paragraphs: Sequence[Content]) -> None:
        if paragraphs != self._paragraphs:
            self._paragraphs, self._drawn = paragraphs, None
            self.refresh(layout=True)

    def show_result(self, text: str, kind: MessageKind = "") -> None:
        """Show a result, with a green ✓ if `kind` is "good" and a red ✗ if "failed". Hide an empty result."""
        self.display = bool(text)
        self.set_class(kind == "good", "-good")
        self.set_class(kind == "failed", "-failed")
        self.show([Content(line) for line in clean(_SIGNS[kind] + text).split("\n")])

    def show_warnings(self, warnings: Sequence[str]) -> None:
        """Show each warning in amber after a "!"; hide the widget if there are no warnings."""
        self.display = bool(warnings)
        self.add_class("-warning")
        self.show([Content(f"! {clean_line(warning)}") for warning in warnings])

    def lines_at(self, width: int) -> list[Content]:
        return [
            Content(" " * indent) + paragraph[start:end]
            for paragraph in self._paragraphs
            for start, end, indent in hanging_breaks(paragraph.plain, width)
        ]
