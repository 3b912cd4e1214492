"""Fixtures: a session, windows and a database per test, and a demo server for tests that write nothing to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from open_store import open_store as open_store
from open_store import store as store
from open_window import new_window as new_window
from open_window import open_window as open_window
from scripted_server import ScriptedServer

from cekura_tui.demo.server import DemoOptions, DemoServer
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup


@pytest.fixture
async def session(scripted: ScriptedServer, home: Path) -> AsyncIterator[Session]:
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": "key-of-the-session"}
    opened = Session.open(make_setup(api_url=scripted.url, project_id=1, env=env))
    yield opened
    await opened.close()


@pytest.fixture
def quick(session: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session with an unlimited request budget."""
    monkeypatch.setattr(session.budget, "_window", 0.0)  # all parts of the session share the budget
    return session


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """A running demo server, shared by all tests of this process. A test must not write to the server."""
    server = DemoServer(tmp_path_factory.mktemp("workspace") / "demo", DemoOptions(epoch=1_760_000_000.0))
    server.start()
    yield server
    server.stop()
