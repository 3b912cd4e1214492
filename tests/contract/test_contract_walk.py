"""Every operation that the contract declares is served, or refused with a sentence; its filters filter or are refused
by name; its errors have the declared shape. `pytest -n 0 -s` on this file shows the table."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import httpx
import pytest
from contract_walk import SESSIONS, Walk, Walked, operations

from cekura_tui.demo.server import DemoServer

EPOCH = 1_760_000_000.0
pytestmark = pytest.mark.xdist_group("contract walk")


class Clock:
    """Shows the time that it was set to."""

    def __init__(self) -> None:
        self.now = EPOCH + 60

    def __call__(self) -> float:
        return self.now

    def wait(self) -> None:
        self.now += 100


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Walked]]:
    clock = Clock()
    home = tmp_path_factory.mktemp("workspace") / "demo"
    server = DemoServer(home, speed=1000, epoch=EPOCH, sessions=True, clock=clock)
    server.start()
    with httpx.Client(base_url=server.url, headers={"X-CEKURA-API-KEY": server.key}, trust_env=False) as client:
        yield {(one.method, one.path): one for one in Walk(client, clock.wait).walk()}
    server.stop()


@pytest.mark.parametrize(("method", "path"), [operation[:2] for operation in operations()])
def test_an_operation_is_served_or_refused_with_a_sentence_and_no_filter_is_ignored(
    walked: dict[tuple[str, str], Walked], method: str, path: str
) -> None:
    assert walked[method, path].wrong == []


def test_the_table_of_all_operations(walked: dict[tuple[str, str], Walked]) -> None:
    right = sum(not one.wrong for one in walked.values())
    lines = [f"\n{'operation':72} {'served':42} {'filters':23} errors", *map(str, walked.values())]
    sys.stdout.write("\n".join([*lines, f"{right} of {len(walked)} served or refused with a sentence\n"]))
    assert right == len(walked) == 50


def test_a_server_without_improvement_sessions_does_not_know_them(client: httpx.Client) -> None:
    for method, path in [("GET", "/"), ("POST", "/"), ("GET", "/1/"), ("POST", "/1/promote/")]:
        answer = client.request(method, f"{SESSIONS}{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
