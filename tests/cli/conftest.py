from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from calling import objects
from running_commands import RunningCommand
from saved_jobs import DONE, SavedJobs
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer, run_of, serve_runs

from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoOptions, DemoServer


@dataclass
class Demo:
    """A demo server in this process, whose jobs end at once. `log` has an entry for every request."""

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
    """A demo server whose URL, key and first project are in the environment. The log of requests is empty."""
    demo_server.log.clear()
    monkeypatch.setenv("CEKURA_API_URL", demo_server.server.url)
    monkeypatch.setenv("CEKURA_API_KEY", demo_server.server.key)
    monkeypatch.setenv("CEKURA_PROJECT_ID", str(FIRST_PROJECT))
    return demo_server


@pytest.fixture
def by_kind(demo: Demo) -> dict[str, list[dict[str, Any]]]:
    """The JSON of the demo server's runs by the kind of their outcome, newest first."""
    if not demo.by_kind:
        for row in objects("runs", "list", "--limit", 300):
            demo.by_kind.setdefault(row["outcome"]["kind"], []).append(row)
        demo.log.clear()
    return demo.by_kind


@pytest.fixture
def failed(by_kind: dict[str, list[dict[str, Any]]]) -> int:
    """The id of the demo server's newest failed run."""
    return int(by_kind["failed"][0]["id"])


@pytest.fixture
def settings(home: Path) -> Callable[[str], Path]:
    """A function that writes the test's config.toml, and returns the path of the file."""

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
    """The arguments of a command that launches a job for run 5 with the prompt file."""
    return "improve", 5, "--prompt-file", prompt_file


@pytest.fixture
def polled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll running jobs without a delay."""
    monkeypatch.setattr("cekura_tui.jobs.polling.interval", lambda age, jitter: 0.0)


@pytest.fixture
def api(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A scripted server that has run 5, and accepts launches as `p-1`. The server's URL, a key and project 1 are in the
    environment."""
    for name, value in (("API_URL", scripted.url), ("API_KEY", "key"), ("PROJECT_ID", "1")):
        monkeypatch.setenv(f"CEKURA_{name}", value)
    serve_runs(scripted, run_of(5))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-1"}))
    return scripted


@pytest.fixture
def jobs(api: ScriptedServer, home: Path) -> SavedJobs:
    """An object that saves jobs of the key and the server of `api`."""
    return SavedJobs(home / "cekura.db", api.url)


@pytest.fixture
def server(api: ScriptedServer, jobs: SavedJobs) -> ScriptedServer:
    """A scripted server that has accepted job 1 and not answered a poll yet."""
    jobs.running()
    return api


@pytest.fixture
def finished(server: ScriptedServer, jobs: SavedJobs) -> ScriptedServer:
    """A scripted server whose job 1 has succeeded. The job is not marked as seen."""
    server.on("GET", PROGRESS, Reply(DONE))
    jobs.answer(1, DONE)
    return server


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not retry failed requests."""
    monkeypatch.setattr("cekura_tui.api.errors.next_try", lambda *_: None)


@pytest.fixture
def start() -> Iterator[Callable[..., RunningCommand]]:
    """A function that starts `cekura-tui …` in another process. The process is killed at the end of the test."""
    started: list[RunningCommand] = []

    def start_one(*words: object) -> RunningCommand:
        started.append(RunningCommand(*words))
        return started[-1]

    yield start_one
    for one in started:
        one.kill()
