"""Write a run as plain text, Markdown, JSON or spreadsheet rows."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from cekura_tui.model.as_json import to_json
from cekura_tui.model.run.verdict import (
    Alignment,
    Category,
    State,
    Verdict,
    number_words,
    read_verdicts,
    threshold_words,
)
from cekura_tui.model.run.view import RunRow, RunView, row_of
from cekura_tui.model.text import clean, clean_line, clock_text, count, escaped, json_text, shortened
from cekura_tui.model.transcript.timeline import clock, have_hours
from cekura_tui.model.transcript.tool_call import cleaned_json, parsed
from cekura_tui.model.transcript.transcript import TOOLS, Transcript, Turn, read_transcript

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import RunExportJson, RunJson, RunRowJson
    from cekura_tui.model.run.run import Run

T = TypeVar("T")
LONGEST_WORD = 60
"""Maximum number of characters of a value shown beside the name of its metric."""

_LONGEST_COMPARED = 20_000
STATE_WORDS: dict[State, str] = {"fail": "failed", "pass": "passed", "review": "needs review", "na": "does not apply"}
_MARKED = re.compile(r"^[\s•*–-]*([✅✓✔❌✗✘]?)\ufe0f?(.*)", re.DOTALL)
"""Matches an item of an explanation as (mark, text); the mark may be empty."""
_MAY_FOLLOW_A_PART = ("", *".,;:([–—")
"""An item that repeats a part has the part's text, then one of these signs; "" is the end of the item."""
_MOST_COMPARED = 10_000
"""Maximum number of pairs of explanation item and expected part to compare."""


def score_words(verdict: Verdict) -> str:
    """Score and threshold in words: "2, needs ≥ 4"; empty without either, or if a binary score repeats the state."""
    shown = verdict.shown_value
    if verdict.source == "expected_outcome":
        return f"{number_words(shown)} of 100" if isinstance(shown, int | float) else ""
    if verdict.source == "critical_category":
        return f"{number_words(shown)}, passes at 0" if isinstance(shown, int | float) else ""
    if _repeats_state(verdict):
        return ""
    got = f'"{clean_line(shown, LONGEST_WORD)}"' if isinstance(shown, str) else ""
    if isinstance(shown, int | float):
        got = number_words(shown)
    needed = clean_line(threshold_words(verdict.threshold))
    if got and not needed and verdict.state == "review":
        return f"found {got}, no expected value"
    return ", ".join(filter(None, (got, f"needs {needed}" if needed else "")))


def judged_words(verdict: Verdict) -> str:
    """State, priority and score of a verdict: "failed, critical · 2, needs ≥ 4"; also whether it is wrongly marked."""
    marked = "wrongly marked" if verdict.wrongly_marked else ""
    state = ", ".join(filter(None, (STATE_WORDS[verdict.state], priority_word(verdict.priority), marked)))
    return " · ".join(filter(None, (state, score_words(verdict))))


def alignment_words(alignment: Alignment) -> str:
    """Whether a part of the expected outcome was met: "not met: says goodbye (prompt: say goodbye)"."""
    state = {True: "met", False: "not met", None: "not reported"}[alignment.aligned]
    outcome, part = _without_prefix(alignment.outcome, alignment.aligned), alignment.prompt_part.strip()
    if not part or part == outcome:
        return f"{state}: {outcome}"
    return f"{state}: {outcome} (prompt: {part})" if outcome else f"{state}: {part}"


def explanation_and_parts(verdict: Verdict) -> tuple[list[str], list[str]]:
    """The items of an explanation, and the words of each part of the expected outcome. An item that repeats a part is
    left out, and its rest is added to the part, if at most _MOST_COMPARED pairs are to be compared."""
    parts = [alignment_words(part) for part in verdict.alignments]
    if not parts or len(parts) * len(verdict.explanation) > _MOST_COMPARED:
        return list(verdict.explanation), parts
    named = [
        (place, part.aligned, text)
        for place, part in enumerate(verdict.alignments)
        for text in (_compared(_without_prefix(part.outcome, part.aligned)), _compared(part.prompt_part))
        if text
    ]
    own = []
    for item in verdict.explanation:
        sign, said = _MARKED.findall(item)[0]
        met, words = None if not sign else sign in "✅✓✔", " ".join(said.split())
        place, added = next(
            (
                (place, words[len(text) :])
                for place, aligned, text in named
                if met in (None, aligned) and words[: len(text)].lower() == text.lower()
                if words[len(text) :].lstrip()[:1] in _MAY_FOLLOW_A_PART
            ),
            (-1, ""),
        )
        if place < 0:
            own.append(item)
        elif added.startswith((",", ";", ":")):
            parts[place] += added
        elif added := added.lstrip(" ."):
            parts[place] = f"{parts[place].rstrip(' .')}. {added}"
    return own, parts


