"""A whole list of runs is read once, newest first, with retries and few requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import product

import pytest
from listed_runs import LIST, NOON, Listed, Pin, time_of
from scripted_server import Got, Reply, ScriptedServer, run_of
from simulated_time import SleepClock

from cekura_tui.api.errors import Busy
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.workspace.all_runs import IncompleteListError, ListOptions, all_runs
from cekura_tui.workspace.session import Session


async def ids_of(session: Session, options: ListOptions | None = None) -> list[int]:
    pages = all_runs(session.client, {"project_id": 1}, session.budget, options)
    return [run.id async for page in pages for run in page.items]


@pytest.mark.parametrize(
    ("count", "oldest_first"), [(0, True), (1, False), (3, True), (4, False), (9, True), (10, False)]
)
async def test_every_run_is_read_once_and_newest_first(
    quick: Session, scripted: ScriptedServer, count: int, oldest_first: bool
) -> None:
    Listed(scripted, list(range(1, count + 1)), oldest_first=oldest_first)
    assert await ids_of(quick) == list(range(count, 0, -1))


@pytest.mark.parametrize("oldest_first", [False, True])
async def test_runs_created_while_reading_do_not_shift_pages(
    quick: Session, scripted: ScriptedServer, oldest_first: bool
) -> None:
    listed = Listed(scripted, list(range(1, 11)), oldest_first=oldest_first)
    later = int(datetime.now().timestamp() - NOON) + 1_000
    found: list[int] = []
    async for page in all_runs(quick.client, {"project_id": 1}, quick.budget):
        found += [run.id for run in page.items]
        listed.ids.append(later + len(listed.ids))
    assert found == list(range(10, 0, -1))


async def test_a_list_that_ends_at_a_time_in_the_past_is_read_completely(
    quick: Session, scripted: ScriptedServer
) -> None:
    Listed(scripted, list(range(1, 11)))
    params: dict[str, str | int] = {"project_id": 1, "created_at_to": time_of(7)}
    found = [run.id async for page in all_runs(quick.client, params, quick.budget) for run in page.items]
    assert found == [7, 6, 5, 4, 3, 2, 1]
    assert {got.query["created_at_to"] for got in scripted.requests("GET", LIST)} == {time_of(7)}


async def test_a_list_is_not_pinned_without_a_valid_server_date(quick: Session, scripted: ScriptedServer) -> None:
    listed = Listed(scripted, list(range(1, 11)))
    scripted.on("GET", LIST, lambda got: replace(listed.answer(got), headers={"Date": "noon"}))
    assert await ids_of(quick) == list(range(10, 0, -1))
    assert not [got for got in scripted.requests("GET", LIST) if "created_at_to" in got.query]


@pytest.mark.parametrize("oldest_first", [False, True])
async def test_a_list_that_shrinks_while_reading_ends_without_an_error(
    quick: Session, scripted: ScriptedServer, oldest_first: bool
) -> None:
    listed = Listed(scripted, list(range(1, 11)), oldest_first=oldest_first)
    found: list[int] = []
    async for page in all_runs(quick.client, {"project_id": 1}, quick.budget):
        found += [run.id for run in page.items]
        listed.ids[:] = [number for number in listed.ids if number >= 8]
    assert found == [10, 9, 8]


@pytest.mark.parametrize(
    ("missing", "oldest_first"), [([4], True), ([2], False), ([2, 3, 4], True), (range(4, 100), False)]
)
async def test_a_list_with_missing_pages_is_reported_as_incomplete(
    quick: Session, scripted: ScriptedServer, oldest_first: bool, missing: list[int]
) -> None:
    listed = Listed(scripted, list(range(1, 31)), oldest_first=oldest_first)
    listed.missing = missing
    with pytest.raises(IncompleteListError, match="reported 30 runs and sent"):
        await ids_of(quick)


@pytest.mark.parametrize(
    ("pages", "ends", "count", "found", "asked"),
    [
        ([[2, 1]], False, 9_000, "reported 9,000 runs and sent 2", 4),
        ([[1, 2]], False, 9_000, "reported 9,000 runs and sent 2", 5),
        ([[]], False, 9_000, "reported 9,000 runs and sent 0", 3),
        ([[2, 1], [2, 1]], True, 4, "reported 4 runs and sent 2", 2),
        ([[2, 1], []], True, 4, "reported 4 runs and sent 2", 2),
        ([[4, 3], [4, 3], [2, 1]], True, 4, [4, 3, 2, 1], 3),
        ([[2, 1]], False, 2, [2, 1], 2),
    ],
)
async def test_repeated_pages_are_skipped_and_end_the_reading_of_a_list(
    quick: Session,
    scripted: ScriptedServer,
    pages: list[list[int]],
    ends: bool,
    count: int,
    found: list[int] | str,
    asked: int,
) -> None:
    replies = [{"count": count, "next": "x", "results": [run_of(number) for number in page]} for page in pages]
    replies[-1]["next"] = None if ends else "x"
    scripted.on("GET", LIST, *map(Reply, replies))
    if isinstance(found, list):
        assert await ids_of(quick) == found
    else:
        with pytest.raises(IncompleteListError, match=found):
            await ids_of(quick)
    assert len(scripted.seen) == asked


async def test_a_wrong_count_does_not_cause_endless_requests(quick: Session, scripted: ScriptedServer) -> None:
    first = Reply({"count": 10**12, "next": "x", "results": [run_of(1), run_of(2)]})
    scripted.on("GET", LIST, first, Reply({"detail": "Invalid page."}, 404))
    with pytest.raises(CekuraTuiError):
        await ids_of(quick)
    assert len(scripted.seen) == 41


async def test_each_request_waits_for_the_shared_budget(session: Session, scripted: ScriptedServer) -> None:
    Listed(scripted, list(range(1, 8)))
    session.budget = Budget(2, 10.0)
    clock = SleepClock()
    assert len(await ids_of(session, ListOptions(monotonic=clock, sleep=clock.sleep))) == 7
    assert (len(scripted.seen), clock.slept) == (3, [10.0])


async def test_the_servers_retry_time_is_respected_and_reported(quick: Session, scripted: ScriptedServer) -> None:
    busy = Reply(b"{}", 429, {"Retry-After": "70"})
    scripted.on("GET", LIST, *[busy] * 4, Reply({"count": 1, "next": None, "results": [run_of(1)]}))
    reported, clock = list[float](), SleepClock(0.0)
    options = ListOptions(on_wait=lambda _, wait: reported.append(wait), monotonic=clock, sleep=clock.sleep)
    assert await ids_of(quick, options) == [1]
    assert reported == [70.0] * 4
    assert clock.now >= 280
    scripted.on("GET", LIST, busy)
    with pytest.raises(Busy):
        await ids_of(quick, options)
    assert clock.now == 560


async def test_only_a_patient_list_retries_without_limit(quick: Session, scripted: ScriptedServer) -> None:
    clock = SleepClock()
    scripted.on("GET", LIST, Reply(b"{}", 429, {"Retry-After": "0"}))
    with pytest.raises(Busy):
        await ids_of(quick, ListOptions(monotonic=clock, sleep=clock.sleep))
    assert len(scripted.seen) == 3
    scripted.on("GET", LIST, *[Reply(b"", 502)] * 6, Reply({"count": 1, "next": None, "results": [run_of(1)]}))
    assert await ids_of(quick, ListOptions(monotonic=clock, sleep=clock.sleep, patient=True)) == [1]
    assert len(scripted.seen) == 10


async def test_a_temporary_failure_is_reported_before_the_wait(quick: Session, scripted: ScriptedServer) -> None:
    clock, reported = SleepClock(), list[tuple[str, float, int]]()

    def waits(error: CekuraTuiError, seconds: float) -> None:
        reported.append((type(error).__name__, seconds, len(clock.slept)))

    scripted.on("GET", LIST, Reply(b"", 502), Reply({"count": 1, "next": None, "results": [run_of(1)]}))
    assert await ids_of(quick, ListOptions(on_wait=waits, sleep=clock.sleep)) == [1]
    assert reported == [("ServerFault", clock.slept[0], 0)]


@pytest.mark.parametrize(("gone", "after"), product([[10], [8, 9, 10], [1], [4, 5, 6, 7, 8, 9, 10]], [1, 3]))
@pytest.mark.parametrize(("pin", "oldest_first"), [("exact", True), ("refused", False)])
async def test_runs_deleted_while_the_list_is_read_do_not_hide_other_runs(
    quick: Session, scripted: ScriptedServer, gone: list[int], after: int, pin: Pin, oldest_first: bool
) -> None:
    listed = Listed(scripted, list(range(1, 11)), pin=pin, apart=2_400, oldest_first=oldest_first)

    def answer(got: Got) -> Reply:
        reply = listed.answer(got)
        if len(scripted.requests("GET", LIST)) == after:
            listed.ids = [number for number in listed.ids if number not in gone]
        return reply

    scripted.on("GET", LIST, answer)
    assert {*range(1, 11)} - {*await ids_of(quick)} <= {*gone}
