"""SQLite storage of launched jobs and changed agents."""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path

from cekura_tui.demo.facts import roll
from cekura_tui.demo.forms import LaunchForm
from cekura_tui.model.text import prompt_bytes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY, created REAL NOT NULL, seconds REAL NOT NULL, agent INTEGER NOT NULL, run_ids TEXT NOT NULL,
    prompt BLOB NOT NULL, category_ids TEXT NOT NULL, metric_ids TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS agent (id INTEGER PRIMARY KEY, name TEXT, prompt BLOB, changed REAL NOT NULL);
"""
_COLUMNS = "id, created, seconds, prompt, run_ids, agent, category_ids, metric_ids"
_SHORTEST, _LONGEST = 5.0, 60.0


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
        if not job_id.isascii():
            return None
        row = self._db.execute(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            return None
        number, created, seconds, prompt, runs, agent, categories, metrics = row
        run_ids, category_ids, metric_ids = (tuple(json.loads(text)) for text in (runs, categories, metrics))
        return DemoJob(number, created, seconds, LaunchForm(_as_text(prompt), run_ids, agent, category_ids, metric_ids))

    def change_agent(self, agent_id: int, name: str | None, prompt: str | None, now: float) -> None:
        """Record an agent's new name or prompt; None keeps the current one."""
        self._db.execute(
            "INSERT INTO agent (id, name, prompt, changed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET"
            " name = coalesce(?2, name), prompt = coalesce(?3, prompt), changed = ?4",
            (agent_id, name, None if prompt is None else prompt_bytes(prompt), now),
        )

    def changes(self) -> dict[int, tuple[str | None, str | None, float]]:
        """Name and prompt (None if never changed) and Unix time of the last change of each changed agent, by id."""
        return {
            row[0]: (row[1], None if row[2] is None else _as_text(row[2]), row[3])
            for row in self._db.execute("SELECT id, name, prompt, changed FROM agent")
        }


def _as_text(stored: bytes) -> str:
    return bytes(stored).decode("utf-8", "surrogatepass")
