"""The scrollable details of a job. Only visible lines are rendered."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment

from cekura_tui.model.job import OPEN_LAUNCH, Job
from cekura_tui.model.text import capped, clean
from cekura_tui.store.jobs import RawAnswer
from cekura_tui.ui.jobs import words as job_words
from cekura_tui.ui.keymap import keymap_in_use
from cekura_tui.ui.kit.lines import JOB_MARKS, JOB_TONES, TONE_CLASSES
from cekura_tui.ui.kit.strips import Line, RowState, wrap
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.job_service import JobRecord

MAX_ANSWERS = 50
"""Maximum number of distinct answers of the server to show; the newest are shown."""
MAX_ANSWER = 20_000
"""Maximum length of a shown answer, in characters."""
_NAME_WIDTH, _MAX_WIDTH = 11, 110
_TITLES = {"launch": "Launch (sends another job)", "progress": "Poll"}


class Fact(NamedTuple):
    """A row of the details. `tone` colours a text. `kind` is "head" for a heading, "fact" for a name with a value,
    "text" for a text after its `mark`, or "raw" for a text below its name."""

    key: Hashable
    kind: Literal["head", "fact", "text", "raw"]
    name: str
    text: str
    tone: str = ""
    mark: str = ""


def format_answer(raw: str) -> str:
    """Indent a raw answer if it is short JSON, and crop the answer to MAX_ANSWER; "(empty)" if it is blank."""
    text = raw
    if len(raw) <= 100_000:
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    more = len(text) - MAX_ANSWER
    if not text.strip():
        return "(empty)"
    return clean(text) if more <= 0 else f"{clean(text[:MAX_ANSWER])}\n… ({more:,} characters more)"


def format_answers(answers: Sequence[RawAnswer], formatted: Mapping[str, str]) -> dict[str, str]:
    """Format the `MAX_ANSWERS` newest answers. Returns formatted answers by raw answer; reuses those in `formatted`."""
    newest = sorted(answers, key=lambda answer: answer.last_at)[-MAX_ANSWERS:]
    return {answer.raw: formatted.get(answer.raw) or format_answer(answer.raw) for answer in newest}


def facts_of(record: JobRecord, answers: Mapping[str, str], state: AppState) -> list[Fact]:
    """All details of a job, as rows. `answers` maps raw answers to formatted answers."""
    job = record.job
    rows = list(state_facts(job, state))
    rows += named_facts("fact", job_words.job_facts(job, state))
    if job.state in OPEN_LAUNCH:
        rows += [_head("Launch"), *named_facts("known", job_words.launch_facts(record, state))]
    rows += [_head("Sent"), *named_facts("sent", record.sent)]
    hashed = [("SHA-256", job.prompt_sha256)] if job.proposes else []
    rows += named_facts("sent", [*hashed, ("Folder" if job.is_local else "Server ID", clean(job.progress_id or ""))])
    rows.append(_head("States"))
    for n, change in enumerate(record.changes):
        words = f"{change.state.words}  {clean(change.reason)}".strip()
        rows.append(Fact(("change", n), "fact", state.when(change.at, seconds=True), words))
    rows += _answers(record.answers, answers, state)
    if record.curls:
        rows.append(_head(keymap_in_use().hint("curl · reads the key from $CEKURA_API_KEY · {job.copy} copy")))
    for name, command in record.curls.items():
        rows.append(Fact(("curl", name), "raw", _TITLES.get(name, name), capped(clean(command), 600)))
    return [row for row in rows if row.kind == "head" or row.text]


def _head(text: str) -> Fact:
    return Fact(("head", text), "head", text, "")


def state_facts(job: Job, state: AppState) -> Iterator[Fact]:
    """The progress bar, if the job is running and the usual time is known; then the meaning of the job's state."""
    tone = JOB_TONES.get(job.state, "dim")
    if bar := job_words.progress_bar(job, state, 10):
        yield Fact("bar", "text", "", job_words.time_left(job, state), tone, f"{bar} ")
    meaning = job_words.state_meaning(job, state)
    yield Fact("meaning", "text", "", meaning, "" if job.state.active else tone, f"{JOB_MARKS[job.state]} ")


def named_facts(group: str, facts: Iterable[tuple[str, str]]) -> list[Fact]:
    """Facts from pairs of a name and a value. The key of a fact is the pair of `group` and the name."""
    return [Fact((group, name), "fact", name, text) for name, text in facts]


def _answers(answers: Sequence[RawAnswer], shown: Mapping[str, str], state: AppState) -> Iterator[Fact]:
    if not answers:
        yield _head("No answer yet")
        return
    more = len(answers) - len(shown)
    title = f"Answers · {len(answers):,} different, newest first"
    yield Fact(("head", "answers"), "head", f"{title} · {more:,} older hidden" if more > 0 else title, "")
    for answer in sorted(answers, key=lambda answer: answer.last_at, reverse=True):
        if answer.raw in shown:
            first, last = (state.when(moment, seconds=True) for moment in (answer.first_at, answer.last_at))
            name = first if first == last else f"{first} – {last}"
            yield Fact(("answer", answer.first_at, hash(answer.raw)), "raw", name, shown[answer.raw])


class JobFacts(VirtualList[Fact]):
    """A list of facts that scrolls by lines. The top row has the cursor, which is not drawn."""

    row_height = None
    opens = False
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    INKS: ClassVar[Mapping[str, str]] = {"tone--added": "color: $added;", "tone--removed": "color: $removed;"}
    DEFAULT_CSS = "JobFacts { padding: 0 0 0 1; }"

    def key_of(self, row: Fact) -> Hashable:
        return row.key

    def estimate(self, row: Fact, width: int) -> int:
        return 1 + row.text.count("\n") + len(row.text) // max(min(width, _MAX_WIDTH) - 4, 10)

    def lines_of(self, row: Fact, width: int, state: RowState) -> Sequence[Line]:
        width = min(width - 1, _MAX_WIDTH)  # one cell before the scroll bar
        dim, strong = self.style_of("tone--dim"), self.style_of("tone--strong")
        if row.kind == "head":
            return [[], *([Segment(line, strong)] for line in wrap(row.name, width))]
        column = max(_NAME_WIDTH, len(row.name)) + 1
        room = width - {"fact": column, "raw": 2}.get(row.kind, cell_len(row.mark))
        body = [line for text in row.text.split("\n") for line in wrap(capped(text), max(room, 8))]
        if row.kind == "text":
            ink = self.style_of(f"tone--{row.tone}") if row.tone else None
            hang = " " * cell_len(row.mark)
            return [[Segment((hang if n else row.mark) + line, ink)] for n, line in enumerate(body)]
        if row.kind == "raw":
            return [[Segment(row.name, dim)], *([Segment(f"  {line}")] for line in body)]
        return [[Segment(("" if n else row.name).ljust(column), dim), Segment(line)] for n, line in enumerate(body)]

    def move_by(self, rows: int) -> None:
        self.viewport.scroll(rows)
        self._put_cursor(self.viewport.top[0])
        self.repaint_changes()

    def _state_of(self, index: int, row: Fact) -> RowState:
        return RowState()
