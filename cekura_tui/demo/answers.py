"""Build the API's JSON for runs, results, agents, scenarios and projects."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from math import inf
from typing import Any

from cekura_tui.demo import evaluation
from cekura_tui.demo.corpus import PROJECT_IDS, PROJECT_NAMES, Corpus
from cekura_tui.demo.dialogue import (
    DialogueTurn,
    Script,
    as_objects,
    as_text,
    broken_at,
    clock_text,
    in_english,
    speak,
    stretched,
)
from cekura_tui.demo.evaluation import Json
from cekura_tui.demo.facts import UNJUDGED, Dice, Facts, Kind, Shape, reason_of, roll, success_of
from cekura_tui.demo.library import FIRST_VERSIONS, DemoAgent, HistoryRow
from cekura_tui.demo.people import PERSONALITIES, details_of

_ERRORS = {
    Kind.NO_ANSWER: "No answer: the agent's number rang for 45 seconds.",
    Kind.DROPPED: "The call dropped: the agent's side stopped sending audio.",
    Kind.TIMEOUT: "The run took longer than the maximum of 10 minutes.",
    Kind.CANCELLED: "The run was cancelled before it was connected.",
    Kind.ERRORED: "The simulated caller lost its connection near the end; the evaluation may be incomplete.",
}
_EVALUATIONS = {
    Kind.PASSED: "success",
    Kind.FAILED: "failure",
    Kind.REVIEWED_SUCCESS: "reviewed_success",
    Kind.REVIEWED_FAILURE: "reviewed_failure",
    Kind.ERRORED: "success",
}
_JUDGED = tuple(_EVALUATIONS)
_BEFORE_CALL = ("in_queue", "pending", "scaling_up")
"""Statuses of a run whose call has not started."""
_DIAL_WINDOW = 120
"""Seconds within which an outbound agent has to dial."""
MONO_RUN = 900_210


def call_id_of(run_id: int) -> str:
    return f"call_{run_id * 2_654_435_761 % 2**32:08x}"


def caller_channel(run_id: int) -> int | None:
    """The caller's channel in a run's recording; None if the recording has one channel."""
    return None if run_id == MONO_RUN else roll(run_id, 12) % 4 // 3


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_ROW_METRIC_FIELDS = ("id", "name", "type", "score", "value", "enum")


def run_row(corpus: Corpus, facts: Facts) -> Json:
    """A run as a row of the list. Runs to review have metrics, half of the judged runs critical categories as well."""
    row = _shared(corpus, facts)
    if facts.fate.kind is Kind.REVIEW:
        measured = evaluation.undeclared_metrics(Dice(facts.id + 500_000_000), False)
        row["metrics"] = [{name: metric[name] for name in _ROW_METRIC_FIELDS} for metric in measured]
    if facts.fate.kind in _JUDGED and roll(facts.id, 8) % 2 == 0:
        broken = judged_broken(corpus, facts)
        rules = evaluation.rules_checked(corpus.agent_of(facts), corpus.script_of(facts))
        row["metrics"] = evaluation.row_metrics(rules, broken)
        row["critical_categories"] = evaluation.categories_of(rules, broken, Dice(facts.id))
    return row


def run_whole(corpus: Corpus, facts: Facts, version: int = 1) -> Json:
    """A run with all fields, as in `runs/{id}/` and `runs/bulk/`; `version` is the version of the API."""
    agent, script = corpus.agent_of(facts), corpus.script_of(facts)
    turns = turns_of(corpus, facts)
    whole = _shared(corpus, facts) | {
        "scenario_type": "instruction",
        "scenario_instructions": script.about,
        "result_name": result_name(corpus, facts),
        "expected_outcome_prompt": "\n".join(f"- {text}" for text, _ in script.outcomes),
        "is_reviewed": facts.fate.kind in (Kind.REVIEWED_SUCCESS, Kind.REVIEWED_FAILURE),
        "feedback": _feedback(corpus, facts),
        "email_id": None,
        "testing_channel_index": caller_channel(facts.id) if turns else None,
    }
    whole |= call_details(facts, agent, turns)
    whole |= _transcript(facts, turns) | _verdicts(corpus, facts, turns, version)
    if (extra := corpus.extra_runs.get(facts.id)) is not None and extra.answer is not None:
        extra.answer(whole, turns)
    return whole


def result_name(corpus: Corpus, facts: Facts) -> str:
    name = "" if facts.started is None else facts.started.name
    return name or f"{corpus.agent_of(facts).name}: batch {facts.result_id}"


def agent_version(agent: DemoAgent, facts: Facts) -> Any:
    return agent.version(FIRST_VERSIONS + agent.id if facts.started is None else facts.started.version)


def turns_of(corpus: Corpus, facts: Facts) -> list[DialogueTurn]:
    """The turns of a call so far; empty if the call was not answered, was cancelled or has not started."""
    if facts.end in (Kind.NO_ANSWER, Kind.CANCELLED) or facts.fate.status in _BEFORE_CALL:
        return []
    dice = Dice(facts.caller)
    script = corpus.script_of(facts)
    cut = 5 + dice.below(3) if facts.end is Kind.DROPPED else None
    turns = speak(script, PERSONALITIES[facts.personality], corpus.broken(facts), dice, cut)
    lasts = None if facts.end is Kind.TIMEOUT else facts.lasts
    turns = stretched(turns, turns[-1].end if lasts is None else lasts)
    if (extra := corpus.extra_runs.get(facts.id)) is not None and extra.call is not None:
        turns = extra.call(turns)
    spoken = inf if facts.spoken is None else facts.spoken
    # Compare the end of each turn, so that a finished turn never changes.
    return list(takewhile(lambda turn: turn.end <= spoken, turns))


def judged_broken(corpus: Corpus, facts: Facts) -> frozenset[str]:
    """Rules that a run breaks according to its verdicts: none if only a reviewer found the failure."""
    return frozenset() if facts.fate.kind is Kind.REVIEWED_FAILURE else corpus.broken(facts)


def _shared(corpus: Corpus, facts: Facts) -> Json:
    agent, script, kind = corpus.agent_of(facts), corpus.script_of(facts), facts.fate.kind
    started = facts.fate.status not in _BEFORE_CALL
    reason = reason_of(facts.id, kind)
    shared: Json = {
        "id": facts.id,
        "provider_call_id": call_id_of(facts.id) if started else None,
        "trace_id": None,
        "scenario": script.id,
        "scenario_name": script.name,
        "personality": PERSONALITIES[facts.personality].id,
        "personality_name": PERSONALITIES[facts.personality].name,
        "result_id": facts.result_id,
        "agent": agent.id,
        "agent_name": agent.name,
        "agent_version": agent_version(agent, facts),
        "duration": None if facts.seconds is None else clock_text(facts.seconds),
        "status": facts.fate.status,
        "evaluation_status": _EVALUATIONS.get(kind),
        "timestamp": iso(facts.at),
        "executed_at": iso(facts.at + 4) if started else None,
        "metadata": {"ended_reason": reason, "ringing_duration": 2.4 if started else None, "call_type": "inbound"},
        "outbound_number": "+15550190001" if started and not facts.as_text else None,
        "inbound_number": agent.number,
        "agent_number": agent.number,
        "error_message": _ERRORS.get(kind),
        "run_as_text": facts.as_text,
        "run_type": "text" if facts.as_text else "voice",
        "project": PROJECT_IDS[facts.project],
    }
    if (begun := facts.started) is not None:
        waits = facts.fate.status in _BEFORE_CALL and not agent.setup["inbound"]
        shared |= {
            "executed_at": iso(begun.begins) if started else None,
            "outbound_dial_window_opens_at": iso(begun.waits) if waits else None,
            "outbound_dial_window_seconds": _DIAL_WINDOW if waits else None,
            "outbound_dial_window_closes_at": iso(begun.waits + _DIAL_WINDOW) if waits else None,
        }
        if begun.way not in BY_NUMBER:
            shared |= dict.fromkeys(("outbound_number", "inbound_number", "agent_number"))
    success = success_of(facts.fate)
    return shared if success is None else shared | {"success": success}


def _feedback(corpus: Corpus, facts: Facts) -> str:
    if facts.fate.kind is Kind.REVIEWED_SUCCESS:
        return "Listened to the recording: the agent did what was asked, the check was too strict here."
    if facts.fate.kind is Kind.REVIEWED_FAILURE:
        agent = corpus.agent_of(facts)
        found = [agent.rule(key) for key in sorted(corpus.broken(facts))]
        return " ".join(f"The check missed this. {rule.name}: {rule.finding}" for rule in found)
    return ""


def _transcript(facts: Facts, turns: list[DialogueTurn]) -> Json:
    if not turns or facts.shape is Shape.NONE:
        return {"transcript": None, "transcript_object": None}
    objects: Any = None
    if facts.shape is Shape.TEXT_EMPTY:
        objects = []
    elif facts.shape is Shape.ENCRYPTED:
        sealed = base64.b64encode(hashlib.sha512(str(facts.id).encode()).digest()).decode()
        objects = {"__encrypted__": f"gAAAAAB{sealed}"}
    elif facts.shape is not Shape.TEXT:
        objects = as_objects(turns, facts.shape is Shape.STAMPED)
    return {"transcript": as_text(turns), "transcript_object": objects}


def _verdicts(corpus: Corpus, facts: Facts, turns: list[DialogueTurn], version: int) -> Json:
    agent, script = corpus.agent_of(facts), corpus.script_of(facts)
    dice = Dice(facts.id + 500_000_000)
    foreign = not all(in_english(line.text) for line in turns)
    if facts.fate.kind is Kind.REVIEW:
        metrics = evaluation.undeclared_metrics(dice, foreign)
        return {"evaluation": {"metrics": metrics}, "rubric": [], "expected_outcome": {}, "critical_categories": []}
    if facts.fate.kind not in _JUDGED:
        return {"evaluation": None, "rubric": None, "expected_outcome": None, "critical_categories": []}
    broken = judged_broken(corpus, facts)
    evidence = broken_at(turns)
    rules = evaluation.rules_checked(agent, script)
    metrics = [evaluation.rule_metric(rule, rule.key in broken, evidence.get(rule.key), dice) for rule in rules]
    metrics += evaluation.declared_metrics(dice) + evaluation.undeclared_metrics(dice, foreign)
    outcome = evaluation.outcome_of(script, broken, evidence, dice)
    return {
        "evaluation": {"metrics": [evaluation.as_v2(metric) for metric in metrics] if version == 2 else metrics},
        "rubric": evaluation.rubric_of(metrics),
        "expected_outcome": outcome,
        "critical_categories": evaluation.categories_of(rules, broken, dice),
    }


def call_details(facts: Facts, agent: DemoAgent, turns: Sequence[DialogueTurn]) -> Json:
    """Path of the recording (not of text, some voice and unfinished runs), provider, test profile and tool calls."""
    over = bool(turns) and facts.fate.kind is not Kind.LIVE
    recorded = over and not facts.as_text and roll(facts.id, 10) % 8 > 0
    call = call_id_of(facts.id)
    return {
        "voice_recording_url": f"/recordings/{facts.result_id}/{call}.wav" if recorded else None,
        "provider_call_details": _provider(facts, agent, call, over) if turns else None,
        "test_profile_data": profile_of(facts.caller),
        "generated_mock_tool_entries": _tool_entries(turns),
        "mocked_tool_names": list(agent.mocked if facts.started is None else facts.started.mocks),
    }


def _provider(facts: Facts, agent: DemoAgent, call: str, over: bool) -> Json:
    dice = Dice(facts.id + 700_000_000)
    details: Json = {
        "provider": agent.provider,
        "call": {"id": call, "assistant": agent.assistant_id, "direction": "inbound"},
        "transport": {"kind": "websocket" if facts.as_text else "sip", "codec": None if facts.as_text else "PCMU/8000"},
    }
    if over:
        steps = {"transcriber": dice.below(180), "model": 300 + dice.below(600), "voice": 90 + dice.below(200)}
        details["latency_ms"] = steps | {"total": sum(steps.values())}
        details["cost"] = {
            "currency": "USD",
            "items": [{"of": name, "amount": ms / 20_000} for name, ms in steps.items()],
        }
    return details


def profile_of(run_id: int) -> Json | None:
    """The simulated caller's profile in a run, with the values that the script uses; None if the run has no profile."""
    if roll(run_id, 11) % 3 == 0:
        return None
    names = details_of(Dice(run_id))
    return {
        "id": FIRST_PROFILE + run_id % 1000,
        "name": names["caller"],
        "information": {
            "date_of_birth": names["dob"],
            "phone": names["phone"],
            "address": {"street": names["street"], "city": names["city"]},
            "on_file": {"code": names["code"], "card_ends_in": names["card"], "notes": []},
        },
    }


