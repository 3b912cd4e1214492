"""The rows of jobs, read and changed inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.prompt_use import How
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.store.errors import StoreError
from cekura_tui.store.job_reading import NOTHING, UnreadableJob, read_job, source_column
from cekura_tui.store.prompt_use_rows import bound_texts, drop_uses_of, note_use, withdraw
from cekura_tui.store.prompts import drop_unused, keep_prompt

MAX_ANSWER = 400_000
"""Characters of one raw answer that are kept; its prompt is kept whole elsewhere."""
MAX_ANSWERS, MAX_ANSWERS_BYTES = 200, 2 * 2**20
"""Distinct raw answers that are kept of one job, the latest ones."""
ALL_ANSWERS_BYTES = 64 * 2**20
"""Bytes of raw answers that are kept of all jobs that ended, the latest ones; their results are kept apart."""
ALL_TEXTS_BYTES = 256 * 2**20
"""Bytes of prompts that are kept; beyond that those of the history go that no job needs, then those of the jobs that
ended, and were looked at, longest ago."""
WATCHED = 90.0
"""Seconds without an answer after which nobody can say when in between a job ended."""


def contents(of: Job | Draft) -> tuple[object, ...]:
    """What is sent with a job, or would be with a draft."""
    prompt = of.prompt_sha256 if isinstance(of, Job) else sha256(of.prompt)
    return (of.run_ids, of.agent_id, of.category_ids, of.workflow_metric_ids, prompt)


class JobRows:
    """The changes of one transaction on the jobs of the key `key_id`."""

    def __init__(self, sql: sqlite3.Connection, key_id: str) -> None:
        self.sql = sql
        self._key_id = key_id

    def get(self, number: int) -> Job:
        """A job; raises StoreError where there is none, UnreadableJob where its row is damaged."""
        row = self.sql.execute("SELECT * FROM jobs WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise StoreError(f"There is no job {number} in the database.")
        return read_job(row, self._key_id)

    def insert(self, draft: Draft, state: JobState, at: float, **more: object) -> Job:
        """A new job; `more` are further columns."""
        values = {"state": state, "created_at": at, **self._sent(draft, at), **more}
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self.sql.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", tuple(values.values()))
        number = cursor.lastrowid or 0
        self.sql.execute("INSERT INTO job_changes VALUES (?, ?, ?, '')", (number, at, state))
        job = self.get(number)
        if state == JobState.LAUNCHING:
            self._note(job, job.prompt_sha256, "sent", at)
        return job

    def rewrite(self, number: int, draft: Draft, at: float) -> None:
        """Put other contents into a draft; a job that is a draft no more stays as it is."""
        before = self.get(number)
        if before.state == JobState.DRAFT:
            self.set(number, created_at=at, **self._sent(draft, at))
            drop_unused(self.sql, before.prompt_sha256)

    def holds_another(self, number: int, draft: Draft) -> bool:
        """Whether a draft holds another prompt than this one."""
        job = self.get(number)
        return job.state == JobState.DRAFT and job.prompt_sha256 != sha256(draft.prompt)

    def set(self, number: int, **columns: object) -> None:
        """Put values into columns of a job."""
        names = ", ".join(f"{name} = ?" for name in columns)
        self.sql.execute(f"UPDATE jobs SET {names} WHERE number = ?", (*columns.values(), number))

    def change(
        self, number: int, state: JobState, reason: str, at: float, only_from: Collection[JobState] | None = None
    ) -> Job:
        """Put a job into a state, unless it is there, is final, or is in none of the states `only_from`."""
        job = self.get(number)
        elsewhere = only_from is not None and job.state not in only_from
        if job.state.final or elsewhere or (job.state, job.reason) == (state, reason):
            return job
        launched = None if state == JobState.DRAFT else job.launched_at
        self.set(number, state=state, reason=reason, launched_at=launched, looked_at=None)
        if state == JobState.RUNNING:
            self.set(number, stale_since=None)
        self.sql.execute("INSERT INTO job_changes VALUES (?, ?, ?, ?)", (number, at, state, reason))
        if state == JobState.LAUNCHING:
            self._note(job, job.prompt_sha256, "sent", at)
        elif state == JobState.DRAFT:
            withdraw(self.sql, number, "sent")
        return self.get(number)

    def propose(self, number: int, prompt: Prompt, at: float) -> None:
        """A job brought this prompt."""
        name = keep_prompt(self.sql, prompt, at)
        self.set(number, improved_sha256=name)
        self._note(self.get(number), name, "proposed", at)

    def hand_over(self, number: int, key_id: str, profile: str) -> None:
        """A job belongs to another key from now on, and so does what the history tells of it."""
        self.set(number, key_id=key_id, profile=profile)
        self.sql.execute("UPDATE OR REPLACE prompt_uses SET key_id = ? WHERE job = ?", (key_id, number))

    def _note(self, job: Job, name: str, how: How, at: float) -> None:
        """Put a prompt of a job into the history of its agent, where that is known."""
        if job.agent_id is not None:
            note_use(self.sql, (job.origin, job.key_id), job.agent_id, name, how, at, job.number)

    def _sent(self, draft: Draft, at: float) -> dict[str, object]:
        """The columns that hold what is sent; its prompt is kept."""
        return {
            "run_ids": json.dumps(draft.run_ids),
            "agent_id": draft.agent_id,
            "agent_name": draft.agent_name,
            "category_ids": json.dumps(draft.category_ids),
            "workflow_metric_ids": json.dumps(draft.workflow_metric_ids),
            "prompt_sha256": keep_prompt(self.sql, draft.prompt, at),
            "prompt_source": source_column(draft.prompt_source),
        }

    def keep_answer(self, number: int, raw: str, at: float) -> None:
        """Keep a raw answer, once, with when it first and last came."""
        raw = raw[:MAX_ANSWER]
        self.sql.execute(
            "INSERT INTO job_answers (job, raw, first_at, last_at, bytes) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (job, raw) DO UPDATE SET last_at = excluded.last_at",
            (number, raw, at, at, len(raw.encode("utf-8", "surrogatepass"))),
        )
        self.sql.execute(_PRUNE_ANSWERS, (number, MAX_ANSWERS, MAX_ANSWERS_BYTES))

    def heard(self, number: int, at: float) -> None:
        """The last raw answer about a running job came once more."""
        self.sql.execute(
            "UPDATE jobs SET answered_at = max(coalesce(answered_at, 0), ?) WHERE number = ? AND state = 'running'",
            (at, number),
        )
        self.sql.execute(_CAME_AGAIN, (at, number))

    def _erase(self, number: int) -> None:
        """Drop all texts of a job, unless another job or the history of its agent needs them."""
        job = self.sql.execute("SELECT prompt_sha256, improved_sha256 FROM jobs WHERE number = ?", (number,)).fetchone()
        staged = self.sql.execute("SELECT sha256 FROM staged WHERE job = ?", (number,)).fetchone()
        nothing = keep_prompt(self.sql, Prompt(""), 0.0)
        self.set(number, prompt_sha256=nothing, improved_sha256=None, summary_of_changes=None, error=None, reason="")
        for table in ("stagings", "typed", "staged"):
            self.sql.execute(f"DELETE FROM {table} WHERE job = ?", (number,))
        drop_uses_of(self.sql, number)
        for name in filter(None, (job["prompt_sha256"], job["improved_sha256"], staged and staged["sha256"])):
            drop_unused(self.sql, name)
        self.sql.execute("DELETE FROM job_answers WHERE job = ?", (number,))
        self.sql.execute("UPDATE job_changes SET reason = '' WHERE job = ?", (number,))

    def make_room(self, at: float) -> None:
        """Drop the oldest raw answers and texts of jobs that ended, beyond what is kept of all; a few at a time."""
        self.sql.execute(_PRUNE_ALL_ANSWERS, (ALL_ANSWERS_BYTES,))
        if bound_texts(self.sql, ALL_TEXTS_BYTES) > ALL_TEXTS_BYTES:
            for row in self.sql.execute(_OLDEST_LOOKED_AT).fetchall():
                self.forget(row["number"], at)

    def forget(self, number: int, at: float) -> None:
        """Drop a job with all that it holds, be it readable or not; its number is never given again."""
        try:
            self.get(number)
        except UnreadableJob:
            self.set(number, **NOTHING)
        self.set(number, state=JobState.FORGOTTEN, looked_at=at)
        self.sql.execute("INSERT INTO job_changes VALUES (?, ?, ?, '')", (number, at, JobState.FORGOTTEN))
        self._erase(number)


_CAME_AGAIN = """
UPDATE job_answers SET last_at = max(last_at, ?1) WHERE rowid = (
    SELECT rowid FROM job_answers WHERE job = ?2 ORDER BY last_at DESC, rowid DESC LIMIT 1
)"""
_PRUNE_ANSWERS = """
DELETE FROM job_answers WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, row_number() OVER newest AS n, sum(bytes) OVER newest AS total
        FROM job_answers WHERE job = ? WINDOW newest AS (ORDER BY last_at DESC, rowid DESC)
    ) WHERE n > 1 AND (n > ? OR total > ?)
)"""
_OLDEST_LOOKED_AT = """
SELECT number FROM jobs WHERE finished_at IS NOT NULL AND looked_at IS NOT NULL AND state != 'forgotten'
ORDER BY number LIMIT 20"""
_PRUNE_ALL_ANSWERS = """
DELETE FROM job_answers WHERE rowid IN (
    SELECT id FROM (
        SELECT job_answers.rowid AS id, sum(bytes) OVER (ORDER BY last_at DESC, job_answers.rowid DESC) AS total
        FROM job_answers JOIN jobs ON number = job WHERE finished_at IS NOT NULL
    ) WHERE total > ?
)"""
