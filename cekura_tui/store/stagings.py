"""What was chosen of the hunks of suggestions, step by step, and the text that comes of it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.store.database import Database
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.jobs import ALL_TEXTS_BYTES, Account, JobRows
from cekura_tui.store.prompts import as_prompt, bound_texts, drop_unused, keep_prompt, note_use, read_prompt, withdraw

TextOf = Callable[[Mapping[str, HunkChoice]], Prompt]
"""The text that choices make, by the key of the hunk; called inside the transaction."""


@dataclass(frozen=True, slots=True)
class StagedStep:
    """What was chosen just before a step and is chosen after it, by the key of the hunk."""

    before: Mapping[str, HunkChoice]
    after: Mapping[str, HunkChoice]


class StagingStore:
    """The stagings of jobs. Each method is one transaction and raises StoreError.

    `at` is Unix time. A step is what one window chose at once, of one hunk or of many; of a hunk the last step stands.
    """

    def __init__(self, database: Database, account: Account) -> None:
        self._database, self._account = database, account

    def choices(self, number: int) -> dict[str, HunkChoice]:
        """What is chosen now, by the key of the hunk."""
        return _choices(self._database.read(_STEPS, number))

    def staged(self, number: int) -> Prompt | None:
        """The text that was staged last, as a whole; None where nothing was chosen yet."""
        rows = self._database.read("SELECT sha256 FROM staged WHERE job = ?", number)
        return read_prompt(self._database.read, rows[0]["sha256"]) if rows else None

    def look(self, number: int) -> dict[str, HunkChoice]:
        """The same for whoever has seen choices of the job before; raises StoreError where it was forgotten since."""
        found = self.choices(number)
        job = self._database.read("SELECT state FROM jobs WHERE number = ?", number)
        if not job or job[0]["state"] == JobState.FORGOTTEN:
            raise _forgotten(number)
        return found

    def choose(
        self, number: int, made: Mapping[str, HunkChoice | None], at: float, text_of: TextOf, window: str = ""
    ) -> StagedStep:
        """Append a step of a window and keep the text that comes of all.

        None is undecided. What is chosen so already is no part of the step, and a step of nothing is none.
        """
        with self._database.write() as sql:
            job = self._job(sql, number)
            before = _choices(sql.execute(_STEPS, (number,)).fetchall())
            new = {hunk: choice for hunk, choice in made.items() if before.get(hunk) != choice}
            if not new:
                return StagedStep(before, before)
            (last,) = sql.execute("SELECT coalesce(max(step), 0) FROM stagings WHERE job = ?", (number,)).fetchone()
            sql.executemany(
                "INSERT INTO stagings VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(number, last + 1, hunk, *_columns(choice), at, window) for hunk, choice in new.items()],
            )
            return StagedStep(before, _keep_text(sql, job, at, text_of))

    def undo(
        self,
        number: int,
        hunks: Collection[str],
        at: float,
        text_of: TextOf,
        is_own: Callable[[str, float], bool] = lambda window, at: True,
    ) -> StagedStep:
        """Drop the last step of which something stands among these hunks, as far as it is about them.

        `is_own` is asked whether what a window chose, the last time at `at`, may be taken back here.
        """
        with self._database.write() as sql:
            job = self._job(sql, number)
            steps = sql.execute(_STEPS, (number,)).fetchall()
            before = _choices(steps)
            about = [row for row in steps if row["hunk"] in hunks]
            standing = {row["hunk"]: row for row in about}.values()
            windows = {row["window"]: row["at"] for row in about}
            own = {window for window, last_at in windows.items() if is_own(window, last_at)}
            last = max((row["step"] for row in standing if row["window"] in own), default=None)
            if last is None:
                return StagedStep(before, before)
            dropped = {row["hunk"] for row in about if row["step"] == last}
            sql.executemany(
                "DELETE FROM stagings WHERE job = ? AND step = ? AND hunk = ?",
                [(number, last, hunk) for hunk in dropped],
            )
            return StagedStep(before, _keep_text(sql, job, at, text_of))

    def typed(self, number: int) -> dict[str, str]:
        """What was typed into hunks and not taken, by the key of the hunk."""
        found: dict[str, str] = {}
        for row in self._database.read("SELECT hunk, text FROM typed WHERE job = ?", number):
            with contextlib.suppress(DamagedText):
                found[row["hunk"]] = as_prompt(row["text"])
        return found

    def keep_typed(self, number: int, hunk: str, text: str | None) -> None:
        """Keep what is typed into a hunk, in place of what was before; None: there is nothing to keep any more."""
        with self._database.write() as sql:
            if text is None:
                sql.execute("DELETE FROM typed WHERE job = ? AND hunk = ?", (number, hunk))
            else:
                self._job(sql, number)
                sql.execute("INSERT OR REPLACE INTO typed VALUES (?, ?, ?)", (number, hunk, prompt_bytes(Prompt(text))))

    def _job(self, sql: sqlite3.Connection, number: int) -> Job:
        job = JobRows(sql, self._account.key_id).get(number)
        if job.state == JobState.FORGOTTEN:
            raise _forgotten(number)
        return job


def _forgotten(number: int) -> StoreError:
    return StoreError(f"Job {number} was forgotten, so nothing was staged.", "See `jobs list`.")


def _choices(steps: list[sqlite3.Row]) -> dict[str, HunkChoice]:
    """What steps make; of a text that is damaged the hunk is undecided, for nobody chose what it was before."""
    found: dict[str, HunkChoice] = {}
    for row in steps:
        found.pop(row["hunk"], None)
        if row["what"]:
            with contextlib.suppress(DamagedText):
                found[row["hunk"]] = HunkChoice(row["what"], as_prompt(row["text"]))
    return found


def _columns(choice: HunkChoice | None) -> tuple[str, bytes]:
    return (choice.what, prompt_bytes(choice.text)) if choice is not None else ("", b"")


def _keep_text(sql: sqlite3.Connection, job: Job, at: float, text_of: TextOf) -> dict[str, HunkChoice]:
    """Keep the staged text in place of the one before; it is history where it is not just what was sent."""
    chosen = _choices(sql.execute(_STEPS, (job.number,)).fetchall())
    before = sql.execute("SELECT sha256 FROM staged WHERE job = ?", (job.number,)).fetchone()
    name = keep_prompt(sql, text_of(chosen), at)
    sql.execute("INSERT OR REPLACE INTO staged VALUES (?, ?, ?)", (job.number, name, at))
    withdraw(sql, job.number, "staged")
    if job.agent_id is not None and name != job.prompt_sha256:
        note_use(sql, (job.origin, job.key_id), job.agent_id, name, "staged", at, job.number)
    if before is not None:
        drop_unused(sql, before["sha256"])
    bound_texts(sql, ALL_TEXTS_BYTES)
    return chosen


_STEPS = "SELECT * FROM stagings WHERE job = ? ORDER BY step, hunk"
