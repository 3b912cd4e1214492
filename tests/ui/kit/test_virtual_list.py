"""The list under every list: what a reader sees must not move unless the reader moves it, and a key costs two lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from row_lists import SIZE, Even, ListApp, Row, Uneven, rows, screen
from textual.geometry import Region

from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList


async def test_keys_move_the_cursor_and_open_its_row() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j", "down", "j", "k", "enter")
        assert app.list.cursor_key == 2
        assert [m.key for m in app.messages_of(VirtualList.Opened)] == [2]
        await pilot.press("G")
        assert (app.list.cursor_key, app.list.scroll_y) == (99, 90)
        await pilot.press("g")
        assert (app.list.cursor_key, app.list.scroll_y) == (0, 0)
        assert [m.key for m in app.messages_of(VirtualList.Moved)] == [0, 1, 2, 3, 2, 99, 0]


async def test_a_key_repaints_two_lines_and_not_the_whole_list() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j")
        app.list.painted.clear()
        await pilot.press("j")
        assert sorted(app.list.painted) == [1, 2]


async def test_scrolling_at_the_edge_repaints_every_line_once() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*"j" * 9)
        app.list.painted.clear()
        await pilot.press("j")
        assert sorted(app.list.painted) == list(range(10))
        assert screen(app.list)[0] == "run 1 0"


async def test_pages_keep_the_cursor_on_its_line_and_end_at_the_first_and_last_row() -> None:
    app = ListApp(Even(), rows(*range(30)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j", "j", "pagedown")
        assert (app.list.cursor_key, app.list.scroll_y) == (11, 9)
        await pilot.press("ctrl+d")
        assert (app.list.cursor_key, app.list.scroll_y) == (15, 13)
        await pilot.press("pagedown", "pagedown")
        assert (app.list.cursor_key, app.list.scroll_y) == (29, 20)
        await pilot.press("ctrl+u")
        assert (app.list.cursor_key, app.list.scroll_y) == (25, 16)
        await pilot.press("pageup", "pageup", "pageup")
        assert (app.list.cursor_key, app.list.scroll_y) == (0, 0)


async def test_the_same_rows_again_repaint_nothing() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.list.painted.clear()
        app.list.show_rows(rows(*range(100)))
        app.list.show_rows(tuple(rows(*range(100))))
        app.list.update_rows(rows(3, 4))
        await pilot.pause()
        assert app.list.painted == []


async def test_rows_that_arrive_above_move_neither_cursor_nor_text() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pagedown", "pagedown", "k")
        before, key, seen = screen(app.list), app.list.cursor_key, len(app.messages)
        app.list.painted.clear()
        app.list.show_rows(rows(*range(-7, 100)))
        await pilot.pause()
        assert app.list.painted == []
        assert screen(app.list) == before
        assert app.list.cursor_key == key
        assert app.list.scroll_y == 24
        assert not [m for m in app.messages[seen:] if isinstance(m, VirtualList.Moved)]


async def test_a_changed_row_repaints_its_line_alone() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.list.painted.clear()
        app.list.update_rows([Row(4, "failed"), Row(50, "failed"), Row(1_000, "unknown")])
        await pilot.pause()
        assert app.list.painted == [4]
        assert screen(app.list)[4] == "failed 0"
        assert app.list.rows[50].text == "failed"


async def test_of_a_number_that_grows_only_the_digits_are_painted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    app = ListApp(Even(), rows(*range(100)))
    regions: list[Region] = []
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        refresh = app.list.refresh
        monkeypatch.setattr(app.list, "refresh", lambda *each, **how: regions.extend(each) or refresh(*each, **how))
        for seconds in ("10 s", "15 s", "20 s", "25 s"):
            app.list.update_rows([Row(4, f"run 4 {seconds}")])
            await pilot.pause()
        assert regions == [Region(8, 4, 6, 1), Region(9, 4, 1, 1), Region(8, 4, 2, 1), Region(9, 4, 1, 1)]
        assert screen(app.list)[4] == "run 4 25 s 0"


async def test_when_the_row_under_the_cursor_goes_the_cursor_stays_in_its_place() -> None:
    app = ListApp(Even(), rows(*range(20)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j", "j", "j")
        app.list.show_rows(rows(0, 1, 2, 4, 5))
        await pilot.pause()
        assert app.list.cursor_key == 4
        app.list.show_rows(rows(0, 1))
        await pilot.pause()
        assert app.list.cursor_key == 1
        app.list.show_rows([])
        await pilot.press("j", "k", "g", "G", "pagedown", "enter", "space")
        assert app.list.cursor_key is None
        assert [m.key for m in app.messages_of(VirtualList.Moved)][-3:] == [4, 1, None]
        app.list.show_rows(rows(7, 8))
        await pilot.pause()
        assert app.list.cursor_key == 7


async def test_rows_of_another_thing_begin_at_the_top() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        app.list.show_rows(rows(*range(100)), reset=True)
        await pilot.pause()
        assert (app.list.cursor_key, app.list.scroll_y) == (0, 0)
        assert screen(app.list)[0] == "run 0 0"


async def test_marks_are_seen_and_told_and_outlive_a_filter() -> None:
    app = ListApp(Even(), rows(*range(30)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("space", "j", "space")
        assert app.list.marks == {0, 1}
        assert [m.marks for m in app.messages_of(VirtualList.Marked)] == [{0}, {0, 1}]
        assert screen(app.list)[:3] == ["● run 0 0", "● run 1 0", "run 2 0"]
        app.list.show_rows(rows(*range(1, 30)))
        await pilot.press("space")
        assert app.list.marks == {0}


async def test_the_end_is_told_once_for_every_page_of_rows() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert app.messages_of(VirtualList.NearEnd) == []
        app.list.move_to(60)
        await pilot.pause()
        assert app.messages_of(VirtualList.NearEnd) == []
        await pilot.press("G", "k", "g", "G")
        assert len(app.messages_of(VirtualList.NearEnd)) == 1
        app.list.show_rows(rows(*range(200)))
        await pilot.press("G")
        assert len(app.messages_of(VirtualList.NearEnd)) == 2


async def test_the_wheel_scrolls_without_moving_the_cursor_and_a_key_brings_it_back() -> None:
    app = ListApp(Even(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        app.list.scroll_to(y=50, animate=False)
        await pilot.pause()
        assert screen(app.list)[0] == "run 50 0"
        assert app.list.cursor_key == 0
        await pilot.press("j")
        assert app.list.cursor_key == 1
        assert "run 1 0" in screen(app.list)


async def test_a_row_higher_than_the_screen_is_read_line_by_line() -> None:
    app = ListApp(Uneven(), [*rows(0), *rows(1, height=14), *rows(2)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j")
        assert (app.list.cursor_key, app.list.scroll_y) == (1, 1)
        await pilot.press(*"jjjj")
        assert (app.list.cursor_key, app.list.scroll_y) == (1, 5)
        await pilot.press("j")
        assert (app.list.cursor_key, app.list.scroll_y) == (2, 6)
        await pilot.press("k")
        assert (app.list.cursor_key, app.list.scroll_y) == (1, 5)
        await pilot.press(*"kkkk")
        assert (app.list.cursor_key, app.list.scroll_y) == (1, 1)
        await pilot.press("k")
        assert (app.list.cursor_key, app.list.scroll_y) == (0, 0)


async def test_wrong_estimates_make_no_jump_and_the_end_is_the_end() -> None:
    app = ListApp(Uneven(), [Row(n, f"turn {n}", 1 + n % 5) for n in range(300)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        assert screen(app.list)[-1] == "turn 299 4"
        seen = screen(app.list)
        for _ in range(40):
            app.list.scroll_relative(y=-1, animate=False)
            await pilot.pause()
            now = screen(app.list)
            assert now[1:] == seen[:-1]
            seen = now
        assert app.list.max_scroll_y == app.list.virtual_size.height - SIZE[1]


async def test_another_width_keeps_the_row_that_was_uppermost() -> None:
    class Folding(Uneven):
        def lines_of(self, row: Row, width: int, state: RowState) -> list[Line]:
            return super().lines_of(replace(row, height=160 // width), width, state)

    app = ListApp(Folding(), rows(*range(100)))
    async with app.run_test(size=SIZE) as pilot:
        app.list.move_to(99)
        app.list.move_to(50)
        await pilot.pause()
        assert screen(app.list)[0] == "run 50 0"
        await pilot.resize_terminal(21, 10)
        await pilot.pause()
        assert screen(app.list)[:9] == [*(f"run 50 {n}" for n in range(8)), "run 51 0"]
        await pilot.press("j", "j")
        await pilot.resize_terminal(21, 5)
        await pilot.pause()
        assert any(line.startswith("run 52") for line in screen(app.list))


@pytest.mark.parametrize("text", ["[red]x[/oops]", "a\x1b[31mb", "日本語" * 30, "x\ny", "\t"])
async def test_foreign_text_neither_breaks_the_columns_nor_the_program(text: str) -> None:
    app = ListApp(Even(), [Row(1, text)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        strip = app.list.render_line(0)
        assert cell_len(strip.text) == strip.cell_length == SIZE[0] - 1
        assert strip.text.isprintable()


async def test_100_000_rows_are_there_at_once_and_only_those_on_screen_are_made() -> None:
    class Counting(Even):
        made = 0

        def lines_of(self, row: Row, width: int, state: RowState) -> list[Line]:
            self.made += 1
            return super().lines_of(row, width, state)

    shown = Counting()
    app = ListApp(shown, rows(*range(100_000)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("G", "k")
        assert app.list.cursor_key == 99_998
        assert shown.made <= 40
