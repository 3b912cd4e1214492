from __future__ import annotations

import json
from typing import Any

import pytest
from calling import call, called, refused
from scripted_server import Reply, ScriptedServer, run_of, serve_runs

from cekura_tui.demo.corpus import FIRST_PROJECT

RUNS = "/test_framework/v1/runs/"
KINDS = {"passed", "failed", "error", "running", "review", "unknown"}
Kinds = dict[str, list[dict[str, Any]]]


def test_the_list_is_a_table_of_the_newest_runs_with_how_many_there_are(demo: object) -> None:
    result = call("runs", "list")
    lines = result.out.splitlines()
    assert result.status == 0
    assert lines[0].split() == ["RUN", "OUTCOME", "SCENARIO", "PERSONALITY", "AGENT", "LENGTH", "WHEN"]
    assert len(lines) == 101
    numbers = [int(line.split()[0]) for line in lines[1:]]
    assert numbers == sorted(numbers, reverse=True)
    assert result.err == "100 of 240 runs\n"
    assert call("runs", "list", "--limit", 500).err == "240 runs\n"


def test_the_list_as_json_is_the_servers_row_with_its_outcome(demo: object) -> None:
    result = call("runs", "list", "--limit", 5, "--json")
    found = [json.loads(line) for line in result.out.splitlines()]
    assert (result.status, result.err, len(found)) == (0, "", 5)
    for row in found:
        assert set(row["outcome"]) == {"kind", "text"}
        assert row["outcome"]["kind"] in KINDS
        assert {"id", "status", "scenario_name", "agent"} <= set(row)


def test_a_limit_over_a_page_brings_every_run_once(by_kind: Kinds) -> None:
    numbers = [row["id"] for rows in by_kind.values() for row in rows]
    assert len(numbers) == len(set(numbers)) == 240
    assert set(by_kind) >= {"passed", "failed", "error", "running"}
    assert set(by_kind) <= KINDS


def test_the_runs_of_an_agent_are_listed_alone(by_kind: Kinds) -> None:
    agent = by_kind["failed"][0]["agent"]
    found = [json.loads(line) for line in call("--agent", agent, "runs", "list", "--json").out.splitlines()]
    assert found
    assert {row["agent"] for row in found} == {agent}


def test_a_run_as_json_has_its_turns_verdicts_and_outcome(failed: int) -> None:
    result = call("runs", "show", failed, "--json")
    run = json.loads(result.out)
    assert (result.status, run["id"], run["outcome"]["kind"]) == (0, failed, "failed")
    assert {tuple(turn) for turn in run["turns"]} == {("n", "speaker", "role", "start", "end", "text", "tool")}
    assert {turn["speaker"] for turn in run["turns"]} <= {"testing", "main", "tool_call", "tool_result", "other"}
    assert run["verdicts"][0]["state"] == "fail"


def test_a_run_as_text_has_verdicts_before_what_was_said(failed: int) -> None:
    result = call("runs", "show", failed)
    assert result.status == 0
    assert result.out.startswith(f"Run {failed}  ✗ ")
    assert result.out.index("\n✗ ") < result.out.index("Caller: ")
    assert "status: completed" in result.out
    alone = call("runs", "show", failed, "--transcript").out
    assert alone in result.out
    assert "✗" not in alone


def test_a_run_as_markdown_is_a_page_in_which_foreign_text_stays_text(api: ScriptedServer) -> None:
    said = "<script>alert(1)</script> **bold** [link](http://x)\n# head\x1b[31m"
    serve_runs(api, run_of(5, transcript_object=[{"role": "Testing Agent", "content": said, "start_time": 61.5}]))
    page = call("runs", "show", 5, "--markdown").out
    assert page.startswith("# Run 5: failed\n")
    assert (
        "**01:01 Caller:** \\<script\\>alert(1)\\</script\\> \\*\\*bold\\*\\* \\[link\\](http://x)  \n\\# head" in page
    )
    assert "\x1b" not in page


def test_the_markdown_page_of_an_embedded_run_is_whole(failed: int) -> None:
    page = call("runs", "show", failed, "--markdown").out
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        page.splitlines()[0],
        "## Verdicts",
        "## Transcript",
    ]


