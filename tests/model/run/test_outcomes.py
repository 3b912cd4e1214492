from __future__ import annotations

from typing import Any

import pytest

from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of

FAILING: dict[str, Any] = {"metrics": [{"id": n, "name": f"Check {n}", "passed": False} for n in (1, 2)]}


def outcome(**fields: Any) -> Outcome:
    return row_of(Run.read({"id": 1, **fields})).outcome


@pytest.mark.parametrize("status", ["running", "pending", "in_progress", "evaluating", "in_queue", "scaling_up", "new"])
def test_a_run_without_a_final_status_is_running(status: str) -> None:
    assert outcome(status=status, evaluation_status="failure", success=False).kind == "running"


@pytest.mark.parametrize(
    ("word", "kind"),
    [("success", "passed"), ("failure", "failed"), ("reviewed_success", "passed"), ("reviewed_failure", "failed")],
)
def test_the_evaluation_takes_precedence_over_status_and_success_flag_and_error(word: str, kind: str) -> None:
    read = outcome(status="failed", evaluation_status=word, success=kind == "failed", error_message="x")
    assert read == (kind, kind)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        *(("call-no-answer", "no answer"), ("customer-busy", "busy"), ("call-rejected", "rejected")),
        *(("exceeded-max-duration", "too long"), ("silence-timed-out", "silence")),
        *(("main agent disconnected", "dropped"), ("Something else", "Something else")),
    ],
)
def test_an_error_outcome_has_a_short_text_for_its_cause(reason: str, text: str) -> None:
    assert outcome(status="failed", metadata={"ended_reason": reason}) == Outcome("error", text)


DONE = {"status": "completed"}
FAILURE = {**DONE, "evaluation_status": "failure"}
NO_AUDIO = {**DONE, "success": False, "error_message": "No audio"}


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"status": "in_queue"}, "running", "in queue"),
        ({**FAILURE, **FAILING, "evaluation": None}, "failed", "failed"),
        ({**FAILURE, **FAILING}, "failed", "failed"),
        (FAILURE, "failed", "failed"),
        *(({"status": status, "success": False}, "error", "") for status in ("failed", "timeout", "cancelled")),
        (NO_AUDIO, "error", ""),
        ({**NO_AUDIO, **FAILING}, "failed", ""),
        ({**DONE, "success": True}, "passed", ""),
        ({**DONE, "success": False}, "failed", ""),
        ({**DONE, "metrics": [{"id": 1, "name": "a", "score": 50}]}, "review", ""),
        (DONE, "unknown", "no verdict"),
        ({}, "unknown", "no verdict"),
        ({"status": "Completed", "evaluation_status": "inconclusive", "success": True}, "passed", ""),
    ],
)
def test_each_combination_of_fields_gives_the_expected_outcome(fields: dict[str, Any], kind: str, text: str) -> None:
    read = outcome(**fields)
    assert (read.kind, read.text if text else "") == (kind, text)


def test_every_kind_of_outcome_has_its_own_mark() -> None:
    kinds = ("passed", "failed", "error", "running", "review", "unknown")
    assert len({Outcome(kind, "").mark for kind in kinds}) == len(kinds)  # type: ignore[arg-type]
