"""What needs no server needs no key: jobs, and runs that were opened before; nothing is asked of any server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from calling import Result, call
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer

from cekura_tui.config import key_lookup

DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\n"}})
SAVED = "Showing what is saved on this machine.\n"


def no_key(home: Path) -> str:
    return "No API key found."


def open_to_others(home: Path) -> str:
    (home / "credentials.json").write_text("{}")
    (home / "credentials.json").chmod(0o644)
    return f"Other users can open {home / 'credentials.json'} (mode 0644), so the key in it was not used."


@pytest.fixture
def ended(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """Job 1 has ended, run 5 was opened, and nobody has a key any more."""
    server.on("GET", PROGRESS, DONE)
    assert call("jobs", "wait", 1).status == 0
    assert call("runs", "show", 5).status == 0
    assert call("notes", "set", 5, "remember this").status == 0
    monkeypatch.delenv("CEKURA_API_KEY")
    server.seen.clear()
    return server


@pytest.mark.parametrize("without", [no_key, open_to_others])
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["jobs", "list"], "succeeded"),
        (["jobs", "list", "--json"], '"state": "succeeded"'),
        (["jobs", "show", 1], "job 1: succeeded"),
        (["jobs", "show", 1, "--prompt"], "Be kinder.\n"),
        (["jobs", "show", 1, "--curl"], "$CEKURA_API_KEY"),
        (["runs", "show", 5], "5"),
        (["runs", "show", 5, "--timeline"], ""),
        (["notes", "list"], "remember this"),
        (["views", "list"], "Failed today"),
        (["search", "--json", "hello"], ""),
        (["runs", "show", 5, "--json"], '"id": 5'),
    ],
)
def test_what_is_saved_here_is_shown_with_the_reason_why_there_is_no_key(
    ended: ScriptedServer, home: Path, without: Any, words: list[object], shown: str
) -> None:
    reason = without(home)
    result = call(*words)
    assert (result.status, shown in result.out) == (0, True)
    assert reason in result.err
    assert SAVED in result.err
    assert ended.seen == []


def test_a_key_command_that_fails_does_not_hide_the_jobs(
    ended: ScriptedServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_lookup._printed.clear()
    monkeypatch.delenv("CEKURA_API_URL")
    (home / "config.toml").write_text(f'api_url = "{ended.url}"\napi_key_command = "false"\n')
    result = call("jobs", "list")
    assert (result.status, "succeeded" in result.out) == (0, True)
    assert "false (api_key_command) ended with status 1." in result.err
    assert ended.seen == []


def refused(result: Result, what: str) -> None:
    assert (result.status, result.out) == (4, "")
    assert what in result.err
    assert len(result.err.splitlines()) == 1


def test_what_needs_the_server_says_what_is_missing(ended: ScriptedServer, prompt_file: Path) -> None:
    for words in (
        ["jobs", "wait", 1],
        ["jobs", "resume", 1],
        ["runs", "list", "--json"],
        ["improve", 5, "--from-agent"],
    ):
        refused(call(*words), "No API key found. Run `cekura-tui auth login`")
    refused(call("improve", 5, "--prompt-file", prompt_file), "No API key found.")
    refused(call("runs", "show", 6), "Run 6 is not cached on this machine. No API key found.")
    assert ended.seen == []


def test_a_cached_run_is_said_to_be_one_and_from_when(ended: ScriptedServer) -> None:
    assert "Showing the cached run, as of " in call("runs", "show", 5).err


def test_cached_runs_are_listed_with_their_age_and_by_the_same_filters(
    demo: Any, home: Path, monkeypatch: pytest.MonkeyPatch, by_kind: Any
) -> None:
    failed, passed = (by_kind[kind][0]["id"] for kind in ("failed", "passed"))
    for run in (failed, passed):
        assert call("runs", "show", run).status == 0
    monkeypatch.delenv("CEKURA_API_KEY")
    demo.log.clear()
    listed = call("runs", "list")
    assert listed.status == 0
    assert sorted(line.split()[0] for line in listed.out.splitlines()[1:]) == sorted(map(str, (failed, passed)))
    assert "2 runs cached, as of " in listed.err
    assert SAVED in listed.err
    assert [line.split()[0] for line in call("runs", "list", "outcome:passed").out.splitlines()[1:]] == [str(passed)]
    assert len(call("runs", "list", "--csv").out.splitlines()) == 3
    refused(call("runs", "list", "id:1"), "No matching run is cached on this machine. No API key found.")
    assert demo.log == []


def test_a_list_without_a_project_asks_for_one_and_not_for_a_key_alone(ended: ScriptedServer) -> None:
    refused(call("runs", "list"), "No project chosen. No API key found. Add --project ID. Run `cekura-tui auth login`")
    assert ended.seen == []


def test_jobs_of_every_key_and_profile_of_the_server_are_listed_and_none_of_another_server(
    ended: ScriptedServer, prompt_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    monkeypatch.setenv("CEKURA_API_KEY", "another-key")
    assert call("improve", 5, "--prompt-file", prompt_file).status == 0
    monkeypatch.delenv("CEKURA_API_KEY")
    listed = call("jobs", "list").out.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["2", "running"], ["1", "succeeded"]]
    assert "another key" not in "".join(listed)
    assert call("jobs", "show", 2).out.startswith("job 2: running\n")
    other = call("--api-url", "http://127.0.0.1:9", "jobs", "list")
    assert (other.status, other.out) == (0, "")


def test_a_job_can_be_forgotten_without_a_key(ended: ScriptedServer) -> None:
    assert call("jobs", "forget", 1).status == 0
    assert call("jobs", "list").out == ""
