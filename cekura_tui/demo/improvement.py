"""The four improve operations of the API."""

from __future__ import annotations

import asyncio
import hashlib

from starlette.requests import Request
from starlette.responses import Response

from cekura_tui.demo.body import Launch, read_fields, read_launch, read_runs
from cekura_tui.demo.desk import Desk
from cekura_tui.demo.jobs import as_bytes
from cekura_tui.demo.query import Invalid
from cekura_tui.demo.replies import Reply, detail

_AT_ONCE = 3.0  # seconds that the answer of the operation without a job takes


class Improvement:
    """Launch a job, poll it, list the issues behind it, or wait for the answer."""

    def __init__(self, desk: Desk, without_id: bool) -> None:
        self._desk = desk
        self._without_id = without_id

    async def launch(self, request: Request) -> Response:
        wish = await self._wish(request)
        if self._without_id:
            return Reply(self._desk.run(wish.run_ids[0]))
        return Reply({"progress_id": self._desk.launch(wish).id})

    async def at_once(self, request: Request) -> Response:
        wish = await self._wish(request)
        await asyncio.sleep(_AT_ONCE / self._desk.speed)
        outcome = self._desk.improve(wish)
        output = outcome.as_output()
        return Reply({"improved_prompt": None, "summary_of_changes": outcome.error} if output is None else output)

    async def progress(self, request: Request) -> Response:
        job_id = request.query_params.get("progress_id")
        if not job_id:
            raise Invalid({"progress_id": ["This field is required."]})
        if (noted := request.scope.get("noted")) is not None:
            noted["progress_id"] = job_id
        answer = self._desk.progress(job_id)
        return detail(404, "No job with this progress_id was found.") if answer is None else Reply(answer)

    async def issues(self, request: Request) -> Response:
        fields = await read_fields(request)
        job = self._desk.ledger.job(str(fields["progress_id"])) if fields.get("progress_id") else None
        if job is not None and fields.get("run_ids") is None:
            return Reply(self._desk.issues(job.run_ids, job.prompt))
        run_ids, agent_id = read_runs(fields, self._desk.corpus)
        known = self._desk.agent(agent_id)
        prompt = fields.get("prompt") or (known.prompt if known else "")
        return Reply(self._desk.issues(run_ids, str(prompt)))

    async def _wish(self, request: Request) -> Launch:
        """The checked launch; its prompt's hash goes into the log, so that a test can tell what arrived."""
        fields = await read_fields(request)
        noted = request.scope.get("noted")
        if noted is not None and isinstance(fields.get("prompt"), str):
            sent = as_bytes(str(fields["prompt"]))
            noted["prompt_sha256"] = hashlib.sha256(sent).hexdigest()
            noted["prompt_bytes"] = len(sent)
            noted["run_ids"] = fields.get("run_ids")
        return read_launch(fields, self._desk.corpus)
