"""A running job is asked about until it has ended, by whichever process is there."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

import pytest
from engine_room import DONE, DRAFT, RUNNING, TAKEN, UNKNOWN, Follow, Leaps, Room, Simulate, hasty, room, simulated
from fickle_server import BAD
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, Reset, ScriptedServer
from waiting import eventually

from cekura_tui.api.errors import KeyRefused
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.jobs.waiting import DAY, HOUR
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Job, JobState


async def launched(here: Room, server: ScriptedServer) -> None:
    server.on("POST", LAUNCH, TAKEN)
    await here.engine.launch(DRAFT)


async def test_a_job_is_polled_until_its_result_came(follow: Follow, scripted: ScriptedServer) -> None:
    async with follow(Reply({"status": "in_queue"}), RUNNING, RUNNING, DONE) as here:
        job = await here.comes_into(JobState.SUCCEEDED)
        assert (job.last_status, job.summary_of_changes) == ("completed", "Kinder.")
        assert [change.state for change in here.store.jobs.changes(1)] == ["launching", "running", "succeeded"]
    assert [got.query["progress_id"] for got in scripted.requests("GET")] == ["p-1"] * 4


async def test_every_answer_has_the_times_when_it_first_and_last_came(
    follow: Follow, home: Path, scripted: ScriptedServer
) -> None:
    async with follow(RUNNING, RUNNING, Reply({"status": "evaluating"}), DONE, engine=hasty(2)) as here:
        await here.comes_into(JobState.SUCCEEDED)
    async with room(home, scripted) as again:  # what was still to be written down is
        _, first, second, last = again.store.jobs.answers(1)
    assert first.first_at < first.last_at < second.first_at == second.last_at < last.first_at == last.last_at


async def test_a_job_is_followed_after_the_program_was_reopened(
    follow: Follow, home: Path, scripted: ScriptedServer
) -> None:
    async with follow(RUNNING, engine=JobEngine) as here:
        await here.asked(1)
    scripted.on("GET", PROGRESS, DONE)
    async with room(home, scripted) as again:
        again.engine.start()
        await again.comes_into(JobState.SUCCEEDED)
    assert len(scripted.requests("POST")) == 1


@pytest.mark.parametrize("bad", ["500", "502", "404 page", "reset", "no JSON", "429"])
async def test_a_failing_server_makes_a_job_stale_and_never_ends_it(
    follow: Follow, scripted: ScriptedServer, bad: str
) -> None:
    stale: list[float | None] = []
    async with follow(*[BAD[bad]] * 5, DONE, engine=hasty(70)) as here:
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
async def test_an_id_unknown_three_times_over_a_minute_is_a_lost_job(
    follow: Follow, scripted: ScriptedServer, unknown: Reply, reason: str
) -> None:
    async with follow(unknown) as here:
        job = await here.comes_into(JobState.LOST)
        assert reason in job.reason
        assert len(scripted.requests("GET")) >= 3


async def test_an_id_that_is_unknown_for_a_moment_is_not_a_lost_job(follow: Follow) -> None:
    async with follow(UNKNOWN, UNKNOWN, RUNNING, UNKNOWN, UNKNOWN, DONE) as here:
        await here.comes_into(JobState.SUCCEEDED)


async def test_a_lost_job_is_found_by_an_answer_of_another_window(follow: Follow) -> None:
    async with follow(UNKNOWN) as here:
        await here.comes_into(JobState.LOST)
        answer = {"status": "completed", "output": {"improved_prompt": "x"}}
        assert here.store.jobs.record_answer(1, read_progress(answer), "raw", 1.0).state == JobState.SUCCEEDED


EMPTY = Reply({"status": "completed", "output": {"improved_prompt": " ", "summary_of_changes": None}, "error": None})


BROKE = Reply({"status": "in_progress", "output": None, "error": "Broke."})
SUSPECTED = pytest.mark.parametrize(
    ("suspected", "error"), [(EMPTY, "The server reported “completed” but sent no prompt."), (BROKE, "Broke.")]
)


@SUSPECTED
async def test_a_suspected_failure_that_stays_is_one_until_it_is_resumed(
    follow: Follow, scripted: ScriptedServer, suspected: Reply, error: str
) -> None:
    ended: list[Job] = []
    async with follow(RUNNING, suspected, engine=partial(hasty(3), ended=ended.append)) as here:
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
async def test_a_prompt_that_comes_after_a_suspected_failure_is_taken(
    follow: Follow, suspected: Reply, error: str
) -> None:
    async with follow(suspected, suspected, RUNNING, suspected, suspected, DONE) as here:
        await here.comes_into(JobState.SUCCEEDED)
        assert "failed" not in [change.state for change in here.store.jobs.changes(1)]


FAILED = Reply({"status": "failed", "error": "It broke."})


async def test_a_reported_failure_is_polled_now_and_then_for_a_day(
    simulate: Simulate, scripted: ScriptedServer
) -> None:
    async with simulate(FAILED, FAILED, UNKNOWN, Reply({}, 401), FAILED) as (here, time, ended):
        await time.passes(30 * HOUR)
        assert len(scripted.requests("GET")) == 11, "at its end, and ten times after it, ever less often"
        assert here.engine.idle
        assert here.engine.paused is None
        assert [change.state for change in here.store.jobs.changes(1)] == ["launching", "running", "failed"]
        assert len(ended) == 1


async def test_a_retracted_failure_is_followed_to_its_result(
    follow: Follow, home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Job] = []
    time, engine = simulated(monkeypatch, ended)
    async with follow(FAILED, RUNNING, DONE, engine=engine):
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


async def test_a_failed_job_that_is_resumed_is_polled_at_once(simulate: Simulate, scripted: ScriptedServer) -> None:
    async with simulate(FAILED) as (here, time, _):
        await time.passes(1.0)
        assert (await here.engine.resume(1)).state == JobState.RUNNING
        await time.passes(1.0)
        assert len(scripted.requests("GET")) == 2
        assert here.job().state == JobState.FAILED


async def test_when_a_job_was_polled_and_will_be_next_is_known_to_the_second(simulate: Simulate) -> None:
    async with simulate(RUNNING, RUNNING, BAD["429 for 90 s"], RUNNING) as (here, time, _):

        def since_and_until(number: int = 1) -> tuple[float, float]:
            times = here.engine.poll_times(number)
            assert times is not None
            return time.wall - (times.last_at or 0.0), (times.next_at or 0.0) - time.wall

        await time.passes(2.5)  # polled after two seconds, and every two after that
        assert since_and_until() == pytest.approx((0.5, 1.5), abs=0.01)
        await time.passes(2.0)
        assert since_and_until() == pytest.approx((0.5, 89.5), abs=0.01), "as the server asked"
        await here.engine.launch(DRAFT)
        assert since_and_until(2)[1] == pytest.approx(89.5, abs=0.01), "of any job"
        time.jump(500.0)
        assert since_and_until() == pytest.approx((500.5, 0.0), abs=0.01), "late, but not in the past"


async def test_a_job_without_an_end_in_a_day_is_lost(follow: Follow) -> None:
    async with follow(RUNNING, engine=hasty(DAY / 50)) as here:
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
async def test_two_days_of_sleep_and_no_network_lose_no_job(
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


async def test_a_clock_that_goes_back_does_not_stop_polling(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", PROGRESS, RUNNING, RUNNING, DONE)
    shift = 0.0
    engine = partial(JobEngine, clock=lambda: time.time() + shift, monotonic=Leaps(30))
    async with room(home, scripted, engine=engine) as here:
        await launched(here, scripted)
        shift = -10 * DAY
        here.engine.start()
        await here.comes_into(JobState.SUCCEEDED)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_pauses_polling_until_it_is_replaced(
    follow: Follow, scripted: ScriptedServer, status: int
) -> None:
    async with follow(Reply({"detail": "No."}, status), engine=hasty(0.5)) as here:
        await eventually(lambda: here.engine.paused, "the engine paused")
        assert isinstance(here.engine.paused, KeyRefused)
        asked = len(scripted.requests("GET"))
        assert here.job().state == JobState.RUNNING
        scripted.on("GET", PROGRESS, DONE)
        here.engine.resume_polling()
        await here.comes_into(JobState.SUCCEEDED)
        assert len(scripted.requests("GET")) == asked + 1


async def test_polling_resumes_by_itself_when_the_key_is_accepted_again(
    follow: Follow, scripted: ScriptedServer
) -> None:
    async with follow(Reply({"detail": "No."}, 401)) as here:
        await eventually(lambda: here.engine.paused and here.job().stale_since, "the engine paused")
        scripted.on("GET", PROGRESS, RUNNING, DONE)
        await here.comes_into(JobState.SUCCEEDED)
        assert here.engine.paused is None


async def test_a_wait_that_the_server_asks_for_is_kept(follow: Follow, scripted: ScriptedServer) -> None:
    """Each reading of this clock is a second: of the 40 asked for, none is spent by asking."""
    clock = Leaps(1)
    async with follow(Reply({}, 429, {"Retry-After": "40"}), DONE, engine=partial(JobEngine, monotonic=clock)) as here:
        await here.asked(1)
        await eventually(lambda: here.job().stale_since, "the refusal was recorded")
        at = clock.now
        while len(scripted.requests("GET")) < 2 and clock.now < at + 300:
            here.engine.resume_polling()
            await asyncio.sleep(0)
        assert clock.now >= at + 38


async def test_a_result_that_cannot_be_recorded_is_polled_again(home: Path, scripted: ScriptedServer) -> None:
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


async def test_a_job_that_another_window_forgot_is_not_polled_again(
    follow: Follow, home: Path, scripted: ScriptedServer
) -> None:
    hold = Hold(RUNNING)
    async with follow(hold, RUNNING) as here, room(home, scripted) as other:
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


async def test_many_jobs_are_all_polled_within_the_budget(home: Path, scripted: ScriptedServer) -> None:
    ids = iter(range(1000))
    scripted.on("POST", LAUNCH, lambda got: Reply({"progress_id": next(ids)}))
    scripted.on("GET", PROGRESS, DONE)
    async with room(home, scripted, engine=hasty(1.0)) as here:
        for _ in range(20):
            await here.engine.launch(DRAFT)
        here.engine.start()
        await eventually(lambda: not here.store.jobs.unfinished(), "all jobs ended")
        asked = [got.query["progress_id"] for got in scripted.requests("GET")]
        assert sorted(asked, key=int) == [str(number) for number in range(20)]


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


async def test_an_answer_that_says_nothing_retracts_no_failure(simulate: Simulate) -> None:
    empty = [{}, {"detail": "Not found."}, {"status": "expired"}, {"status": None, "error": None}]
    async with simulate(FAILED, *map(Reply, empty)) as (here, time, ended):
        await time.passes(30 * HOUR)
        assert (here.job().state, here.job().error) == (JobState.FAILED, "It broke.")
        assert (len(here.server.requests("GET")), len(ended)) == (11, 1)


async def test_a_failure_reported_again_and_again_is_announced_once(simulate: Simulate) -> None:
    async with simulate(*([FAILED, RUNNING] * 100)) as (_, time, ended):
        await time.passes(300)
        assert [job.state for job in ended] == [JobState.FAILED]


async def test_a_failure_seen_during_a_recheck_is_announced_once(simulate: Simulate) -> None:
    recheck = Hold(UNKNOWN)
    async with simulate(FAILED, recheck) as (here, time, ended):
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


async def test_a_clock_that_was_set_back_polls_no_failure_more_often(
    simulate: Simulate, scripted: ScriptedServer
) -> None:
    async with simulate(FAILED) as (_, time, _):
        await time.passes(5.0)
        time.wall -= 365 * 24 * HOUR
        await time.passes(HOUR)
        assert len(scripted.requests("GET")) <= 2


async def test_a_result_that_is_too_large_loses_the_job_with_the_reason(simulate: Simulate) -> None:
    large = {"status": "completed", "output": {"improved_prompt": "Be kinder.", "summary_of_changes": "a\n" * 100_001}}
    async with simulate(Reply(large)) as (here, time, _):
        await time.passes(HOUR)
        job = here.job()
        assert (job.state, "100,000 lines" in job.reason, job.resumable) == (JobState.LOST, True, True)
        assert "reset" not in job.reason
