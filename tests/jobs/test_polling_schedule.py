"""Pure functions that decide when reads are retried and when jobs are polled."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.api.errors import (
    LONGEST,
    PATIENCE,
    TRIES,
    ApiError,
    BadAnswer,
    Busy,
    KeyRefused,
    NotConnected,
    NotFound,
    Rejected,
    ServerFault,
    Unreachable,
    next_try,
    read_retry_after,
)
from cekura_tui.jobs.polling import SUSPECTED, Budget, Streak
from cekura_tui.jobs.waiting import HOUR, interval, retry_delay, server_pause

SECONDS = st.floats(0, 1e6)
JITTERS = st.floats(0, 1)
TRANSIENT = [Unreachable, NotConnected, Busy, ServerFault]
PERMANENT = [KeyRefused, NotFound, Rejected, BadAnswer, ApiError]


@pytest.mark.parametrize("given_up", [False, True])
@given(st.data(), st.sampled_from(TRANSIENT), JITTERS)
def test_a_read_is_given_up_after_three_tries_or_ten_seconds(
    given_up: bool, data: st.DataObject, kind: type[ApiError], jitter: float
) -> None:
    tries = data.draw(st.integers(1, TRIES - 1) | st.just(TRIES) if given_up else st.integers(1, TRIES - 1))
    elapsed = data.draw(st.floats(0, 1.2 * PATIENCE) if given_up else st.floats(0, PATIENCE / 2))
    longest = PATIENCE - elapsed
    passing = st.none() | st.floats(0, PATIENCE / 3)
    asked = data.draw(passing if not given_up or tries == TRIES else st.floats(max(0, longest) + 0.001, 2 * PATIENCE))
    wait = next_try(kind("x", retry_after=asked), tries, elapsed, jitter)
    assert (wait is None) == given_up
    if wait is not None:
        assert 0 <= wait <= longest
        assert asked is None or wait == asked


@given(st.sampled_from(PERMANENT), st.integers(1, 2), JITTERS)
def test_a_permanent_error_is_not_retried(kind: type[ApiError], tries: int, jitter: float) -> None:
    assert next_try(kind("x"), tries, 0, jitter) is None


@given(st.sampled_from(TRANSIENT), JITTERS)
def test_a_transient_error_is_retried_with_growing_delays(kind: type[ApiError], jitter: float) -> None:
    first, second = (next_try(kind("x"), tries, 0, jitter) for tries in (1, 2))
    assert first is not None
    assert second is not None
    assert 0 < first < second < 2


NOW = 1_760_000_000.0


def http_date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(NOW + seconds, UTC), usegmt=True)


WAITS = {"7": 7.0, " 2.5 ": 2.5, http_date(30): 30.0, "Thu, 01 Jan 2099 00:00:00 GMT": LONGEST, "9" * 400: LONGEST}
NO_WAITS = ("0", "0.5", http_date(-30), None, "", "soon", "-5", "1e3", "Thu, 99 Foo 2099")


def test_retry_after_is_read_as_seconds_or_a_date() -> None:
    assert {value: read_retry_after(value, NOW) for value in WAITS} == WAITS
    assert [value for value in NO_WAITS if read_retry_after(value, NOW) is not None] == []


@given(
    st.text(max_size=40)
    | st.builds(
        "{}, {} {} {} {:02}:{:02}:{:02}{}".format,
        st.sampled_from(["Thu", "Foo"]),
        st.integers(0, 100),
        st.sampled_from(["Jan", "Foo"]),
        st.integers(0, 99_999),
        *[st.integers(0, 99)] * 3,
        st.sampled_from(["", " GMT", " +0100", " -9999"]),
    )
)
def test_any_retry_after_header_is_read_as_a_bounded_wait_or_as_none(value: str) -> None:
    wait = read_retry_after(value, NOW)
    assert wait is None or 1 <= wait <= LONGEST


@pytest.mark.parametrize(
    ("age", "seconds"), [(-50, 2), (0, 2), (59, 2), (60, 5), (599, 5), (600, 15), (3599, 15), (3600, 60), (1e6, 60)]
)
@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_older_jobs_are_polled_less_often(age: float, seconds: float, jitter: float) -> None:
    assert interval(age, jitter) == pytest.approx(seconds * (0.8 + 0.4 * jitter))


@given(st.integers(1, 10_000), JITTERS)
def test_failed_polls_back_off_to_at_most_a_minute(failures: int, jitter: float) -> None:
    assert 1 <= retry_delay(failures, None, jitter) <= 60.001
    assert retry_delay(failures + 1, None, jitter) >= retry_delay(failures, None, jitter)


@given(st.integers(1, 100), SECONDS, JITTERS)
def test_a_retry_waits_for_retry_after_but_at_least_a_second_and_at_most_an_hour(
    failures: int, asked: float, jitter: float
) -> None:
    wait = retry_delay(failures, asked, jitter)
    assert wait == asked or (asked < 1 and wait == 1) or (asked > HOUR and wait == HOUR)


def test_an_unknown_job_is_lost_after_three_answers_over_a_minute() -> None:
    for at, believed in (([0, 500], False), ([0, 1, 59.9], False), ([0, 1, 60], True), ([0, 30, 31, 61], True)):
        streak = Streak()
        assert [streak.add(moment) for moment in at][-1] is believed
    streak.reset()
    assert [streak.add(moment) for moment in (200, 201, 260)] == [False, False, True]


def test_a_suspected_failure_is_believed_after_three_answers_over_twenty_seconds() -> None:
    for at, believed in (([0, 30], False), ([0, 2, 19.9], False), ([0, 2, 20], True)):
        streak = Streak(SUSPECTED)
        assert [streak.add(moment) for moment in at][-1] is believed


@given(st.lists(st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.2, 0.3, 1.5]) | st.floats(0, 0.5), max_size=40))
def test_no_more_than_five_background_requests_are_made_in_any_second(pauses: list[float]) -> None:
    budget, now, made = Budget(), 0.0, list[float]()
    for pause in [0.1] * 7 + pauses:  # the first seven alone would be too many
        now += pause
        now += budget.wait(now)
        budget.take(now)
        made.append(now)
    for first, sixth in zip(made, made[5:], strict=False):
        assert sixth - first >= 1 - 1e-9


def test_polling_of_a_server_is_paused_from_its_third_failure_in_a_row() -> None:
    assert [server_pause(failures, 0.5) for failures in range(6)] == [0.0, 0.0, 0.0, 2.0, 4.0, 8.0]
