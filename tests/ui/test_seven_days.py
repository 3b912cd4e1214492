"""The app stays open for days: after a week it holds no more objects than on the second evening."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from pathlib import Path

import pytest
from a_week import DAYS, JOBS_PER_DAY, Evening, Week, a_week, draft_of, end_of, improved, is_long_job
from app_on_a_server import no_crash
from scripted_server import ScriptedServer

from cekura_tui.jobs import engine
from cekura_tui.store.jobs import MAX_ANSWERS
from cekura_tui.ui.jobs.screen import CACHED_PREVIEWS

JOBS = DAYS * JOBS_PER_DAY
ONE_A_JOB = ("cekura_tui.model.job.Job", "cekura_tui.ui.jobs.list.JobRow", "cekura_tui.ui.kit.strips.RowState")
"""Types with one object per job in each list of jobs; `RowState` has one per drawn row only."""
OF_ONE_JOB = ("cekura_tui.store.jobs.RawAnswer", "cekura_tui.store.jobs.StateChange")
"""Types whose objects belong to the job opened last; their number depends on the number of the job's answers."""
PREVIEWED = (
    "cekura_tui.ui.jobs.preview.ChangeSummary",
    "cekura_tui.ui.jobs.preview.ChangeExcerpt",
    "cekura_tui.ui.jobs.job.Fact",
)
"""Types whose objects are cached for the jobs previewed last: at most five changes per job. The lines of the last
preview are also of these types."""
LISTED = ("cekura_tui.model.run.view.RunRow", "cekura_tui.model.run.outcome.Outcome")
"""Types with one object per run in each of one to three lists of 30 runs: the current, the previous and the one being
read. Tests that ran before may have left others."""
STYLED = ("cekura_tui.ui.terminal.textual_private._RuleConditions",)
"""The type of cached style conditions: one object per widget type. A screen opened for the first time adds objects."""
ONE_SCREEN = 20
"""Maximum number of widget types that only one screen has."""
TEMPORARY = 2
"""Number of objects by which a later evening may exceed earlier evenings, for each type; a leak adds more."""
JOURNAL = 4 * 2**20 + 2**17
"""Maximum bytes of SQLite's write-ahead log, which is written back at about 1,000 pages and then keeps its size."""


@pytest.mark.long
async def test_after_seven_days_all_jobs_have_ended_and_nothing_has_piled_up(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "TICK", 60.0)  # no other process writes, so one check a minute is enough
    async with a_week(home, scripted) as week:
        for _ in range(DAYS):
            await week.run_day()
        no_crash(week.pilot)
    assert [evening.jobs for evening in week.evenings] == [JOBS_PER_DAY * day for day in range(1, DAYS + 1)]
    assert piled_up(week.evenings[:2], week.evenings[-2:]) == {}
    with sqlite3.connect(week.workspace.setup.paths.database) as sql:
        check_jobs_ended(sql)
        check_database_size(sql, week)
    sql.close()


def piled_up(earlier: Sequence[Evening], later: Sequence[Evening]) -> dict[str, tuple[int, int]]:
    """Types with more objects than allowed, with the maximum of `earlier` and the minimum of `later`. An evening may be
    measured while a timer runs or a list is reloading; a leak grows every day."""
    most, least = reduce(or_, map(counted, earlier)), reduce(and_, map(counted, later))
    may_be = Counter({name: most[name] + TEMPORARY for name in least})
    may_be |= Counter(dict.fromkeys(OF_ONE_JOB, MAX_ANSWERS) | dict.fromkeys(PREVIEWED, 5 * CACHED_PREVIEWS))
    may_be |= Counter({name: most[name] + ONE_SCREEN for name in STYLED})
    may_be |= Counter({name: most[name] + 3 * 30 + 1 for name in LISTED})
    may_be |= Counter(dict.fromkeys(ONE_A_JOB, 3 * JOBS))
    return {name: (most[name], now) for name, now in least.items() if now > may_be[name]}


def counted(evening: Evening) -> Counter[str]:
    return evening.live_objects + Counter(tasks=evening.tasks, open_files=evening.open_files)


def check_jobs_ended(sql: sqlite3.Connection) -> None:
    """Check that every job has ended in its expected state, with its sent and its improved prompt."""
    query = """
        SELECT state, sent.text, brought.text FROM jobs JOIN prompts AS sent ON sent.sha256 = prompt_sha256
        LEFT JOIN prompts AS brought ON brought.sha256 = improved_sha256 ORDER BY number"""
    for number, (state, sent, brought) in enumerate(sql.execute(query).fetchall(), 1):
        wanted = improved(number).encode() if state == "succeeded" else None
        assert (state, sent, brought) == (end_of(number).value, draft_of(number).prompt.encode(), wanted)


def check_database_size(sql: sqlite3.Connection, week: Week) -> None:
    """Check that the database has few rows per job and at most three times the bytes of their texts, plus JOURNAL."""
    answers = dict(sql.execute("SELECT job, count(*) FROM job_answers GROUP BY job").fetchall())
    assert {answers.pop(number) for number in range(1, JOBS + 1) if is_long_job(number)} == {MAX_ANSWERS}
    assert max(answers.values()) <= 4
    (jobs, changes, prompts, texts) = sql.execute(
        "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM job_changes), (SELECT count(*) FROM prompts), "
        "(SELECT sum(length(text)) FROM prompts) + (SELECT sum(length(raw)) FROM job_answers)"
    ).fetchone()
    succeeded = sum(end_of(number) == "succeeded" for number in range(1, JOBS + 1))
    assert (jobs, changes, prompts) == (JOBS, 3 * JOBS, 6 + succeeded)
    assert week.evenings[-1].database_bytes <= 3 * texts + JOURNAL
