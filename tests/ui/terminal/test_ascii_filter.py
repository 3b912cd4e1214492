"""Text for a terminal with a small character set keeps its width and has only characters of this set."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from cekura_tui.ui.terminal.filters import AsciiFilter


@pytest.mark.parametrize(
    ("encoding", "text", "drawn"),
    [
        ("utf-8", "│ ✓ café 漢字 │", "| v café 漢字 |"),
        ("iso8859-1", "│ ✓ café 漢字 │", "| v café ???? |"),
        ("ascii", "│ ✓ café 漢字 │", "| v caf? ???? |"),
        ("ascii", "e\u0301 👩 x", "? ?? x"),
        ("ascii", "≥ 5 … “yes”", '>=5 ~ "yes"'),
        ("cp1251", "Привет ✗ 漢", "Привет x ??"),
    ],
)
def test_signs_become_ascii_and_missing_letters_become_question_marks(encoding: str, text: str, drawn: str) -> None:
    (segment,) = AsciiFilter(encoding).apply([Segment(text)], Color(0, 0, 0))
    assert segment.text == drawn
    assert cell_len(drawn) == cell_len(text)
