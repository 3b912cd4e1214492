"""A run as text, as Markdown and as JSON."""

from __future__ import annotations

import re

from cekura_tui.model.outcome import outcome_of
from cekura_tui.model.run import Run
from cekura_tui.model.text import clean_line
from cekura_tui.model.times import clock_text
from cekura_tui.model.transcript import Turn, read_transcript
from cekura_tui.model.verdict import Verdict, read_verdicts
from cekura_tui.model.view import RunView

STATE_MARKS = {"pass": "✓", "fail": "✗", "na": "–", "review": "◐"}
_SPEAKERS = {"testing": "Caller", "main": "Agent", "tool_call": "Tool call", "tool_result": "Tool result"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def as_json(run: Run) -> dict[str, object]:
    """The run, with its outcome, turns and verdicts read."""
    return {
        **run.source,
        "outcome": outcome_of(run).to_json(),
        "turns": [turn.to_json() for turn in read_transcript(run).turns],
        "verdicts": [verdict.to_json() for verdict in read_verdicts(run)],
    }


def as_text(view: RunView, *, transcript_only: bool = False) -> str:
    """Verdicts, details and transcript for a terminal or a pipe."""
    turns = [_turn_text(turn) for turn in view.transcript.turns]
    if view.transcript.note:
        turns.insert(0, view.transcript.note)
    if transcript_only:
        return "\n".join(turns)
    row = view.row
    at = clock_text(row.at) if row.at is not None else ""
    lines = [
        f"Run {row.id}  {row.outcome.mark} {row.outcome.text}",
        "  ".join(filter(None, (row.scenario, row.personality, row.agent, row.duration, at))),
        "",
    ]
    for verdict in view.verdicts:
        lines.append(f"{STATE_MARKS[verdict.state]} {verdict_line(verdict)}")
        lines += [f"    {line}" for text in verdict.explanation for line in text.splitlines()]
    lines += ["", *(f"{name}: {clean_line(text, 200)}" for name, text in view.details if name not in _LONG), ""]
    return "\n".join(lines + turns)


_LONG = ("expected", "scenario")


def as_markdown(view: RunView) -> str:
    """A page for an issue: foreign text is escaped, so that it stays text."""
    row = view.row
    lines = [f"# Run {row.id}: {_escape(row.outcome.text)}", ""]
    facts = (
        ("Scenario", row.scenario),
        ("Personality", row.personality),
        ("Agent", row.agent),
        ("Length", row.duration),
    )
    lines += [f"- {name}: {_escape(text)}" for name, text in facts if text]
    lines += [
        f"- {name.capitalize()}: {_escape(clean_line(text, 300))}" for name, text in view.details if name not in _LONG
    ]
    lines += ["", "## Verdicts", ""]
    for verdict in view.verdicts:
        lines.append(f"- {STATE_MARKS[verdict.state]} **{_escape(verdict.name)}** {_escape(_score(verdict))}".rstrip())
        lines += [f"  - {_escape(clean_line(text, 2000))}" for text in verdict.explanation]
    if not view.verdicts:
        lines.append("None.")
    lines += ["", "## Transcript", ""]
    if view.transcript.note:
        lines += [f"_{view.transcript.note}_", ""]
    for turn in view.transcript.turns:
        lines += [
            f"**{time_text(turn.start)} {_escape(_speaker(turn))}:** {_escape(turn.text)}".replace("\n", "  \n"),
            "",
        ]
    return "\n".join(lines).rstrip()


def verdict_line(verdict: Verdict) -> str:
    """Name, score and threshold of a verdict."""
    return f"{verdict.name} {_score(verdict)}".rstrip()


def _score(verdict: Verdict) -> str:
    score = f"{verdict.score:g}" if isinstance(verdict.score, float | int) else verdict.score or ""
    threshold = f"needs {verdict.threshold}" if verdict.threshold else ""
    told = ", ".join(filter(None, (clean_line(score, 40), threshold)))
    return f"({told})" if told else ""


def _turn_text(turn: Turn) -> str:
    said = turn.text.replace("\n", "\n" + " " * 8)
    return f"{time_text(turn.start)}  {_speaker(turn)}: {said}"


def _speaker(turn: Turn) -> str:
    return _SPEAKERS.get(turn.speaker) or turn.role or "?"


def time_text(start: float | None) -> str:
    """Seconds from the start of a call as "MM:SS"."""
    seconds = max(0, int(start or 0))
    return "--:--" if start is None else f"{seconds // 60:02d}:{seconds % 60:02d}"


def _escape(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
