"""Endpoints for runs, results, scenarios, projects and agents, and the app with all endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from math import inf

from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cekura_tui.demo import answers
from cekura_tui.demo.corpus import PROJECT_IDS
from cekura_tui.demo.forms import (
    HANDLERS,
    LONGEST_NAME,
    REQUIRED,
    Reply,
    detail,
    not_found,
    paged,
    read_fields,
    text_field,
)
from cekura_tui.demo.launches import WAYS, LaunchEndpoints
from cekura_tui.demo.library import agents, agents_by_id
from cekura_tui.demo.listing import CorpusListing, moments, number, numbers, read_query, refuse_filters, require, words
from cekura_tui.demo.recordings import RecordingEndpoints
from cekura_tui.demo.workspace import DemoWorkspace, ImproveEndpoints

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(workspace: DemoWorkspace, key: str) -> Starlette:
    """The app with all operations that the program or the vendor's clients call. `key` signs links to recordings."""
    recordings = RecordingEndpoints(workspace, key)
    reads = ReadEndpoints(workspace, recordings)
    agents = AgentEndpoints(workspace)
    improvement = ImproveEndpoints(workspace)
    launches = LaunchEndpoints(workspace)
    operations: list[tuple[str, str, Endpoint, tuple[str, ...]]] = [
        ("v1 v2", "runs", reads.runs, ("GET",)),
        ("v1 v2", "runs/bulk", reads.bulk, ("GET",)),
        ("v1 v2", "runs/{id:id}", reads.run, ("GET",)),
        ("v1", "runs/improve_prompt_bg", improvement.launch, ("POST",)),
        ("v1", "runs/improve_prompt_progress", improvement.progress, ("GET",)),
        ("v1", "runs/improve_prompt_issues", improvement.issues, ("POST",)),
        ("v1 v2", "results", reads.results, ("GET",)),
        ("v1 v2", "results/{id:id}", reads.result, ("GET",)),
        ("v1 v2", "results/{id:id}/rerun", launches.rerun, ("POST",)),
        ("v1", "results/{id:id}/end_calls", launches.end_calls, ("POST",)),
        ("v1", "scenarios", reads.scenarios, ("GET",)),
        ("v1", "scenarios/{id:id}", reads.scenario, ("GET",)),
        *(("v1", f"scenarios/run_scenarios{suffix}", launches.start, ("POST",)) for suffix in WAYS),
        ("v1 v2", "aiagents", agents.listed, ("GET",)),
        ("v1 v2", "aiagents/{id:id}", agents.one, ("GET", "PATCH")),
        ("v1 v2", "aiagents/{id:id}/history", agents.history, ("GET",)),
    ]
    routes = [
        Route("/recordings/{result:id}/{call}.wav", recordings.recording),
        *_both("/user/v1/projects", reads.projects, ("GET",)),
        *_both("/user/v1/projects/{id:id}", reads.project, ("GET",)),
        *_both("/test_framework/billing/info", launches.billing, ("GET",)),
    ]
    for versions, path, endpoint, methods in operations:
        noun, slash, tail = path.partition("/")
        for version in versions.split():
            for alias in (noun, f"{noun}-external"):
                routes += _both(f"/test_framework/{version}/{alias}{slash}{tail}", endpoint, methods)
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    return app


class _Id(IntegerConvertor):
    """A path parameter of at most 18 digits, which fits in 64 bits."""

    regex = "[0-9]{1,18}"


register_url_convertor("id", _Id())


def _both(path: str, endpoint: Endpoint, methods: tuple[str, ...]) -> Iterator[Route]:
    """Two routes for a path, with and without a trailing slash, as the API redirects neither form."""
    yield Route(path, endpoint, methods=methods)
    yield Route(f"{path}/", endpoint, methods=methods)


def version_of(request: Request) -> int:
    return 2 if request.url.path.startswith("/test_framework/v2/") else 1


_SCOPES = ("project_id", "agent_id", "result_id", "result__agent_id", "result__id")


