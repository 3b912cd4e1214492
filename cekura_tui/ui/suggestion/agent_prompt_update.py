"""The dialog that shows what would change in the agent's prompt, and updates the prompt after confirmation."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from operator import is_not
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Label

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.scenario_test import next_words
from cekura_tui.model.text import Prompt, clean_line, count, sha256
from cekura_tui.prose.conflicts import ConflictDecisions
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.lines import change_words
from cekura_tui.prose.merge import Side
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.dialog import Dialog, KeyHint, dialog_box
from cekura_tui.ui.kit.lines import Notice
from cekura_tui.ui.messages import OpenPromptHistory, TestRuns
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.conflicts import ConflictResolver, ConflictTexts
from cekura_tui.ui.suggestion.diff_view import ProseDiffView
from cekura_tui.ui.suggestion.edit import EditHunkDialog, EditResult
from cekura_tui.ui.suggestion.hanging_text import HangingText, MessageKind
from cekura_tui.ui.suggestion.restore import NOT_RESTORED, previous_prompt_words, restore_prompt
from cekura_tui.workspace.agent_prompts import PromptUpdate
from cekura_tui.workspace.setup import refuse_read_only
from cekura_tui.workspace.suggestions import DecisionCounts

_DECIDING = (
    "{put.theirs} keep the agent's · {put.staged} use the staged · {put.word} edit · "
    "{conflict.next} {conflict.previous} conflicts"
)
_DECIDE = "Decide every conflict first: {put.theirs} keep the agent's, {put.staged} use the staged, {put.word} edit."


def _unless_decided(dialog: UpdatePromptDialog) -> str | None:
    return None if dialog.resolver.can_review and not dialog.is_restored else NOT_OFFERED


_update_action = partial(Action, why_not=lambda dialog: NOT_OFFERED if dialog.is_restored else None)
_conflict_action = partial(Action, why_not=lambda dialog: None if dialog.is_deciding else NOT_OFFERED)


class UpdatePromptDialog(Dialog[None]):
    """Resolves conflicts, writes the staged prompt of job `number` to the agent after confirmation, and shows the
    result. Writes nothing if `reload_staged` returns another text, nor after a restore. `decisions` on conflicts are
    kept for the next dialog of the job; `count_decided` counts the decisions on the suggestion's hunks."""

    PLACE = "In the dialog that updates a prompt"
    PARTS = (ConflictTexts, ProseDiffView)
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        _conflict_action("put.theirs", "x", lambda dialog: dialog.decide("now"), "Keep the agent's", footer=3),
        _conflict_action("put.staged", "a", lambda dialog: dialog.decide("staged"), "Use the staged", footer=4),
        _conflict_action("put.word", "c", "edit_conflict", "Edit", footer=5),
        Action("put.conflicts", "tab", "review_conflicts", "Conflicts", footer=6, why_not=_unless_decided),
        _update_action("put.write", "ctrl+g", "write", "Update", footer=7),
        Action("put.restore", "R", "restore", "Restore", footer=8, why_not=lambda dialog: dialog.why_not_restore),
        Action("put.test", "T", "test", "Test", footer=7, why_not=lambda one: None if one.is_written else NOT_OFFERED),
        _update_action("put.history", "h", "history", "Prompt history", footer=9),
        _update_action("put.look", "r", "reload", "Reload", footer=10),
    )
    drops_early_keys = True

    def __init__(
        self,
        state: AppState,
        number: int,
        staged: Prompt,
        reload_staged: Callable[[], Awaitable[Prompt]],
        decisions: ConflictDecisions | None = None,
        count_decided: Callable[[], DecisionCounts | None] = lambda: None,
    ) -> None:
        super().__init__()
        self.state, self.number, self._reload_staged, self._count_decided = state, number, reload_staged, count_decided
        self._decided: DecisionCounts | None = None
        self.resolver = ConflictResolver(
            ConflictDecisions() if decisions is None else decisions,
            lambda key, text: state.workspace.put(("text", number, key), text),
        )
        self._staged = staged
        self._update: PromptUpdate | None = None
        """The agent's current prompt, and the merge of this prompt with the staged prompt; None while loading."""
        self._change: ProseDiff | None = None
        self._error: CekuraTuiError | None = None
        self._previous = ""
        """Words that describe the prompt that can be restored; "" if no prompt can be restored."""
        self._busy = ""
        """The write in progress, in words; "" if none is. The dialog cannot be closed until the write ends."""
        self._confirming = False
        self.is_restored = False
        self._message = ""
        self._message_kind: MessageKind = ""
        self._shown_question: tuple[PromptUpdate | None, ProseDiff | None] = None, None
        """The update and the change that the user is asked to confirm, as last drawn; None if nothing is asked."""
        self._read_only = ""
        try:
            refuse_read_only(state.workspace.setup.read_only, "nothing is written")
        except UsageError as error:
            self._read_only = error.sentence()

    def compose(self) -> ComposeResult:
        with dialog_box("Update the agent's prompt", id="update-prompt"):
            yield HangingText(id="update-note")
            yield HangingText(id="update-facts")
            yield HangingText(id="update-warnings")
            yield Label(id="conflict-head")
            yield ConflictTexts(id="conflict-texts")
            yield ProseDiffView(id="update-diff")
            yield Notice(id="update-notice")
            yield KeyHint(id="update-keys")

    def on_mount(self) -> None:
        self.query_one("#update-note").display = False
        # `immediate`, because a message to this dialog would repaint all of it.
        start = partial(self.app.run_worker, group="update-look")
        self.state.data_changed.subscribe(self, lambda _: start(self._check_staged()), immediate=True)
        self.action_reload()

    def on_unmount(self) -> None:
        self.state.data_changed.unsubscribe(self)

    # Loading

    def action_reload(self) -> None:
        if not (self._busy or self.is_restored):
            self._error = None
            self.draw()
            self._load()

    async def _check_staged(self) -> None:
        if not (self._busy or self._confirming or self.is_restored):
            await self._still_staged(self._staged)

    async def _still_staged(self, text: Prompt) -> bool:
        """Whether `text` is still the staged text. If another text is staged now, load and show that text. If the
        staged text cannot be read, show the error and return False."""
        try:
            staged = await self._reload_staged()
        except CekuraTuiError as error:
            self._show_result(error.sentence(), "failed")
            return False
        if staged != text and not self.is_unmounted:
            self._show_result(
                "Another window or command changed the staged prompt. Nothing was written; the new change is below."
            )
        return staged == text

    @work(group="update-load", exclusive=True)
    async def _load(self) -> None:
        call = self.state.workspace.call
        try:
            staged, decided = await self._reload_staged(), self._count_decided()
            update = await call(lambda session: session.agent_prompts.preview_update(self.number, staged))
            current = sha256(update.current)
            previous = await call(lambda session: session.agent_prompts.previous_use(update.agent.id, current))
            typed = await self.state.workspace.do(lambda session: session.store.stagings.typed(self.number))
        except CekuraTuiError as error:
            self._update, self._error = None, error
            self.resolver.load(None)
            self.draw()
            return
        if self.is_restored:
            return
        self._previous = previous_prompt_words(previous, self.state) if previous else ""
        self._staged, self._update, self._decided = staged, update, decided
        self.resolver.decisions.restore_typed(typed)
        self.resolver.load(update.merge)
        self._show_change()

    def _show_change(self) -> None:
        """Show the change to write. If the change depends on decisions about conflicts, compare the prompts first."""
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
        if self.is_unmounted:
            return
        update, change, resolver = self._update, self._change, self.resolver
        if self._message == with_keys(_DECIDE) and not resolver.undecided:
            self._show_message("")
        deciding = self.is_deciding
        showing = not (deciding or self.is_restored) and change is not None and not change.is_same
        texts, view, notice = self.query_one(ConflictTexts), self.query_one(ProseDiffView), self.query_one(Notice)
        head = self.query_one("#conflict-head", Label)
        head.display = texts.display = deciding
        # After a success, "Nothing to update" would be confusing.
        view.display, notice.display = showing, not (deciding or showing or self._is_done)
        self.query_one("#update-prompt").set_class(not (deciding or showing), "-brief")
        self._draw_facts(update, change)
        if deciding and update is not None:
            head.update(Content(resolver.headline()))
            texts.show_rows(resolver.rows(update.job.number, update.agent.name))
        elif showing and change is not None:
            view.show_diff(change)
        elif self._error is not None:
            retry = with_keys("{put.look} retry")
            notice.show(f"! {self._error.title}", f"{self._error.sentence()}\n{retry}", failed=True)
        elif update is None or change is None:
            notice.show("Loading the agent's prompt …" if update is None else "Comparing …")
        else:
            name, is_staged = clean_line(update.agent.name, 60), update.current == self._staged
            why = "has the staged prompt" if is_staged else "has the prompt that your decisions make"
            notice.show("Nothing to update", f"{name} {why}.")
        question = (update, change) if self._may_write else (None, None)
        if question != (None, None) and any(map(is_not, question, self._shown_question)):
            self.keys_dropped_until = time.monotonic()  # earlier keys do not confirm the new question
        self._shown_question = question
        wanted = texts if deciding else view if showing else None
        if self.focused is not wanted:
            self.set_focus(wanted)
        self.query_one("#update-keys", KeyHint).show(" · ".join(self._key_hints()))
        self.refresh_bindings()

    def _key_hints(self) -> Iterator[str]:
        deciding, can_review = self.is_deciding, self.resolver.can_review
        if self.is_restored and self.why_not_restore is None:
            yield "{put.restore} restore"
        elif not self.is_restored:
            if deciding:
                yield _DECIDING
            if self._may_write:
                yield "{put.write} update"
            if can_review:
                yield "{put.conflicts} " + ("changes" if deciding else "conflicts")
            if self.is_written:
                yield "{put.test} test it on the same scenarios"
            if self._previous and not self._read_only:
                is_first = not (deciding or self._may_write or can_review)
                yield "{put.restore} restore" + (f" the former prompt ({self._previous})" if is_first else "")
            yield "{put.history} history"
            if not self._is_done:
                yield "{put.look} reload"
        yield "{dialog.close} close"

    def _draw_facts(self, update: PromptUpdate | None, change: ProseDiff | None) -> None:
        facts, warnings = self.query_one("#update-facts", HangingText), self.query_one("#update-warnings", HangingText)
        facts.display = update is not None and not self._is_done
        warned = [*(update.warnings if update else ()), *([self._read_only] if self._read_only else [])]
        decided = self._decided
        if decided is not None and decided.undecided and change is not None and not change.is_same:
            warned.append(f"Leaves out {count(decided.undecided, 'undecided change')}.")
        if self.is_restored:
            warned = []
        warnings.show_warnings(warned)
        if update is None:
            return
        name = clean_line(update.agent.name, 60)
        is_applied = self.is_restored or (change is not None and change.is_same)
        title = f"Prompt of {name}" if is_applied else f"Update the prompt of {name}?"
        self.query_one("#update-prompt").border_title = Content(title)
        facts.show([Content(clean_line(line)) for line in self._facts(update, change)])

    def _facts(self, update: PromptUpdate, change: ProseDiff | None) -> Iterator[str]:
        """Lines about the agent and the change. If the agent still has the prompt that was sent, the numbers of words
        come from the decisions on the suggestion."""
        setup, undecided, decided = self.state.workspace.setup, len(self.resolver.undecided), self._decided
        is_unchanged = update.job.prompt_sha256 == sha256(update.current)
        changes = change_words(change) if change else "comparing …"
        if undecided:
            changes = f"{count(undecided, 'conflict')} to decide"
        elif is_unchanged and change and decided is not None and decided.counts:
            changes = f"{decided.counts} words"
        now, job = f"{count(len(update.current.split()), 'word')} now", update.job.number
        staged = f"{len(self._staged.split()):,} words staged from job {job}"
        merged = change is not None and not undecided and change.new != self._staged
        after = [f"{len(change.new.split()):,} after the update"] if change is not None and merged else []
        yield " · ".join([changes, now, *after, staged])
        yield f"agent {update.agent.id} " + ("in the demo workspace" if setup.demo else f"at {setup.server.origin}")
        if is_unchanged:
            yield f"The agent's prompt is the same as when job {job} started."
        if change is not None and change.coarse:
            yield f"{change.coarse[0].upper()}{change.coarse[1:]}."

    def _show_message(self, text: str, kind: MessageKind = "") -> None:
        if self.is_unmounted:
            return
        self._message, self._message_kind = text, kind
        self.query_one("#update-note", HangingText).show_result(text, kind)

    # Conflicts

    @property
    def is_deciding(self) -> bool:
        return self.resolver.is_shown and not self.is_restored

    def action_conflict(self, step: int) -> None:
        if self.resolver.move(step):
            self.query_one(ConflictTexts).action_first()
            self.draw()

    def action_review_conflicts(self) -> None:
        self.resolver.reviewing = not self.resolver.reviewing
        self.draw()

    def decide(self, side: Side) -> None:
        self.resolver.decide(side)
        self._show_next()

    def _show_next(self) -> None:
        if self.resolver.undecided:
            self.query_one(ConflictTexts).action_first()
        self._show_change()

    def action_edit_conflict(self) -> None:
        """Let the user edit a text that resolves the conflict. If the text is not applied, it is still saved."""
        number, decisions = self.resolver.number, self.resolver.decisions
        key = decisions.key_of(number)

        def closed(edited: EditResult | None) -> None:
            if edited is None:
                return
            is_saved = self.resolver.save_typed(key, edited.text)
            if edited.applied and self.resolver.edit(key, edited.text):
                self._show_next()
            elif is_saved:
                self.notify(with_keys("Your text is not applied: {put.word} opens it."), markup=False)

        dialog = EditHunkDialog(
            f"Conflict {self.resolver.position}",
            self.resolver.conflicts[number - 1].base,
            decisions.initial_text(number),
            self.state.workspace.setup.paths.home,
            lambda text: self.resolver.save_typed(key, text),
        )
        self.app.push_screen(dialog, closed)

    # Writing

    @property
    def _may_write(self) -> bool:
        change = self._change
        ready = self.resolver.text is not None and change is not None and not change.is_same
        return ready and not (self._read_only or self.is_restored)

    @property
    def _is_done(self) -> bool:
        change = self._change
        return self.is_restored or (self._message_kind == "good" and change is not None and change.is_same)

    @property
    def is_written(self) -> bool:
        """Whether the agent has the staged prompt now."""
        return self._is_done and not self.is_restored

    @property
    def why_not_restore(self) -> str | None:
        return NOT_OFFERED if self.is_restored and self._message_kind == "good" else None

    @on(ProseDiffView.Opened)
    @on(ConflictTexts.Opened)
    def explain_enter(self) -> None:
        """Name the key that updates the prompt. Enter must not write, because enter is easily pressed by mistake."""
        if not (self._busy or self.is_restored):
            how = with_keys("{put.write} updates the prompt." if self._may_write else _DECIDE)
            self._show_message(how if self._may_write else self._read_only or how)

    def action_write(self) -> None:
        if self._busy or self._confirming or self.is_restored or not self.is_current:
            return
        text = self.resolver.text
        if self._read_only:
            self._show_message(self._read_only, "failed")
        elif self._update is not None and text is None:
            self._show_message(with_keys(_DECIDE))
        elif self._update is not None and text is not None and self._may_write:
            # Set here, because a second key may be handled before the worker starts.
            self._write_started("Updating the prompt")
            write = self._write(self._staged, self._update, text, self.resolver.decisions.edited_texts)
            self.run_worker(write, group="update-write")

    async def _write(self, staged: Prompt, update: PromptUpdate, text: Prompt, applied: dict[str, str]) -> None:
        if not await self._still_staged(staged):
            return
        try:
            result = await self.state.workspace.call(lambda session: session.agent_prompts.write(update, text))
        except CekuraTuiError as error:
            self._show_result(f"{error.title}: {error.sentence()}", "failed")
        else:
            self.resolver.forget(applied)
            self._show_result(f"{result.message}\n{next_words(update.agent)}", "good")

    def action_test(self) -> None:
        if self._update is not None:
            self.dismiss(None)
            self.state.ask(TestRuns(self._update.job.run_ids, self.number))

    def action_restore(self) -> None:
        if not (self._busy or self._confirming) and self._update is not None and self.is_current:
            self._confirming = True
            self._show_message("")
            restore = partial(self._restore, self._update.agent.id)
            self.opening.begin(restore, "Loading the agent's prompt", group="update-write")

    async def _restore(self, agent_id: int) -> None:
        result = NOT_RESTORED
        try:
            result = await restore_prompt(self.opening, self.state, agent_id, self._restore_started)
        finally:  # also if the user cancels
            if not self.is_unmounted:
                self._show_result(*result)

    def _restore_started(self) -> None:
        self.is_restored = True
        self._write_started("Restoring the prompt")
        self.draw()

    def _write_started(self, doing: str) -> None:
        self._busy = doing
        self._show_message(f"{doing} …")

    def _show_result(self, message: str, kind: MessageKind = "") -> None:
        """Show how a write or a check ended. Unless a prompt was restored, reload the agent's prompt."""
        self._busy, self._confirming = "", False
        self._show_message(message, kind)
        if self.is_restored:
            self.draw()
        else:
            self.action_reload()

    def action_history(self) -> None:
        if self._update is not None and not (self._busy or self._confirming) and self.is_current:
            agent = self._update.agent
            self.dismiss()
            self.state.ask(OpenPromptHistory(agent.id, agent.name))

    def action_give_up(self) -> None:
        if self._busy:
            self._show_message(f"{self._busy} … The result will be shown here.")
        else:
            self.dismiss()
