"""A run as the screens show it: frozen values, made off the UI loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from cekura_tui.model.run.outcome import Outcome, outcome_of
from cekura_tui.model.text import count

if TYPE_CHECKING:
    from cekura_tui.model.run.run import Run
    from cekura_tui.model.run.verdict import State, Verdict
    from cekura_tui.model.transcript.timeline import Call, Timeline
    from cekura_tui.model.transcript.transcript import Transcript


class RunRow(NamedTuple):
    """A line of the run list. `at` is Unix time; `duration` is "MM:SS" or empty; `status` is the server's word.
    `failing` has the names of failed checks: all of them if the run was read `whole`, else maybe only some. `as_text`
    is True for a text run, False for a voice run, and None if unknown."""

    id: int
    scenario: str
    personality: str
    agent_id: int | None
    agent: str
    outcome: Outcome
    duration: str
    at: float | None
    status: str = ""
    scenario_id: int | None = None
    personality_id: int | None = None
    result_id: int | None = None
    project_id: int | None = None
    as_text: bool | None = None
    reviewed: bool = False
    failing: tuple[str, ...] = ()
    whole: bool = False

    @property
    def failed_checks(self) -> int | None:
        """Number of failed checks of a failed run; None if unknown or not failed."""
        return len(self.failing) if self.whole and self.outcome.kind == "failed" else None

    @property
    def lacks_checks(self) -> bool:
        """Whether the run failed, and only the full run has the names of all failed checks."""
        return self.outcome.kind == "failed" and not self.whole

    @property
    def chip(self) -> str:
        """The outcome as screens show it, with the number of failed checks if it is known: "✗ 2 checks"."""
        checks = count(self.failed_checks, "check") if self.failed_checks else ""
        return f"{self.outcome.mark} {'reviewed' if self.is_reviewed else checks or self.outcome.text}"

    @property
    def is_reviewed(self) -> bool:
        """Whether a review decided the outcome, against which the verdicts may be."""
        return self.reviewed and self.outcome.kind in ("passed", "failed")

    @property
    def judged(self) -> str:
        """The outcome in a word or two, without the number of checks: "passed (reviewed)"."""
        return f"{self.outcome.text}{' (reviewed)' if self.is_reviewed else ''}"

    @property
    def seconds(self) -> int | None:
        return seconds_of(self.duration)

    def owner(self, kind: str) -> int | None:
        """Id of the run's project, agent or result; None if unknown."""
        return {"project": self.project_id, "agent": self.agent_id, "result": self.result_id}[kind]


def seconds_of(duration: str) -> int | None:
    """Parse "MM:SS" or "H:MM:SS" to seconds; None for any other text."""
    parts = duration.split(":")
    if not 2 <= len(parts) <= 3 or not all(part.isdecimal() and part.isascii() and len(part) <= 9 for part in parts):
        return None
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return total


@dataclass(frozen=True)
class RunView:
    """A whole run, read for display; `got_at` is when the server sent the run (Unix time). `source` is the cleaned
    object with every field; `sent` is the exact object, None if cleaning changed nothing. `why` names the error that
    made the program show a cached run; else empty. `repr` is short: Textual builds the `repr` of each worker's
    arguments. `review` is from `review_of`."""

    row: RunRow
    verdicts: tuple[Verdict, ...] = field(repr=False)
    transcript: Transcript = field(repr=False)
    details: tuple[tuple[str, str], ...] = field(repr=False)
    got_at: float
    cached: bool = False
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sent: Mapping[str, Any] | None = field(default=None, repr=False)
    why: str = ""
    review: tuple[Verdict, ...] = field(default=(), repr=False)

    @property
    def judgements(self) -> tuple[Verdict, ...]:
        """The review, if any, then the verdicts."""
        return (*self.review, *self.verdicts)

    @cached_property
    def timeline(self) -> Timeline:
        """The timeline of the call. Slow to compute for a long call, so first use it off the UI loop."""
        from cekura_tui.model.transcript.timeline import timeline_of  # not needed for a list of runs

        seconds = self.row.seconds
        return timeline_of(self.transcript.turns, None if seconds is None else float(seconds))

    @cached_property
    def call(self) -> Call:
        from cekura_tui.model.transcript.timeline import call_of

        return call_of(self.transcript.turns, self.timeline)


