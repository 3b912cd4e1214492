"""Every operation that the contract declares is served, or refused with a sentence; its filters filter or are refused
by name; its errors have the declared shape. `pytest -n 0 -s` on this file shows the table."""

from __future__ import annotations

import sys

import httpx
import pytest
from contract_walk import SESSIONS, Walk
from demo_client import EPOCH, Clock, served_by

from cekura_tui.demo.server import DemoOptions, DemoServer


def test_each_operation_is_served_or_refused_and_no_filter_is_ignored(tmp_path_factory: pytest.TempPathFactory) -> None:
    clock = Clock(EPOCH + 60)

    def wait() -> None:
        clock.now += 100

    home = tmp_path_factory.mktemp("workspace") / "demo"
    with served_by(DemoServer(home, DemoOptions(speed=1000, epoch=EPOCH), sessions=True, clock=clock)) as client:
        walked = Walk(client, wait).walk()
    lines = [f"\n{'operation':72} {'served':42} {'filters':23} errors", *map(str, walked)]
    sys.stdout.write("\n".join([*lines, ""]))
    assert {f"{one.method} {one.path}": one.wrong for one in walked if one.wrong} == {}
    assert len(walked) == 50


def test_a_server_without_improvement_sessions_does_not_know_them(client: httpx.Client) -> None:
    for method, path in [("GET", "/"), ("POST", "/"), ("GET", "/1/"), ("POST", "/1/promote/")]:
        answer = client.request(method, f"{SESSIONS}{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
