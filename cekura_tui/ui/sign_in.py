"""The screen shown if there is no API key or the server refused the key: a list of ways to start."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal, NamedTuple

from rich.segment import Segment
from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from cekura_tui.config.credentials import KEY_HINT, PROFILE
from cekura_tui.model.errors import CekuraTuiError, Exit, KeyMissing
from cekura_tui.model.secrets import shown, shown_words
from cekura_tui.model.text import clean
from cekura_tui.ui.actions import NOT_OFFERED, Action, do_action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.dialog import ConfirmDialog, DialogNote, KeyHint, section
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lists import Ink, SimpleList
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.strips import Line
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import CopyRequested, WorkspaceChanged
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.setup import KeyTaken, Setup

_ABOUT = (
    "See why test calls of your Cekura voice agent failed, and improve the agent's prompt from them: you accept or "
    "reject each suggested change."
)
_EXPORT = "export CEKURA_API_KEY="
_NAME_CELLS = 14


class WayIn(NamedTuple):
    """A way to start: the id of its action, its name and a description."""

    action: str
    name: str
    words: str


_WAYS = (
    WayIn("sign-in.key", "Sign in", "with an API key from the dashboard"),
    WayIn("sign-in.demo", "Demo", "invented runs; no key, no network"),
    WayIn("sign-in.environment", "Environment", f"copy {_EXPORT} for your shell"),
    WayIn("sign-in.cached", "Cached", "runs and jobs saved on this machine; no key"),
    WayIn("app.profile", "Profile", "another key or server"),
)


def error_text(error: CekuraTuiError) -> str:
    """The error's message; for a missing key, also the error's hint, unless it is the general hint on setting a key."""
    return error.message if not isinstance(error, KeyMissing) or error.hint == KEY_HINT else error.sentence()


def _way_line(row: WayIn, width: int, ink: Ink) -> Line:
    name = Segment(fit(f" {row.name}", _NAME_CELLS), ink("strong"))
    return [name, Segment(fit(row.words, width - _NAME_CELLS), ink("dim"))]


class KeyLine(TypedLine):
    ACTIONS: ClassVar[tuple[Action, ...]] = (Action("sign-in.check", "enter", "submit", "Sign in", footer=1),)
    longest = 4_096

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(placeholder="Paste or type the key", password=True, id=id, compact=True)


def _while_typing(page: Widget) -> str | None:
    return NOT_OFFERED if page.query(KeyLine) and page.query_one(KeyLine).has_focus else None


def _with_way_back(page: Widget) -> str | None:
    return NOT_OFFERED if getattr(page, "former", None) else _while_typing(page)


def _without_way_back(page: Widget) -> str | None:
    return None if _with_way_back(page) == NOT_OFFERED else NOT_OFFERED


class SignInScreen(Page):
    """Lists the ways to start. After the server refused a key, the screen shows the input for another key instead."""

    PLACE = "In the sign-in"
    PARTS = (VirtualList, KeyLine)
    SHEETS = ("dialogs",)
    AUTO_FOCUS = ""
    locked = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("sign-in.key", "", lambda page: page.show_form(typing=True), "Sign in", footer=2, why_not=_while_typing),
        Action("sign-in.demo", "", lambda page: page.enter("demo"), "Demo", footer=3, why_not=_while_typing),
        Action("sign-in.environment", "", lambda page: page.copy_export(), "Environment", why_not=_while_typing),
        Action("sign-in.cached", "", lambda page: page.enter("cached"), "Cached", footer=5, why_not=_while_typing),
        Action("sign-in.next", "tab", lambda page: page.ways.move_by(1), "Next", why_not=_while_typing),
        Action("sign-in.previous", "shift+tab", lambda page: page.ways.move_by(-1), "Previous", why_not=_while_typing),
        Action("sign-in.back", "escape", lambda page: page.back(), "Back", footer=2, why_not=_without_way_back),
        Action("sign-in.quit", "escape", "quit", "Quit", footer=6, why_not=_with_way_back),  # shown for `q` too
    )
    HELP = """\
