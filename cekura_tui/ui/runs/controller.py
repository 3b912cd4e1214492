"""The list of runs as it is shown: what the feed has of it, what passes the filter here, in which order.

The part of the run list that has its rows asked for: which list is wanted, what keeps it fresh, when to draw.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.filter.filter import ALL, Filter, Term
from cekura_tui.model.filter.match import Matcher, Split, noted
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.listing import ListedRuns, UnloadedRun
from cekura_tui.model.run.query import RunQuery, Sort
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.model.text import count
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import RunsRead
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.state import is_visible
from cekura_tui.workspace.run_feed import RunFeed, VisibleRange

if TYPE_CHECKING:
    from cekura_tui.store.runs import SeenRuns
    from cekura_tui.ui.state import AppState
    from cekura_tui.workspace.workspace import Workspace


Shown = Sequence["RunRow | UnloadedRun"]
BY_ITSELF = 400
"""So many rows are loaded by scrolling alone, however few of them pass the filter; beyond it, where one in ten does."""


class RunListing:
    """Scope, filter and order, and the rows that they give. `scope` is None until it is known."""

    def __init__(
        self,
        scope: Scope | None,
        cached: SeenRuns | None,
        left: str = "",
        notes: Mapping[int, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.scope, self.cached = scope, cached
        self.filter: Filter = parse(left).filter
        self.sort = Sort()
        self.notes: dict[int, str] = dict(notes or {})
        self.known: tuple[RunRow, ...] = ()
        """Every run of the scope that is kept here: what a filter works on while the server is out of reach."""
        self.known_since: float | None = None
        """When (Unix) the one of them was got that was not told again for longest."""
        self._clock = clock
        self._feed: RunFeed | None = None
        self._made: tuple[object, ...] = ()
        self._rows: Shown = ()
        self._counted: tuple[object, int, int] = (None, 0, 0)
        self._left: tuple[object, int] = (None, 0)
        self.with_others: Filter | None = None  # before only failures were listed

    def attach(self, feed: RunFeed) -> None:
        """What asks for the rows."""
        self._feed = feed

    # What is asked for

    @property
    def query(self) -> RunQuery:
        """The scope with the filter."""
        assert self.scope is not None
        return RunQuery(self.scope, self.filter, noted(self.filter, self.notes))

    def ask(self) -> None:
        """Have the query read anew, as a list of its own."""
        if self._feed is not None:
            self._feed.show(self.query if self.scope is not None else None)

    def with_failures(self) -> Filter:
        """The filter with failures only, or where it is that already, as it was before."""
        if not self.failures:
            self.with_others = self.filter
            others = tuple(term for term in self.filter.terms if term.key != "outcome" or term.negated)
            return Filter((*others, *parse("outcome:failed,error").filter.terms))
        others = tuple(term for term in self.filter.terms if not _of_failures(term))
        former = self.with_others
        rest = tuple(term for term in former.terms if term.key != "outcome" or term.negated) if former else None
        return former if former is not None and rest == others else Filter(others)

    @property
    def failures(self) -> bool:
        """Whether only failures are listed."""
        return any(map(_of_failures, self.filter.terms))

    # What is shown

    @property
    def _listed(self) -> ListedRuns | None:
        runs = self._feed.runs if self._feed is not None else None
        return runs.listed if runs is not None else None

    @property
    def local(self) -> bool:
        """Whether what is shown is picked or put in order here, from what is loaded."""
        return self._listed is None or bool(self._rest) or not self.sort.as_listed

    @property
    def _told_here(self) -> Filter:
        """The terms that pick what is shown; of a kept list all, as moments pass, but for the server's words."""
        if self.fresh:
            return self._rest
        if self.cached is None:
            return self.filter
        rest = self._rest.terms  # the server was told one word; what is kept was not picked by the others
        return Filter(tuple(term for term in self.filter.terms if term.key or term.negated or term in rest))

    @property
    def _rest(self) -> Filter:
        return self.query.rest(self._clock()) if self.scope is not None else ALL

    @property
    def _known(self) -> Sequence[RunRow]:
        """What is known here of a list that was never seen: shown of a filter at once, of all runs as a last resort."""
        failing = self._feed is not None and self._feed.error is not None
        return self.known if self.filter or failing else ()

    @property
    def fresh(self) -> bool:
        """Whether the server has told this list."""
        return self._listed is not None

    @property
    def rows(self) -> Shown:
        """The rows to show; the same object until something of it changes."""
        listed = self._listed
        made = (listed, self.cached, self._known, self.filter, self.sort, self.scope, self.notes)
        if len(made) != len(self._made) or any(a is not b for a, b in zip(made, self._made, strict=True)):
            self._rows, self._made = self._make(listed), made
        return self._rows

    def _make(self, listed: ListedRuns | None) -> Shown:
        if listed is not None and not self.local:
            return listed
        if listed is not None:
            rows: Sequence[RunRow] = tuple(listed.runs())
            rest = self._rest
        else:
            rows, rest = self.cached.rows if self.cached is not None else self._known, self._told_here
        if rest:
            passes = Matcher(rest, now=self._clock(), notes=self.notes)
            rows = tuple(row for row in rows if passes(row))
        return rows if self.sort.as_listed else tuple(self.sort.apply(rows))

    @property
    def loaded(self) -> int:
        """How many runs were loaded, whether they pass the filter or not."""
        if self._listed is not None:
            return self._listed.loaded
        return len(self.cached.rows if self.cached is not None else self._known)

    @property
    def count(self) -> int | None:
        """How many runs the server has of this, as far as it filters itself; None where that is not known."""
        if self._feed is not None and self._feed.runs is not None:
            return self._feed.runs.count
        return self.cached.count if self.cached is not None else len(self._known) or None

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be loaded."""
        return self.fresh and self.count is not None and self.loaded >= self.count

    def outcomes(self) -> tuple[int, int]:
        """How many of the runs shown that are loaded failed, and how many went wrong."""
        rows = self.rows
        if self._counted[0] is not rows:
            kinds = [row.outcome.kind for row in self.loaded_rows()]
            self._counted = rows, kinds.count("failed"), kinds.count("error")
        return self._counted[1:]

    def loaded_rows(self) -> Sequence[RunRow]:
        """The runs shown that are loaded."""
        rows = self.rows
        return tuple(rows.runs()) if isinstance(rows, ListedRuns) else [row for row in rows if isinstance(row, RunRow)]

    def wants_more(self) -> bool:
        """Whether scrolling to the end of what is picked here is to load more by itself."""
        if not self.local or self.whole or not self.fresh:
            return False
        return self.loaded < BY_ITSELF or len(self.rows) * 10 >= self.loaded

    def place_of(self, run_id: int) -> int | None:
        """The index of a run in `rows`."""
        rows = self.rows
        if isinstance(rows, ListedRuns):
            return rows.place_of(run_id)
        return next((n for n, row in enumerate(rows) if isinstance(row, RunRow) and row.id == run_id), None)

    async def beside(self, run_id: int, step: int) -> int | None:
        """The id of the run `step` rows below in the list, asked for where it is not loaded; None at an end.

        Raises kinds of ApiError.
        """
        rows, place = self.rows, self.place_of(run_id)
        if place is None or not 0 <= place + step < len(rows):
            return None
        row: RunRow | UnloadedRun | None = rows[place + step]
        if isinstance(row, UnloadedRun) and self._feed is not None:
            row = await self._feed.row_at(place + step)
        return row.id if isinstance(row, RunRow) else None

    # In words

    def note(self) -> tuple[str, ...]:
        """What is to be said beside the filter where not everything was looked at, in words and in fewer words."""
        total, loaded = self.count, self.loaded
        if not self.fresh and (self.filter or not self.sort.as_listed) and loaded:
            return (f"on the {loaded:,} kept here",)
        what = [Split({}, self._rest).rest_words] if self._rest else []
        what += [] if self.sort.as_listed else [f"sorted by {self.sort.column}:"]
        if not what or total is None or self.whole or not self.fresh:
            return ()
        feed = self._feed
        assert feed is not None
        assert feed.runs is not None
        if feed.runs.full and not feed.reading_on:
            words, few = f"on the {loaded:,} that can be held of {total:,}", "narrow it, as with since:"
            return f"{' '.join(what)} {words} — {few}", f"{words} — {few}", words
        key = f"F {'stops' if feed.reading_on else 'loads on'}"
        words = f"on {loaded:,} of {total:,}"
        return f"{' '.join(what)} {words} loaded — {key}", f"{words} loaded — {key}", f"{words} — {key}", words

    def counts(self) -> str:
        """How many runs, and how those that are loaded ended."""
        total = self.count
        if total is None:
            return ""
        failed, errors = self.outcomes()
        shown, picked = len(self.rows), bool(self._told_here)
        told = f"{shown:,} of {count(total, 'run')}" if picked and shown < total else count(total, "run")
        kept = "loaded" if self.fresh else "kept here"
        seen = "" if self.whole or picked else f" of {self.loaded:,} {kept}"
        left = self.left()
        changed = f" · {left:,} changed since, r reads anew" if left else ""
        return " · ".join((told, f"{failed:,} failed", count(errors, "error"))) + seen + changed

    def left(self) -> int:
        """How many runs of the list have come to another state since the server listed them, and would not pass now."""
        if not self.fresh or not self.query.shifting:
            return 0
        if self._left[0] is not self.rows:
            terms = tuple(term for term in self.filter.terms if term.key in ("status", "outcome"))
            passes = Matcher(Filter(terms), now=self._clock(), notes=self.notes)
            self._left = self.rows, sum(not passes(row) for row in self.loaded_rows())
        return self._left[1]

    def freshness(self, when: Callable[[float | None], str], error: CekuraTuiError | None = None) -> str:
        """How new the list is; `error` is why it is not known what to list."""
        feed = self._feed
        if error is not None:
            return f"! {_trouble(error)}, r retries"
        if feed is None or (feed.got_at is None and feed.error is None):
            return f"cached, {when(self.cached.got_at)}" if self.cached is not None else "loading"
        if feed.busy_until is not None:
            return f"busy server, asked again at {when(feed.busy_until)}"
        if feed.error is not None:
            what = _trouble(feed.error)
            return f"! {what} since {when(feed.silent_since)}, retrying{self._age(when)}"
        return "live" if feed.live else f"paused, as of {when(feed.got_at)}"

    def _age(self, when: Callable[[float | None], str]) -> str:
        """How old is what is shown in place of what the server would tell."""
        if self.fresh:
            return ""
        if self.cached is not None:
            return f"; cached, {when(self.cached.got_at)}"
        return f"; cached, {when(self.known_since)} or later" if self._known and self.known_since else ""

    # The scope's name

    async def name_scope(self, workspace: Workspace) -> bool:
        """Find the name of a project that was given by number; True where there is one now."""
        scope = self.scope
        if scope is None or scope.name or scope.kind != "project":
            return False
        try:
            projects = await workspace.call(lambda session: session.projects())
        except CekuraTuiError:
            return False  # the number will do
        for project in projects:
            if project.id == scope.id and self.scope == scope:
                self.scope = replace(scope, name=project.name)
                return True
        return False


def _of_failures(term: Term) -> bool:
    return (term.key, term.negated, {value.text for value in term.values}) == ("outcome", False, {"failed", "error"})


def _trouble(error: CekuraTuiError) -> str:
    words = {"The server cannot be reached": "unreachable", "Too many requests": "busy server"}
    return words.get(error.title, error.title.lower())


CALM = 0.5
"""Seconds between two drawings of what changed by itself, at least."""
AGAIN = 5.0
"""Seconds until a scope that could not be found out is asked for again."""


class ServedRuns(Page):
    """Has a listing and the feed that fills it; whoever shows it overrides `draw`, `pick_scope` and `new_list`."""

    def __init__(self, state: AppState, listing: RunListing, *, live: bool = True) -> None:
        super().__init__(state)
        self.listing = listing
        self.feed = RunFeed(state.workspace.call, self._changed, clock=state.clock)
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
        self.feed.asleep = not is_visible(self)
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
            scope = await self.state.workspace.call(lambda session: session.scope())
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
            left = await self.state.workspace.call(lambda session: session.shelf.left(scope))
            notes = await self.state.workspace.call(lambda session: session.shelf.notes())
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
            await self.state.workspace.call(lambda session: session.shelf.use(text))
            await self.state.workspace.call(lambda session: session.shelf.leave(scope, text))
        except CekuraTuiError as error:
            self.tell(error.sentence(), warning=True)

    @work(group="kept", exclusive=True)
    async def _read_kept(self) -> None:
        """Show what is kept of the list until the server has told it."""
        listing, query = self.listing, self.listing.query
        if listing.cached is not None:
            return
        try:
            kept = await self.state.workspace.call(lambda session: session.lists.kept(query))
            known = () if kept else await self.state.workspace.call(lambda session: session.lists.known(query))
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
        if await self.listing.name_scope(self.state.workspace):
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
            if not self.state.away():
                self._seen = self.listing.loaded_rows() if self.listing.fresh or self.listing.cached else None

    def _changed(self) -> None:
        """The feed has something else: draw it, but what changes by itself twice a second at the most."""
        if (error := self.trouble) is not self._told:
            self._told = error
            if error is not None and error.exit_status == Exit.KEY_REFUSED and is_visible(self):
                self.tell_error(error)
        if self._opened != self.feed.opened:
            self._opened = self.feed.opened
            # What lies beyond the first gap tells nothing of what is new above it.
            told = takewhile(lambda row: isinstance(row, RunRow), self.listing.rows)
            newest = [row for row in told if isinstance(row, RunRow)]
            self.post_message(RunsRead(self._seen, newest, self.listing.whole))
        if self.gone or not is_visible(self):
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
        return shown is None or any(isinstance(runs.rows[n], UnloadedRun) for n in range(shown[0], shown[1] + 1))

    @on(RunList.InView, "#runs")
    def looked_at(self, event: RunList.InView) -> None:
        """Have the pages in view asked for."""
        runs, former = self.query_one(RunList), self._view
        if runs.rows is not self.listing.rows or self.listing.local or not self.feed.runs:
            return
        step = -1 if event.first < former.first else 1 if event.first > former.first else former.step
        self._view = VisibleRange(event.first, event.last, runs.cursor_index or 0, step)
        self.feed.look(self._view)

    _view = VisibleRange()

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
