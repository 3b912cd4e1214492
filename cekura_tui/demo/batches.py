"""What the API answers about results, agents and projects."""

from __future__ import annotations

from typing import Any

from cekura_tui.demo.answers import Json, iso, run_row
from cekura_tui.demo.corpus import PROJECT_IDS, PROJECT_NAMES, Corpus
from cekura_tui.demo.dialogue import clock_text
from cekura_tui.demo.facts import Facts, Kind, success_of
from cekura_tui.demo.library import DemoAgent

_RESULT_RUN = (
    *("id", "scenario", "scenario_name", "personality_name", "status", "evaluation_status", "duration", "success"),
    *("timestamp", "executed_at", "error_message", "metadata", "inbound_number", "outbound_number"),
)
_ORGANIZATION = {"id": 310, "name": "Embedded workspace"}


def project_list() -> list[Json]:
    return [
        {"id": project_id, "name": name, "organization": _ORGANIZATION, "is_deleted": False}
        for project_id, name in zip(PROJECT_IDS, PROJECT_NAMES, strict=True)
    ]


def agent_v1(agent: DemoAgent, prompt: str, changed: float) -> Json:
    """An agent in the first version; its prompt is `description`."""
    return _agent(agent, changed) | {
        "agent_name": agent.name,
        "contact_number": agent.number,
        "inbound": True,
        "description": prompt,
        "llm_system_prompt": prompt,
        "assistant_id": f"asst_{agent.id}",
        "assistant_provider": agent.provider,
        "auto_sync_prompt_enabled": agent.auto_sync,
    }


def agent_v2(agent: DemoAgent, prompt: str, changed: float) -> Json:
    """An agent in the second version."""
    kind = "custom" if agent.provider == "self_hosted" else agent.provider
    return _agent(agent, changed) | {
        "name": agent.name,
        "description": prompt,
        "agent_speaks_first": True,
        "provider": {
            "type": kind,
            "agent_id": f"asst_{agent.id}",
            "auto_dial_outbound": False,
            "auto_import_calls": False,
            "auto_sync_prompt": agent.auto_sync,
            "redact_fields": [],
        },
    }


def agent_short(agent: DemoAgent, changed: float) -> Json:
    """An agent in the short list: no prompt."""
    return _agent(agent, changed) | {
        "agent_name": agent.name,
        "organization": _ORGANIZATION["id"],
        "contact_number": agent.number,
        "inbound": True,
        "agent_gives_first_message": True,
    }


def _agent(agent: DemoAgent, changed: float) -> Json:
    return {
        "id": agent.id,
        "project": PROJECT_IDS[agent.project],
        "language": agent.language,
        "created_at": iso(changed - 90 * 86_400),
        "updated_at": iso(changed),
    }


def result_row(corpus: Corpus, result_id: int) -> Json:
    """A result in a list: some counts are text, and the rate is a share of 1."""
    members = _members(corpus, result_id)
    shared = _result(corpus, result_id, members)
    shared["total_runs_count"] = str(shared["total_runs_count"])
    good, done = shared["success_runs_count"], shared["completed_runs_count"]
    return shared | {
        "agent_inbound": True,
        "success_rate": round(good / done, 4) if done else 0.0,
        "runs": [{"id": facts.id, "status": facts.fate.status} for facts in members],
    }


def result_whole(corpus: Corpus, result_id: int) -> Json:
    """A result with its runs, by id; here the rate is a share of 100."""
    members = _members(corpus, result_id)
    shared = _result(corpus, result_id, members)
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


def _members(corpus: Corpus, result_id: int) -> list[Facts]:
    return [facts for run_id in corpus.runs_of_result(result_id) if (facts := corpus.facts(run_id)) is not None]


def _result(corpus: Corpus, result_id: int, members: list[Facts]) -> Json:
    agent = corpus.agent_of_result(result_id)
    done = [facts for facts in members if facts.fate.kind is not Kind.LIVE]
    good = [facts for facts in done if success_of(facts.fate)]
    scripts = {corpus.script_of(facts).id: corpus.script_of(facts).name for facts in members}
    return {
        "id": result_id,
        "name": f"{agent.name}: batch {result_id}",
        "agent": agent.id,
        "agent_name": agent.name,
        "status": "completed" if len(done) == len(members) else "running",
        "run_as_text": members[0].as_text,
        "is_cronjob": result_id % 3 == 0,
        "met_expected_outcome_count": len(good),
        "total_expected_outcome_count": len(done),
        "total_runs_count": len(members),
        "completed_runs_count": len(done),
        "success_runs_count": len(good),
        "failed_runs_count": len(done) - len(good),
        "scenarios": [{"id": key, "name": name} for key, name in scripts.items()],
        "run_type": "text" if members[0].as_text else "voice",
        "created_at": iso(members[-1].at),
        "updated_at": iso(members[0].at),
    }
