"""A running job is polled until it ends, by any window that is open."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import pytest
from engine_window import DONE, RUNNING, Follow, LeapingClock, OpenWindow, Simulate, Window, fast_engine
from fickle_server import BAD
from scripted_server import PROGRESS, Hold, Reply, Reset, ScriptedServer
from waiting import eventually

from cekura_tui.api.errors import KeyRefused
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.jobs.polling import load_time
from cekura_tui.jobs.waiting import DAY, HOUR
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Job, JobState


@dataclass
class Shifted:
    """A wall clock that is `by` seconds ahead of the real time."""

    by: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.by


async def test_equal_answers_are_stored_with_the_times_of_their_first_and_last_arrival(
    open_window: OpenWindow, follow: Follow
) -> None:
    here = await follow(RUNNING, RUNNING, Reply({"status": "evaluating"}), DONE, engine=fast_engine(2))
    await here.wait_for_state(JobState.SUCCEEDED)
    await here.close()
    again = await open_window()
    _, first, second, last = again.store.jobs.answers(1)
    assert first.first_at < first.last_at < second.first_at == second.last_at < last.first_at == last.last_at


async def test_a_restarted_program_polls_a_running_job_until_it_ends(open_window: OpenWindow, follow: Follow) -> None:
    here = await follow(RUNNING, engine=JobEngine)
    await here.wait_for_polls(1)
    await here.close()
    here.server.on("GET", PROGRESS, DONE)
    again = await open_window()
    again.engine.start()
    await again.wait_for_state(JobState.SUCCEEDED)
    assert here.posts() == 1


@pytest.mark.parametrize("bad", ["500", "502", "404 page", "reset", "no JSON", "429"])
async def test_a_failing_server_makes_a_job_stale_but_does_not_end_the_job(follow: Follow, bad: str) -> None:
    stale: list[float | None] = []
    here = await follow(*[BAD[bad]] * 5, DONE, engine=fast_engine(70))
    here.on_change = lambda: stale.append(here.job().stale_since)
    job = await here.wait_for_state(JobState.SUCCEEDED)
    assert job.stale_since is None
    since = {moment for moment in stale if moment}
    assert len(since) == 1
    assert here.polls() == 6


@pytest.mark.parametrize(
    ("unknown", "reason"),
    [
        (BAD["404"], "Not found on"),
        (BAD["400"], "(400: progress_id: Unknown.)"),
        (Reply(b"<html>Request-URI Too Large</html>", 414), "refused the request (414"),
    ],
)
async def test_a_job_is_lost_if_the_server_keeps_answering_that_its_id_is_unknown(
    follow: Follow, unknown: Reply, reason: str
) -> None:
    here = await follow(unknown)
    job = await here.wait_for_state(JobState.LOST)
    assert reason in job.reason
    assert here.polls() >= 3
    answer = {"status": "completed", "output": {"improved_prompt": "x"}}  # of another window
    assert here.store.jobs.record_answer(1, read_progress(answer), "raw", 1.0).state == JobState.SUCCEEDED


EMPTY = Reply({"status": "completed", "output": {"improved_prompt": " ", "summary_of_changes": None}, "error": None})


BROKE = Reply({"status": "in_progress", "output": None, "error": "Broke."})
SUSPECTED = pytest.mark.parametrize(
    ("suspected", "error"), [(EMPTY, "The server reported “completed” but sent no prompt."), (BROKE, "Broke.")]
)


@SUSPECTED
async def test_a_job_that_ended_with_a_repeated_suspected_failure_can_be_resumed(
    follow: Follow, suspected: Reply, error: str
) -> None:
    ended: list[Job] = []
    here = await follow(RUNNING, suspected, engine=partial(fast_engine(3), ended=ended.append))
    job = await here.wait_for_state(JobState.FAILED)
    assert (job.reason, job.error) == (error, error)
    assert here.polls() >= 4
    assert [answer.raw for answer in here.store.jobs.answers(1)][-1] == suspected.bytes()[0].decode()
    await eventually(lambda: ended, "the end is reported")
    assert job.finished_at == job.since == ended[0].ended_at
    here.server.on("GET", PROGRESS, DONE)
    await here.engine.resume(1)
    job = await here.wait_for_state(JobState.SUCCEEDED)
    states = [change.state for change in here.store.jobs.changes(1)]
    assert states == ["launching", "running", "failed", "running", "succeeded"]
    assert (job.reason, job.error) == ("", None)
    assert here.store.jobs.durations() == {"improve_prompt": [job.took]}, "a failure that was resumed has no duration"


FAILED = Reply({"status": "failed", "error": "It broke."})


NOTHING = [{}, {"detail": "Not found."}, {"status": "expired"}, {"status": None, "error": None}]


@pytest.mark.parametrize(
    ("answers", "days"),
    [([RUNNING] * 8, 2), ([Reset(), Reset()], 2), ([BAD["502"], BAD["502"]], 2), ([RUNNING, RUNNING], -10)],
    ids=["set ahead", "asleep without network", "asleep beside a failing server", "set back"],
)
async def test_a_running_job_is_not_lost_if_the_wall_clock_jumps_by_days(
    open_window: OpenWindow, scripted: ScriptedServer, answers: list[Reply | Reset], days: int
) -> None:
    clock = Shifted()
    scripted.on("GET", PROGRESS, *answers, DONE)
    here = await open_window(engine=partial(JobEngine, clock=clock, monotonic=LeapingClock(30)))
    await here.launch()
    clock.by = days * DAY
    here.engine.start()
    await here.wait_for_state(JobState.SUCCEEDED)
    assert "lost" not in [change.state for change in here.store.jobs.changes(1)]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_pauses_polling_until_polling_is_resumed(follow: Follow, status: int) -> None:
    here = await follow(Reply({"detail": "No."}, status), engine=fast_engine(0.5))
    await eventually(lambda: here.engine.paused, "the engine paused")
    assert isinstance(here.engine.paused, KeyRefused)
    polls = here.polls()
    assert here.job().state == JobState.RUNNING
    here.server.on("GET", PROGRESS, DONE)
    here.engine.resume_polling()
    await here.wait_for_state(JobState.SUCCEEDED)
    assert here.polls() == polls + 1


async def test_a_job_that_another_window_forgot_is_not_polled_again(open_window: OpenWindow, follow: Follow) -> None:
    hold = Hold(RUNNING)
    here = await follow(hold, RUNNING)
    other = await open_window()
    await eventually(hold.arrived.is_set, "the poll arrived")
    other.store.jobs.forget(1, 1.0)
    hold.released.set()
    await eventually(lambda: not here.engine._running, "the job is not polled")
    assert here.job().state == JobState.FORGOTTEN
    assert here.polls() == 1


async def test_a_launch_succeeds_even_if_reporting_a_change_fails(here: Window) -> None:
    def closed() -> None:
        raise RuntimeError("Event loop is closed")

    here.on_change = closed
    assert (await here.launch()).state == JobState.RUNNING


@pytest.mark.long
async def test_a_job_whose_result_is_too_large_is_lost_and_can_be_resumed(simulate: Simulate) -> None:
    large = {"status": "completed", "output": {"improved_prompt": "Be kinder.", "summary_of_changes": "a" * 2**24}}
    here, time, _ = await simulate(Reply(large))
    await time.advance(HOUR)
    job = here.job()
    assert (job.state, "16 MB" in job.reason, job.resumable) == (JobState.LOST, True, True)


def test_the_time_of_a_load_is_rounded_to_minutes() -> None:
    assert [load_time(runs) for runs in (7_000, 10_000, 12_500)] == ["59 s", "1 min", "2 min"]
