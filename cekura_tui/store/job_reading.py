"""Parse the rows of jobs; the readable jobs are returned even if some rows are unreadable."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from cekura_tui.model.job import DEFAULT_KIND, Job, JobState
from cekura_tui.model.text import Prompt, clean, clean_line, sha256
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.prompts import as_prompt

MAX_LISTED = 2_000
"""A finished job is listed only if it is among this many newest jobs."""
JOB_COLUMNS = ", ".join(column.name for column in fields(Job) if column.name not in ("other_key", "sent", "update"))
SELECT_LISTED = f"""
WITH mine AS (
    SELECT {JOB_COLUMNS} FROM jobs WHERE origin = ?1 AND state != 'forgotten'
    AND ((key_id = ?2 OR ?6) AND (?4 OR state != 'draft') OR profile = ?3 AND state != 'draft')
)
SELECT * FROM mine WHERE state NOT IN ('succeeded', 'no_issues', 'failed')
OR number > coalesce((SELECT number FROM mine ORDER BY number DESC LIMIT 1 OFFSET ?5), 0) ORDER BY number DESC"""
"""Selects jobs of origin ?1, newest first, with key ?2 or profile ?3 (with any key if ?6 is true). Drafts: only by key,
and if ?4 is true. Finished jobs: only among the newest ?5 jobs. Forgotten jobs: never."""
STATES = frozenset(map(str, JobState))


class UnreadableJob(StoreError):
    """A job's row is damaged, or was written by a newer version."""

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
_COLUMNS = {column.name: _TYPES[str(column.type)] for column in fields(Job) if column.type in _TYPES}
"""The Python types accepted in each column that is not JSON; SQLite itself accepts any value in any column."""
_JSON: dict[str, type[Any]] = {"run_ids": list, "category_ids": list, "workflow_metric_ids": list, "parameters": dict}
_SENT = ("reason", "last_status", "summary_of_changes", "error")
"""Columns with texts from the server, which are stored unchanged and cleaned when read."""
_ORIGINAL = ("origin", "key_id", "prompt_sha256", "improved_sha256", "kind")
EMPTY_COLUMNS: dict[str, object] = {
    **{name: None if type(None) in types else types[0]() for name, types in _COLUMNS.items() if name not in _ORIGINAL},
    **{name: json.dumps(form()) for name, form in _JSON.items()},
    "result": None,
    "kind": DEFAULT_KIND,
}
"""Default values for a damaged job's columns, except for the origin, the key id and the prompt hashes."""
_MAX_NAMED = 5


def read_job(row: sqlite3.Row, key_id: str | None) -> Job:
    """Parse a job's row; raises UnreadableJob. `Job.other_key`: whether its key is not `key_id`, if that is given."""
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
    from cekura_tui.model.job_kinds import KINDS  # keeps the kinds' modules out of the first frame

    return name in KINDS


def _parsed(text: object, form: type) -> Any:
    """Parse a JSON column as `form`: a dict, or a list of ids, returned as a tuple. Raises ValueError or TypeError."""
    value: Any = json.loads(text) if isinstance(text, str) else None
    if type(value) is dict and form is dict:
        return value
    if type(value) is list and form is list and all(type(one) is int for one in value):
        return tuple(value)
    raise TypeError


def read_jobs(rows: Iterable[sqlite3.Row], key_id: str | None) -> tuple[list[Job], StoreError | None]:
    """The readable jobs; and an error that names the unreadable jobs, or None if all jobs are readable."""
    jobs: list[Job] = []
    unreadable: list[UnreadableJob] = []
    for row in rows:
        try:
            jobs.append(read_job(row, key_id))
        except UnreadableJob as error:
            unreadable.append(error)
    if len(unreadable) < 2:
        return jobs, unreadable[0] if unreadable else None
    numbers = sorted(error.number for error in unreadable)
    named = ", ".join(map(str, numbers[:_MAX_NAMED])) + (", …" if len(numbers) > _MAX_NAMED else "")
    message = f"Can't read {len(numbers):,} jobs; not listed: {named}."
    return jobs, StoreError(message, f"To see why, run `jobs show {numbers[0]}`.")


def with_updates(read: Callable[..., Sequence[sqlite3.Row]], jobs: Sequence[Job]) -> list[Job]:
    """Jobs of one server with the outcomes of their updates; `read` executes a statement with values."""
    if not any(job.improved_sha256 for job in jobs):
        return list(jobs)
    uses: dict[int, list[Any]] = {}
    for row in read(_UPDATE_USES, jobs[0].origin, jobs[0].agent_id if len(jobs) == 1 else None):
        uses.setdefault(row["agent_id"], []).append((row["sha256"], row["how"], row["at"], row["job"]))
    if not uses:
        return list(jobs)
    from cekura_tui.model.prompt_events import update_outcomes  # keeps this module out of most first frames

    sent = {job.number: job.prompt_sha256 for job in jobs}
    found = {number: one for of_agent in uses.values() for number, one in update_outcomes(of_agent, sent).items()}
    for number in sent.keys() & {number for number, one in found.items() if one.state == "current"}:
        for row in read(_STAGED_AT_LAST_WRITE, number):
            with contextlib.suppress(DamagedText):
                found[number] = replace(found[number], is_behind=sha256(as_prompt(row["text"])) != row["sha256"])
    return [replace(job, update=found[job.number]) if job.number in found else job for job in jobs]


_UPDATE_USES = """
SELECT agent_id, sha256, how, at, job FROM prompt_uses WHERE origin = ?1
AND agent_id IN (SELECT agent_id FROM prompt_uses WHERE job IS NOT NULL AND how = 'written')
AND (?2 IS NULL OR agent_id = ?2) ORDER BY rowid"""
_STAGED_AT_LAST_WRITE = """
SELECT typed.text, staged.sha256 FROM typed JOIN staged USING (job)
JOIN prompt_uses ON hunk = 'written ' || prompt_uses.sha256
WHERE typed.job = ? AND how = 'written' ORDER BY prompt_uses.rowid DESC LIMIT 1"""


def parsed_answers(raws: Iterable[object]) -> Iterator[dict[str, object]]:
    """Parse raw answers, skipping any that is not a JSON object."""
    for raw in raws:
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            if isinstance(answer := json.loads(raw), dict):  # type: ignore[arg-type]
                yield answer


def prompt_in_answers(raws: Iterable[object], kind: str, name: str) -> Prompt | None:
    """The improved prompt with the hash `name` in raw answers about a job of this kind; None if in no answer."""
    from cekura_tui.model.job_kinds import KINDS  # keeps the kinds' modules out of the first frame

    for answer in parsed_answers(raws):
        improved = KINDS[kind].read_progress(answer).improved_prompt
        if improved is not None and sha256(improved) == name:
            return improved
    return None


def is_time(value: object) -> bool:
    """Whether a value is a plausible time or duration: a number of seconds below 1e11."""
    return isinstance(value, float | int) and abs(value) < 1e11  # libraries can't format later times
