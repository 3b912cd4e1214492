"""Pages of a run list that come, shift, grow and make room, one case at a time."""

from __future__ import annotations

from typing import Any

import pytest
from run_server import FIRST_ID, PASSED, RUNNING, RunServer, keys, row

from cekura_tui.model.run.listed_runs import PAGE, Layout, UnloadedRun
from cekura_tui.model.run.paging import ListPage, PagedRuns

APART = 60.0


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
    runs.add_newer(server.listed(since=runs.pin - APART))


def held(runs: PagedRuns) -> list[int]:
    """The numbers of the pages that are held."""
    return [number for number in range(1, runs.layout.pages + 1) if not runs.missing([number])]


def test_a_list_with_one_loaded_page_has_a_place_for_its_oldest_run() -> None:
    runs = PagedRuns(ListPage(100_000, tuple(row(n) for n in range(100_000, 99_900, -1)), True), 0.0)
    assert (len(runs.listed), runs.listed.loaded) == (100_000, 100)
    assert runs.listed[99_999].key == ("gap", 99_999)
    assert runs.layout.pages_for(99_980, 99_999) == [1_000]


def test_a_server_that_lists_oldest_first_has_its_newest_runs_in_its_last_page() -> None:
    server, runs = paged(23, size=10, oldest_first=True)
    assert runs.newest_page == 3
    load_newer(server, runs)
    assert runs.waiting == 0, "without its newest page it is not known what is new to a list"
    load(server, runs, 3)
    assert [item.id for item in runs.listed[:3]] == [FIRST_ID + 22, FIRST_ID + 21, FIRST_ID + 20]
    assert [isinstance(item, UnloadedRun) for item in runs.listed] == [False] * 3 + [True] * 10 + [False] * 10


def test_the_next_page_is_on_the_side_to_which_one_moves_and_within_the_list() -> None:
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
def test_a_list_is_as_new_as_its_newest_run_when_the_servers_clock_is_behind(first: Any, pin: float) -> None:
    assert PagedRuns(first, got_at=5_000.0).pin == pin


def test_a_run_that_came_into_the_pages_after_all_is_not_above_them_too() -> None:
    server, runs = paged(4, lag=30.0)
    server.add()
    load_newer(server, runs)
    assert (runs.waiting, runs.count) == (1, 4)
    runs.show_waiting()
    load(server, runs, 1)
    assert keys(runs) == [run.id for run in server.listed()]
    assert runs.count == 5


def test_runs_that_came_into_the_pages_with_newer_ones_are_not_above_those() -> None:
    server, runs = paged(1, size=2, lag=30.0)
    server.add()
    load_newer(server, runs)
    runs.show_waiting()
    server.add(2)
    load(server, runs, 1)
    assert keys(runs) == [FIRST_ID + 3, FIRST_ID + 2, ("gap", 2), ("gap", 3)]


def test_shifted_pages_are_reloaded_until_all_runs_are_there() -> None:
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


def test_a_run_that_is_sent_twice_is_listed_once() -> None:
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


def test_a_list_that_grows_beyond_one_page_takes_the_size_of_the_pages_that_come() -> None:
    server, runs = paged(2, size=3, lag=50.0)
    assert runs.layout.size == PAGE
    server.add(3)
    load(server, runs, 1, 2)
    assert keys(runs) == [run.id for run in server.listed()]


def test_the_newest_page_is_held_and_then_those_looked_at_last() -> None:
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


def test_a_list_is_the_same_object_until_something_of_it_changes() -> None:
    _, runs = paged(4)
    before = runs.listed
    assert not runs.change([row(FIRST_ID, runs.listed[3].at), row(1)])
    assert runs.listed is before
    assert runs.change([row(FIRST_ID, outcome=RUNNING)])
    assert runs.listed is not before
    assert (before[3].outcome, runs.listed[3].outcome) == (PASSED, RUNNING)


def test_only_a_run_made_after_the_pages_is_new_and_it_changes_in_the_list_too() -> None:
    server, runs = paged(9, size=3)
    server.add()
    load_newer(server, runs)
    assert runs.waiting == 1
    runs.show_waiting()
    assert runs.listed[0].outcome == PASSED
    assert runs.change([row(FIRST_ID + 9, outcome=RUNNING)])
    assert runs.listed[0].outcome == RUNNING
