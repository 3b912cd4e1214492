"""The timeline of a call shows silences, overlaps and answers only if their times are known."""

from __future__ import annotations

import time
from dataclasses import astuple, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color

from cekura_tui.model.run.verdict import State
from cekura_tui.model.transcript.timeline import LONGEST_CALL, TimedTurn, Timeline, Timing, timeline_of, timings
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.run.timeline import Scale, axis, lanes
from cekura_tui.ui.terminal.filters import AsciiFilter

WHO = {"c": "testing", "a": "main", "t": "tool_call", "r": "tool_result", "o": "other"}
TIMES = st.none() | st.floats(-5, 60) | st.integers(0, 60).map(float) | st.sampled_from([-1e12, 1e12, 0.0, 1e-320])
TURN = st.tuples(st.sampled_from("caatro"), TIMES, TIMES, st.sampled_from(["", "Hello."]))
TURNS = st.lists(TURN, max_size=30)
LENGTHS, WIDTHS = st.none() | st.floats(0, 10), st.sampled_from([1, 3, 10, 40, 120])
MARKS = st.dictionaries(st.integers(1, 31), st.sampled_from(["fail", "review", "pass", "na"]))


def call(*said: tuple[Any, ...]) -> list[Turn]:
    """Turns from (who, start, end[, text]), numbered from 1; `WHO` has the letters for who speaks."""
    return [
        Turn(n, WHO[who], "role", start, end, *(text or ["Hello."]))  # type: ignore[arg-type]
        for n, (who, start, end, *text) in enumerate(said, 1)
    ]


def timed_turns(line: Timeline) -> tuple[dict[int, TimedTurn], list[TimedTurn]]:
    """All timed turns by number, and a list of the timed turns that are speech."""
    spans = {span.n: span for lane in line.lanes for span in lane.spans}
    return spans, [span for lane in line.lanes if lane.name != "tools" for span in lane.spans]


def drawn_span_by_span(timeline: Timeline, width: int) -> list[str]:
    """Draw each lane span by span, without gaps and overlaps."""
    scale = Scale.of(timeline.length, width)
    drawn = []
    for lane in timeline.lanes:
        cells = [" "] * width
        for span in lane.spans:
            first, last = scale.columns(span.start, span.end)
            if lane.name == "tools":
                cells[first:last] = [was if was in "●○" or span.end is None else "─" for was in cells[first:last]]
                if cells[first] != "●":
                    cells[first] = "●" if span.speaker == "tool_call" else "○"
            elif span.end is not None:
                cells[first:last] = ["━"] * (last - first)
            elif cells[first] == " ":
                cells[first] = "▸"
        drawn.append("".join(cells))
    return drawn


@given(st.lists(st.tuples(st.sampled_from("catr"), st.floats(0, 60), LENGTHS), max_size=60), WIDTHS)
def test_the_strip_is_the_same_if_spans_that_are_already_drawn_are_skipped(
    said: list[tuple[Any, ...]], width: int
) -> None:
    turns = call(*((who, start, None if length is None else start + length) for who, start, length in said))
    timeline = replace(timeline_of(turns), gaps=(), overlaps=())
    shown = ["".join(cell.char for cell in lane) for lane in lanes(timeline, {}, width)]
    assert shown == drawn_span_by_span(timeline, width)


def test_other_speakers_have_a_lane_only_if_present() -> None:
    """Caller, agent and tools always have lanes."""
    line = timeline_of(call(("c", 0, 1), ("a", 1.5, 3), ("t", 3, 3.2), ("r", 4, None)))
    shown = [(lane.name, [span.n for span in lane.spans]) for lane in line.lanes]
    assert shown == [("caller", [1]), ("agent", [2]), ("tools", [3, 4])]
    assert [lane.name for lane in timeline_of(call(("o", 0, 1))).lanes] == ["caller", "agent", "tools", "other"]


