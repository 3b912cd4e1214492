from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.model.run.run import Run
from cekura_tui.model.transcript.transcript import Transcript, read_transcript, turns_text


def transcript(turns: Any = None, text: str | None = None) -> Transcript:
    return read_transcript(Run.read({"id": 1, "transcript_object": turns, "transcript": text}))


def test_caller_and_agent_and_tools_and_other_speakers_are_distinguished() -> None:
    roles = ["Testing Agent", "Main Agent", "Function Call", "Function Call Result", "main_agent", "Narrator", None]
    turns = transcript([{"role": role, "content": "x"} for role in roles]).turns
    assert " ".join(turn.speaker for turn in turns) == "testing main tool_call tool_result main other other"
    assert [turn.n for turn in turns] == [1, 2, 3, 4, 5, 6, 7]
    assert turns[5].role == "Narrator"


@pytest.mark.parametrize(
    ("turn", "start", "end"),
    [
        ({"start_time": 1.5, "end_time": 3.25, "timestamp": 9, "time": "00:07"}, 1.5, 3.25),
        ({"timestamp": 9.5, "time": "00:07"}, 9.5, None),
        ({"time": "01:07"}, 67.0, None),
        ({"time": "1:00:07"}, 3607.0, None),
        ({"time": "soon"}, None, None),
        ({"time": "9" * 5000 + ":00"}, None, None),
        ({"start_time": "12.5", "end_time": "00:14"}, 12.5, 14.0),
        ({"start_time": True, "time": 7}, 7.0, None),
        ({"start_time": 10**400, "timestamp": [1], "time": "0:09.5"}, 9.5, None),
        ({}, None, None),
    ],
)
def test_the_time_of_a_turn_is_read_from_any_known_field(
    turn: dict[str, object], start: float | None, end: float | None
) -> None:
    (read,) = transcript([{"role": "Main Agent", "content": "Hello", **turn}]).turns
    assert (read.start, read.end) == (start, end)


def test_a_tool_turn_without_content_shows_the_tool_and_its_arguments_or_result() -> None:
    call = {"role": "Function Call", "data": {"id": "1", "name": "book", "arguments": '{"day": "Monday"}'}}
    result = {"role": "Function Call Result", "data": {"id": "1", "name": "book", "result": {"ok": True}}}
    turns = transcript([call, result, {"role": "Function Call", "data": {}}]).turns
    assert [turn.text for turn in turns] == ['book {"day": "Monday"}', 'book {"ok": true}', ""]
    assert turns[0].tool == call["data"]


@pytest.mark.parametrize(
    ("line", "role", "start", "end"),
    [
        ("[0:07] Main Agent: Hi", "Main Agent", 7.0, None),
        ("[00:07.250] Main Agent: Hi", "Main Agent", 7.25, None),
        ("[1:00:07] Main Agent: Hi", "Main Agent", 3607.0, None),
        ("[ 00:07 - 00:09 ] Main Agent: Hi", "Main Agent", 7.0, 9.0),
        ("[00:07,5 --> 00:09,0] [Main Agent]: Hi", "Main Agent", 7.5, 9.0),
        ("(00:07) Main Agent:Hi", "Main Agent", 7.0, None),
        ("[7.5s] Main Agent: Hi", "Main Agent", 7.5, None),
        ("[7 s] - Main Agent: Hi", "Main Agent", 7.0, None),
        ("00:07 Main Agent: Hi", "Main Agent", 7.0, None),
        ("00:07 - main_agent: Hi", "main_agent", 7.0, None),
        ("[00:07] Hi", "", 7.0, None),
        ("[00:07]Narrator: Hi", "Narrator", 7.0, None),
        ("Main Agent: Hi", "Main Agent", None, None),
    ],
)
def test_a_time_stamp_in_any_known_format_begins_a_turn(
    line: str, role: str, start: float | None, end: float | None
) -> None:
    (turn,) = transcript(None, line).turns
    assert (turn.role, turn.start, turn.end, turn.text) == (role, start, end, "Hi")


TIMES_IN_SPEECH = "I have\n10:30 free\n11:00 Monday: gone\nSir: this is me\n\n(maybe)"


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        (
            "[00:01] Testing Agent: Hello.\nMain Agent: Yes?\n\n[0:09] Testing Agent: My\ncard.\n",
            ["testing 1.0 Hello.", "main None Yes?", "testing 9.0 My\ncard."],
        ),
        (
            "[2026-11-25 10:00:01.5] - Testing Agent: Hi.\n2026-11-25T10:00:01Z Main Agent: Yes?\n"
            "2026-11-25T10:00:01-0500 Testing Agent: Bye.",
            ["testing None Hi.", "main None Yes?", "testing None Bye."],
        ),
        ("User: Hello.\nAssistant: Hi.\nNote: -", ["other None Hello.", "other None Hi.\nNote: -"]),
        ("Main Agent: Say\nUser: this", ["main None Say\nUser: this"]),
        (f"[00:01] Main Agent: {TIMES_IN_SPEECH}", [f"main 1.0 {TIMES_IN_SPEECH}"]),
        (
            "Recording starts\n[1:00:01] Main Agent: Hi\n[00:03]\nonly words\n[00:04] 10:30 works",
            ["other None Recording starts", "main 3601.0 Hi", "other 3.0 only words", "other 4.0 30 works"],
        ),
    ],
)
def test_a_known_role_begins_a_turn_with_or_without_a_time(text: str, turns: list[str]) -> None:
    read = transcript(None, text).turns
    assert [f"{turn.speaker} {turn.start} {turn.text}" for turn in read] == turns


