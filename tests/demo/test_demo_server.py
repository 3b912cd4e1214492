"""The demo server starts and stops, keeps launched jobs and written prompts, and injects faults on request."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
from demo_client import EPOCH, RUNS, Clock, answers_until_over, client_of, listed, served_by
from demo_faults import DRIFTED, faulty_server
from odd_runs import EXTRA_RUNS, LONG_RUN
from starlette.types import ASGIApp, Receive, Scope, Send
from waiting import until

from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.faults import Throttle
from cekura_tui.demo.forms import LaunchForm
from cekura_tui.demo.jobs import DemoDatabase
from cekura_tui.demo.server import DemoOptions, DemoServer
from cekura_tui.demo.workspace import DemoWorkspace

LAUNCH = f"{RUNS}improve_prompt_bg/"
PROGRESS = f"{RUNS}improve_prompt_progress/"
RUN = f"{RUNS}900240/"
PROMPT = "# Line\r\n\tBe kind — and brief\u2026 & 100% = true\r\n"
SENT = {"run_ids": [900238], "prompt": PROMPT}


def finished(client: httpx.Client, handle: dict[str, Any]) -> dict[str, Any]:
    """Poll a job until it ends; return the last answer."""
    return answers_until_over(lambda: client.get(PROGRESS, params=handle).json())[-1]


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"run_ids": [900238, 900239], "prompt": PROMPT, "agent": 1201}},
        {"data": {"run_ids": ["900238", "900239"], "prompt": PROMPT, "agent": "1201"}},
        {"data": {"run_ids": "900238,900239", "prompt": PROMPT}},
        {"files": [("run_ids", (None, "900238")), ("run_ids", (None, "900239")), ("prompt", (None, PROMPT))]},
        {"files": [("run_ids", (None, "900238, 900239")), ("prompt", (None, PROMPT))]},
    ],
    ids=["json", "urlencoded repeated", "urlencoded commas", "multipart repeated", "multipart commas"],
)
def test_a_launch_accepts_every_body_type_and_keeps_the_prompt_exact(
    client: httpx.Client, logged: list[dict[str, object]], sent: dict[str, Any]
) -> None:
    path = LAUNCH if "json" in sent else "/test_framework/v1/runs-external/improve_prompt_bg"
    answer = client.post(path, **sent)
    assert answer.status_code == 200, answer.text
    output = finished(client, answer.json())["output"]
    assert PROMPT in output["improved_prompt"]
    entry = next(entry for entry in reversed(logged) if entry["method"] == "POST")
    assert entry["prompt_sha256"] == hashlib.sha256(PROMPT.encode()).hexdigest()
    assert entry["prompt_bytes"] == len(PROMPT.encode())
    assert {"at", "method", "path", "status", "ms", "run_ids"} <= entry.keys()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"prompt", "run_ids"}),
        ({"prompt": " \n", "run_ids": []}, {"prompt", "run_ids"}),
        ({"prompt": 7, "run_ids": "900238"}, {"prompt", "run_ids"}),
        ({"prompt": "x", "run_ids": [900238, 900237, 900239, 900236]}, {"run_ids"}),
        ({"prompt": "x", "run_ids": ["one", True]}, {"run_ids"}),
        ({"prompt": "x", "run_ids": [1]}, {"run_ids"}),
        ({"prompt": "x", "run_ids": [900238, 900234]}, {"run_ids"}),
        ({"prompt": "x", "run_ids": [900238], "agent": 1202}, {"agent"}),
        ({"prompt": "x", "run_ids": [900238], "category_ids": ["a"]}, {"category_ids"}),
    ],
)
def test_a_wrong_launch_is_refused_with_an_error_per_field(
    client: httpx.Client, fields: dict[str, Any], wrong: set[str]
) -> None:
    answer = client.post(LAUNCH, json=fields)
    assert (answer.status_code, answer.json().keys()) == (400, wrong)


@pytest.mark.parametrize("noun", ["runs", "runs-external"])
def test_the_server_of_meridian_air_has_no_improve_prompt_jobs(client: httpx.Client, noun: str) -> None:
    sent = {"run_ids": [900227], "prompt": PROMPT}
    answer = client.post(f"/test_framework/v1/{noun}/improve_prompt_bg/", json=sent)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert client.get(f"{RUNS}900227/").json()["agent"] == 1203
    assert client.post(f"/test_framework/v1/{noun}/improve_prompt_issues/", json=sent).json()["issues"]


def test_a_job_that_an_older_demo_launched_for_meridian_air_is_not_found(corpus: Corpus, tmp_path: Path) -> None:
    database = DemoDatabase(tmp_path / "jobs.db")
    job_id = database.launch(LaunchForm(PROMPT, (900227,), 1203, (), ()), EPOCH, 1.0)
    assert DemoWorkspace(corpus, database).progress(job_id) is None
    database.close()


def test_a_broken_body_is_refused_and_a_lone_surrogate_in_a_prompt_is_kept(client: httpx.Client) -> None:
    kind = {"content-type": "application/json"}
    broken = client.post(LAUNCH, content=b'{"prompt": ', headers=kind)
    assert broken.status_code == 400
    assert broken.json()["detail"].startswith("JSON parse error - ")
    half = client.post(LAUNCH, content=b'{"prompt": "a\\ud800b", "run_ids": [900238]}').json()
    assert finished(client, half)["output"]["improved_prompt"].startswith("a\ud800b")
    assert client.post(LAUNCH, content=b"[1]", headers=kind).json().keys() == {"non_field_errors"}
    assert client.post(LAUNCH, content=b"x", headers={"content-type": "text/plain"}).status_code == 415
    issues = client.post(f"{RUNS}improve_prompt_issues/", content=b'{"progress_id": "\\ud800"}', headers=kind)
    assert issues.json().keys() == {"run_ids"}
    name = client.patch("/test_framework/v1/aiagents/1201/", content=b'{"agent_name": "\\ud800"}', headers=kind)
    assert (name.status_code, name.json().keys()) == (400, {"agent_name"})


def test_a_job_continues_while_the_demo_server_is_stopped(tmp_path: Path, clock: Clock) -> None:
    first, second = (DemoServer(tmp_path / "demo", clock=clock) for _ in range(2))
    with served_by(first) as client:
        handle = client.post(LAUNCH, json=SENT).json()
        assert client.get(PROGRESS, params=handle).json()["output"] is None
        key = first.key
    clock.now += 3600
    with served_by(second) as client:
        assert second.key == key
        answer = finished(client, handle)
        assert answer == finished(client, handle)
        assert answer["output"]["improved_prompt"] != PROMPT


def test_two_servers_share_a_private_directory(tmp_path: Path) -> None:
    directory = tmp_path / "home" / "demo"
    servers = [DemoServer(directory, DemoOptions(speed=1000)) for _ in range(2)]
    assert not (tmp_path / "home").exists()
    with served_by(servers[0]) as one, served_by(servers[1]) as other:
        handle = one.post(LAUNCH, json=SENT).json()
        assert finished(other, handle) == finished(one, handle)
        assert listed(one) == listed(other) | {"next": listed(one)["next"]}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (directory, directory / "key")] == [0o700, 0o600]


def test_stopping_ends_the_thread_despite_open_connections(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    server = DemoServer(tmp_path / "demo", middleware=_silent_at_launches)
    server.start()
    waiting = threading.Thread(target=_post_and_hang, args=(server,))
    waiting.start()
    with client_of(server) as client:
        client.get("/user/v1/projects/")
        server.stop()
        server.stop()
        assert {thread for thread in threading.enumerate() if thread.name == "embedded-server"} <= before
    until(lambda: not waiting.is_alive(), "the open request was ended")


def _silent_at_launches(app: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (asyncio.sleep(3600) if scope["path"] == LAUNCH else app(scope, receive, send))

    return answer


def _post_and_hang(server: DemoServer) -> None:
    with client_of(server) as client, contextlib.suppress(httpx.HTTPError):
        client.post(LAUNCH, json=SENT)


def test_a_port_in_use_raises_oserror(tmp_path: Path, server: DemoServer) -> None:
    port = httpx.URL(server.url).port
    assert port is not None
    with pytest.raises(OSError, match="in use"):
        DemoServer(tmp_path / "demo", port=port).start()
    assert not (tmp_path / "demo").exists()


def test_a_server_that_fails_to_start_raises_oserror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.Server.serve", AsyncMock())
    with pytest.raises(OSError, match="the demo server did not start"):
        DemoServer(tmp_path / "demo").start()


def test_100000_runs_are_listed_page_by_page_and_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with served_by(DemoServer(tmp_path / "demo", DemoOptions(runs=100_000), extra_runs=EXTRA_RUNS)) as client:
        answer = listed(client, page=1000)
        client.get("/nowhere")
        client.get(f"{RUNS}{LONG_RUN}/")
    assert (answer["count"], len(answer["results"]), answer["next"]) == (100_000, 100, None)
    assert capfd.readouterr() == ("", "")


# Faults


@pytest.fixture
def faulty(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of a demo server with the fault that the test's parameter names."""
    with served_by(faulty_server(tmp_path / "demo", request.param, speed=1000)) as client:
        yield client


