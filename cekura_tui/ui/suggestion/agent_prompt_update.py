"""The dialog that updates an agent's prompt with a staged one, after showing what it has now and what would change.

First what is said before anything is written, and how a former prompt is restored after asking.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, Static

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import PromptUse
from cekura_tui.model.text import Prompt, clean, clean_line, count, sha256
from cekura_tui.prose.conflicts import ConflictDecisions
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.merge import Side
from cekura_tui.ui.actions import NOT_OFFERED, Action, bindings
from cekura_tui.ui.kit.dialog import ConfirmDialog, Dialog
from cekura_tui.ui.kit.keys_in_order import PendingDialog
from cekura_tui.ui.kit.lines import Notice
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.conflicts import ConflictResolver, ConflictTexts
from cekura_tui.ui.suggestion.diff_view import ProseDiffView
from cekura_tui.ui.suggestion.edit import Edited, EditHunkDialog
from cekura_tui.ui.suggestion.staging_controller import TypedTexts
from cekura_tui.workspace.setup import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.workspace.agent_prompts import PromptUpdate, UpdateResult
    from cekura_tui.workspace.setup import Setup


def change_words(diff: ProseDiff) -> str:
    """How many words a change takes and brings: "6 words go, 14 come"."""
    if not diff.removed_words and not diff.added_words:
        return "white space alone changes" if diff.hunks else "nothing changes"
    return f"{count(diff.removed_words, 'word')} go{'es' if diff.removed_words == 1 else ''}, {diff.added_words:,} come"


def previous_prompt_words(use: PromptUse, state: AppState) -> str:
    """How much it is and when it was replaced: "812 words, Mon 14:05"."""
    return f"{count(use.words, 'word')}, {state.when(use.at)}"


async def confirm_restore(
    opening: PendingDialog, state: AppState, agent_id: int, on_start: Callable[[], None]
) -> UpdateResult | None:
    """Ask whether an agent is to have its former prompt back, and restore it; to be awaited in a worker.

    `on_start` is called when somebody has said yes, before anything is sent. None where somebody said no; raises what
    `AgentPrompts.preview_restore` and `restore` do.
    """
    refuse_read_only(state.workspace.setup.read_only, "nothing was restored")
    call = state.workspace.call
    restore = await call(lambda session: session.agent_prompts.preview_restore(agent_id))
    name = clean_line(restore.agent.name, 60)
    previous = previous_prompt_words(restore.use, state)
    what = f"{name} (agent {agent_id}) had another prompt before: {previous}."
    hint = "What it has now is kept in its history and can be restored again."
    lines = [*restore.warnings, f"{what} Putting it back: {change_words(restore.change)}.", hint]
    question = ConfirmDialog(f"Restore the former prompt of {name}?", "\n".join(lines), "Restore it")
    if not await opening.ask(question):
        return None
    on_start()
    return await call(lambda session: session.agent_prompts.restore(restore))


def server_words(setup: Setup) -> str:
    """Where an agent is: "at https://…"."""
    return "in the embedded workspace" if setup.demo else f"at {setup.server.origin}"


def update_facts(
    update: PromptUpdate, change: ProseDiff | None, undecided: int, staged: Prompt, setup: Setup, read_only: str
) -> Iterator[str]:
    """Lines on the agent and on what would change; warnings begin with `!`.

    `undecided` counts the conflicts that are not decided yet, `read_only` says why nothing is written.
    """
    agent, sent_with = update.agent, f"sent with job {update.job.number}"
    words = count(len(staged.split()), "word")
    yield f"agent {agent.id} {server_words(setup)} · staged from job {update.job.number}, {words}"
    changes = change_words(change) if change else "comparing …"
    if undecided:
        changes = f"{count(undecided, 'conflict')} to be decided"
    yield f"{count(len(update.current.split()), 'word')} there now; {changes}"
    if update.job.prompt_sha256 == sha256(update.current):
        yield f"It is still the prompt that was {sent_with}."
    elif not update.merge.conflicts and not update.is_applied:
        yield "What changed there since stays: both are put together without a conflict."
    if change is not None and change.coarse:
        yield change.coarse
    for warning in (*update.warnings, *([read_only] if read_only else [])):
        yield f"! {warning}"


def confirmations(update: PromptUpdate, change: ProseDiff, setup: Setup) -> Iterator[tuple[str, str, str]]:
    """Title, text and the word for yes of what is asked, one after the other, before anything is written."""
    name = clean_line(update.agent.name, 60)
    if update.agent.auto_sync:
        undone = f"The provider syncs the prompt of {name}: the next time it does, what you write here is undone."
        yield f"{name} is synced by its provider", f"{undone}\nWrite it all the same?", "All the same"
    what = f"{name} (agent {update.agent.id}) {server_words(setup)}: {change_words(change)}."
    kept = f"The {count(len(update.current.split()), 'word')} that it has now are kept here, and R restores them."
    yield f"Put it onto {name}?", f"{what}\n{kept}", "Put it there"


def key_hints(*, deciding: bool, may_write: bool, can_review: bool, previous: str) -> str:
    """The keys that do something; `previous` is what a restore would bring back, in words."""
    keys = ["o keeps the agent's · s takes the staged · e words it · n N conflicts"] if deciding else []
    if may_write:
        keys.append("enter puts it there" if not deciding else "enter puts it there as decided")
    if can_review:
        keys.append("c conflicts or the change")
    if previous:
        keys.append(f"R restores what was there before ({previous})")
    return " · ".join([*keys, "r looks again", "esc closes"])


_DECIDE = "Decide every conflict first: o keeps what is there, s takes what was staged, e words it."


def _unless_deciding(dialog: UpdatePromptDialog) -> str | None:
    return None if dialog.resolver.is_shown else NOT_OFFERED


def _unless_decided(dialog: UpdatePromptDialog) -> str | None:
    return None if dialog.resolver.can_review else NOT_OFFERED


class UpdatePromptDialog(Dialog[None]):
    """What came of it is shown here and stays until somebody has read it, so there is no answer.

    `staged` is a text that was staged with job `number`; `reread` reads it from the disk, and where another window
    changed it, it is shown anew before anything is written. `decisions` know what was decided and written in a dialog
    like this before. What is typed into conflicts is saved with the job, like what is typed into its changes.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("put.theirs", "o", "keep_current", "Keep the agent's", footer=3, why_not=_unless_deciding),
        Action("put.staged", "s", "take_staged", "Take the staged", footer=4, why_not=_unless_deciding),
        Action("put.word", "e", "edit_conflict", "Word it", footer=5, why_not=_unless_deciding),
        Action("put.conflicts", "c", "review_conflicts", "Conflicts", footer=6, why_not=_unless_decided),
        Action("put.write", "enter", "write", "Put it there", footer=7),
        Action("put.restore", "R", "restore", "Restore", footer=8),
        Action("put.look", "r", "reload", "Look again", footer=9),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)

    def __init__(
        self,
        state: AppState,
        number: int,
        staged: Prompt,
        reread: Callable[[], Awaitable[Prompt]],
        decisions: ConflictDecisions | None = None,
    ) -> None:
        super().__init__()
        self.state, self.number, self._reread = state, number, reread
        typed = TypedTexts(
            state.workspace,
            number,
            lambda saving: self.app.run_worker(saving, group="typed"),
            self._warn_unsaved,
        )
        self.resolver = ConflictResolver(ConflictDecisions() if decisions is None else decisions, typed)
        self._staged = staged
        self._update: PromptUpdate | None = None
        """The agent as it is now; None while that is not known."""
        self._change: ProseDiff | None = None
        self._error: CekuraTuiError | None = None
        self._previous = ""
        """What a restore would bring back, in words; empty where there is nothing."""
        self._busy = ""
        """What is being done that must not be left, in words."""
        self._asking = False
        self._message = ""
        self._read_only = ""
        try:
            refuse_read_only(state.workspace.setup.read_only, "nothing is written")
        except UsageError as error:
            self._read_only = error.sentence()

    def compose(self) -> ComposeResult:
        """Whose prompt, what would change, the change or the conflicts, and what came of it."""
        with Vertical(classes="dialog", id="update-prompt"):
            yield Label(Content("Put the staged prompt onto its agent"), id="update-title", classes="dialog-title")
            yield Static(id="update-facts")
            yield Label(id="conflict-head")
            yield ConflictTexts(id="conflict-texts")
            yield ProseDiffView(id="update-diff")
            yield Notice(id="update-notice")
            yield Static(id="update-note")
            yield Label(id="update-keys", classes="dialog-hint")

    def on_mount(self) -> None:
        """Read what the agent has now."""
        self.query_one("#update-note").display = False
        # A message to this dialog would have all of it drawn again.
        looking = partial(self.app.run_worker, group="update-look")
        self.state.data_changed.subscribe(self, lambda _: looking(self._look()), immediate=True)
        self.action_reload()

    # Loading

    def action_reload(self) -> None:
        """Read what the agent has now, once more."""
        if not self._busy:
            self._error = None
            self.draw()
            self._load()

    async def _look(self) -> None:
        """Something was written: show it where that is what is staged."""
        if not (self._busy or self._asking):
            await self._is_staged(self._staged)

    async def _is_staged(self, text: Prompt) -> bool:
        """Whether this text, of which a change was shown, is staged still; if another one is, show that."""
        try:
            staged = await self._reread()
        except CekuraTuiError as error:
            self._show_message(error.sentence(), failed=True)
            return False
        if staged == text or self.gone:
            return staged == text
        self._show_message(
            "Another window changed the staged prompt. Nothing was written; below is what would change now."
        )
        self.action_reload()
        return False

    @work(group="update-load", exclusive=True)
    async def _load(self) -> None:
        call = self.state.workspace.call
        try:
            staged = await self._reread()
            written = self.resolver.decisions.written(staged)
            update = await call(lambda session: session.agent_prompts.preview_update(self.number, staged, written))
            current = sha256(update.current)
            previous = await call(lambda session: session.agent_prompts.previous_use(update.agent.id, current))
            typed = await call(lambda session: session.staging.typed(self.number))
        except CekuraTuiError as error:
            self._update, self._error = None, error
            self.resolver.load(None)
            self.draw()
            return
        self._previous = previous_prompt_words(previous, self.state) if previous else ""
        self._staged, self._update = staged, update
        self.resolver.decisions.recall(typed)
        self.resolver.load(update.merge)
        self._show_change()

    def _show_change(self) -> None:
        """What would be written may be another text: where all is decided, show what that would change."""
        self._change = self._update.change if self._update else None
        self.draw()
        if self.resolver.text is not None and self._change is None:
            self._compare(self.resolver.text)

    @work(group="update-compare", exclusive=True)
    async def _compare(self, text: Prompt) -> None:
        if (update := self._update) is None:
            return
        try:
            change = await self.state.workspace.call(lambda session: session.agent_prompts.diff(update, text))
        except CekuraTuiError as error:
            self._error = error
        else:
            if self._update is update and self.resolver.text == text:
                self._change = change
        self.draw()

    # Drawing

    def draw(self) -> None:
        """Show what is known."""
        if self.gone:
            return
        update, change, resolver = self._update, self._change, self.resolver
        if self._message == _DECIDE and not resolver.undecided:
            self._show_message("")
        deciding = resolver.is_shown
        showing = not deciding and change is not None and not change.is_same
        texts, view, notice = self.query_one(ConflictTexts), self.query_one(ProseDiffView), self.query_one(Notice)
        head = self.query_one("#conflict-head", Label)
        head.display = texts.display = deciding
        view.display, notice.display = showing, not (deciding or showing)
        facts = self.query_one("#update-facts", Static)
        facts.display = update is not None
        if update is not None:
            self.query_one("#update-title", Label).update(Content(f"Put it onto {clean_line(update.agent.name, 60)}"))
            setup, undecided = self.state.workspace.setup, len(resolver.undecided)
            lines = update_facts(update, change, undecided, self._staged, setup, self._read_only)
            facts.update(Text("\n").join(Text(clean_line(line)) for line in lines))
        if deciding and update is not None:
            head.update(Content(resolver.headline()))
            texts.show_rows(resolver.rows(update.job.number, update.agent.name))
        elif showing and change is not None:
            view.show_diff(change)
        elif self._error is not None:
            notice.show(f"! {self._error.title}", f"{self._error.sentence()}\nr looks again", failed=True)
        elif update is None or change is None:
            notice.show("Reading what the agent has now …" if update is None else "Comparing …")
        else:
            notice.show("Nothing to write.")
        wanted = texts if deciding else view if showing else None
        if self.focused is not wanted:
            self.set_focus(wanted)
        keys = key_hints(
            deciding=deciding,
            may_write=self._may_write,
            can_review=resolver.can_review,
            previous="" if self._read_only else self._previous,
        )
        self.query_one("#update-keys", Label).update(Content(keys))
        self.refresh_bindings()

    def _show_message(self, text: str, *, failed: bool = False) -> None:
        """What came of it; it stays."""
        if self.gone:
            return
        self._message, note = text, self.query_one("#update-note", Static)
        note.display = bool(text)
        note.set_class(failed, "-failed")
        note.update(Content(("! " if failed else "") + clean(text)))

    def _warn_unsaved(self, text: str, again: bool) -> None:
        if not again:  # while somebody types there is a try twice a second
            self.app.notify(text, severity="warning", markup=False)

    # Conflicts

    def action_conflict(self, step: int) -> None:
        """To the next conflict, or the one before."""
        if self.resolver.move(step):
            self.query_one(ConflictTexts).action_first()
            self.draw()

    def action_review_conflicts(self) -> None:
        """From what would be written to the conflicts, or back."""
        self.resolver.reviewing = not self.resolver.reviewing
        self.draw()

    def action_keep_current(self) -> None:
        """What the agent has stays."""
        self._take("now")

    def action_take_staged(self) -> None:
        """What was staged takes its place."""
        self._take("staged")

    def _take(self, side: Side) -> None:
        self.resolver.take(side)
        self._show_next()

    def _show_next(self) -> None:
        if self.resolver.undecided:
            self.query_one(ConflictTexts).action_first()
        self._show_change()

    def action_edit_conflict(self) -> None:
        """Word it otherwise; what was typed and not applied is there again the next time."""
        number, decisions = self.resolver.number, self.resolver.decisions
        spot = decisions.spot(number)

        def closed(edited: Edited | None) -> None:
            if edited is None:
                return
            is_saved = self.resolver.save_typed(spot, edited.text)
            if edited.applied and self.resolver.edit(spot, edited.text):
                self._show_next()
            elif is_saved:
                self.notify("What you typed is not taken, but kept: e opens it again.", markup=False)

        dialog = EditHunkDialog(
            f"Conflict {self.resolver.position}",
            self.resolver.conflicts[number - 1].base,
            decisions.wording(number),
            self.state.workspace.setup.paths.home,
            lambda text: self.resolver.save_typed(spot, text),
        )
        self.app.push_screen(dialog, closed)

    # Writing

    @property
    def _may_write(self) -> bool:
        change = self._change
        ready = self.resolver.text is not None and change is not None and not change.is_same
        return ready and not self._read_only

    @on(ProseDiffView.Opened)
    @on(ConflictTexts.Opened)
    def action_write(self) -> None:
        """Write it, after asking."""
        if self._busy or self._asking or not self.is_current:
            return
        text = self.resolver.text
        if self._read_only:
            self._show_message(self._read_only, failed=True)
        elif self._update is not None and text is None:
            self._show_message(_DECIDE)
        elif self._update is not None and text is not None and self._change is not None and self._may_write:
            # Set at once, not by the worker: a second key may be handled before that begins.
            self._asking = True
            update, change, taken = self._update, self._change, self.resolver.decisions.taken
            write = partial(self._write, self._staged, update, text, change, taken)
            self.opening.begin(write, "Comparing", group="update-write")

    async def _write(
        self, staged: Prompt, update: PromptUpdate, text: Prompt, change: ProseDiff, applied: dict[str, str]
    ) -> None:
        sure: bool | None = True
        for title, question, yes in confirmations(update, change, self.state.workspace.setup):
            if sure:
                sure = await self.opening.ask(ConfirmDialog(title, question, yes))
        is_staged = await self._is_staged(staged)
        self._asking = False
        if not sure or not is_staged:
            return
        self._write_started("Writing")
        self.resolver.decisions.write(staged, text)
        try:
            result = await self.state.workspace.call(lambda session: session.agent_prompts.write(update, text))
        except CekuraTuiError as error:
            self._ended(f"{error.title}: {error.sentence()}", failed=True)
        else:
            self.resolver.forget(applied)
            self._ended(f"{result.message} R restores what it had before.")

    def action_restore(self) -> None:
        """Put back what the last write from here replaced, after asking."""
        if not (self._busy or self._asking) and self._update is not None and self.is_current:
            self._asking = True
            self._show_message("Reading what it has now …")
            restore = partial(self._restore, self._update.agent.id)
            self.opening.begin(restore, "Reading what it has now", group="update-write")

    async def _restore(self, agent_id: int) -> None:
        message, failed = "Nothing was restored.", False
        try:
            result = await confirm_restore(self.opening, self.state, agent_id, lambda: self._write_started("Restoring"))
            message = result.message if result else message
        except CekuraTuiError as error:
            message, failed = f"{error.title}: {error.sentence()}", True
        finally:  # also where somebody did not wait for it
            if not self.gone:
                self._ended(message, failed=failed)

    def _write_started(self, doing: str) -> None:
        self._busy = doing
        self._show_message(f"{doing} …")

    def _ended(self, message: str, *, failed: bool = False) -> None:
        """What came of a write stays on screen; below it is what the agent has by now."""
        self._busy, self._asking = "", False
        self._show_message(message, failed=failed)
        self.action_reload()

    def action_give_up(self) -> None:
        """Leave, but not in the middle of a write."""
        if self._busy:
            self._show_message(f"{self._busy} … it is waited for, and told here what came of it.")
        else:
            self.dismiss()
