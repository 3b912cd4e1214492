"""Notes on the runs that are listed.

What the keys of the run list do.

The run list: where the app starts.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import Filter
from cekura_tui.model.filter.parse import names_in, parse
from cekura_tui.model.job import Job
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.ui.jobs.list import JobList, JobsPane
from cekura_tui.ui.kit.lines import Notice, StatusLine
from cekura_tui.ui.messages import OpenJob, OpenRun
from cekura_tui.ui.runs.controller import RunListing, ServedRuns
from cekura_tui.ui.runs.filter_bar import FilterBar
from cekura_tui.ui.runs.list import CountsLine, RunList, RunListHeader, columns
from cekura_tui.ui.runs.notes import NoteDialog, NoteInput
from cekura_tui.ui.runs.preview import RunPreview
from cekura_tui.ui.state import AppState, follow, is_visible


class NotedRuns(ServedRuns):
    """A list of runs on which a person can note something."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("m", "note", "Note", id="runs.note", show=False)]

    async def action_note(self) -> None:
        """Note something on the run under the cursor; what was typed stays until it is stored or given up."""
        run_id = self.query_one(RunList).cursor_id
        if run_id is not None:
            self._look_up(run_id, await self._ask(run_id, self.listing.notes.get(run_id, "")))

    async def _ask(self, run_id: int, former: str, typed: str | None = None, told: str = "") -> NoteDialog:
        workspace = self.state.workspace

        def keep(text: str) -> None:
            workspace.send(lambda session: session.shelf.note(run_id, text))

        def answered(text: str | None) -> None:
            if text is not None and text != dialog.before:
                self._store(run_id, dialog.before, text)

        dialog = NoteDialog(run_id, former, keep=keep, typed=typed, told=told)
        await self.app.push_screen(dialog, answered)
        dialog.set_focus(dialog.query_one(NoteInput))
        return dialog

    @work(group="note-look-up", exclusive=True)
    async def _look_up(self, run_id: int, dialog: NoteDialog) -> None:
        """Another window may have written one since."""
        try:
            self.listing.notes = await self.state.workspace.call(lambda session: session.shelf.notes())
        except CekuraTuiError as error:
            dialog.tell(error.sentence())
        else:
            dialog.was(self.listing.notes.get(run_id, ""))

    @work(group="note")
    async def _store(self, run_id: int, former: str, text: str) -> None:
        try:
            await self.state.workspace.call(lambda session: session.shelf.note(run_id, text))
        except CekuraTuiError as error:
            await self._ask(run_id, former, text, error.sentence())
            return
        others = {number: note for number, note in self.listing.notes.items() if number != run_id}
        self.listing.notes = {**others, run_id: text} if text else others
        if any(term.key == "note" for term in self.listing.filter.terms):
            self.load()  # other runs pass now
        self.draw_now()


class RunListKeys(NotedRuns):
    """Filters, marks, sorts, groups and hands off what is listed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "improve", "Improve", id="runs.improve"),
        Binding("slash", "filter", "Filter", key_display="/", id="runs.filter"),
        # With priority it is done before the next key is looked at; the list of runs sees to that itself, in its turn.
        Binding("slash", "filter_at_once", "Filter", show=False, id="runs.filter-at-once", priority=True),
        Binding("exclamation_mark", "failures", "Failures", id="runs.failures", show=False),
        Binding("v", "views", "Views", id="runs.views"),
        Binding("b", "groups", "Groups", id="runs.groups"),
        Binding("y", "hand_off", "Copy", id="runs.hand-off", show=False),
        Binding("p", "pick_scope", "Project", id="runs.scope", show=False),
        Binding("e", "export", "Export", id="runs.export", show=False),
        Binding("s", "sort", "Sort by the next column", id="runs.sort", show=False),
        Binding("S", "turn", "Sort the other way round", id="runs.turn", show=False),
        Binding("F", "read_on", "Load all, or stop", id="runs.read-on", show=False),
        Binding("L", "live", "Live on or off", id="runs.live", show=False),
        Binding("J", "jobs_pane", "Jobs pane", id="runs.jobs-pane", show=False),
        Binding("r", "refresh", "Read anew", id="runs.refresh", show=False),
        Binding("enter", "whole_error", "Show error", id="runs.error", show=False),
        Binding("escape", "clear_marks", "Clear marks", id="runs.clear-marks", show=False),
    ]
    HELP = """\
