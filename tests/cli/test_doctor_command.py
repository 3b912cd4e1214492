"""`doctor` prints text or JSON, exits with 1 if a check fails, and writes a bundle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import Result, call, called, refused
from documented_shapes import read_all
from scripted_server import Reply, ScriptedServer

KEY = "key-of-a-test-0123456789"
Write = Callable[[str], Path]


@pytest.fixture
def keyed(api: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A scripted server; the environment has a key that must never be printed."""
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    return api


def checks(result: Result) -> list[dict[str, Any]]:
    (report,) = read_all("doctor", result.out)
    return list(report["checks"])


def statuses(result: Result) -> dict[tuple[str, str], str]:
    return {(check["group"], check["name"]): check["status"] for check in checks(result)}


def test_the_demo_passes_all_checks_and_launches_nothing() -> None:
    result = called("--demo", "doctor", "--json")
    (report,) = read_all("doctor", result.out)
    assert (result.err, report["failures"]) == ("", 0)
    assert {group for group, _ in statuses(result)} == {"terminal", "files", "server", "versions"}
    assert call("--demo", "jobs", "list").out == ""


def test_the_doctor_exits_with_1_and_says_what_to_do_if_a_check_fails(home: Path) -> None:
    result = call("doctor", "--offline")
    assert result.status == 1
    assert "  failure  key: No API key found.\n           → Run `cekura-tui auth login`" in result.out
    assert "not checked (--offline)" in result.out
    assert result.out.splitlines()[-1].startswith("1 failure, ")
    assert statuses(call("doctor", "--offline", "--json"))["terminal", "terminal"] == "warning"
    assert not home.exists()


@pytest.mark.parametrize("words", [["doctor", "--offline"], ["--profile", "nobody", "doctor"]], ids=str)
def test_unreadable_settings_or_a_missing_profile_do_not_stop_other_checks(settings: Write, words: list[str]) -> None:
    settings("project_id = [" if "--profile" not in words else "")
    result = call(*words, "--json")
    found = statuses(result)
    assert (result.status, found["files", "settings"], found["files", "database"]) == (1, "failure", "ok")
    assert found["versions", "SQLite"] == "ok"


def test_every_wrong_entry_of_the_settings_is_a_warning_with_its_line(settings: Write) -> None:
    settings('project_id = 4021\ntitle = "yes"\nnotfy = "bell"\n')
    wrong = [check for check in checks(call("doctor", "--offline", "--json")) if check["name"] == "config.toml"]
    found = [(check["status"], check["found"].split(":")[0]) for check in wrong]
    assert found == [("warning", "line 2"), ("warning", "line 3")]
    assert all("config edit" in " ".join(check["advice"]) for check in wrong)


def test_clashing_keys_and_unknown_themes_and_columns_are_warnings(settings: Write) -> None:
    settings('[keys]\n"runs.improve" = "b"\n"no.action" = "x"\n\n[theme]\nname = "nrd"\n\n[columns]\nnothing = 3\n')
    out = call("doctor", "--offline").out
    assert [words for words in ("both have b", "no.action", "Did you mean nord?", "nothing") if words not in out] == []
    settings('[theme]\nname = "nord"\n')
    assert "[theme]" not in call("doctor", "--offline").out


def test_a_crashing_check_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise RuntimeError(KEY)

    monkeypatch.setattr("cekura_tui.doctor.files.examine", broken)
    result = call("doctor", "--offline", "--json")
    found = statuses(result)
    assert (found["files", "database"], found["versions", "SQLite"]) == ("failure", "ok")
    assert "RuntimeError" in result.out
    assert KEY not in result.out + result.err


def test_the_key_is_never_printed(keyed: ScriptedServer) -> None:
    for reply in (Reply({"detail": f"Bad key {KEY}"}, 403), Reply([{"id": 1, "name": KEY}]), Reply(KEY.encode(), 500)):
        keyed.on("GET", "/user/v1/projects/", reply)
        result = call("doctor")
        assert "from CEKURA_API_KEY" in result.out
        assert KEY not in result.out + result.err


def test_the_members_of_a_bundle_are_listed(tmp_path: Path) -> None:
    call("--demo", "runs", "list", "--limit", 1)
    out = tmp_path / "bundle.zip"
    result = called("--demo", "doctor", "--bundle", out)
    with zipfile.ZipFile(out) as archive:
        names = {info.filename: f"{info.file_size:,}" for info in archive.infolist()}
    lines = [tuple(line.split()) for line in result.out.splitlines()]
    assert lines[1:-1] == [(size, name) for name, size in names.items()]
    assert {"doctor.txt", "doctor.json", "log/cekura-tui.log", "demo/log/cekura-tui.log"} <= set(names)


def test_a_bundle_overwrites_an_existing_file_only_with_force(keyed: ScriptedServer, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    refused("", "doctor", "--json", "--bundle", out)
    assert not out.exists()
    out.write_text("mine")
    refused("--force", "doctor", "--bundle", out)
    assert (out.read_text(), keyed.seen) == ("mine", [])
    assert call("doctor", "--bundle", out, "--force").status == 0
    assert list(tmp_path.glob(".bundle*")) == []
    assert json.loads(zipfile.ZipFile(out).read("doctor.json"))["version"]