def _compared(text: str) -> str:
    return " ".join(text.split()).rstrip(" .")


def _without_prefix(outcome: str, aligned: bool | None) -> str:
    """Remove "met:" or "not met:", which some servers put before an outcome, if the prefix agrees with `aligned`."""
    outcome = outcome.strip()
    for prefix in ("not met:", "met:"):
        if aligned is (prefix == "met:") and outcome.lower().startswith(prefix):
            outcome = outcome[len(prefix) :].lstrip()
    return outcome


def category_words(category: Category, explanation: Iterable[str] = ()) -> str:
    """A category in words: "category Identity, critical: asked too late", without what the explanation already says."""
    named = ", ".join(filter(None, (category.name, priority_word(category.priority))))
    if category.wrongly_marked:
        named += ", wrongly marked"
    known = clean_line(" ".join(explanation), _LONGEST_COMPARED).casefold()
    deviation, feedback = category.deviation, category.feedback
    if isinstance(deviation, int | float):
        deviation = f"score {number_words(deviation)}, passes at 0"
    elif deviation and _is_in(deviation, known):
        deviation = None
    words = f"category {named}: {deviation}" if deviation else f"category {named}"
    return f"{words} (feedback: {feedback})" if feedback and not _is_in(feedback, known) else words


def _is_in(text: str, known: str) -> bool:
    return clean_line(text, _LONGEST_COMPARED).casefold().rstrip(".") in known


def percentile_words(verdict: Verdict) -> str:
    """A metric's percentiles in one line; empty if there are none."""
    listed = ", ".join(f"{name} {number_words(value)}" for name, value in verdict.percentiles)
    return f"percentiles: {listed}" if listed else ""


def priority_word(priority: str | None) -> str:
    """A category's priority as the server words it, without underscores."""
    return clean_line((priority or "").replace("_", " "), LONGEST_WORD)


def _repeats_state(verdict: Verdict) -> bool:
    """Whether a binary metric's value only repeats its state: the value is 0, 5, "True", "False" or missing. A 0 of a
    passed metric or a 5 of a failed metric contradicts the state, so it does not count."""
    if "binary" not in verdict.kind:
        return False
    if isinstance(shown := verdict.shown_value, str):
        return shown.strip().lower() in ("true", "false")
    return shown in (0, 5, None) and (verdict.state, shown) not in (("pass", 0), ("fail", 5))


STATE_MARKS = {"pass": "✓", "fail": "✗", "na": "–", "review": "◐"}
NOT_APPLICABLE = "Not applicable:"
_MET: dict[bool | None, State] = {True: "pass", False: "fail", None: "review"}
SPEAKERS = {"testing": "Caller", "main": "Agent", "tool_call": "Tool call", "tool_result": "Tool result"}


def as_text(view: RunView, note: str = "") -> str:
    """The run page as plain text: the user's note, verdicts (failing first), details, transcript."""
    row = view.row
    at = clock_text(row.at) if row.at is not None else ""
    lines = [
        f"Run {row.id}  {row.outcome.mark} {outcome_words(row)}",
        "  ".join(filter(None, (row.scenario, row.personality, row.agent, row.duration, at))),
        *([f"note: {note}"] if note else []),
        "",
    ]
    judged, not_applicable = split_applicable(view.judgements)
    lines += [verdict_text(verdict) for verdict in judged]
    if not_applicable:
        lines += [NOT_APPLICABLE, *map(verdict_text, not_applicable)]
    details = (f"{name}: {clean_line(text, 200)}" for name, text in view.details)
    return clean("\n".join([*lines, "", *details, "", transcript_text(view.transcript)]))


def transcript_text(transcript: Transcript, *, first: int | None = None) -> str:
    """The transcript as plain text: its note, then all turns, or only the first `first` turns."""
    hours = have_hours(transcript.turns)
    turns = (turn_text(turn, hours=hours) for turn in transcript.turns[:first])
    return clean("\n".join([*filter(None, [transcript.note]), *turns]))


