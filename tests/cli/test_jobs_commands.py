"""`jobs list`, `jobs show` and `jobs wait`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from calling import call, called, objects, refused
from documented_shapes import JOB_KEYS, TEXTS, read_all
from saved_jobs import DONE, SavedJobs
from scripted_server import PROGRESS, Got, Reply, ScriptedServer

EVERY = ("show", "wait", "resume", "forget")


def polled(server: ScriptedServer) -> list[str]:
    """The progress ids of the polls that the server received, in order."""
    return [got.query["progress_id"] for got in server.requests("GET", PROGRESS)]


def test_a_finished_job_is_shown_as_text_or_diff_or_prompt_or_json(server: ScriptedServer) -> None:
    server.on("GET", PROGRESS, Reply(DONE))
    waited = called("jobs", "wait", 1)
    assert (waited.out, waited.err) == ("", "job 1: running\njob 1: succeeded\n")
    whole = call("jobs", "show", 1).out
    assert whole.startswith("job 1: succeeded\nruns: 5\nagent: Agent 7\n")
    history = r"\nhistory:\n  .+ launching\n  .+ running\n  .+ succeeded\n"
    assert re.search(rf"\ndistinct answers: 2{history}\nKinder\.\n", whole)
    diff = call("jobs", "show", 1, "--diff").out
    assert diff in whole
    assert "{+" in diff
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"
    (job,) = objects("jobs", "show", 1)
    assert set(job) == {*JOB_KEYS, *TEXTS}
    assert (job["state"], job["improved_prompt"]) == ("succeeded", "Be kinder.\n")


def test_jobs_are_listed_as_a_table_or_json_without_prompts(api: ScriptedServer, jobs: SavedJobs) -> None:
    for words, said in (["--json"], ""), ([], "No jobs of this profile and server yet. Launch one with `improve`.\n"):
        empty = called("jobs", "list", *words)
        assert (empty.out, empty.err) == ("", said)
    jobs.answer(jobs.running(), {"status": "running"})
    header, row = call("jobs", "list").out.splitlines()
    assert header.split() == ["JOB", "STATE", "RUNS", "AGENT", "PROPOSED", "BY", "LAUNCHED", "RESULT"]
    assert row.split()[:3] == ["1", "running", "5"]
    assert row.count("running") == 1
    assert [list(job) for job in objects("jobs", "list")] == [JOB_KEYS]


def test_jobs_show_refuses_to_print_a_suggestion_that_does_not_exist(server: ScriptedServer) -> None:
    for words in (["--diff"], ["--prompt"], ["--patch"], ["--staged"], ["--staged", "--diff"]):
        refused("Job 1 has no suggestion (running).", "jobs", "show", 1, *words)
    called("jobs", "show", 1)
    assert [job["improved_prompt"] for job in objects("jobs", "show", 1)] == [None]


def test_two_output_formats_at_once_are_refused(finished: ScriptedServer) -> None:
    for words in (
        ("--diff", "--json"),
        ("--curl", "--json"),
        ("--curl", "--prompt"),
        ("--patch", "--diff"),
        ("--staged", "--prompt"),
        ("--staged", "--json"),
    ):
        refused("", "jobs", "show", 1, *words)


@pytest.mark.parametrize("command", EVERY)
def test_an_unknown_job_or_a_job_of_another_server_is_refused(
    server: ScriptedServer, request: pytest.FixtureRequest, command: str
) -> None:
    refused("No job 99 found. See `jobs list`.", "jobs", command, 99)
    refused("“first” is not a valid job id", "jobs", command, "first")
    demo: Any = request.getfixturevalue("demo")
    refused(f"Job 1 belongs to {server.url}.", "jobs", command, 1, status=4)
    assert demo.log == []


def test_the_exit_status_reflects_the_worst_job_and_an_ended_job_is_not_polled(
    server: ScriptedServer, jobs: SavedJobs
) -> None:
    for _ in (2, 3):
        jobs.running()
    ends: dict[str, dict[str, Any]] = {
        "p-1": DONE,
        "p-2": {"status": "failed", "error": "No issues found"},
        "p-3": {"status": "error", "error": "Broke"},
    }
    server.on("GET", PROGRESS, lambda got: Reply(ends[got.query["progress_id"]]))
    for numbers, status in ([1], 0), ([1, 2], 3), ([1, 2, 3], 1):
        assert (numbers, call("jobs", "wait", *numbers).status) == (numbers, status)
    before = polled(server)
    for numbers, status in ([1, 1], 0), ([2], 3), ([3], 1):
        assert (numbers, call("jobs", "wait", *numbers).status) == (numbers, status)
    assert polled(server) == before
    waited = read_all("jobs-wait", call("jobs", "wait", 3, 1, 3, "--json").out)
    shown = [(job["job"], job["state"], job["improved_prompt"]) for job in waited]
    assert shown == [(3, "failed", None), (1, "succeeded", "Be kinder.\n")]


def test_waiting_for_one_job_also_polls_the_other_jobs(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.running()

    # Job 1 ends only after a poll of job 2, or the command could end before that poll.
    def reply(got: Got) -> Reply:
        ends = got.query["progress_id"] == "p-1" and "p-2" in polled(server)
        return Reply(DONE if ends else {"status": "running"})

    server.on("GET", PROGRESS, reply)
    assert "job 2" not in called("jobs", "wait", 1).err
    assert set(polled(server)) == {"p-1", "p-2"}


def test_a_wait_that_times_out_exits_with_1_and_the_job_continues(server: ScriptedServer) -> None:
    server.on("GET", PROGRESS, Reply({"status": "running"}))
    result = call("jobs", "wait", 1, "--timeout", 0.01)
    assert result.status == 1
    assert result.err.endswith("Timed out. Unfinished jobs still run.\n")
    result = call("jobs", "wait", 1, "--timeout", 0.01, "--json")
    assert (result.status, [job["state"] for job in read_all("jobs-wait", result.out)]) == (1, ["running"])


def test_control_characters_in_a_job_id_are_not_printed(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.running(progress_id="p\x1b[31m")
    assert "progress id: p[31m" in call("jobs", "show", 2).out
    server.on("GET", PROGRESS, Reply(DONE))
    called("jobs", "wait", 2)
    assert set(polled(server)) == {"p-1", "p\x1b[31m"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("state = 'runnin'", "unknown state “runnin”. If a newer cekura-tui saved the job, update this one."),
        ("run_ids = 'x'", "run_ids is damaged."),
    ],
)
def test_an_unreadable_job_hides_no_other_job(finished: ScriptedServer, jobs: SavedJobs, change: str, why: str) -> None:
    jobs.running()
    jobs.execute(f"UPDATE jobs SET {change} WHERE number = 2")
    said = f"cekura-tui: Can't read job 2: {why} To remove the job from this machine, run `jobs forget 2 --force`.\n"
    for more, lines in ([], 2), (["--json"], 1):
        listed = called("jobs", "list", *more)
        assert (listed.err, "succeeded" in listed.out, len(listed.out.splitlines())) == (said, True, lines)
    assert called("jobs", "show", 1).err == ""
    for command in ("show", "wait", "forget"):
        assert refused("", "jobs", command, 2).err == said
    assert called("jobs", "forget", 2, "--force").err == "job 2: forgotten\n"
    assert call("jobs", "list").err == ""


@pytest.mark.parametrize("text", ["ff41", "4142"], ids=["no text", "another text"])
def test_a_damaged_suggestion_is_reported_and_not_printed(finished: ScriptedServer, jobs: SavedJobs, text: str) -> None:
    proposal = "(SELECT improved_sha256 FROM jobs WHERE number = 1)"
    jobs.execute(f"UPDATE prompts SET text = x'{text}' WHERE sha256 = {proposal}")
    called("jobs", "show", 1, "--prompt")  # the recorded answer contains the prompt too
    jobs.execute("UPDATE job_answers SET raw = 'x' WHERE job = 1 AND raw LIKE '%kinder%'")
    for more in [], ["--prompt"], ["--patch"], ["--json"]:
        refused("in the database is damaged.", "jobs", "show", 1, *more)
    assert call("jobs", "list").err == ""


@pytest.fixture
def another_key(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """The server of job 1. The environment has a key that did not launch job 1."""
    monkeypatch.setenv("CEKURA_API_KEY", "another-key")
    return server


def test_a_job_of_another_key_is_listed_and_shown_but_not_waited_for(another_key: ScriptedServer) -> None:
    assert call("jobs", "list").out.splitlines()[1].endswith("launched with another key")
    assert [job["job"] for job in objects("jobs", "list")] == [1]
    shown = called("jobs", "show", 1).out
    assert shown.startswith("job 1: running (launched with another key)\nruns: 5\n")
    assert "\nkey: launched with another key; `jobs resume 1` polls with this key\n" in shown
    said = "Job 1 was launched with another key. Use that key, or try `jobs resume 1` with this key."
    refused(said, "jobs", "wait", 1, status=4)
    assert polled(another_key) == []
    assert "--force" in refused("", "jobs", "forget", 1).err
    called("jobs", "forget", 1, "--force")
    assert call("jobs", "list").out == ""


def test_a_finished_job_of_another_key_is_shown_like_any_other_job(
    another_key: ScriptedServer, jobs: SavedJobs
) -> None:
    jobs.answer(1, DONE)
    assert "another key" not in called("jobs", "show", 1).out
    called("jobs", "wait", 1)


def test_a_job_resumed_with_another_accepted_key_belongs_to_that_key(another_key: ScriptedServer) -> None:
    another_key.on("GET", PROGRESS, Reply({"status": "in_progress"}), Reply(DONE))
    assert called("jobs", "resume", 1).err == "job 1: running: the server says “in_progress”\n"
    assert "key:" not in call("jobs", "show", 1).out
    called("jobs", "wait", 1)
    keys = {got.headers["X-CEKURA-API-KEY"] for got in another_key.requests("GET", PROGRESS)}
    assert keys == {"another-key"}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_resuming_a_job_hidden_from_the_key_is_refused_and_changes_nothing(
    another_key: ScriptedServer, status: int
) -> None:
    another_key.on("GET", PROGRESS, Reply({"detail": "No."}, status))
    refused("Job 1 needs the key used to launch it", "jobs", "resume", 1, status=4)
    assert polled(another_key) == ["p-1"]
    assert "launched with another key" in call("jobs", "list").out
