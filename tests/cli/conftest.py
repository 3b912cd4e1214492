from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from calling import call

from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoServer


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
