"""A range of marks goes from the row marked last to the cursor, up to a limit, and can be undone."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.ui.kit.rows import RowMarks

INDEX = st.integers(0, 200)


def marked(marks: RowMarks, cursor: int, most: int) -> int | None:
    return marks.toggle_range(cursor, {n: n for n in range(201)}.get, int, most)


@given(INDEX, INDEX, st.integers(1, 50))
@example(10, 10, 1)
@example(3, 90, 50)
def test_a_range_has_every_row_from_the_one_marked_last_towards_the_cursor(cursor: int, last: int, most: int) -> None:
    marks, alone = RowMarks(), RowMarks()
    marks.last = last
    between = set(range(min(cursor, last), max(cursor, last) + 1))
    assert marked(marks, cursor, most) == len(between) - min(len(between), most)
    assert last in marks.keys <= between
    assert (marked(alone, cursor, most), alone.keys, alone.last) == (0, {cursor}, cursor)


@given(st.frozensets(INDEX), INDEX, INDEX)
def test_a_range_marks_all_its_rows_and_a_second_time_none_of_them(
    before: frozenset[int], cursor: int, last: int
) -> None:
    marks, keys = RowMarks(), set(range(min(cursor, last), max(cursor, last) + 1))
    marks.keys, marks.last = before, last
    marked(marks, cursor, 1_000)
    assert (once := marks.keys) == (before - keys if before >= keys else before | keys)
    marked(marks, cursor, 1_000)
    assert marks.keys.isdisjoint(keys) != once.isdisjoint(keys)
