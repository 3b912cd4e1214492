"""How long a job may still take: said from three jobs on, and never twice in one step of the elapsed time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.job_durations import Usual, usual

TAKEN = [31.0, 38.0, 42.0, 45.0, 60.0]
MINUTES = [300.0] * 3
seconds = st.floats(0, 90_000)


def expected(durations: list[float]) -> Usual:
    known = usual(durations)
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("durations", "elapsed", "shown"),
    [
        *((TAKEN, elapsed, "about 40 s left") for elapsed in (0, 4.9)),
        (TAKEN, 5, "about 35 s left"),
        *((TAKEN, elapsed, "about 5 s left") for elapsed in (38, 44)),
        *((TAKEN, elapsed, "any moment") for elapsed in (45, 52)),
        *((TAKEN, elapsed, "longer than usual") for elapsed in (55, 600)),
        (MINUTES, 0, "about 5 min left"),
        *((MINUTES, elapsed, "about 4 min left") for elapsed in (59, 60)),
        *((MINUTES, elapsed, "about 2 min left") for elapsed in (200, 239)),
        *((MINUTES, elapsed, "less than a minute left") for elapsed in (241, 299)),
        *((MINUTES, elapsed, "any moment") for elapsed in (300, 375)),
        (MINUTES, 421, "longer than usual"),
    ],
)
def test_a_running_job_shows_about_how_long_it_still_takes(durations: list[float], elapsed: float, shown: str) -> None:
    assert expected(durations).left(elapsed) == shown


def test_nothing_is_said_from_fewer_than_three_jobs() -> None:
    assert [usual(durations) for durations in ([], [40.0], [40.0, 41.0])] == [None] * 3


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
def test_the_usual_time_is_shown_with_its_spread(durations: list[float], shown: str) -> None:
    assert expected(durations).words == shown


@given(st.lists(seconds, min_size=3, max_size=50), seconds, seconds)
def test_the_longer_a_job_goes_on_the_less_is_promised(durations: list[float], one: float, other: float) -> None:
    known = usual(durations)
    assert known is not None
    assert known.low <= known.median <= known.high
    early, late = known.left(min(one, other)), known.left(max(one, other))
    order = ["about", "less", "any", "longer"]
    assert order.index(early.split()[0]) <= order.index(late.split()[0])
