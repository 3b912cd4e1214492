"""What one is told at the start of what ended since one was last here, and the way through what is new."""

from __future__ import annotations

import asyncio

import pytest
from app_on_a_server import no_crash, opened
from office import DONE, FAILED, JobServer, away_reported, ended, lines, reports, states, toasts
from scripted_server import PROGRESS, Reply, ScriptedServer
from waiting import eventually
from watching import sees

from cekura_tui.workspace.workspace import Workspace


@pytest.fixture
def job_server(scripted: ScriptedServer) -> JobServer:
    return JobServer(scripted)


@pytest.mark.long
async def test_one_line_tells_what_ended_since_one_was_last_here_and_only_once(job_server: JobServer) -> None:
    await job_server.before(3)
    job_server.ends = {"p1": DONE, "p2": FAILED, "p3": DONE}
    job_server.fails(133, 132)
    async with opened(job_server.setup) as pilot:
        line = "While you were away: 2 suggestions, 1 failed, 2 new failures in this view."
        await reports(pilot, f"{line} U opens the next finished job.")
        await sees(pilot, "32 runs")
        assert len(toasts(pilot)) == 1
        await pilot.press("q")
    async with opened(job_server.setup) as pilot:
        await sees(pilot, "32 runs", "succeeded")
        await away_reported(pilot)
        assert lines(pilot) == []


async def test_what_another_program_saw_end_is_told_too(job_server: JobServer) -> None:
    await job_server.before(1)
    job_server.ends = {"p1": FAILED}
    other = Workspace(job_server.setup)
    other.start(lambda: None)
    await ended(other, 1)
    await asyncio.to_thread(other.close)
    async with opened(job_server.setup) as pilot:
        await reports(pilot, "While you were away: 1 failed. U opens the next finished job.")


async def test_where_nothing_ended_nothing_is_said(job_server: JobServer) -> None:
    job_server.ends = {"p1": DONE}
    await job_server.before(1, end=True)
    async with opened(job_server.setup) as pilot:
        await sees(pilot, "30 runs", "succeeded")
        await away_reported(pilot)
        assert lines(pilot) == []


async def test_a_first_start_says_nothing_of_runs_that_failed_before(job_server: JobServer) -> None:
    job_server.fails(140, 139)
    async with opened(job_server.setup) as pilot:
        await sees(pilot, "32 runs")
        await away_reported(pilot)
        assert lines(pilot) == []


async def test_a_server_that_does_not_answer_delays_the_line_and_does_not_prevent_it(
    job_server: JobServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.ui.away.PATIENCE", 0.3)
    await job_server.before(2)
    job_server.ends = {"p1": DONE}
    other = Workspace(job_server.setup)
    other.start(lambda: None)
    await ended(other, 1)
    await asyncio.to_thread(other.close)
    for path in ("/test_framework/v1/runs/", PROGRESS):
        job_server.server.on("GET", path, Reply({}, 500))
    async with opened(job_server.setup) as pilot:
        await reports(pilot, "While you were away: 1 suggestion. U opens the next finished job.")


# Unread marks


async def test_u_goes_through_what_is_new_oldest_first_and_says_when_there_is_no_more(job_server: JobServer) -> None:
    job_server.ends = {"p1": DONE, "p2": FAILED}
    await job_server.before(2, end=True)
    async with opened(job_server.setup) as pilot:
        await sees(pilot, "30 runs")
        await eventually(lambda: len(states(pilot)) == 2, "the jobs")
        order = sorted(pilot.app.state.jobs, key=lambda job: job.finished_at or 0)  # type: ignore[attr-defined]
        for job in order:
            await pilot.press("U")
            await sees(pilot, f"Suggestion of job {job.number}" if job.state == "succeeded" else f"Job {job.number}  ✗")
        await pilot.press("U")
        await sees(pilot, "No job has finished since you looked.")
        await pilot.press("escape")
        await sees(pilot, "30 runs")
        await eventually(lambda: not any(job.unread for job in pilot.app.state.jobs), "none is new")  # type: ignore[attr-defined]
        jobs = await pilot.app.state.workspace.call(lambda session: session.jobs.all())  # type: ignore[attr-defined]
        assert [job.looked_at is None for job in jobs] == [False, False]
        no_crash(pilot)
