"""A range of marks goes from the row marked last to the cursor, up to a limit. Marking the same range again
removes its marks."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.ui.kit.rows import RowMarks

INDEX = st.integers(0, 200)


@given(st.frozensets(INDEX), INDEX, INDEX, st.integers(1, 50))
@example(frozenset(), 10, 10, 1)
@example(frozenset(), 3, 90, 50)
def test_a_range_goes_from_the_row_marked_last_towards_the_cursor(
    before: frozenset[int], cursor: int, last: int, most: int
) -> None:
    marks, step = RowMarks(), 1 if last <= cursor else -1
    marks.keys, marks.last = before, last
    keys = set(range(last, cursor + step, step)[:most])
    for _ in range(2):
        former = marks.keys
        left_out = marks.toggle_range(cursor, {n: n for n in range(201)}.get, int, most)
        assert left_out == abs(cursor - last) + 1 - len(keys)
        assert marks.keys == (former - keys if former >= keys else former | keys)
