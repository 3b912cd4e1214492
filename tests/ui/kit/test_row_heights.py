"""Row heights give the line at which each row begins; the view does not move if an estimated height was wrong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.ui.kit.viewport import EvenHeights, RowHeights, Viewport

SIZES = st.lists(st.integers(min_value=1, max_value=9), max_size=40)


@given(SIZES, st.lists(st.tuples(st.integers(0, 39), st.integers(1, 30)), max_size=20))
def test_each_line_maps_to_its_row_after_any_measured_heights(
    sizes: list[int], measured: list[tuple[int, int]]
) -> None:
    heights = RowHeights(sizes)
    for index, height in measured:
        if index < len(sizes):
            heights.put(index, height)
            sizes[index] = height
            assert heights.is_exact(index)
            heights.forget(index)
            assert (heights.is_exact(index), heights.height(index)) == (False, height)
    flat = [(row, line) for row, size in enumerate(sizes) for line in range(size)]
    assert heights.total == len(flat)
    assert [heights.position_at(line) for line in range(len(flat))] == flat
    assert [heights.top_of(row) for row in range(len(sizes) + 1)] == [sum(sizes[:row]) for row in range(len(sizes) + 1)]


@given(st.integers(0, 50), st.integers(1, 4))
def test_even_heights_give_the_same_positions_as_measured_heights(count: int, size: int) -> None:
    even, measured = EvenHeights(count, size), RowHeights([size] * count)
    assert even.total == measured.total
    lines = range(-2, even.total + 2)
    assert [*map(even.position_at, lines)] == [*map(measured.position_at, lines)]


STEPS = st.lists(
    st.tuples(st.just("scroll"), st.integers(-30, 30))
    | st.tuples(st.just("jump"), st.integers(-5, 400) | st.just(10_000))
    | st.tuples(st.sampled_from(["reveal", "bottom"]), st.integers(0, 39)),
    max_size=15,
)


@given(SIZES.filter(bool), st.integers(1, 12), STEPS)
def test_scrolling_shows_the_right_rows_although_estimates_are_wrong(
    sizes: list[int], height: int, steps: list[tuple[str, int]]
) -> None:
    view = Viewport(RowHeights([1] * len(sizes)), sizes.__getitem__, height)
    view.place(0, 0)
    flat = [(row, line) for row, size in enumerate(sizes) for line in range(size)]
    for step, argument in steps:
        before = flat.index(view.top)
        row = min(argument, len(sizes) - 1)
        if step == "scroll":
            view.scroll(argument)
            assert flat.index(view.top) == min(max(before + argument, 0), max(len(flat) - height, 0))
        elif step == "jump":
            view.jump(argument)
        else:
            view.reveal(row, bottom=step == "bottom")
            shown = [line for index, line in view.lines() if index == row]
            assert len(shown) == min(sizes[row], height)
        top = flat.index(view.top)
        assert view.lines() == flat[top : top + height]
        assert len(view.lines()) == min(height, len(flat))


def test_measuring_rows_above_does_not_move_the_view() -> None:
    view = Viewport(RowHeights([1] * 30), lambda _: 9, 5)
    view.place(20, 3)
    for row in range(20):
        view.measured_height(row)
    assert view.lines() == [(20, line) for line in range(3, 8)]
    assert view.y == 20 * 9 + 3
    view.hold(20, 11, 3)
    assert view.lines()[3] == (20, 8), "a row that became shorter keeps its last line in place"


@given(SIZES.filter(bool), st.integers(1, 12), st.data())
def test_hold_keeps_a_line_in_its_place_except_at_the_ends_of_the_list(
    sizes: list[int], height: int, data: st.DataObject
) -> None:
    view = Viewport(RowHeights([1] * len(sizes)), sizes.__getitem__, height)
    flat = [(row, line) for row, size in enumerate(sizes) for line in range(size)]
    held = data.draw(st.sampled_from(flat))
    at = data.draw(st.integers(0, height - 1))
    view.hold(*held, at)
    assert flat.index(view.top) == min(max(flat.index(held) - at, 0), max(len(flat) - height, 0))
