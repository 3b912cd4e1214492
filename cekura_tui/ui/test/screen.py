"""The page of a test: each scenario before and after the change of the prompt, also while the calls run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from cekura_tui.model.before_after import Became, CalledRun, ScenarioLine, Side, summary_words
from cekura_tui.model.column_fit import Cells, FitColumn, fit_columns
from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.job import MAX_RUNS, Job, JobState
from cekura_tui.model.run.outcome import MARKS
from cekura_tui.model.scenario_test import counts_of, live_words
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.dialog import ConfirmDialog, Dialog, KeyHint, dialog_box
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lines import TONE_CLASSES, TONES, Notice, OneLine
from cekura_tui.ui.kit.lists import ColumnHeader, Heading, SimpleList
from cekura_tui.ui.kit.page import Page, error_action
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import CompareRuns, OpenJob, OpenJobDetails, OpenRun, TestRuns
from cekura_tui.ui.state import AppState, follow_jobs
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.scenario_tests import PromptTest

_LOOKS: dict[Became, tuple[str, str]] = {
    "fixed": ("✓", "good"),
    "improved": ("↑", "good"),
    "unclear": ("?", "warn"),
    "still failing": ("✗", "bad"),
    "newly failing": ("✗", "bad"),
    "worse": ("↓", "bad"),
    "still passing": ("✓", "dim"),
    "not comparable": ("≠", "warn"),
    "no calls": ("–", "dim"),
}
"""Mark and tone of what became of a scenario."""
_GUTTER, _SIDE, _BECAME = 3, len("4 of 4"), len("not comparable")
UNJUDGED_RELOAD = 5.0
"""Seconds after which a test is loaded again whose calls have ended, but are not all judged."""


class TestLine(NamedTuple):
    """A scenario, and its number in the comparison."""

    number: int
    line: ScenarioLine


def columns(width: int, side: int) -> Cells:
    fits = (
        FitColumn("scenario", 16, ((2, 40),)),
        FitColumn("before", min(side, 20), drop_order=2),
        FitColumn("after", _SIDE, ((1, side),)),
        FitColumn("result", _BECAME),
        FitColumn("checks that changed", 18, ((3, 1_000),), drop_order=1),
    )
    return fit_columns(fits, width - _GUTTER)


class TestLines(VirtualList[TestLine]):
    ACTIONS: ClassVar[tuple[Action, ...]] = (Action("test-lines.open", "enter", "open", "Compare calls", footer=1),)
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    numbered = True
    side = _SIDE
    """The cells that a column of counts needs."""

    def key_of(self, row: TestLine) -> int:
        return row.number

    def lines_of(self, row: TestLine, width: int, state: RowState) -> Sequence[Line]:
        line = row.line
        mark, tone = _LOOKS[line.became]
        ink, dim = self.style_of(f"tone--{tone}"), self.style_of("tone--dim")
        texts = {"scenario": line.name, "before": line.before.words, "after": line.after.words}
        texts |= {"result": line.became, "checks that changed": line.detail}
        inks = {"before": dim, "result": ink, "checks that changed": dim}
        cells = (Segment(f"{fit(texts[name], room)} ", inks.get(name)) for name, room in columns(width, self.side))
        return [[Segment(f" {mark} ", ink), *cells]]


class FindTestLine(TypedLine):
    """The input for a text to filter the scenarios by; hidden while there is none."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("find-test-line.apply", "enter", lambda line: line.leave(), "Apply", footer=1),
        Action("find-test-line.clear", "escape", lambda line: line.leave(clear=True), "Show all", footer=2),
    )

    def leave(self, *, clear: bool = False) -> None:
        self.value = "" if clear else self.value
        self.display = bool(self.value)
        self.screen.query_one(TestLines).focus()