@pytest.mark.parametrize(
    ("turns", "gaps"),
    [
        (call(("c", 0, 4), ("t", 5, 5.5), ("r", 8, 8.1), ("a", 8.25, 10), ("c", 12, 13)), [(4, 8.25, 4)]),
        pytest.param(call(("c", 0, 10), ("a", 3, 4), ("a", 13, 14)), [(10, 13, 3)], id="it counts from the last word"),
        pytest.param(call(("c", 0, 1), ("o", None, None, "Hm."), ("a", 9, 10)), [], id="an untimed turn may be in it"),
        pytest.param(call(("c", 0, 1), ("o", None, None, " "), ("a", 9, 10)), [(1, 9, 3)], id="an empty turn is not"),
        pytest.param(call(("c", 0, 1), ("a", 9, 10), ("c", None, None)), [(1, 9, 2)], id="an untimed turn after it"),
        (call(("c", 0, 1), ("a", 5, None), ("c", 20, 21), ("a", 25, 26)), [(1, 5, 2), (21, 25, 4)]),
    ],
)
def test_a_silence_of_more_than_two_seconds_is_a_gap(turns: list[Turn], gaps: list[tuple[float, float, int]]) -> None:
    assert list(map(astuple, timeline_of(turns).gaps)) == gaps


def test_an_overlap_has_both_turns_and_its_duration() -> None:
    line = timeline_of(call(("c", 0, 4), ("a", 3.5, 6), ("c", 5.95, 7), ("a", 6.5, 6.55)))
    assert list(map(astuple, line.overlaps)) == [(3.5, 4, 2, 1)]
    line = timeline_of(call(("c", 0, 20), ("a", 3, 4), ("a", 8, 9)))
    assert [(lap.turn, lap.into) for lap in line.overlaps] == [(2, 1), (3, 1)]
    turns = call(("c", 0, 4), ("a", 3.5, 6), ("c", 9, 10))
    assert timings(timeline_of(turns)) == {2: Timing(overlap=0.5), 3: Timing(silence=3)}


CALLER_TWICE = call(("a", 0, 1), ("c", 2, 3), ("c", 3.5, 5), ("t", 5, 5), ("r", 6, 6), ("a", 7.5, 8))


@pytest.mark.parametrize(
    ("turns", "answers"),
    [
        (CALLER_TWICE, [(6, 3, 7.5, 2.5)]),
        pytest.param(call(("c", 0, 4), ("a", 3, 6), ("a", 9, 10)), [], id="an interruption is none"),
        pytest.param(call(("c", 0, 10), ("a", 3, 4), ("a", 11, 12)), [(3, 1, 11, 1)], id="a word thrown in is none"),
        pytest.param(call(("c", 0, 2), ("c", 1, 1.5), ("o", 3, 4), ("a", 5, 6)), [(4, 1, 5, 3)], id="a word within it"),
        (call(("c", 0, None), ("a", 3, 4)), []),
        (call(("c", 0, 1), ("c", 2, None), ("a", 5, 6)), []),
        (call(("c", 0, 1), ("a", None, None), ("a", 5, 6)), []),
        (call(("c", 0, 1), ("c", None, None), ("a", 5, 6)), []),
        (call(("c", 0, 1), ("a", None, 2)), []),
    ],
)
def test_an_answer_has_a_response_time_only_if_all_times_are_known(
    turns: list[Turn], answers: list[tuple[int, int, float, float]]
) -> None:
    line = timeline_of(turns)
    assert list(map(astuple, line.answers)) == answers
    if not answers:
        assert (line.median, line.slowest_first) == (None, [])


def test_answers_have_a_median_time_and_a_worst_time_and_are_sorted_slowest_first() -> None:
    turns = call(("c", 0, 1), ("a", 2, 3), ("c", 4, 5), ("a", 9, 10), ("c", 11, 12), ("a", 12.5, 13), ("c", 14, 15))
    line = timeline_of(turns)
    assert (line.median, line.slowest_first[0].seconds) == (1, 4)
    assert [answer.turn for answer in line.slowest_first] == [4, 2, 6]
    assert timeline_of(turns[:4]).median == 2.5


ONLY_STARTS = "Only start times were sent"


@pytest.mark.parametrize(
    ("turns", "note"),
    [
        ([], "No turns."),
        (call(("c", None, None)), "The only turn has no time."),
        (call(("c", None, None), ("a", None, 3)), "None of the 2 turns has a time."),
        (call(("c", 1.7e12, None), ("a", -4, -3)), "None of the 2 turns has a valid time."),
        (call(("c", 0, 1), ("a", None, None)), "1 of 2 turns has no time."),
        (call(("c", 0, 1), ("a", 1e12, 1e12)), "1 of 2 turns has no valid time."),
        (call(("c", 0, 1), ("a", 2, None)), "1 of 2 turns has no end."),
        (call(("c", 0, 1), ("a", 2, 3), ("t", 3, None)), ""),
        (call(("c", 0, None), ("a", 2.5, None)), f"{ONLY_STARTS}: no gaps, overlaps or answer times."),
        (call(("c", 0, None), ("a", 2, None)), f"{ONLY_STARTS}, to the second: no gaps, overlaps or answer times."),
    ],
)
def test_the_note_says_which_times_are_unknown(turns: list[Turn], note: str) -> None:
    assert timeline_of(turns).note == note


