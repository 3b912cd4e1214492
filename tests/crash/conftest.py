"""Fixtures that start processes of the program on one config directory and one server, and end them with the test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from forked import Forker
from fronts import App, CommandLine, Front
from full_disk import small_disk as small_disk
from one_job import PROMPT, serve_one_job
from scripted_server import ScriptedServer
from terminal import Start, Terminal, environment


@pytest.fixture(scope="session", autouse=True)
def on_linux() -> None:
    """Skip on other systems: full pipes, hanging connections and limits of other processes need Linux."""
    if sys.platform != "linux":
        pytest.skip("needs Linux")


@pytest.fixture
def server(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A server with run 5 and its job. The environment has the address of the server and a key."""
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", "key")
    monkeypatch.setenv("CEKURA_PROJECT_ID", "1")
    serve_one_job(scripted)
    return scripted


@pytest.fixture
def prompt_file(tmp_path: Path) -> Path:
    path = tmp_path / "prompt.md"
    path.write_bytes(PROMPT.encode())
    return path


@pytest.fixture
def start(server: ScriptedServer, home: Path, tmp_path: Path, forker: Forker) -> Iterator[Start]:
    """A function that starts `cekura-tui …` in a terminal."""
    common = environment(home, tmp_path)
    with ExitStack() as stack:

        def started(*args: str, **options: Any) -> Terminal:
            how = options if "command" in options else {"forker": forker, **options}
            return stack.enter_context(Terminal(*args, env=common, **how))

        yield started


@pytest.fixture
def front(request: pytest.FixtureRequest, server: ScriptedServer, start: Start, tmp_path: Path) -> Iterator[Front]:
    """An `App` or a `CommandLine`, one step before its launch."""
    with closing(App(start) if request.param == "the app" else CommandLine(server, tmp_path)) as one:
        one.get_ready()
        yield one
