"""The columns of the run list: the columns that fit, the user's choice, and its stored form."""

from __future__ import annotations

from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.run.columns import (
    COLUMN_BY_NAME,
    GUTTER,
    NARROWEST,
    WIDEST,
    ChosenColumn,
    RunColumns,
    read_columns,
)

CHOSEN = st.permutations(list(COLUMN_BY_NAME)).flatmap(
    lambda names: st.tuples(
        *(st.builds(ChosenColumn, st.just(n), st.booleans(), st.none() | st.integers(NARROWEST, WIDEST)) for n in names)
    )
)
COLUMNS = st.just(RunColumns()) | CHOSEN.filter(lambda chosen: any(one.shown for one in chosen)).map(RunColumns)


@given(COLUMNS, st.integers(60, 300), st.booleans())
def test_columns_fit_the_width_and_chosen_columns_can_be_stored_and_read(
    columns: RunColumns, width: int, one_agent: bool
) -> None:
    cells = columns.cells(width, one_agent=one_agent)
    assert cells
    assert GUTTER + sum(room + 1 for _, room in cells) <= max(width, GUTTER + cells[0][1] + 1)
    shown = [column for column in columns.all if column.shown]
    assert [name for name, _ in cells] == [column.name for column in shown if column.name in dict(cells)]
    wide = dict(columns.cells(width + 550, noted=True))
    assert wide.keys() == {column.name for column in shown}
    assert all(wide[column.name] == column.width for column in shown if column.width)
    assert read_columns(columns.text) == columns
    if not columns.chosen:
        assert max(cells, key=itemgetter(1))[0] == "scenario"
        assert dict(cells)["scenario"] >= 22


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", "null", '[["run"]]', '[["run", false, null]]', '[["other", true, 5]]']
)
def test_unreadable_stored_columns_give_the_default_columns(text: str) -> None:
    assert read_columns(text) == RunColumns()


def test_unknown_stored_columns_are_dropped_and_new_columns_are_hidden() -> None:
    columns = read_columns('[["when", true, 1000], ["tokens", true, 9], ["when", false, null]]')
    assert columns.all[0] == ChosenColumn("when")
    assert [column.name for column in columns.all if column.shown] == ["when"]
    assert {column.name for column in columns.all} == set(COLUMN_BY_NAME)
