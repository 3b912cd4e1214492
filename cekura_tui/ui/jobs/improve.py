"""The dialog that launches an improve-prompt job."""

from __future__ import annotations

import asyncio
import contextlib
import random
from concurrent.futures import Future
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static, TextArea

from cekura_tui.config.programs import program_name
from cekura_tui.jobs.waiting import retry_delay
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import BY_COMMAND, DEFAULT_KIND, FROM_FILE, Draft, Job, JobState
from cekura_tui.model.scope import Agent
from cekura_tui.model.text import Prompt, clean, clean_line, count
from cekura_tui.store.errors import SentUnrecorded
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.jobs.drafts import DraftSaver
from cekura_tui.ui.jobs.improve_choices import PARAMETERS, PLACEHOLDERS, FocusList, PromptSources, Proposers
from cekura_tui.ui.jobs.job_keys import launched_words
from cekura_tui.ui.keymap import keymap_in_use, with_keys
from cekura_tui.ui.kit.debounce import Debounce
from cekura_tui.ui.kit.dialog import ConfirmDialog, DetailsDialog, Dialog, KeyHint, section
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lists import ChoiceList
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.prompt_box import PromptArea, PromptText
from cekura_tui.ui.messages import GivenPrompt, Improve
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.foreground import edit_prompt
from cekura_tui.workspace.prompt_files import check_prompt, read_prompt_file, source_file
from cekura_tui.workspace.session import Improvable, Session

AUTOSAVE = 1.5
"""Seconds from the first unsaved keystroke to the next save of the draft, even while the user continues to type."""


