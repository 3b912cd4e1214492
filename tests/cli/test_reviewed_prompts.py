"""`review`: a prompt from a file becomes a suggestion, whose changes are decided as any other's."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import call, called, objects, refused
from documented_shapes import read_all
from scripted_server import Got, Reply, ScriptedServer

SENT = "# Rules\r\n\r\nBe kind to callers.\r\n\r\n# Prices\r\n\r\nNever guess a price.\r\n"
BETTER = SENT.replace("kind", "brief").replace("guess", "estimate")
AGENT = "/test_framework/v1/aiagents/7/"


@pytest.fixture
def written(api: ScriptedServer) -> list[str]:
    """The prompts that were written to agent 7, whose first prompt is SENT."""
    prompts: list[str] = []

    def agent() -> Reply:
        return Reply({"id": 7, "agent_name": "Agent 7", "description": (prompts or [SENT])[-1]})

    def write(got: Got) -> Reply:
        prompts.append(got.json()["description"])
        return agent()

    api.on("GET", AGENT, lambda got: agent())
    api.on("PATCH", AGENT, write)
    return prompts


@pytest.fixture
def better(tmp_path: Path) -> Path:
    file = tmp_path / "better.md"
    file.write_bytes(BETTER.encode())
    return file


def test_a_reviewed_prompt_is_decided_on_and_brought_to_the_agent(
    api: ScriptedServer, written: list[str], better: Path
) -> None:
    result = called("review", better, "--agent", 7)
    assert "[-kind-]{+brief+}" in result.out.replace(" ", "")
    assert result.err.splitlines()[-1] == "+2 −2 words. To decide on them, run `cekura-tui suggestion show 1`."
    assert {got.method for got in api.seen} == {"GET"}
    assert "2. undecided: Prices › paragraph 1, +1 −1 word" in called("suggestion", "show", 1).out
    assert "[-kind-]" in called("jobs", "show", 1, "--diff").out
    called("suggestion", "accept", 1, 2)
    called("suggestion", "update", 1, "--yes")
    assert written == [SENT.replace("guess", "estimate")]
    shown = called("jobs", "show", 1).out
    assert ("agent: Agent 7" in shown, f"proposed by: {better}\n" in shown) == (True, True)


def test_a_reviewed_prompt_is_compared_with_the_original_and_explained_by_runs(
    api: ScriptedServer, better: Path, tmp_path: Path
) -> None:
    original = tmp_path / "original.md"
    original.write_bytes(SENT.encode())
    (job,) = read_all(
        "improve", called("review", "-", "--run", 5, "--original", original, "--json", stdin=better.read_bytes()).out
    )
    assert (job["kind"], job["proposer"]) == ("prompt_from_file", "standard input")
    assert (job["run_ids"], job["agent_name"], job["improved_prompt"]) == ([5], "Agent 7", BETTER)
    assert api.requests(path=AGENT) == []
    assert called("jobs", "show", 1, "--prompt").raw == better.read_bytes()
    assert call("review", original, "--run", 5, "--original", original).status == 3


def test_a_prompt_that_cannot_be_reviewed_is_refused_and_not_saved(
    api: ScriptedServer, written: list[str], better: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "ck_prod_Zm9vYmFyYmF6cXV4")
    refused("No agent chosen.", "review", better)
    refused("No agent chosen.", "review", better, "--agent", 7, "--run", 5)
    refused("read only once", "review", "-", "--agent", 7, "--original", "-")
    refused("Read-only session", "--read-only", "review", better, "--agent", 7)
    better.write_text("The key is ck_prod_Zm9vYmFyYmF6cXV4.")
    refused("add --allow-key", "review", better, "--agent", 7)
    assert objects("jobs", "list", "--drafts") == []
    called("review", better, "--agent", 7, "--allow-key")
