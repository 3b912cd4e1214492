"""How long a job may still take: said from three jobs on, and never twice in one step of the elapsed time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.job_durations import usual
from cekura_tui.model.text import span_text

TAKEN = [31.0, 38.0, 42.0, 45.0, 60.0]
seconds = st.floats(0, 90_000)


@pytest.mark.parametrize(
    ("elapsed", "shown"),
    [
        (0, "about 40 s left"),
        (4.9, "about 40 s left"),
        (5, "about 35 s left"),
        (38, "about 5 s left"),
        (44, "about 5 s left"),
        (45, "any moment"),
        (52, "any moment"),
        (55, "longer than usual"),
        (600, "longer than usual"),
    ],
)
def test_a_running_job_is_told_about_how_long_it_still_takes(elapsed: float, shown: str) -> None:
    known = usual(TAKEN)
    assert known is not None
    assert known.left(elapsed) == shown


@pytest.mark.parametrize(
    ("elapsed", "shown"),
    [
        (0, "about 5 min left"),
        (59, "about 4 min left"),
        (60, "about 4 min left"),
        (200, "about 2 min left"),
        (239, "about 2 min left"),
        (241, "less than a minute left"),
        (299, "less than a minute left"),
        (300, "any moment"),
        (375, "any moment"),
        (421, "longer than usual"),
    ],
)
def test_a_long_job_is_told_in_minutes(elapsed: float, shown: str) -> None:
    known = usual([300.0] * 3)
    assert known is not None
    assert known.left(elapsed) == shown


@pytest.mark.parametrize("durations", [[], [40.0], [40.0, 41.0]])
def test_nothing_is_said_from_fewer_than_three_jobs(durations: list[float]) -> None:
    assert usual(durations) is None


@pytest.mark.parametrize(
    ("durations", "shown"),
    [
        (TAKEN, "38 to 45 s, median 42 s of 5 jobs"),
        ([42.0] * 3, "42 s, median 42 s of 3 jobs"),
        ([0.0, 0.2, 0.4], "1 s, median 1 s of 3 jobs"),
        ([40.0, 50.0, 200.0, 300.0], "48 s to 3 min, median 2 min of 4 jobs"),
        ([120.0, 240.0, 360.0], "3 to 5 min, median 4 min of 3 jobs"),
        ([3600.0, 7200.0, 9000.0], "1 h 30 min to 2 h 15 min, median 2 h 00 min of 3 jobs"),
    ],
)
def test_the_usual_time_is_told_with_its_spread(durations: list[float], shown: str) -> None:
    known = usual(durations)
    assert known is not None
    assert known.words == shown


@given(st.lists(seconds, min_size=3, max_size=50), seconds, seconds)
def test_the_estimate_changes_only_when_the_elapsed_time_on_screen_does(
    durations: list[float], one: float, other: float
) -> None:
    known = usual(durations)
    assert known is not None
    if span_text(one) == span_text(other):
        assert known.left(one) == known.left(other)


@given(st.lists(seconds, min_size=3, max_size=50), seconds, seconds)
def test_the_longer_a_job_goes_on_the_less_is_promised(durations: list[float], one: float, other: float) -> None:
    known = usual(durations)
    assert known is not None
    assert known.low <= known.median <= known.high
    early, late = known.left(min(one, other)), known.left(max(one, other))
    order = ["about", "less", "any", "longer"]
    assert order.index(early.split()[0]) <= order.index(late.split()[0])
