"""`jobs resume`, `jobs adopt` and `jobs forget`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from calling import call, called, objects, refused
from saved_jobs import DONE, SavedJobs
from scripted_server import PROGRESS, Hold, Reply, ScriptedServer, closed_port

from cekura_tui.cli import jobs as following
from cekura_tui.model.job import JobState

RUNNING = Reply({"status": "in_progress"})
SAID = "job 1: running: the server says “in_progress”"


def polls(server: ScriptedServer) -> int:
    return len(server.requests("GET", PROGRESS))


@pytest.mark.parametrize(
    ("state", "answer", "said"),
    [
        (JobState.STOPPED, RUNNING, SAID),
        (JobState.RUNNING, RUNNING, SAID),
        (JobState.LOST, Reply(DONE), "job 1: succeeded"),
        (JobState.FAILED, Reply({"status": "completed"}), "job 1: running: the server says “completed”"),
    ],
)
def test_a_resumed_job_is_polled_and_its_state_is_printed(
    server: ScriptedServer, jobs: SavedJobs, state: JobState, answer: Reply, said: str
) -> None:
    jobs.put(1, state)
    server.on("GET", PROGRESS, answer)
    result = called("jobs", "resume", 1)
    assert (result.out, result.err, polls(server)) == ("", f"{said}\n", 1)


def test_a_lost_job_is_listed_with_the_time_at_which_it_was_lost(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.put(1, JobState.LOST)
    (job,) = objects("jobs", "list")
    assert job["state_since"] >= job["launched_at"]
    assert re.search(r" lost .*  since .*\d\d:\d\d: ", call("jobs", "list").out)
    assert re.search(r"\nlost: .*\d\d:\d\d\n", call("jobs", "show", 1).out)


def test_each_of_several_resumed_jobs_is_printed_once(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.put(jobs.running(), JobState.LOST)
    ends = {"p-1": RUNNING, "p-2": Reply(DONE)}
    server.on("GET", PROGRESS, lambda got: ends[got.query["progress_id"]])
    assert sorted(called("jobs", "resume", 1, 2, 1).err.splitlines()) == [SAID, "job 2: succeeded"]


def test_no_job_is_resumed_if_one_job_is_unknown_or_has_ended(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.put(1, JobState.STOPPED)
    refused("cekura-tui: No job 9 found. See `jobs list`.\n", "jobs", "resume", 1, 9)
    assert "job 1: stopped" in call("jobs", "show", 1).out
    jobs.answer(1, DONE)
    refused("Can't resume job 1 (succeeded).", "jobs", "resume", 1)
    assert polls(server) == 0


def test_the_command_resume_stops_waiting_for_an_answer_and_the_job_keeps_running(
    server: ScriptedServer, jobs: SavedJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "ANSWER_TIMEOUT", 0.0)
    jobs.put(1, JobState.LOST)
    server.on("GET", PROGRESS, Hold(Reply(DONE)))
    said = "job 1: running. No answer yet. To wait, run `cekura-tui jobs wait 1`.\n"
    assert called("jobs", "resume", 1).err == said
    server.on("GET", PROGRESS, Reply(DONE))
    called("jobs", "wait", 1)


def test_resume_reports_an_unreachable_server(home: Path, api: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = f"http://127.0.0.1:{closed_port()}"
    SavedJobs(home / "cekura.db", gone).running()
    monkeypatch.setenv("CEKURA_API_URL", gone)
    assert called("jobs", "resume", 1).err == "job 1: running (no answer from the server)\n"


def test_resume_reports_a_lost_job_and_a_refused_key(server: ScriptedServer, jobs: SavedJobs) -> None:
    def lost_meanwhile(_: object) -> Reply:
        jobs.put(1, JobState.LOST)
        return Reply(b"", 502)

    jobs.put(1, JobState.STOPPED)
    server.on("GET", PROGRESS, lost_meanwhile)
    result = call("jobs", "resume", 1)
    assert (result.status, result.err) == (1, "job 1: lost: Another window said so.\n")
    server.on("GET", PROGRESS, Reply({"detail": "Invalid API key."}, 401))
    refused("key", "jobs", "resume", 1, status=4)


def listed() -> tuple[str, str | None]:
    job = objects("jobs", "list", "--drafts")[0]
    return job["state"], job["progress_id"]


def test_a_job_is_polled_by_the_id_set_with_adopt(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.unconfirmed()
    for no_id in ("", "  ", "p\x1b[0m", "p\n"):
        refused("The progress_id is empty or has control characters.", "jobs", "adopt", 2, no_id)
    assert listed() == ("unconfirmed", None)
    result = called("jobs", "adopt", "--", 2, "-p 2")
    wait = "To wait for the job, run `cekura-tui jobs wait 2`."
    assert (result.out, result.err) == ("", f"job 2: running: id recorded by hand. {wait}\n")
    called("jobs", "adopt", "--", 2, "-p 2")
    assert listed() == ("running", "-p 2")
    server.on("GET", PROGRESS, Reply(DONE))
    called("jobs", "wait", 2)
    assert {got.query["progress_id"] for got in server.requests("GET", PROGRESS)} == {"p-1", "-p 2"}


def test_only_a_lost_or_unconfirmed_job_accepts_another_id(server: ScriptedServer, jobs: SavedJobs) -> None:
    refused("Can't adopt job 1 (running, with another progress_id).", "jobs", "adopt", 1, "p-2")
    jobs.put(1, JobState.LOST)
    called("jobs", "adopt", 1, "p-2")
    assert listed() == ("running", "p-2")
    jobs.put(1, JobState.FAILED)
    refused("", "jobs", "adopt", 1, "p-3")
    assert listed() == ("failed", "p-2")
    jobs.put(jobs.launching(), JobState.DRAFT)
    refused("Can't adopt job 2 (draft).", "jobs", "adopt", 2, "p-2")


def everything_in(jobs: SavedJobs) -> str:
    """The content of all tables, with prompts as text."""
    texts = jobs.execute("SELECT text FROM prompts")
    return "\n".join([*jobs.dump(), *(bytes(text).decode() for (text,) in texts)])


def test_forgetting_a_job_deletes_its_prompt_and_answers(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.running("A secret of mine.")
    for number in (1, 2):
        jobs.answer(number, DONE)
    of_one, of_both = ["Be kind to callers."], ["Be kinder.", '"summary_of_changes"', '"improved_prompt"']
    held = everything_in(jobs)
    assert [text for text in ["A secret of mine.", *of_one, *of_both] if text not in held] == []
    result = called("jobs", "forget", 2)
    assert (result.out, result.err) == ("", "job 2: forgotten\n")
    assert "A secret of mine." not in everything_in(jobs)
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"
    called("jobs", "forget", 1)
    held = everything_in(jobs)
    assert [text for text in [*of_one, *of_both] if text in held] == []
    for command in ("show", "wait", "resume", "forget"):
        refused("No job 2 found.", "jobs", command, 2)
    assert call("jobs", "list", "--drafts").out == ""


def test_no_job_is_forgotten_if_one_job_cannot_be_forgotten(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.unconfirmed()
    jobs.launching()
    refused("Job 3 is being launched.", "jobs", "forget", 2, 3, "--force")
    refused("No job 9 found.", "jobs", "forget", 2, 9)
    running = refused("still runs on the server; its result would never show up here.", "jobs", "forget", 2, 1)
    assert "--force" in running.err
    for number in (1, 2, 3):
        called("jobs", "show", number)
    assert called("jobs", "forget", 1, "--force").err == "job 1: forgotten\n"
    assert polls(server) == 0


def test_a_draft_can_be_forgotten_and_may_be_named_twice(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.put(jobs.launching(), JobState.DRAFT)
    assert called("jobs", "forget", 2, 2).err == "job 2: forgotten\n"
    assert len(objects("jobs", "list", "--drafts")) == 1
