"""Groups of runs: their counts and order. The filter of a group lists exactly the runs of the group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.model.filter.filter import MOST_IDS
from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.groups import (
    BROKEN,
    FAILED,
    GROUPINGS,
    STRIP,
    Finding,
    Grouping,
    findings_of,
    group_runs,
    since_words,
)
from cekura_tui.model.run.outcome import MARKS, Kind, Outcome
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunRow

ONE_GROUP_PER_RUN: tuple[Grouping, ...] = ("scenario", "personality", "result", "pair")
"""Groupings in which every run is in exactly one group."""
IDS = st.none() | st.integers(1, 3)
ODD_NAMES = ["", "7", " two  spaces", "~x", "-x", 'say "hi", or|not', "a\nb", "\x1b[1m"]
NAMES = st.sampled_from(["Refund", "REFUND", "Straße", "strasse", *ODD_NAMES])
CHECKS = st.sampled_from(["Read back", "Tone", "Read  back"])
WHY = st.sampled_from(["", "It took 3 s.", "It took 12 s.", "The total was not said.", " not loaded yet"])
Findings = dict[int, tuple[Finding, ...] | None]
Known = tuple[list[RunRow], Findings]
FINDINGS = st.lists(st.builds(Finding, CHECKS, WHY), max_size=3).map(tuple)


def run(
    number: int,
    kind: Kind = "failed",
    *,
    text: str = "",
    scenario: tuple[int | None, str] = (1, "Refund"),
    personality: tuple[int | None, str] = (1, "Ann"),
    result: int | None = None,
    at: float | None = None,
    failing: Iterable[str] = (),
) -> RunRow:
    names = {"scenario": scenario[1], "personality": personality[1], "agent_id": 7, "agent": "Clinic"}
    numbers = {"scenario_id": scenario[0], "personality_id": personality[0], "result_id": result}
    outcome = Outcome(kind, text or kind)
    return RunRow(id=number, outcome=outcome, duration="", at=at, failing=tuple(failing), **names, **numbers)  # type: ignore[arg-type]


ROWS = st.lists(
    st.builds(
        run,
        st.integers(1, 10**6),
        st.sampled_from(list(MARKS)),
        text=st.sampled_from(["", "no answer", "busy"]),
        scenario=st.tuples(IDS, NAMES),
        personality=st.tuples(IDS, NAMES),
        result=IDS,
        at=st.none() | st.integers(0, 5).map(float),
        failing=st.lists(CHECKS, max_size=2),
    ),
    max_size=25,
    unique_by=lambda row: row.id,
)


@st.composite
def partly_read(draw: st.DrawFn) -> Known:
    """Rows, and the failure reasons of some of the rows."""
    rows = draw(ROWS)
    return rows, {row.id: draw(FINDINGS) for row in rows if draw(st.booleans())}


def ids(rows: Iterable[RunRow], kind: Kind) -> set[int]:
    return {row.id for row in rows if row.outcome.kind == kind}


@given(ROWS, st.sampled_from(ONE_GROUP_PER_RUN))
def test_every_grouping_except_by_verdict_puts_each_run_in_exactly_one_group(rows: list[RunRow], how: Grouping) -> None:
    found = group_runs(rows, how, {})
    assert Counter(number for group in found.groups for number in group.run_ids) == Counter(row.id for row in rows)
    assert sum(group.count for group in found.groups) == len(rows)
    assert sum(group.failed for group in found.groups) == found.failed == len(ids(rows, "failed"))
    assert sum(group.errors for group in found.groups) == found.errors == len(ids(rows, "error"))
    assert all(group.failed + group.errors <= group.count for group in found.groups)
    assert sum(group.share for group in found.groups) == pytest.approx(1 if found.failed else 0)
    assert all(group.share == pytest.approx(group.failed / max(found.failed, 1)) for group in found.groups)


@given(partly_read())
def test_grouping_by_verdict_has_a_section_of_failed_runs_and_a_section_of_errors(known: Known) -> None:
    rows, findings = known
    found = group_runs(rows, "verdict", findings)
    failed = [group for group in found.groups if group.section == FAILED]
    broken = [group for group in found.groups if group.section == BROKEN]
    assert len(failed) + len(broken) == len(found.groups)
    assert {number for group in failed for number in group.run_ids} == ids(rows, "failed")
    assert Counter(number for group in broken for number in group.run_ids) == Counter(ids(rows, "error"))
    assert sum(group.count for group in broken) == found.errors
    assert all(group.failed == group.count == len(set(group.run_ids)) for group in failed)
    assert all(group.errors == group.count for group in broken)
    assert all(group.share == pytest.approx(group.count / found.failed) for group in failed)
    assert sum(group.share for group in broken) == pytest.approx(1 if found.errors else 0)


@given(st.randoms(use_true_random=False), partly_read(), st.sampled_from(GROUPINGS))
def test_groups_are_sorted_by_failures_and_list_their_newest_run_first(
    order: Random, known: Known, how: Grouping
) -> None:
    rows, findings = known
    by_id = {row.id: row for row in rows}
    found = group_runs(rows, how, findings)
    for group in found.groups:
        own = [by_id[number] for number in group.run_ids]
        times = [row.at for row in own if row.at is not None]
        assert group.newest == next((row for row in own if row.outcome.kind != "running"), None)
        assert times == sorted(times, reverse=True)
    assert len({group.key for group in found.groups}) == len(found.groups)
    places = [((FAILED, BROKEN, "").index(group.section), -group.failed, -group.errors) for group in found.groups]
    assert places == sorted(places)
    order.shuffle(rows)
    assert group_runs(rows, how, findings) == found, "the order in which runs were loaded changes nothing"


@given(partly_read(), st.sampled_from(GROUPINGS))
@example(([run(1, scenario=(None, "Refund")), run(2, scenario=(5, "refund"))], {}), "scenario")
@example(([run(1, scenario=(None, "a\nb")), run(2, personality=(None, "x"))], {}), "pair")
def test_the_filter_of_a_group_lists_exactly_the_runs_of_the_group(known: Known, how: Grouping) -> None:
    rows, findings = known
    for group in group_runs(rows, how, findings).groups:
        read = parse(group.filter_text)
        assert read.problems == ()
        matches = Matcher(read.filter, now=0.0, notes={})
        assert {row.id for row in rows if matches(row)} == set(group.run_ids)
        assert group.left_out == 0


def test_a_group_listed_by_ids_lists_its_newest_hundred_runs_and_counts_the_rest() -> None:
    rows = [run(number, "error", text="busy", at=float(number)) for number in range(1, MOST_IDS + 31)]
    (group,) = group_runs(rows, "verdict", {}).groups
    assert (group.count, group.left_out) == (MOST_IDS + 30, 30)
    matches = Matcher(parse(group.filter_text).filter, now=0.0, notes={})
    assert [row.id for row in rows if matches(row)] == list(range(31, MOST_IDS + 31))
    (named,) = group_runs(rows, "scenario", {}).groups
    assert (named.filter_text, named.left_out) == ("scenario:1", 0)


@given(st.lists(st.sampled_from(list(MARKS)), min_size=1, max_size=STRIP + 5))
def test_the_strip_of_a_group_shows_the_last_outcomes_with_the_newest_at_the_right(kinds: list[Kind]) -> None:
    rows = [run(number, kind, at=float(number)) for number, kind in enumerate(kinds, 1)]
    (group,) = group_runs(rows, "pair", {}).groups
    assert group.strip == "".join(MARKS[kind] for kind in kinds)[-STRIP:]


@pytest.mark.parametrize(
    ("outcomes", "first"),
    [
        *(("✓✓✗✓✗", 5), ("✗✓✗✗✗", 3), ("✗✗✗", 1), ("✗✓", None), ("✓✓", None), ("✓!", None)),
        ("✓✗!✗", 2),  # an error neither fails nor passes
        ("✓!✗◌◐·", 3),
    ],
)
def test_failing_since_names_the_first_failed_run_after_the_last_passed_run(outcomes: str, first: int | None) -> None:
    kinds = {mark: kind for kind, mark in MARKS.items()}
    rows = [run(number, kinds[mark], at=100.0 + number) for number, mark in enumerate(outcomes, 1)]
    for how in GROUPINGS:
        for group in group_runs(rows, how, {}).groups:
            assert group.strip == (outcomes if how == "pair" else "")
            assert group.first_failed == (rows[first - 1] if first and group.section != BROKEN else None)


def test_a_check_has_failed_since_the_last_passed_run_of_its_scenarios() -> None:
    other = {"scenario": (2, "Menu")}
    rows = [run(1), run(2, "passed"), run(3), run(4, "passed", **other), run(5), run(6, "passed", scenario=(3, "Cake"))]  # type: ignore[arg-type]
    tone = {number: (Finding("Tone", "It was rude."),) for number in (1, 3, 5)}
    (group,) = group_runs(rows, "verdict", tone).groups
    assert group.first_failed == rows[2]
    (group,) = group_runs(
        [*rows[:3], run(4, **other), run(5, "passed", **other)], "verdict", {**tone, 4: tone[1]}
    ).groups  # type: ignore[arg-type]
    assert group.first_failed is None


def test_groups_keep_their_places_while_runs_are_loading() -> None:
    before = group_runs([run(4, "error", text="busy"), run(3), run(2), run(1)], "verdict", {1: (Finding("Tone", ""),)})
    found = {number: (Finding("Tone", ""),) for number in (1, 2)} | {3: (Finding("Read back", ""),)}
    after = group_runs([run(4, "error", text="busy"), run(3), run(2), run(1)], "verdict", found)
    shown = after.in_order_of(before).groups
    assert [(of.title, of.count) for of in shown] == [
        ("Reason not loaded yet", 0),
        ("Tone", 2),
        ("Read back", 1),
        ("busy", 1),
    ]
    assert {of for of in shown if of.count} == set(after.groups)


@pytest.mark.parametrize(
    ("outcomes", "how", "words"),
    [
        ("✓✗✗", "scenario", "failing since run 2, at 2"),
        ("✗✗✓◌", "pair", "passing now · last failed run 2, at 2"),
        ("✗✓!", "pair", "a later run passed · last failed run 1, at 1"),
        ("✗✓", "result", "a later run passed · last failed run 1, at 1"),
        ("✗✓", "verdict", "a later run passed"),
        ("✓!", "scenario", ""),
    ],
)
def test_a_group_says_whether_it_fails_or_passes_now(outcomes: str, how: Grouping, words: str) -> None:
    kinds = {mark: kind for kind, mark in MARKS.items()}
    rows = [run(number, kinds[mark], at=float(number)) for number, mark in enumerate(outcomes, 1)]
    assert since_words(group_runs(rows, how, {}).groups[0], lambda at: f"at {at:.0f}") == words
    assert "," not in since_words(group_runs(rows, how, {}).groups[0], lambda at: "")


RUDE, LOUD = Finding("Tone", "It was rude."), Finding("Tone", "It was loud.")
TOTAL = Finding("Read back", "The total of $12 was not said."), Finding("Read back", "the total of €7.50 was not said")
BUSY = [*(run(n, "error", text="no answer") for n in (2, 3, 4)), run(5, "error", text="b\x1b]0;x\x07us\n y")]


@pytest.mark.parametrize(
    ("how", "rows", "why", "groups"),
    [
        (
            "verdict",
            [run(number, at=float(number)) for number in (1, 2, 3)],
            {1: TOTAL[:1], 2: (TOTAL[1], RUDE), 3: (Finding("Read back", "The name was not said."),)},
            [
                f"{FAILED} | Read back | the total of … was not said | 2 = 67%",
                f"{FAILED} | Read back | The name was not said. | 1 = 33%",
                f"{FAILED} | Tone | It was rude. | 1 = 33%",
            ],
        ),
        (
            "verdict",
            [run(1)],
            {1: (RUDE, LOUD, RUDE)},
            [f"{FAILED} | Tone | It was rude. | 1 = 100%", f"{FAILED} | Tone | It was loud. | 1 = 100%"],
        ),
        (
            "verdict",
            [run(number, failing=checks, at=float(number)) for number, checks in enumerate(["", "T", "T", ""], 1)],
            {2: (Finding("T", ""),), 4: ()},
            [
                f"{FAILED} | No failed check reported |  | 1 = 25%",
                f"{FAILED} | T | explanation not loaded yet | 1 = 25%",
                f"{FAILED} | T | no explanation given | 1 = 25%",
                f"{FAILED} | Reason not loaded yet |  | 1 = 25%",
            ],
        ),
        (
            "verdict",
            [run(1)._replace(reviewed=True), run(2)._replace(reviewed=True)],
            {1: (), 2: findings_of((), (Verdict("metric", 1, "Review", "fail", 0, explanation=("Too rude.",)),))},
            [f"{FAILED} | Failed by a review | Too rude. | 1 = 50%", f"{FAILED} | Failed by a review |  | 1 = 50%"],
        ),
        (
            "verdict",
            [run(1, failing=["To\x9bne"]), *BUSY, run(6, "passed", failing=["Tone"]), run(7, "running")],
            {},
            [
                f"{FAILED} | Tone | explanation not loaded yet | 1 = 100%",
                f"{BROKEN} | no answer |  | 3 = 75%",
                f"{BROKEN} | b]0;xus y |  | 1 = 25%",
            ],
        ),
        (
            "result",
            [run(1, result=9), run(2, "passed", result=9), run(3, "error", result=9), run(4, "passed", result=8)],
            {},
            [
                " | Result 9 · Clinic | 1 of 3 failed, 1 ended with an error | 3 = 100%",
                " | Result 8 · Clinic | none failed | 1 = 0%",
            ],
        ),
    ],
)
def test_each_grouping_has_the_expected_sections_and_titles_and_counts(
    how: Grouping, rows: list[RunRow], why: Findings, groups: list[str]
) -> None:
    found = group_runs(rows, how, why).groups
    assert [f"{of.section} | {of.title} | {of.detail} | {of.count} = {of.share:.0%}" for of in found] == groups
