"""Jobs with their history; every change of state is one transaction."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from cekura_tui.model.job import Draft, Job, JobState, Suggestion
from cekura_tui.model.progress import Progress
from cekura_tui.model.text import Prompt
from cekura_tui.store.asides import Aside, Asides
from cekura_tui.store.database import Database
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.job_reading import LIST, UnreadableJob, is_time, read_job, read_jobs
from cekura_tui.store.job_rows import WATCHED, JobRows, contents
from cekura_tui.store.prompts import read_prompt

LISTED = 2_000
"""Among so many of the newest jobs are the ended ones that are listed."""
_WAITED_FOR = (JobState.LAUNCHING, JobState.UNCONFIRMED)
_FOLLOWED = (JobState.RUNNING, JobState.LOST, JobState.STOPPED)
_STATES = frozenset(map(str, JobState))
_REPEATED = (JobState.UNCONFIRMED, JobState.LOST, JobState.FAILED)


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


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What the server answered about a job, as it came, and when it first and last did (Unix time)."""

    raw: str
    first_at: float
    last_at: float


class JobStore:
    """The jobs of one account."""

    def __init__(self, database: Database, account: Account) -> None:
        self._database = database
        self._account = account
        self._asides = Asides(database.path)
        self.unreadable: StoreError | None = None
        """What tells of the jobs that were left out of `all` the last time."""

    def _own(self, rest: str, *values: object) -> list[sqlite3.Row]:
        """Rows of this account's jobs."""
        own = "SELECT * FROM jobs WHERE origin = ? AND key_id = ? AND "
        return self._database.read(own + rest, self._account.origin, self._account.key_id, *values)

    @property
    def _whose(self) -> tuple[str, str, str]:
        return (self._account.origin, self._account.key_id, self._account.profile)

    # Reading

    def version(self) -> int:
        """A number that changes whenever another process has written."""
        return self._database.version_of_data()

    def get(self, number: int) -> Job | None:
        """One job, whoever's it is; raises UnreadableJob."""
        rows = self._database.read("SELECT * FROM jobs WHERE number = ?", number)
        return read_job(rows[0], self._account.key_id) if rows else None

    def all(self, *, drafts: bool = False) -> list[Job]:
        """The account's jobs, newest first; forgotten ones are left out, and drafts unless asked for.

        Those that the profile launched with an earlier key are among them. What cannot be read is left out, which
        `unreadable` tells.
        """
        rows = self._database.read(LIST, *self._whose, drafts, LISTED)
        jobs, self.unreadable = read_jobs(rows, self._account.key_id)
        return jobs

    def unfinished(self) -> list[Job]:
        """The account's jobs that are running or being launched, and those that its profile was launching with an
        earlier key: nobody else looks whether their process still lives."""
        return read_jobs(self._database.read(_UNFINISHED, *self._whose), self._account.key_id)[0]

    def latest_draft(self, agent_id: int | None, run_ids: Sequence[int]) -> Job | None:
        """The draft for these runs that was touched last, else the one for their agent."""
        best_first = "state = 'draft' AND agent_id IS ? ORDER BY (run_ids = ?) DESC, created_at DESC"
        rows = self._own(best_first, agent_id, json.dumps(tuple(run_ids)))
        return next(iter(read_jobs(rows, self._account.key_id)[0]), None)

    def draft_of(self, job: Job) -> Draft:
        """What a job was, or would be, launched with; raises DamagedText."""
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
        """A job with its texts; raises DamagedText."""
        improved = read_prompt(self._database, job.improved_sha256) if job.improved_sha256 else None
        return Suggestion(job, read_prompt(self._database, job.prompt_sha256), improved)

    def last_prompt(self, agent_id: int | None) -> Prompt | None:
        """The prompt that was last launched for an agent, if it is as it was."""
        sent = "state != 'forgotten' AND agent_id IS ? AND launched_at IS NOT NULL ORDER BY launched_at DESC LIMIT 1"
        rows = self._own(sent, agent_id)
        with contextlib.suppress(DamagedText):
            return read_prompt(self._database, rows[0]["prompt_sha256"]) if rows else None
        return None

    def durations(self, limit: int = 50) -> list[float]:
        """How many seconds the profile's last jobs went on whose end was watched, newest first."""
        ended = "SELECT took FROM jobs WHERE origin = ? AND profile = ? AND typeof(took) = 'real' ORDER BY number DESC"
        whose = (self._account.origin, self._account.profile)
        return [row["took"] for row in self._database.read(f"{ended} LIMIT ?", *whose, limit)]

    def changes(self, number: int) -> list[Change]:
        """Every state that a job came into, oldest first, but for those that are damaged or not known here."""
        rows = self._database.read("SELECT * FROM job_changes WHERE job = ? ORDER BY rowid", number)
        known = [row for row in rows if row["state"] in _STATES and isinstance(row["reason"], str)]
        known = [row for row in known if is_time(row["at"])]
        return [Change(row["at"], JobState(row["state"]), row["reason"]) for row in known]

    def answers(self, number: int) -> list[RawAnswer]:
        """Every distinct raw answer about a job, oldest first."""
        rows = self._database.read("SELECT * FROM job_answers WHERE job = ? ORDER BY first_at, rowid", number)
        return [RawAnswer(row["raw"], row["first_at"], row["last_at"]) for row in rows]

    # Writing

    @contextlib.contextmanager
    def _rows(self) -> Iterator[JobRows]:
        """The rows of jobs in one transaction."""
        with self._database.write() as sql:
            yield JobRows(sql, self._account.key_id)

    @property
    def _ours(self) -> dict[str, object]:
        account = self._account
        return {"origin": account.origin, "key_id": account.key_id, "profile": account.profile}

    def save_draft(self, draft: Draft, at: float, over: Job | None = None) -> Job:
        """Keep a draft: in place of the draft `over`, else as a new one.

        What is no longer as in `over` was changed by another window and stays; this becomes a draft of its own, unless
        the very same is there already, be it as a job by now: then that is returned.
        """
        with self._rows() as rows:
            if over is not None:
                there = rows.get(over.number)
                untouched = there.state == JobState.DRAFT and contents(there) == contents(over)
                if untouched or contents(there) == contents(draft):
                    rows.rewrite(over.number, draft, at)
                    return rows.get(over.number)
            return rows.insert(draft, JobState.DRAFT, at, **self._ours)

    def begin_launch(
        self, draft: Draft, at: float, owner: str, number: int | None = None, again_of: int | None = None
    ) -> Job:
        """Record that a job is about to be launched, prompt and all; a draft `number` becomes this job, unless it holds
        another prompt: then another window wrote that, and it stays.

        Where that was done by another window meanwhile, its job is returned, with that window's owner: the draft was
        launched, or the unconfirmed job `again_of` was launched again. That job itself is returned where it was
        answered meanwhile.
        """
        with self._rows() as rows:
            launch = {"owner": owner, "launched_at": at}
            if again_of is not None:
                if again := rows.sql.execute(_AGAIN, (again_of,)).fetchone():
                    return rows.get(again["number"])
                if (first := rows.get(again_of)).state not in _REPEATED:
                    return first
            if number is None or rows.holds_another(number, draft):
                return rows.insert(draft, JobState.LAUNCHING, at, again_of=again_of, **launch, **self._ours)
            rows.rewrite(number, draft, at)
            if rows.get(number).state == JobState.DRAFT:
                rows.set(number, **launch)
            return rows.change(number, JobState.LAUNCHING, "", at, only_from=(JobState.DRAFT,))

    def record_progress_id(self, number: int, progress_id: str, raw: str, at: float) -> Job:
        """The server took the job; from a late answer too, when it had been thought unconfirmed."""
        with self._rows() as rows:
            rows.set(number, progress_id=progress_id, answered_at=at)
            if rows.get(number).state != JobState.FORGOTTEN:
                rows.keep_answer(number, raw, at)
            job = rows.change(number, JobState.RUNNING, "", at, only_from=_WAITED_FOR)
        self._asides.drop(number)
        return job

    def set_aside(self, job: Job, progress_id: str, raw: str, at: float) -> bool:
        """Keep what `record_progress_id` could not record in a file of its own; returns whether that went well."""
        return self._asides.keep(Aside(job.number, job.launched_at or 0.0, progress_id, raw, at))

    def take_up_asides(self) -> None:
        """Record what was set aside, by any process."""
        for aside in self._asides.all():
            job = None
            with contextlib.suppress(UnreadableJob):
                job = self.get(aside.number)
            if job is not None and job.launched_at == aside.launched_at:
                self.record_progress_id(aside.number, aside.progress_id, aside.raw, aside.at)

    def record_state(
        self, number: int, state: JobState, reason: str, at: float, raw: str = "", *, only_from: Collection[JobState]
    ) -> Job:
        """A job came into another state, unless another window has put it into none of `only_from` meanwhile."""
        with self._rows() as rows:
            if raw and rows.get(number).state in only_from:
                rows.keep_answer(number, raw, at)
            return rows.change(number, state, reason, at, only_from=only_from)

    def record_answer(self, number: int, progress: Progress, raw: str, at: float, *, heard: float | None = None) -> Job:
        """An answer about a running job: its word, and its result where it has one, in one transaction; `heard` is when
        the answer before this one came for the last time."""
        with self._rows() as rows:
            job = rows.get(number)
            if job.state.final or job.state == JobState.FORGOTTEN:
                return job
            if heard is not None:
                rows.heard(number, heard)
            rows.keep_answer(number, raw, at)
            rows.set(number, last_status=progress.status, answered_at=at, stale_since=None)
            if progress.end is None:
                return rows.change(number, JobState.RUNNING, "", at, only_from=(JobState.RUNNING, JobState.LOST))
            if progress.improved_prompt is not None:
                rows.propose(number, progress.improved_prompt, at)
            watched = job.launched_at is not None and 0 <= at - (job.answered_at or 0.0) <= WATCHED
            rows.set(
                number,
                summary_of_changes=progress.summary_of_changes,
                error=progress.error,
                finished_at=at,
                took=max(0.0, at - (job.launched_at or at)) if watched else None,
            )
            rows.make_room(at)
            return rows.change(number, progress.state, progress.error or "", at)

    def record_silence(self, numbers: Collection[int], at: float) -> list[Job]:
        """The server could not be asked about running jobs since `at`; returns them as they are now."""
        with self._rows() as rows:
            silent = "UPDATE jobs SET stale_since = ? WHERE number = ? AND stale_since IS NULL AND state = 'running'"
            rows.sql.executemany(silent, [(at, number) for number in numbers])
            return [rows.get(number) for number in numbers]

    def take_over(self, number: int, at: float) -> Job:
        """A job that was launched with another key answers to this one: it is this account's from now on."""
        with self._rows() as rows:
            if rows.get(number).state not in _FOLLOWED:
                return rows.get(number)
            rows.hand_over(number, self._account.key_id, self._account.profile)
            return rows.change(number, JobState.RUNNING, "It is followed with another key.", at)

    def look(self, number: int, at: float) -> Job:
        """Somebody looked at how a job ended."""
        with self._rows() as rows:
            if rows.get(number).unread:
                rows.set(number, looked_at=at)
            return rows.get(number)

    def forget(self, number: int, at: float) -> Job:
        """Drop a job with its texts and answers; one that is just being launched stays, one that cannot be read not."""
        with self._rows() as rows:
            with contextlib.suppress(UnreadableJob):
                job = rows.get(number)
                if job.state in (JobState.LAUNCHING, JobState.FORGOTTEN):
                    return job
            rows.forget(number, at)
            job = rows.get(number)
        self._database.overwrite()
        return job


_UNFINISHED = """
SELECT * FROM jobs WHERE origin = ?1 AND (
    (key_id = ?2 AND state IN ('running', 'launching')) OR (profile = ?3 AND state = 'launching')
) ORDER BY number"""
_AGAIN = "SELECT number FROM jobs WHERE again_of = ? AND state NOT IN ('draft', 'forgotten') LIMIT 1"
