"""A prose diff as lines contains both texts completely, and its plain-text form is readable."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.model.text import visible
from cekura_tui.prose.compare import compare
from cekura_tui.prose.lines import ProseLine, as_text, fold, passages, staged_lines
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.prose.words import WordSpan

OLD = """# Role
You are Ava.

## Rules
1. Always ask for the date of birth before anything else is said.
2. Never promise a slot.
3. Be kind to the callers.
4. Do not talk about prices at all.

## Closing
Say goodbye to the caller.
"""
NEW = """# Role
You are Eva.

## Rules
1. Never promise a slot.
2. Be kind to the callers.
3. Do not talk about prices or fees at all.

## Closing
Say goodbye to the caller. Ask whether more is needed.

- Always ask for the full date of birth before anything else is said.
"""
PARTS = st.sampled_from(
    [
        *("a", "the caller", "Ask for it. ", "- ", "# Head\n", "1. ", ".", "日本。", "e\u0301", " ", "\n", "\n\n"),
        *("\r\n", "\r", "\t", "\x1b[31m", "\ud800", "Never promise a slot of any kind. ", "{{name}}", "```\n"),
    ]
)
TEXTS = st.lists(PARTS, max_size=30).map("".join)
VERSIONS = TEXTS.flatmap(
    lambda text: st.tuples(st.just(text), TEXTS | st.permutations(re.split("(?<=[.\n])", text)).map("".join))
)
CALLERS, ASKED = "athe callerthe caller", "Ask for it. Ask for it. Ask for it. \n\n"


def side(found: list[ProseLine], op: str) -> str:
    return "\n".join("".join(span.text for span in line.spans if span.op in ("same", op)) for line in found)


@given(VERSIONS)
@example(("a", "a.\ta"))
@example(("a.\ta", "a"))
@example(("", "1. ```\na."))
@example(("Ask for it. \na.", "Ask for it.a. \n"))
@example(("aa", "- a."))
@example(("日本。a.", ""))
@example((f"\n\n{ASKED}1. \n\n{CALLERS}", f"\n{CALLERS} Ask for it.{ASKED[12:]} \n1.\n\n"))
def test_lines_contain_every_letter_and_every_hunk_has_one_header(texts: tuple[str, str]) -> None:
    old, new = texts
    diff = compare(old, new)
    lines = [line for passage in passages(diff) for line in passage.lines]
    # A rule that moves and changes is drawn twice: as it was sent, and as it changes.
    again = "".join(span.text for piece in diff.pieces if piece.is_shown for span in piece.spans if span.op != "ins")
    # Compare letters only, because formatting and list numbers are shown as they were sent.
    for text, op in ((old, "del"), (new, "ins")):
        letters = [
            Counter(filter(str.isalpha, one)) for one in (visible(text + again), side(lines, op).replace("↵", ""))
        ]
        assert letters[0] == letters[1]
    heads = [passage.hunk for passage in passages(diff) if passage.head]
    assert sorted(heads) == [hunk.number for hunk in diff.hunks]
    text = as_text(diff)
    assert visible(text) == text
    assert text.count(f" of {len(diff.hunks)} @@") >= len(diff.hunks)


@given(VERSIONS, st.randoms(use_true_random=False))
def test_staged_lines_join_to_the_staged_text(texts: tuple[str, str], random: Random) -> None:
    diff = compare(*texts)
    decided = (None, HunkChoice("accepted"), HunkChoice("rejected"), HunkChoice("edited", "Say so.\nOr not."))
    choices = {hunk.number: choice for hunk in diff.hunks if (choice := random.choice(decided))}
    found = staged_lines(diff, choices)
    assert "\n".join(line.text for line in found.lines) == visible(staged(diff, choices)).removesuffix("\n")
    assert set(found.places) == {hunk.number for hunk in diff.hunks}
    if not choices:
        assert {line.mark for line in found.lines} == {" "}


def test_the_plain_text_of_a_diff_shows_places_and_words_and_moves_and_context() -> None:
    assert as_text(compare(OLD, NEW)).splitlines() == [
        "# Role",
        "@@ 1 of 5 @@ Role › paragraph 1 (+1 −1)",
        "You are [-Ava-]{+Eva+}.",
        "",
        "## Rules",
        "→ moved to Closing › item 1 (13 words)",
        "[-2-]{+1+}. Never promise a slot.",
        "[-3-]{+2+}. Be kind to the callers.",
        "@@ 2 of 5 @@ Rules › rule 3 (+2)",
        "[-4-]{+3+}. Do not talk about prices {+or fees+} at all.",
        "",
        "## Closing",
        "Say goodbye to the caller.",
        "@@ 3 of 5 @@ Closing › paragraph 1 (+5)",
        "… {+Ask whether more is needed.+}",
        "@@ 4 of 5 @@ Closing › item 1 (moved from Rules › rule 1)",
        "",
        "[-1.-]{+-+} Always ask for the date of birth before anything else is said.",
        "@@ 5 of 5 @@ Closing › item 1 (+1)",
        "",
        "- Always ask for the {+full+} date of birth before anything else is said.",
    ]


def test_a_new_line_start_is_drawn_with_its_sentence() -> None:
    free, look, change = "Free until three days before arrival.", "Look up the code with get_booking.", "Read it back."
    portal = "For bookings made through a travel portal, the guest must go to the portal."
    new = f"# Changes\n- {look}\n- {free} Say so first.\n- {portal} Ask for its name.\n- {change}\n"
    diff = compare(f"# Changes\n{free} {look} {portal} {change}\n", new)
    assert {f"{{+-+}} {text}" for text in (free, look, portal, change)} <= {*as_text(diff).splitlines()}


def test_text_after_a_passage_that_moved_away_with_a_bare_mark_is_drawn() -> None:
    ask, advice = "Always ask for the full name of the caller first.\n-\n", "Never give any advice to anybody at all.\n"
    rest = "Say goodbye in a friendly way.\n\nThank them for the call.\n"
    assert advice in as_text(compare(f"{ask}\n{advice}\n{rest}", f"{advice}\n{rest}\n{ask}"), 9)


def test_what_is_added_to_a_passage_that_moves_names_its_place() -> None:
    slow = "- Speak slowly and clearly to everybody.{} Never hurry.\n"
    old = f"# Style\n- Be kind.\n{slow.format('')}\n# Fees\n- Say the price once.\n"
    new = f"# Style\n- Be kind.\n\n# Fees\n{slow.format(' Read it back.')}- Say the price once.\n"
    assert [hunk.place for hunk in compare(old, new).hunks] == ["Fees › item 1"] * 2


def test_staged_lines_are_marked_as_new_or_reworded_or_followed_by_a_removal() -> None:
    old = "# Role\nYou are Ava.\n- Rule one stays here.\n- Rule two goes away now.\n- Rule three stays.\n"
    new = old.replace("Ava", "Ava, the friendly voice").replace("- Rule two goes away now.\n", "")
    diff = compare(old, f"{new}- Rule four came in.\n")
    found = staged_lines(diff, {hunk.number: HunkChoice("accepted") for hunk in diff.hunks})
    assert [(line.mark, line.text) for line in found.lines] == [
        (" ", "# Role"),
        ("~", "You are Ava, the friendly voice."),
        ("-", "- Rule one stays here."),
        (" ", "- Rule three stays."),
        ("+", "- Rule four came in."),
    ]
    undecided = staged_lines(diff, {})
    places = [undecided.lines[line].text for line in undecided.places.values()]
    assert places == ["You are Ava.", "- Rule two goes away now.", "- Rule three stays."]


def test_unchanged_lines_far_from_a_change_are_folded_and_long_lines_shortened() -> None:
    lines = [ProseLine((WordSpan("same", str(n)),)) for n in range(10)]
    assert fold(lines, 2, 3) == (lines[:2], 5, lines[7:])
    assert fold(lines, 0, 3) == ([], 7, lines[7:])
    assert fold(lines, 5, 4) == (lines[:6], 0, lines[6:])
    assert fold(lines[:1], 0, 0) == (lines[:1], 0, [])
    line = ProseLine((WordSpan("same", " ".join(f"word{n}" for n in range(200))),))
    first, hidden, last = fold([line, line, line, line], 1, 1)
    assert hidden == 2
    assert first[0].text.startswith("word0 ")
    assert first[0].text.endswith(" …")
    assert last[0].text.endswith(" word199")
    assert last[0].continues
    assert len(first[0].text) < 210
