"""Whole runs that were opened: they are written to the store a moment after they are shown, and read from it."""

from __future__ import annotations

import asyncio
import logging

from cekura_tui.model.run import Run
from cekura_tui.model.view import RunView, view_of
from cekura_tui.store.errors import StoreError
from cekura_tui.store.runs import RunStore
from cekura_tui.workspace.runs_ahead import RunsAhead

SOON = 0.3
"""Seconds. A long run takes as long to write as to show, and whoever waits for it is to see it first."""
_log = logging.getLogger("cekura_tui.workspace")


class OpenedRuns:
    """Of one session, on its loop. What is written is kept in memory, too, by its size."""

    def __init__(self, store: RunStore, ahead: RunsAhead) -> None:
        self._store, self._ahead = store, ahead
        self._unwritten: dict[int, tuple[Run, RunView]] = {}
        self._soon: asyncio.TimerHandle | None = None
        self._read_last: RunView | None = None
        """The run that was read from the store last."""

    def keep(self, run: Run, view: RunView) -> None:
        """Keep a run that the server told just now."""
        self._unwritten[view.row.id] = run, view
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON, self.write)

    def write(self) -> None:
        """Write what is not written yet; what cannot be written is only logged, for the server has it."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        unwritten, self._unwritten = self._unwritten, {}
        for number, (run, view) in unwritten.items():
            size = None
            try:
                size = self._store.keep_opened(run, view.got_at)
            except StoreError as error:
                _log.warning("run %d was not cached: %s", number, error.message)
            self._ahead.keep(view, size)

    def fresh(self, run_id: int) -> RunView | None:
        """A run that was told a moment ago and cannot have changed since."""
        if run_id in self._unwritten:
            view = self._unwritten[run_id][1]
            return view if view.row.outcome.settled else None
        return self._ahead.fresh(run_id)

    def cached(self, run_id: int) -> RunView | None:
        """A run as it was got last."""
        self.write()
        at, last = self._store.opened_at(run_id), self._read_last
        if at is not None and last is not None and (last.row.id, last.got_at) == (run_id, at):
            return last  # what was looked at in the list is often opened next
        if at is None or (found := self._store.opened(run_id)) is None:
            return None
        self._read_last = view = ready(view_of(found[0], found[1], cached=True))
        return view


def ready(view: RunView) -> RunView:
    """With all that is worked out of it on the way, for which the screens' loop has no time."""
    _ = view.timeline, view.call
    return view