def test_hostile_text_of_a_run_leaves_no_control_character_in_any_output(api: ScriptedServer) -> None:
    evil = "\x1b]0;owned\x07\x9b31m\u202e\x7f\x00\ud800 end"
    verdict = {"id": 1, "name": evil, "passed": False, "explanation": evil, "value": evil}
    run = run_of(
        5,
        scenario_name=evil,
        personality_name=evil,
        agent_name=evil,
        error_message=evil,
        transcript_object=[{"role": evil, "content": evil, "data": {"name": evil}}],
        evaluation={"metrics": [verdict]},
        unknown={evil: evil},
    )
    serve_runs(api, run)
    api.on("GET", RUNS, Reply({"count": 1, "results": [run]}))
    for words in (["list"], ["list", "--json"], ["show", 5], ["show", 5, "--json"], ["show", 5, "--markdown"]):
        result = call("runs", *words)
        assert result.status == 0
        assert " end" in result.out
        assert not set(result.out) & set("\x1b\x07\x9b\u202e\x7f\x00")


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
@pytest.mark.parametrize("more", [Reply({"detail": "Invalid page."}, 404), None])
def test_a_list_that_breaks_off_is_not_taken_for_a_whole_one(
    api: ScriptedServer, form: list[str], more: Reply | None
) -> None:
    first = Reply({"count": 9000, "next": "http://x/?page=2", "results": [run_of(2), run_of(1)]})
    api.on("GET", RUNS, *([first, more, first] if more else [first]))
    result = call("runs", "list", "--limit", 9000, *form)
    assert result.status == 2
    assert result.err.startswith("cekura-tui: The list is incomplete: the server reported 9,000 runs and sent 2.")
    assert len(api.seen) < 6


@pytest.mark.usefixtures("no_retries")
def test_an_opened_run_is_shown_again_when_the_server_fails(api: ScriptedServer) -> None:
    serve_runs(api, run_of(5, transcript="[00:01] Main Agent: Hello"))
    forms: tuple[list[str], ...] = ([], ["--json"], ["--transcript"], ["--transcript", "--json"], ["--markdown"])
    fresh = [called("runs", "show", 5, *form).out for form in forms]
    for number in (5, 6):
        api.on("GET", f"{RUNS}{number}/", Reply(b"", 500))
    for form, before in zip(forms, fresh, strict=True):
        again = called("runs", "show", 5, *form)
        assert again.out == before
        assert again.err.startswith("Can't reach the server. Showing the cached run")
        refused("500", "runs", "show", 6, *form)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runs", "show", "abc"], "is not a valid run id"),
        (["runs", "show", "12\x1b[31m"], "is not a valid run id"),
        (["runs", "show", "9" * 30], "is not a valid run id"),
        (["runs", "show", "-1"], ""),
        (["runs", "list", "--limit", "0"], "--limit"),
        (["--project", "mine", "runs", "list"], "is not a valid project id"),
        (["--project", "9" * 40, "runs", "list"], "is not a valid project id"),
        (["runs", "show", "1", "--json", "--markdown"], "not both"),
        (["runs", "shaw"], "No such command"),
        (["runs"], "Commands"),
    ],
)
def test_wrong_arguments_are_refused_without_asking_the_server(demo: Any, words: list[str], said: str) -> None:
    refused(said, *words)
    assert demo.log == []


def test_a_run_that_is_not_there_is_a_sentence(demo: object) -> None:
    result = call("runs", "show", 1)
    assert (result.status, result.out) == (2, "")
    assert result.err == "cekura-tui: Run 1 not found, or not visible to this key. See `runs list`.\n"
    assert call("runs", "show", 1, "--json").err == result.err


def test_without_a_project_those_found_are_named(demo: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    result = call("runs", "list")
    assert result.status == 2
    for word in (f"{FIRST_PROJECT} (", "--project", "CEKURA_PROJECT_ID"):
        assert word in result.err


def test_a_single_project_is_taken_without_asking(api: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    api.on("GET", "/user/v1/projects/", Reply([{"id": 9, "name": "Nine"}]))
    api.on("GET", RUNS, Reply({"count": 0, "results": []}))
    result = call("runs", "list")
    assert (result.status, result.err) == (0, "0 runs\n")
    assert api.seen[-1].query["project_id"] == "9"
