"""Jobs of their rows; a row that cannot be read hides none of the others."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable

from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import Prompt, clean_line, prompt_bytes
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.prompts import as_prompt

_IDS = ("run_ids", "category_ids", "workflow_metric_ids")
_TEXTS = ("reason", "profile", "agent_name", "prompt_source", "owner")
_TEXTS_IF_ANY = ("progress_id", "last_status", "summary_of_changes", "error")
_ID_IF_ANY = ("agent_id", "again_of")
_TIMES_IF_ANY = ("launched_at", "finished_at", "answered_at", "stale_since", "took")
_FORMS: tuple[tuple[tuple[str, ...], type | tuple[type, ...]], ...] = (
    ((*_TEXTS, "prompt_sha256"), str),
    ((*_TEXTS_IF_ANY, "improved_sha256"), (str, type(None))),
    (_ID_IF_ANY, (int, type(None))),
    (_TIMES_IF_ANY, (float, int, type(None))),
    (("created_at",), (float, int)),
)
_LATEST = 1e11
"""Seconds of Unix time, some three thousand years from now: no clock says more, and no library shows it."""
NOTHING: dict[str, object] = {
    **dict.fromkeys(_IDS, "[]"),
    **dict.fromkeys(_TEXTS, ""),
    **dict.fromkeys((*_TEXTS_IF_ANY, *_ID_IF_ANY, *_TIMES_IF_ANY)),
    "created_at": 0.0,
}
"""Columns as they are in the row of a job of which nothing is known but its texts."""
_NAMED = 5


class UnreadableJob(StoreError):
    """The row of a job is damaged, or in a form of a version to come."""

    def __init__(self, number: int, why: str, hint: str = "") -> None:
        drop = f"`jobs forget {number} --force` drops it on this machine."
        super().__init__(f"Job {number} cannot be read: {why}.", f"{hint} {drop}".strip())
        self.number = number


def read_job(row: sqlite3.Row, key_id: str) -> Job:
    """A job of its row, as the key `key_id` sees it; raises UnreadableJob."""
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over its values
    number = values["number"]
    for name in _IDS:
        values[name] = _ids(number, name, values[name])
    if isinstance(values["prompt_source"], bytes):
        with contextlib.suppress(DamagedText):
            values["prompt_source"] = as_prompt(values["prompt_source"])
    for names, form in _FORMS:
        for name in names:
            if not isinstance(values[name], form):
                raise _damaged(number, name)
    for name in ("created_at", *_TIMES_IF_ANY):
        if values[name] is not None and not is_time(values[name]):
            raise _damaged(number, name)
    try:
        state = JobState(values["state"])
    except ValueError:
        word = clean_line(str(values["state"]), 40)
        why = f"its state “{word}” is not known here"
        raise UnreadableJob(number, why, "If a newer cekura-tui wrote it, update this one.") from None
    return Job(**{**values, "state": state, "other_key": values["key_id"] != key_id})


def read_jobs(rows: Iterable[sqlite3.Row], key_id: str) -> tuple[list[Job], StoreError | None]:
    """The jobs of those rows that can be read, and what tells of the others."""
    jobs: list[Job] = []
    left_out: list[UnreadableJob] = []
    for row in rows:
        try:
            jobs.append(read_job(row, key_id))
        except UnreadableJob as error:
            left_out.append(error)
    if len(left_out) < 2:
        return jobs, left_out[0] if left_out else None
    numbers = sorted(error.number for error in left_out)
    named = ", ".join(map(str, numbers[:_NAMED])) + (", …" if len(numbers) > _NAMED else "")
    told = f"{len(numbers):,} jobs cannot be read, and are left out: {named}."
    return jobs, StoreError(told, f"`jobs show {numbers[0]}` tells why.")


def is_time(value: object) -> bool:
    """Whether a column holds a time or a duration, in seconds, that there may be."""
    return isinstance(value, float | int) and abs(value) < _LATEST


def source_column(source: str) -> str | bytes:
    """A job's `prompt_source` as it is kept: as bytes where it holds surrogates, which no text in SQLite may."""
    try:
        source.encode()
    except UnicodeEncodeError:
        return prompt_bytes(Prompt(source))
    return source


def _ids(number: int, name: str, kept: object) -> tuple[int, ...]:
    try:
        ids = json.loads(kept) if isinstance(kept, str) else None
    except (ValueError, RecursionError):
        ids = None
    if not isinstance(ids, list) or not all(type(one) is int for one in ids):
        raise _damaged(number, name)
    return tuple(ids)


def _damaged(number: int, column: str) -> UnreadableJob:
    return UnreadableJob(number, f"what is kept as its {column} is damaged")


LIST = """
WITH mine AS (
    SELECT * FROM jobs WHERE origin = ?1 AND state != 'forgotten'
    AND (key_id = ?2 AND (?4 OR state != 'draft') OR profile = ?3 AND state != 'draft')
)
SELECT * FROM mine WHERE state NOT IN ('succeeded', 'no_issues', 'failed')
OR number > coalesce((SELECT number FROM mine ORDER BY number DESC LIMIT 1 OFFSET ?5), 0) ORDER BY number DESC"""
"""The jobs of an origin that a key or its profile launched, newest first: all that have not ended, of the others so
many as are among the newest; with drafts where that is wished."""
