"""Errors of requests to the API, and when to retry: `next_try` decides, `retried` retries."""

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
    """A request that failed: no answer, a refusal, or an answer that cannot be read. `status` is the HTTP status, 0
    without an answer. `retry_after` is the seconds that the server asked to wait, None if it did not ask."""

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
        self.status, self.request_id, self.body, self.retry_after = status, request_id, body, retry_after

    @property
    def from_api(self) -> bool:
        """Whether the body looks like JSON, as all the API's answers do; a proxy or another server may send others."""
        return self.body.lstrip()[:1] in ("{", "[")

    @property
    def not_accepted(self) -> bool:
        """Whether the server certainly did nothing: it refused the request with a 4xx status other than 408 and 409.
        Errors for requests that were not sent override this property with True."""
        return 400 <= self.status < 500 and self.status not in (408, 409)

    @property
    def is_transient(self) -> bool:
        """Whether a later retry may succeed; False for a refusal with a 4xx status other than 408 and 429."""
        return not 400 <= self.status < 500 or self.status in (408, 429)

    @property
    def unknown_id(self) -> bool:
        """Whether a poll failed because the server does not know the job's id, or because the id is too long."""
        return (self.status in (400, 404) and self.from_api) or self.status in (414, 431)

    def facts(self) -> list[tuple[str, str]]:
        """Labels and texts of the HTTP status, the request id and the body's beginning; unknown facts are left out."""
        named = (("status", str(self.status or "")), ("request id", self.request_id), ("answer", self.body))
        return [(name, text) for name, text in named if text]


class Unreachable(ApiError):
    """No answer: no connection, a lost connection, or a timeout."""

    title = "Can't reach the server"


class NotConnected(Unreachable):
    """No connection was made, so nothing was sent."""

    not_accepted = True


class NotSecure(NotConnected):
    """The server has no TLS, or a certificate that fails verification; nothing was sent."""

    title = "No secure connection"


class KeyRefused(ApiError):
    """401 or 403: the key is invalid or lacks permission."""

    title = "Key refused"
    exit_status = Exit.KEY_REFUSED


class NotSent(ApiError):
    """Nothing was sent, because this process must be restarted first."""

    title = "Restart needed"
    exit_status = Exit.RESTART_NEEDED
    is_transient = False
    not_accepted = True


class NoApiKey(KeyRefused):
    """No API key is configured, so nothing is sent."""

    title = "No API key"
    is_transient = False
    not_accepted = True


class NotFound(ApiError):
    """404 or 410: missing, or not visible to this key."""

    title = "Not found"


class Rejected(ApiError):
    """A 4xx status without an error class of its own: the server refused the request."""

    title = "Request refused"


class Busy(ApiError):
    title = "Too many requests"


class ServerFault(ApiError):
    title = "Server error"


class BadAnswer(ApiError):
    """An answer that cannot be used: it is not JSON, has an unexpected shape, or is a redirect."""

    title = "Unreadable answer"


class TooLarge(BadAnswer):
    """An answer with more bytes than `MAX_BYTES`, or a list with more entries than `MAX_ENTRIES`."""

    title = "Answer too large"


class NotOffered(ApiError):
    """404, 405 or 410 to a launch: the server lacks this operation."""

    title = "Not supported by this server"


TRIES = 3
PATIENCE = 10.0
"""Seconds from the first try within which a retry may start."""
SHORTEST, LONGEST = 1.0, 86_400.0
"""Bounds in seconds of a `Retry-After`: a shorter wait is ignored, a longer wait is cut."""


def next_try(error: ApiError, tries: int, elapsed: float, jitter: float) -> float | None:
    """Seconds to wait before the next try: the server's `Retry-After`, else a growing delay; None to give up. `tries`
    were made, the first one `elapsed` seconds ago; `jitter` is a random number from 0 to 1. Only Unreachable (but not
    NotSecure), Busy and ServerFault are retried: at most `TRIES` tries, none later than `PATIENCE`."""
    if tries >= TRIES or isinstance(error, NotSecure) or not isinstance(error, Unreachable | Busy | ServerFault):
        return None
    wait = 0.5 * 2 ** (tries - 1) * (0.75 + 0.5 * jitter) if error.retry_after is None else error.retry_after
    return wait if elapsed + wait < PATIENCE else None


async def retried(
    send: Callable[[int], Awaitable[T]],
    *,
    on_wait: Callable[[ApiError, float], None] = lambda error, seconds: None,
    max_asked_wait: float = 0.0,
    backoff: Callable[[int], float] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> T:
    """Call `send` with the attempt's number (from 1) until it returns; raise the error at which `next_try` gives up.
    `on_wait` gets the error and the seconds before each wait. Waits that a busy server asks for do not count as
    failures while they sum up to at most `max_asked_wait` seconds. With `backoff` (number of failures in a row →
    seconds to wait), an unreachable, busy or failing server is retried forever."""
    tries, attempt, began, asked = 0, 1, monotonic(), 0.0
    while True:
        try:
            return await send(attempt)
        except ApiError as error:
            attempt, tries, wait = attempt + 1, tries + 1, error.retry_after
            if wait is not None and isinstance(error, Busy) and asked + wait <= max_asked_wait:
                tries, began, asked = 0, monotonic() + wait, asked + wait
            else:
                wait = next_try(error, tries, monotonic() - began, jitter())
                if wait is None and backoff is not None and isinstance(error, Unreachable | Busy | ServerFault):
                    wait = backoff(tries)
            if wait is None:
                raise
            on_wait(error, wait)
        await sleep(wait)


def read_retry_after(value: str | None, now: float) -> float | None:
    """Seconds in a `Retry-After` header (a number or an HTTP date), at most a day; None if missing or invalid. A wait
    under a second counts as missing, so that callers back off from a server that stays busy. `now` is Unix time."""
    text = (value or "").strip()
    try:
        wait = float(text) if text.replace(".", "", 1).isdecimal() else _until(text, now)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return min(wait, LONGEST) if wait >= SHORTEST else None


def _until(date: str, now: float) -> float:
    from email.utils import parsedate_to_datetime  # slow to import, and not needed at start-up

    moment = parsedate_to_datetime(date)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now


def clock_time(now: float, wait: float) -> str:
    """Local time at the end of a wait of `wait` seconds that begins at the Unix time `now` ("14:05:10")."""
    return datetime.fromtimestamp(now + wait).strftime("%H:%M:%S")
