"""The client sends requests to the right address, with the exact prompt, and repeats only reads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Reply, Reset, ScriptedServer, run_of
from waiting import eventually

from cekura_tui import __version__
from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, BadAnswer, Busy, KeyRefused, ServerFault, Unreachable
from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt

KEY = "ck_test_0123456789"
RUN = "/test_framework/v1/runs/5/"
RUNS = "/test_framework/v1/runs/"
DRAFT = Draft((5,), Prompt("Be kind."), 7)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
async def test_a_loopback_server_gets_key_and_user_agent_without_a_proxy(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with ScriptedServer() as proxy:
        monkeypatch.setenv(name, proxy.url)
        scripted.on("GET", RUN, Reply(run_of(5)))
        scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
        client = Client(scripted.url, KEY, loopback=True)
        await client.run(5)
        await client.launch(DRAFT)
        await client.aclose()
        assert proxy.seen == []
    sent = [(got.headers["X-CEKURA-API-KEY"], got.headers["User-Agent"]) for got in scripted.seen]
    assert sent == [(KEY, f"cekura-tui/{__version__}")] * 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_an_error_and_is_not_followed(
    scripted: ScriptedServer, client: Client, status: int
) -> None:
    with ScriptedServer() as other:
        for path in (RUN, LAUNCH):
            other.on("GET", path, Reply(run_of(5)))
            scripted.on("GET", path, Reply(b"", status, {"Location": f"{other.url}{path}"}))
            scripted.on("POST", path, Reply(b"", status, {"Location": f"{other.url}{path}"}))
        with pytest.raises(BadAnswer, match="another address"):
            await client.run(5)
        with pytest.raises(BadAnswer) as caught:
            await client.launch(DRAFT)
        assert caught.value.status == status
        assert other.seen == []


async def test_the_next_link_of_a_list_is_not_followed(scripted: ScriptedServer, client: Client) -> None:
    with ScriptedServer() as other:
        page = {"count": 3, "next": f"{other.url}{RUNS}?page=2", "results": [run_of(1), run_of(3), run_of(2)]}
        scripted.on("GET", RUNS, Reply(page), Reply({"count": 3, "results": [run_of(1)]}))
        got = await client.runs({"project_id": 9}, 1)
        last = await client.runs({"project_id": 9}, 2)
        assert ([run.id for run in got.items], got.count, got.more) == ([3, 2, 1], 3, True)
        assert (got.oldest_first, last.oldest_first) == (True, False), "one run alone shows no order"
        assert [(asked.query["page"], asked.query["page_size"]) for asked in scripted.seen] == [
            ("1", "100"),
            ("2", "100"),
        ]
        assert other.seen == []


async def test_other_hosts_are_reached_through_the_proxy(monkeypatch: pytest.MonkeyPatch, waits: Any) -> None:
    with ScriptedServer() as proxy:
        proxy.on("CONNECT", "", Reply(b"", 503))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client = Client("https://api.cekura.invalid", KEY, sleep=waits)
        with pytest.raises(Unreachable):
            await client.run(5)
        assert {got.method for got in proxy.seen} == {"CONNECT"}
        assert KEY not in str([got.headers.as_string() for got in proxy.seen])
        await client.aclose()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://user:secret@127.0.0.1:1"),
        ("HTTPS_PROXY", "gopher://user:secret@host"),
        ("SSL_CERT_FILE", "/no/such/file.pem"),
    ],
)
def test_an_unusable_host_or_proxy_or_certificate_file_is_reported(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(Unreachable, match="no valid host"):
        Client("https://xn--7a", KEY)
    monkeypatch.setenv(name, value)
    with pytest.raises(Unreachable) as caught:
        Client("https://api.cekura.ai", KEY)
    assert name in caught.value.hint
    assert "secret" not in caught.value.sentence()


@pytest.mark.parametrize(
    ("bad", "waited"),
    [
        *((bad, [0.5, 1.0]) for bad in (Reply(HTML_502, 502), Reply(b"", 500), Reply({}, 429), Reset())),
        (Reply({}, 429, {"Retry-After": "3"}), [3.0, 3.0]),
    ],
)
async def test_a_read_with_a_transient_error_is_retried(
    scripted: ScriptedServer, client: Client, waits: list[float], bad: Reply | Reset, waited: list[float]
) -> None:
    scripted.on("GET", RUN, bad, bad, Reply(run_of(5)))
    assert (await client.run(5)).id == 5
    assert (len(scripted.seen), waits) == (3, waited)


async def test_a_read_is_given_up_after_three_tries(scripted: ScriptedServer, client: Client) -> None:
    scripted.on("GET", RUN, Reply(HTML_502, 502))
    with pytest.raises(ServerFault) as caught:
        await client.run(5)
    assert caught.value.sentence() == f"{scripted.url[7:]} failed (502, an HTML page). Try again later."
    assert len(scripted.seen) == 3


async def test_a_read_is_not_retried_if_retry_after_is_too_long(scripted: ScriptedServer, client: Client) -> None:
    scripted.on("GET", RUN, Reply({"detail": "Slow down."}, 429, {"Retry-After": "600"}))
    with pytest.raises(Busy, match=r"Too many requests to .* \(429: Slow down\.\)") as caught:
        await client.run(5)
    assert "again at" in caught.value.hint
    assert len(scripted.seen) == 1


@pytest.mark.parametrize("bad", [Reply(b"", 500), Reply(HTML_502, 502), Reply({}, 429), Reset(), Reply(b"", 503)])
async def test_failed_launches_and_polls_are_not_retried(
    scripted: ScriptedServer, client: Client, bad: Reply | Reset
) -> None:
    scripted.on("POST", LAUNCH, bad)
    scripted.on("GET", PROGRESS, bad)
    with pytest.raises(ApiError):
        await client.launch(DRAFT)
    with pytest.raises(ApiError):
        await client.progress(IMPROVE_PROMPT, "p")
    assert [got.method for got in scripted.seen] == ["POST", "GET"]


async def test_a_launch_sends_the_exact_prompt_and_only_the_chosen_focus(
    scripted: ScriptedServer, client: Client
) -> None:
    prompt = Prompt("\ufeffTab\there\r\n\x1b[0m é \ud800 end\n")
    scripted.on("POST", LAUNCH, Reply({"progress_id": 17}))
    assert (await client.launch(Draft((5, 6), prompt, 7, category_ids=(1,)))).progress_id == "17"
    await client.launch(Draft((5,), prompt, None, workflow_metric_ids=(2, 3)))
    first, second = (got.json() for got in scripted.seen)
    assert first == {"run_ids": [5, 6], "prompt": prompt, "agent": 7, "category_ids": [1]}
    assert second == {"run_ids": [5], "prompt": prompt, "workflow_metric_ids": [2, 3]}


async def test_the_prompts_of_agents_and_suggestions_are_read_exactly(scripted: ScriptedServer, client: Client) -> None:
    prompt = "\ufeffTab\there\r\n\x1b[0m \u202e\n"
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "A\x1b", "description": prompt}))
    scripted.on("GET", PROGRESS, Reply({"status": "completed\x1b", "output": {"improved_prompt": prompt}}))
    agent = await client.agent(7)
    assert (agent.prompt, agent.name) == (prompt, "A")
    payload, _ = await client.progress(IMPROVE_PROMPT, "a/b?c&d")
    assert payload == {"status": "completed", "output": {"improved_prompt": prompt}}
    assert scripted.seen[-1].query == {"progress_id": "a/b?c&d"}


async def test_a_refused_key_is_reported_but_not_quoted(scripted: ScriptedServer, client: Client) -> None:
    def echo(got: Got) -> Reply:
        return Reply({"detail": f"{got.headers['X-CEKURA-API-KEY']} is not a valid key"}, 403)

    scripted.on("GET", RUN, echo)
    with pytest.raises(KeyRefused) as caught:
        await client.run(5)
    assert "is not a valid key" in caught.value.message
    assert KEY not in f"{caught.value.sentence()} {caught.value.body} {caught.value!r}"
    assert len(scripted.seen) == 1


async def test_a_request_after_the_client_was_closed_raises_an_error(client: Client) -> None:
    await client.aclose()
    with pytest.raises(Unreachable, match="closed"):
        await client.run(5)


async def test_at_most_six_requests_are_in_flight(scripted: ScriptedServer, client: Client) -> None:
    held, most, lock, gate = 0, 0, threading.Lock(), threading.Event()

    def hold(_: Got) -> Reply:
        nonlocal held, most
        with lock:
            held += 1
            most = max(most, held)
        gate.wait(20)
        with lock:
            held -= 1
        return Reply(run_of(5))

    scripted.on("GET", RUN, hold)
    reads = asyncio.gather(*(client.run(5) for _ in range(20)))
    await eventually(lambda: most >= 6, "six requests arrived")
    gate.set()
    await reads
    assert (most, len(scripted.seen)) == (6, 20)
