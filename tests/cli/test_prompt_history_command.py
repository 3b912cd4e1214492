"""`prompts` lists and prints an agent's earlier prompts from this machine's database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from calling import call, called, refused
from documented_shapes import read_all
from scripted_server import PROGRESS, Reply, ScriptedServer

from cekura_tui.model.text import sha256

SENT = "# Rules\r\n\tBe kind to callers.\n"
IMPROVED = "# Rules\r\n\tBe very kind to callers.\n"
AGENT = "/test_framework/v1/aiagents/7/"


@pytest.fixture
def improved(api: ScriptedServer, tmp_path: Path) -> ScriptedServer:
    """A server that has improved the prompt of agent 7 with job 1. The record of requests is empty."""
    api.on("GET", PROGRESS, Reply({"output": {"improved_prompt": IMPROVED}}))
    api.on("GET", AGENT, Reply({"id": 7, "agent_name": "Desk", "project": 1, "description": IMPROVED}))
    file = tmp_path / "prompt.md"
    file.write_bytes(SENT.encode())
    called("improve", 5, "--prompt-file", file, "--wait")
    api.seen.clear()
    return api


def events(*words: object) -> list[Any]:
    return read_all("prompts-history", call("prompts", "history", 7, "--json", *words).out)


def test_the_history_of_a_prompt_is_listed_newest_first_without_a_request(improved: ScriptedServer) -> None:
    lines = call("prompts", "history", 7).out.splitlines()
    assert [line.split(", ", 1)[1] for line in lines[::3]] == ["suggested by job 1", "sent with job 1"]
    assert lines[1:3] == [f"   7 words, sha256 {sha256(IMPROVED)[:8]}", "   begins: # Rules"]
    assert [(event["n"], event["how"], event["job"], event["sha256"], event["current"]) for event in events()] == [
        (1, "proposed", 1, sha256(IMPROVED), None),
        (2, "sent", 1, sha256(SENT), None),
    ]
    assert improved.seen == []


def test_the_current_prompt_is_marked_if_the_option_current_is_given(improved: ScriptedServer) -> None:
    assert ", current" in call("prompts", "history", 7, "--current").out.splitlines()[0]
    assert [(event["current"], len(event["uses"])) for event in events("--current")] == [(True, 2), (False, 1)]
    assert {got.path for got in improved.seen} == {AGENT}


def test_a_prompt_chosen_by_number_or_hash_is_printed_exactly(improved: ScriptedServer) -> None:
    assert call("prompts", "show", 7, 2).raw == SENT.encode()
    assert call("prompts", "show", 7, sha256(IMPROVED)[:8].upper()).raw == IMPROVED.encode()
    assert "Be {+very+} kind to callers." in call("prompts", "show", 7, 1, "--diff").out


def test_a_suggested_prompt_is_compared_with_the_prompt_that_its_job_was_sent(
    improved: ScriptedServer, tmp_path: Path
) -> None:
    improved.on("GET", PROGRESS, Reply({"output": {"improved_prompt": f"{SENT}Thank them."}}))
    called("improve", 5, "--prompt-file", tmp_path / "prompt.md", "--wait")
    assert [event["text"] for event in events()] == ["suggested by job 2", "sent with job 2", "suggested by job 1"]
    assert "Be {+very+} kind to callers." in call("prompts", "show", 7, 3, "--diff").out


@pytest.mark.usefixtures("improved")
def test_an_unknown_prompt_is_reported() -> None:
    for which in ("3", "0", "abc", "abcdef00", "\x1b[31m"):
        refused("of agent 7. See `prompts history 7`.", "prompts", "show", 7, which)
    refused("No prompt of agent 7 before prompt 2 is known.", "prompts", "show", 7, 2, "--diff")
    empty = called("prompts", "history", 8)
    assert empty.out == ""
    assert empty.err.startswith("No prompts of agent 8 yet.")
