"""All that is known of a job as one text to scroll through: only the lines on screen are made."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.segment import Segment

from cekura_tui.model.text import capped, clean, clean_line, count
from cekura_tui.ui.board import Board
from cekura_tui.ui.widgets import job_words
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import JOB_MARKS, TONE_CLASSES, TONE_CSS
from cekura_tui.ui.widgets.virtual_list import VirtualList
from cekura_tui.ui.widgets.wrap import wrap

if TYPE_CHECKING:
    from cekura_tui.model.job import Job
    from cekura_tui.store.jobs import RawAnswer
    from cekura_tui.workspace.job_record import JobRecord

MAX_ANSWERS = 50
"""Distinct answers that are shown, the newest ones."""
MAX_ANSWER = 20_000
"""Characters of an answer that are shown."""
_MAX_PARSED = 100_000
_MAX_COMMAND = 600
_NAME, _READABLE = 9, 110
_TITLES = {"launch": "Launch it (this launches another job)", "progress": "Ask how far it is"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A heading, a fact with its name, or a text."""

    key: Hashable
    kind: Literal["head", "fact", "text", "raw"]
    name: str
    text: str


def readable(raw: str) -> str:
    """A raw answer as it is shown: JSON with line breaks, anything else as it came; a long one is cut."""
    text = raw
    if len(raw) <= _MAX_PARSED:
        # What is no JSON, or none that can be shown better, stays as it came.
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    more = len(text) - MAX_ANSWER
    if not text.strip():
        return "(empty)"
    return clean(text) if more <= 0 else f"{clean(text[:MAX_ANSWER])}\n… ({more:,} characters more)"


def shown_answers(answers: Sequence[RawAnswer], known: Mapping[str, str]) -> dict[str, str]:
    """The newest answers by their raw text, readable; those that are `known` are not read again."""
    newest = sorted(answers, key=lambda answer: answer.last_at)[-MAX_ANSWERS:]
    return {answer.raw: known.get(answer.raw) or readable(answer.raw) for answer in newest}


def facts_of(record: JobRecord, runs: bool | None, answers: Mapping[str, str], board: Board) -> list[Fact]:
    """Everything, from what became of it to the commands that ask for it again.

    `runs` tells whether the process that launched it still runs; `answers` are the readable ones by their raw text.
    """
    job = record.job
    rows = [Fact("meaning", "text", "", job_words.meaning(job, board))]
    rows += _named("fact", job_words.facts(job, board))
    if job.state in job_words.OPEN_LAUNCH:
        rows += [_head("What is known of the launch"), *_named("known", job_words.known(record, runs, board))]
    rows += [_head("What was sent"), *_named("sent", job_words.sent(job, record.draft))]
    rows += _named("sent", [("sha256", job.prompt_sha256), ("server id", clean(job.progress_id or ""))])
    rows.append(_head("States"))
    for n, change in enumerate(record.changes):
        words = f"{change.state.words}  {clean(change.reason)}".strip()
        rows.append(Fact(("change", n), "fact", board.when(change.at, seconds=True), words))
    rows += _answers(record.answers, answers, board)
    rows.append(_head("As curl, with the key in $CEKURA_API_KEY: y copies it"))
    for name, command in record.curls.items():
        rows.append(Fact(("curl", name), "raw", _TITLES.get(name, name), capped(clean(command), _MAX_COMMAND)))
    return [row for row in rows if row.kind == "head" or row.text]


def short_facts_of(record: JobRecord, runs: bool | None, job: Job, board: Board) -> list[Fact]:
    """The same in short, for beside a list; `job` is as it is now, `record` may be a little older."""
    rows = [
        Fact("title", "head", f"Job {job.number} {JOB_MARKS[job.state]} {job.state.words}", ""),
        Fact("meaning", "text", "", job_words.meaning(job, board)),
        Fact("gap", "text", "", " "),
        *_named("fact", job_words.facts(job, board)),
    ]
    if job.state in job_words.OPEN_LAUNCH:
        rows += _named("known", job_words.known(record, runs, board))
    rows += [*_named("sent", job_words.sent(job, record.draft)), Fact("states", "text", "", " ")]
    for n, change in enumerate(record.changes):
        told = change.reason in (job.reason, job.error)
        words = f"{change.state.words}  {'' if told else clean_line(change.reason)}".strip()
        rows.append(Fact(("change", n), "fact", board.when(change.at), words))
    return rows


def _head(text: str) -> Fact:
    return Fact(("head", text), "head", text, "")


def _named(group: str, facts: job_words.Facts) -> list[Fact]:
    return [Fact((group, name), "fact", name, text) for name, text in facts]


def _answers(answers: Sequence[RawAnswer], shown: Mapping[str, str], board: Board) -> Iterator[Fact]:
    if not answers:
        yield _head("No answer of the server so far")
        return
    told = count(len(answers), "different answer")
    more = len(answers) - len(shown)
    title = f"The server's answers, the newest first ({told}"
    yield Fact(
        ("head", "answers"), "head", f"{title}; {more:,} older ones are not shown)" if more > 0 else f"{title})", ""
    )
    for answer in sorted(answers, key=lambda answer: answer.last_at, reverse=True):
        if answer.raw in shown:
            first, last = (board.when(moment, seconds=True) for moment in (answer.first_at, answer.last_at))
            name = first if first == last else f"{first} to {last}"
            yield Fact(("answer", answer.first_at, hash(answer.raw)), "raw", name, shown[answer.raw])


class JobFacts(VirtualList[Fact]):
    """Scrolls by lines; the cursor is the row at the top, and is not drawn."""

    row_height = None
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    DEFAULT_CSS = f"JobFacts {{ padding: 0 1; {TONE_CSS} }}"

    def key_of(self, row: Fact) -> Hashable:
        """Its place in the text, by name."""
        return row.key

    def estimate(self, row: Fact, width: int) -> int:
        """Lines of text, about, and one for a name or before a heading."""
        return 1 + row.text.count("\n") + len(row.text) // max(min(width, _READABLE) - 4, 10)

    def lines_of(self, row: Fact, width: int, state: RowState) -> Sequence[Line]:
        """A heading with a line before it, a fact beside its name, or a text below it."""
        width = min(width, _READABLE)
        dim, strong = self.ink("tone--dim"), self.ink("tone--strong")
        if row.kind == "head":
            gap: list[Line] = [] if row.key == "title" else [[]]
            return [*gap, *([Segment(line, strong)] for line in wrap(row.name, width))]
        column = max(_NAME, len(row.name)) + 1
        room = width - {"fact": column, "raw": 2}.get(row.kind, 0)
        body = [line for text in row.text.split("\n") for line in wrap(capped(text), max(room, 8))]
        if row.kind == "text":
            return [[Segment(line)] for line in body]
        if row.kind == "raw":
            return [[Segment(row.name, dim)], *([Segment(f"  {line}")] for line in body)]
        names = [row.name] + [""] * (len(body) - 1)
        return [[Segment(name.ljust(column), dim), Segment(line)] for name, line in zip(names, body, strict=True)]

    def move_by(self, rows: int) -> None:
        """Scroll by lines."""
        before = self._picture()
        self._view.scroll(rows)
        self._put_cursor(self._view.top[0])
        self._commit(before)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to open here: the key is the screen's."""
        return False if action == "open" else super().check_action(action, parameters)

    def _state_of(self, index: int, row: Fact) -> RowState:
        return RowState()
