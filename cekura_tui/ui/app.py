"""The app: global keys, styles, painting, start-up and exit."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from rich.console import RenderableType
from textual import events, on, work
from textual.actions import ActionParseResult
from textual.app import App
from textual.await_remove import AwaitRemove
from textual.dom import DOMNode
from textual.filter import LineFilter, Monochrome
from textual.geometry import Size
from textual.notifications import Notify
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.widget import Widget

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.scope import Scope
from cekura_tui.ui.actions import NOT_OFFERED, Action, bindings, disabled_reason, do_action, is_offered
from cekura_tui.ui.away import ended_at, next_unread
from cekura_tui.ui.first_frame import Appearance, parse_other_sheets, read_first_frame, report_settings
from cekura_tui.ui.jobs_reader import JobsReader
from cekura_tui.ui.keymap import keymap_in_use, read_keymap, use_keymap, with_keys
from cekura_tui.ui.kit.app_screen import AppScreen, Painting, style_sheets
from cekura_tui.ui.kit.keys_in_order import note_focus
from cekura_tui.ui.kit.page import TOAST_READABLE, Page, drop_old_toasts
from cekura_tui.ui.kit.virtual_list import ThinScrollBar
from cekura_tui.ui.messages import BackgroundChanged, CopyRequested, OpenRun, SignInRequested, WorkspaceChanged
from cekura_tui.ui.news import News
from cekura_tui.ui.router import Router
from cekura_tui.ui.runs.screen import RunsScreen
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.capabilities import Colours as Depth
from cekura_tui.ui.terminal.cells import MIN_SIZE, too_small_lines
from cekura_tui.ui.terminal.copies import Copies
from cekura_tui.ui.terminal.driver import TerminalDriver, has_job_control
from cekura_tui.ui.terminal.textual_private import (
    AppStylesheet,
    app_actions,
    driver_of,
    drop_toasts,
    exit_after_error,
    fire_single_timers,
    free_removed_widgets,
    full_screen_lines,
    is_full_repaint,
    is_toast_shown,
    make_strips_light,
    stylesheet_version,
    wait_mounted,
)
from cekura_tui.workspace.workspace import Workspace

_log = logging.getLogger("cekura_tui.ui")


def _why_blocked(app: CekuraApp) -> str | None:
    """Why another page can't be opened now: the sign-in or a dialog is open. None if neither is open."""
    if isinstance(app.screen, Page) and app.screen.locked:
        return "Sign in first."
    return "Close the dialog first." if app.screen.is_modal else None


def _unless_unread(app: CekuraApp) -> str | None:
    return _why_blocked(app) or (None if next_unread(app.state.jobs) else "No finished job is left to look at.")


def _unless_selected(app: CekuraApp) -> str | None:
    """Hide the action if no text is selected, or if the focused input has selected text, which it copies itself."""
    return NOT_OFFERED if getattr(app.focused, "selected_text", "") or not app.screen.selections else None


def _unless_suspendable(app: CekuraApp) -> str | None:
    """Hide the action in a prompt box, where ctrl+z means undo; otherwise say why the program can't be suspended."""
    if hasattr(app.focused, "action_undo"):
        return NOT_OFFERED
    return None if app.can_suspend else "Can't suspend: cekura-tui was not started from a shell with job control."


_PAINTED_TOGETHER = (events.Key, events.MouseDown, events.MouseUp, events.Paste, events.Resize)
"""Events that hold painting until all changes that they cause are laid out."""


