"""The dialog that launches a test of an agent's prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.scenario_test import LaunchSettings, LiveAnswer, Way, live_words
from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.store.errors import SentUnrecorded
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import keymap_in_use, with_keys
from cekura_tui.ui.kit.dialog import Dialog, DialogNote, KeyHint, section
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lists import Choice, ChoiceList
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import OpenJob, TestRuns
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.scenario_tests import LaunchChoice, ScenarioPlan, cost_words, planned_launches
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import refuse_read_only

_NO_WAY = "Cekura has no number, websocket or provider to call this agent, so nothing can be sent."


class LaunchTestDialog(Dialog[list[Job]]):
    """Lets the user choose scenarios, how to call them and how often, shows the cost, and returns the launched jobs.
    With `also_passed`, the scenarios that passed before are ticked instead of the failed ones."""

    PLACE = "In the dialog that tests a prompt"
    PARTS = (ChoiceList,)
    AUTO_FOCUS = "#test-scenarios"  # not the button: a stray enter must not launch calls, which cost credits
    drops_early_keys = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("launch-test.launch", "ctrl+g", "launch", "Launch", footer=1, priority=True),
    )

    def __init__(self, state: AppState, plan: ScenarioPlan, *, also_passed: bool = False) -> None:
        super().__init__()
        self._state, self._plan, self._also_passed = state, plan, also_passed
        self._launching = False

    def compose(self) -> ComposeResult:
        plan = self._plan
        with VerticalScroll(classes="dialog", id="launch-test") as box:
            prompt = "current prompt" if plan.before else "prompt"
            box.border_title = Content(f"Test the {prompt} of {clean_line(plan.agent.name, 50) or 'the agent'}")
            yield Static(self._facts(), id="test-facts")
            yield section("Scenarios", ChoiceList(several=True, id="test-scenarios"))
            if plan.ways:
                yield section("Called by", ChoiceList(several=False, id="test-ways"))
            if plan.asks_live:
                yield section(f"Is this prompt live at {self._provider}?", ChoiceList(several=False, id="test-live"))
            with Vertical(classes="section", id="test-settings"):
                yield from self._field("times", "Calls of each", "4", "4 of 4 after 0 of 4 is just proof")
                yield from self._field("limit", "Calls at once", "", "optional")
                yield from self._field("target", "Other agent's ID", "", "optional: a staging agent there")
                yield from self._field("name", "Name", plan.name, "")
            yield Static(id="test-cost")
            yield from self._field("typed", "Type the number", "", "")
            yield DialogNote(id="test-note")
            with Horizontal(classes="dialog-buttons"):
                launch = f"Launch  {keymap_in_use().key_text('launch-test.launch')}".rstrip()
                yield Button(Content(launch), id="launch", variant="primary", compact=True)
                yield Button(Content("Cancel"), id="cancel", compact=True)
            yield KeyHint("{launch-test.launch} launch · {choice.choose} choose · tab next · {dialog.close} close")

    def _field(self, name: str, label: str, value: str, hint: str) -> Iterator[Horizontal]:
        line = TypedLine(value, id=f"test-{name}", select_on_focus=False, compact=True)
        yield Horizontal(Label(Content(label)), line, Label(Content(hint)), id=f"test-{name}-row", classes="test-field")

    @property
    def _provider(self) -> str:
        return clean_line(self._plan.agent.provider, 40) or "the provider"

    def _facts(self) -> Content:
        """What the user should know before the launch; warnings first."""
        plan = self._plan
        warnings = [plan.drift, *plan.notes] if plan.ways else [_NO_WAY, *plan.notes]
        warnings += [f"{one.name}: {note}" for one in plan.scenarios for note in one.notes]
        lines = [Content.styled(f"! {clean_line(text)}", "$warning") for text in warnings if text]
        if plan.live is not None and not plan.asks_live:
            lines.append(Content(live_words(plan.live, plan.agent.provider)))
        return Content("\n").join(lines)

    def on_mount(self) -> None:
        plan, rows = self._plan, self.query_one("#test-scenarios", ChoiceList)
        rows.show_rows(
            [Choice(str(one.id), f"{clean_line(one.name, 60)} · {one.former_words}") for one in plan.scenarios]
        )
        ticked = [one.id for one in plan.scenarios if one.failed != self._also_passed] or [*plan.failing]
        rows.marks = frozenset(map(str, ticked))
        for ways in self.query("#test-ways").results(ChoiceList):
            ways.show_rows([Choice(way.key, self._way_words(way)) for way in plan.ways])
            ways.marks = frozenset({plan.ways[0].key})
        restarted = " and the agent restarted since" if plan.asks_restart else ""
        for live in self.query("#test-live").results(ChoiceList):
            words = {"published": f"Yes, published{restarted}", "not yet": "Not yet", "anyway": "Test anyway"}
            live.show_rows([Choice(key, text) for key, text in words.items()])
            # An agent that was restarted before the last test must be restarted for a new prompt.
            live.marks = frozenset({plan.live} if plan.live in words and not plan.asks_restart else ())
        self.query_one("#test-facts").display = bool(self._facts())
        self.query_one("#test-typed-row").display = False
        self._show_cost()

    def _way_words(self, way: Way) -> str:
        if way.key == "rerun":
            return f"Rerun of result {self._plan.rerun}: every call of the result once, also what passed"
        voice = any(not one.as_text for one in self._plan.scenarios)
        return f"{way.label}: not comparable with the former voice calls" if way.text and voice else way.label

    # The choice

    def _chosen(self, name: str) -> str:
        return next((key for one in self.query(f"#test-{name}").results(ChoiceList) for key in one.chosen), "")

    def _typed(self, name: str) -> str:
        line = self.query_one(f"#test-{name}", TypedLine)
        return line.value.strip() if self.query_one(f"#test-{name}-row").display else ""

    def _number(self, name: str) -> int | None:
        text = self._typed(name)
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and int(text[:6]) > 0 and len(text) < 6):
            raise UsageError("Type whole numbers from 1.")
        return int(text)

    def _choice(self, live: LiveAnswer) -> LaunchChoice:
        if not self._plan.ways:
            raise UsageError(_NO_WAY)
        scenarios = self.query_one("#test-scenarios", ChoiceList).chosen
        return LaunchChoice(
            tuple(one.id for one in self._plan.scenarios if str(one.id) in scenarios),
            live,
            self._chosen("ways"),
            self._number("times") or 1,
            self._number("limit"),
            self._typed("target"),
            clean_line(self._typed("name"), 120),
        )

    def _live(self) -> LiveAnswer:
        """The answer to the question whether the prompt is live. Raises UsageError without an answer, or for "not
        yet"."""
        plan, answer = self._plan, self._chosen("live")
        if plan.asks_live and answer not in ("published", "anyway"):
            restart = ", restart the agent" if plan.asks_restart else ""
            how = f"Publish the prompt at {self._provider}{restart}, then launch. Nothing was sent."
            raise UsageError(how if answer else f"Say whether the prompt is live at {self._provider}.")
        return answer if plan.asks_live else plan.live or "own"  # type: ignore[return-value] # checked above

    def _launches(self) -> list[LaunchSettings]:
        return planned_launches(self._plan, self._choice("own"))

    @on(ChoiceList.Marked)
    @on(Input.Changed)
    def _show_cost(self) -> None:
        """Show the fields and the cost of the present choice."""
        way = next((way for way in self._plan.ways if way.key == self._chosen("ways")), None)
        fields = {"times": way is None or way.key != "rerun", "target": bool(way and way.target)}
        for name, shown in {**fields, "name": way is None or way.named}.items():
            self.query_one(f"#test-{name}-row").display = shown
        try:
            words = cost_words(self._launches(), self._plan.credits_left)
        except UsageError as error:
            words = error.message
        if self._state.workspace.setup.demo:
            words += " · free in the demo"
        self.query_one("#test-cost", Static).update(Content(words))
        self._say("")

    # Launching

    @on(Button.Pressed, "#launch")
    def action_launch(self) -> None:
        if self._launching or not self.is_current:
            return  # a second key press
        limit = self._state.workspace.setup.settings.max_test_calls
        try:
            choice = self._choice(self._live())
            calls = sum(one.calls for one in planned_launches(self._plan, choice))
        except UsageError as error:
            self._say(error.message, failed=True)
            return
        if calls > limit and self._typed("typed") != str(calls):
            self.query_one("#test-typed-row").display = True
            self.query_one("#test-typed").focus()
            self._say(f"Type {calls} and press {with_keys('{launch-test.launch}')} to launch {count(calls, 'call')}.")
            return
        self._launching = True
        self._say("Launching … The server has up to a minute to answer.")
        self._launch(choice)

    @work(group="launch")
    async def _launch(self, choice: LaunchChoice) -> None:
        async def launch(session: Session) -> tuple[list[Job], CekuraTuiError | None]:
            known = {job.number for job in session.tests.all_tests()}
            try:
                return await session.tests.launch(self._plan, choice), None
            except CekuraTuiError as error:
                made = [job for job in session.tests.all_tests() if job.number not in known]
                return [job for job in made if job.state != JobState.DRAFT], error

        try:
            jobs, error = await asyncio.shield(asyncio.wrap_future(self._state.workspace.send(launch)))
        except CekuraTuiError as closing:
            jobs, error = [], closing
        self._launching = False
        if error is None:
            self.dismiss(jobs)
            return
        words = f"{error.title}: {clean_line(error.sentence(), 600)}"
        if jobs or isinstance(error, SentUnrecorded):
            # Close the dialog, because launching again from here would call the scenarios twice.
            self.notify(words, severity="error", markup=False, timeout=60)
            self.dismiss(jobs)
        else:
            self._say(words, failed=True)

    @on(Button.Pressed, "#cancel")
    def action_give_up(self) -> None:
        if self._launching:
            self._say("Launching. The job appears in the list of jobs when the server answers.")
        else:
            self.dismiss(None)

    def _say(self, text: str, *, failed: bool = False) -> None:
        note = self.query_one("#test-note", DialogNote)
        note.show(clean(text), failed=failed)
        if text:
            note.scroll_visible(animate=False)


def open_test_dialog(page: Page, request: TestRuns) -> None:
    """Open the dialog, and then the test that was launched. If nothing can be tested, say why on the page."""
    state = page.state

    async def open_dialog() -> None:
        run_ids, job, before, also = request
        try:
            refuse_read_only(state.workspace.setup.read_only, "nothing is launched")
            plan = await state.workspace.call(
                lambda session: session.tests.plan(run_ids, job=job, before=before, also_passed=also)
            )
        except CekuraTuiError as error:
            page.show_error(error)
        else:
            page.opening.end_wait()
            page.app.push_screen(LaunchTestDialog(state, plan, also_passed=also), launched)

    def launched(jobs: list[Job] | None) -> None:
        for job in jobs or ():
            state.put_new(job)  # now, so that quitting at once still reports a running job
        if jobs:
            state.ask(OpenJob(jobs[0]))

    page.opening.begin(open_dialog, "Planning the test", group="plan-test")
