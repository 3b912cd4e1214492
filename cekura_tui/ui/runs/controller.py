"""What the run list shows and when: scope, filter, order, the feed of rows, and when to draw. It knows no widgets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from textual.message import Message

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.filter.filter import ALL, Filter, Term
from cekura_tui.model.filter.match import Matcher, Split, noted
from cekura_tui.model.filter.parse import KnownNames, names_in, parse
from cekura_tui.model.run.columns import RunColumns
from cekura_tui.model.run.listing import ListedRuns, UnloadedRun
from cekura_tui.model.run.outcome import Kind
from cekura_tui.model.run.query import RunQuery, Sort
from cekura_tui.model.run.view import RunRow, completed
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.model.text import count
from cekura_tui.ui.messages import RunsRead
from cekura_tui.workspace.run_feed import RunFeed

if TYPE_CHECKING:
    from cekura_tui.store.runs import SeenRuns
    from cekura_tui.ui.state import AppState
    from cekura_tui.workspace.run_sweep import RunSweep
    from cekura_tui.workspace.session import Session


Shown = Sequence["RunRow | UnloadedRun"]
BY_ITSELF = 400
"""So many rows are loaded by scrolling alone, however few of them pass the filter; beyond it, where one in ten does."""


OUTCOMES: tuple[Kind, ...] = ("failed", "error", "review", "running", "passed", "unknown")
"""In the order in which they are counted on screen: what needs somebody first."""


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """How many runs there are, in words ("57 of 240 runs"), and how those that are loaded ended.

    A count is None where the filter leaves out such runs, so that nothing is known of them. `active` are the outcomes
    that the filter asks for. `loaded` says of how many runs the counts are ("of 200 loaded"), `outdated` how many runs
    would not pass the filter any more.
    """

    runs: str = ""
    counts: tuple[tuple[Kind, int | None], ...] = ()
    active: frozenset[Kind] = frozenset()
    loaded: str = ""
    outdated: int = 0


class Freshness(NamedTuple):
    """How new a list is: a tone of the screens ("good", "warn", "dim"), and words."""

    tone: str
    words: str


class RunListing:
    """Scope, filter and order, and the rows that they give. `scope` is None until it is known."""

    def __init__(
        self,
        scope: Scope | None,
        cached: SeenRuns | None,
        filter_text: str = "",
        notes: Mapping[int, str] | None = None,
        clock: Callable[[], float] = time.time,
        *,
        known: Sequence[RunRow] = (),
        columns: Mapping[str, RunColumns] | None = None,
    ) -> None:
        self.scope, self.cached = scope, cached
        self.filter: Filter = parse(filter_text).filter
        self.sort = Sort()
        self.notes: dict[int, str] = dict(notes or {})
        self.known = tuple(known)
        """Every run of the scope that is cached: what a filter works on while the server is out of reach."""
        self.chosen_columns: dict[str, RunColumns] = dict(columns or {})
        """The columns that a person chose, by the filter they are for; "" is for all others."""
        self._known_since: float | None = None
        """When (Unix) the one of them was read that is the most out of date."""
        self._clock = clock
        self._feed: RunFeed | None = None
        self._rows: Shown = ()
        self._rows_made_of: tuple[object, ...] = ()
        self._outcomes: tuple[object, Counter[Kind]] = (None, Counter())
        self._outdated: tuple[object, int] = (None, 0)
        self.loading_checks = False
        """Whether failed runs are being read of which the checks are not known."""
        self._without_checks: set[int] = set()
        """Failed runs of which the server does not say which checks failed."""
        self._sort_keys: dict[int, Any] = {}
        """What the runs shown were sorted by: one that changes stays in its place."""
        self._before_failures: Filter | None = None

    def attach(self, feed: RunFeed) -> None:
        """This feed asks for the rows."""
        self._feed = feed

    # What is listed

    def change_scope(self, scope: Scope | None) -> None:
        """List another scope, of which nothing is known yet; None: it is to be found out which."""
        self.scope = scope
        self._before_failures = None
        self._forget()

    def restore(self, filter_text: str, notes: Mapping[int, str], columns: Mapping[str, RunColumns]) -> None:
        """The scope's filter, the notes and the columns, as they are stored."""
        self.filter, self.notes, self.chosen_columns = parse(filter_text).filter, dict(notes), dict(columns)

    @property
    def columns(self) -> RunColumns:
        """The columns of the filter in effect."""
        return self.chosen_columns.get(str(self.filter)) or self.chosen_columns.get("") or RunColumns()

    def choose_columns(self, filter_text: str, columns: RunColumns) -> None:
        """The list has these columns under this filter; the default ones are the same as those of all others."""
        others = {text: one for text, one in self.chosen_columns.items() if text != filter_text}
        self.chosen_columns = {**others, filter_text: columns} if columns.chosen else others

    def change_filter(self, wanted: Filter) -> None:
        """List what passes another filter, until the server answers of the runs listed now."""
        rows = tuple(self.loaded_rows())
        self.filter = wanted
        self._forget()
        self.known = rows

    def _forget(self) -> None:
        self.cached, self.known, self._known_since = None, (), None
        self.loading_checks = False
        self.sort_again()

    def show_cached(self, cached: SeenRuns | None, known: Sequence[tuple[RunRow, float]]) -> None:
        """Show a list as it was seen last, else what is known of its scope, each run with when it was read."""
        self.cached, self.known = cached, tuple(row for row, _ in known)
        self._known_since = min((at for _, at in known), default=None)

    def sort_by(self, sort: Sort) -> None:
        """In this order."""
        self.sort = sort
        self.sort_again()

    def sort_again(self) -> None:
        """Sort by what the runs are like now."""
        self._sort_keys = {}

    def put_notes(self, notes: Mapping[int, str]) -> None:
        """These are the notes now."""
        self.notes = dict(notes)

    def name_scope(self, name: str) -> None:
        """The scope was given by number alone, and this is its name."""
        if self.scope is not None:
            self.scope = replace(self.scope, name=name)

    @property
    def query(self) -> RunQuery:
        """The scope with the filter."""
        assert self.scope is not None
        return RunQuery(self.scope, self.filter, noted(self.filter, self.notes))

    def toggle_failures(self) -> Filter:
        """The filter with failures only, or where it is that already, as it was before."""
        if not self.failures:
            self._before_failures = self.filter
            others = tuple(term for term in self.filter.terms if term.key != "outcome" or term.negated)
            return Filter((*others, *parse("outcome:failed,error").filter.terms))
        others = tuple(term for term in self.filter.terms if not _of_failures(term))
        former = self._before_failures
        rest = tuple(term for term in former.terms if term.key != "outcome" or term.negated) if former else None
        return former if former is not None and rest == others else Filter(others)

    @property
    def failures(self) -> bool:
        """Whether only failures are listed."""
        return any(map(_of_failures, self.filter.terms))

    @property
    def outcomes_wanted(self) -> frozenset[Kind]:
        """The outcomes that the filter asks for; empty where it asks for none in particular."""
        terms = [term for term in self.filter.terms if term.key == "outcome" and not term.negated]
        wanted = [{value.text for value in term.values} for term in terms]
        return frozenset(kind for kind in OUTCOMES if wanted and all(kind in words for words in wanted))

    def toggle_outcome(self, kind: Kind | None) -> Filter:
        """The filter with runs of this outcome only; None, or the one that it asks for already, gives all outcomes."""
        others = tuple(term for term in self.filter.terms if term.key != "outcome")
        if kind is None or self.outcomes_wanted == {kind}:
            return Filter(others)
        return Filter((*others, *parse(f"outcome:{kind}").filter.terms))

    def next_outcome(self, step: int) -> Filter:
        """The filter with runs of the next outcome only, or of the one before (−1); after the last, of all."""
        wanted = [place for place, kind in enumerate(OUTCOMES) if kind in self.outcomes_wanted]
        place = wanted[0] + step if len(wanted) == 1 else 0 if step > 0 else len(OUTCOMES) - 1
        return self.toggle_outcome(OUTCOMES[place] if 0 <= place < len(OUTCOMES) else None)

    # What is shown

    @property
    def _listed(self) -> ListedRuns | None:
        runs = self._feed.runs if self._feed is not None else None
        return runs.listed if runs is not None else None

    @property
    def _sweep(self) -> RunSweep | None:
        return self._feed.sweep if self._feed is not None else None

    @property
    def local(self) -> bool:
        """Whether what is shown is filtered or sorted here, from what is loaded."""
        return self._listed is None or bool(self._rest) or not self.sort.as_listed

    @property
    def _local_filter(self) -> Filter:
        """The terms that are applied here; to a cached list all, as moments pass, but for the server's words."""
        if self.fresh:
            return self._rest
        if self.cached is None:
            return self.filter
        rest = self._rest.terms  # the server was sent one word; what is cached was not filtered by the others
        return Filter(tuple(term for term in self.filter.terms if term.key or term.negated or term in rest))

    @property
    def _rest(self) -> Filter:
        return self.query.rest(self._clock()) if self.scope is not None else ALL

    @property
    def _known(self) -> Sequence[RunRow]:
        """What is known here of a list that was never seen: shown of a filter at once, of all runs as a last resort."""
        failing = self._feed is not None and self._feed.attempts.error is not None
        return self.known if self.filter or failing else ()

    @property
    def fresh(self) -> bool:
        """Whether the server has sent this list."""
        return self._listed is not None

    @property
    def rows(self) -> Shown:
        """The rows to show; the same object until something of it changes."""
        listed = self._listed
        swept = self._sweep.rows if self._sweep is not None else ()
        made_of = (listed, swept, self.cached, self._known, self.filter, self._sort_keys, self.scope, self.notes)
        former = self._rows_made_of
        if len(made_of) != len(former) or any(a is not b for a, b in zip(made_of, former, strict=True)):
            self._rows, self._rows_made_of = self._make(listed), made_of
        return self._rows

    def _make(self, listed: ListedRuns | None) -> Shown:
        if listed is not None and not self.local:
            return listed
        if listed is not None:
            rows: Sequence[RunRow] = tuple(listed.runs())
            if self._sweep is not None:
                rows = self._sweep.joined(rows)
            rest = self._rest
        else:
            rows, rest = self.cached.rows if self.cached is not None else self._known, self._local_filter
        if rest:
            passes = Matcher(rest, now=self._clock(), notes=self.notes)
            rows = tuple(row for row in rows if passes(row))
        return rows if self.sort.as_listed else tuple(self.sort.apply(rows, self._sort_keys))

    @property
    def loaded(self) -> int:
        """How many runs were loaded, whether they pass the filter or not."""
        if self._listed is not None:
            return max(self._listed.loaded, self._sweep.read if self._sweep is not None else 0)
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
        if self._sweep is not None:
            return self.fresh and self._sweep.whole
        return self.fresh and self.count is not None and self.loaded >= self.count

    def _tally(self) -> Counter[Kind]:
        """How the runs shown that are loaded ended; counted once for each list of rows."""
        rows = self.rows
        if self._outcomes[0] is not rows:
            self._outcomes = rows, Counter([row.outcome.kind for row in self.loaded_rows()])
        return self._outcomes[1]

    def loaded_rows(self) -> Sequence[RunRow]:
        """The runs shown that are loaded."""
        rows = self.rows
        return tuple(rows.runs()) if isinstance(rows, ListedRuns) else [row for row in rows if isinstance(row, RunRow)]

    def loads_more(self) -> bool:
        """Whether scrolling to the end of what is filtered here loads more by itself."""
        if not self.local or self.whole or self._listed is None:
            return False
        return self._listed.loaded < BY_ITSELF or len(self.rows) * 10 >= self._listed.loaded

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

    def filter_notes(self) -> tuple[str, ...]:
        """What filter and order were applied to where that is not everything, in words and in fewer words."""
        total, loaded = self.count, self.loaded
        if not self.fresh and (self.filter or not self.sort.as_listed) and loaded:
            return (f"from {count(loaded, 'cached run')}",)
        what = [Split({}, self._rest).rest_words] if self._rest else []
        what += [] if self.sort.as_listed else [f"sorted by {self.sort.column}:"]
        if self.whole:
            return self._checks_known()
        if not what or total is None or not self.fresh:
            return ()
        feed, sweep = self._feed, self._sweep
        assert feed is not None
        assert feed.runs is not None
        if sweep is None and feed.runs.full and not feed.loading_all:
            words, few = f"{loaded:,} of {total:,} runs, the most that fit", "narrow the filter, as with since:"
            return f"{' '.join(what)} {words} · {few}", f"{words} · {few}", words
        running = feed.loading_all if sweep is None else sweep.running
        key = f"F {'stop' if running else 'load all'}"
        words, how = f"{loaded:,} of {total:,}", "loaded"
        if sweep is not None:
            words, how = f"{sweep.read:,} of {max(sweep.total, total):,}", "checked"
            key = key if sweep.error is None else f"retrying: {sweep.error.message}"
        said = f"{words} runs {how} · {key}"
        return f"{' '.join(what)} {said}", said, f"{words} {how} · {key}", f"{words} {how}"

    def outcomes(self) -> OutcomeCounts:
        """How many runs match, of how many, and how those that are loaded ended."""
        total, wanted = self.count, self.outcomes_wanted
        if total is None:
            return OutcomeCounts(active=wanted)
        tally, picked = self._tally(), bool(self._local_filter)
        passing = len(self.rows) if picked else total
        if self.fresh and self.filter and self._feed is not None:
            total = max(self._feed.total or 0, passing)
        runs = f"{passing:,} of {count(total, 'run')}" if passing < total else count(total, "run")
        where = "loaded" if self.fresh else "cached"
        loaded = "" if self.whole or picked else f"of {self.loaded:,} {where}"
        counts = tuple((kind, tally[kind] if kind in wanted or not wanted else None) for kind in OUTCOMES)
        return OutcomeCounts(runs, counts, wanted, loaded, self.outdated())

    def unknown_checks(self) -> list[int]:
        """The ids of failed runs shown of which it is not known how many checks failed, as they are listed."""
        failed = (row for row in self.loaded_rows() if row.outcome.kind == "failed" and not row.whole)
        return [row.id for row in failed if row.id not in self._without_checks]

    def note_without_checks(self, ids: Collection[int]) -> None:
        """The server was asked about the checks of these runs: it has no more to say."""
        self._without_checks.update(ids)

    def _checks_known(self) -> tuple[str, ...]:
        """Of how many failed runs the checks are known, where somebody wants to know."""
        if not (self.loading_checks or self.sort.column == "outcome"):
            return ()
        if not (unknown := len(self.unknown_checks())):
            return ()
        failed = self._tally()["failed"]
        known, key = f"{failed - unknown:,} of {failed:,}", "F stop" if self.loading_checks else "F load"
        rest = "" if self.loading_checks else " the rest"
        return f"checks known for {known} failed · {key}{rest}", f"checks {known} · {key}", key

    def outdated(self) -> int:
        """How many runs of the list have come to another state since the server listed them, and would not pass now."""
        terms = tuple(term for term in self.filter.terms if term.key == "status")
        if not self.fresh or not terms:
            return 0
        if self._outdated[0] is not self.rows:
            passes = Matcher(Filter(terms), now=self._clock(), notes=self.notes)
            self._outdated = self.rows, sum(not passes(row) for row in self.loaded_rows())
        return self._outdated[1]

    def freshness(self, when: Callable[[float | None], str], error: CekuraTuiError | None = None) -> Freshness:
        """How new the list is; `error` is why it is not known what to list."""
        feed = self._feed
        if error is not None:
            return Freshness("warn", f"{_trouble(error)} · r retry")
        if feed is None or (feed.got_at is None and feed.attempts.error is None):
            return Freshness("dim", f"cached {when(self.cached.got_at)}" if self.cached is not None else "loading")
        server = feed.attempts
        if server.busy_until is not None:
            return Freshness("warn", f"server busy, retrying at {when(server.busy_until)}")
        if server.error is not None:
            what = _trouble(server.error)
            return Freshness("warn", f"{what} since {when(server.failing_since)}, retrying{self._age(when)}")
        return Freshness("good", "live") if feed.live else Freshness("dim", f"paused, as of {when(feed.got_at)}")

    def _age(self, when: Callable[[float | None], str]) -> str:
        """How old is what is shown in place of the server's answer."""
        if self.fresh:
            return ""
        if self.cached is not None:
            return f" · cached {when(self.cached.got_at)}"
        return f" · cached {when(self._known_since)} or later" if self._known and self._known_since else ""


