"""The latest requests to the server, as shown and logged: without keys, bodies and query values."""

from __future__ import annotations

from typing import NamedTuple

MAX_RECORDS = 200


class RequestRecord(NamedTuple):
    """One request, sent at `at` (Unix time). `took` is the seconds until the answer was read or the request failed.
    `query` has only the names of the parameters. `status` is the HTTP status, 0 without an answer. `error` says why
    there is no readable answer. `request_id` is the server's. `attempt` counts from 1."""

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
    def failed(self) -> bool:
        return bool(self.error) or not 200 <= self.status < 300

    def line(self) -> str:
        """Everything but the time in one line: "GET /runs/?page&project_id 200, 12 ms"."""
        target = "?".join(filter(None, (self.path, "&".join(self.query))))
        tries = f", attempt {self.attempt}" if self.attempt > 1 else ""
        named = f", id {self.request_id}" if self.request_id else ""
        why = f": {self.error}" if self.error else ""
        return f"{self.method} {target} {self.status or 'failed'}, {round(1000 * self.took)} ms{tries}{named}{why}"
