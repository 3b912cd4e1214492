from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from calling import call, refused
from documented_shapes import JOB_KEYS, TEXTS
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer

DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\n", "summary_of_changes": "Kinder."}})


def test_a_waited_for_job_is_shown_whole_as_text_diff_prompt_and_json(server: ScriptedServer) -> None:
    server.on("GET", PROGRESS, DONE)
    waited = call("jobs", "wait", 1)
    assert (waited.status, waited.out, waited.err) == (0, "", "job 1: running\njob 1: succeeded\n")
    result = call("jobs", "show", 1)
    assert result.out.startswith("job 1: succeeded\nruns: 5\nagent: Agent 7\n")
    assert "\nKinder.\n" in result.out
    assert re.search(
        r"\ndistinct answers: 2\nhistory:\n  .+ launching\n  .+ running\n  .+ succeeded\n\nKinder", result.out
    )
    diff = call("jobs", "show", 1, "--diff").out
    assert diff in result.out
    assert "{+" in diff
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"
    job = json.loads(call("jobs", "show", 1, "--json").out)
    assert set(job) == {*JOB_KEYS, *TEXTS}
    assert (job["state"], job["improved_prompt"]) == ("succeeded", "Be kinder.\n")


def test_the_list_of_jobs_is_a_table_or_json_without_the_texts(server: ScriptedServer) -> None:
    table = call("jobs", "list").out.splitlines()
    assert table[0].split() == ["JOB", "STATE", "RUNS", "AGENT", "LAUNCHED", "LAST", "ANSWER"]
    assert table[1].split()[:3] == ["1", "running", "5"]
    job = json.loads(call("jobs", "list", "--json").out)
    assert list(job) == JOB_KEYS


def test_an_empty_list_of_jobs_says_so_to_people_and_nothing_to_scripts(demo: Any) -> None:
    for words, said in (["--json"], ""), ([], "No jobs yet. Launch one with `improve`.\n"):
        result = call("jobs", "list", *words)
        assert (result.status, result.out, result.err) == (0, "", said)


def test_a_job_without_a_result_says_so(server: ScriptedServer) -> None:
    for words in (["--diff"], ["--prompt"]):
        refused("Job 1 has no suggestion (running).", "jobs", "show", 1, *words)
    assert call("jobs", "show", 1).status == 0
    assert json.loads(call("jobs", "show", 1, "--json").out)["improved_prompt"] is None


@pytest.mark.parametrize("command", ["show", "wait", "resume", "forget"])
@pytest.mark.parametrize(
    ("number", "said"), [("99", "No job 99 found. See `jobs list`."), ("first", "“first” is not a valid job id")]
)
def test_a_job_that_is_not_there_is_a_sentence(server: ScriptedServer, command: str, number: str, said: str) -> None:
    refused(said, "jobs", command, number)


@pytest.mark.parametrize("command", ["show", "wait", "resume", "forget"])
def test_a_job_of_another_server_names_that_server(server: ScriptedServer, demo: Any, command: str) -> None:
    refused(f"Job 1 belongs to {server.url}.", "jobs", command, 1, status=4)
    assert demo.log == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (DONE, 0),
        (Reply({"status": "failed", "error": "No issues found"}), 3),
        (Reply({"status": "failed", "error": "Broke"}), 1),
    ],
)
def test_how_a_job_ended_is_the_exit_status_also_when_asked_again(
    server: ScriptedServer, answer: Reply, status: int
) -> None:
    server.on("GET", PROGRESS, answer)
    assert call("jobs", "wait", 1).status == status
    asked = len(server.requests("GET", PROGRESS))
    assert call("jobs", "wait", 1).status == status
    assert len(server.requests("GET", PROGRESS)) == asked == 1


def test_the_exit_status_of_several_jobs_is_that_of_the_worst(server: ScriptedServer, prompt_file: Path) -> None:
    for number in (2, 3):
        server.on("POST", LAUNCH, Reply({"progress_id": f"p-{number}"}))
        call("improve", 5, "--prompt-file", prompt_file)
    ends = {
        "p-1": DONE,
        "p-2": Reply({"status": "failed", "error": "No issues found"}),
        "p-3": Reply({"status": "error"}),
    }
    server.on("GET", PROGRESS, lambda got: ends[got.query["progress_id"]])
    assert call("jobs", "wait", 1, 2).status == 3
    assert call("jobs", "wait", 1, 2, 3).status == 1
    assert call("jobs", "wait", 1, 1).status == 0


def test_waiting_for_one_job_leaves_no_other_unasked(server: ScriptedServer, prompt_file: Path) -> None:
    server.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    call("improve", 5, "--prompt-file", prompt_file)
    ends = {"p-1": DONE, "p-2": Reply({"status": "running"})}
    server.on("GET", PROGRESS, lambda got: ends[got.query["progress_id"]])
    result = call("jobs", "wait", 1)
    assert (result.status, "job 2" in result.err) == (0, False)
    assert {got.query["progress_id"] for got in server.requests("GET", PROGRESS)} == {"p-1", "p-2"}


def test_a_wait_with_a_timeout_leaves_with_1_and_the_job_goes_on(server: ScriptedServer) -> None:
    server.on("GET", PROGRESS, Reply({"status": "running"}))
    result = call("jobs", "wait", 1, "--timeout", 0.01)
    assert result.status == 1
    assert result.err.endswith("Timed out. Unfinished jobs still run on the server.\n")
    assert json.loads(call("jobs", "list", "--json").out)["state"] == "running"


@pytest.mark.parametrize("words", [("--diff", "--json"), ("--curl", "--json"), ("--curl", "--prompt")], ids=str)
def test_two_ways_to_show_a_job_at_once_are_refused(server: ScriptedServer, words: tuple[str, ...]) -> None:
    result = call("jobs", "show", 1, *words)
    assert (result.status, result.out) == (2, "")


def test_a_hostile_answer_leaves_no_control_character_in_any_output(server: ScriptedServer) -> None:
    evil = "\x1b]0;owned\x07\x9b31m\u202e end"
    output = {"improved_prompt": f"Be kinder. {evil}", "summary_of_changes": evil}
    server.on("GET", PROGRESS, Reply({"status": evil, "output": output}))
    printed = call("jobs", "wait", 1).err
    for words in (
        ["list"],
        ["list", "--json"],
        *(["show", 1, *more] for more in ([], ["--diff"], ["--json"], ["--curl"])),
    ):
        result = call("jobs", *words)
        assert result.status == 0
        printed += result.out
    assert not set(printed) & set("\x1b\x07\x9b\u202e")


def test_a_jobs_id_with_control_characters_is_shown_without_them(server: ScriptedServer, prompt_file: Path) -> None:
    server.on("POST", LAUNCH, Reply({"progress_id": "p\x1b[31m"}))
    call("improve", 5, "--prompt-file", prompt_file)
    assert "progress id: p[31m" in call("jobs", "show", 2).out
    server.on("GET", PROGRESS, DONE)
    call("jobs", "wait", 2)
    assert {got.query["progress_id"] for got in server.requests("GET", PROGRESS)} == {"p-1", "p\x1b[31m"}
