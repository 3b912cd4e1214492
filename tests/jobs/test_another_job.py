"""A server that was reset counts its ids from the start again: whose answers these are, and what is said of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
from engine_room import DONE, RUNNING, UNKNOWN, Follow, OpenRoom, Room, hasty
from scripted_server import PROGRESS, Reply, ScriptedServer

from cekura_tui.model.job import Job, JobState


def dated(reply: Reply, ahead: float) -> Reply:
    """An answer by a server whose clock is so many seconds ahead."""
    return Reply(reply.body, reply.status, {"Date": formatdate(time.time() + ahead, usegmt=True)})


def created(ago: float) -> Reply:
    """A result that says when its job was launched."""
    return Reply({**DONE.body, "created_at": datetime.fromtimestamp(time.time() - ago, UTC).isoformat()})  # type: ignore[dict-item]


async def becomes(follow: Follow, state: JobState, *replies: Reply) -> Job:
    """Job 1 once it has come into a state by these answers."""
    here = await follow(*replies, engine=hasty(70))
    return await here.comes_into(state)


async def test_an_answer_about_another_job_is_no_result_until_accepted(here: Room, follow: Follow) -> None:
    other = Reply({**DONE.body, "agent": 12})  # type: ignore[dict-item]
    lost = await becomes(follow, JobState.LOST, RUNNING, other)
    assert lost.reason == ("The server answered with another job: agent 12, not 7. The server may have been reset.")
    assert (lost.mismatched, lost.improved_sha256) == (True, None)
    assert here.store.jobs.answers(1)[-1].raw == other.bytes()[0].decode()
    taken = await here.engine.resume(1, accept=True)
    assert (taken.state, taken.reason) == (JobState.SUCCEEDED, lost.reason)
    assert here.store.jobs.suggestion(taken).improved_prompt == "Be kinder.\r\n"


async def test_an_answer_about_another_job_retracts_no_failure(
    open_room: OpenRoom, follow: Follow, scripted: ScriptedServer
) -> None:
    failed = Reply({"status": "failed", "error": "It broke."})
    other = Reply({**DONE.body, "run_ids": [99]})  # type: ignore[dict-item]
    await becomes(follow, JobState.FAILED, failed)
    scripted.on("GET", PROGRESS, other)
    here = await open_room(engine=hasty(70))
    here.engine.start()
    await here.asked(4)
    assert here.job().state == JobState.FAILED


@pytest.mark.parametrize("ahead", [0.0, 90_000.0, -90_000.0])
async def test_a_launch_is_recognized_by_either_clock(follow: Follow, ahead: float) -> None:
    await becomes(follow, JobState.SUCCEEDED, dated(created(-ahead), ahead))


async def test_a_result_of_another_launch_is_not_taken_for_this_job(follow: Follow) -> None:
    lost = await becomes(follow, JobState.LOST, created(7_200.0))
    assert "another job: launched at " in lost.reason


@pytest.mark.parametrize(
    ("before", "doubt"),
    [
        ([RUNNING, Reply({"status": "queued"})], ": the job went from “running” back to “queued”."),
        ([dated(RUNNING, 90_000.0)], ": its clock went back."),
        ([RUNNING, UNKNOWN, RUNNING], ": it did not know the job for a while."),
    ],
)
async def test_a_result_warns_that_the_server_may_have_been_reset(
    follow: Follow, before: list[Reply], doubt: str
) -> None:
    job = await becomes(follow, JobState.SUCCEEDED, *before, DONE)
    assert job.reason == f"The server may have been reset{doubt}"


async def test_a_result_of_a_job_that_was_unknown_for_a_while_says_so(here: Room, follow: Follow) -> None:
    lost = await becomes(follow, JobState.LOST, RUNNING, UNKNOWN)
    assert lost.reason.endswith(" The server may have been reset: it knew the job before.")
    here.server.on("GET", PROGRESS, DONE)
    here.engine.start()
    await here.engine.resume(1)
    assert (await here.comes_into(JobState.SUCCEEDED)).reason == lost.reason


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "x"])
async def test_an_impossible_launch_time_is_ignored(follow: Follow, at: str) -> None:
    done = Reply({**DONE.body, "created_at": at})  # type: ignore[dict-item]
    await becomes(follow, JobState.SUCCEEDED, done)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _date(at: float) -> dict[str, str]:
    return {"Date": formatdate(at, usegmt=True)}
