"""No subset of hunks joins the start of a line with the line above it."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.prose.compare import compare
from cekura_tui.prose.lines import as_text
from cekura_tui.prose.staging import HunkChoice, staged

Block = tuple[str, list[str]]
MARKS = ("- ", "  - ", "1. ", "")
"""Markers of list items; "" marks a paragraph."""


def render(blocks: list[Block]) -> str:
    """The prompt made of these blocks; numbered items get their numbers."""
    found, before, count = "", None, 0
    for mark, sentences in blocks:
        count = count + 1 if mark == "1. " else 0
        shown = f"{count}. " if mark == "1. " else mark
        joint = "" if before is None else "\n" if before == mark and mark in MARKS[:3] else "\n\n"
        found += joint + shown + " ".join(sentences)
        before = mark
    return found + "\n"


def two_versions(rng: Random) -> tuple[str, str]:
    """Two versions of a random prompt, with sentences, items and headings added, removed or moved."""
    numbers = iter(range(10_000))

    def sentence() -> str:
        return " ".join(f"w{next(numbers)}" for _ in range(rng.randint(1, 7))).capitalize() + "."

    def block() -> Block:
        mark = rng.choice(("## ", *MARKS))
        return mark, [sentence() for _ in range(1 if mark == "## " else rng.randint(1, 3))]

    old = [block() for _ in range(rng.randint(1, 6))]
    new = [(mark, list(sentences)) for mark, sentences in old]
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(new))
        mark, sentences = new[at]
        what = rng.choice(("first", "drop", "carry", "block", "leave", "shift"))
        if what == "first" and mark != "## ":
            sentences.insert(0, sentence())
        elif what == "drop" and len(sentences) > 1:
            sentences.pop(0)
        elif what == "carry" and len(sentences) > 1:
            to = rng.choice([one for one in new if one[0] != "## "])
            to[1].insert(rng.randint(0, len(to[1])), sentences.pop(0))
        elif what == "block":
            new.insert(at, block())
        elif what == "leave" and len(new) > 1:
            new.pop(at)
        elif what == "shift":
            new.insert(rng.randrange(len(new)), new.pop(at))
    return render(old), render(new)


@given(st.integers(0, 2**32))
def test_no_subset_of_hunks_puts_a_list_marker_or_heading_inside_a_line(seed: int) -> None:
    rng = Random(seed)
    old, new = two_versions(rng)
    diff = compare(old, new)
    numbers = [hunk.number for hunk in diff.hunks]
    subsets = [[one] for one in numbers] + [[n for n in numbers if n != one] for one in numbers]
    subsets += [[n for n in numbers if rng.random() < 0.5] for _ in range(4)]
    headings = {line for line in (*old.splitlines(), *new.splitlines()) if line.startswith("## ")}
    for subset in subsets:
        for line in staged(diff, {number: HunkChoice("accepted") for number in subset}).splitlines():
            assert not re.search(r"\S +(?:[-#]+|\d+\.) ", line), (subset, line)
            assert not line.startswith("## ") or line in headings, (subset, line)


RULES = "## Rules\n\n- Say sorry first. Never promise a refund on the phone.\n- Ask for the order number.\n"


@pytest.mark.parametrize("before", ["## Rules", "Example:\n\n```\n{}\n```", "- One more rule."])
@pytest.mark.parametrize("mark", ["-", "2.", "  -"])
def test_changing_the_first_sentence_of_a_rule_keeps_the_list_marker(before: str, mark: str) -> None:
    head = f"{before}\n\n" if before[0] != "-" else f"{before}\n"
    long = f"{head}{mark} Say sorry first. Never promise a refund on the phone.\n"
    short = f"{head}{mark} Never promise a refund on the phone.\n"
    for old, new, words in ((long, short, (3, 0)), (short, long, (0, 3))):
        diff = compare(old, new)
        assert [(hunk.removed, hunk.added) for hunk in diff.hunks] == [words]
        assert "list or heading" not in as_text(diff)


def test_removing_the_first_sentence_of_a_rule_marks_only_that_sentence() -> None:
    diff = compare(RULES, RULES.replace("Say sorry first. ", ""))
    assert "- [-Say sorry first.-] Never promise a refund on the phone." in as_text(diff).splitlines()


def test_moving_two_sentences_of_a_rule_apart_keeps_the_rule_intact() -> None:
    end = "\n\n## End\n\nSay goodbye to them."
    old = f"## Rules\n\n- Say sorry to the caller first. Ask for it. Never promise a refund.{end}\n"
    new = f"## Rules\n\n- Never promise a refund.{end} Say sorry to the caller first.\n"
    diff = compare(old, new)
    for hunk in diff.hunks:
        for taken in ([hunk.number], [other.number for other in diff.hunks if other is not hunk]):
            text = staged(diff, {number: HunkChoice("accepted") for number in taken})
            assert "\n- " in text
            assert "## Rules\n" in text


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_both_lines_of_an_added_or_removed_fence_are_one_hunk(fence: str) -> None:
    bare = "Say this:\n\ncode line one\n\nMore text here.\n\n## End\n\nBye.\n"
    fenced = bare.replace("code line one", f"{fence}\ncode line one\n{fence}")
    for old, new in ((bare, fenced), (fenced, bare)):
        (hunk,) = compare(old, new).hunks
        assert (hunk.removed, hunk.added) == (0, 0)


def test_unfenced_text_never_shares_a_line_with_a_fence() -> None:
    old = "Say this. And that.\n\n```\nWait for it, please. Then hang up.\n```\n\n1. Greet the caller.\n"
    new = "Say this. And that. Wait for it, please. Then hang up.\n\n1. Greet the caller.\n"
    diff = compare(old, new)
    for hunk in diff.hunks:
        for line in staged(diff, {hunk.number: HunkChoice("accepted")}).splitlines():
            assert "```" not in line or line == "```"


@pytest.mark.parametrize("lead", ["", "  ", "\t"])
def test_a_sentence_added_at_the_start_of_the_first_item_is_one_hunk(lead: str) -> None:
    old = f"{lead}- Ask the name of the caller.\n- Ask the date.\n"
    new = f"{lead}- Say hello first. Ask the name of the caller.\n- Ask the date.\n"
    assert len(compare(old, new).hunks) == 1
    diff = compare(f"## Title\n\n{old}", old)
    assert staged(diff, {1: HunkChoice("accepted")}) == old


def test_a_heading_inserted_between_two_sentences_keeps_its_own_line() -> None:
    old = "## Rules\n\n- Greet the caller. Never promise a refund.\n"
    new = "## Rules\n\n- Greet the caller.\n\n## Refunds\n\n- Ask for the order. Never promise a refund.\n"
    diff = compare(old, new)
    for hunk in diff.hunks:
        for taken in ([hunk.number], [other.number for other in diff.hunks if other is not hunk]):
            lines = staged(diff, {number: HunkChoice("accepted") for number in taken}).splitlines()
            assert {line for line in lines if "##" in line} <= {"## Rules", "## Refunds"}


def test_each_of_two_moved_sentences_names_its_new_place() -> None:
    old = (
        "## Identity\n\nYou are Ana, the voice of the clinic.\n\n## Rules\n\n"
        "1. Tell the caller that calls are recorded for training. Read the number back in groups of three. Go on.\n"
        "2. Ask for the date of birth.\n\n## Closing\n\nThank the caller.\n"
    )
    first, second = "Tell the caller that calls are recorded for training.", "Read the number back in groups of three."
    new = old.replace(f"{first} {second} ", "").replace("clinic.", f"clinic. {first}")
    new = new.replace("Thank the caller.", f"{second} Thank the caller.")
    diff = compare(old, new)
    lines = as_text(diff).splitlines()
    assert "→ moved to Identity › paragraph 1 (9 words)" in lines
    assert "→ moved to Closing › paragraph 1 (8 words)" in lines
    places = [line for line in lines if line.startswith("@@")]
    assert [line.count("moved from Rules › rule 1") for line in places] == [1, 1]
