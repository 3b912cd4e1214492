from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.run.run import Run
from cekura_tui.model.transcript.transcript import Transcript, read_transcript


def transcript(turns: Any = None, text: str | None = None) -> Transcript:
    return read_transcript(Run.read({"id": 1, "transcript_object": turns, "transcript": text}))


def test_caller_agent_and_tools_are_told_apart() -> None:
    roles = ["Testing Agent", "Main Agent", "Function Call", "Function Call Result", "main_agent", "Narrator", None]
    turns = transcript([{"role": role, "content": "x"} for role in roles]).turns
    assert [t.speaker for t in turns] == ["testing", "main", "tool_call", "tool_result", "main", "other", "other"]
    assert [t.n for t in turns] == [1, 2, 3, 4, 5, 6, 7]
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
def test_the_time_of_a_turn_is_found_in_whichever_field_has_it(
    turn: dict[str, object], start: float | None, end: float | None
) -> None:
    (read,) = transcript([{"role": "Main Agent", "content": "Hello", **turn}]).turns
    assert (read.start, read.end) == (start, end)


def test_a_tool_turn_without_content_shows_its_name_and_arguments() -> None:
    call = {"role": "Function Call", "data": {"id": "1", "name": "book", "arguments": '{"day": "Monday"}'}}
    result = {"role": "Function Call Result", "data": {"id": "1", "name": "book", "result": {"ok": True}}}
    turns = transcript([call, result, {"role": "Function Call", "data": {}}]).turns
    assert [turn.text for turn in turns] == ['book {"day": "Monday"}', 'book {"ok": true}', ""]
    assert turns[0].tool == call["data"]


def test_a_list_of_turns_is_preferred_to_the_text() -> None:
    read = transcript([{"role": "Main Agent", "content": "Hi"}], "[00:01] Main Agent: Bye")
    assert (read.form, read.turns[0].text) == ("turns", "Hi")


@pytest.mark.parametrize("turns", [{"__encrypted__": "abc"}, None, [], "odd"])
def test_the_text_is_read_where_there_are_no_turns(turns: object) -> None:
    read = transcript(turns, "[00:01] Testing Agent: Hello.\n\n[0:05] Main Agent: Good day.\nAre you there?\n")
    assert read.form == "text"
    assert [(t.speaker, t.start, t.text) for t in read.turns] == [
        ("testing", 1.0, "Hello."),
        ("main", 5.0, "Good day.\nAre you there?"),
    ]
    assert "text" in read.note


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
def test_time_stamps_of_every_form_that_was_seen_begin_a_turn(
    line: str, role: str, start: float | None, end: float | None
) -> None:
    (turn,) = transcript(None, line).turns
    assert (turn.role, turn.start, turn.end, turn.text) == (role, start, end, "Hi")


def test_times_and_roles_within_speech_begin_no_turn() -> None:
    said = "[00:01] Main Agent: I have\n10:30 free\n11:00 Monday: gone\nSir: this is me\n\n(maybe)"
    (turn,) = transcript(None, said).turns
    assert turn.text == said.removeprefix("[00:01] Main Agent: ")


def test_a_role_that_is_known_begins_a_turn_among_lines_with_times_too() -> None:
    said = "[00:01] Testing Agent: Hello.\nMain Agent: Yes?\n[00:09] Testing Agent: Block my card.\nMain Agent: No."
    read = transcript(None, said).turns
    assert [(turn.speaker, turn.start) for turn in read] == [
        ("testing", 1.0),
        ("main", None),
        ("testing", 9.0),
        ("main", None),
    ]


@pytest.mark.parametrize("date", ["2026-11-25T10:00:01Z ", "[2026-11-25 10:00:01.5] - ", "2026-11-25T10:00:01-0500 "])
def test_a_date_before_a_role_begins_a_turn_and_is_no_time_of_the_call(date: str) -> None:
    read = transcript(None, f"{date}Testing Agent: Hello.\n{date}Main Agent: Yes?").turns
    assert [(turn.speaker, turn.start, turn.text) for turn in read] == [
        ("testing", None, "Hello."),
        ("main", None, "Yes?"),
    ]