# Sign in
`{list.open}` opens the way under the cursor. *Sign in* asks for an API key, checks it and saves it, readable only by
you; it is sent only to its own server. *Demo* opens a demo with invented runs. *Environment* copies the line that sets
the key in your shell. *Cached* shows the runs and jobs that are saved on this machine, without a key. *Profile* or
`{app.profile}` opens another profile.
"""

    def __init__(self, state: AppState, reason: CekuraTuiError | None, former: Setup | None = None) -> None:
        super().__init__(state)
        self._reason = reason
        self.former = former
        """The setup to go back to; None if there was none with a key."""

    def body(self) -> ComposeResult:
        setup = self.state.workspace.setup
        made = f"Create one in {shown_words(setup.settings.dashboard_url)}, Settings › API keys."
        profile = "" if setup.profile == PROFILE else f" as profile {shown(setup.profile, 3)}"
        stored = (
            f"Stored in {setup.paths.credentials}{profile}, readable only by you; sent only to {setup.server.origin}."
        )
        with VerticalScroll(id="sign-in", classes="dialog", can_focus=False) as box:
            box.border_title = Content("cekura-tui")
            yield Static(Content(_ABOUT), id="about")
            yield Static(Content(clean(self._why())), id="reason")
            yield SimpleList(key=lambda row: row.action, line=_way_line, id="ways")
            yield KeyHint("{sign-in.next} next · {list.open} choose", id="ways-keys")
            facts = Static(Content(f"{made} {stored}"), id="key-facts")
            yield section("API key", KeyLine("key"), facts, id="key-form")
            yield DialogNote(id="sign-in-note")

    def _why(self) -> str:
        if not self._refused:
            return f"{error_text(self._reason) if self._reason else 'No API key yet.'} Ways to start:"
        key = self.state.workspace.setup.key
        return f"! {self._reason.message if self._reason else ''}" + (f" The key is from {key.source}." if key else "")

    @property
    def _refused(self) -> bool:
        """Whether the server refused the key; if a key is set, this screen opens for no other reason."""
        return self.state.workspace.setup.key is not None

    @property
    def ways(self) -> SimpleList[WayIn]:
        return self.query_one(SimpleList)

    def on_mount(self) -> None:
        self.ways.show_rows(_WAYS)
        self.query_one("#reason").set_class(self._refused, "-failed")
        self.show_form(typing=self._refused)

    def show_form(self, *, typing: bool) -> None:
        """With `typing`, show the input for a key; otherwise show the ways to start."""
        self.query_one("#key-form").display = typing
        for widget in self.query("#about, #ways, #ways-keys"):
            widget.display = not typing
        self.query_one("#reason").display = self._refused or not typing
        self.query_one(DialogNote).show("")
        self.set_focus(self.query_one(KeyLine) if typing else self.ways)

    @on(SimpleList.Opened)
    async def choose(self, event: SimpleList.Opened) -> None:
        if event.key == "app.profile":
            self.call_next(self.run_action, "app.profile")
        else:
            await do_action(self, str(event.key))

    def on_paste(self, event: events.Paste) -> None:
        """If a key is pasted into the list of ways to start, show the key input and paste the key into the input."""
        self.show_form(typing=True)
        self.query_one(KeyLine).on_paste(event)

    async def action_quit(self) -> None:
        await self.app.action_quit()

    def back(self) -> None:
        """Go back from the key input to the ways to start, or from there to the former profile."""
        if _while_typing(self) is None:
            self.enter("former")
            return
        self.query_one(KeyLine).value = ""
        self.show_form(typing=False)

    def copy_export(self) -> None:
        self.app.post_message(CopyRequested(_EXPORT, "the line"))
        self.query_one(DialogNote).show(f"Quit, run {_EXPORT}<your key>, and start again.")

    @work(group="sign-in", exclusive=True)
    async def enter(self, way: Literal["demo", "cached", "former"]) -> None:
        """Start the demo, show the saved runs and jobs without a key, or go back to the former profile."""
        workspace, note = self.state.workspace, self.query_one(DialogNote)
        if way == "demo":
            note.show("Starting the demo …")
        try:
            if way == "former" and self.former is not None:
                await workspace.reopen(self.former)
            else:
                offline = workspace.setup.without_key()
                await (workspace.enter_demo() if way == "demo" else workspace.reopen(offline))
        except CekuraTuiError as error:
            start = "Can't start the demo. " if way == "demo" else ""
            note.show(f"{start}{error.sentence()}", failed=True)
        else:
            self.post_message(WorkspaceChanged())

    @on(Input.Submitted)
    def check(self) -> None:
        """Have the server check the typed key; if the input is empty, ask for a key."""
        if self.query_one(KeyLine).value.strip():
            self._check()
        else:
            self.query_one(DialogNote).show("Paste or type an API key first.", failed=True)

    # The key is read inside the worker: a worker's description shows its arguments.
    @work(group="sign-in", exclusive=True)
    async def _check(self, *, over: bool = False) -> None:
        field = self.query_one(KeyLine)
        self.query_one(DialogNote).show("Checking the key …")
        try:
            await self.state.workspace.sign_in(field.value, over=over)
        except KeyTaken as error:
            self.query_one(DialogNote).show(error.message, failed=True)
            # While a key is typed, the key of app.profile is text.
            keep = with_keys("To keep both, cancel and add a profile: {sign-in.back}, then {app.profile}.")
            question = ConfirmDialog("Replace the saved key?", f"{error.message} {keep}", "Replace the key")
            question.ask(self.app, partial(self._check, over=True))
            return
        except CekuraTuiError as error:
            next_key = "Check the key" if error.exit_status == Exit.KEY_REFUSED else "Wait a moment"
            press = with_keys("then press {sign-in.check}.")
            self.query_one(DialogNote).show(f"{error_text(error)}\n{next_key}, {press}", failed=True)
            field.focus()
            return
        field.value = ""
        self.post_message(WorkspaceChanged())
