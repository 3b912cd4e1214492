from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from calling import call, refused
from documented_shapes import read_all
from scripted_server import Reply

from cekura_tui.config.credentials import saved_keys
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
    assert status.out.startswith(f"server: {demo.server.url}\nprofile: default\nkey: {home / 'credentials.json'}\n")
    assert f"\nproject: {FIRST_PROJECT} " in status.out
    assert key not in result.out + result.err + status.out


def test_a_key_in_a_file_is_used_without_being_kept(key: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"  {key}\n")
    (tmp_path / "key").chmod(0o600)
    assert call("--api-key-file", tmp_path / "key", "runs", "list").status == 0
    assert call("--api-key-file", "-", "runs", "list", stdin=key.encode()).status == 0
    assert not (home / "credentials.json").exists()


def test_a_key_that_the_server_refuses_is_not_kept(demo: Any, key: str, home: Path) -> None:
    result = refused(
        "refused the API key", "--api-key-file", "-", "auth", "login", stdin=b"wrong-key-012345\n", status=4
    )
    assert "wrong-key" not in result.err
    assert not (home / "credentials.json").exists()


@pytest.mark.parametrize("typed", [b"", b"\n", b"two words\n", "schlüssel\n".encode()])
def test_something_that_is_no_key_asks_no_server(demo: Any, key: str, typed: bytes) -> None:
    refused("standard input", "--api-key-file", "-", "auth", "login", stdin=typed, status=4)
    assert demo.log == []


def test_without_a_terminal_it_is_said_how_to_give_a_key(demo: Any, key: str) -> None:
    refused("Use --api-key-file FILE", "auth", "login")
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


def log_in(key: str, *words: object) -> Any:
    return call("--api-key-file", "-", *words, stdin=f"{key}\n".encode())


