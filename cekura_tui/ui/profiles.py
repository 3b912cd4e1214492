"""Profiles, each an API key with its server: dialogs that choose or add a profile, and the switch to a profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import on, work
from textual.app import App, ComposeResult
from textual.widgets import Input

from cekura_tui.config.credentials import DEFAULT_API_URL
from cekura_tui.model.errors import CekuraTuiError, Exit, KeyMissing
from cekura_tui.model.secrets import shown, shown_words
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.dialog import DetailsDialog, Dialog, DialogNote, KeyHint, dialog_box, section
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lists import Ink, SimpleList
from cekura_tui.ui.kit.strips import Line
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import SignInRequested, WorkspaceChanged
from cekura_tui.ui.sign_in import KeyLine, error_text
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.ui.terminal.foreground import lend_terminal
from cekura_tui.workspace.setup import account_paths

_NAME_CELLS, _SERVER_CELLS = 16, 28


class ProfileChoice(NamedTuple):
    """A row of the `ProfileDialog`: a profile, or the demo, whose name is empty."""

    name: str
    server: str = ""
    key_from: str = ""
    current: bool = False


ADD = ProfileChoice("\0")
"""The result of the `ProfileDialog` if the user wants to add a profile."""


def _profile_line(row: ProfileChoice, width: int, ink: Ink) -> Line:
    return [
        Segment("● " if row.current else "  "),
        Segment(fit(shown(row.name, 3) or "Demo", _NAME_CELLS), ink("strong")),
        Segment(" "),
        Segment(fit(row.server, _SERVER_CELLS)),
        Segment(" "),
        Segment(fit(row.key_from or "no key · sign in", width - 4 - _NAME_CELLS - _SERVER_CELLS), ink("dim")),
    ]


class ProfileDialog(Dialog[ProfileChoice]):
    PLACE = "In the dialog of profiles"
    PARTS = (VirtualList,)
    AUTO_FOCUS = "#profiles"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("profiles.add", "plus", lambda dialog: dialog.dismiss(ADD), "Add profile", footer=1),
    )

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self._state = state

    def compose(self) -> ComposeResult:
        with dialog_box("Profiles", id="profiles-dialog"):
            yield SimpleList(key=lambda row: row.name, line=_profile_line, id="profiles")
            yield KeyHint("{list.open} open · {profiles.add} add profile · {dialog.close} cancel")

    def on_mount(self) -> None:
        workspace = self._state.workspace
        setup, found = workspace.setup, workspace.profiles()
        saved = str(account_paths(setup).credentials)
        rows = [
            ProfileChoice(
                one.name,
                one.origin.partition("://")[2] or one.origin,
                f"! {one.wrong}" if one.wrong else one.key_from.replace(saved, "saved key"),
                not setup.demo and one.name == setup.profile,
            )
            for one in found
        ]
        rows.append(ProfileChoice("", "built-in demo", "no key needed", setup.demo is not None))
        profiles: SimpleList[ProfileChoice] = self.query_one(SimpleList)
        profiles.show_rows(rows)
        profiles.move_to(next((row.name for row in rows if row.current), rows[0].name))

    @on(SimpleList.Opened)
    def choose(self) -> None:
        self.dismiss(self.query_one(SimpleList).cursor_row)


class AddProfileDialog(Dialog[bool]):
    """Signs in under a new profile name. The result is True, or None if the user cancels."""

    AUTO_FOCUS = "#profile-name"

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self._state = state

    def compose(self) -> ComposeResult:
        setup = self._state.workspace.setup
        with dialog_box("Add profile", id="add-profile"):
            yield section("Name", TypedLine(placeholder="such as staging", id="profile-name", compact=True))
            base = DEFAULT_API_URL if setup.demo else setup.server.base
            shown_base = base if shown_words(base) == base else ""
            yield section("Server", TypedLine(shown_base, id="profile-server", compact=True))
            yield section("API key", KeyLine("profile-key"))
            yield DialogNote(id="add-profile-note")
            yield KeyHint("enter next, then sign in · tab next · {dialog.close} cancel")

    @on(Input.Submitted)
    def check(self) -> None:
        """Focus an empty line, or say what is missing if it has the focus; else have the server check the key."""
        empty = next((line for line in self.query(Input) if not line.value.strip()), None)
        if empty is not None and not empty.has_focus:
            empty.focus()
        elif empty is not None:
            self.query_one(DialogNote).show("Type a name, a server and a key.", failed=True)
        else:
            self._add()

    # The key is read inside the worker: a worker's description shows its arguments.
    @work(group="add-profile", exclusive=True)
    async def _add(self) -> None:
        name, server, key = (line.value.strip() for line in self.query(Input))
        self.query_one(DialogNote).show("Checking the key …")
        try:
            await self._state.workspace.add_profile(name, server, key)
        except CekuraTuiError as error:
            text = f"{error_text(error)} Check the key." if error.exit_status == Exit.KEY_REFUSED else error.sentence()
            self.query_one(DialogNote).show(text, failed=True)
            return
        for line in self.query(Input):
            line.value = ""
        self.dismiss(True)


class ProfileSwitch:
    """Lets the user choose or add a profile, and switches to it. `leave_pages` closes the former account's pages."""

    def __init__(self, app: App[None], state: AppState, leave_pages: Callable[[], None]) -> None:
        self._app, self._state, self._leave_pages = app, state, leave_pages

    def choose(self) -> None:
        if not isinstance(self._app.screen, ProfileDialog):
            self._app.push_screen(ProfileDialog(self._state), self._chosen)

    def _chosen(self, chosen: ProfileChoice | None) -> None:
        if chosen == ADD:
            self._app.push_screen(AddProfileDialog(self._state), lambda added: self._entered() if added else None)
        elif chosen is not None:
            self._app.run_worker(self._open(chosen), group="profile", exclusive=True)

    def _entered(self) -> None:
        self._leave_pages()
        self._app.post_message(WorkspaceChanged())

    async def _open(self, chosen: ProfileChoice) -> None:
        """Switch to a profile or the demo; jobs of the previous profile continue on its server."""
        workspace, former = self._state.workspace, getattr(self._app.screen, "former", None)
        former = workspace.setup if workspace.setup.ready else former
        try:
            if not chosen.name:
                await workspace.enter_demo()
            else:
                setup = workspace.setup_of_profile(chosen.name, may_run=False)
                if setup.key is None and setup.key_from:  # run its command, which may ask for a passphrase
                    running = "Running api_key_command. To cancel, press esc.\n"
                    setup = lend_terminal(self._app, lambda: workspace.setup_of_profile(chosen.name), running)
                await workspace.reopen(setup)
        except KeyMissing as error:
            self._entered()
            self._app.post_message(SignInRequested(error, former))
        except CekuraTuiError as error:
            self._app.push_screen(DetailsDialog.of_error(error))
        except KeyboardInterrupt:
            self._app.notify(f"Stopped. Still using profile {shown(workspace.setup.profile, 3)}.", markup=False)
        else:
            self._entered()
