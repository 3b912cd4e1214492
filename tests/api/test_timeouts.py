"""A write times out after a minute. Time during which the process was stopped does not count."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from scripted_server import LAUNCH, Hold, Reply, ScriptedServer
from waiting import eventually

from cekura_tui.api import client as client_module
from cekura_tui.api.client import Client
from cekura_tui.api.errors import Unreachable
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt

DRAFT = Draft((5,), Prompt("Be kind."), 7)


async def test_a_launch_without_an_answer_times_out(
    scripted: ScriptedServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (client_module.READ_TIMEOUT, client_module.WRITE_TIMEOUT, client_module.PROBE_TIMEOUT) == (60.0, 60.0, 6.0)
    assert httpx.Timeout(20.0, connect=5.0) == client_module.READ
    assert httpx.Timeout(None, connect=10.0) == client_module.LAUNCH
    monkeypatch.setattr(client_module, "WRITE_TIMEOUT", 0.1)
    scripted.on("POST", LAUNCH, Hold(Reply({"progress_id": "p"})))
    with pytest.raises(Unreachable, match="did not answer in time"):
        await client.launch(DRAFT)


async def test_an_answer_received_while_the_process_was_stopped_is_read(
    scripted: ScriptedServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "WRITE_TIMEOUT", 1.0)
    monkeypatch.setattr(client_module, "_STEP", 0.05)
    hold = Hold(Reply({"progress_id": "p"}))
    scripted.on("POST", LAUNCH, hold)
    launching = asyncio.create_task(client.launch(DRAFT))
    await eventually(hold.arrived.is_set, "the launch arrived")
    hold.released.set()
    time.sleep(1.1)  # noqa: ASYNC251 # a stopped process runs no loop either, and for longer than it waits
    assert (await launching).progress_id == "p"


async def test_work_that_times_out_has_ended_before_the_error_is_raised() -> None:
    ended: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError):
        await client_module.while_awake(work(), 0.01)
    assert ended == [True]
