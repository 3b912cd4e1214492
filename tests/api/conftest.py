"""Fixtures for a client that sends requests to the scripted server and does not wait between retries."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from scripted_server import ScriptedServer

from cekura_tui.api.client import Client


class Waits(list[float]):
    """Replaces `sleep`: records the seconds of each call, and returns at once."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def client(scripted: ScriptedServer, waits: Waits, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of the scripted server; its key is KEY of the test's module, or "key" if the module has no KEY."""
    key = getattr(request.module, "KEY", "key")
    opened = Client(scripted.url, key, loopback=True, sleep=waits, jitter=lambda: 0.5)
    yield opened
    await opened.aclose()
