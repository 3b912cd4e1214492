"""Jobs as lines: state, runs, agent, how long, last answer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType

from cekura_tui.model.job import Job
from cekura_tui.model.text import clean_line
from cekura_tui.model.times import span_text
from cekura_tui.ui.board import Board
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import JOB_MARKS, JOB_TONES, TONE_CLASSES, TONE_CSS
from cekura_tui.ui.widgets.virtual_list import VirtualList


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job and its times in words."""

    job: Job
    when: str
    took: str


def job_row(job: Job, board: Board) -> JobRow:
    """A job as it is listed now; only the elapsed time of one that runs changes by itself."""
    start = job.launched_at
    end = job.finished_at or (board.clock() if job.state.going else None)
    took = span_text(end - start, live=job.state.going) if start is not None and end is not None else ""
    return JobRow(job, board.when(job.finished_at or start), took)


def last_word(job: Job) -> str:
    """The last that was heard of a job, as one line."""
    if job.state.going and job.stale_since is not None:
        return "no answer at the moment, asked again"
    return clean_line(job.error or job.reason or job.summary_of_changes or job.last_status or "", 200)


class JobList(VirtualList[JobRow]):
    """Jobs, by number."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open", key_display="enter", id="job-list.open")]
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    DEFAULT_CSS = f"JobList {{ {TONE_CSS} }}"

    def key_of(self, row: JobRow) -> Hashable:
        """The job's number."""
        return row.job.number

    def lines_of(self, row: JobRow, width: int, state: RowState) -> Sequence[Line]:
        """One line."""
        job = row.job
        tone = self.ink(f"tone--{JOB_TONES.get(job.state, 'dim')}")
        dim = self.ink("tone--dim")
        cells: list[tuple[str, int, bool]] = [
            (f"{JOB_MARKS[job.state]} {job.state.words}", 13, True),
            (f"job {job.number}", 8, False),
            (" ".join(map(str, job.run_ids)), 21 if width >= 100 else 14, False),
        ]
        if width >= 90:
            cells.append((job.agent_name, 22, False))
        cells += [(row.took, 10, False), (row.when, 12, False)]
        line = [Segment(" ")]
        for text, size, coloured in cells:
            line.append(Segment(f"{fit(text, size)} ", tone if coloured else None))
        rest = width - sum(size + 1 for _, size, _ in cells) - 1
        return [[*line, Segment(fit(last_word(job), rest), dim)]]

    def show_jobs(self, jobs: Sequence[Job], board: Board) -> None:
        """Show these jobs."""
        self.show_rows([job_row(job, board) for job in jobs])
