from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.text import clock_text, count, span_text
from cekura_tui.model.transcript.timeline import clock

NOW = time.mktime((2026, 10, 7, 14, 5, 0, 0, 0, -1))


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        *((0, "14:05"), (14, "00:05"), (15, "Tue 23:05"), (5 * 24, "Fri 14:05"), (40 * 24, "28 Aug 14:05")),
        *((400 * 24, "2025-09-02"), (-1, "15:05")),
    ],
)
def test_a_time_is_shown_as_clock_or_weekday_or_date_according_to_its_age(hours: int, shown: str) -> None:
    assert clock_text(NOW - hours * 3_600, NOW) == shown


@given(st.floats(-6e10, 2e11))
def test_any_time_that_a_server_can_send_is_shown(moment: float) -> None:
    assert clock_text(moment, NOW)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        *((-3, "0 s"), (0, "0 s"), (9.7, "9 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7500, "2 h 05 min")),
        *((3_600, "1 h 00 min"), (172_799, "47 h 59 min"), (172_800, "2 d 0 h"), (98 * 86_400 + 3_700, "98 d 1 h")),
    ],
)
def test_a_duration_is_shown_in_seconds_or_minutes_or_hours_or_days(seconds: float, shown: str) -> None:
    assert span_text(seconds) == shown


def test_a_moment_of_a_call_is_shown_like_a_clock_time() -> None:
    assert [clock(None), clock(67.9), clock(-3), clock(3_667, hours=True)] == ["", "01:07", "00:00", "1:01:07"]


def test_numbers_are_shown_with_their_nouns() -> None:
    assert [count(number, "run") for number in (0, 1, 1204)] == ["0 runs", "1 run", "1,204 runs"]
    assert count(2, "category", "categories") == "2 categories"