def test_a_second_login_adds_a_profile_and_each_uses_its_own_key_and_server(
    demo: Any, key: str, home: Path, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    scripted.on("GET", "/user/v1/projects/", Reply([{"id": 7, "name": "Staging"}]))
    assert log_in(key, "auth", "login").status == 0
    added = log_in("key-of-staging", "--api-url", scripted.url, "auth", "login", "--profile", "staging")
    assert (added.status, added.out) == (0, "7  Staging\n")
    assert "To use the key, run `cekura-tui --profile staging`, or press P in the app.\n" in added.err
    assert {name: saved.api_key for name, saved in saved_keys(home / "credentials.json").items()} == {
        "default": key,
        "staging": "key-of-staging",
    }
    monkeypatch.delenv("CEKURA_API_URL")
    staging = call("auth", "status", "--profile", "staging")
    assert staging == call("--profile", "staging", "auth", "status")
    assert staging.out.startswith(f"server: {scripted.url}\nprofile: staging\nkey: {home / 'credentials.json'}\n")
    assert "\nprofiles: default, staging\nproject: 7 Staging\n" in staging.out
    assert {got.headers["X-CEKURA-API-KEY"] for got in scripted.seen} == {"key-of-staging"}
    assert call("auth", "status").out.startswith(f"server: {demo.server.url}\nprofile: default\n")


def test_another_key_does_not_replace_the_one_that_is_saved_unless_that_is_asked_for(
    demo: Any, key: str, home: Path, scripted: Any
) -> None:
    assert log_in("an-old-key", "auth", "login").status == 4
    scripted.on("GET", "/user/v1/projects/", Reply([]))
    assert log_in("theirs", "--api-url", scripted.url, "auth", "login").status == 0
    for words, what in (([], f"the key of {scripted.url}"), (["--api-url", scripted.url], "another key of")):
        refused = log_in(key, *words, "auth", "login")
        assert (refused.status, refused.out) == (2, "")
        assert f"Profile default has {what}" in refused.err
        assert "--profile NAME; to replace the old one, add --replace." in refused.err
    assert demo.log[-1]["status"] == 403, "nothing else was sent"
    assert log_in("theirs", "--api-url", scripted.url, "auth", "login").status == 0, "it is the same key"
    assert saved_keys(home / "credentials.json")["default"].api_key == "theirs"
    assert log_in(key, "auth", "login", "--replace").status == 0
    assert saved_keys(home / "credentials.json")["default"].api_key == key


def test_the_only_project_or_the_one_that_is_named_is_remembered(
    demo: Any, key: str, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    assert log_in(key, "auth", "login").status == 0
    several = call("runs", "list")
    assert (several.status, "Front desks" in several.err) == (2, True)
    wrong = log_in(key, "--project", 5, "auth", "login")
    assert (wrong.status, wrong.out) == (2, "")
    assert f"This key has no project 5. Found: {FIRST_PROJECT} (Front desks)" in wrong.err
    assert log_in(key, "--project", FIRST_PROJECT, "auth", "login").status == 0
    assert call("runs", "list", "--limit", 1).status == 0
    runs = "/test_framework/v1/runs/"
    scripted.on("GET", runs, Reply({"count": 0, "next": None, "previous": None, "results": []}))
    scripted.on("GET", "/user/v1/projects/", Reply([{"id": 7, "name": "Staging"}]))
    assert log_in("k", "--profile", "one", "--api-url", scripted.url, "auth", "login").status == 0
    assert call("--profile", "one", "--api-url", scripted.url, "runs", "list").status == 0
    assert scripted.requests("GET", runs)[-1].query["project_id"] == "7"
    assert len(scripted.requests("GET", "/user/v1/projects/")) == 1


def test_login_says_what_is_used_before_the_saved_key(
    demo: Any, key: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "config.toml").write_text(f'api_url = "{demo.server.url}"\napi_key_command = "/nowhere/pass"\n')
    monkeypatch.setenv("CEKURA_API_KEY", "of-the-environment")
    result = log_in(key, "auth", "login")
    assert result.status == 0
    assert "Note: api_key_command is set and overrides the saved key.\n" in result.err
    assert "Note: CEKURA_API_KEY is set and overrides the saved key.\n" in result.err
    monkeypatch.delenv("CEKURA_API_KEY")
    left = call("auth", "logout")
    assert (left.status, saved_keys(home / "credentials.json")) == (0, {})
    assert f"Removed the key of profile default from {home / 'credentials.json'}." in left.err
    assert "Note: the key of api_key_command is still used.\n" in left.err


def test_login_names_a_setting_by_which_the_key_will_not_be_used(
    demo: Any, key: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CEKURA_API_URL")
    home.mkdir()
    (home / "config.toml").write_text('[profiles.work]\napi_url = "https://eu.example"\n')
    result = log_in(key, "--api-url", demo.server.url, "auth", "login", "--profile", "work")
    note = f"Note: {home / 'config.toml'}:2 sets the server https://eu.example; this key is not sent there.\n"
    assert (result.status, note in result.err) == (0, True)
    assert "Note" not in log_in(key, "--api-url", demo.server.url, "auth", "login").err


def test_logout_removes_the_key_of_one_profile_and_its_jobs_stay(demo: Any, failed: int, key: str, home: Path) -> None:
    log_in(key, "auth", "login")
    log_in(key, "--profile", "other", "auth", "login")
    assert call("improve", failed, "--from-agent", "--wait").status in (0, 3)
    assert call("auth", "logout").status == 0
    assert list(saved_keys(home / "credentials.json")) == ["other"]
    assert len(call("jobs", "list").out.splitlines()) == 2
    again = call("auth", "logout")
    assert (again.status, "Profile default has no saved key. Profiles: default, other." in again.err) == (2, True)


@pytest.mark.usefixtures("no_retries")
def test_status_without_a_key_or_a_server_says_what_is_known(
    demo: Any, key: str, home: Path, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = call("auth", "status")
    assert missing.status == 4
    assert missing.out.startswith(f"server: {demo.server.url}\nprofile: default\nkey: none\n")
    assert "\nCEKURA_API_KEY" in missing.out
    assert "No API key found." in missing.err
    (value,) = read_all("auth-status", call("auth", "status", "--json").out)
    assert (value["key_from"], value["error"]) == (None, "No API key found.")
    monkeypatch.setenv("CEKURA_API_KEY", "a-key-of-the-environment")
    monkeypatch.setenv("CEKURA_API_URL", "http://127.0.0.1:9")
    away = call("auth", "status", "--json")
    assert away.status == 2
    assert "Can't reach 127.0.0.1:9" in away.err
    (value,) = read_all("auth-status", away.out)
    assert (value["key_from"], value["projects"]) == ("CEKURA_API_KEY", [])
    assert [source["place"] for source in value["looked_in"] if source["used"]] == ["CEKURA_API_KEY"]
    assert "a-key-of" not in away.out + away.err


def test_the_embedded_workspace_needs_no_key(home: Path) -> None:
    refused("needs no key", "--demo", "auth", "login")
    assert call("--demo", "auth", "status").out.startswith("server: demo workspace\nkey: not needed\n")


def test_the_directory_of_all_files_can_be_asked_for_and_is_not_made(home: Path, tmp_path: Path) -> None:
    assert call("config", "path").out == f"{home}\n"
    assert call("--config-dir", tmp_path / "x", "config", "path").out == f"{tmp_path / 'x'}\n"
    assert list(tmp_path.iterdir()) == []
