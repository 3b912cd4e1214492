"""Evidence is searched once per version of a run, without blocking the event loop."""

from __future__ import annotations

import asyncio

import pytest
from scripted_server import run_of

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.workspace import opened_runs
from cekura_tui.workspace.opened_runs import RunEvidence

SAID = "I want to book the terrace for nine people."


def view(number: int = 5, score: object = 0, turns: int = 2) -> RunView:
    """A run with one metric, whose explanation quotes the last turn of the call."""
    metric = {
        "id": 4,
        "name": "Books it",
        "type": "binary_workflow_adherence",
        "score": score,
        "explanation": [f'The caller said "{SAID}" and was not heard.'],
    }
    said = [f"[00:{n % 60:02}] Main Agent: Hello, caller {n}." for n in range(turns - 1)]
    text = "\n".join([*said, f"[59:59] Testing Agent: {SAID}"])
    return view_of(Run.read(run_of(number, transcript=text, evaluation={"metrics": [metric]})), 0.0)


async def test_evidence_is_cached_until_the_run_changes() -> None:
    evidence = RunEvidence()
    first = await evidence.find(view())
    assert [[one.n for one in found.turns] for _, found in first] == [[2]]
    assert await evidence.find(view()) is first
    assert await evidence.find(view(turns=3)) is not first
    assert [verdict.state for verdict, _ in await evidence.find(view(turns=3, score=None))] == []


async def test_a_review_and_the_texts_of_categories_have_evidence() -> None:
    heard = f'Did not hear "{SAID}".'
    judged: dict[str, object] = {
        "critical_categories": [
            {"category": "Care", "priority": "critical", "deviation": heard, "feedback": "Agreed."}
        ],
        "evaluation": {"metrics": [{"name": "Tone", "score": 0, "extra": {"categories": [{"deviation": heard}]}}]},
        "evaluation_status": "reviewed_failure",
        "is_reviewed": True,
        "feedback": heard,
    }
    run = Run.read(run_of(5, transcript=f"[00:01] Caller: {SAID}", **judged))
    found = await RunEvidence().find(view_of(run, 0.0))
    assert [(verdict.name, [one.n for one in cited.turns]) for verdict, cited in found] == [
        ("Review", [1]),
        ("Care", [1]),
        ("Tone", [1]),
    ]


async def test_the_evidence_of_the_last_eight_runs_is_cached() -> None:
    evidence = RunEvidence()
    found = [await evidence.find(view(number)) for number in range(9)]
    assert await evidence.find(view(1)) is found[1]
    assert await evidence.find(view(0)) is not found[0]


async def test_long_explanations_are_searched_only_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = [{"name": f"Rule {n}", "score": 0, "explanation": [f'He said "{SAID}".' + " " * 90]} for n in range(9)]
    long = view_of(Run.read(run_of(1, transcript=f"[00:01] Caller: {SAID}", evaluation={"metrics": metrics})), 0.0)
    monkeypatch.setattr(opened_runs, "MAX_EXPLAINED", sum(map(len, long.verdicts[0].reasons)) + 1)
    assert [verdict.name for verdict, _ in await RunEvidence().find(long)] == ["Rule 0", "Rule 1"]


async def test_the_event_loop_is_not_blocked_by_a_long_call() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    ((_, found),) = await RunEvidence().find(view(turns=600))
    beside.cancel()
    assert turns > 2
    assert [one.n for one in found.turns] == [600]
