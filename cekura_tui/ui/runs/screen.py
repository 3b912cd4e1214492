"""The run list: where the app starts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import ALL, GIVEN_VIEWS, Filter, Term, Value
from cekura_tui.model.filter.parse import unknown_name
from cekura_tui.model.job import Job
from cekura_tui.model.run.columns import Cells, RunColumns
from cekura_tui.model.run.listing import UnloadedRun
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow, completed
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.actions import NOT_OFFERED, Action, bindings
from cekura_tui.ui.kit.lines import Notice
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.messages import CompareRuns, OpenRun, PrepareRunScreen
from cekura_tui.ui.runs.controller import RunListing, RunsController
from cekura_tui.ui.runs.filter_bar import FilterBar
from cekura_tui.ui.runs.header import HeaderFact, HeaderFacts, OutcomeBar, RunsHeader
from cekura_tui.ui.runs.list import RunList, RunListHeader
from cekura_tui.ui.runs.notes import NoteDialog, NoteInput
from cekura_tui.ui.runs.preview import RunPreview
from cekura_tui.ui.state import AppState, follow, is_visible
from cekura_tui.workspace.run_feed import VisibleRange

PREVIEW_DELAY = 0.15
"""Seconds that the cursor rests on a run before it is fetched for the preview."""


def _while_typing(page: RunsScreen) -> str | None:
    """While a filter is typed, its key is a letter as any other."""
    return NOT_OFFERED if page.filter_bar.editing else None


def _in_the_list(page: RunsScreen) -> str | None:
    return NOT_OFFERED if isinstance(page.focused, RunList) else _while_typing(page)


def _of_one_agent(page: RunsScreen) -> str | None:
    """A job takes runs of one agent: what is marked of others is said before anything is asked."""
    if not page.marked_rows and not len(page.controller.listing.rows):
        return NOT_OFFERED
    newest = {row.agent_id: row for row in sorted(page.marked_rows, key=lambda row: row.id)}
    if len(newest) < 2:
        return None
    rows = sorted(newest.values(), key=lambda row: row.id, reverse=True)[:3]
    return f"Mark runs of one agent only: {', '.join(f'{row.id} is of “{row.agent}”' for row in rows)}."


def _with_two_marks(page: RunsScreen) -> str | None:
    return _while_typing(page) if len(page.marks) == 2 else NOT_OFFERED


def _with_other_marks(page: RunsScreen) -> str | None:
    """Any other number than two of marked runs, or none: then it is the run under the cursor."""
    if len(page.marks) == 2 or not len(page.controller.listing.rows):
        return NOT_OFFERED
    typing = _while_typing(page)
    return "Mark two runs to compare them." if page.marks and typing is None else typing


def _with_marks(page: RunsScreen) -> str | None:
    return None if page.marked_rows else NOT_OFFERED


def _inside(page: RunsScreen) -> str | None:
    """There is a group to leave, or loading to stop."""
    return None if not page.marked_rows and _can_step_back(page) else NOT_OFFERED


def _can_step_back(page: RunsScreen) -> bool:
    controller = page.controller
    return bool(controller.group) or controller.feed.loading_all or controller.listing.loading_checks


def _with_filter(page: RunsScreen) -> str | None:
    """There is a filter, and nothing else that the key is for."""
    if page.marked_rows or _can_step_back(page) or not page.controller.listing.filter:
        return NOT_OFFERED
    return _while_typing(page)


def _in_trouble(page: RunsScreen) -> str | None:
    return NOT_OFFERED if page.controller.trouble is None else _while_typing(page)


def _without_trouble(page: RunsScreen) -> str | None:
    return _while_typing(page) if page.controller.trouble is None else NOT_OFFERED


_ORDERS = {
    "when": "Newest first",
    "outcome": "Most failed checks first, then errors",
    "scenario": "Scenarios from A to Z",
    "personality": "Personalities from A to Z",
    "agent": "Agents from A to Z",
    "length": "Longest calls first",
    "run": "Highest run ids first",
}
"""What sorting by a column does; a second time turns it round."""


def _host(origin: str) -> str:
    """The server of an origin by its name alone."""
    return urlsplit(origin).hostname or "built-in demo"


def _agents_of(wanted: Filter) -> list[str]:
    """The agents that a filter asks for, as they are written in it."""
    terms = [term for term in wanted.terms if term.key == "agent" and not term.negated]
    return [str(Filter((term,))).partition(":")[2] for term in terms]


class RunsScreen(Page):
    """Lists the runs of a scope that pass a filter, newest first; pages are fetched as they come into view.

    `jobs_pane` is shown below the list.
    """

    AUTO_FOCUS = "RunList"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "runs.retry",
            "r",
            "retry",
            "Retry",
            "Load the list again after an error",
            footer=1,
            why_not=_in_trouble,
        ),
        Action(
            "runs.improve",
            "i",
            "improve",
            "Improve",
            "Propose a better prompt from the marked runs, or from this one",
            footer=3,
            command="Improve the prompt",
            why_not=_of_one_agent,
        ),
        Action(
            "runs.compare-marked",
            "equals_sign",
            "compare_marked",
            "Compare",
            "Compare the two marked runs",
            footer=2,
            command="Compare runs",
            key_display="=",
            why_not=_with_two_marks,
        ),
        Action(
            "runs.compare",
            "equals_sign",
            "compare",
            "Compare",
            "Compare two marked runs, or this run with the last passed run of its scenario",
            command="Compare runs",
            key_display="=",
            why_not=_with_other_marks,
        ),
        Action(
            "runs.clear-marks",
            "escape",
            "clear_marks",
            "Unmark all",
            "Remove all marks",
            footer=4,
            why_not=_with_marks,
        ),
        Action(
            "runs.back",
            "escape",
            "step_back",
            "Back",
            "Leave the group, or stop loading",
            footer=4,
            why_not=_inside,
        ),
        Action(
            "runs.clear-filter",
            "escape",
            "clear_filter",
            "Clear filter",
            "List all runs",
            footer=4,
            why_not=_with_filter,
        ),
        Action(
            "runs.filter",
            "slash",
            "filter",
            "Filter",
            "List runs that match a filter",
            footer=5,
            key_display="/",
            why_not=_while_typing,
        ),
        # With priority it is done before the next key is looked at; the list of runs sees to that itself, in its turn.
        Action(
            "runs.filter-at-once",
            "slash",
            "filter_at_once",
            "Filter",
            footer=5,
            key_display="/",
            priority=True,
            why_not=_in_the_list,
        ),
        Action(
            "runs.failures",
            "exclamation_mark",
            "failures",
            "Failures",
            "List failed runs and errors only, or all runs",
            footer=6,
            key_display="!",
            command="Failures only",
            why_not=_while_typing,
        ),
        Action(
            "runs.groups",
            "b",
            "groups",
            "Groups",
            "What fails most, and since when",
            footer=7,
            why_not=_while_typing,
        ),
        Action(
            "runs.views",
            "v",
            "views",
            "Views",
            "Filters with a name: choose or save one",
            footer=8,
            why_not=_while_typing,
        ),
        Action(
            "runs.outcome",
            "o",
            "outcome(1)",
            "Outcome",
            "List runs of the next outcome only",
            footer=9,
            command="Next outcome",
            why_not=_while_typing,
        ),
        Action(
            "runs.previous-outcome",
            "O",
            "outcome(-1)",
            "Previous outcome",
            "List runs of the previous outcome only",
            why_not=_while_typing,
        ),
        Action("runs.note", "m", "note", "Note", "Write a note on this run", why_not=_while_typing),
        Action("runs.hand-off", "y", "hand_off", "Copy or save", "Links, ids or rows of the marked runs"),
        Action(
            "runs.scope",
            "p",
            "pick_scope",
            "Project",
            "List runs of another project or agent",
            command="Choose project or agent",
        ),
        Action("runs.export", "e", "export", "Export", "Save the marked runs or the list to a file"),
        Action("runs.sort", "s", "sort(False)", "Sort", "Sort by the next column", command="Sort by the next column"),
        Action(
            "runs.turn", "S", "sort(True)", "Reverse", "Sort by the same column in reverse", command="Reverse the order"
        ),
        *(
            Action(f"runs.sort-by-{name}", "", f"sort_by('{name}')", f"Sort by {name}", does)
            for name, does in _ORDERS.items()
        ),
        Action(
            "runs.sort-by-checks",
            "",
            "most_failed_checks",
            "Sort by most failed checks",
            "Sort by outcome; `F` loads the checks that are not known",
        ),
        Action("runs.columns", "c", "columns", "Columns", "Show, hide, move and size columns", why_not=_while_typing),
        Action(
            "runs.read-on",
            "F",
            "load_all",
            "Load all",
            "Load all matching runs, then the checks of failed runs, or stop loading",
        ),
        Action("runs.live", "L", "live", "Live", "Follow new runs, or pause", command="Live or paused"),
        Action("runs.jobs-pane", "J", "jobs_pane", "Jobs pane", "Show or hide the jobs pane"),
        Action("runs.refresh", "r", "refresh", "Reload", "Load the list again", why_not=_without_trouble),
        Action("runs.error", "enter", "whole_error", "Show error", footer=2, key_display="enter", why_not=_in_trouble),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)
    HELP = """\
