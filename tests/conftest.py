"""For all tests: the environment of whoever runs them changes nothing, and no file of theirs is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_server import ScriptedServer

_FOREIGN = ("CEKURA_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's config directory of this test; it does not exist yet."""
    for name in list(os.environ):
        if name.upper().startswith(_FOREIGN):
            monkeypatch.delenv(name)
    directory = tmp_path / "home"
    monkeypatch.setenv("CEKURA_TUI_HOME", str(directory))
    return directory


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server that answers as the test says."""
    with ScriptedServer() as server:
        yield server
