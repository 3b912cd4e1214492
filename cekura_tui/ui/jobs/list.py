"""Jobs as lines, by state, with runs, agent, duration and last word; and the pane of them under the list of runs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import count
from cekura_tui.ui.actions import Action, bindings
from cekura_tui.ui.jobs.words import elapsed, last_word
from cekura_tui.ui.kit.lines import JOB_MARKS, JOB_TONES, TONE_CLASSES, TONE_CSS, UNREAD
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import OpenJob
from cekura_tui.ui.state import AppState, follow
from cekura_tui.ui.terminal.cells import fit

_GROUPS: tuple[tuple[JobState, ...], ...] = (
    (JobState.LAUNCHING, JobState.RUNNING),
    (JobState.UNCONFIRMED, JobState.LOST),
    (JobState.STOPPED,),
)
"""What goes on, then what somebody has to decide about, then what rests; what has ended is last."""
_CACHED = 900.0
"""Seconds after which a row is made again: a time of today becomes one of yesterday, and so on."""
_A_MINUTE = len("1 min")
"""Cells that a job's age is given at least, so that the columns do not move as it goes through its first minutes."""
_PLACES = {state: place for place, states in enumerate(_GROUPS) for state in states}


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as it is drawn: nothing is in it that is not seen, so that only what changed on screen is redrawn."""

    number: int
    state: JobState
    unread: bool
    runs: tuple[int, ...]
    agent: str
    took: str
    when: str
    word: str


def job_row(job: Job, app_state: AppState) -> JobRow:
    """A job as it is listed now; only the elapsed time of one that goes on, and what is left, change by themselves."""
    when, took = app_state.when(job.ended_at or job.launched_at), elapsed(job, app_state)
    return JobRow(job.number, job.state, job.unread, job.run_ids, job.agent_name, took, when, last_word(job, app_state))


def by_state(jobs: Iterable[Job]) -> list[Job]:
    """Jobs in the order of the list: by group, the newest of each first."""

    def place(job: Job) -> tuple[int, float, int]:
        return _PLACES.get(job.state, len(_GROUPS)), -(job.finished_at or 0.0), -job.number

    return sorted(jobs, key=place)


class JobList(VirtualList[JobRow]):
    """Jobs, by number."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("job-list.open", "enter", "open", "Open", footer=1, key_display="enter"),
    )
    BINDINGS = bindings(ACTIONS)
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    DEFAULT_CSS = f"JobList {{ {TONE_CSS} }}"
    _sizes = (0, 0)
    """Cells that the longest duration and the longest time take."""
    _arriving = False
    _left_at = (0, 0)
    """The first line on screen and the cursor's row, as a person left them: jobs that come do not count."""
    _made: Mapping[int, tuple[object, JobRow]] = {}
    """The rows of jobs that rest, by number, each with all that it was made of."""

    def key_of(self, row: JobRow) -> Hashable:
        """The job's number."""
        return row.number

    def lines_of(self, row: JobRow, width: int, state: RowState) -> Sequence[Line]:
        """One line."""
        tone = self.style_of(f"tone--{JOB_TONES.get(row.state, 'dim')}")
        dim = self.style_of("tone--dim")
        wide = width >= 100
        cells: list[tuple[str, int, bool]] = [
            (f"{JOB_MARKS[row.state]} {row.state.words}", 13, True),
            (f"job {row.number}", 8, False),
            (_runs_text(row.runs, wide), 21 if wide else 11, False),
        ]
        if width >= 90:
            cells.append((row.agent, 22, False))
        took, when = self._sizes
        cells += [(row.took, took, False), (row.when, when, False)]
        line = [Segment(f"{UNREAD} ", self.style_of("tone--strong")) if row.unread else Segment("  ", tone)]
        for text, size, coloured in cells:
            line.append(Segment(f"{fit(text, size)} ", tone if coloured else None))
        rest = width - sum(size + 1 for _, size, _ in cells) - 2
        return [[*line, Segment(fit(row.word, rest), dim)]]

    def show_jobs(self, jobs: Sequence[Job], app_state: AppState, *, newest: bool = False) -> None:
        """Show these jobs; the row under the cursor keeps its line of the screen, wherever its state puts it.

        With `newest` a list that nobody has moved in shows its first rows all the time.
        """
        self._arriving = True
        rows = self._rows_of(by_state(jobs), app_state)
        took = max((len(row.took) for row in rows), default=0)
        sizes = max(took, _A_MINUTE if took else 0), max((len(row.when) for row in rows), default=0)
        if sizes != self._sizes:
            self._sizes = sizes
            self.redraw()
        line = self.cursor_line
        self.show_rows(rows, reset=newest and max(self._left_at) <= 0)
        if line is not None and self.cursor_index is not None and self.cursor_line != line and not newest:
            self._place(self.cursor_index - line)
        self._arriving = False

    @property
    def cursor_line(self) -> int | None:
        """The line of the screen that the cursor is on, or None where it is scrolled out."""
        return next((line for line, (index, _) in enumerate(self._shown) if index == self._cursor), None)

    def show_top(self) -> None:
        """Show what came above the first row, if that was where one left the list, and the cursor is seen with it."""
        if self._left_at[0] == 0 and self.cursor_index is not None and self.cursor_index < self.viewport.height:
            self._place(0)

    def _place(self, index: int) -> None:
        before = self.drawn_lines()
        self.viewport.place(index, 0)
        self.repaint_changes(before)

    def report_position(self) -> None:
        super().report_position()
        if not self._arriving:
            self._left_at = self.viewport.y, self._cursor

    def _rows_of(self, jobs: Iterable[Job], app_state: AppState) -> list[JobRow]:
        """Making a row takes longer than a look at its job, and of two thousand jobs most rest."""
        rows, made = [], dict[int, tuple[object, JobRow]]()
        now = int(app_state.clock() // _CACHED)
        for job in jobs:
            basis = (job, app_state.relaunch_of(job.number), now)
            cached = self._made.get(job.number)
            row = cached[1] if cached is not None and cached[0] == basis else job_row(job, app_state)
            if not job.state.going:
                made[job.number] = basis, row
            rows.append(row)
        self._made = made
        return rows


def _runs_text(runs: Sequence[int], wide: bool) -> str:
    """All runs where there is room, else the first and how many more."""
    text = " ".join(map(str, runs))
    return text if wide or len(text) <= 11 else f"{runs[0]} +{len(runs) - 1}"


class JobsPane(Vertical):
    """Follows the app_state; its list may be focused and opened from."""

    def __init__(self, app_state: AppState) -> None:
        super().__init__(id="jobs-pane")
        self._state = app_state

    def compose(self) -> ComposeResult:
        """A headline and the list."""
        yield Static(id="jobs-line")
        yield JobList(id="pane-jobs")

    def on_mount(self) -> None:
        """Show the jobs now and whenever they change; running ones show their time."""
        follow(self, self._state, self.show)

    @on(JobList.Opened)
    def opened(self, event: JobList.Opened) -> None:
        """Enter on a job."""
        event.stop()
        if (job := self._state.job(event.key)) is not None:
            self._state.ask(OpenJob(job))

    def show(self) -> None:
        """Draw the jobs as they are on the app_state."""
        jobs = self._state.jobs
        line, headline = self.query_one("#jobs-line", Static), _headline(self._state)
        if line.content != headline:
            line.update(headline)
        listed = self.query_one(JobList)
        listed.show_jobs(jobs, self._state, newest=not listed.has_focus)
        self.set_class(not jobs, "-empty")


def _headline(app_state: AppState) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    text.append("Jobs ", style="bold")
    if not app_state.jobs:
        return text.append("none yet: i on a failed run launches one", style="dim")
    new = sum(job.unread for job in app_state.jobs)
    going = sum(job.state.going for job in app_state.jobs)
    ended = [job for job in app_state.jobs if not job.state.going]
    if new:
        text.append(f"{UNREAD} {new:,} new", style="bold").append(" · ")
    parts = [count(going, "running", "running")] if going else []
    if ended:
        last = max(ended, key=lambda job: job.finished_at or job.launched_at or 0.0)
        words = last_word(last, app_state)
        parts.append(f"job {last.number} {JOB_MARKS[last.state]} {last.state.words}" + (f": {words}" if words else ""))
    return text.append(" · ".join(parts))
