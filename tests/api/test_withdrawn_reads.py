"""If a server has withdrawn v1, every read falls back to v2."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from scripted_server import Got, Hold, Reply, ScriptedServer, run_of

from cekura_tui.api.client import Client
from cekura_tui.api.errors import NotFound, ServerFault
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
    "a run": (f"{RUNS}5/", Reply(run_of(5)), lambda client: client.run(5)),
    "runs by id": (f"{RUNS}bulk/", Reply([run_of(5)]), lambda client: client.runs_by_id([5, 6])),
    "agents": (AGENTS, Reply({"count": 1, "results": [{"id": 7, "name": "A"}]}), lambda client: client.agents(9)),
    "later agents": (AGENTS, Reply({"count": 900, "results": [{"id": 7, "name": "A"}]}), lambda c: c.agents(9, 3, "x")),
    "an agent": (f"{AGENTS}7/", Reply({"id": 7, "name": "A"}), lambda client: client.agent(7)),
}


def paths(server: ScriptedServer) -> list[str]:
    return [got.path for got in server.seen]


@pytest.mark.parametrize("refusal", [MISSING, GONE], ids=["404", "410"])
@pytest.mark.parametrize("what", READS)
async def test_a_first_read_falls_back_to_v2_and_later_reads_use_v2_at_once(
    scripted: ScriptedServer, client: Client, what: str, refusal: Reply
) -> None:
    path, reply, read = READS[what]
    scripted.on("GET", V1 + path, refusal)
    scripted.on("GET", V2 + path, reply)
    first, again = await read(client), await read(client)
    assert first == replace(again, at=first.at) if isinstance(first, ListPage) else first == again
    assert paths(scripted) == [V1 + path, V2 + path, V2 + path]
    asked, instead, _ = scripted.seen
    assert asked.query == instead.query


@pytest.mark.parametrize("what", READS)
async def test_an_object_missing_in_both_versions_does_not_cause_a_switch_to_v2(
    scripted: ScriptedServer, client: Client, what: str
) -> None:
    path, reply, read = READS[what]
    with pytest.raises(NotFound):
        await read(client)
    assert paths(scripted) == [V1 + path, V2 + path]
    scripted.on("GET", V1 + path, reply)
    await read(client)
    assert paths(scripted)[2:] == [V1 + path]


@pytest.mark.parametrize("what", READS)
async def test_a_failed_read_is_retried_unless_it_is_of_a_list_of_runs(
    scripted: ScriptedServer, client: Client, waits: list[float], what: str
) -> None:
    path, reply, read = READS[what]
    scripted.on("GET", V1 + path, Reply(b"", 503), reply)
    is_retried = path not in (RUNS, f"{RUNS}bulk/")
    with nullcontext() if is_retried else pytest.raises(ServerFault):
        await read(client)
    assert len(scripted.seen) == 1 + is_retried


async def test_two_simultaneous_reads_of_a_list_both_fall_back_to_v2(scripted: ScriptedServer, client: Client) -> None:
    hold = Hold(MISSING)

    def page(got: Got) -> Reply:
        return Reply({"count": 200, "results": [run_of(int(got.query["page"]))]})

    scripted.on("GET", V1 + RUNS, hold)
    scripted.on("GET", V2 + RUNS, page)
    both = asyncio.gather(client.runs(SCOPE, 1), client.runs(SCOPE, 2))
    await asyncio.to_thread(hold.arrived.wait, 20)
    hold.released.set()
    first, second = await both
    assert (first.items[0].id, second.items[0].id) == (1, 2)


async def test_runs_and_agents_may_use_different_versions(scripted: ScriptedServer, client: Client) -> None:
    scripted.on("GET", V1 + RUNS, GONE)
    scripted.on("GET", V2 + RUNS, Reply({"count": 0, "results": []}))
    scripted.on("GET", V1 + AGENTS, Reply({"count": 1, "results": [{"id": 7, "agent_name": "A"}]}))
    await client.runs(SCOPE)
    assert (await client.agents(9)).items[0].name == "A"
    await client.runs(SCOPE)
    assert paths(scripted) == [V1 + RUNS, V2 + RUNS, V1 + AGENTS, V2 + RUNS]


@pytest.mark.parametrize("what", ["a later page", "a run", "runs by id", "an agent"])
async def test_a_missing_page_or_run_is_not_requested_from_v2_if_v1_has_worked(
    scripted: ScriptedServer, client: Client, what: str
) -> None:
    path, _, read = READS[what]
    scripted.on("GET", V1 + RUNS, Reply({"count": 1, "results": [run_of(5)]}), MISSING)
    scripted.on("GET", V1 + AGENTS, Reply({"count": 0, "results": []}))
    await client.runs(SCOPE)
    await client.agents(9)
    with pytest.raises(NotFound):
        await read(client)
    assert paths(scripted) == [V1 + RUNS, V1 + AGENTS, V1 + path]


@pytest.mark.parametrize(
    ("what", "refusal"), [("the first page", MISSING), ("agents", MISSING), *((what, GONE) for what in READS)]
)
async def test_reads_continue_with_v2_if_v1_is_withdrawn_while_the_program_runs(
    scripted: ScriptedServer, client: Client, what: str, refusal: Reply
) -> None:
    path, reply, read = READS[what]
    scripted.on("GET", V1 + path, reply, refusal)
    scripted.on("GET", V2 + path, reply)
    for _ in range(3):
        await read(client)
    assert paths(scripted) == [V1 + path, V1 + path, V2 + path, V2 + path]


async def test_the_error_of_v1_is_raised_if_v2_fails_as_well(scripted: ScriptedServer, client: Client) -> None:
    scripted.on("GET", V1 + RUNS, GONE)
    scripted.on("GET", V2 + RUNS, Reply({}, 429, {"Retry-After": "600"}))
    with pytest.raises(NotFound, match="410"):
        await client.runs(SCOPE)
    scripted.on("GET", V2 + RUNS, Reply({"count": 1, "results": [run_of(5)]}))
    assert (await client.runs(SCOPE)).count == 1
