"""The mouse on a list: clicks, marking, the wheel, and selecting text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from row_lists import SIZE, Even, Row, Uneven, lazy, listed, rows, screen, show
from textual.events import Click, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.pilot import Pilot

from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.theme import THEMES, WORDS, contrast

LAST = SIZE[0] - 2
"""Column of the last cell of a row, next to the scroll bar."""


async def move(pilot: Pilot[Any], *points: tuple[int, int]) -> None:
    for point in points:
        await pilot._post_mouse_events([MouseMove], offset=point, button=1)
    await pilot.pause()


async def drag(pilot: Pilot[Any], *points: tuple[int, int], up: bool = True) -> None:
    """Press the mouse button on the first of `points` and drag over the others; with `up`, release it on the last."""
    await pilot._post_mouse_events([MouseDown], offset=points[0], button=1)
    await move(pilot, *points[1:])
    if up:
        # The driver sends a click, too, if the button is released over the same widget.
        await pilot._post_mouse_events([MouseUp, Click], offset=points[-1], button=1)
    await pilot.pause()


async def test_a_click_moves_the_cursor_and_a_double_click_opens_only_an_existing_row() -> None:
    async with listed(Even(), rows(*range(7))) as (app, pilot):
        await pilot.click(Even, offset=(5, 3))
        assert (app.widget.cursor_key, app.opened) == (3, [])
        await drag(pilot, (5, 4), (5, 4), up=False)
        assert app.screen.get_selected_text() is None, "on one character it is only a click"
        for y in (6, 7):
            await pilot.double_click(Even, offset=(5, y))
            assert (app.widget.cursor_key, app.opened) == (6, [6])


async def test_ctrl_click_toggles_the_mark_of_a_row_and_shift_click_marks_a_range() -> None:
    async with listed(Even(), lazy(0, 1_000)) as (app, pilot):
        for y, how, marks in ((2, "control", {2}), (5, "shift", {2, 3, 4, 5}), (4, "control", {2, 3, 5})):
            await pilot.click(Even, offset=(5, y), **{how: True})
            assert (app.widget.cursor_key, app.widget.marks) == (y, marks)


async def test_capital_v_marks_a_range_of_at_most_a_thousand_rows() -> None:
    class Odd(Even):
        def may_mark(self, row: Row) -> bool:
            return row.id % 2 == 1

    async with listed(Even(), lazy(0, 100_000)) as (app, pilot):
        for keys, marks in (("jVjjV", {1, 2, 3}), ("V", set()), ("GV", set(range(1, 1_001)))):
            await pilot.press(*keys)
            assert app.widget.marks == marks
    async with listed(Odd(), lazy(0, 100)) as (app, pilot):
        await pilot.press("V", "space", "j", "space", *"jjjj", "V", "k", "space")
        assert app.widget.marks == {1, 3, 5}
        assert app.messages_of(VirtualList.Marked)[-1].left_out == 2


async def test_the_wheel_scrolls_without_moving_the_cursor() -> None:
    async with listed(Even(), lazy(0, 100_000)) as (app, pilot):
        for _ in range(3):
            await pilot._post_mouse_events([MouseScrollDown], Even, (5, 5))
        down = app.widget.scroll_y
        assert down > 0
        assert (screen(app.widget)[0], app.widget.cursor_key) == (f"run {down:.0f} 0", 0)
        await pilot._post_mouse_events([MouseScrollUp], Even, (5, 5))
        assert 0 < app.widget.scroll_y < down
        await show(pilot, app.widget, lazy(-5, 100_005))
        assert app.widget.cursor_key == 0
        assert screen(app.widget)[0] == f"run {app.widget.scroll_y - 5:.0f} 0"


# Text


@pytest.mark.parametrize(
    ("shown", "points", "text"),
    [
        (lazy(0, 1_000), [(2, 1), (4, 1)], "run"),
        (lazy(0, 1_000), [(4, 1), (3, 1), (2, 1)], "run"),
        (lazy(0, 1_000), [(6, 1), (6, 2), (4, 3)], "1 0\n  run 2 0\n  run"),
        (lazy(0, 1_000), [(4, 3), (6, 1)], "1 0\n  run 2 0\n  run"),
        ([Row(0, "日本語")], [(3, 0), (4, 0)], "日本"),
        ([Row(0, "日本語")], [(5, 0), (2, 0)], "日本"),
        ([Row(0, "[red]x[/oops]")], [(2, 0), (12, 0)], "[red]x[/oop"),
        ([Row(0, "a\x1b[31mb\tc")], [(2, 0), (LAST, 0)], "a[31mb    c 0"),
        (rows(0, height=3), [(4, 1), (LAST, 2)], "n 0 1\n  run 0 2"),
    ],
)
async def test_dragging_selects_text_that_is_copied_as_drawn(
    shown: Sequence[Row], points: list[tuple[int, int]], text: str
) -> None:
    async with listed(Even() if len(shown) > 1 else Uneven(), shown) as (app, pilot):
        await drag(pilot, *points)
        await pilot.press("ctrl+c")
        assert app.copied == [text]


async def test_selected_text_survives_new_rows_and_scrolling_but_not_a_click_or_a_resize() -> None:
    async with listed(Even(), lazy(0, 100_000)) as (app, pilot):
        await pilot.press("pagedown")
        await drag(pilot, (2, 3), (LAST, 4))
        selected = app.screen.get_selected_text()
        assert (selected, app.widget.cursor_key) == ("run 12 0\n  run 13 0", 9)
        app.widget.show_rows(lazy(-7, 100_007))
        await pilot.press("G", "ctrl+c")
        assert app.copied == [selected]
        await pilot.click(Even, offset=(5, 6))
        assert app.screen.get_selected_text() is None
        await show(pilot, app.widget, lazy(0, 100), reset=True)
        await drag(pilot, (2, 3), (2, 4), (4, 3))
        assert (app.screen.get_selected_text(), app.widget.cursor_key) == ("run", 0), (
            "a drag that returns to its row is no click"
        )
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert app.screen.get_selected_text() is None, "at another width the cells contain different text"
        await move(pilot, (2, 5))
        assert app.screen.get_selected_text() is None, "the button is not down"
        await drag(pilot, (2, 3), (5, 4))
        await show(pilot, app.widget, lazy(4, 96))
        assert app.screen.get_selected_text() is None


async def test_dragging_below_or_above_the_list_scrolls_the_list() -> None:
    async with listed(Even(), lazy(0, 1_000), css="Even { height: 5; margin-top: 2; }") as (app, pilot):
        await drag(pilot, (2, 6), (2, 9), (2, 8), (2, 9))
        assert app.widget.scroll_y > 6
        text = app.screen.get_selected_text() or ""
        assert text.split("\n  ") == [f"run {n} 0" for n in range(4, int(app.widget.scroll_y) + 5)]
        await pilot.press("g", "pagedown", "pagedown")
        top = app.widget.scroll_y
        await drag(pilot, (LAST, 3), (LAST, 1), (LAST, 0), (LAST, 1))
        assert app.widget.scroll_y < top - 3
        text = app.screen.get_selected_text() or ""
        assert text.endswith(f"run {top + 1:.0f} 0")
        assert text.split("\n")[1] == f"  run {app.widget.scroll_y + 1:.0f} 0"


async def test_a_selection_repaints_only_changed_lines_and_has_at_most_a_thousand_rows() -> None:
    async with listed(Even(), lazy(0, 100_000)) as (app, pilot):
        await drag(pilot, (0, 0), (5, 0), up=False)
        app.widget.painted.clear()
        await move(pilot, (5, 1), (5, 1))
        assert sorted(app.widget.painted) == [0, 1]
        app.widget.scroll_to(y=60_000, animate=False)
        await pilot.pause()
        await move(pilot, (2, 2))
        text = app.screen.get_selected_text() or ""
        assert len(text.split("\n")) == 1_000
        assert text.endswith("\n  run 999 0")


@pytest.mark.parametrize("theme", THEMES)
async def test_selected_text_is_readable_in_every_theme(theme: str) -> None:
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
