from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from demo_client import EPOCH, Clock, client_of

from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.server import DemoOptions, DemoServer


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return Corpus(240, EPOCH)


@pytest.fixture(scope="module")
def logged() -> list[dict[str, object]]:
    return []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, logged: list[dict[str, object]]) -> Iterator[DemoServer]:
    directory = tmp_path_factory.mktemp("workspace") / "demo"
    server = DemoServer(directory, DemoOptions(speed=1000, epoch=EPOCH), log=logged.append)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(server: DemoServer) -> Iterator[httpx.Client]:
    with client_of(server) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()
