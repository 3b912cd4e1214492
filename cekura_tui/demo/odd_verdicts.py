"""Verdicts that point at the call in ways that differ from run to run, and a scale with a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cekura_tui.demo.dialogue import DialogueTurn, broken_at

Json = dict[str, Any]

EMPATHY = 9008


def missed(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """A score of 2 where 4 is needed, and the words that it is about."""
    said = [turn for turn in turns if turn.who == "A"]
    _judge(run, 2, [f'The agent answered a worried caller with "{said[len(said) // 2].text}" and nothing else.'])


def reached(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    """A score of 4 on the same scale."""
    _judge(run, 4, ["The agent stays friendly and lets the caller talk."])


def more_categories(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    """One that is no bug, and one that a person took back."""
    shared = {"deviation": 0.2, "wrongly_marked": False, "feedback": ""}
    taken_back = {"wrongly_marked": True, "feedback": "I listened to it: the agent did wait for the caller."}
    run["critical_categories"] += [
        {"category_id": 691, "category": "Greeting", "priority": "not_a_bug", **shared},
        {"category_id": 692, "category": "Patience", "priority": "critical", **shared, **taken_back},
    ]


def misquoted(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """The words as another transcription has them: no punctuation, no capitals, one word missing."""
    turn = _guilty(turns)
    words = "".join(letter for letter in turn.text.lower() if letter.isalnum() or letter in " '").split()
    del words[len(words) // 2]
    _point(run, f'The agent said "{" ".join(words)}", which is not what was asked for.')


def by_number(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """Turns by their number, from 1."""
    number = turns.index(_guilty(turns)) + 1
    _point(run, f"Turn {number} goes against the rule, and nothing in turns {number + 1}-{len(turns)} mends it.")


def by_tool(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """A tool by its name."""
    name = next(turn.text.partition(" ")[0] for turn in turns if turn.who == "T")
    _point(run, f"The agent called `{name}` before the caller had agreed to it.")


def vague(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    """Nothing that could be looked up."""
    line, metric = _failed(run)
    line["explanation"] = metric["explanation"] = [
        "Overall the call is below the standard that was set for this check."
    ]


def _guilty(turns: Sequence[DialogueTurn]) -> DialogueTurn:
    return next(turn for turn in broken_at(list(turns)).values() if turn.who == "A")


def _point(run: Json, reason: str) -> None:
    """Let the first check that failed give this reason after what was found, wherever it is told."""
    line, metric = _failed(run)
    line["explanation"] = metric["explanation"] = [metric["extra"]["categories"][0]["deviation"], reason]


def _failed(run: Json) -> tuple[Json, Json]:
    """The first check that failed: its line in the rubric, and its metric."""
    line = next(line for line in run["rubric"] if not line["passed"])
    return line, next(metric for metric in run["evaluation"]["metrics"] if metric["id"] == line["metric_id"])


def _judge(run: Json, score: int, explanation: list[str]) -> None:
    metric = {"id": EMPATHY, "name": "Empathy (1 to 5)", "type": "numeric", "score": score, "value": str(score)}
    run["evaluation"]["metrics"].append({**metric, "enum": "", "explanation": explanation, "extra": {}})
    condition = {"field": "score", "op": "gte", "value": 4}
    run["rubric"].append(
        {
            "metric_id": EMPATHY,
            "metric_name": metric["name"],
            "value": score,
            "explanation": explanation,
            "passed": score >= 4,
            "conditions": "score gte 4",
            "expected_conditions": {"operator": "and", "conditions": [condition]},
        }
    )
