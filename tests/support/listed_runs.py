"""A server that lists runs in pages while runs are added, correctly or with the quirks of odd servers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import product
from typing import Any, Literal

from scripted_server import Got, Reply, ScriptedServer, run_of

LIST = "/test_framework/v1/runs/"
NOON = datetime.fromisoformat("2026-11-25T12:00:00Z").timestamp()
Pin = Literal["exact", "day", "refused", "unknown", "counts"]
"""How a server handles `created_at_to`: "exact" filters to the second, "day" filters by day, "refused" answers 400,
"unknown" ignores the filter, and "counts" ignores the filter and reports varying counts."""


class Listed:
    """Runs that the server lists in pages, while runs may be added and removed. Run n is created n × `apart` seconds
    after noon; `fields` are additional fields by run id."""

    def __init__(
        self,
        server: ScriptedServer,
        ids: list[int],
        *,
        oldest_first: bool = False,
        page: int = 3,
        pin: Pin = "exact",
        apart: int = 1,
        fields: Mapping[int, Mapping[str, object]] | None = None,
    ) -> None:
        self.ids, self._oldest_first, self._page, self._pin, self._apart = ids, oldest_first, page, pin, apart
        self._fields = fields or {}
        self.server = server
        self.missing: Collection[int] = ()
        """Pages answered with 404, although the count includes their runs."""
        self._last: tuple[object, list[int]] = (None, [])
        self.grows = False
        """Whether each request adds a run."""
        server.on("GET", LIST, self.answer)

    def answer(self, got: Got) -> Reply:
        if self._pin == "refused" and "created_at_to" in got.query:
            return Reply({"created_at_to": ["Enter a valid date."]}, 400)
        ids = self._ids(got.query)
        number = int(got.query["page"])
        size = min(self._page, int(got.query["page_size"]))
        first = (number - 1) * size
        if (first and first >= len(ids)) or number in self.missing:
            return Reply({"detail": "Invalid page."}, 404)
        found = [self.run(number) for number in ids[first : first + size]]
        more = "more" if first + size < len(ids) else None
        count = len(ids) + (number * 7 % 5 - 2 if self._pin == "counts" else 0)
        newest = NOON + self._apart * max(self.ids, default=0)
        if self.grows:
            self.ids.append(max(self.ids) + 1)
        headers = {"Date": format_datetime(datetime.fromtimestamp(newest, UTC), usegmt=True)} if self._apart > 1 else {}
        return Reply({"count": count, "next": more, "results": found}, headers=headers)

    def _ids(self, query: Mapping[str, str]) -> list[int]:
        about = tuple(item for item in sorted(query.items()) if item[0] not in ("page", "page_size"))
        if self._last[0] != (about, tuple(self.ids[-1:]), len(self.ids)):
            found = sorted(filter(self._passes(query), self.ids), reverse=not self._oldest_first)
            self._last = (about, tuple(self.ids[-1:]), len(self.ids)), found
        return self._last[1]

    def _passes(self, query: Mapping[str, str]) -> Any:
        end, since = (_moment(query.get(name)) for name in ("created_at_to", "created_at_from"))
        if end is not None and self._pin == "day":
            end = end // 86_400 * 86_400
        if self._pin in ("unknown", "counts"):
            end = None
        success = {"true": True, "false": False, None: None}[query.get("success")]
        statuses = query["status__in"].split(",") if "status__in" in query else None

        def passes(number: int) -> bool:
            made, run = NOON + self._apart * number, self._fields.get(number, {})
            of_time = (end is None or made <= end) and (since is None or made >= since)
            of_state = statuses is None or run.get("status", "completed") in statuses
            return of_time and of_state and (success is None or run.get("success") is success)

        return passes

    def run(self, number: int) -> dict[str, object]:
        timestamp = datetime.fromtimestamp(NOON + self._apart * number).astimezone().isoformat()
        run = run_of(number, **{"timestamp": timestamp, **self._fields.get(number, {})})
        return {name: value for name, value in run.items() if value is not ABSENT}


def time_of(number: int) -> str:
    return datetime.fromtimestamp(NOON + number).astimezone().isoformat()


def _moment(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


ABSENT = object()
_STATUSES = ("running", "completed", "failed", "pending", "in_progress", "evaluating", "in_queue", "timeout")
_VALUES: dict[str, tuple[object, ...]] = {
    "success": (True, False, ABSENT),
    "evaluation_status": ("success", "failure", "reviewed_success", "reviewed_failure", None, ABSENT),
    "status": (*_STATUSES, "cancelled", "scaling_up", ABSENT),
    "error_message": (None, "No audio"),
}


def every_outcome() -> dict[int, dict[str, object]]:
    """The fields that decide a run's outcome, in every combination that the API contract allows, by run id from 1."""
    return {n: dict(zip(_VALUES, values, strict=True)) for n, values in enumerate(product(*_VALUES.values()), 1)}
