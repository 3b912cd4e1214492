"""The base of all lists: only keys move rows on screen, and a key that does not scroll repaints two lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from row_lists import SIZE, Even, Row, Uneven, listed, rows, screen, show

from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList


def place(shown: Even) -> tuple[object, int]:
    """The key of the cursor's row, and the number of lines above the screen."""
    return shown.cursor_key, int(shown.scroll_y)


async def test_keys_move_the_cursor_and_open_its_row() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        await pilot.press("j", "down", "j", "k", "enter", "G", "g")
        assert app.opened == [2]
        assert [m.key for m in app.messages_of(VirtualList.Moved)] == [0, 1, 2, 3, 2, 99, 0]


@pytest.mark.parametrize(
    ("shown", "given", "walk"),
    [
        (
            Even,
            rows(*range(30)),  # pages keep the cursor on its line up to the ends
            {
                "j j pagedown": (11, 9),
                "ctrl+d": (15, 13),
                "pagedown pagedown": (29, 20),
                "ctrl+u": (25, 16),
                "pageup pageup pageup": (0, 0),
                "G": (29, 20),
                "g": (0, 0),
            },
        ),
        (
            Uneven,
            [*rows(0), *rows(1, height=14), *rows(2)],  # a row taller than the screen is scrolled line by line
            {"j": (1, 1), "j j j j": (1, 5), "j down": (2, 6), "k": (1, 5), "k k k k": (1, 1), "up": (0, 0)},
        ),
    ],
)
async def test_keys_move_by_pages_and_through_tall_rows(
    shown: type[Even], given: list[Row], walk: dict[str, tuple[int, int]]
) -> None:
    async with listed(shown(), given) as (app, pilot):
        for keys, reached in walk.items():
            await pilot.press(*keys.split())
            assert place(app.widget) == reached, keys


async def test_a_key_repaints_two_lines_and_a_key_that_scrolls_repaints_every_line_once() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        await pilot.press("j")
        app.widget.painted.clear()
        await pilot.press("j")
        assert sorted(app.widget.painted) == [1, 2]
        await pilot.press(*"j" * 7)
        app.widget.painted.clear()
        await pilot.press("j")
        assert sorted(app.widget.painted) == list(range(10))
        assert screen(app.widget)[0] == "run 1 0"


async def test_only_changed_rows_are_repainted() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        app.widget.painted.clear()
        app.widget.show_rows(rows(*range(100)))
        app.widget.show_rows(tuple(rows(*range(100))))
        await pilot.pause()
        assert app.widget.painted == []
        app.widget.show_rows([Row(n, "failed") if n in (4, 50) else row for n, row in enumerate(app.widget.rows)])
        await pilot.pause()
        assert app.widget.painted == [4]
        assert (screen(app.widget)[4], app.widget.rows[50].text) == ("failed 0", "failed")


async def test_when_the_cursors_row_is_removed_the_cursor_moves_to_a_neighbouring_row() -> None:
    async with listed(Even(), rows(*range(20))) as (app, pilot):
        await pilot.press("j", "j", "j")
        for ids in ((0, 1, 2, 4, 5), (0, 1), ()):
            await show(pilot, app.widget, rows(*ids))
        await pilot.press("j", "k", "g", "G", "pagedown", "enter", "space")
        assert app.widget.cursor_key is None
        await show(pilot, app.widget, rows(7, 8))
        assert [m.key for m in app.messages_of(VirtualList.Moved)][-4:] == [4, 1, None, 7]


async def test_marks_are_drawn_and_reported_and_survive_the_removal_of_their_rows() -> None:
    async with listed(Even(), rows(*range(30))) as (app, pilot):
        await pilot.press("space", "j", "space")
        assert app.widget.marks == {0, 1}
        assert [m.marks for m in app.messages_of(VirtualList.Marked)] == [{0}, {0, 1}]
        assert screen(app.widget)[:3] == ["● run 0 0", "● run 1 0", "run 2 0"]
        app.widget.show_rows(rows(*range(1, 30)))
        await pilot.press("space")
        assert app.widget.marks == {0}


async def test_a_near_end_message_is_posted_once_for_each_page_of_rows() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        app.widget.move_to(60)
        await pilot.pause()
        assert app.messages_of(VirtualList.NearEnd) == []
        await pilot.press("G", "k", "g", "G")
        assert len(app.messages_of(VirtualList.NearEnd)) == 1
        app.widget.show_rows(rows(*range(200)))
        await pilot.press("G")
        assert len(app.messages_of(VirtualList.NearEnd)) == 2


async def test_a_key_scrolls_back_to_the_cursor_and_a_reset_scrolls_to_the_top() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        app.widget.scroll_to(y=50, animate=False)
        await pilot.pause()
        assert (screen(app.widget)[0], app.widget.cursor_key) == ("run 50 0", 0)
        await pilot.press("j")
        assert app.widget.cursor_key == 1
        assert "run 1 0" in screen(app.widget)
        await pilot.press("G")
        await show(pilot, app.widget, rows(*range(100)), reset=True)
        assert (place(app.widget), screen(app.widget)[0]) == ((0, 0), "run 0 0")


async def test_wrong_height_estimates_cause_no_jump() -> None:
    async with listed(Uneven(), [Row(n, f"turn {n}", 1 + n % 5) for n in range(300)]) as (app, pilot):
        await pilot.press("G")
        assert screen(app.widget)[-1] == "turn 299 4"
        seen = screen(app.widget)
        for _ in range(40):
            app.widget.scroll_relative(y=-1, animate=False)
            await pilot.pause()
            now = screen(app.widget)
            assert now[1:] == seen[:-1]
            seen = now
        assert app.widget.max_scroll_y == app.widget.virtual_size.height - SIZE[1]


async def test_resizing_a_list_keeps_its_top_row_and_the_cursor_on_screen() -> None:
    class Folding(Uneven):
        def lines_of(self, row: Row, width: int, state: RowState) -> list[Line]:
            return super().lines_of(replace(row, height=160 // width), width, state)

    async with listed(Folding(), rows(*range(100))) as (app, pilot):
        app.widget.move_to(99)
        app.widget.move_to(50)
        await pilot.resize_terminal(21, 10)
        await pilot.pause()
        assert screen(app.widget)[:9] == [*(f"run 50 {n}" for n in range(8)), "run 51 0"]
        await pilot.resize_terminal(81, 10)
        await pilot.press(*"jjjj")
        await pilot.resize_terminal(81, 4)
        await pilot.pause()
        assert any(line.startswith("run 54") for line in screen(app.widget))
