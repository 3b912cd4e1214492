"""The server and the key as the doctor finds them; what is asked launches nothing."""

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
SESSIONS = "/observability/v1/agent-improvement-sessions/"


def setup_of(url: str, key: str | None) -> Setup:
    """The settings of a user of this server, with this key or none."""
    env = {"CEKURA_TUI_HOME": os.environ["CEKURA_TUI_HOME"], **({"CEKURA_API_KEY": key} if key else {})}
    return make_setup(api_url=url, env=env)


def found(setup: Setup) -> dict[str, Check]:
    """The checks of a server, by name."""

    async def ask() -> list[Check]:
        return [check async for check in check_server(setup)]

    return {check.name: check for check in asyncio.run(ask())}


def statuses(setup: Setup) -> dict[str, str]:
    return {name: check.status for name, check in found(setup).items()}


@pytest.fixture
def server(scripted: ScriptedServer) -> ScriptedServer:
    """A server with a project and every operation."""
    scripted.on("GET", PROJECTS, Reply([{"id": 1, "name": "One"}]))
    for _, method, path, _ in OPERATIONS:
        scripted.on("OPTIONS", path, Reply({}, 200, {"Allow": f"{method}, OPTIONS"}))
    return scripted


def ledger(directory: Path) -> list[str]:
    """All that the demo server was made to do, jobs and changed agents: its whole database."""
    with contextlib.closing(sqlite3.connect(directory / "demo" / "demo.db")) as sql:
        return [*sql.iterdump()]


def test_on_the_demo_server_all_is_well_and_nothing_was_launched_or_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.doctor.server.SLOW", float("inf"))
    log: list[dict[str, object]] = []
    server = DemoServer(tmp_path / "demo", log=log.append)
    with served_by(server):
        before = ledger(tmp_path)
        assert set(statuses(setup_of(server.url, server.key)).values()) == {"ok"}
        asked = {PROJECTS, *(path for _, _, path, _ in OPERATIONS)}
        until(lambda: {str(entry["path"]) for entry in log} == asked, "the server has logged all requests")
        assert {str(entry["method"]) for entry in log} == {"GET", "OPTIONS"}
        assert ledger(tmp_path) == before


def test_improvement_sessions_are_named_where_the_server_has_them(tmp_path: Path) -> None:
    server = DemoServer(tmp_path / "demo", sessions=True)
    with served_by(server):
        checks = found(setup_of(server.url, server.key))
    assert checks["improvement sessions"].found == "on this server; not used by this version"


def test_each_operation_of_a_job_that_the_server_lacks_is_a_failure(tmp_path: Path) -> None:
    server = DemoServer(tmp_path / "demo", faults=frozenset({"withdrawn"}))
    with served_by(server):
        checks = found(setup_of(server.url, server.key))
    assert (checks["launch a job"].status, checks["follow a job"].status) == ("failure", "failure")
    assert "not on this server" in checks["launch a job"].found
    assert "Ask Cekura" in checks["launch a job"].advice


def test_an_answer_that_says_nothing_of_an_operation_is_not_taken_for_one(server: ScriptedServer) -> None:
    server.on("OPTIONS", LAUNCH, Reply(b"<html>405</html>", 405))
    server.on("OPTIONS", PROGRESS, Reply(HTML_502, 502))
    server.on("OPTIONS", SESSIONS, Reply({}, 405))
    checks = found(setup_of(server.url, KEY))
    assert (checks["launch a job"].status, checks["follow a job"].status) == ("warning", "warning")
    assert checks["launch a job"].found == "not known: the server answers 405 to OPTIONS"
    assert (checks["improvement sessions"].status, checks["improvement sessions"].advice) == ("ok", "")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_a_failure_and_asks_for_no_operations(server: ScriptedServer, status: int) -> None:
    server.on("GET", PROJECTS, Reply({"detail": f"Invalid: {KEY}"}, status))
    checks = found(setup_of(server.url, KEY))
    assert (checks["connection"].status, checks["access"].status) == ("ok", "failure")
    assert f"refuses the key ({status})" in checks["access"].found
    assert "auth login" in checks["access"].advice
    assert not server.requests("OPTIONS")
    assert KEY not in repr(checks)


def test_a_server_that_is_not_there_is_a_failure_with_what_to_check() -> None:
    checks = found(setup_of(f"http://127.0.0.1:{closed_port()}", KEY))
    assert set(checks) == {"connection"}
    assert (checks["connection"].status, "network" in checks["connection"].advice) == ("failure", True)


def test_without_a_key_the_server_is_reached_all_the_same_and_no_key_is_sent(server: ScriptedServer) -> None:
    server.on("GET", PROJECTS, Reply({"detail": "No credentials."}, 401))
    setup = setup_of(server.url, None)
    assert set(found(setup)) == {"connection", "latency", "clock"}
    assert [check.status for check in check_key(setup)] == ["failure"]
    assert not any(got.headers["X-CEKURA-API-KEY"] for got in server.seen)


@pytest.mark.parametrize(("seconds", "status"), [(50, "ok"), (-50, "ok"), (90, "warning"), (-7200, "warning")])
def test_a_clock_that_is_wrong_by_a_minute_is_a_warning(server: ScriptedServer, seconds: int, status: str) -> None:
    date = {"Date": formatdate(time.time() - seconds, usegmt=True)}
    server.on("GET", PROJECTS, Reply([{"id": 1}], 200, date))
    clock = found(setup_of(server.url, KEY))["clock"]
    assert clock.status == status
    if status == "warning":
        assert ("ahead of" if seconds > 0 else "behind") in clock.found


@pytest.mark.parametrize("body", [b"<html>", b"[", b"", {"results": 1}])
def test_an_answer_that_is_no_list_of_projects_is_a_failure_and_no_crash(server: ScriptedServer, body: object) -> None:
    server.on("GET", PROJECTS, Reply(body))
    setup = setup_of(server.url, KEY)
    checks = {(check.group, check.name): check for check in examine(lambda: setup, Paths(setup.paths.home), {}).checks}
    assert checks["server", "latency"].status == "ok"  # what was found before is found all the same
    assert [check.status for (group, _), check in checks.items() if group == "server"].count("failure") == 1


def test_the_source_of_the_key_is_named_and_never_the_key(home: Path) -> None:
    home.mkdir()
    (home / "credentials.json").write_text(f'{{"default": {{"api_url": "https://api.cekura.ai", "api_key": "{KEY}"}}}}')
    (home / "credentials.json").chmod(0o600)
    (saved,) = check_key(make_setup(env={"CEKURA_TUI_HOME": str(home)}))
    assert saved.found == f"from {home / 'credentials.json'} (profile default)"
    (of_env,) = check_key(make_setup(env={"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": KEY}))
    assert of_env.found == "from CEKURA_API_KEY (profile default)"


def test_the_demo_needs_no_key(home: Path) -> None:
    (check,) = check_key(make_setup(demo=DemoOptions(), env={"CEKURA_TUI_HOME": str(home)}))
    assert (check.status, check.found) == ("ok", "not needed in the demo")


def test_a_server_that_does_not_answer_is_soon_given_up(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.api.client.PROBE_WHOLE", 0.1)
    server.on("GET", PROJECTS, Hold(Reply([])))
    checks = found(setup_of(server.url, KEY))
    assert (checks["connection"].status, "did not answer in time" in checks["connection"].found) == ("failure", True)