def test_a_tool_call_in_text_is_recognised_and_not_noted_as_missing() -> None:
    read = transcript(None, '[00:01] Function Call: get_slot {"day": "Mon"}\n[00:02] Function Call Result: get_slot []')
    call, result = {"name": "get_slot", "arguments": '{"day": "Mon"}'}, {"name": "get_slot", "result": "[]"}
    assert [turn.tool for turn in read.turns] == [call, result]
    assert "tool calls" not in read.note


ONE_TURN = [{"role": "Main Agent", "content": "Hi"}]


@pytest.mark.parametrize(
    ("turns", "text", "form", "spoken", "note"),
    [
        (ONE_TURN, "[00:01] Main Agent: Bye", "turns", ["Hi"], ""),
        (None, "[00:01] Main Agent: Hi", "text", ["Hi"], "text"),
        ([], "[00:01] Main Agent: Hi", "text", ["Hi"], "text"),
        ("odd", "[00:01] Main Agent: Hi", "text", ["Hi"], "text"),
        ({"__encrypted__": {"v": 1}}, "[00:01] Main Agent: Hi", "text", ["Hi"], "encrypted"),
        ({"__encrypted__": ""}, "[00:01] Main Agent: Hi", "text", ["Hi"], "encrypted"),
        ({"__encrypted__": "abc"}, "", "encrypted", [], "3 characters"),
        (None, '{"__encrypted__": "abc"}', "encrypted", [], "encrypted"),
        (None, None, "empty", [], " "),
        ('[{"role": "Main Agent", "content": "Hi"}]', None, "turns", ["Hi"], ""),
        ({"turns": ONE_TURN, "version": 2}, None, "turns", ["Hi"], ""),
        ("[00:01] Main Agent: Hi", None, "text", ["Hi"], ""),
        ("Main Agent: Hi", None, "text", ["Hi"], ""),
    ],
)
def test_turns_are_preferred_to_text_and_the_note_names_missing_parts(
    turns: object, text: str | None, form: str, spoken: list[str], note: str
) -> None:
    read = transcript(turns, text)
    assert (read.form, [turn.text for turn in read.turns]) == (form, spoken)
    assert all(turn.speaker == "main" for turn in read.turns)
    assert note in read.note
    assert turns_text(read.turns) == ("1 turn" if spoken else "turns unknown")


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("only words", "only words"),
        (None, ""),
        (7, "7"),
        (["a"], '["a"]'),
        ({"speaker": "me", "words": "hello"}, '{"speaker": "me", "words": "hello"}'),
        ({"role": "Main Agent", "content": [{"text": "one"}, {"text": "two"}]}, "one\ntwo"),
        ({"role": "Main Agent", "content": {"say": "hello"}}, '{"say": "hello"}'),
        ({"role": "Main Agent", "content": 5}, "5"),
        ({"role": "Function Call", "data": ["a"]}, '["a"]'),
        ({"role": "Narrator", "content": "", "data": {"name": "x"}}, '{"name": "x"}'),
    ],
)
def test_an_entry_of_an_unknown_shape_is_shown_in_its_place(entry: object, text: str) -> None:
    turns = transcript([{"role": "Main Agent", "content": "before"}, entry, {"content": "after"}]).turns
    assert [turn.n for turn in turns] == [1, 2, 3]
    assert turns[1].text == text
    assert turns[1].raw == entry


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "data", "time", "start_time", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.lists(_JSON, max_size=8))
def test_sent_turns_of_any_shape_are_shown(entries: list[Any]) -> None:
    assert len(transcript(entries).turns) == len(entries)


@given(st.text(st.sampled_from("[]0123456789:. \nab"), max_size=60))
@example(f"[{'9' * 5000}:00] Main Agent: Hi")
def test_no_text_of_a_transcript_is_lost(text: str) -> None:
    turns = transcript(None, text).turns
    assert sum(turn.text.count("a") + turn.role.count("a") for turn in turns) == text.count("a")


@pytest.mark.parametrize("line", ["10:30{}x", "10:30 - {}x", "[00:01]{}x", "[00:01{}x", "1.{}"])
def test_a_long_line_of_spaces_or_digits_is_read_quickly(line: str) -> None:
    begun = time.process_time()
    assert transcript(None, line.format(" " * 50_000)).form == "text"
    assert transcript(None, line.format("1" * 50_000)).form == "text"
    assert time.process_time() - begun < 5  # backtracking took hours
