"""The app without a terminal, on a real server and a real directory of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from app_on_a_server import EPOCH, Served

from cekura_tui.demo.server import DemoServer


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log: list[dict[str, object]] = []
    server = DemoServer(tmp_path_factory.mktemp("server") / "demo", speed=1e6, epoch=EPOCH, log=log.append)
    server.start()
    yield Served(server, log)
    server.stop()


@pytest.fixture
def served(_server: Served) -> Served:
    """The embedded server, whose jobs end at once; its log begins with this test."""
    _server.log.clear()
    return _server


@pytest.fixture
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Served]]:
    """The same with named misbehaviour."""
    with ExitStack() as stack:

        def serve(fault: str) -> Served:
            log: list[dict[str, object]] = []
            directory = tmp_path_factory.mktemp("server") / "demo"
            server = DemoServer(directory, speed=1e6, epoch=EPOCH, faults=frozenset({fault}), log=log.append)
            server.start()
            stack.callback(server.stop)
            return Served(server, log)

        yield serve