# Runs
Newest first. `enter` opens a run, `space` marks it, `V` marks all runs up to it. `i` proposes a better prompt from up
to three marked runs of one agent, or from the run under the cursor. `=` compares two marked runs, or the run under the
cursor with the last passed run of its scenario.

`!` lists failed runs and errors, `o` the runs of one outcome after the other; a click on an outcome does the same.
`b` groups the failures, `v` has filters with a name, `esc` clears the filter. `s` sorts, as does a click on a column's
name; by outcome, the runs with the most failed checks come first. `F` loads all matching runs, and pressed again the
checks of failed runs. `c` chooses the columns; `L` pauses and resumes live updates.

`/` filters: `status:failed,timeout` `outcome:failed` `scenario:~refund` `agent:` `persona:` `result:991` `id:48213`
`dur>120` `since:2d` `until:2026-11-01` `metric:"Task completion"` `reviewed:no` `mode:text` `note:yes`, words to search
for, and `-` before what to leave out.
"""

    def __init__(self, state: AppState, listing: RunListing, jobs_pane: Widget, *, live: bool = True) -> None:
        super().__init__(state)
        self.controller = RunsController(state, listing, self, live=live)
        self.filter_bar = FilterBar(id="filter")
        self._jobs_pane = jobs_pane
        self._marked: dict[int, RunRow] = {}
        """The rows of marked runs: those that are listed no more are still marked."""
        self._other_runs = False
        """Other runs than before are listed, and the server has not sent them yet."""
        self._first_run: int | None = None
        """The run under the cursor when the list began."""
        self._run_before: int | None = None
        """The run to which somebody had moved in the list before."""
        self._offered: object = None
        """What the keys depend on, as it was when the footer was drawn."""
        self._view = VisibleRange()
        self._preview_timer: Timer | None = None
        self._previewed: tuple[int, Outcome] | None = None

    def body(self) -> ComposeResult:
        """Facts, filter, outcomes, list and preview, jobs."""
        yield RunsHeader(id="status")
        yield self.filter_bar
        yield OutcomeBar(id="outcomes")
        with Horizontal(id="runs-body"):
            with Pane(title="Runs", id="runs-pane"):
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
        self.opening.begin(partial(self._pick_scope, several), "Loading projects", group="pick")

    async def _pick_scope(self, several: NoScope | None) -> None:
        from cekura_tui.ui.runs.scope_picker import PickScopeDialog

        workspace, listing = self.state.workspace, self.controller.listing
        try:
            projects = several.projects if several else await workspace.call(lambda session: session.projects())
            if not is_visible(self) or self.filter_bar.editing:
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
        self._draw_columns()
        rows = listing.rows
        begins = self._begins(runs)
        runs.show_rows(rows, reset=begins, follow=follows)
        if begins:
            self._first_run = runs.cursor_id
            if self._run_before is not None and listing.place_of(self._run_before) is not None:
                runs.move_to(self._run_before)
        self._other_runs = self._other_runs and not listing.fresh
        empty = not len(rows)
        if empty and runs.has_focus:
            self.set_focus(None)  # it may be empty for a moment; Textual would give the focus to the jobs for good
        runs.display, notice.display = not empty, empty
        if empty:
            self._draw_notice(notice)
            if listing.filter and self.state.workspace.started and not self.controller.names_read:
                self._read_names()
            self._clear_preview()
        elif not self.focused and not self.filter_bar.editing:
            runs.focus()
        notes, group = listing.filter_notes(), self.controller.group
        notes = notes or (("esc leaves the group",) if group else ())
        self.filter_bar.show(str(listing.filter), *notes, group=group)
        self._draw_counts()
        self._draw_status()
        self._draw_keys()
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
            notice.show("No failed runs here.", "! show all runs · p choose another project")
        elif listing.filter:
            full, sweep = paged is not None and paged.full, self.controller.feed.sweep
            more = "" if listing.whole else f" among the loaded runs{'' if full else ' · F load all'}"
            if sweep is not None and sweep.running:
                more = " yet. Checking the other runs …"
            keys = "/ change the filter · esc clear the filter · v views · r reload"
            notice.show(f"No matching runs{more or '.'}", "\n".join((*self._why_nothing_matches(), keys)))
        else:
            notice.show("No runs here yet.", "p choose another project or agent · r reload")

    def _why_nothing_matches(self) -> Iterator[str]:
        """What a person may have meant by a filter that finds nothing."""
        controller, wanted = self.controller, self.controller.listing.filter
        if (term := unknown_name(wanted, controller.names)) is not None:
            value = term.values[0].text
            part = Term(term.key, (Value(value, contains=True),))
            name = "personality" if term.key == "persona" else term.key
            yield f"No {name} is called “{clean_line(value, 40)}”; {clean_line(str(part), 60)} finds parts of names"
        if any(not term.key and not term.negated for term in wanted.terms):
            yield "Words search names only · ctrl+f searches transcripts"

    @work(group="names")
    async def _read_names(self) -> None:
        """The names that are known of the scope complete the filter, and say which of them is not there."""
        try:
            read = await self.controller.read_names()
        except CekuraTuiError:
            return  # those that were seen will do
        if read and not self.gone:
            self.filter_bar.names = self.controller.names
            if not len(self.controller.listing.rows):
                self.draw()

    def _draw_columns(self) -> None:
        """The columns of the filter in effect; where all runs are of one agent, that has none by default."""
        listing, header = self.controller.listing, self.query_one(RunListHeader)
        one_agent = listing.scope is not None and listing.scope.kind == "agent"
        self.query_one(RunList).show_columns(listing.columns, one_agent=one_agent)
        header.sort, header.columns, header.one_agent = listing.sort, listing.columns, one_agent

    def _draw_counts(self) -> None:
        """How many runs there are and how they ended; in the title what is marked and what is new."""
        feed, outcomes = self.controller.feed, self.controller.listing.outcomes()
        self.query_one(OutcomeBar).outcomes = outcomes
        marked, agents = len(self.query_one(RunList).marks), len({row.agent_id for row in self.marked_rows})
        waiting = feed.runs.waiting if feed.runs else 0
        self.query_one("#runs-pane", Pane).show_title(
            "Runs",
            f"{marked:,} marked" if marked else "",
            f"{agents} agents" if agents > 1 else "",
            f"{waiting:,}{'+' if feed.flood else ''} new ↑ g" if waiting else "",
            f"{outcomes.outdated:,} no longer matching, r reload" if outcomes.outdated else "",
        )

    def _draw_status(self) -> None:
        """Where one is, how fresh it is, and what runs."""
        setup, listing, scope = self.state.workspace.setup, self.controller.listing, self.controller.listing.scope
        profile, locked = "demo" if setup.demo else setup.profile, ("read-only",) if setup.read_only else ()
        place = "…" if scope is None else scope.name or str(scope.id)
        project, agent = HeaderFact("Project", place), ", ".join(_agents_of(listing.filter)) or "all agents"
        if scope is not None and scope.kind == "result":
            project = HeaderFact("Result", place)
        elif scope is not None and scope.kind == "agent":
            project, agent = HeaderFact("Project", "–"), place
        going = sum(job.state.going for job in self.state.jobs)
        self.query_one(RunsHeader).facts = HeaderFacts(
            (HeaderFact("Profile", " · ".join((profile, *locked))), HeaderFact("Agent", agent)),
            (project, HeaderFact("Server", _host(setup.origin))),
            (profile, scope.shown if scope else "…", *locked),
            listing.freshness(self.state.when, self.controller.scope_error),
            f"{count(going, 'job')} running" if going else "",
        )

    def _draw_keys(self) -> None:
        """The footer shows the keys that matter as it is now."""
        controller = self.controller
        inside = controller.group, controller.feed.loading_all, controller.listing.loading_checks
        offered = min(len(self._marked), 3), inside, bool(controller.listing.filter), controller.trouble is None
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

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

    def open_run(self, run_id: int, turn: int | None = None) -> None:
        """Open a run whole, perhaps at a turn."""
        if self.is_current:
            cursor_row = self.query_one(RunList).cursor_row
            row = cursor_row if isinstance(cursor_row, RunRow) and cursor_row.id == run_id else None
            beside = self.controller.listing.beside
            self.state.ask(OpenRun(run_id, turn, row=row, beside=beside, closed=self._run_closed))

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
                preview.clear(f"Loading run {run_id} …", run_id)
            if view is None or not view.row.outcome.settled:
                view = await self.state.workspace.call(lambda session: session.run(run_id))
        except CekuraTuiError as error:
            preview.clear(f"! {error.sentence()}", run_id)
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
        bar = self.filter_bar
        bar.names = self.controller.names_seen()
        bar.edit()
        self._read_history()
        self._read_names()

    @work(group="filter-history", exclusive=True)
    async def _read_history(self) -> None:
        try:
            history = await self.state.workspace.call(lambda session: session.saved_views.history())
        except CekuraTuiError as error:
            self.notify_once(error.sentence(), warning=True)
        else:
            self.filter_bar.history = history

    def action_clear_filter(self) -> None:
        """List all runs."""
        self.controller.change_filter(ALL)

    @on(FilterBar.Submitted)
    def _filter_typed(self, event: FilterBar.Submitted) -> None:
        self.controller.filter_by(event.text)

    def action_failures(self) -> None:
        """Only runs that did not succeed, or all."""
        self.controller.change_filter(self.controller.listing.toggle_failures())

    def action_outcome(self, step: int) -> None:
        """Only runs of the next outcome, or of the one before."""
        self.controller.change_filter(self.controller.listing.next_outcome(step))

    @on(OutcomeBar.Chosen)
    def _outcome_chosen(self, event: OutcomeBar.Chosen) -> None:
        """Only runs of this outcome, or of all."""
        self.controller.change_filter(self.controller.listing.toggle_outcome(event.kind))

    def action_views(self) -> None:
        """Choose a filter by its name, or give the one in effect a name."""
        self.opening.begin(self._choose_view, "Loading views", group="views")

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
                self.controller.open_group(group.name, group.filter_text)

        listing = self.controller.listing
        rows = listing.loaded_rows()
        if listing.whole:
            loaded = "in all matching runs" if listing.filter else "in all runs"
        else:
            matching = f"in {len(rows):,} matching of {listing.loaded:,} loaded runs"
            loaded = f"in {len(rows):,} loaded runs" if len(rows) == listing.loaded else matching
        # Where the filter asks how runs ended, nothing is known of those that ended otherwise.
        some = any(term.key in ("outcome", "status") for term in listing.filter.terms)
        self.app.push_screen(GroupsScreen(self.state, rows, loaded, some_ends=some), opened)

    # Order and freshness

    def action_sort(self, reverse: bool = False) -> None:
        """By the next column that is seen, or the other way round."""
        seen = {name for name, _ in self.query_one(RunList).cells}
        self.change_order(lambda: self.controller.sort(seen, reverse=reverse))

    def action_sort_by(self, column: str) -> None:
        """By this column, or the other way round."""
        self.change_order(lambda: self.controller.sort_by(column))

    def action_most_failed_checks(self) -> None:
        """By outcome, the most failed checks first."""
        self.change_order(self.controller.most_failed_checks)

    @on(RunListHeader.Clicked)
    def _header_clicked(self, event: RunListHeader.Clicked) -> None:
        self.action_sort_by(event.column)

    def change_order(self, sort: Callable[[], None]) -> None:
        """Sort, and show the first rows of the new order to whoever looks at the first ones now."""
        runs = self.query_one(RunList)
        at_first = runs.at_top and not runs.cursor_index
        sort()
        if at_first and len(runs.rows):
            runs.move_to(runs.key_of(runs.rows[0]))

    def action_columns(self) -> None:
        """Show, hide, move and size columns."""
        self.opening.begin(self._choose_columns, "Loading views", group="columns")

    async def _choose_columns(self) -> None:
        from cekura_tui.ui.runs.columns import ColumnsDialog

        listing, runs = self.controller.listing, self.query_one(RunList)
        text = str(listing.filter)
        try:
            views = await self.state.workspace.call(lambda session: session.saved_views.all())
        except CekuraTuiError as error:
            self.show_error(error)
            return
        view = next((view.name for view in (*GIVEN_VIEWS, *views) if view.filter == text), None)
        for_filter = "" if view is None else text

        def cells(columns: RunColumns) -> Cells:
            self.controller.choose_columns(for_filter, columns)
            return runs.cells

        await self.opening.ask(ColumnsDialog(view or "", listing.columns, cells))
        try:
            await self.controller.save_columns(for_filter)
        except CekuraTuiError as error:
            self.notify_once(error.sentence(), warning=True)

    def action_load_all(self) -> None:
        """Load page after page, then the checks of failed runs; or stop."""
        self.controller.load_all()

    def action_live(self) -> None:
        """Follow what is new, or not."""
        self.controller.toggle_live()

    def action_retry(self) -> None:
        """Load the list again after an error."""
        self.controller.refresh()

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
        self._draw_keys()
        if event.left_out:
            few = f"at most {RunList.range_limit:,} loaded runs can be marked at once"
            self.notify_once(f"{count(event.left_out, 'run')} not marked: {few}.", warning=True)

    @property
    def marks(self) -> Collection[Hashable]:
        """The ids of the marked runs, at once when they are marked."""
        return self.query_one(RunList).marks

    @property
    def marked_rows(self) -> Collection[RunRow]:
        """The rows of the marked runs, as they were when they were marked."""
        return self._marked.values()

    def action_clear_marks(self) -> None:
        """Unmark all."""
        self._unmark()

    def action_step_back(self) -> None:
        """Stop loading, or go back from a group to all that was listed."""
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

    def action_compare_marked(self) -> None:
        """The two marked runs, the newer one first."""
        first, second = self.query_one(RunList).marked_ids
        self._compare(first, second)

    def action_compare(self) -> None:
        """The run under the cursor with the last passed one."""
        if (run_id := self.query_one(RunList).cursor_id) is not None:
            self._compare(run_id)

    def _compare(self, run_id: int, other_id: int | None = None) -> None:
        def opened(turn: object) -> None:
            if isinstance(turn, int):
                self.open_run(run_id, turn)

        self.state.ask(CompareRuns(run_id, other_id, opened))

    def action_improve(self) -> None:
        """Improve from the marked runs, else from the one under the cursor."""
        self.improve([row.id for row in self._chosen()])

    def improved(self, job: Job) -> None:
        """A job was launched: the marks have served."""
        self._unmark()

    def action_hand_off(self) -> None:
        """Copy links, ids or rows of the marked runs, or save them."""
        self.opening.begin(self._hand_off, "Loading runs", group="hand-off")

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
