"""The parts of a list alone: selection, marks, painting, and the way of the cursor."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from row_lists import Row

from cekura_tui.ui.kit.row_renderer import DrawnLine, RowRenderer
from cekura_tui.ui.kit.row_selection import RowMarks, RowSelection, Spot
from cekura_tui.ui.kit.strips import RowState
from cekura_tui.ui.kit.viewport import EvenHeights, RowHeights, Viewport

PLAIN = RowState()


def test_a_selection_upwards_has_the_cells_of_one_downwards() -> None:
    here, there = Spot("a", 0, 3, 4), Spot("b", 0, 5, 6)
    for first, last in ((here, there), (there, here)):
        selection = RowSelection()
        selection.press(first)
        assert selection.extend(last)
        assert selection.locate(["a", "b"].index)
        assert [selection.cells(row, 0, 10) for row in range(3)] == [(3, 10), (0, 6), None]


def test_a_selection_goes_with_its_rows_and_ends_with_one_of_them() -> None:
    selection = RowSelection()
    selection.press(Spot("a", 0, 3, 4))
    selection.extend(Spot("b", 0, 5, 6))
    assert selection.locate(["new", "a", "b"].index)
    assert selection.cells(1, 0, 10) == (3, 10)
    assert not selection.locate({"a": 0}.get)
    assert selection.cells(0, 0, 10) is None


def test_the_button_alone_selects_nothing_and_no_row_is_crossed() -> None:
    selection, spot = RowSelection(), Spot("a", 0, 3, 4)
    assert not selection.extend(spot), "the button is not down"
    selection.press(spot)
    assert not selection.extend(spot)
    assert selection.extend(Spot("a", 0, 4, 5))
    assert not selection.crossed
    assert selection.extend(Spot("b", 0, 4, 5))
    assert selection.crossed
    assert selection.extend(spot)
    assert selection.crossed, "back in its own row it is no click"


def test_a_range_of_marks_passes_over_what_may_not_be_marked_and_says_how_many() -> None:
    marks, keys = RowMarks(), [0, None, 2, 3, 4]
    marks.toggle(0)
    assert marks.toggle_range(3, keys.index, keys.__getitem__, 10) == 1
    assert marks.keys == {0, 2, 3}
    assert marks.toggle_range(3, keys.index, keys.__getitem__, 10) == 1
    assert marks.keys == frozenset()
    assert marks.toggle_range(1, {}.get, keys.__getitem__, 10) is None


def test_only_cells_that_differ_are_painted() -> None:
    made = []

    def lines_of(row: Row, width: int, state: RowState) -> list[list[Segment]]:
        made.append(row)
        return [[Segment(row.text)]]

    renderer = RowRenderer(lambda row: row.id, lines_of, lambda state: Style.null(), 1)
    renderer.width = 20
    old, new = Row(1, "1 min 05 s"), Row(1, "1 min 10 s")
    renderer.strips(old, PLAIN)
    before, after = [DrawnLine(old, 0, PLAIN, None)], [DrawnLine(new, 0, PLAIN, None)]
    assert [tuple(region) for region in renderer.changes(before, after)] == [(6, 0, 2, 1)]
    assert renderer.changes(after, after) == []
    assert [tuple(region) for region in renderer.changes(before, [])] == [(0, 0, 20, 1)]
    assert made == [old, new], "a row is made once"


def test_a_cursor_walks_line_by_line_through_a_row_higher_than_the_window() -> None:
    view = Viewport(RowHeights([1, 5, 1]), [1, 5, 1].__getitem__, 3)
    walked = [cursor := 0]
    for _ in range(5):
        walked.append(cursor := view.walk(cursor, 1))
    assert walked == [0, 1, 1, 1, 2, 2]


def test_a_page_takes_the_cursor_along_and_the_last_one_to_the_end() -> None:
    view = Viewport(EvenHeights(20), lambda index: 1, 5)
    assert [(view.page(2, 1.0), view.top)] == [(6, (4, 0))]
    assert view.page(18, 1.0) == 19
    assert view.page(1, -1.0) == 0
