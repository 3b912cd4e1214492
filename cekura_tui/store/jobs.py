"""Jobs with their history; every change of state is one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cekura_tui.model.job import Draft, Job, JobState, Suggestion
from cekura_tui.model.progress import Progress
from cekura_tui.model.text import Prompt
from cekura_tui.store.database import Database
from cekura_tui.store.errors import StoreError
from cekura_tui.store.prompts import drop_unused, keep_prompt, read_prompt

MAX_ANSWER = 400_000
"""Characters of one raw answer that are kept; its prompt is kept whole elsewhere."""
MAX_ANSWERS = 200
"""Distinct raw answers that are kept of one job, the latest ones."""
_UNFINISHED = (JobState.RUNNING, JobState.LAUNCHING)


@dataclass(frozen=True, slots=True)
class Account:
    """To whom runs and jobs belong: a server's origin and a key, by its id."""

    origin: str
    key_id: str
    profile: str


@dataclass(frozen=True, slots=True)
class Change:
    """A job came into a state; `at` is Unix time."""

    at: float
    state: JobState
    reason: str


class JobStore:
    """The jobs of one account."""

    def __init__(self, database: Database, account: Account) -> None:
        self._database = database
        self._account = account

    def _own(self, rest: str, *values: object) -> list[sqlite3.Row]:
        """Rows of this account's jobs."""
        own = "SELECT * FROM jobs WHERE origin = ? AND key_id = ? AND "
        return self._database.read(own + rest, self._account.origin, self._account.key_id, *values)

    # Reading

    def get(self, number: int) -> Job | None:
        """One job, whoever's it is."""
        rows = self._database.read("SELECT * FROM jobs WHERE number = ?", number)
        return read_job(rows[0]) if rows else None

    def all(self, *, drafts: bool = False) -> list[Job]:
        """The account's jobs, newest first; forgotten ones are left out, drafts unless asked for."""
        hidden = ("forgotten", "" if drafts else "draft")
        return [read_job(row) for row in self._own("state NOT IN (?, ?) ORDER BY number DESC", *hidden)]

    def unfinished(self) -> list[Job]:
        """The account's jobs that are running or being launched."""
        return [read_job(row) for row in self._own("state IN (?, ?) ORDER BY number", *_UNFINISHED)]

    def latest_draft(self, agent_id: int | None, run_ids: Sequence[int]) -> Job | None:
        """The draft for these runs that was touched last, else the one for their agent."""
        best_first = "state = 'draft' AND agent_id IS ? ORDER BY (run_ids = ?) DESC, created_at DESC LIMIT 1"
        rows = self._own(best_first, agent_id, json.dumps(tuple(run_ids)))
        return read_job(rows[0]) if rows else None

    def draft_of(self, job: Job) -> Draft:
        """What a job was, or would be, launched with."""
        return Draft(
            run_ids=job.run_ids,
            prompt=read_prompt(self._database, job.prompt_sha256),
            agent_id=job.agent_id,
            agent_name=job.agent_name,
            category_ids=job.category_ids,
            workflow_metric_ids=job.workflow_metric_ids,
            prompt_source=job.prompt_source,
        )

    def suggestion(self, job: Job) -> Suggestion:
        """A job with its texts."""
        improved = read_prompt(self._database, job.improved_sha256) if job.improved_sha256 else None
        return Suggestion(job, read_prompt(self._database, job.prompt_sha256), improved)

    def last_prompt(self, agent_id: int | None) -> Prompt | None:
        """The prompt that was last launched for an agent."""
        rows = self._own("agent_id IS ? AND launched_at IS NOT NULL ORDER BY launched_at DESC LIMIT 1", agent_id)
        return read_prompt(self._database, rows[0]["prompt_sha256"]) if rows else None

    def changes(self, number: int) -> list[Change]:
        """Every state that a job came into, oldest first."""
        rows = self._database.read("SELECT * FROM job_changes WHERE job = ? ORDER BY rowid", number)
        return [Change(row["at"], JobState(row["state"]), row["reason"]) for row in rows]

    def last_answer(self, number: int) -> str:
        """The last raw answer about a job, or empty."""
        rows = self._database.read(
            "SELECT raw FROM job_answers WHERE job = ? ORDER BY last_at DESC, rowid DESC LIMIT 1", number
        )
        return str(rows[0]["raw"]) if rows else ""

    # Writing

    def save_draft(self, draft: Draft, at: float, number: int | None = None) -> Job:
        """Keep a draft: over the draft `number`, or as a new one where there is none (any more: it was launched)."""
        with self._database.write() as sql:
            if number is None or _get(sql, number).state != JobState.DRAFT:
                return self._insert(sql, draft, JobState.DRAFT, at, "")
            self._rewrite(sql, number, draft, at)
            return _get(sql, number)

    def begin_launch(self, draft: Draft, at: float, owner: str, number: int | None = None) -> Job:
        """Record that a job is about to be launched, prompt and all; a draft `number` becomes this job.

        Where that draft was launched by another window meanwhile, its job is returned, with that window's owner.
        """
        with self._database.write() as sql:
            if number is None:
                return self._insert(sql, draft, JobState.LAUNCHING, at, owner)
            self._rewrite(sql, number, draft, at)
            launching = "UPDATE jobs SET owner = ?, launched_at = ? WHERE number = ? AND state = 'draft'"
            sql.execute(launching, (owner, at, number))
            return _change(sql, number, JobState.LAUNCHING, "", at, only_from=(JobState.DRAFT,))

    def record_progress_id(self, number: int, progress_id: str, raw: str, at: float) -> Job:
        """The server took the job; from a late answer too, when it had been thought unconfirmed."""
        with self._database.write() as sql:
            sql.execute("UPDATE jobs SET progress_id = ?, answered_at = ? WHERE number = ?", (progress_id, at, number))
            _keep_answer(sql, number, raw, at)
            waited_for = (JobState.LAUNCHING, JobState.UNCONFIRMED)
            return _change(sql, number, JobState.RUNNING, "", at, only_from=waited_for)

    def record_state(
        self, number: int, state: JobState, reason: str, at: float, raw: str = "", *, only_from: Collection[JobState]
    ) -> Job:
        """A job came into another state, unless another window has put it into none of `only_from` meanwhile."""
        with self._database.write() as sql:
            if raw:
                _keep_answer(sql, number, raw, at)
            return _change(sql, number, state, reason, at, only_from=only_from)

    def record_answer(self, number: int, progress: Progress, raw: str, at: float) -> Job:
        """An answer about a running job: its word, and its result where it has one, in one transaction."""
        with self._database.write() as sql:
            job = _get(sql, number)
            if job.state.final or job.state == JobState.FORGOTTEN:
                return job
            _keep_answer(sql, number, raw, at)
            sql.execute(
                "UPDATE jobs SET last_status = ?, answered_at = ?, stale_since = NULL WHERE number = ?",
                (progress.status, at, number),
            )
            if progress.end is None:
                return _change(sql, number, JobState.RUNNING, "", at, only_from=(JobState.RUNNING, JobState.LOST))
            improved = keep_prompt(sql, progress.improved_prompt, at) if progress.improved_prompt is not None else None
            sql.execute(
                "UPDATE jobs SET improved_sha256 = ?, summary_of_changes = ?, error = ?, finished_at = ?"
                " WHERE number = ?",
                (improved, progress.summary_of_changes, progress.error, at, number),
            )
            return _change(sql, number, progress.state, progress.error or "", at)

    def record_silence(self, number: int, at: float) -> Job:
        """The server could not be asked about a job since `at`."""
        with self._database.write() as sql:
            sql.execute("UPDATE jobs SET stale_since = ? WHERE number = ? AND stale_since IS NULL", (at, number))
            return _get(sql, number)

    def _insert(self, sql: sqlite3.Connection, draft: Draft, state: JobState, at: float, owner: str) -> Job:
        values = {
            "state": state,
            "origin": self._account.origin,
            "key_id": self._account.key_id,
            "profile": self._account.profile,
            "created_at": at,
            "launched_at": None if state == JobState.DRAFT else at,
            "owner": owner,
            **_sent(sql, draft, at),
        }
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        cursor = sql.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", tuple(values.values()))
        number = cursor.lastrowid or 0
        sql.execute("INSERT INTO job_changes VALUES (?, ?, ?, '')", (number, at, state))
        return _get(sql, number)

    def _rewrite(self, sql: sqlite3.Connection, number: int, draft: Draft, at: float) -> None:
        """Put other contents into a draft; a job that is a draft no more stays as it is."""
        before = _get(sql, number)
        if before.state != JobState.DRAFT:
            return
        values = {"created_at": at, **_sent(sql, draft, at)}
        names = ", ".join(f"{name} = ?" for name in values)
        sql.execute(f"UPDATE jobs SET {names} WHERE number = ?", (*values.values(), number))
        drop_unused(sql, before.prompt_sha256)


