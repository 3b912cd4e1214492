"""The run list: where the app starts."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.parse import names_in
from cekura_tui.model.job import Job
from cekura_tui.model.run.listing import UnloadedRun
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow, completed
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.ui.actions import NOT_OFFERED, Action, bindings
from cekura_tui.ui.kit.lines import Notice, StatusLine
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import OpenRun, PrepareRunScreen
from cekura_tui.ui.runs.controller import RunListing, RunsController
from cekura_tui.ui.runs.filter_bar import FilterBar
from cekura_tui.ui.runs.list import CountsLine, RunList, RunListHeader, columns
from cekura_tui.ui.runs.notes import NoteDialog, NoteInput
from cekura_tui.ui.runs.preview import RunPreview
from cekura_tui.ui.state import AppState, follow, is_visible
from cekura_tui.workspace.run_feed import VisibleRange

PREVIEW_DELAY = 0.15
"""Seconds that the cursor rests on a run before it is fetched for the preview."""


def _while_typing(page: Widget) -> str | None:
    """While a filter is typed, its key is a letter as any other."""
    return NOT_OFFERED if any(bar.editing for bar in page.query(FilterBar)) else None


def _in_the_list(page: RunsScreen) -> str | None:
    return NOT_OFFERED if isinstance(page.focused, RunList) else _while_typing(page)


class RunsScreen(Page):
    """Lists the runs of a scope that pass a filter, newest first; pages are fetched as they come into view.

    `jobs_pane` is shown below the list.
    """

    AUTO_FOCUS = "RunList"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("runs.note", "m", "note", "Note", "On the run under the cursor", why_not=_while_typing),
        Action(
            "runs.improve",
            "i",
            "improve",
            "Improve",
            "From the marked runs, or this one",
            footer=3,
            command="Improve the prompt",
        ),
        Action(
            "runs.filter",
            "slash",
            "filter",
            "Filter",
            "List runs that pass a filter",
            footer=4,
            key_display="/",
            why_not=_while_typing,
        ),
        # With priority it is done before the next key is looked at; the list of runs sees to that itself, in its turn.
        Action(
            "runs.filter-at-once",
            "slash",
            "filter_at_once",
            "Filter",
            footer=4,
            key_display="/",
            priority=True,
            why_not=_in_the_list,
        ),
        Action(
            "runs.failures",
            "exclamation_mark",
            "failures",
            "Failures",
            "List runs that did not succeed, or all",
            command="Failures only",
        ),
        Action("runs.views", "v", "views", "Views", "List runs by a filter that has a name", footer=5),
        Action("runs.groups", "b", "groups", "Groups", "What fails most, and since when", footer=6),
        Action("runs.hand-off", "y", "hand_off", "Copy", "Links, ids or rows of the marked runs"),
        Action("runs.scope", "p", "pick_scope", "Project", "List runs of another one", command="Project or agent"),
        Action("runs.export", "e", "export", "Export", "The marked runs or the list, to a file"),
        Action("runs.sort", "s", "sort(False)", "Sort by the next column", "By the next column", command="Sort"),
        Action("runs.turn", "S", "sort(True)", "Sort the other way round", "Sort by the same column, turned"),
        Action(
            "runs.read-on", "F", "load_all", "Load all, or stop", "Load page after page, or stop", command="Load all"
        ),
        Action("runs.live", "L", "live", "Live on or off", "Follow what is new, or not", command="Live"),
        Action("runs.jobs-pane", "J", "jobs_pane", "Jobs pane", "Show or hide it"),
        Action("runs.refresh", "r", "refresh", "Read anew"),
        Action("runs.error", "enter", "whole_error", "Show error"),
        Action("runs.clear-marks", "escape", "clear_marks", "Clear marks"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)
    HELP = """\
# Runs
The newest first. `enter` opens the run under the cursor, `space` marks it and `V` all up to it; `i` has a better prompt
proposed from up to three marked ones of one agent, or from the one under the cursor.

