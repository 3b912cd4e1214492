"""Cursor and view keep their place when other rows are inserted or removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from row_lists import PlacedRows

from cekura_tui.ui.kit.viewport import RowPlaces

Kind = Callable[[Sequence[int]], Sequence[int]]
IDS = st.lists(st.integers(0, 40), unique=True, max_size=30)


def placed(keys: Sequence[int]) -> Sequence[int]:
    """Rows that equal their keys and can look up the index of a key."""
    return PlacedRows(keys, int)


def places(rows: Sequence[int]) -> RowPlaces[int]:
    return RowPlaces(rows, int)


@pytest.mark.parametrize("kind", [list, placed])
@given(ids=IDS, key=st.integers(0, 40), near=st.integers(-5, 60))
def test_a_key_is_found_wherever_the_search_begins(kind: Kind, ids: list[int], key: int, near: int) -> None:
    assert places(kind(ids)).find(key, near) == (ids.index(key) if key in ids else None)
    assert places(kind([1, 2, 3, 1, 4])).find(1, near=3) == 3, "of two rows with this key the nearer one"


@pytest.mark.parametrize("kind", [list, placed])
@given(before=IDS.filter(bool), after=IDS, around=st.integers(0, 8), data=st.data())
def test_a_kept_row_is_found_by_its_key_and_a_removed_row_gets_a_valid_index(
    kind: Kind, before: list[int], after: list[int], around: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(before) - 1))
    now = places(kind(after)).index_now(index, places(kind(before)), around)
    assert places(kind(after)).index_now(-1, places(kind([])), around) == (0 if after else -1), "the first rows"
    if before[index] in after:
        assert now == after.index(before[index])
    else:
        assert now in range(len(after)) or (now == -1 and not after)


TWO_OR_MORE = st.lists(st.integers(0, 40), unique=True, min_size=2, max_size=30)


@given(before=TWO_OR_MORE, gone=st.sets(st.integers(0, 40)), new=st.integers(0, 5), data=st.data())
def test_the_place_of_a_removed_row_is_between_its_neighbours(
    before: list[int], gone: set[int], new: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(before) - 1))
    kept = [row for row in before if row not in gone | {before[index]}] or [before[index - 1]]
    after = [*range(100, 100 + new), *kept]
    now = places(after).index_now(index, places(before), len(before))
    above = [after.index(row) for row in before[:index] if row in after]
    below = [after.index(row) for row in before[index + 1 :] if row in after]
    if above:
        assert now == min(above[-1] + 1, len(after) - 1)
    else:
        assert now <= below[0]


@given(known=st.integers(1, 60), head=st.integers(0, 5), first=st.integers(0, 5), line=st.integers(0, 9))
def test_a_page_that_arrives_with_newer_runs_leaves_the_cursor_at_its_place(
    known: int, head: int, first: int, line: int
) -> None:
    """Rows before `known` are loaded. Later rows have temporary keys (n + 1,000) until their page arrives."""
    page = range(first * 10, first * 10 + 10)
    before = [n if n < known else 1_000 + n for n in range(60)]
    after = [*range(-head, 0), *(n if n < known or n in page else 1_000 + n for n in range(60))]
    assert places(after).index_now(page[line], places(before), 5) == page[line] + head