class ChooseCallDialog(Dialog[int]):
    """Offers calls of a scenario, and returns the id of the chosen one."""

    AUTO_FOCUS = "#calls"

    def __init__(self, title: str, calls: Sequence[tuple[int, str]]) -> None:
        super().__init__()
        self._title, self._calls = title, calls

    def compose(self) -> ComposeResult:
        with dialog_box(self._title):
            yield SimpleList[tuple[int, str]](
                key=lambda call: call[0], line=lambda call, width, ink: [Segment(fit(f" {call[1]}", width))], id="calls"
            )
            yield KeyHint("{list.open} compare · {dialog.close} close")

    def on_mount(self) -> None:
        self.query_one(SimpleList).show_rows(self._calls)

    @on(SimpleList.Opened)
    def choose(self, event: SimpleList.Opened) -> None:
        self.dismiss(event.key)  # type: ignore[arg-type] # a run's id


_ACTIONS = (
    ("also-passed", "plus", "test_also_passed", "Test what passed", "Also call the scenarios that passed before"),
    ("improve", "i", "improve", "Improve", "Improve the prompt from the calls that still fail"),
    ("other", "equals_sign", "choose_other", "Compare with", "Compare the new call with another former one"),
    ("again", "T", "test_again", "Test again", "Call the scenarios again"),
    ("end-calls", "H", "end_calls", "Hang up", "End the calls that have not ended"),
    ("copy", "y", "copy_or_save", "Copy or save", "The comparison as Markdown or JSON"),
    ("suggestion", "I", "open_suggestion", "Suggestion", "The suggestion that is tested"),
    ("find", "slash", "find", "Find", "Find scenarios by name, or by what became of them"),
)


def _why_not(screen: BeforeAfterScreen, name: str) -> str | None:
    """Why an action is not possible now, as a sentence; `NOT_OFFERED` to hide the action; else None."""
    if (report := screen.report) is None:
        return NOT_OFFERED
    reasons = {
        "improve": None if screen.failing else NOT_OFFERED,
        "also-passed": None if screen.all_pass else NOT_OFFERED,
        "suggestion": None if report.settings.job is not None else NOT_OFFERED,
        "end-calls": None if screen.calls_run else NOT_OFFERED,
    }
    return reasons.get(name)


