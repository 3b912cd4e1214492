"""Jobs and their history: the jobs of one account (`JobStore`), and rows within a transaction (`JobRows`)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from cekura_tui.model.job import DEFAULT_KIND, FROM_FILE, OPEN_LAUNCH, PROPOSING, Draft, Job, JobState, Suggestion
from cekura_tui.model.job_kind import Progress
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.prompt_events import UseKind
from cekura_tui.model.text import Prompt, clean, prompt_bytes, sha256
from cekura_tui.store.database import Account, AccountStore, Database
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.job_reading import (
    EMPTY_COLUMNS,
    JOB_COLUMNS,
    MAX_LISTED,
    SELECT_LISTED,
    STATES,
    UnreadableJob,
    is_time,
    prompt_in_answers,
    read_job,
    read_jobs,
    with_updates,
)
from cekura_tui.store.pending_answers import PendingAnswer, PendingAnswers
from cekura_tui.store.prompts import (
    drop_unused,
    drop_uses,
    forget_uses,
    note_use,
    prune_texts,
    read_prompt,
    save_prompt,
)

MAX_ANSWER = 400_000
"""Maximum characters saved of one raw answer; an improved prompt in it is also saved whole elsewhere."""
MAX_ANSWERS, MAX_ANSWERS_BYTES = 200, 2 * 2**20
"""Maximum number and total bytes of raw answers saved per job; the oldest answers are pruned."""
ALL_ANSWERS_BYTES = 64 * 2**20
"""Maximum bytes of raw answers saved for all finished jobs together; the oldest answers are pruned."""
MAX_ANSWER_GAP = 90.0
"""A job's duration is recorded only if its last two answers are at most this many seconds apart."""
_ADOPTABLE = (JobState.UNCONFIRMED, JobState.LOST)
_TRANSFERABLE = (JobState.RUNNING, JobState.LOST, JobState.STOPPED)
_NO_TEXT = sha256(Prompt(""))
"""The prompt hash of a job that sends no prompt, or was forgotten."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A job's change to `state` at `at` (Unix time)."""

    at: float
    state: JobState
    reason: str


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A raw answer of the server about a job, with the Unix times when this answer first and last arrived."""

    raw: str
    first_at: float
    last_at: float


def contents(of: Job | Draft) -> tuple[object, ...]:
    """The values that a job or draft sends to the server, for comparison."""
    prompt = of.prompt_sha256 if isinstance(of, Job) else sha256(of.prompt)
    return (of.kind, of.parameters, of.run_ids, of.agent_id, of.category_ids, of.workflow_metric_ids, prompt)


class JobStore(AccountStore):
    """The jobs of one account. Each method that changes a job does so in one transaction."""

    def __init__(self, database: Database, account: Account) -> None:
        super().__init__(database, account)
        self.pending = PendingAnswers(database.path)
        self.unreadable: StoreError | None = None
        """An error that names the jobs that the last call of `all()` could not read; None if all jobs were readable."""

    def _select(self, rest: str, *values: object) -> list[sqlite3.Row]:
        own = f"SELECT {JOB_COLUMNS} FROM jobs WHERE origin = ? AND key_id = ? AND "
        return self._database.read(own + rest, *self._pair, *values)

    # Reading

    def version(self) -> int:
        return self._database.version()

    def get(self, number: int) -> Job | None:
        """The job with this number, of any account; None if there is no such job. Raises UnreadableJob."""
        rows = self._database.read(f"SELECT {JOB_COLUMNS} FROM jobs WHERE number = ?", number)
        return with_updates(self._database.read, [read_job(rows[0], self._account.reader)])[0] if rows else None

    def all(self, *, drafts: bool = False) -> list[Job]:
        """The jobs of the account's key, and jobs that its profile launched with another key, newest first; if
        `Account.any_key`, the jobs of every key. Drafts are included only if `drafts` is true, and finished jobs only
        if among the newest MAX_LISTED jobs. Forgotten and unreadable jobs are left out; `unreadable` names the
        unreadable."""
        account = (*self._pair, self._account.profile)
        rows = self._database.read(SELECT_LISTED, *account, drafts, MAX_LISTED, self._account.any_key)
        jobs, self.unreadable = read_jobs(rows, self._account.reader)
        return with_updates(self._database.read, jobs)

    def unfinished(self) -> list[Job]:
        """The running and launching jobs of the account's key, and the launching jobs of its profile with any key."""
        rows = self._database.read(_UNFINISHED, *self._pair, self._account.profile)
        return read_jobs(rows, self._account.reader)[0]

    def unconfirmed(self, since: float) -> list[Job]:
        """The unconfirmed jobs that this account's key launched after `since` (Unix time)."""
        rows = self._select("state = 'unconfirmed' AND launched_at > ?", since)
        return read_jobs(rows, self._account.reader)[0]

    def latest_draft(self, agent_id: int | None, run_ids: Sequence[int]) -> Job | None:
        """The latest draft of a job that proposes a prompt for the agent, preferably a draft for exactly these runs."""
        best = "state = 'draft' AND kind IN (?, ?, ?) AND agent_id IS ? ORDER BY (run_ids = ?) DESC, created_at DESC"
        rows = self._select(best, *PROPOSING, agent_id, json.dumps(tuple(run_ids)))
        return next(iter(read_jobs(rows, self._account.reader)[0]), None)

    def draft_of(self, job: Job) -> Draft:
        """A new draft with the settings and prompt of a job. Raises DamagedText if its record or prompt is damaged."""
        if not job.run_ids and job.proposes and job.kind != FROM_FILE:
            raise DamagedText(f"The record of job {job.number}")
        return Draft(
            run_ids=job.run_ids,
            prompt=read_prompt(self._database.read, job.prompt_sha256),
            agent_id=job.agent_id,
            agent_name=job.agent_name,
            category_ids=job.category_ids,
            workflow_metric_ids=job.workflow_metric_ids,
            prompt_source=job.prompt_source,
            kind=job.kind,
            parameters=job.parameters,
        )

    def suggestion(self, job: Job) -> Suggestion:
        """A job with its sent prompt (None if damaged) and its improved prompt (None if the job has none). Raises
        DamagedText if the improved prompt is damaged and is not in the server's answers either."""
        sent = None
        with contextlib.suppress(DamagedText):
            sent = read_prompt(self._database.read, job.prompt_sha256)
        return Suggestion(job, sent, self._improved_prompt(job))

    def _improved_prompt(self, job: Job) -> Prompt | None:
        if job.improved_sha256 is None:
            return None
        try:
            return read_prompt(self._database.read, job.improved_sha256)
        except DamagedText:
            raws = [answer.raw for answer in self.answers(job.number)]
            if (improved := prompt_in_answers(raws, job.kind, job.improved_sha256)) is None:
                raise
            return improved

    def last_prompt(self, agent_id: int | None) -> Prompt | None:
        """The prompt launched last for an agent; None if no prompt was launched or the prompt is damaged."""
        sent = "state != 'forgotten' AND agent_id IS ? AND prompt_sha256 != ? AND launched_at IS NOT NULL"
        rows = self._select(f"{sent} ORDER BY launched_at DESC LIMIT 1", agent_id, _NO_TEXT)
        with contextlib.suppress(DamagedText):
            return read_prompt(self._database.read, rows[0]["prompt_sha256"]) if rows else None
        return None

    def proposer(self, agent_id: int | None) -> tuple[str, str] | None:
        """Who last proposed a prompt for an agent: the kind of job and its command; None if no one did."""
        rows = self._database.read(f"SELECT kind, command FROM proposers WHERE {_PROPOSER}", *self._pair, agent_id)
        return (rows[0]["kind"], rows[0]["command"]) if rows else None

    def is_offered(self, agent_id: int | None) -> bool:
        """Whether the server may propose prompts: it has not answered that it lacks this operation."""
        return not self._database.read(f"SELECT 1 FROM proposers WHERE {_NOT_OFFERED}", *self._pair, agent_id)

    def durations(self, limit: int = 50) -> dict[str, list[float]]:
        """Seconds that the profile's last `limit` jobs of each kind took, newest first. The keys are the kinds. Jobs
        without an accurate duration are skipped, and kinds without any duration are missing."""
        whose = (self._account.origin, self._account.profile)
        of_server = [name for name, kind in KINDS.items() if kind.server]  # commands of different programs differ
        rows = {kind: self._database.read(_DURATIONS, *whose, kind, limit) for kind in of_server}
        return {kind: [row["took"] for row in ended] for kind, ended in rows.items() if ended}

    def changes(self, number: int) -> list[StateChange]:
        """A job's state changes, oldest first. Damaged changes and changes to an unknown state are skipped."""
        rows = self._database.read("SELECT at, state, reason FROM job_changes WHERE job = ? ORDER BY rowid", number)
        return [
            StateChange(at, JobState(state), reason)
            for at, state, reason in rows
            if is_time(at) and state in STATES and isinstance(reason, str)
        ]

    def answers(self, number: int) -> list[RawAnswer]:
        """The distinct raw answers about a job, oldest first."""
        of_job = "SELECT raw, first_at, last_at FROM job_answers WHERE job = ? ORDER BY first_at, rowid"
        return [RawAnswer(*row) for row in self._database.read(of_job, number)]

    # Writing

    @contextlib.contextmanager
    def _rows(self) -> Iterator[JobRows]:
        with self._database.write() as sql:
            yield JobRows(sql, self._account.reader)

    def save_draft(self, draft: Draft, at: float, over: Job | None = None) -> Job:
        """Save a draft over the draft `over`, or as a new one; returns the job. If another window changed `over`, a new
        draft is saved; if it launched `over` with the contents of `draft`, the launched job is returned."""
        with self._rows() as rows:
            current = rows.replaceable(draft, over)
            if current is None:
                return rows.insert(self._account, draft, JobState.DRAFT, at)
            if current.state == JobState.DRAFT:
                rows.rewrite(current, draft, at)
            return rows.get(current.number)

    def note_proposer(self, draft: Draft, *, offered: bool = True) -> None:
        """Remember who proposes prompts for the draft's agent; if not `offered`, that the server does not."""
        if draft.agent_id is None or draft.kind not in PROPOSING:
            return
        agent, kind = (*self._pair, draft.agent_id), draft.kind if offered else "not offered"
        with self._database.write() as sql:
            if kind == DEFAULT_KIND:
                sql.execute(f"DELETE FROM proposers WHERE {_NOT_OFFERED}", agent)
            if offered:
                sql.execute(f"DELETE FROM proposers WHERE {_PROPOSER}", agent)
            values = (draft.agent_id, *self._pair, kind, str(draft.parameters.get("command") or ""))
            sql.execute("INSERT OR REPLACE INTO proposers VALUES (?, ?, ?, ?, ?)", values)

    def begin_launch(
        self, draft: Draft, at: float, owner: str, over: Job | None = None, again_of: int | None = None
    ) -> Job:
        """Record a job before its launch, and reserve disk space for the answer. Raises StoreError if either fails. The
        draft `over` becomes this job; if another window changed `over`, a new job is recorded. If another window
        launched `over` or relaunched `again_of`, its job is returned, whose `owner` differs. If the job `again_of` was
        answered meanwhile, that job is returned."""
        launch, job = {"owner": owner, "launched_at": at}, None
        try:
            with self._rows() as rows:
                if again_of is not None and (first := rows.relaunched(again_of)) is not None:
                    return first
                if (current := rows.replaceable(draft, over)) is None:
                    job = rows.insert(self._account, draft, JobState.LAUNCHING, at, again_of=again_of, **launch)
                elif current.state != JobState.DRAFT:
                    return current
                else:
                    rows.rewrite(current, draft, at, **launch)
                    job = rows.change(current.number, JobState.LAUNCHING, "", at)
                self.pending.reserve(job.number)
                return job
        except StoreError:
            if job is not None:
                self.pending.drop(job.number)
            raise

    def record_progress_id(self, number: int, progress_id: str, raw: str, at: float) -> Job:
        """Record the server's id and raw answer for a job. A launching or unconfirmed job is set to running."""
        with self._rows() as rows:
            rows.set(number, progress_id=progress_id, answered_at=at)
            if rows.get(number).state != JobState.FORGOTTEN:
                rows.save_answer(number, raw, at)
            job = rows.change(number, JobState.RUNNING, "", at, only_from=OPEN_LAUNCH)
        self.pending.drop(number)
        return job

    def record_launch_answer(self, answer: PendingAnswer) -> Job:
        """Record the outcome of a launch. The job's state changes only if the job is still launching or unconfirmed."""
        number, at, raw = answer.number, answer.at, answer.raw
        if answer.progress_id is not None:
            return self.record_progress_id(number, answer.progress_id, raw, at)
        job = self.record_state(number, answer.state, answer.reason, at, raw, only_from=OPEN_LAUNCH)
        self.pending.drop(number)
        return job

    def adopt(self, number: int, progress_id: str, at: float) -> Job:
        """Record a progress id that the user entered, and set a job that is unconfirmed or lost to running."""
        with self._rows() as rows:
            if rows.get(number).state in _ADOPTABLE:
                rows.set(number, progress_id=progress_id)
            job = rows.change(number, JobState.RUNNING, "id recorded by hand", at, only_from=_ADOPTABLE)
        self.pending.drop(number)
        return job

    def record_pending_answers(self) -> None:
        """Record the pending answers of all processes, and free the space reserved for launches that are over. An
        answer to an earlier launch of a job is skipped."""
        for answer in self.pending.all():
            job = self._readable(answer.number)
            if job is None:
                continue
            # A salvaged record may lack its launch time.
            launch_time_lost = job.launched_at is None and job.state == JobState.UNCONFIRMED
            if launch_time_lost or job.launched_at == answer.launched_at:
                self.record_launch_answer(answer)
        for number in self.pending.reserved():
            job = self._readable(number)
            # Until a launch is committed, other processes see the job as a draft or not at all.
            if job is not None and job.state not in (JobState.DRAFT, JobState.LAUNCHING):
                self.pending.drop(number)

    def _readable(self, number: int) -> Job | None:
        with contextlib.suppress(UnreadableJob):
            return self.get(number)
        return None

    def record_state(
        self, number: int, state: JobState, reason: str, at: float, raw: str = "", *, only_from: Collection[JobState]
    ) -> Job:
        """Change a job's state and save the raw answer, if it is in a state of `only_from`; return the job."""
        with self._rows() as rows:
            if raw and rows.get(number).state in only_from:
                rows.save_answer(number, raw, at)
            return rows.change(number, state, reason, at, only_from=only_from)

    def claim_poll(self, number: int, at: float, since: float) -> bool:
        """Claim the next poll of a job at the Unix time `at` (now); return False if another poll was claimed after
        `since`. A claim recorded later than `at` is ignored, because the clock must have been set back."""
        with self._rows() as rows:
            return rows.sql.execute(_CLAIM, (at, number, since)).rowcount == 1

    def record_answer(self, number: int, progress: Progress, raw: str, at: float) -> Job:
        """Record a poll's status, and the result at the end; return the job. Ended and forgotten jobs stay the same."""
        with self._rows() as rows:
            job = rows.get(number)
            if job.state.final or job.state == JobState.FORGOTTEN:
                return job
            rows.save_answer(number, raw, at)
            rows.set(number, last_status=progress.status, answered_at=at, stale_since=None)
            if progress.result is not None:
                rows.set(number, result=json.dumps(dict(progress.result)))
            if progress.end is None:
                return rows.change(number, JobState.RUNNING, "", at, only_from=(JobState.RUNNING, JobState.LOST))
            if progress.improved_prompt is not None:
                rows.propose(number, progress.improved_prompt, at)
            watched = job.launched_at is not None and 0 <= at - (job.answered_at or 0.0) <= MAX_ANSWER_GAP
            took = max(0.0, at - (job.launched_at or at)) if watched else None
            rows.set(number, summary_of_changes=progress.summary_of_changes, error=progress.error, took=took)
            ended = rows.change(number, progress.state, progress.error or "", at)
            rows.make_room(at)
            return ended

    def mark_stale(self, numbers: Collection[int], at: float) -> list[Job]:
        """Mark these running jobs as stale since `at` (Unix time) unless stale already; return all of them, re-read."""
        with self._rows() as rows:
            silent = "UPDATE jobs SET stale_since = ? WHERE number = ? AND stale_since IS NULL AND state = 'running'"
            rows.sql.executemany(silent, [(at, number) for number in numbers])
            return [rows.get(number) for number in numbers]

    def take_over(self, number: int, at: float) -> Job:
        """Move another key's running, lost or stopped job with its prompt history to this account, as running."""
        key_id, profile = self._account.key_id, self._account.profile
        with self._rows() as rows:
            if (job := rows.get(number)).state not in _TRANSFERABLE:
                return job
            rows.set(number, key_id=key_id, profile=profile)
            rows.sql.execute("UPDATE OR REPLACE prompt_uses SET key_id = ? WHERE job = ?", (key_id, number))
            return rows.change(number, JobState.RUNNING, "Polled with another key.", at)

    def set_summary(self, number: int, summary: str) -> Job:
        """Record a summary of an ended job's result."""
        with self._rows() as rows:
            if rows.get(number).state.final:
                rows.set(number, summary_of_changes=summary)
            return rows.get(number)

    def mark_seen(self, number: int, at: float) -> Job:
        """Mark the end of a job as seen by the user."""
        with self._rows() as rows:
            if rows.get(number).unread:
                rows.set(number, looked_at=at)
            return rows.get(number)

    def forget(self, number: int, at: float) -> Job:
        """Forget a job, readable or not, and delete the job's texts and answers. A launching job stays unchanged."""
        with self._rows() as rows:
            with contextlib.suppress(UnreadableJob):
                job = rows.get(number)
                if job.state in (JobState.LAUNCHING, JobState.FORGOTTEN):
                    return job
            rows.forget(number, at)
            job = rows.get(number)
        self.pending.drop(number)
        self._database.truncate_log()
        return job


