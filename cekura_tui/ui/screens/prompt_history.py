"""The prompts that an agent had, was sent, was proposed or was given: when and how, and any two of them compared."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.prompt_use import PromptUse
from cekura_tui.model.text import clean, clean_line, count, sha256
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.confirm import ConfirmDialog
from cekura_tui.ui.dialogs.copy_prompt import CopyPromptDialog
from cekura_tui.ui.dialogs.restoring import Restoring
from cekura_tui.ui.screens.page import Page
from cekura_tui.ui.screens.prompt_diff import Compared, PromptDiffScreen
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.one_line import OneLine
from cekura_tui.ui.widgets.prompt_use_list import PromptUseList, how_words


class PromptHistoryScreen(Page):
    """What this machine has met of an agent's prompts, and what the agent has now."""

    AUTO_FOCUS = "PromptUseList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "hand_off", "Copy, save", id="prompts.hand-off"),
        Binding("R", "restore", "Restore", id="prompts.restore"),
        Binding("D", "forget", "Forget", id="prompts.forget"),
        Binding("r", "refresh", "Read anew", id="prompts.refresh", show=False),
        Binding("enter", "whole_error", "Show error", id="prompts.error", show=False),
        Binding("escape", "back", "Back", id="prompts.back"),
    ]
    HELP = """\
# Prompts of an agent
Every prompt that was seen at the agent, sent with a job, proposed, staged, written or replaced, the newest first;
`»` is what the agent has now. `enter` shows what changed between the one under the cursor and the one marked with
`space`, else what the agent has now. `R` puts back what the last write from here replaced, after asking.
`y` copies or saves the one under the cursor, `D` forgets it.
"""

    def __init__(self, board: Board, agent_id: int, agent_name: str) -> None:
        super().__init__(board)
        self._agent_id = agent_id
        self._agent_name = clean_line(agent_name, 60) or f"agent {agent_id}"
        self._here = ""
        """The hash of what the agent has now, once that is known."""
        self._reading = True
        self._unread: CekuraTuiError | None = None
        self._error: CekuraTuiError | None = None
        self._restoring = self._writing = False

    def body(self) -> ComposeResult:
        """Headline, what the agent has now, the list, and what came of a restore."""
        yield OneLine(id="prompts-headline")
        yield OneLine(id="prompts-now", classes="pane-title")
        yield PromptUseList(id="prompt-uses")
        yield Notice(id="prompts-notice")
        yield Static(id="prompts-note")

    def on_mount(self) -> None:
        """Ask the server what the agent has."""
        self.query_one(PromptUseList).display = False
        self.query_one("#prompts-note").display = False
        self.query_one(Notice).say("Reading …")
        self._draw_now()
        self._read_now()

    def on_screen_resume(self) -> None:
        """Here, or back from something else."""
        self._load()

    # Reading

    @work(group="prompts-now", exclusive=True)
    async def _read_now(self) -> None:
        """What the agent has now; it is in the history from then on."""
        try:
            agent, prompt = await self.board.workspace.call(lambda session: session.agent_prompt(self._agent_id))
        except CekuraTuiError as error:
            self._here, self._unread = "", error
        else:
            self._here, self._unread = sha256(prompt), None
            self._agent_name = clean_line(agent.name, 60) or self._agent_name
        self._reading = False
        if not self.gone:
            self._draw_now()
            self._load()

    @work(group="prompts", exclusive=True)
    async def _load(self) -> None:
        uses: list[PromptUse] = []
        try:
            uses = await self.board.workspace.call(lambda session: session.history.list(self._agent_id))
            self._error = None
        except CekuraTuiError as error:
            self._error = error
        if self.gone:
            return
        listed, notice = self.query_one(PromptUseList), self.query_one(Notice)
        listed.show_uses(uses, self.board, self._here)
        # Marks outlive rows, and what is forgotten is not to be compared.
        listed.marks &= {listed.key_of(row) for row in listed.rows}
        listed.display, notice.display = bool(uses), not uses
        text = Text(f" Prompts of {self._agent_name} ", style="bold", end="")
        self.query_one("#prompts-headline", OneLine).show(text.append(f"· {len(uses):,} kept here", style="not bold"))
        if self._error is not None:
            notice.say_error(self._error)
        elif not uses:
            kept = "What is seen, sent, proposed or written is kept from then on."
            notice.say(f"No prompt of {self._agent_name} was met yet.", kept)
        elif not self.focused:
            listed.focus()
        self.refresh_bindings()

    def _draw_now(self) -> None:
        if self._reading:
            told = "Reading what it has now …"
        elif self._unread is not None:
            told = f"! What it has now is not known: {self._unread.message}"
        else:
            told = "» is what it has now"
        self.query_one("#prompts-now", OneLine).show(Text(clean_line(told)))

    def action_refresh(self) -> None:
        """All anew."""
        self._reading = True
        self._draw_now()
        self._read_now()
        self._load()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a row there is nothing to copy or forget."""
        if action in ("hand_off", "forget"):
            return self.is_attached and bool(self.query(PromptUseList)) and self._use is not None
        if action == "whole_error":
            return self._error is not None
        return super().check_action(action, parameters)

    @property
    def _use(self) -> PromptUse | None:
        row = self.query_one(PromptUseList).cursor_row
        return row.use if row else None

    def action_back(self) -> None:
        """Leave, but not in the middle of a write."""
        if self._writing:
            self._say("It is being written; what came of it is told here.")
        else:
            self.dismiss(None)

    @on(PromptUseList.Opened)
    def compare(self) -> None:
        """Enter on a use."""
        if (use := self._use) is None or not self.is_current:
            return
        other = self._other(use)
        if other is None:
            self.tell("There is no other prompt to compare it with.")
            return
        old, new = sorted((use, other), key=lambda one: one.at)
        self.app.push_screen(PromptDiffScreen(self.board, Compared(self._agent_name, old, new)))

    def _other(self, use: PromptUse) -> PromptUse | None:
        """What a use is compared with: the marked one, else what the agent has now, else the next older other text."""
        listed = self.query_one(PromptUseList)
        if (marked := listed.marked) is not None and marked != use:
            return marked
        uses = [row.use for row in listed.rows]
        now = next((one for one in uses if one.sha256 == self._here), None)
        if now is not None and use.sha256 != self._here:
            return now
        older = uses[uses.index(use) + 1 :]
        return next((one for one in older if one.sha256 != use.sha256), None)

    @work(group="prompt-hand-off", exclusive=True)
    async def action_hand_off(self) -> None:
        """Copy it, or write it to a file."""
        if (use := self._use) is None:
            return
        try:
            prompt = await self.board.workspace.call(lambda session: session.history.text(use.sha256))
        except CekuraTuiError as error:
            self.tell_error(error)
            return
        whose = f"the prompt of {self._agent_name}, {how_words(use)}, {self.board.when(use.at)}"
        if told := await self.app.push_screen_wait(CopyPromptDialog(whose, self._agent_name, prompt)):
            self.tell(told)

    @work(group="prompt-forget", exclusive=True)
    async def action_forget(self) -> None:
        """Drop one from the history, after asking."""
        if (use := self._use) is None:
            return
        what = f"{how_words(use)}, {self.board.when(use.at)}, {count(use.words, 'word')}"
        text = f"{what[0].upper()}{what[1:]}: “{use.first_line}”\n\n{_forgetting(use)}"
        question = ConfirmDialog(f"Forget this prompt of {self._agent_name}?", text, "Forget it")
        if not await self.app.push_screen_wait(question):
            return
        try:
            await self.board.workspace.call(lambda session: session.history.forget(use))
        except CekuraTuiError as error:
            self.tell_error(error)
            return
        self.tell("Forgotten.")
        self._load()

    def action_restore(self) -> None:
        """Put back what the last write from here replaced, after asking."""
        if not self._restoring:
            self._restoring = True
            self._say("Reading what it has now …")
            self._restore()

    @work(group="prompt-restore")
    async def _restore(self) -> None:
        try:
            written = await Restoring(self.app, self.board, self._agent_id, self._begun).ask()
        except CekuraTuiError as error:
            self._say(f"{error.title}: {error.sentence()}", failed=True)
        else:
            self._say(written.said if written else "Nothing was restored.")
        self._restoring = self._writing = False
        if not self.gone:
            self.action_refresh()

    def _begun(self) -> None:
        self._writing = True
        self._say("Restoring …")

    def _say(self, text: str, *, failed: bool = False) -> None:
        if self.gone:
            return
        note = self.query_one("#prompts-note", Static)
        note.display = bool(text)
        note.set_class(failed, "-failed")
        note.update(Content(("! " if failed else "") + clean(text)))


def _forgetting(use: PromptUse) -> str:
    if use.how == "replaced":
        return "If this is what the last write replaced, it cannot be restored any more."
    return "Its text stays where a job, or another line of this list, needs it."
