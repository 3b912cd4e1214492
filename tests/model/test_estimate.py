"""The estimate of how long a job still takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.job_durations import usual_duration

seconds = st.floats(0, 90_000)


@given(st.lists(seconds, min_size=3, max_size=50), seconds, seconds)
def test_the_estimated_time_left_never_grows_while_a_job_runs(durations: list[float], one: float, other: float) -> None:
    known = usual_duration(durations)
    assert known is not None
    assert known.low <= known.median <= known.high
    early, late = known.time_left(min(one, other)), known.time_left(max(one, other))
    order = ["about", "less", "any", "longer"]
    assert order.index(early.split()[0]) <= order.index(late.split()[0])
