"""The log of requests shows what was sent, without keys, bodies and parameter values."""

from __future__ import annotations

import asyncio
import logging

import pytest
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, Reset, ScriptedServer, closed_port, run_of

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.job import Draft
from cekura_tui.model.request_log import MAX_RECORDS, RequestRecord
from cekura_tui.model.text import Prompt

KEY = "ck_test_0123456789"
RUN, RUNS = "/test_framework/v1/runs/5/", "/test_framework/v1/runs/"


async def test_a_request_is_logged_with_status_and_duration_and_parameter_names(
    scripted: ScriptedServer, client: Client
) -> None:
    scripted.on("GET", RUNS, Reply({"results": []}, 200, {"X-Request-Id": "req-7"}))
    await client.runs({"project_id": 4021, "search": "private words"})
    (record,) = client.requests
    assert (record.method, record.path, record.status, record.error) == ("GET", RUNS, 200, "")
    assert record.query == ("project_id", "search", "page", "page_size")
    assert (record.request_id, record.attempt, record.failed, record.took > 0) == ("req-7", 1, False, True)
    assert f"GET {RUNS}?project_id&search&page&page_size 200, " in record.line()


async def test_each_try_of_a_request_is_logged_with_its_number(scripted: ScriptedServer, client: Client) -> None:
    scripted.on("GET", RUN, Reply(b"", 503), Reset(), Reply(run_of(5)))
    await client.run(5)
    records = client.requests
    assert [(one.status, one.attempt, bool(one.error)) for one in records] == [
        (503, 1, False),
        (0, 2, True),
        (200, 3, False),
    ]
    assert [one.failed for one in records] == [True, True, False]


async def test_an_unsent_or_cancelled_request_is_logged_with_the_reason(
    scripted: ScriptedServer, client: Client
) -> None:
    nowhere = Client(f"http://127.0.0.1:{closed_port()}", KEY, loopback=True)
    with pytest.raises(ApiError):
        await nowhere.launch(Draft((5,), Prompt("Be kind."), 7))
    assert "connection refused" in nowhere.requests[0].line()
    hold = Hold(Reply(run_of(5)))
    scripted.on("GET", RUN, hold)
    asking = asyncio.create_task(client.run(5))
    await asyncio.to_thread(hold.arrived.wait, 20)
    asking.cancel()
    await asyncio.wait({asking})
    assert client.requests[0].error == "cancelled"
    await nowhere.aclose()


async def test_keys_and_bodies_and_parameter_values_are_not_logged(
    scripted: ScriptedServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cekura_tui.api")
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-secret", "echo": KEY}, 200, {"X-Request-Id": f"id {KEY}"}))
    scripted.on("GET", PROGRESS, Reply({"detail": f"Bad {KEY}"}, 403))
    await client.launch(Draft((5,), Prompt("The whole prompt."), 7))
    with pytest.raises(ApiError):
        await client.progress(IMPROVE_PROMPT, "p-secret")
    assert len(caplog.messages) == 2
    written = caplog.text + repr(client.requests)
    assert [secret for secret in (KEY, "The whole prompt", "p-secret") if secret in written] == []
    assert f"GET {PROGRESS}?progress_id 403" in written


async def test_only_the_latest_requests_are_kept_in_the_list_of_requests(
    scripted: ScriptedServer, client: Client
) -> None:
    scripted.on("GET", RUN, Reply(run_of(5)))
    client.requests.extend([RequestRecord(0.0, "GET", "/", (), 1, 0.1, 200, "", "")] * MAX_RECORDS)
    await client.run(5)
    assert (len(client.requests), client.requests[-1].path) == (MAX_RECORDS, RUN)
