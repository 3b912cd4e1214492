"""The page of a test: each scenario before and after the change of the prompt, also while the calls run."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar, get_args

from rich.segment import Segment
from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from cekura_tui.model.before_after import Became, CalledRun, ScenarioLine, Side, left_out_words, summary_words
from cekura_tui.model.column_fit import Cells, FitColumn, fit_columns
from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.job import MAX_RUNS, Job, JobState
from cekura_tui.model.run.outcome import MARKS
from cekura_tui.model.scenario_test import counts_of, live_words
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.copying import CopyDialog, Offer, write_lines
from cekura_tui.ui.kit.dialog import ConfirmDialog
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lines import TONE_CLASSES, TONES, Notice, StatusLine
from cekura_tui.ui.kit.lists import ColumnHeader, Heading
from cekura_tui.ui.kit.page import Page, error_action
from cekura_tui.ui.kit.palette import Command, Palette
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import CompareRuns, OpenJob, OpenJobDetails, OpenRun, TestRuns
from cekura_tui.ui.state import AppState, follow_jobs
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.scenario_tests import PromptTest

_LOOKS = dict(
    zip(get_args(Became), ["✓good", "↑good", "?warn", "✗bad", "✗bad", "↓bad", "✓dim", "≠warn", "–dim"], strict=True)
)
"""The mark of what became of a scenario, followed by the mark's tone."""
_GUTTER = 3
UNJUDGED_RELOAD = 5.0
"""Seconds after which a test is loaded again whose calls have ended, but are not all judged."""


def columns(width: int) -> Cells:
    fits = (
        FitColumn("scenario", 16, ((1, 22), (4, 40))),
        FitColumn("before", 6, ((5, 21),)),
        FitColumn("after", 6, ((2, 21),)),
        FitColumn("result", len("not comparable")),
        FitColumn("checks that changed", 18, ((3, 36), (6, 1_000)), drop_order=1),
    )
    return fit_columns(fits, width - _GUTTER)


class TestLines(VirtualList[tuple[int, ScenarioLine]]):
    """The scenarios of a test with their numbers."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (Action("test-lines.open", "enter", "open", "Compare calls", footer=1),)
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    numbered = True

    def key_of(self, row: tuple[int, ScenarioLine]) -> int:
        return row[0]

    def lines_of(self, row: tuple[int, ScenarioLine], width: int, state: RowState) -> Sequence[Line]:
        line = row[1]
        mark, ink, dim = _LOOKS[line.became][0], _LOOKS[line.became][1:], self.style_of("tone--dim")
        ink = self.style_of(f"tone--{ink}")
        texts = (line.name, line.before.words, line.after.words, line.became, line.detail)
        styled = zip(texts, (None, dim, None, ink, dim), columns(width), strict=False)
        return [[Segment(f" {mark} ", ink), *(Segment(f"{fit(text, cells)} ", of) for text, of, (_, cells) in styled)]]


class FindTestLine(TypedLine):
    """The input for a text to filter the scenarios by; hidden while it is empty and not in use."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("find-test-line.apply", "enter", lambda line: line.leave(line.value), "Apply", footer=1),
        Action("find-test-line.clear-filter", "escape", lambda line: line.leave(""), "Show all", footer=2),
    )

    def leave(self, value: str) -> None:
        self.value, self.display = value, bool(value)
        self.screen.query_one(TestLines).focus()


_ACTIONS = (
    ("also-passed", "plus", "test_again(True)", "Test what passed", "Also call the scenarios that passed before"),
    ("improve", "i", "improve", "Improve", "Improve the prompt from the calls that still fail"),
    ("other", "equals_sign", "choose_other", "Compare with", "Compare the new call with another former one"),
    ("again", "T", "test_again", "Test again", "Call the scenarios again"),
    ("end-calls", "H", "end_calls", "Hang up", "End the calls that have not ended"),
    ("copy", "y", "copy_or_save", "Copy or save", "The comparison as Markdown or JSON"),
    ("suggestion", "I", "open_suggestion", "Suggestion", "The suggestion that is tested"),
    ("find", "slash", "find", "Find", "Find scenarios by name, or by what became of them"),
)