class BeforeAfterScreen(Page):
    PLACE = "In a test"
    PARTS = (TestLines, FindTestLine)
    AUTO_FOCUS = "TestLines"
    FIRST_READS = ("report",)
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        *(
            Action(f"test.{name}", key, do, label, tip, rank, why_not=partial(_why_not, name=name))
            for rank, (name, key, do, label, tip) in enumerate(_ACTIONS, 2)
        ),
        Action("test.details", "d", "details", "Details", "Details of the job"),
        Action("test.refresh", "r", "refresh", "Reload"),
        Action("test.back", "escape", "app.pop_screen", "Back", footer=10),
        error_action("test"),
    )
    HELP = """\
# Test of a prompt
One line for each scenario: how many calls passed before and after, and what became of it. `✓ fixed`: none passed
before, at least 80 % pass now, and chance alone does not explain the difference. `↑ improved` and `? unclear` are no
proof yet; the text below says how many more calls would prove a change. `≠ not comparable`: the calls differ in more
than the prompt. Calls that did not happen count neither as passed nor as failed.

`{test-lines.open}` compares the newest failed call with the newest former one, `{test.other}` with another. There,
`{compare.next-pair}` and `{compare.previous-pair}` go to the other scenarios. `{test.find}` finds scenarios by name or
by what became of them. `{test.improve}` improves again from what still fails, `{test.again}` calls again.
`{test.also-passed}` calls what passed before, once all of these scenarios pass. `{test.end-calls}` ends running calls.
"""

    def __init__(self, state: AppState, number: int) -> None:
        super().__init__(state)
        self.number = number
        self.report: PromptTest | None = None
        self._seen: object = None
        """The states and counts of the test's jobs when the test was last loaded."""

    def body(self) -> ComposeResult:
        yield OneLine(id="test-headline")
        yield Static(id="test-heads")
        with Pane(title="Scenarios", id="test-pane"):
            yield ColumnHeader(self._headings, _GUTTER, id="test-header")
            yield TestLines(id="tests")
            yield Static(id="test-sum")
            yield Notice(id="test-notice")
        with Pane(title="Scenario", id="test-beside"), VerticalScroll(classes="padded", can_focus=False):
            yield Static(id="test-preview")
        yield FindTestLine(placeholder="Name of a scenario, or fixed, still failing, …", id="test-find", compact=True)

    def _headings(self, width: int) -> Iterator[Heading]:
        return (Heading(name, name, cells) for name, cells in columns(width, self.query_one(TestLines).side))

    def on_mount(self) -> None:
        self.query_one(FindTestLine).display = False
        self._draw()
        follow_jobs(self, self.state, self._follow)

    # Loading

    @property
    def job(self) -> Job | None:
        return self.state.job(self.number)

    @property
    def _jobs(self) -> list[Job]:
        """The jobs of the test in their order, as far as they are known."""
        if (job := self.job) is None:
            return [*self.report.jobs] if self.report else []
        test = job.parameters.get("test")
        return [one for one in reversed(self.state.jobs) if one.kind == job.kind and one.parameters.get("test") == test]

    def _follow(self) -> None:
        """Load the test again when its jobs have changed, and mark its ended jobs as read."""
        seen = [(job.number, job.state, counts_of(job)) for job in self._jobs]
        if seen != self._seen:
            self._seen = seen
            self.load()
        self._draw_headline()
        for job in self._jobs if self.is_active and self.app.app_focus else ():
            if job.unread:
                self.state.mark_read(job)

    @work(group="report", exclusive=True)
    async def load(self) -> None:
        try:
            self.report = await self.state.workspace.call(lambda session: session.tests.report(self.number))
        except CekuraTuiError as error:
            self.error = error
            if self.is_unmounted:
                return
            if error.exit_status == Exit.KEY_REFUSED:
                self.show_error(error)
            elif self.report is not None:
                self.notify_once(f"Can't reload the test. {error.sentence()}", warning=True)
        else:
            self.error = None
        if self.is_unmounted:
            return
        self._draw()
        if self.report is not None and not self.report.is_final and not any(job.state.active for job in self._jobs):
            self.set_timer(UNJUDGED_RELOAD, lambda: self.load() if self.is_active else None)

    # Drawing

    def _draw(self) -> None:
        report, listed = self.report, self.query_one(TestLines)
        self._draw_headline()
        heads = self.query_one("#test-heads", Static)
        heads.update(Content("\n").join(self._heads()))
        heads.display = report is not None
        shown = self._shown()
        if (
            side := max([_SIDE, *(len(of.words) for row in shown for of in (row.line.before, row.line.after))])
        ) != listed.side:
            listed.side = self.query_one(ColumnHeader).basis = side
            listed.redraw()
        listed.show_rows(shown)
        self.query_one("#test-sum", Static).update(self._sum())
        empty = (
            ("Loading the test …", "")
            if report is None
            else ("No scenario matches.", with_keys("{test.find} finds another"))
        )
        self.show_state(listed, loaded=bool(shown), error=self.error if report is None else None, empty=empty)
        for part in (self.query_one(ColumnHeader), self.query_one("#test-sum"), self.query_one("#test-beside")):
            part.display = bool(shown)
        self._draw_preview()
        self.refresh_bindings()

    def _shown(self) -> list[TestLine]:
        lines = self.report.comparison.lines if self.report else ()
        wanted = self.query_one(FindTestLine).value.strip().casefold()
        return [TestLine(n, line) for n, line in enumerate(lines) if wanted in f"{line.name} {line.became}".casefold()]

    def _draw_headline(self) -> None:
        report, jobs = self.report, self._jobs
        name = report.settings.name if report else f"Test of job {self.number}"
        parts = [clean_line(name, 80), self._progress(jobs)]
        if report is not None and report.is_final:
            parts.append(summary_words(report.comparison))
        first, *facts = filter(None, parts)
        head = Content.assemble((f" {first}", "bold"), *((f" · {fact}", "$muted") for fact in facts))
        self.query_one("#test-headline", OneLine).show(head)

    def _progress(self, jobs: Sequence[Job]) -> str:
        """How many calls ended while the test runs, or how its jobs ended unless they succeeded."""
        counts = [counts for job in jobs if (counts := counts_of(job)) is not None]
        total, ended = sum(one.total for one in counts), sum(one.ended for one in counts)
        if any(job.state.active for job in jobs):
            full = 10 * ended // total if total else 0
            return f"{ended} of {count(total, 'call')} ended {'▰' * full}{'▱' * (10 - full)}" if total else "starting"
        odd = {job.state.words for job in jobs if job.state != JobState.SUCCEEDED}
        return ", ".join(sorted(odd)) or (
            "" if self.report is None or self.report.is_final else "not all calls are judged yet"
        )

    def _heads(self) -> Iterator[Content]:
        if (report := self.report) is None:
            return
        settings, comparison = report.settings, report.comparison
        if report.is_final and comparison.unchanged and not settings.before:
            yield Content.styled("! No outcome changed: is the new prompt live?", "$warning")
        equal = comparison.version == "equal" and not settings.before
        if report.version:
            yield Content.styled(f"! {report.version}", "$warning") if equal else Content(report.version)
        yield Content.styled(
            live_words(settings.live, settings.provider),
            "$warning" if settings.live in ("anyway", "overwritten") else "",
        )
        for job in report.jobs:
            if job.error and job.state == JobState.FAILED:
                yield Content.styled(f"✗ Job {job.number}: {clean_line(job.error, 300)}", "$error")
        if report.window and not report.is_final:
            yield Content(f"Calls wait until {report.window} for the agent to dial.")
        if settings.job is not None:
            what = "Tests the prompt before the suggestion" if settings.before else "Tests the suggestion"
            yield Content(with_keys(f"{what} of job {settings.job} · {{test.suggestion}} opens it"))
        if self.all_pass:
            yield Content.styled(
                with_keys("All of them pass now · {test.also-passed} calls what passed before, too"), "$success"
            )

    def _sum(self) -> Content:
        """The calls that passed before and after, and each check whose pass rate changed."""
        if self.report is None:
            return Content("")
        comparison = self.report.comparison
        calls = (
            f"{comparison.before.words} → {comparison.after.words} calls passed"
            if comparison.compared
            else "nothing to compare yet"
        )
        scenarios = (
            f"{comparison.passing[0]} → {comparison.passing[1]} of {count(comparison.compared, 'scenario')} pass"
            if comparison.compared
            else ""
        )
        changes = (change.words for change in comparison.metrics if change.changed)
        return Content(" · ".join(filter(None, (f" Σ  {calls}", scenarios, *changes))))

    @on(TestLines.Moved)
    def _draw_preview(self) -> None:
        row = self.query_one(TestLines).cursor_row
        self.query_one("#test-beside", Pane).show_title(row.line.name if row else "Scenario")
        self.query_one("#test-preview", Static).update(Content("\n").join(_preview(row.line) if row else ()))

    # Keys

    @property
    def failing(self) -> tuple[int, ...]:
        return self.report.failing_runs if self.report else ()

    @property
    def calls_run(self) -> bool:
        return any(job.state == JobState.RUNNING for job in self._jobs)

    @property
    def all_pass(self) -> bool:
        lines = self.report.comparison.lines if self.report and self.report.is_final else ()
        return bool(lines) and all(line.after.passes for line in lines)

    def action_find(self) -> None:
        line = self.query_one(FindTestLine)
        line.display = True
        line.focus()

    @on(Input.Changed, "#test-find")
    def found(self) -> None:
        self._draw()

    def action_improve(self) -> None:
        self.improve(self.failing[:MAX_RUNS])

    def action_details(self) -> None:
        self.state.ask(OpenJobDetails(self.number))

    def action_refresh(self) -> None:
        self.load()

    def action_test_also_passed(self) -> None:
        self.action_test_again(also_passed=True)

    def action_test_again(self, *, also_passed: bool = False) -> None:
        if self.report is not None:
            former = tuple(number for line in self.report.comparison.lines for number in line.before.run_ids)
            settings = self.report.settings
            self.state.ask(TestRuns(former or settings.former, settings.job, settings.before, also_passed))

    def action_open_suggestion(self) -> None:
        number = self.report.settings.job if self.report else None
        if (job := self.state.job(number)) is not None:
            self.state.ask(OpenJob(job))
        else:
            self.notify_once(f"Job {number} is not on this machine any more.")

    def action_end_calls(self) -> None:
        jobs = [job.number for job in self._jobs if job.state == JobState.RUNNING]

        def end() -> None:
            self.app.run_worker(self._end_calls(jobs), group="end-calls")

        ConfirmDialog("End the calls?", "Calls that have not ended are cut off and do not count.", "End the calls").ask(
            self.app, end
        )

    async def _end_calls(self, jobs: Sequence[int]) -> None:
        try:
            for number in jobs:
                await self.state.workspace.call(lambda session, number=number: session.tests.end_calls(number))  # type: ignore[misc]
        except CekuraTuiError as error:
            self.notify_once(error.sentence(), warning=True)
        else:
            self.notify_once("Ending the calls.")

    def action_copy_or_save(self) -> None:
        pass

    # Comparing calls

    @on(TestLines.Opened)
    def compare(self) -> None:
        if (row := self.query_one(TestLines).cursor_row) is not None and self.is_current:
            pair = _pair(row.line)
            self._compare(*pair) if pair else self.notify_once("There is no call on both sides to compare.")

    def _compare(self, before: int, after: int) -> None:
        def opened(turn: object) -> None:
            if isinstance(turn, int):
                self.state.ask(OpenRun(before, turn))

        self.state.ask(CompareRuns(before, after, opened, self._neighbour))

    def _neighbour(self, step: int) -> tuple[int, int] | None:
        """Move the cursor to the next (1) or previous (-1) scenario with calls to compare; return the calls."""
        listed = self.query_one(TestLines)
        at = listed.cursor_index or 0
        for row in listed.rows[at + 1 :] if step > 0 else listed.rows[:at][::-1]:
            if (pair := _pair(row.line)) is not None:
                listed.move_to(row.number)
                return pair
        return None

    def action_choose_other(self) -> None:
        row = self.query_one(TestLines).cursor_row
        after = _newest(row.line.after, failed_first=True) if row else None
        calls = [(run.id, self._call_words(run)) for run in row.line.before.runs] if row else []
        if not calls or after is None:
            self.notify_once("There is no former call to compare with.")
            return

        def chosen(number: int | None) -> None:
            if number is not None:
                self._compare(number, after.id)

        self.app.push_screen(ChooseCallDialog(f"Compare call {after.id} with", calls), chosen)

    def _call_words(self, run: CalledRun) -> str:
        return f"{_call(run)} · {self.state.when(run.at)}{f' · {run.why}' if run.why else ''}"


