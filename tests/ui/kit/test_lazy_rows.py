"""Rows are created only when read: a million rows cost no more than a screenful, and the cursor keeps its place."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest
from one_widget import WidgetApp, widget_app
from row_lists import SIZE, Even, lazy, listed, screen, show
from textual.pilot import Pilot

from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.paging import ListPage, PagedRuns
from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.runs.list import RunList

KEYS = ("j", "k", "pagedown", "pagedown", "ctrl+d", "V", "space", "j", "j", "V", "pageup", "G", "k", "pageup", "g", "j")
A_FEW_SCREENS = 12 * SIZE[1]


async def test_a_key_reads_as_many_rows_in_a_list_of_a_million_as_in_a_list_of_240() -> None:
    looks: dict[int, list[int]] = {240: [], 1_000_000: []}
    for count, seen in looks.items():
        made = lazy(0, count)
        async with listed(Even(), made) as (_, pilot):
            for key in KEYS:
                made.reads = 0
                await pilot.press(key)
                await pilot.pause()
                seen.append(made.reads)
    assert looks[240] == looks[1_000_000]
    assert max(looks[240]) <= A_FEW_SCREENS


async def test_inserting_or_removing_rows_in_a_list_of_a_million_reads_few_screenfuls() -> None:
    async with listed(Even(), lazy(0, 1_000_000)) as (app, pilot):
        await pilot.press("G", "pageup", "j", "space", "k")
        key, seen, messages = app.widget.cursor_key, screen(app.widget), len(app.messages)
        app.widget.painted.clear()
        more = lazy(-7, 1_000_007)
        await show(pilot, app.widget, more)
        assert app.widget.painted == []
        assert more.reads <= A_FEW_SCREENS
        assert (app.widget.cursor_key, app.widget.cursor_index) == (key, more.place_of(key))
        assert (screen(app.widget), app.widget.marks) == (seen, {999_991})
        assert not [message for message in app.messages[messages:] if isinstance(message, VirtualList.Moved)]
        await pilot.press("g", "j")
        fewer = lazy(-3, 999_998)  # without the cursor's row
        await show(pilot, app.widget, fewer)
        assert (app.widget.cursor_key, fewer.reads <= A_FEW_SCREENS) == (-3, True)


async def test_new_rows_are_shown_at_the_top_until_the_cursor_would_leave_the_screen() -> None:
    async with listed(Even(), lazy(0, 1_000)) as (app, pilot):
        await pilot.press("j")
        for first in (-3, -6):
            await show(pilot, app.widget, lazy(first, 1_000), follow=True)
            assert (app.widget.at_top, app.widget.cursor_key, screen(app.widget)[0]) == (True, 1, f"run {first} 0")
        await show(pilot, app.widget, lazy(-30, 1_000), follow=True)
        assert (app.widget.at_top, app.widget.cursor_key, screen(app.widget)[7]) == (False, 1, "run 1 0")
        seen = screen(app.widget)
        await show(pilot, app.widget, lazy(-33, 1_003), follow=True)
        assert screen(app.widget) == seen


async def test_the_list_reports_which_rows_are_in_view() -> None:
    async with listed(Even(), lazy(0, 1_000)) as (app, pilot):
        await pilot.press("j", "pagedown", "G")
        reported = [(m.first, m.last) for m in app.messages_of(VirtualList.InView)]
        assert reported == [(0, 9), (9, 18), (990, 999)]
        assert (app.widget.shown_range, app.widget.rows_that_fit) == ((990, 999), SIZE[1])
        await show(pilot, app.widget, app.widget.rows)
        assert len(app.messages_of(VirtualList.InView)) == 3
        await show(pilot, app.widget, lazy(0, 1_000))
        assert [(m.first, m.last) for m in app.messages_of(VirtualList.InView)][3:] == [(990, 999)]
        await show(pilot, app.widget, ())
        assert app.widget.shown_range is None


# Runs, page by page

COUNT = 100_000


def run(number: int) -> RunRow:
    return RunRow(number, "Refund", "Calm", 1, "Desk", Outcome("passed", "passed"), "00:30", 1e9)


def page(number: int) -> ListPage[RunRow]:
    newest = COUNT - (number - 1) * 100
    return ListPage(COUNT, tuple(run(n) for n in range(newest, newest - 100, -1)), more=newest > 100)


def runs_of(pages: PagedRuns) -> AbstractAsyncContextManager[tuple[WidgetApp[RunList], Pilot[None]]]:
    """A run list with these pages, alone in an app."""
    return widget_app(RunList(str), lambda one: one.show_rows(pages.listed))


@pytest.fixture
def pages() -> PagedRuns:
    return PagedRuns(page(1), 2e9, max_pages=3)


@pytest.mark.parametrize("newer", [[], [COUNT + 1, COUNT + 2]])
async def test_when_a_page_arrives_the_cursor_moves_from_the_placeholder_to_its_run(
    pages: PagedRuns, newer: list[int]
) -> None:
    async with runs_of(pages) as (app, pilot):
        runs = app.widget
        await pilot.press("G", "pageup", "k", "space")
        index = runs.cursor_index or 0
        line = index - runs.scroll_y
        assert (runs.cursor_key, runs.marks) == (("gap", index), frozenset())
        pages.put(1_000, page(1_000))
        pages.add_newer([run(n) for n in newer])
        pages.show_waiting()
        await show(pilot, app.widget, pages.listed)
        assert runs.cursor_index == index + len(newer)
        assert runs.cursor_index - runs.scroll_y == line
        assert (runs.cursor_key, runs.cursor_id) == (COUNT - index, COUNT - index)


async def test_the_cursor_stays_in_place_when_the_page_of_its_run_is_dropped(pages: PagedRuns) -> None:
    async with runs_of(pages) as (app, pilot):
        pages.put(2, page(2))
        app.widget.show_rows(pages.listed)
        app.widget.move_to(COUNT - 150)
        app.widget.scroll_to(y=50_000, animate=False)
        await pilot.pause()
        for number in (501, 502):
            pages.put(number, page(number))
        assert pages.missing([2]) == [2]
        await show(pilot, app.widget, pages.listed)
        assert (app.widget.cursor_index, app.widget.cursor_key) == (150, ("gap", 150))
        assert screen(app.widget)[0].startswith(str(COUNT - 50_000))
        pages.put(2, page(2), keep=[2])
        await show(pilot, app.widget, pages.listed)
        assert (app.widget.cursor_index, app.widget.cursor_key) == (150, COUNT - 150)
