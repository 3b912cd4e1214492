"""Wrong input is a sentence with what to do, and nothing was launched."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from calling import call
from scripted_server import HTML_502, Reply, Reset, ScriptedServer, closed_port, run_of, serve_runs

RUN_5 = "/test_framework/v1/runs/5/"


def ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing that failed be tried again."""
    for module in ("api.client", "workspace.all_runs"):
        monkeypatch.setattr(f"cekura_tui.{module}.next_try", lambda *_: None)


def refused(demo: Any, status: int, said: str, *words: object, stdin: bytes = b"", asked: bool = False) -> None:
    """The call ends so, says so in one line, and launched nothing; it asked nothing at all unless it had to."""
    result = call(*words, stdin=stdin)
    assert (result.status, result.out) == (status, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1
    assert demo.posts() == []
    assert asked or demo.log == []


def test_no_run_at_all(demo: Any) -> None:
    refused(demo, 2, "No run given.", "improve", "--from-agent")


def test_a_fourth_run(demo: Any) -> None:
    refused(demo, 2, "4 runs given; a job takes up to 3.", "improve", 1, 2, 3, 4, "--from-agent")


def test_a_run_named_four_times_is_one_run(demo: Any, failed: int) -> None:
    assert call("improve", failed, failed, failed, failed, "--from-agent").status == 0
    assert len(demo.posts()) == 1


def test_an_id_that_is_a_word(demo: Any) -> None:
    result = call("improve", "newest", "--from-agent")
    assert result.status == 2
    assert "“newest” is not a valid run id; use a number such as 48213." in result.err
    assert demo.log == []


def test_a_run_that_is_not_there(demo: Any, failed: int) -> None:
    refused(demo, 2, "Run 1 not found,", "improve", failed, 1, "--from-agent", asked=True)


def test_runs_of_two_agents(demo: Any, by_kind: dict[str, list[dict[str, Any]]]) -> None:
    runs = {row["agent"]: row["id"] for row in by_kind["failed"]}
    assert len(runs) > 1
    refused(demo, 2, "to different agents", "improve", *list(runs.values())[:2], "--from-agent", asked=True)


def test_no_prompt_or_two(demo: Any, prompt_file: Path) -> None:
    refused(demo, 2, "No prompt chosen", "improve", 5)
    refused(demo, 2, "No prompt chosen", "improve", 5, "--from-agent", "--prompt-file", prompt_file)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b" \n\t\r\n", "is blank"), (b"\x89PNG\0\xff", "is not a text file"), (b"x" * 200_001, "is over 200,000 bytes")],
)
def test_a_prompt_file_that_is_no_prompt(demo: Any, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "p").write_bytes(content)
    refused(demo, 2, said, "improve", 5, "--prompt-file", tmp_path / "p")
    refused(demo, 2, said, "improve", 5, "--prompt-file", "-", stdin=content)


def test_a_prompt_file_that_is_missing_or_a_directory(demo: Any, tmp_path: Path) -> None:
    refused(demo, 2, "There is no file", "improve", 5, "--prompt-file", tmp_path / "none")
    refused(demo, 2, "is a directory", "improve", 5, "--prompt-file", tmp_path)


def test_an_output_that_cannot_be_written(demo: Any, failed: int, tmp_path: Path) -> None:
    words = ("improve", failed, "--from-agent", "--wait", "--out")
    (tmp_path / "there").write_text("kept")
    refused(demo, 2, "There is no directory", *words, tmp_path / "none" / "o.md")
    refused(demo, 2, "exists already. Overwrite it with --force", *words, tmp_path / "there")
    refused(demo, 2, "is a directory", *words, tmp_path)
    assert (tmp_path / "there").read_text() == "kept"
    assert call(*words, tmp_path / "there", "--force").status == 0
    assert (tmp_path / "there").read_text() != "kept"


@pytest.mark.parametrize(
    ("option", "before", "after"),
    [
        ("--prompt-file", ("improve", 5), ()),
        ("--out", ("improve", 5, "--from-agent", "--wait"), ()),
        ("--config-dir", (), ("jobs", "list")),
        ("--api-key-file", (), ("runs", "list")),
        ("--bundle", ("doctor", "--offline"), ()),
    ],
)
def test_a_path_of_a_variable_that_was_never_set(
    demo: Any, option: str, before: tuple[object, ...], after: tuple[object, ...]
) -> None:
    result = call(*before, option, "", *after)
    assert (result.status, result.out, demo.log) == (2, "", [])
    assert f"Invalid value for '{option}': the path is empty." in result.err


