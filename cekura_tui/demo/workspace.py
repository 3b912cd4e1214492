"""The demo's runs, agents and jobs, and the endpoints that improve prompts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response

from cekura_tui.demo.answers import run_whole, turns_of
from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.dialogue import broken_at, clock_text
from cekura_tui.demo.evaluation import Json
from cekura_tui.demo.forms import REQUIRED, Reply, detail, not_found, read_fields, read_launch, read_runs, text_field
from cekura_tui.demo.improver import Issue, Prompt, improve, issues_of
from cekura_tui.demo.jobs import DemoDatabase
from cekura_tui.demo.library import FIRST_VERSIONS, HistoryRow, agents_by_id
from cekura_tui.demo.listing import require
from cekura_tui.model.text import prompt_bytes, sha256

_AGENT_AGE = 90 * 86_400.0
"""Age of the agents at the epoch, in seconds."""
_SYNC = 30.0
"""Seconds after a change until a provider that syncs overwrites the record with its own prompt."""


class DemoWorkspace:
    """Runs, agents and jobs. `speed` divides the duration of jobs; `now` returns Unix seconds."""

    def __init__(
        self, corpus: Corpus, database: DemoDatabase, speed: float = 1.0, now: Callable[[], float] = time.time
    ) -> None:
        self.corpus, self.database, self.speed, self.now = corpus, database, speed, now

    def run(self, run_id: int, version: int = 1) -> Json | None:
        facts = self.corpus.facts(run_id)
        return None if facts is None else run_whole(self.corpus, facts, version)

    def history(self, agent_id: int) -> list[HistoryRow]:
        """The versions of an agent, oldest first; the last has the current name and prompt."""
        first = HistoryRow(FIRST_VERSIONS + agent_id, agents_by_id()[agent_id], self.corpus.epoch - _AGENT_AGE)
        return self.database.versions(first, self.now())

    def change_agent(self, agent_id: int, name: str | None, prompt: str | None) -> None:
        first, last, now = agents_by_id()[agent_id], self.history(agent_id)[-1].agent, self.now()
        name = last.name if name is None else name
        self.database.change_agent(agent_id, name, last.prompt if prompt is None else prompt, now)
        if first.auto_sync and prompt is not None:
            self.database.change_agent(agent_id, name, first.prompt, now + _SYNC / self.speed, "Synced from provider")

    def progress(self, job_id: str) -> Json | None:
        """The answer to a poll; None for an unknown job, or an earlier version's job for an agent that has none now."""
        job = self.database.job(job_id)
        if job is None or not agents_by_id()[job.form.agent].improves:
            return None
        status = job.status(self.now())
        answer: Json = {"progress_id": job.id, "status": status, "output": None, "error": None}
        if status != "completed":
            return answer
        form = job.form  # a restart with fewer runs may have removed the job's runs
        outcome = improve(self.runs(form.run_ids), form.prompt, form.category_ids, form.metric_ids)
        if outcome.error is not None:
            return answer | {"status": "failed", "error": outcome.error}
        return answer | {"output": {"improved_prompt": outcome.improved_prompt, "summary_of_changes": outcome.summary}}

    def issues(self, run_ids: tuple[int, ...], prompt: str) -> Json:
        """The API's issues in runs, an entry per issue and run, with their sections of `prompt`."""
        issues = issues_of(self.runs(run_ids))
        return {"issues": [self._issue(issue, n, prompt) for issue in issues for n in range(len(issue.run_ids))]}

    def _issue(self, issue: Issue, number: int, prompt: str) -> Json:
        rule, run_id = issue.rule, issue.run_ids[number]
        section = Prompt(prompt).section_about(rule.section, rule.words)
        facts = self.corpus.facts(run_id)
        turns = [] if facts is None else turns_of(self.corpus, facts)
        turn = broken_at(turns).get(rule.key)
        shown = turn and {"index": turns.index(turn), "time": clock_text(turn.start), "text": turn.text}
        return {
            "run_id": run_id,
            "metric_id": rule.metric,
            "metric": rule.name,
            "category": rule.category_name,
            "priority": rule.priority,
            "section": rule.section if section is None else section.title,
            "title": rule.finding,
            "explanation": issue.explanations[number],
            "turns": [shown] if shown else [],
        }

    def runs(self, run_ids: Iterable[int], version: int = 1) -> list[Json]:
        return [run for run_id in run_ids if (run := self.run(run_id, version)) is not None]


class ImproveEndpoints:
    def __init__(self, workspace: DemoWorkspace) -> None:
        self._workspace = workspace

    async def launch(self, request: Request) -> Response:
        fields, workspace = await read_fields(request), self._workspace
        if isinstance(prompt := fields.get("prompt"), str):  # logged, so that tests can check what arrived
            sent = prompt_bytes(prompt)
            noted = {"prompt_sha256": sha256(sent), "prompt_bytes": len(sent), "run_ids": fields.get("run_ids")}
            request.scope["noted"].update(noted)
        form = read_launch(fields, workspace.corpus)
        if not agents_by_id()[form.agent].improves:
            return not_found()
        return Reply({"progress_id": workspace.database.launch(form, workspace.now(), workspace.speed)})

    async def progress(self, request: Request) -> Response:
        job_id = request.query_params.get("progress_id", "")
        require(job_id, "progress_id", *REQUIRED)
        request.scope["noted"]["progress_id"] = job_id
        answer = self._workspace.progress(job_id)
        return detail(404, "No job with this progress_id was found.") if answer is None else Reply(answer)

    async def issues(self, request: Request) -> Response:
        fields = await read_fields(request)
        require(fields.get("call_logs", []) == [], "call_logs", "This server has no such objects.")
        written, job_id = text_field(fields, "prompt"), text_field(fields, "progress_id")
        job = self._workspace.database.job(job_id) if job_id else None
        if job is not None and fields.get("run_ids") is None:
            return Reply(self._workspace.issues(job.form.run_ids, job.form.prompt))
        run_ids, agent_id = read_runs(fields, self._workspace.corpus)
        return Reply(self._workspace.issues(run_ids, written or self._workspace.history(agent_id)[-1].agent.prompt))
