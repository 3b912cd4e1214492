"""`auth login`, `auth logout` and `auth status`, and API keys that are given for one command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import Result, call, called, refused
from documented_shapes import read_all
from scripted_server import Reply, ScriptedServer

from cekura_tui.config.credentials import saved_keys
from cekura_tui.demo.corpus import FIRST_PROJECT

PROJECTS, RUNS = "/user/v1/projects/", "/test_framework/v1/runs/"


@pytest.fixture
def key(demo: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The valid API key of the demo server, which is not in the environment."""
    monkeypatch.delenv("CEKURA_API_KEY")
    return str(demo.server.key)


def log_in(key: str, *words: object) -> Result:
    return call("--api-key-file", "-", *(words or ("auth", "login")), stdin=f"{key}\n".encode())


def kept(home: Path) -> dict[str, str]:
    """The saved keys by profile."""
    return {name: saved.api_key for name, saved in saved_keys(home / "credentials.json").items()}


def test_a_piped_key_is_checked_and_saved_only_in_the_file_of_keys(
    demo: Any, failed: int, key: str, home: Path
) -> None:
    result = log_in(key)
    saved = home / "credentials.json"
    assert (result.status, result.err) == (0, f"Signed in to {demo.server.url}. Key saved in {saved}.\n")
    assert result.out.startswith(f"{FIRST_PROJECT}  ")
    assert (saved.stat().st_mode & 0o777, kept(home)) == (0o600, {"default": key})
    status = called("auth", "status")
    assert status.err == ""
    assert status.out.startswith(f"server: {demo.server.url}\nprofile: default\nkey: {saved}\n")
    assert f"\nproject: {FIRST_PROJECT} " in status.out
    call("improve", failed, "--from-agent", "--wait")
    assert key not in result.out + result.err + status.out
    holding = [path.name for path in home.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert holding == ["credentials.json"]


def test_a_key_in_a_file_is_used_without_being_saved(key: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"  {key}\n")
    (tmp_path / "key").chmod(0o600)
    called("--api-key-file", tmp_path / "key", "runs", "list")
    called("--api-key-file", "-", "runs", "list", stdin=key.encode())
    assert not (home / "credentials.json").exists()


def test_a_refused_key_is_not_saved(demo: Any, key: str, home: Path) -> None:
    result = log_in("wrong-key-012345")
    assert (result.status, result.out, "refused the API key" in result.err) == (4, "", True)
    assert "wrong-key" not in result.err
    assert not (home / "credentials.json").exists()


def test_login_without_a_valid_key_or_a_terminal_sends_nothing(demo: Any, key: str) -> None:
    for typed in (b"", b"\n", b"two words\n", "schlüssel\n".encode()):
        refused("standard input", "--api-key-file", "-", "auth", "login", stdin=typed, status=4)
    refused("Use --api-key-file FILE", "auth", "login")
    assert demo.log == []


def test_a_saved_key_is_sent_only_to_its_server(demo: Any, key: str, scripted: ScriptedServer) -> None:
    log_in(key)
    result = call("--api-url", scripted.url, "auth", "status")
    assert result.status == 4
    assert f"belongs to {demo.server.url} and was not sent to {scripted.url}" in result.err
    assert scripted.seen == []


def test_a_second_login_adds_a_profile_with_a_key_and_a_server_of_its_own(
    demo: Any, key: str, home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    scripted.on("GET", PROJECTS, Reply([{"id": 7, "name": "Staging"}]))
    log_in(key)
    added = log_in("key-of-staging", "--api-url", scripted.url, "auth", "login", "--profile", "staging")
    assert (added.status, added.out) == (0, "7  Staging\n")
    assert "To use the key, run `cekura-tui --profile staging`, or press P in the app.\n" in added.err
    assert kept(home) == {"default": key, "staging": "key-of-staging"}
    monkeypatch.delenv("CEKURA_API_URL")
    staging = call("auth", "status", "--profile", "staging")
    assert staging == call("--profile", "staging", "auth", "status")
    assert staging.out.startswith(f"server: {scripted.url}\nprofile: staging\nkey: {home / 'credentials.json'}\n")
    assert "\nprofiles: default, staging\nproject: 7 Staging\n" in staging.out
    assert {got.headers["X-CEKURA-API-KEY"] for got in scripted.seen} == {"key-of-staging"}
    assert call("auth", "status").out.startswith(f"server: {demo.server.url}\nprofile: default\n")


def test_another_key_replaces_the_saved_key_only_with_the_option_replace(
    demo: Any, key: str, home: Path, scripted: ScriptedServer
) -> None:
    scripted.on("GET", PROJECTS, Reply([]))
    there = ("--api-url", scripted.url, "auth", "login")
    assert log_in("theirs", *there).status == 0
    for words, what in (("auth", "login"), f"the key of {scripted.url}"), (there, "another key of"):
        result = log_in(key, *words)
        assert (result.status, result.out) == (2, "")
        assert f"Profile default has {what}" in result.err
        assert "--profile NAME; to replace the old one, add --replace." in result.err
    assert demo.log == [], "nothing was sent"
    assert (log_in("theirs", *there).status, kept(home)) == (0, {"default": "theirs"}), "it is the same key"
    assert (log_in(key, "auth", "login", "--replace").status, kept(home)) == (0, {"default": key})


def test_login_saves_the_given_project_or_else_the_only_project_of_the_key(
    demo: Any, key: str, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    log_in(key)
    refused("Front desks", "runs", "list")
    wrong = log_in(key, "--project", 5, "auth", "login")
    assert (wrong.status, wrong.out) == (2, "")
    assert f"This key has no project 5. Found: {FIRST_PROJECT} (Front desks)" in wrong.err
    assert log_in(key, "--project", FIRST_PROJECT, "auth", "login").status == 0
    called("runs", "list", "--limit", 1)
    scripted.on("GET", RUNS, Reply({"count": 0, "next": None, "previous": None, "results": []}))
    scripted.on("GET", PROJECTS, Reply([{"id": 7, "name": "Staging"}]))
    there = ("--profile", "one", "--api-url", scripted.url)
    assert log_in("k", *there, "auth", "login").status == 0
    called(*there, "runs", "list")
    assert scripted.requests("GET", RUNS)[-1].query["project_id"] == "7"
    assert len(scripted.requests("GET", PROJECTS)) == 1


def test_login_and_logout_report_keys_that_override_the_saved_key(
    demo: Any, key: str, home: Path, settings: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(f'api_url = "{demo.server.url}"\napi_key_command = "/nowhere/pass"\n')
    monkeypatch.setenv("CEKURA_API_KEY", "of-the-environment")
    result = log_in(key)
    assert result.status == 0
    for name in ("api_key_command", "CEKURA_API_KEY"):
        assert f"Note: {name} is set and overrides the saved key.\n" in result.err
    monkeypatch.delenv("CEKURA_API_KEY")
    left = called("auth", "logout")
    assert f"Removed the key of profile default from {home / 'credentials.json'}." in left.err
    assert "Note: the key of api_key_command is still used.\n" in left.err
    monkeypatch.delenv("CEKURA_API_URL")
    path = settings('[profiles.work]\napi_url = "https://eu.example"\n')
    work = log_in(key, "--api-url", demo.server.url, "auth", "login", "--profile", "work")
    note = f"Note: {path}:2 sets the server https://eu.example; this key is not sent there.\n"
    assert (work.status, note in work.err) == (0, True)
    assert "Note" not in log_in(key, "--api-url", demo.server.url, "auth", "login").err


def test_logout_removes_the_key_of_one_profile_and_keeps_the_jobs(demo: Any, failed: int, key: str, home: Path) -> None:
    log_in(key)
    log_in(key, "--profile", "other", "auth", "login")
    assert call("improve", failed, "--from-agent", "--wait").status in (0, 3)
    called("auth", "logout")
    assert list(kept(home)) == ["other"]
    assert len(call("jobs", "list").out.splitlines()) == 2
    refused("Profile default has no saved key. Profiles: default, other.", "auth", "logout")


def test_a_new_profile_has_a_short_plain_name_and_an_older_name_can_be_removed(
    demo: Any, key: str, home: Path, settings: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "the name of a profile must be 1 to 40 letters (a–z), digits, “.”, “-” or “_”."
    for name in ("a b", "a" * 41, "büro", "a/b", "a\nb"):
        for words in (("auth", "login", "--profile", name), ("--profile", name, "auth", "status")):
            assert log_in(key, *words).err == f"cekura-tui: --profile: {rule}\n"
        monkeypatch.setenv("CEKURA_PROFILE", name)
        assert refused("", "runs", "list").err == f"cekura-tui: CEKURA_PROFILE: {rule}\n"
        monkeypatch.delenv("CEKURA_PROFILE")
    assert demo.log == []
    assert log_in(key, "--profile", "A-1_b." + 34 * "x", "auth", "login").status == 0
    path = home / "credentials.json"
    path.write_text(path.read_text().replace("A-1_b", "büro "))
    called("auth", "logout", "--profile", "büro ." + 34 * "x")
    assert saved_keys(path) == {}
    path = settings('[profiles."a b"]\ntitle = true\n')
    assert called("config", "show").err == f"{path}:1: {rule}\n"


@pytest.mark.usefixtures("no_retries")
def test_auth_status_is_printed_even_without_a_key_or_a_reachable_server(
    demo: Any, key: str, monkeypatch: pytest.MonkeyPatch
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
    assert (away.status, "Can't reach 127.0.0.1:9" in away.err) == (2, True)
    (value,) = read_all("auth-status", away.out)
    assert (value["key_from"], value["projects"]) == ("CEKURA_API_KEY", [])
    assert [source["place"] for source in value["looked_in"] if source["used"]] == ["CEKURA_API_KEY"]
    assert "a-key-of" not in away.out + away.err


def test_the_demo_needs_no_key(home: Path) -> None:
    refused("needs no key", "--demo", "auth", "login")
    assert call("--demo", "auth", "status").out.startswith("server: demo workspace\nkey: not needed\n")