def _of_failures(term: Term) -> bool:
    return (term.key, term.negated, {value.text for value in term.values}) == ("outcome", False, {"failed", "error"})


def _trouble(error: CekuraTuiError) -> str:
    words = {"Can't reach the server": "unreachable", "Too many requests": "server busy"}
    return words.get(error.title, error.title.lower())


async def _read_whole(ids: Sequence[int], session: Session) -> tuple[RunRow, ...]:
    """Runs as they are whole, with all their checks; those that are gone are left out. Raises kinds of ApiError."""
    await session.findings.fetch(ids)
    return await session.lists.whole(ids)


AT_ONCE = 25
"""Failed runs of which the checks are asked for in one request."""
CALM = 0.5
"""Seconds between two drawings of what changed by itself, at least."""
RETRY_SCOPE = 5.0
"""Seconds until a scope that could not be found out is asked for again."""


class Stoppable(Protocol):
    """A timer."""

    def stop(self) -> None: ...


class RunsView(Protocol):
    """The screen, as far as the controller knows it. Workers and timers end with it."""

    @property
    def gone(self) -> bool:
        """Whether it must not be drawn on."""

    def is_seen(self) -> bool:
        """Whether it is on top, or under a dialog."""

    def is_waiting(self) -> bool:
        """Whether a person sees that rows are missing."""

    def draw(self) -> None:
        """Show everything as it is now."""

    def change_order(self, sort: Callable[[], None]) -> None:
        """Draw the rows in another order."""

    def other_runs(self, *, same_scope: bool) -> None:
        """Other runs than before are about to be listed."""

    def pick_scope(self, several: NoScope | None) -> object:
        """Have a person choose what to list."""

    def notify_once(self, text: str, *, warning: bool = False) -> None:
        """A short message in the corner."""

    def show_error(self, error: CekuraTuiError) -> None:
        """An error in a dialog, or to the sign-in."""

    def post_message(self, message: Message) -> bool:
        """To the app."""

    def run_worker(self, work: Callable[[], Any], *, group: str, exclusive: bool = False) -> object:
        """Do this in the background; an exclusive one ends the others of its group."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Stoppable:
        """Call this once, after so many seconds."""


class OpenedFrom(NamedTuple):
    """A group that was opened: its name, the terms that list its runs, and the filter before it."""

    name: str
    terms: tuple[Term, ...]
    before: Filter


class RunsController:
    """Has a listing and the feed that fills it; the screen that shows it is `view`."""

    def __init__(self, state: AppState, listing: RunListing, view: RunsView, *, live: bool = True) -> None:
        self.listing = listing
        self.feed = RunFeed(state.workspace.call, self._feed_changed, clock=state.clock, live=live)
        listing.attach(self.feed)
        self.scope_error: CekuraTuiError | None = None
        """Why it is not known what to list."""
        self._state, self._view = state, view
        self._reported: CekuraTuiError | None = None
        """The trouble that was reported last."""
        self._redraw: Stoppable | None = None
        self._drawn_at = float("-inf")
        self._opened = 0
        self._seen: Sequence[RunRow] | None = listing.loaded_rows() if listing.cached is not None else None
        """The rows as somebody saw them last."""
        self._group: OpenedFrom | None = None
        """The group of which the runs are listed."""
        self._sort_when_reloaded = False
        self.names = KnownNames()
        """The names that were seen in the scope."""
        self.names_read = False
        """Whether those of what is cached are among them."""

    @property
    def trouble(self) -> CekuraTuiError | None:
        """What is in the way."""
        return self.scope_error or self.feed.attempts.error

    # Serving

    def start(self) -> None:
        """Serve the list while it is seen, once there is a screen to draw on."""
        self.visibility_changed()
        self._view.run_worker(self.feed.run, group="feed")

    def visibility_changed(self) -> None:
        """The list came into sight, or is covered."""
        seen = self._view.is_seen()
        self.feed.set_hidden(not seen)
        if seen and self._redraw is None and self._drawn_at > float("-inf"):
            self.draw_now()
        if seen and self.listing.fresh:
            self._view.run_worker(self._complete_rows, group="whole", exclusive=True)

    async def _complete_rows(self) -> None:
        """Runs that were read whole meanwhile tell more than the list did."""
        ids = [row.id for row in self.listing.loaded_rows()]
        try:
            whole = await self._state.workspace.call(lambda session: session.lists.whole(ids))
        except CekuraTuiError:
            return  # the program is closing
        self.change_rows(self._completed(whole))

    def _completed(self, whole: Iterable[RunRow]) -> list[RunRow]:
        rows = {row.id: row for row in whole}
        return [completed(row, rows[row.id]) for row in self.listing.loaded_rows() if row.id in rows]

    def change_rows(self, rows: Sequence[RunRow]) -> None:
        """Runs are like this now."""
        before = self.listing.rows
        self.feed.change(rows)
        if self.listing.rows is not before:
            self.draw_now()

    def reload(self) -> bool:
        """Reload the list for somebody who was away; False where it has not been loaded yet."""
        if self.feed.runs is None:
            return False
        self.feed.refresh()
        return True

    # What to list

    def load(self) -> None:
        """List the scope's runs, whichever it is."""
        if self.listing.scope is None:
            self._view.run_worker(self._find_scope, group="scope", exclusive=True)
        else:
            self.feed.show(self.listing.query)
            self._view.run_worker(self._show_cached, group="cached", exclusive=True)
            self._view.run_worker(self._name_scope, group="scope-name", exclusive=True)

    async def _find_scope(self) -> None:
        """What was named, chosen last, or is the only one; asked again until it is known."""
        try:
            scope = await self._state.workspace.call(lambda session: session.scope())
        except NoScope as several:
            self.scope_error = several  # as long as nobody has chosen
            self.draw_now()
            self._view.pick_scope(several)
        except CekuraTuiError as error:
            self.scope_error = error
            if error.exit_status == Exit.KEY_REFUSED:
                self._view.show_error(error)
            else:
                self._view.set_timer(RETRY_SCOPE, self._find_scope_again)
            self.draw_now()
        else:
            self.list_scope(scope)

    def _find_scope_again(self) -> None:
        if self.listing.scope is None and self.scope_error is not None:
            self.load()

    def list_scope(self, scope: Scope | None) -> None:
        """List another scope's runs, with the filter that it had last; None: it is to be found out which."""
        self.scope_error = self._group = None
        self.feed.show(None)
        self._seen = None
        self.names, self.names_read = KnownNames(), False
        self.listing.change_scope(scope)
        self._view.other_runs(same_scope=False)
        self.draw_now()
        if scope is None:
            self.load()
        else:
            self._view.run_worker(partial(self._restore, scope), group="scope", exclusive=True)

    async def _restore(self, scope: Scope) -> None:
        """Read what this machine knows of a scope, then ask the server."""
        filter_text, notes, columns = "", self.listing.notes, self.listing.chosen_columns
        try:
            filter_text = await self._state.workspace.call(lambda session: session.saved_views.last_of(scope))
            notes = await self._state.workspace.call(lambda session: session.notes.all())
            columns = await self._state.workspace.call(lambda session: session.saved_views.columns())
        except CekuraTuiError as error:
            self._view.notify_once(error.sentence(), warning=True)
        if self.listing.scope == scope:
            self.listing.restore(filter_text, notes, columns)
            self.load()

    async def _show_cached(self) -> None:
        """Show what is cached of the list until the server has sent it."""
        listing, query = self.listing, self.listing.query
        if listing.cached is not None:
            return
        try:
            cached = await self._state.workspace.call(lambda session: session.lists.cached(query))
            known = () if cached else await self._state.workspace.call(lambda session: session.lists.known(query))
        except CekuraTuiError:
            return  # what the server sends is shown, then
        if not listing.fresh and listing.scope is not None and listing.query == query:
            listing.show_cached(cached, known)
            if cached is not None:
                self._seen = listing.loaded_rows()
            self.draw_now()

    async def _name_scope(self) -> None:
        """A project that was given by number alone gets its name for the status line."""
        scope = self.listing.scope
        if scope is None or scope.name or scope.kind != "project":
            return
        try:
            projects = await self._state.workspace.call(lambda session: session.projects())
        except CekuraTuiError:
            return  # the number will do
        name = next((project.name for project in projects if project.id == scope.id), None)
        if name is not None and self.listing.scope == scope:
            self.listing.name_scope(name)
            self.draw_now()

    # The filter

    def filter_by(self, text: str) -> None:
        """List what passes this filter."""
        self.change_filter(parse(text).filter)

    def change_filter(self, wanted: Filter) -> None:
        """List the runs that pass another filter, first of what is known here."""
        if wanted == self.listing.filter:
            self.draw_now()
            return
        self._view.other_runs(same_scope=True)
        self.listing.change_filter(wanted)
        self._group = self._group if self.group else None
        self._seen = None
        if self.listing.scope is not None:
            self.load()
            save = partial(self._save_filter, self.listing.scope, str(wanted))
            self._view.run_worker(save, group="save-filter")
        self.draw_now()

    async def _save_filter(self, scope: Scope, text: str) -> None:
        try:
            await self._state.workspace.call(lambda session: session.saved_views.add_to_history(text))
            await self._state.workspace.call(lambda session: session.saved_views.save_last_of(scope, text))
        except CekuraTuiError as error:
            self._view.notify_once(error.sentence(), warning=True)

    def open_group(self, name: str, text: str) -> None:
        """List the runs of a group, which this filter adds to what was listed."""
        wanted = parse(text).filter
        # A group is of what was listed; runs that are named by their ids need no more said.
        former = () if any(term.key == "id" for term in wanted.terms) else self.listing.filter.terms
        group = Filter(tuple(dict.fromkeys((*former, *wanted.terms))))
        before = self.listing.filter
        if group == before and self._group is not None:
            before = self._group.before  # esc still leads out of the group that is listed
        self._group = OpenedFrom(name, wanted.terms, before)
        self.change_filter(group)

    @property
    def group(self) -> str:
        """The name of the group whose runs are listed, also where the filter narrows them further; or empty."""
        group = self._group
        return group.name if group is not None and set(group.terms) <= set(self.listing.filter.terms) else ""

    def step_back(self) -> None:
        """Stop loading, or go back from a group to all that was listed."""
        if self.feed.loading_all:
            self.feed.load_all(False)
        elif self.listing.loading_checks:
            self.listing.loading_checks = False
        elif self._group is not None and self.group:
            self.change_filter(self._group.before)
        self.draw_now()

    # Names

    def names_seen(self) -> KnownNames:
        """The names in the scope: of what is listed now first, then of what was seen before."""
        self.names = names_in(self.listing.loaded_rows()).joined(self.names)
        return self.names

    async def read_names(self) -> bool:
        """Add the names of what is cached of the scope, once; whether there may be others now.

        Raises StoreError.
        """
        scope = self.listing.scope
        if self.names_read or scope is None:
            return False
        query = self.listing.query
        names = await self._state.workspace.call(lambda session: session.lists.names(query))
        if self.listing.scope != scope:
            return False
        self.names, self.names_read = self.names.joined(names), True
        return True

    # Order and freshness

    def sort_by(self, column: str) -> None:
        """Sort by this column, or the other way round where the list is sorted by it."""
        sort = self.listing.sort
        self.listing.sort_by(sort.turned() if sort.column == column else Sort(column))
        self.draw_now()

    def sort(self, columns: Collection[str], *, reverse: bool) -> None:
        """Sort by the next of these columns, or the other way round."""
        sort = self.listing.sort.turned() if reverse else self.listing.sort.next()
        while not reverse and sort.column not in columns:
            sort = sort.next()
        self.listing.sort_by(sort)
        self.draw_now()

    def most_failed_checks(self) -> None:
        """Sort by outcome, the runs with the most failed checks first."""
        self.listing.sort_by(Sort("outcome"))
        self.draw_now()

    def load_all(self) -> None:
        """Load page after page, then the checks of failed runs; or stop."""
        feed, runs = self.feed, self.feed.runs
        if runs is not None and self.listing.whole:
            self._load_or_stop_checks()
        elif feed.sweep is not None:
            feed.load_all(not feed.sweep.on)
            self.draw_now()
        elif runs is not None and runs.full and not feed.loading_all:
            loaded = f"{self.listing.loaded:,} runs are loaded, the most that fit."
            self._view.notify_once(f"{loaded} Narrow the filter to see older ones.")
        else:
            feed.load_all(not feed.loading_all)
            self.draw_now()

    def _load_or_stop_checks(self) -> None:
        listing = self.listing
        if listing.loading_checks:
            listing.loading_checks = False
        elif listing.unknown_checks():
            listing.loading_checks = True
            self._view.run_worker(self._load_checks, group="checks", exclusive=True)
        else:
            self._view.notify_once("All runs are loaded.")
        self.draw_now()

    async def _load_checks(self) -> None:
        """Read the failed runs of which the checks are not known, in the shared budget, until somebody stops it."""
        listing = self.listing
        try:
            while listing.loading_checks and (ids := listing.unknown_checks()[:AT_ONCE]):
                whole = await self._state.workspace.call(partial(_read_whole, ids))
                self.feed.change(self._completed(whole))
                listing.note_without_checks(ids)
                self._feed_changed()
        except CekuraTuiError as error:
            if error.exit_status == Exit.KEY_REFUSED:
                self._view.show_error(error)
            else:
                self._view.notify_once(f"Can't load failed checks. {error.sentence()}", warning=True)
        # A worker that was cancelled does not come here: the one that took over from it goes on loading.
        listing.loading_checks = False
        listing.sort_again()
        if self._view.is_seen():
            self._view.change_order(self.draw_now)

    def toggle_live(self) -> None:
        """Follow what is new, or not."""
        self.feed.set_live(not self.feed.live)
        self.draw_now()

    def refresh(self) -> None:
        """Reload the list, as of now."""
        self.scope_error = self._reported = None
        self._sort_when_reloaded = True
        if self.feed.query is None:
            self.load()
        else:
            self.feed.refresh()
        self.draw_now()

    # Notes

    async def read_notes(self) -> None:
        """Read the notes: another window may have written one. Raises StoreError."""
        self.listing.put_notes(await self._state.workspace.call(lambda session: session.notes.all()))

    async def save_note(self, run_id: int, text: str) -> None:
        """Save the note of a run, empty to remove it. Raises StoreError and UsageError."""
        await self._state.workspace.call(lambda session: session.notes.save(run_id, text))
        others = {number: note for number, note in self.listing.notes.items() if number != run_id}
        self.listing.put_notes({**others, run_id: text} if text else others)
        if any(term.key == "note" for term in self.listing.filter.terms):
            self.load()  # other runs pass now
        self.draw_now()

    # Columns

    def choose_columns(self, filter_text: str, columns: RunColumns) -> None:
        """Show these columns under this filter; an empty one stands for all filters without their own."""
        self.listing.choose_columns(filter_text, columns)
        self.draw_now()

    async def save_columns(self, filter_text: str) -> None:
        """Remember the columns that were chosen for this filter. Raises StoreError."""
        columns = self.listing.chosen_columns.get(filter_text, RunColumns())
        await self._state.workspace.call(lambda session: session.saved_views.save_columns(filter_text, columns))

    # When to draw

    def draw_now(self) -> None:
        """Draw at once: a person did something, or waits for it."""
        if self._redraw is not None:
            self._redraw.stop()
            self._redraw = None
        if not self._view.gone:
            self._view.draw()
            if not self._state.away():
                self._seen = self.listing.loaded_rows() if self.listing.fresh or self.listing.cached else None

    def _feed_changed(self) -> None:
        """The feed has something else: draw it, but what changes by itself twice a second at the most."""
        if (error := self.trouble) is not self._reported:
            self._reported = error
            if error is not None and error.exit_status == Exit.KEY_REFUSED and self._view.is_seen():
                self._view.show_error(error)
        if self._opened != self.feed.opened:
            self._opened = self.feed.opened
            if self._sort_when_reloaded:
                self._sort_when_reloaded = False
                self.listing.sort_again()
            # What lies beyond the first gap says nothing of what is new above it.
            loaded = takewhile(lambda row: isinstance(row, RunRow), self.listing.rows)
            newest = [row for row in loaded if isinstance(row, RunRow)]
            self._view.post_message(RunsRead(self._seen, newest, self.listing.whole))
        if self._view.gone or not self._view.is_seen():
            return  # drawn when it comes into sight
        waiting = self._view.is_waiting()
        if self._redraw is not None:
            if not waiting:
                return
            self._redraw.stop()
        delay = 0.0 if waiting else self._drawn_at + CALM - time.monotonic()
        self._redraw = self._view.set_timer(max(delay, 0.001), self._draw_changes)

    def _draw_changes(self) -> None:
        self._drawn_at = time.monotonic()
        self.draw_now()
