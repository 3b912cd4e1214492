"""The page of a suggestion, with a summary, the diff and the staged prompt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import MAX_PROMPT_BYTES, Job
from cekura_tui.model.scenario_test import test_words
from cekura_tui.model.text import Prompt, count, size_text
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.staging import HunkChoice, wording
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import Notice, OneLine
from cekura_tui.ui.kit.page import Page, error_action
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import GivenPrompt, HandOff, OpenJob, OpenJobDetails, OpenPromptHistory, OpenRun, TestRuns
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.diff_view import ProseDiffView
from cekura_tui.ui.suggestion.hanging_text import HangingText
from cekura_tui.ui.suggestion.staged_text import StagedText
from cekura_tui.ui.suggestion.staging_controller import StagingController, Step
from cekura_tui.ui.suggestion.step_queue import StepQueue
from cekura_tui.ui.suggestion.words import headline, hunk_notes, summary
from cekura_tui.workspace.setup import refuse_read_only
from cekura_tui.workspace.suggestions import DecisionCounts, OpenedSuggestion, SuggestionReasons


def _unless_failed(screen: SuggestionScreen) -> str | None:
    return NOT_OFFERED if screen.error is None or screen.staging.has_changes else None


def _without_agent(screen: SuggestionScreen) -> str | None:
    known = screen.job is None or screen.job.agent_id is not None
    return None if known else "The server did not name the agent of this run, so there is no prompt history."


def _unless_tested(screen: SuggestionScreen) -> str | None:
    return None if screen.tests else NOT_OFFERED


_loaded_action = partial(Action, why_not=lambda screen: NOT_OFFERED if screen.staging.opened is None else None)
_change_action = partial(Action, why_not=lambda screen: None if screen.staging.has_changes else NOT_OFFERED)


class SuggestionScreen(Page):
    PLACE = "In a suggestion"
    PARTS = (ProseDiffView, VirtualList)
    AUTO_FOCUS = "ProseDiffView"
    FIRST_READS = ("suggestion", "reasons")
    # The diff, which usually has the focus, has the footer ranks 7, 11 and 12.
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        _change_action(
            "suggestion.next", "n", lambda screen: screen.diff_view.action_change(1), "Next", "Next change", 7
        ),
        _change_action(
            "suggestion.previous", "N", lambda screen: screen.diff_view.action_change(-1), "Prev", "Previous change"
        ),
        _change_action(
            "suggestion.accept", "a", lambda screen: screen.decide("accepted"), "Accept", "Accept the change", 2
        ),
        _change_action(
            "suggestion.reject", "x", lambda screen: screen.decide("rejected"), "Reject", "Reject the change", 3
        ),
        _change_action("suggestion.edit", "c", "edit", "Edit", "Edit the change", 5),
        _change_action("suggestion.split", "b", "split", "Split", "Split the change into its parts, or join them", 13),
        _change_action("suggestion.dismiss", "B", "dismiss_facts", "Dismiss", "Dismiss the warning, or show it again"),
        _change_action(
            "suggestion.accept-all",
            "A",
            lambda screen: screen.steps.begin(screen.staging.accept_all),
            "Accept all",
            "Accept all undecided changes",
        ),
        _change_action(
            "suggestion.staged", "K", "staged", "Staged", "Show or hide the staged prompt", 10, "Staged prompt"
        ),
        _loaded_action(
            "suggestion.hand-off",
            "y",
            "hand_off",
            "Copy or save",
            "Copy or save the staged or the improved prompt, or a patch",
            9,
        ),
        _change_action(
            "suggestion.undo",
            "u",
            lambda screen: screen.steps.begin(screen.staging.undo, on_saved=screen.go_to_undone),
            "Undo",
            "Undo your last step",
            8,
        ),
        _loaded_action(
            "suggestion.put-on-agent",
            "W",
            "update_agent_prompt",
            "Update prompt",
            "Update the agent's prompt with the staged prompt",
            4,
        ),
        _loaded_action(
            "suggestion.try-again",
            "i",
            "improve_again",
            "Improve again",
            "Improve again, from the staged prompt",
            14,
            "Improve the prompt",
        ),
        Action(
            "suggestion.test",
            "T",
            "test",
            "Test",
            "Call the scenarios again with the prompt that the agent has",
            4,
            label_now=lambda screen: "" if screen.is_on_agent else None,
        ),
        Action("suggestion.tests", "I", "open_test", "Tests", "Its newest test", why_not=_unless_tested),
        _change_action("suggestion.turn", "enter", "open", "Turn", "Go to the turn of the call behind the change", 1),
        error_action("suggestion", footer=1, why_not=_unless_failed),
        Action(
            "suggestion.history",
            "h",
            "history",
            "Prompt history",
            "All prompts this agent had, was sent or was proposed",
            command="Prompt history of this agent",
            why_not=_without_agent,
        ),
        Action(
            "suggestion.details",
            "d",
            lambda screen: screen.state.ask(OpenJobDetails(screen.number)),
            "Details",
            "Details of the job",
            command="Job details",
        ),
        Action("suggestion.pane", "tab", "app.focus_next", "Next pane"),
        Action("suggestion.refresh", "r", "refresh", "Reload", "Reload the suggestion"),
        Action("suggestion.back", "escape", "app.pop_screen", "Back", footer=6),
    )
    HELP = """\
