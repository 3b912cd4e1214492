"""Tool calls: each result is matched with its call, a call has an ending, and arguments and results are shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.transcript.tool_call import ToolCalls, brief, ending_of, pretty, raw_text, tool_name
from cekura_tui.model.transcript.transcript import Turn


def call(n: int, name: str = "find", at: float | None = None, **more: object) -> Turn:
    return Turn(n, "tool_call", "Function Call", at, None, "", {"name": name, **more})


def result(n: int, name: str = "find", at: float | None = None, **more: object) -> Turn:
    return Turn(n, "tool_result", "Function Call Result", at, None, "", {"name": name, **more})


@pytest.mark.parametrize(
    ("turns", "answered"),
    [
        ([call(1, id="a"), call(2, id="b"), result(3, id="b"), result(4, id="a")], {1: 4, 2: 3}),
        ([call(1, id=0), result(2, id="0")], {1: 2}),
        ([call(1), call(2, "book"), call(3), result(4), result(5, "book"), result(6)], {1: 4, 2: 5, 3: 6}),
        ([call(1, id="a"), result(2)], {1: 2}),
        ([call(1), result(2, id="a")], {1: 2}),
        ([call(1, id="a"), call(2, id="b"), result(3, id="a"), result(4)], {1: 3, 2: 4}),
        ([call(1, id="a"), call(2), result(3, id="a")], {1: 3}),
        ([call(1, id="a"), result(2, id="b")], {}),
        ([result(1), call(2)], {}),
    ],
)
def test_results_match_calls_by_id_or_else_by_name_and_order(turns: list[Turn], answered: dict[int, int]) -> None:
    assert {n: found.n for n, found in ToolCalls(turns).answered.items()} == answered


def test_the_ending_and_the_duration_of_a_tool_call_are_found() -> None:
    calls = [call(1, at=3.0), result(2, at=4.5, result="fine"), call(3, at=9.0), result(4, at=2.0, error="x"), call(5)]
    ends = [ToolCalls(calls).end_of(calls[n]) for n in (0, 2, 4)]
    assert [(end.ending, end.result, end.after) for end in ends] == [
        ("answered", 2, 1.5),
        ("answered", 4, None),
        ("no result", None, None),
    ]


@pytest.mark.parametrize(
    "value",
    [
        *('{"error": "no such day"}', {"Errors": ["a"]}, {"success": False}, '{"ok": false}', {"status": "ERROR"}),
        *("Error: no such day", " [error] timed out", '"Failed to book"', "Traceback (most recent call last):"),
    ],
)
def test_a_result_that_reports_failure_is_an_error(value: object) -> None:
    assert ending_of(result(1, result=value)) == "error"


@pytest.mark.parametrize(
    "value",
    [
        *('{"error": null, "day": "Monday"}', {"errors": []}, {"message": "an error is possible"}, {"success": True}),
        *({"error_count": 0}, "errorless", "No error.", ["error"], "", None, 7, "{broken"),
    ],
)
def test_a_result_that_only_mentions_errors_is_no_error(value: object) -> None:
    assert ending_of(result(1, result=value)) == "answered"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text('aé"\\\n日', max_size=5),
    lambda some: st.lists(some, max_size=4) | st.dictionaries(st.text('aé"', max_size=3), some, max_size=4),
)


@given(st.dictionaries(st.text("ab", max_size=3), JSON, max_size=4) | st.lists(JSON, max_size=4))
def test_tool_arguments_are_formatted_like_the_output_of_json_dumps(value: object) -> None:
    turn = call(1, arguments=json.dumps(value))
    assert pretty(turn) == json.dumps(value, ensure_ascii=False, indent=2)
    assert brief(turn) == json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("text", ["{broken", '{"a": 1, "a": 2}', "[" * 100_000, "plain words", "1"])
def test_arguments_that_are_not_json_stay_as_sent(text: str) -> None:
    assert pretty(call(1, arguments=text)) == text


def test_a_tool_call_shows_all_fields_sent_with_the_call_and_nothing_else() -> None:
    assert json.loads(pretty(call(1, arguments="{}", took=3))) == {"arguments": {}, "took": 3}
    assert json.loads(pretty(call(1, took=3))) == {"took": 3}
    assert pretty(call(1)) == ""
    assert tool_name(Turn(1, "tool_call", "", None, None, "")) == tool_name(call(1, name=7)) == ""  # type: ignore[arg-type]
    raw = {"role": "Function Call", "content": "I look it up."}
    tool = {"name": "find", "arguments": "{}"}
    turn = Turn(1, "tool_call", "Function Call", None, None, "I look it up.", tool, raw)
    assert json.loads(pretty(turn)) == {"arguments": {}, "content": "I look it up."}
    said = Turn(1, "tool_result", "", None, None, "found", {"name": "find"}, {"content": "found"})
    assert pretty(said) == "found"


def test_no_control_character_of_the_arguments_is_shown_raw() -> None:
    turn = call(1, arguments='{"a": "\\u009b31m\\u202e\\ud800 end"}')
    assert brief(turn) == '{"a": "31m end"}'
    assert json.loads(pretty(turn)) == {"a": "31m end"}
    assert brief(call(1, arguments={"a": "\x1b[2J"})) == '{"a": "\\u001b[2J"}'


@pytest.mark.parametrize("depth", [100, 400, 900, 100_000])
def test_deeply_nested_brackets_are_shown(depth: int) -> None:
    text = "[" * depth + "]" * depth
    turn = call(1, arguments=text)
    assert pretty(turn).replace("\n", "").replace(" ", "") == text
    assert brief(turn) == text


def test_the_raw_form_of_a_turn_sent_as_text_has_only_role_and_time_and_text() -> None:
    said = {"role": "Testing Agent", "time": 1.0, "text": "Hi"}
    assert json.loads(raw_text(Turn(1, "testing", "Testing Agent", 1.0, None, "Hi"))) == said
    deep: object = []
    for _ in range(50_000):
        deep = [deep]
    assert raw_text(Turn(1, "other", "", None, None, "", None, deep)) == "(nested too deep to be shown)"