def _why_not(screen: BeforeAfterScreen, name: str) -> str | None:
    if (report := screen.report) is None:
        return NOT_OFFERED
    possible = {"improve": report.failing_runs, "also-passed": _all_pass(report), "suggestion": report.settings.job}
    return None if (screen.running_jobs if name == "end-calls" else possible.get(name, True)) else NOT_OFFERED


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
        Action("test.details", "d", lambda page: page.state.ask(OpenJobDetails(page.number)), "Details"),
        Action("test.refresh", "r", lambda page: page.load(fresh=True), "Reload"),
        Action("test.back", "escape", "leave", "Back", footer=10),
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
        yield StatusLine(id="test-headline")
        yield Static(id="test-heads")
        with Pane(title="Scenarios", id="test-pane"):
            yield ColumnHeader(
                lambda width: (Heading(name, name, to) for name, to in columns(width)), _GUTTER, id="names"
            )
            yield TestLines(id="tests")
            yield Static(id="test-sum")
            yield Notice(id="test-notice")
        with Pane(title="Scenario", id="test-beside"), VerticalScroll(classes="padded", can_focus=False):
            yield Static(id="test-preview")
        yield FindTestLine(placeholder="Name of a scenario, or fixed, still failing, …", id="test-find", compact=True)

    def on_mount(self) -> None:
        self.query_one(FindTestLine).display = False
        self._draw()
        follow_jobs(self, self.state, self._follow)

    def on_screen_resume(self) -> None:
        if self.report is not None and not self.report.is_final:
            self.load()

    # Loading

    @property
    def job(self) -> Job | None:
        return self.state.job(self.number)

    @property
    def _jobs(self) -> list[Job]:
        """The jobs of the test, newest first, as far as they are known."""
        test = self.job.parameters.get("test") if self.job is not None else None
        return [job for job in self.state.jobs if test is not None and job.parameters.get("test") == test]

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
    async def load(self, *, fresh: bool = False) -> None:
        self.error = None
        try:
            call = self.state.workspace.call
            self.report = await call(lambda session: session.tests.report(self.number, fresh=fresh))
        except CekuraTuiError as error:
            self.error = error
        if self.is_unmounted:
            return
        if self.error is not None and self.error.exit_status == Exit.KEY_REFUSED:
            self.show_error(self.error)
        elif self.error is not None and self.report is not None:
            self.notify_once(f"Can't reload the test. {self.error.sentence()}", warning=True)
        self._draw()
        lines = self.report.comparison.lines if self.report else ()
        if any(line.after.waiting for line in lines) and all(job.state.final for job in self._jobs):
            self.set_timer(UNJUDGED_RELOAD, lambda: self.load() if self.is_active else None)

    # Drawing

    def _draw(self) -> None:
        report, listed = self.report, self.query_one(TestLines)
        lines, wanted = report.comparison.lines if report else (), self.query_one(FindTestLine).value.strip().casefold()
        rows = [(n, line) for n, line in enumerate(lines) if wanted in f"{line.name} {line.became}".casefold()]
        listed.show_rows(rows)
        self._draw_headline()
        if report is not None:
            self.query_one("#test-heads", Static).update(Content("\n").join(_heads(report, self.state.when)))
            self.query_one("#test-sum", Static).update(_sum(report))
        empty = (
            ("No scenario matches.", with_keys("{test.find} finds another")) if lines else ("Loading the test …", "")
        )
        self.show_state(listed, loaded=bool(rows), error=self.error if report is None else None, empty=empty)
        for part in ("#names", "#test-sum", "#test-beside"):
            self.query_one(part).display = bool(rows)
        self._draw_preview()
        self.refresh_bindings()

    def _draw_headline(self) -> None:
        """Draw the name of the test, and how many calls ended, or what became of the scenarios."""
        report, jobs = self.report, self._jobs
        counts = [counts for job in jobs if (counts := counts_of(job)) is not None]
        total, ended = sum(one.total for one in counts), sum(one.ended for one in counts)
        facts = sorted({job.state.words for job in jobs if job.state != JobState.SUCCEEDED})
        if report is not None:  # runs may have ended since the last poll
            ended = max(ended, sum(run.state != "waiting" for one in report.comparison.lines for run in one.after.runs))
        if any(job.state.active for job in jobs) and total:
            full = 10 * ended // total
            facts = [f"{ended} of {count(total, 'call')} ended {'▰' * full}{'▱' * (10 - full)}"]
        elif report is not None and report.is_final:
            facts.append(summary_words(report.comparison))
        status = self.query_one(StatusLine)
        status.left = (report.settings.name if report else f"Test of job {self.number}",)
        status.right = tuple(facts)

    @on(TestLines.Moved)
    def _draw_preview(self) -> None:
        line = self._line
        self.query_one("#test-beside", Pane).show_title(line.name if line else "Scenario")
        self.query_one("#test-preview", Static).update(Content("\n").join(_preview(line) if line else ()))

    # Keys

    @property
    def _line(self) -> ScenarioLine | None:
        row = self.query_one(TestLines).cursor_row
        return row[1] if row else None

    @property
    def running_jobs(self) -> list[int]:
        """Numbers of the test's jobs whose calls may not have ended."""
        return [job.number for job in self._jobs if job.state in (JobState.RUNNING, JobState.STOPPED)]

    @property
    def _loaded(self) -> PromptTest:
        assert self.report is not None, "the actions are hidden before"
        return self.report

    def action_leave(self) -> None:
        """End the filter, or else leave the page."""
        line = self.query_one(FindTestLine)
        line.leave("") if line.value else self.app.pop_screen()

    def action_find(self) -> None:
        line = self.query_one(FindTestLine)
        line.display = True
        line.focus()

    @on(Input.Changed, "#test-find")
    def found(self) -> None:
        self._draw()

    def action_improve(self) -> None:
        self.improve(self._loaded.failing_runs[:MAX_RUNS])

    def action_test_again(self, also_passed: bool = False) -> None:
        former = tuple(number for line in self._loaded.comparison.lines for number in line.before.run_ids)
        settings = self._loaded.settings
        suggestion = self.state.job(settings.job)
        before = settings.before and not (suggestion is not None and suggestion.on_agent)
        self.state.ask(TestRuns(former or settings.former, settings.job, before, also_passed))

    def action_open_suggestion(self) -> None:
        number = self._loaded.settings.job
        if (job := self.state.job(number)) is not None:
            self.state.ask(OpenJob(job))
        else:
            self.notify_once(f"Job {number} is not on this machine any more.")

    def action_end_calls(self) -> None:
        text = "Calls that have not ended are cut off, and do not count."
        question = ConfirmDialog("End the calls?", text, "End the calls")
        question.ask(self.app, lambda: self.app.run_worker(self._end_calls(), group="end-calls"))

    async def _end_calls(self) -> None:
        jobs = self.running_jobs
        try:
            await self.state.workspace.call(lambda session: asyncio.gather(*map(session.tests.end_calls, jobs)))
        except CekuraTuiError as error:
            self.notify_once(error.sentence(), warning=True)

    @work(group="copy", exclusive=True)
    async def action_copy_or_save(self) -> None:
        report, dashboard = self._loaded, self.state.workspace.setup.settings.dashboard_url
        markdown = await self.state.workspace.call(lambda session: session.tests.markdown(report, dashboard))
        texts = {"Markdown": ("md", markdown), "JSON": ("json", json.dumps(report.to_json(), indent=2))}
        offers = [Offer(f"comparison as {form}", partial(str, text)) for form, (_, text) in texts.items()]
        for form, (end, text) in texts.items():
            do = partial(CopyDialog.save, what="the comparison", name=f"test-{self.number}.{end}")
            do = partial(do, write=partial(write_lines, text))
            offers.append(Offer(f"save the comparison as {form} to a file …", partial(str, text), do=do))
        self.app.push_screen(CopyDialog(f"the test of job {self.number}", offers), self.notify_once)

    # Comparing calls

    @on(TestLines.Opened)
    def compare(self) -> None:
        if (line := self._line) is not None and self.is_current:
            pair = _pair(line)
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
        for number, line in listed.rows[at + 1 :] if step > 0 else listed.rows[:at][::-1]:
            if (pair := _pair(line)) is not None:
                listed.move_to(number)
                return pair
        return None

    def action_choose_other(self) -> None:
        pair = _pair(self._line) if self._line else None
        if self._line is None or pair is None:
            self.notify_once("There is no former call to compare with.")
            return

        async def compare(before: int) -> None:
            self._compare(before, pair[1])

        calls = [
            Command(_call(run), self.state.when(run.at), partial(compare, run.id)) for run in self._line.before.runs
        ]
        self.app.push_screen(Palette(calls, f"Compare call {pair[1]} with", "compare"))