def read_job(row: sqlite3.Row) -> Job:
    """A job of its row."""
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over its values
    for name in ("run_ids", "category_ids", "workflow_metric_ids"):
        values[name] = tuple(json.loads(values[name]))
    return Job(**{**values, "state": JobState(values["state"])})


def _get(sql: sqlite3.Connection, number: int) -> Job:
    row = sql.execute("SELECT * FROM jobs WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise StoreError(f"There is no job {number} in the database.")
    return read_job(row)


def _change(
    sql: sqlite3.Connection,
    number: int,
    state: JobState,
    reason: str,
    at: float,
    only_from: Collection[JobState] | None = None,
) -> Job:
    """Put a job into a state, unless it is there, is final, or is in none of the states `only_from`."""
    job = _get(sql, number)
    elsewhere = only_from is not None and job.state not in only_from
    if job.state.final or elsewhere or (job.state, job.reason) == (state, reason):
        return job
    launched = None if state == JobState.DRAFT else job.launched_at
    changed = "UPDATE jobs SET state = ?, reason = ?, launched_at = ? WHERE number = ?"
    sql.execute(changed, (state, reason, launched, number))
    sql.execute("INSERT INTO job_changes VALUES (?, ?, ?, ?)", (number, at, state, reason))
    return _get(sql, number)


def _sent(sql: sqlite3.Connection, draft: Draft, at: float) -> dict[str, object]:
    """The columns that hold what is sent; its prompt is kept."""
    return {
        "run_ids": json.dumps(draft.run_ids),
        "agent_id": draft.agent_id,
        "agent_name": draft.agent_name,
        "category_ids": json.dumps(draft.category_ids),
        "workflow_metric_ids": json.dumps(draft.workflow_metric_ids),
        "prompt_sha256": keep_prompt(sql, draft.prompt, at),
        "prompt_source": draft.prompt_source,
    }


def _keep_answer(sql: sqlite3.Connection, number: int, raw: str, at: float) -> None:
    sql.execute(
        "INSERT INTO job_answers VALUES (?, ?, ?, ?) ON CONFLICT (job, raw) DO UPDATE SET last_at = excluded.last_at",
        (number, raw[:MAX_ANSWER], at, at),
    )
    sql.execute(
        "DELETE FROM job_answers WHERE job = ? AND rowid NOT IN"
        " (SELECT rowid FROM job_answers WHERE job = ? ORDER BY last_at DESC, rowid DESC LIMIT ?)",
        (number, number, MAX_ANSWERS),
    )
