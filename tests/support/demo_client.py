"""Send requests to a demo server whose clock the test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from waiting import until

from cekura_tui.demo.corpus import FIRST_PROJECT, RUN_BASES, Corpus
from cekura_tui.demo.server import DemoServer

EPOCH = 1_760_000_000.0
RUNS = "/test_framework/v1/runs/"


class Clock:
    """A clock that returns `now`, which the test sets."""

    def __init__(self, now: float = EPOCH) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def client_of(server: DemoServer) -> httpx.Client:
    """An HTTP client that sends the server's key."""
    headers = {"X-CEKURA-API-KEY": server.key}
    return httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60)


def run_ids(corpus: Corpus, project: int) -> range:
    """Ids of a project's runs, newest first."""
    return range(RUN_BASES[project] + corpus.count(project), RUN_BASES[project], -1)


@contextmanager
def served_by(server: DemoServer) -> Iterator[httpx.Client]:
    """Start a server, yield a client for it, and stop the server."""
    server.start()
    try:
        with client_of(server) as client:
            yield client
    finally:
        server.stop()


def listed(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    """The API's answer with the newest 100 runs of the first project; `asked` are additional query parameters."""
    answer = client.get(RUNS, params={"project_id": FIRST_PROJECT, "page_size": 100, **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def seconds_of(row: Mapping[str, Any]) -> int | None:
    """Length of a run's call in seconds; None if the run has no `duration` ("mm:ss")."""
    if row.get("duration") is None:
        return None
    minutes, _, seconds = row["duration"].partition(":")
    return int(minutes) * 60 + int(seconds)


def answers_until_over(ask: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """Call `ask`, which polls a job, until the job has ended; returns all answers in order."""
    answers: list[dict[str, Any]] = []

    def is_over() -> bool:
        answers.append(ask())
        return answers[-1]["status"] in ("completed", "failed")

    until(is_over, "the job ended")
    return answers
