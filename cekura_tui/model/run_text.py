"""A run as plain text: for a terminal, a pipe or the clipboard."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from cekura_tui.model.text import clean, clean_line
from cekura_tui.model.times import clock_text
from cekura_tui.model.transcript import Transcript
from cekura_tui.model.turn import Turn
from cekura_tui.model.verdict import Verdict
from cekura_tui.model.verdict_words import alignment_words, category_words, judged_words, percentile_words
from cekura_tui.model.view import RunView

STATE_MARKS = {"pass": "✓", "fail": "✗", "na": "–", "review": "◐"}
LONG_DETAILS = ("expected", "scenario")
"""Details that are texts of their own, which a page does without."""
APART = "Do not apply:"
"""The line above verdicts that did not apply."""
_MET = {True: "✓", False: "✗", None: "–"}
_HOUR = 3_600
_SPEAKERS = {"testing": "Caller", "main": "Agent", "tool_call": "Tool call", "tool_result": "Tool result"}


def as_text(view: RunView) -> str:
    """The whole page: verdicts, failing ones first, details, then what was said."""
    row = view.row
    at = clock_text(row.at) if row.at is not None else ""
    lines = [
        f"Run {row.id}  {row.outcome.mark} {row.outcome.text}",
        "  ".join(filter(None, (row.scenario, row.personality, row.agent, row.duration, at))),
        "",
    ]
    judged, apart = judged_and_apart(view.verdicts)
    lines += [verdict_text(verdict) for verdict in judged]
    if apart:
        lines += [APART, *map(verdict_text, apart)]
    details = (f"{name}: {clean_line(text, 200)}" for name, text in view.details if name not in LONG_DETAILS)
    return clean("\n".join([*lines, "", *details, "", transcript_text(view.transcript)]))


def transcript_text(transcript: Transcript, *, first: int | None = None) -> str:
    """What was said, a turn a line and more where it has more; first a note, if there is something to say of it.

    With `first` only so many turns, as they stand in the whole.
    """
    hours = goes_over_an_hour(transcript.turns)
    turns = (turn_text(turn, hours=hours) for turn in transcript.turns[:first])
    return clean("\n".join([*filter(None, [transcript.note]), *turns]))


def turn_text(turn: Turn, *, hours: bool = False) -> str:
    """One turn with its time and speaker; further lines are set in."""
    said = turn.text.replace("\n", "\n" + " " * 8)
    return clean(f"{time_text(turn.start, hours=hours)}  {speaker_name(turn)}: {said}".rstrip())


def verdict_text(verdict: Verdict) -> str:
    """A verdict with its state in words, its score, and all that explains it, set in below."""
    lines = (f"    {line}" for text in reasons(verdict) for line in text.splitlines())
    return clean("\n".join([f"{STATE_MARKS[verdict.state]} {verdict_line(verdict)}", *lines]))


def verdict_line(verdict: Verdict) -> str:
    """Name, state, score and threshold: "Identity check: failed · 2, needs ≥ 4"."""
    return f"{clean_line(verdict.name)}: {clean_line(judged_words(verdict))}"


def reasons(verdict: Verdict) -> list[str]:
    """All that explains a verdict: texts, parts of what was expected, categories, percentiles."""
    parts = (f"{_MET[part.aligned]} {alignment_words(part)}" for part in verdict.alignments)
    told = (*verdict.explanation, *parts, *map(category_words, verdict.categories), percentile_words(verdict))
    return [text for text in told if text]


def judged_and_apart(verdicts: Iterable[Verdict]) -> tuple[list[Verdict], list[Verdict]]:
    """Verdicts that tell something, in their order, and those that did not apply."""
    judged: list[Verdict] = []
    apart: list[Verdict] = []
    for verdict in verdicts:
        (apart if verdict.state == "na" else judged).append(verdict)
    return judged, apart


def speaker_name(turn: Turn) -> str:
    """Who spoke; an unknown role by its own name."""
    return _SPEAKERS.get(turn.speaker) or clean_line(turn.role, 80) or "?"


def goes_over_an_hour(turns: Sequence[Turn]) -> bool:
    """Whether times of this call need hours."""
    return any(time is not None and time >= _HOUR for turn in turns for time in (turn.start, turn.end))


def time_text(start: float | None, *, hours: bool = False) -> str:
    """Seconds from the start of a call as "MM:SS", or as "HH:MM:SS"; dashes where the time is not known."""
    if start is None or not math.isfinite(start):
        return "--:--:--" if hours else "--:--"
    minutes, seconds = divmod(max(0, int(start)), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"
