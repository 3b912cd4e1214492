"""A session combines runs for a job, searches transcripts, and lists and reads agents."""

from __future__ import annotations

import asyncio

import pytest
from scripted_server import Hold, Reply, Reset, ScriptedServer, run_of, serve_runs
from waiting import eventually

from cekura_tui.api.errors import ApiError, KeyRefused, Rejected
from cekura_tui.model.errors import UsageError
from cekura_tui.model.scope import Scope
from cekura_tui.workspace.session import Session

RUN = "/test_framework/v1/runs/5/"
AGENTS = "/test_framework/v1/aiagents/"
WORKFLOW = {"id": 4, "name": "Asks for the name", "type": "binary_workflow_adherence", "score": 0}
TASTE = {"id": 5, "name": "Tone", "type": "enum", "score": 0}


@pytest.mark.parametrize(
    ("run_ids", "said"),
    [
        ([], "No run given"),
        ([1, 2, 3, 4, 1], "4 runs given; a job takes up to 3"),
        ([1, 2], "to different agents: 1 of Agent 7, 2 of Agent 8"),
    ],
)
async def test_runs_that_cannot_be_improved_together_are_refused(
    session: Session, scripted: ScriptedServer, run_ids: list[int], said: str
) -> None:
    serve_runs(scripted, run_of(1), run_of(2, agent=8))
    with pytest.raises(UsageError, match=said):
        await session.improvable(run_ids)


async def test_focuses_are_workflow_metrics_and_critical_categories(session: Session, scripted: ScriptedServer) -> None:
    critical = [{"category_id": 9, "category": "Wrong price"}]
    runs = [run_of(n, evaluation={"metrics": [WORKFLOW, TASTE]}, critical_categories=critical) for n in (1, 2)]
    serve_runs(scripted, *runs)
    found = await session.improvable([1, 2, 1])
    assert (found.run_ids, found.agent_id) == ((1, 2), 7)
    assert sorted(found.focuses()) == [("category", 9, "Wrong price"), ("metric", 4, "Asks for the name")]


async def test_transcript_search_finds_a_run_opened_a_moment_ago(session: Session, scripted: ScriptedServer) -> None:
    serve_runs(scripted, run_of(5, transcript="[00:01] Main Agent: The terrace is closed."), run_of(6))
    for number in (5, 6):
        await session.run(number)
    found = await session.search_transcripts("terrace")
    assert (found.runs_covered, found.counts) == (1, {5: 1})  # run 6 has no transcript
    assert (await session.search_transcripts("balcony")).hits == ()


async def test_a_run_opens_even_if_its_prefetch_failed(session: Session, scripted: ScriptedServer) -> None:
    serve_runs(scripted, run_of(6))
    hold = Hold(Reset())
    scripted.on("GET", RUN, hold, Reply(run_of(5)))
    ahead = asyncio.create_task(session.run(5, once=True))
    await eventually(hold.arrived.is_set, "it is read ahead")
    opening = asyncio.create_task(session.run(5))
    for _ in range(3):  # a second request for run 5 would have arrived by now
        await session.run(6)
    assert len(scripted.requests("GET", RUN)) == 1
    hold.released.set()
    assert (await opening).row.id == 5
    assert len(scripted.requests("GET", RUN)) == 2
    await asyncio.wait({ahead})
    assert ahead.exception() is not None
    scripted.on("GET", RUN, Reset(), Reply(run_of(5)))
    assert (await session.whole_run(5))[1] is False, "a script's request is retried"


async def test_agents_of_a_project_are_searched_on_the_server(session: Session, scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENTS, Reply({"count": 1, "results": [{"id": 7, "agent_name": "Line"}]}))
    page = await session.agents(3, 2, "lin")
    assert [(agent.id, agent.name) for agent in page.items] == [(7, "Line")]
    (asked,) = scripted.requests("GET")
    assert (asked.query["project_id"], asked.query["page"], asked.query["q"]) == ("3", "2", "lin")


@pytest.mark.parametrize(("status", "kind", "said"), [(401, KeyRefused, "key"), (400, Rejected, "with|as a file")])
async def test_an_error_says_why_the_prompt_of_an_agent_cannot_be_read(
    session: Session, scripted: ScriptedServer, status: int, kind: type[ApiError], said: str
) -> None:
    scripted.on("GET", f"{AGENTS}7/", Reply({"detail": "No."}, status))
    with pytest.raises(kind) as caught:
        await session.agent_prompt(7)
    assert ("Can't read the prompt of agent 7" in caught.value.message) == (kind is Rejected)


async def test_a_result_scope_is_not_remembered_for_the_next_start(session: Session) -> None:
    await session.choose(Scope("project", 3, "Clinic"))
    await session.choose(Scope("result", 8, "Nightly"))
    assert session.store.chosen() == ("project", 3, "Clinic")
