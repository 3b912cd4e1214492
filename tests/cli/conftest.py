from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from calling import call
from going_on import RunningCommand
from scripted_server import LAUNCH, Reply, ScriptedServer, run_of, serve_runs

from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoServer
from cekura_tui.model.job import JobState
from cekura_tui.store.store import Store


@dataclass
class Demo:
    """The embedded server in this process, its jobs done at once, and every request it got."""

    server: DemoServer
    log: list[dict[str, Any]] = field(default_factory=list)

    def posts(self) -> list[dict[str, Any]]:
        return [entry for entry in self.log if entry["method"] == "POST"]


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    log: list[dict[str, Any]] = []
    server = DemoServer(tmp_path_factory.mktemp("embedded") / "demo", speed=1e6, epoch=1_760_000_000.0, log=log.append)
    server.start()
    yield Demo(server, log)
    server.stop()


@pytest.fixture
def demo(demo_server: Demo, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """That server, with the environment that leads to it."""
    demo_server.log.clear()
    monkeypatch.setenv("CEKURA_API_URL", demo_server.server.url)
    monkeypatch.setenv("CEKURA_API_KEY", demo_server.server.key)
    monkeypatch.setenv("CEKURA_PROJECT_ID", str(FIRST_PROJECT))
    return demo_server


def rows() -> list[dict[str, Any]]:
    """The runs of the embedded workspace."""
    return [json.loads(line) for line in call("runs", "list", "--limit", 300, "--json").out.splitlines()]


@pytest.fixture
def by_kind(demo: Demo) -> dict[str, list[dict[str, Any]]]:
    """Its runs by the kind of their outcome, newest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows():
        found.setdefault(row["outcome"]["kind"], []).append(row)
    demo.log.clear()
    return found


@pytest.fixture
def failed(by_kind: dict[str, list[dict[str, Any]]]) -> int:
    """The newest failed run."""
    return int(by_kind["failed"][0]["id"])


@pytest.fixture
def prompt_file(tmp_path: Path) -> Path:
    path = tmp_path / "prompt.md"
    path.write_text("# Rules\n\nBe kind to callers.\n")
    return path


@pytest.fixture
def server(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch, prompt_file: Path) -> ScriptedServer:
    """A scripted server that took job 1 and does not know yet how it ends."""
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", "key")
    serve_runs(scripted, run_of(5))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-1"}))
    assert call("improve", 5, "--prompt-file", prompt_file).status == 0
    return scripted


@pytest.fixture
def start() -> Iterator[Callable[..., RunningCommand]]:
    """Start `cekura-tui …` in a process of its own, which is gone when the test ends."""
    started: list[RunningCommand] = []

    def start_one(*words: object) -> RunningCommand:
        started.append(RunningCommand(*words))
        return started[-1]

    yield start_one
    for one in started:
        one.kill()


@pytest.fixture
def window(home: Path, scripted: ScriptedServer) -> Iterator[Callable[[JobState], None]]:
    """Another window, which puts job 1 into a state."""
    opened: list[Store] = []

    def put(state: JobState) -> None:
        store = Store(home / "cekura.db", scripted.url, "key", "default")
        opened.append(store)
        store.jobs.record_state(1, state, "Another window said so.", time.time(), only_from=tuple(JobState))

    yield put
    for store in opened:
        store.close()
