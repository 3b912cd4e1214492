"""Reading the rows of jobs: one that cannot be read hides none of the others."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from cekura_tui.model.job import DEFAULT_KIND, Job, JobState
from cekura_tui.model.text import Prompt, clean, clean_line, sha256
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.prompts import as_prompt

LISTED = 2_000
"""Ended jobs are listed if they are among this many of the newest jobs."""
LIST = """
WITH mine AS (
    SELECT * FROM jobs WHERE origin = ?1 AND state != 'forgotten'
    AND ((key_id = ?2 OR ?6) AND (?4 OR state != 'draft') OR profile = ?3 AND state != 'draft')
)
SELECT * FROM mine WHERE state NOT IN ('succeeded', 'no_issues', 'failed')
OR number > coalesce((SELECT number FROM mine ORDER BY number DESC LIMIT 1 OFFSET ?5), 0) ORDER BY number DESC"""
"""The jobs of origin ?1 that key ?2 (with ?6 any key) or profile ?3 launched, newest first, with ?4 drafts too: all
that have not ended, and the ended ones among the newest ?5."""
STATES = frozenset(map(str, JobState))


class UnreadableJob(StoreError):
    """The row of a job is damaged, or a newer version wrote it."""

    def __init__(self, number: int, why: str, hint: str = "") -> None:
        drop = f"To remove the job from this machine, run `jobs forget {number} --force`."
        super().__init__(f"Can't read job {number}: {why}.", f"{hint} {drop}".strip())
        self.number = number


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int | None": (int, type(None)),
    "float": (float, int),
    "float | None": (float, int, type(None)),
}
_FIELDS = frozenset(column.name for column in fields(Job))
_COLUMNS = {column.name: _TYPES[str(column.type)] for column in fields(Job) if column.type in _TYPES}
"""The types that a column read as it is may hold: SQLite itself takes any value in any column."""
_JSON: dict[str, type[Any]] = {"run_ids": list, "category_ids": list, "workflow_metric_ids": list, "parameters": dict}
_SENT = ("reason", "last_status", "summary_of_changes", "error")
"""Texts of the server, stored as sent and cleaned when read."""
_ORIGINAL = ("origin", "key_id", "prompt_sha256", "improved_sha256", "kind")
EMPTY_COLUMNS: dict[str, object] = {
    **{name: None if type(None) in types else types[0]() for name, types in _COLUMNS.items() if name not in _ORIGINAL},
    **{name: json.dumps(form()) for name, form in _JSON.items()},
    "result": None,
    "kind": DEFAULT_KIND,
}
"""The columns of a job of which only owner and texts are known."""
_NAMED = 5


def read_job(row: sqlite3.Row, key_id: str | None) -> Job:
    """A job of its row, as the key `key_id` (None: any key) sees it; raises UnreadableJob."""
    values: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    number, name = values["number"], ""
    try:
        for name, form in _JSON.items():
            values[name] = _parsed(values[name], form)
        name = "result"
        values[name] = None if values[name] is None else _parsed(values[name], dict)
        for name in ("prompt_source", *_SENT):
            if isinstance(values[name], bytes):
                values[name] = as_prompt(values[name])
        for name, types in _COLUMNS.items():
            if type(values[name]) not in types or (float in types and not is_time(values[name] or 0.0)):
                raise TypeError
    except (KeyError, ValueError, TypeError, RecursionError, DamagedText):
        raise UnreadableJob(number, f"{name} is damaged") from None
    for name, known in (("state", values["state"] in STATES), ("kind", _is_kind(values["kind"]))):
        if not known:
            why = f"unknown {name} “{clean_line(str(values[name]), 40)}”"
            raise UnreadableJob(number, why, "If a newer cekura-tui saved the job, update this one.")
    sent = {name: text for name in _SENT if (text := values[name]) is not None and text != clean(text)}
    own = {"state": JobState(values["state"]), "other_key": key_id not in (None, values["key_id"]), "sent": sent}
    of_job = {name: value for name, value in values.items() if name in _FIELDS}  # a newer version may add columns
    return Job(**{**of_job, **{name: clean(text) for name, text in sent.items()}, **own})


def _is_kind(name: str) -> bool:
    if name == DEFAULT_KIND:
        return True
    from cekura_tui.model.job_kinds import KINDS  # what is sent and answered is not for the first frame

    return name in KINDS


def _parsed(text: object, form: type) -> Any:
    """Parse a column that holds a JSON object or a list of ids; raises ValueError or TypeError for another value."""
    value: Any = json.loads(text) if isinstance(text, str) else None
    if type(value) is dict and form is dict:
        return value
    if type(value) is list and form is list and all(type(one) is int for one in value):
        return tuple(value)
    raise TypeError


def read_jobs(rows: Iterable[sqlite3.Row], key_id: str | None) -> tuple[list[Job], StoreError | None]:
    """The jobs of the readable rows, and an error that names the others, if any."""
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
    message = f"Can't read {len(numbers):,} jobs; not listed: {named}."
    return jobs, StoreError(message, f"To see why, run `jobs show {numbers[0]}`.")


def parsed_answers(raws: Iterable[object]) -> Iterator[dict[str, object]]:
    """The raw answers that are whole JSON objects, parsed."""
    for raw in raws:
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            if isinstance(answer := json.loads(raw), dict):  # type: ignore[arg-type]
                yield answer


def prompt_in_answers(raws: Iterable[object], kind: str, name: str) -> Prompt | None:
    """The improved prompt of this hash, from the raw answer that contained it; None if there is none."""
    from cekura_tui.model.job_kinds import KINDS  # what is answered is not for the first frame

    for answer in parsed_answers(raws):
        improved = KINDS[kind].read_progress(answer).improved_prompt
        if improved is not None and sha256(improved) == name:
            return improved
    return None


def is_time(value: object) -> bool:
    """Whether a value is a possible time or duration in seconds."""
    return isinstance(value, float | int) and abs(value) < 1e11  # libraries can't format later times
