"""The prose diff is exact to the byte for any texts, and shows the hunks that a reader expects."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.numbers import renumbered
from cekura_tui.prose.staging import HunkChoice, staged

YES, NO = HunkChoice("accepted"), HunkChoice("rejected")

_ANY = st.text(max_size=80)
_PARTS = st.sampled_from(
    [
        *("Be kind. ", "Never promise a price.", " Ask for {{name}} first.", "Say it once, then wait. Do not!"),
        *("e.g. at 10:30", "\n", "\n\n", "\r\n", "- ", "3. ", "4. ", "## Rules\n", "> quoted\n", "```json\n", "```\n"),
        *('  {"to": 1}\n', "| a | b |\n", "---\n", "日本語です。", " ", "\t", "…", "é\x85", "1.2 ", "1.3 ", "ii. "),
        *("Step 2: ", "    - ", "<rules>\n", "</rules>\n", "**Fees**\n", "[Style]\n", "====\n", "- ```\n"),
    ]
)
_PROMPTS = st.lists(_PARTS, max_size=24).map("".join)
_TEXTS = _PROMPTS | _ANY


@st.composite
def two_versions(draw: st.DrawFn) -> tuple[str, str]:
    """A prompt, and a version of this prompt with parts removed, inserted and moved."""
    parts = draw(st.lists(_PARTS, max_size=24))
    other = list(parts)
    for _ in range(draw(st.integers(0, 4))):
        rng = random.Random(draw(st.integers(0, 999)))
        at = rng.randrange(len(other) + 1)
        match draw(st.sampled_from(["put", "drop", "move"])):
            case "put":
                other.insert(at, draw(_PARTS))
            case "drop" if other:
                other.pop(at % len(other))
            case "move" if other:
                other.insert(at, other.pop(rng.randrange(len(other))))
    return "".join(parts), "".join(other)


_PAIRS = st.tuples(_TEXTS, _TEXTS) | two_versions()
_TABLE_FIRST = ("Be kind. \n- | a | b |\n", "| a | b |\nBe kind. \n- ")


@given(_PAIRS, st.randoms(use_true_random=False))
def test_accepting_no_hunk_or_some_hunks_or_all_hunks_makes_the_expected_text(
    texts: tuple[str, str], rng: random.Random
) -> None:
    diff = compare(*texts)
    assert (diff.old, diff.proposed) == texts
    old, new = diff.old, diff.new  # a quoted text was decoded
    assert staged(diff, {}) == staged(diff, {hunk.number: NO for hunk in diff.hunks}) == old
    assert staged(diff, {hunk.number: YES for hunk in diff.hunks}) == new
    assert diff.is_same == (old == new)
    assert [hunk.number for hunk in diff.hunks] == list(range(1, len(diff.hunks) + 1))
    assert set[int]().union(*(piece.hunks() for piece in diff.pieces)) == {hunk.number for hunk in diff.hunks}
    for piece in diff.pieces:
        assert piece.hunk or piece.old == piece.new or all(span.format for span in piece.spans if span.op != "same")
    assert len({hunk.key for hunk in diff.hunks}) == len(diff.hunks)
    taken = {hunk.number for hunk in diff.hunks if rng.random() < 0.5}
    text = old
    # A moved or reworded piece is one edit with its formatting, which can still be rejected separately.
    is_whole = all(piece.hunks() <= {piece.hunk} or not piece.hunk for piece in diff.pieces)
    for edit in reversed([edit for edit in diff.edits() if edit.hunk in taken]) if is_whole else ():
        text = text[: edit.start] + edit.new + text[edit.end :]
    if is_whole:
        assert staged(diff, {number: YES for number in taken}) == renumbered(text, old, new)


@given(_PAIRS)
def test_spans_contain_both_texts_and_the_diff_is_deterministic(texts: tuple[str, str]) -> None:
    diff = compare(*texts)
    assert compare(*texts) == diff
    left = Counter((piece.hunk, piece.old) for piece in diff.pieces if piece.moved == "away")
    for piece in diff.pieces:
        was = "".join(span.text for span in piece.spans if span.op != "ins")
        now = "".join(span.text for span in piece.spans if span.op != "del")
        if piece.moved == "here":
            assert now == piece.new
            left[piece.hunk, was] -= 1
        elif piece.hunk and not piece.moved:
            assert (was, now) == (piece.old, piece.new)
    assert not any(left.values())


@given(two_versions(), st.randoms(use_true_random=False))
@example(_TABLE_FIRST, random.Random(1))
@example(_TABLE_FIRST, random.Random(2))
@example(_TABLE_FIRST, random.Random(3))
def test_no_subset_of_hunks_joins_two_words(texts: tuple[str, str], rng: random.Random) -> None:
    """In scripts with spaces, each word of the staged text, except numbers, is a word of one of the two texts."""
    old, new = (text.replace("日本語です。", "Bitte! ") for text in texts)
    diff = compare(old, new)
    words = {*old.split(), *new.split()}
    text = staged(diff, {hunk.number: YES for hunk in diff.hunks if rng.random() < 0.5})
    assert {word for word in text.split() if not word[0].isdecimal()} <= words  # numbers are recomputed


@given(_TEXTS, st.randoms(use_true_random=False))
@example('{"to": 1}\né Never promise a price.  {"to": 1}\n', random.Random(1))  # a colon after 30 characters or more
def test_changed_white_space_is_layout_and_marks_no_word(text: str, rng: random.Random) -> None:
    """White space changed between two words is a layout change and marks no word. White space before a line or after
    its marker is left unchanged here, because it is structure."""
    spaced = re.sub(r"(?<=\w) (?=\w)", lambda _: rng.choice([" ", "  ", " \t"]), text)
    diff = compare(text, spaced)
    assert {hunk.kind for hunk in diff.hunks} <= {"layout"}
    assert (diff.added_words, diff.removed_words) == (0, 0)


RULES = """\
# Agent

