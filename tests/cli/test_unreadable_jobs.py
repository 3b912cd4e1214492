"""Jobs of which the database holds something that cannot be read, seen from the command line."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from calling import call, refused
from saved_jobs import SavedJobs
from scripted_server import ScriptedServer


@pytest.fixture
def two(finished: ScriptedServer, jobs: SavedJobs) -> None:
    """Jobs 1, which succeeded, and 2."""
    jobs.running()


def spoil(home: Path, statement: str) -> None:
    with sqlite3.connect(home / "cekura.db") as sql:
        assert sql.execute(statement).rowcount == 1
    sql.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("state = 'runnin'", "unknown state “runnin”. If a newer cekura-tui saved the job, update this one."),
        ("run_ids = 'x'", "run_ids is damaged."),
    ],
)
def test_other_jobs_are_listed_and_the_error_says_what_to_do(two: None, home: Path, change: str, why: str) -> None:
    spoil(home, f"UPDATE jobs SET {change} WHERE number = 2")
    said = f"cekura-tui: Can't read job 2: {why} To remove the job from this machine, run `jobs forget 2 --force`.\n"
    for more in [], ["--json"]:
        listed = call("jobs", "list", *more)
        assert (listed.status, listed.err) == (0, said)
        assert "succeeded" in listed.out
        assert len(listed.out.splitlines()) == (1 if more else 2)
    shown = call("jobs", "show", 1)
    assert (shown.status, shown.err) == (0, "")
    for words in ("show", 2), ("wait", 2), ("forget", 2):
        result = call("jobs", *words)
        assert (result.status, result.out, result.err) == (2, "", said)
    assert call("jobs", "forget", 2, "--force").err == "job 2: forgotten\n"
    assert call("jobs", "list").err == ""


@pytest.mark.parametrize("text", ["ff41", "4142"], ids=["no text", "another text"])
def test_a_damaged_proposal_is_a_sentence_and_nothing_is_printed_for_it(two: None, home: Path, text: str) -> None:
    spoil(
        home, f"UPDATE prompts SET text = x'{text}' WHERE sha256 = (SELECT improved_sha256 FROM jobs WHERE number = 1)"
    )
    assert call("jobs", "show", 1, "--prompt").status == 0  # as the answer that brought it has it, too
    spoil(home, "UPDATE job_answers SET raw = 'x' WHERE job = 1 AND raw LIKE '%kinder%'")
    for more in [], ["--prompt"], ["--patch"], ["--json"]:
        refused("in the database is damaged.", "jobs", "show", 1, *more)
    assert call("jobs", "list").err == ""
