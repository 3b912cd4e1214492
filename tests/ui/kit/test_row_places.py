"""The place of a row after other rows were inserted or removed, which the cursor and the view keep."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.ui.kit.viewport import RowPlaces

IDS = st.lists(st.integers(0, 40), unique=True, max_size=30)
Kind = Callable[[Sequence[int]], Sequence[int]]


class Placed(Sequence[int]):
    """Rows that are their own keys and know their places."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = list(ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: Any) -> Any:
        return self._ids[index]

    def place_of(self, key: Hashable) -> int | None:
        """The index of a key."""
        return self._ids.index(key) if key in self._ids else None  # type: ignore[arg-type]


def places(rows: Sequence[int]) -> RowPlaces[int]:
    return RowPlaces(rows, lambda row: row)


@pytest.mark.parametrize("kind", [list, Placed])
@given(ids=IDS, key=st.integers(0, 40), near=st.integers(-5, 60))
def test_a_key_is_found_whatever_place_was_expected(kind: Kind, ids: list[int], key: int, near: int) -> None:
    assert places(kind(ids)).find(key, near) == (ids.index(key) if key in ids else None)


@pytest.mark.parametrize("kind", [list, Placed])
def test_of_a_key_that_is_in_the_list_twice_the_nearer_row_is_found(kind: Kind) -> None:
    assert places(kind([1, 2, 3, 1, 4])).find(1, near=3) == 3


@pytest.mark.parametrize("kind", [list, Placed])
@given(before=IDS.filter(bool), after=IDS, around=st.integers(0, 8), data=st.data())
def test_a_row_is_followed_by_its_key_and_a_place_is_always_in_the_list(
    kind: Kind, before: list[int], after: list[int], around: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(before) - 1))
    now = places(kind(after)).place_now(index, places(kind(before)), around)
    if before[index] in after:
        assert now == after.index(before[index])
    else:
        assert now in range(len(after)) or (now == -1 and not after)


@given(
    rows=st.lists(st.integers(0, 40), unique=True, min_size=2, max_size=30),
    keep=st.lists(st.booleans(), min_size=30, max_size=30).filter(any),
    new=st.lists(st.integers(100, 140), unique=True, max_size=5),
    data=st.data(),
)
def test_the_place_of_a_removed_row_is_between_its_neighbours(
    rows: list[int], keep: list[bool], new: list[int], data: st.DataObject
) -> None:
    # The row itself goes, for of one that stays another test speaks; some other one stays.
    index = data.draw(st.integers(0, len(rows) - 1))
    stays = [k != index and kept for k, kept in zip(range(len(rows)), keep, strict=False)]
    if not any(stays):
        stays[index - 1] = True
    after = new + [row for row, kept in zip(rows, stays, strict=False) if kept]
    now = places(after).place_now(index, places(rows), len(rows))
    above = [after.index(row) for row in rows[:index] if row in after]
    below = [after.index(row) for row in rows[index + 1 :] if row in after]
    assert above or below
    if above:
        assert now == min(above[-1] + 1, len(after) - 1)
    else:
        assert now <= below[0]


@given(
    known=st.integers(1, 60),
    head=st.integers(0, 5),
    page=st.integers(0, 5).map(lambda n: range(n * 10, n * 10 + 10)),
    data=st.data(),
)
def test_a_page_that_arrives_with_newer_runs_leaves_the_cursor_at_its_place(
    known: int, head: int, page: range, data: st.DataObject
) -> None:
    """Rows 0 to `known` are loaded, later ones have names of their own until they are."""
    before = [n if n < known else 1_000 + n for n in range(60)]
    after = [*range(-head, 0), *(n if n < known or n in page else 1_000 + n for n in range(60))]
    index = data.draw(st.sampled_from(page))
    assert places(after).place_now(index, places(before), 5) == index + head


def test_the_first_rows_of_a_list_put_the_cursor_on_the_first() -> None:
    assert places([5, 6]).place_now(-1, places([]), 10) == 0
    assert places([]).place_now(0, places([5]), 10) == -1