def _tool_entries(turns: Sequence[DialogueTurn]) -> list[Json]:
    entries: list[Json] = []
    for turn in turns:
        if turn.who == "T":
            name, _, arguments = turn.text.partition(" ")
            entries.append({"tool_name": name, "information": [{"input": json.loads(arguments), "output": None}]})
        elif turn.who == "R" and entries:
            entries[-1]["information"][0]["output"] = json.loads(turn.text)
    return entries


FIRST_PROFILE = 3000
BY_NUMBER = ("", "_sip")
"""Ways of calling in which runs have telephone numbers, as suffixes of `run_scenarios`."""
_RESULT_RUN = (
    *("id", "scenario", "scenario_name", "personality_name", "status", "evaluation_status", "duration", "success"),
    *("timestamp", "executed_at", "error_message", "metadata", "inbound_number", "outbound_number"),
)
ORGANIZATION_ID = 310
_ORGANIZATION = {"id": ORGANIZATION_ID, "name": "Demo workspace"}


def project_list() -> list[Json]:
    return [
        {"id": project_id, "name": name, "organization": _ORGANIZATION, "is_deleted": False}
        for project_id, name in zip(PROJECT_IDS, PROJECT_NAMES, strict=True)
    ]


def agent_v1(agent: DemoAgent, made: float, changed: float) -> Json:
    """An agent in API v1. The prompt is in both `description` and `llm_system_prompt`."""
    return _agent(agent, made, changed) | {
        "agent_name": agent.name,
        "description": agent.prompt,
        "llm_system_prompt": agent.prompt,
        "assistant_id": agent.assistant_id,
    }


