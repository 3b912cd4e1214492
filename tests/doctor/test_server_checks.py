"""The doctor checks the server and the API key, and launches nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from demo_client import served_by
from scripted_server import HTML_502, LAUNCH, PROGRESS, Hold, Reply, ScriptedServer, closed_port
from waiting import until

from cekura_tui.config.paths import Paths
from cekura_tui.demo.server import DemoServer
from cekura_tui.doctor.check import Check
from cekura_tui.doctor.report import examine
from cekura_tui.doctor.server import OPERATIONS, PROJECTS, check_key, check_server
from cekura_tui.workspace.setup import DemoOptions, Setup, make_setup

KEY = "key-of-a-test-0123456789"


def setup_of(url: str, key: str | None) -> Setup:
    """The setup of a user of the server at `url`; without a key if `key` is None."""
    env = {"CEKURA_TUI_HOME": os.environ["CEKURA_TUI_HOME"], **({"CEKURA_API_KEY": key} if key else {})}
    return make_setup(api_url=url, env=env)


def found(url: str, key: str | None = KEY) -> dict[str, Check]:
    """The results of all checks of a server, by the name of the check."""

    async def ask() -> list[Check]:
        return [check async for check in check_server(setup_of(url, key))]

    return {check.name: check for check in asyncio.run(ask())}


@pytest.fixture
def server(scripted: ScriptedServer) -> ScriptedServer:
    """A scripted server with one project, which allows every operation that the doctor checks."""
    scripted.on("GET", PROJECTS, Reply([{"id": 1, "name": "One"}]))
    for _, method, path, _ in OPERATIONS:
        scripted.on("OPTIONS", path, Reply({}, 200, {"Allow": f"{method}, OPTIONS"}))
    return scripted


def test_the_demo_server_passes_all_checks_and_is_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cekura_tui.doctor.server.SLOW", float("inf"))

    def ledger() -> list[str]:
        with contextlib.closing(sqlite3.connect(tmp_path / "demo" / "demo.db")) as sql:
            return [*sql.iterdump()]

    log: list[dict[str, object]] = []
    server = DemoServer(tmp_path / "demo", log=log.append)
    with served_by(server):
        before = ledger()
        assert {check.status for check in found(server.url, server.key).values()} == {"ok"}
        asked = {PROJECTS, *(path for _, _, path, _ in OPERATIONS)}
        until(lambda: {str(entry["path"]) for entry in log} == asked, "the server has logged all requests")
        assert {str(entry["method"]) for entry in log} == {"GET", "OPTIONS"}
        assert ledger() == before


def test_operations_that_the_server_lacks_are_failures_with_advice(tmp_path: Path) -> None:
    server = DemoServer(tmp_path / "demo", DemoOptions(faults=frozenset({"withdrawn"})))
    with served_by(server):
        checks = found(server.url, server.key)
    assert (checks["launch a job"].status, checks["follow a job"].status) == ("failure", "failure")
    assert "not on this server" in checks["launch a job"].found
    assert "Ask Cekura" in checks["launch a job"].advice


def test_an_unclear_answer_to_an_options_request_is_a_warning(server: ScriptedServer) -> None:
    server.on("OPTIONS", LAUNCH, Reply(b"<html>405</html>", 405))
    server.on("OPTIONS", PROGRESS, Reply(HTML_502, 502))
    checks = found(server.url)
    assert (checks["launch a job"].status, checks["follow a job"].status) == ("warning", "warning")
    assert checks["launch a job"].found == "not known: the server answers 405 to OPTIONS"


def test_a_refused_key_is_a_failure_and_operations_are_not_checked(server: ScriptedServer) -> None:
    for status in (401, 403):
        server.on("GET", PROJECTS, Reply({"detail": f"Invalid: {KEY}"}, status))
        checks = found(server.url)
        assert (checks["connection"].status, checks["access"].status) == ("ok", "failure")
        assert f"refuses the key ({status})" in checks["access"].found
        assert "auth login" in checks["access"].advice
        assert (server.requests("OPTIONS"), KEY in repr(checks)) == ([], False)


def test_an_unreachable_or_silent_server_is_a_failure_with_advice(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = found(f"http://127.0.0.1:{closed_port()}")
    assert set(checks) == {"connection"}
    assert (checks["connection"].status, "network" in checks["connection"].advice) == ("failure", True)
    monkeypatch.setattr("cekura_tui.api.client.PROBE_TIMEOUT", 0.1)
    server.on("GET", PROJECTS, Hold(Reply([])))
    silent = found(server.url)["connection"]
    assert (silent.status, "did not answer in time" in silent.found) == ("failure", True)


def test_without_a_key_the_server_is_still_checked(server: ScriptedServer) -> None:
    server.on("GET", PROJECTS, Reply({"detail": "No credentials."}, 401))
    assert set(found(server.url, None)) == {"connection", "latency", "clock"}
    assert [check.status for check in check_key(setup_of(server.url, None))] == ["failure"]
    assert not any(got.headers["X-CEKURA-API-KEY"] for got in server.seen)


def test_a_clock_that_is_wrong_by_a_minute_is_a_warning(server: ScriptedServer) -> None:
    ok, ahead, behind = ("ok", ""), ("warning", "ahead of"), ("warning", "behind")
    for seconds, (status, said) in {50: ok, -50: ok, 90: ahead, -7200: behind}.items():
        date = {"Date": formatdate(time.time() - seconds, usegmt=True)}
        server.on("GET", PROJECTS, Reply([{"id": 1}], 200, date))
        clock = found(server.url)["clock"]
        assert (seconds, clock.status, said in clock.found) == (seconds, status, True)


@pytest.mark.parametrize("body", [b"<html>", b"[", b"", {"results": 1}])
def test_an_answer_that_is_not_a_list_of_projects_is_a_failure(server: ScriptedServer, body: object) -> None:
    server.on("GET", PROJECTS, Reply(body))
    setup = setup_of(server.url, KEY)
    checks = {(check.group, check.name): check for check in examine(lambda: setup, Paths(setup.paths.home), {}).checks}
    assert checks["server", "latency"].status == "ok"  # earlier results are kept
    assert [check.status for (group, _), check in checks.items() if group == "server"].count("failure") == 1


def test_the_source_of_the_key_is_shown_without_the_key(home: Path) -> None:
    home.mkdir()
    (file := home / "credentials.json").touch(0o600)
    file.write_text(f'{{"default": {{"api_url": "https://api.cekura.ai", "api_key": "{KEY}"}}}}')
    env = {"CEKURA_TUI_HOME": str(home)}
    for setup, found in (
        (make_setup(env=env), f"from {file} (profile default)"),
        (make_setup(env={**env, "CEKURA_API_KEY": KEY}), "from CEKURA_API_KEY (profile default)"),
        (make_setup(env=env, demo=DemoOptions()), "not needed in the demo"),
    ):
        assert [(check.status, check.found) for check in check_key(setup)] == [("ok", found)]
