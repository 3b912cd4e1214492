from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from demo_client import EPOCH, client_of

from cekura_tui.demo.server import DemoOptions, DemoServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    server = DemoServer(tmp_path_factory.mktemp("workspace") / "demo", DemoOptions(speed=1000, epoch=EPOCH))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(server: DemoServer) -> Iterator[httpx.Client]:
    with client_of(server) as client:
        yield client
