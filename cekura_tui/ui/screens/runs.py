"""The run list: where the app starts."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.ui.board import Board
from cekura_tui.ui.messages import JobWished, RunsRead
from cekura_tui.ui.screens.improving import Improving
from cekura_tui.ui.screens.run import RunScreen
from cekura_tui.ui.screens.run_pages import RunPages
from cekura_tui.ui.sight import follow
from cekura_tui.ui.widgets.counts_line import CountsLine
from cekura_tui.ui.widgets.job_list import JobList
from cekura_tui.ui.widgets.jobs_pane import JobsPane
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.run_list import RunList, RunListHeader
from cekura_tui.ui.widgets.run_preview import RunPreview
from cekura_tui.ui.widgets.status_line import StatusLine

SETTLED = 0.15
"""Seconds that the cursor rests on a run before it is fetched for the preview."""


class RunsScreen(Improving):
    """Lists the runs of a scope, newest first; pages are fetched as one scrolls."""

    AUTO_FOCUS = "RunList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "improve", "Improve", id="runs.improve"),
        Binding("exclamation_mark", "failures", "Failures", id="runs.failures"),
        Binding("p", "pick_scope", "Project", id="runs.scope"),
        Binding("J", "jobs_pane", "Jobs pane", id="runs.jobs-pane", show=False),
        Binding("r", "refresh", "Refresh", id="runs.refresh", show=False),
        Binding("enter", "whole_error", "Show error", id="runs.error", show=False),
        Binding("escape", "clear_marks", "Clear marks", id="runs.clear-marks", show=False),
    ]
    HELP = """\
