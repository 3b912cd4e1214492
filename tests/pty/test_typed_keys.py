"""API keys typed into a terminal, and passphrases typed into a command that prints a key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import Start, Terminal

from cekura_tui.config.credentials import ApiKey, read_server, save_key, saved_keys
from cekura_tui.demo.server import DemoOptions, DemoServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoServer]:
    """A server with two projects."""
    server = DemoServer(tmp_path / "server", DemoOptions(speed=1e6))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def saved(home: Path) -> Path:
    return home / "credentials.json"


def log_in(start: Start, server: DemoServer, *words: str) -> Terminal:
    terminal = start(*words, env={"CEKURA_API_URL": server.url}).wait("API key:")
    terminal.press(server.key, "enter")
    return terminal


def test_a_typed_key_is_not_shown_and_the_project_is_picked_from_a_list(
    start: Start, server: DemoServer, saved: Path
) -> None:
    terminal = log_in(start, server, "auth", "login").wait("1  Front desks (4021)", "2  Hospitality and grid (4022)")
    terminal.press("2", "enter")
    assert terminal.ended() == 0
    assert f"Key saved in {saved}." in terminal.text.replace("\n", "")
    assert server.key.encode() not in terminal.raw
    assert saved_keys(saved)["default"].api_key == server.key
    app = start().wait("Hospitality and grid", "60 runs")
    app.quit()
    assert server.key.encode() not in app.raw


def test_ctrl_c_at_the_project_prompt_saves_nothing(start: Start, server: DemoServer, saved: Path) -> None:
    terminal = log_in(start, server, "auth", "login").wait("2  Hospitality and grid (4022)", "Project [1]:")
    terminal.settle().press("ctrl+c")  # a signal between the prompt and the read is seen only after a line
    assert terminal.ended() == 130
    assert not saved.exists()


def test_a_saved_key_is_replaced_only_after_confirmation(start: Start, server: DemoServer, saved: Path) -> None:
    save_key(saved, read_server(server.url), ApiKey("the-first-key", "typed"))
    terminal = log_in(start, server, "auth", "login").wait("has another key of", "Replace that key? [y/N]")
    terminal.press("n", "enter")
    assert terminal.ended() == 2
    assert "Nothing was saved." in terminal.text
    assert saved_keys(saved)["default"].api_key == "the-first-key"
    terminal = log_in(start, server, "--project", "4021", "auth", "login").wait("Replace that key? [y/N]")
    terminal.press("y", "enter")
    assert terminal.ended() == 0
    assert saved_keys(saved)["default"].api_key == server.key


ASKS = """#!/bin/sh
printf 'Passphrase: ' >&2
read -r word
[ "$word" = open ] || exit 1
echo {key}
"""


@pytest.fixture
def command(home: Path, server: DemoServer, tmp_path: Path) -> str:
    """Text of a configuration whose `api_key_command` prints the key after a passphrase was typed."""
    script = tmp_path / "ask"
    script.write_text(ASKS.format(key=server.key))
    script.chmod(0o700)
    home.mkdir(exist_ok=True)
    return f"api_url = {json.dumps(server.url)}\nproject_id = 4021\napi_key_command = {json.dumps(str(script))}\n"


def test_a_command_asks_for_a_passphrase_before_the_app_draws(start: Start, home: Path, command: str) -> None:
    (home / "config.toml").write_text(command)
    app = start().wait("Passphrase:")
    assert b"\x1b[?1049h" not in app.raw, "it does not draw yet"
    app.press("open", "enter").wait("240 runs")
    app.quit()


def test_the_app_yields_the_terminal_to_a_command_asking_for_a_passphrase(
    start: Start, home: Path, command: str, server: DemoServer
) -> None:
    (home / "config.toml").write_text(f"[profiles.work]\n{command}")
    save_key(home / "credentials.json", read_server(server.url), ApiKey(server.key, "typed"))
    app = start("--project", "4022").wait("60 runs")
    app.press("P")
    app.wait("work", "api_key_command").press("G", "up", "enter")
    app.wait("Passphrase:").press("wrong", "enter")
    app.wait("ask (api_key_command) ended with status 1.", "Ways to start")
    app.press("P")
    app.wait("work", "api_key_command").press("G", "up", "enter")
    app.wait("Passphrase:").press("open", "enter").wait("work", "240 runs")
    app.quit()
