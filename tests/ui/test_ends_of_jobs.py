"""Ended jobs are reported to a present or absent user while the app runs, and at the next start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from app_on_a_server import no_crash, opened
from job_server import JobServer, away_reported, away_reports, launch, sees_away_report, states, toasts
from own_settings import own_settings
from scripted_server import PROGRESS, Reply, ScriptedServer
from seeded_jobs import DONE, FAILED
from textual import events
from textual.pilot import Pilot
from waiting import eventually
from watching import sees

from cekura_tui.ui import news

pytestmark = pytest.mark.usefixtures("quick_polls")


@pytest.fixture
def job_server(scripted: ScriptedServer) -> JobServer:
    return JobServer(scripted)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A list that receives the texts that the app sends to the terminal directly, without Textual."""
    texts: list[str] = []
    monkeypatch.setattr(news, "write_between_frames", lambda app, text: texts.append(text))
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.delenv("TERM_PROGRAM", raising=False)
    return texts


async def blur(pilot: Pilot[None]) -> None:
    pilot.app.post_message(events.AppBlur())
    await pilot.pause()


def focus(pilot: Pilot[None]) -> None:
    pilot.app.post_message(events.AppFocus())


async def on_list(pilot: Pilot[None], *shown: str) -> None:
    """Wait until the run list is shown and the jobs that ended earlier are reported."""
    await sees(pilot, *shown)
    await away_reported(pilot)


async def all_over(pilot: Pilot[None], count: int) -> None:
    await eventually(lambda: sum(state in ("succeeded", "failed") for state in states(pilot)) == count, "jobs ended")


async def test_jobs_ending_without_focus_cause_few_notifications_and_one_message_on_return(
    job_server: JobServer, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "NOTIFY_INTERVAL", 0.5)
    job_server.seed_running(4)
    async with opened(job_server.setup) as pilot:
        await on_list(pilot, "30 runs", "4 running")
        await blur(pilot)
        job_server.ends = {"p-1": DONE}
        await all_over(pilot, 1)
        await eventually(lambda: written, "a notification")
        assert written == ["\x1b]777;notify;cekura-tui;job 1 succeeded, Front desk\x07"]
        job_server.ends = {"p-1": DONE, "p-2": DONE, "p-3": FAILED}
        await all_over(pilot, 3)
        await eventually(lambda: len(written) > 1, "another one")
        assert away_reports(pilot) == []
        focus(pilot)
        await sees_away_report(pilot, "While you were away: 2 suggestions, 1 failed. U opens the next finished job.")
        assert len(written) <= 3
        await blur(pilot)
        focus(pilot)
        await away_reported(pilot)
        assert len(away_reports(pilot)) == 1
        sent = [*written]
        job_server.ends["p-4"] = FAILED
        await sees(pilot, "Job 4 failed · U opens the next finished job")
        assert (written, len(away_reports(pilot))) == (sent, 1), "a present user sees it only on screen"


@pytest.mark.long
async def test_two_minutes_without_a_key_count_as_absence_if_no_focus_is_reported(
    job_server: JobServer, written: list[str]
) -> None:
    late = 0.0
    job_server.seed_running(1)
    async with opened(job_server.setup, clock=lambda: time.time() + late) as pilot:
        await on_list(pilot, "30 runs", "1 running")
        await pilot.press("j")
        late = 121.0
        job_server.ends = {"p-1": FAILED}
        await eventually(lambda: written, "a notification")
        job_server.add_failed(133)
        await pilot.press("j")
        await sees_away_report(pilot, "While you were away: 1 failed. U opens the next finished job.")
        await sees(pilot, "31 runs")


@pytest.mark.long
async def test_after_a_minute_away_the_list_is_reloaded_and_the_cursor_stays(job_server: JobServer) -> None:
    late = 0.0
    async with opened(job_server.setup, clock=lambda: time.time() + late) as pilot:
        await on_list(pilot, "30 runs")
        await pilot.press("j", "j")
        runs: Any = pilot.app.screen.query_one("#runs")
        job_server.add_failed(*range(142, 130, -1))
        await blur(pilot)
        focus(pilot)
        await away_reported(pilot)
        assert runs.rows[0].id == 130
        await blur(pilot)
        late = 61.0
        focus(pilot)
        await sees(pilot, "42 runs")
        assert [row.id for row in runs.rows] == list(range(142, 100, -1))
        assert runs.cursor_key == 128
        # More new runs than a page has leave no gap in the list.
        pilot.app.clear_notifications()
        job_server.add_failed(*range(1_350, 1_000, -1))
        await blur(pilot)
        late = 122.0
        focus(pilot)
        await sees(pilot, "392 runs")
        assert [row.id for row in runs.rows[:100]] == list(range(1_350, 1_250, -1))