def _all_pass(report: PromptTest) -> bool:
    both = report.comparison
    return report.is_final and both.compared > 0 and all(line.after.passes for line in both.lines)


def _newest(side: Side, *, failed_first: bool = False) -> CalledRun | None:
    """The newest call that counts, with `failed_first` the newest failed one if there is one; else the newest call."""

    def rank(run: CalledRun) -> tuple[bool, bool, float, int]:
        return failed_first and run.state == "failed", run.counts, run.at or 0.0, run.id

    return max(side.runs, key=rank, default=None)


def _pair(line: ScenarioLine) -> tuple[int, int] | None:
    before, after = _newest(line.before), _newest(line.after, failed_first=True)
    return (before.id, after.id) if before is not None and after is not None else None


def _call(run: CalledRun) -> str:
    kind = {"absent": "error", "waiting": "running"}.get(run.state, run.state)
    return f"{MARKS[kind]} {run.id}"  # type: ignore[index] # a kind of outcome


def _heads(report: PromptTest, when: Callable[[float | None], str]) -> Iterator[Content]:
    """Sentences about the prompt that was tested; warnings first."""
    settings, comparison = report.settings, report.comparison
    same = comparison.version == "equal" and not settings.before
    if report.is_final and comparison.unchanged and not (same or settings.before):
        yield Content.styled("! No outcome changed: is the new prompt live?", "$warning")
    doubted = settings.live in ("anyway", "overwritten")
    for text, warns in ((report.version, same), (live_words(settings.live, settings.provider), doubted)):
        if text:
            yield Content.styled(f"! {text}", "$warning") if warns else Content(text)
    for job in report.jobs:
        if job.error:
            yield Content.styled(f"✗ Job {job.number}: {clean_line(job.error, 300)}", "$error")
    if report.window is not None and report.window > report.got_at:
        yield Content(f"Calls wait until {when(report.window)} for the agent to dial.")
    if settings.job is not None:
        what = "Tests the prompt before the suggestion" if settings.before else "Tests the suggestion"
        yield Content(with_keys(f"{what} of job {settings.job} · {{test.suggestion}} opens it"))
    if comparison.left_out:
        yield Content.styled(left_out_words(comparison), "$muted")
    if _all_pass(report):
        yield Content.styled(with_keys("All pass now · {test.also-passed} calls what passed before, too"), "$success")


