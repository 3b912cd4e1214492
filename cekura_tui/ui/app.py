"""Looking for garbage while nobody waits for an answer.

What the first frame shows: the runs and jobs that were seen last, read before anything runs.

Leaving the app, whichever way it is asked, and what is told when an error ends it.

The app: styles, global keys, and the way from the background's signal to the screens.

Screens that the first frame does not show are imported when they are wished for.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen
from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError, KeyMissing
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.scope import Scope
from cekura_tui.store.runs import first_sight
from cekura_tui.ui.away import next_unread
from cekura_tui.ui.kit.dialog import Dialog
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import (
    BackgroundChanged,
    HandOff,
    Improve,
    OpenJob,
    OpenJobDetails,
    OpenPromptHistory,
    OpenRun,
    Request,
    RunsRead,
    SignInRequested,
    WorkspaceChanged,
)
from cekura_tui.ui.news import News
from cekura_tui.ui.palette import palette
from cekura_tui.ui.runs.controller import RunListing
from cekura_tui.ui.runs.screen import RunsScreen
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.filters import AsciiFilter, ControlFilter
from cekura_tui.ui.terminal.textual_private import put_together
from cekura_tui.ui.theme import THEME, style_sheets
from cekura_tui.workspace.workspace import Workspace

IDLE = 1.0
"""Seconds without a key after which nobody waits."""
_DUE = 20
"""Collections of the middle generation after which there is something to find: about a hundred keys."""
_RARELY = (700, 10, 50)
"""Thresholds by which Python looks through everything by itself."""


class GarbageWhenIdle:
    """What is drawn is garbage soon, and to find it Python looks through all that there is: for a tenth of a second, in
    which no key is answered, once a second while keys are held. Here that is done in a pause, and what is left after it
    is not looked at again before the next one."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._busy_at = 0.0
        self._timer: Timer | None = None
        gc.set_threshold(*_RARELY)

    def busy(self) -> None:
        """Somebody pressed a key, or the first frame is being made."""
        self._busy_at = time.monotonic()
        if self._timer is None:
            self._timer = self._app.set_timer(IDLE, self._look)

    def _look(self) -> None:
        left = self._busy_at + IDLE - time.monotonic()
        self._timer = self._app.set_timer(left, self._look) if left > 0 else None
        if self._timer is None and gc.get_count()[2] >= _DUE:
            gc.unfreeze()
            gc.collect()
            gc.freeze()


def read_first_frame(
    workspace: Workspace, scope: Scope | None, clock: Callable[[], float] = time.time
) -> tuple[RunListing, tuple[Job, ...]]:
    """The list of `scope` as it was left, else of what was named or chosen last, and all jobs; empty at first."""
    setup = workspace.setup
    named = scope or setup.scope
    text = named.text if named else None
    sight = first_sight(setup.paths.database, setup.origin, workspace.known_key(), setup.profile, text)
    if named is None and sight.chosen is not None:
        kind, number, name = sight.chosen
        named = Scope("agent" if kind == "agent" else "project", number, name)
    whole = sight.filtered or not sight.filter
    listing = RunListing(named, sight.seen if whole else None, sight.filter, sight.notes, clock)
    if sight.seen is not None and not whole:
        listing.known = sight.seen.rows
    return listing, sight.jobs


_log = logging.getLogger("cekura_tui.ui")


