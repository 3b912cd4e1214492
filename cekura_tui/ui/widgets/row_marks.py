"""Which rows a range of marks takes, from the row that was marked last to the cursor."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def range_to(cursor: int, anchor: int | None, limit: int) -> range:
    """The indexes from the anchor to the cursor in list order, `limit` of them at most, counted from the anchor; the
    cursor's alone where there is no anchor."""
    if anchor is None:
        return range(cursor, cursor + 1)
    if anchor <= cursor:
        return range(anchor, min(cursor + 1, anchor + limit))
    return range(max(cursor, anchor - limit + 1), anchor + 1)


def marks_after(marks: frozenset[Hashable], keys: Sequence[Hashable]) -> frozenset[Hashable]:
    """The marks with all of these keys, or without any of them if all were marked already."""
    return marks - set(keys) if marks.issuperset(keys) else marks | set(keys)
