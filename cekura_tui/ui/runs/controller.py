"""Controls the scope, filter and order of the run list, and when the list is loaded and redrawn. Uses no widgets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.filter.filter import ALL, Filter, Term
from cekura_tui.model.filter.parse import KnownNames, names_in, parse
from cekura_tui.model.run.columns import Sort
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.workspace.run_feed import RunFeed
from cekura_tui.workspace.run_sweep import RunLoad


class ListedGroup(NamedTuple):
    """A group whose runs are listed: its `terms`, the filter `before` it, and `back` to the groups screen."""

    name: str
    terms: tuple[Term, ...]
    before: Filter
    back: Callable[[], object]


class RunsController:
    """Owns a listing, and the feed that loads the listing. Workers and timers run on `page` and end with the page.

    `draw` redraws everything. `change_order` calls a function that sorts the list; a cursor on the first row stays on
    the first row. `is_seen` says whether the list is on top or under a dialog. `is_waiting` says whether a visible
    row is not loaded yet. `listing_replaced` is called before another list is shown, with True if the scope stays the
    same. `pick_scope` opens the dialog that chooses a scope. With `live`, new runs are followed from the start.
    """

    def __init__(
        self,
        page: Page,
        listing: RunListing,
        *,
        draw: Callable[[], None],
        change_order: Callable[[Callable[[], None]], None],
        is_seen: Callable[[], bool],
        is_waiting: Callable[[], bool],
        listing_replaced: Callable[[bool], None],
        pick_scope: Callable[[NoScope | None], None],
        open_groups: Callable[[], object],
        live: bool = True,
    ) -> None:
        state = page.state
        self.listing = listing
        self.feed = RunFeed(state.workspace.call, self._feed_changed, clock=state.clock, live=live)
        listing.feed = self.feed
        self.checks = RunLoad(state.workspace.call, listing.loaded_rows, lambda row: row.lacks_checks)
        """Loads the names of failed checks, which the server's list of runs lacks."""
        self.checks.changed = self._checks_changed
        self.scope_error: CekuraTuiError | None = None
        """Why the scope could not be found; None if there was no error."""
        self._state, self._page = state, page
        self._draw, self._change_order, self._is_seen, self._is_waiting = draw, change_order, is_seen, is_waiting
        self._listing_replaced, self._pick_scope, self._open_groups = listing_replaced, pick_scope, open_groups
        self._reported: CekuraTuiError | None = None
        self._redraw: Timer | None = None
        self._drawn_at = float("-inf")
        self._opened = 0
        self._group: ListedGroup | None = None
        self._restore_group()
        self.groups_load: RunLoad | None = None
        """Loads the runs for groups of the list; None until groups are opened in this scope."""
        self.when_listed: Callable[[], object] | None = None
        """Called once when a scope is found, with its filter restored: a key that was pressed before."""
        self._sort_when_reloaded = False
        self.names = KnownNames()
        self.names_loaded = False
        """Whether `names` includes names of cached runs."""

    @property
    def trouble(self) -> CekuraTuiError | None:
        return self.scope_error or self.feed.attempts.error

    @property
    def loading(self) -> bool:
        """Whether all runs or their checks are being loaded because the user asked for them."""
        return self.feed.loading_all or self.checks.on

    # Loading while visible

    def start(self) -> None:
        """Start the feed. Called when the page is mounted."""
        self.visibility_changed()
        self._page.start_worker(self.feed.run, "feed")

    def visibility_changed(self) -> None:
        """Pause the feed while another screen covers the list; redraw and complete the list once it is visible."""
        seen = self._is_seen()
        self.feed.set_hidden(not seen)
        if seen and self._redraw is None and self._drawn_at > float("-inf"):
            self.draw_now()
        if seen and self._page.is_active and self.listing.fresh:  # not under a dialog
            self._page.start_worker(self._complete_rows, "whole", exclusive=True)

    async def _complete_rows(self) -> None:
        """Fill in missing fields of listed rows from runs that were loaded in full while the list was covered."""
        ids = [row.id for row in self.listing.loaded_rows()]
        try:
            whole = await self._state.workspace.do(lambda session: session.lists.whole_rows(ids))
        except CekuraTuiError:
            return  # the app is closing
        self.change_rows(self.listing.filled(whole))

    def change_rows(self, rows: Sequence[RunRow]) -> None:
        """Replace the rows of changed runs by `rows`. Redraw if the list has changed."""
        before = self.listing.rows
        self.feed.change(rows)
        if self.listing.rows is not before:
            self.draw_now()

    def reload(self) -> None:
        """Reload the list after the user was away. Do nothing if the list was never loaded."""
        if self.feed.runs is not None:
            self.feed.refresh()

    # What to list

    def load(self) -> None:
        if self.listing.scope is None:
            self._page.start_worker(self._find_scope, "scope", exclusive=True)
        else:
            self.feed.show(self.listing.query)
            self._page.start_worker(self._show_cached, "cached", exclusive=True)
            self._page.start_worker(self._name_scope, "scope-name", exclusive=True)

    async def _find_scope(self) -> None:
        """Find the scope, or let the user choose one of several. Retry after an error unless the key was refused."""
        try:
            scope = await self._state.workspace.call(lambda session: session.scope())
        except NoScope as several:
            self.scope_error = several  # until the user chooses one
            self.draw_now()
            self._pick_scope(several)
        except CekuraTuiError as error:
            self.scope_error = error
            if error.exit_status == Exit.KEY_REFUSED:
                self._page.show_error(error)
            else:
                self._page.set_timer(5.0, self._find_scope_again)
            self.draw_now()
        else:
            self.list_scope(scope)

    def _find_scope_again(self) -> None:
        if self.listing.scope is None and self.scope_error is not None:
            self.load()

    def list_scope(self, scope: Scope | None) -> None:
        """List the runs of a scope with the scope's last filter. If `scope` is None, first find the scope to list."""
        self.scope_error = self._group = None
        self.checks.on = False
        if self.groups_load is not None:
            self.groups_load.on = False
            self.groups_load = None
        self.feed.show(None)
        self.names, self.names_loaded = KnownNames(), False
        self.listing.change_scope(scope)
        self._listing_replaced(False)
        self.draw_now()
        if scope is None:
            self.load()
        else:
            self._page.start_worker(partial(self._restore, scope), "scope", exclusive=True)

    async def _restore(self, scope: Scope) -> None:
        """Restore the scope's last filter, the notes and the chosen columns from this machine, then load the list."""
        filter_text, notes, columns = "", self.listing.notes, self.listing.chosen_columns
        try:
            filter_text = await self._state.workspace.do(lambda session: session.store.views.last_filter(scope.text))
            notes = await self._state.workspace.do(lambda session: session.store.notes.all())
            columns = await self._state.workspace.call(lambda session: session.saved_views.columns())
        except CekuraTuiError as error:
            self._page.notify_once(error.sentence(), warning=True)
        self.listing.restore(filter_text, notes, columns)
        self._restore_group()
        self.load()
        then, self.when_listed = self.when_listed, None
        if then is not None and self._page.is_active:
            then()

    async def _show_cached(self) -> None:
        """Show cached rows until the server has sent the list."""
        listing, query = self.listing, self.listing.query
        if listing.cached is not None:
            return
        try:
            cached = await self._state.workspace.do(lambda session: session.store.runs.cached_list(query.key))
            known = () if cached else await self._state.workspace.do(lambda session: session.lists.cached(query))
        except CekuraTuiError:
            return  # the server's answer will do
        if not listing.fresh and listing.scope is not None and listing.query == query:
            listing.show_cached(cached, known)
            self.draw_now()

    async def _name_scope(self) -> None:
        """Look up the name of a project that was given by number, for the status line."""
        scope = self.listing.scope
        if scope is None or scope.name or scope.kind != "project":
            return
        try:
            projects = await self._state.workspace.call(lambda session: session.projects())
        except CekuraTuiError:
            return  # the number will do
        name = next((project.name for project in projects if project.id == scope.id), None)
        if name is not None and self.listing.scope is scope:  # else a project of the previous profile
            self.listing.scope = scope._replace(name=name)
            self.draw_now()

    # The filter

    def filter_by(self, text: str) -> None:
        self.change_filter(parse(text).filter)

    def change_filter(self, wanted: Filter) -> None:
        """List the runs that match `wanted`. Until the server answers, only matching loaded runs are listed."""
        if wanted == self.listing.filter:
            self.draw_now()
            return
        self._listing_replaced(True)
        self.checks.on = False
        self.listing.change_filter(wanted)
        self._group = self._group if self.group else None
        if self.listing.scope is not None:
            self.load()
            self._state.workspace.put(("filter", self.listing.scope.text), f"{wanted}\t{self.group}".rstrip("\t"))
        self.draw_now()

    def open_group(self, name: str, text: str, back: Callable[[], object]) -> None:
        """List the runs of the group `name` by adding its filter `text` to the current filter. If `text` filters by run
        ids, the current filter is replaced. `back` shows the groups screen again."""
        wanted = parse(text).filter
        # A group is part of the current list, so keep its filter; a filter by ids needs no other terms.
        former = () if any(term.key == "id" for term in wanted.terms) else self.listing.filter.terms
        group = Filter(tuple(dict.fromkeys((*former, *wanted.terms))))
        before = self.listing.filter
        if group == before and self._group is not None:
            before = self._group.before  # esc still leaves the group
        self._group = ListedGroup(name, wanted.terms, before, back)
        self.change_filter(group)

    def _restore_group(self) -> None:
        if name := self.listing.last_group:
            self._group = ListedGroup(name, self.listing.filter.terms, ALL, self._open_groups)

    @property
    def group(self) -> str:
        """The name of the group whose runs are listed, even if more terms narrow the list; empty outside a group."""
        group = self._group
        return group.name if group is not None and set(group.terms) <= set(self.listing.filter.terms) else ""

    def step_back(self) -> None:
        """Stop loading runs or checks. If nothing is loading, return from a group to the groups screen."""
        group = self._group
        if self.feed.loading_all:
            self.feed.load_all(False)
        elif self.checks.on:
            self.checks.on = False
        elif group is not None and self.group:
            self._group = None  # change_filter does not reset it if the filter stays the same
            self.change_filter(group.before)
            group.back()
        self.draw_now()

    # Names

    def names_seen(self) -> KnownNames:
        """Put the names of the loaded runs first in `names`, and return `names`."""
        self.names = names_in(self.listing.loaded_rows()).joined(self.names)
        return self.names

    async def read_names(self) -> bool:
        """Add the scope's cached names to `names`, once per scope; return whether any were. Raises StoreError."""
        scope = self.listing.scope
        if self.names_loaded or scope is None:
            return False
        query = self.listing.query
        names = await self._state.workspace.do(lambda session: names_in(row for row, _ in session.lists.cached(query)))
        if self.listing.scope != scope:
            return False
        self.names, self.names_loaded = self.names.joined(names), True
        return True

    # Order and freshness

    def sort_by(self, sort: Sort) -> None:
        self.listing.sort_by(sort)
        self.draw_now()

    def load_all(self) -> None:
        """Load all matching runs or, if all runs are loaded, the checks of failed runs. A call while runs or checks are
        loading stops the loading. If no more runs fit, the user is only notified."""
        feed, runs = self.feed, self.feed.runs
        if runs is not None and self.listing.all_loaded:
            self._load_or_stop_checks()
        elif feed.sweep is not None:
            feed.load_all(not feed.sweep.on)
            self.draw_now()
        elif runs is not None and runs.full and not feed.loading_all:
            loaded = f"{self.listing.loaded:,} runs are loaded, the most that fit."
            self._page.notify_once(f"{loaded} Narrow the filter to see older ones.")
        else:
            feed.load_all(not feed.loading_all)
            self.draw_now()

    def _load_or_stop_checks(self) -> None:
        checks = self.checks
        if checks.on:
            checks.on = False
        elif checks.missing:
            checks.on = True
            self._page.start_worker(self._load_checks, "checks", exclusive=True)
        else:
            self._page.notify_once("All runs and their checks are loaded.")
        self.draw_now()

    async def _load_checks(self) -> None:
        checks = self.checks
        if await checks.run():
            self._page.notify_once("The failed checks of all runs are loaded.")
        elif checks.error is not None and checks.error.exit_status == Exit.KEY_REFUSED:
            self._page.show_error(checks.error)
        elif checks.error is not None:
            self._page.notify_once(f"Can't load failed checks. {checks.error.sentence()}", warning=True)
        self.listing.sort_again()
        if self._is_seen():
            self._change_order(self.draw_now)

    def _checks_changed(self) -> None:
        self.feed.change(self.listing.filled(self.checks.last))
        self._feed_changed()

    def toggle_live(self) -> None:
        self.feed.set_live(not self.feed.live)
        self.draw_now()

    def refresh(self) -> None:
        self.scope_error = self._reported = None
        self._sort_when_reloaded = True
        if self.feed.query is None:
            self.load()
        else:
            self.feed.refresh()
        self.draw_now()

    # When to draw

    def draw_now(self) -> None:
        """Redraw immediately and cancel a pending redraw."""
        if self._redraw is not None:
            self._redraw.stop()
            self._redraw = None
        if not self._page.is_unmounted:
            self._draw()

    def _feed_changed(self) -> None:
        """Report a refused key, and redraw: at once if the user waits for rows, otherwise at most twice a second."""
        if (error := self.trouble) is not self._reported:
            self._reported = error
            if error is not None and error.exit_status == Exit.KEY_REFUSED and self._is_seen():
                self._page.show_error(error)
        if self._opened != self.feed.opened:
            self._opened = self.feed.opened
            if self._sort_when_reloaded:
                self._sort_when_reloaded = False
                self.listing.sort_again()
        if self._page.is_unmounted or not self._is_seen():
            return  # drawn when it becomes visible
        waiting = self._is_waiting()
        if self._redraw is not None:
            if not waiting:
                return
            self._redraw.stop()
        delay = 0.0 if waiting else self._drawn_at + 0.5 - time.monotonic()
        self._redraw = self._page.set_timer(max(delay, 0.001), self._draw_changes)

    def _draw_changes(self) -> None:
        self._drawn_at = time.monotonic()
        self.draw_now()
