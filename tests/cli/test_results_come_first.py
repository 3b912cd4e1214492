"""The result of a job reaches the user even if the database, the output or a file fails."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
from calling import Result, call, called, ended, process, refused
from saved_jobs import DONE, SavedJobs
from scripted_server import HTML_502, LAUNCH, PROGRESS, Reply, ScriptedServer

from cekura_tui.store.errors import StoreError
from cekura_tui.store.jobs import JobStore

FAILED = {"status": "failed", "error": "Too busy."}
WAITS = "To wait for the job, run `cekura-tui jobs wait 2`."
FULL = "cekura-tui: Can't write the output: No space left on device."
Improve = tuple[object, ...]
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")


def is_unseen(jobs: SavedJobs) -> bool:
    """Whether job 1 is not marked as seen."""
    return jobs.execute("SELECT looked_at FROM jobs WHERE number = 1") == [(None,)]


def unwritable(*_: object) -> None:
    raise StoreError("The database cannot be written.")


def without_reader(*words: object) -> Result:
    """Call a command whose standard output is a pipe that the reader has closed."""
    reader, writer = os.pipe()
    os.close(reader)
    started = process(*words, stdout=writer)
    os.close(writer)
    return ended(started)


def on_a_full_disk(*words: object) -> Result:
    with open("/dev/full", "wb") as output:
        return ended(process(*words, stdout=output))


@pytest.mark.long  # waits for the database's busy timeout
@pytest.mark.usefixtures("finished")
def test_a_result_is_shown_while_another_process_locks_the_database(home: Path) -> None:
    sql = sqlite3.connect(home / "cekura.db", isolation_level=None)
    sql.execute("BEGIN IMMEDIATE")
    shown = called("jobs", "show", 1, "--prompt")
    sql.close()
    assert (shown.raw, shown.err) == (b"Be kinder.\n", "")


@pytest.mark.parametrize(("how", "shows"), [([], "job 1: succeeded"), (["--diff"], "{+")])
@pytest.mark.usefixtures("finished")
def test_a_job_is_shown_even_if_it_cannot_be_marked_as_seen(
    jobs: SavedJobs, monkeypatch: pytest.MonkeyPatch, how: list[str], shows: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(JobStore, "mark_seen", unwritable)
        shown = called("jobs", "show", 1, *how)
    assert (shown.err, shows in shown.out, is_unseen(jobs)) == ("", True, True)
    called("jobs", "show", 1, *how)
    assert not is_unseen(jobs)


@pytest.mark.usefixtures("finished")
def test_a_result_is_written_even_if_the_job_cannot_be_marked_as_seen(
    improve: Improve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobStore, "mark_seen", unwritable)
    out = tmp_path / "out.md"
    result = called(*improve, "--wait", "--json", "--out", out)
    assert json.loads(result.out)["improved_prompt"] == "Be kinder.\n"
    assert (out.read_bytes(), "database" in result.err) == (b"Be kinder.\n", False)


@pytest.mark.long
@full
@pytest.mark.usefixtures("finished")
def test_a_job_that_could_not_be_printed_stays_unseen(jobs: SavedJobs) -> None:
    result = on_a_full_disk("jobs", "show", 1, "--prompt")
    assert (result.status, result.err, is_unseen(jobs)) == (2, f"{FULL}\n", True)
    assert without_reader("jobs", "show", 1, "--prompt").status == 0
    assert not is_unseen(jobs)


@pytest.mark.usefixtures("server")
def test_requesting_the_prompt_of_a_failed_job_marks_the_job_as_seen(jobs: SavedJobs) -> None:
    jobs.answer(1, FAILED)
    refused("Job 1 has no suggestion (failed).", "jobs", "show", 1, "--prompt")
    assert not is_unseen(jobs)


@pytest.mark.nightly
def test_an_unconfirmed_launch_with_closed_output_exits_with_1(server: ScriptedServer, improve: Improve) -> None:
    server.on("POST", LAUNCH, Reply(HTML_502, 502))
    result = without_reader(*improve)
    assert result.status == 1
    assert result.err.startswith("job 2: unconfirmed: ")


@pytest.mark.parametrize(
    ("end", "status"),
    [
        pytest.param(FAILED, 1, id="failed", marks=pytest.mark.long),
        pytest.param({"status": "failed", "error": "No issues found."}, 3, id="no issues", marks=pytest.mark.nightly),
        pytest.param(DONE, 0, id="succeeded", marks=pytest.mark.nightly),
    ],
)
def test_a_closed_output_does_not_change_the_exit_status(
    server: ScriptedServer, improve: Improve, end: dict[str, object], status: int
) -> None:
    server.on("GET", PROGRESS, Reply(end))
    result = without_reader(*improve, "--wait", "--json")
    assert (result.status, len(result.err.splitlines())) == (status, 2)


@pytest.mark.long
@full
@pytest.mark.usefixtures("finished")
def test_the_output_file_is_written_even_if_standard_output_fails(improve: Improve, tmp_path: Path) -> None:
    for out, write, status, said in (
        (tmp_path / "without a reader.md", without_reader, 0, []),
        (tmp_path / "full.md", on_a_full_disk, 2, [f"{FULL} Job 3 launched, now succeeded."]),
    ):
        result = write(*improve, "--wait", "--out", out)
        assert (result.status, out.read_bytes()) == (status, b"Be kinder.\n")
        assert result.err.splitlines()[2:] == [f"Saved the improved prompt to {out}.", *said]


def test_the_result_is_printed_even_if_the_output_file_cannot_be_written(
    finished: ScriptedServer, improve: Improve, tmp_path: Path
) -> None:
    out = tmp_path / "out.md"

    def appears(_: object) -> Reply:
        out.write_text("of another program")
        return Reply(DONE)

    finished.on("GET", PROGRESS, appears)
    result = call(*improve, "--wait", "--out", out, "--json")
    assert (result.status, json.loads(result.out)["improved_prompt"]) == (2, "Be kinder.\n")
    assert "exists already" in result.err
    assert out.read_text() == "of another program"


@full
@pytest.mark.parametrize(
    "as_json", [pytest.param([], marks=pytest.mark.long), pytest.param(["--json"], marks=pytest.mark.nightly)]
)
@pytest.mark.usefixtures("server")
def test_a_launch_whose_number_cannot_be_printed_is_reported(improve: Improve, as_json: list[str]) -> None:
    result = on_a_full_disk(*improve, *as_json)
    assert result.status == 2
    launched = f"{FULL} Job 2 launched. It runs on the server. {WAITS}"
    assert result.err.splitlines() == [f"job 2: running. {WAITS}", launched]
