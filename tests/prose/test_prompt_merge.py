"""Three-way merges of the sent, the current and the staged prompt lose no change of either side."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

import pytest
from examples import COSTLY, nightly
from hypothesis import given
from hypothesis import strategies as st
from prompt_edits import Writer
from prompt_triples import SIDES as SIDES_OF_TRIPLE
from prompt_triples import Triple, duplicated_rules, lost_words, restored_rules, results, triple, without_conflicts

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import Edit, Hunk, Kind, ProseDiff, TextPiece
from cekura_tui.prose.merge import Conflict, Merge, merge

Parts = str | tuple[str, str] | tuple[str, str, int]


def by_hand(*parts: Parts, kinds: tuple[Kind, ...] = ()) -> ProseDiff:
    """Build a diff from common texts and (old, new) pairs, each with a hunk number if its hunk has several pieces.
    `kinds` are the kinds of the first hunks; all other hunks are "changed"."""
    pieces: list[TextPiece] = []
    count = max((part[2] for part in parts if len(part) == 3 and isinstance(part, tuple)), default=0)
    for part in parts:
        if isinstance(part, str):
            pieces.append(TextPiece(part, part))
            continue
        count += len(part) == 2
        pieces.append(TextPiece(part[0], part[1], part[2] if len(part) == 3 else count))
    all_kinds = [*kinds, *("changed",) * count][:count]
    hunks = [Hunk(n, kind, "", 0, 0, "", "", 1, "", str(n), 0) for n, kind in enumerate(all_kinds, 1)]
    return ProseDiff(tuple(pieces), tuple(hunks))


@st.composite
def changed(draw: st.DrawFn, side: str, count: int) -> ProseDiff:
    """A random version of the lines 0, 1, … by one side: own lines, lines that both sides may add, and moved lines."""
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


def decided_for(found: Merge, side: str) -> str:
    """The merged text with every conflict decided for one side."""
    return found.text({n: getattr(conflict, side) for n, conflict in enumerate(found.conflicts, 1)})


def lines_of(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def removed_and_added(diff: ProseDiff) -> tuple[set[str], set[str]]:
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


@given(SIDES, st.data())
def test_no_decision_about_conflicts_loses_or_duplicates_a_line(
    sides: tuple[ProseDiff, ProseDiff], data: st.DataObject
) -> None:
    now, staged = sides
    found = merge(now.old, now, staged)
    assert sorted(number for group in found.groups for number in group) == list(range(1, len(found.conflicts) + 1))
    settled_lines = {line for part in found.parts if isinstance(part, str) for line in lines_of(part)}
    decided = {}
    for name, side in (("now", now), ("staged", staged)):
        removed, added = removed_and_added(side)
        decided[name] = lines_of(decided_for(found, name))
        assert added <= settled_lines | {line for one in found.conflicts for line in lines_of(getattr(one, name))}
        assert added <= set(decided[name])
        assert not removed & set(decided[name])
    mixed = {}
    for group in found.groups:
        name = data.draw(st.sampled_from(("now", "staged")))
        mixed |= {number: getattr(found.conflicts[number - 1], name) for number in group}
    kept = set(lines_of(now.old)) & set(lines_of(now.new)) & set(lines_of(staged.new))
    for lines in (*decided.values(), lines_of(found.text(mixed))):
        assert [line for line in lines if lines.count(line) != 1] == []
        assert kept <= set(lines)


@given(SIDES)
def test_equal_or_distant_changes_merge_without_a_conflict_in_either_order(
    sides: tuple[ProseDiff, ProseDiff],
) -> None:
    base, found = sides[0].old, merge(sides[0].old, *sides)
    for side in sides:
        same = by_hand(base)
        assert {merge(base, *pair).text({}) for pair in ((side, same), (same, side), (side, side))} == {side.new}
    back = merge(base, *reversed(sides)).parts
    assert [Conflict(p.base, p.staged, p.now) if isinstance(p, Conflict) else p for p in back] == list(found.parts)
    now, staged = ([Edit(e.start, e.end, e.new, 0) for e in side.edits()] for side in sides)
    are_close = any(touches(one, other) for one, other in product(set(now) - set(staged), set(staged) - set(now)))
    shares_places = any(len({(e.start, e.end) for e in side}) < len(side) for side in (now, staged))
    moves = any(hunk.kind == "moved" for side in sides for hunk in side.hunks)
    if not (are_close or shares_places or moves):
        assert found.conflicts == ()
        assert found.text({}) == applied(base, set(now) | set(staged))
    assert all(conflict.now != conflict.staged for conflict in found.conflicts)


def test_a_conflict_covers_overlapping_edits_and_no_other_edits() -> None:
    now = by_hand("a ", ("b ", "B "), "c ", "d.\n", ("e\n", ""), "f\n")
    staged = by_hand(("a ", ""), "b ", ("c ", "C "), "d.\n", ("e\n", ""), "f\n", ("", "g\n"))
    found = merge("a b c d.\ne\nf\n", now, staged)
    assert found.parts == (Conflict("a b c ", "a B c ", "b C "), "d.\nf\ng\n")
    assert found.text({1: "mine "}) == "mine d.\nf\ng\n"
    with pytest.raises(KeyError):
        found.text({})


def test_different_insertions_at_one_place_are_a_conflict() -> None:
    one, other = by_hand("a\n", ("", "x\n"), "b\n"), by_hand("a\n", ("", "y\n"), "b\n")
    assert merge("a\nb\n", one, other).parts == ("a\n", Conflict("", "x\n", "y\n"), "b\n")
    assert merge("a\nb\n", one, one).parts == ("a\nx\nb\n",)
    before, behind = by_hand(("a\n", "A\n"), ("", "x\n"), "b\n"), by_hand("a\n", ("", "x\n"), ("b\n", "B\n"))
    assert merge("a\nb\n", before, behind).parts == ("A\nx\nB\n",)


def test_shared_removals_neither_join_nor_split_conflicts() -> None:
    now = by_hand(("abc", "X"), ("d", ""), ("efg", "Y"))
    staged = by_hand("a", ("b", "1"), "cde", ("f", "2"), "g")
    assert merge("abcdefg", now, staged).parts == (Conflict("abc", "X", "a1c"), Conflict("efg", "Y", "e2g"))
    now = by_hand("-", ("", "x", 1), ("a", ""), "-", ("b", "B", 1), "-")
    staged = by_hand("-", ("a", ""), ("", "y", 1), "-", ("b", "2", 1), "-")
    assert merge("-a-b-", now, staged).parts == ("-", Conflict("a", "x", "y"), "-", Conflict("b", "B", "2"), "-")
    assert merge("-a-b-", now, by_hand("-", ("a", ""), ("", "x", 1), "-", ("b", "2", 1), "-")).parts[0] == "-x-"


MOVED = by_hand(("a\n", "", 1), "b\n", "c\n", ("", "a\n", 1), "d\n", kinds=("moved",))


def test_a_passage_moved_by_one_side_and_edited_by_the_other_is_one_group() -> None:
    base, there = "a\nb\nc\nd\n", Conflict("", "a\n", "")
    elsewhere = by_hand(("a\n", "", 1), "b\n", ("", "a\n", 1), "c\n", "d\n", kinds=("moved",))
    for other, parts in (
        (by_hand(("a\n", "A\n"), "b\n", "c\n", "d\n"), (Conflict("a\n", "", "A\n"), "b\nc\n", there, "d\n")),
        (by_hand(("a\n", ""), "b\n", "c\n", "d\n"), ("b\nc\n", there, "d\n")),
        (elsewhere, ("b\n", Conflict("", "", "a\n"), "c\n", there, "d\n")),
    ):
        found = merge(base, MOVED, other)
        assert (found.parts, len(found.groups)) == (parts, 1)
    more = by_hand(("a\n", "", 1), "b\nc\n", ("", "a\n", 1), "d\n", ("e\n", "1\n"), "f\n", kinds=("moved",))
    changed_there = by_hand(("a\n", "A\n"), "b\nc\nd\n", ("e\n", "2\n"), "f\n")
    assert merge(f"{base}e\nf\n", more, changed_there).groups == ((1, 2), (3,))


def test_a_layout_change_is_dropped_only_where_the_other_side_made_a_change() -> None:
    layout = by_hand(('"1"\n', "“1”\n", 1), "2\n", ('"3"\n', "“3”\n", 1), "4\n", kinds=("layout",))
    words = by_hand(('"1"\n', '"A"\n'), '2\n"3"\n4\n')
    other = by_hand(('"1"\n', "'1'\n"), '2\n"3"\n4\n', kinds=("layout",))
    base = layout.old
    assert merge(base, words, layout).parts == ('"A"\n2\n“3”\n4\n',)
    assert merge(base, layout, words).parts == ('"A"\n2\n“3”\n4\n',)
    assert merge(base, other, layout).parts == ("'1'\n2\n“3”\n4\n",)
    assert merge(base, layout, by_hand(base, ("", "5\n"))).parts == ("“1”\n2\n“3”\n4\n5\n",)
    stop = by_hand("Ask. Go", ("", "."), "\n", kinds=("layout",))
    assert merge(stop.old, by_hand("Ask.", (" Go", ""), "\n"), stop).parts == ("Ask.\n",)


@pytest.mark.parametrize(("agent", "name"), [("\n", "LF"), ("\r\n", "CRLF")])
def test_the_line_ends_of_the_agents_prompt_win_with_a_note_if_the_sides_differ(agent: str, name: str) -> None:
    base = "# Rules\n\n- Greet the caller.\n- Ask for the date.\n"
    now = base.replace("caller", "caller by name").replace("\n", agent)
    staged = (base + "- Say goodbye.\n").replace("\n", "\r\n" if agent == "\n" else "\n")
    found = merge(base, compare(base, now), compare(base, staged))
    assert found.text({}) == (now + f"- Say goodbye.{agent}")
    assert found.line_end_note == f"the agent's line ends ({name})"
    alike = (base + "- Say goodbye.\n").replace("\n", agent)
    assert merge(base, compare(base, now), compare(base, alike)).line_end_note == ""
    other = now.replace("by name", "politely")
    clash = merge(base, compare(base, now), compare(base, other.replace("\r\n", "\n")))
    assert decided_for(clash, "staged") == other


def test_the_current_prompt_is_kept_if_the_sides_differ_only_in_white_space() -> None:
    first, second, third, fourth = SENTENCES[:4]
    base, moved = [first, second, third, fourth], [first, third, second, fourth]
    texts = ("\n\n".join(base), "\n".join(moved), "\n\n".join(moved))
    found = merge(texts[0], compare(texts[0], texts[1]), compare(texts[0], texts[2]))
    assert found.text({}) == texts[1]


def test_a_diff_of_another_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="was sent"):
        merge("a\n", by_hand("a\n"), by_hand("b\n"))


# Prose, with real diffs

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
    """A prompt and two versions of this prompt, with sentences removed, moved, inserted and reworded."""
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


@given(prose())
def test_no_word_added_by_either_side_is_lost(texts: tuple[str, str, str]) -> None:
    base, now, staged = texts
    ours, theirs = compare(base, now), compare(base, staged)
    found = merge(base, ours, theirs)
    for side, text in (("now", now), ("staged", staged)):
        own = set(re.findall(rf"{side}\d", text))
        assert own == set(re.findall(rf"{side}\d", decided_for(found, side)))
    assert merge(base, ours, compare(base, base)).text({}) == now
    assert merge(base, compare(base, base), theirs).text({}) == staged
    assert merge(base, ours, ours).text({}) == now


@pytest.mark.parametrize("rule", ["Be polite.", "Never hang up.", "Always ask for the PIN.", "Never read out numbers."])
@pytest.mark.parametrize("numbered", [False, True])
def test_a_short_rule_moved_by_both_sides_is_a_conflict_and_never_duplicated(rule: str, numbered: bool) -> None:
    rules = ["Ask for the full name of the caller first.", rule, "Check the date of the booking twice."]
    rules += ["Never promise a refund on the phone.", "Offer a confirmation by mail.", "Close with a thank you."]

    def prompt(*order: int) -> str:
        marks = [f"{n}. " if numbered else "- " for n in range(1, len(order) + 1)]
        return "## Rules\n\n" + "".join(f"{mark}{rules[n]}\n" for mark, n in zip(marks, order, strict=True))

    base, now, staged = prompt(0, 1, 2, 3, 4, 5), prompt(0, 2, 3, 4, 5, 1), prompt(0, 2, 3, 1, 4, 5)
    merged = merge(base, compare(base, now), compare(base, staged))
    assert merged.conflicts
    for side in SIDES_OF_TRIPLE:
        assert merged.text({n: one.text_of(side) for n, one in enumerate(merged.conflicts, 1)}).count(rule) == 1
    removed = prompt(0, 2, 3, 4, 5)
    assert merge(base, compare(base, now), compare(base, removed)).conflicts
    assert not merge(base, compare(base, now), compare(base, now)).conflicts


LIST = "1. Greet the caller by name.\n2. Ask for the date of birth.\n3. Say goodbye to the caller.\n"
BULLETS = "- Greet the caller by name.\n- Ask for the date of birth.\n"
FARES = "* Cars up to five metres go at the standard fare.\n* Cars over five metres go at the long fare.\n"
OFFICES = "| Office | Hours |\n|---|---|\n| Aldwick | 06:30 |\n| Skerry | 07:00 |\n"
ORDERS = "# Rules\n\n- Ask for the order number. Never promise a refund on the phone.\n"
REPEAT = "Repeat what was heard to be sure."


@pytest.mark.parametrize(
    ("base", "now", "staged"),
    [
        (ORDERS, ("the order number", "the number of the order"), ("a refund", "any refund")),
        (OFFICES, ("06:30", "06:45"), ("07:00", "07:15")),
        (BULLETS, ("Greet", "Welcome"), ("date", "day")),
        (BULLETS, ("by name.", "by name. Then wait for it."), ("by name.\n", "by name.\n- Say that it is recorded.\n")),
        (FARES, ("standard fare", "standard price"), ("long fare", "long price")),
        (LIST, ("the date of birth.", "the day of birth."), ("birth.\n3.", f"birth.\n3. {REPEAT}\n4.")),
        (
            LIST,
            ("the date of birth.", "the day of birth."),
            ("2. Ask for the date of birth.\n3.", f"2. {REPEAT}\n3. Ask for the date of birth.\n4."),
        ),
        ("- 请先问候来电者。\n- 然后询问订单号码。\n", ("问候", "欢迎"), ("号码", "编号")),
        ("请先问候来电者\n然后询问订单号码\n", ("问候", "欢迎"), ("号码", "编号")),
        ("请先问候来电者。然后询问订单号码。\n", ("问候", "欢迎"), ("号码", "编号")),
        ("رحب بالمتصل باسمه\nاسأل عن رقم الطلب\n", ("باسمه", "بلطف"), ("الطلب", "الحجز")),
        ("कॉल करने वाले का स्वागत करें।\nऑर्डर नंबर पूछें।\n", ("स्वागत", "अभिवादन"), ("नंबर", "संख्या")),
        ("Monday: closed\nTuesday: 9 to 5\n", ("closed", "9 to 12"), ("9 to 5", "9 to 6")),
    ],
)
def test_changes_of_adjacent_sentences_do_not_conflict(
    base: str, now: tuple[str, str], staged: tuple[str, str]
) -> None:
    for one, other in ((now, staged), (staged, now)):
        found = merge(base, compare(base, base.replace(*one)), compare(base, base.replace(*other)))
        assert found.text({}) == base.replace(*staged).replace(*now)


ADDED, REPLACED = "Be brief and kind always.", "Never hang up while they look for the number."
REWORDED = SENTENCES[1].replace("first", "twice")


@pytest.mark.parametrize("mark", ["- ", ""])
@pytest.mark.parametrize("added", [f" {ADDED}", ""])
@pytest.mark.parametrize("now", ["", REWORDED])
def test_a_conflict_covers_only_the_line_that_both_sides_changed(mark: str, added: str, now: str) -> None:
    first, second, last = SENTENCES[0], SENTENCES[1], SENTENCES[6]

    def prompt(*lines: str) -> str:
        return "".join(f"{mark}{line}\n" for line in lines if line)

    base, one, other = prompt(first, second, last), prompt(first, now, last), prompt(first + added, REPLACED, last)
    found = merge(base, compare(base, one), compare(base, other))
    (conflict,) = found.conflicts
    sides = (conflict.base, conflict.now, conflict.staged)
    assert [text.removeprefix("\n").removeprefix(mark) for text in sides] == [second, now, REPLACED]
    assert (decided_for(found, "now"), decided_for(found, "staged")) == (prompt(first + added, now, last), other)


def test_joining_two_lines_does_not_duplicate_a_line() -> None:
    first, second, last = SENTENCES[0], SENTENCES[1], SENTENCES[6]
    base = f"{first} {second}\n{last}\n"
    found = merge(base, compare(base, f"{first}\n{last}\n"), compare(base, f"{first} {second} {last}\n"))
    assert found.parts == (f"{first} {last}\n",)


@pytest.mark.parametrize(
    "other", ["Never promise a refund to anybody on the phone.", "Never promise any refund to anybody on the phone."]
)
@pytest.mark.parametrize("numbered", [False, True])
def test_a_rule_added_by_both_sides_at_different_places_is_one_decision(other: str, numbered: bool) -> None:
    rule = "Never promise a refund to anybody on the phone."

    def prompt(*rules: str) -> str:
        return "".join(f"{n}. {text}\n" if numbered else f"- {text}\n" for n, text in enumerate(rules, 1))

    base = prompt(*SENTENCES[:2], *SENTENCES[3:])
    now, staged = prompt(rule, *SENTENCES[:2], *SENTENCES[3:]), prompt(*SENTENCES[:2], *SENTENCES[3:], other)
    found = merge(base, compare(base, now), compare(base, staged))
    assert found.groups == ((1, 2),)
    assert (decided_for(found, "now"), decided_for(found, "staged")) == (now, staged)


def test_a_rule_that_one_side_moved_and_the_other_reworded_is_one_decision() -> None:
    base = "".join(f"- {sentence}\n" for sentence in SENTENCES)
    moved = "".join(f"- {sentence}\n" for sentence in (*SENTENCES[1:], SENTENCES[0]))
    reworded = base.replace("by name", "by the first name")
    found = merge(base, compare(base, moved), compare(base, reworded))
    assert found.groups == ((1, 2),)
    assert (decided_for(found, "now"), decided_for(found, "staged")) == (moved, reworded)


def test_rules_that_both_sides_added_to_a_list_are_renumbered() -> None:
    base = "".join(f"{n}. {sentence}\n" for n, sentence in enumerate(SENTENCES, 1))
    first, last = "Say that the call is recorded.", "Thank the caller for the patience."
    now = "".join(f"{n}. {sentence}\n" for n, sentence in enumerate((first, *SENTENCES), 1))
    staged = "".join(f"{n}. {sentence}\n" for n, sentence in enumerate((*SENTENCES[:3], *SENTENCES[4:], last), 1))
    found = merge(base, compare(base, now), compare(base, staged))
    rules = (first, *SENTENCES[:3], *SENTENCES[4:], last)
    assert found.text({}) == "".join(f"{n}. {sentence}\n" for n, sentence in enumerate(rules, 1))


def test_a_rule_added_to_a_section_that_the_other_side_removed_is_a_conflict() -> None:
    rules = "".join(f"- {sentence}\n" for sentence in SENTENCES[:3])
    base = f"# Greeting\n\nGreet everybody.\n\n# Rules\n\n{rules}\n# End\n\nSay goodbye to everybody.\n"
    removed = base.replace(f"# Rules\n\n{rules}\n", "")
    for more in (f"- {SENTENCES[3]}\n{rules}", f"{rules}- {SENTENCES[3]}\n"):
        found = merge(base, compare(base, removed), compare(base, base.replace(rules, more)))
        assert len(found.groups) == 1
        assert (decided_for(found, "now"), decided_for(found, "staged")) == (removed, base.replace(rules, more))


def test_a_sentence_that_one_side_joins_to_the_next_is_never_lost() -> None:
    first, second = "Offer the first free slot.", "Explain the late fee in plain words."
    base = f"{first} {second}"
    now, staged = f"- Ask for the street first.\n\n{first} and {second}", f"{base} thanks."
    found = merge(base, compare(base, now), compare(base, staged))
    assert all(first in decided_for(found, side) for side in ("now", "staged"))


@pytest.mark.parametrize("is_now", [True, False])
def test_splitting_an_item_leaves_no_empty_item_for_a_removed_sentence(is_now: bool) -> None:
    base = f"- {' '.join(SENTENCES[:3])}\n"
    split = "".join(f"- {sentence}\n" for sentence in SENTENCES[:3])
    others = f"- {SENTENCES[0]} {SENTENCES[2]}\n", f"- {SENTENCES[0]}\n{SENTENCES[1]} {SENTENCES[2]}\n"
    for other in others:
        now, staged = (split, other) if is_now else (other, split)
        text = merge(base, compare(base, now), compare(base, staged)).text({})
        assert [line for line in text.split("\n") if line.strip() == "-"] == []
        assert text.count(SENTENCES[1]) == other.count(SENTENCES[1])


# Random prompts with random edits of all kinds


def check(case: Triple, rng: Writer, diff: Callable[[str, str], ProseDiff] = compare) -> str:
    """Check that a merge loses no edit, duplicates no rule and restores no removed rule. Returns the merged text with
    random decisions."""
    found = merge(case.base, diff(case.base, case.now), diff(case.base, case.staged))
    there = [part if isinstance(part, str) else f"{part.now}\n{part.staged}" for part in found.parts]
    texts = list(results(rng, found))
    assert lost_words(case, *there) == []
    assert [rule for text in texts for rule in duplicated_rules(case, text)] == []
    assert restored_rules(case, without_conflicts(found)) == []
    assert [text for text in texts if text.count("\r\n") not in (0, text.count("\n"))] == []
    return texts[-1]


@given(st.integers(0, 10**9))
def test_no_edit_is_lost_and_no_rule_is_duplicated(seed: int) -> None:
    check(triple(Writer(seed)), Writer(seed))


@COSTLY
@given(st.integers(0, 10**9))
def test_nothing_is_lost_or_duplicated_when_the_whole_text_is_one_hunk(seed: int) -> None:
    check(triple(Writer(seed)), Writer(seed), lambda old, new: by_hand((old, new) if old != new else old))


@pytest.mark.parametrize("batch", [pytest.param(0, marks=pytest.mark.long), *map(nightly, range(1, 50))])
def test_no_edit_is_lost_and_no_rule_is_duplicated_over_five_versions(batch: int) -> None:
    for seed in range(batch * 5, batch * 5 + 5):
        rng, base = Writer(seed), ""
        for _ in range(5):
            base = check(triple(rng, base), rng).replace("\r\n", "\n")


@pytest.mark.parametrize("hundred", map(nightly, range(20)))
def test_no_edit_is_lost_and_no_rule_is_duplicated_in_two_thousand_merges(hundred: int) -> None:
    for seed in range(hundred * 100, hundred * 100 + 100):
        check(triple(Writer(seed)), Writer(seed))