`/` filters: `status:failed,timeout` `outcome:failed` `scenario:~refund` `agent:` `persona:` `result:991` `id:48213`
`dur>120` `since:2d` `until:2026-11-01` `metric:"Task completion"` `reviewed:no` `mode:text` `note:yes`, words that are
looked for, and `-` before what is not wanted. `!` lists failures only, `v` named filters, `b` groups.
`F` loads all where only loaded runs can be filtered or sorted, `L` stops and starts following what is new.
"""

    def __init__(self, state: AppState, listing: RunListing, jobs_pane: Widget, *, live: bool = True) -> None:
        super().__init__(state)
        self.controller = RunsController(state, listing, self, live=live)
        self._jobs_pane = jobs_pane
        self._marked: dict[int, RunRow] = {}
        """The rows of marked runs: those that are listed no more are still marked."""
        self._other_runs = False
        """Other runs than before are listed, and the server has not sent them yet."""
        self._first_run: int | None = None
        """The run under the cursor when the list began."""
        self._run_before: int | None = None
        """The run to which somebody had moved in the list before."""
        self._group = ("", "")
        """The filter of the group that was opened last, and the group's name."""
        self._view = VisibleRange()
        self._preview_timer: Timer | None = None
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
        yield self._jobs_pane

    def on_mount(self) -> None:
        """Show what was cached; the app has the controller load when the workspace runs."""
        follow(self, self.state, self._draw_status)
        self.controller.draw_now()
        self.app.screen_change_signal.subscribe(self, lambda _: self.controller.visibility_changed())
        self.controller.start()

    def on_screen_resume(self) -> None:
        """Back from another screen: a list that was never asked for is asked for now."""
        controller = self.controller
        if self.state.workspace.started and controller.feed.query is None and controller.scope_error is None:
            controller.load()

    def on_resize(self) -> None:
        """There may be room for the preview now."""
        self._cursor_moved()

    # What the controller asks

    def is_seen(self) -> bool:
        """Whether it is on top, or under a dialog."""
        return is_visible(self)

    def is_waiting(self) -> bool:
        """Whether a person sees that rows are missing."""
        runs = self.query_one(RunList)
        shown = runs.shown_range
        return shown is None or any(isinstance(runs.rows[n], UnloadedRun) for n in range(shown[0], shown[1] + 1))

    def other_runs(self, *, same_scope: bool) -> None:
        """Other runs are about to be listed: of another scope nothing that was marked is carried over."""
        runs = self.query_one(RunList)
        self._other_runs = True
        if same_scope:
            if runs.cursor_id is not None:
                self._run_before = runs.cursor_id if runs.cursor_id != self._first_run else None
            return
        self._run_before = None
        runs.marks = frozenset()
        self._marked = {}
        self._clear_preview()

    def pick_scope(self, several: NoScope | None) -> None:
        """Have a person choose what to list."""
        self.opening.begin(partial(self._pick_scope, several), "Reading projects", group="pick")

    async def _pick_scope(self, several: NoScope | None) -> None:
        from cekura_tui.ui.runs.scope_picker import PickScopeDialog

        workspace, listing = self.state.workspace, self.controller.listing
        try:
            projects = several.projects if several else await workspace.call(lambda session: session.projects())
            if not is_visible(self) or any(bar.editing for bar in self.query(FilterBar)):
                return  # somebody does something else by now
            chosen = await self.opening.ask(PickScopeDialog(self.state, projects, listing.scope))
            if chosen is not None:
                scope: Scope = chosen
                await workspace.call(lambda session: session.choose(scope))
                self.controller.list_scope(scope)
        except CekuraTuiError as error:
            self.show_error(error)

    # Drawing

    def draw(self) -> None:
        """Show everything as it is now; the cursor stays on its run."""
        runs, notice, listing = self.query_one(RunList), self.query_one(Notice), self.controller.listing
        follows = self._let_in(runs)
        runs.show_notes(listing.notes)
        rows = listing.rows
        begins = self._begins(runs)
        runs.show_rows(rows, reset=begins, follow=follows)
        if begins:
            self._first_run = runs.cursor_id
            if self._run_before is not None and listing.place_of(self._run_before) is not None:
                runs.move_to(self._run_before)
        self._other_runs = self._other_runs and not listing.fresh
        self.query_one(RunListHeader).sort = listing.sort
        empty = not len(rows)
        if empty and runs.has_focus:
            self.set_focus(None)  # it may be empty for a moment; Textual would give the focus to the jobs for good
        runs.display, notice.display = not empty, empty
        if empty:
            self._draw_notice(notice)
            self._clear_preview()
        elif not self.focused and not self.query_one(FilterBar).editing:
            runs.focus()
        filter_text, notes = str(listing.filter), listing.filter_notes()
        group = self._group[1] if filter_text == self._group[0] else ""
        self.query_one(FilterBar).show(filter_text, *(notes or ["esc leaves the group"] * bool(group)), group=group)
        self._draw_counts()
        self._draw_status()
        row = runs.cursor_row
        if isinstance(row, RunRow) and (row.id, row.outcome) != self._previewed:
            self._cursor_moved()
        if listing.loads_more() and len(rows) < runs.rows_that_fit:
            self.controller.feed.load_more()

    def _begins(self, runs: RunList) -> bool:
        """Whether the list is to be shown from its top: another one, in which nobody has moved to a run yet."""
        listing = self.controller.listing
        if not self._other_runs or not (listing.fresh or len(listing.rows)):
            return False
        moved = runs.cursor_id is not None and runs.cursor_id not in (self._first_run, self._run_before)
        return not moved or listing.place_of(runs.cursor_id or 0) is None

    def _let_in(self, runs: RunList) -> bool:
        """At the top newer runs come in by themselves while the cursor's row stays on screen; elsewhere they wait."""
        paged = self.controller.feed.runs
        if paged is None or not paged.waiting:
            return False
        follows = runs.at_top and (runs.cursor_index or 0) + paged.waiting < runs.rows_that_fit
        if follows or self.controller.listing.local:
            paged.let_in()
        return follows

    def _draw_notice(self, notice: Notice) -> None:
        listing, paged = self.controller.listing, self.controller.feed.runs
        if self.controller.trouble is not None:
            notice.show_error(self.controller.trouble)
        elif not listing.fresh:
            notice.show("Loading runs …")
        elif listing.failures and len(listing.filter.terms) == 1 and listing.whole:
            notice.show("No failed runs here.", "! shows all runs · p picks another project")
        elif listing.filter:
            full, sweep = paged is not None and paged.full, self.controller.feed.sweep
            more = "" if listing.whole else f" among the loaded ones{'' if full else '; F loads on'}"
            if sweep is not None and sweep.running:
                more = " so far; the other runs are being checked"
            notice.show(f"No run passes the filter{more}.", "/ changes it · v has others · r looks again")
        else:
            notice.show("No runs here yet.", "p picks another project or agent · r looks again")

    def _draw_counts(self) -> None:
        """How many runs there are, and how many are marked."""
        line, feed = self.query_one(CountsLine), self.controller.feed
        line.counts = self.controller.listing.counts()
        line.marked = len(self.query_one(RunList).marks)
        line.waiting, line.flood = (feed.runs.waiting if feed.runs else 0), feed.flood

    def _draw_status(self) -> None:
        """Where one is, how fresh it is, and what runs."""
        setup, controller = self.state.workspace.setup, self.controller
        status, scope = self.query_one(StatusLine), controller.listing.scope
        where = "demo" if setup.demo else setup.profile
        status.left = (where, scope.shown if scope else "…", *(["read-only"] if setup.read_only else []))
        going = sum(job.state.going for job in self.state.jobs)
        freshness = controller.listing.freshness(self.state.when, controller.scope_error)
        status.right = (freshness, f"{going} running" if going else "")

    # The list

    @on(RunList.InView, "#runs")
    def _in_view(self, event: RunList.InView) -> None:
        """Have the pages in view asked for."""
        runs, former, controller = self.query_one(RunList), self._view, self.controller
        if runs.rows is not controller.listing.rows or controller.listing.local or not controller.feed.runs:
            return
        step = -1 if event.first < former.first else 1 if event.first > former.first else former.step
        self._view = VisibleRange(event.first, event.last, runs.cursor_index or 0, step)
        controller.feed.look(self._view)

    @on(RunList.NearEnd, "#runs")
    def _near_end(self) -> None:
        """The rows that pass the filter come to an end."""
        if self.controller.listing.loads_more():
            self.controller.feed.load_more()

    @on(RunList.TopRequested, "#runs")
    def _to_the_top(self) -> None:
        """Show the newest."""
        runs, feed = self.query_one(RunList), self.controller.feed
        if feed.runs is not None and feed.runs.waiting:
            feed.runs.let_in()
            self.controller.draw_now()
            runs.move_to(runs.key_of(runs.rows[0]))
        if feed.flood:
            feed.refresh()

    def _row_of(self, run_id: int) -> Any:
        """The row of a run that is in the list, or None."""
        runs = self.query_one(RunList)
        place = runs.index_of(run_id, near=runs.cursor_index or 0)
        return None if place is None else runs.rows[place]

    def open_run(self, run_id: int) -> None:
        """Open a run whole."""
        if self.is_current:
            cursor_row = self.query_one(RunList).cursor_row
            row = cursor_row if isinstance(cursor_row, RunRow) and cursor_row.id == run_id else None
            beside = self.controller.listing.beside
            self.state.ask(OpenRun(run_id, row=row, beside=beside, closed=self._run_closed))

    def _run_closed(self, run_id: object) -> None:
        if isinstance(run_id, int):
            self.controller.draw_now()
            self.query_one(RunList).move_to(run_id)

    # The run under the cursor

    @on(RunList.Moved, "#runs")
    def _cursor_moved(self) -> None:
        """Fetch the run for the preview once the cursor rests."""
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(PREVIEW_DELAY, self._preview)

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
            row = completed(row, view.row) if view.cached else view.row
            self._previewed = run_id, row.outcome
            self.controller.change_rows([row])
            # Whoever looks at a run opens one soon.
            self.state.ask(PrepareRunScreen())

    def _clear_preview(self) -> None:
        self.query_one(RunPreview).clear()
        self._previewed = None

    # The filter

    def action_filter_at_once(self) -> None:
        """Type a filter, where something else than the list has the focus."""
        self.action_filter()

    def action_filter(self) -> None:
        """Type a filter."""
        bar = self.query_one(FilterBar)
        bar.names = names_in(self.controller.listing.loaded_rows())
        bar.edit()
        self._read_history()

    @work(group="filter-history", exclusive=True)
    async def _read_history(self) -> None:
        try:
            history = await self.state.workspace.call(lambda session: session.saved_views.history())
        except CekuraTuiError as error:
            self.notify_once(error.sentence(), warning=True)
        else:
            self.query_one(FilterBar).history = history

    @on(FilterBar.Submitted)
    def _filter_typed(self, event: FilterBar.Submitted) -> None:
        self.controller.filter_by(event.text)

    def action_failures(self) -> None:
        """Only runs that did not succeed, or all."""
        self.controller.change_filter(self.controller.listing.toggle_failures())

    def action_views(self) -> None:
        """Choose a filter by its name, or give the one in effect a name."""
        self.opening.begin(self._choose_view, "Reading views", group="views")

    async def _choose_view(self) -> None:
        from cekura_tui.ui.runs.views import ViewsDialog

        try:
            views = await self.state.workspace.call(lambda session: session.saved_views.all())
        except CekuraTuiError as error:
            self.show_error(error)
            return
        dialog = ViewsDialog(self.state, str(self.controller.listing.filter), views)
        chosen = await self.opening.ask(dialog)
        if chosen is not None:
            self.controller.filter_by(chosen)

    def action_groups(self) -> None:
        """What fails most."""
        from cekura_tui.ui.runs.groups import GroupsScreen, OpenedGroup

        def opened(group: object) -> None:
            if isinstance(group, OpenedGroup):
                self.controller.open_group(group.filter_text)
                self._group = str(self.controller.listing.filter), group.name
                self.controller.draw_now()

        listing = self.controller.listing
        rows = listing.loaded_rows()
        if listing.whole:
            loaded = "of all that pass" if listing.filter else "of all runs"
        else:
            passing = f"of {len(rows):,} that pass, {listing.loaded:,} loaded"
            loaded = f"of {len(rows):,} loaded" if len(rows) == listing.loaded else passing
        # Where the filter asks how runs ended, nothing is known of those that ended otherwise.
        some = any(term.key in ("outcome", "status") for term in listing.filter.terms)
        self.app.push_screen(GroupsScreen(self.state, rows, loaded, some_ends=some), opened)

    # Order and freshness

    def action_sort(self, reverse: bool = False) -> None:
        """By the next column that is seen, or the other way round."""
        runs = self.query_one(RunList)
        at_first = runs.at_top and not runs.cursor_index
        self.controller.sort({name for name, _ in columns(runs.size.width)}, reverse=reverse)
        if at_first and len(runs.rows):  # who looks at the first rows wants those of the new order
            runs.move_to(runs.key_of(runs.rows[0]))

    def action_load_all(self) -> None:
        """Load page after page, or stop."""
        self.controller.load_all()

    def action_live(self) -> None:
        """Follow what is new, or not."""
        self.controller.toggle_live()

    def action_refresh(self) -> None:
        """Reload the list, as of now."""
        self.controller.refresh()

    def action_whole_error(self) -> None:
        """The whole of the error that the list shows."""
        if self.controller.trouble is not None:
            self.show_error(self.controller.trouble)

    def action_pick_scope(self) -> None:
        """Another project or agent."""
        self.pick_scope(None)

    def action_jobs_pane(self) -> None:
        """Show or hide the jobs pane."""
        self._jobs_pane.display = not self._jobs_pane.display

    # Marked runs

    @on(RunList.Marked, "#runs")
    def _marks_changed(self, event: RunList.Marked) -> None:
        """Remember the rows of what is marked."""
        rows = {key: self._row_of(key) or self._marked.get(key) for key in event.marks if isinstance(key, int)}
        self._marked = {key: row for key, row in rows.items() if row is not None}
        self._draw_counts()
        if event.left_out:
            few = f"up to {RunList.range_limit:,} loaded rows are marked at once"
            self.notify_once(f"{event.left_out:,} rows of the range are not marked: {few}.", warning=True)

    def action_clear_marks(self) -> None:
        """Unmark all; where none is, stop loading, or go back from a group to all that was listed."""
        if self.query_one(RunList).marks:
            self._unmark()
        else:
            self.controller.step_back()

    def _unmark(self) -> None:
        self.query_one(RunList).marks = frozenset()
        self._marked = {}
        self.controller.draw_now()

    def _chosen(self) -> list[RunRow]:
        """The marked runs as they are now, the newest first, else the one under the cursor."""
        runs = self.query_one(RunList)
        ids = runs.marked_ids or ([runs.cursor_id] if runs.cursor_id is not None else [])
        rows = [self._row_of(number) or self._marked.get(number) for number in ids]
        return [row for row in rows if row is not None]

    def action_improve(self) -> None:
        """Improve from the marked runs, else from the one under the cursor."""
        self.improve([row.id for row in self._chosen()])

    def improved(self, job: Job) -> None:
        """A job was launched: the marks have served."""
        self._unmark()

    def action_hand_off(self) -> None:
        """Copy links, ids or rows of the marked runs, or save them."""
        self.opening.begin(self._hand_off, "Reading runs", group="hand-off")

    async def _hand_off(self) -> None:
        from cekura_tui.ui.runs.export import SAVE_ALL, SAVE_THESE, CopyRunsDialog

        if not (rows := self._chosen()):
            return
        listing, dashboard = self.controller.listing, self.state.workspace.setup.settings.dashboard_url
        dialog = CopyRunsDialog(self.state, rows, dashboard, listing.scope, listing.notes)
        answer = await self.opening.ask(dialog)
        if answer in (SAVE_THESE, SAVE_ALL):
            self._export(rows if answer == SAVE_THESE else [])

    def action_export(self) -> None:
        """Save the marked runs, or the list, to a file."""
        self._export(self._chosen() if self.query_one(RunList).marks else [])

    def _export(self, rows: list[RunRow]) -> None:
        from cekura_tui.ui.runs.export import ExportRunsDialog

        listing = self.controller.listing
        if listing.scope is not None:
            shown = listing.loaded_rows() if listing.whole else None
            self.app.push_screen(ExportRunsDialog(self.state, listing.query, rows, shown, listing.notes))

    # Notes

    async def action_note(self) -> None:
        """Note something on the run under the cursor; what was typed stays until it is saved or given up."""
        run_id = self.query_one(RunList).cursor_id
        if run_id is not None:
            self._look_up_note(run_id, await self._ask_for_note(run_id, self.controller.listing.notes.get(run_id, "")))

    async def _ask_for_note(self, run_id: int, former: str, typed: str | None = None, problem: str = "") -> NoteDialog:
        workspace = self.state.workspace

        def save_when_leaving(text: str) -> None:
            workspace.send(lambda session: session.notes.save(run_id, text))

        def answered(text: str | None) -> None:
            if text is not None and text != dialog.before:
                self._save_note(run_id, dialog.before, text)

        dialog = NoteDialog(run_id, former, keep=save_when_leaving, typed=typed, problem=problem)
        await self.app.push_screen(dialog, answered)
        dialog.set_focus(dialog.query_one(NoteInput))
        return dialog

    @work(group="note-look-up", exclusive=True)
    async def _look_up_note(self, run_id: int, dialog: NoteDialog) -> None:
        try:
            await self.controller.read_notes()
        except CekuraTuiError as error:
            dialog.report(error.sentence())
        else:
            dialog.replace_former(self.controller.listing.notes.get(run_id, ""))

    @work(group="note")
    async def _save_note(self, run_id: int, former: str, text: str) -> None:
        try:
            await self.controller.save_note(run_id, text)
        except CekuraTuiError as error:
            await self._ask_for_note(run_id, former, text, error.sentence())
