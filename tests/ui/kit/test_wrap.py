"""Wrapping: no line is wider than its column, and no word is lost."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cekura_tui.model.text import capped
from cekura_tui.ui.kit.strips import breaks, wrap
from cekura_tui.ui.terminal.cells import drawn, fit

NARROW = [*"abc é–…  -", "word"]
WIDE = ["日", "本語", "e\u0301", " \u0301", "👍", "👩\u200d🚀", "❤\ufe0f", "\u00ad", "\u3000"]
LETTERS = st.sampled_from(NARROW + WIDE)
LINES = st.lists(LETTERS, max_size=80).map("".join)


@given(LINES, st.integers(min_value=2, max_value=30))
def test_no_line_is_wider_than_its_column_and_only_spaces_at_breaks_are_lost(line: str, width: int) -> None:
    pieces = breaks(line, width)
    at = 0
    for start, end in pieces:
        assert line[at:start].strip(" ") == ""
        assert cell_len(drawn(line[start:end])) <= width
        at = end
    assert line[at:].strip(" ") == ""


@given(st.text(alphabet="ab ", max_size=80), st.integers(min_value=1, max_value=12))
def test_only_a_word_longer_than_a_line_is_broken(line: str, width: int) -> None:
    line = line.strip()
    if all(len(word) <= width for word in line.split()):
        assert " ".join(wrap(line, width)).split() == line.split()


@given(LINES, st.integers(min_value=0, max_value=20))
def test_fitted_text_has_the_exact_width_of_its_column(text: str, cells: int) -> None:
    assert cell_len(fit(text, cells)) == cells
    assert cell_len(fit(text, cells, right=True)) == cells


def test_words_wrap_at_spaces_and_a_script_without_spaces_fills_its_lines() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("  one two three", 7) == ["  one", "two", "three"]
    assert wrap("one two  ", 7) == ["one two"]
    assert wrap("one\n\ntwo", 7) == ["one", "", "two"]
    assert wrap("", 7) == [""]
    assert wrap("予約を確認します", 6) == ["予約を", "確認し", "ます"]
    assert wrap("call 予約を確認", 8) == ["call 予", "約を確認"]


def test_cropped_text_ends_in_an_ellipsis_and_a_huge_line_in_a_character_count() -> None:
    assert fit("scenario", 5) == "scen…"
    assert fit("日本語", 4) == "日 …"
    assert fit("a\nb\tc\x1b", 8) == "a b   c "
    assert capped("x" * 20_000) == "x" * 4_000 + "… (16,000 characters more)"
    assert capped("x" * 4_000) == "x" * 4_000


def test_wrapping_a_long_line_takes_linear_time() -> None:
    began = time.process_time()
    wrap("x" * 200_000, 80)
    wrap("日本語" * 20_000, 80)
    assert time.process_time() - began < 2.0  # a quadratic wrap takes a minute here
