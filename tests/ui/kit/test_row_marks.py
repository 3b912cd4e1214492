"""A range of marks goes from the row marked last to the cursor, up to a limit, and can be undone."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.ui.kit.rows import marks_after, range_to

INDEX = st.integers(0, 200)
KEYS = st.sets(st.integers(0, 20))


@given(INDEX, INDEX, st.integers(1, 50))
@example(10, 10, 1)
@example(3, 90, 50)
def test_a_range_has_every_row_from_the_one_marked_last_towards_the_cursor(cursor: int, last: int, most: int) -> None:
    marked = range_to(cursor, last, most)
    assert last in marked
    assert len(marked) == min(abs(cursor - last) + 1, most)
    assert set(marked) <= set(range(min(cursor, last), max(cursor, last) + 1))
    assert list(range_to(cursor, None, most)) == [cursor]


@given(KEYS.map(frozenset), KEYS.filter(bool).map(sorted))
def test_a_range_marks_all_its_rows_and_a_second_time_none_of_them(marks: frozenset[int], keys: list[int]) -> None:
    once = marks_after(marks, keys)
    assert once - set(keys) == marks - set(keys)
    assert set(keys).isdisjoint(once) if marks.issuperset(keys) else once.issuperset(keys)
    assert marks_after(once, keys).isdisjoint(keys) != once.isdisjoint(keys)