def turn_text(turn: Turn, *, hours: bool = False) -> str:
    """A turn with its time and speaker; further lines are indented."""
    text = turn.text.replace("\n", "\n" + " " * 8)
    return clean(f"{_time(turn, hours)}  {speaker_name(turn)}: {text}".rstrip())


def verdict_text(verdict: Verdict) -> str:
    """A line with a verdict's name, state and score, then the indented lines that explain the verdict."""
    lines = (f"    {line}" for reason in reasons(verdict) for line in str(reason).splitlines())
    head = f"{STATE_MARKS[verdict.state]} {clean_line(verdict.name)}: {clean_line(judged_words(verdict))}"
    return clean("\n".join([head, *lines]))


class VerdictReason(NamedTuple):
    """A paragraph that explains a verdict. `met` is the state of a part of the expected outcome; None for any other
    reason. A `quiet` reason adds a category or figures."""

    text: str
    met: State | None = None
    quiet: bool = False

    def __str__(self) -> str:
        return f"{STATE_MARKS[self.met]} {self.text}" if self.met else self.text


def reasons(verdict: Verdict) -> Iterator[VerdictReason]:
    """What explains a verdict, in all pages and exports: value, texts, outcome parts, categories, percentiles."""
    is_category = verdict.source == "critical_category"
    if isinstance(shown := verdict.shown_value, str) and shown and (is_category or len(shown) > LONGEST_WORD):
        yield VerdictReason(shown if is_category else f"value: {shown}")
    explanation, parts = explanation_and_parts(verdict)
    yield from (VerdictReason(f"feedback: {text}" if is_category else text) for text in explanation if text)
    for part, text in zip(verdict.alignments, parts, strict=True):
        yield VerdictReason(text, _MET[part.aligned])
    for category in verdict.categories:
        yield VerdictReason(category_words(category, verdict.explanation), quiet=True)
    if percentiles := percentile_words(verdict):
        yield VerdictReason(percentiles, quiet=True)


def missing_words(quotes: Sequence[str]) -> str:
    """The quotes of an explanation that no turn contains: "quote not found in this call: “Your refund …”"."""
    named = ", ".join(f"“{shortened(quote, LONGEST_WORD)}”" for quote in quotes[:2])
    more = f" and {len(quotes) - 2} more" if len(quotes) > 2 else ""
    return f"quote not found in this call: {named}{more}" if quotes else ""


def outcome_words(row: RunRow) -> str:
    """How a run ended, without its mark: "error, timeout", or "failed, 2 checks" if the failed checks are known."""
    kind, checks = row.outcome.kind, count(row.failed_checks, "check") if row.failed_checks else ""
    return ", ".join(filter(None, (kind if kind != row.outcome.text else "", row.judged, checks)))


def no_passed_run_words(row: RunRow) -> str:
    """The message if there is no passed run to compare this run with."""
    what = f"“{clean_line(row.scenario, 60)}”" if row.scenario else "its scenario"
    whose = f" with {clean_line(row.agent, 60)}" if row.agent else ""
    listed = any(number is not None for number in (row.agent_id, row.project_id, row.result_id))
    where = "the newest runs on the server" if listed else "the runs opened on this machine"
    return f"No run of {what}{whose} passed among {where}."


def split_applicable(verdicts: Sequence[Verdict]) -> tuple[list[Verdict], list[Verdict]]:
    """Split verdicts into (applicable, not applicable); both lists keep the order."""
    not_applicable = [verdict for verdict in verdicts if verdict.state == "na"]
    return [verdict for verdict in verdicts if verdict.state != "na"], not_applicable


def _time(turn: Turn, hours: bool) -> str:
    return clock(turn.start, hours=hours) or ("-:--:--" if hours else "--:--")


def speaker_name(turn: Turn) -> str:
    """The speaker's name; for an unknown speaker the role that was sent, or "?" without a role."""
    return SPEAKERS.get(turn.speaker) or clean_line(turn.role, 80) or "?"


_TICKS = re.compile("`+")


def paragraph(text: str) -> str:
    """Escape text for Markdown, with visible line breaks."""
    return escaped(text).replace("\n", "  \n")


