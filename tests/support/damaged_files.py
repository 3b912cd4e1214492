"""Damage a page of a database, and find the jobs that the program or SQLite's `.recover` command recovers."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from cekura_tui.jobs.owner import this_process
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store

ORIGIN, KEY, PAGE = "https://api.example", "key-of-the-test", 4096
STATES = [state for state in JobState if state != JobState.FORGOTTEN]
CLI = shutil.which("sqlite3")


def prompt_of(what: str) -> Prompt:
    """A prompt of about 10 kB, different for each `what`."""
    words = random.Random(what)
    return Prompt(f"{what}:\n" + " ".join(str(words.randrange(10**6)) for _ in range(1_500)))


def job_in_every_state(path: Path) -> None:
    """Create a database with one job for each of `STATES`, prompts of 10 kB, a note, a draft note and a saved view."""
    with closing(Store(path, ORIGIN, KEY, "default")) as store:
        jobs = store.jobs
        for n, state in enumerate(STATES):
            at = 1_000_000.5 + 1_000 * n
            draft = Draft((100 + n,), prompt_of(f"sent {state}"), 7, "Agent 7", prompt_source="agent")
            if state == JobState.DRAFT:
                jobs.save_draft(draft, at)
                continue
            number = jobs.begin_launch(draft, at, this_process()).number
            if state == JobState.LAUNCHING:
                continue
            if state == JobState.UNCONFIRMED:
                jobs.record_state(number, state, "No answer.", at + 1, only_from=(JobState.LAUNCHING,))
                continue
            progress_id = f"progress-{state}"
            jobs.record_progress_id(number, progress_id, json.dumps({"progress_id": progress_id}), at + 1)
            if state in (JobState.STOPPED, JobState.LOST):
                jobs.record_state(number, state, "For a reason.", at + 2, only_from=(JobState.RUNNING,))
            if answer := _LAST.get(state):
                jobs.record_answer(number, read_progress(answer), json.dumps(answer), at + 3)
        store.notes.put(101, "Asked twice for the name.", 1_000_001.5)
        store.notes.put_draft(101, "Asked twice.")
        store.views.save("failed ones", "status:failed", 1_000_002.5)


_LAST = {
    JobState.SUCCEEDED: {
        "status": "completed",
        "output": {"improved_prompt": prompt_of("proposed"), "summary_of_changes": "Kinder. " * 1_000},
    },
    JobState.NO_ISSUES: {"status": "failed", "error": "No issues found."},
    JobState.FAILED: {"status": "failed", "error": "The model gave up."},
}


@dataclass
class Found:
    """Recovered data of jobs: their numbers (`jobs`), pairs of number and progress id (`ids`), and pairs of number and
    hash of an intact proposed prompt (`results`)."""

    jobs: set[int] = field(default_factory=set)
    ids: set[tuple[int, str]] = field(default_factory=set)
    results: set[tuple[int, str]] = field(default_factory=set)

    def lacks(self, other: Found) -> list[object]:
        """Entries that `other` has and this object lacks."""
        return [*(other.jobs - self.jobs), *(other.ids - self.ids), *(other.results - self.results)]

    def add(self, number: int, progress_id: object, improved: object, texts: set[str]) -> None:
        self.jobs.add(number)
        if isinstance(progress_id, str):
            self.ids.add((number, progress_id))
        if isinstance(improved, str) and improved in texts:
            self.results.add((number, improved))


def found_by_us(path: Path) -> Found:
    """Jobs and results that the program reads from a damaged database."""
    found = Found()
    with closing(Store(path, ORIGIN, KEY, "default")) as store:
        texts = _whole(store.database.read("SELECT sha256, text FROM prompts"))
        for job in store.jobs.all(drafts=True):
            found.add(job.number, job.progress_id, job.improved_sha256, texts)
    return found


def found_by_sqlite(path: Path, work: Path) -> Found:
    """Jobs and results that SQLite's `.recover` saves into the database `work`, also in its table `lost_and_found`."""
    script = subprocess.run([CLI or "sqlite3", path, ".recover"], capture_output=True, check=False).stdout
    found = Found()
    work.unlink(missing_ok=True)
    subprocess.run([CLI or "sqlite3", work], input=script, capture_output=True, check=False)
    with closing(sqlite3.connect(work)) as sql:
        sql.text_factory = bytes
        lost = list(_rows(sql, "SELECT nfield, id, * FROM lost_and_found"))
        lost_rows = [(row[1], row[6:]) for row in lost]
        texts = _whole(_rows(sql, "SELECT sha256, text FROM prompts"))
        texts |= _whole((row[0], row[1]) for _, row in lost_rows if len(row) > 1)
        for number, progress_id, improved in _rows(sql, "SELECT number, progress_id, improved_sha256 FROM jobs"):
            found.add(number, _text(progress_id), _text(improved), texts)
        for number, row in lost_rows:
            if len(row) >= 24 and _text(row[1]) in STATES and row[12] is not None:
                found.add(number, _text(row[13]), _text(row[15]), texts)
    return found


def _rows(sql: sqlite3.Connection, query: str) -> Iterator[tuple[object, ...]]:
    try:
        yield from sql.execute(query)
    except sqlite3.Error:
        return


def _text(value: object) -> object:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _whole(rows: object) -> set[str]:
    return {
        name
        for name, text in ((_text(row[0]), row[1]) for row in rows)  # type: ignore[attr-defined]
        if isinstance(text, bytes) and hashlib.sha256(text).hexdigest() == name
    }


Damage = Callable[[bytes, int], bytes]
"""A function that takes the bytes of a database and a page number from 1, and returns the damaged bytes."""


def overwritten(with_: Callable[[bytes, int], bytes]) -> Damage:
    """Damage that replaces one page with the bytes that `with_` returns, cut or padded with zeros to the page size."""

    def damage(data: bytes, page: int) -> bytes:
        at = (page - 1) * PAGE
        return data[:at] + with_(data, page)[:PAGE].ljust(PAGE, b"\0") + data[at + PAGE :]

    return damage


DAMAGES: dict[str, Damage] = {
    "a5": overwritten(lambda data, page: b"\xa5" * PAGE),
    "zeros": overwritten(lambda data, page: b"\0" * PAGE),
    "noise": overwritten(lambda data, page: random.Random(page).randbytes(PAGE)),
    "another page": overwritten(lambda data, page: data[page * PAGE : (page + 1) * PAGE] or data[:PAGE]),
    "cut off": lambda data, page: data[: (page - 1) * PAGE],
}
