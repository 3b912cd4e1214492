"""The dialog that launches a test of an agent's prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.scenario_test import DEFAULT_TIMES, WAYS, LiveAnswer, Way, live_words, provider_name
from cekura_tui.model.text import clean_line, count
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
        self._launching, self._provider = False, provider_name(plan.agent.provider)

    def compose(self) -> ComposeResult:
        plan = self._plan
        with VerticalScroll(classes="dialog", id="launch-test") as box:
            prompt = "current prompt" if plan.before else "prompt"
            box.border_title = Content(f"Test the {prompt} of {clean_line(plan.agent.name, 50) or 'the agent'}")
            if facts := [*self._facts()]:
                yield Static(Content("\n").join(facts), id="test-facts")
            live = f"Is the agent's prompt at Cekura live at {self._provider}?"
            for name, title in (("scenarios", "Scenarios"), ("ways", "Call by"), ("live", live)):
                yield section(title, ChoiceList(several=name == "scenarios", id=f"test-{name}"), id=f"test-{name}-part")
            with Vertical(classes="section", id="test-settings"):
                yield from self._field("times", "Calls each", str(DEFAULT_TIMES), "fewer prove little")
                yield from self._field("limit", "Calls at once", "", "optional")
                yield from self._field("target", "Other agent's ID", "", "optional: a staging agent there")
                yield from self._field("name", "Name", plan.name, "")
            yield from self._field("typed", "Type the number", "", "of calls, to launch so many")
            yield DialogNote(id="test-note")
            with Horizontal(classes="dialog-buttons"):
                launch = f"Launch  {keymap_in_use().key_text('launch-test.launch')}".rstrip()
                yield Button(Content(launch), id="launch", variant="primary", compact=True)
                yield Button(Content("Cancel"), id="cancel", compact=True)
            yield KeyHint("{launch-test.launch} launch · {choice.choose} choose · tab next · {dialog.close} close")

    def _field(self, name: str, label: str, value: str, hint: str) -> Iterator[Horizontal]:
        digits = None if name in ("target", "name") else "[0-9]{0,5}"
        line = TypedLine(value, restrict=digits, id=f"test-{name}", select_on_focus=False, compact=True)
        row = Label(Content(label)), line, Label(Content(hint))
        yield Horizontal(*row, id=f"test-{name}-part", classes="test-field")

    def _facts(self) -> Iterator[Content]:
        """What the user should know before the launch; warnings first."""
        plan = self._plan
        warnings = ["" if plan.ways else _NO_WAY, plan.drift, *plan.notes]
        warnings += [f"{one.name}: {note}" for one in plan.scenarios for note in one.notes]
        yield from (Content.styled(f"! {clean_line(text)}", "$warning") for text in warnings if text)
        if plan.live is not None and not plan.asks_live:
            words = live_words(plan.live, plan.agent.provider)
            yield Content.styled(f"! {words}", "$warning") if plan.live == "overwritten" else Content(words)

    def on_mount(self) -> None:
        plan = self._plan
        ticked = [one.id for one in plan.scenarios if one.failed != self._also_passed] or plan.failing
        scenarios = {str(one.id): f"{clean_line(one.name, 60)} · {one.former_words}" for one in plan.scenarios}
        restarted = ", and the agent restarted" if plan.asks_restart else ""
        live = {"published": f"Yes, published{restarted}", "not yet": "Not yet", "anyway": "Test anyway"}
        # An agent that was restarted for the last test must be restarted for another prompt.
        known = [plan.live] if plan.live in live and not plan.asks_restart else []
        ways = {way.key: self._way_words(way) for way in plan.ways}
        self._fill("scenarios", scenarios, map(str, ticked))
        self._fill("ways", ways, [*ways][:1])
        self._fill("live", live if plan.asks_live else {}, known)
        self._show_part("typed", shown=False)
        self._show_cost()

    def _fill(self, name: str, words: Mapping[str, str], chosen: Iterable[str]) -> None:
        listed = self._list(name)
        listed.show_rows([Choice(key, text) for key, text in words.items()])
        listed.marks = frozenset(chosen)
        self._show_part(name, shown=bool(words))

    def _show_part(self, name: str, *, shown: bool) -> None:
        self.query_one(f"#test-{name}-part").display = shown

    def _way_words(self, way: Way) -> str:
        if way.key == "rerun":
            return f"{way.label} {self._plan.rerun}: each of its scenarios once, passed ones, too"
        voice = any(not one.as_text for one in self._plan.scenarios)
        return f"{way.label}: not comparable with the former voice calls" if way.text and voice else way.label

    # The choice

    def _list(self, name: str) -> ChoiceList:
        return self.query_one(f"#test-{name}", ChoiceList)

    def _typed(self, name: str) -> str:
        shown = self.query_one(f"#test-{name}-part").display
        return self.query_one(f"#test-{name}", TypedLine).value.strip() if shown else ""

    @property
    def _way(self) -> Way | None:
        return next((way for way in self._plan.ways if way.key in self._list("ways").chosen), None)

    def _choice(self, live: LiveAnswer = "own") -> LaunchChoice:
        if self._way is None:
            raise UsageError(_NO_WAY)
        return LaunchChoice(
            tuple(one.id for one in self._plan.scenarios if str(one.id) in self._list("scenarios").chosen),
            live,
            self._way.key,
            times=int(self._typed("times") or DEFAULT_TIMES),
            limit=int(self._typed("limit") or 0) or None,
            target=self._typed("target"),
            name=self._typed("name"),
        )

    def _live(self) -> LiveAnswer:
        """The answer to the question whether the prompt is live. Raises UsageError unless the test may be launched."""
        answer = next(iter(self._list("live").chosen), "")
        if not self._plan.asks_live:
            return self._plan.live or "own"
        if answer in ("published", "anyway"):
            return answer  # type: ignore[return-value] # as mypy cannot see
        restart = " and restart the agent" if self._plan.asks_restart else ""
        raise UsageError(
            f"Nothing was sent. Publish the prompt at {self._provider}{restart}, or choose to test anyway."
        )

    @on(ChoiceList.Marked)
    @on(Input.Changed)
    def _show_cost(self) -> None:
        """Show the fields and the cost of the present choice."""
        way = self._way or WAYS["rerun"]
        self._show_part("times", shown=way.key != "rerun")
        self._show_part("target", shown=bool(way.target))
        self._show_part("name", shown=way.named)
        try:
            words = cost_words(planned_launches(self._plan, self._choice()), self._plan.credits_left)
        except UsageError as error:
            words = error.message
        # On the border the cost is always in sight.
        self.query_one("#launch-test").border_subtitle = Content.styled(words, "$foreground bold")
        self._say("")

    # Launching

    @on(Button.Pressed, "#launch")
    def action_launch(self) -> None:
        if self._launching or not self.is_current:
            return  # a second key press
        try:
            choice = self._choice(self._live())
            calls = sum(one.calls for one in planned_launches(self._plan, choice))
        except UsageError as error:
            self._say(error.message, failed=True)
            return
        if calls > self._state.workspace.setup.settings.max_test_calls and self._typed("typed") != str(calls):
            self._show_part("typed", shown=True)
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
        words = f"{error.title}: {clean_line(error.sentence(), 600)}" if error is not None else ""
        if error is not None and not jobs and not isinstance(error, SentUnrecorded):
            self._say(words, failed=True)
            return
        if words:  # launching again from here would call the scenarios twice
            self.notify(words, severity="error", markup=False, timeout=60)
        self.dismiss(jobs)

    @on(Button.Pressed, "#cancel")
    def action_give_up(self) -> None:
        if self._launching:
            self._say("Launching. The job appears in the list of jobs when the server answers.")
        else:
            self.dismiss(None)

    def _say(self, text: str, *, failed: bool = False) -> None:
        note = self.query_one("#test-note", DialogNote)
        note.show(text, failed=failed)
        if text:
            note.scroll_visible(animate=False)


def open_test_dialog(page: Page, request: TestRuns) -> None:
    """Open the dialog, and then the test that was launched. If nothing can be tested, say why on the page."""
    state = page.state

    async def open_dialog() -> None:
        run_ids, job, before, also = request
        try:
            refuse_read_only(state.workspace.setup.read_only, "nothing is launched")
            asked = {"before": before, "also_passed": also}
            plan = await state.workspace.call(lambda session: session.tests.plan(run_ids, job=job, **asked))
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
