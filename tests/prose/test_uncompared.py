"""A text too long to compare is one hunk: staged exactly, but shown only in part."""

from __future__ import annotations

import pytest

from cekura_tui.model.text import word_total
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import LONGEST, MOST_LINES, SHOWN, are_too_long, shown_length
from cekura_tui.prose.lines import as_text, passages, staged_lines
from cekura_tui.prose.staging import HunkChoice, staged

SENT = "# Booking\n1. Ask him.\n3. Tell her.\n"
LONG = {
    "lines": "- Ask the caller for the date of birth.\r\n" * 30_000,
    "one line": "Ask him. " * 120_000,
    "no space": "x" * (LONGEST + 1),
    "short lines": ("ab\n" * (MOST_LINES + 1)).ljust(LONGEST - len(SENT)),
    "one line and many": "x" * LONGEST + "\n" * MOST_LINES,
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("sent", [SENT, "", "y" * 150_000])
def test_staging_a_text_too_long_to_compare_is_exact(name: str, sent: str) -> None:
    diff, kind = compare(sent, LONG[name]), "changed" if sent else "added"
    assert (diff.old, diff.new, diff.hunks[0].kind, diff.is_compared) == (sent, LONG[name], kind, False)
    assert staged(diff, {}) == staged(diff, {1: HunkChoice("rejected")}) == sent
    assert [compare(LONG[name], now).hunks[0].kind for now in (" ", "z")] == ["removed", "changed"]
    assert staged(diff, {1: HunkChoice("accepted")}) == LONG[name]


@pytest.mark.parametrize("name", LONG)
def test_only_the_start_of_a_long_text_is_shown_with_the_length_of_the_rest(name: str) -> None:
    diff = compare(SENT, LONG[name])
    size = f"{len(SENT + LONG[name]):,} characters; up to 1,000,000 are"
    size = f"{MOST_LINES + 4:,} lines; up to 100,000 are" if name == "short lines" else size
    assert diff.coarse.startswith(f"not compared: the two texts have {size}")
    lines = [line.text for passage in passages(diff) for line in passage.lines]
    kept = [line.text for line in staged_lines(diff, {1: HunkChoice("accepted")}).lines]
    for drawn in (lines, kept, as_text(diff).splitlines()):
        assert f"… ({len(LONG[name]) - shown_length(LONG[name]):,} characters more, not shown)" in "\n".join(drawn)
        assert sum(map(len, drawn)) < 2 * SHOWN
    assert len(kept) < 2_500


def test_the_key_of_an_uncompared_hunk_depends_on_the_text() -> None:
    """The limits for comparing a text and for showing a text are exact, too."""
    assert len({compare(SENT, LONG["one line"] + end).hunks[0].key for end in ("", "", "!")}) == 2
    assert compare(LONG["lines"], LONG["lines"]).is_same
    assert not are_too_long("x" * LONGEST, "") | are_too_long("", "\n" * MOST_LINES)
    texts = ("ab\n" * 2_000, "ab\n" * 2_001, f"{'x' * 50_000}\n{'x' * 60_000}", f"{'x' * 49_999}\n{'x' * 60_000}")
    assert [*map(shown_length, texts)] == [6_000, 6_000, 50_001, 100_000]


@pytest.mark.parametrize("text", ["", " ", "one", "a b" * 90_000, "word " * 70_000, "\n" * 70_000 + "x" * 70_000])
def test_counting_words_in_parts_gives_the_total_of_the_whole_text(text: str) -> None:
    assert word_total(text) == len(text.split())
