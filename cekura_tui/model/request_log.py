"""The last requests to the server as they are shown and logged: no key, no bodies, no values of a query."""

from __future__ import annotations

from typing import NamedTuple

LAST = 200
"""So many requests are remembered."""


class RequestRecord(NamedTuple):
    """One request. `at` is when it was sent (Unix time), `took` the seconds until its answer was read or it failed.

    `query` has the names alone of what was asked for in it, `status` is the HTTP status or 0, `error` says why there is
    no answer to read, `request_id` is the server's own name for the request, and `attempt` is 1 for the first try.
    """

    at: float
    method: str
    path: str
    query: tuple[str, ...]
    attempt: int
    took: float
    status: int
    error: str
    request_id: str

    @property
    def target(self) -> str:
        """The path, and the names in the query: "/runs/?page&project_id"."""
        return f"{self.path}?{'&'.join(self.query)}" if self.query else self.path

    @property
    def milliseconds(self) -> int:
        return round(1000 * self.took)

    @property
    def failed(self) -> bool:
        return bool(self.error) or not 200 <= self.status < 300

    def line(self) -> str:
        """All of it in one line, but for when it was sent."""
        tries = f", attempt {self.attempt}" if self.attempt > 1 else ""
        named = f", id {self.request_id}" if self.request_id else ""
        why = f": {self.error}" if self.error else ""
        return f"{self.method} {self.target} {self.status or 'failed'}, {self.milliseconds} ms{tries}{named}{why}"


class RequestLog:
    """The requests of one process. One thread adds, any may read."""

    def __init__(self) -> None:
        self.records: tuple[RequestRecord, ...] = ()
        """The last ones, in the order they ended; replaced whole."""

    def add(self, record: RequestRecord) -> None:
        """Remember a request that ended, in place of the oldest."""
        self.records = (*self.records[1 - LAST :], record)
