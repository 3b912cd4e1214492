"""The base of all full screens: the footer, and how errors are shown."""

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

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.job import Job
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.kit.app_screen import AppScreen
from cekura_tui.ui.kit.footer import HintLine, KeyFooter
from cekura_tui.ui.kit.lines import Notice
from cekura_tui.ui.messages import GivenPrompt, Improve, SignInRequested
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.textual_private import drop_toasts

TOAST_READABLE = 2.0
"""Seconds that a warning stays at least."""


def drop_old_toasts(app: App[Any], state: AppState) -> None:
    """Drop the messages that would lie on the title of a page that is opened now: all but fresh warnings, and also a
    fresh one of jobs that ended, for the page may be of one of them."""

    def dropped(toast: Notification) -> bool:
        is_fresh = time.time() - toast.raised_at < TOAST_READABLE
        return toast.severity == "information" or not is_fresh or toast.message == state.end_message

    drop_toasts(app, dropped)


def unless_failed(page: Page) -> str | None:
    return NOT_OFFERED if page.error is None else None


def error_action(page: str, footer: int = 0, why_not: Callable[[Any], str | None] = unless_failed) -> Action:
    """The action of a page that shows the whole error in place of which it has nothing to show; `page` begins its id.

    `Notice` names its key, and that of the page's action "retry" or "refresh".
    """
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

    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    """What can be done on it; `BINDINGS` are made of them."""

    body: Callable[[], Iterable[Widget]]
    """What the page shows."""

    locked: ClassVar[bool] = False
    """Whether global keys do not lead away from it."""

    def __init__(self, state: AppState) -> None:
        super().__init__(_waiting)
        self.state = state
        self.error: CekuraTuiError | None = None
        """Why what it shows could not be loaded."""
        self._last_message, self._last_until = "", 0.0

    def compose(self) -> ComposeResult:
        yield from self.body()
        yield HintLine(self.state.hints)
        yield KeyFooter(self.state)

    def _on_mount(self, event: events.Mount) -> None:
        drop_old_toasts(self.app, self.state)

    def watch_selections(self, former: Mapping[Widget, Selection], now: Mapping[Widget, Selection]) -> None:
        """With selected text `y` copies that text."""
        if bool(former) != bool(now):
            self.refresh_bindings()

    def improve(self, run_ids: Sequence[int], given: GivenPrompt | None = None) -> None:
        """Open the dialog that launches a job from these runs, perhaps with a prompt to begin with."""
        self.state.ask(Improve(tuple(run_ids), given))

    def improved(self, job: Job) -> None:
        """Called when a job was launched from this page."""

    def show_state(
        self, data: Widget, *, loaded: bool, error: CekuraTuiError | None, empty: tuple[str, str], focus: bool = True
    ) -> None:
        """Show the data, once there is any; else, in the page's notice, the error, or a title and a text that say why
        it is empty. With `focus` the data gets the focus where nothing has it."""
        self.error = error
        notice = self.query_one(Notice)
        if not loaded and data.has_focus:
            self.set_focus(None)  # it may be empty for a moment; Textual would give the focus to another part for good
        data.display, notice.display = loaded, not loaded
        if not loaded and error is not None:
            notice.show_error(error)
        elif not loaded:
            notice.show(*empty)
        elif focus and not self.focused:
            data.focus()

    def notify_once(self, text: str | None, *, warning: bool = False) -> None:
        """Show a short message in the corner, unless it is empty or there already."""
        now = time.monotonic()
        if not text or (self._last_message == text and now < self._last_until):
            return
        self._last_message, self._last_until = text, now + 8
        self.notify(text, severity="warning" if warning else "information", markup=False, timeout=8)

    def show_error(self, error: CekuraTuiError) -> None:
        """An error in a dialog; one about the key leads to signing in."""
        from cekura_tui.ui.kit.dialog import DetailsDialog

        self.opening.arrived()
        if error.exit_status == Exit.KEY_REFUSED:
            self.post_message(SignInRequested(error))
        else:
            self.app.push_screen(DetailsDialog.of_error(error))