# Runs
The newest first. `enter` opens the run under the cursor, `space` marks it and `V` all up to it; `i` has a better prompt
proposed from up to three marked ones of one agent, or from the one under the cursor.

`/` filters: `status:failed,timeout` `outcome:failed` `scenario:~refund` `agent:` `persona:` `result:991` `id:48213`
`dur>120` `since:2d` `until:2026-11-01` `metric:"Task completion"` `reviewed:no` `mode:text` `note:yes`, words that are
looked for, and `-` before what is not wanted. `!` lists failures only, `v` named filters, `b` groups.
`F` loads all where only loaded runs can be filtered or sorted, `L` stops and starts following what is new.
"""

    _marked: dict[int, RunRow]
    """The rows of marked runs: those that are listed no more are still marked."""

    # The filter

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a filter is typed, its key is a letter as any other."""
        if action in ("filter", "filter_at_once", "note") and any(bar.editing for bar in self.query(FilterBar)):
            return False
        if action == "filter_at_once":
            return not isinstance(self.focused, RunList)
        return super().check_action(action, parameters)

    def action_filter_at_once(self) -> None:
        """Type a filter, where something else than the list has the focus."""
        self.action_filter()

    def action_filter(self) -> None:
        """Type a filter."""
        bar = self.query_one(FilterBar)
        bar.names = names_in(self.listing.loaded_rows())
        bar.edit()
        self._read_history()

    @work(group="filter-history", exclusive=True)
    async def _read_history(self) -> None:
        try:
            self.query_one(FilterBar).history = await self.state.workspace.call(lambda session: session.shelf.used())
        except CekuraTuiError as error:
            self.tell(error.sentence(), warning=True)

    @on(FilterBar.Submitted)
    def filtered(self, event: FilterBar.Submitted) -> None:
        """A filter was typed."""
        self.filter_by(event.text)

    def filter_by(self, text: str) -> None:
        """List what passes this filter."""
        self.list_filtered(parse(text).filter)

    def action_failures(self) -> None:
        """Only runs that did not succeed, or all."""
        self.list_filtered(self.listing.with_failures())

    @work(group="views", exclusive=True)
    async def action_views(self) -> None:
        """Choose a filter by its name, or give the one in effect a name."""
        from cekura_tui.ui.runs.views import ViewsDialog

        try:
            views = await self.state.workspace.call(lambda session: session.shelf.views())
        except CekuraTuiError as error:
            self.tell_error(error)
            return
        chosen = await self.app.push_screen_wait(ViewsDialog(self.state, str(self.listing.filter), views))
        if chosen is not None:
            self.filter_by(chosen)

    def action_groups(self) -> None:
        """What fails most."""
        from cekura_tui.ui.runs.groups import GroupsScreen

        listing = self.listing
        rows = listing.loaded_rows()
        if listing.whole:
            loaded = "of all that pass" if listing.filter else "of all runs"
        else:
            passing = f"of {len(rows):,} that pass, {listing.loaded:,} loaded"
            loaded = f"of {len(rows):,} loaded" if len(rows) == listing.loaded else passing
        # Where the filter asks how runs ended, nothing is known of those that ended otherwise.
        some = any(term.key in ("outcome", "status") for term in listing.filter.terms)
        self.app.push_screen(GroupsScreen(self.state, rows, loaded, some_ends=some), self._from_groups)

    def _from_groups(self, chosen: object) -> None:
        if isinstance(chosen, str):
            wanted = parse(chosen).filter
            # A group is of what was listed; runs that are named by their ids need no more said.
            former = () if any(term.key == "id" for term in wanted.terms) else self.listing.filter.terms
            group = Filter(tuple(dict.fromkeys((*former, *wanted.terms))))
            if group != self.listing.filter:  # else esc still leads out of the group that is listed
                self._of_group = group, self.listing.filter
            self.list_filtered(group)

    _of_group: tuple[Filter, Filter] | None = None
    """The filter of a group that was opened, and the one before it."""

    # Order and freshness

    def action_sort(self) -> None:
        """By the next column."""
        self._sort(turn=False)

    def action_turn(self) -> None:
        """The other way round."""
        self._sort(turn=True)

    def _sort(self, *, turn: bool) -> None:
        runs, sort = self.query_one(RunList), self.listing.sort
        first = runs.at_top and not runs.cursor_index
        seen = {name for name, _ in columns(runs.size.width)}
        sort = sort.turned() if turn else sort.next()
        while sort.column not in seen:
            sort = sort.next()
        self.listing.sort = sort
        self.draw_now()
        if first and len(runs.rows):  # who looks at the first rows wants those of the new order
            runs.move_to(runs.key_of(runs.rows[0]))

    def action_read_on(self) -> None:
        """Load page after page, or stop."""
        if self.feed.runs is not None and self.listing.whole:
            self.tell("All of these runs are loaded.")
        elif self.feed.runs is not None and self.feed.runs.full and not self.feed.reading_on:
            self.tell(f"{self.listing.loaded:,} runs are loaded, which is as many as are held. Narrow the filter.")
        else:
            self.feed.read_on(not self.feed.reading_on)
            self.draw_now()

    def action_live(self) -> None:
        """Follow what is new, or not."""
        self.feed.live = not self.feed.live
        self.feed.wake()
        self.draw_now()

    def action_refresh(self) -> None:
        """Read the list anew, as of now."""
        self.error = self._told = None
        if self.feed.query is None:
            self.load()
        else:
            self.feed.refresh()
        self.draw_now()

    # Marks

    @on(RunList.Marked, "#runs")
    def marked(self, event: RunList.Marked) -> None:
        """Keep the rows of what is marked."""
        rows = {key: self.run_row(key) or self._marked.get(key) for key in event.marks if isinstance(key, int)}
        self._marked = {key: row for key, row in rows.items() if row is not None}
        self.draw_counts()
        if event.left_out:
            few = f"up to {RunList.range_limit:,} loaded rows are marked at once"
            self.tell(f"{event.left_out:,} rows of the range are not marked: {few}.", warning=True)

    def draw_counts(self) -> None:
        """Tell how many runs there are, and how many are marked."""
        raise NotImplementedError

    def action_clear_marks(self) -> None:
        """Unmark all; where none is, stop loading, or go back from a group to all that was listed."""
        runs = self.query_one(RunList)
        if runs.marks:
            runs.marks = frozenset()
            self._marked = {}
        elif self.feed.reading_on:
            self.feed.read_on(False)
        elif self._of_group is not None and self.listing.filter == self._of_group[0]:
            self.list_filtered(self._of_group[1])
        self.draw_now()

    def _chosen(self) -> list[RunRow]:
        """The marked runs as they are now, the newest first, else the one under the cursor."""
        runs = self.query_one(RunList)
        ids = runs.marked_ids or ([runs.cursor_id] if runs.cursor_id is not None else [])
        rows = [self.run_row(number) or self._marked.get(number) for number in ids]
        return [row for row in rows if row is not None]

    def action_improve(self) -> None:
        """Improve from the marked runs, else from the one under the cursor."""
        self.improve([row.id for row in self._chosen()])

    def improved(self, job: Job) -> None:
        """A job was launched: the marks have served."""
        self.query_one(RunList).marks = frozenset()
        self._marked = {}
        self.draw_now()

    @work(group="hand-off", exclusive=True)
    async def action_hand_off(self) -> None:
        """Copy links, ids or rows of the marked runs, or save them."""
        from cekura_tui.ui.runs.export import SAVE_ALL, SAVE_THESE, CopyRunsDialog

        rows = self._chosen()
        if not rows:
            return
        dashboard = self.state.workspace.setup.settings.dashboard_url
        dialog = CopyRunsDialog(self.state, rows, dashboard, self.listing.scope, self.listing.notes)
        wish = await self.app.push_screen_wait(dialog)
        if wish in (SAVE_THESE, SAVE_ALL):
            self._export(rows if wish == SAVE_THESE else [])

    def action_export(self) -> None:
        """Save the marked runs, or the list, to a file."""
        self._export(self._chosen() if self.query_one(RunList).marks else [])

    def _export(self, rows: list[RunRow]) -> None:
        from cekura_tui.ui.runs.export import ExportRunsDialog

        listing = self.listing
        if listing.scope is not None:
            shown = listing.loaded_rows() if listing.whole else None
            self.app.push_screen(ExportRunsDialog(self.state, listing.query, rows, shown, listing.notes))

    # The rest

    def action_jobs_pane(self) -> None:
        """Show or hide the jobs pane."""
        pane = self.query_one(JobsPane)
        pane.display = not pane.display

    def action_whole_error(self) -> None:
        """The whole of the error that the list shows."""
        if self.trouble is not None:
            self.tell_error(self.trouble)

    def action_pick_scope(self) -> None:
        """Another project or agent."""
        self.pick_scope(None)

    def pick_scope(self, several: NoScope | None) -> None:
        """Have a person choose what to list."""
        if several is not None:
            self.error = several  # as long as nobody has chosen
            self.draw_now()
        self._pick(several)

    @work(group="pick", exclusive=True)
    async def _pick(self, several: NoScope | None) -> None:
        from cekura_tui.ui.runs.scope_picker import PickScopeDialog

        workspace = self.state.workspace
        try:
            projects = several.projects if several else await workspace.call(lambda session: session.projects())
            if not is_visible(self) or any(bar.editing for bar in self.query(FilterBar)):
                return  # somebody does something else by now
            chosen = await self.app.push_screen_wait(PickScopeDialog(self.state, projects, self.listing.scope))
            if chosen is not None:
                scope: Scope = chosen
                await workspace.call(lambda session: session.choose(scope))
                self.list_scope(scope)
        except CekuraTuiError as error:
            self.tell_error(error)


