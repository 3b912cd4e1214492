"""Fixtures for tests that run the app without a terminal: servers, settings and saved jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from app_on_a_server import EPOCH, LIST, Served, setup_of
from demo_faults import faulty_server
from odd_runs import EXTRA_RUNS
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer
from seeded_jobs import KEY, RUNNING, SeededJobs, seeded_jobs

from cekura_tui.demo.server import DemoOptions, DemoServer
from cekura_tui.jobs import polling
from cekura_tui.workspace.setup import Setup


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log: list[dict[str, object]] = []
    directory = tmp_path_factory.mktemp("server") / "demo"
    server = DemoServer(directory, DemoOptions(speed=1e6, epoch=EPOCH), log=log.append, extra_runs=EXTRA_RUNS)
    server.start()
    yield Served(server, log)
    server.stop()


@pytest.fixture
def served(_server: Served) -> Served:
    """The embedded server, on which jobs end at once; its log starts empty in each test."""
    _server.log.clear()
    return _server


@pytest.fixture
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Served]]:
    """A function that starts an embedded server with the named fault; the servers are stopped after the test."""
    with ExitStack() as stack:

        def serve(fault: str) -> Served:
            log: list[dict[str, object]] = []
            directory = tmp_path_factory.mktemp("server") / "demo"
            server = faulty_server(directory, fault, speed=1e6, epoch=EPOCH, log=log.append)
            server.start()
            stack.callback(server.stop)
            return Served(server, log)

        yield serve


@pytest.fixture
def quiet(scripted: ScriptedServer) -> Setup:
    """Settings for a server that has no runs and on which jobs never end."""
    scripted.on("GET", LIST, Reply({"count": 0, "next": None, "previous": None, "results": []}))
    scripted.on("GET", PROGRESS, Reply(RUNNING))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-again"}))
    return setup_of(scripted.url, KEY, 1)


@pytest.fixture
def seeded(quiet: Setup) -> Iterator[SeededJobs]:
    """An object that saves jobs for the settings `quiet`, before or after the app is opened."""
    with seeded_jobs(quiet) as seeded:
        yield seeded


@pytest.fixture
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll a running job every tenth of a second instead of every two seconds."""
    monkeypatch.setattr(polling, "interval", lambda age, jitter: 0.1)
