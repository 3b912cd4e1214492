"""What can go wrong between us and the server, as kinds of one error, and when to try again.

`next_try` decides whether a read that a person waits for is repeated, `retried` repeats it, and `read_retry_after`
reads what the server asks for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from cekura_tui.model.errors import CekuraTuiError, Exit

T = TypeVar("T")


class ApiError(CekuraTuiError):
    """The server answered something else than what was asked for, or did not answer.

    `status` is the HTTP status (0 where there was no answer), `retry_after` the seconds the server asked to wait.
    """

    title = "The request failed"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        status: int = 0,
        request_id: str = "",
        body: str = "",
        retry_after: float | None = None,
        title: str = "",
    ) -> None:
        super().__init__(message, hint, title=title)
        self.status = status
        self.request_id = request_id
        self.body = body
        self.retry_after = retry_after

    @property
    def from_api(self) -> bool:
        """Whether the refusal is the API's own: JSON, not the page of a proxy or of a server without the operation."""
        return self.body.lstrip()[:1] in ("{", "[")

    @property
    def not_taken(self) -> bool:
        """Whether the server certainly did not take what was sent: it was not sent, or it was refused."""
        return 400 <= self.status < 500 and self.status not in (408, 409)

    @property
    def may_pass(self) -> bool:
        """Not where the server understood the question and said no."""
        return not 400 <= self.status < 500 or self.status in (408, 429)

    @property
    def unknown_id(self) -> bool:
        """Whether the server does not know, or not take, the id that it was asked about: it says no to nothing else."""
        return (self.status in (400, 404) and self.from_api) or self.status in (414, 431)

    def facts(self) -> list[tuple[str, str]]:
        """HTTP status, the server's name for the request, and the beginning of its answer."""
        named = (("status", str(self.status or "")), ("request id", self.request_id), ("answer", self.body))
        return [(name, text) for name, text in named if text]


class Unreachable(ApiError):
    """There was no answer: no connection, or it broke or took too long."""

    title = "Can't reach the server"


class NotConnected(Unreachable):
    """No connection came about, so nothing was sent."""

    @property
    def not_taken(self) -> bool:
        """Nothing was sent."""
        return True


class NotSecure(NotConnected):
    """A server without TLS, or with a certificate that must not be trusted; nothing was sent."""

    title = "No secure connection"


class KeyRefused(ApiError):
    """401 or 403: the key is wrong, or may not do this."""

    title = "Key refused"
    exit_status = Exit.KEY_REFUSED


class NotAsked(KeyRefused):
    """There is no key, so nothing is sent."""

    title = "No API key"
    may_pass = False
    not_taken = True


class NotFound(ApiError):
    """404 or 410: it is not there, or not for this key."""

    title = "Not found"


class Rejected(ApiError):
    """Another 4xx: the server does not take what was sent."""

    title = "Request refused"


class Busy(ApiError):
    """429: too many requests."""

    title = "Too many requests"


class ServerFault(ApiError):
    """5xx: the server failed."""

    title = "Server error"


class BadAnswer(ApiError):
    """An answer that is not what the API promises: no JSON, another shape, a redirect."""

    title = "Unreadable answer"


class TooLarge(BadAnswer):
    """An answer that would take more memory than one may."""

    title = "Answer too large"


class NotOffered(ApiError):
    """404, 405 or 410 to a launch: this server does not have the operation."""

    title = "Not supported by this server"


TRIES = 3
PATIENCE = 10.0
"""Seconds from the first try within which another may begin."""
SHORTEST, LONGEST = 1.0, 86_400.0
"""No `Retry-After` is read as more seconds than this, or as fewer."""


def next_try(error: ApiError, tries: int, elapsed: float, spread: float) -> float | None:
    """Seconds to wait before the next try, or None to give up.

    `tries` have been made, the first `elapsed` seconds ago; `spread` is a random number from 0 to 1. Only what may
    pass by itself is tried again, and a `Retry-After` is kept to or, where it is too long, the end.
    """
    if tries >= TRIES or isinstance(error, NotSecure) or not isinstance(error, Unreachable | Busy | ServerFault):
        return None
    wait = 0.5 * 2 ** (tries - 1) * (0.75 + 0.5 * spread) if error.retry_after is None else error.retry_after
    return wait if elapsed + wait < PATIENCE else None


async def retried(
    send: Callable[[int], Awaitable[T]],
    *,
    on_wait: Callable[[ApiError, float], None] = lambda error, seconds: None,
    longest_asked: float = 0.0,
    patient: Callable[[int], float] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    spread: Callable[[], float] = random.random,
) -> T:
    """Call `send` with the number of the attempt (from 1) until it returns, or raise the error that `next_try` ends at.

    `on_wait` is called before each wait, with the error and the seconds. A server that is busy may ask to wait for
    `longest_asked` seconds in all, which count as no failure. With `patient`, the seconds after so many failures in a
    row, a server that is out of reach or fails is asked for ever.
    """
    tries, attempt, began, asked = 0, 1, monotonic(), 0.0
    while True:
        try:
            return await send(attempt)
        except ApiError as error:
            attempt, tries, wait = attempt + 1, tries + 1, error.retry_after
            if wait is not None and isinstance(error, Busy) and asked + wait <= longest_asked:
                tries, began, asked = 0, monotonic() + wait, asked + wait
            else:
                wait = next_try(error, tries, monotonic() - began, spread())
                if wait is None and patient is not None and isinstance(error, Unreachable | Busy | ServerFault):
                    wait = patient(tries)
            if wait is None:
                raise
            on_wait(error, wait)
        await sleep(wait)


def read_retry_after(value: str | None, now: float) -> float | None:
    """Seconds of a `Retry-After` header (a number or an HTTP date), 1 to a day; None where there is none.

    Less than a second is as good as none: a server that is busy at once again is left alone for longer each time.
    `now` is Unix time.
    """
    text = (value or "").strip()
    try:
        wait = float(text) if text.replace(".", "", 1).isdecimal() else _until(text, now)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return min(wait, LONGEST) if wait >= SHORTEST else None


def _until(date: str, now: float) -> float:
    from email.utils import parsedate_to_datetime  # not for the first frame

    moment = parsedate_to_datetime(date)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now


def at_clock(now: float, wait: float) -> str:
    """The clock time at which a wait ends, in words ("14:05:10")."""
    return datetime.fromtimestamp(now + wait).strftime("%H:%M:%S")
