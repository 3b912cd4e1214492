"""The run list, the app's first screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import methodcaller
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import ALL
from cekura_tui.model.job import Job
from cekura_tui.model.run.columns import COLUMN_BY_NAME, GUTTER, SORT_CYCLE, Sort
from cekura_tui.model.run.listed_runs import UnloadedRun
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import NoScope
from cekura_tui.model.text import count
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import Notice
from cekura_tui.ui.kit.lists import ColumnHeader
from cekura_tui.ui.kit.page import Page, error_action, unless_failed
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.messages import CompareRuns, OpenRun, WriteNote
from cekura_tui.ui.runs.controller import RunsController
from cekura_tui.ui.runs.filter_bar import FilterBar, FilterInput
from cekura_tui.ui.runs.header import OutcomeBar, RunsHeader, header_facts
from cekura_tui.ui.runs.list import MarkedRuns, RunList, explain_empty
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.ui.runs.outcomes import next_outcome, toggle_outcome
from cekura_tui.ui.runs.preview import PreviewLoader, RunPreview
from cekura_tui.ui.state import AppState, follow_jobs, is_visible
from cekura_tui.workspace.run_feed import VisibleRange


def _why_not_filter_at_once(page: RunsScreen) -> str | None:
    """NOT_OFFERED while the filter input is open, or the run list, which handles `/` in order, has the focus."""
    return NOT_OFFERED if isinstance(page.focused, RunList) or page.filter_bar.editing else None


def _why_not_improve(page: RunsScreen) -> str | None:
    """Why the marked runs cannot be improved together, as a sentence. Not offered if no run is listed or marked."""
    if not page.marked.rows and not len(page.controller.listing.rows):
        return NOT_OFFERED
    return page.marked.why_not_improve()


def _why_not_compare_one(page: RunsScreen) -> str | None:
    """None if no run is marked. If one run or more than two runs are marked, a sentence says that two are needed. Not
    offered if two runs are marked, because another action compares marked runs, or if the list is empty."""
    if len(page.marked.ids) == 2 or not len(page.controller.listing.rows):
        return NOT_OFFERED
    marked = len(page.marked.ids)
    return f"Compare takes two runs; {marked:,} {'is' if marked == 1 else 'are'} marked." if marked else None


def _why_not_back(page: RunsScreen) -> str | None:
    """None (offered) in a group and while runs or checks load; not while runs are marked: esc first unmarks them."""
    return None if not page.marked.rows and _can_step_back(page) else NOT_OFFERED


def _can_step_back(page: RunsScreen) -> bool:
    return bool(page.controller.group) or page.controller.loading


def _back_label(page: RunsScreen) -> str | None:
    """ "Stop" while runs or checks are loading; None in a list of all runs, where a note names the key that stops."""
    controller = page.controller
    return "" if not controller.loading else "Stop" if controller.group or controller.listing.filter else None


def _why_not_clear_filter(page: RunsScreen) -> str | None:
    """None (offered) if there is a filter and esc has nothing else to do."""
    free = not page.marked.rows and not _can_step_back(page)
    return None if free and page.controller.listing.filter else NOT_OFFERED


class RunsScreen(Page):
    """Lists a scope's runs that match a filter, newest first, loaded as they scroll into view, above `jobs_pane`."""

    PLACE = "In the list of runs"
    PARTS = (RunList, FilterInput)
    SHEETS = ("jobs",)
    FIRST_READS = ("preview",)
    AUTO_FOCUS = "RunList"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "runs.retry",
            "r",
            lambda page: page.controller.refresh(),
            "Retry",
            "Load the list again after an error",
            footer=1,
            why_not=unless_failed,
        ),
        Action(
            "runs.improve",
            "i",
            lambda page: page.improve([row.id for row in page.marked.chosen()]),
            "Improve",
            "Propose a better prompt from the marked runs, or from this one",
            footer=3,
            command="Improve the prompt",
            why_not=_why_not_improve,
        ),
        Action("runs.test", "T", lambda page: page.test_marked(), "Test", "Call the scenarios of these runs again", 10),
        Action(
            "runs.compare-marked",
            "equals_sign",
            lambda page: page.compare(*page.marked.ids),
            "Compare",
            "Compare the two marked runs",
            footer=2,
            command="Compare runs",
            why_not=lambda page: None if len(page.marked.ids) == 2 else NOT_OFFERED,
        ),
        Action(
            "runs.compare",
            "equals_sign",
            lambda page: page.compare(page.run_list.cursor_id),
            "Compare",
            "Compare two marked runs, or this run with the last passed run of its scenario",
            command="Compare runs",
            why_not=_why_not_compare_one,
        ),
        Action(
            "runs.clear-marks",
            "escape",
            lambda page: page.clear_marks(),
            "Unmark all",
            "Remove all marks",
            footer=4,
            why_not=lambda page: None if page.marked.rows else NOT_OFFERED,
        ),
        Action(
            "runs.back",
            "escape",
            lambda page: page.controller.step_back(),
            "Back",
            "Go back to the groups, or stop loading",
            footer=4,
            why_not=_why_not_back,
            label_now=_back_label,
        ),
        Action(
            "runs.clear-filter",
            "escape",
            lambda page: page.controller.change_filter(ALL),
            "Clear filter",
            "List all runs",
            footer=4,
            why_not=_why_not_clear_filter,
        ),
        Action(
            "runs.filter", "slash", lambda page: page.edit_filter(), "Filter", "List runs that match a filter", footer=5
        ),
        # A priority action runs before keys typed ahead; the focused list handles keys in order anyway.
        Action(
            "runs.filter-at-once",
            "slash",
            lambda page: page.edit_filter(),
            "Filter",
            footer=5,
            priority=True,
            why_not=_why_not_filter_at_once,
        ),
        Action(
            "runs.failures",
            "exclamation_mark",
            lambda page: page.controller.change_filter(page.controller.listing.toggle_failures()),
            "Failures",
            "List failed runs and errors only, or all runs",
            footer=6,
            command="Failures only",
        ),
        Action(
            "runs.groups",
            "b",
            lambda page: page.open_groups(),
            "Groups",
            "What fails most: by check, scenario, personality or result",
            footer=7,
        ),
        Action(
            "runs.views",
            "v",
            lambda page: page.opening.begin(page.choose_view, "Loading views", group="views"),
            "Views",
            "Filters with a name: choose or save one",
            footer=8,
        ),
        Action(
            "runs.outcome",
            "o",
            lambda page: page.list_outcome(1),
            "Outcome",
            "List runs of the next outcome only",
            footer=9,
            command="Next outcome",
        ),
        Action(
            "runs.previous-outcome",
            "O",
            lambda page: page.list_outcome(-1),
            "Previous outcome",
            "List runs of the previous outcome only",
        ),
        Action(
            "runs.note",
            "m",
            lambda page: page.write_note(),
            "Note",
            "Write a note on this run; `note:yes` lists runs with one",
        ),
        Action(
            "runs.hand-off", "y", lambda page: page.hand_off(), "Copy or save", "Links, ids or rows of the marked runs"
        ),
        Action(
            "runs.scope",
            "p",
            lambda page: page.pick_scope(None),
            "Project",
            "List runs of another project or agent",
            command="Choose project or agent",
        ),
        Action(
            "runs.export",
            "w",
            lambda page: page.export(),
            "Export",
            "Save the marked runs or the list to a CSV or JSON file",
        ),
        Action(
            "runs.sort",
            "s",
            lambda page: page.sort(),
            "Sort",
            "Sort by the next column",
            command="Sort by the next column",
        ),
        Action(
            "runs.turn",
            "S",
            lambda page: page.sort(reverse=True),
            "Reverse",
            "Sort by the same column in reverse",
            command="Reverse the order",
        ),
        *(
            Action(
                f"runs.sort-by-{name}", "", methodcaller("sort_by", name), f"Sort by {name}", COLUMN_BY_NAME[name].order
            )
            for name in SORT_CYCLE
        ),
        Action(
            "runs.sort-by-checks",
            "",
            lambda page: page.change_order(partial(page.controller.sort_by, Sort("outcome"))),
            "Sort by most failed checks",
            "Sort by outcome; `{runs.read-on}` loads the checks that are not known",
        ),
        Action(
            "runs.columns",
            "C",
            lambda page: page.opening.begin(page.choose_columns, "Loading views", group="columns"),
            "Columns",
            "Show, hide, move and size columns",
        ),
        Action(
            "runs.read-on",
            "F",
            lambda page: page.controller.load_all(),
            "Load all",
            "Load all matching runs, then the checks of failed runs, or stop loading",
        ),
        Action(
            "runs.live",
            "L",
            lambda page: page.controller.toggle_live(),
            "Live",
            "Follow new runs, or pause",
            command="Live or paused",
        ),
        Action("runs.jobs-pane", "J", lambda page: page.toggle_jobs(), "Jobs pane", "Show or hide the jobs pane"),
        Action(
            "runs.refresh",
            "r",
            lambda page: page.controller.refresh(),
            "Reload",
            "Load the list again",
            why_not=lambda page: None if page.error is None else NOT_OFFERED,
        ),
        error_action("runs", footer=2),
    )
    HELP = """\
# Runs
Newest first. `{run-list.open}` opens a run, `{run-list.mark}` marks it and goes to the next,
`{run-list.mark-range}` marks all runs up to it. `{runs.improve}` proposes a better prompt from up to three marked
runs of one agent, or from the run under the cursor. `{runs.compare}` compares two marked runs, or the run under the
cursor with the last passed run of its scenario.

`{runs.failures}` lists failed runs and errors, `{runs.outcome}` the runs of one outcome after the other; a click on
an outcome does the same. `{runs.groups}` groups the failures, `{runs.views}` has filters with a name,
`{runs.clear-filter}` clears the filter. `{runs.sort}` sorts, as does a click on a column's name; by outcome, the
runs with the most failed checks come first. `{runs.read-on}` loads all matching runs, and pressed again the checks
of failed runs. `{runs.columns}` chooses the columns; `{runs.live}` pauses and resumes live updates.

`{runs.filter}` filters: `outcome:failed,error` `status:failed` (the call, not the test) `scenario:~refund` `agent:`
`persona:` `result:991` `id:48213` `dur>120` `since:2d` `until:2026-11-01` `metric:"Task completion"` `reviewed:no`
`mode:text` `note:yes`, words to search for, and `-` before what to leave out. `until:` a day includes that day.
"""

    def __init__(self, state: AppState, listing: RunListing, jobs_pane: Widget, *, live: bool = True) -> None:
        super().__init__(state)
        self.controller = RunsController(
            self,
            listing,
            draw=self.draw,
            change_order=self.change_order,
            is_seen=partial(is_visible, self),
            is_waiting=self._is_waiting,
            listing_replaced=self._listing_replaced,
            pick_scope=self.pick_scope,
            open_groups=self.open_groups,
            live=live,
        )
        self.filter_bar = FilterBar(id="filter")
        self.run_list = RunList(state.when, opened=self.open_run, id="runs")
        self.marked = MarkedRuns(self.run_list)
        self._jobs_pane = jobs_pane
        self._preview = RunPreview(state)
        self._preview_loader = PreviewLoader(
            self._preview, state, self.run_list, lambda row: self.controller.change_rows([row])
        )
        self._is_replaced = False
        """Whether the list was replaced, and the server has not sent the new list yet."""
        self._first_run: int | None = None
        """The run under the cursor when this list was first shown."""
        self._former_run: int | None = None
        """The run to which the user had moved in the previous list; None if the user had not moved."""
        self._drawn_keys: object = None
        """The state for which the footer's keys were last drawn."""
        self._visible_range = VisibleRange()

    def body(self) -> ComposeResult:
        yield RunsHeader(id="status")
        yield self.filter_bar
        yield OutcomeBar(id="outcomes")
        with Horizontal(id="runs-body"):
            with Pane(title="Runs", id="runs-pane"):
                yield ColumnHeader(self.run_list.headings, GUTTER, id="runs-header")
                yield self.run_list
                yield Notice(id="runs-notice")
            yield self._preview
        yield self._jobs_pane

    def on_mount(self) -> None:
        """Show cached runs; the app calls `controller.load` once the workspace has started."""
        follow_jobs(self, self.state, self._draw_status)
        self.controller.draw_now()
        self.app.screen_change_signal.subscribe(self, lambda _: self.controller.visibility_changed())
        self.controller.start()

    def on_screen_resume(self) -> None:
        """Load the list when the user returns from another screen, if the list was never requested."""
        controller = self.controller
        if self.state.workspace.started and controller.feed.query is None and controller.scope_error is None:
            controller.load()

    def on_resize(self) -> None:
        self._preview_loader.cursor_moved()

    # Callbacks of the controller

    def _is_waiting(self) -> bool:
        """Whether a visible row is not loaded, or no row is visible."""
        runs = self.run_list
        shown = runs.shown_range
        return shown is None or any(isinstance(runs.rows[n], UnloadedRun) for n in range(shown[0], shown[1] + 1))

    def _listing_replaced(self, same_scope: bool) -> None:
        """Prepare for another list. Unless the scope stays the same, drop marks, preview and cursor position."""
        self._is_replaced = True
        if same_scope:
            cursor = self.run_list.cursor_id
            if cursor is not None:
                self._former_run = cursor if cursor != self._first_run else None
            return
        self._former_run = None
        self.marked.clear()
        self._preview_loader.clear()

    def test_marked(self) -> None:
        if rows := self.marked.chosen():
            self.test([row.id for row in rows])

    def pick_scope(self, several: NoScope | None) -> None:
        self.opening.begin(partial(self._pick_scope, several), "Loading projects", group="pick")

    async def _pick_scope(self, several: NoScope | None) -> None:
        from cekura_tui.ui.runs.scope_picker import pick_scope

        def is_free() -> bool:
            return is_visible(self) and not self.filter_bar.editing

        await pick_scope(self, self.controller, several, wanted=is_free)

    # Drawing

    def draw(self) -> None:
        """Redraw everything; the cursor stays on its run."""
        runs, listing = self.run_list, self.controller.listing
        follows = self._insert_new_runs(runs)
        runs.show_notes(listing.notes)
        self._preview.show_notes(listing.notes)
        self._draw_columns()
        rows = listing.rows
        begins = self._starts_at_top(runs)
        runs.show_rows(rows, reset=begins, follow=follows)
        if begins:
            self._first_run = runs.cursor_id
            if self._former_run is not None and listing.place_of(self._former_run) is not None:
                runs.move_to(self._former_run)
        self._is_replaced = self._is_replaced and not listing.fresh
        loaded, is_typing = bool(len(rows)), self.filter_bar.editing
        empty = ("", "") if loaded else explain_empty(self.controller)
        self.show_state(runs, loaded=loaded, error=self.controller.trouble, empty=empty, focus=not is_typing)
        if not loaded:
            if listing.filter and self.state.workspace.started and not self.controller.names_loaded:
                self._read_names()
            self._preview_loader.clear()
        group = self.controller.group
        back = (with_keys("{runs.back} back to groups"),) if group else ()
        notes = listing.filter_notes() or listing.checks_notes(self.controller.checks) or back
        self.filter_bar.show(str(listing.filter), *notes, group=group)
        self._draw_counts()
        self._draw_status()
        self._draw_keys()
        self._preview_loader.rows_changed()
        if listing.loads_more() and len(rows) < runs.rows_that_fit:
            self.controller.feed.load_more()

    def _starts_at_top(self, runs: RunList) -> bool:
        """Whether to show a new, loaded list from its top; not if the user has already moved to a run in the list."""
        listing = self.controller.listing
        if not self._is_replaced or not (listing.fresh or len(listing.rows)):
            return False
        moved = runs.cursor_id is not None and runs.cursor_id not in (self._first_run, self._former_run)
        return not moved or listing.place_of(runs.cursor_id or 0) is None

    def _insert_new_runs(self, runs: RunList) -> bool:
        """Show waiting new runs if the list is at its top and the cursor's row stays visible. Also show new runs if
        rows are filtered or sorted locally. Returns whether the list must stay at its top."""
        paged = self.controller.feed.runs
        if paged is None or not paged.waiting:
            return False
        follows = runs.at_top and (runs.cursor_index or 0) + paged.waiting < runs.rows_that_fit
        if follows or self.controller.listing.local:
            paged.show_waiting()
        return follows

    @work(group="names")
    async def _read_names(self) -> None:
        """Load the scope's names, which complete filters and explain why a filter matches nothing."""
        try:
            read = await self.controller.read_names()
        except CekuraTuiError:
            return  # the names seen so far will do
        if read and not self.is_unmounted:
            self.filter_bar.names = self.controller.names
            if not len(self.controller.listing.rows):
                self.draw()

    def _draw_columns(self) -> None:
        """Show the columns chosen for this filter; in an agent's scope the agent column is hidden by default."""
        listing, header = self.controller.listing, self.query_one(ColumnHeader)
        one_agent = listing.scope is not None and listing.scope.kind == "agent"
        self.run_list.show_columns(listing.columns, listing.sort, one_agent=one_agent)
        header.basis = listing.columns, listing.sort, one_agent, bool(listing.notes)

    def _draw_counts(self) -> None:
        """Update the outcome bar, and the counts of marked, new and outdated runs in the title."""
        feed, outcomes = self.controller.feed, self.controller.listing.outcomes()
        self.query_one(OutcomeBar).outcomes = outcomes
        waiting = feed.runs.waiting if feed.runs else 0
        first, reload = with_keys("{list.first}"), with_keys("{runs.refresh} reload")
        self.query_one("#runs-pane", Pane).show_title(
            "Runs",
            *self.marked.facts(),
            f"{waiting:,}{'+' if feed.flood else ''} new ↑ {first}" if waiting else "",
            f"{outcomes.outdated:,} no longer matching, {reload}" if outcomes.outdated else "",
        )

    def _draw_status(self) -> None:
        facts = header_facts(self.state, self.controller.listing, self.controller.scope_error)
        self.query_one(RunsHeader).facts = facts

    def _draw_keys(self) -> None:
        """Redraw the footer if the state that decides its keys has changed."""
        controller = self.controller
        inside = controller.group, controller.loading
        offered = min(len(self.marked.rows), 3), inside, bool(controller.listing.filter), controller.trouble is None
        if offered != self._drawn_keys:
            self._drawn_keys = offered
            self.refresh_bindings()

    # The list

    @on(RunList.InView, "#runs")
    def _in_view(self, event: RunList.InView) -> None:
        runs, former, controller = self.run_list, self._visible_range, self.controller
        if runs.rows is not controller.listing.rows or controller.listing.local or not controller.feed.runs:
            return
        step = -1 if event.first < former.first else 1 if event.first > former.first else former.step
        self._visible_range = VisibleRange(event.first, event.last, runs.cursor_index or 0, step)
        controller.feed.set_view(self._visible_range)

    @on(RunList.NearEnd, "#runs")
    def _near_end(self) -> None:
        if self.controller.listing.loads_more():
            self.controller.feed.load_more()

    @on(RunList.TopRequested, "#runs")
    def _go_to_newest(self, event: RunList.TopRequested) -> None:
        """Insert waiting new runs, and go to the newest unless the cursor has moved. Reload if some were not sent."""
        runs, feed = self.run_list, self.controller.feed
        if feed.runs is not None and feed.runs.waiting:
            feed.runs.show_waiting()
            self.controller.draw_now()
        if runs.cursor_key == event.key and len(runs.rows):
            runs.move_to(runs.key_of(runs.rows[0]))
        if feed.flood:
            feed.refresh()

    def open_run(self, run_id: int, turn: int | None = None) -> None:
        if self.is_current:
            cursor_row = self.run_list.cursor_row
            row = cursor_row if isinstance(cursor_row, RunRow) and cursor_row.id == run_id else None
            neighbour_of = self.controller.listing.neighbour_of
            self.state.ask(OpenRun(run_id, turn, row=row, neighbour_of=neighbour_of, closed=self._run_closed))

    def _run_closed(self, run_id: object) -> None:
        if isinstance(run_id, int):
            self.controller.draw_now()
            self.run_list.move_to(run_id)

    @on(RunList.Moved, "#runs")
    def _cursor_moved(self) -> None:
        self._preview_loader.cursor_moved()

    # The filter

    def edit_filter(self) -> None:
        bar = self.filter_bar
        bar.names = self.controller.names_seen()
        bar.edit()
        self._read_history()
        self._read_names()

    @work(group="filter-history", exclusive=True)
    async def _read_history(self) -> None:
        try:
            history = await self.state.workspace.do(lambda session: session.store.views.used())
        except CekuraTuiError as error:
            self.notify_once(error.sentence(), warning=True)
        else:
            self.filter_bar.history = history

    @on(FilterBar.Submitted)
    def _filter_typed(self, event: FilterBar.Submitted) -> None:
        self.controller.filter_by(event.text)

    def list_outcome(self, step: int) -> None:
        self.controller.change_filter(next_outcome(self.controller.listing.filter, step))

    @on(OutcomeBar.Chosen)
    def _outcome_chosen(self, event: OutcomeBar.Chosen) -> None:
        self.controller.change_filter(toggle_outcome(self.controller.listing.filter, event.kind))

    async def choose_view(self) -> None:
        from cekura_tui.ui.runs.views import choose_view

        await choose_view(self, self.controller)

    def open_groups(self) -> None:
        from cekura_tui.ui.runs.groups import open_groups

        open_groups(self, self.controller)

    # Order and freshness

    def sort(self, reverse: bool = False) -> None:
        """Sort by the next visible column, or reverse the order."""
        sort = self.controller.listing.sort
        sort = sort.reversed() if reverse else sort.next([name for name, _ in self.run_list.cells])
        self.change_order(partial(self.controller.sort_by, sort))

    def sort_by(self, column: str) -> None:
        sort = self.controller.listing.sort
        self.change_order(partial(self.controller.sort_by, sort.reversed() if sort.column == column else Sort(column)))

    @on(ColumnHeader.Clicked)
    def _header_clicked(self, event: ColumnHeader.Clicked) -> None:
        self.sort_by(event.column)

    def change_order(self, sort: Callable[[], None]) -> None:
        """Call `sort`. If the cursor was on the first row, move the cursor to the new first row."""
        runs = self.run_list
        at_first = runs.at_top and not runs.cursor_index
        sort()
        if at_first and len(runs.rows):
            runs.move_to(runs.key_of(runs.rows[0]))

    async def choose_columns(self) -> None:
        from cekura_tui.ui.runs.columns_dialog import choose_columns

        await choose_columns(self, self.controller, self.run_list)

    def toggle_jobs(self) -> None:
        self._jobs_pane.display = not self._jobs_pane.display

    # Marked runs

    @on(RunList.Marked, "#runs")
    def _marks_changed(self, event: RunList.Marked) -> None:
        self.marked.update(event.marks)
        self._draw_counts()
        self._draw_keys()
        if event.left_out:
            few = f"at most {RunList.range_limit:,} loaded runs can be marked at once"
            self.notify_once(f"{count(event.left_out, 'run')} not marked: {few}.", warning=True)

    def clear_marks(self) -> None:
        self.marked.clear()
        self.controller.draw_now()

    def compare(self, run_id: int | None, other_id: int | None = None) -> None:
        """Compare two runs, or one with the last passed run of its scenario. Do nothing if `run_id` is None."""
        if run_id is None:
            return

        def opened(turn: object) -> None:
            if isinstance(turn, int):
                self.open_run(run_id, turn)

        self.state.ask(CompareRuns(run_id, other_id, opened))

    def job_launched(self, job: Job) -> None:
        self.clear_marks()

    def hand_off(self) -> None:
        from cekura_tui.ui.runs.export import copy_runs

        if rows := self.marked.chosen():
            copy_runs(self, self.controller.listing, rows)

    def export(self) -> None:
        from cekura_tui.ui.runs.export import export_runs

        export_runs(self, self.controller.listing, self.marked.chosen() if self.marked.ids else [])

    def write_note(self) -> None:
        if (run_id := self.run_list.cursor_id) is not None:
            self.state.ask(WriteNote(run_id))