class CekuraApp(App[None]):
    """The Textual app, which starts `workspace` after its first frame. `ascii_only` replaces characters that `encoding`
    lacks; `tune_gc` tunes garbage collection, for a process that runs only this app."""

    TITLE = "cekura-tui"
    CSS_PATH = style_sheets("app", "kit")
    ENABLE_COMMAND_PALETTE = False  # ours is in ACTIONS
    DEFAULT_MODE = "runs"
    # Ranks over 1000: in the footer, global keys come after all keys of a screen, including unranked ones.
    PLACE = "Everywhere"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("app.runs", "1", "go('runs')", "Runs", "Go to the list of runs", why_not=_why_blocked),
        Action("app.jobs", "2", "go('jobs')", "Jobs", "Go to the list of jobs", footer=1001, why_not=_why_blocked),
        Action(
            "app.next-unread",
            "U",
            lambda app: app.router.open_next_unread(),
            "Next finished job",
            "Open the next finished job",
            why_not=_unless_unread,
        ),
        Action(
            "app.profile",
            "P",
            "profile",
            "Profile",
            "Use another key or server, or add one",
            why_not=lambda app: "Close the dialog first." if app.screen.is_modal else None,
        ),
        Action(
            "app.search-runs",
            "ctrl+f",
            lambda app: app.search_transcripts(),
            "Search transcripts",
            "Find words in the transcripts of the listed runs",
            why_not=_why_blocked,
        ),
        Action("app.keys", "question_mark", "help", "Keys", "Show the keys of this screen", footer=1002),
        Action(
            "app.manual",
            "",
            "manual",
            "Manual",
            "Read about keys, filters, suggestions, jobs, settings, terminals, scripts, files",
        ),
        Action("app.palette", "ctrl+p", "command_palette", "Find a command", priority=True),
        Action("app.command-line", "colon", "command_palette", "Find a command"),
        Action(
            "app.prompt-history",
            "",
            lambda app: app.router.open_prompt_history(),
            "Prompt history of this agent",
            "All prompts of the agent, newest first, to compare or restore",
            why_not=lambda app: NOT_OFFERED if app.router.agent() is None else None,
        ),
        Action(
            "app.request-log",
            "",
            lambda app: app.router.show_request_log(),
            "Request log",
            "The last requests to the server, their status and how long they took",
            why_not=_why_blocked,
        ),
        Action(
            "app.redraw",
            "ctrl+l",
            "redraw",
            "Redraw",
            "Draw the whole screen again, as after another program wrote on it",
        ),
        Action("app.settings", "", "settings", "Settings", "See and change settings, keys and colours in config.toml"),
        Action("app.theme", "", "change_theme", "Change theme colours", "Preview the themes and choose one"),
        # Takes precedence over a screen's own `y` while text is selected.
        Action(
            "app.copy-selection",
            "y",
            "copy_selection",
            "Copy selection",
            footer=1,
            priority=True,
            why_not=lambda app: NOT_OFFERED if app.typing else _unless_selected(app),
        ),
        Action("app.copy-text", "ctrl+c", "copy_text", "Copy selection", priority=True, why_not=_unless_selected),
        # ctrl+c without a selection or a focused input; the binding above replaces Textual's own.
        Action("app.how-to-quit", "ctrl+c", "help_quit", "How to quit"),
        Action(
            "app.suspend",
            "ctrl+z",
            "suspend_process",
            "Suspend",
            "Back to the shell; fg resumes. In a prompt box ctrl+z undoes",
            priority=True,
            why_not=_unless_suspendable,
        ),
        Action("app.quit", "q", "quit", "Quit", "Quit; running jobs continue", footer=1003),
    )
    BINDINGS = bindings(ACTIONS)
    _appearance: Appearance | None = None  # Textual asks for colours before it is set

    def __init__(
        self,
        workspace: Workspace,
        *,
        run_id: int | None = None,
        scope: Scope | None = None,
        colours: Depth = "truecolor",
        ascii_only: bool = False,
        encoding: str = "utf-8",
        live: bool = True,
        tune_gc: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        if not os.environ.get("TEXTUAL_ANIMATIONS"):
            self.animation_level = "none"
        self.painting = Painting(self, tune_gc)
        free_removed_widgets()
        make_strips_light()
        fire_single_timers()
        settings, depth = workspace.setup.settings, "none" if self.no_color else colours
        self._appearance = Appearance(self, settings, depth, ascii_only=ascii_only, encoding=encoding)
        self.theme = self._appearance.theme
        ScrollBar.renderer = ThinScrollBar
        self.stylesheet = AppStylesheet(variables=self.get_css_variables())
        use_keymap(read_keymap(settings.keys))
        self.crash = ""
        """A sentence about the error that ended the app; "" if there was none."""
        self._asks_to_quit = False
        self.status: int | None = None
        """The exit status; None until the app is exiting."""
        self._workspace = workspace
        self._ui_loop: asyncio.AbstractEventLoop | None = None
        self.state = AppState(self, workspace, clock)
        self._copies = Copies(self, workspace.setup.paths.copied)
        self.state.hints.changed = lambda: self.screen.refresh_bindings()
        self.news = News(self, self.state, lambda: self._runs.controller.reload())
        self.jobs_reader = JobsReader(self, self.state, self.news)
        self.router = Router(self, self.state, lambda: self._runs)
        self.state.ask = self.router.answer
        self._tune_gc = tune_gc
        self._laid_out = False
        """Whether the screens have been laid out at least once."""
        self.too_small_lines: list[str] = []
        """Lines that are shown instead of the app while the window is too small; otherwise empty."""
        self._run_id = run_id
        self._live = live
        self._jobs_opened = False
        self._listing, self.state.jobs = read_first_frame(workspace, scope, clock)
        self.state.notes = lambda: self._listing.notes
        self._known_ends = {job.number for job in self.state.jobs if job.unread}
        """Numbers of the jobs that were unread at the start, or when the job list was last opened."""
        self.add_mode("jobs", self._make_jobs)

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        if self._appearance is not None:
            self.theme_variables = variables = self._appearance.variables(variables)
        return variables

    def refresh_css(self, animate: bool = True) -> None:
        """Restyle the shown screens, unless all of them already have the current colours."""
        self.stylesheet.set_variables(self.get_css_variables())
        shown = [screen for screen in self.screen_stack if isinstance(screen, AppScreen) and screen.is_mounted]
        version = stylesheet_version(self.stylesheet)
        if any(screen.styled_version != version for screen in shown):
            super().refresh_css(animate)
            for screen in shown:
                screen.styled_version = version

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        # Otherwise Textual repaints when a screen below changes, even if the top screen hides it.
        return [] if self.screen.styles.background.a == 1 else super()._background_screens

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        # Textual would lay the app out again for a removed screen, and paint the one below twice.
        return super()._prune(*nodes, parent=None if parent is self else parent)

    def delay_update(self, delay: float = 0.05) -> None:
        """Paint the current changes once, as soon as they are ready; Textual would always wait for `delay`."""
        self.painting.hold_for_screen()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters without the greyscale one, then ours, which reduce colours and drop control characters."""
        own = self._appearance.filters if self._appearance is not None else []
        return [*(one for one in super().get_line_filters() if not isinstance(one, Monochrome)), *own]

    action_do = do_action
    check_action = is_offered

    def action_command_palette(self) -> None:
        from cekura_tui.ui.kit.palette import Palette, commands_on

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(commands_on(self.screen)))

    def action_change_theme(self) -> None:
        from cekura_tui.ui.kit.palette import theme_palette

        self.push_screen(theme_palette(self, self._save_theme))

    def action_settings(self) -> None:
        from cekura_tui.ui.settings_palette import settings_palette

        self.push_screen(settings_palette(self, self.state))

    @work(group="theme")
    async def _save_theme(self, name: str) -> None:
        from cekura_tui.config.settings_edit import set_setting
        from cekura_tui.workspace.setup import account_paths

        path = account_paths(self._workspace.setup).settings
        try:
            await asyncio.to_thread(set_setting, path, "theme.name", name)
        except CekuraTuiError as error:
            text = f"The theme lasts until you quit: it can't be saved. {error.sentence()}"
            self.notify(text, severity="warning", markup=False, timeout=8)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do an action, or show why it can't be done now."""
        node = default_namespace
        if isinstance(node, Page | CekuraApp) and isinstance(action, str) and (reason := disabled_reason(node, action)):
            self.notify(reason, markup=False, timeout=8)
            return True
        done = await super().run_action(action, default_namespace, namespaces)
        if done and isinstance(action, str):
            self.state.hints.use(default_namespace, action)
        return done

    def on_notify(self, event: Notify) -> None:
        """Show no toast twice at a time; a new toast replaces one with the same message that is about to end."""
        message = event.notification.message
        drop_toasts(self, lambda toast: toast.message == message and toast.time_left < TOAST_READABLE)
        if is_toast_shown(self, message):
            event.prevent_default()

    # Starting

    def on_load(self) -> None:
        """Paint the first frame once; once it had time to be written, start the workspace."""
        self.painting.hold_for_screen(painted=lambda: self.set_timer(0.01, self._start))
        self.screen_change_signal.subscribe(self, lambda _: self.painting.hold_for_screen(), immediate=True)

    def on_mount(self) -> None:
        self._ui_loop = asyncio.get_running_loop()
        self.add_mode("runs", self._make_runs)  # its screen is already on the stack
        self.state.hints.begin(self._workspace.setup)

    def _start(self) -> None:
        if self._tune_gc:
            gc.set_threshold(700, 10, 30)  # a full collection delays a key by 25 ms; `Painting` runs most of them
            gc.freeze()  # loaded code is never garbage
            gc.enable()
        self._workspace.start(self.jobs_reader.background_changed)
        self.run_worker(report_settings(self, self.state), group="appearance")
        if not self._workspace.setup.ready:
            self.post_message(SignInRequested(self._workspace.setup.no_key))
            return
        self._load()
        self.set_timer(1.0, self._load_rest)

    def _load_rest(self) -> None:
        parse_other_sheets(self)
        if self._tune_gc:
            gc.collect()
            gc.freeze()  # the first screen and style sheets, too, are never garbage: collections take half as long

    def _load(self) -> None:
        self.news.begin()
        self.jobs_reader.read()
        if self._run_id is not None:
            # The list behind the run is loaded when the user goes back to it.
            self.router.open_run(OpenRun(self._run_id))
            self._run_id = None
        else:
            self._runs.controller.load()

    def get_default_screen(self) -> Screen[None]:
        """Make the run list here, not as a mode. Only the default screen is put on the stack before it is mounted."""
        return self._make_runs()

    def search_transcripts(self) -> None:
        self.router.search_transcripts(self._runs.controller.listing)

    def _make_runs(self) -> RunsScreen:
        from cekura_tui.ui.jobs.list import JobsPane

        self._runs = RunsScreen(self.state, self._listing, JobsPane(self.state), live=self._live)
        return self._runs

    def _make_jobs(self) -> Screen[None]:
        from cekura_tui.ui.jobs.screen import JobsScreen

        self._jobs_opened = True
        return JobsScreen(self.state)

    @on(BackgroundChanged)
    def background_changed(self) -> None:
        self.news.report_not_saved()
        self.jobs_reader.read_soon()

    async def on_event(self, event: events.Event) -> None:
        """Hold painting and record the user's activity, then pass the event on. While the window is too small, the
        layout does not change, and only keys that quit or suspend are handled."""
        if isinstance(event, events.Resize) and not self._fits(event.size):
            if self._laid_out:
                return  # screens keep their layout, and lists their scroll position
            event = events.Resize(MIN_SIZE, MIN_SIZE)
        self._laid_out = self._laid_out or isinstance(event, events.Resize)
        if self.too_small_lines and isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded:
            await self._key_while_too_small(event)
            return
        if isinstance(event, _PAINTED_TOGETHER) and not event.is_forwarded:
            self.painting.hold()
        if isinstance(event, events.InputEvent) and not event.is_forwarded:
            self.news.away.handle_input(event)
        if isinstance(event, events.Key) and self.screen_stack:
            # A screen opened by the previous key must be mounted first.
            await wait_mounted(self.screen)
            if not event.is_forwarded:
                note_focus(event, self.focused)
        await super().on_event(event)

    # A window that is too small

    def _fits(self, size: Size) -> bool:
        """Whether the app fits into a window of this size; if not, a sentence is shown instead of the app."""
        before = self.too_small_lines
        self.too_small_lines = too_small_lines(size)
        if before or self.too_small_lines:
            self.refresh()
        return not self.too_small_lines

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self.too_small_lines and renderable is not None:
            renderable = full_screen_lines(self, self.too_small_lines) if is_full_repaint(renderable) else None
        super()._display(screen, renderable)

    async def _key_while_too_small(self, event: events.Event) -> None:
        actions = app_actions(self, event.key) if isinstance(event, events.Key) and self.screen_stack else set()
        if actions & {"quit", "help_quit"}:
            await self.action_quit()
        elif "suspend_process" in actions and self.can_suspend:
            self.action_suspend_process()

    def on_app_focus(self) -> None:
        self.news.away.user_active(focused=True)
        self._runs.controller.feed.set_focused(True)

    def on_app_blur(self) -> None:
        self.news.away.blur()
        self._runs.controller.feed.set_focused(False)

    # Sign-in and profiles

    @on(SignInRequested)
    def sign_in(self, event: SignInRequested) -> None:
        """Open the sign-in, unless it is open or the demo is running. In an offline session, only notify the user."""
        from cekura_tui.ui.sign_in import SignInScreen

        if self._workspace.setup.offline:
            text = with_keys("No API key: showing what is saved here. Press {app.profile} to sign in.")
            self.notify(text, severity="warning", markup=False)
        elif not self._locked and not self._workspace.setup.demo:
            self.push_screen(SignInScreen(self.state, event.reason, event.former))

    @on(WorkspaceChanged)
    def workspace_changed(self) -> None:
        if self._locked:
            self.pop_screen()
        self.state.hints.begin(self._workspace.setup)
        self.state.put_jobs(())
        self.state.pointed_job = None
        self.state.decisions.clear()
        self.news.begin()
        self._runs.controller.list_scope(self._workspace.setup.scope)
        self.jobs_reader.read()

    def action_profile(self) -> None:
        from cekura_tui.ui.profiles import ProfileSwitch

        ProfileSwitch(self, self.state, self._leave_pages).choose()

    def _leave_pages(self) -> None:
        if self._locked:
            self.pop_screen()
        if self._jobs_opened:
            self.action_go("jobs")
        self.action_go("runs")

    # Suspending and quitting

    @property
    def can_suspend(self) -> bool:
        """Whether a shell with job control can resume the program."""
        return isinstance(driver_of(self), TerminalDriver) and has_job_control()

    def action_suspend_process(self) -> None:
        driver = driver_of(self)
        if self.can_suspend and isinstance(driver, TerminalDriver):
            self.app_suspend_signal.publish(self)
            driver.suspend_job()

    def action_redraw(self) -> None:
        """Write every cell again, including unchanged ones."""
        driver = driver_of(self)
        if isinstance(driver, TerminalDriver):
            driver.forget_screen()
        self.screen.refresh()

    async def action_quit(self) -> None:
        """Exit once all input is saved or kept in a file. If neither is possible, ask; quitting again does not ask."""
        self._save_typed()
        unsaved = self._workspace.unsaved
        if await unsaved.settled() or not unsaved.sentence or self._asks_to_quit:
            self._leave(0)
        else:
            from cekura_tui.ui.kit.dialog import ConfirmDialog

            def answered(sure: bool | None) -> None:
                self._asks_to_quit = False
                if sure:
                    self._leave(0)

            self._asks_to_quit = True
            question = ConfirmDialog("Quit without saving?", unsaved.sentence, "Quit without saving")
            self.push_screen(question, answered)

    def leave_from_signal(self, status: int) -> None:
        """Exit with this status; may be called from a signal handler."""
        if self._ui_loop is not None:
            self._ui_loop.call_soon_threadsafe(self._leave, status)

    def _leave(self, status: int) -> None:
        """Record the user's visit, save typed text and exit."""
        self.news.away.user_quits()
        self._save_typed()
        self._workspace.unsaved.keep()  # a locked database may hold up the workspace until the process is killed
        self.status = status
        self.exit(return_code=status)

    def _save_typed(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, AppScreen):
                screen.save_typed()

    def panic(self, *renderables: RenderableType) -> None:
        self._fatal_error()

    def _fatal_error(self) -> None:
        """End the app after an unexpected error in a screen, and record the crash."""
        first = exit_after_error(self)
        self.note_crash(sys.exception() or first or RuntimeError("Textual gave up"))

    def note_crash(self, error: BaseException) -> None:
        """Log an unexpected error from any thread, without local variables; set `crash` unless the app is exiting."""
        self._workspace.start_log()  # in case of a crash before the workspace started
        thread = threading.current_thread().name
        _log.error("the app ended by an error in the thread %s", thread, exc_info=error)
        if self.status is None:  # an error while closing screens is no crash
            self.status = Exit.WRONG_USE
            self.crash = (
                f"cekura-tui crashed ({type(error).__name__}). Details are in {self._workspace.setup.paths.log}."
            )

    # Keys and copying

    def action_go(self, mode: str) -> None:
        """Switch to the run list or the job list and close all other pages, unless a dialog or the sign-in is open. If
        jobs ended since the last visit, the cursor of the job list goes to the one that ended last."""
        if self.screen.is_modal or self._locked:
            return
        drop_old_toasts(self, self.state)
        new = [job for job in self.state.jobs if job.unread and job.number not in self._known_ends]
        if mode == "jobs" and new:
            self.state.pointed_job = max(new, key=ended_at).number
            self._known_ends.update(job.number for job in new)
        if self.current_mode != mode:
            self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    @property
    def _locked(self) -> bool:
        return isinstance(self.screen, Page) and self.screen.locked

    def action_help(self) -> None:
        from cekura_tui.ui.kit.help import HelpDialog, key_help

        if not isinstance(self.screen, HelpDialog):
            self.push_screen(key_help(self.screen, self.state.problems))

    def action_manual(self) -> None:
        from cekura_tui.ui.kit.help import manual_palette

        self.push_screen(manual_palette(self))

    @property
    def typing(self) -> bool:
        """Whether a letter key types text in the focused widget."""
        return self.focused is not None and self.focused.check_consume_key("y", "y")

    def action_copy_selection(self) -> None:
        """Copy the text selected with the mouse and clear the selection, so that `y` is the screen's key again."""
        text = self.screen.get_selected_text() or ""
        self.screen.clear_selection()
        if text:
            lines = text.count("\n") + 1
            self._copies.copy(text, f"{lines:,} lines" if lines > 1 else "the selection")

    action_copy_text = action_copy_selection

    @on(CopyRequested)
    def copy_text(self, request: CopyRequested) -> None:
        self._copies.copy(request.text, request.what)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy the text selected in the focused input, unless the input hides an API key."""
        if getattr(self.focused, "password", False):
            self.notify("Can't copy the API key.", severity="warning", markup=False)
        elif text:
            self._copies.copy(text, "the selection")

    @property
    def clipboard(self) -> str:
        """The last copied text, for pasting within the app."""
        return self._copies.text

    def action_help_quit(self) -> None:
        keys = keymap_in_use().hint("{app.quit} (or ctrl+q)") or "ctrl+q"
        self.notify(f"Press {keys} to quit. Running jobs continue.", markup=False)
