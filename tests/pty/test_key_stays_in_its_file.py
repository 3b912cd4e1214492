"""After a run of everything the key is in credentials.json and nowhere else: no file, output, picture or process."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_on_a_server import opened
from calling import process
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from terminal import PROGRAM, Terminal, environment
from watching import sees

from cekura_tui.demo.server import DemoServer
from cekura_tui.workspace.setup import make_setup

RUN = 900238
# The error has the key in its message and among the variables of its frame.
_CRASHING = """
import json, os, pathlib, signal, sys
def kill(number, frame):
    saved = pathlib.Path(os.environ["CEKURA_TUI_HOME"]) / "credentials.json"
    key = json.loads(saved.read_text())["default"]["api_key"]
    raise RuntimeError(f"Illegal header value {key!r}")
signal.signal(signal.SIGUSR1, kill)
from cekura_tui.cli.main import main
sys.argv = ["cekura-tui"]
main()
"""


def repeating(app: ASGIApp) -> ASGIApp:
    """A server that names each request after the key it was asked with."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                key = Headers(scope=scope).get("x-cekura-api-key", "")
                message = {**message, "headers": [*message["headers"], (b"x-request-id", f"asked by {key}".encode())]}
            await send(message)

        await app(scope, receive, named)

    return served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoServer]:
    server = DemoServer(tmp_path / "server", speed=1e6, middleware=repeating)
    server.start()
    yield server
    server.stop()


class Processes:
    """Looks at the command lines of all processes, again and again, for a text that must be in none."""

    def __init__(self, secrets: list[bytes]) -> None:
        self.seen: set[bytes] = set()
        self.guilty: set[bytes] = set()
        self._secrets, self._over = secrets, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    line = path.read_bytes()
                    self.seen.add(line)
                    self.guilty |= {line} if any(secret in line for secret in self._secrets) else set()


def forms(key: str) -> list[bytes]:
    """The key as it would be found: as it is, and inside of text in base64, wherever it begins there."""
    within = [base64.b64encode(b"x" * n + key.encode())[4:-8] for n in range(3)]
    return [key.encode(), *within]


def test_after_a_run_of_everything_the_key_is_in_its_own_file_alone(
    server: DemoServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signing in, the main job, the app, a copy, an export, a crash, the doctor and its bundle, and a picture."""
    other = "other-key-0123456789abcdef"  # which the server refuses, and a command prints
    secrets = [*forms(server.key), *forms(other)]
    (tmp_path / "vault").write_text(other)
    (tmp_path / "vault").chmod(0o600)
    monkeypatch.setenv("CEKURA_API_URL", server.url)
    monkeypatch.setenv("CEKURA_TUI_DEBUG", "1")
    said: dict[str, bytes] = {}

    def run(*words: object, status: int = 0, stdin: bytes = b"") -> bytes:
        started = process(*words, stdin=-1, env={"HOME": str(tmp_path)})
        out, err = started.communicate(stdin, timeout=60)
        said[" ".join(map(str, words))] = out + err
        assert started.returncode == status, (words, out, err)
        return out

    with Processes(secrets) as processes:
        login = ("auth", "login")
        run("--api-key-file", "-", "--project", 4021, *login, stdin=server.key.encode())
        run("--api-key-file", "-", "--profile", "two", *login, stdin=server.key.encode())
        run("--api-key-file", "-", *login, status=2, stdin=f"{server.key}x".encode())
        run("--api-key-file", "-", *login, "--replace", status=4, stdin=f"{server.key}x".encode())
        command = f'api_url = "{server.url}"\napi_key_command = "cat {tmp_path / "vault"}"'
        (home / "config.toml").write_text(f"project_id = 4021\n\n[profiles.other]\n{command}\n")
        run("auth", "status", "--json")
        run("runs", "list", "--json")
        run("runs", "show", RUN, "--json")
        run("improve", RUN, "--from-agent", "--wait", "--json")
        for how in ("--json", "--curl"):
            run("jobs", "show", 1, how)
        run("config", "show", "--json")
        run("--profile", "other", "runs", "list", status=4)
        run("doctor", "--json")
        run("--profile", "other", "doctor", status=1)

        env = environment(home, tmp_path) | {"CEKURA_API_URL": server.url}
        with Terminal(env=env, command=PROGRAM) as terminal:
            go_through(terminal, tmp_path / "runs.csv")
        said["the app"] = terminal.raw
        with Terminal(env=env, command=(sys.executable, "-c", _CRASHING)) as terminal:
            terminal.wait("240 runs", str(RUN)).settle()
            terminal.process.send_signal(signal.SIGUSR1)
            terminal.press("j")
            assert terminal.ended() == 2
        said["the crash"] = terminal.raw
        said["a picture"] = asyncio.run(picture())
        run("doctor", "--bundle", tmp_path / "bundle.zip")

    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        members = {f"bundle: {name}": archive.read(name) for name in archive.namelist()}
    assert b"RuntimeError: Illegal header value '[the key]'" in members["bundle: log/cekura-tui.log"]
    assert any(b"doctor" in line for line in processes.seen)
    files = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    files |= {name: (tmp_path / name).read_bytes() for name in ("bundle.zip", "runs.csv")}
    guilty = [
        name
        for name, data in [*files.items(), *members.items(), *said.items()]
        if any(secret in data for secret in secrets)
    ]
    assert guilty == ["credentials.json"]
    assert json.loads(files["credentials.json"])["default"]["api_key"] == server.key
    assert processes.guilty == set()
    for profile in ("two", "default"):
        run("--profile", profile, "auth", "logout")
    assert server.key not in (home / "credentials.json").read_text()


async def picture() -> bytes:
    """The list of runs, as an SVG."""
    async with opened(make_setup(env=dict(os.environ))) as pilot:
        await sees(pilot, "240 runs")
        return pilot.app.export_screenshot().encode()


def go_through(terminal: Terminal, exported: Path) -> None:
    """Export the list, open a run, copy of it, and look at the log of requests."""
    terminal.wait("240 runs", str(RUN))
    terminal.press("j", "j", "e")
    terminal.wait("Export").settle()
    terminal.press("\x15", str(exported), "enter")
    terminal.wait("Saved")
    terminal.press("esc")
    terminal.wait("enter Open").settle()
    terminal.press("enter")
    terminal.wait(f"Run {RUN}", "Transcript", "agent")
    terminal.press("y")
    terminal.wait("Copy or save")
    terminal.press("enter")
    terminal.wait("Sent ")
    terminal.press(":", "request log", "enter")
    terminal.wait("Request log", "Requests · ")
    terminal.press("enter")
    terminal.wait("request id", "asked by")
    terminal.press("esc")
    terminal.wait("enter Details", gone="request id")
    terminal.press("q")
    assert terminal.ended() == 0
