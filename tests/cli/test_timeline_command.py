"""`runs show --timeline`: the timeline of a call as lines, in the order of the call."""

from __future__ import annotations

import pytest
from calling import call
from documented_shapes import read_all
from scripted_server import ScriptedServer, run_of, serve_runs

TURNS = [
    {"role": "Main Agent", "content": "Hello.", "start_time": 0, "end_time": 2},
    {"role": "Testing Agent", "content": "A table for four.", "start_time": 1.5, "end_time": 5},
    {"role": "Function Call", "data": {"id": "c", "name": "book"}, "start_time": 5.5, "end_time": 5.6},
    {"role": "Function Call Result", "data": {"id": "c", "result": {"ok": False}}, "start_time": 8, "end_time": 8.1},
    {"role": "Main Agent", "content": "I could not book a table.", "start_time": 9, "end_time": 12},
    {"role": "Testing Agent", "content": "What a pity."},
]
EXPECTED = {"score": 0, "explanation": ["The agent said “I could not book a table.”"]}


@pytest.fixture(autouse=True)
def aimed(api: ScriptedServer) -> ScriptedServer:
    """A server with a run, to which the environment leads."""
    serve_runs(api, run_of(5, transcript_object=TURNS, expected_outcome=EXPECTED, duration="00:14"))
    return api


def test_who_speaks_silences_overlaps_tools_and_evidence_are_lines_with_their_times() -> None:
    result = call("runs", "show", 5, "--timeline")
    assert result.out.splitlines() == [
        "Run 5: 00:14, 6 turns",
        "1 gap, longest 4.0 s at 00:05",
        "answers: median 4.0 s, slowest 4.0 s at 00:09",
        "1 overlap",
        "1 of 6 turns has no time",
        "",
        "00:00 to 00:02  Agent, turn 1",
        "00:01 to 00:05  Caller, turn 2",
        "00:01 to 00:02  overlap, 0.5 s, turn 2 over turn 1",
        "00:05 to 00:09  silence, 4.0 s, before turn 5",
        "00:05  Tool call book, turn 3, error after 2.4 s",
        "00:08  Tool result, turn 4",
        "00:09 to 00:12  Agent, turn 5, answers after 4.0 s",
        "00:09  evidence, turn 5, of Expected outcome, failed: quoted",
        "no time  Caller, turn 6",
    ]
    assert (result.status, result.err) == (0, "")


def test_the_timeline_as_json_has_the_same_in_numbers() -> None:
    (whole,) = read_all("timeline", call("runs", "show", 5, "--timeline", "--json").out)
    assert (whole["run"], whole["length"], whole["median_answer"], len(whole["turns"])) == (5, 14.0, 4.0, 5)
    assert whole["gaps"] == [{"start": 5.0, "end": 9.0, "turn": 5}]
    assert whole["overlaps"] == [{"start": 1.5, "end": 2.0, "turn": 2, "into": 1}]
    assert whole["answers"] == [{"turn": 5, "to": 2, "at": 9.0, "seconds": 4.0}]
    assert [(tool["name"], tool["ending"], tool["result"]) for tool in whole["tools"]] == [("book", "error", 4)]
    assert [(one["turn"], one["state"], one["sure"]) for one in whole["evidence"]] == [(5, "fail", "sure")]


def test_a_call_without_times_or_turns_says_so(aimed: ScriptedServer) -> None:
    serve_runs(aimed, run_of(5, transcript_object=[{"role": "Main Agent", "content": "Hello."}]))
    assert call("runs", "show", 5, "--timeline").out == (
        "Run 5: 00:00, 1 turn\nThe only turn has no time\n\nno time  Agent, turn 1\n"
    )
    serve_runs(aimed, run_of(5))
    assert "\nNo turns\n" in call("runs", "show", 5, "--timeline").out
    (whole,) = read_all("timeline", call("runs", "show", 5, "--timeline", "--json").out)
    assert (whole["turns"], whole["note"]) == ([], "No turns.")


@pytest.mark.parametrize("other", ["--transcript", "--markdown"])
def test_a_timeline_is_no_transcript_and_no_page(aimed: ScriptedServer, other: str) -> None:
    result = call("runs", "show", 5, "--timeline", other)
    assert (result.status, result.out) == (2, "")
    assert aimed.seen == []
