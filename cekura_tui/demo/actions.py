"""The operations of the API that act on runs beside improving prompts, and improvement sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cekura_tui.demo.answers import iso
from cekura_tui.demo.corpus import PROJECT_IDS
from cekura_tui.demo.desk import Desk
from cekura_tui.demo.facts import Facts, Kind
from cekura_tui.demo.forms import (
    REQUIRED,
    Reply,
    detail,
    no_list,
    not_found,
    optional_text,
    read_fields,
    read_runs,
    whole_number,
)
from cekura_tui.demo.jobs import ImprovementSession
from cekura_tui.demo.listing import Invalid, call_id_of, number

Json = dict[str, Any]

_SPEAKING = ("running", "in_progress")
_NOT_IN_PROGRESS = "The call is not in progress."
_JUDGED_IN = 5.0
"""Seconds that judging an expected outcome again takes."""


class RunActions:
    """End a call, listen to it, vote on a verdict, have the expected outcome judged again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _facts(self, request: Request) -> Facts | None:
        return self._desk.corpus.facts(request.path_params["id"])

    async def end_call(self, request: Request) -> Response:
        facts = self._facts(request)
        if facts is None:
            return not_found()
        if facts.fate.kind is not Kind.LIVE or facts.fate.status == "evaluating":
            return detail(400, _NOT_IN_PROGRESS)
        self._desk.end_call(facts.id, facts.spoken)
        return Response()

    async def listen_url(self, request: Request) -> Response:
        facts = self._facts(request)
        if facts is None:
            return not_found()
        if facts.fate.status not in _SPEAKING or facts.as_text:
            return detail(404, _NOT_IN_PROGRESS)
        return Reply({"listen_url": f"wss://listen.example.com/{call_id_of(facts.id)}"})

    async def trace(self, request: Request) -> Response:
        # As the API answers for a run without a trace_id, and no run of this workspace has one.
        return not_found() if self._facts(request) is None else detail(404, "This run has no trace.")

    async def vote(self, request: Request) -> Response:
        """Checked as the API declares it; no operation reads a vote, so that none is kept."""
        run = self._desk.run(request.path_params["id"])
        if run is None:
            return not_found()
        fields = await read_fields(request)
        wrong = {name: REQUIRED for name in ("metric_id", "thumbs_up", "expected_value") if name not in fields}
        if not isinstance(fields.get("thumbs_up"), bool | None):
            wrong["thumbs_up"] = ["Must be a valid boolean."]
        if wrong:
            raise Invalid(wrong)
        metric_id = whole_number(fields, "metric_id")
        optional_text(fields, "feedback")
        metrics = (run["evaluation"] or {}).get("metrics", [])
        if metric_id not in [metric["id"] for metric in metrics]:
            raise Invalid({"metric_id": [f'Invalid pk "{metric_id}" - object does not exist.']})
        return Reply({"success": True})

    async def judge_outcome(self, request: Request) -> Response:
        facts = self._facts(request)
        if facts is None:
            return not_found()
        await read_fields(request)
        if facts.fate.kind is Kind.LIVE:
            return detail(400, "The run has not ended yet.")
        # The id says all that a poll has to know, so that nothing is kept.
        return Reply({"progress_id": f"outcome-{facts.id}-{int(self._desk.now() * 1000)}"})

    async def judged_outcome(self, request: Request) -> Response:
        given = request.query_params.get("progress_id")
        if not given:
            raise Invalid({"progress_id": REQUIRED})
        kind, _, rest = given.partition("-")
        run_id, _, since = rest.partition("-")
        known = kind == "outcome" and all(part.isdecimal() and len(part) < 20 for part in (run_id, since))
        run = self._desk.run(int(run_id)) if known else None
        age = self._desk.now() - int(since) / 1000 if known else -1.0
        if run is None or age < 0:
            return detail(404, "No job with this progress_id was found.")
        if age < _JUDGED_IN / self._desk.speed:
            return Reply({"progress_id": given, "status": "running", "output": None, "error": None})
        if not run["expected_outcome"]:
            error = "The run was not evaluated: it has no expected outcome to judge."
            return Reply({"progress_id": given, "status": "failed", "output": None, "error": error})
        return Reply({"progress_id": given, "status": "completed", "output": run["expected_outcome"], "error": None})

    async def rerun(self, request: Request) -> Response:
        if not len(self._desk.corpus.runs_of_result(request.path_params["id"])):
            return not_found()
        return detail(501, "This server does not run results again.")

    async def run_scenarios(self, request: Request) -> Response:
        await read_fields(request)
        return detail(501, "This server does not run scenarios.")


_PROVIDERS = ("vapi", "retell", "elevenlabs", "bland")


