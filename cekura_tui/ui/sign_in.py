"""Signing in: only when there is no key, or the server refused it."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean
from cekura_tui.ui.actions import Action, bindings
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import WorkspaceChanged
from cekura_tui.ui.state import AppState


class KeyLine(TypedLine):
    """Where a key is typed; there are tokens that are longer than any name."""

    longest = 4_096


class SignInScreen(Page):
    """Asks for a key, checks it, and says so; or leads to the embedded workspace."""

    AUTO_FOCUS = "#key"
    locked = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("sign-in.demo", "ctrl+t", "demo", "Embedded workspace", footer=1, key_display="ctrl+t", priority=True),
        Action("sign-in.quit", "escape", "app.quit", "Quit", footer=2),
    )
    BINDINGS = bindings(ACTIONS)
    HELP = (
        "# Sign in\nA key is made in the dashboard. It is kept readable by you alone and goes to its own server only.\n"
    )

    def __init__(self, state: AppState, reason: CekuraTuiError | None) -> None:
        super().__init__(state)
        self._reason = reason

    def body(self) -> ComposeResult:
        """What is wrong, the field, the way around."""
        setup = self.state.workspace.setup
        with VerticalScroll(id="sign-in"):
            yield Label(Content("Sign in"), classes="dialog-title")
            yield Static(
                Content(clean(self._reason.message if self._reason else "There is no API key yet.")), id="reason"
            )
            yield Static(
                Content(
                    f"A key for {setup.server.origin} is made in {setup.settings.dashboard_url}, Settings › API keys."
                    f" It is kept in {setup.paths.credentials}, readable by you alone, and sent to this server only."
                )
            )
            yield KeyLine(placeholder="API key", password=True, id="key", compact=True)
            yield Static(id="sign-in-note")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Sign in"), id="check", variant="primary", compact=True)
                yield Button(Content("Look around in the embedded workspace"), id="demo", compact=True)
            yield Label(Content("enter signs in · ctrl+t the embedded workspace"), classes="dialog-hint")

    def on_mount(self) -> None:
        """A blinking cursor would write to the terminal for ever."""
        self.query_one(Input).cursor_blink = False

    @on(Input.Submitted)
    @on(Button.Pressed, "#check")
    def check(self) -> None:
        """Ask the server whether it takes the key."""
        self._check()

    # The key is read inside the worker: a worker's description shows its arguments.
    @work(group="sign-in", exclusive=True)
    async def _check(self) -> None:
        field = self.query_one(Input)
        self._show_message("Checking …")
        try:
            await self.state.workspace.sign_in(field.value)
        except CekuraTuiError as error:
            self._show_message(error.sentence(), failed=True)
            field.focus()
            return
        field.value = ""
        self.post_message(WorkspaceChanged())

    @on(Button.Pressed, "#demo")
    def action_demo(self) -> None:
        """Enter the embedded workspace."""
        self._enter_demo()

    @work(group="sign-in", exclusive=True)
    async def _enter_demo(self) -> None:
        self._show_message("Starting the embedded workspace …")
        try:
            await self.state.workspace.enter_demo()
        except CekuraTuiError as error:
            self._show_message(error.sentence(), failed=True)
            return
        self.post_message(WorkspaceChanged())

    def _show_message(self, text: str, *, failed: bool = False) -> None:
        note = self.query_one("#sign-in-note", Static)
        note.set_class(failed, "-failed")
        note.update(Content(clean(text)))
