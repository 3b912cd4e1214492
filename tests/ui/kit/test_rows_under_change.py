"""Rows are inserted, removed, changed and moved between key presses; the terminal always shows the expected rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from examples import COSTLY
from hypothesis import given
from hypothesis import strategies as st
from one_widget import WidgetApp
from row_lists import SIZE, Even, PlacedRows, Row, Uneven, listed, rows
from textual.pilot import Pilot

HEIGHT = SIZE[1]
KEYS = ("j", "k", "pagedown", "pageup", "ctrl+d", "ctrl+u", "g", "G", "space", "V")
PLACE, SOME = st.integers(0, 60), st.integers(1, 8)

CHANGE = st.one_of(
    st.tuples(st.just("insert"), st.just(0) | PLACE, SOME),
    st.tuples(st.sampled_from(["remove", "change"]), PLACE, SOME),
    st.tuples(st.just("move"), PLACE, PLACE),
)


STEP = st.lists(CHANGE, min_size=1, max_size=3) | st.sampled_from(KEYS) | st.integers(-40, 40)


@dataclass
class Model:
    """The expected rows as a plain list; with `high`, rows are one to three lines high, else one."""

    rows: list[Row]
    high: bool = False
    fresh: count[int] = field(default_factory=lambda: count(1_000))

    def apply(self, change: tuple[str, int, int]) -> None:
        what, place, much = change
        if what == "insert":
            ids = [next(self.fresh) for _ in range(much)]
            self.rows[place:place] = [Row(n, f"run {n}", self._height(n)) for n in ids]
        elif what == "remove":
            del self.rows[place : place + much]
        elif what == "change":
            for n in range(place, min(place + much, len(self.rows))):
                row_id = self.rows[n].id
                self.rows[n] = Row(row_id, f"run {row_id} now {next(self.fresh)}", self._height(row_id + n))
        elif place < len(self.rows):
            self.rows.insert(much, self.rows.pop(place))

    def _height(self, n: int) -> int:
        return 1 + n % 3 if self.high else 1

    def shown(self, placed: bool) -> Sequence[Row]:
        """The current rows, to pass to the list; with `placed`, as a sequence that looks up the index of a key."""
        if not placed:
            return list(self.rows)
        return PlacedRows(self.ids(), {row.id: row for row in self.rows}.__getitem__)

    def ids(self) -> list[int]:
        return [row.id for row in self.rows]

    def lines(self, marks: frozenset[Hashable]) -> list[str]:
        """Every line of the whole list, as expected on screen."""
        return [
            f"{'●' if row.id in marks else ' '} {row.text} {line}" for row in self.rows for line in range(row.height)
        ]


def check_terminal(app: WidgetApp[Even], model: Model) -> None:
    """Check that the terminal shows consecutive lines, as many as fit, and highlights only the cursor's row."""
    terminal = [line[: SIZE[0] - 1].rstrip() for line in app.terminal.display]  # without the scroll bar
    lines = model.lines(app.widget.marks)
    top = int(app.widget.scroll_y) if lines else 0
    if model.high:
        # Rows above the screen may not be measured yet, so the top line is an estimate.
        top = next((n for n, line in enumerate(lines) if line == terminal[0]), 0)
    shown = [line.rstrip() for line in lines[top : top + HEIGHT]]
    assert len(shown) == min(HEIGHT, len(lines))
    assert terminal == shown + [""] * (HEIGHT - len(shown))
    own = [row.id for row in model.rows for _ in range(row.height)][top : top + HEIGHT]
    plain = app.screen.background_colors[1].hex[1:].lower()
    highlighted = [y for y in range(HEIGHT) if app.terminal.buffer[y][SIZE[0] - 2].bg != plain]
    assert highlighted == [y for y, row_id in enumerate(own) if row_id == app.widget.cursor_key]


async def change_rows(
    pilot: Pilot[Any], app: WidgetApp[Even], model: Model, changes: list[Any], *, placed: bool
) -> None:
    """Apply and show each change. Check that the cursor keeps its key, and that a cursor on screen keeps its line."""
    for change in changes:
        key, index = app.widget.cursor_key, app.widget.cursor_index
        seen = app.widget.shown_range
        line = index - seen[0] if index is not None and seen is not None and seen[0] <= index <= seen[1] else None
        top = model.ids()[seen[0]] if seen is not None else None
        model.apply(change)
        app.widget.show_rows(model.shown(placed))
        ids = model.ids()
        if key in ids:
            assert (app.widget.cursor_key, app.widget.cursor_index) == (key, ids.index(key))
        else:
            assert (app.widget.cursor_key is None) == (not ids)
        if not model.high and line is not None and app.widget.cursor_index is not None:
            kept = min(max(app.widget.cursor_index - line, 0), max(len(ids) - HEIGHT, 0))
            assert app.widget.scroll_y == kept
        elif not model.high and top in ids:
            assert app.widget.scroll_y == min(ids.index(top), max(len(ids) - HEIGHT, 0))


@pytest.mark.parametrize(("high", "placed"), [(False, False), (False, True), (True, False)])
@COSTLY
@given(number=st.integers(0, 40), steps=st.lists(STEP, max_size=12))
async def test_the_cursor_keeps_its_row_and_line_and_the_terminal_shows_the_list(
    high: bool, placed: bool, number: int, steps: list[Any]
) -> None:
    model = Model([Row(n, f"run {n}", 1 + n % 3 if high else 1) for n in range(number)], high)
    async with listed(Uneven() if high else Even(), model.shown(placed)) as (app, pilot):
        for step in steps:
            key, index = app.widget.cursor_key, app.widget.cursor_index or 0
            if isinstance(step, list):
                await change_rows(pilot, app, model, step, placed=placed)
            elif isinstance(step, int):
                app.widget.scroll_relative(y=step, animate=False)
            else:
                await pilot.press(step)
            await pilot.pause()
            check_terminal(app, model)
            if isinstance(step, int) or step in ("space", "V"):
                assert app.widget.cursor_key == key
            elif step in ("g", "G") and model.rows:
                assert app.widget.cursor_key == model.ids()[0 if step == "g" else -1]
            elif step in ("j", "k") and model.rows and not high:
                to = min(max(index + (1 if step == "j" else -1), 0), len(model.rows) - 1)
                assert app.widget.cursor_key == model.ids()[to]


@pytest.mark.parametrize("placed", [False, True])
async def test_many_changes_at_once_are_painted_once(placed: bool) -> None:
    model = Model(rows(*range(100)))
    async with listed(Even(), model.shown(placed)) as (app, pilot):
        frames: list[None] = []
        app.post_display_hook = lambda: frames.append(None)  # type: ignore[method-assign]
        app.widget.painted.clear()
        for n in range(200):
            model.apply(("change", 2 + n % 3, 1))
            app.widget.show_rows(model.shown(placed))
        await pilot.pause()
        assert app.widget.painted == [2, 3, 4]
        assert len(frames) == 1
        check_terminal(app, model)
