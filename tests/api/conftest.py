"""A client of the scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from scripted_server import ScriptedServer

from cekura_tui.api.client import Client


class Waits(list[float]):
    """Stands in for sleeping: notes the seconds."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def client(scripted: ScriptedServer, waits: Waits, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """Its key is KEY of the test's module; between two tries it waits for no time."""
    key = getattr(request.module, "KEY", "key")
    opened = Client(scripted.url, key, loopback=True, sleep=waits, jitter=lambda: 0.5)
    yield opened
    await opened.aclose()
