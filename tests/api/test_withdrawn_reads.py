"""A server that has withdrawn the v1 reads is read all the same, whichever read comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from scripted_server import Got, Hold, Reply, ScriptedServer, run_of

from cekura_tui.api.client import Client
from cekura_tui.api.errors import NotFound
from cekura_tui.model.run.paging import ListPage

V1, V2 = "/test_framework/v1", "/test_framework/v2"
RUNS, AGENTS = "/runs/", "/aiagents/"
SCOPE = {"project_id": 9}
GONE = Reply({"detail": "Gone."}, 410)
MISSING = Reply({"detail": "Invalid page."}, 404)

Read = Callable[[Client], Awaitable[Any]]
READS: dict[str, tuple[str, Reply, Read]] = {
    "the first page": (RUNS, Reply({"count": 1, "results": [run_of(5)]}), lambda client: client.runs(SCOPE)),
    "a later page": (RUNS, Reply({"count": 900, "results": [run_of(5)]}), lambda client: client.runs(SCOPE, 7)),
    "a page asked once": (RUNS, Reply({"count": 1, "results": [run_of(5)]}), lambda c: c.runs(SCOPE, once=True)),
    "a run": (f"{RUNS}5/", Reply(run_of(5)), lambda client: client.run(5)),
    "runs by id": (f"{RUNS}bulk/", Reply([run_of(5)]), lambda client: client.runs_by_id([5, 6])),
    "runs by id once": (f"{RUNS}bulk/", Reply([run_of(5)]), lambda client: client.runs_by_id([5, 6], once=True)),
    "agents": (AGENTS, Reply({"count": 1, "results": [{"id": 7, "name": "A"}]}), lambda client: client.agents(9)),
    "later agents": (AGENTS, Reply({"count": 900, "results": [{"id": 7, "name": "A"}]}), lambda c: c.agents(9, 3, "x")),
    "an agent": (f"{AGENTS}7/", Reply({"id": 7, "name": "A"}), lambda client: client.agent(7)),
}


async def no_wait(seconds: float) -> None:
    del seconds


def client_of(server: ScriptedServer) -> Client:
    return Client(server.url, "key", loopback=True, sleep=no_wait)


def paths(server: ScriptedServer) -> list[str]:
    return [got.path for got in server.seen]


def untimed(told: object) -> object:
    """Without when the server said it, which another second may be."""
    return replace(told, at=None) if isinstance(told, ListPage) else told


@pytest.mark.parametrize("refusal", [MISSING, GONE], ids=["404", "410"])
@pytest.mark.parametrize("what", READS)
async def test_whatever_is_read_first_is_read_from_v2_with_the_same_question_and_this_is_remembered(
    scripted: ScriptedServer, what: str, refusal: Reply
) -> None:
    path, reply, read = READS[what]
    scripted.on("GET", V1 + path, refusal)
    scripted.on("GET", V2 + path, reply)
    client = client_of(scripted)
    first, again = await read(client), await read(client)
    assert untimed(first) == untimed(again)
    assert paths(scripted) == [V1 + path, V2 + path, V2 + path]
    asked, instead, _ = scripted.seen
    assert asked.query == instead.query
    await client.aclose()


@pytest.mark.parametrize("what", READS)
async def test_what_neither_version_has_is_missing_and_nothing_is_concluded(
    scripted: ScriptedServer, what: str
) -> None:
    path, reply, read = READS[what]
    client = client_of(scripted)
    with pytest.raises(NotFound):
        await read(client)
    assert paths(scripted) == [V1 + path, V2 + path]
    scripted.on("GET", V1 + path, reply)
    await read(client)
    assert paths(scripted)[2:] == [V1 + path]
    await client.aclose()


async def test_two_pages_asked_for_at_the_same_time_both_come_from_v2(scripted: ScriptedServer) -> None:
    hold = Hold(MISSING)

    def page(got: Got) -> Reply:
        return Reply({"count": 200, "results": [run_of(int(got.query["page"]))]})

    scripted.on("GET", V1 + RUNS, hold)
    scripted.on("GET", V2 + RUNS, page)
    client = client_of(scripted)
    both = asyncio.gather(client.runs(SCOPE, 1), client.runs(SCOPE, 2))
    await asyncio.to_thread(hold.arrived.wait, 20)
    hold.released.set()
    first, second = await both
    assert (first.items[0].id, second.items[0].id) == (1, 2)
    await client.aclose()


async def test_runs_and_agents_may_be_of_different_versions(scripted: ScriptedServer) -> None:
    scripted.on("GET", V1 + RUNS, GONE)
    scripted.on("GET", V2 + RUNS, Reply({"count": 0, "results": []}))
    scripted.on("GET", V1 + AGENTS, Reply({"count": 1, "results": [{"id": 7, "agent_name": "A"}]}))
    client = client_of(scripted)
    await client.runs(SCOPE)
    assert (await client.agents(9)).items[0].name == "A"
    await client.runs(SCOPE)
    assert paths(scripted) == [V1 + RUNS, V2 + RUNS, V1 + AGENTS, V2 + RUNS]
    await client.aclose()


@pytest.mark.parametrize("what", ["a later page", "a run", "runs by id", "an agent"])
async def test_at_a_server_that_has_v1_a_page_too_far_or_a_missing_run_is_just_missing(
    scripted: ScriptedServer, what: str
) -> None:
    path, _, read = READS[what]
    scripted.on("GET", V1 + RUNS, Reply({"count": 1, "results": [run_of(5)]}), MISSING)
    scripted.on("GET", V1 + AGENTS, Reply({"count": 0, "results": []}))
    client = client_of(scripted)
    await client.runs(SCOPE)
    await client.agents(9)
    with pytest.raises(NotFound):
        await read(client)
    assert paths(scripted) == [V1 + RUNS, V1 + AGENTS, V1 + path]
    await client.aclose()


@pytest.mark.parametrize(
    ("what", "refusal"), [("the first page", MISSING), ("agents", MISSING), *((what, GONE) for what in READS)]
)
async def test_reads_that_are_withdrawn_while_the_program_is_open_go_on_at_v2(
    scripted: ScriptedServer, what: str, refusal: Reply
) -> None:
    path, reply, read = READS[what]
    scripted.on("GET", V1 + path, reply, refusal)
    scripted.on("GET", V2 + path, reply)
    client = client_of(scripted)
    for _ in range(3):
        await read(client)
    assert paths(scripted) == [V1 + path, V1 + path, V2 + path, V2 + path]
    await client.aclose()


async def test_where_v2_fails_in_another_way_the_first_answer_is_told_and_v1_is_asked_again(
    scripted: ScriptedServer,
) -> None:
    scripted.on("GET", V1 + RUNS, GONE)
    scripted.on("GET", V2 + RUNS, Reply({}, 429, {"Retry-After": "600"}))
    client = client_of(scripted)
    with pytest.raises(NotFound, match="410"):
        await client.runs(SCOPE)
    scripted.on("GET", V2 + RUNS, Reply({"count": 1, "results": [run_of(5)]}))
    assert (await client.runs(SCOPE)).count == 1
    await client.aclose()
