"""`runs show` prints a run as text, Markdown, transcript, timeline or JSON."""

from __future__ import annotations

import json

import pytest
from calling import call, called, objects, refused
from documented_shapes import read_all
from run_properties import PROPERTIES, RUN_ID, marked_run
from scripted_server import Reply, ScriptedServer, run_of, serve_runs

TURNS = [
    {"role": "Main Agent", "content": "Hello\n- you", "start_time": 1},
    {"role": "Function Call", "data": {"name": "book", "arguments": '{"day": "Tue"}'}, "time": "00:09"},
]


@pytest.fixture
def run_5(api: ScriptedServer) -> ScriptedServer:
    """A scripted server that has run 5 with the turns TURNS."""
    serve_runs(api, run_of(5, transcript_object=TURNS))
    return api


def test_json_of_a_run_has_turns_and_verdicts_and_the_outcome(failed: int) -> None:
    (run,) = objects("runs", "show", failed)
    assert (run["id"], run["outcome"]["kind"]) == (failed, "failed")
    assert {tuple(turn) for turn in run["turns"]} == {("n", "speaker", "role", "start", "end", "text", "tool")}
    assert {turn["speaker"] for turn in run["turns"]} <= {"testing", "main", "tool_call", "tool_result", "other"}
    assert run["verdicts"][0]["state"] == "fail"


def test_text_of_a_run_has_verdicts_before_the_transcript(failed: int) -> None:
    called("notes", "set", failed, "call again")
    text = called("runs", "show", failed).out
    called("notes", "set", failed, "")
    assert text.startswith(f"Run {failed}  ✗ ")
    assert "\nnote: call again\n\n✗ " in text
    assert text.index("\n✗ ") < text.index("Caller: ")
    assert "status: completed" in text
    alone = call("runs", "show", failed, "--transcript").out
    assert alone in text
    assert "✗" not in alone
    lines = call("runs", "show", failed, "--markdown").out.splitlines()
    assert [line for line in lines if line.startswith("#")] == [lines[0], "## Verdicts", "## Transcript"]


def test_markdown_of_a_run_escapes_markup_in_its_texts(api: ScriptedServer) -> None:
    said = "<script>alert(1)</script> **bold** [link](http://x)\n# head\x1b[31m"
    serve_runs(api, run_of(5, transcript_object=[{"role": "Testing Agent", "content": said, "start_time": 61.5}]))
    page = call("runs", "show", 5, "--markdown").out
    assert page.startswith("# Run 5: failed\n")
    shown = r"\<script\>alert(1)\</script\> \*\*bold\*\* \[link\](http://x)"
    assert f"\n## Verdicts\n\nNone.\n\n## Transcript\n\n**01:01 Caller:** {shown}  \n\\# head" in page
    assert "\x1b" not in page


def test_the_transcript_of_a_run_can_be_printed_alone_in_each_format(run_5: ScriptedServer) -> None:
    text, page, whole = (called("runs", "show", 5, "--transcript", *form) for form in ([], ["--markdown"], ["--json"]))
    assert text.out == '00:01  Agent: Hello\n        - you\n00:09  Tool call: book {"day": "Tue"}\n'
    assert page.out.startswith("# Transcript of run 5\n\n- Scenario: Books a table\n- Agent: Agent 7\n\n")
    assert "**00:01 Agent:** Hello  \n\\- you\n\n**00:09 Tool call:**\n\n```json\n" in page.out
    assert [turn["text"] for turn in json.loads(whole.out)["turns"]] == ["Hello\n- you", 'book {"day": "Tue"}']
    assert (text.err, page.err, whole.err) == ("", "", "")


@pytest.mark.parametrize(
    ("sent", "said"),
    [(None, "This run has no transcript."), ({"__encrypted__": "gAAAA"}, "This transcript is encrypted")],
)
def test_a_run_without_a_transcript_is_reported_in_every_format(run_5: ScriptedServer, sent: object, said: str) -> None:
    serve_runs(run_5, run_of(5, transcript_object=sent))
    for form in ([], ["--markdown"], ["--json"]):
        assert said in called("runs", "show", 5, "--transcript", *form).out


