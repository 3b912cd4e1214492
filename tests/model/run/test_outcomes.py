from __future__ import annotations

from typing import Any

import pytest

from cekura_tui.model.run.outcome import Outcome, outcome_of
from cekura_tui.model.run.run import Run

FAILING: dict[str, Any] = {
    "metrics": [{"id": 1, "name": "a", "passed": False}, {"id": 2, "name": "b", "passed": False}]
}


def outcome(**fields: Any) -> Outcome:
    return outcome_of(Run.read({"id": 1, **fields}))


@pytest.mark.parametrize("status", ["running", "pending", "in_progress", "evaluating", "in_queue", "scaling_up", "new"])
def test_a_run_that_is_not_final_is_running_whatever_else_it_says(status: str) -> None:
    assert outcome(status=status, evaluation_status="failure", success=False).kind == "running"


def test_the_state_of_a_running_run_is_readable() -> None:
    assert outcome(status="in_queue") == Outcome("running", "in queue")


@pytest.mark.parametrize(
    ("word", "kind"),
    [("success", "passed"), ("failure", "failed"), ("reviewed_success", "passed"), ("reviewed_failure", "failed")],
)
def test_the_evaluation_decides_before_status_flag_and_error(word: str, kind: str) -> None:
    told = outcome(status="failed", evaluation_status=word, success=kind == "failed", error_message="x")
    assert told.kind == kind
    assert ("review" in told.text) == word.startswith("reviewed")


def test_the_number_of_failing_checks_is_told_where_it_is_known() -> None:
    whole = {**FAILING, "evaluation": None}
    assert outcome(status="completed", evaluation_status="failure", **whole).text == "2 checks"
    assert outcome(status="completed", evaluation_status="failure", **FAILING).text == "failed"
    assert outcome(status="completed", evaluation_status="failure").text == "failed"


@pytest.mark.parametrize("status", ["failed", "timeout", "cancelled"])
def test_a_run_that_broke_is_an_error_not_a_failed_check(status: str) -> None:
    assert outcome(status=status, success=False).kind == "error"


def test_an_error_message_alone_is_an_error_but_not_beside_verdicts() -> None:
    assert outcome(status="completed", success=False, error_message="No audio").kind == "error"
    assert outcome(status="completed", success=False, error_message="No audio", **FAILING).kind == "failed"


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("call-no-answer", "no answer"),
        ("customer-busy", "busy"),
        ("call-rejected", "rejected"),
        ("exceeded-max-duration", "too long"),
        ("silence-timed-out", "silence"),
        ("main agent disconnected", "dropped"),
        ("Something else", "Something else"),
    ],
)
def test_an_error_says_in_few_words_what_broke(reason: str, text: str) -> None:
    assert outcome(status="failed", metadata={"ended_reason": reason}) == Outcome("error", text)


def test_the_flag_decides_where_there_is_no_evaluation() -> None:
    assert outcome(status="completed", success=True).kind == "passed"
    assert outcome(status="completed", success=False).kind == "failed"


def test_verdicts_that_do_not_tell_are_to_be_reviewed() -> None:
    assert outcome(status="completed", metrics=[{"id": 1, "name": "a", "score": 50}]).kind == "review"


def test_a_run_that_says_nothing_is_unknown() -> None:
    assert outcome(status="completed") == Outcome("unknown", "no verdict")
    assert outcome() == Outcome("unknown", "no verdict")


def test_undeclared_words_do_not_break_the_outcome() -> None:
    assert outcome(status="Completed", evaluation_status="inconclusive", success=True).kind == "passed"


def test_every_kind_has_a_mark_of_its_own() -> None:
    kinds = ("passed", "failed", "error", "running", "review", "unknown")
    assert len({Outcome(kind, "").mark for kind in kinds}) == len(kinds)  # type: ignore[arg-type]
