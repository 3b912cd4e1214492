from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from cekura_tui.demo.server import DemoServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    server = DemoServer(tmp_path_factory.mktemp("workspace") / "demo", speed=1000, epoch=1_760_000_000)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(server: DemoServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"X-CEKURA-API-KEY": server.key}, trust_env=False) as client:
        yield client
