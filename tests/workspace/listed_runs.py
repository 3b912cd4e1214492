"""A server that lists runs in pages, honestly, while more of them come."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from scripted_server import Got, Reply, ScriptedServer, run_of

LIST = "/test_framework/v1/runs/"
NOON = datetime.fromisoformat("2026-11-25T12:00:00Z").timestamp()


class Listed:
    """Runs that the server lists in pages, of which more may come and some may go while they are read."""

    def __init__(self, server: ScriptedServer, ids: list[int], *, oldest_first: bool = False, page: int = 3) -> None:
        self.ids, self._oldest_first, self._page = ids, oldest_first, page
        self.server = server
        self.missing: Collection[int] = ()
        """Pages that the server says are not there, although its count says so."""
        server.on("GET", LIST, self.answer)

    def answer(self, got: Got) -> Reply:
        until = got.query.get("created_at_to")
        end = datetime.fromisoformat(until).timestamp() if until else float("inf")
        # A run is made at the second that its id says.
        ids = sorted((number for number in self.ids if NOON + number <= end), reverse=not self._oldest_first)
        size = min(self._page, int(got.query["page_size"]))
        first = (int(got.query["page"]) - 1) * size
        if (first and first >= len(ids)) or int(got.query["page"]) in self.missing:
            return Reply({"detail": "Invalid page."}, 404)
        found = [run_of(number, timestamp=time_of(number)) for number in ids[first : first + size]]
        more = "more" if first + size < len(ids) else None
        return Reply({"count": len(ids), "next": more, "results": found})


def time_of(number: int) -> str:
    return datetime.fromtimestamp(NOON + number).astimezone().isoformat()
