"""An agent's prompt is sent once and exactly, to the API version from which the agent was read."""

from __future__ import annotations

import json

import pytest
from scripted_server import HTML_502, Reply, Reset, ScriptedServer

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, KeyRefused, NotConnected, NotFound, Rejected, ServerFault, Unreachable
from cekura_tui.model.text import Prompt

V1, V2 = "/test_framework/v1/aiagents/7/", "/test_framework/v2/aiagents/7/"
AGENT = {"id": 7, "agent_name": "A", "description": "Be kind."}
TEXT = Prompt("# Line\r\n\tBe kind — “brief”\u2026 \0 \ud800 \U0001f98a\x85 ")


async def test_a_write_sends_only_the_exact_prompt_and_returns_the_agent(
    scripted: ScriptedServer, client: Client
) -> None:
    scripted.on("PATCH", V1, lambda got: Reply({**AGENT, **got.json()}))
    agent = await client.write_agent_prompt(7, TEXT)
    assert (agent.id, agent.prompt) == (7, TEXT)
    (got,) = scripted.seen
    assert (got.headers["Content-Type"], got.body.isascii()) == ("application/json", True)
    assert json.loads(got.body) == {"description": TEXT}


async def test_a_prompt_of_an_agent_read_from_v2_is_written_to_v2(scripted: ScriptedServer, client: Client) -> None:
    scripted.on("GET", V1, Reply({"detail": "Gone."}, 410))
    scripted.on("GET", V2, Reply({"id": 7, "name": "A"}))
    scripted.on("PATCH", V2, Reply({"id": 7, "name": "A"}))
    await client.agent(7)
    await client.write_agent_prompt(7, TEXT)
    assert [got.path for got in scripted.requests("PATCH")] == [V2]


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (Reply({"detail": "No."}, 403), KeyRefused),
        (Reply({"description": ["Null characters are not allowed."]}, 400), Rejected),
        (Reply({}, 404), NotFound),
        (Reply({}, 410), NotFound),
        (Reply(HTML_502, 502), ServerFault),
        (Reply({}, 429), ApiError),
        (Reset(), Unreachable),
    ],
    ids=["403", "400", "404", "410", "502", "429", "reset"],
)
async def test_a_failed_write_of_a_prompt_is_not_retried(
    scripted: ScriptedServer, client: Client, bad: Reply | Reset, kind: type[ApiError]
) -> None:
    scripted.on("GET", V1, Reply(AGENT))
    for path in (V1, V2):
        scripted.on("PATCH", path, bad)
    await client.agent(7)
    with pytest.raises(kind) as caught:
        await client.write_agent_prompt(7, TEXT)
    assert not isinstance(caught.value, NotConnected)
    assert [got.path for got in scripted.requests("PATCH")] == [V1]
