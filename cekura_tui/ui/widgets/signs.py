"""The signs and component classes of outcomes, verdicts and jobs: a shape or a word first, colour second."""

from __future__ import annotations

from cekura_tui.model.job import JobState
from cekura_tui.model.verdict import State

VERDICT_MARKS: dict[State, str] = {"fail": "✗", "review": "◐", "pass": "✓", "na": "–"}
VERDICT_TONES: dict[State, str] = {"fail": "bad", "review": "warn", "pass": "good", "na": "dim"}
OUTCOME_TONES = {
    "passed": "good",
    "failed": "bad",
    "error": "warn",
    "running": "busy",
    "review": "warn",
    "unknown": "dim",
}
JOB_MARKS = {
    JobState.DRAFT: "·",
    JobState.LAUNCHING: "→",
    JobState.RUNNING: "◌",
    JobState.SUCCEEDED: "✓",
    JobState.NO_ISSUES: "–",
    JobState.FAILED: "✗",
    JobState.UNCONFIRMED: "?",
    JobState.STOPPED: "■",
    JobState.LOST: "!",
    JobState.FORGOTTEN: "·",
}
NOTED = "+"
"""Before a run that somebody has written a note about."""
UNREAD = "•"
"""Before a job that nobody has looked at since it ended."""
JOB_TONES = {
    JobState.SUCCEEDED: "good",
    JobState.FAILED: "bad",
    JobState.LAUNCHING: "busy",
    JobState.RUNNING: "busy",
    JobState.UNCONFIRMED: "warn",
    JobState.LOST: "warn",
}
TONES = ("good", "bad", "warn", "busy", "dim", "strong")
TONE_CLASSES = {f"tone--{tone}" for tone in TONES}
"""Component classes of a list that draws in tones."""
TONE_CSS = """
    & > .tone--good { color: $success; }
    & > .tone--bad { color: $error; text-style: bold; }
    & > .tone--warn { color: $warning; }
    & > .tone--busy { color: $accent; }
    & > .tone--dim { color: $text-muted; }
    & > .tone--strong { text-style: bold; }
"""
