"""Times in a filter are local: days around clock changes, clock times and dates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from run_server import row

from cekura_tui.model.filter.filter import ALL, moment_of
from cekura_tui.model.filter.match import Matcher, split
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.text import DAY

BERLIN = "Europe/Berlin"
ZONES = ["UTC", BERLIN, "America/Havana", "America/Santiago", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]


@contextmanager
def time_zone(zone: str) -> Iterator[None]:
    """Set the local time zone during a block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        try:
            yield
        finally:
            patch.undo()
            time.tzset()


def at(text: str) -> float:
    """The Unix time of an ISO 8601 text with an offset."""
    return datetime.fromisoformat(text).timestamp()


def shown(text: str, moment: str, now: str) -> bool:
    """Whether a filter read at `now` shows a run made at `moment`."""
    return Matcher(parse(text).filter, now=at(now), notes={})(row(1, at(moment)))


@pytest.mark.parametrize(
    ("text", "now", "first", "last"),
    [
        ("2026-10-25", "2026-11-09T12:00+01:00", "2026-10-25T00:00+02:00", "2026-10-25T23:59:59.999999+01:00"),
        ("2026-03-29", "2026-11-09T12:00+01:00", "2026-03-29T00:00+01:00", "2026-03-29T23:59:59.999999+02:00"),
        ("today", "2026-10-25T23:30+01:00", "2026-10-25T00:00+02:00", "2026-10-25T23:59:59.999999+01:00"),
        ("yesterday", "2026-10-26T00:30+01:00", "2026-10-25T00:00+02:00", "2026-10-25T23:59:59.999999+01:00"),
        ("yesterday", "2026-03-30T00:30+02:00", "2026-03-29T00:00+01:00", "2026-03-29T23:59:59.999999+02:00"),
        ("yesterday", "2026-03-01T09:00+01:00", "2026-02-28T00:00+01:00", "2026-02-28T23:59:59.999999+01:00"),
        ("yesterday", "2027-01-01T00:00+01:00", "2026-12-31T00:00+01:00", "2026-12-31T23:59:59.999999+01:00"),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_when_clocks_change(text: str, now: str, first: str, last: str) -> None:
    with time_zone(BERLIN):
        assert (moment_of(text, at(now)), moment_of(text, at(now), last=True)) == (at(first), at(last))
        for key, moment in (("since", first), ("until", last)):
            assert shown(f"{key}:{text}", moment, now)
            assert not shown(f"-{key}:{text}", moment, now)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2d", "2026-10-24T11:00:00+02:00"),
        ("3h", "2026-10-26T07:00:00+01:00"),
        ("90m", "2026-10-26T08:30:00+01:00"),
        ("1w", "2026-10-19T11:00:00+02:00"),
        ("09:05", "2026-10-26T09:05:00+01:00"),
        ("2026-10-25T12:00", "2026-10-25T12:00:00+01:00"),
        ("2026-10-25T01:30:15", "2026-10-25T01:30:15+02:00"),
        ("2026-10-25T12:00Z", "2026-10-25T12:00:00+00:00"),
        ("2026-10-25T12:00+05:30", "2026-10-25T12:00:00+05:30"),
        ("99999w", "1970-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_that_is_not_a_day_is_one_instant(text: str, moment: str) -> None:
    now = at("2026-10-26T10:00:00+01:00") + 0.75
    with time_zone(BERLIN):
        assert moment_of(text, now) == moment_of(text, now, last=True) == at(moment)


@given(st.sampled_from(ZONES), st.dates(date(2012, 1, 1), date(2035, 12, 31)))
@example("America/Havana", date(2028, 11, 5))
@example("America/Havana", date(2029, 11, 4))
def test_days_have_no_gap_and_no_overlap_in_any_time_zone(zone: str, day: date) -> None:
    with time_zone(zone):
        first, last = moment_of(day.isoformat(), 0.0), moment_of(day.isoformat(), 0.0, last=True)
        assert time.localtime(first)[:3] == time.localtime(last)[:3] == (day.year, day.month, day.day)
        assert time.localtime(first - 1)[:3] < (day.year, day.month, day.day)
        assert time.localtime(last + 1)[:3] > (day.year, day.month, day.day)
        assert 22 * 3_600 < last - first < 26 * 3_600
        assert moment_of("today", last) == moment_of("yesterday", last + DAY / 2) == first


def test_the_days_of_a_filter_are_sent_to_the_server_in_utc() -> None:
    with time_zone(BERLIN):
        asked = split(parse("since:2026-10-25 until:2026-10-25").filter, 0.0)
    span = {"created_at_from": "2026-10-24T22:00:00Z", "created_at_to": "2026-10-25T22:59:59.999999Z"}
    assert (asked.params, asked.rest) == (span, ALL)


@pytest.mark.parametrize(
    "text",
    [
        *("d", "2", "2x", "-2d", "2 q", "٢d", "2e9", "100000d", "tomorrow", "14:5", "24:00", "14:60", "2026-1-1"),
        *("1999-01-01", "2026-02-30", "2026-13-01", "2026-11-01T", "2026-11-01T10", "2026-11-01T25:00"),
        "2026-11-01T10:00+25:00",
    ],
)
def test_malformed_times_are_rejected(text: str) -> None:
    assert parse(f'since:"{text}"').problems
    with pytest.raises(ValueError, match="no moment"):
        moment_of(text, 0.0)


def test_a_clock_time_later_than_now_means_yesterday_in_a_since_term() -> None:
    now = at("2026-10-26T02:00:00+01:00")
    with time_zone(BERLIN):
        assert moment_of("22:00", now) == at("2026-10-25T22:00:00+01:00")
        assert moment_of("22:00", now, last=True) == at("2026-10-26T22:00:00+01:00")
