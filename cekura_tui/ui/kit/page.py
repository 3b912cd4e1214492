"""The base of full screens: footer, toasts and errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.notifications import Notification
from textual.screen import Screen
from textual.selection import Selection
from textual.widget import Widget

from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError
from cekura_tui.model.job import Job
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.kit.app_screen import AppScreen
from cekura_tui.ui.kit.footer import HintLine, KeyFooter
from cekura_tui.ui.kit.lines import Notice
from cekura_tui.ui.messages import GivenPrompt, Improve, SignInRequested, TestRuns
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.textual_private import drop_toasts

TOAST_READABLE = 2.0
"""Seconds after which a warning toast may be dropped."""

MOST_TESTED = 50
"""Maximum number of runs whose scenarios are called again at once."""


def drop_old_toasts(app: App[Any], state: AppState) -> None:
    """Drop toasts that would cover a page's title; keep fresh warnings and errors that are not about ended jobs."""

    def dropped(toast: Notification) -> bool:
        is_fresh = time.time() - toast.raised_at < TOAST_READABLE
        is_old = toast.severity == "information" or not is_fresh or toast.message == state.end_message
        return is_old and toast.message != state.not_saved

    drop_toasts(app, dropped)


def unless_failed(page: Page) -> str | None:
    return NOT_OFFERED if page.error is None else None


def error_action(page: str, footer: int = 0, why_not: Callable[[Any], str | None] = unless_failed) -> Action:
    """The action "`page`.error", which shows the whole error of a page; a `Notice` names the action's key."""
    return Action(
        f"{page}.error",
        "enter",
        lambda shown: shown.show_error(shown.error),
        "Show error",
        footer=footer,
        why_not=why_not,
    )


def _waiting(*given: Any) -> Screen[None]:
    from cekura_tui.ui.kit.dialog import WaitingDialog

    return WaitingDialog(*given)


class Page(AppScreen[None]):
    # Textual declares these as instance variables.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    body: Callable[[], Iterable[Widget]]
    """Yields the page's widgets above its footer."""

    locked: ClassVar[bool] = False
    """Whether the global keys that open another page are disabled on this page."""

    def __init__(self, state: AppState) -> None:
        super().__init__(_waiting)
        self.state = state
        self.error: CekuraTuiError | None = None
        """The error that prevented loading the page's data, or None."""

    def compose(self) -> ComposeResult:
        yield from self.body()
        yield HintLine(self.state.hints)
        yield KeyFooter(self.state)

    def _on_mount(self, event: events.Mount) -> None:
        drop_old_toasts(self.app, self.state)

    def watch_selections(self, former: Mapping[Widget, Selection], now: Mapping[Widget, Selection]) -> None:
        """Show or hide the key `y`, which copies selected text."""
        if bool(former) != bool(now):
            self.refresh_bindings()

    def improve(self, run_ids: Sequence[int], given: GivenPrompt | None = None) -> None:
        """Open the dialog that launches a job from these runs, optionally with a given prompt."""
        self.state.ask(Improve(tuple(run_ids), given))

    def test(self, run_ids: Sequence[int]) -> None:
        """Open the dialog that calls the scenarios of these runs, newest first, again."""
        if len(run_ids) > MOST_TESTED:
            self.notify_once(f"Only the newest {MOST_TESTED} of {len(run_ids):,} runs are used.")
        self.state.ask(TestRuns(tuple(run_ids[:MOST_TESTED])))

    def job_launched(self, job: Job) -> None:
        """Called after a job was launched from this page."""

    def show_state(
        self, data: Widget, *, loaded: bool, error: CekuraTuiError | None, empty: tuple[str, str], focus: bool = True
    ) -> None:
        """Show `data` if it is loaded, else the page's notice with the error or, without an error, the title and text
        in `empty`. With `focus`, shown data gets the focus unless another widget has it."""
        self.error = error
        notice = self.query_one(Notice)
        if not loaded and focus and data.has_focus:
            self.set_focus(None)  # else Textual would focus another widget, which would keep the focus
        data.display, notice.display = loaded, not loaded
        if not loaded and error is not None:
            notice.show_error(error)
        elif not loaded:
            notice.show(*empty)
        elif focus and not self.focused:
            data.focus()

    def notify_once(self, text: str | None, *, warning: bool = False) -> None:
        """Show a toast, unless the text is empty or shown already (`CekuraApp.on_notify`)."""
        if text:
            self.notify(text, severity="warning" if warning else "information", markup=False, timeout=8)

    def show_error(self, error: CekuraTuiError) -> None:
        """Show an error in a dialog, or a refusal in a toast. If the server refused the API key, open the sign-in."""
        from cekura_tui.ui.kit.dialog import DetailsDialog

        self.opening.end_wait()
        if error.exit_status == Exit.KEY_REFUSED:
            self.post_message(SignInRequested(error))
        elif isinstance(error, UsageError) and error is not self.error:
            self.notify_once(error.sentence(), warning=True)
        else:
            self.app.push_screen(DetailsDialog.of_error(error))