def agent_v2(agent: DemoAgent, made: float, changed: float) -> Json:
    kind = "custom" if agent.provider == "self_hosted" else agent.setup["assistant_provider"]
    return _agent(agent, made, changed) | {
        "name": agent.name,
        "description": agent.prompt,
        "agent_speaks_first": True,
        "telephony": {"phone_number": agent.setup["contact_number"] or None, "inbound": agent.setup["inbound"]},
        "provider": {
            "type": kind,
            "agent_id": agent.assistant_id,
            "auto_dial_outbound": False,
            "auto_import_calls": False,
            "auto_sync_prompt": agent.auto_sync,
            "redact_fields": [],
        },
    }


def _agent(agent: DemoAgent, made: float, changed: float) -> Json:
    return {
        "id": agent.id,
        "project": PROJECT_IDS[agent.project],
        "language": agent.language,
        "created_at": iso(made),
        "updated_at": iso(changed),
        **agent.setup,
    }


def agent_history(version: HistoryRow, is_first: bool) -> Json:
    return {
        "history_id": version.id,
        "history_date": iso(version.changed),
        "history_type": "+" if is_first else "~",
        "history_change_reason": version.reason,
        "version_id": f"v{version.id}",
        "version_name": None,
        "id": version.agent.id,
        "agent_name": version.agent.name,
        "language": version.agent.language,
        "description": version.agent.prompt,
    }