CALL = [
    {"role": "Main Agent", "content": "Hello.", "start_time": 0, "end_time": 2},
    {"role": "Testing Agent", "content": "A table for four.", "start_time": 1.5, "end_time": 5},
    {"role": "Function Call", "data": {"id": "c", "name": "book"}, "start_time": 5.5, "end_time": 5.6},
    {"role": "Function Call Result", "data": {"id": "c", "result": {"ok": False}}, "start_time": 8, "end_time": 8.1},
    {"role": "Main Agent", "content": "I could not book a table.", "start_time": 9, "end_time": 12},
    {"role": "Testing Agent", "content": "What a pity."},
]
EXPECTED = {
    "score": 0,
    "explanation": ["It said “I could not book a table.”", "And “No table for nine.”"],
}


def test_a_timeline_lists_turns_and_silences_and_tool_calls_and_evidence_in_order(api: ScriptedServer) -> None:
    serve_runs(api, run_of(5, transcript_object=CALL, expected_outcome=EXPECTED, duration="00:14"))
    result = called("runs", "show", 5, "--timeline")
    assert result.err == ""
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
        "no turn  evidence of Expected outcome, failed: quote not found in this call: “No table for nine.”",
    ]
    (whole,) = read_all("timeline", call("runs", "show", 5, "--timeline", "--json").out)
    assert (whole["run"], whole["length"], whole["median_answer"], len(whole["turns"])) == (5, 14.0, 4.0, 5)
    assert whole["gaps"] == [{"start": 5.0, "end": 9.0, "turn": 5}]
    assert whole["overlaps"] == [{"start": 1.5, "end": 2.0, "turn": 2, "into": 1}]
    assert whole["answers"] == [{"turn": 5, "to": 2, "at": 9.0, "seconds": 4.0}]
    assert [(tool["name"], tool["ending"], tool["result"]) for tool in whole["tools"]] == [("book", "error", 4)]
    assert [(one["turn"], one["state"], one["sure"]) for one in whole["evidence"]] == [(5, "fail", "sure")]
    quotes = ["No table for nine."]
    assert whole["missing_quotes"] == [{"verdict": "Expected outcome", "state": "fail", "quotes": quotes}]


def test_a_timeline_without_times_or_turns_is_reported(api: ScriptedServer) -> None:
    serve_runs(api, run_of(5, transcript_object=[{"role": "Main Agent", "content": "Hello."}]), run_of(6))
    untimed = "Run 5: 00:00, 1 turn\nThe only turn has no time\n\nno time  Agent, turn 1\n"
    assert call("runs", "show", 5, "--timeline").out == untimed
    assert call("runs", "show", 6, "--timeline").out.startswith("Run 6: 00:00, turns unknown\nNo turns\n")
    (whole,) = read_all("timeline", call("runs", "show", 6, "--timeline", "--json").out)
    assert (whole["turns"], whole["note"]) == ([], "No turns.")


def strings_of(value: object) -> set[str]:
    """All names and values of nested JSON as strings."""
    if isinstance(value, dict):
        return set(value).union(*map(strings_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(strings_of, value))
    return {value if isinstance(value, str) else json.dumps(value)}


def test_json_of_a_run_has_every_field_including_unknown_fields(api: ScriptedServer) -> None:
    run, marks = marked_run()
    new = {"brand_new": {"inside": ["<new>"]}}
    serve_runs(api, run | new)
    (shown,) = objects("runs", "show", RUN_ID)
    assert {name: shown[name] for name in (*PROPERTIES, *new)} == run | new
    for name, expected in marks.items():
        found = strings_of({name: shown[name]})
        for mark in expected:
            words = mark.split(": ")[-1]
            assert any(words in text for text in found), (name, mark)


@pytest.mark.usefixtures("no_retries")
def test_a_cached_run_is_shown_if_the_server_fails(api: ScriptedServer) -> None:
    serve_runs(api, run_of(5, transcript="[00:01] Main Agent: Hello"))
    forms: tuple[list[str], ...] = ([], ["--json"], ["--transcript"], ["--transcript", "--json"], ["--markdown"])
    fresh = [called("runs", "show", 5, *form).out for form in forms]
    for number in (5, 6):
        api.on("GET", f"/test_framework/v1/runs/{number}/", Reply(b"", 500))
    for form, before in zip(forms, fresh, strict=True):
        again = called("runs", "show", 5, *form)
        assert again.out == before
        assert again.err.startswith("Can't reach the server. Showing the cached run")
        refused("500", "runs", "show", 6, *form)


def test_an_unknown_run_is_reported(demo: object) -> None:
    said = "cekura-tui: Run 1 not found, or not visible to this key. See `runs list`.\n"
    assert [refused("", "runs", "show", 1, *form).err for form in ([], ["--json"])] == [said, said]
