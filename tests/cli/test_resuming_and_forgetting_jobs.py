"""`jobs resume`, `jobs adopt` and `jobs forget`."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call
from going_on import RunningCommand
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer, closed_port
from waiting import until

from cekura_tui.cli import jobs as following
from cekura_tui.model.job import JobState

Start = Callable[..., RunningCommand]
Window = Callable[[JobState], None]
RUNNING = Reply({"status": "in_progress"})
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\n", "summary_of_changes": "Softer."}})


def polls(server: ScriptedServer) -> int:
    return len(server.requests("GET", PROGRESS))


def launch(server: ScriptedServer, prompt: Path, text: str, answer: Reply) -> None:
    """Launch one more job."""
    server.on("POST", LAUNCH, answer)
    prompt.write_text(text)
    call("improve", 5, "--prompt-file", prompt)


# Resuming


@pytest.mark.parametrize("state", [JobState.STOPPED, JobState.LOST, JobState.RUNNING])
@pytest.mark.parametrize(
    ("answer", "said"), [(RUNNING, "job 1: running: the server says “in_progress”\n"), (DONE, "job 1: succeeded\n")]
)
def test_a_job_that_nobody_asked_about_any_more_is_asked_about_and_told(
    server: ScriptedServer, window: Window, state: JobState, answer: Reply, said: str
) -> None:
    window(state)
    server.on("GET", PROGRESS, answer)
    result = call("jobs", "resume", 1)
    assert (result.status, result.out, result.err) == (0, "", said)
    assert polls(server) == 1


def test_a_lost_job_says_since_when_and_one_that_failed_without_a_prompt_is_asked_about_again(
    server: ScriptedServer, window: Window
) -> None:
    window(JobState.LOST)
    job = json.loads(call("jobs", "list", "--json").out)
    assert job["state_since"] >= job["launched_at"]
    assert re.search(r" lost .*  since .*\d\d:\d\d: ", call("jobs", "list").out)
    assert re.search(r"\nlost: .*\d\d:\d\d\n", call("jobs", "show", 1).out)
    window(JobState.RUNNING)
    window(JobState.FAILED)
    server.on("GET", PROGRESS, Reply({"status": "completed", "output": {}}))
    result = call("jobs", "resume", 1)
    assert (result.status, result.err) == (0, "job 1: running: the server says “completed”\n")


def test_several_jobs_are_each_told(server: ScriptedServer, window: Window, prompt_file: Path) -> None:
    launch(server, prompt_file, "Two.", Reply({"progress_id": "p-2"}))
    window(JobState.LOST)
    ends = {"p-1": RUNNING, "p-2": DONE}
    server.on("GET", PROGRESS, lambda got: ends[got.query["progress_id"]])
    result = call("jobs", "resume", 1, 2, 1)
    assert result.status == 0
    assert sorted(result.err.splitlines()) == ["job 1: running: the server says “in_progress”", "job 2: succeeded"]


def test_a_job_that_does_not_exist_keeps_all_from_being_asked_about(server: ScriptedServer, window: Window) -> None:
    window(JobState.STOPPED)
    result = call("jobs", "resume", 1, 9)
    assert (result.status, result.err) == (2, "cekura-tui: No job 9 found. See `jobs list`.\n")
    assert polls(server) == 0
    assert "job 1: stopped" in call("jobs", "show", 1).out


def test_a_job_that_ended_is_not_asked_about_again(server: ScriptedServer) -> None:
    server.on("GET", PROGRESS, DONE)
    call("jobs", "wait", 1)
    result = call("jobs", "resume", 1)
    assert result.status == 2
    assert "Can't resume job 1 (succeeded)." in result.err
    assert polls(server) == 1


def test_a_server_that_does_not_answer_at_once_leaves_the_job_asked_about(
    server: ScriptedServer, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "FIRST_ANSWER", 0.2)
    window(JobState.LOST)
    server.on("GET", PROGRESS, Hold(DONE), DONE)
    result = call("jobs", "resume", 1)
    assert result.status == 0
    assert result.err == "job 1: running. No answer yet. To wait, run `cekura-tui jobs wait 1`.\n"
    assert call("jobs", "wait", 1).status == 0


def test_a_server_that_cannot_be_reached_is_told(
    server: ScriptedServer, window: Window, start: Start, home: Path
) -> None:
    window(JobState.STOPPED)
    with sqlite3.connect(home / "cekura.db") as sql:
        gone = f"http://127.0.0.1:{closed_port()}"
        sql.execute("UPDATE jobs SET origin = ?", (gone,))
    sql.close()
    result = call("--api-url", gone, "jobs", "resume", 1)
    assert (result.status, result.err) == (0, "job 1: running (no answer from the server)\n")


def test_a_job_that_is_lost_again_leaves_with_1(server: ScriptedServer, window: Window, start: Start) -> None:
    hold = Hold(RUNNING)
    server.on("GET", PROGRESS, hold)
    window(JobState.LOST)
    resuming = start("jobs", "resume", 1)
    until(hold.arrived.is_set, "it was asked about")
    window(JobState.LOST)
    assert resuming.ended() == 1
    assert resuming.err == ["job 1: lost: Another window said so."]


def test_a_key_that_is_refused_is_a_sentence_and_4(server: ScriptedServer, window: Window) -> None:
    server.on("GET", PROGRESS, Reply({"detail": "Invalid API key."}, 401))
    window(JobState.STOPPED)
    result = call("jobs", "resume", 1)
    assert result.status == 4
    assert "key" in result.err


# Adopting


def listed() -> tuple[str, str | None]:
    job = json.loads(call("jobs", "list", "--drafts", "--json").out)
    return job["state"], job["progress_id"]


@pytest.fixture
def unanswered(server: ScriptedServer, prompt_file: Path) -> None:
    """Job 2, of which nobody knows whether the server took it, in place of job 1."""
    call("jobs", "forget", 1, "--force")
    launch(server, prompt_file, "Be kind.", Reply(b"<html>", 502))


@pytest.mark.usefixtures("unanswered")
def test_a_job_whose_id_is_given_by_hand_is_polled(server: ScriptedServer) -> None:
    result = call("jobs", "adopt", "--", 2, "-p 2")
    wait = "To wait for the job, run `cekura-tui jobs wait 2`."
    assert (result.status, result.out, result.err) == (0, "", f"job 2: running: id recorded by hand. {wait}\n")
    assert call("jobs", "adopt", "--", 2, "-p 2").status == 0
    assert listed() == ("running", "-p 2")
    server.on("GET", PROGRESS, DONE)
    assert call("jobs", "wait", 2).status == 0
    assert server.requests("GET", PROGRESS)[-1].query == {"progress_id": "-p 2"}


@pytest.mark.usefixtures("unanswered")
@pytest.mark.parametrize("id_", ["", "  ", "p\x1b[0m", "p\n"])
def test_what_is_no_id_is_not_recorded(id_: str) -> None:
    result = call("jobs", "adopt", 2, id_)
    assert (result.status, "The progress_id is empty or has control characters." in result.err) == (2, True)
    assert listed() == ("unconfirmed", None)


def test_a_lost_job_takes_another_id_and_one_that_runs_or_ended_none(window: Window, server: ScriptedServer) -> None:
    result = call("jobs", "adopt", 1, "p-2")
    assert (result.status, "Can't adopt job 1 (running, with another progress_id)." in result.err) == (2, True)
    window(JobState.LOST)
    assert call("jobs", "adopt", 1, "p-2").status == 0
    assert listed() == ("running", "p-2")
    window(JobState.FAILED)
    assert call("jobs", "adopt", 1, "p-3").status == 2
    assert listed() == ("failed", "p-2")


def test_a_draft_takes_no_id(server: ScriptedServer, prompt_file: Path) -> None:
    call("jobs", "forget", 1, "--force")
    launch(server, prompt_file, "Be kind.", Reply({"detail": "No."}, 402))
    result = call("jobs", "adopt", 2, "p-2")
    assert (result.status, "Can't adopt job 2 (draft)." in result.err) == (2, True)


# Forgetting


def everything_in(home: Path) -> str:
    """All that the tables hold, prompts readable."""
    with sqlite3.connect(home / "cekura.db") as sql:
        held = "\n".join(sql.iterdump())
        held += "\n".join(bytes(text).decode() for (text,) in sql.execute("SELECT text FROM prompts"))
    sql.close()
    return held


def test_a_forgotten_job_is_gone_with_its_prompt_and_its_answers(
    server: ScriptedServer, prompt_file: Path, home: Path
) -> None:
    launch(server, prompt_file, "A secret of mine.", Reply({"progress_id": "p-2"}))
    server.on("GET", PROGRESS, DONE)
    assert call("jobs", "wait", 1, 2).status == 0
    of_both = ["Be kinder.", "Softer.", '"improved_prompt"']
    assert all(text in everything_in(home) for text in ["A secret of mine.", "Be kind to callers.", *of_both])
    result = call("jobs", "forget", 2)
    assert (result.status, result.out, result.err) == (0, "", "job 2: forgotten\n")
    assert "A secret of mine." not in everything_in(home)
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"
    assert call("jobs", "forget", 1).status == 0
    held = everything_in(home)
    assert not [text for text in ("Be kind to callers.", *of_both) if text in held]
    for command in ("show", "wait", "resume", "forget"):
        gone = call("jobs", command, 2)
        assert (gone.status, "No job 2 found." in gone.err) == (2, True)
    assert call("jobs", "list", "--drafts").out == ""


def test_a_running_job_is_forgotten_with_force_alone(server: ScriptedServer) -> None:
    result = call("jobs", "forget", 1)
    assert result.status == 2
    assert "still runs on the server; its result would never show up here." in result.err
    assert "--force" in result.err
    assert call("jobs", "show", 1).status == 0
    result = call("jobs", "forget", 1, "--force")
    assert (result.status, result.err) == (0, "job 1: forgotten\n")
    server.on("GET", PROGRESS, DONE)
    assert call("jobs", "wait", 1).status == 2
    assert polls(server) == 0


@pytest.mark.parametrize("second", [9, 1], ids=["there is none", "it runs"])
def test_one_job_that_cannot_be_forgotten_keeps_all_of_them(
    server: ScriptedServer, prompt_file: Path, second: int
) -> None:
    launch(server, prompt_file, "Two.", Reply({}, 502))
    assert call("jobs", "forget", 2, second).status == 2
    assert call("jobs", "show", 2).status == 0


def test_a_job_that_is_being_launched_stays_also_with_force(
    server: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    hold = Hold(Reply({"progress_id": "p-2"}))
    server.on("POST", LAUNCH, hold)
    launching = start("improve", 5, "--prompt-file", prompt_file)
    until(hold.arrived.is_set, "the launch arrived")
    result = call("jobs", "forget", 2, "--force")
    assert result.status == 2
    assert "Job 2 is being launched." in result.err
    hold.released.set()
    assert launching.ended() == 0


def test_a_draft_can_be_forgotten_and_the_same_job_named_twice_is_one(
    server: ScriptedServer, prompt_file: Path
) -> None:
    launch(server, prompt_file, "Two.", Reply({"prompt": ["Too long."]}, 400))
    result = call("jobs", "forget", 2, 2)
    assert (result.status, result.err) == (0, "job 2: forgotten\n")
    assert len(call("jobs", "list", "--drafts").out.splitlines()) == 2
