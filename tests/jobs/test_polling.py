"""A running job is asked about until it has ended, by whichever process is there."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from engine_room import DONE, DRAFT, RUNNING, TAKEN, UNKNOWN, Leaps, Room, hasty, room
from fickle_server import BAD
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, Reset, ScriptedServer
from simulated_time import SimulatedTime
from waiting import eventually

from cekura_tui.api.errors import KeyRefused
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.jobs.waiting import DAY, HOUR
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Job, JobState


async def launched(here: Room, server: ScriptedServer) -> None:
    server.on("POST", LAUNCH, TAKEN)
    await here.engine.launch(DRAFT)


async def test_a_job_is_asked_about_until_its_result_is_there_and_then_no_more(
    home: Path, scripted: ScriptedServer
) -> None:
    scripted.on("GET", PROGRESS, Reply({"status": "in_queue"}), RUNNING, RUNNING, DONE)
    async with room(home, scripted, engine=hasty()) as here:
        here.engine.start()
        await launched(here, scripted)
        job = await here.comes_into(JobState.SUCCEEDED)
        assert (job.last_status, job.summary_of_changes) == ("completed", "Kinder.")
        assert [change.state for change in here.store.jobs.changes(1)] == ["launching", "running", "succeeded"]
    assert [got.query["progress_id"] for got in scripted.requests("GET")] == ["p-1"] * 4


async def test_every_answer_has_the_times_when_it_first_and_last_came(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, RUNNING, RUNNING, Reply({"status": "evaluating"}), DONE)
    async with room(home, scripted, engine=hasty(2)) as here:
        here.engine.start()
        await launched(here, scripted)
        await here.comes_into(JobState.SUCCEEDED)
    async with room(home, scripted) as again:  # what was still to be written down is
        _, first, second, last = again.store.jobs.answers(1)
    assert first.first_at < first.last_at < second.first_at == second.last_at < last.first_at == last.last_at


async def test_a_job_goes_on_after_the_program_was_closed_and_opened_again(
    home: Path, scripted: ScriptedServer
) -> None:
    scripted.on("GET", PROGRESS, RUNNING)
    async with room(home, scripted) as here:
        here.engine.start()
        await launched(here, scripted)
        await here.asked(1)
    scripted.on("GET", PROGRESS, DONE)
    async with room(home, scripted) as again:
        again.engine.start()
        await again.comes_into(JobState.SUCCEEDED)
    assert len(scripted.requests("POST")) == 1


@pytest.mark.parametrize("bad", ["500", "502", "404 page", "reset", "no JSON", "429"])
async def test_a_server_that_fails_makes_a_job_stale_and_never_ends_it(
    home: Path, scripted: ScriptedServer, bad: str
) -> None:
    scripted.on("GET", PROGRESS, *[BAD[bad]] * 5, DONE)
    stale: list[float | None] = []
    async with room(home, scripted, engine=hasty(70)) as here:
        here.engine.start()
        await launched(here, scripted)
        here.on_change = lambda: stale.append(here.job().stale_since)
        job = await here.comes_into(JobState.SUCCEEDED)
        assert job.stale_since is None
        since = {moment for moment in stale if moment}
        assert len(since) == 1
    assert len(scripted.requests("GET")) == 6


@pytest.mark.parametrize(
    ("unknown", "reason"),
    [
        (BAD["404"], "Not found on"),
        (BAD["400"], "(400: progress_id: Unknown.)"),
        (Reply(b"<html>Request-URI Too Large</html>", 414), "refused the request (414"),
    ],
)
async def test_an_id_that_is_unknown_three_times_over_a_minute_is_a_lost_job(
    home: Path, scripted: ScriptedServer, unknown: Reply, reason: str
) -> None:
    scripted.on("GET", PROGRESS, unknown)
    async with room(home, scripted, engine=hasty()) as here:
        here.engine.start()
        await launched(here, scripted)
        job = await here.comes_into(JobState.LOST)
        assert reason in job.reason
        assert len(scripted.requests("GET")) >= 3


async def test_an_id_that_is_unknown_for_a_moment_is_not_a_lost_job(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, UNKNOWN, UNKNOWN, RUNNING, UNKNOWN, UNKNOWN, DONE)
    async with room(home, scripted, engine=hasty()) as here:
        here.engine.start()
        await launched(here, scripted)
        await here.comes_into(JobState.SUCCEEDED)


async def test_a_lost_job_is_found_by_an_answer_that_another_window_got(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, UNKNOWN)
    async with room(home, scripted, engine=hasty()) as here:
        here.engine.start()
        await launched(here, scripted)
        await here.comes_into(JobState.LOST)
        answer = {"status": "completed", "output": {"improved_prompt": "x"}}
        assert here.store.jobs.record_answer(1, read_progress(answer), "raw", 1.0).state == JobState.SUCCEEDED


EMPTY = Reply({"status": "completed", "output": {"improved_prompt": " ", "summary_of_changes": None}, "error": None})


BROKE = Reply({"status": "in_progress", "output": None, "error": "Broke."})
SUSPECTED = pytest.mark.parametrize(
    ("suspected", "error"), [(EMPTY, "The server reported “completed” but sent no prompt."), (BROKE, "Broke.")]
)


@SUSPECTED
async def test_a_last_word_without_a_prompt_and_an_error_without_a_last_word_are_failures_where_they_stay(
    home: Path, scripted: ScriptedServer, suspected: Reply, error: str
) -> None:
    scripted.on("GET", PROGRESS, RUNNING, suspected)
    ended: list[Job] = []
    async with room(home, scripted, engine=partial(hasty(3), ended=ended.append)) as here:
        here.engine.start()
        await launched(here, scripted)
        job = await here.comes_into(JobState.FAILED)
        assert (job.reason, job.error) == (error, error)
        assert len(scripted.requests("GET")) >= 4
        assert [answer.raw for answer in here.store.jobs.answers(1)][-1] == suspected.bytes()[0].decode()
        await eventually(lambda: ended, "the end is reported")
        assert job.finished_at == job.since == ended[0].ended_at
        scripted.on("GET", PROGRESS, DONE)
        await here.engine.resume(1)
        job = await here.comes_into(JobState.SUCCEEDED)
        states = [change.state for change in here.store.jobs.changes(1)]
        assert states == ["launching", "running", "failed", "running", "succeeded"]
        assert (job.reason, job.error) == ("", None)
        assert here.store.jobs.durations() == {"improve_prompt": [job.took]}, "what was taken back tells of no duration"


@SUSPECTED
async def test_a_prompt_that_comes_a_moment_later_is_taken(
    home: Path, scripted: ScriptedServer, suspected: Reply, error: str
) -> None:
    scripted.on("GET", PROGRESS, suspected, suspected, RUNNING, suspected, suspected, DONE)
    async with room(home, scripted, engine=hasty()) as here:
        here.engine.start()
        await launched(here, scripted)
        await here.comes_into(JobState.SUCCEEDED)
        assert "failed" not in [change.state for change in here.store.jobs.changes(1)]


FAILED = Reply({"status": "failed", "error": "It broke."})


def simulated(monkeypatch: pytest.MonkeyPatch, ended: list[Job]) -> tuple[SimulatedTime, Callable[..., JobEngine]]:
    """A clock, and how engines are made that live by it, with a look at other processes every half minute."""
    monkeypatch.setattr("cekura_tui.jobs.engine.TICK", 30.0)
    time = SimulatedTime()

    def engine(*args: Any, **more: Any) -> JobEngine:
        times = {"clock": time.clock, "monotonic": time.monotonic, "pause": time.pause, "spread": lambda: 0.5}
        made = JobEngine(*args, **more, **times, ended=ended.append)
        time.busy = lambda: made.in_flight > 0
        return made

    return time, engine


@contextlib.asynccontextmanager
async def simulated_room(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Room, SimulatedTime, list[Job]]]:
    """Job 1 launched and followed in simulated time, and the jobs whose end was announced."""
    ended: list[Job] = []
    time, engine = simulated(monkeypatch, ended)
    async with room(home, scripted, engine=engine) as here:
        await launched(here, scripted)
        here.engine.start()
        yield here, time, ended


async def test_a_failure_that_the_server_reported_is_asked_about_now_and_then_for_a_day(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET", PROGRESS, FAILED, FAILED, UNKNOWN, Reply({}, 401), FAILED)
    async with simulated_room(home, scripted, monkeypatch) as (here, time, ended):
        await time.passes(30 * HOUR)
        assert len(scripted.requests("GET")) == 11, "at its end, and ten times after it, ever less often"
        assert here.engine.idle
        assert here.engine.paused is None
        assert [change.state for change in here.store.jobs.changes(1)] == ["launching", "running", "failed"]
        assert len(ended) == 1


async def test_a_failure_that_the_server_takes_back_is_followed_to_its_result(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET", PROGRESS, FAILED, RUNNING, DONE)
    ended: list[Job] = []
    time, engine = simulated(monkeypatch, ended)
    async with room(home, scripted, engine=engine) as here:
        await launched(here, scripted)
        here.engine.start()
        await time.passes(40.0)
    async with room(home, scripted, engine=engine) as again:
        again.engine.start()
        await time.passes(5.0)
        assert len(scripted.requests("GET")) == 1, "when it is due is known to every process"
        await time.passes(120.0)
        states = [change.state for change in again.store.jobs.changes(1)]
        assert states == ["launching", "running", "failed", "running", "succeeded"]
        assert [job.state for job in ended] == ["failed", "succeeded"]
        assert again.job().error is None


async def test_a_failure_is_asked_about_at_once_when_somebody_resumes_the_job(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET", PROGRESS, FAILED)
    async with simulated_room(home, scripted, monkeypatch) as (here, time, _):
        await time.passes(1.0)
        assert (await here.engine.resume(1)).state == JobState.RUNNING
        await time.passes(1.0)
        assert len(scripted.requests("GET")) == 2
        assert here.job().state == JobState.FAILED


async def test_a_job_without_an_end_in_a_day_is_lost(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, RUNNING)
    async with room(home, scripted, engine=hasty(DAY / 50)) as here:
        await launched(here, scripted)
        here.engine.start()
        job = await here.comes_into(JobState.LOST)
        assert "24 hours" in job.reason
        assert job.since == here.store.jobs.changes(1)[-1].at > (job.launched_at or 0.0)


async def test_a_clock_that_is_set_two_days_ahead_loses_no_job(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, RUNNING)
    shift = 0.0
    engine = partial(JobEngine, clock=lambda: time.time() + shift, monotonic=Leaps(300))
    async with room(home, scripted, engine=engine) as here:
        await launched(here, scripted)
        shift = 2 * DAY
        here.engine.start()
        await here.asked(8)
        assert here.job().state == JobState.RUNNING


@pytest.mark.parametrize("bad", [Reset(), Reply(b"", 502)])
async def test_a_laptop_that_slept_for_two_days_does_not_lose_its_job_while_offline(
    home: Path, scripted: ScriptedServer, bad: Reply | Reset
) -> None:
    scripted.on("GET", PROGRESS, bad, bad, DONE)
    shift = 0.0
    engine = partial(JobEngine, clock=lambda: time.time() + shift, monotonic=Leaps(30))
    async with room(home, scripted, engine=engine) as here:
        await launched(here, scripted)
        shift = 2 * DAY
        here.engine.start()
        await here.comes_into(JobState.SUCCEEDED)


async def test_a_clock_that_goes_back_does_not_stop_the_asking(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, RUNNING, RUNNING, DONE)
    shift = 0.0
    engine = partial(JobEngine, clock=lambda: time.time() + shift, monotonic=Leaps(30))
    async with room(home, scripted, engine=engine) as here:
        await launched(here, scripted)
        shift = -10 * DAY
        here.engine.start()
        await here.comes_into(JobState.SUCCEEDED)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_pauses_all_asking_until_it_is_mended(
    home: Path, scripted: ScriptedServer, status: int
) -> None:
    scripted.on("GET", PROGRESS, Reply({"detail": "No."}, status))
    async with room(home, scripted, engine=hasty(0.5)) as here:
        here.engine.start()
        await launched(here, scripted)
        await eventually(lambda: here.engine.paused, "the engine paused")
        assert isinstance(here.engine.paused, KeyRefused)
        asked = len(scripted.requests("GET"))
        assert here.job().state == JobState.RUNNING
        scripted.on("GET", PROGRESS, DONE)
        here.engine.resume_polling()
        await here.comes_into(JobState.SUCCEEDED)
        assert len(scripted.requests("GET")) == asked + 1


async def test_asking_goes_on_by_itself_when_the_server_takes_the_key_again(
    home: Path, scripted: ScriptedServer
) -> None:
    scripted.on("GET", PROGRESS, Reply({"detail": "No."}, 401))
    async with room(home, scripted, engine=hasty()) as here:
        here.engine.start()
        await launched(here, scripted)
        await eventually(lambda: here.engine.paused and here.job().stale_since, "the engine paused")
        scripted.on("GET", PROGRESS, RUNNING, DONE)
        await here.comes_into(JobState.SUCCEEDED)
        assert here.engine.paused is None


async def test_a_wait_that_the_server_asks_for_is_kept(home: Path, scripted: ScriptedServer) -> None:
    """Each reading of this clock is a second: of the 40 asked for, none is spent by asking."""
    scripted.on("GET", PROGRESS, Reply({}, 429, {"Retry-After": "40"}), DONE)
    clock = Leaps(1)
    async with room(home, scripted, engine=partial(JobEngine, monotonic=clock)) as here:
        here.engine.start()
        await launched(here, scripted)
        await here.asked(1)
        await eventually(lambda: here.job().stale_since, "the refusal was recorded")
        at = clock.now
        while len(scripted.requests("GET")) < 2 and clock.now < at + 300:
            here.engine.resume_polling()
            await asyncio.sleep(0)
        assert clock.now >= at + 38


async def test_an_answer_that_cannot_be_recorded_is_asked_for_again(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, DONE)
    async with room(home, scripted, engine=hasty(70)) as here:
        await launched(here, scripted)
        here.store.database.read("PRAGMA query_only = ON")
        here.engine.start()
        await eventually(lambda: here.engine.trouble, "the trouble was noticed")
        assert here.job().state == JobState.RUNNING
        here.store.database.read("PRAGMA query_only = OFF")
        await here.comes_into(JobState.SUCCEEDED)
        assert here.engine.trouble is None


async def test_a_job_that_another_window_ended_is_not_asked_about_again(home: Path, scripted: ScriptedServer) -> None:
    hold = Hold(RUNNING)
    scripted.on("GET", PROGRESS, hold, RUNNING)
    async with room(home, scripted, engine=hasty()) as here, room(home, scripted) as other:
        here.engine.start()
        await launched(here, scripted)
        await eventually(hold.arrived.is_set, "the poll arrived")
        other.store.jobs.forget(1, 1.0)
        hold.released.set()
        await eventually(lambda: not here.engine._running, "the job was let go of")
        assert here.job().state == JobState.FORGOTTEN
        assert len(scripted.requests("GET")) == 1


async def test_jobs_of_another_key_are_left_to_it(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, DONE)
    async with room(home, scripted, key="first") as here:
        await launched(here, scripted)
    async with room(home, scripted, key="second") as other:
        other.engine.start()
        await other.engine.news(0.05)
        assert scripted.requests("GET") == []
        assert other.job().state == JobState.RUNNING


async def test_a_hundred_jobs_are_all_asked_about_within_the_budget(home: Path, scripted: ScriptedServer) -> None:
    ids = iter(range(1000))
    scripted.on("POST", LAUNCH, lambda got: Reply({"progress_id": next(ids)}))
    scripted.on("GET", PROGRESS, DONE)
    async with room(home, scripted, engine=hasty(1.0)) as here:
        for _ in range(100):
            await here.engine.launch(DRAFT)
        here.engine.start()
        await eventually(lambda: not here.store.jobs.unfinished(), "all jobs ended")
        asked = [got.query["progress_id"] for got in scripted.requests("GET")]
        assert sorted(asked, key=int) == [str(number) for number in range(100)]


async def test_no_more_than_five_requests_are_made_in_a_second(home: Path, scripted: ScriptedServer) -> None:
    ids = iter(range(1000))
    scripted.on("POST", LAUNCH, lambda got: Reply({"progress_id": next(ids)}))
    scripted.on("GET", PROGRESS, DONE)
    second = 0.0
    async with room(home, scripted, engine=partial(JobEngine, monotonic=lambda: second)) as here:
        for _ in range(20):
            await here.engine.launch(DRAFT)
        here.engine.start()
        for ended in (5, 10):
            await eventually(lambda left=20 - ended: len(here.store.jobs.unfinished()) <= left, f"{ended} jobs ended")  # type: ignore[misc]
            here.engine.resume_polling()
            await here.engine.news(0.05)
            assert len(scripted.requests("GET")) == ended
            second += 1.06
            here.engine.resume_polling()


async def test_a_listener_that_has_left_does_not_stop_a_launch(home: Path, scripted: ScriptedServer) -> None:
    def left() -> None:
        raise RuntimeError("Event loop is closed")

    async with room(home, scripted) as here:
        here.on_change = left
        await launched(here, scripted)
        assert here.job().state == JobState.RUNNING


@pytest.mark.parametrize("word", [{}, {"detail": "Not found."}, {"status": "expired"}, {"status": None, "error": None}])
async def test_an_answer_that_says_nothing_retracts_no_failure(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch, word: dict[str, object]
) -> None:
    scripted.on("GET", PROGRESS, FAILED, Reply(word))
    async with simulated_room(home, scripted, monkeypatch) as (here, time, ended):
        await time.passes(30 * HOUR)
        assert (here.job().state, here.job().error) == (JobState.FAILED, "It broke.")
        assert (len(scripted.requests("GET")), len(ended)) == (11, 1)


async def test_a_server_that_says_now_this_and_now_that_is_announced_once(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET", PROGRESS, *([FAILED, RUNNING] * 1_000))
    async with simulated_room(home, scripted, monkeypatch) as (_, time, ended):
        await time.passes(HOUR)
        assert [job.state for job in ended] == [JobState.FAILED]


async def test_a_failure_is_announced_once_though_it_is_looked_at_during_a_recheck(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    recheck = Hold(UNKNOWN)
    scripted.on("GET", PROGRESS, FAILED, recheck)
    async with simulated_room(home, scripted, monkeypatch) as (here, time, ended):
        await time.passes(5.0)
        time.busy = lambda: False  # the recheck is to be in flight
        await time.passes(70.0)
        await here.asked(2)
        here.store.jobs.look(1, time.clock())
        here.engine.adopt()
        recheck.released.set()
        while here.engine.in_flight:
            await here.engine.news(0.05)
        assert [job.state for job in ended] == [JobState.FAILED]


async def test_a_clock_that_was_set_back_has_no_failure_asked_about_for_that(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET", PROGRESS, FAILED)
    async with simulated_room(home, scripted, monkeypatch) as (_, time, _):
        await time.passes(5.0)
        time.wall -= 365 * 24 * HOUR
        await time.passes(HOUR)
        assert len(scripted.requests("GET")) <= 2


async def test_a_result_that_is_never_small_enough_makes_the_job_lost_with_the_reason(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = {"status": "completed", "output": {"improved_prompt": "Be kinder.", "summary_of_changes": "a\n" * 100_001}}
    scripted.on("GET", PROGRESS, Reply(large))
    async with simulated_room(home, scripted, monkeypatch) as (here, time, _):
        await time.passes(HOUR)
        job = here.job()
        assert (job.state, "100,000 lines" in job.reason, job.resumable) == (JobState.LOST, True, True)
        assert "reset" not in job.reason
