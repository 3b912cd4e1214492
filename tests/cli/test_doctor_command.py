"""`doctor` as a script calls it: text, JSON, status, and a bundle."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from calling import call
from documented_shapes import read_all
from scripted_server import Reply, ScriptedServer

KEY = "key-of-a-test-0123456789"


def statuses(out: str) -> dict[tuple[str, str], str]:
    (report,) = read_all("doctor", out)
    return {(check["group"], check["name"]): check["status"] for check in report["checks"]}


def test_the_demo_is_well_and_launches_nothing() -> None:
    result = call("--demo", "doctor", "--json")
    (report,) = read_all("doctor", result.out)
    assert (result.status, result.err, report["failures"]) == (0, "", 0)
    assert {check["group"] for check in report["checks"]} == {"terminal", "files", "server", "versions"}
    assert call("--demo", "jobs", "list").out == ""


def test_a_failure_is_status_1_and_the_text_says_what_to_do(home: Path) -> None:
    result = call("doctor", "--offline")
    assert result.status == 1
    assert "  failure  key: No API key found.\n           → Run `cekura-tui auth login`" in result.out
    assert "not checked (--offline)" in result.out
    assert result.out.splitlines()[-1].startswith("1 failure, ")
    assert not home.exists()


def test_without_a_terminal_that_is_a_warning_and_no_failure() -> None:
    assert statuses(call("doctor", "--offline", "--json").out)["terminal", "terminal"] == "warning"


def test_unreadable_settings_are_a_failure_and_all_else_is_checked(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text("project_id = [")
    found = statuses(call("doctor", "--offline", "--json").out)
    assert (found["files", "settings"], found["files", "database"], found["versions", "SQLite"]) == (
        "failure",
        "ok",
        "ok",
    )


def test_every_wrong_entry_of_the_settings_is_a_warning_with_its_line(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('project_id = 4021\ntitle = "yes"\nnotfy = "bell"\n')
    (report,) = read_all("doctor", call("doctor", "--offline", "--json").out)
    wrong = [check for check in report["checks"] if check["name"] == "config.toml"]
    assert [(check["status"], check["found"].split(":")[0]) for check in wrong] == [
        ("warning", "line 2"),
        ("warning", "line 3"),
    ]
    assert all("config edit" in " ".join(check["advice"]) for check in wrong)


def test_keys_that_clash_and_themes_and_columns_that_are_not_there_are_warnings(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(
        '[keys]\n"runs.improve" = "b"\n"no.action" = "x"\n\n[theme]\nname = "nrd"\n\n[columns]\nnothing = 3\n'
    )
    out = call("doctor", "--offline").out
    for words in ("both have b", "no.action", "Did you mean nord?", "nothing"):
        assert words in out


def test_every_theme_that_can_be_chosen_is_known(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('[theme]\nname = "nord"\n')
    assert "[theme]" not in call("doctor", "--offline").out


def test_a_profile_that_is_not_there_is_a_failure_and_the_files_are_checked(home: Path) -> None:
    result = call("--profile", "nobody", "doctor", "--json")
    found = statuses(result.out)
    assert (result.status, found["files", "settings"], found["files", "database"]) == (1, "failure", "ok")


def test_a_check_that_breaks_is_a_failure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise RuntimeError(KEY)

    monkeypatch.setattr("cekura_tui.doctor.files.examine", broken)
    result = call("doctor", "--offline", "--json")
    found = statuses(result.out)
    assert (found["files", "database"], found["versions", "SQLite"]) == ("failure", "ok")
    assert "RuntimeError" in result.out
    assert KEY not in result.out + result.err


def test_the_key_is_not_in_what_is_printed(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    for reply in (Reply({"detail": f"Bad key {KEY}"}, 403), Reply([{"id": 1, "name": KEY}]), Reply(KEY.encode(), 500)):
        scripted.on("GET", "/user/v1/projects/", reply)
        result = call("doctor")
        assert "from CEKURA_API_KEY" in result.out
        assert KEY not in result.out + result.err


def test_a_bundle_lists_what_is_in_it(home: Path, tmp_path: Path) -> None:
    call("--demo", "runs", "list", "--limit", 1)
    out = tmp_path / "bundle.zip"
    result = call("--demo", "doctor", "--bundle", out)
    with zipfile.ZipFile(out) as archive:
        names = {info.filename: f"{info.file_size:,}" for info in archive.infolist()}
    lines = [tuple(line.split()) for line in result.out.splitlines()]
    assert lines[1:-1] == [(size, name) for name, size in names.items()]
    assert {"doctor.txt", "doctor.json", "log/cekura-tui.log", "demo/log/cekura-tui.log"} <= set(names)
    assert result.status == 0


def test_a_bundle_overwrites_nothing_unasked_and_checks_nothing_then(
    scripted: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    out = tmp_path / "bundle.zip"
    out.write_text("mine")
    result = call("doctor", "--bundle", out)
    assert (result.status, "--force" in result.err, out.read_text(), scripted.seen) == (2, True, "mine", [])
    assert call("doctor", "--bundle", out, "--force").status == 0
    assert json.loads(zipfile.ZipFile(out).read("doctor.json"))["version"]


def test_a_bundle_and_json_are_one_or_the_other(tmp_path: Path) -> None:
    result = call("doctor", "--json", "--bundle", tmp_path / "bundle.zip")
    assert (result.status, result.out, (tmp_path / "bundle.zip").exists()) == (2, "", False)