def row_of(run: Run, verdicts: Sequence[Verdict] | None = None) -> RunRow:
    """The list row of a run; pass `verdicts` if the verdicts of the run are already read."""
    if verdicts is None:
        from cekura_tui.model.run.verdict import read_verdicts  # not needed for cached rows

        verdicts = read_verdicts(run)
    return RunRow(
        id=run.id,
        scenario=run.scenario_name or (f"scenario {run.scenario}" if run.scenario is not None else ""),
        personality=run.personality_name or "",
        agent_id=run.agent,
        agent=run.agent_name or (f"agent {run.agent}" if run.agent is not None else ""),
        outcome=outcome_of(run, verdicts),
        duration=run.duration or "",
        at=run.at,
        status=(run.status or "").lower(),
        scenario_id=run.scenario,
        personality_id=run.personality,
        result_id=run.result_id,
        project_id=project if isinstance(project := run.source.get("project"), int) else None,
        as_text=run.run_as_text,
        reviewed=bool(run.is_reviewed) or (run.evaluation_status or "").lower().startswith("reviewed"),
        failing=tuple(verdict.name for verdict in verdicts if verdict.state == "fail"),
        whole=run.whole,
    )


def review_of(run: Run, row: RunRow) -> tuple[Verdict, ...]:
    """The review that decided the outcome of a run, as a verdict with the reviewer's feedback; else empty."""
    from cekura_tui.model.run.verdict import Verdict

    explanation = (run.feedback.strip(),) if run.feedback else ()
    state: State = "fail" if row.outcome.kind == "failed" else "pass"
    return (Verdict("metric", None, "Review", state, None, explanation=explanation),) if row.is_reviewed else ()


def filled(row: RunRow, whole: RunRow) -> RunRow:
    """Complete a list row from the row of the whole run, unless the run changed after it was read whole. The run counts
    as changed if it has another status or kind of outcome, or is now reviewed."""
    changed = (row.status, row.outcome.kind) != (whole.status, whole.outcome.kind)
    if changed or (row.reviewed and not whole.reviewed):
        return row
    return row._replace(outcome=whole.outcome, failing=whole.failing, reviewed=whole.reviewed, whole=whole.whole)


def view_of(run: Run, got_at: float, *, cached: bool = False) -> RunView:
    from cekura_tui.model.run.verdict import read_verdicts
    from cekura_tui.model.transcript.transcript import read_transcript

    verdicts = read_verdicts(run)
    row = row_of(run, verdicts)
    review = review_of(run, row)
    return RunView(
        row,
        verdicts,
        read_transcript(run),
        tuple(_details(run, reviewed=bool(review))),
        got_at,
        cached,
        source=run.source,
        sent=run.sent,
        review=review,
    )


def _details(run: Run, *, reviewed: bool) -> list[tuple[str, str]]:
    name, number = run.result_name or "", str(run.result_id or "")
    named = (
        ("status", run.status),
        ("evaluation", run.evaluation_status),
        ("ended", run.ended_reason),
        ("error", run.error_message),
        ("result", name if number in name else f"{name} {number}".strip()),
        ("kind", {True: "text", False: "voice", None: None}[run.run_as_text]),
        ("run type", run.run_type),
        ("call id", run.provider_call_id),
        ("trace", run.trace_id),
        ("from", run.outbound_number),
        ("to", run.inbound_number or run.agent_number),
        ("profile", run.test_profile_data.name if run.test_profile_data else None),
        ("feedback", None if reviewed else run.feedback),
    )
    return [(name, text) for name, text in named if text]