_PROPOSER = "origin = ? AND key_id = ? AND agent_id = ? AND kind != 'not offered'"
_NOT_OFFERED = "origin = ?1 AND key_id = ?2 AND (agent_id = ?3 OR ?1 != 'demo') AND kind = 'not offered'"
"""In the demo, the server proposes prompts for some agents only."""
_UNFINISHED = f"""
SELECT {JOB_COLUMNS} FROM jobs WHERE origin = ?1 AND (
    (key_id = ?2 AND state IN ('running', 'launching')) OR (profile = ?3 AND state = 'launching')
) ORDER BY number"""
_DURATIONS = """
SELECT took FROM jobs WHERE origin = ? AND profile = ? AND kind = ? AND typeof(took) = 'real'
ORDER BY number DESC LIMIT ?"""
_CLAIM = """
INSERT INTO polls VALUES (?2, ?1)
ON CONFLICT DO UPDATE SET asked_at = ?1 WHERE asked_at <= ?3 OR asked_at > ?1"""
_RELAUNCH_OF = "SELECT number FROM jobs WHERE again_of = ? AND state NOT IN ('draft', 'forgotten') LIMIT 1"


class JobRows:
    """The job rows within one transaction; `key_id` is passed on to `read_job`."""

    def __init__(self, sql: sqlite3.Connection, key_id: str | None) -> None:
        self.sql = sql
        self._key_id = key_id

    def get(self, number: int) -> Job:
        """The job with this number; raises StoreError if there is no such job, UnreadableJob if the row is damaged."""
        row = self.sql.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise StoreError(f"No job {number} in the database.")
        return read_job(row, self._key_id)

    def insert(self, account: Account, draft: Draft, state: JobState, at: float, **more: object) -> Job:
        of: dict[str, object] = {"origin": account.origin, "key_id": account.key_id, "profile": account.profile}
        values = {**of, "state": state, "since": at, "created_at": at, **self._sent_columns(draft, at), **more}
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self.sql.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", tuple(values.values()))
        number = cursor.lastrowid or 0
        self.sql.execute("INSERT INTO job_changes VALUES (?, ?, ?, '')", (number, at, state))
        job = self.get(number)
        if state == JobState.LAUNCHING:
            self._add_to_history(job, job.prompt_sha256, "sent", at)
        return job

    def replaceable(self, draft: Draft, over: Job | None) -> Job | None:
        """Re-read the job `over`, which `draft` is to overwrite. None if there is no `over`, or if another window
        changed or launched that job and its contents differ from `draft`."""
        if over is None:
            return None
        current = self.get(over.number)
        untouched = current.state == JobState.DRAFT and contents(current) == contents(over)
        return current if untouched or contents(current) == contents(draft) else None

    def relaunched(self, number: int) -> Job | None:
        """The job that rules out a relaunch of job `number`; None if the job can be relaunched. This is an earlier
        relaunch or, if the state of job `number` does not allow a relaunch, that job itself."""
        if again := self.sql.execute(_RELAUNCH_OF, (number,)).fetchone():
            return self.get(again["number"])
        first = self.get(number)
        return None if first.relaunchable else first

    def rewrite(self, job: Job, draft: Draft, at: float, **more: object) -> None:
        self.set(job.number, created_at=at, **self._sent_columns(draft, at), **more)
        drop_unused(self.sql, job.prompt_sha256)

    def set(self, number: int, **columns: object) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self.sql.execute(f"UPDATE jobs SET {names} WHERE number = ?", (*map(text_column, columns.values()), number))

    def change(
        self, number: int, state: JobState, reason: str, at: float, only_from: Collection[JobState] | None = None
    ) -> Job:
        """Change a job's state, and return the job. A job that has ended stays unchanged, except that a resumable job
        can be set to running. So does a job whose state is not in `only_from`; None allows every state."""
        job = self.get(number)
        elsewhere = only_from is not None and job.state not in only_from
        ended = job.state.final and not (job.resumable and state == JobState.RUNNING)
        if ended or elsewhere or (job.state, job.reason) == (state, reason):
            return job
        launched = None if state == JobState.DRAFT else job.launched_at
        self.set(number, state=state, since=at, reason=reason, launched_at=launched)
        self.set(number, finished_at=at if state.final else None, looked_at=None)
        if state == JobState.RUNNING:
            self.set(number, stale_since=None, error=None, took=None)
        self.sql.execute("INSERT INTO job_changes VALUES (?, ?, ?, ?)", (number, at, state, clean(reason)))
        if state == JobState.LAUNCHING:
            self._add_to_history(job, job.prompt_sha256, "sent", at)
        elif state == JobState.DRAFT:
            drop_uses(self.sql, number, "sent")
        return self.get(number)

    def propose(self, number: int, prompt: Prompt, at: float) -> None:
        name = save_prompt(self.sql, prompt, at)
        self.set(number, improved_sha256=name)
        self._add_to_history(self.get(number), name, "proposed", at)

    def _add_to_history(self, job: Job, name: str, how: UseKind, at: float) -> None:
        """Add the prompt with the hash `name`, unless empty, to the history of the job's agent, if known."""
        if job.agent_id is not None and name != _NO_TEXT:
            note_use(self.sql, (job.origin, job.key_id), job.agent_id, name, how, at, job.number)

    def _sent_columns(self, draft: Draft, at: float) -> dict[str, object]:
        """Save a draft's prompt; returns the columns of a job row with the values that the draft sends."""
        return {
            "run_ids": json.dumps(draft.run_ids),
            "agent_id": draft.agent_id,
            "agent_name": draft.agent_name,
            "category_ids": json.dumps(draft.category_ids),
            "workflow_metric_ids": json.dumps(draft.workflow_metric_ids),
            "prompt_sha256": save_prompt(self.sql, draft.prompt, at),
            "prompt_source": text_column(draft.prompt_source),
            "kind": draft.kind,
            "parameters": json.dumps(dict(draft.parameters)),
        }

    def save_answer(self, number: int, raw: str, at: float) -> None:
        """Save a raw answer about a job, or the new `last_at` of a saved one; prune the job's oldest answers."""
        raw = raw[:MAX_ANSWER]
        self.sql.execute(
            "INSERT INTO job_answers (job, raw, first_at, last_at, bytes) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (job, raw) DO UPDATE SET last_at = excluded.last_at",
            (number, raw, at, at, len(raw.encode("utf-8", "surrogatepass"))),
        )
        self.sql.execute(_PRUNE_ANSWERS, (number, MAX_ANSWERS, MAX_ANSWERS_BYTES))

    def make_room(self, at: float) -> None:
        """Prune the oldest raw answers of finished jobs, and prompts that only the history uses. If the prompts still
        exceed their limit, forget the 20 oldest finished jobs that the user has seen."""
        self.sql.execute(_PRUNE_ALL_ANSWERS, (ALL_ANSWERS_BYTES,))
        if not prune_texts(self.sql):
            for row in self.sql.execute(_OLDEST_SEEN).fetchall():
                self.forget(row["number"], at)

    def forget(self, number: int, at: float) -> None:
        """Empty a job's row, which keeps its number, and delete its answers and the texts that nothing else uses."""
        try:
            self.get(number)
        except UnreadableJob:
            self.set(number, **EMPTY_COLUMNS)
        self.set(number, state=JobState.FORGOTTEN, looked_at=at)
        self.sql.execute("INSERT INTO job_changes VALUES (?, ?, ?, '')", (number, at, JobState.FORGOTTEN))
        job = self.sql.execute("SELECT prompt_sha256, improved_sha256 FROM jobs WHERE number = ?", (number,)).fetchone()
        staged = self.sql.execute("SELECT sha256 FROM staged WHERE job = ?", (number,)).fetchone()
        nothing = save_prompt(self.sql, Prompt(""), 0.0)
        self.set(number, prompt_sha256=nothing, improved_sha256=None, summary_of_changes=None, error=None, reason="")
        self.set(number, parameters="{}", result=None)
        for table in ("stagings", "typed", "staged"):
            self.sql.execute(f"DELETE FROM {table} WHERE job = ?", (number,))
        forget_uses(self.sql, number)
        for name in filter(None, (job["prompt_sha256"], job["improved_sha256"], staged and staged["sha256"])):
            drop_unused(self.sql, name)
        self.sql.execute("DELETE FROM job_answers WHERE job = ?", (number,))
        self.sql.execute("UPDATE job_changes SET reason = '' WHERE job = ?", (number,))


_PRUNE_ANSWERS = """
DELETE FROM job_answers WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, row_number() OVER newest AS n, sum(bytes) OVER newest AS total
        FROM job_answers WHERE job = ? WINDOW newest AS (ORDER BY last_at DESC, rowid DESC)
    ) WHERE n > 1 AND (n > ? OR total > ?)
)"""
_OLDEST_SEEN = """
SELECT number FROM jobs WHERE finished_at IS NOT NULL AND looked_at IS NOT NULL AND state != 'forgotten'
ORDER BY number LIMIT 20"""
_PRUNE_ALL_ANSWERS = """
DELETE FROM job_answers WHERE rowid IN (
    SELECT id FROM (
        SELECT job_answers.rowid AS id, sum(bytes) OVER (ORDER BY last_at DESC, job_answers.rowid DESC) AS total
        FROM job_answers JOIN jobs ON number = job WHERE finished_at IS NOT NULL
    ) WHERE total > ?
)"""


def text_column(value: object) -> object:
    """Encode a text with lone surrogates as bytes, since SQLite rejects such a text; return other values unchanged."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return prompt_bytes(value)
    return value
