"""The mouse on a list: the row that is clicked, the rows that are marked, the wheel, and text that is selected."""

from __future__ import annotations

from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from row_lists import SIZE, Even, Lazy, Row, Uneven, listed, rows, screen
from textual.events import Click, MouseDown, MouseEvent, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.pilot import Pilot

from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.theme import THEMES, WORDS, contrast


async def wheel(pilot: Pilot[Any], *events: type[MouseEvent]) -> None:
    for event in events:
        await pilot._post_mouse_events([event], Even, (5, 5))
    await pilot.pause()


async def move(pilot: Pilot[Any], *points: tuple[int, int]) -> None:
    for point in points:
        await pilot._post_mouse_events([MouseMove], offset=point, button=1)
    await pilot.pause()


async def drag(pilot: Pilot[Any], *points: tuple[int, int], up: bool = True) -> None:
    """Press the button on the first of these cells and drag it over the others."""
    await pilot._post_mouse_events([MouseDown], offset=points[0], button=1)
    await move(pilot, *points[1:])
    if up:
        # As the terminal's driver does where the button comes up over the widget that it went down over.
        await pilot._post_mouse_events([MouseUp, Click], offset=points[-1], button=1)
    await pilot.pause()


async def test_a_click_moves_the_cursor_and_a_double_click_opens_but_not_below_the_rows() -> None:
    async with listed(Even(), rows(*range(7))) as (app, pilot):
        await pilot.click(Even, offset=(5, 3))
        assert (app.widget.cursor_key, app.opened) == (3, [])
        await pilot.double_click(Even, offset=(5, 6))
        assert (app.widget.cursor_key, app.opened) == (6, [6])
        await pilot.double_click(Even, offset=(5, 7))
        assert (app.widget.cursor_key, app.opened) == (6, [6])


async def test_ctrl_and_a_click_mark_a_row_shift_and_a_click_all_up_to_it() -> None:
    async with listed(Even(), Lazy(0, 1_000)) as (app, pilot):
        await pilot.click(Even, offset=(5, 2), control=True)
        assert app.widget.marks == {2}
        await pilot.click(Even, offset=(5, 5), shift=True)
        assert app.widget.marks == {2, 3, 4, 5}
        await pilot.click(Even, offset=(5, 4), control=True)
        assert app.widget.marks == {2, 3, 5}
        assert app.widget.cursor_key == 4


async def test_capital_v_marks_up_to_the_last_marked_row_at_most_a_thousand() -> None:
    class Odd(Even):
        def may_mark(self, row: Row) -> bool:
            return row.id % 2 == 1

    async with listed(Even(), Lazy(0, 100_000)) as (app, pilot):
        await pilot.press("j", "space", "j", "j", "V")
        assert app.widget.marks == {1, 2, 3}
        await pilot.press("V")
        assert app.widget.marks == frozenset()
        await pilot.press("G", "V")
        assert app.widget.marks == set(range(1, 1_001))
    async with listed(Odd(), Lazy(0, 100)) as (app, pilot):
        await pilot.press("space", "j", "space", *"jjjj", "V", "k", "space")
        assert app.widget.marks == {1, 3, 5}


async def test_the_wheel_scrolls_and_leaves_the_cursor_where_it_is() -> None:
    async with listed(Even(), Lazy(0, 100_000)) as (app, pilot):
        await wheel(pilot, *[MouseScrollDown] * 3)
        down = app.widget.scroll_y
        assert down > 0
        assert (screen(app.widget)[0], app.widget.cursor_key) == (f"run {down:.0f} 0", 0)
        await wheel(pilot, MouseScrollUp)
        assert 0 < app.widget.scroll_y < down
        app.widget.show_rows(Lazy(-5, 100_005))
        await pilot.pause()
        assert app.widget.cursor_key == 0
        assert screen(app.widget)[0] == f"run {app.widget.scroll_y - 5:.0f} 0"


# Text

LAST = SIZE[0] - 2
"""The last cell of a row, beside the scroll bar."""


@pytest.mark.parametrize(
    ("points", "text"),
    [
        ([(2, 1), (4, 1)], "run"),
        ([(4, 1), (3, 1), (2, 1)], "run"),
        ([(6, 1), (6, 2), (4, 3)], "1 0\n  run 2 0\n  run"),
        ([(4, 3), (6, 1)], "1 0\n  run 2 0\n  run"),
    ],
)
async def test_text_that_the_mouse_is_dragged_over_is_copied(points: list[tuple[int, int]], text: str) -> None:
    async with listed(Even(), Lazy(0, 1_000)) as (app, pilot):
        await drag(pilot, *points)
        await pilot.press("ctrl+c")
        assert app.copied == [text]


