"""A session on a server that answers as the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from scripted_server import ScriptedServer

from cekura_tui.jobs.polling import Budget
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup


@pytest.fixture
async def session(scripted: ScriptedServer, home: Path) -> AsyncIterator[Session]:
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": "key"}
    opened = Session.open(make_setup(api_url=scripted.url, project_id=1, env=env))
    yield opened
    await opened.close()


@pytest.fixture
def quick(session: Session) -> Session:
    """The same with room for any number of requests."""
    session.budget = Budget(1_000, 0.001)
    return session