def fenced(text: str, language: str = "") -> str:
    """Put a text between code fences that are longer than any run of backticks in the text."""
    fence = "`" * max(3, 1 + max((len(ticks) for ticks in _TICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


_LONGEST = 2_000
"""Maximum number of characters of one explanation in Markdown."""


def as_markdown(view: RunView) -> str:
    """The run page as Markdown: facts, verdicts (failing first), transcript."""
    lines = [f"# Run {view.row.id}: {escaped(outcome_words(view.row))}", "", *_facts(view)]
    lines += [_fact(name.capitalize(), text) for name, text in view.details]
    lines += ["", "## Verdicts", ""]
    judged, not_applicable = split_applicable(view.judgements)
    lines += [line for verdict in judged for line in _verdict(verdict)]
    if not_applicable:
        lines += ["", NOT_APPLICABLE, "", *(line for verdict in not_applicable for line in _verdict(verdict))]
    if not (judged or not_applicable):
        lines.append("None.")
    lines += ["", "## Transcript", "", *_turns_as_markdown(view.transcript)]
    return clean("\n".join(lines).rstrip())


def transcript_markdown(view: RunView, *, first: int | None = None) -> str:
    """The transcript, or only its first `first` turns, as Markdown under a heading with the run id."""
    lines = [f"# Transcript of run {view.row.id}", "", *_facts(view), "", *_turns_as_markdown(view.transcript, first)]
    return clean("\n".join(lines).rstrip())


def _facts(view: RunView) -> Iterable[str]:
    row = view.row
    facts = {"Scenario": row.scenario, "Personality": row.personality, "Agent": row.agent, "Length": row.duration}
    return [_fact(name, text) for name, text in facts.items() if text]


def _fact(name: str, text: str) -> str:
    return f"- {name}: {escaped(clean_line(text))}"


def _verdict(verdict: Verdict) -> Iterable[str]:
    name, judged = escaped(clean_line(verdict.name)), escaped(clean_line(judged_words(verdict)))
    yield f"- {STATE_MARKS[verdict.state]} **{name}**: {judged}"
    for reason in reasons(verdict):
        yield f"  - {escaped(clean_line(str(reason), _LONGEST))}"


def _turns_as_markdown(transcript: Transcript, first: int | None = None) -> Iterable[str]:
    if transcript.note:
        yield from (f"_{escaped(transcript.note)}_", "")
    hours = have_hours(transcript.turns)
    for turn in transcript.turns[:first]:
        yield from (_turn(turn, hours), "")


def _turn(turn: Turn, hours: bool) -> str:
    """A turn as Markdown; a tool call or result is followed by its JSON."""
    head = f"**{_time(turn, hours)} {escaped(speaker_name(turn))}:**"
    if turn.tool is None:
        return f"{head} {paragraph(turn.text)}".rstrip()
    spoken = "" if _repeats_json(turn) else paragraph(turn.text)
    data = {name: parsed(value) for name, value in turn.tool.items()}
    return f"{head} {spoken}".rstrip() + f"\n\n{fenced(cleaned_json(data, 2), 'json')}"


def _repeats_json(turn: Turn) -> bool:
    """Whether the text of a tool turn was made from its JSON, since the server sent no `content` text."""
    return turn.speaker in TOOLS and not (
        isinstance(turn.raw, dict) and isinstance(content := turn.raw.get("content"), str) and content.strip()
    )


def row_as_json(run: Run, row: RunRow, *, checks: bool = True) -> RunRowJson:
    """The object of a run as sent, plus the run's outcome and, with `checks`, its failed checks."""
    own: Mapping[str, object] = {"id": run.id, "outcome": row.outcome._asdict()}  # the id may have been sent as text
    return cast("RunRowJson", {**(run.sent or run.source), **own, **(_failed_checks(row) if checks else {})})


def as_json(run: Run) -> RunJson:
    """The object of a run as sent, plus the run's outcome, turns and verdicts."""
    verdicts = read_verdicts(run)
    exact = verdicts if run.sent is None else _as_sent(verdicts, read_verdicts(run.exact(run.sent)), _decision)
    read: Mapping[str, object] = {
        "turns": [to_json(turn) for turn in _exact_turns(read_transcript(run).turns, run.sent)],
        "verdicts": [to_json(verdict) for verdict in exact],
    }
    return cast("RunJson", {**row_as_json(run, row_of(run, verdicts)), **read})


def transcript_object(view: RunView, *, first: int | None = None) -> dict[str, object]:
    """The transcript, or its `first` turns, for JSON: the fields `run` (the id), `form`, `note` and `turns`."""
    transcript = view.transcript
    return {
        "run": view.row.id,
        "form": transcript.form,
        "note": transcript.note,
        "turns": [to_json(turn) for turn in _exact_turns(transcript.turns, view.sent)[:first]],
    }


def transcript_json(view: RunView, *, first: int | None = None) -> str:
    return json_text(transcript_object(view, first=first), indent=2)


def _exact_turns(turns: Sequence[Turn], sent: Mapping[str, Any] | None) -> Sequence[Turn]:
    if sent is None:
        return turns
    from cekura_tui.model.run.run import Run  # pydantic is too slow for the first frame

    return _as_sent(turns, read_transcript(Run.exact(sent)).turns, attrgetter("speaker", "start", "end"))


def _decision(verdict: Verdict) -> object:
    """The parts of a verdict that must be equal in its cleaned and its exact version."""
    return verdict.source, verdict.id, clean(verdict.name), verdict.state, verdict.score


def _as_sent(shown: Sequence[T], sent: Sequence[T], meaning: Callable[[T], object]) -> Sequence[T]:
    """The items of `sent`, with exact texts; but the cleaned item of `shown` if the two differ in `meaning`. All items
    of `shown` if the numbers of items differ."""
    if len(shown) != len(sent):
        return shown
    return [exact if meaning(exact) == meaning(one) else one for one, exact in zip(shown, sent, strict=True)]


_CHECK_COLUMNS = ("failed_checks", "failing")
CSV_COLUMNS = (
    *("id", "outcome", "outcome_text", "status", "scenario", "personality", "agent", "agent_id"),
    *("duration", "seconds", "at", "result_id", "mode", "reviewed", *_CHECK_COLUMNS, "note"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""First characters of cells that a spreadsheet may run as a formula."""
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


def csv_header(*, checks: bool = True) -> str:
    """The names of the columns as a line of CSV, without line end."""
    return _csv(name for name in CSV_COLUMNS if checks or name not in _CHECK_COLUMNS)


def csv_row(row: RunRow, note: str = "", *, checks: bool = True) -> str:
    """A run as a line of CSV without line end, with or without its failed `checks`; no cell can run as a formula."""
    cells = _exported(row, note, checks).values()
    return _csv("; ".join(map(str, cell)) if isinstance(cell, list) else _text(cell) for cell in cells)


def json_row(row: RunRow, note: str = "", *, checks: bool = True) -> str:
    """A run as a line of JSON without line end; unknown values are null, and `failing` is a list."""
    return json.dumps(_exported(row, note, checks), ensure_ascii=False)


def text_row(row: RunRow, note: str = "") -> str:
    """A run as a readable line without line end."""
    outcome = f"{row.outcome.mark} {outcome_words(row)}"
    parts = (str(row.id), outcome, row.scenario, row.personality, row.agent, row.duration, iso_time(row.at), note)
    return "  ".join(filter(None, (clean_line(part, None) for part in parts)))


def iso_time(at: float | None) -> str:
    """Format a Unix time as ISO 8601 in UTC, to the second; empty if it is None or out of range."""
    try:
        return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    except (ValueError, OverflowError, OSError):
        return ""


def _failed_checks(row: RunRow) -> Mapping[str, object]:
    """The number and the names of the failed checks; null if they are not loaded. A run that did not fail has none."""
    names = [clean_line(name, None) for name in row.failing] if row.whole else None
    return {"failed_checks": row.failed_checks, "failing": names if row.outcome.kind == "failed" else []}


def _exported(row: RunRow, note: str, checks: bool) -> Mapping[str, object]:
    exported: Mapping[str, object] = {
        "id": row.id,
        "outcome": row.outcome.kind,
        "outcome_text": clean_line(row.outcome.text, None),
        "status": clean_line(row.status, None) or None,
        "scenario": clean_line(row.scenario, None) or None,
        "personality": clean_line(row.personality, None) or None,
        "agent": clean_line(row.agent, None) or None,
        "agent_id": row.agent_id,
        "duration": clean_line(row.duration, None) or None,
        "seconds": row.seconds,
        "at": iso_time(row.at) or None,
        "result_id": row.result_id,
        "mode": None if row.as_text is None else "text" if row.as_text else "voice",
        "reviewed": row.reviewed,
        **(_failed_checks(row) if checks else {}),
        "note": clean_line(note, None),
    }
    return cast("RunExportJson", exported)


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return "" if cell is None else str(cell)


def _csv(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(
        f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell for cell in cells
    )
    return line.getvalue()
