"""The part of the run list that has its rows asked for: which list is wanted, what keeps it fresh, when to draw."""

from __future__ import annotations

import time
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.filter import Filter
from cekura_tui.model.filter_parse import parse
from cekura_tui.model.paged_runs import Gap
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.model.view import RunRow
from cekura_tui.ui.messages import RunsRead
from cekura_tui.ui.screens.improving import Improving
from cekura_tui.ui.sight import in_sight
from cekura_tui.ui.widgets.run_list import RunList
from cekura_tui.workspace.run_feed import RunFeed, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cekura_tui.ui.board import Board
    from cekura_tui.ui.screens.run_listing import RunListing

CALM = 0.5
"""Seconds between two drawings of what changed by itself, at least."""
AGAIN = 5.0
"""Seconds until a scope that could not be found out is asked for again."""


class ServedRuns(Improving):
    """Has a listing and the feed that fills it; whoever shows it overrides `draw`, `pick_scope` and `new_list`."""

    def __init__(self, board: Board, listing: RunListing, *, live: bool = True) -> None:
        super().__init__(board)
        self.listing = listing
        self.feed = RunFeed(board.workspace.call, self._changed, clock=board.clock)
        self.feed.live = live
        listing.attach(self.feed)
        self.error: CekuraTuiError | None = None
        """Why it is not known what to list."""
        self.anew = False
        """Other runs than before are listed, and the server has not told them yet."""
        self.first: int | None = None
        """The run under the cursor when the list began."""
        self.wanted: int | None = None
        """The run to which somebody had moved in the list before."""
        self._told: CekuraTuiError | None = None
        self._drawing: Timer | None = None
        self._drawn_at = float("-inf")
        self._opened = 0
        self._seen: Sequence[RunRow] | None = listing.loaded_rows() if listing.cached is not None else None
        """The rows as somebody saw them last."""

    def draw(self) -> None:
        """Show everything as it is now."""
        raise NotImplementedError

    def pick_scope(self, several: NoScope | None) -> None:
        """Have a person choose what to list."""
        raise NotImplementedError

    def new_list(self) -> None:
        """Other runs than before are listed."""

    @property
    def trouble(self) -> CekuraTuiError | None:
        """What is in the way."""
        return self.error or self.feed.error

    # Serving

    def begin_serving(self) -> None:
        """Once it is mounted: serve the list while it is seen."""
        self.app.screen_change_signal.subscribe(self, self._look)
        self._look()
        self._serve()

    @work(group="feed")
    async def _serve(self) -> None:
        await self.feed.run()

    def _look(self, _: object = None) -> None:
        self.feed.asleep = not in_sight(self)
        if not self.feed.asleep:
            self.feed.wake()
            if self._drawing is None and self._drawn_at > float("-inf"):
                self.draw_now()

    def terminal_focus(self, focused: bool) -> None:
        """The terminal got or lost the focus."""
        self.feed.focused = focused
        self.feed.wake()

    # What to list

    def load(self) -> None:
        """List the scope's runs, whichever it is."""
        if self.listing.scope is None:
            self._find_scope()
        else:
            self.listing.ask()
            self._read_kept()
            self._name_scope()

    @work(group="scope", exclusive=True)
    async def _find_scope(self) -> None:
        """What was named, chosen last, or is the only one; asked again until it is known."""
        try:
            scope = await self.board.workspace.call(lambda session: session.scope())
        except NoScope as several:
            self.pick_scope(several)
        except CekuraTuiError as error:
            self.error = error
            if error.exit_status == Exit.KEY_REFUSED:
                self.tell_error(error)
            else:
                self.set_timer(AGAIN, self._find_scope_again)
            self.draw_now()
        else:
            self.list_scope(scope)

    def _find_scope_again(self) -> None:
        if self.listing.scope is None and self.error is not None:
            self._find_scope()

    def list_scope(self, scope: Scope | None) -> None:
        """List another scope's runs, with the filter that it was left with; None: it is to be found out which."""
        self.error = None
        self.feed.show(None)
        self._forget()
        self.listing.scope = scope
        self.listing.with_others = None  # what `!` goes back to was another scope's
        self.anew, self.wanted = True, None
        self.new_list()
        self.draw_now()
        if scope is None:
            self._find_scope()
        else:
            self._enter(scope)

    @work(group="scope", exclusive=True)
    async def _enter(self, scope: Scope) -> None:
        """Read what this machine knows of a scope, then ask the server."""
        left, notes = "", self.listing.notes
        try:
            left = await self.board.workspace.call(lambda session: session.shelf.left(scope))
            notes = await self.board.workspace.call(lambda session: session.shelf.notes())
        except CekuraTuiError as error:
            self.tell(error.sentence(), warning=True)
        if self.listing.scope == scope:
            self.listing.filter, self.listing.notes = parse(left).filter, notes
            self.load()

    def list_filtered(self, wanted: Filter) -> None:
        """List the runs that pass another filter, first of what is known here."""
        if wanted == self.listing.filter:
            self.draw_now()
            return
        cursor = self.query_one(RunList).cursor_id
        if cursor is not None:
            self.wanted = cursor if cursor != self.first else None
        self.anew = True
        rows, scope = tuple(self.listing.loaded_rows()), self.listing.scope
        self.listing.filter = wanted
        self._forget()
        self.listing.known = rows
        if scope is not None:
            self.load()
            self._keep(scope, str(wanted))
        self.draw_now()

    def _forget(self) -> None:
        self.listing.cached, self.listing.known, self.listing.known_since = None, (), None
        self._seen = None

    @work(group="keep-filter")
    async def _keep(self, scope: Scope, text: str) -> None:
        try:
            await self.board.workspace.call(lambda session: session.shelf.use(text))
            await self.board.workspace.call(lambda session: session.shelf.leave(scope, text))
        except CekuraTuiError as error:
            self.tell(error.sentence(), warning=True)

    @work(group="kept", exclusive=True)
    async def _read_kept(self) -> None:
        """Show what is kept of the list until the server has told it."""
        listing, query = self.listing, self.listing.query
        if listing.cached is not None:
            return
        try:
            kept = await self.board.workspace.call(lambda session: session.lists.kept(query))
            known = () if kept else await self.board.workspace.call(lambda session: session.lists.known(query))
        except CekuraTuiError:
            return  # what the server tells is shown, then
        if not listing.fresh and listing.scope is not None and listing.query == query:
            listing.cached, listing.known = kept, tuple(row for row, _ in known)
            listing.known_since = min((at for _, at in known), default=None)
            if kept is not None:
                self._seen = listing.loaded_rows()
            self.draw_now()

    @work(group="scope-name", exclusive=True)
    async def _name_scope(self) -> None:
        """A scope that was named by number alone gets its name for the status line."""
        if await self.listing.name_scope(self.board.workspace):
            self.draw_now()

    def look_again(self) -> bool:
        """Read the list anew for somebody who was away; False where it has not been read yet."""
        if self.feed.runs is None:
            return False
        self.feed.refresh()
        return True

    # Drawing what came

    def draw_now(self) -> None:
        """Draw at once: a person did something, or waits for it."""
        if self._drawing is not None:
            self._drawing.stop()
            self._drawing = None
        if not self.gone:
            self.draw()
            if not self.board.away():
                self._seen = self.listing.loaded_rows() if self.listing.fresh or self.listing.cached else None

    def _changed(self) -> None:
        """The feed has something else: draw it, but what changes by itself twice a second at the most."""
        if (error := self.trouble) is not self._told:
            self._told = error
            if error is not None and error.exit_status == Exit.KEY_REFUSED and in_sight(self):
                self.tell_error(error)
        if self._opened != self.feed.opened:
            self._opened = self.feed.opened
            # What lies beyond the first gap tells nothing of what is new above it.
            told = takewhile(lambda row: isinstance(row, RunRow), self.listing.rows)
            newest = [row for row in told if isinstance(row, RunRow)]
            self.post_message(RunsRead(self._seen, newest, self.listing.whole))
        if self.gone or not in_sight(self):
            return  # drawn when it comes into sight
        awaited = self._awaited()
        if self._drawing is not None and not awaited:
            return
        if self._drawing is not None:
            self._drawing.stop()
        wait = 0.0 if awaited else self._drawn_at + CALM - time.monotonic()
        self._drawing = self.set_timer(max(wait, 0.001), self._draw_changes)

    def _draw_changes(self) -> None:
        self._drawn_at = time.monotonic()
        self.draw_now()

    def _awaited(self) -> bool:
        """Whether a person sees that rows are missing."""
        runs = self.query_one(RunList)
        shown = runs.shown_range
        return shown is None or any(isinstance(runs.rows[n], Gap) for n in range(shown[0], shown[1] + 1))

    @on(RunList.InView, "#runs")
    def looked_at(self, event: RunList.InView) -> None:
        """Have the pages in view asked for."""
        runs, former = self.query_one(RunList), self._view
        if runs.rows is not self.listing.rows or self.listing.local or not self.feed.runs:
            return
        step = -1 if event.first < former.first else 1 if event.first > former.first else former.step
        self._view = View(event.first, event.last, runs.cursor_index or 0, step)
        self.feed.look(self._view)

    _view = View()

    @on(RunList.NearEnd, "#runs")
    def near_end(self) -> None:
        """The rows that pass the filter come to an end."""
        if self.listing.wants_more():
            self.feed.read_more()

    def run_row(self, run_id: int) -> Any:
        """The row of a run that is in the list, or None."""
        runs = self.query_one(RunList)
        place = runs.index_of(run_id, near=runs.cursor_index or 0)
        return None if place is None else runs.rows[place]