def scenario_folder(agent: DemoAgent) -> str:
    return agent.name.replace(".", "")


def scenario(corpus: Corpus, agent: DemoAgent, script: Script, whole: bool = False) -> Json:
    """A scenario; the tags are the rules that the agent can break in it. In a row, the metrics are texts."""
    own = corpus.reference(agent, script.id)
    personality, profile = PERSONALITIES[own.personality], profile_of(own.id)
    metrics, names = zip(*((rule.metric, rule.name) for rule in map(agent.rule, script.rules)), strict=True)
    shown = {
        "id": script.id,
        "name": script.name,
        "agent": agent.id,
        "agent_name": agent.name,
        "personality": personality.id,
        "personality_name": personality.name,
        "test_profile": profile and profile["id"],
        "expected_outcome_prompt": "\n".join(f"- {text}" for text, _ in script.outcomes),
        "instructions": script.about,
        "scenario_type": "instruction",
        "scenario_language": agent.language,
        "tags": list(script.rules),
        "metrics": list(metrics) if whole else ",".join(map(str, metrics)),
        "metric_names": list(names) if whole else ", ".join(names),
        "folder_path": scenario_folder(agent),
    }
    return shown if profile is None else shown | {"test_profile_data": profile | {"agent": agent.id}}


def result_row(corpus: Corpus, result_id: int) -> Json:
    """A result as a row of the list: the counts are strings, and `success_rate` is a number from 0 to 1."""
    members, shared = _result(corpus, result_id)
    good, done = shared["success_runs_count"], shared["completed_runs_count"]
    shared |= {name: str(value) for name, value in shared.items() if name.endswith("_count")}
    return shared | {
        "agent_inbound": corpus.agent_of(members[0]).setup["inbound"],
        "success_rate": round(good / done, 4) if done else 0.0,
        "runs": [{"id": facts.id, "status": facts.fate.status} for facts in members],
    }