@pytest.mark.long
async def test_with_notifications_off_the_title_counts_jobs_and_a_failed_hook_is_shown(
    job_server: JobServer, written: list[str]
) -> None:
    own_settings('title = true\nnotify = "off"\non_job_done = "/nowhere/[/red]at-all"\n')
    async with opened(job_server.setup) as pilot:
        await sees(pilot, "30 runs")
        await launch(pilot.app.state.workspace)  # type: ignore[attr-defined]
        await sees(pilot, "1 running")
        await blur(pilot)
        job_server.ends = {"p1": FAILED}
        await all_over(pilot, 1)
        await eventually(lambda: "\x1b]2;1 new\x07" in written, "three titles")
        await eventually(lambda: pilot.app.news._sending is None, "the delay of a notification")  # type: ignore[attr-defined]
        sentence = "The on_job_done command could not be started: No such file or directory."
        await eventually(lambda: sentence in toasts(pilot), "the sentence")
        await pilot.press("U")
        await eventually(lambda: written[-1].endswith("cekura-tui\x07"), "another title")
        assert written[0].startswith("\x1b[22;2t")
        titles = "".join(written).removeprefix("\x1b[22;2t")
        assert titles == "".join(f"\x1b]2;{text}\x07" for text in ("cekura-tui", "1 running", "1 new", "cekura-tui"))
        assert pilot.app.news.former_title.endswith("\x1b[23;2t")  # type: ignore[attr-defined]


# At the next start


async def test_jobs_ended_since_the_last_visit_are_reported_once_but_not_at_first_start(job_server: JobServer) -> None:
    job_server.add_failed(131)
    async with opened(job_server.setup) as pilot:
        await on_list(pilot, "31 runs")
        assert away_reports(pilot) == []
    job_server.seed_running(3)
    job_server.ends = {"p-1": DONE, "p-2": FAILED, "p-3": DONE}
    job_server.add_failed(133, 132)
    async with opened(job_server.setup) as pilot:
        await sees_away_report(pilot, "While you were away: 2 suggestions, 1 failed. U opens the next finished job.")
        await sees(pilot, "33 runs")
        assert len(toasts(pilot)) == 1
        await pilot.press("q")
    async with opened(job_server.setup) as pilot:
        await on_list(pilot, "33 runs", "succeeded")
        assert away_reports(pilot) == []


async def test_job_ends_recorded_by_another_process_are_reported_without_the_server(
    job_server: JobServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.ui.away.SERVER_PATIENCE", 0.05)
    job_server.seed_running(2)
    await job_server.record_visit()
    job_server.end_jobs({"p-1": DONE})
    for path in ("/test_framework/v1/runs/", PROGRESS):
        job_server.server.on("GET", path, Reply({}, 500))
    async with opened(job_server.setup) as pilot:
        await sees_away_report(pilot, "While you were away: 1 suggestion. U opens the next finished job.")


async def test_u_opens_unread_jobs_oldest_first_until_none_is_left(job_server: JobServer) -> None:
    job_server.seed_running(2)
    job_server.end_jobs({"p-2": FAILED, "p-1": DONE})
    await job_server.record_visit()
    async with opened(job_server.setup) as pilot:
        await sees(pilot, "30 runs")
        await eventually(lambda: len(states(pilot)) == 2, "the jobs")
        await away_reported(pilot)
        assert away_reports(pilot) == [], "they ended before the visit"
        for shown in ("Job 2  ✗", "Suggestion of job 1"):
            await pilot.press("U")
            await sees(pilot, shown)
        await pilot.press("U")
        await sees(pilot, "No finished job is left to look at.")
        await pilot.press("escape")
        await sees(pilot, "30 runs")
        await eventually(lambda: not any(job.unread for job in pilot.app.state.jobs), "all are read")  # type: ignore[attr-defined]
        jobs = await pilot.app.state.workspace.do(lambda session: session.store.jobs.all())  # type: ignore[attr-defined]
        assert [job.looked_at is None for job in jobs] == [False, False]
        no_crash(pilot)