class LeavingApp(App[None]):
    """An app on a workspace that ends in order, by a key, by a signal or by an error."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.crash = ""
        """What to say of an error that ended the app."""
        self.status: int | None = None
        """The exit status, once it is being left."""
        self._workspace = workspace
        self._ui_loop: asyncio.AbstractEventLoop | None = None
        """The loop of the screens, once it runs."""

    def leaving(self) -> None:
        """It is being left: what is to be done before."""
        raise NotImplementedError

    async def action_quit(self) -> None:
        """Leave, whichever way it was asked."""
        self._leave(0)

    def leave_from_signal(self, status: int) -> None:
        """Called from a signal handler: leave with this status."""
        if self._ui_loop is not None:
            self._ui_loop.call_soon_threadsafe(self._leave, status)

    def _leave(self, status: int) -> None:
        """Leave with this status; what is being typed is kept."""
        self.leaving()
        for screen in self.screen_stack:
            if isinstance(screen, Dialog):
                screen.keep()
        self.status = status
        self.exit(return_code=status)

    def _fatal_error(self) -> None:
        """An error nobody expected: restore the terminal, one line, and the details (no variables) in the log."""
        self._workspace.keep_log()  # it may not have been started yet
        _log.error("the app ended by an error\n%s", traceback.format_exc())
        error, log = self._exception, self._workspace.setup.paths.log
        if self.status is None:  # screens that are taken apart while keys come are no crash
            self.status = 1
            self.crash = f"cekura-tui ended by an error of its own ({type(error).__name__}); what happened is in {log}."
        self._close_messages_no_wait()


CALM = 1.0
"""Seconds between two readings of what changed, at least."""


class CekuraApp(LeavingApp):
    """Handed a workspace that is not started yet; it starts it after the first frame. `tidy` has the process look for
    garbage in pauses."""

    TITLE = "cekura-tui"
    CSS_PATH = style_sheets()
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "go('runs')", "Runs", id="app.runs", show=False),
        Binding("2", "go('jobs')", "Jobs", id="app.jobs"),
        Binding("U", "next_unread", "Next new job", id="app.next-unread", show=False),
        Binding("question_mark", "help", "Keys", id="app.keys", key_display="?"),
        Binding("q", "quit", "Quit", id="app.quit"),
    ]

    def __init__(
        self,
        workspace: Workspace,
        *,
        run_id: int | None = None,
        scope: Scope | None = None,
        ascii_only: bool = False,
        live: bool = True,
        tidy: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(workspace)
        self.animation_level = "none"
        self.state = AppState(self, workspace, clock)
        self.state.ask = self.answer
        self.news = News(self, self.state, lambda: self._runs.look_again())
        self.state.away = lambda: self.news.away.away
        self._garbage = GarbageWhenIdle(self) if tidy else None
        self._run_id = run_id
        self._foreign: tuple[LineFilter, ...] = (ControlFilter(), *([AsciiFilter()] if ascii_only else []))
        self._changed = False
        self._mended = 0
        self._read_at = 0.0
        self._live = live
        self._listing, self.state.jobs = read_first_frame(workspace, scope, clock)
        self.add_mode("runs", self._make_runs)
        self.add_mode("jobs", self._make_jobs)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, then ours: nothing foreign reaches the terminal as a control character."""
        return [*super().get_line_filters(), *self._foreign]

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        return palette(screen)

    # Starting

    def on_mount(self) -> None:
        """The first frame, from what was cached; then the workspace."""
        self.register_theme(THEME)
        self.theme = THEME.name
        self._ui_loop = asyncio.get_running_loop()
        self.switch_mode("runs")
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        if self._garbage is not None:
            self._garbage.busy()
        self._workspace.start(self._from_background)
        if not self._workspace.setup.ready:
            self.post_message(SignInRequested(self._workspace.setup.no_key))
            return
        self._load()

    def _load(self) -> None:
        """Everything anew at the start."""
        self.news.begin(runs=self._run_id is None)
        self._read_jobs()
        if self._run_id is not None:
            # A run needs no scope; the list behind it is read when one goes back to it.
            self._open_run(OpenRun(self._run_id))
            self._run_id = None
        else:
            self._runs.load()

    def _make_runs(self) -> RunsScreen:
        self._runs = RunsScreen(self.state, self._listing, live=self._live)
        return self._runs

    def _make_jobs(self) -> Screen[None]:
        from cekura_tui.ui.jobs.screen import JobsScreen

        return JobsScreen(self.state)

    # What changed in the background

    def _from_background(self) -> None:
        """Called on the background loop: at most one message is on its way."""
        if not self._changed:
            self._changed = True
            self.post_message(BackgroundChanged())

    @on(BackgroundChanged)
    def read_soon(self) -> None:
        """Read what changed, once a second at most."""
        wait = self._read_at + CALM - time.monotonic()
        self.set_timer(max(wait, 0.01), self._read_jobs)

    @work(group="jobs", exclusive=True)
    async def _read_jobs(self) -> None:
        self._changed = False
        self._read_at = time.monotonic()
        try:
            jobs, durations, trouble = await self._workspace.call(lambda session: session.jobs.overview())
        except KeyMissing:
            return  # the sign-in screen says so
        except CekuraTuiError as error:
            self.news.tell_trouble(error)
            return
        if self._mended != self._workspace.mended:
            self._mended = self._workspace.mended
            self.post_message(WorkspaceChanged())
            return
        self.state.put_durations(durations)
        self.news.tell_notices()
        self.news.jobs_read(jobs)
        self.news.tell_trouble(trouble)

    @on(RunsRead)
    def runs_read(self, event: RunsRead) -> None:
        """The run list was read."""
        self.news.away.runs_read(event)

    # Whether somebody is there

    async def on_event(self, event: events.Event) -> None:
        """Keys and the mouse on their way to the screens tell that somebody is."""
        if isinstance(event, events.InputEvent) and not event.is_forwarded:
            self.news.away.saw(event)
            if self._garbage is not None:
                self._garbage.busy()
        if isinstance(event, events.Key) and self.screen_stack:
            # A screen that came by the key before is put together first: its keys find their widgets.
            await put_together(self.screen)
        await super().on_event(event)

    def on_app_focus(self) -> None:
        """The terminal has the focus."""
        self.news.away.focus()
        self._runs.terminal_focus(True)

    def on_app_blur(self) -> None:
        """The terminal lost it."""
        self.news.away.blur()
        self._runs.terminal_focus(False)

    def leaving(self) -> None:
        """Somebody who is there has seen all until now."""
        self.news.away.leaving()

    # Requests of the screens

    def answer(self, request: Request) -> None:
        """Do what a screen asks for; a screen that is seldom opened is imported when it is."""
        match request:
            case OpenRun():
                self._open_run(request)
            case OpenJob():
                self._open_job(request)
            case OpenJobDetails():
                from cekura_tui.ui.jobs.job import JobScreen

                self.push_screen(JobScreen(self.state, request.number))
            case OpenPromptHistory():
                from cekura_tui.ui.suggestion.history import PromptHistoryScreen

                self.push_screen(PromptHistoryScreen(self.state, request.agent_id, request.agent_name))
            case HandOff():
                from cekura_tui.ui.suggestion.hand_off import HandOffDialog

                self.push_screen(HandOffDialog(request.suggestion, request.staged), request.done)
            case Improve():
                from cekura_tui.ui.jobs.improve import ImproveLauncher

                ImproveLauncher(self.state).open(request)

    def _open_job(self, request: OpenJob) -> None:
        """The suggestion of a job, or all that is known of it; with that somebody has looked at it."""
        from cekura_tui.ui.jobs.job import JobScreen
        from cekura_tui.ui.suggestion.screen import SuggestionScreen

        job = request.job
        below = self.screen_stack[-2] if len(self.screen_stack) > 1 else None
        if isinstance(self.screen, JobScreen) and isinstance(below, SuggestionScreen) and below.number == job.number:
            self.pop_screen()  # it is what the details were opened from
            return
        screen = (SuggestionScreen if job.state == JobState.SUCCEEDED else JobScreen)(self.state, job.number)
        instead = request.instead and isinstance(self.screen, SuggestionScreen | JobScreen)
        (self.switch_screen if instead else self.push_screen)(screen)
        if job.unread:
            self.state.put_job(replace(job, looked_at=self.state.clock()))
            self._look(job.number)

    @work(group="look")
    async def _look(self, number: int) -> None:
        with contextlib.suppress(CekuraTuiError):  # it stays new, then; what reads the jobs tells why
            await self._workspace.call(lambda session: session.jobs.look(number))
        self._read_jobs()

    @on(SignInRequested)
    def sign_in(self, event: SignInRequested) -> None:
        """Ask for a key, unless that is being done."""
        from cekura_tui.ui.sign_in import SignInScreen

        if not self._locked and not self._workspace.setup.demo:
            self.push_screen(SignInScreen(self.state, event.reason))

    @on(WorkspaceChanged)
    def workspace_changed(self) -> None:
        """Another key or workspace: leave the sign-in screen and read everything anew."""
        if self._locked:
            self.pop_screen()
        self.state.put_jobs(())
        self.news.begin(runs=False)
        self._runs.show_scope(self._workspace.setup.scope)
        self._read_jobs()

    def action_search_runs(self) -> None:
        """Search what was said in all opened runs."""
        from cekura_tui.ui.runs.search import SearchRunsDialog

        if not self._locked and not self.screen.is_modal:
            self.push_screen(SearchRunsDialog(self.state), self._open_hit)

    def _open_hit(self, hit: tuple[int, int] | None) -> None:
        if hit is not None:
            self._open_run(OpenRun(*hit))

    def _open_run(self, request: OpenRun) -> None:
        from cekura_tui.ui.run.screen import RunScreen

        screen = RunScreen(self.state, request.run_id, request.beside, request.turn, request.row)
        self.push_screen(screen, request.closed)

    # Keys

    def action_go(self, mode: str) -> None:
        """To the runs or the jobs as they were left; once more to the list itself. Not from a dialog or the sign-in."""
        if not self.screen.is_modal and not self._locked:
            if self.current_mode != mode:
                self.switch_mode(mode)
                return
            while len(self.screen_stack) > 1:
                self.pop_screen()

    @property
    def _locked(self) -> bool:
        """Whether the screen on top is to be dealt with before anything else: signing in."""
        return isinstance(self.screen, Page) and self.screen.locked

    def action_next_unread(self) -> None:
        """The job that ended longest ago of those that nobody has looked at."""
        if self._locked or self.screen.is_modal:
            return
        if (job := next_unread(self.state.jobs)) is not None:
            # Looked at from now on: U once more, before it is shown, means the next one.
            self.state.put_job(replace(job, looked_at=self.state.clock()))
            self._open_job(OpenJob(job, instead=True))
        else:
            self.notify("Nothing new.", markup=False)

    def action_help(self) -> None:
        """What there is to know of this screen, and all of its keys."""
        from cekura_tui.ui.kit.help import HelpDialog

        if not isinstance(self.screen, HelpDialog):
            self.push_screen(HelpDialog(self.screen))

    def action_help_quit(self) -> None:
        """ctrl+c with nothing selected: say how to leave."""
        self.notify("Press q (or ctrl+q) to leave. Jobs go on at the server.", markup=False)
