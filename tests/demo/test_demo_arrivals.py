"""Runs of the demo start, progress and end while a client watches."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from demo_client import EPOCH, RUNS, Clock, listed, run_ids, served_by
from waiting import until

from cekura_tui.demo.answers import run_row
from cekura_tui.demo.corpus import BACKLOG, FIRST_PROJECT, SLOWEST, Arrivals, Corpus
from cekura_tui.demo.server import DemoOptions, DemoServer

ROOT = Path(__file__).parents[2]
FINAL = {"completed", "failed", "timeout", "cancelled"}
ORDER = ("in_queue", "pending", "scaling_up", "running", "in_progress", "evaluating")


@pytest.fixture
def watched(tmp_path: Path, clock: Clock) -> Iterator[httpx.Client]:
    """A client of a demo server on which a run starts every 5 seconds."""
    with served_by(DemoServer(tmp_path / "demo", DemoOptions(epoch=EPOCH, live=5.0), clock=clock)) as client:
        yield client


def whole(client: httpx.Client, run_ids: list[int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{RUNS}bulk/", params={"run_ids": ",".join(map(str, run_ids))}).json()
    return found


def test_new_runs_are_listed_first_but_not_in_a_list_up_to_an_earlier_time(watched: httpx.Client, clock: Clock) -> None:
    first = watched.get(RUNS, params={"project_id": FIRST_PROJECT})
    server_time = parsedate_to_datetime(first.headers["date"])
    assert server_time.timestamp() == EPOCH
    clock.now += 17.0
    after = listed(watched)
    assert after["count"] == 243
    assert [row["id"] for row in after["results"][:4]] == [900_243, 900_242, 900_241, 900_240]
    assert listed(watched, created_at_to=server_time.isoformat())["count"] == 240
    newer = listed(watched, created_at_from=server_time.isoformat())
    assert [row["id"] for row in newer["results"]] == [900_243, 900_242, 900_241]
    assert listed(watched, created_at_from=newer["results"][1]["timestamp"])["count"] == 2


def test_the_bulk_request_returns_the_present_state_of_runs(watched: httpx.Client, clock: Clock) -> None:
    going = [row["id"] for row in listed(watched)["results"] if row["status"] not in FINAL]
    clock.now += 25.0
    going += [900_241, 900_242]
    assert len(going) >= 8
    before = {run["id"]: run for run in whole(watched, going)}
    assert before[900_241]["status"] not in FINAL
    assert before[900_241]["duration"] is None
    clock.now += SLOWEST
    after = {run["id"]: run for run in whole(watched, going)}
    assert after.keys() == before.keys() == set(going)
    for run in after.values():
        assert run["status"] in FINAL
        assert run["scenario"] == before[run["id"]]["scenario"]
        assert run["duration"] is not None
        assert run["evaluation"] is not None or run["error_message"] or run["evaluation_status"] is None
    rows = listed(watched, id__in=",".join(map(str, going)))["results"]
    assert {row["id"]: row["status"] for row in rows} == {run_id: run["status"] for run_id, run in after.items()}


def test_the_status_of_a_run_only_advances_and_its_other_fields_do_not_change(clock: Clock) -> None:
    corpus = Corpus(100, EPOCH, arrivals=Arrivals(EPOCH, 2.0, clock))
    seen: dict[int, list[dict[str, Any]]] = {run_id: [] for run_id in range(900_101, 900_131)}
    while clock.now < EPOCH + 60.0 + SLOWEST:
        clock.now += 2.0
        for run_id, rows in seen.items():
            if (facts := corpus.facts(run_id)) is not None:
                rows.append(run_row(corpus, facts))
    for run_id, rows in seen.items():
        words = [row["status"] for row in rows]
        steps = [ORDER.index(word) if word in ORDER else len(ORDER) for word in words]
        assert steps == sorted(steps), run_id
        assert words[0] == "in_queue"
        assert words[-1] in FINAL
        for name in ("scenario", "personality", "agent", "result_id", "timestamp", "run_as_text"):
            assert len({row[name] for row in rows}) == 1
    ends = {seen[run_id][-1]["evaluation_status"] for run_id in seen}
    assert {"success", "failure", None} <= ends


def test_settled_runs_never_change(clock: Clock) -> None:
    corpus = Corpus(60, EPOCH, arrivals=Arrivals(EPOCH, 3.0, clock))
    for _ in range(12):
        clock.now += 137.0
        now = clock.now
        for project in (0, 1):
            settled = run_ids(corpus, project)[::-1][: corpus.settled(project)]
            before = [corpus.facts(run_id) for run_id in settled]
            clock.now = now + 10 * SLOWEST
            assert [corpus.facts(run_id) for run_id in settled] == before
            clock.now = now
    assert corpus.settled(0) > 300


def test_an_old_workspace_opens_with_a_bounded_number_of_runs() -> None:
    clock = Clock(EPOCH + 1e9)
    arrivals = Arrivals(EPOCH, 5.0, clock)
    assert arrivals.number() == BACKLOG
    clock.now += 5.0
    assert arrivals.number() == BACKLOG + 1


def test_in_an_old_workspace_no_run_is_in_progress(tmp_path: Path, clock: Clock) -> None:
    with served_by(DemoServer(tmp_path / "demo", clock=clock)) as client:
        going = listed(client, status__in=",".join(ORDER))["results"]
        assert len(going) == 6
        clock.now += 3600
        assert listed(client, status__in=",".join(ORDER))["results"] == []
        for row in going:
            run = client.get(f"{RUNS}{row['id']}/").json()
            assert run["scenario"] == row["scenario"]
            assert run["duration"] is not None


@pytest.mark.parametrize("live", [5.0, 0.0])
def test_a_restarted_demo_lists_the_same_runs_and_adds_runs_only_if_live(
    tmp_path: Path, clock: Clock, live: float
) -> None:
    lists = []
    for _ in range(2):
        clock.now = EPOCH + 60.0
        with served_by(DemoServer(tmp_path / "demo", DemoOptions(epoch=EPOCH, live=live), clock=clock)) as client:
            lists.append(listed(client)["results"])
            clock.now += 10.0 if live else 1_000_000.0
            assert (listed(client)["results"] == lists[-1]) == (not live)
    assert lists[0] == lists[1]


def test_the_command_demo_server_starts_runs_if_live_and_logs_requests(tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = ["--demo-live", "0.1", "demo-server", "--log", str(log)]
    process = subprocess.Popen(
        [sys.executable, "-m", "cekura_tui", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url, key = [process.stdout.readline().strip().partition("=")[2] for _ in range(2)]
        with httpx.Client(base_url=url, headers={"X-CEKURA-API-KEY": key}, trust_env=False, timeout=60) as client:
            until(lambda: listed(client)["count"] > 242, "new runs started")
    finally:
        process.terminate()
        process.wait()
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert entries[0]["path"] == RUNS
    assert entries[0]["query"] == f"project_id={FIRST_PROJECT}&page_size=100"
    assert all(entry["status"] == 200 and entry["at"] <= time.time() for entry in entries)