# Runs
The newest first. `enter` opens the run under the cursor, `space` marks up to three of one agent,
`i` has a better prompt proposed from the marked ones, or from the one under the cursor.
"""

    def __init__(self, board: Board, pages: RunPages) -> None:
        super().__init__(board)
        self._pages = pages
        self._error: CekuraTuiError | None = None
        self._settle: Timer | None = None

    def body(self) -> ComposeResult:
        """Status, counts, list and preview, jobs."""
        yield StatusLine(id="status")
        yield CountsLine(id="counts")
        with Horizontal(id="runs-body"):
            with Vertical(id="runs-left"):
                yield RunListHeader(id="runs-header")
                yield RunList(self.board.when, id="runs")
                yield Notice(id="runs-notice")
            yield RunPreview(self.board)
        yield JobsPane(self.board)

    def on_mount(self) -> None:
        """Show what was cached; the app calls `load` when the workspace runs."""
        follow(self, self.board, self._draw_status)
        self._draw()

    def on_screen_resume(self) -> None:
        """Back from another screen: a list that was never read is read now."""
        if self.board.workspace.started and self._pages.fresh is None:
            self._load()

    def on_resize(self) -> None:
        """There may be room for the preview now."""
        self.cursor_moved()

    # Loading

    def load(self) -> None:
        """Read the scope's runs anew."""
        self._load()

    def look_again(self) -> bool:
        """Read the newest runs anew; False where the list has not been read yet."""
        if self._pages.fresh is None:
            return False
        self._load(again=True)
        return True

    @work(group="runs", exclusive=True)
    async def _load(self, *, again: bool = False) -> None:
        try:
            if self._pages.scope is None:
                self._pages.scope = await self.board.workspace.call(lambda session: session.scope())
                self._pages.cached = await self.board.workspace.call(lambda session: session.seen(self._pages.wanted))
                self._draw()
            before = self._pages.shown
            await (self._pages.look_again if again else self._pages.refresh)(self.board.workspace)
        except NoScope as several:
            self._pick(several)
        except CekuraTuiError as error:
            self._failed(error)
        else:
            self._error = None
            self._draw()
            self.post_message(RunsRead(before, self._pages.shown))
            self._name_scope()

    @work(group="scope-name", exclusive=True)
    async def _name_scope(self) -> None:
        """A scope that was named by number alone gets its name for the status line."""
        if await self._pages.name_scope(self.board.workspace):
            self._draw_status()

    @on(RunList.NearEnd, "#runs")
    def more(self) -> None:
        """The rows that are there come to an end."""
        if self._pages.more and self._error is None:
            self._load_more()

    @work(group="more-runs")
    async def _load_more(self) -> None:
        try:
            if await self._pages.next(self.board.workspace):
                self._draw()
        except CekuraTuiError as error:
            self._failed(error)

    def _failed(self, error: CekuraTuiError) -> None:
        self._error = error
        self._draw()
        if error.exit_status == 4:
            self.tell_error(error)

    # Drawing

    def _draw(self) -> None:
        runs, notice = self.query_one(RunList), self.query_one(Notice)
        runs.show_rows(self._pages.rows)
        empty = not self._pages.rows
        runs.display, notice.display = not empty, empty
        if empty:
            self._draw_notice(notice)
        elif not self.focused:
            runs.focus()
        self._draw_counts()
        self._draw_status()

    def _draw_notice(self, notice: Notice) -> None:
        if self._error is not None:
            notice.say_error(self._error)
        elif self._pages.count is None:
            notice.say("Loading runs …")
        elif self._pages.failures:
            notice.say("No failed runs here.", "! shows all runs · p picks another project")
        else:
            notice.say("No runs here yet.", "p picks another project or agent · r looks again")

    def _draw_counts(self) -> None:
        pages, marked = self._pages, len(self.query_one(RunList).marks)
        self.query_one(CountsLine).show(pages.count, pages.rows, failures=pages.failures, marked=marked)

    def _draw_status(self) -> None:
        setup, scope = self.board.workspace.setup, self._pages.scope
        status = self.query_one(StatusLine)
        where = "demo" if setup.demo else setup.profile
        status.left = (where, scope.shown if scope else "…", *(["read-only"] if setup.read_only else []))
        going = sum(job.state.going for job in self.board.jobs)
        status.right = (self._pages.freshness(self._error, self.board.when), f"{going} running" if going else "")

    # The run under the cursor

    @on(RunList.Moved, "#runs")
    def cursor_moved(self) -> None:
        """Fetch the run for the preview once the cursor rests."""
        if self._settle is not None:
            self._settle.stop()
        self._settle = self.set_timer(SETTLED, self._preview)

    @work(group="preview", exclusive=True)
    async def _preview(self) -> None:
        preview, run_id = self.query_one(RunPreview), self.query_one(RunList).cursor_key
        if not isinstance(run_id, int) or not preview.display or not self.has_class("-wide"):
            return
        try:
            view = await self.board.workspace.call(lambda session: session.cached_run(run_id))
            if view is None or not view.row.outcome.settled:
                view = await self.board.workspace.call(lambda session: session.run(run_id))
        except CekuraTuiError as error:
            preview.clear(f"! {error.sentence()}")
        else:
            preview.show(view)

    @on(RunList.Opened, "#runs")
    def open_run(self, event: RunList.Opened) -> None:
        """Open a run whole."""
        if isinstance(event.key, int) and self.is_current:
            screen = RunScreen(self.board, event.key, [row.id for row in self._pages.rows])
            self.app.push_screen(screen, self._came_back)

    def _came_back(self, run_id: object) -> None:
        if isinstance(run_id, int):
            self.query_one(RunList).move_to(run_id)

    # Keys

    @on(RunList.Marked, "#runs")
    def marked(self, event: RunList.Marked) -> None:
        """Tell how many."""
        self._draw_counts()

    def action_clear_marks(self) -> None:
        """Unmark all."""
        self.query_one(RunList).marks = frozenset()
        self._draw_counts()

    def action_improve(self) -> None:
        """Improve from the marked runs, else from the one under the cursor."""
        runs = self.query_one(RunList)
        wanted = runs.marks or ([runs.cursor_key] if runs.cursor_key is not None else [])
        self.improve([key for key in wanted if isinstance(key, int)])

    def improved(self, job: Job) -> None:
        """A job was launched: the marks have served."""
        self.action_clear_marks()

    def action_refresh(self) -> None:
        """Read again."""
        self._error = None
        self._draw()
        self._load()

    def action_failures(self) -> None:
        """Only runs that did not succeed, or all."""
        self._pages.failures = not self._pages.failures
        self._pages.clear()
        self._draw()
        self._load()

    def action_jobs_pane(self) -> None:
        """Show or hide the jobs pane."""
        pane = self.query_one(JobsPane)
        pane.display = not pane.display

    def action_whole_error(self) -> None:
        """The whole of the error that the list shows."""
        if self._error is not None:
            self.tell_error(self._error)

    @on(JobList.Opened, "#pane-jobs")
    def open_job(self, event: JobList.Opened) -> None:
        """A job of the pane."""
        for job in self.board.jobs:
            if job.number == event.key:
                self.post_message(JobWished(job))

    def action_pick_scope(self) -> None:
        """Another project or agent."""
        self._pick(None)

    @work(group="pick")
    async def _pick(self, several: NoScope | None) -> None:
        from cekura_tui.ui.dialogs.pick_scope import PickScopeDialog

        workspace = self.board.workspace
        try:
            projects = several.projects if several else await workspace.call(lambda session: session.projects())
            chosen = await self.app.push_screen_wait(PickScopeDialog(self.board, projects, self._pages.scope))
            if chosen is not None:
                scope: Scope = chosen
                await workspace.call(lambda session: session.choose(scope))
                self.show_scope(scope)
            elif self._pages.scope is None:
                self._failed(NoScope(projects))
        except CekuraTuiError as error:
            self.tell_error(error)

    def show_scope(self, scope: Scope | None) -> None:
        """List another scope's runs, or with None those that are to be found anew."""
        self._pages.scope = scope
        self._pages.clear()
        self._error = None
        self.query_one(RunPreview).clear()
        self.action_clear_marks()
        self._draw()
        self._load()
