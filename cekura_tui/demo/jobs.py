"""SQLite storage of launched jobs, launched scenarios and changed agents."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from cekura_tui.demo.facts import roll
from cekura_tui.demo.forms import LaunchForm
from cekura_tui.demo.library import HistoryRow
from cekura_tui.model.text import prompt_bytes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY, created REAL NOT NULL, seconds REAL NOT NULL, agent INTEGER NOT NULL, run_ids TEXT NOT NULL,
    prompt BLOB NOT NULL, category_ids TEXT NOT NULL, metric_ids TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS agent_change (
    id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, changed REAL NOT NULL, name TEXT NOT NULL,
    prompt BLOB NOT NULL, reason TEXT
);
CREATE TABLE IF NOT EXISTS launch (
    id INTEGER PRIMARY KEY, first_run INTEGER NOT NULL, calls INTEGER NOT NULL, created REAL NOT NULL,
    version INTEGER NOT NULL, form TEXT NOT NULL, prompt BLOB NOT NULL, credits REAL NOT NULL, ended REAL
);
"""
_COLUMNS = "id, created, seconds, prompt, run_ids, agent, category_ids, metric_ids"
_LAUNCH = "id, first_run, calls, created, version, form, prompt"
_SHORTEST, _LONGEST = 5.0, 60.0
LAST_RESULT, LAST_RUN, LAST_FIRST_VERSION = 2_000_000, 5_000_000, 80_000
"""The ids of launched results and runs, and of the changes of agents, are above these."""


class StoredLaunch(NamedTuple):
    """A launch of scenarios: the id of its result and of its first run, the Unix time of the launch, the row of the
    agent's history, the form as JSON, and the prompt that answers the calls."""

    id: int
    first_run: int
    calls: int
    created: float
    version: int
    form: str
    prompt: str


Price = Callable[[StoredLaunch, float | None], float]  # credits; the user ended the launch at the Unix time, if any


@dataclass(frozen=True, slots=True)
class DemoJob:
    """A launched job. `created` is the Unix time of the launch, and `seconds` is the duration of the job."""

    id: str
    created: float
    seconds: float
    form: LaunchForm

    def status(self, now: float) -> str:
        """The job's status at the Unix time `now`, computed from the job's age; nothing runs in the background."""
        share = (now - self.created) / self.seconds
        if share >= 1:
            return "completed"
        return "in_queue" if share < 0.1 else "running" if share < 0.7 else "evaluating"


class DemoDatabase:
    """Database of jobs and changed agents, which several servers may share. Raises OSError if it can't be opened."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        try:
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}") from error

    def close(self) -> None:
        self._db.close()

    def launch(self, form: LaunchForm, now: float, speed: float) -> str:
        number = uuid.uuid4()
        draw = roll(number.int % 2**62) % 1000 / 1000
        seconds = (_SHORTEST + (_LONGEST - _SHORTEST) * draw) / speed
        runs, categories, metrics = (json.dumps(ids) for ids in (form.run_ids, form.category_ids, form.metric_ids))
        self._db.execute(
            f"INSERT INTO job ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (str(number), now, seconds, prompt_bytes(form.prompt), runs, form.agent, categories, metrics),
        )
        return str(number)

    def job(self, job_id: str) -> DemoJob | None:
        query = f"SELECT {_COLUMNS} FROM job WHERE id = ?"
        row = self._db.execute(query, (job_id,)).fetchone() if job_id.isascii() else None
        if row is None:
            return None
        number, created, seconds, prompt, runs, agent, categories, metrics = row
        run_ids, category_ids, metric_ids = (tuple(json.loads(text)) for text in (runs, categories, metrics))
        return DemoJob(number, created, seconds, LaunchForm(_as_text(prompt), run_ids, agent, category_ids, metric_ids))

    def change_agent(self, agent_id: int, name: str, prompt: str, now: float, reason: str | None = None) -> None:
        """Record an agent's name and prompt from the Unix time `now` on, which may be in the future."""
        self._db.execute(
            "INSERT INTO agent_change SELECT coalesce(max(id), ?) + 1, ?, ?, ?, ?, ? FROM agent_change",
            (LAST_FIRST_VERSION, agent_id, now, name, prompt_bytes(prompt), reason),
        )

    def versions(self, first: HistoryRow, now: float) -> list[HistoryRow]:
        """The history of an agent up to the Unix time `now`, oldest first; `first` is its first row."""
        query = "SELECT id, changed, name, prompt, reason FROM agent_change WHERE agent = ? AND changed <= ?"
        rows = self._db.execute(f"{query} ORDER BY changed, id", (first.agent.id, now)).fetchall()
        return [first] + [
            HistoryRow(number, replace(first.agent, name=name, prompt=_as_text(prompt)), changed, reason)
            for number, changed, name, prompt, reason in rows
        ]

    def start(self, made: StoredLaunch, price: Price, most: float) -> StoredLaunch | None:
        """Store a launch, with new ids and its price; None if more than `most` credits would be spent in all."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            query = "SELECT coalesce(max(id), ?) + 1, coalesce(max(first_run + calls), ? + 1) FROM launch"
            number, first = self._db.execute(query, (LAST_RESULT, LAST_RUN)).fetchone()
            launch = made._replace(id=number, first_run=first)
            if (cost := price(launch, None)) + self.spent() > most:
                return None
            values = (*launch[:-1], prompt_bytes(launch.prompt), cost)
            self._db.execute(f"INSERT INTO launch ({_LAUNCH}, credits) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            return launch

    def end_launch(self, result_id: int, now: float, price: Price) -> None:
        """End a launch, unless it is unknown or was ended before, and store what its calls cost."""
        with self._db:
            query = "UPDATE launch SET ended = ? WHERE id = ? AND ended IS NULL"
            if self._db.execute(query, (now, result_id)).rowcount:
                cost = price(self.launch_of(result_id), now)
                self._db.execute("UPDATE launch SET credits = ? WHERE id = ?", (cost, result_id))

    def spent(self) -> float:
        found: float = self._db.execute("SELECT coalesce(sum(credits), 0) FROM launch").fetchone()[0]
        return found

    def launch_ends(self) -> list[tuple[int, float | None]]:
        """Id of each launch, newest first, and the Unix time at which the user ended it, if any."""
        return self._db.execute("SELECT id, ended FROM launch ORDER BY id DESC").fetchall()

    def launch_of(self, result_id: int) -> StoredLaunch:
        query = f"SELECT {_LAUNCH} FROM launch WHERE id = ?"
        launch = StoredLaunch._make(self._db.execute(query, (result_id,)).fetchone())
        return launch._replace(prompt=_as_text(launch.prompt))


def _as_text(stored: Any) -> str:
    return bytes(stored).decode("utf-8", "surrogatepass")