# Suggestion
A `−` line is the prompt as it was, the `+` line below is what is proposed; brighter words are the ones that
changed. `→` and `←` mark text that moved. `{suggestion.accept}` accepts a change, `{suggestion.reject}` rejects
one, and the cursor goes to the next undecided change. `{suggestion.edit}` edits a change, `{suggestion.accept-all}`
accepts the undecided ones, `{suggestion.undo}` undoes. Only accepted and edited changes are in the staged prompt, which
`{suggestion.staged}` shows or hides. `{diff.fold}` unfolds unchanged lines, `{diff.only-changes}` hides them.

Lines that belong together are one change: `{suggestion.split}` splits it into its lines, sentences or separate
changes, and `{suggestion.split}` on a part joins the parts. Words that changed in moved text are a change of their
own, below the move. Formatting, such as quotation marks, bullets or punctuation, is one change per kind at the end
(`⋯`): `{suggestion.split}` or `enter` shows all its places. Text that the model put around its answer, such as a
code fence, is left out unless you accept it.

Below a change is its reason: the failed verdict (`✗`) that the change seems to be for, the run and the time of the
call. `{suggestion.turn}` shows that turn of the call, `{run.back}` comes back. A `!` line quotes what is
specific to one call, with its place there; `{suggestion.dismiss}` dismisses the line. `{suggestion.pane}` moves between
the summary with the issues, the changes and the staged prompt. `{suggestion.put-on-agent}` updates the agent's prompt
with the staged prompt. `{suggestion.hand-off}` copies or saves the staged prompt, the improved prompt or a patch.
`{suggestion.try-again}` improves again, from the staged prompt. `{suggestion.history}` shows the agent's prompt
history, `{suggestion.details}` the job.

