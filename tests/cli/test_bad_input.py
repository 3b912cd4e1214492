"""Wrong input is a sentence with what to do, and nothing was launched."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from calling import call, refused
from scripted_server import HTML_502, Reply, Reset, ScriptedServer, closed_port, run_of, serve_runs

RUN_5 = "/test_framework/v1/runs/5/"


def wrong(demo: Any, said: str, *words: object, status: int = 2, stdin: bytes = b"", asked: bool = False) -> None:
    """The call is refused in one line; nothing was launched, and the server was not asked unless it had to be."""
    result = refused(said, *words, stdin=stdin, status=status)
    assert len(result.err.splitlines()) == 1
    assert demo.posts() == []
    assert asked or demo.log == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("No run given.", ("--from-agent",)),
        ("4 runs given; a job takes up to 3.", (1, 2, 3, 4, "--from-agent")),
        ("No prompt chosen", (5,)),
        ("No prompt chosen", (5, "--from-agent", "--prompt-file", __file__)),
        ("Add --wait.", (5, "--from-agent", "--out", "o")),
        ("Add --wait.", (5, "--from-agent", "--timeout", 3)),
    ],
)
def test_a_launch_that_lacks_something_or_has_too_much_is_refused(
    demo: Any, said: str, words: tuple[object, ...]
) -> None:
    wrong(demo, said, "improve", *words)


def test_a_run_named_four_times_is_one_run(demo: Any, failed: int) -> None:
    assert call("improve", failed, failed, failed, failed, "--from-agent").status == 0
    assert len(demo.posts()) == 1


def test_an_id_that_is_a_word(demo: Any) -> None:
    refused("“newest” is not a valid run id; use a number such as 48213.", "improve", "newest", "--from-agent")
    assert demo.log == []


def test_a_run_that_is_not_there(demo: Any, failed: int) -> None:
    wrong(demo, "Run 1 not found,", "improve", failed, 1, "--from-agent", asked=True)


def test_runs_of_two_agents(demo: Any, by_kind: dict[str, list[dict[str, Any]]]) -> None:
    runs = {row["agent"]: row["id"] for row in by_kind["failed"]}
    assert len(runs) > 1
    wrong(demo, "to different agents", "improve", *list(runs.values())[:2], "--from-agent", asked=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b" \n\t\r\n", "is blank"), (b"\x89PNG\0\xff", "is not a text file"), (b"x" * 200_001, "is over 200,000 bytes")],
)
def test_a_prompt_file_that_is_no_prompt(demo: Any, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "p").write_bytes(content)
    wrong(demo, said, "improve", 5, "--prompt-file", tmp_path / "p")
    wrong(demo, said, "improve", 5, "--prompt-file", "-", stdin=content)


def test_a_prompt_file_that_is_missing_or_a_directory(demo: Any, tmp_path: Path) -> None:
    wrong(demo, "There is no file", "improve", 5, "--prompt-file", tmp_path / "none")
    wrong(demo, "is a directory", "improve", 5, "--prompt-file", tmp_path)


def test_an_output_that_cannot_be_written(demo: Any, failed: int, tmp_path: Path) -> None:
    words = ("improve", failed, "--from-agent", "--wait", "--out")
    (tmp_path / "there").write_text("kept")
    wrong(demo, "There is no directory", *words, tmp_path / "none" / "o.md")
    wrong(demo, "exists already. Overwrite it with --force", *words, tmp_path / "there")
    wrong(demo, "is a directory", *words, tmp_path)
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


def test_one_input_for_both_key_and_prompt(demo: Any) -> None:
    wrong(
        demo,
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
    wrong(demo, "No API key found. Run `cekura-tui auth login`", *words, status=4)


@pytest.mark.parametrize("words", COMMANDS[:3], ids=" ".join)
def test_a_wrong_key(demo: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "wrong-key-0123456789")
    wrong(demo, "refused the API key (403: Invalid API key.)", *words, asked=True, status=4)
    assert "wrong-key" not in call(*words).err


@pytest.mark.parametrize(
    ("words", "url", "said"),
    [
        (COMMANDS[0], "http://api.cekura.ai", "unencrypted (plain http)"),
        (COMMANDS[1], "cekura", "is not an http(s) URL"),
        (COMMANDS[2], "https://[", "is not a URL"),
        (COMMANDS[3], "", "is not an http(s) URL"),
    ],
)
def test_a_url_that_is_none_or_not_safe(demo: Any, words: list[str], url: str, said: str) -> None:
    wrong(demo, said, "--api-url", url, *words)


@pytest.mark.parametrize("words", COMMANDS[:3], ids=" ".join)
@pytest.mark.usefixtures("no_retries")
def test_a_server_that_is_not_there(demo: Any, words: list[str]) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    wrong(demo, "connection refused.", "--api-url", url, *words)


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
@pytest.mark.usefixtures("no_retries")
@pytest.mark.parametrize("words", COMMANDS[:3], ids=" ".join)
def test_an_answer_that_is_not_what_was_promised(
    api: ScriptedServer, words: list[str], reply: Reply | Reset, said: str
) -> None:
    for path in ("/test_framework/v1/runs/", RUN_5, "/user/v1/projects/"):
        api.on("GET", path, reply)
    result = refused(said, *words)
    assert len(result.err.splitlines()) == 1
    assert api.requests("POST") == []


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
@pytest.mark.usefixtures("no_retries")
def test_an_agent_whose_prompt_cannot_be_used(api: ScriptedServer, agent: Reply, said: str) -> None:
    serve_runs(api, run_of(5))
    api.on("GET", "/test_framework/v1/aiagents/7/", agent)
    refused(said, "improve", 5, "--from-agent")
    assert api.requests("POST") == []


def test_a_run_without_an_agent(api: ScriptedServer) -> None:
    api.on("GET", RUN_5, Reply({"id": 5}))
    refused("Give the prompt as a file.", "improve", 5, "--from-agent")
    assert api.requests("POST") == []


def test_a_database_of_a_newer_program(demo: Any, home: Path) -> None:
    call("jobs", "list")
    sql = sqlite3.connect(home / "cekura.db")
    sql.execute("PRAGMA user_version = 99")
    sql.close()
    wrong(demo, "has version 99", "jobs", "list")
    wrong(demo, "has version 99", "improve", 5, "--from-agent")
