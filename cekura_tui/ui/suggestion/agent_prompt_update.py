"""Putting back the prompt that an agent had before it was written from here, after asking.

What is said of putting a prompt onto an agent, before anything is written.

The dialog that puts a staged prompt onto its agent, after showing what is there now and what would change of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, Static

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import PromptUse
from cekura_tui.model.text import Prompt, clean, clean_line, count, sha256
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.ui.kit.confirm import ConfirmDialog
from cekura_tui.ui.kit.lines import Notice
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.conflicts import ConflictChoices, ConflictTexts
from cekura_tui.ui.suggestion.diff_view import ProseDiffView
from cekura_tui.workspace.setup import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.prose.conflicts import ConflictDecisions
    from cekura_tui.workspace.agent_prompt_update import PromptUpdate, UpdateResult
    from cekura_tui.workspace.setup import Setup


def change_words(diff: ProseDiff) -> str:
    """How many words a change takes and brings: "6 words go, 14 come"."""
    if not diff.removed_words and not diff.added_words:
        return "white space alone changes" if diff.hunks else "nothing changes"
    return f"{count(diff.removed_words, 'word')} go{'es' if diff.removed_words == 1 else ''}, {diff.added_words:,} come"


def previous_prompt_words(use: PromptUse, state: AppState) -> str:
    """How much it is and when it was replaced: "812 words, Mon 14:05"."""
    return f"{count(use.words, 'word')}, {state.when(use.at)}"


@dataclass(frozen=True, slots=True)
class Restoring:
    """Asks whether an agent is to have its former prompt back, and has that done.

    `begun` is called when somebody has said yes, before anything is sent.
    """

    app: App[object]
    state: AppState
    agent_id: int
    begun: Callable[[], None]

    async def ask(self) -> UpdateResult | None:
        """To be awaited in a worker. None where somebody thought better of it; raises what `AgentPrompts.look_back` and
        `restore` do."""
        refuse_read_only(self.state.workspace.setup.read_only, "nothing was restored")
        call = self.state.workspace.call
        former = await call(lambda session: session.agent_prompts.look_back(self.agent_id))
        name = clean_line(former.agent.name, 60)
        what = f"{name} (agent {self.agent_id}) had another prompt before: {previous_prompt_words(former.use, self.state)}."
        kept = "What it has now is kept in its history and can be restored again."
        told = [*former.warnings, f"{what} Putting it back: {change_words(former.change)}.", kept]
        question = ConfirmDialog(f"Restore the former prompt of {name}?", "\n".join(told), "Restore it")
        if not await self.app.push_screen_wait(question):
            return None
        self.begun()
        return await call(lambda session: session.agent_prompts.restore(former))


def server_words(setup: Setup) -> str:
    """Where an agent is: "at https://…"."""
    return "in the embedded workspace" if setup.demo else f"at {setup.server.origin}"


def update_facts(
    placing: PromptUpdate, change: ProseDiff | None, undecided: int, staged: Prompt, setup: Setup, read_only: str
) -> Iterator[str]:
    """Lines on the agent and on what would change; warnings begin with `!`.

    `undecided` counts the conflicts that are not decided yet, `read_only` says why nothing is written.
    """
    agent, sent_with = placing.agent, f"sent with job {placing.job.number}"
    words = count(len(staged.split()), "word")
    yield f"agent {agent.id} {server_words(setup)} · staged from job {placing.job.number}, {words}"
    changes = change_words(change) if change else "comparing …"
    if undecided:
        changes = f"{count(undecided, 'conflict')} to be decided"
    yield f"{count(len(placing.now.split()), 'word')} there now; {changes}"
    if placing.job.prompt_sha256 == sha256(placing.now):
        yield f"It is still the prompt that was {sent_with}."
    elif not placing.merge.conflicts and not placing.there:
        yield "What changed there since stays: both are put together without a conflict."
    if change is not None and change.coarse:
        yield change.coarse
    for warning in (*placing.warnings, *([read_only] if read_only else [])):
        yield f"! {warning}"


def confirmations(placing: PromptUpdate, change: ProseDiff, setup: Setup) -> Iterator[tuple[str, str, str]]:
    """Title, text and the word for yes of what is asked, one after the other, before anything is written."""
    name = clean_line(placing.agent.name, 60)
    if placing.agent.auto_sync:
        undone = f"The provider syncs the prompt of {name}: the next time it does, what you write here is undone."
        yield f"{name} is synced by its provider", f"{undone}\nWrite it all the same?", "All the same"
    what = f"{name} (agent {placing.agent.id}) {server_words(setup)}: {change_words(change)}."
    kept = f"The {count(len(placing.now.split()), 'word')} that it has now are kept here, and R restores them."
    yield f"Put it onto {name}?", f"{what}\n{kept}", "Put it there"


def key_hints(*, deciding: bool, writes: bool, back: bool, former: str) -> str:
    """The keys that do something; `former` is what a restore would put back, in words."""
    keys = ["o keeps the agent's · s takes the staged · e words it · n N conflicts"] if deciding else []
    if writes:
        keys.append("enter puts it there" if not deciding else "enter puts it there as decided")
    if back:
        keys.append("c conflicts or the change")
    if former:
        keys.append(f"R restores what was there before ({former})")
    return " · ".join([*keys, "r looks again", "esc closes"])


_DECIDE = "Decide every conflict first: o keeps what is there, s takes what was staged, e words it."


class UpdatePromptDialog(ConflictChoices):
    """What came of it is told here and stays until somebody has read it, so there is no answer.

    `staged` is a text that was staged with job `number`; `decisions` know what was decided and written in a dialog like
    this before.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "put", "Put it there", id="put.write"),
        Binding("R", "restore", "Restore", id="put.restore"),
        Binding("r", "look", "Look again", id="put.look"),
    ]

    def __init__(
        self, state: AppState, number: int, staged: Prompt, decisions: ConflictDecisions | None = None
    ) -> None:
        super().__init__(state, number, decisions)
        self._staged = staged
        self._change: ProseDiff | None = None
        self._error: CekuraTuiError | None = None
        self._former = ""
        """What a restore would put back, in words; empty where there is nothing."""
        self._busy = ""
        """What is being done that must not be left, in words."""
        self._asking = False
        self._said = ""
        self._read_only = ""
        try:
            refuse_read_only(state.workspace.setup.read_only, "nothing is written")
        except UsageError as error:
            self._read_only = error.sentence()

    def compose(self) -> ComposeResult:
        """Whose prompt, what would change, the change or the conflicts, and what came of it."""
        with Vertical(classes="dialog", id="put-on-agent"):
            yield Label(Content("Put the staged prompt onto its agent"), id="put-title", classes="dialog-title")
            yield Static(id="put-facts")
            yield Label(id="conflict-head")
            yield ConflictTexts(id="conflict-texts")
            yield ProseDiffView(id="put-diff")
            yield Notice(id="put-notice")
            yield Static(id="put-note")
            yield Label(id="put-keys", classes="dialog-hint")

    def on_mount(self) -> None:
        """Read what the agent has now."""
        self.query_one("#put-note").display = False
        self.action_look()

    # Looking

    def action_look(self) -> None:
        """Read what the agent has now, once more."""
        if not self._busy:
            self._error = None
            self.draw()
            self._look()

    @work(group="put-look", exclusive=True)
    async def _look(self) -> None:
        call, written = self.state.workspace.call, self.decisions.written(self._staged)
        try:
            placing = await call(lambda session: session.agent_prompts.look(self.number, self._staged, written))
            former = await call(lambda session: session.agent_prompts.former(placing.agent.id, sha256(placing.now)))
            typed = await call(lambda session: session.suggestions.typed(self.number))
        except CekuraTuiError as error:
            self.placing, self._error = None, error
            self.draw()
            return
        self._former = previous_prompt_words(former, self.state) if former else ""
        self._change = placing.change
        self.decisions.recall(typed)
        self.take_up(placing)

    def decided(self) -> None:
        """Of the conflicts one more is decided, or another way: where all are, show what that would write."""
        self._change = self.placing.change if self.placing else None
        self.draw()
        if self.text is not None and self._change is None:
            self._compare(self.text)

    @work(group="put-compare", exclusive=True)
    async def _compare(self, text: Prompt) -> None:
        if (placing := self.placing) is None:
            return
        try:
            change = await self.state.workspace.call(lambda session: session.agent_prompts.change(placing, text))
        except CekuraTuiError as error:
            self._error = error
        else:
            if self.placing is placing and self.text == text:
                self._change = change
        self.draw()

    # Drawing

    def draw(self) -> None:
        """Show what is known."""
        if not self.is_attached or not self.children:
            return
        placing, change = self.placing, self._change
        if self._said == _DECIDE and not self.undecided:
            self.say("")
        deciding = placing is not None and (self.text is None or self.looking_back)
        showing = not deciding and change is not None and not change.is_same
        texts, view, notice = self.query_one(ConflictTexts), self.query_one(ProseDiffView), self.query_one(Notice)
        self.query_one("#conflict-head").display = texts.display = deciding
        view.display, notice.display = showing, not (deciding or showing)
        facts = self.query_one("#put-facts", Static)
        facts.display = placing is not None
        if placing is not None:
            self.query_one("#put-title", Label).update(Content(f"Put it onto {clean_line(placing.agent.name, 60)}"))
            setup, undecided = self.state.workspace.setup, len(self.undecided)
            told = update_facts(placing, change, undecided, self._staged, setup, self._read_only)
            facts.update(Text("\n").join(Text(clean_line(line)) for line in told))
        if deciding:
            self.draw_conflict()
        elif showing and change is not None:
            view.show_diff(change)
        elif self._error is not None:
            notice.say(f"! {self._error.title}", f"{self._error.sentence()}\nr looks again", failed=True)
        elif placing is None or change is None:
            notice.say("Reading what the agent has now …" if placing is None else "Comparing …")
        else:
            notice.say("Nothing to write.")
        wanted = texts if deciding else view if showing else None
        if self.focused is not wanted:
            self.set_focus(wanted)
        keys = key_hints(
            deciding=deciding,
            writes=self._may_write,
            back=bool(self.conflicts) and self.text is not None,
            former="" if self._read_only else self._former,
        )
        self.query_one("#put-keys", Label).update(Content(keys))
        self.refresh_bindings()

    def say(self, text: str, *, failed: bool = False) -> None:
        """What came of it; it stays."""
        if not self.is_attached or not self.children:
            return
        self._said, note = text, self.query_one("#put-note", Static)
        note.display = bool(text)
        note.set_class(failed, "-failed")
        note.update(Content(("! " if failed else "") + clean(text)))

    # Writing

    @property
    def _may_write(self) -> bool:
        change = self._change
        ready = self.placing is not None and self.text is not None and change is not None and not change.is_same
        return ready and not self._read_only

    @on(ProseDiffView.Opened)
    @on(ConflictTexts.Opened)
    def action_put(self) -> None:
        """Write it, after asking."""
        if self._busy or self._asking or not self.is_current:
            return
        if self._read_only:
            self.say(self._read_only, failed=True)
        elif self.placing is not None and self.text is None:
            self.say(_DECIDE)
        elif self.placing is not None and self.text is not None and self._change is not None and self._may_write:
            # Set at once, not by the worker: a second key may be handled before that begins.
            self._asking = True
            self._put(self.placing, self.text, self._change, self.decisions.taken)

    @work(group="put-write")
    async def _put(self, placing: PromptUpdate, text: Prompt, change: ProseDiff, taken: dict[str, str]) -> None:
        sure: bool | None = True
        for title, asked, yes in confirmations(placing, change, self.state.workspace.setup):
            if sure:
                sure = await self.app.push_screen_wait(ConfirmDialog(title, asked, yes))
        self._asking = False
        if not sure:
            return
        self._begun("Writing")
        self.decisions.write(self._staged, text)
        try:
            written = await self.state.workspace.call(lambda session: session.agent_prompts.write(placing, text))
        except CekuraTuiError as error:
            self._ended(f"{error.title}: {error.sentence()}", failed=True)
        else:
            for spot in self.decisions.forget(taken):
                self.keep_typed(spot, None)
            self._ended(f"{written.said} R restores what it had before.")

    def action_restore(self) -> None:
        """Put back what the last write from here replaced, after asking."""
        if not (self._busy or self._asking) and self.placing is not None and self.is_current:
            self._asking = True
            self.say("Reading what it has now …")
            self._restore(self.placing.agent.id)

    @work(group="put-write")
    async def _restore(self, agent_id: int) -> None:
        try:
            written = await Restoring(self.app, self.state, agent_id, lambda: self._begun("Restoring")).ask()
        except CekuraTuiError as error:
            self._ended(f"{error.title}: {error.sentence()}", failed=True)
        else:
            self._ended(written.said if written else "Nothing was restored.")

    def _begun(self, doing: str) -> None:
        self._busy = doing
        self.say(f"{doing} …")

    def _ended(self, told: str, *, failed: bool = False) -> None:
        """What came of a write stays on screen; below it is what the agent has by now."""
        self._busy, self._asking = "", False
        self.say(told, failed=failed)
        self.action_look()

    def action_give_up(self) -> None:
        """Leave, but not in the middle of a write."""
        if self._busy:
            self.say(f"{self._busy} … it is waited for, and told here what came of it.")
        else:
            self.dismiss()
