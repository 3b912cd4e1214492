"""A paged run list, one case at a time: pages are loaded, shifted, added and dropped."""

from __future__ import annotations

from typing import Any

import pytest
from run_server import FIRST_ID, PASSED, RUNNING, RunServer, keys, row

from cekura_tui.model.run.listed_runs import PAGE, Layout, UnloadedRun
from cekura_tui.model.run.paging import ListPage, PagedRuns

CLOCK_LAG = 60.0


def paged(runs: int, max_pages: int = 1_000, **habits: Any) -> tuple[RunServer, PagedRuns]:
    server = RunServer(**habits)
    server.add(runs)
    server.now += 1.0
    first = server.page(1)
    assert first is not None
    return server, PagedRuns(first, server.now, max_pages)


def load(server: RunServer, runs: PagedRuns, *numbers: int) -> None:
    for number in numbers:
        page = server.page(number, runs.pin)
        assert page is not None
        runs.put(number, page)


def load_newer(server: RunServer, runs: PagedRuns) -> None:
    runs.add_newer(server.listed(since=runs.pin - CLOCK_LAG))


def held(runs: PagedRuns) -> list[int]:
    """Numbers of the pages held in memory."""
    return [number for number in range(1, runs.layout.pages + 1) if not runs.missing([number])]


def test_a_partly_loaded_list_has_a_row_for_the_oldest_run() -> None:
    runs = PagedRuns(ListPage(100_000, tuple(row(n) for n in range(100_000, 99_900, -1)), True), 0.0)
    assert (len(runs.listed), runs.listed.loaded) == (100_000, 100)
    assert runs.listed[99_999].key == ("gap", 99_999)
    assert runs.layout.pages_for(99_980, 99_999) == [1_000]


def test_an_oldest_first_server_has_the_newest_runs_on_its_last_page() -> None:
    server, runs = paged(23, size=10, oldest_first=True)
    assert runs.newest_page == 3
    load_newer(server, runs)
    assert runs.waiting == 0, "new runs are unknown until the newest page is loaded"
    load(server, runs, 3)
    assert [item.id for item in runs.listed[:3]] == [FIRST_ID + 22, FIRST_ID + 21, FIRST_ID + 20]
    assert [isinstance(item, UnloadedRun) for item in runs.listed] == [False] * 3 + [True] * 10 + [False] * 10


def test_the_next_page_to_load_is_in_scroll_direction_and_within_the_list() -> None:
    newest_first, oldest_first = Layout(1_000), Layout(1_000, oldest_first=True)
    assert (newest_first.pages_for(250, 290, 1), newest_first.pages_for(250, 290, -1)) == ([3, 4], [3, 2])
    assert (oldest_first.pages_for(250, 290, 1), oldest_first.pages_for(250, 290, -1)) == ([8, 7], [8, 9])
    assert newest_first.pages_for(0, 20, -1) == [1]
    assert newest_first.pages_for(990, 1_200, 1) == [10]
    for shorter in (Layout(250), Layout(250, oldest_first=True)):
        assert shorter.pages_for(900, 940) == [shorter.page_at(249)]
    assert Layout(0).pages_for(0, 40) == []


@pytest.mark.parametrize(
    ("first", "pin"),
    [
        (ListPage(1, (row(5, at=1_000.9),), at=1_000.0), 1_000.9),
        (ListPage(1, (row(5, at=900.0),), at=1_000.0), 1_000.0),
        (ListPage(0, ()), 5_000.0),
    ],
)
def test_the_pin_is_the_servers_time_or_the_time_of_a_newer_run(first: Any, pin: float) -> None:
    assert PagedRuns(first, got_at=5_000.0).pin == pin


def test_a_newer_run_that_moves_onto_a_page_is_listed_once() -> None:
    server, runs = paged(4, lag=30.0)
    server.add()
    load_newer(server, runs)
    assert (runs.waiting, runs.count) == (1, 4)
    runs.show_waiting()
    load(server, runs, 1)
    assert keys(runs) == [run.id for run in server.listed()]
    assert runs.count == 5


