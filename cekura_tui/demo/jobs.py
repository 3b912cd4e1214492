"""Jobs launched and agents changed, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path

from cekura_tui.demo.facts import roll

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY, created REAL NOT NULL, seconds REAL NOT NULL, agent INTEGER NOT NULL, run_ids TEXT NOT NULL,
    prompt BLOB NOT NULL, category_ids TEXT NOT NULL, metric_ids TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS agent (id INTEGER PRIMARY KEY, name TEXT, prompt BLOB, changed REAL NOT NULL);
"""
_SHORTEST, _LONGEST = 5.0, 60.0


@dataclass(frozen=True, slots=True)
class DemoJob:
    """A launched improvement; `created` is in Unix seconds, `seconds` is its duration."""

    id: str
    created: float
    seconds: float
    agent: int
    run_ids: tuple[int, ...]
    prompt: str
    category_ids: tuple[int, ...]
    metric_ids: tuple[int, ...]

    def status(self, now: float) -> str:
        """The status by age; nothing runs in between."""
        share = (now - self.created) / self.seconds
        if share >= 1:
            return "completed"
        return "in_queue" if share < 0.1 else "running" if share < 0.7 else "evaluating"


def as_bytes(text: str) -> bytes:
    """Encode a prompt: JSON may hold lone surrogates, which neither UTF-8 nor SQLite accepts."""
    return text.encode("utf-8", "surrogatepass")


class Ledger:
    """The SQLite file; several servers may share it. Raises OSError if it cannot be opened."""

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

    def launch(
        self,
        run_ids: tuple[int, ...],
        prompt: str,
        agent: int,
        focus: tuple[tuple[int, ...], tuple[int, ...]],
        now: float,
        speed: float,
    ) -> DemoJob:
        """Record a new job; `focus` holds the chosen category ids and workflow metric ids."""
        job_id = str(uuid.uuid4())
        draw = roll(uuid.UUID(job_id).int % 2**62) % 1000 / 1000
        seconds = (_SHORTEST + (_LONGEST - _SHORTEST) * draw) / speed
        job = DemoJob(job_id, now, seconds, agent, run_ids, prompt, *focus)
        texts = [json.dumps(ids) for ids in (job.run_ids, job.category_ids, job.metric_ids)]
        self._db.execute(
            "INSERT INTO job (id, created, seconds, agent, run_ids, prompt, category_ids, metric_ids)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (job.id, job.created, job.seconds, job.agent, texts[0], as_bytes(prompt), texts[1], texts[2]),
        )
        return job

    def job(self, job_id: str) -> DemoJob | None:
        if not job_id.isascii():
            return None
        row = self._db.execute(
            "SELECT id, created, seconds, agent, run_ids, prompt, category_ids, metric_ids FROM job WHERE id = ?",
            (job_id,),
        ).fetchone()
        if row is None:
            return None
        prompt = _as_text(row[5])
        lists = [tuple(json.loads(text)) for text in (row[4], row[6], row[7])]
        return DemoJob(row[0], row[1], row[2], row[3], lists[0], prompt, lists[1], lists[2])

    def change_agent(self, agent_id: int, name: str | None, prompt: str | None, now: float) -> None:
        """Record an agent's new name or prompt; None keeps the old one."""
        self._db.execute(
            "INSERT INTO agent (id, name, prompt, changed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET"
            " name = coalesce(?2, name), prompt = coalesce(?3, prompt), changed = ?4",
            (agent_id, name, None if prompt is None else as_bytes(prompt), now),
        )

    def changes(self) -> dict[int, tuple[str | None, str | None, float]]:
        """Name, prompt and Unix time of the last change, by changed agent."""
        return {
            row[0]: (row[1], None if row[2] is None else _as_text(row[2]), row[3])
            for row in self._db.execute("SELECT id, name, prompt, changed FROM agent")
        }


def _as_text(stored: bytes) -> str:
    return bytes(stored).decode("utf-8", "surrogatepass")