def test_an_end_before_its_start_is_dropped_and_a_negative_start_becomes_0() -> None:
    spans, _ = timed_turns(timeline_of(call(("c", -0.5, 2), ("a", 5, 3))))
    assert list(map(astuple, spans.values())) == [(1, "testing", 0, 2), (2, "main", 5, None)]


@pytest.mark.parametrize(("sent", "length"), [(None, 9), (3, 9), (60, 60), (1e12, 9), (-1, 9), (float("nan"), 9)])
def test_a_call_ends_with_its_last_turn_unless_the_server_sent_a_longer_length(
    sent: float | None, length: float
) -> None:
    """An impossible length, such as 1e12 seconds, is ignored."""
    assert timeline_of(call(("c", 0, 1), ("a", 2, 9), ("c", 3, 4)), sent).length == length


def test_ten_thousand_turns_are_timed_quickly() -> None:
    turns = call(*(("ca"[n % 2], n * 5.0, n * 5.0 + 2.5 + n % 4) for n in range(10_000)))
    began = time.thread_time()
    line = timeline_of(turns)
    assert time.thread_time() - began < 2  # not quadratic
    assert len(line.overlaps) == 2_499


@given(TURNS, st.none() | st.floats(0, 100), st.randoms(use_true_random=False))
def test_every_turn_is_placed_within_the_call_or_counted_as_untimed(
    said: list[tuple[Any, ...]], length: float | None, chance: Any
) -> None:
    turns = call(*said)
    line = timeline_of(turns, length)
    spans, speech = timed_turns(line)
    assert len(spans) + len(line.untimed) == len(said)
    assert spans.keys() | set(line.untimed) == set(range(1, len(said) + 1))
    assert 0 <= line.length <= LONGEST_CALL
    for span in spans.values():
        assert 0 <= span.start <= (span.start if span.end is None else span.end) <= line.length
    assert line.has_times == bool(spans)
    for gap in line.gaps:
        assert gap.seconds > 2
        assert spans[gap.turn].start == gap.end
        ends = [(span.start, span.start if span.end is None else span.end) for span in speech]
        assert not any(start < gap.end and end > gap.start for start, end in ends)
    for lap in line.overlaps:
        over, under = spans[lap.turn], spans[lap.into]
        assert over.speaker != under.speaker
        assert over.end is not None
        assert under.end is not None
        assert under.start <= over.start == lap.start < lap.end == min(over.end, under.end)
    for answer in line.answers:
        assert (spans[answer.turn].speaker, spans[answer.to].speaker) == ("main", "testing")
        assert answer.at == spans[answer.turn].start
        assert answer.seconds == answer.at - (spans[answer.to].end or 0) >= 0
    assert sorted(answer.turn for answer in line.slowest_first) == sorted(answer.turn for answer in line.answers)
    chance.shuffle(turns)
    other = timeline_of(turns, length)
    assert replace(other, untimed=line.untimed) == line, "the order of turns changes nothing"


@given(TURNS, st.integers(1, 90), MARKS)
def test_every_lane_is_as_wide_as_the_strip_for_any_times(
    said: list[tuple[Any, ...]], width: int, marks: dict[int, State]
) -> None:
    line = timeline_of(call(*said))
    drawn = lanes(line, marks, width)
    assert [len(cells) for cells in drawn] == [width] * len(line.lanes)
    assert all(len(cell.char) == 1 for cells in drawn for cell in cells)
    assert len(axis(line, width)) == width


def test_every_sign_of_the_strip_has_its_own_ascii_form() -> None:
    signs = ["━", "▓", "·", "●", "○", "│", "✗", "◐", "✓", "▸"]
    plain = "".join(s.text for s in AsciiFilter().apply([Segment("".join(signs))], Color(0, 0, 0)))
    assert plain.isascii()
    assert len(set(plain)) == len(signs)