class ReadEndpoints:
    def __init__(self, workspace: DemoWorkspace, recordings: RecordingEndpoints) -> None:
        self._workspace, self._recordings = workspace, recordings
        self._corpus = workspace.corpus
        self._listing = CorpusListing(workspace.corpus)
        self._filtering = asyncio.Lock()

    async def projects(self, request: Request) -> Response:
        given = request.query_params
        wanted, organization = number(given, "project_id"), number(given, "organization_id")
        known = answers.project_list() if organization in (None, answers.ORGANIZATION_ID) else []
        return Reply([project for project in known if wanted in (None, project["id"])])

    async def project(self, request: Request) -> Response:
        found = [project for project in answers.project_list() if project["id"] == request.path_params["id"]]
        return Reply(found[0]) if found else not_found()

    async def runs(self, request: Request) -> Response:
        query = read_query(request.query_params)
        if not any(request.query_params.get(name) for name in _SCOPES):
            return detail(400, "Please provide one of the required query parameter")
        found = self._listing.find(query) if query.plain else await self._in_thread(lambda: self._listing.find(query))
        return paged(request, found, self._row)

    async def _in_thread(self, find: Callable[[], Sequence[int]]) -> Sequence[int]:
        """Run one filter at a time in a thread: filtering 100,000 runs must not block other requests."""
        async with self._filtering:
            return await asyncio.to_thread(find)

    def _row(self, run_id: int) -> object:
        facts = self._corpus.facts(run_id)
        return None if facts is None else answers.run_row(self._corpus, facts)

    async def run(self, request: Request) -> Response:
        run = self._workspace.run(request.path_params["id"], version_of(request))
        return not_found() if run is None else Reply(self._recordings.with_link(request, run))

    async def bulk(self, request: Request) -> Response:
        given = request.query_params
        require(given.get("run_ids") or given.get("ids"), "run_ids", *REQUIRED)
        # The vendor's clients send `ids`.
        wanted = (numbers(given, "run_ids") or frozenset()) | (numbers(given, "ids") or frozenset())
        require(len(wanted) <= 100, "run_ids", "Ensure this field has no more than 100 elements.")
        known = self._workspace.runs(sorted(wanted, reverse=True), version_of(request))
        runs = [self._recordings.with_link(request, run) for run in known]
        scope = {"agent": number(given, "agent_id"), "result_id": number(given, "result_id")}
        scope["project"] = number(given, "project_id")
        return Reply([run for run in runs if all(value in (None, run[name]) for name, value in scope.items())])

    async def results(self, request: Request) -> Response:
        given = request.query_params
        refuse_filters(given, "scenarios", "assistant_id")
        project, agent_id = number(given, "project_id"), number(given, "agent_id")
        text = given.get("search", "").casefold()
        since, until = moments(given, "created_at_from") or [0.0], moments(given, "created_at_to") or [inf]

        def fits(result_id: int) -> bool:
            oldest = self._corpus.facts(self._corpus.runs_of_result(result_id)[-1])
            if oldest is None or agent_id not in (None, oldest.agent_id) or not since[0] <= oldest.at <= until[0]:
                return False
            return text in answers.result_name(self._corpus, oldest).casefold()

        places = [place for place, known in enumerate(PROJECT_IDS) if project in (None, known)]
        known = [result_id for place in places for result_id in self._corpus.result_ids(place)]
        asked = any(given.get(name) for name in ("agent_id", "search", "created_at_from", "created_at_to"))
        ids = await self._in_thread(lambda: [one for one in known if fits(one)]) if asked else known
        return paged(request, ids, lambda result_id: answers.result_row(self._corpus, result_id))

    async def result(self, request: Request) -> Response:
        result_id = request.path_params["id"]
        if not self._corpus.runs_of_result(result_id):
            return not_found()
        return Reply(answers.result_whole(self._corpus, result_id))

    async def scenarios(self, request: Request) -> Response:
        given = request.query_params
        project, agent_id = number(given, "project_id"), number(given, "agent_id")
        tags, folder = words(given, "tags"), given.get("folder_path")
        found = {
            script.id: (agent, script)
            for agent in agents()
            for script in agent.scripts
            if project in (None, PROJECT_IDS[agent.project])
            and agent_id in (None, agent.id)
            and (tags is None or tags & set(script.rules))
            and (not folder or folder == answers.scenario_folder(agent))
        }
        return paged(request, list(found), lambda script_id: answers.scenario(self._corpus, *found[script_id]))

    async def scenario(self, request: Request) -> Response:
        wanted = request.path_params["id"]
        found = [(agent, script) for agent in agents() for script in agent.scripts if script.id == wanted]
        return Reply(answers.scenario(self._corpus, *found[0], whole=True)) if found else not_found()


class AgentEndpoints:
    def __init__(self, workspace: DemoWorkspace) -> None:
        self._workspace = workspace

    async def listed(self, request: Request) -> Response:
        given, version = request.query_params, version_of(request)
        project = number(given, "project_id")
        organization = number(given, "organization_id") if version == 2 else None
        text = given.get("q", "").casefold()
        known = [self._workspace.history(agent.id)[-1].agent for agent in agents()]
        found = [
            agent.id
            for agent in known
            if project in (None, PROJECT_IDS[agent.project])
            and organization in (None, answers.ORGANIZATION_ID)
            and text in agent.name.casefold()
        ]
        return paged(request, found, lambda one: self._shown(one, version))

    def _shown(self, agent_id: int, version: int) -> object:
        known = self._workspace.history(agent_id)
        shown = answers.agent_v2 if version == 2 else answers.agent_v1
        return shown(known[-1].agent, known[0].changed, known[-1].changed)

    async def history(self, request: Request) -> Response:
        if (agent_id := request.path_params["id"]) not in agents_by_id():
            return not_found()
        rows = self._workspace.history(agent_id)
        shown = [answers.agent_history(row, row is rows[0]) for row in rows[::-1]]
        return paged(request, range(len(rows)), shown.__getitem__)

    async def one(self, request: Request) -> Response:
        agent_id, version = request.path_params["id"], version_of(request)
        if agent_id not in agents_by_id():
            return not_found()
        if request.method == "PATCH":
            fields = await read_fields(request)
            name = text_field(fields, "name" if version == 2 else "agent_name", LONGEST_NAME, blank=False)
            prompt = text_field(fields, "description")
            if version == 1:
                written = text_field(fields, "llm_system_prompt")
                prompt = written if prompt is None else prompt
            if name is not None or prompt is not None:
                self._workspace.change_agent(agent_id, name, prompt)
        return Reply(self._shown(agent_id, version))
