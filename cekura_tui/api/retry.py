"""Whether a read that a person waits for is tried again: one pure decision."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from cekura_tui.api.errors import ApiError, Busy, ServerFault, Unreachable

TRIES = 3
PATIENCE = 10.0
"""Seconds from the first try within which another may begin."""
LONGEST = 86_400.0
"""No `Retry-After` is read as more seconds than this."""


def next_try(error: ApiError, tries: int, elapsed: float, spread: float) -> float | None:
    """Seconds to wait before the next try, or None to give up.

    `tries` have been made, the first `elapsed` seconds ago; `spread` is a random number from 0 to 1. Only what may
    pass by itself is tried again, and a `Retry-After` is kept to or, where it is too long, the end.
    """
    if tries >= TRIES or not isinstance(error, Unreachable | Busy | ServerFault):
        return None
    wait = 0.5 * 2 ** (tries - 1) * (0.75 + 0.5 * spread) if error.retry_after is None else error.retry_after
    return wait if elapsed + wait < PATIENCE else None


def read_retry_after(value: str | None, now: float) -> float | None:
    """Seconds of a `Retry-After` header (a number or an HTTP date), 0 to a day; None where there is none.

    `now` is Unix time.
    """
    text = (value or "").strip()
    try:
        wait = float(text) if text.replace(".", "", 1).isdecimal() else _until(text, now)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return min(max(0.0, wait), LONGEST)


def _until(date: str, now: float) -> float:
    moment = parsedate_to_datetime(date)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now


def at_clock(now: float, wait: float) -> str:
    """The clock time a wait ends, as it is told to a person ("14:05:10")."""
    return datetime.fromtimestamp(now + wait).strftime("%H:%M:%S")
