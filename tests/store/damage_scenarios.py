"""Damage a database as the scenarios of a text file say, and report all differences from the intact database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from damaged_files import DAMAGES, KEY, ORIGIN, job_in_every_state

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Draft, Job, Suggestion
from cekura_tui.model.text import sha256
from cekura_tui.store.runs import read_cached_start
from cekura_tui.store.salvage import COPIED_TABLES
from cekura_tui.store.sqlite_pages import Pages, page_owners
from cekura_tui.store.store import Store


def answers() -> Iterator[str]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cekura.db"
        job_in_every_state(path)
        whole, before = path.read_bytes(), dict(_facts(path))
        for scenario in Path(__file__).with_name("damage_scenarios.txt").read_text().split("⁂ ")[1:]:
            path.write_bytes(whole)
            title, *steps = scenario.splitlines()
            for step in filter(None, steps):
                _perform(path, *step.split(maxsplit=1))
            now, again = dict(_facts(path)), dict(_facts(path))
            yield f"⁂ {title}"
            differences: dict[str, list[str]] = {}
            for name in (name for name in now if before.get(name) != now[name]):
                about, _, field = name.rpartition(" ") if name[0].isdigit() else ("", "", name)
                differences.setdefault(f"{field}: {now[name]}", []).append(about)
            yield from (f"{' '.join(about)} {fact}".lstrip() for fact, about in differences.items())
            yield from (f"then {name}: {value}" for name, value in again.items() if now[name] != value)


def _perform(path: Path, what: str, about: str) -> None:
    """Execute the SQL `about`, or damage the pages in `about`, given by number or by the name of a table or index."""
    with closing(sqlite3.connect(path, isolation_level=None)) as sql, closing(Pages(path)) as pages:
        named, names = page_owners(pages), about.split()
        if what == "sql":
            sql.execute(about)
            return
    for page in range(1, pages.count + 1):
        if str(page) in names or named.get(page) in names:
            path.write_bytes(DAMAGES[what](path.read_bytes(), page))


def _facts(path: Path) -> Iterator[tuple[str, object]]:
    with closing(Store(path, ORIGIN, KEY, "default")) as store:
        facts = list(_facts_of(store, path))  # damage is detected only by reading
        yield (
            "notice",
            store.database.notice.partition(";")[0],
        )  # without the name of the damaged file, which has a time
        yield from facts


def _facts_of(store: Store, path: Path) -> Iterator[tuple[str, object]]:
    read, jobs = store.database.read, store.jobs
    for job in jobs.all(drafts=True):
        names = [name for name in Job.__slots__ if name != "key_id"]  # it depends on the file's salt
        yield from ((f"{job.number} {name}", _short(getattr(job, name))) for name in names)
        for what in (jobs.suggestion, jobs.draft_of):
            yield f"{job.number} {what.__name__}", _texts(what, job)
        yield f"{job.number} changes", [(one.at, str(one.state), one.reason) for one in jobs.changes(job.number)]
        yield f"{job.number} answers", [(_short(one.raw), one.first_at) for one in jobs.answers(job.number)]
    yield "history", [(use.how, use.at, use.job) for use in store.prompt_uses.all(7)]
    yield "unreadable", jobs.unreadable and jobs.unreadable.sentence()
    yield "forgotten", [tuple(row)[:4] for row in read("SELECT * FROM jobs WHERE state = 'forgotten'")]
    yield "read", [job.number for job in jobs.all(drafts=True)]
    yield "first frame", [job.number for job in read_cached_start(path, ORIGIN, KEY, "default", None).jobs]
    yield "not ended", [job.number for job in jobs.unfinished()]
    for table in COPIED_TABLES:
        yield table, len(read(f"SELECT * FROM {table}"))
    yield "without a job or prompt", [tuple(row)[:3] for row in read("PRAGMA foreign_key_check")]
    yield "last number", [tuple(row) for row in read("SELECT * FROM sqlite_sequence WHERE name = 'jobs'")]


def _texts(read: Callable[[Job], Suggestion | Draft], job: Job) -> list[object]:
    """The shortened prompts of a job; if reading the prompts fails, the message of the error instead."""
    try:
        found = read(job)
        return [_short(found.prompt), _short(getattr(found, "improved_prompt", None))]
    except CekuraTuiError as error:
        return [_short(error.sentence())]


def _short(value: object) -> object:
    text = ascii(value)
    return text if len(text) < 50 else f"{text[:20]}… {sha256(text)[:4]}"