def _newest(side: Side, *, failed_first: bool = False) -> CalledRun | None:
    """The newest call that counts, with `failed_first` the newest failed one if there is one; else the newest call."""
    return max(
        side.runs,
        key=lambda run: (failed_first and run.state == "failed", run.counts, run.at or 0.0, run.id),
        default=None,
    )


def _pair(line: ScenarioLine) -> tuple[int, int] | None:
    before, after = _newest(line.before), _newest(line.after, failed_first=True)
    return (before.id, after.id) if before is not None and after is not None else None


def _call(run: CalledRun) -> str:
    kind = {"absent": "error", "waiting": "running"}.get(run.state, run.state)
    return f"{MARKS[kind]} {run.id}"  # type: ignore[index] # a kind of outcome


def _preview(line: ScenarioLine) -> Iterator[Content]:
    mark, tone = _LOOKS[line.became]
    yield Content.assemble((f"{mark} ", f"bold {TONES[tone]}"), (line.sentence, "bold"))
    for change in line.checks:
        yield Content(f"• {change.words}")
    for name, side in (("before", line.before), ("after", line.after)):
        if side.runs:
            yield Content.styled(f"{name:7}{'  '.join(map(_call, side.runs))}", "$muted")
    for run in (*line.before.runs, *line.after.runs):
        if run.state == "absent":
            yield Content.styled(f"! {run.id} did not run: {run.why}", "$warning")