class ImprovementSessions:
    """Agents improved by the server in rounds, from runs. A session succeeds where the improver of prompts finds
    something in its runs, and what is promoted is that prompt."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def all(self, request: Request) -> Response:
        project = number(request.query_params, "project")
        sessions = self._desk.ledger.sessions()
        return Reply([self._shown(one) for one in sessions if project in (None, one.project)])

    async def open(self, request: Request) -> Response:
        fields = await read_fields(request)
        if fields.get("source") != "run":
            raise Invalid({"source": ["This server improves agents from runs only."]})
        no_list(fields, "call_log_ids", "scenario_ids", "insights")
        run_ids, agent_id = read_runs(fields, self._desk.corpus)
        agent = self._desk.known_agent(agent_id).agent
        project = PROJECT_IDS[agent.project]
        if fields.get("project") is not None and whole_number(fields, "project") != project:
            raise Invalid({"project": ["The selected runs belong to another project."]})
        if agent.provider not in _PROVIDERS:
            raise Invalid({"detail": f"Agents of the provider {agent.provider} can't be improved."})
        session = self._desk.open_session(project, agent_id, run_ids)
        return Reply(self._shown(session), 201)

    async def one(self, request: Request) -> Response:
        session = self._session(request)
        if session is not None and number(request.query_params, "project") not in (None, session.project):
            session = None
        return not_found() if session is None else Reply(self._shown(session))

    async def cancel(self, request: Request) -> Response:
        await read_fields(request)
        session = self._session(request)
        if session is None:
            return not_found()
        if self._is_final(session):
            return detail(409, "The session is over.")
        return self._marked(session, "cancelled")

    async def promote(self, request: Request) -> Response:
        force = (await read_fields(request)).get("force", False)
        if not isinstance(force, bool):
            raise Invalid({"force": ["Must be a valid boolean."]})
        session = self._session(request)
        if session is None:
            return not_found()
        if session.promoted is not None:
            return Reply(self._shown(session))
        improved = self._improved(session)
        if improved is None or session.discarded is not None or not self._is_final(session) or session.cancelled:
            return detail(409, "The session has nothing to promote.")
        if self._desk.known_agent(session.agent).changed > session.created and not force:
            return detail(409, "The agent was edited since: description. Send force to promote nevertheless.")
        self._desk.change_agent(session.agent, None, improved, f"Promoted by session {session.id}")
        return self._marked(session, "promoted")

    async def discard(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return not_found()
        if not self._is_final(session):
            return detail(409, "The session is still running; cancel it first.")
        return Reply(self._shown(session)) if session.discarded else self._marked(session, "discarded")

    async def edit_scenarios(self, request: Request) -> Response:
        await read_fields(request)
        return not_found() if self._session(request) is None else detail(400, "The session proposed no scenario edits.")

    async def stream_token(self, request: Request) -> Response:
        if self._session(request) is None:
            return not_found()
        return detail(501, "This server streams nothing. Read the session again instead.")

    def _session(self, request: Request) -> ImprovementSession | None:
        return self._desk.ledger.session(request.path_params["id"])

    def _marked(self, session: ImprovementSession, what: str) -> Response:
        self._desk.ledger.mark_session(session.id, what, self._desk.now())
        marked = self._desk.ledger.session(session.id)
        assert marked is not None
        return Reply(self._shown(marked))

    def _improved(self, session: ImprovementSession) -> str | None:
        return self._desk.improved_prompt(session.run_ids, session.prompt)

    def _is_final(self, session: ImprovementSession) -> bool:
        return session.cancelled is not None or session.stage(self._desk.now()) is None

    def _shown(self, session: ImprovementSession) -> Json:
        known, now = self._desk.known_agent(session.agent), self._desk.now()
        stage = session.stage(now)
        improved = self._improved(session) if self._is_final(session) else None
        state: Mapping[str, object] = {"status": "running", "stage": stage, "stage_status": "running"}
        if session.cancelled is not None:
            state = {"status": "cancelled", "stage": None, "stage_status": None}
        elif stage is None:
            word = "no_improvement" if improved is None else "succeeded"
            state = {"status": word, "stage": "finalize", "stage_status": "done"}
        elif stage == "setup":
            state = {"status": "pending", "stage": None, "stage_status": None}
        marks = [one for one in (session.cancelled, session.promoted, session.discarded) if one is not None]
        return {
            "id": session.id,
            "project": session.project,
            "agent": session.agent,
            "agent_name": known.agent.name,
            "provider": known.agent.provider,
            "source": "run",
            "insights": [],
            "call_log_ids": [],
            "run_ids": list(session.run_ids),
            "scenario_ids": [],
            **state,
            "iteration": int(stage not in ("setup", "baseline_run")),
            "rounds_since_improvement": 0,
            "best_iteration": None if improved is None else 1,
            "proposal_summary": None if improved is None else {"changed": ["description"]},
            "scenario_edit_proposals": [],
            "error_message": "",
            "promoted_at": None if session.promoted is None else iso(session.promoted),
            "promoted_by": None,
            "promoted_by_email": "",
            "promotion_summary": None if session.promoted is None else {"written": ["description"], "left_out": []},
            "clone_state": {"discarded": session.discarded is not None},
            "created_at": iso(session.created),
            "updated_at": iso(max([session.created, *marks])),
        }
