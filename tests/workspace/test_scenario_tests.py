"""Tests of prompts on the demo server: announced calls are the calls made, and no credential is stored."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from demo_client import EPOCH, Clock

from cekura_tui.demo.server import DemoOptions, DemoServer
from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.scenario_test import LaunchSettings
from cekura_tui.workspace.scenario_tests import LaunchChoice, ScenarioPlan, planned_launches
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup


class OnDemo:
    """A session on a demo server whose requests are logged."""

    def __init__(self, directory: Path) -> None:
        self.clock, self.log = Clock(), list[dict[str, Any]]()
        options = DemoOptions(epoch=EPOCH)
        self.server = DemoServer(directory / "demo", options, log=self.log.append, clock=self.clock)

    async def open(self, home: Path) -> None:
        self.server.start()
        env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": self.server.key}
        self.session = Session.open(make_setup(api_url=self.server.url, project_id=1, env=env))
        self.session.budget._window = 0.0

    async def failed(self, project: int = 4021) -> list[RunRow]:
        rows = [row_of(run) for run in (await self.session.client.runs({"project_id": project})).items]
        return [row for row in rows if row.outcome.kind == "failed"]

    async def plan_of(self, agent_id: int, project: int = 4021) -> ScenarioPlan:
        runs = [row.id for row in await self.failed(project) if row.agent_id == agent_id]
        return await self.session.tests.plan(runs[:3])

    def called(self) -> list[int]:
        """The number of calls of each launch, as the server counted."""
        return [entry["calls"] for entry in self.log if "calls" in entry]


@pytest.fixture
async def tested(tmp_path: Path, home: Path) -> AsyncIterator[OnDemo]:
    here = OnDemo(tmp_path)
    await here.open(home)
    yield here
    await here.session.close()
    here.server.stop()


async def launch_at_random(tested: OnDemo, launches: int) -> None:
    """Assert that each launch makes the calls that were announced, for random choices of the user."""
    draw, rows = random.Random(launches), [*await tested.failed(), *await tested.failed(4022)]
    for _ in range(launches):
        agent = draw.choice(rows).agent_id
        runs = [row.id for row in rows if row.agent_id == agent]
        plan = await tested.session.tests.plan(draw.sample(runs, min(len(runs), draw.randint(1, 4))))
        if not plan.ways:
            continue
        some = draw.sample(plan.scenarios, draw.randint(1, len(plan.scenarios)))
        way = draw.choice([way for way in plan.ways if way.key != "rerun"] or plan.ways)
        limit = draw.choice([None, 1, 3])
        target = plan.agent.assistant_id if way.key == "vapi" else ""
        choice = LaunchChoice(tuple(one.id for one in some), "anyway", way.key, draw.randint(1, 3), limit, target)
        before, announced = len(tested.called()), [one.calls for one in planned_launches(plan, choice)]
        try:
            await tested.session.tests.launch(plan, choice)
        except UsageError as error:
            pytest.fail(error.message)
        assert tested.called()[before:] == announced
        tested.server._database._db.execute("UPDATE launch SET credits = 0")  # type: ignore[union-attr] # never used up


async def test_the_announced_calls_are_the_calls_that_are_made(tested: OnDemo) -> None:
    await launch_at_random(tested, 8)


@pytest.mark.long
async def test_the_announced_calls_are_made_in_200_launches(tested: OnDemo) -> None:
    await launch_at_random(tested, 200)


def saved_texts(home: Path) -> list[bytes]:
    return [path.read_bytes() for path in home.rglob("*") if path.is_file()]


async def test_no_credential_of_an_agent_is_stored(tested: OnDemo, home: Path) -> None:
    for row in {row.agent_id: row for row in [*await tested.failed(), *await tested.failed(4022)]}.values():
        plan = await tested.session.tests.plan([row.id])
        assert "demo-secret" not in repr(plan)
        if plan.ways:
            choice = LaunchChoice(plan.failing, "anyway", plan.ways[0].key, times=1, target=plan.agent.assistant_id)
            if not plan.ways[0].target:
                choice = LaunchChoice(plan.failing, "anyway", plan.ways[0].key, times=1)
            for job in await tested.session.tests.launch(plan, choice):
                assert LaunchSettings.of(job.parameters).agent == row.agent_id
    await tested.session.close()
    assert {b"demo-secret" in text for text in saved_texts(home)} == {False}
    assert {entry["path"] for entry in tested.log if "aiagents/" in entry["path"]}


async def test_runs_of_two_agents_cannot_be_tested_together(tested: OnDemo) -> None:
    first, *others = await tested.failed()
    other = next(row for row in others if row.agent_id != first.agent_id)
    with pytest.raises(UsageError, match="different agents"):
        await tested.session.tests.plan([first.id, other.id])
