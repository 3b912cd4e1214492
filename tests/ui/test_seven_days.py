"""The app stays open for days: what it holds at the end of a week is what it held on the second evening."""

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
"""What is held of each job that is listed, by each list that shows it; the last one as far as its row was drawn."""
OF_ONE_JOB = ("cekura_tui.store.jobs.RawAnswer", "cekura_tui.store.jobs.StateChange")
"""What is held of the job that was looked at last, few of most and many of one that is_long_job."""
PREVIEWED = (
    "cekura_tui.ui.jobs.preview.ChangeSummary",
    "cekura_tui.ui.jobs.preview.ChangeExcerpt",
    "cekura_tui.ui.jobs.job.Fact",
)
"""What is cached of the jobs that were previewed last, five changes of each at most; and the lines of the last one."""
LISTED = ("cekura_tui.model.run.view.RunRow", "cekura_tui.model.run.outcome.Outcome")
"""What is held of each of the 30 runs, by the list as it is, as it was and as it is read."""
STYLED = ("cekura_tui.ui.terminal.textual_private._RuleConditions",)
"""What rules ask of the kinds of widgets that were ever shown: more when a screen is opened for the first time."""
ONE_SCREEN = 20
"""So many kinds may a screen have that no other one has."""
GOING_ON = 2
"""So many of a kind may be there for a moment; of what is left behind each evening there are more after a week."""
JOURNAL = 4 * 2**20 + 2**17
"""Bytes of SQLite's journal: it is written back at about 1,000 pages, and keeps its size."""


@pytest.mark.long
async def test_after_seven_days_all_jobs_have_ended_and_nothing_has_piled_up(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "TICK", 60.0)  # no other window writes, so nobody need look each second for a week
    async with a_week(home, scripted) as week:
        for _ in range(DAYS):
            await week.run_day()
        no_crash(week.pilot)
    assert [evening.jobs for evening in week.evenings] == [JOBS_PER_DAY * day for day in range(1, DAYS + 1)]
    assert piled_up(week.evenings[:2], week.evenings[-2:]) == {}
    with sqlite3.connect(week.workspace.setup.paths.database) as sql:
        check_jobs_ended(sql)
        bounded(sql, week)
    sql.close()


def piled_up(earlier: Sequence[Evening], later: Sequence[Evening]) -> dict[str, tuple[int, int]]:
    """What there is more of than there may be: the most of the earlier evenings, the least of the later ones.

    An evening may be measured while something is still going on, as a timer or a list that is read again; what piles up
    does so day by day.
    """
    most, least = reduce(or_, map(counted, earlier)), reduce(and_, map(counted, later))
    may_be = Counter({name: most[name] + GOING_ON for name in least})
    may_be |= Counter(dict.fromkeys(OF_ONE_JOB, MAX_ANSWERS) | dict.fromkeys(PREVIEWED, 5 * CACHED_PREVIEWS))
    may_be |= Counter({name: most[name] + ONE_SCREEN for name in STYLED})
    may_be |= Counter(dict.fromkeys(ONE_A_JOB, 3 * JOBS) | dict.fromkeys(LISTED, 3 * 30 + 1))
    return {name: (most[name], now) for name, now in least.items() if now > may_be[name]}


def counted(evening: Evening) -> Counter[str]:
    return evening.live_objects + Counter(tasks=evening.tasks, open_files=evening.open_files)


def check_jobs_ended(sql: sqlite3.Connection) -> None:
    """All jobs have ended, each in its way, with its texts."""
    query = """
        SELECT state, sent.text, brought.text FROM jobs JOIN prompts AS sent ON sent.sha256 = prompt_sha256
        LEFT JOIN prompts AS brought ON brought.sha256 = improved_sha256 ORDER BY number"""
    for number, (state, sent, brought) in enumerate(sql.execute(query).fetchall(), 1):
        wanted = improved(number).encode() if state == "succeeded" else None
        assert (state, sent, brought) == (end_of(number).value, draft_of(number).prompt.encode(), wanted)


def bounded(sql: sqlite3.Connection, week: Week) -> None:
    """Of each job a few rows are kept, and the file is hardly larger than what is written in them."""
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
