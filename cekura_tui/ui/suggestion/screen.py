"""Choosing among the changes of a suggestion by keys; each choice is on the disk before it is shown.

Where one goes from a suggestion: to the turn behind a change, and out with the text that was staged.

A suggestion: what the server says of it, the diff of the two prompts, and the text as it is staged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.text import count
from cekura_tui.prose.diff import Hunk
from cekura_tui.prose.staging import Choices, HunkChoice, wording
from cekura_tui.ui.kit.keys_in_order import KeysInOrder
from cekura_tui.ui.kit.lines import Notice, OneLine
from cekura_tui.ui.kit.page import Page, too_small
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import GivenPrompt, HandOff, OpenJobDetails, OpenPromptHistory, OpenRun
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.diff_view import ProseDiffView
from cekura_tui.ui.suggestion.staged_text import StagedText
from cekura_tui.ui.suggestion.words import accepted_message, headline, hunk_notes, summary, undone_message
from cekura_tui.workspace.setup import refuse_read_only
from cekura_tui.workspace.suggestions import SuggestionReasons

if TYPE_CHECKING:
    from cekura_tui.workspace.session import Session
    from cekura_tui.workspace.suggestions import OpenedSuggestion, StagingStep


_CHOOSING = ("accept", "reject", "edit", "accept_all", "undo")
_Told = Callable[[Choices, Choices], str]
"""What to say of choices before and after; perhaps nothing."""


class SuggestionKeys(KeysInOrder, Page):
    """A page with one suggestion, of which each change may be taken, left or worded otherwise."""

    def __init__(self, state: AppState, number: int) -> None:
        super().__init__(state)
        self.number = number
        self.reading: OpenedSuggestion | None = None
        self._typed: dict[str, str] = {}
        """What was typed into a change and not taken, by the key of the change; it is on the disk, too."""

    def draw(self) -> None:
        """Show the suggestion as it is known."""
        raise NotImplementedError

    @property
    def hunk(self) -> Hunk | None:
        """The change under the cursor."""
        return self.query_one(ProseDiffView).hunk if self.reading is not None else None

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to choose."""
        return self.reading is not None and not self.reading.diff.is_same

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is chosen where nothing changes, or before it is read."""
        return self.has_changes if action in _CHOOSING else super().check_action(action, parameters)

    def action_accept(self) -> None:
        """Take the change under the cursor."""
        self._choose("accepted")

    def action_reject(self) -> None:
        """Leave the change under the cursor out."""
        self._choose("rejected")

    def _choose(self, what: Literal["accepted", "rejected"]) -> None:
        if (hunk := self._meant()) is not None:
            self._put(hunk, HunkChoice(what))

    def _meant(self) -> Hunk | None:
        if (hunk := self.hunk) is None and self.has_changes:
            self.tell("The cursor is on no change: n goes to the next, N to the one before.")
        return hunk

    def _put(self, hunk: Hunk, choice: HunkChoice, told: _Told = lambda before, after: "") -> None:
        if (reading := self.reading) is not None:
            made = {hunk.number: choice}
            self._stage(lambda session: session.suggestions.choose(self.number, reading.diff, made), told)

    def action_accept_all(self) -> None:
        """Take every change: what is staged is the proposal then, to the byte."""
        if (reading := self.reading) is None:
            return
        diff, all_of_them = reading.diff, {hunk.number: HunkChoice("accepted") for hunk in reading.diff.hunks}
        self._stage(lambda session: session.suggestions.choose(self.number, diff, all_of_them), accepted_message)

    def action_undo(self) -> None:
        """Take the last step back."""
        if (reading := self.reading) is None:
            return

        def told(before: Choices, after: Choices) -> str:
            """What was typed and is no longer chosen is not lost."""
            for number, choice in before.items():
                if choice.what == "edited" and after.get(number) != choice:
                    self._keep_typed(reading.diff.hunks[number - 1].key, choice.text)
            return undone_message(before, after)

        self._stage(lambda session: session.suggestions.undo(self.number, reading.diff), told)

    def _stage(self, ask: Callable[[Session], Awaitable[StagingStep]], told: _Told = lambda before, after: "") -> None:
        """Have it done in turn, also where this page is left meanwhile."""
        try:
            done = self.state.workspace.send(ask)
        except CekuraTuiError as error:
            self.tell(error.sentence(), warning=True)
            return
        self.app.run_worker(self._await_choices(done, told), group="staging")

    async def _await_choices(self, done: Future[StagingStep], told: _Told) -> None:
        try:
            step = await asyncio.shield(asyncio.wrap_future(done))
        except CekuraTuiError as error:
            pages = [screen for screen in self.app.screen_stack if isinstance(screen, Page)]
            page = self if self.is_attached or not pages else pages[-1]
            page.tell(f"Nothing was chosen, for it could not be kept. {error.sentence()}", warning=True)
            return
        if self.gone or self.reading is None:
            return
        self.reading = replace(self.reading, choices=step.now)
        self.draw()
        if words := told(step.before, step.now):
            self.tell(words)

    # Editing

    def action_edit(self) -> None:
        """Word the change under the cursor otherwise."""
        hunk, reading = self._meant(), self.reading
        if hunk is None or reading is None:
            return
        if not hunk.has_text:
            self.tell("There are no words to edit in this change: take it or leave it.")
            return
        from cekura_tui.ui.suggestion.edit import Edited, EditHunkDialog

        chosen = reading.choices.get(hunk.number)
        words = wording(reading.diff, hunk)
        text = chosen.text if chosen and chosen.what == "edited" else words.begin
        title = f"Edit change {hunk.number} of {len(reading.diff.hunks)} · {hunk.place}"
        typed, home = self._typed.get(hunk.key, text), self.state.workspace.setup.paths.home

        def keep(now: str | None) -> None:
            """Keep what is typed, also for who comes back after a crash."""
            self._keep_typed(hunk.key, now if now != text else None)

        def taken(before: Choices, after: Choices) -> str:
            keep(None)
            return ""

        def ended(edited: Edited | None) -> None:
            if edited is not None and edited.taken:
                self._typed[hunk.key] = edited.text  # until that is kept
                self._put(hunk, words.choice(edited.text), taken)
            elif edited is not None:
                keep(edited.text)
                if hunk.key in self._typed:
                    self.tell("What you typed is not taken, but kept: e opens it again.")

        # At once, not by a worker: the keys that came together with this one are for the box.
        self.app.push_screen(EditHunkDialog(title, words.sent, typed, home, keep, others=words.others), ended)

    def _keep_typed(self, key: str, text: str | None) -> None:
        if text is None and key not in self._typed:
            return
        if text is None:
            del self._typed[key]
        else:
            self._typed[key] = text
        try:
            done = self.state.workspace.send(lambda session: session.suggestions.keep_typed(self.number, key, text))
        except CekuraTuiError:
            return  # the program is closing
        self.app.run_worker(self._await_typed(done), group="typed")

    async def _await_typed(self, done: Future[None]) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(done))
        except CekuraTuiError as error:
            self.tell(f"What you typed is not on the disk yet. {error.sentence()}", warning=True)


_OUT = ("hand_off", "put_on_agent", "try_again")


class SuggestionWays(SuggestionKeys):
    """The keys that lead on; esc leads back to the same change."""

    why: SuggestionReasons | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to hand on before it is read."""
        return self.reading is not None if action in _OUT else super().check_action(action, parameters)

    def action_turn(self) -> None:
        """The run at the turn that the change under the cursor seems to answer."""
        if (hunk := self._meant()) is None:
            return
        if self.why is None:
            self.tell("What the runs tell is still being read.")
            return
        answered = [reason for reason in self.why.reasons.get(hunk.number, ()) if reason.run_id is not None]
        if not answered:
            unread = "".join(f" {problem}" for problem in self.why.problems[:1])
            self.tell(f"No turn of a run is known that change {hunk.number} answers.{unread}")
            return
        first = answered[0]
        assert first.run_id is not None
        turn = None if first.turn is None else first.turn + 1
        self.state.ask(OpenRun(first.run_id, turn))

    def action_hand_off(self) -> None:
        """Save or copy the staged prompt, or hand the change on."""
        if self.reading is None:
            return

        def handed_off(told: str | None) -> None:
            if told:
                self.tell(told)

        self.state.ask(HandOff(self.reading.done, self.reading.staged, handed_off))

    def action_put_on_agent(self) -> None:
        """Put the staged prompt onto the agent."""
        if self.reading is None:
            return
        from cekura_tui.prose.conflicts import ConflictDecisions
        from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog

        decisions = self.state.decisions.setdefault(self.number, ConflictDecisions())
        self.app.push_screen(UpdatePromptDialog(self.state, self.number, self.reading.staged, decisions))

    def action_try_again(self) -> None:
        """Improve once more, from the staged prompt."""
        if self.reading is None:
            return
        try:
            refuse_read_only(self.state.workspace.setup.read_only, "nothing is launched")
        except UsageError as error:
            self.tell(error.sentence(), warning=True)
            return
        given = GivenPrompt(f"staged from job {self.number}", self.reading.staged)
        self.improve(self.reading.done.job.run_ids, given)

    def action_history(self) -> None:
        """The prompts that this agent had, was sent or was proposed."""
        job = self.reading.done.job if self.reading else self.state.job(self.number)
        if job is None:
            return
        if job.agent_id is None:
            self.tell("The server did not say whose run this is, so there is no history.")
            return
        self.state.ask(OpenPromptHistory(job.agent_id, job.agent_name))

    def action_details(self) -> None:
        """All that is known of its job."""
        self.state.ask(OpenJobDetails(self.number))


