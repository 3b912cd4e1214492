"""One job launched from run 5: the server's answers, and the job in the database file."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from calling import call
from scripted_server import LAUNCH, PROGRESS, Got, Hold, Reply, ScriptedServer, run_of, serve_runs
from waiting import until

RUN = "/test_framework/v1/runs/5/"
PROMPT = "\ufeffBe kind.\r\n\tNever guess \x1b[0m a name. 🙂\n"
IMPROVED = "\ufeffBe kinder.\r\n\tAsk \x1b[1m for the name. 🙂\n\n"
ACCEPTED = Reply({"progress_id": "p-1"})
RUNNING = Reply({"status": "running"})
DONE = Reply({"status": "completed", "output": {"improved_prompt": IMPROVED, "summary_of_changes": "Kinder."}})


def serve_one_job(server: ScriptedServer) -> None:
    """Serve run 5 and its agent, and accept launches of jobs that never end."""
    server.on("GET", "/test_framework/v1/runs/", Reply({"count": 1, "results": [run_of(5)]}))
    serve_runs(server, run_of(5))
    agent = {"id": 7, "agent_name": "Agent 7", "description": PROMPT}
    server.on("GET", "/test_framework/v1/aiagents/7/", Reply(agent))
    server.on("POST", LAUNCH, ACCEPTED)
    server.on("GET", PROGRESS, RUNNING)


def launches(server: ScriptedServer) -> list[str]:
    """The prompts of all launches that reached the server."""
    return [got.json()["prompt"] for got in server.requests("POST", LAUNCH)]


@dataclass(frozen=True)
class Recorded:
    """A job as another program reads it from the database file."""

    state: str
    progress_id: str | None
    prompt: str
    improved: str | None
    owner: str


def state(home: Path) -> str:
    """The state of job 1 in the database file; empty if no job 1 is recorded."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_database(home)) as sql:
        row = sql.execute("SELECT state FROM jobs WHERE number = 1").fetchone()
        return str(row[0]) if row else ""
    return ""


def recorded(home: Path) -> Recorded:
    """Job 1 as recorded in the database file."""
    with contextlib.closing(_database(home)) as sql:
        return Recorded(*sql.execute(_JOB).fetchone())


def held_launch(server: ScriptedServer) -> Hold:
    """Accept the next launch, but hold the answer until `released` is set."""
    hold = Hold(ACCEPTED)
    server.on("POST", LAUNCH, hold)
    return hold


def _database(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{home / 'cekura.db'}?mode=ro", uri=True)


def listed() -> list[dict[str, object]]:
    """The jobs that `jobs list --json` prints."""
    return [json.loads(line) for line in call("jobs", "list", "--json").out.splitlines()]


_JOB = """
SELECT state, progress_id, CAST(sent.text AS TEXT), CAST(got.text AS TEXT), owner
FROM jobs JOIN prompts AS sent ON sent.sha256 = prompt_sha256 LEFT JOIN prompts AS got ON got.sha256 = improved_sha256
WHERE number = 1"""


class Polls:
    """Answers polls of the job; `times` has the arrival of each poll (monotonic seconds), `claims` the time at which a
    process claimed the poll (Unix seconds), since a busy machine delays the request."""

    def __init__(self, server: ScriptedServer, home: Path) -> None:
        self.times, self.claims, self._home = list[float](), list[float](), home
        self._reply = RUNNING
        self._done_at = 0.0
        server.on("GET", PROGRESS, self._answer)

    def _answer(self, _: Got) -> Reply:
        self.times.append(time.monotonic())
        with contextlib.closing(_database(self._home)) as sql:
            self.claims += sql.execute("SELECT asked_at FROM polls").fetchone()
        if self._reply is DONE:
            self._done_at = self.times[-1]
        return self._reply

    def more(self, count: int) -> None:
        """Wait for `count` more polls."""
        wanted = len(self.times) + count
        until(lambda: len(self.times) >= wanted, f"{count} more polls")

    def finish(self) -> float:
        """Finish the job, wait for the first poll that gets the result, and return the time of the answer to that
        poll."""
        self._reply = DONE
        until(lambda: self._done_at, "the result is asked for")
        return self._done_at
