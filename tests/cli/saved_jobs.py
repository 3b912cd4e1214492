"""Save jobs in the database in the states that tests need, as earlier commands would do."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cekura_tui.jobs.owner import this_process
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.jobs import JobStore
from cekura_tui.store.store import Store

DONE: dict[str, Any] = {
    "status": "completed",
    "output": {"improved_prompt": "Be kinder.\n", "summary_of_changes": "Kinder."},
}
SENT = "# Rules\n\nBe kind to callers.\n"


@dataclass
class SavedJobs:
    """Saves jobs of one key and server, all for run 5 of agent 7. May be used in any thread."""

    database: Path
    origin: str
    key: str = "key"

    @contextmanager
    def _opened(self) -> Iterator[JobStore]:
        store = Store(self.database, self.origin, self.key, "default")
        try:
            yield store.jobs
        finally:
            store.close()

    def launching(self, prompt: str = SENT) -> int:
        """Add a job whose launch this process has sent and the server has not answered; return the job's number."""
        with self._opened() as jobs:
            return _launching(jobs, prompt)

    def accept(self, number: int) -> None:
        """Record that the server accepted the launch of a job as `p-NUMBER`."""
        with self._opened() as jobs:
            _accept(jobs, number, f"p-{number}")

    def running(self, prompt: str = SENT, progress_id: str = "", source: str = "") -> int:
        """Add a job that the server accepted, by default as `p-NUMBER`; return the job's number."""
        with self._opened() as jobs:
            number = _launching(jobs, prompt, source)
            _accept(jobs, number, progress_id or f"p-{number}")
            return number

    def unconfirmed(self, prompt: str = SENT) -> int:
        """Add a job whose launch got an unclear answer; return the job's number."""
        number = self.launching(prompt)
        self.put(number, JobState.UNCONFIRMED, "The server failed (502).", "<html>")
        return number

    def answer(self, number: int, answer: dict[str, Any]) -> None:
        """Record the server's answer to a poll of a job."""
        with self._opened() as jobs:
            jobs.record_answer(number, read_progress(answer), json.dumps(answer), time.time())

    def put(self, number: int, state: JobState, reason: str = "Another window said so.", raw: str = "") -> None:
        """Set a job's state, as another window would."""
        with self._opened() as jobs:
            jobs.record_state(number, state, reason, time.time(), raw, only_from=tuple(JobState))

    def forget(self, number: int) -> None:
        with self._opened() as jobs:
            jobs.forget(number, time.time())

    def execute(self, statement: str, *values: object) -> list[Any]:
        """Execute SQL, to change the database as the program never would; return the rows."""
        with sqlite3.connect(self.database) as sql:
            rows = sql.execute(statement, values).fetchall()
        sql.close()
        return rows

    def dump(self) -> list[str]:
        with sqlite3.connect(self.database) as sql:
            lines = [*sql.iterdump()]
        sql.close()
        return lines


def _launching(jobs: JobStore, prompt: str, source: str = "") -> int:
    draft = Draft((5,), Prompt(prompt), 7, "Agent 7", prompt_source=source)
    return jobs.begin_launch(draft, time.time(), this_process()).number


def _accept(jobs: JobStore, number: int, progress_id: str) -> None:
    jobs.record_progress_id(number, progress_id, json.dumps({"progress_id": progress_id}), time.time())
