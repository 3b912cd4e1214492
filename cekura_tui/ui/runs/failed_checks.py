"""Loads the names of failed checks, because the server's list of runs does not contain these names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.keymap import with_keys

if TYPE_CHECKING:
    from cekura_tui.ui.kit.page import Page
    from cekura_tui.ui.runs.listing import RunListing
    from cekura_tui.workspace.session import Session

AT_ONCE = 25
"""Maximum number of full runs in one request."""


class FailedChecks:
    """Loads the full runs of the rows that `unknown` returns, one request at a time, within the shared request budget.
    `changed` is called after each request, `loaded` when the loading ends, and `draw` after `load_or_stop`."""

    def __init__(
        self,
        page: Page,
        listing: RunListing,
        *,
        changed: Callable[[], None],
        draw: Callable[[], None],
        loaded: Callable[[], None],
    ) -> None:
        self._page, self._listing = page, listing
        self._changed, self._draw, self._loaded = changed, draw, loaded
        self.loading = False
        self._asked: set[int] = set()
        """Ids of runs that were requested already; another request for these runs would return nothing new."""

    def unknown(self) -> list[RunRow]:
        """The rows of failed runs that still need their full run."""
        return [row for row in self._listing.loaded_rows() if row.lacks_checks and row.id not in self._asked]

    def note(self) -> tuple[str, ...]:
        """For how many failed runs the checks are known, in several wordings, longest first. Empty if all checks are
        known, if not all runs are loaded, or if the checks are neither loading nor needed to sort."""
        listing = self._listing
        if not listing.all_loaded or not (self.loading or listing.sort.column == "outcome"):
            return ()
        if not (unknown := len(self.unknown())):
            return ()
        failed = listing.tally()["failed"]
        known = f"{failed - unknown:,} of {failed:,}"
        key = with_keys("{runs.read-on} stop" if self.loading else "{runs.read-on} load")
        rest = "" if self.loading else " the rest"
        return f"checks known for {known} failed · {key}{rest}", f"checks {known} · {key}", key

    def load_or_stop(self) -> None:
        if self.loading:
            self.loading = False
        elif self.unknown():
            self.loading = True
            self._page.start_worker(self._load, "checks", exclusive=True)
        else:
            self._page.notify_once("All runs and their checks are loaded.")
        self._draw()

    async def _load(self) -> None:
        try:
            while self.loading and (ids := [row.id for row in self.unknown()[:AT_ONCE]]):
                whole = await self._page.state.workspace.call(partial(_read_whole, ids))
                self._listing.feed.change(self._listing.filled(whole))
                self._asked.update(ids)
                self._changed()
            if self.loading:
                self._page.notify_once("The failed checks of all runs are loaded.")
        except CekuraTuiError as error:
            if error.exit_status == Exit.KEY_REFUSED:
                self._page.show_error(error)
            else:
                self._page.notify_once(f"Can't load failed checks. {error.sentence()}", warning=True)
        # Not in a `finally`: a cancelled worker was replaced by another, which is still loading.
        self.loading = False
        self._loaded()


async def _read_whole(ids: Sequence[int], session: Session) -> tuple[RunRow, ...]:
    """Fetch the full runs with these ids and return their rows. Deleted runs are left out. Raises ApiError."""
    await session.findings.fetch(ids)
    return session.lists.whole_rows(ids)
