"""What this server was made to do, in one SQLite file: jobs, sessions, versions of agents, ended calls."""

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
CREATE TABLE IF NOT EXISTS agent_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT, agent INTEGER NOT NULL, name TEXT, prompt BLOB, changed REAL NOT NULL,
    reason TEXT
);
INSERT INTO agent_version (agent, name, prompt, changed)
    SELECT id, name, prompt, changed FROM agent WHERE id NOT IN (SELECT agent FROM agent_version);
CREATE TABLE IF NOT EXISTS ended_call (run INTEGER PRIMARY KEY, spoken REAL);
CREATE TABLE IF NOT EXISTS session (
    id INTEGER PRIMARY KEY AUTOINCREMENT, created REAL NOT NULL, seconds REAL NOT NULL, project INTEGER NOT NULL,
    agent INTEGER NOT NULL, run_ids TEXT NOT NULL, prompt BLOB NOT NULL, cancelled REAL, promoted REAL, discarded REAL
);
"""
_SHORTEST, _LONGEST, _SESSION = 5.0, 60.0, 90.0


@dataclass(frozen=True, slots=True)
class DemoJob:
    """A launched improvement; `created` is in unix seconds, `seconds` is how long it takes."""

    id: str
    created: float
    seconds: float
    agent: int
    run_ids: tuple[int, ...]
    prompt: str
    category_ids: tuple[int, ...]
    metric_ids: tuple[int, ...]

    def status(self, now: float) -> str:
        """How far the job is; nothing runs in between, its age tells."""
        share = (now - self.created) / self.seconds
        if share >= 1:
            return "completed"
        return "in_queue" if share < 0.1 else "running" if share < 0.7 else "evaluating"


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """An agent as it was once changed (`changed` in unix seconds); None stands for what it was made with."""

    id: int
    name: str | None
    prompt: str | None
    changed: float
    reason: str | None


_STAGES = (("setup", 0.05), ("baseline_run", 0.3), ("propose", 0.5), ("apply", 0.6), ("verify_run", 0.95))


@dataclass(frozen=True, slots=True)
class ImprovementSession:
    """An agent improved from runs; all times in unix seconds, `seconds` is how long it takes."""

    id: int
    created: float
    seconds: float
    project: int
    agent: int
    run_ids: tuple[int, ...]
    prompt: str
    cancelled: float | None
    promoted: float | None
    discarded: float | None

    def stage(self, now: float) -> str | None:
        """How far it would be if it was not cancelled; None when it is over."""
        share = (now - self.created) / self.seconds
        if share >= 1:
            return None
        return next((word for word, until in _STAGES if share < until), "finalize")


def as_bytes(text: str) -> bytes:
    """A prompt byte for byte: JSON may bring lone surrogates, which neither UTF-8 nor SQLite takes."""
    return text.encode("utf-8", "surrogatepass")


class Ledger:
    """The SQLite file; several servers may share it. Raises OSError when it cannot be opened."""

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
        """Write down a new job; `focus` holds the chosen category ids and workflow metric ids."""
        job_id = str(uuid.uuid4())
        draw = roll(0, uuid.UUID(job_id).int % 2**62) % 1000 / 1000
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

    def change_agent(
        self, agent_id: int, name: str | None, prompt: str | None, now: float, reason: str | None = None
    ) -> None:
        """Keep a new name or a new prompt of an agent as its newest version; None leaves what is there."""
        self._db.execute(
            "INSERT INTO agent (id, name, prompt, changed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET"
            " name = coalesce(?2, name), prompt = coalesce(?3, prompt), changed = ?4",
            (agent_id, name, None if prompt is None else as_bytes(prompt), now),
        )
        self._db.execute(
            "INSERT INTO agent_version (agent, name, prompt, changed, reason)"
            " SELECT id, name, prompt, changed, ? FROM agent WHERE id = ?",
            (reason, agent_id),
        )

    def versions(self, agent_id: int) -> list[AgentVersion]:
        """What an agent was changed to, newest first."""
        rows = self._db.execute(
            "SELECT id, name, prompt, changed, reason FROM agent_version WHERE agent = ? ORDER BY id DESC", (agent_id,)
        )
        return [AgentVersion(row[0], row[1], None if row[2] is None else _as_text(row[2]), *row[3:]) for row in rows]

    def changes(self) -> dict[int, tuple[str | None, str | None, float]]:
        """Name, prompt and unix time of the change of every agent that was changed."""
        return {
            row[0]: (row[1], None if row[2] is None else _as_text(row[2]), row[3])
            for row in self._db.execute("SELECT id, name, prompt, changed FROM agent")
        }

    def end_call(self, run_id: int, spoken: float | None) -> None:
        """Keep that somebody ended a run, so many seconds into its call; None before the call."""
        self._db.execute("INSERT OR IGNORE INTO ended_call (run, spoken) VALUES (?, ?)", (run_id, spoken))

    def ended_calls(self) -> dict[int, float | None]:
        return dict(self._db.execute("SELECT run, spoken FROM ended_call"))

    def open_session(
        self, project: int, agent: int, run_ids: tuple[int, ...], prompt: str, now: float, speed: float
    ) -> int:
        """Write down a new session and return its id."""
        opened = self._db.execute(
            "INSERT INTO session (created, seconds, project, agent, run_ids, prompt) VALUES (?, ?, ?, ?, ?, ?)",
            (now, _SESSION / speed, project, agent, json.dumps(run_ids), as_bytes(prompt)),
        )
        return int(opened.lastrowid or 0)

    def mark_session(self, session_id: int, what: str, now: float) -> None:
        """Keep when a session was `cancelled`, `promoted` or `discarded`."""
        assert what in ("cancelled", "promoted", "discarded")
        self._db.execute(f"UPDATE session SET {what} = ? WHERE id = ?", (now, session_id))

    def sessions(self) -> list[ImprovementSession]:
        """Newest first."""
        rows = self._db.execute(
            "SELECT id, created, seconds, project, agent, run_ids, prompt, cancelled, promoted, discarded"
            " FROM session ORDER BY id DESC"
        )
        parts = [[*row[:5], tuple(json.loads(row[5])), _as_text(row[6]), *row[7:]] for row in rows]
        return [ImprovementSession(*each) for each in parts]

    def session(self, session_id: int) -> ImprovementSession | None:
        return next((one for one in self.sessions() if one.id == session_id), None)


def _as_text(stored: bytes) -> str:
    return bytes(stored).decode("utf-8", "surrogatepass")