def result_whole(corpus: Corpus, result_id: int) -> Json:
    """A result with its runs by id; `success_rate` is a number from 0 to 100."""
    members, shared = _result(corpus, result_id)
    good, done = shared["success_runs_count"], shared["completed_runs_count"]
    errors = [facts for facts in members if facts.fate.kind in (Kind.NO_ANSWER, Kind.CANCELLED)]
    runs: dict[str, Any] = {}
    for facts in members:
        row = run_row(corpus, facts)
        runs[str(facts.id)] = {key: row[key] for key in _RESULT_RUN if key in row}
    return shared | {
        "success_rate": round(100 * good / done, 2) if done else 0.0,
        "runs": runs,
        "overall_evaluation": {},
        "total_duration": clock_text(sum(facts.seconds or 0 for facts in members)),
        "connected_runs": len(members) - len(errors),
        "not_connected_runs": len(errors),
        "ai_summary": None,
        "ai_summary_status": "completed",
    }


def _result(corpus: Corpus, result_id: int) -> tuple[list[Facts], Json]:
    """The runs of a result, newest first, and the fields that the result has in every answer."""
    members = [facts for run_id in corpus.runs_of_result(result_id) if (facts := corpus.facts(run_id)) is not None]
    agent, first = corpus.agent_of(members[0]), members[0]
    done = [facts for facts in members if facts.fate.kind is not Kind.LIVE]
    good = [facts for facts in done if success_of(facts.fate)]
    errored = [facts for facts in done if facts.fate.kind in UNJUDGED]
    scripts = {corpus.script_of(facts).id: corpus.script_of(facts).name for facts in members}
    return members, {
        "id": result_id,
        "name": result_name(corpus, first),
        "agent": agent.id,
        "agent_name": agent.name,
        "agent_version": agent_version(agent, first),
        "status": _status(members, done),
        "run_as_text": first.as_text,
        "is_cronjob": first.started is None and result_id % 3 == 0,
        "met_expected_outcome_count": len(good),
        "total_expected_outcome_count": len(done),
        "total_runs_count": len(members),
        "completed_runs_count": len(done),
        "success_runs_count": len(good),
        # Like the API: errored, timed-out and cancelled runs are in neither count.
        "failed_runs_count": len(done) - len(good) - len(errored),
        "scenarios": [{"id": key, "name": name} for key, name in scripts.items()],
        "run_type": "text" if first.as_text else "voice",
        "created_at": iso(members[-1].at),
        "updated_at": iso(members[0].at),
    }


def _status(members: list[Facts], done: list[Facts]) -> str:
    """The status of a result. One run that completed is enough for `completed`."""
    words = {facts.fate.status for facts in members}
    if len(done) == len(members):
        return next((word for word in ("completed", "cancelled") if word in words), "failed")
    if {facts.fate.status for facts in members if facts.fate.kind is Kind.LIVE} == {"evaluating"}:
        return "evaluating"
    return "pending" if words.issubset(_BEFORE_CALL) else "running"
