"""Detecting whether the user is present, and the message about jobs that ended while the user was away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cekura_tui.model.job import Job, JobState
from cekura_tui.ui.away import (
    AWAY_AFTER,
    Presence,
    away_message,
    count_outcomes,
    job_counts_text,
    next_unread,
    notification_text,
)
from cekura_tui.ui.news import end_message


def job(number: int, state: JobState = JobState.SUCCEEDED, *, finished: float | None = None, seen: bool = False) -> Job:
    made = Job(number, state, "", "o", "k", "default", (1,), 7, "Support\x1b line", (), (), "")
    improved = "sha" if state == JobState.SUCCEEDED else None
    times = {"launched_at": float(number), "finished_at": finished, "looked_at": 9e9 if seen else None}
    return replace(made, improved_sha256=improved, **times)


ENDED = [job(n) for n in (1, 2, 3)] + [job(4, JobState.FAILED), job(5, JobState.NO_ISSUES), job(6, JobState.LOST)]


OPENS = "U opens the next finished job"


def test_the_away_message_names_only_outcomes_that_occurred() -> None:
    assert away_message([]) == ""
    assert away_message(ENDED[:1]) == f"While you were away: 1 suggestion. {OPENS}."
    line = f"3 suggestions, 1 without issues, 1 failed, 1 lost, 1 unconfirmed. {OPENS}."
    assert away_message([*ENDED, job(7, JobState.UNCONFIRMED)]) == f"While you were away: {line}"


@pytest.mark.parametrize(
    ("ended", "first", "message"),
    [
        ([job(1)], job(1), "✓ Job 1 succeeded · U opens the suggestion"),
        ([job(2, JobState.FAILED)], job(2, JobState.FAILED), "✗ Job 2 failed · U opens the details"),
        ([job(2)], job(1), "✓ Job 2 succeeded · U opens the next finished job"),
        (
            [job(1, JobState.FAILED), job(2), job(3, JobState.NO_ISSUES)],
            job(1),
            f"✓ Job 2 succeeded, job 3 found no issues, job 1 failed · {OPENS}",
        ),
        (
            [job(n) for n in range(1, 7)],
            job(1),
            f"✓ Job 1 succeeded, job 2 succeeded, job 3 succeeded, job 4 succeeded and 2 more · {OPENS}",
        ),
    ],
)
def test_the_message_about_ended_jobs_names_successes_first_and_what_u_opens(
    ended: list[Job], first: Job, message: str
) -> None:
    assert end_message(ended, first) == message


def test_a_notification_names_a_single_job_but_counts_several() -> None:
    assert notification_text([job(4, JobState.FAILED)]) == "job 4 failed, Support line"
    assert notification_text(ENDED[:4]) == "3 suggestions, 1 failed"
    assert count_outcomes([job(n, JobState.FAILED) for n in range(1_200)]) == "1,200 failed"


def test_the_unread_job_that_ended_first_is_opened_next() -> None:
    jobs = [job(9, finished=50), job(8, finished=20, seen=True), job(7, finished=40), job(6, JobState.RUNNING)]
    assert next_unread(jobs) == jobs[2]
    assert next_unread([*jobs, job(5, JobState.UNCONFIRMED)]) == job(5, JobState.UNCONFIRMED)
    assert next_unread(jobs[1:2]) is None


def test_the_title_counts_running_and_unread_jobs() -> None:
    assert job_counts_text([]) == ""
    assert job_counts_text([job(1, JobState.RUNNING), job(2, JobState.LAUNCHING), job(3)]) == "2 running · 1 new"
    assert job_counts_text([job(3), job(4, seen=True), job(5, JobState.STOPPED)]) == "1 new"


def test_focus_reports_of_the_terminal_decide_whether_the_user_is_away() -> None:
    presence = Presence(0.0)
    presence.focus_lost(10.0)
    presence.focus_lost(20.0)
    assert (presence.away_since(30.0), presence.record_activity(40.0, focused=True)) == (10.0, 10.0)
    assert presence.away_since(40.0 + 10 * AWAY_AFTER) is None, "a user who only reads is present"
    assert presence.record_activity(50.0, focused=True) is None


def test_two_idle_minutes_count_as_absence_if_the_terminal_sends_no_focus_reports() -> None:
    presence = Presence(0.0)
    assert presence.record_activity(5.0) is None
    assert (presence.away_since(5.0 + AWAY_AFTER), presence.away_since(6.0 + AWAY_AFTER)) == (None, 5.0)
    assert (presence.record_activity(500.0), presence.away_since(500.0)) == (5.0, None)
    assert presence.record_activity(501.0, focused=True) is None
    assert presence.away_since(501.0 + 10 * AWAY_AFTER) is None
