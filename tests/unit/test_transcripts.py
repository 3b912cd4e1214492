from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.run import Run
from cekura_tui.model.transcript import Transcript, read_transcript


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