def test_newer_runs_are_not_listed_above_a_page_of_even_newer_runs() -> None:
    server, runs = paged(1, size=2, lag=30.0)
    server.add()
    load_newer(server, runs)
    runs.show_waiting()
    server.add(2)
    load(server, runs, 1)
    assert keys(runs) == [FIRST_ID + 3, FIRST_ID + 2, ("gap", 2), ("gap", 3)]


def test_pages_discarded_by_a_shift_can_be_loaded_again() -> None:
    server, runs = paged(9, size=3, lag=30.0)
    load(server, runs, 2, 3)
    assert runs.listed.loaded == runs.count
    server.add()
    load(server, runs, 2)
    assert runs.shifts == 1
    assert runs.missing(range(1, 9)) == [1, 3, 4]
    load(server, runs, 1, 3, 4)
    assert keys(runs) == [run.id for run in server.listed()]
    assert runs.shifts == 1


@pytest.mark.parametrize("oldest_first", [False, True])
def test_all_runs_from_another_load_fill_the_missing_pages(oldest_first: bool) -> None:
    server, runs = paged(8, size=3, oldest_first=oldest_first)
    load(server, runs, 3)
    rows = [row(FIRST_ID + number) for number in range(9, -1, -1)]  # two were created later
    runs.complete(rows[:4] + rows[5:])
    assert runs.missing(range(1, 4)) == [2], "a run is missing"
    runs.complete(rows)
    assert keys(runs) == [item.id for item in rows[2:]]


def test_a_run_sent_twice_is_listed_once() -> None:
    server, runs = paged(6, size=3)
    second = server.page(2, runs.pin)
    assert second is not None
    runs.put(2, ListPage(6, (runs.listed[2], *second.items[:2])))
    assert keys(runs) == [*(FIRST_ID + n for n in (5, 4, 3, 2, 1)), ("gap", 5)]
    assert isinstance(runs.listed[5], UnloadedRun)
    assert "not sent" in runs.listed[5].why
    assert keys(PagedRuns(ListPage(3, (row(9), row(9), row(8))), 0.0)) == [9, 8, ("gap", 2)]


def test_a_list_ends_before_a_page_that_the_server_does_not_have() -> None:
    server, runs = paged(9, size=3)
    load(server, runs, 3)
    runs.fail(2, "The server failed.")
    runs.no_such_page(2)
    assert keys(runs) == [FIRST_ID + 8, FIRST_ID + 7, FIRST_ID + 6]
    assert (held(runs), runs.missing(range(1, 9))) == ([1], [])


def test_a_list_that_outgrows_one_page_adopts_the_servers_page_size() -> None:
    server, runs = paged(2, size=3, lag=50.0)
    assert runs.layout.size == PAGE
    server.add(3)
    load(server, runs, 1, 2)
    assert keys(runs) == [run.id for run in server.listed()]


def test_the_newest_page_and_the_last_viewed_pages_are_kept() -> None:
    server, runs = paged(40, size=2, max_pages=3)
    load(server, runs, *range(2, 20))
    assert held(runs) == [1, 18, 19]
    server.add()
    runs.add_newer(server.listed(since=runs.pin))
    assert runs.waiting == 1
    server, runs = paged(40, size=2, max_pages=3)
    for number in (5, 6, 7):
        load(server, runs, number)
        runs.mark_viewed([5])
    assert held(runs) == [1, 5, 7]


def test_a_list_is_the_same_object_until_a_row_changes() -> None:
    _, runs = paged(4)
    before = runs.listed
    assert not runs.change([row(FIRST_ID, runs.listed[3].at), row(1)])
    assert runs.listed is before
    assert runs.change([row(FIRST_ID, outcome=RUNNING)])
    assert runs.listed is not before
    assert (before[3].outcome, runs.listed[3].outcome) == (PASSED, RUNNING)


def test_a_newer_run_waits_to_be_shown_and_can_be_updated_afterwards() -> None:
    server, runs = paged(9, size=3)
    server.add()
    load_newer(server, runs)
    assert runs.waiting == 1
    runs.show_waiting()
    assert runs.listed[0].outcome == PASSED
    assert runs.change([row(FIRST_ID + 9, outcome=RUNNING)])
    assert runs.listed[0].outcome == RUNNING
