"""The prompt that was sent, what others made of it since, and what was staged: nothing of either side is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import Edit, Hunk, Kind, ProseDiff, TextPiece
from cekura_tui.prose.merge import Conflict, Merge, Side, merge

Parts = str | tuple[str, str] | tuple[str, str, int]


def by_hand(*parts: Parts, kinds: tuple[Kind, ...] = ()) -> ProseDiff:
    """A diff: text that both have, or old and new, with a hunk's number where the hunk has several pieces.

    `kinds` are those of the first hunks, the others are "changed".
    """
    pieces: list[TextPiece] = []
    count = max((part[2] for part in parts if len(part) == 3 and isinstance(part, tuple)), default=0)
    for part in parts:
        if isinstance(part, str):
            pieces.append(TextPiece(part, part))
            continue
        count += len(part) == 2
        pieces.append(TextPiece(part[0], part[1], part[2] if len(part) == 3 else count))
    told = [*kinds, *("changed",) * count][:count]
    hunks = [Hunk(n, kind, "", 0, 0, "", "", 1, "", str(n), 0) for n, kind in enumerate(told, 1)]
    return ProseDiff(tuple(pieces), tuple(hunks))


@st.composite
def changed(draw: st.DrawFn, side: str, count: int) -> ProseDiff:
    """What a side made of the lines 0, 1, …: lines of its own, lines that the other may have as well, and moves."""
    lines, places = range(count), st.integers(0, count)
    whose = st.sampled_from((side, "both"))
    moves = draw(st.dictionaries(st.sampled_from(lines), places, max_size=2)) if lines else {}
    moves = {line: to for line, to in moves.items() if to not in (line, line + 1)}
    hunks = {line: hunk for hunk, line in enumerate(moves, 1)}
    added = draw(st.dictionaries(places, whose, max_size=3))
    other = draw(st.dictionaries(st.sampled_from(lines), st.just("") | whose, max_size=3)) if lines else {}
    parts: list[Parts] = []
    for at in range(count + 1):
        parts += [("", f"{line}\n", hunks[line]) for line, to in moves.items() if to == at]
        if at in added:
            parts.append(("", f"{added[at]} before {at}\n"))
        if at in moves:
            parts.append((f"{at}\n", "", hunks[at]))
        elif at in other:
            parts.append((f"{at}\n", f"{other[at]} for {at}\n" if other[at] else ""))
        elif at < count:
            parts.append(f"{at}\n")
    return by_hand(*parts, kinds=("moved",) * len(moves))


SIDES = st.integers(0, 9).flatmap(lambda lines: st.tuples(changed("now", lines), changed("staged", lines)))


def all_of(found: Merge, side: str) -> str:
    """The text where every conflict was decided for a side."""
    return found.text({n: getattr(conflict, side) for n, conflict in enumerate(found.conflicts, 1)})


def lines_of(text: str) -> list[str]:
    return text.split("\n")[:-1]


def gone_and_come(diff: ProseDiff) -> tuple[set[str], set[str]]:
    old, new = set(lines_of(diff.old)), set(lines_of(diff.new))
    return old - new, new - old


def applied(base: str, edits: set[Edit]) -> str:
    parts, at = [], 0
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        parts += [base[at : edit.start], edit.new]
        at = edit.end
    return "".join([*parts, base[at:]])


def touches(one: Edit, other: Edit) -> bool:
    return one.start <= other.end and other.start <= one.end


@settings(max_examples=100, deadline=None)
@given(SIDES)
def test_a_side_that_changed_nothing_leaves_the_other_as_it_is(sides: tuple[ProseDiff, ProseDiff]) -> None:
    for side in sides:
        same = by_hand(side.old)
        assert merge(side.old, side, same).text({}) == side.new
        assert merge(side.old, same, side).text({}) == side.new
        assert merge(side.old, side, side).text({}) == side.new


@settings(max_examples=100, deadline=None)
@given(SIDES)
def test_every_line_of_both_sides_is_in_the_text_or_in_a_conflict(sides: tuple[ProseDiff, ProseDiff]) -> None:
    now, staged = sides
    found = merge(now.old, now, staged)
    text = "".join(part for part in found.parts if isinstance(part, str))
    assert gone_and_come(now)[1] <= {*lines_of(text), *(line for c in found.conflicts for line in lines_of(c.now))}
    assert gone_and_come(staged)[1] <= {
        *lines_of(text),
        *(line for c in found.conflicts for line in lines_of(c.staged)),
    }


@settings(max_examples=100, deadline=None)
@given(SIDES)
def test_deciding_all_for_a_side_gives_all_that_it_changed(sides: tuple[ProseDiff, ProseDiff]) -> None:
    now, staged = sides
    found = merge(now.old, now, staged)
    for name, side in (("now", now), ("staged", staged)):
        gone, come = gone_and_come(side)
        lines = lines_of(all_of(found, name))
        assert come <= set(lines)
        assert not gone & set(lines)
        assert len(lines) == len(set(lines))


@settings(max_examples=100, deadline=None)
@given(SIDES)
def test_a_moved_line_is_there_once_whichever_side_is_decided_for(sides: tuple[ProseDiff, ProseDiff]) -> None:
    now, staged = sides
    found = merge(now.old, now, staged)
    kept = set(lines_of(now.old)) & set(lines_of(now.new)) & set(lines_of(staged.new))
    for name in ("now", "staged"):
        lines = lines_of(all_of(found, name))
        assert [line for line in kept if lines.count(line) != 1] == []


@settings(max_examples=150, deadline=None)
@given(SIDES, st.data())
def test_no_line_is_doubled_or_dropped_where_what_belongs_together_is_decided_for_one_side(
    sides: tuple[ProseDiff, ProseDiff], data: st.DataObject
) -> None:
    now, staged = sides
    found = merge(now.old, now, staged)
    assert sorted(number for group in found.groups for number in group) == list(range(1, len(found.conflicts) + 1))
    decisions = {}
    for group in found.groups:
        side = data.draw(st.sampled_from(("now", "staged")))
        decisions |= {number: getattr(found.conflicts[number - 1], side) for number in group}
    lines = lines_of(found.text(decisions))
    assert [line for line in lines if lines.count(line) != 1] == []
    assert set(lines_of(now.old)) & set(lines_of(now.new)) & set(lines_of(staged.new)) <= set(lines)


@settings(max_examples=100, deadline=None)
@given(SIDES)
def test_which_side_is_which_makes_no_difference(sides: tuple[ProseDiff, ProseDiff]) -> None:
    now, staged = sides
    back = [
        Conflict(p.base, p.staged, p.now) if isinstance(p, Conflict) else p for p in merge(now.old, staged, now).parts
    ]
    assert back == list(merge(now.old, now, staged).parts)


@settings(max_examples=100, deadline=None)
@given(SIDES)
def test_what_lies_apart_is_taken_and_what_is_the_same_is_taken_once(sides: tuple[ProseDiff, ProseDiff]) -> None:
    now, staged = ([Edit(e.start, e.end, e.new, 0) for e in side.edits()] for side in sides)
    found = merge(sides[0].old, *sides)
    near = any(touches(one, other) for one, other in product(set(now) - set(staged), set(staged) - set(now)))
    crowded = any(len({(e.start, e.end) for e in side}) < len(side) for side in (now, staged))
    moves = any(hunk.kind == "moved" for side in sides for hunk in side.hunks)
    if not (near or crowded or moves):
        assert found.conflicts == ()
        assert found.text({}) == applied(sides[0].old, set(now) | set(staged))
    if found.conflicts:
        assert near or crowded or moves
        assert all(conflict.now != conflict.staged for conflict in found.conflicts)


def test_a_conflict_spans_all_that_overlaps_and_the_rest_is_settled() -> None:
    now = by_hand("a\n", ("b\n", "B\n"), "c\n", "d\n", ("e\n", ""), "f\n")
    staged = by_hand(("a\n", ""), "b\n", ("c\n", "C\n"), "d\n", ("e\n", ""), "f\n", ("", "g\n"))
    found = merge("a\nb\nc\nd\ne\nf\n", now, staged)
    assert found.parts == (Conflict("a\nb\nc\n", "a\nB\nc\n", "b\nC\n"), "d\nf\ng\n")
    assert found.text({1: "mine\n"}) == "mine\nd\nf\ng\n"
    with pytest.raises(KeyError):
        found.text({})


def test_two_insertions_at_one_place_are_a_conflict_unless_they_are_the_same() -> None:
    one, other = by_hand("a\n", ("", "x\n"), "b\n"), by_hand("a\n", ("", "y\n"), "b\n")
    assert merge("a\nb\n", one, other).parts == ("a\n", Conflict("", "x\n", "y\n"), "b\n")
    assert merge("a\nb\n", one, one).parts == ("a\nx\nb\n",)


def test_what_both_put_in_keeps_apart_what_each_changed_beside_it() -> None:
    now, staged = by_hand(("a\n", "A\n"), ("", "x\n"), "b\n"), by_hand("a\n", ("", "x\n"), ("b\n", "B\n"))
    assert merge("a\nb\n", now, staged).parts == ("A\nx\nB\n",)


def test_what_one_side_alone_removed_between_two_conflicts_keeps_them_apart() -> None:
    now = by_hand(("abc", "X"), ("d", ""), ("efg", "Y"))
    staged = by_hand("a", ("b", "1"), "cde", ("f", "2"), "g")
    assert merge("abcdefg", now, staged).parts == (Conflict("abc", "X", "a1c"), Conflict("efg", "Y", "e2g"))


def test_a_conflict_around_what_both_removed_is_one_and_holds_it() -> None:
    now = by_hand("-", ("", "x", 1), ("a", ""), "-", ("b", "B", 1), "-")
    staged = by_hand("-", ("a", ""), ("", "y", 1), "-", ("b", "2", 1), "-")
    assert merge("-a-b-", now, staged).parts == ("-", Conflict("a", "x", "y"), "-", Conflict("b", "B", "2"), "-")
    assert merge("-a-b-", now, by_hand("-", ("a", ""), ("", "x", 1), "-", ("b", "2", 1), "-")).parts[0] == "-x-"


MOVED = by_hand(("a\n", "", 1), "b\n", "c\n", ("", "a\n", 1), "d\n", kinds=("moved",))


def test_a_moved_passage_that_the_other_side_changed_is_in_conflict_at_both_places() -> None:
    changed_there = by_hand(("a\n", "A\n"), "b\n", "c\n", "d\n")
    assert merge("a\nb\nc\nd\n", MOVED, changed_there).parts == (
        Conflict("a\n", "", "A\n"),
        "b\nc\n",
        Conflict("", "a\n", ""),
        "d\n",
    )


def test_a_passage_that_the_other_side_removed_or_moved_elsewhere_is_in_conflict_where_it_arrives() -> None:
    removed = by_hand(("a\n", ""), "b\n", "c\n", "d\n")
    assert merge("a\nb\nc\nd\n", MOVED, removed).parts == ("b\nc\n", Conflict("", "a\n", ""), "d\n")
    elsewhere = by_hand(("a\n", "", 1), "b\n", ("", "a\n", 1), "c\n", "d\n", kinds=("moved",))
    assert merge("a\nb\nc\nd\n", MOVED, elsewhere).parts == (
        "b\n",
        Conflict("", "", "a\n"),
        "c\n",
        Conflict("", "a\n", ""),
        "d\n",
    )


def test_the_places_of_a_moved_passage_are_decided_together_and_other_conflicts_by_themselves() -> None:
    base = "a\nb\nc\nd\ne\nf\n"
    moved = by_hand(("a\n", "", 1), "b\nc\n", ("", "a\n", 1), "d\n", ("e\n", "1\n"), "f\n", kinds=("moved",))
    changed_there = by_hand(("a\n", "A\n"), "b\nc\nd\n", ("e\n", "2\n"), "f\n")
    assert merge(base, moved, changed_there).groups == ((1, 2), (3,))
    elsewhere = by_hand(("a\n", "", 1), "b\n", ("", "a\n", 1), "c\nd\ne\nf\n", kinds=("moved",))
    assert merge(base, moved, elsewhere).groups == ((1, 2),)


def test_white_space_gives_way_as_a_whole_hunk() -> None:
    layout = by_hand("a", ("\n", "\r\n", 1), "b", ("\n", "\r\n", 1), "c", ("\n", "\r\n", 1), kinds=("layout",))
    words = by_hand("a\n", ("b", "B"), "\nc\n")
    other = by_hand("a", ("\n", "\n\n"), "b\nc\n", kinds=("layout",))
    assert merge("a\nb\nc\n", words, layout).parts == ("a\nB\nc\n",)
    assert merge("a\nb\nc\n", layout, words).parts == ("a\nB\nc\n",)
    assert merge("a\nb\nc\n", other, layout).parts == ("a\n\nb\nc\n",)
    assert merge("a\nb\nc\n", layout, by_hand("a\nb\nc\n", ("", "d\n"))).parts == ("a\nb\nc\nd\n",)
    far = by_hand(("a", "A"), "\nb\nc\n")
    assert merge("a\nb\nc\n", by_hand("a\nb", ("\n", " \n"), "c\n", kinds=("layout",)), far).parts == ("A\nb \nc\n",)


def test_a_passage_that_both_made_the_same_but_for_white_space_is_as_it_is_now() -> None:
    first, second, third, fourth = SENTENCES[:4]
    base, moved = [first, second, third, fourth], [first, third, second, fourth]
    texts = ("\n\n".join(base), "\n".join(moved), "\n\n".join(moved))
    found = merge(texts[0], compare(texts[0], texts[1]), compare(texts[0], texts[2]))
    assert found.text({}) == texts[1]


def test_a_diff_of_another_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="was sent"):
        merge("a\n", by_hand("a\n"), by_hand("b\n"))


# Prose, with the diff that the program makes

SENTENCES = [
    "Greet the caller by name.",
    "Ask for the order number first.",
    "Never promise a refund before the tool confirmed it.",
    "Offer at most three slots on two different days.",
    "Repeat the chosen slot and wait for an explicit yes.",
    "If the caller is upset, stay calm and offer a manager.",
    "Say goodbye once everything is settled.",
]
GAPS = [" ", "\n", "\n\n", "\n- ", "\n\n## Rules\n", "\r\n"]


@st.composite
def prose(draw: st.DrawFn) -> tuple[str, str, str]:
    """A prompt and two that others made of it: sentences removed, moved, put in, and words of them changed."""
    count = draw(st.integers(1, len(SENTENCES)))
    base = [(draw(st.sampled_from(GAPS)), sentence) for sentence in SENTENCES[:count]]
    texts = [base]
    for side in ("now", "staged"):
        made = list(base)
        for n in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(made)))
            what = draw(st.sampled_from(("in", "out", "word", "move", "gap")))
            if what == "in":
                made.insert(at, (draw(st.sampled_from(GAPS)), f"Also mention {side}{n} when asked about it."))
            elif at < len(made):
                gap, sentence = made.pop(at)
                words = sentence.split(" ")
                words[draw(st.integers(0, len(words) - 1))] += f" {side}{n}"
                if what == "gap":
                    made.insert(at, (draw(st.sampled_from(GAPS)), sentence))
                elif what == "word":
                    made.insert(at, (gap, " ".join(words)))
                elif what == "move":
                    made.insert(draw(st.integers(0, len(made))), (gap, sentence))
        texts.append(made)
    one, two, three = ("".join(gap + sentence for gap, sentence in text) for text in texts)
    return one, two, three


@settings(max_examples=150, deadline=None)
@given(prose())
def test_no_word_that_either_side_put_into_a_prompt_is_lost(texts: tuple[str, str, str]) -> None:
    base, now, staged = texts
    ours, theirs = compare(base, now), compare(base, staged)
    found = merge(base, ours, theirs)
    for side, text in (("now", now), ("staged", staged)):
        own = set(re.findall(rf"{side}\d", text))
        assert own == set(re.findall(rf"{side}\d", all_of(found, side)))
    assert merge(base, ours, compare(base, base)).text({}) == now
    assert merge(base, compare(base, base), theirs).text({}) == staged
    assert merge(base, ours, ours).text({}) == now


def _sentence(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def test_two_people_who_changed_different_rules_of_a_prompt_are_merged() -> None:
    base = "# Rules\n" + "".join(f"- {sentence}\n" for sentence in SENTENCES)
    now = _sentence("three slots", "two slots")(base)
    staged = _sentence("by name", "by their first name")(base) + "- Thank the caller.\n"
    found = merge(base, compare(base, now), compare(base, staged))
    assert found.text({}) == _sentence("by name", "by their first name")(now) + "- Thank the caller.\n"


@pytest.mark.parametrize("rule", ["Be polite.", "Never hang up.", "Always ask for the PIN.", "Never read out numbers."])
@pytest.mark.parametrize("numbered", [False, True])
def test_a_short_rule_that_both_sides_moved_to_different_places_is_in_conflict_and_never_there_twice(
    rule: str, numbered: bool
) -> None:
    rules = ["Ask for the full name of the caller first.", rule, "Check the date of the booking twice."]
    rules += ["Never promise a refund on the phone.", "Offer a confirmation by mail.", "Close with a thank you."]

    def prompt(*order: int) -> str:
        marks = [f"{n}. " if numbered else "- " for n in range(1, len(order) + 1)]
        return "## Rules\n\n" + "".join(f"{mark}{rules[n]}\n" for mark, n in zip(marks, order, strict=True))

    base, now, staged = prompt(0, 1, 2, 3, 4, 5), prompt(0, 2, 3, 4, 5, 1), prompt(0, 2, 3, 1, 4, 5)
    merged = merge(base, compare(base, now), compare(base, staged))
    assert merged.conflicts
    sides: tuple[Side, Side] = ("now", "staged")
    for side in sides:
        assert merged.text({n: one.text_of(side) for n, one in enumerate(merged.conflicts, 1)}).count(rule) == 1
    gone = prompt(0, 2, 3, 4, 5)
    assert merge(base, compare(base, now), compare(base, gone)).conflicts
    assert not merge(base, compare(base, now), compare(base, now)).conflicts