async def test_selected_text_stays_while_rows_come_and_scroll_until_a_click_or_they_go() -> None:
    async with listed(Even(), Lazy(0, 100_000)) as (app, pilot):
        await pilot.press("pagedown")
        await drag(pilot, (2, 3), (LAST, 4))
        selected = app.screen.get_selected_text()
        assert (selected, app.widget.cursor_key) == ("run 12 0\n  run 13 0", 9)
        app.widget.show_rows(Lazy(-7, 100_007))
        await pilot.press("G")
        await pilot.press("ctrl+c")
        assert app.copied == [selected]
        await pilot.click(Even, offset=(5, 6))
        assert app.screen.get_selected_text() is None
        app.widget.show_rows(Lazy(0, 100), reset=True)
        await pilot.pause()
        await drag(pilot, (2, 3), (5, 4))
        app.widget.show_rows(Lazy(4, 96))
        await pilot.pause()
        assert app.screen.get_selected_text() is None


async def test_a_drag_below_the_last_line_scrolls_down() -> None:
    async with listed(Even(), Lazy(0, 1_000), css="Even { height: 6; }") as (app, pilot):
        await drag(pilot, (2, 4), (2, 5), (2, 8), (2, 9), (2, 8))
        assert app.widget.scroll_y > 6
        text = app.screen.get_selected_text() or ""
        last = int(app.widget.scroll_y) + 5
        assert text.split("\n  ") == [f"run {n} 0" for n in range(4, last + 1)]


async def test_a_drag_above_the_first_line_scrolls_up() -> None:
    async with listed(Even(), Lazy(0, 1_000), css="Even { height: 6; margin-top: 4; }") as (app, pilot):
        await pilot.press("pagedown", "pagedown")
        top = app.widget.scroll_y
        await drag(pilot, (LAST, 5), (LAST, 1), (LAST, 0), (LAST, 1))
        assert app.widget.scroll_y < top - 3
        text = app.screen.get_selected_text() or ""
        assert text.endswith(f"run {top + 1:.0f} 0")
        assert text.split("\n")[1] == f"  run {app.widget.scroll_y + 1:.0f} 0"


async def test_no_more_than_a_thousand_rows_are_selected() -> None:
    async with listed(Even(), Lazy(0, 100_000)) as (app, pilot):
        await drag(pilot, (0, 0), (0, 1), up=False)
        app.widget.scroll_to(y=60_000, animate=False)
        await pilot.pause()
        await move(pilot, (2, 2))
        text = app.screen.get_selected_text() or ""
        assert len(text.split("\n")) == 1_000
        assert text.endswith("\n  run 999 0")


@pytest.mark.parametrize("theme", THEMES)
async def test_selected_text_can_be_read_in_every_theme(theme: str) -> None:
    class Inked(Even):
        def lines_of(self, row: Row, width: int, state: RowState) -> list[Line]:
            return [[Segment("plain "), Segment("marked", Style(color="#ff0000", bgcolor="#00ff00", bold=True))]]

    async with listed(Inked(), rows(0, 1, 2)) as (app, pilot):
        app.theme = theme
        await pilot.pause()
        await drag(pilot, (0, 0), (LAST, 1))
        for y in (0, 1):  # the row under the cursor, and another
            cells = [segment for segment in app.widget.render_line(y) if segment.text.strip()]
            assert "".join(segment.text for segment in cells) == "plain marked"
            styles = [segment.style for segment in cells]
            colours = [(style.color, style.bgcolor) for style in styles if style and style.color and style.bgcolor]
            assert len(colours) == len(cells)
            assert all(contrast(ink.triplet.hex, ground.triplet.hex) >= WORDS for ink, ground in colours)  # type: ignore[union-attr]


async def test_a_selection_paints_only_the_lines_that_it_changes() -> None:
    async with listed(Even(), Lazy(0, 1_000)) as (app, pilot):
        await drag(pilot, (2, 3), (5, 3), up=False)
        app.widget.painted.clear()
        await move(pilot, (5, 4), (5, 4))
        assert sorted(app.widget.painted) == [3, 4]


@pytest.mark.parametrize(
    ("row", "points", "selected"),
    [
        (Row(0, "日本語"), [(3, 0), (4, 0)], "日本"),
        (Row(0, "日本語"), [(5, 0), (2, 0)], "日本"),
        (Row(0, "[red]x[/oops]"), [(2, 0), (12, 0)], "[red]x[/oop"),
        (Row(0, "a\x1b[31mb\tc"), [(2, 0), (LAST, 0)], "a[31mb    c 0"),
        (Row(0, "run", height=3), [(2, 1), (LAST, 2)], "run 1\n  run 2"),
    ],
)
async def test_text_is_copied_as_it_is_drawn(row: Row, points: list[tuple[int, int]], selected: str) -> None:
    async with listed(Uneven(), [row]) as (app, pilot):
        await drag(pilot, *points)
        assert app.screen.get_selected_text() == selected
