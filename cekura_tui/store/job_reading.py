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
"""Among so many of the newest jobs are the ended ones that are listed."""
LIST = """
WITH mine AS (
    SELECT * FROM jobs WHERE origin = ?1 AND state != 'forgotten'
    AND ((key_id = ?2 OR ?6) AND (?4 OR state != 'draft') OR profile = ?3 AND state != 'draft')
)
SELECT * FROM mine WHERE state NOT IN ('succeeded', 'no_issues', 'failed')
OR number > coalesce((SELECT number FROM mine ORDER BY number DESC LIMIT 1 OFFSET ?5), 0) ORDER BY number DESC"""
"""The jobs of an origin that a key or its profile launched, newest first: all that have not ended, of the others so
many as are among the newest; with drafts where they are asked for, and with ?6 whichever key launched them."""
STATES = frozenset(map(str, JobState))


class UnreadableJob(StoreError):
    """The row of a job is damaged, or in a form of a version to come."""

    def __init__(self, number: int, why: str, hint: str = "") -> None:
        drop = f"To remove the job from this machine, run `jobs forget {number} --force`."
        super().__init__(f"Can't read job {number}: {why}.", f"{hint} {drop}".strip())
        self.number = number


_LATEST = 1e11
"""Seconds of Unix time, some three thousand years from now: no clock says more, and no library shows it."""
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int | None": (int, type(None)),
    "float": (float, int),
    "float | None": (float, int, type(None)),
}
_COLUMNS = {column.name: _TYPES[str(column.type)] for column in fields(Job) if column.type in _TYPES}
"""What a column may hold that is read as it is: SQLite itself takes anything in any, and what draws a job must not."""
_JSON: dict[str, type[Any]] = {"run_ids": list, "category_ids": list, "workflow_metric_ids": list, "parameters": dict}
_SENT = ("reason", "last_status", "summary_of_changes", "error")
"""Texts of the server, which are stored as they came and cleaned when they are read."""
_ORIGINAL = ("origin", "key_id", "prompt_sha256", "improved_sha256", "kind")
EMPTY_COLUMNS: dict[str, object] = {
    **{name: None if type(None) in types else types[0]() for name, types in _COLUMNS.items() if name not in _ORIGINAL},
    **{name: json.dumps(form()) for name, form in _JSON.items()},
    "result": None,
    "kind": DEFAULT_KIND,
}
"""Columns as they are in the row of a job of which nothing is known but whose it is and its texts."""
_NAMED = 5


def read_job(row: sqlite3.Row, key_id: str | None) -> Job:
    """A job of its row, as the key `key_id` sees it, or whoever has none; raises UnreadableJob."""
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
    return Job(**{**values, **{name: clean(text) for name, text in sent.items()}, **own})


def _is_kind(name: str) -> bool:
    if name == DEFAULT_KIND:
        return True
    from cekura_tui.model.job_kinds import KINDS  # what is sent and answered is not for the first frame

    return name in KINDS


def _parsed(text: object, form: type) -> Any:
    """A column that holds JSON: an object, or a list of ids; raises ValueError or TypeError for any other."""
    value: Any = json.loads(text) if isinstance(text, str) else None
    if type(value) is dict and form is dict:
        return value
    if type(value) is list and form is list and all(type(one) is int for one in value):
        return tuple(value)
    raise TypeError


def read_jobs(rows: Iterable[sqlite3.Row], key_id: str | None) -> tuple[list[Job], StoreError | None]:
    """The jobs of those rows that can be read, and an error that names the others, if there are any."""
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
    """Raw answers about a job, as far as they are whole JSON objects."""
    for raw in raws:
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            if isinstance(answer := json.loads(raw), dict):  # type: ignore[arg-type]
                yield answer


def prompt_in_answers(raws: Iterable[object], kind: str, name: str) -> Prompt | None:
    """The improved prompt of this hash, from the raw answer that brought it; None where that is not there."""
    from cekura_tui.model.job_kinds import KINDS  # what is answered is not for the first frame

    for answer in parsed_answers(raws):
        improved = KINDS[kind].read_progress(answer).improved_prompt
        if improved is not None and sha256(improved) == name:
            return improved
    return None


def is_time(value: object) -> bool:
    """Whether a column holds a time or a duration, in seconds, that there may be."""
    return isinstance(value, float | int) and abs(value) < _LATEST
