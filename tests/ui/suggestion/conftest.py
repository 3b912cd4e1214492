"""A fixture: a server with agents and prompts, shared by all tests of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agents_on_a_server import BANK, CLINIC, Agents, agents

from cekura_tui.model.text import Prompt


@pytest.fixture(scope="session")
def _agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Agents, dict[int, Prompt]]]:
    with agents(tmp_path_factory.mktemp("agents")) as server:
        yield server, {agent: server.prompt_of(agent) for agent in (CLINIC, BANK)}


@pytest.fixture
def server(_agents: tuple[Agents, dict[int, Prompt]]) -> Agents:
    """The shared server, with the agents' prompts reset to their initial texts."""
    server, prompts = _agents
    for agent, prompt in prompts.items():
        server.write_elsewhere(agent, prompt)
    return server
