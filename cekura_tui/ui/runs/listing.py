"""The scope, filter and order of the run list, and the rows, counts and freshness that result from them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import ALL, Filter
from cekura_tui.model.filter.match import Matcher, Split, noted_ids
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.columns import RunColumns, Sort
from cekura_tui.model.run.listed_runs import ListedRuns, UnloadedRun
from cekura_tui.model.run.outcome import Kind
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow, filled
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import count
from cekura_tui.store.runs import CachedRuns
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.runs.outcomes import OUTCOMES, OutcomeCounts, only_failures, outcomes_of, toggle_failures
from cekura_tui.workspace.run_feed import RunFeed
from cekura_tui.workspace.run_sweep import RunLoad

Shown = Sequence["RunRow | UnloadedRun"]
SCROLL_LOAD_LIMIT = 400
"""In a locally filtered or sorted list, scrolling loads more runs until this many are loaded. Beyond this number,
scrolling loads more runs only if at least one in ten of the loaded runs is shown."""


class Freshness(NamedTuple):
    """How fresh a list is: a tone ("good", "warn", "dim") and a text."""

    tone: str
    words: str


class RunListing:
    """The scope, filter and order of the run list, and the resulting rows. `scope` is None until the scope is known."""

    def __init__(
        self,
        scope: Scope | None,
        cached: CachedRuns | None,
        filter_text: str = "",
        notes: Mapping[int, str] | None = None,
        clock: Callable[[], float] = time.time,
        *,
        known: Sequence[RunRow] = (),
        columns: Mapping[str, RunColumns] | None = None,
        usual_columns: RunColumns | None = None,
    ) -> None:
        self.scope, self.cached = scope, cached
        self.restore(filter_text, notes or {}, columns or {})
        self.sort = Sort()
        self.known = tuple(known)
        """Rows to show until the server has sent the list: cached runs of the scope, or runs of the previous list."""
        self.usual_columns = usual_columns or RunColumns()
        """Columns of a list for which the user chose no columns."""
        self._known_since: float | None = None
        """Earliest Unix time at which a row of `known` was fetched; None if unknown."""
        self._clock = clock
        self.feed: RunFeed
        """The feed that loads the rows. The owner sets the feed before anything is shown."""
        self._rows: Shown = ()
        self._rows_made_of: tuple[object, ...] = ()
        self._outcomes: tuple[object, Counter[Kind]] = (None, Counter())
        self._outdated: tuple[object, int] = (None, 0)
        self._sort_keys: dict[int, Any] = {}
        """Sort keys of the shown runs, kept so that a run that changes keeps its place until the next sort."""
        self._before_failures: Filter | None = None

    def change_scope(self, scope: Scope | None) -> None:
        """Change the scope and drop all cached rows. `scope` is None while the scope is unknown."""
        self.scope = scope
        self._before_failures = None
        self._forget()

    def restore(self, filter_text: str, notes: Mapping[int, str], columns: Mapping[str, RunColumns]) -> None:
        """`filter_text` may end with a tab and a group's name. `columns` are by filter text; "" is for all others."""
        text, _, self.last_group = filter_text.partition("\t")
        self.filter, self.notes, self.chosen_columns = parse(text).filter, notes, dict(columns)

    @property
    def columns(self) -> RunColumns:
        return self.chosen_columns.get(str(self.filter)) or self.chosen_columns.get("") or self.usual_columns

    def choose_columns(self, filter_text: str, columns: RunColumns) -> None:
        """Use `columns` for a filter. If `columns` are the usual columns, remove the filter's own columns."""
        others = {text: one for text, one in self.chosen_columns.items() if text != filter_text}
        chosen = columns.chosen and columns != self.usual_columns
        self.chosen_columns = {**others, filter_text: columns} if chosen else others

    def change_filter(self, wanted: Filter) -> None:
        """Change the filter. Until the server answers, the new filter is applied to the loaded rows."""
        unfiltered = self.feed.unfiltered[0].rows() if self.feed.unfiltered is not None else ()
        rows = {row.id: row for row in (*unfiltered, *self.loaded_rows())}
        self.filter = wanted
        self._forget()
        self.known = tuple(rows[number] for number in sorted(rows, reverse=True))

    def _forget(self) -> None:
        self.cached, self.known, self._known_since = None, (), None
        self.sort_again()

    def show_cached(self, cached: CachedRuns | None, known: Sequence[tuple[RunRow, float]]) -> None:
        """Show the cached list or, if None, the cached runs in `known`, each with the Unix time when it was fetched."""
        self.cached, self.known = cached, tuple(row for row, _ in known)
        self._known_since = min((at for _, at in known), default=None)

    def sort_by(self, sort: Sort) -> None:
        self.sort = sort
        self.sort_again()

    def sort_again(self) -> None:
        """Sort by the current values of the runs at the next access to `rows`."""
        self._sort_keys = {}

    @property
    def query(self) -> RunQuery:
        assert self.scope is not None
        return RunQuery(self.scope, self.filter, noted_ids(self.filter, self.notes))

    def toggle_failures(self) -> Filter:
        """The filter limited to failures. If the filter already has this limit, the filter without the limit."""
        if not only_failures(self.filter):
            self._before_failures = self.filter
        return toggle_failures(self.filter, self._before_failures)

    @property
    def _listed(self) -> ListedRuns | None:
        return self.feed.runs.listed if self.feed.runs is not None else None

    @property
    def local(self) -> bool:
        """Whether the loaded rows are filtered or sorted here. Also True until the server has sent the list."""
        return self._listed is None or bool(self._rest) or not self.sort.as_listed

    @property
    def _local_filter(self) -> Filter:
        """Terms to apply locally: to a list from the server, the terms that the server does not apply; to cached rows
        all terms, because relative times have moved on, but not the text for which the server searched."""
        if self.fresh:
            return self._rest
        if self.cached is None:
            return self.filter
        rest = self._rest.terms  # the server searched for one word only; the others still apply
        return Filter(tuple(term for term in self.filter.terms if term.key or term.negated or term in rest))

    @property
    def _rest(self) -> Filter:
        return self.query.rest(self._clock()) if self.scope is not None else ALL

    @property
    def _known(self) -> Sequence[RunRow]:
        """Rows of `known` to show if the list is not cached. Without a filter, empty until a request has failed."""
        return self.known if self.filter or self.feed.attempts.error is not None else ()

    @property
    def fresh(self) -> bool:
        """Whether the server has sent this list."""
        return self._listed is not None

    @property
    def rows(self) -> Shown:
        """The rows to show. The property returns the same object until a row, the filter or the order changes."""
        listed = self._listed
        swept = self.feed.sweep.rows if self.feed.sweep is not None else ()
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
            if self.feed.sweep is not None:
                rows = self.feed.sweep.joined(rows)
            rest = self._rest
        else:
            rows, rest = self.cached.rows if self.cached is not None else self._known, self._local_filter
        if rest:
            passes = Matcher(rest, now=self._clock(), notes=self.notes)
            rows = tuple(row for row in rows if passes(row))
        if self.sort.column == "note":
            for run_id, note in self.notes.items():
                self._sort_keys.setdefault(run_id, note.casefold())
        return rows if self.sort.as_listed else tuple(self.sort.apply(rows, self._sort_keys))

    @property
    def loaded(self) -> int:
        """How many runs were loaded, including runs that the local filter hides."""
        if self._listed is not None:
            return max(self._listed.loaded, self.feed.sweep.read if self.feed.sweep is not None else 0)
        return len(self.cached.rows if self.cached is not None else self._known)

    @property
    def count(self) -> int | None:
        """How many runs match the terms that the server applies; None if unknown."""
        if self.feed.runs is not None:
            return self.feed.runs.count
        return self.cached.count if self.cached is not None else len(self._known) or None

    @property
    def all_loaded(self) -> bool:
        if self.feed.sweep is not None:
            return self.fresh and self.feed.sweep.all_checked
        return self.fresh and self.count is not None and self.loaded >= self.count

    def tally(self) -> Counter[Kind]:
        """Count the loaded rows by outcome. The counts are cached until `rows` changes."""
        rows = self.rows
        if self._outcomes[0] is not rows:
            self._outcomes = rows, Counter([row.outcome.kind for row in self.loaded_rows()])
        return self._outcomes[1]

    def loaded_rows(self) -> Sequence[RunRow]:
        rows = self.rows
        return tuple(rows.runs()) if isinstance(rows, ListedRuns) else [row for row in rows if isinstance(row, RunRow)]

    def filled(self, whole: Iterable[RunRow]) -> list[RunRow]:
        """The listed rows of the runs in `whole`, completed with the checks from `whole`."""
        rows = {row.id: row for row in whole}
        return [filled(row, rows[row.id]) for row in self.loaded_rows() if row.id in rows]

    def loads_more(self) -> bool:
        """Whether scrolling to the end of the list loads more runs because the list is locally filtered or sorted."""
        if not self.local or self.all_loaded or self._listed is None:
            return False
        return self._listed.loaded < SCROLL_LOAD_LIMIT or len(self.rows) * 10 >= self._listed.loaded

    def place_of(self, run_id: int) -> int | None:
        """The index of a run in `rows`; None if the run is not listed."""
        rows = self.rows
        if isinstance(rows, ListedRuns):
            return rows.place_of(run_id)
        return next((n for n, row in enumerate(rows) if isinstance(row, RunRow) and row.id == run_id), None)

    async def neighbour_of(self, run_id: int, step: int) -> int | None:
        """The id of the run `step` rows below another, fetched if necessary; None if there is none. Raises ApiError."""
        rows, place = self.rows, self.place_of(run_id)
        if place is None or not 0 <= place + step < len(rows):
            return None
        row: RunRow | UnloadedRun | None = rows[place + step]
        if isinstance(row, UnloadedRun):
            row = await self.feed.row_at(place + step)
        return row.id if isinstance(row, RunRow) else None

    def filter_notes(self) -> tuple[str, ...]:
        """How many runs a local filter or order covers so far, or "load all" has loaded, in several wordings, longest
        first. Empty if no local filter or order is set and not all are loading, or if all runs are covered."""
        total, loaded, runs = self.count, self.loaded, self.feed.runs
        if not self.fresh and (self.filter or not self.sort.as_listed) and loaded:
            return (f"from {count(loaded, 'cached run')}",)
        what = [Split({}, self._rest).rest_words] if self._rest else []
        what += [] if self.sort.as_listed else [f"sorted by {self.sort.column}:"]
        feed, sweep = self.feed, self.feed.sweep
        if self.all_loaded or not (what or feed.loading_all) or total is None or runs is None:
            return ()
        if sweep is None and runs.full and not feed.loading_all:
            words, few = f"{loaded:,} of {total:,} runs, the most that fit", "narrow the filter, as with since:"
            return f"{' '.join(what)} {words} · {few}", f"{words} · {few}", words
        running = feed.loading_all if sweep is None else sweep.running
        key = with_keys(f"{{runs.read-on}} {'stop' if running else 'load all'}")
        words, how = f"{loaded:,} of {total:,}", "loaded"
        if sweep is not None:
            words, how = f"{sweep.read:,} of {max(sweep.total, total, feed.total or 0):,}", "checked"
            key = key if sweep.error is None else f"retrying: {sweep.error.message}"
        short = f"{words} runs {how} · {key}"
        longest = [f"{' '.join(what)} {short}"] if what else []
        if feed.loading_all:
            return *longest, f"loading: {words} runs · {key}", f"loading: {words} · {key}", f"loading · {key}"
        return *longest, short, f"{words} {how} · {key}", f"{words} {how}"

    def checks_notes(self, checks: RunLoad) -> tuple[str, ...]:
        """For how many failed runs the checks are known, in several wordings, longest first. Empty if all checks are
        known, if not all runs are loaded, or if the checks are neither loading nor needed to sort."""
        if not self.all_loaded or not (checks.on or self.sort.column == "outcome"):
            return ()
        if not (missing := len(checks.missing)):
            return ()
        failed = self.tally()["failed"]
        known = f"{failed - missing:,} of {failed:,}"
        key = with_keys("{runs.read-on} stop" if checks.on else "{runs.read-on} load")
        rest = "" if checks.on else " the rest"
        return f"checks known for {known} failed · {key}{rest}", f"checks {known} · {key}", key

    def outcomes(self) -> OutcomeCounts:
        """How many runs match the filter, and how many of the loaded runs have each outcome."""
        total, wanted = self.count, outcomes_of(self.filter)
        if total is None:
            return OutcomeCounts(active=wanted)
        tally, picked = self.tally(), bool(self._local_filter)
        passing = len(self.rows) if picked else total
        if self.filter and (self.fresh or self.feed.total):
            total = max(self.feed.total or 0, passing)
        unsure = picked and not self.all_loaded
        found = "…" if unsure and not passing else f"{passing:,}"
        runs = f"{found} of {count(total, 'run')}" if passing < total else count(total, "run")
        where = "loaded" if self.fresh else "cached"
        loaded = "" if self.all_loaded or picked else f"of {self.loaded:,} {where}"
        kinds = (kind for kind in OUTCOMES if kind in wanted or not wanted)
        counts = tuple((kind, None if unsure and not tally[kind] else tally[kind]) for kind in kinds)
        return OutcomeCounts(runs, counts, wanted, loaded, self.outdated())

    def outdated(self) -> int:
        """How many listed runs no longer match the filter because their status changed after the list was loaded."""
        terms = tuple(term for term in self.filter.terms if term.key == "status")
        if not self.fresh or not terms:
            return 0
        if self._outdated[0] is not self.rows:
            passes = Matcher(Filter(terms), now=self._clock(), notes=self.notes)
            self._outdated = self.rows, sum(not passes(row) for row in self.loaded_rows())
        return self._outdated[1]

    def freshness(self, when: Callable[[float | None], str], error: CekuraTuiError | None = None) -> Freshness:
        """How fresh the list is. `when` formats a Unix time; `error`, if any, is why the scope could not be found."""
        if error is not None:
            return Freshness("warn", f"{_trouble(error)} · {with_keys('{runs.refresh} retry')}")
        feed, server = self.feed, self.feed.attempts
        if feed.got_at is None and server.error is None:
            return Freshness("dim", f"cached {when(self.cached.got_at)}" if self.cached is not None else "loading")
        if server.busy_until is not None:
            return Freshness("warn", f"server busy, retrying at {when(server.busy_until)}")
        if server.error is not None:
            what = _trouble(server.error)
            if not server.stopped:
                what = f"{what} since {when(server.failing_since)}, retrying"
            return Freshness("warn", f"{what}{self._age(when)}")
        return Freshness("good", "live") if feed.live else Freshness("dim", f"paused, as of {when(feed.got_at)}")

    def _age(self, when: Callable[[float | None], str]) -> str:
        """When the shown cached rows were fetched, as the end of a sentence; empty if unknown or the list is fresh."""
        if self.fresh:
            return ""
        if self.cached is not None:
            return f" · cached {when(self.cached.got_at)}"
        return f" · cached {when(self._known_since)} or later" if self._known and self._known_since else ""


def _trouble(error: CekuraTuiError) -> str:
    words = {"Can't reach the server": "unreachable", "Too many requests": "server busy", "No API key": "no API key"}
    return words.get(error.title, error.title.lower())
