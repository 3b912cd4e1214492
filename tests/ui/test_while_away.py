"""The line at the start about what ended since the last visit, and the way through unread jobs."""

from __future__ import annotations

import pytest
from app_on_a_server import no_crash, opened
from kept_jobs import DONE, FAILED
from office import JobServer, away_reported, lines, reports, states, toasts
from scripted_server import PROGRESS, Reply, ScriptedServer
from waiting import eventually
from watching import sees

pytestmark = pytest.mark.usefixtures("quick_polls")


@pytest.fixture
def job_server(scripted: ScriptedServer) -> JobServer:
    return JobServer(scripted)


async def test_one_line_says_once_what_ended_since_the_last_visit(job_server: JobServer) -> None:
    job_server.running(3)
    await job_server.visited()
    job_server.ends = {"p-1": DONE, "p-2": FAILED, "p-3": DONE}
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


async def test_a_first_start_reports_no_runs_that_failed_before(job_server: JobServer) -> None:
    job_server.fails(140, 139)
    async with opened(job_server.setup) as pilot:
        await sees(pilot, "32 runs")
        await away_reported(pilot)
        assert lines(pilot) == []


async def test_without_an_answer_of_the_server_the_line_says_what_another_program_saw(
    job_server: JobServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.ui.away.PATIENCE", 0.05)
    job_server.running(2)
    await job_server.visited()
    job_server.ended({"p-1": DONE})
    for path in ("/test_framework/v1/runs/", PROGRESS):
        job_server.server.on("GET", path, Reply({}, 500))
    async with opened(job_server.setup) as pilot:
        await reports(pilot, "While you were away: 1 suggestion. U opens the next finished job.")


async def test_u_opens_unread_jobs_from_the_oldest_on_until_none_is_left(job_server: JobServer) -> None:
    job_server.running(2)
    job_server.ended({"p-2": FAILED, "p-1": DONE})
    await job_server.visited()
    async with opened(job_server.setup) as pilot:
        await sees(pilot, "30 runs")
        await eventually(lambda: len(states(pilot)) == 2, "the jobs")
        await away_reported(pilot)
        assert lines(pilot) == [], "they ended before the visit"
        for shown in ("Job 2  ✗", "Suggestion of job 1"):
            await pilot.press("U")
            await sees(pilot, shown)
        await pilot.press("U")
        await sees(pilot, "No job has finished since you looked.")
        await pilot.press("escape")
        await sees(pilot, "30 runs")
        await eventually(lambda: not any(job.unread for job in pilot.app.state.jobs), "none is new")  # type: ignore[attr-defined]
        jobs = await pilot.app.state.workspace.call(lambda session: session.jobs.all())  # type: ignore[attr-defined]
        assert [job.looked_at is None for job in jobs] == [False, False]
        no_crash(pilot)
