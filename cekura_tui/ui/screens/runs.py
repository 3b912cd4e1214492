"""The run list: where the app starts."""

from __future__ import annotations

import asyncio
from importlib import import_module

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.outcome import Outcome
from cekura_tui.model.scope import Scope
from cekura_tui.model.view import RunRow
from cekura_tui.ui.board import Board
from cekura_tui.ui.messages import JobWished
from cekura_tui.ui.screens.run_list_keys import RunListKeys
from cekura_tui.ui.screens.run_listing import RunListing
from cekura_tui.ui.sight import follow
from cekura_tui.ui.widgets.counts_line import CountsLine
from cekura_tui.ui.widgets.filter_bar import FilterBar
from cekura_tui.ui.widgets.job_list import JobList
from cekura_tui.ui.widgets.jobs_pane import JobsPane
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.run_list import RunList, RunListHeader
from cekura_tui.ui.widgets.run_preview import RunPreview
from cekura_tui.ui.widgets.status_line import StatusLine

SETTLED = 0.15
"""Seconds that the cursor rests on a run before it is fetched for the preview."""


class RunsScreen(RunListKeys):
    """Lists the runs of a scope that pass a filter, newest first; pages are fetched as they come into view."""

    AUTO_FOCUS = "RunList"

    def __init__(self, board: Board, listing: RunListing, *, live: bool = True) -> None:
        super().__init__(board, listing, live=live)
        self._marked = {}
        self._settle: Timer | None = None
        self._previewed: tuple[int, Outcome] | None = None

    def body(self) -> ComposeResult:
        """Status, filter, counts, list and preview, jobs."""
        yield StatusLine(id="status")
        yield FilterBar(id="filter")
        yield CountsLine(id="counts")
        with Horizontal(id="runs-body"):
            with Vertical(id="runs-left"):
                yield RunListHeader(id="runs-header")
                yield RunList(self.board.when, opened=self.open_run, id="runs")
                yield Notice(id="runs-notice")
            yield RunPreview(self.board)
        yield JobsPane(self.board)

    def on_mount(self) -> None:
        """Show what was cached; the app calls `load` when the workspace runs."""
        follow(self, self.board, self.draw_status)
        self.draw_now()
        self.begin_serving()

    def on_screen_resume(self) -> None:
        """Back from another screen: a list that was never asked for is asked for now."""
        if self.board.workspace.started and self.feed.query is None and self.error is None:
            self.load()

    def on_resize(self) -> None:
        """There may be room for the preview now."""
        self.cursor_moved()

    def show_scope(self, scope: Scope | None) -> None:
        """List another scope's runs, or with None those that are to be found anew."""
        self.list_scope(scope)

    def new_list(self) -> None:
        """Another scope's runs are listed: what was marked is not carried over."""
        self.query_one(RunList).marks = frozenset()
        self._marked = {}
        self.query_one(RunPreview).clear()
        self._previewed = None

    # Drawing

    def draw(self) -> None:
        """Show everything as it is now; the cursor stays on its run."""
        runs, notice, listing = self.query_one(RunList), self.query_one(Notice), self.listing
        follows = self._let_in(runs)
        if runs.noted is not listing.notes:
            runs.noted = listing.notes
            runs.redraw()
        rows = listing.rows
        begins = self._begins(runs)
        runs.show_rows(rows, reset=begins, follow=follows)
        if begins:
            self.first = runs.cursor_id
            if self.wanted is not None and listing.place_of(self.wanted) is not None:
                runs.move_to(self.wanted)
        self.anew = self.anew and not listing.fresh
        self.query_one(RunListHeader).sort = listing.sort
        empty = not len(rows)
        runs.display, notice.display = not empty, empty
        if empty:
            self._draw_notice(notice)
            self.query_one(RunPreview).clear()
            self._previewed = None
        elif not self.focused and not self.query_one(FilterBar).editing:
            runs.focus()
        self.query_one(FilterBar).show(str(listing.filter), *listing.note())
        self.draw_counts()
        self.draw_status()
        row = runs.cursor_row
        if isinstance(row, RunRow) and (row.id, row.outcome) != self._previewed:
            self.cursor_moved()
        if listing.wants_more() and len(rows) < runs.rows_that_fit:
            self.feed.read_more()

    def _begins(self, runs: RunList) -> bool:
        """Whether the list is to be shown from its top: another one, in which nobody has moved to a run yet."""
        if not self.anew or not (self.listing.fresh or len(self.listing.rows)):
            return False
        moved = runs.cursor_id is not None and runs.cursor_id not in (self.first, self.wanted)
        return not moved or self.listing.place_of(runs.cursor_id or 0) is None

    def _let_in(self, runs: RunList) -> bool:
        """At the top newer runs come in by themselves while the cursor's row stays on screen; elsewhere they wait."""
        paged = self.feed.runs
        if paged is None or not paged.waiting:
            return False
        follows = runs.at_top and (runs.cursor_index or 0) + paged.waiting < runs.rows_that_fit
        if follows or self.listing.local:
            paged.let_in()
        return follows

    @on(RunList.TopWished, "#runs")
    def to_the_top(self) -> None:
        """The newest are wished for."""
        runs, paged = self.query_one(RunList), self.feed.runs
        if paged is not None and paged.waiting:
            paged.let_in()
            self.draw_now()
            runs.move_to(runs.key_of(runs.rows[0]))
        if self.feed.flood:
            self.feed.refresh()

    def _draw_notice(self, notice: Notice) -> None:
        listing = self.listing
        if self.trouble is not None:
            notice.say_error(self.trouble)
        elif not listing.fresh:
            notice.say("Loading runs …")
        elif listing.failures and len(listing.filter.terms) == 1 and listing.whole:
            notice.say("No failed runs here.", "! shows all runs · p picks another project")
        elif listing.filter:
            full = self.feed.runs is not None and self.feed.runs.full
            more = "" if listing.whole else f" among the loaded ones{'' if full else '; F loads on'}"
            notice.say(f"No run passes the filter{more}.", "/ changes it · v has others · r looks again")
        else:
            notice.say("No runs here yet.", "p picks another project or agent · r looks again")

    def draw_counts(self) -> None:
        """Tell how many runs there are, and how many are marked."""
        line, paged = self.query_one(CountsLine), self.feed.runs
        line.counts = self.listing.counts()
        line.marked = len(self.query_one(RunList).marks)
        line.waiting, line.flood = (paged.waiting if paged else 0), self.feed.flood

    def draw_status(self) -> None:
        """Where one is, how fresh it is, and what runs."""
        setup, scope = self.board.workspace.setup, self.listing.scope
        status = self.query_one(StatusLine)
        where = "demo" if setup.demo else setup.profile
        status.left = (where, scope.shown if scope else "…", *(["read-only"] if setup.read_only else []))
        going = sum(job.state.going for job in self.board.jobs)
        status.right = (self.listing.freshness(self.board.when, self.error), f"{going} running" if going else "")

    # The run under the cursor

    @on(RunList.Moved, "#runs")
    def cursor_moved(self) -> None:
        """Fetch the run for the preview once the cursor rests."""
        if self._settle is not None:
            self._settle.stop()
        self._settle = self.set_timer(SETTLED, self._preview)

    @work(group="preview", exclusive=True)
    async def _preview(self) -> None:
        preview, row = self.query_one(RunPreview), self.query_one(RunList).cursor_row
        if not isinstance(row, RunRow):
            preview.clear("")
            return
        if not preview.display or not self.has_class("-wide"):
            return
        run_id = row.id
        self._previewed = run_id, row.outcome
        try:
            view = await self.board.workspace.call(lambda session: session.cached_run(run_id))
            if view is None:
                preview.clear(f"Loading run {run_id} …")
            if view is None or not view.row.outcome.settled:
                view = await self.board.workspace.call(lambda session: session.run(run_id))
        except CekuraTuiError as error:
            preview.clear(f"! {error.sentence()}")
        else:
            preview.show(view)
            # Whoever looks at a run opens one soon, and shall not wait until its screen is imported.
            await asyncio.to_thread(import_module, "cekura_tui.ui.screens.run")

    def open_run(self, run_id: int) -> None:
        """Open a run whole."""
        if self.is_current:
            from cekura_tui.ui.screens.run import RunScreen

            row = self.query_one(RunList).cursor_row
            told = row if isinstance(row, RunRow) and row.id == run_id else None
            self.app.push_screen(RunScreen(self.board, run_id, self.listing.beside, row=told), self._came_back)

    def _came_back(self, run_id: object) -> None:
        if isinstance(run_id, int):
            self.draw_now()
            self.query_one(RunList).move_to(run_id)

    @on(JobList.Opened, "#pane-jobs")
    def open_job(self, event: JobList.Opened) -> None:
        """A job of the pane."""
        if (job := self.board.job(event.key)) is not None:
            self.post_message(JobWished(job))
