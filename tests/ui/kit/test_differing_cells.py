"""Of a changed line only the cells that differ are painted."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cekura_tui.ui.kit.strips import differing_cells, strips_of

WIDTH = 12
STYLES = st.sampled_from([None, Style(bold=True), Style(color="red")])
SEGMENTS = st.lists(st.builds(Segment, st.text("ab 電é🙂", max_size=6), STYLES), max_size=4)


def strip(*segments: Segment) -> Strip:
    return strips_of([segments], WIDTH, Style())[0]


@given(SEGMENTS, SEGMENTS)
@example([Segment("job 1   5 s")], [Segment("job 1  10 s")])
@example([Segment("aaaa")], [Segment("aaaaa")])
def test_painting_just_these_cells_is_enough(before: list[Segment], after: list[Segment]) -> None:
    old, new = strip(*before), strip(*after)
    start, end = differing_cells(old, new)
    painted = Strip.join([old.crop(0, start), new.crop(start, end), old.crop(end, WIDTH)])
    assert painted.simplify() == new.simplify()


@given(SEGMENTS, st.integers(1, 20))
def test_a_line_is_as_wide_as_the_list_whatever_is_in_it(segments: list[Segment], width: int) -> None:
    made = strips_of([segments], width, Style(bgcolor="blue"))[0]
    assert cell_len(made.text) == made.cell_length == width
    assert all(segment.style and segment.style.bgcolor for segment in made)
    text = "".join(segment.text for segment in segments)
    assert made.text.rstrip() == text.rstrip() or cell_len(text) > width
