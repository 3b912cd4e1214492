"""The log in the config directory is limited in size, has no keys, and never breaks the program."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from calling import call
from scripted_server import Reply, ScriptedServer, run_of, serve_runs

from cekura_tui.config.credentials import ApiKey
from cekura_tui.config.paths import Paths
from cekura_tui.workspace import log_file
from cekura_tui.workspace.log_file import log_to

KEY = "key-of-a-test-0123456789"
_log = logging.getLogger("cekura_tui.test")


def test_the_log_is_rotated_and_limited_to_three_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert log_file.LOG_BYTES == 1_000_000
    monkeypatch.setattr(log_file, "LOG_BYTES", 1_000)
    log_to(Paths(home))
    for number in range(200):
        _log.info("request %d", number)
    files = sorted((home / "log").iterdir())
    assert [path.name for path in files] == ["cekura-tui.log", "cekura-tui.log.1", "cekura-tui.log.2"]
    assert all(path.stat().st_size <= 1_000 for path in files)
    assert "request 199" in files[0].read_text()


def test_keys_known_after_logging_began_are_redacted_even_in_tracebacks(home: Path) -> None:
    log_to(Paths(home))
    ApiKey(KEY, "a test")
    try:
        raise ValueError(f"Illegal header value {KEY}")
    except ValueError:
        _log.exception("it broke with %s", KEY)
    text = Paths(home).log.read_text()
    assert KEY not in text
    assert text.count("[the key]") == 2


def test_an_unwritable_directory_disables_the_log_without_a_message(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.write_text("a file")
    log_to(Paths(home))
    _log.info("nobody reads this")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_pipe_or_link_in_place_of_the_log_is_not_opened(
    home: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths, outside = Paths(home), tmp_path / "outside"
    paths.log.parent.mkdir(parents=True)
    outside.touch()
    os.mkfifo(paths.log) if kind == "pipe" else paths.log.symlink_to(outside)
    log_to(paths)
    _log.info("nobody reads this")
    assert (capsys.readouterr(), outside.read_text()) == (("", ""), "")


def test_requests_of_commands_are_logged_without_bodies_or_keys(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    serve_runs(scripted, run_of(5, feedback="private words"))
    scripted.on("GET", "/test_framework/v1/runs/6/", Reply({"detail": KEY}, 404))
    assert (call("runs", "show", 5).status, call("runs", "show", 6).status) == (0, 2)
    text = Paths(Path(call("config", "path").out.strip())).log.read_text()
    assert [line.split(" cekura_tui.api ")[1].split(",")[0] for line in text.splitlines()] == [
        "GET /test_framework/v1/runs/5/ 200",
        "GET /test_framework/v1/runs/6/ 404",
        "GET /test_framework/v2/runs/6/ 404",
    ]
    assert not any(secret in text for secret in (KEY, "private words"))
