"""After using every feature, the API key is only in credentials.json: in no other file, output, picture or process."""

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
# The error contains the key in its message and in a local variable.
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


def echo_key(app: ASGIApp) -> ASGIApp:
    """Middleware that puts the request's API key into its response headers."""

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
    server = DemoServer(tmp_path / "server", DemoOptions(speed=1e6), middleware=echo_key)
    server.start()
    yield server
    server.stop()


@contextmanager
def watch_processes(secrets: list[bytes]) -> Iterator[tuple[set[bytes], set[bytes]]]:
    """Poll the command lines of all processes; yield the set of all lines seen and the set of lines with a secret."""
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


def key_forms(key: str) -> list[bytes]:
    """The key as bytes, and fragments of its base64 form at each of the three alignments."""
    within = [base64.b64encode(b"x" * n + key.encode())[4:-8] for n in range(3)]
    return [key.encode(), *within]


def test_the_key_is_only_in_its_own_file_after_using_everything(
    server: DemoServer, home: Path, tmp_path: Path, forker: Forker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uses sign-in, the main job, the app, a copy, an export, a crash, the doctor with its bundle, and a screenshot."""
    other = "other-key-0123456789abcdef"  # printed by a command; the server refuses it
    secrets = [*key_forms(server.key), *key_forms(other)]
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

    with watch_processes(secrets) as (seen, guilty_processes):
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
        seen_by_command = tmp_path / "seen"
        dump = f"(env; cat /proc/$$/cmdline /proc/$PPID/cmdline /proc/$PPID/environ) >{seen_by_command}"
        run("improve", RUN, "--from-agent", "--wait", "--command", f'sh -c "{dump}; cat"', status=3)
        for how in ("--json", "--curl"):
            run("jobs", "show", 1, how)
        run("--profile", "other", "runs", "list", status=4)
        run("--profile", "other", "doctor", status=1)

        with Terminal(env=env, command=PROGRAM) as terminal:
            use_app(terminal, tmp_path / "runs.csv")
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
    found = seen_by_command.read_bytes()
    assert (b"supervisor.py" in found, b"CEKURA_" in found) == (True, False)
    assert not any(secret in found for secret in secrets)
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
    """The run list as an SVG."""
    async with opened(make_setup(env=dict(os.environ))) as pilot:
        await sees(pilot, "240 runs")
        return pilot.app.export_screenshot().encode()


def use_app(terminal: Terminal, exported: Path) -> None:
    """Export the list, open a run, copy its link, and open the request log."""
    terminal.wait("240 runs", str(RUN))
    for keys, shown, gone in (
        (("j", "j", "w"), "Export", ""),
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
