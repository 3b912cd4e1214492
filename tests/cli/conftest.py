from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from calling import objects
from going_on import RunningCommand
from saved_jobs import DONE, SavedJobs
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer, run_of, serve_runs

from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoOptions, DemoServer


@dataclass
class Demo:
    """The embedded server in this process, its jobs done at once, and every request it got."""

    server: DemoServer
    log: list[dict[str, Any]] = field(default_factory=list)
    by_kind: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def posts(self) -> list[dict[str, Any]]:
        return [entry for entry in self.log if entry["method"] == "POST"]


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    log: list[dict[str, Any]] = []
    options = DemoOptions(speed=1e6, epoch=1_760_000_000.0)
    server = DemoServer(tmp_path_factory.mktemp("embedded") / "demo", options, log=log.append)
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


@pytest.fixture
def by_kind(demo: Demo) -> dict[str, list[dict[str, Any]]]:
    """Its runs by the kind of their outcome, newest first."""
    if not demo.by_kind:
        for row in objects("runs", "list", "--limit", 300):
            demo.by_kind.setdefault(row["outcome"]["kind"], []).append(row)
        demo.log.clear()
    return demo.by_kind


@pytest.fixture
def failed(by_kind: dict[str, list[dict[str, Any]]]) -> int:
    """The newest failed run."""
    return int(by_kind["failed"][0]["id"])


@pytest.fixture
def settings(home: Path) -> Callable[[str], Path]:
    """Write the settings file."""

    def write(text: str) -> Path:
        home.mkdir(mode=0o700, exist_ok=True)
        path = home / "config.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def prompt_file(tmp_path: Path) -> Path:
    path = tmp_path / "prompt.md"
    path.write_text("# Rules\n\nBe kind to callers.\n")
    return path


@pytest.fixture
def improve(prompt_file: Path) -> tuple[object, ...]:
    """The command that launches a job for run 5 with the prompt of a file."""
    return "improve", 5, "--prompt-file", prompt_file


@pytest.fixture
def polled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A running job is polled again without a pause."""
    monkeypatch.setattr("cekura_tui.jobs.polling.interval", lambda age, jitter: 0.0)


@pytest.fixture
def api(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A scripted server with run 5, which takes launches as `p-1`; the environment has its URL, a key and project 1."""
    for name, value in (("API_URL", scripted.url), ("API_KEY", "key"), ("PROJECT_ID", "1")):
        monkeypatch.setenv(f"CEKURA_{name}", value)
    serve_runs(scripted, run_of(5))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-1"}))
    return scripted


@pytest.fixture
def jobs(api: ScriptedServer, home: Path) -> SavedJobs:
    """The jobs of that key at that server in this test's database."""
    return SavedJobs(home / "cekura.db", api.url)


@pytest.fixture
def server(api: ScriptedServer, jobs: SavedJobs) -> ScriptedServer:
    """A scripted server that took job 1 and has not answered about it yet."""
    jobs.running()
    return api


@pytest.fixture
def finished(server: ScriptedServer, jobs: SavedJobs) -> ScriptedServer:
    """A scripted server whose job 1 succeeded; nobody has looked at the result."""
    server.on("GET", PROGRESS, Reply(DONE))
    jobs.answer(1, DONE)
    return server


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed request is not tried again."""
    monkeypatch.setattr("cekura_tui.api.errors.next_try", lambda *_: None)


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
