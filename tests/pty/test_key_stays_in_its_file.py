"""After a run of everything the key is in credentials.json and nowhere else: no file, output, picture or process."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from app_on_a_server import opened
from calling import process
from forked import Forker
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from terminal import PROGRAM, Terminal, environment
from watching import sees

from cekura_tui.demo.server import DemoOptions, DemoServer
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
    server = DemoServer(tmp_path / "server", DemoOptions(speed=1e6), middleware=repeating)
    server.start()
    yield server
    server.stop()


@contextmanager
def watched(secrets: list[bytes]) -> Iterator[tuple[set[bytes], set[bytes]]]:
    """Read the command lines of all processes again and again: all of them, and those with a secret in it."""
    seen, guilty, over = set[bytes](), set[bytes](), threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    line = path.read_bytes()
                    seen.add(line)
                    guilty.update({line} if any(secret in line for secret in secrets) else ())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield seen, guilty
    over.set()
    thread.join()


def forms(key: str) -> list[bytes]:
    """The key as it would be found: as it is, and inside of text in base64, wherever it begins there."""
    within = [base64.b64encode(b"x" * n + key.encode())[4:-8] for n in range(3)]
    return [key.encode(), *within]


def test_after_a_run_of_everything_the_key_is_in_its_own_file_alone(
    server: DemoServer, home: Path, tmp_path: Path, forker: Forker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signing in, the main job, the app, a copy, an export, a crash, the doctor and its bundle, and a picture."""
    other = "other-key-0123456789abcdef"  # which the server refuses, and a command prints
    secrets = [*forms(server.key), *forms(other)]
    (tmp_path / "vault").write_text(other)
    (tmp_path / "vault").chmod(0o600)
    monkeypatch.setenv("CEKURA_API_URL", server.url)
    monkeypatch.setenv("CEKURA_TUI_DEBUG", "1")
    said: dict[str, bytes] = {}

    env = environment(home, tmp_path)

    def run(*words: object, status: int = 0) -> None:
        with Terminal(*map(str, words), env=env, forker=forker) as terminal:
            assert terminal.ended() == status, (words, terminal.text)
            said[" ".join(map(str, words))] = terminal.raw

    def log_in(key: str, *words: object, status: int = 0) -> None:
        started = process("--api-key-file", "-", *words, stdin=-1, env={"HOME": str(tmp_path)})
        out, err = started.communicate(key.encode(), timeout=60)
        said[f"{words} {status}"] = out + err
        assert started.returncode == status, (words, out, err)

    with watched(secrets) as (seen, guilty_processes):
        login = ("auth", "login")
        log_in(server.key, "--project", 4021, *login)
        log_in(server.key, "--profile", "two", *login)
        log_in(f"{server.key}x", *login, status=2)
        log_in(f"{server.key}x", *login, "--replace", status=4)
        command = f'api_url = "{server.url}"\napi_key_command = "cat {tmp_path / "vault"}"'
        (home / "config.toml").write_text(f"project_id = 4021\n\n[profiles.other]\n{command}\n")
        for words in (("auth", "status"), ("runs", "list"), ("runs", "show", RUN), ("config", "show"), ("doctor",)):
            run(*words, "--json")
        run("improve", RUN, "--from-agent", "--wait", "--json")
        for how in ("--json", "--curl"):
            run("jobs", "show", 1, how)
        run("--profile", "other", "runs", "list", status=4)
        run("--profile", "other", "doctor", status=1)

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
    assert any(b"login" in line for line in seen)
    files = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    files |= {name: (tmp_path / name).read_bytes() for name in ("bundle.zip", "runs.csv")}
    everything = {**files, **members, **said}
    guilty = [name for name, data in everything.items() if any(secret in data for secret in secrets)]
    assert guilty == ["credentials.json"]
    assert json.loads(files["credentials.json"])["default"]["api_key"] == server.key
    assert guilty_processes == set()
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
    for keys, shown, gone in (
        (("j", "j", "e"), "Export", ""),
        (("\x15", str(exported), "enter"), "Saved", ""),
        (("esc",), "enter Open", ""),
        (("enter",), f"Run {RUN}", ""),
        (("y",), "Copy or save", ""),
        (("enter",), "Sent ", ""),
        ((":", "request log", "enter"), "newest first", ""),
        (("q",), f"Run {RUN}", "newest first"),
    ):
        terminal.press(*keys).wait(shown, gone=gone).settle()
    terminal.quit()