class ImproveDialog(Dialog[Job]):
    """Lets the user choose a prompt and a focus, launches a job, and returns the job. Returns None if the user gave up,
    or if the launched job could not be recorded. Closing the dialog saves the user's input as a draft."""

    PLACE = "In the dialog that improves"
    PARTS = (ChoiceList,)
    # Not the button: a stray enter must not launch a job, which costs credits.
    AUTO_FOCUS = "#sources"
    FIRST_READS = ("saved-prompts", "agent-prompt")
    drops_early_keys = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("improve.launch", "ctrl+g", "launch", "Launch", footer=1),
        Action("improve.editor", "ctrl+e", "edit", "Edit in $EDITOR", footer=2, priority=True),
        Action(
            "improve.retry",
            "ctrl+r",
            "retry",
            "Retry",
            footer=3,
            why_not=lambda dialog: None if dialog.prompt_error else NOT_OFFERED,
        ),
        Action("improve.text", "ctrl+t", "text", "Show the text for a command", footer=4),
    )

    def __init__(self, state: AppState, runs: Improvable, given: GivenPrompt | None = None) -> None:
        super().__init__()
        self._state, self._runs = state, runs
        self._focus, self._agent_name = FocusList(runs.focuses()), runs.agent_name
        self._sources, self._text, self._proposers = PromptSources(given), PromptText(), Proposers()
        self._line = TypedLine(id="proposer-line", compact=True)
        self._drafts = DraftSaver(state.workspace)
        self._launching: Draft | None = None
        self._saved_words = "", False
        self.prompt_error: CekuraTuiError | None = None
        """Why the agent's prompt could not be loaded; None before the first failure and after a success."""
        self._keys, self._left_out = state.workspace.setup.known_keys(), ""
        self._autosave = Debounce(self, AUTOSAVE, self.save_typed, postponed=False)
        # Requested now, so that both load while the dialog is composed.
        self._saved_request = state.workspace.send(self._find_saved)
        self._prompt_request: Future[tuple[Agent, Prompt]] | None = self._ask_prompt()

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", id="improve"):
            runs = ", ".join(f"{view.row.id} {view.row.chip}" for view in self._runs.views)
            yield Static(_section_title("Runs", clean(runs), between="  "), id="improve-runs")
            if self._runs.unfinished:
                yield Static(Content(f"! {self._runs.unfinished}"), id="improve-unfinished")
            offer = Static(id="improve-offer")
            yield section("Proposed by", self._proposers, self._line, offer, id="improve-proposer")
            with Vertical(classes="section", id="improve-prompt"):
                yield Static(id="prompt-facts", classes="section-title")
                yield self._sources
                yield TypedLine(placeholder="Path of the file, then enter", id="prompt-file", compact=True)
                yield PromptArea(id="prompt", closed=True)
                yield Static(id="improve-reading")
            if self._runs.focuses():
                with Vertical(classes="section"):
                    toggles = with_keys("{choice.choose} toggles")
                    yield Static(_section_title("Focus (optional)", toggles), classes="section-title")
                    yield self._focus
            yield Static(id="improve-note")
            yield Static(id="improve-key")
            yield Static(id="improve-cost")
            with Horizontal(classes="dialog-buttons"):
                launch = Content(f"Launch  {keymap_in_use().key_text('improve.launch')}".rstrip())
                yield Button(launch, id="launch", variant="primary", compact=True)
                yield Button(Content("Cancel"), id="cancel", compact=True)
            keys = "{improve.launch} launch · tab next · {improve.editor} editor · {dialog.close} close (draft saved)"
            yield KeyHint(keys)

    def on_mount(self) -> None:
        self.query_one("#prompt-file").display = False
        self._show_agent()
        self._offer_proposers(DEFAULT_KIND, "", has_cekura=True)
        self._switch_source(self._sources.current)
        area = self.query_one(PromptArea)
        for what in ("read_only", "has_focus"):
            self.watch(area, what, self._show_facts, init=False)
        self._show_line("reading", "Loading the agent's prompt …")
        self._read_saved()
        self._read_agent_prompt()

    @work(group="saved-prompts")
    async def _read_saved(self) -> None:
        try:
            saved, last, kind, command, has_cekura = await asyncio.wrap_future(self._saved_request)
        except CekuraTuiError as error:
            self._show_message(error.sentence(), failed=True)
            return
        self._offer_proposers(kind, command, has_cekura)
        if last is not None:
            self._sources.set_text("last", last)
        if saved is not None:
            draft, job = saved
            self._drafts.adopt(job)
            if not (is_agents := draft.prompt_source == "agent"):
                self._sources.set_text("draft", draft.prompt)
            if draft.run_ids == self._runs.run_ids and self._sources.current == "agent" and not self._edited:
                self._proposers.restore(draft)
                self._show_proposer()
                self._switch_source("agent" if is_agents else "draft")
                self._drafts.adopt(job, at_once=is_agents)
                self._focus.choose(draft.category_ids, draft.workflow_metric_ids)
                when = f"Draft saved {self._state.when(job.created_at)}."
                self._saved_words = f"{when} {job.reason}".strip(), bool(job.reason)
                self._show_message(*self._saved_words)

    async def _find_saved(self, session: Session) -> tuple[tuple[Draft, Job] | None, Prompt | None, str, str, bool]:
        jobs, (agent_id, run_ids) = session.store.jobs, (self._runs.agent_id, self._runs.run_ids)
        kind, command = jobs.proposer(agent_id) or (DEFAULT_KIND, "")
        command, has_cekura = command or session.improve_command(), jobs.is_offered(agent_id)
        return await session.jobs.draft(agent_id, run_ids), jobs.last_prompt(agent_id), kind, command, has_cekura

    @work(group="agent-prompt", exclusive=True)
    async def _read_agent_prompt(self) -> None:
        """Load the agent's prompt. Show errors, and retry after a temporary error."""
        failures = 0
        while not self.is_unmounted:
            try:
                request, self._prompt_request = self._prompt_request or self._ask_prompt(background=failures > 0), None
                agent, prompt = await asyncio.wrap_future(request)
            except CekuraTuiError as error:
                self.prompt_error, failures, retrying = error, failures + 1, ""
                if error.is_transient:
                    wait = retry_delay(failures, error.retry_after, random.random())
                    retrying = f"Retrying at {self._state.when(self._state.clock() + wait, seconds=True)}. "
                retry = with_keys("{improve.retry} retry now.")
                self._show_line("reading", f"{clean_line(error.message)} {retrying}{retry}", failed=True)
                if not error.is_transient:
                    return
                await asyncio.sleep(wait)
            else:
                self._agent_name, self.prompt_error = agent.name, None
                self._show_agent()
                self._sources.set_text("agent", prompt)
                if self._sources.current == "agent" and not self._edited:
                    self._switch_source("agent")
                    self._show_message(*self._saved_words)
                self._show_line("reading", "")
                return

    def _ask_prompt(self, *, background: bool = False) -> Future[tuple[Agent, Prompt]]:
        agent_id = self._runs.agent_id
        return self._state.workspace.send(lambda session: session.agent_prompt(agent_id, background=background))

    def _show_agent(self) -> None:
        title = f"Improve the prompt of {clean_line(self._agent_name, 60) or 'the agent'}"
        self.query_one("#improve").border_title = Content(title)

    def action_retry(self) -> None:
        if self.prompt_error is not None:
            self._show_line("reading", f"{clean_line(self.prompt_error.message)} Retrying …", failed=True)
        self._read_agent_prompt()

    # Who proposes

    def _offer_proposers(self, kind: str, command: str, has_cekura: bool) -> None:
        self._proposers.offer(kind, command, has_cekura)
        self._show_proposer()

    def _show_proposer(self) -> None:
        """Show the line of the chosen proposer, and what a launch does."""
        kind, line = self._proposers.kind, self._line
        line.display, line.placeholder = kind in PARAMETERS, PLACEHOLDERS.get(kind, "")
        with line.prevent(Input.Changed):
            line.value = self._proposers.lines.get(kind, "")
        self._show_line("offer", self._proposers.advice)
        self._show_cost()
        self._text_changed()

    @on(ChoiceList.Marked, "#proposers")
    def proposer_chosen(self) -> None:
        self._show_proposer()
        if self._proposers.kind in PARAMETERS and not self._proposers.line:
            self._line.focus()

    @on(Input.Changed, "#proposer-line")
    def line_typed(self, event: Input.Changed) -> None:
        self._proposers.lines[self._proposers.kind], self._proposers.typed = event.value, True
        self._show_cost()
        self._autosave.start()

    def _show_cost(self) -> None:
        setup, kind, program = self._state.workspace.setup, self._proposers.kind, program_name(self._proposers.line)
        runs = f"Runs {program} on this machine with the runs and this prompt; nothing is sent to Cekura."
        free = "Free in the demo: nothing is sent to Cekura." if setup.demo else ""
        if kind == BY_COMMAND:
            free = clean(f"{runs} {with_keys('{improve.text} shows the text.')} {self._left_out}").rstrip()
        elif kind == FROM_FILE:
            free = "Compares the prompt in the file with this prompt; nothing is sent to Cekura."
        sends = f" Launch sends the runs and this prompt to {clean(setup.server.origin)}."
        cost = Content(free) if free else Content.assemble(("! May cost credits.", "$warning"), sends)
        self.query_one("#improve-cost", Static).update(cost)

    @work(group="text", exclusive=True)
    async def action_text(self, shown: bool = True) -> None:
        """Make the text for a command, and show what is left out of it; with `shown`, show the text, too."""
        draft, call = self._as_draft(), self._state.workspace.call
        try:
            text, self._left_out = await call(lambda session: session.improve_text(draft, self._runs))
        except CekuraTuiError as error:
            self._show_message(error.sentence(), failed=True)
        else:
            self._show_cost()
            if shown:
                self.app.push_screen(DetailsDialog("The text that a command reads", text))

    # The prompt

    def _switch_source(self, source: str) -> None:
        """Show the prompt of another source, and save later edits to the draft of that source."""
        self._sources.switch_to(source)
        self._drafts.switch_to(source)
        self._show_prompt(self._sources.text_of(source))

    def _show_prompt(self, prompt: Prompt) -> None:
        area = self.query_one(TextArea)
        area.load_text(clean(prompt))
        area.refresh()
        self._text.put(prompt, area.text)
        self._show_facts()
        self._text_changed()

    def _text_changed(self) -> None:
        """Make the text for a command again, to show what is left out; warn of an API key in the prompt."""
        if self._proposers.kind == BY_COMMAND:
            self.action_text(shown=False)
        self._show_key_warning()

    def _show_key_warning(self) -> None:
        """Warn of an API key in the prompt before the prompt is saved or sent."""
        self._show_line("key", self._key_warning(self._prompt(), "prompt"), failed=True)

    def _key_warning(self, text: str, name: str) -> str:
        whose = self._keys.found_in(text)
        kept = f"Drafts and jobs keep the {name} as it is, and a launch passes it on."
        return f"The {name} contains {whose}. {kept}" if whose else ""

    def _prompt(self) -> Prompt:
        """The prompt to send: the edited text, or the exact original if the text was not edited."""
        return self._text.read(self.query_one(TextArea).text)

    @property
    def _edited(self) -> bool:
        """Whether the user edited the prompt. A prompt loaded later must not replace an edited prompt."""
        return self._text.edited(self.query_one(TextArea).text)

    def _show_facts(self) -> None:
        area = self.query_one(PromptArea)
        title = _section_title("Prompt", self._text.facts(area.text))
        if area.has_focus and area.read_only:
            muted = "not bold $muted"
            title = Content.assemble(title, (" · ", muted), ("enter", "bold $accent"), (" edit", muted))
        self.query_one("#prompt-facts", Static).update(title)

    @on(ChoiceList.Marked, "#sources")
    def source_chosen(self) -> None:
        """Save an edited prompt as the draft, then show the prompt of the chosen source."""
        (source,) = self._sources.chosen
        self.query_one("#prompt-file").display = source == "file"
        if source == self._sources.current:
            return
        self._save_before_switch()
        self._switch_source(source)
        if source == "file":
            self.query_one("#prompt-file").focus()

    def _save_before_switch(self) -> None:
        if not self._edited and self._sources.current != "draft":
            return  # choosing the source again restores it
        self.save_typed()
        if self._drafts.is_saved(left := self._as_draft()):
            self._sources.set_text("draft", left.prompt)

    @on(Input.Submitted, "#prompt-file")
    def load_file(self, event: Input.Submitted) -> None:
        try:
            prompt = read_prompt_file(event.value.strip(), ordinary=True)
        except CekuraTuiError as error:
            # Without the error's hint, which is about a command.
            self._show_message(f"{error.message} Type another path.", failed=True)
            return
        self._sources.set_text("file", prompt, event.value.strip())
        self._save_before_switch()
        self._switch_source("file")
        self._show_message(f"Loaded {clean_line(Path(event.value.strip()).name)}")
        self._sources.focus()

    @on(TextArea.Changed)
    def prompt_changed(self) -> None:
        """Start the autosave after an edit. After the first save, also when the user restored the original text."""
        self._show_key_warning()
        if self._edited or self._drafts.has_started:
            self._autosave.start()
            self._show_facts()

    def action_edit(self) -> None:
        try:
            edited = edit_prompt(self.app, self._prompt(), self._state.workspace.setup.paths.home)
        except CekuraTuiError as error:
            self._show_message(error.sentence(), failed=True)
            return
        if edited != self._prompt():
            self._show_prompt(edited)
            self._text.changed_outside = True
            self._show_facts()
            self.save_typed()

    # The draft

    def _as_draft(self) -> Draft:
        kind = self._proposers.kind
        return Draft(
            run_ids=self._runs.run_ids,
            prompt=self._prompt(),
            agent_id=self._runs.agent_id,
            agent_name=self._agent_name,
            category_ids=self._focus.ids("category"),
            workflow_metric_ids=self._focus.ids("metric"),
            prompt_source=self._sources.label + (", edited" if self._edited else ""),
            kind=kind,
            parameters={PARAMETERS[kind]: self._proposers.line} if kind in PARAMETERS else {},
        )

    def save_typed(self) -> None:
        """Start saving the input as a draft, if there is any. Input that a launch is sending, or with an API key in the
        command, is not saved. Even an unchanged draft is saved, because another window may have overwritten it."""
        draft, source = self._as_draft(), self._sources.current
        written = self._edited or source == "file" or (source == "draft" and self._drafts.has_started)
        worth_saving = written or self._proposers.typed or draft.category_ids or draft.workflow_metric_ids
        refused = draft == self._launching or self._keys.found_in(self._proposers.line)
        if worth_saving and draft.prompt.strip() and not refused:
            self._drafts.save(draft)

    @on(Button.Pressed, "#cancel")
    def action_give_up(self) -> None:
        """Save the draft and close the dialog, unless a launch is running; ask first if the draft can't be saved."""
        if self._launching:
            self._show_message("Launching. The job appears in the list of jobs when the server answers.")
            return
        self.save_typed()
        self._save_and_close()

    @work(group="leave", exclusive=True)
    async def _save_and_close(self) -> None:
        draft = self._as_draft()
        if not await self._drafts.saved_soon():
            text = "The draft is not saved yet. The app saves the draft as soon as it can."
            ConfirmDialog("Close without waiting?", text, "Close", "Wait").ask(self.app, self.dismiss)
            return
        if self._drafts.is_saved(draft):
            self.notify(f"Draft saved. {self._sources.reopen_hint}", markup=False)
        self.dismiss(None)

    # Launching

    @on(Button.Pressed, "#launch")
    def action_launch(self) -> None:
        if self._launching or not self.is_current:
            return  # ignores a second key press
        draft = self._as_draft()
        if not draft.prompt:
            self._show_message("The prompt is empty. Type one, or choose a file.", failed=True)
        elif source_file(draft.prompt.strip()):
            text = "The prompt is only the path of a file. Type the path above the prompt, then press enter."
            self._show_message(text, failed=True)
        elif draft.kind in PARAMETERS and not self._proposers.line:
            self._show_message(f"Type {'a command' if draft.kind == BY_COMMAND else 'a path'} first.", failed=True)
            self._line.focus()
        else:
            self._set_launching(draft)  # here, because a second key may be handled before the worker starts
            self._launch(draft)

    # Exclusive, because a second key may be handled between the answer to the question and the launch.
    @work(group="launch", exclusive=True)
    async def _launch(self, draft: Draft) -> None:
        """Launch, but ask first if a run is unfinished, or if the prompt or its proposer's text contains an API key."""
        job, sent, text, do = None, draft, "", self._state.workspace.do
        waits = "The server has up to a minute to answer." if draft.kind == DEFAULT_KIND else ""
        try:
            check_prompt(draft.prompt)
            if draft.kind == BY_COMMAND:
                made = await self._state.workspace.call(lambda session: session.improve_text(draft, self._runs))
                text = made.text
                if made.left_out:
                    self.notify(made.left_out, markup=False)
            elif draft.kind == FROM_FILE:
                text = read_prompt_file(str(draft.parameters["file"]), ordinary=True)
            key = self._key_warning(draft.prompt, "prompt") or self._key_warning(text, "text")
            if doubts := "\n\n".join(filter(None, (key, self._runs.unfinished))):
                self._set_launching(None)
                title = "Launch a prompt with an API key in it?" if key else "Launch from an unfinished run?"
                if not await self.app.push_screen_wait(ConfirmDialog(title, doubts, "Launch anyway")):
                    return
                self._set_launching(draft)
            self._show_message(f"Launching … {waits}".rstrip())
            sent = await do(lambda session: session.prepared(draft, text))
            job = await self._drafts.launch(sent)
        except SentUnrecorded as error:
            # Close the dialog, because relaunching from here would send a second job.
            self.notify(error.sentence(), title=error.title, severity="error", markup=False, timeout=60)
        except CekuraTuiError as error:
            await self._drafts.reattach(sent)
            self._set_launching(None)
            with contextlib.suppress(CekuraTuiError):
                is_offered = await do(lambda session: session.store.jobs.is_offered(draft.agent_id))
                self._offer_proposers(draft.kind, "", is_offered)
            self.save_typed()
            words = f"{error.title}: {clean_line(error.sentence(), 600)}"
            self._show_message(words, failed=True)
            saved = await self._drafts.saved_soon() and self._drafts.is_saved(self._as_draft())
            if saved and "Draft saved" not in error.hint:
                self._show_message(f"{words} Draft saved.", failed=True)
            return
        self.save_typed()  # text typed during the launch was not sent
        self.dismiss(job)

    def _set_launching(self, launching: Draft | None) -> None:
        self._launching = launching
        self.query_one("#launch", Button).disabled = launching is not None
        if not launching and self.focused is None:
            self._sources.focus()  # disabling the button removed its focus

    def _show_message(self, text: str, failed: bool = False) -> None:
        self._show_line("note", text, failed=failed)

    def _show_line(self, name: str, text: str, *, failed: bool = False) -> None:
        line = self.query_one(f"#improve-{name}", Static)
        line.display = bool(text)
        line.set_class(failed, "-failed")
        line.update(Content(clean(f"! {text}" if failed else text)))


def _section_title(name: str, facts: str, between: str = " · ") -> Content:
    return Content.assemble((name, "bold"), (f"{between}{facts}", "not bold $muted"))


def open_improve_dialog(page: Page, request: Improve) -> None:
    """Open the dialog and report the launched job on the page. If the runs cannot be improved together, say why."""
    state, run_ids = page.state, request.run_ids

    async def open_dialog() -> None:
        try:
            runs = await state.workspace.call(lambda session: session.improvable(run_ids))
            dialog = ImproveDialog(state, runs, request.given)
        except CekuraTuiError as error:
            page.show_error(error)
        else:
            page.opening.end_wait()
            page.app.push_screen(dialog, launched)

    def launched(job: Job | None) -> None:
        if job is not None:
            state.put_new(job)  # now, so that quitting at once still reports a running job
            page.notify_once(launched_words(job), warning=job.state == JobState.UNCONFIRMED)
            page.job_launched(job)

    if run_ids:
        page.opening.begin(open_dialog, f"Loading {count(len(run_ids), 'run')}", group="improve")
