"""`compare` prints two runs turn by turn, with the verdicts of both runs."""

from __future__ import annotations

import pytest
from calling import call, refused
from documented_shapes import read_all
from scripted_server import Reply, ScriptedServer, run_of, serve_runs

LIST = "/test_framework/v1/runs/"
BOTH = ["Hello, how can I help?", "A table for four at seven, please."]
HERE = [*BOTH, "I have booked a table at eight.", "Goodbye then."]
THERE = [*BOTH, "Which name?", "Rossi.", "I have booked a table at seven."]


def run(number: int, texts: list[str], end: str, *metrics: tuple[str, int], **fields: object) -> dict[str, object]:
    roles = ("Main Agent", "Testing Agent")
    turns = [{"role": roles[n % 2], "content": text, "start_time": 3.0 * n} for n, text in enumerate(texts)]
    kind = {"type": "binary_qualitative"}
    judged = [{"id": n, "name": name, "score": score, **kind} for n, (name, score) in enumerate(metrics, 1)]
    more = {"scenario": 3, "duration": "00:20", "evaluation": {"metrics": judged}, **fields}
    return run_of(number, transcript_object=turns, evaluation_status=end, **more)


@pytest.fixture
def two(api: ScriptedServer) -> ScriptedServer:
    """A server with the failed run 50 and the earlier, passed run 45 of the same scenario."""
    runs = [
        run(50, HERE, "failure", ("Right time", 0), ("Polite", 5)),
        run(45, THERE, "success", ("Right time", 5), ("Polite", 5)),
    ]
    serve_runs(api, *runs)
    api.on("GET", LIST, Reply({"count": 2, "next": None, "previous": None, "results": runs}))
    return api


def test_a_run_is_compared_with_the_last_passed_run_line_by_line(two: ScriptedServer) -> None:
    result = call("compare", 50)
    first, verdicts, turns, lines = result.out.rstrip("\n").split("\n\n")
    assert first.splitlines()[:3] == ["First run: 50", "  outcome: failed, 1 check", "  scenario: Books a table"]
    assert "\nSecond run, the last before the first that passed and has a transcript: 45\n  outcome: passed\n" in first
    right_time = "  Right time: first run failed; second run passed"
    assert verdicts.splitlines() == ["Verdicts", right_time, "  Polite: both runs: passed"]
    assert turns.splitlines() == [
        "Turns",
        "  Differs after 00:03",
        "  2 turns the same in both",
        "  1 turn changed",
        "  1 turn in the first run only",
        "  2 turns in the second run only",
    ]
    assert lines.splitlines() == [
        "both 00:00 Agent: Hello, how can I help?",
        "both 00:03 Caller: A table for four at seven, please.",
        "second 00:06 Agent: Which name?",
        "second 00:09 Caller: Rossi.",
        "first 00:06 Agent: I have booked a table at [-eight-].",
        "second 00:12 Agent: I have booked a table at {+seven+}.",
        "first 00:09 Caller: Goodbye then.",
    ]
    assert (result.status, result.err) == (0, "")


def test_json_has_both_runs_and_their_verdicts_and_the_differing_words(two: ScriptedServer) -> None:
    (whole,) = read_all("compare", call("compare", 50, "--json").out)
    runs = [(side["run"], side["outcome"]["kind"]) for side in (whole["first"], whole["second"])]
    assert (whole["chosen"], runs) == ("last_passed", [(50, "failed"), (45, "passed")])
    verdicts = [(one["name"], one["first"], one["second"]) for one in whole["verdicts"]]
    assert verdicts == [("Right time", "fail", "pass"), ("Polite", "pass", "pass")]
    assert [turn["sign"] for turn in whole["turns"]] == ["same", "same", "second", "second", "changed", "first"]
    changed = [whole["turns"][4][side] for side in ("first", "second")]
    assert [[side["text"][start:end] for start, end in side["differs"]] for side in changed] == [["eight"], ["seven"]]


def test_the_second_run_can_be_given_and_equal_turns_can_be_left_out(two: ScriptedServer) -> None:
    result = call("compare", 45, 50, "--differences")
    assert "First run: 45\n" in result.out
    assert "\nSecond run: 50\n" in result.out
    assert "  2 turns the same in both\n" in result.out
    assert "\nboth " not in result.out
    (whole,) = read_all("compare", call("compare", 45, 50, "--differences", "--json").out)
    assert (whole["chosen"], len(whole["turns"])) == ("given", 4)


def test_runs_without_turns_or_shared_checks_are_compared_by_verdicts(two: ScriptedServer) -> None:
    passed = run(45, THERE, "success", ("Polite", 5), ("Right time", 5))
    serve_runs(two, run(50, [], "failure", ("Polite", 0)), passed)
    result = call("compare", 50, 45).out
    assert "  Polite: first run failed;" in result
    assert "  Right time: first run not judged; second run passed\n" in result
    assert "  note: This run has no transcript.\n" in result
    assert result.endswith("\nTurns\n  Nothing to compare: one of the runs has no turns.\n")


@pytest.mark.parametrize(
    ("fields", "words", "said"),
    [
        ({}, [9], "Run 9 not found"),
        ({}, [50, 9], "Run 9 not found"),
        ({"scenario": None}, [50], "The server sent no scenario for run 50. Give the id of another run, too."),
        ({"scenario": 4}, [50], "No run of “Books a table” with Agent 7 passed among the newest runs on the server."),
    ],
)
def test_runs_that_cannot_be_compared_are_reported(
    two: ScriptedServer, fields: dict[str, object], words: list[int], said: str
) -> None:
    serve_runs(two, run(50, HERE, "failure", **fields))
    two.on("GET", "/test_framework/v1/runs/9/", Reply(b"", 404))
    refused(said, "compare", *words)
