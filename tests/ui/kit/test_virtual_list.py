"""The list under every list: rows on screen move only by keys, and a key repaints two lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from row_lists import SIZE, Even, Row, Uneven, listed, rows, screen
from textual.geometry import Region

from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList


async def test_keys_move_the_cursor_and_open_its_row() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        await pilot.press("j", "down", "j", "k", "enter")
        assert app.widget.cursor_key == 2
        assert app.opened == [2]
        await pilot.press("G")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (99, 90)
        await pilot.press("g")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (0, 0)
        assert [m.key for m in app.messages_of(VirtualList.Moved)] == [0, 1, 2, 3, 2, 99, 0]


async def test_a_key_repaints_two_lines_and_every_line_once_where_it_scrolls() -> None:
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


async def test_pages_keep_the_cursor_on_its_line_up_to_the_ends() -> None:
    async with listed(Even(), rows(*range(30))) as (app, pilot):
        await pilot.press("j", "j", "pagedown")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (11, 9)
        await pilot.press("ctrl+d")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (15, 13)
        await pilot.press("pagedown", "pagedown")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (29, 20)
        await pilot.press("ctrl+u")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (25, 16)
        await pilot.press("pageup", "pageup", "pageup")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (0, 0)


async def test_only_the_line_of_a_changed_row_is_repainted() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        app.widget.painted.clear()
        app.widget.show_rows(rows(*range(100)))
        app.widget.show_rows(tuple(rows(*range(100))))
        app.widget.update_rows(rows(3, 4))
        await pilot.pause()
        assert app.widget.painted == []
        app.widget.update_rows([Row(4, "failed"), Row(50, "failed"), Row(1_000, "unknown")])
        await pilot.pause()
        assert app.widget.painted == [4]
        assert screen(app.widget)[4] == "failed 0"
        assert app.widget.rows[50].text == "failed"


async def test_rows_that_arrive_above_move_neither_cursor_nor_text() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        await pilot.press("pagedown", "pagedown", "k")
        before, key, seen = screen(app.widget), app.widget.cursor_key, len(app.messages)
        app.widget.painted.clear()
        app.widget.show_rows(rows(*range(-7, 100)))
        await pilot.pause()
        assert app.widget.painted == []
        assert screen(app.widget) == before
        assert app.widget.cursor_key == key
        assert app.widget.scroll_y == 24
        assert not [m for m in app.messages[seen:] if isinstance(m, VirtualList.Moved)]


async def test_of_a_number_that_grows_only_the_changed_digits_are_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    regions: list[Region] = []
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        refresh = app.widget.refresh
        monkeypatch.setattr(app.widget, "refresh", lambda *each, **how: regions.extend(each) or refresh(*each, **how))
        for seconds in ("10 s", "15 s", "20 s", "25 s"):
            app.widget.update_rows([Row(4, f"run 4 {seconds}")])
            await pilot.pause()
        assert regions == [Region(8, 4, 6, 1), Region(9, 4, 1, 1), Region(8, 4, 2, 1), Region(9, 4, 1, 1)]
        assert screen(app.widget)[4] == "run 4 25 s 0"


async def test_when_the_row_under_the_cursor_is_removed_its_place_has_the_cursor() -> None:
    async with listed(Even(), rows(*range(20))) as (app, pilot):
        await pilot.press("j", "j", "j")
        app.widget.show_rows(rows(0, 1, 2, 4, 5))
        await pilot.pause()
        assert app.widget.cursor_key == 4
        app.widget.show_rows(rows(0, 1))
        await pilot.pause()
        assert app.widget.cursor_key == 1
        app.widget.show_rows([])
        await pilot.press("j", "k", "g", "G", "pagedown", "enter", "space")
        assert app.widget.cursor_key is None
        assert [m.key for m in app.messages_of(VirtualList.Moved)][-3:] == [4, 1, None]
        app.widget.show_rows(rows(7, 8))
        await pilot.pause()
        assert app.widget.cursor_key == 7


async def test_marks_are_drawn_and_posted_and_outlive_a_filter() -> None:
    async with listed(Even(), rows(*range(30))) as (app, pilot):
        await pilot.press("space", "j", "space")
        assert app.widget.marks == {0, 1}
        assert [m.marks for m in app.messages_of(VirtualList.Marked)] == [{0}, {0, 1}]
        assert screen(app.widget)[:3] == ["● run 0 0", "● run 1 0", "run 2 0"]
        app.widget.show_rows(rows(*range(1, 30)))
        await pilot.press("space")
        assert app.widget.marks == {0}


async def test_the_end_is_reported_once_for_every_page_of_rows() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        assert app.messages_of(VirtualList.NearEnd) == []
        app.widget.move_to(60)
        await pilot.pause()
        assert app.messages_of(VirtualList.NearEnd) == []
        await pilot.press("G", "k", "g", "G")
        assert len(app.messages_of(VirtualList.NearEnd)) == 1
        app.widget.show_rows(rows(*range(200)))
        await pilot.press("G")
        assert len(app.messages_of(VirtualList.NearEnd)) == 2


async def test_a_key_scrolls_back_to_the_cursor_and_other_rows_begin_at_the_top() -> None:
    async with listed(Even(), rows(*range(100))) as (app, pilot):
        app.widget.scroll_to(y=50, animate=False)
        await pilot.pause()
        assert (screen(app.widget)[0], app.widget.cursor_key) == ("run 50 0", 0)
        await pilot.press("j")
        assert app.widget.cursor_key == 1
        assert "run 1 0" in screen(app.widget)
        await pilot.press("G")
        app.widget.show_rows(rows(*range(100)), reset=True)
        await pilot.pause()
        assert (app.widget.cursor_key, app.widget.scroll_y) == (0, 0)
        assert screen(app.widget)[0] == "run 0 0"


async def test_a_row_higher_than_the_screen_is_read_line_by_line() -> None:
    async with listed(Uneven(), [*rows(0), *rows(1, height=14), *rows(2)]) as (app, pilot):
        await pilot.press("j")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (1, 1)
        await pilot.press(*"jjjj")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (1, 5)
        await pilot.press("j")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (2, 6)
        await pilot.press("k")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (1, 5)
        await pilot.press(*"kkkk")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (1, 1)
        await pilot.press("k")
        assert (app.widget.cursor_key, app.widget.scroll_y) == (0, 0)


async def test_wrongly_estimated_heights_make_no_jump() -> None:
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


async def test_another_width_keeps_the_first_row_on_screen() -> None:
    class Folding(Uneven):
        def lines_of(self, row: Row, width: int, state: RowState) -> list[Line]:
            return super().lines_of(replace(row, height=160 // width), width, state)

    async with listed(Folding(), rows(*range(100))) as (app, pilot):
        app.widget.move_to(99)
        app.widget.move_to(50)
        await pilot.pause()
        assert screen(app.widget)[0] == "run 50 0"
        await pilot.resize_terminal(21, 10)
        await pilot.pause()
        assert screen(app.widget)[:9] == [*(f"run 50 {n}" for n in range(8)), "run 51 0"]
        await pilot.press("j", "j")
        await pilot.resize_terminal(21, 5)
        await pilot.pause()
        assert any(line.startswith("run 52") for line in screen(app.widget))


async def test_odd_text_stays_in_its_columns() -> None:
    texts = ["[red]x[/oops]", "a\x1b[31mb", "日本語" * 30, "x\ny", "\t"]
    async with listed(Even(), [Row(n, text) for n, text in enumerate(texts)]) as (app, _):
        for y in range(len(texts)):
            strip = app.widget.render_line(y)
            assert cell_len(strip.text) == strip.cell_length == SIZE[0] - 1
            assert strip.text.isprintable()


async def test_of_100_000_rows_only_those_on_screen_are_made() -> None:
    class Counting(Even):
        made = 0

        def lines_of(self, row: Row, width: int, state: RowState) -> list[Line]:
            self.made += 1
            return super().lines_of(row, width, state)

    shown = Counting()
    async with listed(shown, rows(*range(100_000))) as (app, pilot):
        await pilot.press("G", "k")
        assert app.widget.cursor_key == 99_998
        assert shown.made <= 40
