"""The operations of the API that read, and the application that holds all operations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cekura_tui.demo.answers import agent_short, agent_v1, agent_v2, project_list, result_row, result_whole, run_row
from cekura_tui.demo.corpus import PROJECT_IDS
from cekura_tui.demo.desk import Desk, Improvement, KnownAgent
from cekura_tui.demo.forms import HANDLERS, Reply, detail, not_found, paged, read_fields
from cekura_tui.demo.library import agents
from cekura_tui.demo.listing import CorpusListing, Invalid, ListQuery, number, numbers, read_query

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(desk: Desk) -> Starlette:
    """The whole API."""
    reads = Reads(desk)
    improvement = Improvement(desk)
    operations: list[tuple[str, str, Endpoint, tuple[str, ...]]] = [
        ("v1 v2", "runs", reads.runs, ("GET",)),
        ("v1 v2", "runs/bulk", reads.bulk, ("GET",)),
        ("v1 v2", "runs/{id:int}", reads.run, ("GET",)),
        ("v1", "runs/improve_prompt", improvement.at_once, ("POST",)),
        ("v1", "runs/improve_prompt_bg", improvement.launch, ("POST",)),
        ("v1", "runs/improve_prompt_progress", improvement.progress, ("GET",)),
        ("v1", "runs/improve_prompt_issues", improvement.issues, ("POST",)),
        ("v1 v2", "results", reads.results, ("GET",)),
        ("v1 v2", "results/{id:int}", reads.result, ("GET",)),
        ("v1 v2", "aiagents", reads.agents, ("GET",)),
        ("v2", "aiagents/short_list", reads.short_agents, ("GET",)),
        ("v1 v2", "aiagents/{id:int}", reads.agent, ("GET", "PATCH")),
    ]
    routes = list(_both("/user/v1/projects", reads.projects, ("GET",)))
    for versions, path, endpoint, methods in operations:
        noun, slash, tail = path.partition("/")
        for version in versions.split():
            for alias in (noun, f"{noun}-external"):
                routes += _both(f"/test_framework/{version}/{alias}{slash}{tail}", endpoint, methods)
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    return app


def _both(path: str, endpoint: Endpoint, methods: tuple[str, ...]) -> Iterator[Route]:
    """The same operation with and without the slash at the end; the API redirects neither."""
    yield Route(path, endpoint, methods=methods)
    yield Route(f"{path}/", endpoint, methods=methods)


def version_of(request: Request) -> int:
    return 2 if request.url.path.startswith("/test_framework/v2/") else 1


class Reads:
    """Projects, agents, results and runs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._corpus = desk.corpus
        self._listing = CorpusListing(desk.corpus)
        self._filtering = asyncio.Lock()

    async def projects(self, request: Request) -> Response:
        wanted = number(request.query_params, "project_id")
        return Reply([project for project in project_list() if wanted in (None, project["id"])])

    async def runs(self, request: Request) -> Response:
        query = read_query(request.query_params)
        if query.project is None and query.agent is None and query.result is None:
            return detail(400, "Please provide one of the required query parameter")
        found = self._listing.find(query) if query.plain else await self._filtered(query)
        return paged(request, found, self._row)

    async def _filtered(self, query: ListQuery) -> Sequence[int]:
        """A filter over a hundred thousand runs takes its time, in which other requests have to be answered."""
        async with self._filtering:
            return await asyncio.to_thread(self._listing.find, query)

    def _row(self, run_id: int) -> object:
        facts = self._corpus.facts(run_id)
        return None if facts is None else run_row(self._corpus, facts)

    async def run(self, request: Request) -> Response:
        run = self._desk.run(request.path_params["id"], version_of(request))
        return not_found() if run is None else Reply(run)

    async def bulk(self, request: Request) -> Response:
        given = request.query_params
        if not given.get("run_ids"):
            raise Invalid({"run_ids": ["This field is required."]})
        wanted = numbers(given, "run_ids") or frozenset()
        if len(wanted) > 100:
            raise Invalid({"run_ids": ["Ensure this field has no more than 100 elements."]})
        runs = [self._desk.run(run_id, version_of(request)) for run_id in sorted(wanted, reverse=True)]
        scope = {"agent": number(given, "agent_id"), "result_id": number(given, "result_id")}
        scope["project"] = number(given, "project_id")
        return Reply(
            [
                run
                for run in runs
                if run is not None and all(value in (None, run[name]) for name, value in scope.items())
            ]
        )

    async def results(self, request: Request) -> Response:
        given = request.query_params
        project, agent = number(given, "project_id"), number(given, "agent_id")
        chosen = [project] if project is not None else list(PROJECT_IDS)
        ids = [i for n, known in enumerate(PROJECT_IDS) if known in chosen for i in self._corpus.result_ids(n)]
        if agent is not None:
            ids = [i for i in ids if self._corpus.agent_of_result(i).id == agent]
        if words := given.get("search", "").casefold():
            ids = [i for i in ids if words in f"{self._corpus.agent_of_result(i).name}: batch {i}".casefold()]
        return paged(request, ids, lambda result_id: result_row(self._corpus, result_id))

    async def result(self, request: Request) -> Response:
        result_id = request.path_params["id"]
        known = len(self._corpus.runs_of_result(result_id))
        return Reply(result_whole(self._corpus, result_id)) if known else not_found()

    def _agents(self, request: Request) -> list[int]:
        project = number(request.query_params, "project_id")
        words = request.query_params.get("q", "").casefold()
        known = [self._desk.agent(agent.id) for agent in agents()]
        return [
            one.agent.id
            for one in known
            if one is not None
            and project in (None, PROJECT_IDS[one.agent.project])
            and words in one.agent.name.casefold()
        ]

    def _shown(self, known: KnownAgent | None, version: int) -> object:
        if known is None:
            return None
        return (agent_v2 if version == 2 else agent_v1)(known.agent, known.prompt, known.changed)

    async def agents(self, request: Request) -> Response:
        version = version_of(request)
        return paged(request, self._agents(request), lambda one: self._shown(self._desk.agent(one), version))

    async def short_agents(self, request: Request) -> Response:
        def shown(agent_id: int) -> object:
            known = self._desk.agent(agent_id)
            return None if known is None else agent_short(known.agent, known.changed)

        return paged(request, self._agents(request), shown)

    async def agent(self, request: Request) -> Response:
        agent_id, version = request.path_params["id"], version_of(request)
        known = self._desk.agent(agent_id)
        if known is None:
            return not_found()
        if request.method == "PATCH":
            fields = await read_fields(request)
            name, prompt = fields.get("name" if version == 2 else "agent_name"), fields.get("description")
            if version == 1 and prompt is None:
                prompt = fields.get("llm_system_prompt")
            for field, value in (("name", name), ("description", prompt)):
                if value is not None and not isinstance(value, str):
                    raise Invalid({field: ["Not a valid string."]})
            self._desk.ledger.change_agent(
                agent_id,
                name if isinstance(name, str) else None,
                prompt if isinstance(prompt, str) else None,
                self._desk.now(),
            )
        return Reply(self._shown(self._desk.agent(agent_id), version))
