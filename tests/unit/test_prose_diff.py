"""The diff of two prompts: exact, readable, and done in time whatever the texts are."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cekura_tui.model.prose_blocks import ProseDiff, diff
from cekura_tui.model.prose_text import as_text

OLD = """# Role
You are Ava, the scheduling assistant of a dental practice.

## Verification
- Ask for the full name and date of birth.
- Do not share any data before the caller is verified.
- If the caller fails twice, transfer to a human.

## Booking
Offer at most three slots. Always repeat the chosen slot
back to the caller and wait for an explicit yes before
you call the booking tool. Be polite.
"""
NEW = """# Role
You are Ava, the friendly scheduling assistant of a dental practice.

## Verification
- Ask for the full name and date of birth.
- Never share any data before the caller is verified.
- If the caller fails twice, transfer to a human.

## Booking
Offer at most two slots. Always repeat the chosen slot back
to the caller and wait for an explicit yes before you call
the booking tool. Be polite.

## Closing
Say goodbye.
"""


def side(found: ProseDiff, op: str) -> str:
    return "".join(span.text for block in found.blocks for span in block.spans if span.op in ("same", op))


def marked(found: ProseDiff) -> list[str]:
    marks = {"same": "{}", "del": "[-{}-]", "ins": "{{+{}+}}"}
    return ["".join(marks[s.op].format(s.text) for s in b.readable) for b in found.blocks if b.changed]


WORDS = ["a", "the", "caller", "- ", "# H\n", ".", "…", "日本", "e\u0301"]
SPACES = [" ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", "\x1b[31m", "\ud800"]
PIECES = st.sampled_from(WORDS + SPACES)
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=60)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_a_diff_holds_both_texts_to_the_character(old: str, new: str) -> None:
    found = diff(old, new)
    assert side(found, "del") == old
    assert side(found, "ins") == new
    assert found.is_same == (old == new)
    assert all(span.text for block in found.blocks for span in block.spans)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_the_line_a_change_is_headed_by_is_where_it_is(old: str, new: str) -> None:
    old_line = new_line = 1
    for block in diff(old, new).blocks:
        assert (block.old_line, block.new_line) == (old_line, new_line)
        old_line += block.text("del").count("\n")
        new_line += block.text("ins").count("\n")


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_no_control_character_of_a_prompt_reaches_the_terminal_as_text(old: str, new: str) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", as_text(diff(old, new)))


def test_a_changed_word_is_marked_and_its_line_is_not_replaced_whole() -> None:
    assert marked(diff(OLD, NEW))[:2] == [
        "You are Ava, the {+friendly +}scheduling assistant of a dental practice.\n",
        "- [-Do not-]{+Never+} share any data before the caller is verified.\n",
    ]


def test_a_paragraph_that_only_wraps_elsewhere_shows_the_changed_word_alone() -> None:
    assert marked(diff(OLD, NEW))[2].startswith("Offer at most [-three-]{+two+} slots. Always repeat")
    assert marked(diff(OLD, NEW))[2].count("{+") == 1


def test_a_new_section_is_one_change_and_words_are_counted() -> None:
    found = diff(OLD, NEW)
    assert found.changes == 4
    assert marked(found)[3] == "{+\n## Closing\nSay goodbye.\n+}"
    assert (found.added_words, found.removed_words) == (6, 3)


def test_a_rewritten_line_is_shown_whole_and_not_as_confetti() -> None:
    old = "Ask the caller for the order number and look it up.\n"
    new = "Never end the call before the refund was confirmed by the tool.\n"
    assert marked(diff(old, new)) == [f"[-{old}-]{{+{new}+}}"]


def test_a_short_word_between_two_changes_does_not_stand_alone() -> None:
    old = "When the caller is angry stay calm and offer a manager to them at once.\n"
    new = "When the caller is upset be calm and offer a supervisor to them at once.\n"
    assert "[-angry stay-]{+upset be+}" in marked(diff(old, new))[0]
    crumb = diff("Always greet him in the morning, then ask.", "Always greet her at the evening, then ask.")
    assert marked(crumb) == ["Always greet [-him in the morning-]{+her at the evening+}, then ask."]


def test_line_ends_alone_are_one_change_with_a_note() -> None:
    found = diff(OLD, OLD.replace("\n", "\r\n"))
    assert [block.note for block in found.blocks] == ["line ends only"]
    assert as_text(found) == "@@ line 1 @@ (line ends only)\n"


def test_a_missing_last_line_end_is_a_change() -> None:
    assert not diff("a\n", "a").is_same
    assert diff("a\n", "a").changes == 1


def test_trailing_white_space_is_a_change_with_a_note() -> None:
    found = diff("one\ntwo\nthree\n", "one\ntwo  \nthree\n")
    assert [block.note for block in found.blocks] == ["", "white space only", ""]


def test_text_without_spaces_is_compared_by_letter() -> None:
    assert marked(diff("お電話ありがとうございます。ご予約ですか。", "お電話ありがとうございます。ご変更ですか。")) == [
        "お電話ありがとうございます。ご[-予約-]{+変更+}ですか。"
    ]


def test_every_change_knows_the_heading_it_is_under() -> None:
    found = diff(OLD, NEW)
    headings = [h for block, h in zip(found.blocks, found.headings, strict=True) if block.changed]
    assert headings == ["# Role", "## Verification", "## Booking", "## Booking"]


def test_the_text_for_the_command_line_folds_what_did_not_change() -> None:
    old = "".join(f"Line {n} of the prompt.\n" for n in range(1, 31))
    new = old.replace("Line 15 of the prompt.", "Line 15 of this prompt.")
    assert as_text(diff("# Rules\n" + old, "# Rules\n" + new)).splitlines() == [
        "… 13 lines unchanged …",
        "Line 13 of the prompt.",
        "Line 14 of the prompt.",
        '@@ line 16 @@ under "# Rules"',
        "Line 15 of [-the-]{+this+} prompt.",
        "Line 16 of the prompt.",
        "Line 17 of the prompt.",
        "… 13 lines unchanged …",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ab " * 7_000, "ab ba " * 3_500),
        ("x" * 20_000, "x" * 19_000 + "y"),
        ("!?" * 10_000, "?!!" * 7_000),
        ("same line\n" * 5_000, "same line\n" * 4_000 + "other\n" + "same line\n" * 500),
        ("same line\nb\n" * 2_500, "b\nsame line\nc\n" * 2_000),
        ("".join(f"x {n}\n" for n in range(5_000)), "".join(f"y {n}\n" for n in range(5_000))),
        ("a b\n\n" * 2_000, "b a c\n\n" * 2_000),
    ],
    ids=["line of repeats", "one long word", "marks", "equal lines", "two lines", "every line", "paragraphs"],
)
def test_a_strange_prompt_does_not_stop_the_program(old: str, new: str) -> None:
    began = time.perf_counter()
    found = diff(old, new)
    assert time.perf_counter() - began < 2.0  # a quadratic diff takes minutes here
    assert side(found, "del") == old
    assert side(found, "ins") == new