def _sum(report: PromptTest) -> Content:
    """The calls that passed before and after, and each check whose pass rate changed."""
    both = report.comparison
    parts = ["nothing to compare yet"]
    if both.compared:
        passing = f"scenarios passing: {both.passing[0]} → {both.passing[1]} of {both.compared}"
        parts = [f"calls passed: {both.before.words} → {both.after.words}", passing]
    return Content("Σ " + " · ".join([*parts, *(change.words for change in both.metrics if change.changed)]))


def _preview(line: ScenarioLine) -> Iterator[Content]:
    look = _LOOKS[line.became]
    yield Content.assemble((f"{look[0]} ", f"bold {TONES[look[1:]]}"), (line.sentence, "bold"))
    yield from (Content(f"• {change.words}") for change in line.checks)
    runs = [run for run in line.after.runs if run.counts]
    failing = Counter(name for run in runs for name, state in run.checks if state == "fail")
    changed = {change.name for change in line.checks}
    for name in (name for name in failing if name not in changed):
        yield Content(f"• {name} still fails: in {failing[name]} of {len(runs)} calls")
    for name, side in (("before", line.before), ("after", line.after)):
        yield Content.styled(f"{name:7}{'  '.join(map(_call, side.runs)) or 'no calls'}", "$muted")
    for run in (*line.before.runs, *line.after.runs):
        if run.state == "absent":
            yield Content.styled(f"! {run.id} did not run: {run.why}", "$warning")