SETTLED = 0.15
"""Seconds that the cursor rests on a run before it is fetched for the preview."""


class RunsScreen(RunListKeys):
    """Lists the runs of a scope that pass a filter, newest first; pages are fetched as they come into view."""

    AUTO_FOCUS = "RunList"

    def __init__(self, state: AppState, listing: RunListing, *, live: bool = True) -> None:
        super().__init__(state, listing, live=live)
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
                yield RunList(self.state.when, opened=self.open_run, id="runs")
                yield Notice(id="runs-notice")
            yield RunPreview(self.state)
        yield JobsPane(self.state)

    def on_mount(self) -> None:
        """Show what was cached; the app calls `load` when the workspace runs."""
        follow(self, self.state, self.draw_status)
        self.draw_now()
        self.begin_serving()

    def on_screen_resume(self) -> None:
        """Back from another screen: a list that was never asked for is asked for now."""
        if self.state.workspace.started and self.feed.query is None and self.error is None:
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
        setup, scope = self.state.workspace.setup, self.listing.scope
        status = self.query_one(StatusLine)
        where = "demo" if setup.demo else setup.profile
        status.left = (where, scope.shown if scope else "…", *(["read-only"] if setup.read_only else []))
        going = sum(job.state.going for job in self.state.jobs)
        status.right = (self.listing.freshness(self.state.when, self.error), f"{going} running" if going else "")

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
            view = await self.state.workspace.call(lambda session: session.cached_run(run_id))
            if view is None:
                preview.clear(f"Loading run {run_id} …")
            if view is None or not view.row.outcome.settled:
                view = await self.state.workspace.call(lambda session: session.run(run_id))
        except CekuraTuiError as error:
            preview.clear(f"! {error.sentence()}")
        else:
            preview.show(view)
            # Whoever looks at a run opens one soon, and shall not wait until its screen is imported.
            await asyncio.to_thread(import_module, "cekura_tui.ui.run.screen")

    def open_run(self, run_id: int) -> None:
        """Open a run whole."""
        if self.is_current:
            row = self.query_one(RunList).cursor_row
            told = row if isinstance(row, RunRow) and row.id == run_id else None
            self.state.ask(OpenRun(run_id, row=told, beside=self.listing.beside, closed=self._came_back))

    def _came_back(self, run_id: object) -> None:
        if isinstance(run_id, int):
            self.draw_now()
            self.query_one(RunList).move_to(run_id)

    @on(JobList.Opened, "#pane-jobs")
    def open_job(self, event: JobList.Opened) -> None:
        """A job of the pane."""
        if (job := self.state.job(event.key)) is not None:
            self.state.ask(OpenJob(job))