def test_usual_roles_begin_turns_only_where_no_line_has_one_that_is_known() -> None:
    read = transcript(None, "User: Hello.\nAssistant: Hi.\nNote: nothing.").turns
    assert [(turn.role, turn.text) for turn in read] == [("User", "Hello."), ("Assistant", "Hi.\nNote: nothing.")]
    (turn,) = transcript(None, "Main Agent: Say\nUser: this").turns
    assert turn.text == "Say\nUser: this"


def test_a_call_of_a_tool_in_a_text_is_one_and_the_note_does_not_deny_it() -> None:
    read = transcript(None, '[00:01] Function Call: get_slot {"day": "Mon"}\n[00:02] Function Call Result: get_slot []')
    assert [turn.tool for turn in read.turns] == [
        {"name": "get_slot", "arguments": '{"day": "Mon"}'},
        {"name": "get_slot", "result": "[]"},
    ]
    assert "tool calls" not in read.note


def test_text_with_hours_without_roles_and_before_the_first_time_is_read() -> None:
    read = transcript(
        None, "Recording starts\n[1:00:01] Main Agent: Long call\n[00:03]\nonly words\n[00:04] 10:30 works"
    )
    assert [(t.role, t.start, t.text) for t in read.turns] == [
        ("", None, "Recording starts"),
        ("Main Agent", 3601.0, "Long call"),
        ("", 3.0, "only words"),
        ("10", 4.0, "30 works"),
    ]


def test_an_encrypted_transcript_without_text_says_that_it_is_encrypted() -> None:
    read = transcript({"__encrypted__": "abc"}, "")
    assert (read.form, read.turns) == ("encrypted", ())
    assert "encrypted" in read.note
    assert "3 characters" in read.note


@pytest.mark.parametrize("sealed", [{"__encrypted__": {"v": 1}}, {"__encrypted__": ""}])
def test_an_encrypted_transcript_shows_the_text_beside_it_and_says_so(sealed: object) -> None:
    read = transcript(sealed, "[00:01] Main Agent: Hi")
    assert (read.form, [turn.text for turn in read.turns]) == ("text", ["Hi"])
    assert "encrypted" in read.note


def test_a_text_that_is_encrypted_is_not_shown_as_what_was_said() -> None:
    assert transcript(None, '{"__encrypted__": "abc"}').form == "encrypted"


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
def test_as_many_turns_are_shown_as_were_sent_whatever_they_are(entries: list[Any]) -> None:
    assert len(transcript(entries).turns) == len(entries)


def test_a_run_without_a_transcript_says_so() -> None:
    assert transcript().form == "empty"
    assert transcript().note


@given(st.text(st.sampled_from("[]0123456789:. \nab"), max_size=60))
def test_no_text_of_a_transcript_is_lost_or_breaks_reading(text: str) -> None:
    turns = transcript(None, text).turns
    assert sum(turn.text.count("a") + turn.role.count("a") for turn in turns) == text.count("a")


def test_endless_digits_in_a_transcript_do_not_break_reading() -> None:
    (turn,) = transcript(None, f"[{'9' * 5000}:00] Main Agent: Hi").turns
    assert turn.text.endswith("Hi")


@pytest.mark.parametrize("line", ["10:30{}x", "10:30 - {}x", "[00:01]{}x", "[00:01{}x", "1.{}"])
def test_a_long_line_of_spaces_or_digits_is_read_quickly(line: str) -> None:
    begun = time.process_time()
    assert transcript(None, line.format(" " * 50_000)).form == "text"
    assert transcript(None, line.format("1" * 50_000)).form == "text"
    assert time.process_time() - begun < 5  # it took hours


@pytest.mark.parametrize(
    "sent",
    [
        '[{"role": "Main Agent", "content": "Hi"}]',
        {"turns": [{"role": "Main Agent", "content": "Hi"}], "version": 2},
        "[00:01] Main Agent: Hi",
        "Main Agent: Hi",
    ],
)
def test_turns_that_come_in_a_text_or_in_an_object_are_read(sent: object) -> None:
    (turn,) = transcript(sent).turns
    assert (turn.speaker, turn.text) == ("main", "Hi")
