"""Fixtures for a conftest to import: functions that make windows of the app without a UI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripted_server import ScriptedServer
from waiting import PATIENCE

from cekura_tui.workspace import workspace
from cekura_tui.workspace.setup import make_setup
from cekura_tui.workspace.workspace import Workspace

NewWindow = Callable[..., Workspace]


@pytest.fixture
def new_window(scripted: ScriptedServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewWindow]:
    """A function that makes a window on the scripted server with an API key. An empty key means the saved key. All
    windows are closed after the test; they may close slowly, as on a busy machine."""
    monkeypatch.setattr(workspace, "CLOSING", PATIENCE)
    made: list[Workspace] = []

    def make(key: str = "key-of-the-test") -> Workspace:
        env = {"CEKURA_API_URL": scripted.url, "CEKURA_API_KEY": key}
        made.append(Workspace(make_setup(config_dir=str(home), env=env)))
        return made[-1]

    yield make
    for window in made:
        window.close()


@pytest.fixture
def open_window(new_window: NewWindow) -> NewWindow:
    """A function that makes a window as `new_window` does, and starts the window."""

    def start(key: str = "key-of-the-test", on_change: Callable[[], None] = lambda: None) -> Workspace:
        window = new_window(key)
        window.start(on_change)
        return window

    return start
