"""Wrong input is refused with one line that says what to do, and launches nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from calling import call, refused
from scripted_server import HTML_502, Reply, Reset, ScriptedServer, closed_port, run_of, serve_runs

RUN_5 = "/test_framework/v1/runs/5/"
COMMANDS = (["runs", "list"], ["runs", "show", "5"], ["improve", "5", "--from-agent"])


def wrong(demo: Any, said: str, *words: object, status: int = 2, stdin: bytes = b"", asked: bool = False) -> None:
    """Check that a call is refused with one line that contains `said`, and launches nothing. Requests may be sent only
    if `asked`."""
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
        ("“newest” is not a valid run id; use a number such as 48213.", ("newest", "--from-agent")),
    ],
)
def test_missing_or_contradicting_options_of_a_launch_are_refused(
    demo: Any, said: str, words: tuple[object, ...]
) -> None:
    refused(said, "improve", *words)
    assert demo.log == []


def test_a_launch_for_an_unknown_run_or_for_runs_of_two_agents_is_refused(
    demo: Any, by_kind: dict[str, list[dict[str, Any]]]
) -> None:
    runs = {row["agent"]: row["id"] for row in by_kind["failed"]}
    one, other, *_ = runs.values()
    wrong(demo, "Run 1 not found,", "improve", one, 1, "--from-agent", asked=True)
    wrong(demo, "to different agents", "improve", one, other, "--from-agent", asked=True)
    assert call("improve", one, one, one, one, "--from-agent").status == 0
    assert len(demo.posts()) == 1


def test_an_unusable_prompt_file_is_refused(demo: Any, tmp_path: Path) -> None:
    path = tmp_path / "p"
    for content, said in (
        (b" \n\t\r\n", "is blank"),
        (b"\x89PNG\0\xff", "is not a text file"),
        (b"x" * 200_001, "is over 200,000 bytes"),
    ):
        path.write_bytes(content)
        wrong(demo, said, "improve", 5, "--prompt-file", path)
        wrong(demo, said, "improve", 5, "--prompt-file", "-", stdin=content)
    wrong(demo, "There is no file", "improve", 5, "--prompt-file", tmp_path / "none")
    wrong(demo, "is a directory", "improve", 5, "--prompt-file", tmp_path)
    both = ("--api-key-file", "-", "improve", 5, "--prompt-file", "-")
    wrong(demo, "both the key and the prompt", *both, stdin=b"key\nprompt")


def test_an_unwritable_output_file_is_refused(demo: Any, failed: int, tmp_path: Path) -> None:
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
def test_an_empty_path_is_refused(
    demo: Any, option: str, before: tuple[object, ...], after: tuple[object, ...]
) -> None:
    refused(f"Invalid value for '{option}': the path is empty.", *before, option, "", *after)
    assert demo.log == []


@pytest.mark.usefixtures("no_retries")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_missing_or_refused_key_or_an_unusable_server_url_is_reported(
    demo: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    for url, said in (
        ("http://api.cekura.ai", "unencrypted (plain http)"),
        ("cekura", "is not an http(s) URL"),
        ("https://[", "is not a URL"),
        ("", "is not an http(s) URL"),
        (f"http://127.0.0.1:{closed_port()}", "connection refused."),
    ):
        wrong(demo, said, "--api-url", url, *words)
    monkeypatch.delenv("CEKURA_API_KEY")
    wrong(demo, "No API key found. Run `cekura-tui auth login`", *words, status=4)
    monkeypatch.setenv("CEKURA_API_KEY", "wrong-key-0123456789")
    wrong(demo, "refused the API key (403: Invalid API key.)", *words, asked=True, status=4)
    assert "wrong-key" not in call(*words).err


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
def test_an_unexpected_answer_of_the_server_is_reported_in_one_line(
    api: ScriptedServer, reply: Reply | Reset, said: str
) -> None:
    for path in ("/test_framework/v1/runs/", RUN_5, "/user/v1/projects/"):
        api.on("GET", path, reply)
    for words in COMMANDS:
        assert len(refused(said, *words).err.splitlines()) == 1
    assert api.requests("POST") == []


@pytest.mark.usefixtures("no_retries")
def test_an_agent_with_an_unusable_prompt_is_refused(api: ScriptedServer) -> None:
    serve_runs(api, run_of(5), {"id": 6})
    for agent, said in (
        (Reply({"detail": "Not found."}, 404), "Can't read the prompt of agent 7"),
        (Reply(HTML_502, 502), "Can't read the prompt of agent 7"),
        (Reply({"id": 7, "description": " \n"}), "has no prompt on the server"),
        (Reply({"id": 7}), "has no prompt on the server"),
        (Reply({"id": 7, "description": "x" * 200_001}), "is 200,001 bytes; the limit is 200,000"),
    ):
        api.on("GET", "/test_framework/v1/aiagents/7/", agent)
        refused(said, "improve", 5, "--from-agent")
    refused("Give the prompt as a file.", "improve", 6, "--from-agent")
    assert api.requests("POST") == []


def test_a_database_of_a_newer_version_is_refused(demo: Any, home: Path) -> None:
    call("jobs", "list")
    sql = sqlite3.connect(home / "cekura.db")
    sql.execute("PRAGMA user_version = 99")
    sql.close()
    wrong(demo, "has version 99", "jobs", "list")
    wrong(demo, "has version 99", "improve", 5, "--from-agent")
