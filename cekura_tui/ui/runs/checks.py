"""Loads which checks failed, of the failed runs of which the list does not say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.keymap import with_keys

if TYPE_CHECKING:
    from cekura_tui.ui.runs.controller import RunsView
    from cekura_tui.ui.runs.listing import RunListing
    from cekura_tui.workspace.run_feed import AskSession, RunFeed
    from cekura_tui.workspace.session import Session

AT_ONCE = 25
"""Failed runs of which the checks are asked for in one request."""


class CheckLoader:
    """Completes failed runs in the feed of a listing, a request at a time, in the budget that all requests share.

    `changed` is called after each request, `draw` in the end.
    """

    def __init__(
        self,
        ask: AskSession,
        listing: RunListing,
        feed: RunFeed,
        view: RunsView,
        *,
        changed: Callable[[], None],
        draw: Callable[[], None],
    ) -> None:
        self._ask, self._listing, self._feed, self._view = ask, listing, feed, view
        self._changed, self._draw = changed, draw
        self.loading = False
        self._asked: set[int] = set()
        """Failed runs of which the server was asked: it has no more to say."""

    def unknown(self) -> list[int]:
        """The ids of failed runs listed of which it is not known how many checks failed."""
        failed = (row for row in self._listing.loaded_rows() if row.outcome.kind == "failed" and not row.whole)
        return [row.id for row in failed if row.id not in self._asked]

    def note(self) -> tuple[str, ...]:
        """Of how many failed runs the checks are known, in words and in fewer words, where that is of interest."""
        listing = self._listing
        if not listing.whole or not (self.loading or listing.sort.column == "outcome"):
            return ()
        if not (unknown := len(self.unknown())):
            return ()
        failed = listing.tally()["failed"]
        known = f"{failed - unknown:,} of {failed:,}"
        key = with_keys("{runs.read-on} stop" if self.loading else "{runs.read-on} load")
        rest = "" if self.loading else " the rest"
        return f"checks known for {known} failed · {key}{rest}", f"checks {known} · {key}", key

    def load_or_stop(self) -> None:
        """Load the checks that are not known, or stop loading them."""
        if self.loading:
            self.loading = False
        elif self.unknown():
            self.loading = True
            self._view.run_worker(self._load, group="checks", exclusive=True)
        else:
            self._view.notify_once("All runs and their checks are loaded.")
        self._draw()

    async def _load(self) -> None:
        try:
            while self.loading and (ids := self.unknown()[:AT_ONCE]):
                whole = await self._ask(partial(_read_whole, ids))
                self._feed.change(self._listing.completed(whole))
                self._asked.update(ids)
                self._changed()
            if self.loading:
                self._view.notify_once("The failed checks of all runs are loaded.")
        except CekuraTuiError as error:
            if error.exit_status == Exit.KEY_REFUSED:
                self._view.show_error(error)
            else:
                self._view.notify_once(f"Can't load failed checks. {error.sentence()}", warning=True)
        # A worker that was cancelled does not come here: the one that took over from it goes on loading.
        self.loading = False
        self._listing.sort_again()
        if self._view.is_seen():
            self._view.change_order(self._draw)


async def _read_whole(ids: Sequence[int], session: Session) -> tuple[RunRow, ...]:
    """Runs as they are whole, with all their checks; those that are gone are left out. Raises kinds of ApiError."""
    await session.findings.fetch(ids)
    return await session.lists.whole(ids)
