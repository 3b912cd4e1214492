"""Servers with an account each: the demo server in another process, or a server of prepared answers in this process."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripted_server import ScriptedServer
from terminal import PROGRAM

from tests.bench import long_calls
from tests.bench.timed_terminal import TimedTerminal, environment

FIRST_RUN = 900_001
"""Id of the demo server's oldest run."""
IMPROVED = 900_238
"""Id of a failed run from which jobs are launched."""


@dataclass(frozen=True)
class Account:
    """The environment of a client, and the path of the server's request log. The log may not exist."""

    env: dict[str, str]
    log: Path

    @property
    def database(self) -> Path:
        return Path(self.env["CEKURA_TUI_HOME"], "cekura.db")

    def requests(self, since: float = 0.0, until: float = float("inf")) -> list[dict[str, Any]]:
        """Logged requests between two moments (Unix seconds, inclusive)."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [entry for entry in entries if since <= entry["at"] <= until]

    def command(self, *words: str) -> str:
        """Run a command of the program; returns its output."""
        done = subprocess.run([*PROGRAM, *words], env=self.env, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout

    def with_home(self, home: Path) -> Account:
        """This account with an empty data directory."""
        own = environment(home)
        return Account({**self.env, **{name: own[name] for name in ("CEKURA_TUI_HOME", "HOME")}}, self.log)


@contextlib.contextmanager
def demo_server(place: Path, runs: int = 240, *words: str) -> Iterator[Account]:
    """Run `demo-server` with this many runs and the options `words`; yields an account. `place` must not exist yet."""
    place.mkdir(parents=True)
    log = place / "requests.jsonl"
    command = [*PROGRAM, "--demo-runs", str(runs), *words, "demo-server", "--log", str(log)]
    env, pipe = environment(place / "server"), subprocess.PIPE
    with subprocess.Popen(command, env=env, text=True, stdout=pipe, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            printed = [server.stdout.readline().removeprefix("export ").strip() for _ in range(3)]
            named = {name: value.strip("'") for name, _, value in (text.partition("=") for text in printed)}
            yield Account(environment(place / "client", **named), log)
        finally:
            server.terminate()


@contextlib.contextmanager
def call_server(place: Path, turns: int, verdicts: int) -> Iterator[Account]:
    """Serve prepared answers: every run has this many turns and verdicts."""
    with ScriptedServer() as server:
        long_calls.serve_calls(server, turns, verdicts)
        yield scripted_account(server, place, long_calls.PROJECT)


def scripted_account(server: ScriptedServer, place: Path, project: int = 1) -> Account:
    """An account on a scripted server; `place` must not exist yet."""
    place.mkdir(parents=True)
    named = {"CEKURA_API_URL": server.url, "CEKURA_API_KEY": "k" * 32, "CEKURA_PROJECT_ID": str(project)}
    return Account(environment(place / "client", **named), place / "none")


def newest(runs: int) -> str:
    """Id of the newest run on a demo server with this many runs."""
    return str(FIRST_RUN - 1 + runs)


def paused_list(account: Account, runs: int, **options: Any) -> TimedTerminal:
    """Open the program on a list of this many runs and turn off its live updates."""
    terminal = TimedTerminal(env=account.env, **options)
    terminal.wait(f"{runs:,} runs", "live").settle()
    terminal.press("L").wait("paused").settle()
    return terminal


def cache_list(account: Account, runs: int) -> None:
    """Run the program once and load all runs (at most 1,000), so that the next start finds them cached."""
    with paused_list(account, runs) as terminal:
        terminal.press("F").wait("no verdict", gone=" loaded").settle()
        terminal.quit()
    with sqlite3.connect(account.database) as sql:
        (cached,) = sql.execute("SELECT count(*) FROM run_rows").fetchone()
    sql.close()
    assert cached == runs, f"{cached} of {runs} runs are cached"