You are Ava. You answer the phone of a clinic.

## Verification

1. Ask for the full name of the patient before anything else.
2. Ask for the date of birth and repeat it back slowly.
3. Never read out a phone number that is on file.

## Closing

Say goodbye and thank the caller for the call.
"""


RULE_2, OTHER_RULE = "Verification › rule 2", "Transfer angry people without delay"


def only(diff: ProseDiff) -> Hunk:
    (hunk,) = diff.hunks
    return hunk


def marked(diff: ProseDiff, number: int) -> str:
    """The text of a hunk, with the changed words marked as in `git diff --word-diff`."""
    signs = {"same": "{}", "del": "[-{}-]", "ins": "{{+{}+}}"}
    spans = [span for piece in diff.pieces if piece.hunk == number for span in piece.spans if not span.format]
    return "".join(signs[span.op].format(span.text) for span in spans)


def test_an_added_word_is_one_hunk_with_its_place_and_line_and_word_counts() -> None:
    diff = compare(RULES, RULES.replace("birth", "their birth"))
    hunk = only(diff)
    assert (hunk.kind, hunk.place, hunk.removed, hunk.added, hunk.line) == ("changed", RULE_2, 0, 1, 8)
    assert marked(diff, 1) == "\n2. Ask for the date of {+their +}birth and repeat it back slowly."
    text = staged(diff, {1: HunkChoice("edited", "2. Ask when the patient was born.  ")})
    slowly = "Ask for the date of birth and repeat it back slowly."
    assert text == RULES.replace(slowly, "Ask when the patient was born.  "), (
        "typed blanks and line ends around are kept"
    )


def test_an_added_rule_includes_the_renumbering_and_a_removed_rule_is_editable() -> None:
    hunk = only(compare(RULES, RULES.replace("3. Never", "3. Stop after two failed attempts.\n4. Never")))
    assert (hunk.kind, hunk.place, hunk.added, hunk.removed) == ("added", "Verification › rule 3", 5, 0)
    follows = compare("PART 2: Ask now.\n", "PART 3: Ask them now.\n")
    (line,) = (piece.spans for piece in follows.pieces if piece.hunk)
    assert (follows.added_words, follows.removed_words) == (1, 0)
    assert [span.text for span in line if span.op != "same"] == ["2", "3", "them "]
    never = "Never read out a phone number that is on file."
    removed = compare(RULES, RULES.replace(f"3. {never}\n", ""))
    assert staged(removed, {1: HunkChoice("edited", "3. Never read numbers.")}) == RULES.replace(
        never, "Never read numbers."
    )


def test_swapped_rules_are_moves_and_their_numbers_do_not_count_as_words() -> None:
    lines = RULES.split("\n")
    lines[6], lines[8] = lines[8].replace("3.", "1."), lines[6].replace("1.", "3.")
    diff = compare(RULES, "\n".join(lines))
    assert (diff.added_words, diff.removed_words) == (0, 0)
    assert [hunk.kind for hunk in diff.worded] == ["moved", "moved"]
    assert (diff.worded[0].place, diff.worded[0].note) == ("Verification › rule 1", "from rule 3")


@pytest.mark.parametrize("move", ["[Tool: renew(status=True)]", '"Great choice."', "Ask why.", "<pause/>"])
def test_short_lines_that_change_places_are_one_move(move: str) -> None:
    diff = compare(f"If yes:\nSay: it is on.\n{move}\nThen go on.\n", f"If yes:\n{move}\nSay: it is on.\nThen go on.\n")
    assert [hunk.kind for hunk in diff.hunks] == ["moved"]


def test_the_blank_line_behind_a_moved_line_goes_with_it() -> None:
    sent, proposed = "A.\n\nAsk now.\nWait long.\n\nBook it.\n", "A.\n\nWait long.\n\nAsk now.\nBook it.\n"
    diff = compare(sent, proposed)
    assert staged(diff, {only(diff).number: YES}) == proposed


def test_unrelated_rules_at_one_place_are_removed_and_added_alone() -> None:
    rules = ['- Do not speak "Let me pull up" aloud.', "- If callers ask for a human, transfer them."]
    diff = compare(f"- Be kind.\n{rules[0]}\n- End.\n", f"- Be kind.\n{rules[1]}\n- End.\n")
    assert [hunk.kind for hunk in diff.hunks] == ["removed", "added"]


@pytest.mark.parametrize(("below", "kinds"), [("", ["changed"]), ("Be brief.\n\n", ["removed", "added"])])
def test_a_heading_replaces_another_only_above_the_same_text(below: str, kinds: list[str]) -> None:
    diff = compare("# A\n\n## Critical rules\n\nBe kind.\n", f"# A\n\n## Examples\n\n{below}Be kind.\n")
    assert [hunk.kind for hunk in diff.hunks] == kinds


def test_a_moved_section_is_one_hunk_that_says_the_direction() -> None:
    verification, closing = RULES.index("## Verification"), RULES.index("## Closing")
    diff = compare(RULES, f"{RULES[:verification]}{RULES[closing:]}\n{RULES[verification:closing]}")
    assert [(hunk.kind, hunk.place, hunk.note) for hunk in diff.worded] == [("moved", "Closing", "up")]


def test_a_moved_sentence_with_a_changed_word_is_one_hunk() -> None:
    new = RULES.replace("2. Ask for the date of birth and repeat it back slowly.\n3.", "2.")
    new = new.replace("Say goodbye", "Ask for the date of birth and repeat it back clearly. Say goodbye")
    diff = compare(RULES, new)
    moved = next(hunk for hunk in diff.hunks if hunk.kind == "moved")
    assert (moved.place, moved.note) == ("Closing › paragraph 1", f"from {RULE_2}")
    assert (diff.removed_words, diff.added_words) == (1, 1)


def test_rewrapped_lines_are_a_layout_change_apart_from_a_changed_word() -> None:
    old = "Ask for the name. Then ask for\nthe date of birth. Repeat both to the caller\nbefore you go on.\n"
    new = "Ask for the name. Then ask for the date\nof birth. Repeat both to the patient before\nyou go on.\n"
    diff = compare(old, new)
    (hunk,) = diff.worded
    assert (hunk.removed, hunk.added) == (1, 1)
    assert [one.kind for one in diff.hunks if one is not hunk] == ["layout"]
    ends = compare(RULES, RULES.replace("\n", "\r\n")).hunks
    assert {(one.kind, one.note) for one in ends} == {("layout", "line ends")}
    half = compare("Ask one,\r\nthen wait.\n", "Ask two;\nthen wait.\n")
    assert marked(half, 1) == "Ask [-one,\r\n-]{+two;\n+}then wait.", "\\r\\n is not split"


def test_two_merged_sentences_are_one_hunk() -> None:
    old = "- Greet the caller by name. Ask how you can help them today.\n- Wait.\n"
    new = "- Greet the caller by name and ask how you can help them today.\n- Wait.\n"
    diff = compare(old, new)
    assert marked(diff, only(diff).number) == (
        "- Greet the caller by name[-. Ask-]{+ and ask+} how you can help them today."
    )


def test_the_words_of_a_paragraph_turned_into_a_list_are_changes_of_their_own() -> None:
    sentences = ["Ask for the name of the caller.", "Check the balance of the account.", "Offer two ways to pay it."]
    sent, items = " ".join(sentences) + "\n", "".join(f"- {one}\n" for one in sentences)
    diff = compare(sent, items.replace("two", "three"))
    words, marks = diff.hunks
    assert (words.kind, words.added, words.removed, marks.kind, len(marks.parts)) == ("changed", 1, 1, "layout", 3)
    accepted = [staged(diff, {hunk.number: HunkChoice("accepted")}) for hunk in (words, marks)]
    assert accepted == [sent.replace("two", "three"), items]


def test_a_variable_is_one_word_and_a_fence_is_compared_by_line() -> None:
    old = 'Call {{ customer name }} first.\n\n```json\n# not a heading\n{\n  "to": 1,\n  "at": 2\n}\n```\n'
    new = old.replace("{{ customer name }}", "{{ caller }}").replace('"at": 2', '"at": 3')
    diff = compare(old, new)
    assert [(hunk.place, hunk.old) for hunk in diff.hunks] == [
        ("paragraph 1", "Call {{ customer name }} first."),
        ("code 1", '"at": 2'),
    ]
    assert "[-{{ customer name }}-]{+{{ caller }}+}" in marked(diff, 1)


def test_a_mostly_rewritten_fence_is_one_hunk_with_its_unchanged_lines() -> None:
    old = "```\nlook_up(number)\nbook(day)\nwait(ten)\nclose(call)\nhang(up)\n```\n"
    new = old.replace("number", "name").replace("day", "week").replace("ten", "two").replace("up)", "on)")
    hunk = only(compare(old, new))
    assert (hunk.old, hunk.new) == (old[4:-5], new[4:-5])


def test_adjacent_new_rules_are_one_hunk_that_can_be_split() -> None:
    new = RULES.replace("\n## Closing", "4. Ask for the reason of the call.\n5. Say how long it takes.\n\n## Closing")
    (both,) = compare(RULES, new).hunks
    assert (both.place, len(both.parts)) == ("Verification › rule 4", 2)
    diff = compare(RULES, new, {both.key})
    assert [(hunk.place, hunk.key, hunk.whole) for hunk in diff.hunks] == [
        ("Verification › rule 4", both.parts[0], both.key),
        ("Verification › rule 5", both.parts[1], both.key),
    ]
    assert staged(diff, {2: YES}).count("\n4. Say how long it takes.\n") == 1  # renumbered


def test_text_without_spaces_is_compared_by_letter() -> None:
    diff = compare("お電話ありがとうございます。ご予約ですか。", "お電話ありがとうございます。ご変更ですか。")
    assert marked(diff, only(diff).number) == "ご[-予約-]{+変更+}ですか。"
