"""The page cache of a run list stays correct in any order of scrolling, answers, failures, new runs and shifts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from run_server import FIRST_ID, RUNNING, RunServer, keys

from cekura_tui.model.run.listed_runs import UnloadedRun
from cekura_tui.model.run.paging import ListPage, PagedRuns
from cekura_tui.model.run.view import RunRow

CLOCK_LAG = 60.0
WHICH = st.integers(0, 40)


class PagedRunsMachine(RuleBasedStateMachine):
    """A paged list and its server. Each answer is made when it is requested; answers arrive in any order."""

    @initialize(
        runs=st.integers(0, 25),
        size=st.integers(2, 5),
        oldest_first=st.booleans(),
        lag=st.sampled_from([0.0, 0.0, 20.0]),
        off=st.sampled_from([0, 0, 0, -3, 2, 40]),
        since=st.sampled_from([0.0, 1.0]),
        max_pages=st.sampled_from([1, 3, 1_000, 1_000]),
    )
    def opens(
        self, runs: int, size: int, oldest_first: bool, lag: float, off: int, since: float, max_pages: int
    ) -> None:
        self.server = RunServer(size, oldest_first, lag, off)
        self.server.add(runs, outcome=RUNNING)
        self.server.now += since
        # An oldest-first list may be pinned within the same second as its newest run.
        self.exact = not lag and not off and (since >= 1.0 or not oldest_first)
        first = self.server.page(1)
        assert first is not None
        self.runs = PagedRuns(first, self.server.now, max_pages)
        self.max_pages = max_pages
        self.pages: list[tuple[int, ListPage[RunRow] | None]] = []
        self.others: list[tuple[str, tuple[RunRow, ...]]] = []

    @rule(runs=st.integers(1, 4), after=st.sampled_from([0.01, 5.0, 30.0]))
    def add(self, runs: int, after: float) -> None:
        self.server.add(runs, after, RUNNING)

    @precondition(lambda self: self.server.runs)
    @rule(which=WHICH)
    def finish(self, which: int) -> None:
        self.server.finish(FIRST_ID + which % len(self.server.runs))

    @precondition(lambda self: self.runs.layout.count)
    @rule(which=WHICH)
    def asks(self, which: int) -> None:
        number = which % self.runs.layout.pages + 1
        self.pages.append((number, self.server.page(number, self.runs.pin)))

    @precondition(lambda self: self.pages)
    @rule(which=WHICH, keep=st.sets(st.integers(1, 6), max_size=2))
    def page_arrives(self, which: int, keep: set[int]) -> None:
        self.take(*self.pages.pop(which % len(self.pages)), keep)

    def take(self, number: int, page: ListPage[RunRow] | None, keep: Sequence[int] | set[int] = ()) -> None:
        if page is None:
            self.runs.no_such_page(number)
        else:
            self.runs.put(number, page, keep)

    @precondition(lambda self: self.pages)
    @rule(which=WHICH)
    def page_fails(self, which: int) -> None:
        number, _ = self.pages.pop(which % len(self.pages))
        before, loaded = keys(self.runs), not self.runs.missing([number])
        self.runs.fail(number, "The server failed.")
        assert keys(self.runs) == before
        places, head = self.runs.layout.span(number), self.runs.listed.head
        assert loaded or all(self.runs.listed[head + n].why for n in places)

    @rule(rows=st.sampled_from([2, 5, 100]))
    def asks_for_newer(self, rows: int) -> None:
        found = self.server.listed(since=self.runs.pin - CLOCK_LAG)
        self.others.append(("newer", tuple(found[:rows])))

    @rule()
    def asks_about_changes(self) -> None:
        self.others.append(("changes", self.server.by_id(self.runs.unsettled(0)[:4])))

    @precondition(lambda self: self.others)
    @rule(which=WHICH)
    def other_answer_arrives(self, which: int) -> None:
        before = keys(self.runs)
        kind, rows = self.others.pop(which % len(self.others))
        (self.runs.add_newer if kind == "newer" else self.runs.change)(rows)
        assert keys(self.runs) == before, "waiting runs move no row"
        known = {known.id: known for known in self.runs.rows()}
        assert all(known[row.id] == row for row in rows if row.id in known)

    @rule()
    def shows_waiting(self) -> None:
        before, waiting = keys(self.runs), self.runs.waiting
        self.runs.show_waiting()
        assert [key for key in keys(self.runs) if key in set(before)] == before
        assert (self.runs.waiting, len(keys(self.runs))) == (0, len(before) + waiting)

    @rule(which=st.sets(st.integers(1, 6), max_size=3))
    def scrolls(self, which: set[int]) -> None:
        before = self.runs.listed
        self.runs.mark_viewed(which)
        assert self.runs.listed is before

    @invariant()
    def is_a_sequence_of_its_count(self) -> None:
        listed = self.runs.listed
        items = list(listed)
        assert len(items) == len(listed) == self.runs.count
        assert listed is self.runs.listed
        assert [listed[n] for n in range(-len(items), 0)] == items == listed[:]
        assert listed[1:7:2] == items[1:7:2]
        for beyond in (len(items), -len(items) - 1):
            with pytest.raises(IndexError):
                listed[beyond]

    @invariant()
    def runs_are_unique_and_newest_first(self) -> None:
        loaded = [item.id for item in self.runs.listed if isinstance(item, RunRow)]
        assert all(newer > older for newer, older in pairwise(loaded))
        assert loaded == [run.id for run in self.runs.listed.runs()]
        assert len(loaded) == self.runs.listed.loaded
        everything = [run.id for run in self.runs.rows()]
        assert len(everything) == len(set(everything)) == len(loaded) + self.runs.waiting
        assert all(map(self.runs.knows, everything))
        is_whole = self.runs.listed.loaded == self.runs.count
        assert is_whole == (not any(isinstance(item, UnloadedRun) for item in self.runs.listed))

    @invariant()
    def rows_are_found_by_key(self) -> None:
        assert [self.runs.listed.place_of(key) for key in keys(self.runs)] == list(range(self.runs.count))
        gone = [("gap", self.runs.layout.count), FIRST_ID - 1, "no key of it"]
        assert [self.runs.listed.place_of(key) for key in gone] == [None] * 3
        gaps = [(n, item) for n, item in enumerate(self.runs.listed) if isinstance(item, UnloadedRun)]
        assert all(gap.key == ("gap", n - self.runs.listed.head) for n, gap in gaps)

    @invariant()
    def held_pages_stay_within_the_limit(self) -> None:
        held = [number for number in range(1, self.runs.layout.pages + 1) if not self.runs.missing([number])]
        assert len(held) <= self.max_pages
        assert self.runs.full == (len(held) == self.max_pages)
        assert not set(held) & set(self.runs.missing(range(1, 100)))
        assert self.runs.next_missing() in (self.runs.missing(range(1, 100)) or [None])

    @invariant()
    def runs_are_at_the_places_of_the_server(self) -> None:
        if not self.exact:
            return
        # With a correct server, pinned pages always hold the same runs.
        truth = [run.id for run in self.server.listed(self.runs.pin)]
        assert self.runs.layout.count == len(truth)
        listed = list(self.runs.listed)[self.runs.listed.head :]
        assert all(item.id == truth[place] for place, item in enumerate(listed) if isinstance(item, RunRow))
        created_since = {run.id for run in self.server.listed()} - set(truth)
        waiting = list(self.runs.rows())[: self.runs.waiting]
        assert {run.id for run in (*self.runs.listed[: self.runs.listed.head], *waiting)} <= created_since

    @invariant()
    def unsettled_runs_are_nearest_first(self) -> None:
        near = 3
        places = [self.runs.listed.place_of(number) for number in self.runs.unsettled(near)]
        assert places == sorted(places, key=lambda place: (abs((place or 0) - near), self.runs.listed[place or 0].id))
        running = [item for item in self.runs.listed.runs() if not item.outcome.settled]
        assert len(places) == len(running)

    def teardown(self) -> None:
        if not hasattr(self, "runs") or self.max_pages < 1_000:
            return
        self.take(1, self.server.page(1, self.runs.pin))
        for _ in range(200):  # a wrong count is corrected page by page
            if (number := self.runs.next_missing()) is None:
                break
            self.take(number, self.server.page(number, self.runs.pin))
        truth = [run.id for run in self.server.listed(self.runs.pin)]
        assert self.runs.listed.loaded == self.runs.count
        assert [run.id for run in self.runs.listed][self.runs.listed.head :] == truth


TestAnyInterleaving = PagedRunsMachine.TestCase
TestAnyInterleaving.settings = settings(stateful_step_count=40)
