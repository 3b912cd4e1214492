"""A prompt that is read from an agent is added to the agent's prompt history."""

from __future__ import annotations

import pytest
from scripted_server import Reply, ScriptedServer

from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.store.errors import StoreError
from cekura_tui.store.prompt_uses import PromptUseStore
from cekura_tui.workspace.session import Session

AGENT = "/test_framework/v1/aiagents/7/"
PROMPT = Prompt("\r\n# Be\tkind\x1b[31m.  \r\nListen.\r\n")


@pytest.fixture
def agent(scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENT, Reply({"id": 7, "agent_name": "A", "description": PROMPT}))


@pytest.mark.usefixtures("agent")
async def test_a_prompt_read_from_an_agent_is_saved_exactly_in_the_prompt_history(session: Session) -> None:
    await session.agent_prompt(7)
    (seen,) = session.store.prompt_uses.all(7)
    assert (seen.how, seen.sha256, seen.job, seen.words) == ("seen", sha256(PROMPT), None, 4)
    assert seen.first_line == "# Be kind[31m."
    assert session.store.prompt_uses.text(seen.sha256) == PROMPT
    session.store.prompt_uses.forget(seen)
    assert session.store.prompt_uses.all(7) == []


@pytest.mark.usefixtures("agent")
async def test_each_use_of_a_prompt_is_listed_in_the_history_newest_first(session: Session) -> None:
    _, prompt = await session.agent_prompt(7)
    (seen,) = session.store.prompt_uses.all(7)
    session.store.jobs.begin_launch(Draft((5,), prompt, 7), seen.at + 5, "me")
    session.store.prompt_uses.note(7, Prompt("before"), "replaced", seen.at + 3, 1)
    assert [use.how for use in session.store.prompt_uses.all(7)] == ["sent", "replaced", "seen"]
    (_, last, _) = session.store.prompt_uses.all(7)
    assert (session.store.prompt_uses.text(last.sha256), last.job) == ("before", 1)


@pytest.mark.usefixtures("agent")
async def test_a_prompt_is_loaded_even_if_the_history_is_unwritable(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(PromptUseStore, "note", full)
    assert (await session.agent_prompt(7))[1] == PROMPT