def test_an_output_without_waiting_for_it(demo: Any, tmp_path: Path) -> None:
    refused(demo, 2, "Add --wait.", "improve", 5, "--from-agent", "--out", tmp_path / "o")
    refused(demo, 2, "Add --wait.", "improve", 5, "--from-agent", "--timeout", 3)


def test_one_input_for_both_key_and_prompt(demo: Any) -> None:
    refused(
        demo,
        2,
        "both the key and the prompt",
        "--api-key-file",
        "-",
        "improve",
        5,
        "--prompt-file",
        "-",
        stdin=b"key\nprompt",
    )


COMMANDS = [
    ["runs", "list"],
    ["runs", "show", "5"],
    ["improve", "5", "--from-agent"],
    ["jobs", "wait", "1"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_key(demo: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.delenv("CEKURA_API_KEY")
    refused(demo, 4, "No API key found. Run `cekura-tui auth login`", *words)


@pytest.mark.parametrize("words", COMMANDS[:3], ids=" ".join)
def test_a_wrong_key(demo: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "wrong-key-0123456789")
    refused(demo, 4, "refused the API key (403: Invalid API key.)", *words, asked=True)
    assert "wrong-key" not in call(*words).err


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.cekura.ai", "unencrypted (plain http)"),
        ("cekura", "is not an http(s) URL"),
        ("https://[", "is not a URL"),
        ("", "is not an http(s) URL"),
    ],
)
def test_a_url_that_is_none_or_not_safe(demo: Any, words: list[str], url: str, said: str) -> None:
    refused(demo, 2, said, "--api-url", url, *words)


@pytest.mark.parametrize("words", COMMANDS[:3], ids=" ".join)
def test_a_server_that_is_not_there(demo: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    ask_once(monkeypatch)
    url = f"http://127.0.0.1:{closed_port()}"
    refused(demo, 2, "connection refused.", "--api-url", url, *words)


@pytest.fixture
def broken(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", "key")
    monkeypatch.setenv("CEKURA_PROJECT_ID", "1")
    ask_once(monkeypatch)
    return scripted


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(HTML_502, 502), "failed (502, an HTML page). Try again later."),
        (Reply(b"<html>welcome</html>"), "is not JSON"),
        (Reply(b""), "is empty"),
        (Reply(b"[" * 100_000), "is not JSON"),
        (Reply({"other": 1}), "The server"),
        (Reply(["text"], 418), "refused the request (418"),
        (Reply(b"", 302, {"Location": "http://elsewhere"}), "not followed"),
        (Reset(), "before the answer came"),
    ],
    ids=["html 502", "html", "empty", "deep", "another shape", "teapot", "redirect", "reset"],
)
@pytest.mark.parametrize("words", COMMANDS[:3], ids=" ".join)
def test_an_answer_that_is_not_what_was_promised(
    broken: ScriptedServer, words: list[str], reply: Reply | Reset, said: str
) -> None:
    for path in ("/test_framework/v1/runs/", RUN_5, "/user/v1/projects/"):
        broken.on("GET", path, reply)
    result = call(*words)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1
    assert broken.requests("POST") == []


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (Reply({"detail": "Not found."}, 404), "Can't read the prompt of agent 7"),
        (Reply(HTML_502, 502), "Can't read the prompt of agent 7"),
        (Reply({"id": 7, "description": " \n"}), "has no prompt on the server"),
        (Reply({"id": 7}), "has no prompt on the server"),
        (Reply({"id": 7, "description": "x" * 200_001}), "is 200,001 bytes; up to 200,000 are taken"),
    ],
)
def test_an_agent_whose_prompt_cannot_be_used(broken: ScriptedServer, agent: Reply, said: str) -> None:
    serve_runs(broken, run_of(5))
    broken.on("GET", "/test_framework/v1/aiagents/7/", agent)
    result = call("improve", 5, "--from-agent")
    assert result.status == 2
    assert said in result.err
    assert broken.requests("POST") == []


def test_a_run_that_does_not_tell_its_agent(broken: ScriptedServer) -> None:
    broken.on("GET", RUN_5, Reply({"id": 5}))
    result = call("improve", 5, "--from-agent")
    assert result.status == 2
    assert "Give the prompt as a file." in result.err
    assert broken.requests("POST") == []


def test_a_database_of_a_newer_program(demo: Any, home: Path) -> None:
    call("jobs", "list")
    sql = sqlite3.connect(home / "cekura.db")
    sql.execute("PRAGMA user_version = 99")
    sql.close()
    refused(demo, 2, "has version 99", "jobs", "list")
    refused(demo, 2, "has version 99", "improve", 5, "--from-agent")