class SuggestionScreen(SuggestionWays):
    """The outcome of one job that succeeded."""

    AUTO_FOCUS = "ProseDiffView"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "change(1)", "Next", id="suggestion.next"),
        Binding("N", "change(-1)", "Prev", id="suggestion.previous", show=False),
        Binding("a", "accept", "Accept", id="suggestion.accept"),
        Binding("x", "reject", "Reject", id="suggestion.reject"),
        Binding("e", "edit", "Edit", id="suggestion.edit"),
        Binding("A", "accept_all", "Accept all", id="suggestion.accept-all", show=False),
        Binding("s", "staged", "Staged", id="suggestion.staged"),
        Binding("y", "hand_off", "Save, copy", id="suggestion.hand-off"),
        Binding("u", "undo", "Undo", id="suggestion.undo"),
        Binding("p", "put_on_agent", "Put on agent", id="suggestion.put-on-agent"),
        Binding("i", "try_again", "Try again", id="suggestion.try-again"),
        Binding("enter", "turn", "The turn behind it", id="suggestion.turn", show=False),
        Binding("enter", "whole_error", "Show error", id="suggestion.error", show=False),
        Binding("h", "history", "Prompt history", id="suggestion.history", show=False),
        Binding("d", "details", "Details", id="suggestion.details", show=False),
        Binding("tab", "app.focus_next", "Pane", id="suggestion.pane", show=False),
        Binding("r", "refresh", "Read anew", id="suggestion.refresh", show=False),
        Binding("escape", "app.pop_screen", "Back", id="suggestion.back"),
    ]
    HELP = """\
# Suggestion
`-` went, `+` came, `~` both; `→` and `←` moved. `n` and `N` go from change to change, `f` unfolds what is unchanged,
`w` shows the changes alone. `a` accepts the change under the cursor, `x` rejects it, `e` words it otherwise, `A`
accepts all, `u` takes the last step back. What is not accepted is not in the staged text, which `s` shows or hides.

`enter` goes to the turn that a change seems to answer, `esc` comes back. `tab` goes to the summary and the issues.
`y` saves the staged prompt, a patch, or copies; `p` puts it on the agent; `i` has it improved once more.
`h` shows the prompts that the agent had, `d` all that is known of the job.
"""

    def __init__(self, state: AppState, number: int) -> None:
        super().__init__(state, number)
        self._error: CekuraTuiError | None = None

    def body(self) -> ComposeResult:
        """Headline and summary, then the diff, and the staged text where there is room or it is wished for."""
        yield OneLine(id="suggestion-headline")
        with VerticalScroll(id="summary"):
            yield Static(id="summary-text")
        yield ProseDiffView(id="diff")
        yield OneLine(id="staged-title", classes="pane-title")
        yield StagedText(id="staged")
        yield Notice(id="suggestion-notice")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.draw()

    def on_screen_resume(self) -> None:
        """Here, or back from something else: another window may have chosen meanwhile."""
        self._load()

    @work(group="suggestion", exclusive=True)
    async def _load(self) -> None:
        try:
            reading = await self.state.workspace.call(lambda session: session.suggestions.read(self.number))
        except CekuraTuiError as error:
            self._error = error
            if self.reading is not None and not self.gone:
                self.tell(f"It could not be read anew. {error.sentence()}", warning=True)
            self.draw()
            return
        first, self.reading, self._error = self.reading is None, reading, None
        if first:
            self._typed.update(reading.typed)
        self.draw()
        if first and not self.gone:
            (self.query_one(ProseDiffView) if self.has_changes else self.query_one("#summary")).focus()
            self._ask_why(reading)

    @work(group="why", exclusive=True)
    async def _ask_why(self, reading: OpenedSuggestion) -> None:
        """What the runs tell takes longer; nobody waits for it to choose."""
        try:
            self.why = await self.state.workspace.call(lambda session: session.suggestions.why(reading))
        except CekuraTuiError as error:
            self.why = SuggestionReasons(problems=(f"What the runs tell could not be read: {error.message}",))
        self.draw()

    def draw(self) -> None:
        """Everything that is known."""
        if self.gone:
            return
        reading, notice = self.reading, self.query_one(Notice)
        self.query_one("#suggestion-headline", OneLine).show(headline(self.number, reading))
        self.set_class(self.has_changes, "-changes")
        self.set_class(reading is not None, "-read")
        if reading is not None:
            text, shown = summary(reading.done, reading.diff, self.why), self.query_one("#summary-text", Static)
            if shown.content != text:
                shown.update(text)
            self.query_one(ProseDiffView).show_diff(reading.diff, reading.choices, hunk_notes(reading.diff, self.why))
            self._draw_staged()
            notice.say("No change.", "The proposal is the prompt that was sent, word for word.")
        elif self._error is not None:
            notice.say_error(self._error)
        else:
            notice.say("Comparing …")
        self.refresh_bindings()

    @on(ProseDiffView.HunkMoved)
    def _draw_staged(self) -> None:
        """The staged text, at the change under the cursor."""
        if (reading := self.reading) is None:
            return
        hunk = self.hunk
        title = Text(" Staged ", no_wrap=True, overflow="ellipsis", end="")
        told = [count(len(reading.staged.split()), "word")] + ([f"at change {hunk.number}"] if hunk else [])
        title.append(f" {' · '.join(told)}", style="not bold")
        self.query_one("#staged-title", OneLine).show(title)
        self.query_one(StagedText).show(reading.diff, reading.choices, hunk.number if hunk else None)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something here."""
        if action in ("change", "staged", "turn"):
            return self.has_changes
        if action == "whole_error":
            return self._error is not None and self.reading is None
        return super().check_action(action, parameters)

    def action_change(self, step: int) -> None:
        """To the next or previous change, from wherever the focus is."""
        self.query_one(ProseDiffView).action_change(step)

    def action_staged(self) -> None:
        """Where there is room for both, show or hide the staged text; else it and the diff change places."""
        if self.has_class("-tall"):
            self.toggle_class("-unstaged")
        else:
            self.toggle_class("-staged")
        self._focus_shown()

    def _focus_shown(self) -> None:
        alone = self.has_class("-staged") and not self.has_class("-tall")
        (self.query_one(StagedText) if alone else self.query_one(ProseDiffView)).focus()

    def watch_focused(self, former: Widget | None, now: Widget | None) -> None:
        """Of the diff and the staged text one may have no room any more; the other has the focus then."""
        super().watch_focused(former, now)
        left = isinstance(former, ProseDiffView | StagedText) and not former.display
        if left and self.has_changes and not too_small(self.app.size):
            self.call_after_refresh(self._focus_shown)

    def on_resize(self) -> None:
        """What had the focus may have no room any more."""
        if self.has_changes and self.focused is None:
            self.call_after_refresh(self._focus_shown)

    @on(VirtualList.Opened)
    def opened(self, message: VirtualList.Opened) -> None:
        """Enter on a change goes to the turn behind it; what is unchanged is unfolded."""
        view = self.query_one(ProseDiffView)
        if message.list is view and view.hunk is None:
            view.action_fold()
        else:
            self.action_turn()

    def action_refresh(self) -> None:
        """Read it again, and what the runs tell."""
        self._load()
        if self.reading is not None:
            self._ask_why(self.reading)

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self._error is not None:
            self.tell_error(self._error)
