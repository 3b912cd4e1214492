from __future__ import annotations

from collections.abc import Sequence

from cekura_tui.audio.by_sound import BySound, compare
from cekura_tui.audio.speech import Interval, Sound
from cekura_tui.model.transcript.timeline import timeline_of
from cekura_tui.model.transcript.transcript import Turn

TURNS = [
    Turn(1, "main", "Main Agent", 0.5, 3.0, "Hello, how can I help?"),
    Turn(2, "testing", "Testing Agent", 4.0, 6.0, "I want to change my flight."),
    Turn(3, "tool_call", "Function Call", 6.2, 6.2, "", {"name": "look_up"}),
    Turn(4, "main", "Main Agent", 7.0, 12.0, "Of course."),
    Turn(5, "testing", "Testing Agent", 13.0, 14.0, "Thanks."),
]


def heard(*channels: Sequence[tuple[float, float]], caller: int | None = 0, turns: Sequence[Turn] = TURNS) -> BySound:
    sound = Sound(
        max((end for channel in channels for _, end in channel), default=0.0) + 1,
        tuple(tuple(Interval(*one) for one in channel) for channel in channels),
    )
    return compare(sound, turns, timeline_of(turns), caller)


def words(found: BySound) -> list[str]:
    """What is printed, but who speaks in which turn."""
    return [one["words"] for one in found.heard() if one["words"] != "sound" and not one["words"].endswith(" speaks")]


def test_a_call_that_sounds_as_its_transcript_says_has_no_marks() -> None:
    found = heard([(4.0, 6.0), (13.1, 14.0)], [(0.5, 3.0), (7.1, 12.2)])
    assert [turn.n for turn in found.call.turns] == [1, 2, 3, 4, 5]
    assert not any(timing.heard for timing in found.call.timings.values())
    assert words(found) == ["the agent answers after 1.1 s"]
    assert found.answers == "answers: median 1.0 s by transcript, 1.1 s by sound"
    assert not found.note


def test_a_late_answer_is_marked_with_the_seconds_and_counts_by_sound() -> None:
    found = heard([(4.0, 6.0), (13.1, 14.0)], [(0.5, 3.0), (8.4, 12.2)])
    assert found.call.timings[4].line == "2.4 s silence · begins 1.4 s later by sound"
    assert words(found) == [
        "silence of 2.4 s",
        "the agent answers after 2.4 s",
        "agent’s turn: begins 1.4 s later by sound",
    ]


def test_speech_without_a_turn_becomes_a_row_between_its_neighbours() -> None:
    found = heard([(4.0, 6.0), (9.0, 9.6), (13.1, 14.0)], [(0.5, 3.0), (7.1, 12.2)])
    row = next(turn for turn in found.call.turns if turn.n % 1)
    assert (row.speaker, row.start, row.end, 4 < row.n < 5) == ("testing", 9.0, 9.6, True)
    assert "caller speaks for 0.6 s, no turn" in words(found)
    assert "caller interrupts agent, both speak for 0.6 s" in words(found)


def test_a_turn_that_is_not_heard_is_named() -> None:
    found = heard([(4.0, 6.0)], [(0.5, 3.0), (7.1, 12.2)])
    assert "caller’s turn: not heard" in words(found)


def test_a_short_turn_heard_seconds_later_is_still_that_turn() -> None:
    found = heard([(4.0, 6.0), (15.0, 16.0)], [(0.5, 3.0), (7.1, 12.2)])
    assert found.call.timings[5].heard == "begins 2.0 s later by sound"
    assert len(found.call.turns) == len(TURNS)


def test_speech_through_two_turns_of_one_person_is_cut_between_them() -> None:
    turns = [Turn(1, "main", "", 0.0, 2.0, "One."), Turn(2, "main", "", 2.2, 4.0, "Two.")]
    found = heard([], [(0.0, 4.0)], turns=turns)
    spans = [(span.n, span.start, span.end) for lane in found.timeline.lanes for span in lane.spans]
    assert spans == [(1, 0.0, 2.2), (2, 2.2, 4.0)]


def test_without_a_channel_the_one_that_fits_the_turns_is_the_callers() -> None:
    agent, caller = [(0.5, 3.0), (7.1, 12.2)], [(4.0, 6.0), (13.1, 14.0)]
    for index in (None, 2, -1):
        found = heard(agent, caller, caller=index)
        assert found.note == "caller in channel 1: it fits the turns better"
        assert words(found) == ["the agent answers after 1.1 s"]


def test_one_channel_has_silences_but_no_speakers() -> None:
    found = heard([(0.5, 3.0), (4.0, 6.0), (9.5, 14.0)])
    assert [lane.name for lane in found.timeline.lanes] == ["sound", "tools"]
    assert [one["words"] for one in found.heard()] == ["sound", "sound", "silence of 3.5 s", "sound", "sound"]
    assert found.note == "one channel: only sound and silence"
    assert not found.timeline.answers


def test_a_transcript_without_times_gives_a_row_for_all_that_is_heard() -> None:
    turns = [Turn(1, "main", "", None, None, "Hello."), Turn(2, "testing", "", None, None, "Hi.")]
    talk = [(float(n), n + 0.6) for n in range(60)]
    found = heard(talk, [], turns=turns)
    rows = [turn for turn in found.call.turns if turn.n % 1]
    assert len(rows) == len({turn.n for turn in rows}) == 60
