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
    told = call("--api-key-file", "-", "auth", "login", stdin=f"{key}\n".encode())
    assert told.status == 0
    assert told.said == f"Signed in at {demo.server.url}; the key is in {home / 'credentials.json'}.\n"
    assert told.out.startswith(f"{FIRST_PROJECT}  ")
    assert (home / "credentials.json").stat().st_mode & 0o777 == 0o600
    status = call("auth", "status")
    assert (status.status, status.said) == (0, "")
    assert status.out.startswith(f"server: {demo.server.url}\nkey: credentials.json\nproject: {FIRST_PROJECT} ")
    assert key not in told.out + told.said + status.out


def test_a_key_in_a_file_is_used_without_being_kept(key: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"  {key}\n")
    assert call("--api-key-file", tmp_path / "key", "runs", "list").status == 0
    assert call("--api-key-file", "-", "runs", "list", stdin=key.encode()).status == 0
    assert not (home / "credentials.json").exists()


def test_a_key_that_the_server_refuses_is_not_kept(demo: Any, key: str, home: Path) -> None:
    told = call("--api-key-file", "-", "auth", "login", stdin=b"wrong-key-012345\n")
    assert (told.status, told.out) == (4, "")
    assert "refused the API key" in told.said
    assert "wrong-key" not in told.said
    assert not (home / "credentials.json").exists()


@pytest.mark.parametrize("typed", [b"", b"\n", b"two words\n", "schlüssel\n".encode()])
def test_something_that_is_no_key_asks_no_server(demo: Any, key: str, typed: bytes) -> None:
    told = call("--api-key-file", "-", "auth", "login", stdin=typed)
    assert told.status == 4
    assert "standard input" in told.said
    assert demo.log == []


def test_without_a_terminal_it_is_said_how_to_give_a_key(demo: Any, key: str) -> None:
    told = call("auth", "login")
    assert told.status == 2
    assert "Name a file with --api-key-file" in told.said
    assert demo.log == []


def test_a_kept_key_stays_with_its_server(demo: Any, key: str, scripted: Any) -> None:
    call("--api-key-file", "-", "auth", "login", stdin=key.encode())
    told = call("--api-url", scripted.url, "auth", "status")
    assert told.status == 4
    assert f"belongs to {demo.server.url} and is not sent to {scripted.url}" in told.said
    assert scripted.seen == []


def test_the_key_is_nowhere_but_in_its_file(demo: Any, failed: int, key: str, home: Path) -> None:
    call("--api-key-file", "-", "auth", "login", stdin=key.encode())
    call("improve", failed, "--from-agent", "--wait")
    holding = [path.name for path in home.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert holding == ["credentials.json"]
    assert json.loads((home / "credentials.json").read_text())["default"]["api_key"] == key


def test_the_embedded_workspace_needs_no_key(home: Path) -> None:
    told = call("--demo", "auth", "login")
    assert told.status == 2
    assert "needs no key" in told.said
    assert call("--demo", "auth", "status").out.startswith("server: the embedded workspace\nkey: none needed\n")


def test_the_directory_of_all_files_can_be_asked_for_and_is_not_made(home: Path, tmp_path: Path) -> None:
    assert call("config", "path").out == f"{home}\n"
    assert call("--config-dir", tmp_path / "x", "config", "path").out == f"{tmp_path / 'x'}\n"
    assert list(tmp_path.iterdir()) == []
