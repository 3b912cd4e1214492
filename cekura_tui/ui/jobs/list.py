"""The list of jobs, grouped by state, in columns that fit the width; and the pane with this list under the run list."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual import on
from textual.app import ComposeResult

from cekura_tui.model.column_fit import Cells, FitColumn, fit_columns
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.jobs.words import elapsed, progress_bar, result_line
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import CHIP_CLASSES, JOB_MARKS, TONE_CLASSES, UNREAD, state_class
from cekura_tui.ui.kit.lists import Heading, short_moment
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.strips import Line, RowState, wrap
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import OpenJob
from cekura_tui.ui.state import AppState, follow_jobs
from cekura_tui.ui.terminal.cells import fit

_GROUPS: tuple[tuple[JobState, ...], ...] = (
    (JobState.LAUNCHING, JobState.RUNNING),
    (JobState.UNCONFIRMED, JobState.LOST),
    (JobState.STOPPED,),
)
"""Order of the groups in the list: running jobs, jobs that need a decision, stopped jobs. All finished jobs follow."""
_RANK = {state: rank for rank, states in enumerate(_GROUPS) for state in states}
MARGIN = 3
"""Number of cells before the first column: a blank, the mark of an unread job, a blank."""
_RUNS, _ALL_RUNS = len("900238 +2"), len("900238 900237 900236")
_SHORT_WHEN = len("Mon 14:05")
_MAX_AGENT, _MIN_AGENT = 24, 8
_MIN_RESULT, _RESULT = 10, 24
"""Minimum width of the result column, and width of the result column before the agent column grows, in cells."""

_SQUEEZED = 40
"""Width of the result column, in cells, below which its further lines use the width of other columns, too."""


class JobRow(NamedTuple):
    """The visible values of a job. Rows are compared to find what to redraw."""

    number: int
    state: JobState
    unread: bool
    runs: tuple[int, ...]
    agent: str
    took: str
    when: str
    bar: str
    result: str


def job_row(job: Job, app_state: AppState) -> JobRow:
    return JobRow(
        job.number,
        job.state,
        job.unread,
        job.run_ids,
        clean_line(job.agent_name, 60),
        elapsed(job, app_state),
        app_state.when(job.ended_at),
        progress_bar(job, app_state),
        result_line(job, app_state),
    )


def sorted_by_state(jobs: Iterable[Job]) -> list[Job]:
    """Sort the jobs by group of states, and within a group from newest to oldest."""
    return sorted(jobs, key=lambda job: (_RANK.get(job.state, len(_GROUPS)), -(job.finished_at or 0.0), -job.number))


class ColumnSizes(NamedTuple):
    """Number of cells that each column needs for some rows, and at least for its heading."""

    state: int = len("✓ succeeded") + 2
    number: int = len("job")
    runs: int = len("900238")
    agent: int = len("agent")
    took: int = len("elapsed")
    when: int = len("ended")
    day: int = len("ended")
    """Number of cells of the column "ended" in a narrow list, where old dates lose their time of day."""


def column_sizes(rows: Iterable[JobRow]) -> ColumnSizes:
    least = ColumnSizes()
    state, number, runs, agent, took, when, day = least
    for row in rows:
        state = max(state, len(row.state.words) + 4)
        number, runs = max(number, len(str(row.number))), max(runs, len(" ".join(map(str, row.runs))))
        agent, took, when = max(agent, len(row.agent)), max(took, len(row.took)), max(when, len(row.when))
        day = max(day, len(short_moment(row.when, _SHORT_WHEN)))
    return ColumnSizes(state, number, min(runs, _ALL_RUNS), min(agent, _MAX_AGENT), took, when, day)


def columns(width: int, sizes: ColumnSizes) -> Cells:
    runs, when = (_ALL_RUNS, sizes.when) if width >= 90 else (_RUNS, sizes.day)
    fits = (
        FitColumn("state", sizes.state),
        FitColumn("job", sizes.number),
        FitColumn("runs", min(sizes.runs, runs)),
        FitColumn("agent", min(sizes.agent, _MIN_AGENT), ((2, sizes.agent),), drop_order=1),
        FitColumn("elapsed", sizes.took),
        FitColumn("ended", when),
        FitColumn("result", _MIN_RESULT, ((1, _RESULT), (3, 1_000))),
    )
    return fit_columns(fits, width - MARGIN)


def headings(width: int, sizes: ColumnSizes) -> Iterator[Heading]:
    return (Heading(name, name, cells, name in _RIGHT_ALIGNED, "") for name, cells in columns(width, sizes))


_RIGHT_ALIGNED = ("job", "elapsed")


class JobList(VirtualList[JobRow]):
    PLACE = "In the list of runs"  # the pane below it
    ACTIONS: ClassVar[tuple[Action, ...]] = (Action("job-list.open", "enter", "open", "Open", footer=1),)
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES | CHIP_CLASSES
    row_height = None
    numbered = True
    sizes = ColumnSizes()
    _updating = False
    _user_position = (0, 0)
    """The first visible line and the cursor's row after the user last moved; updates of the list leave it as it is."""
    _row_cache: Mapping[int, tuple[object, JobRow]] = {}
    """Rows of finished jobs by job number, each with the values from which the row was built."""

    def key_of(self, row: JobRow) -> Hashable:
        return row.number

    def lines_of(self, row: JobRow, width: int, state: RowState) -> Sequence[Line]:
        dim = self.style_of("tone--dim")
        texts = {"job": str(row.number), "agent": row.agent, "elapsed": row.took, "ended": row.when}
        texts["runs"] = " ".join(map(str, row.runs))
        line = [Segment(" "), Segment(f"{UNREAD if row.unread else ' '} ", self.style_of("tone--accent"))]
        more: list[Line] = []
        for name, cells in columns(width, self.sizes):
            if name == "state":
                chip = fit(f" {JOB_MARKS[row.state]} {row.state.words}", cells)
                line += [Segment(chip, self.style_of(state_class(row.state))), Segment(" ")]
            elif name == "result":
                bar = f"{row.bar} " if row.bar else ""
                is_short = bool(bar) and cell_len(bar + row.result) > cells
                result = _abbreviate(row.result) if is_short else row.result
                room = cells - len(bar)
                last = min(max(self._laid_out.height // max(len(self.rows), 1), 1), 3) - 1  # all jobs have room
                first, *others = wrap(result, room) if last else [result]
                before = sum(cell_len(text) for text, _, _ in line) + len(bar)
                if room < _SQUEEZED and others:  # further lines begin below the job's number
                    before = MARGIN + self.sizes.state + 1
                    others = wrap(result[len(first) :].lstrip(), width - before - 1)
                others[last - 1 :] = [" ".join(others[last - 1 :])] if others[last - 1 :] else []
                first, *others = (text.removesuffix(" ·") for text in (first, *others))
                line += [
                    Segment(fit(bar, min(len(bar), cells)), self.style_of("tone--busy")),
                    Segment(fit(first, room), dim),
                ]
                more = [[Segment(f"{' ' * before}{fit(other, width - before - 1)}", dim)] for other in others]
            else:
                text = short_moment(texts[name], cells) if name == "ended" else texts[name]
                if name == "runs" and len(text) > cells:
                    text = f"{row.runs[0]} +{len(row.runs) - 1}"
                ink = None if name in ("job", "agent") else dim
                line.append(Segment(f"{fit(text, cells, right=name in _RIGHT_ALIGNED)} ", ink))
        return [[*line, Segment(" ")], *more]

    def _lay_out(self) -> None:
        self._renderer.clear()
        super()._lay_out()

    def show_jobs(self, jobs: Sequence[Job], app_state: AppState, *, newest: bool = False) -> None:
        """Show these jobs. The cursor's row stays on its line of the screen. With `newest`, a list that the user left
        at the top stays at the top and shows new jobs."""
        self._updating = True
        rows = self._rows_of(sorted_by_state(jobs), app_state)
        sizes = column_sizes(rows)
        if sizes != self.sizes:
            self.sizes = sizes
            self.redraw()
        line = self.cursor_line
        if len(rows) != len(self.rows):  # results get more or fewer lines
            self._renderer.clear()
            self.refresh()
        self.show_rows(rows, reset=newest and max(self._user_position) <= 0)
        if line is not None and self.cursor_index is not None and self.cursor_line != line and not newest:
            self.viewport.hold(self.cursor_index, 0, line)
            self.repaint_changes()
        self._updating = False

    @property
    def cursor_line(self) -> int | None:
        """The line of the screen on which the cursor is; None if the cursor is scrolled out of view."""
        return next((line for line, (index, _) in enumerate(self._shown) if index == self._cursor), None)

    def show_top(self) -> None:
        """Scroll up to new jobs, if the user left the list at the top and the cursor stays visible."""
        if self._user_position[0] == 0 and self.cursor_index is not None and self.cursor_index < self.viewport.height:
            self.viewport.place(0, 0)
            self.repaint_changes()

    def report_position(self) -> None:
        super().report_position()
        if not self._updating:
            self._user_position = self.viewport.y, self._cursor

    def _rows_of(self, jobs: Iterable[Job], app_state: AppState) -> list[JobRow]:
        """Build the rows of jobs. Reuse rows of finished jobs, because comparing a job is faster than building rows."""
        rows, row_cache = [], dict[int, tuple[object, JobRow]]()
        now = int(app_state.clock() // 900)  # "14:05" becomes "Mon 14:05" on the next day
        for job in jobs:
            basis = (job, app_state.relaunch_of(job.number), now)
            cached = self._row_cache.get(job.number)
            row = cached[1] if cached is not None and cached[0] == basis else job_row(job, app_state)
            if not job.state.active:
                row_cache[job.number] = basis, row
            rows.append(row)
        self._row_cache = row_cache
        return rows


def _abbreviate(result: str) -> str:
    """Shorten a result for a narrow column: "about 40 s left" becomes "~40 s"."""
    result = result.replace("about ", "~").replace("less than a minute", "<1 min").replace(" left", "")
    return result.replace("longer than usual", "late")


_MAX_LINES = 4
"""Maximum number of lines of the list in the pane."""


class JobsPane(Pane):
    """The list of jobs under the run list, one line per job. At most `_MAX_LINES` lines are visible at a time."""

    def __init__(self, app_state: AppState) -> None:
        super().__init__(title="Jobs", id="jobs-pane")
        self._state = app_state
        self.set_class(not app_state.jobs, "-empty")

    def compose(self) -> ComposeResult:
        yield JobList(id="pane-jobs")

    def on_mount(self) -> None:
        follow_jobs(self, self._state, self.show)

    @on(JobList.Opened)
    def opened(self, event: JobList.Opened) -> None:
        event.stop()
        if (job := self._state.job(event.key)) is not None:
            self._state.ask(OpenJob(job))

    def show(self) -> None:
        jobs = self._state.jobs
        self.show_title("Jobs", *pane_facts(self._state, with_last=self.screen.has_class("-short")))
        listed = self.query_one(JobList)
        listed.show_jobs(jobs, self._state, newest=not listed.has_focus)
        listed.styles.height = min(len(jobs), _MAX_LINES)
        self.set_class(not jobs, "-empty")

    def on_resize(self) -> None:
        self.show()


def pane_facts(app_state: AppState, *, with_last: bool) -> list[str]:
    """How many jobs are new and running, for the pane's title; `with_last` adds how the last job ended."""
    if not app_state.jobs:
        return ["none yet", with_keys("{runs.improve} on a failed run launches one")]
    new, running = sum(job.unread for job in app_state.jobs), sum(job.state.active for job in app_state.jobs)
    facts = [*([f"{new:,} new"] if new else []), *([f"{running:,} running"] if running else [])]
    ended = [job for job in app_state.jobs if not job.state.active]
    if with_last and ended:
        last = max(ended, key=lambda job: job.finished_at or job.launched_at or 0.0)
        result = result_line(last, app_state)
        facts.append(f"job {last.number} {JOB_MARKS[last.state]} {last.state.words}{f': {result}' if result else ''}")
    return facts