Decisions made in another window appear here at once; `{suggestion.undo}` undoes only your own.
"""

    def __init__(self, state: AppState, number: int) -> None:
        super().__init__(state)
        self.number = number
        self.reasons: SuggestionReasons | None = None
        self._advised = False
        """Probable reasons of the changes; None until the reasons are loaded."""
        self.staging = StagingController(state.workspace, number)
        self._keys = state.workspace.setup.known_keys()
        self.steps = StepQueue(self, self.staging, self._show_step)

    def body(self) -> ComposeResult:
        yield OneLine(id="suggestion-headline")
        with Pane(title="Summary", id="summary-pane"), VerticalScroll(id="summary", classes="padded"):
            yield HangingText(id="summary-text")
        with Pane(title="Changes", id="changes-pane"):
            yield ProseDiffView(id="diff", opens=False)
        with Pane(title="Staged", id="staged-pane"):
            yield StagedText(id="staged")
        yield Notice(id="suggestion-notice")

    # Loading

    def on_mount(self) -> None:
        self.opening.hold_keys()
        self.draw()
        # `immediate`, because a message to this page would repaint the screens above it.
        start = partial(self.app.run_worker, group="staging")
        self.state.data_changed.subscribe(self, lambda _: start(self._refresh_choices()), immediate=True)
        self.state.jobs_changed.subscribe(self, lambda _: self._jobs_changed(), immediate=True)

    def on_unmount(self) -> None:
        self.state.data_changed.unsubscribe(self)
        self.state.jobs_changed.unsubscribe(self)

    def on_screen_resume(self) -> None:
        self._load()

    def action_refresh(self) -> None:
        self._load()
        if self.staging.opened is not None:
            self._load_reasons(self.staging.opened)

    @work(group="suggestion", exclusive=True)
    async def _load(self) -> None:
        try:
            await self._reload_staged()
        except CekuraTuiError as error:
            self._show_load_error(error)

    async def _refresh_choices(self) -> None:
        try:
            if self.staging.opened is not None:
                await self._reload_staged()
        except CekuraTuiError as error:
            if self.error is None:
                self._show_load_error(error)

    async def _reload_staged(self) -> Prompt:
        """Load the suggestion, or only the choices if it is loaded; show the result and return the staged prompt."""
        before = self.staging.opened
        news = await self.staging.load()
        now = self.staging.opened
        assert now is not None
        self.error = None
        if before is None or (now.chosen, now.typed) != (before.chosen, before.typed) or now.diff is not before.diff:
            self.draw()
        if not self.is_unmounted:
            self.notify_once(news)
        if before is not None:
            self._reload_reasons(before.diff)
        elif not self.is_unmounted:
            self.set_focus(self.diff_view if self.staging.has_changes else self.query_one("#summary"))
            self.opening.end_wait()
            self._load_reasons(now)
        return now.staged

    def _show_load_error(self, error: CekuraTuiError) -> None:
        self.error = error
        if self.staging.opened is not None and not self.is_unmounted:
            self.notify_once(f"Can't reload the suggestion. {error.sentence()}", warning=True)
        self.draw()

    def _reload_reasons(self, before: ProseDiff) -> None:
        """Load the reasons again if the present diff is not `before`, for example after a split."""
        if self.staging.opened is not None and self.staging.opened.diff is not before and not self.is_unmounted:
            self._load_reasons(self.staging.opened)

    @work(group="reasons", exclusive=True)
    async def _load_reasons(self, opened: OpenedSuggestion) -> None:
        try:
            self.reasons = await self.state.workspace.call(lambda session: session.suggestions.explain(opened))
        except CekuraTuiError as error:
            problem = f"Can't load the reasons of the changes: {error.message}"
            self.reasons = SuggestionReasons(problems=(problem,))
        self.draw()

    # Drawing

    @property
    def _advises(self) -> bool:
        """Whether to advise a test of the current prompt, before the suggestion replaces that prompt."""
        return self.staging.has_changes and not (self.is_on_agent or self.tests)

    def _jobs_changed(self) -> None:
        self._draw_headline() if self._advised == self._advises else self.draw()

    def draw(self) -> None:
        if self.is_unmounted:
            return
        opened, notice, empty = self.staging.opened, self.query_one(Notice), ("Comparing …", "")
        self._draw_headline()
        self.set_class(self.staging.has_changes, "-changes")
        self.set_class(opened is not None, "-read")
        if opened is not None:
            key = self._keys.found_in(opened.suggestion.improved_prompt or "")
            self._advised = self._advises
            advice = with_keys("Few former calls to compare with: {suggestion.test} tests the current prompt first.")
            lines = summary(opened.suggestion, opened.diff, self.reasons, key, advice if self._advised else "")
            self.query_one(HangingText).show(lines)
            issues = len(self.reasons.issues or ()) if self.reasons else 0
            self.query_one("#summary-pane", Pane).show_title(
                "Summary", f"{count(issues, 'issue')} below" if issues else ""
            )
            notes = hunk_notes(opened, self.reasons)
            self.diff_view.show_diff(opened.diff, opened.choices, notes)
            self._draw_staged()
            empty = "No changes", "The suggestion is the prompt that was sent, word for word."
        if self.error is not None:
            notice.show_error(self.error)
        else:
            notice.show(*empty)
        self.refresh_bindings()

    def _draw_headline(self) -> None:
        job = self.state.job(self.number)
        update = job.update.words(self.state.when) if job is not None and job.update is not None else ""
        tested = test_words(self.tests[0], self.state.when) if self.tests else ""
        facts = " · ".join(filter(None, (update, tested)))
        head = headline(self.number, self.staging.opened, self.app.size.width, facts)
        self.query_one("#suggestion-headline", OneLine).show(head)

    @on(ProseDiffView.HunkMoved)
    def _draw_staged(self) -> None:
        if (opened := self.staging.opened) is None:
            return
        hunk = self.hunk
        place = f"{hunk.number} of {len(opened.diff.hunks)}" if hunk else str(len(opened.diff.hunks))
        self.query_one("#changes-pane", Pane).show_title("Changes", place)
        same = "the original" if opened.staged == opened.suggestion.sent else ""
        facts = same, size_text(opened.staged), f"at change {hunk.number}" if hunk else ""
        self.query_one("#staged-pane", Pane).show_title("Staged", *facts)
        self.query_one(StagedText).show(opened.diff, opened.choices, hunk.number if hunk else None)

    def action_staged(self) -> None:
        """Show or hide the staged prompt. In a short terminal, the staged prompt takes the place of the diff."""
        self.toggle_class("-unstaged" if self.has_class("-tall") else "-staged")
        self._focus_shown()

    def _focus_shown(self) -> None:
        if self.is_unmounted:
            return  # scheduled before the page closed
        alone = self.has_class("-staged") and not self.has_class("-tall")
        (self.query_one(StagedText) if alone else self.diff_view).focus()

    def watch_focused(self, former: Widget | None, now: Widget | None) -> None:
        """Move the focus if the diff or the staged prompt had the focus and was hidden."""
        is_hidden = isinstance(former, ProseDiffView | StagedText) and not former.display
        if is_hidden and self.staging.has_changes:
            self.call_after_refresh(self._focus_shown)

    def on_resize(self) -> None:
        self._draw_headline()
        if self.staging.has_changes and self.focused is None:
            self.call_after_refresh(self._focus_shown)

    # Moving

    @property
    def diff_view(self) -> ProseDiffView:
        return self.query_one(ProseDiffView)

    @property
    def hunk(self) -> Hunk | None:
        return self.diff_view.hunk if self.staging.opened is not None else None

    @on(VirtualList.Opened)
    def action_open(self) -> None:
        """Show the turn behind the change under the cursor. On folded text of the diff, unfold the text instead."""
        view, hunk = self.diff_view, self.hunk
        if self.focused is view and hunk is None:
            view.action_fold()
        elif self.focused is view and hunk is not None and hunk.is_folded:
            self.action_split()
        else:
            self._show_turn()

    # Choosing

    def decide(self, what: Literal["accepted", "rejected"]) -> None:
        if (hunk := self._hunk_under_cursor()) is not None:
            self._decide_and_advance(hunk, lambda: self.staging.choose(hunk, HunkChoice(what)))

    def _decide_and_advance(self, hunk: Hunk, begin: Callable[[], Step]) -> None:
        """Decide a change, and move the cursor to the next undecided change before the decision is saved. The user need
        not wait: the next key decides the next change."""
        view = self.diff_view
        following = self.staging.next_undecided(hunk)

        def show_whole() -> None:
            # The decided hunk above may have become longer.
            if view.hunk is not None and view.hunk.number == following:
                view.go_to(following)

        begun = self.steps.begin(begin, on_saved=show_whole, on_failed=lambda: view.go_to(hunk.number))
        if begun and following is not None:
            view.go_to(following)

    @on(ProseDiffView.SplitRequested)
    def action_split(self) -> None:
        """Split the change under the cursor, or join the part under the cursor with the other parts of the change."""
        if (hunk := self._hunk_under_cursor()) is None:
            return
        if (reason := self.staging.why_not_split(hunk)) is not None:
            self.notify_once(reason)
        else:
            self.steps.begin(lambda: self.staging.split(hunk))

    def action_dismiss_facts(self) -> None:
        if (hunk := self._hunk_under_cursor()) is not None:
            reasons = self.reasons or SuggestionReasons()
            found = hunk.key in reasons.own_facts
            self.notify_once(self.staging.dismiss(hunk, reasons) if found else "The change has no warning.")
            self.draw()

    def go_to_undone(self) -> None:
        view, key = self.diff_view, self.staging.undone_key
        if (opened := self.staging.opened) is not None and key:
            found = (hunk.number for hunk in opened.diff.hunks if key in (hunk.key, hunk.whole))
            if (number := next(found, None)) is not None:
                view.go_to(number)

    def action_edit(self) -> None:
        hunk, opened = self._hunk_under_cursor(), self.staging.opened
        if hunk is None or opened is None:
            return
        diff = opened.diff
        if (reason := opened.why_not_edit(hunk)) is not None:
            self.notify_once(reason)
            return
        from cekura_tui.ui.suggestion.edit import EditHunkDialog, EditResult

        def closed(edited: EditResult | None) -> None:
            if edited is not None and edited.applied:
                self._decide_and_advance(hunk, lambda: self.staging.edit(diff, hunk, edited.text))
            elif edited is not None and self.staging.save_typed(diff, hunk, edited.text):
                self.notify_once(with_keys("Your text is not applied: {suggestion.edit} opens it."))

        words = wording(diff, hunk)
        dialog = EditHunkDialog(
            f"Edit change {hunk.number} of {len(diff.hunks)} · {hunk.place}",
            words.sent,
            self.staging.text_to_edit(diff, hunk),
            self.state.workspace.setup.paths.home,
            lambda text: self.staging.save_typed(diff, hunk, text),
            others=words.others,
        )
        # Here and not in a worker, because keys typed right after this one are for the box.
        self.app.push_screen(dialog, closed)

    def _hunk_under_cursor(self) -> Hunk | None:
        if (hunk := self.hunk) is None and self.staging.has_changes:
            keys = with_keys("{suggestion.next} next change · {suggestion.previous} previous change")
            self.notify_once(f"No change under the cursor · {keys}")
        return hunk

    def _show_step(self, before: ProseDiff, message: str) -> None:
        self.draw()
        self._reload_reasons(before)
        self.notify_once(message)

    # Other screens and dialogs

    def _show_turn(self) -> None:
        """Open the run at the turn that probably caused the change under the cursor, or say that no run is known."""
        if (hunk := self._hunk_under_cursor()) is None:
            return
        if self.reasons is None:
            self.notify_once("Still loading the runs of this job.")
            return
        for reason in self.reasons.reasons.get(hunk.key, ()):
            if reason.run_id is not None:
                self.state.ask(OpenRun(reason.run_id, None if reason.turn is None else reason.turn + 1))
                return
        unread = "".join(f" {problem}" for problem in self.reasons.problems[:1])
        self.notify_once(f"No turn of a run found for change {hunk.number}.{unread}")

    def _open_when_saved(self, open_dialog: Callable[[OpenedSuggestion], object]) -> None:
        """Open a dialog about the staged prompt, once every decision is saved."""

        def open_on_staged() -> None:
            if self.staging.opened is not None:
                open_dialog(self.staging.opened)

        self.steps.when_saved(open_on_staged)

    def action_hand_off(self) -> None:
        staging, ask = self.staging, self.state.ask
        self._open_when_saved(lambda opened: ask(HandOff(opened.suggestion, lambda: staging.staged, self.notify_once)))

    def action_update_agent_prompt(self) -> None:
        self._open_when_saved(self._update_agent_prompt)

    def _update_agent_prompt(self, opened: OpenedSuggestion) -> None:
        from cekura_tui.prose.conflicts import ConflictDecisions
        from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog

        def decided_now() -> DecisionCounts | None:
            now = self.staging.opened
            return now.counts if now is not None else None

        decisions = self.state.decisions.setdefault(self.number, ConflictDecisions())
        self.app.push_screen(
            UpdatePromptDialog(self.state, self.number, opened.staged, self._reload_staged, decisions, decided_now)
        )

    def action_improve_again(self) -> None:
        if self.staging.opened is None:
            return
        try:
            refuse_read_only(self.state.workspace.setup.read_only, "nothing is launched")
        except UsageError as error:
            self.notify_once(error.sentence(), warning=True)
            return
        if not self.staging.opened.diff.is_compared:
            self.notify_once(f"Can't improve again: a prompt has at most {MAX_PROMPT_BYTES:,} bytes.", warning=True)
            return
        source = f"staged from job {self.number}"
        self._open_when_saved(
            lambda opened: self.improve(opened.suggestion.job.run_ids, GivenPrompt(source, opened.staged))
        )

    def action_open_test(self) -> None:
        self.state.ask(OpenJob(self.tests[0]))

    def action_test(self) -> None:
        """Test the suggestion, or if the agent does not have it yet, the present prompt, for more calls to compare."""
        if (job := self.job) is not None:
            self.state.ask(TestRuns(job.run_ids, self.number, before=not self.is_on_agent))

    @property
    def is_on_agent(self) -> bool:
        job = self.state.job(self.number)
        return job is not None and job.on_agent

    @property
    def tests(self) -> list[Job]:
        return self.state.tests_of(self.number)

    @property
    def job(self) -> Job | None:
        return self.staging.opened.suggestion.job if self.staging.opened else self.state.job(self.number)

    def action_history(self) -> None:
        if (job := self.job) is not None and job.agent_id is not None:
            self.state.ask(OpenPromptHistory(job.agent_id, job.agent_name))
