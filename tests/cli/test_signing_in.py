from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from calling import call

from cekura_tui.demo.corpus import FIRST_PROJECT


@pytest.fixture
def key(demo: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The right key, which nobody has given yet."""
    monkeypatch.delenv("CEKURA_API_KEY")
    return str(demo.server.key)


def test_a_key_that_is_piped_in_is_checked_kept_and_used(demo: Any, key: str, home: Path) -> None:
    result = call("--api-key-file", "-", "auth", "login", stdin=f"{key}\n".encode())
    assert result.status == 0
    assert result.err == f"Signed in to {demo.server.url}. Key saved in {home / 'credentials.json'}.\n"
    assert result.out.startswith(f"{FIRST_PROJECT}  ")
    assert (home / "credentials.json").stat().st_mode & 0o777 == 0o600
    status = call("auth", "status")
    assert (status.status, status.err) == (0, "")
    assert status.out.startswith(f"server: {demo.server.url}\nkey: credentials.json\nproject: {FIRST_PROJECT} ")
    assert key not in result.out + result.err + status.out


def test_a_key_in_a_file_is_used_without_being_kept(key: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"  {key}\n")
    assert call("--api-key-file", tmp_path / "key", "runs", "list").status == 0
    assert call("--api-key-file", "-", "runs", "list", stdin=key.encode()).status == 0
    assert not (home / "credentials.json").exists()


def test_a_key_that_the_server_refuses_is_not_kept(demo: Any, key: str, home: Path) -> None:
    result = call("--api-key-file", "-", "auth", "login", stdin=b"wrong-key-012345\n")
    assert (result.status, result.out) == (4, "")
    assert "refused the API key" in result.err
    assert "wrong-key" not in result.err
    assert not (home / "credentials.json").exists()


@pytest.mark.parametrize("typed", [b"", b"\n", b"two words\n", "schlüssel\n".encode()])
def test_something_that_is_no_key_asks_no_server(demo: Any, key: str, typed: bytes) -> None:
    result = call("--api-key-file", "-", "auth", "login", stdin=typed)
    assert result.status == 4
    assert "standard input" in result.err
    assert demo.log == []


def test_without_a_terminal_it_is_said_how_to_give_a_key(demo: Any, key: str) -> None:
    result = call("auth", "login")
    assert result.status == 2
    assert "Use --api-key-file FILE" in result.err
    assert demo.log == []


def test_a_kept_key_stays_with_its_server(demo: Any, key: str, scripted: Any) -> None:
    call("--api-key-file", "-", "auth", "login", stdin=key.encode())
    result = call("--api-url", scripted.url, "auth", "status")
    assert result.status == 4
    assert f"belongs to {demo.server.url} and was not sent to {scripted.url}" in result.err
    assert scripted.seen == []


def test_the_key_is_nowhere_but_in_its_file(demo: Any, failed: int, key: str, home: Path) -> None:
    call("--api-key-file", "-", "auth", "login", stdin=key.encode())
    call("improve", failed, "--from-agent", "--wait")
    holding = [path.name for path in home.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert holding == ["credentials.json"]
    assert json.loads((home / "credentials.json").read_text())["default"]["api_key"] == key


def test_the_embedded_workspace_needs_no_key(home: Path) -> None:
    result = call("--demo", "auth", "login")
    assert result.status == 2
    assert "needs no key" in result.err
    assert call("--demo", "auth", "status").out.startswith("server: demo workspace\nkey: not needed\n")


def test_the_directory_of_all_files_can_be_asked_for_and_is_not_made(home: Path, tmp_path: Path) -> None:
    assert call("config", "path").out == f"{home}\n"
    assert call("--config-dir", tmp_path / "x", "config", "path").out == f"{tmp_path / 'x'}\n"
    assert list(tmp_path.iterdir()) == []
