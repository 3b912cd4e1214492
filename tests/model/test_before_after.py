"""Before and after: which calls count and are compared, what became of each scenario, and the texts about it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cekura_tui.model.before_after import (
    Became,
    BeforeAfter,
    CalledRun,
    CallState,
    Compared,
    Side,
    called_run,
    compare,
    needed_calls,
    summary_words,
    to_markdown,
    wilson,
)
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of

Json = dict[str, Any]
SCENARIOS = {7: "Refund", 8: "Booking"}
SETTINGS = {
    "run_as_text": False,
    "personality": 3,
    "personality_name": "Calm",
    "test_profile_data": {"id": 1, "name": "Ann", "information": {"city": "Oslo"}},
    "mocked_tool_names": ["refund", "book"],
    "scenario_instructions": "Ask for a refund.",
    "expected_outcome_prompt": "The refund is made.",
    "evaluation": {"metrics": [{"id": 1, "name": "Identity", "passed": True}]},
}


def read(**fields: Any) -> CalledRun:
    sent = {"id": 1, "status": "completed", "scenario": 7, "scenario_name": "Refund", **SETTINGS, **fields}
    return called_run(view_of(Run.read(sent), 0.0))


def calls(marks: str, first: int = 1, **changes: Any) -> list[CalledRun]:
    """Calls by letters: passed, failed, absent, waiting."""
    states: dict[str, CallState] = {"p": "passed", "f": "failed", "a": "absent", "w": "waiting"}
    run = read(success=True, agent_version="old" if first < 100 else "new")
    return [
        replace(run, id=first + n, state=states[mark], why="no answer" if mark == "a" else "", **changes)
        for n, mark in enumerate(marks)
    ]


def sides(before: str, after: str) -> BeforeAfter:
    return compare(calls(before), calls(after, 100), {7: "Refund"})


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [
        *((0, 1, 0.0, 0.7935), (1, 2, 0.0945, 0.9055), (0, 3, 0.0, 0.5615), (3, 3, 0.4385, 1.0)),
        *((0, 4, 0.0, 0.4899), (4, 4, 0.5101, 1.0), (7, 8, 0.5291, 0.9776), (10, 10, 0.7225, 1.0)),
        *((0, 20, 0.0, 0.1611), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (1, 29, 0.0061, 0.1718)),
    ],
)
def test_intervals_equal_published_values(passed: int, n: int, low: float, high: float) -> None:
    """81/263, 15/148, 0/20 and 1/29 are the examples of Newcombe (1998), Statistics in Medicine 17, table I."""
    assert tuple(round(end, 4) for end in wilson(passed, n)) == (low, high)


@pytest.mark.parametrize(
    ("before", "after", "became", "sentence"),
    [
        ("ffff", "pppp", "fixed", "Passes now: 4 of 4, none of 4 before."),
        ("ffff", "ppppa", "fixed", "Passes now: 4 of 4, 1 did not run (no answer), none of 4 before."),
        ("fff", "pppp", "improved", "Better, not proof yet: 4 of 4, none of 3 before. 1 more passed call would "),
        ("f", "p" * 10, "improved", "Better, not proof yet: 10 of 10, none of 1 before. 5 more passed calls would "),
        ("p" + "f" * 9, "p" * 10, "improved", "Better: 10 of 10, 1 of 10 before."),
        ("f" * 20, "pppffff", "still failing", "Still fails: 3 of 7, none of 20 before."),
        ("f" * 40, "pppffff", "improved", "Better: 3 of 7, none of 40 before."),
        ("f" * 8, "ppff", "unclear", "Unclear: 2 of 4, none of 8 before. 24 more calls at this rate would prove the "),
        ("pf", "pf", "unclear", "Unclear: 1 of 2, 1 of 2 before. More calls at this rate would not prove the change."),
        (
            "pppp",
            "fff",
            "unclear",
            "Unclear: none of 3, 4 of 4 before. 1 more failed call would prove the change (4 in one test).",
        ),
        ("pppp", "ffff", "newly failing", "Fails now: none of 4, 4 of 4 before."),
        ("p" * 20, "pfffff", "worse", "Worse: 1 of 6, 20 of 20 before."),
        ("p" * 15 + "f" * 5, "ffffff", "worse", "Worse: none of 6, 15 of 20 before."),
        ("pppp", "ppppf", "still passing", "Still passing: 4 of 5, 4 of 4 before."),
        ("ffff", "aa", "no calls", "No new call counts: 2 did not run (no answer). It takes at least 4 calls to prove"),
        ("", "pppp", "no calls", "No comparable former call. It takes at least 4 calls to prove a change."),
        ("ffff", "ww", "no calls", "No new call counts: 2 to come."),
        ("", "", "no calls", "No new call. No comparable former call."),
    ],
)
def test_a_line_says_what_became_of_the_scenario(before: str, after: str, became: Became, sentence: str) -> None:
    (line,) = sides(before, after).lines
    given = line.sentence if sentence.endswith(".") else line.sentence[: len(sentence)]
    assert (line.became, given) == (became, sentence)


def test_a_line_names_the_checks_that_changed() -> None:
    before = calls("ff", checks=(("Identity", "fail"), ("Tone", "pass"), ("Refund", "na")))
    after = calls("pf", 100, checks=(("Identity", "pass"), ("Tone", "pass"), ("Critical", "fail")))
    absent = calls("aw", 110, checks=(("Tone", "fail"),))
    result = compare(before, after + absent, SCENARIOS)
    assert result.lines[0].detail == "Identity 0 of 2 → 2 of 2; Critical not evaluated → 0 of 2"
    assert [one.name for one in result.metrics] == ["Identity", "Tone", "Critical"]
    assert result.metrics[1].words == "Tone 2 of 2 → 2 of 2"
    assert (result.compared, result.absent, summary_words(result)) == (1, 1, "1 unclear · 1 no calls")


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"run_as_text": True, "run_type": "chat"}, "way: voice → text"),
        ({"run_type": "sip"}, "way: voice → sip"),
        ({"personality": 4, "personality_name": "In a hurry"}, "personality: Calm → In a hurry"),
        ({"test_profile_data": None}, "profile: Ann → none"),
        ({"test_profile_data": {"id": 1, "name": "Ann", "information": {"city": "Bergen"}}}, "profile: different"),
        ({"mocked_tool_names": []}, "mocks: book, refund → none"),
        ({"scenario_instructions": "Ask twice."}, "instructions: different"),
        ({"expected_outcome_prompt": ""}, "expected outcome: different"),
        ({"evaluation": {"metrics": [{"id": 2, "name": "Identity", "passed": True}]}}, "metrics: different"),
        ({"mocked_tool_names": ["book", "refund", "book"]}, ""),
        *(({name: None}, "") for name in SETTINGS if name != "test_profile_data"),
        ({"evaluation": {"metrics": [{"id": 1, "name": "Renamed", "passed": False}]}}, ""),
        ({"error_message": "Call timed out", "evaluation": {"metrics": []}}, ""),
    ],
)
def test_a_setting_that_differs_makes_a_line_not_comparable(changes: Json, differs: str) -> None:
    failed = {"metrics": [{"id": 1, "name": "Identity", "passed": False}]}
    former, new = read(success=False, evaluation=failed), read(id=9, **{"success": True, **changes})
    (line,) = compare([former], [new], {7: "Refund"}).lines
    assert (line.before.run_ids, line.differs) == ((1,), (differs,) if differs else ())
    assert (line.became == "not comparable", not line.checks) == (bool(differs), line.became not in get_args(Compared))
    assert not differs or line.sentence == f"Not comparable: {differs}."


def test_former_calls_of_the_chosen_version_are_pooled_and_others_are_left_out() -> None:
    old, older = [*calls("fffa"), *calls("f", 0, at=9.0)], calls("pp", 20, version="older")
    hurried = read(id=30, success=False, agent_version="old", personality=4)
    other = calls("f", 40, scenario=99)
    result = compare([*old, *older, hurried, *other], calls("pppp", 100), {7: "Refund"}, chosen=[2, 20, 30])
    assert [line.before.run_ids for line in result.lines] == [(21, 20)]
    result = compare([*old, *older, hurried, *other], calls("pppp", 100), {7: "Refund"}, chosen=[2])
    assert ([line.before.run_ids for line in result.lines], result.left_out) == ([(0, 3, 2, 1, 4)], (20, 21, 30, 40))


def test_former_calls_without_a_version_are_pooled_only_if_chosen() -> None:
    former = calls("fff", version="")
    (line,) = compare(former, calls("p", 100), {7: "Refund"}, chosen=[1, 3]).lines
    assert line.before.run_ids == (3, 1)
    (line,) = compare(former, calls("p", 100), {7: "Refund"}).lines
    assert line.before.run_ids == (3, 2, 1)


def test_new_calls_with_several_settings_make_several_lines() -> None:
    hurried = {"personality": 4, "personality_name": "In a hurry"}
    former = [read(id=1, success=False), read(id=2, success=False, **hurried)]
    new = [read(id=9, success=True, **hurried), read(id=10, success=True), read(id=11, success=True)]
    lines = compare(former, new, SCENARIOS).lines
    assert [(line.before.run_ids, line.after.run_ids) for line in lines] == [((2,), (9,)), ((1,), (10, 11)), ((), ())]


def test_versions_before_and_after_are_compared() -> None:
    new = {version: calls("p", 100 + n, version=version) for n, version in enumerate(("old", "new", ""))}
    after = [new["old"], new["new"], new["old"] + new["new"], new[""]]
    former = (calls("f"), calls("f", version=""), [])
    found = [[compare(old, one, SCENARIOS).version for one in after] for old in former]
    assert found == [["equal", "different", "mixed", "not reported"], *[["not reported"] * 4] * 2]


def test_no_change_in_outcome_is_noticed() -> None:
    assert sides("fff", "ffff").unchanged
    others = [sides(*marks) for marks in (("ppp", "ppp"), ("ffff", "pppp"), ("pf", "pf"), ("fff", "fffw"), ("fff", ""))]
    assert [(one.unchanged, one.ended) for one in others] == [(False, True)] * 3 + [(False, False)] * 2


EVIL = "A | b\n# [x](y) <b>`*_"


def test_markdown_is_a_page_for_a_pull_request_whatever_the_names_hold() -> None:
    checks = ((EVIL, "fail"), ("Tone", "pass"))
    former = [*calls("ffff", checks=checks), *calls("pppp", 10, scenario=8)]
    after = [*calls("ppppa", 100, checks=((EVIL, "pass"),)), *calls("ffff", 110, scenario=8)]
    result = compare(former, after, {7: EVIL, 8: "Booking"})
    links = [(EVIL, "https://cekura.example/results/1>\n)x")]
    page = to_markdown(result, title=EVIL, changed=f"- {EVIL}", live="Published.", links=links)
    tokens = MarkdownIt().enable("table").parse(page)
    assert [one.tag for one in tokens if one.type in ("heading_open", "table_open")] == ["h1", "table", "table"]
    texts = ["".join(part.content for part in one.children or ()) for one in tokens if one.type == "inline"]
    name = "A | b # [x](y) <b>`*_"
    assert texts[:6] == [
        name,
        "The suggestion, as far as it was accepted:",
        "A | b",
        "# [x](y) <b>`*_",
        "Passing scenarios: 1 of 2; before: 1 of 2.",
        "Published.",
    ]
    assert texts[6] == "Booking: Fails now: none of 4, 4 of 4 before."
    assert texts[12:17] == ["Booking", "4 of 4", "0 of 4", "newly failing", ""]
    assert texts[17:22] == [name, "0 of 4", "4 of 4, 1 did not run", "fixed", f"{name} 0 of 4 → 4 of 4"]
    assert texts[23] == f"{name}: 4 of 4, 1 did not run (no answer)"
    assert texts[27:33] == [name, "0 of 4", "4 of 4", "Tone", "4 of 4", "not evaluated"]
    assert page.endswith("(<https://cekura.example/results/1)x>)\n")
    assert "No scenario is newly failing or worse." in to_markdown(sides("ffff", "pppp"), title="Test")
    assert "No scenario has comparable calls." in to_markdown(sides("", "pppp"), title="Test")


@pytest.mark.parametrize(
    ("fields", "state", "why"),
    [
        ({"success": True}, "passed", ""),
        ({"success": False}, "failed", ""),
        ({"success": False, "evaluation": None}, "failed", ""),
        ({"success": False, "error_message": "Late audio"}, "failed", ""),
        ({"success": True, "error_message": "Call timed out"}, "absent", "timeout"),
        ({"evaluation_status": "success", "error_message": "No audio"}, "absent", "No audio"),
        ({"evaluation_status": "reviewed_success", "error_message": "No audio"}, "passed", ""),
        ({"evaluation_status": "reviewed_failure", "status": "timeout", "success": True}, "failed", ""),
        ({"evaluation_status": "failure", "status": "timeout", "evaluation": None}, "absent", "timeout"),
        ({"success": False, "evaluation": None, "metadata": {"ended_reason": "no-answer"}}, "absent", "no answer"),
        ({"status": "cancelled"}, "absent", "cancelled"),
        ({"success": None}, "absent", "not judged"),
        ({"status": "in_queue"}, "waiting", "in queue"),
    ],
)
def test_a_call_that_did_not_happen_is_absent_unless_reviewed(fields: Json, state: str, why: str) -> None:
    run = read(**fields)
    assert (run.state, run.why) == (state, why)


def test_the_version_of_the_agent_is_read_in_any_form() -> None:
    forms = [12, 12.0, "v\x1b12 ", {"id": 3, "version_id": None, "history_id": 9}, {"version_id": "7"}]
    assert [read(agent_version=sent).version for sent in forms] == ["12", "12", "v12", "9", "7"]
    assert not any(read(agent_version=sent).version for sent in (None, True, [1], {"id": {}}))


def test_messages_of_the_testing_agent_and_evaluated_metrics_are_counted() -> None:
    turns = [{"role": role, "content": "Hello."} for role in ("Testing Agent", "Main Agent")]
    metrics = [{"id": 1, "passed": True}, {"id": 2, "extra": {"trigger_failed": True}}]
    run = read(transcript_object=turns, evaluation={"metrics": metrics}, expected_outcome={"score": 100})
    assert (run.messages, run.metrics) == (1, 1)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [*SETTINGS, "agent_version", "run_type", "metadata", "error_message", "status", "success", "scenario"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES))
def test_a_run_with_odd_values_is_read(fields: Json) -> None:
    run = read(**fields)
    (line,) = compare([run], [replace(run, id=2)], {}).lines
    assert line.differs == ()


MARKS = st.text("pfaw", max_size=8)
MIXED = st.lists(
    st.builds(
        lambda mark, scenario, version, way: calls(mark, 1, scenario=scenario, version=version, settings=way)[0],
        st.sampled_from("pfaw"),
        st.sampled_from([7, 8, None]),
        st.sampled_from(["", "old"]),
        st.sampled_from([(), (("way", "voice"),), (("way", "text"),)]),
    ),
    max_size=12,
)


@given(MIXED, MIXED, st.sets(st.integers(0, 12)))
def test_each_run_is_counted_once(former: list[CalledRun], after: list[CalledRun], chosen: set[int]) -> None:
    old, new = ([replace(run, id=n + 2 * k) for n, run in enumerate(runs)] for k, runs in enumerate((former, after)))
    result = compare([*old, *old[:2]], [*new, *new[:2]], SCENARIOS, chosen=chosen)
    seen = [number for line in result.lines for number in line.after.run_ids]
    assert sorted(seen) == [run.id for run in new]
    former_seen = [number for line in result.lines for number in line.before.run_ids] + [*result.left_out]
    assert sorted(former_seen) == [run.id for run in old if run.id not in set(seen)]
    for side in (side for line in result.lines for side in (line.before, line.after)):
        assert side.counted + side.absent + side.waiting == len(side.runs)


SWAPPED = {"fixed": "newly failing", "newly failing": "fixed"}


@given(MARKS, MARKS)
def test_swapping_the_sides_swaps_fixed_and_newly_failing(before: str, after: str) -> None:
    (line,), (swapped,) = sides(before, after).lines, sides(after, before).lines
    same = {"still passing", "still failing", "no calls"}
    for one, other in ((line.became, swapped.became), (swapped.became, line.became)):
        assert one not in SWAPPED or SWAPPED[one] == other
        assert one not in same or one == other


@given(MARKS, MARKS, st.text("aw", max_size=4))
def test_errors_never_change_a_share(before: str, after: str, errors: str) -> None:
    (line,), (more,) = sides(before, after).lines, sides(before + errors, errors + after).lines
    assert (line.became, line.before.share, line.after.share) == (more.became, more.before.share, more.after.share)


@given(st.text("pf", min_size=1, max_size=12))
def test_a_line_is_comparable_with_itself(marks: str) -> None:
    (line,) = compare(calls(marks), calls(marks, 100), {7: "Refund"}).lines
    assert line.became in ("still passing", "still failing", "unclear")
    assert line.checks == line.differs == ()


@given(st.integers(1, 60), st.data())
def test_a_side_passes_from_four_of_five_calls(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    assert Side(passed=passed, counted=n).passes == (passed >= math.ceil(n * 4 / 5))
    low, high = wilson(passed, n)
    assert 0 <= low <= passed / n + 1e-9 <= high + 2e-9 <= 1 + 2e-9


@given(st.integers(0, 8), st.integers(1, 8), st.integers(1, 12), st.booleans())
def test_the_proposed_number_of_calls_is_the_least_that_proves(passed: int, n: int, more: int, well: bool) -> None:
    before, after = Side(passed=min(passed, n), counted=n), Side(passed=more * well, counted=more)
    needed = needed_calls(before, after)
    for extra in (needed, needed - 1) if needed else ():
        grown = Side(passed=(more + extra) * well, counted=more + extra)
        apart = grown.interval[0] > before.interval[1] or grown.interval[1] < before.interval[0]
        assert apart == (extra == needed)


def test_a_critical_category_passes_in_a_call_without_it() -> None:
    found = [{"category_id": 4, "category": "Privacy", "deviation": "Read aloud.", "priority": "critical"}]
    before = [read(id=1, success=False, critical_categories=found), read(id=2, success=True)]
    (line,) = compare(before, [read(id=9, success=True)], {7: "Refund"}).lines
    assert [check.words for check in line.checks] == ["Critical category Privacy 1 of 2 → 1 of 1"]
