"""Asks for the pages of a run list, and puts what came of it, good or bad, in its place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Protocol, TypeVar

from cekura_tui.api.errors import BadAnswer, NotFound, Rejected, ServerFault
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.paged_runs import PagedRuns, RunPage
from cekura_tui.model.run_query import RunQuery
from cekura_tui.workspace.pages_in_view import View

if TYPE_CHECKING:
    from cekura_tui.workspace.session import Session

T = TypeVar("T")

CALM = 5.0
"""Seconds in which no pages are asked for where the server counts otherwise time and again."""


class Ask(Protocol):
    """How the session is reached from the screens' loop: `Workspace.call`."""

    def __call__(self, ask: Callable[[Session], Awaitable[T]], /) -> Awaitable[T]: ...


class PageAsking:
    """Asks for each page once, raises kinds of CekuraTuiError; until `calm_until` (monotonic) none is to be asked."""

    def __init__(self, ask: Ask, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._ask, self._clock, self._monotonic = ask, clock, monotonic
        self._shifted_at = self.calm_until = float("-inf")

    async def page(
        self,
        query: RunQuery,
        runs: PagedRuns,
        number: int,
        *,
        keep: Callable[[], Collection[int]] = tuple,
        in_turn: bool = False,
    ) -> None:
        """Put a page into a list, or why it could not be had; pages that `keep` tells are the last to be dropped."""
        shifts = runs.shifts
        try:
            page = await self._fetch(query, number, runs.pin, in_turn=in_turn)
        except CekuraTuiError as error:
            if not isinstance(error, NotFound) or number == 1:
                runs.fail(number, error.message)
                raise
            runs.no_such_page(number)
        else:
            runs.put(page, keep())
            if runs.shifts > shifts:
                self._shifted()

    def _shifted(self) -> None:
        # The pages in view are asked for anew, which would have no end at a server that never counts the same.
        now = self._monotonic()
        if now < self._shifted_at + CALM:
            self.calm_until = now + CALM
        self._shifted_at = now

    async def open(self, query: RunQuery, former: PagedRuns | None, view: View) -> PagedRuns:
        """A list as of now, and of one that is read anew what is looked at, so that nothing moves."""
        runs = PagedRuns(await self._fetch(query, 1, None), self._clock())
        wanted = [] if runs.newest_page is None else [runs.newest_page]
        if former is not None:
            moved = runs.count - former.count
            wanted += runs.layout.near(view.first + moved, view.last + moved)
            wanted += runs.layout.near(view.cursor + moved, view.cursor + moved)
        for number in dict.fromkeys(wanted):
            if runs.missing([number]):
                try:
                    await self.page(query, runs, number)
                except (ServerFault, Rejected, BadAnswer, NotFound):
                    continue  # it is told in the place of this page
        return runs

    async def _fetch(self, query: RunQuery, number: int, until: float | None, *, in_turn: bool = False) -> RunPage:
        return await self._ask(lambda session: session.lists.page(query, number, until, in_turn=in_turn))
