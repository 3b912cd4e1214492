"""The outcome of a run, derived from several fields, since no single field of the API has the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from cekura_tui.model.text import clean_line

if TYPE_CHECKING:
    from cekura_tui.model.run.run import Run
    from cekura_tui.model.run.verdict import Verdict

Kind = Literal["passed", "failed", "error", "running", "review", "unknown"]

FINAL = frozenset({"completed", "failed", "timeout", "cancelled"})
MARKS: dict[Kind, str] = {"passed": "✓", "failed": "✗", "error": "!", "running": "◌", "review": "◐", "unknown": "·"}
BROKEN = frozenset({"failed", "timeout", "cancelled"})
_REASONS = {
    "no answer": ("no-answer", "no answer", "did not answer"),
    "busy": ("busy",),
    "rejected": ("reject",),
    "voicemail": ("voicemail",),
    "too long": ("exceeded-max",),
    "timeout": ("timeout", "timed out"),
    "silence": ("silence",),
    "dropped": ("drop", "disconnect"),
    "cancelled": ("cancel",),
}
"""The words for the cause of an error, and the parts of reported texts that mean this cause."""


class Outcome(NamedTuple):
    """How a run ended. `text` says the kind, or why there is no other kind: "failed", "timeout", "in progress"."""

    kind: Kind
    text: str

    @property
    def mark(self) -> str:
        return MARKS[self.kind]

    @property
    def settled(self) -> bool:
        """Whether the run has ended; then only a review can still change the outcome."""
        return self.kind != "running"


def outcome_of(run: Run, verdicts: Sequence[Verdict]) -> Outcome:
    """Decide the outcome by the first of these that applies.

    1. A status that is not final: the run is running.
    2. A review or evaluation as success or failure.
    3. An error: a status such as timeout, or an error message without verdicts.
    4. The success flag.
    5. Verdicts: the run is to be reviewed; without verdicts, the outcome is unknown.
    """
    status = (run.status or "").lower()
    if status and status not in FINAL:
        return Outcome("running", status.replace("_", " "))
    evaluation = (run.evaluation_status or "").lower()
    if evaluation in ("reviewed_success", "success"):
        return Outcome("passed", "passed")
    if evaluation in ("reviewed_failure", "failure"):
        return Outcome("failed", "failed")
    if status in BROKEN or (run.error_message and not verdicts):
        return Outcome("error", what_broke(run.ended_reason, run.error_message or "", status))
    if run.success is not None:
        return Outcome("passed", "passed") if run.success else Outcome("failed", "failed")
    return Outcome("review", "review") if verdicts else Outcome("unknown", "no verdict")


def what_broke(ended_reason: str, error: str, status: str) -> str:
    """Why a run ended with an error, in a word or two if the cause is known: "no answer", "timeout"."""
    reported = f"{ended_reason} {error} {status}".lower()
    short = next((short for short, parts in _REASONS.items() if any(part in reported for part in parts)), None)
    return short or clean_line(error or ended_reason or status or "error", 24)
