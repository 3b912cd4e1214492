"""The user's choices for a suggestion's hunks, saved step by step, and the resulting text."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.store.database import AccountStore
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.jobs import JobRows
from cekura_tui.store.prompts import as_prompt, drop_unused, drop_uses, note_use, prune_texts, read_prompt, save_prompt

TextOf = Callable[[Mapping[str, HunkChoice]], Prompt]
"""A function that builds the staged text from the choices by hunk key; called inside the transaction."""
MadeOf = Callable[[Mapping[str, HunkChoice]], Mapping[str, HunkChoice | None]]
"""A function that makes choices by hunk key from the choices so far; called inside the transaction."""


@dataclass(frozen=True, slots=True)
class StagedStep:
    """The choices for a suggestion's hunks, by hunk key, before and after a step."""

    before: Mapping[str, HunkChoice]
    after: Mapping[str, HunkChoice]


class StagingStore(AccountStore):
    """The staged choices of jobs. Each method that writes is one transaction; every method may raise StoreError. A step
    holds the choices that one window made at once, at Unix time `at`; a hunk's last choice counts."""

    def choices(self, number: int) -> dict[str, HunkChoice]:
        return _choices(self._database.read(_STEPS, number))

    def staged(self, number: int) -> Prompt | None:
        """The current staged text of a job; None if no choice was made yet."""
        rows = self._database.read("SELECT sha256 FROM staged WHERE job = ?", number)
        return read_prompt(self._database.read, rows[0]["sha256"]) if rows else None

    def current(self, number: int) -> dict[str, HunkChoice]:
        """The choices of a job; raises StoreError if the job is forgotten."""
        found = self.choices(number)
        job = self._database.read("SELECT state FROM jobs WHERE number = ?", number)
        if not job or job[0]["state"] == JobState.FORGOTTEN:
            raise _forgotten(number)
        return found

    def choose(self, number: int, made_of: MadeOf, at: float, text_of: TextOf, window: str = "") -> StagedStep:
        """Record choices by hunk key as one step of a window, and save the resulting text. A choice of None makes a
        hunk undecided. If no choice differs from the current choices, nothing is saved."""
        with self._database.write() as sql:
            job = self._job(sql, number)
            before = _choices(sql.execute(_STEPS, (number,)).fetchall())
            new = {hunk: choice for hunk, choice in made_of(before).items() if before.get(hunk) != choice}
            if not new:
                return StagedStep(before, before)
            (last,) = sql.execute("SELECT coalesce(max(step), 0) FROM stagings WHERE job = ?", (number,)).fetchone()
            rows = [(number, last + 1, hunk, *_columns(choice), at, window) for hunk, choice in new.items()]
            sql.executemany("INSERT INTO stagings VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            return StagedStep(before, _save_text(sql, job, at, text_of))

    def undo(
        self,
        number: int,
        hunks: Collection[str],
        at: float,
        text_of: TextOf,
        is_own: Callable[[str, float], bool] = lambda window, at: True,
    ) -> StagedStep:
        """Undo the last step that decides one of these hunks, if `is_own(window, last_at)` is true for its window and
        the time of that window's last choice for these hunks. Its choices for other hunks stay."""
        with self._database.write() as sql:
            job = self._job(sql, number)
            steps = sql.execute(_STEPS, (number,)).fetchall()
            before = _choices(steps)
            about = [row for row in steps if row["hunk"] in hunks]
            effective = {row["hunk"]: row for row in about}.values()
            windows = {row["window"]: row["at"] for row in about}
            own = {window for window, last_at in windows.items() if is_own(window, last_at)}
            last = max((row["step"] for row in effective if row["window"] in own), default=None)
            if last is None:
                return StagedStep(before, before)
            dropped = [(number, last, row["hunk"]) for row in about if row["step"] == last]
            sql.executemany("DELETE FROM stagings WHERE job = ? AND step = ? AND hunk = ?", dropped)
            return StagedStep(before, _save_text(sql, job, at, text_of))

    def typed(self, number: int) -> dict[str, str]:
        """Unfinished texts that the user typed, by hunk key, and dismissed facts; damaged texts are skipped."""
        return {key: text for key, text in self.saved(number).items() if not key.startswith(_RECORDS)}

    def splits(self, number: int) -> set[str]:
        """The keys of the hunks that the user split into parts."""
        return {key.removeprefix(_SPLIT) for key in self.saved(number) if key.startswith(_SPLIT)}

    def saved(self, number: int) -> dict[str, str]:
        """Everything that `save_typed` saved for a job, by key; damaged texts are skipped."""
        found: dict[str, str] = {}
        for row in self._database.read("SELECT hunk, text FROM typed WHERE job = ?", number):
            with contextlib.suppress(DamagedText):
                found[row["hunk"]] = as_prompt(row["text"])
        return found

    def save_split(self, number: int, hunk: str, *, joined: bool = False) -> None:
        """Record that the user split a hunk into parts, or `joined` the parts."""
        self.save_typed(number, f"{_SPLIT}{hunk}", None if joined else "")

    def save_typed(self, number: int, hunk: str, text: str | None) -> None:
        """Save an unfinished text that the user typed into a hunk; None deletes the saved text."""
        with self._database.write() as sql:
            if text is None:
                sql.execute("DELETE FROM typed WHERE job = ? AND hunk = ?", (number, hunk))
            else:
                self._job(sql, number)
                sql.execute("INSERT OR REPLACE INTO typed VALUES (?, ?, ?)", (number, hunk, prompt_bytes(Prompt(text))))

    def save_written(self, number: int, text: str, staged: Prompt) -> None:
        """Save the staged prompt of a write of the text with hash `text`; after 20 later writes it is deleted."""
        with self._database.write() as sql:
            self._job(sql, number)
            sql.execute(_PRUNE_WRITTEN, (number, WRITTEN))
            sql.execute("INSERT OR REPLACE INTO typed VALUES (?, ?, ?)", (number, WRITTEN + text, prompt_bytes(staged)))

    def _job(self, sql: sqlite3.Connection, number: int) -> Job:
        job = JobRows(sql, self._account.key_id).get(number)
        if job.state == JobState.FORGOTTEN:
            raise _forgotten(number)
        return job


def _forgotten(number: int) -> StoreError:
    return StoreError(f"Job {number} was forgotten, so nothing was staged.", "See `jobs list`.")


def _choices(steps: list[sqlite3.Row]) -> dict[str, HunkChoice]:
    """The choices after all steps, by hunk key. Undecided hunks and hunks with a damaged text are missing."""
    found: dict[str, HunkChoice] = {}
    for row in steps:
        found.pop(row["hunk"], None)
        if row["what"]:
            with contextlib.suppress(DamagedText):
                found[row["hunk"]] = HunkChoice(row["what"], as_prompt(row["text"]))
    return found


def _columns(choice: HunkChoice | None) -> tuple[str, bytes]:
    return (choice.what, prompt_bytes(choice.text)) if choice is not None else ("", b"")


def _save_text(sql: sqlite3.Connection, job: Job, at: float, text_of: TextOf) -> dict[str, HunkChoice]:
    """Build and save the staged text, in the agent's history unless it was sent; return the job's choices."""
    chosen = _choices(sql.execute(_STEPS, (job.number,)).fetchall())
    before = sql.execute("SELECT sha256 FROM staged WHERE job = ?", (job.number,)).fetchone()
    name = save_prompt(sql, text_of(chosen), at)
    sql.execute("INSERT OR REPLACE INTO staged VALUES (?, ?, ?)", (job.number, name, at))
    drop_uses(sql, job.number, "staged")
    if job.agent_id is not None and name != job.prompt_sha256:
        note_use(sql, (job.origin, job.key_id), job.agent_id, name, "staged", at, job.number)
    if before is not None:
        drop_unused(sql, before["sha256"])
    prune_texts(sql)
    return chosen


WRITTEN, SHOWN_CONFLICTS = "written ", "shown conflicts"
"""Keys of rows of `typed`. WRITTEN and the hash of a text that was written: the prompt that was staged then.
SHOWN_CONFLICTS: for which staged prompt conflicts were printed."""
_SPLIT = "split "
"""Start of the key of a row of `typed` that records a split; the key of the hunk follows."""
_RECORDS = (_SPLIT, WRITTEN, SHOWN_CONFLICTS)
_PRUNE_WRITTEN = """
DELETE FROM typed WHERE job = ?1 AND substr(hunk, 1, length(?2)) = ?2 AND hunk NOT IN (
    SELECT hunk FROM typed JOIN prompt_uses ON hunk = ?2 || sha256
    WHERE typed.job = ?1 AND how = 'written' ORDER BY prompt_uses.rowid DESC LIMIT 20
)"""
_STEPS = "SELECT step, hunk, what, text, at, window FROM stagings WHERE job = ? ORDER BY step, hunk"