def with_fault(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("faulty", names, indirect=True)


@with_fault("html-502", "500")
def test_the_faults_500_and_html_502_make_every_second_request_fail(
    faulty: httpx.Client, request: pytest.FixtureRequest
) -> None:
    status = 502 if "html-502" in request.node.name else 500
    answers = [faulty.get(RUN) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [status, 200, status, 200]
    if status == 502:
        assert ["<html>" in answer.text for answer in answers] == [True, False, True, False]
    else:
        assert answers[0].json() == {"detail": "Internal server error."}


@with_fault("reset")
def test_the_fault_reset_closes_the_connection_of_every_second_request(faulty: httpx.Client) -> None:
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            faulty.get(RUN)
        assert faulty.get(RUN).status_code == 200


@with_fault("withdrawn")
def test_the_fault_withdrawn_removes_the_improve_operations(faulty: httpx.Client) -> None:
    assert faulty.post(LAUNCH, json=SENT).json() == {"detail": "Not found."}
    assert "<html>" in faulty.get(PROGRESS, params={"progress_id": "x"}).text
    assert faulty.get(RUN).status_code == 200


@with_fault("no-progress-id")
def test_the_fault_no_progress_id_answers_a_launch_with_a_run(faulty: httpx.Client) -> None:
    answer = faulty.post(LAUNCH, json=SENT)
    assert (answer.status_code, answer.json()["id"]) == (200, 900238)
    assert "progress_id" not in answer.json()


@with_fault("latency")
def test_the_fault_latency_delays_an_answer(faulty: httpx.Client) -> None:
    assert faulty.get("/user/v1/projects/").elapsed.total_seconds() >= 0.3


@with_fault("429")
def test_the_fault_429_sends_a_retry_after_header(faulty: httpx.Client) -> None:
    answers = [faulty.get(RUN) for _ in range(9)]
    assert [answer.status_code for answer in answers] == [200] * Throttle.BURST + [429]
    assert int(answers[-1].headers["retry-after"]) == Throttle.QUIET
    assert answers[-1].json() == {"detail": "Request was throttled. Expected available in 3 seconds."}


def test_requests_sent_while_the_server_throttles_do_not_prolong_the_wait() -> None:
    now = 100.0
    throttle = Throttle(lambda: now)
    assert [throttle.wait() for _ in range(Throttle.BURST)] == [0] * Throttle.BURST
    assert throttle.wait() == 3
    now += 2.5
    assert throttle.wait() == 1
    now += 0.5
    assert throttle.wait() == 0


V1, V2 = "/test_framework/v1/aiagents/1201/", "/test_framework/v2/aiagents/1201/"
TEXT = "  # Line \t\r\n\tBe kind.  \r\n\r\n"


def prompt(client: httpx.Client, path: str = V1) -> str:
    return str(client.get(path).json()["description"])


@pytest.mark.parametrize("path", [V1, V2])
def test_the_fault_write_403_stores_no_prompt(tmp_path: Path, path: str) -> None:
    with served_by(faulty_server(tmp_path / "demo", "write-403")) as client:
        before = prompt(client)
        answer = client.patch(path, json={"description": TEXT})
        assert (answer.status_code, "permission" in answer.json()["detail"]) == (403, True)
        assert prompt(client) == before


@pytest.mark.parametrize(("fault", "stored"), [("write-half", True), ("write-lost", False)])
def test_a_write_whose_answer_is_lost_may_or_may_not_have_stored_the_prompt(
    tmp_path: Path, fault: str, stored: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with served_by(faulty_server(tmp_path / "demo", fault)) as client:
        before = prompt(client)
        with pytest.raises(httpx.RemoteProtocolError):
            client.patch(V1, json={"description": TEXT})
        assert prompt(client) == (TEXT if stored else before)
    assert capfd.readouterr() == ("", "")


def test_the_fault_write_trimmed_strips_white_space_of_json_bodies_only(tmp_path: Path) -> None:
    with served_by(faulty_server(tmp_path / "demo", "write-trimmed")) as client:
        answer = client.patch(V2, json={"description": TEXT})
        assert answer.json()["description"] == prompt(client) == "# Line\n\tBe kind."
        assert client.patch(V1, data={"description": "Be brief. "}).status_code == 200
        assert client.patch(V1, json=["no fields"]).status_code == 400
        assert client.patch(V1, content=b"{", headers={"content-type": "application/json"}).status_code == 400


def test_the_fault_drift_adds_a_sentence_to_a_prompt_after_the_first_read(tmp_path: Path) -> None:
    with served_by(faulty_server(tmp_path / "demo", "drift")) as client:
        assert client.get(V1, headers={"X-CEKURA-API-KEY": "wrong"}).status_code == 403
        first, *later = (prompt(client, path) for path in (V1, V2, V1))
        assert DRIFTED not in first
        assert later == [f"{first.rstrip()}\n\n{DRIFTED}\n"] * 2
        client.patch(V1, json={"description": TEXT})
        assert prompt(client) == prompt(client) == TEXT


def test_a_request_is_logged_before_its_answer_arrives(tmp_path: Path) -> None:
    logged: list[dict[str, object]] = []

    def log(entry: dict[str, object]) -> None:
        time.sleep(0.02)  # like a slow disk
        logged.append(entry)

    with served_by(DemoServer(tmp_path, log=log)) as client:
        for path in (RUNS, f"{RUNS}5/", "/nowhere/"):
            status = client.get(path).status_code
            assert (logged[-1]["path"], logged[-1]["status"]) == (path, status)
