"""The verdicts of a run as the API's JSON: metrics, rubric, expected outcome, critical categories."""

from __future__ import annotations

from typing import Any

from cekura_tui.demo.dialogue import DialogueTurn, Script, clock_text
from cekura_tui.demo.facts import Dice
from cekura_tui.demo.library import DemoAgent, Rule

Json = dict[str, Any]

# Metrics of the whole workspace; the ids never change.
LATENCY, TERMINATION, INFRASTRUCTURE, SENTIMENT, LANGUAGE, TALK_RATIO, VOICEMAIL = range(9001, 9008)


def rules_checked(agent: DemoAgent, script: Script) -> list[Rule]:
    return [rule for rule in agent.rules if rule.key == "turns" or rule.key in script.rules]


def row_metrics(rules: list[Rule], broken: frozenset[str]) -> list[Json]:
    kind, verdicts = "binary_workflow_adherence", [(rule, rule.key not in broken) for rule in rules]
    return [
        {"id": rule.metric, "name": rule.name, "type": kind, "score": 5 if passed else 0, "passed": passed}
        for rule, passed in verdicts
    ]


def _metric(number: int, name: str, kind: str, **fields: Any) -> Json:
    """A metric with the fields that all metrics have, overridden by `fields`."""
    usual: Json = {"score": None, "value": None, "enum": "", "explanation": [], "extra": {}}
    return {"id": number, "name": name, "type": kind} | usual | fields


def rule_metric(rule: Rule, failed: bool, turn: DialogueTurn | None, dice: Dice) -> Json:
    if rule.key == "turns":
        kind, score, value = "numeric", int(failed), str(int(failed))
    else:
        kind, score, value = "binary_workflow_adherence", 0 if failed else 5, str(not failed)
    reasons, extra = [f"Kept: {rule.requirement}"], {}
    if failed:
        reasons = [rule.finding, f"Expected: {rule.requirement}"]
        if turn is not None:
            reasons.insert(1, f'[{clock_text(turn.start)}] Main Agent: "{turn.text}"')
        deviation = {"category": rule.category_name, "deviation": rule.finding, "priority": rule.priority}
        extra = {"categories": [deviation]}
    explanation = " ".join(reasons) if dice.below(4) == 0 else reasons
    return _metric(rule.metric, rule.name, kind, score=score, value=value, explanation=explanation, extra=extra)


def declared_metrics(dice: Dice) -> list[Json]:
    """Metrics with a threshold in the rubric; of the two boolean ones, "True" passes the first, "False" the second."""
    latency = 700 + dice.below(900)
    measured: Json = {"score": latency, "value": str(latency), "explanation": [f"Median response after {latency} ms."]}
    extra = {"percentiles": {"p50": latency, "p90": latency * 1.6, "p99": None}}
    return [
        _metric(LATENCY, "Average latency (ms)", "numeric", **measured, extra=extra),
        _metric(TERMINATION, "Call ended properly", "boolean", value="True", explanation=["Both sides said goodbye."]),
        _metric(INFRASTRUCTURE, "Infrastructure issues", "boolean", value="False"),
    ]


def undeclared_metrics(dice: Dice, foreign: bool) -> list[Json]:
    """Metrics without a threshold. If the call is not `foreign`, the last metric did not apply (`trigger_failed`)."""
    mood = dice.choose(("positive", "neutral", "negative"))
    sounds = f"The caller sounds {mood} at the end of the call."
    ratio = round(dice.between(0.35, 0.7), 2)
    metrics = [
        _metric(SENTIMENT, "Caller sentiment", "enum", enum=mood, value=mood, explanation=sounds),
        _metric(TALK_RATIO, "Talk ratio", "numeric", score=ratio, enum=None, explanation=None, extra=None),
        _metric(VOICEMAIL, "Voicemail detected", "boolean", value="False", explanation=["A person answered."]),
    ]
    if not foreign:
        kind, why = "binary_workflow_adherence", ["The caller did not change the language."]
        metrics.append(_metric(LANGUAGE, "Language followed", kind, explanation=why, extra={"trigger_failed": True}))
    return metrics


def rubric_of(metrics: list[Json]) -> list[Json]:
    """`rubric`: result and threshold of each metric that has a threshold."""
    thresholds: dict[int, tuple[str, str, object]] = {
        LATENCY: ("score", "lte", 2500),
        TERMINATION: ("value", "eq", "True"),
        INFRASTRUCTURE: ("value", "eq", "False"),
    }
    entries: list[Json] = []
    for metric in metrics:
        if metric["id"] in thresholds:
            field, op, wanted = thresholds[metric["id"]]
        elif metric["type"] == "numeric" and metric["id"] != TALK_RATIO:
            field, op, wanted = "score", "lte", 0
        elif metric["type"] == "binary_workflow_adherence" and metric["score"] is not None:
            field, op, wanted = "score", "gte", 5
        else:
            continue
        got, explanation = metric[field], metric["explanation"]
        entries.append(
            {
                "metric_id": metric["id"],
                "metric_name": metric["name"],
                "value": got,
                "explanation": explanation if isinstance(explanation, list) else [explanation],
                "passed": got == wanted if op == "eq" else (got <= wanted if op == "lte" else got >= wanted),
                "conditions": f"{field} {op} {wanted}",
                "expected_conditions": {"operator": "and", "conditions": [{"field": field, "op": op, "value": wanted}]},
            }
        )
    return entries


def outcome_of(script: Script, broken: frozenset[str], evidence: dict[str, DialogueTurn], dice: Dice) -> Json:
    """The `expected_outcome` of a run. Its field `aligned` is a boolean in some runs, and "yes" or "no" in others."""
    in_words = dice.below(3) == 0
    marked = dice.below(2) == 0
    alignments: list[Json] = []
    explanation: list[str] = []
    met = 0
    for text, key in script.outcomes:
        aligned = key not in broken
        met += aligned
        turn = evidence.get(key) if key is not None else None
        outcome, word = (f"Met: {text}", "yes") if aligned else (f"Not met: {text}", "no")
        alignments.append({"outcome": outcome, "prompt_part": text, "aligned": word if in_words else aligned})
        mark = ("✅ " if aligned else "❌ ") if marked else ""
        where = f" See [{clock_text(turn.start)}]." if turn is not None and not aligned else ""
        explanation.append(f"{mark}{text}{'' if aligned else ' This did not happen.'}{where}")
    score = round(100 * met / len(script.outcomes))
    return {"score": score, "explanation": explanation, "outcome_alignments": alignments}


def categories_of(rules: list[Rule], broken: frozenset[str], dice: Dice) -> list[Json]:
    """`critical_categories`: one entry per broken rule, with the deviation as a text or as a number."""
    return [
        {
            "category_id": rule.category,
            "category": rule.category_name,
            "deviation": rule.finding if dice.below(2) else round(dice.between(0.4, 1.0), 2),
            "wrongly_marked": False,
            "feedback": "",
            "priority": rule.priority,
        }
        for rule in rules
        if rule.key in broken
    ]


def as_v2(metric: Json) -> Json:
    """The metric as API v2 sends it; only binary workflow metrics differ from v1."""
    if metric.get("type") != "binary_workflow_adherence":
        return metric
    rest = {key: value for key, value in metric.items() if key not in ("type", "score")}
    passed = None if metric["score"] is None else metric["score"] >= 5
    return rest | {"eval_type": "binary", "passed": passed}
