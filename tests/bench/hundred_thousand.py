"""The run list on 100,000 runs beside the same on 240: `demo-server` in another process, a real terminal, real keys.

    .venv/bin/python tests/bench/hundred_thousand.py [--runs 100000] [--starts 9] [--rows 1000] [--pages 200]
                                                     [--live 70] [--repeat 33]

Prints, for both: how long a start takes to the first frame (`--demo`, median of several, by turns), key to last byte of
the answer while `j` is held for so many rows, `pgdn` so many times, `G` and `g` (median and 95 %; at the end of the
shorter list the way goes back), and the memory at the end. Then, by the server's log: with `L` off which pages were
fetched, whether any was fetched twice within a minute, and whether any was only flown over; with it on, what was asked
again. `--repeat` are the milliseconds between two keys, as a keyboard repeats them. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent / "support")]

from terminal import Terminal  # noqa: E402 - found where the tests' own modules are

RUNS = "/test_framework/v1/runs/"
FEW = 240
PAGE_DOWN, PAGE_UP = "\x1b[6~", "\x1b[5~"
DRAWN = b"\x1b[?2026l"
"""What ends each drawing of the screen."""
QUIET = 0.5
"""Seconds without a byte after which a screen stands still."""


@dataclass
class Measured:
    """Of one size of list: milliseconds a key by what was done, megabytes at the end, and what the server was asked."""

    keys: dict[str, list[float]] = field(default_factory=dict)
    memory: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    rested: float = 0.0


def environment(home: Path) -> dict[str, str]:
    """The environment of a capable terminal, and a config directory."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CEKURA_", "TEXTUAL"))}
    own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
    return {**plain, **own, "CEKURA_TUI_HOME": str(home), "PYTHONPATH": str(_HERE.parents[1])}


@contextlib.contextmanager
def served(home: Path, runs: int) -> Iterator[tuple[dict[str, str], Path]]:
    """`demo-server` with so many runs; the environment that leads to it, and its log."""
    home.mkdir()
    log = home / "requests.jsonl"
    words = ["--demo-runs", str(runs), "demo-server", "--log", str(log)]
    server = subprocess.Popen(
        [sys.executable, "-m", "cekura_tui", *words],
        env=environment(home / "server"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert server.stdout is not None
        told = [server.stdout.readline().decode().removeprefix("export ").strip() for _ in range(3)]
        named = {name: value.strip("'") for name, _, value in (line.partition("=") for line in told)}
        yield {**environment(home / "client"), **named}, log
    finally:
        server.terminate()
        server.wait()


def milliseconds_to_answer(terminal: Terminal, key: str) -> float:
    """From writing a key to the end of the drawing that answers it."""
    terminal.raw = b""  # what was written before is of no interest, and adding to it would take ever longer
    began = time.perf_counter()
    terminal.press(key)
    while DRAWN not in terminal.raw:
        assert terminal.pump(5.0), f"no answer to {key!r}\n{terminal.text}"
    return (time.perf_counter() - began) * 1000


def held(terminal: Terminal, there: str, back: str, times: int, room: int, repeat: float) -> list[float]:
    """A key that repeats; after `room` times in one direction the other key is held."""
    found = []
    for n in range(times):
        began = time.perf_counter()
        found.append(milliseconds_to_answer(terminal, there if n // room % 2 == 0 else back))
        while (left := began + repeat - time.perf_counter()) > 0:
            terminal.pump(left)
    return found


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def requests_in(log: Path, since: float, until: float) -> list[dict[str, Any]]:
    """What was asked between two moments."""
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    return [entry for entry in entries if since <= entry["at"] <= until]


def measure(home: Path, runs: int, options: argparse.Namespace) -> tuple[Measured, Counter[str]]:
    """Open the app on so many runs, go through them with `L` off, then look at what it asks with `L` on."""
    found, again = Measured(), Counter[str]()
    repeat = options.repeat / 1000
    with served(home, runs) as (env, log), Terminal(env=env, columns=100, lines=36) as terminal:
        terminal.wait(f"{runs:,} runs", "live")
        began = time.time()
        terminal.press("L")
        terminal.wait("paused").settle()
        height = sum(line.strip(" │")[:6].isdecimal() for line in terminal.screen.display)
        short = runs == FEW
        steps = {
            "j": lambda: held(terminal, "j", "k", options.rows, runs - 10 if short else options.rows, repeat),
            "pgdn": lambda: held(
                terminal, PAGE_DOWN, PAGE_UP, options.pages, runs // height if short else options.pages, repeat
            ),
            "G, g": lambda: held(terminal, "G", "g", 40, 1, QUIET),
        }
        for name, step in steps.items():
            terminal.press("g")
            terminal.settle()
            found.keys[name] = step()
            terminal.settle()
        found.memory = resident(terminal.process.pid)
        found.asked = requests_in(log, began, time.time())
        terminal.press("L")
        terminal.wait("live")
        since = time.time()
        terminal.written_within(options.live)
        again.update(map(kind_of, requests_in(log, since, time.time())))
        terminal.press("q")
        assert terminal.ended() == 0
    return found, again


def kind_of(entry: dict[str, Any]) -> str:
    """What a request asks for."""
    query = query_of(entry)
    if entry["path"] == f"{RUNS}bulk/":
        return "runs by their ids"
    if entry["path"] != RUNS:
        return "a run" if entry["path"].startswith(RUNS) else f"{entry['method']} {entry['path']}"
    return "newer runs" if "created_at_from" in query else f"page {query.get('page', 1)}"


def query_of(entry: dict[str, Any]) -> dict[str, str]:
    """The query parameters of a request."""
    from urllib.parse import parse_qsl

    return dict(parse_qsl(entry.get("query", "")))


def starts(home: Path, options: argparse.Namespace) -> dict[int, list[float]]:
    """Milliseconds from the start of `--demo` to the rows, by turns; each size has its directory, with a cache."""
    found: dict[int, list[float]] = {FEW: [], options.runs: []}
    for n in range(options.starts + 1):
        for runs, took in found.items():
            env = environment(home / f"start-{runs}")
            began = time.perf_counter()
            with Terminal("--demo", "--demo-runs", str(runs), env=env) as terminal:
                terminal.wait("✓ passed")
                if n:  # the first fills the cache
                    took.append((time.perf_counter() - began) * 1000)
                terminal.wait("live").settle()
                terminal.press("q")
                terminal.ended()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--starts", type=int, default=9)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--live", type=float, default=70)
    parser.add_argument("--repeat", type=float, default=33)
    options = parser.parse_args()
    with TemporaryDirectory() as place:
        home = Path(place)
        first = {runs: statistics.median(took) for runs, took in starts(home, options).items()}
        small, _ = measure(home / "few", FEW, options)
        large, again = measure(home / "many", options.runs, options)
    judge("first frame, ms", first[options.runs], first[FEW], None, 1.2)
    for name in large.keys:
        for what, share, limit in (("median", 0.5, 15.0), ("95 %", 0.95, 35.0)):
            values = [sorted(found.keys[name])[int(len(found.keys[name]) * share)] for found in (large, small)]
            judge(f"{name}: key to last byte, {what}, ms", *values, limit, 1.3)
    judge("memory, MB", large.memory, small.memory, None, 1.2)
    pages = [entry for entry in large.asked if kind_of(entry).startswith("page ")]
    told = ", ".join(kind_of(entry).removeprefix("page ") for entry in pages)
    print(f"L off: {len(pages)} pages fetched ({told})")
    twice = [
        kind_of(entry)
        for n, entry in enumerate(pages)
        if any(kind_of(entry) == kind_of(former) and entry["at"] - former["at"] < 60 for former in pages[:n])
    ]
    print(f"L off: fetched twice within a minute: {', '.join(twice) or 'none'}")
    print(f"L on, {options.live:.0f} s at rest: " + ", ".join(f"{what} ×{times}" for what, times in again.items()))


def judge(name: str, value: float, beside: float, limit: float | None, ratio: float) -> None:
    """A figure, the same on few runs, and whether both limits hold."""
    fine = value <= beside * ratio and (limit is None or value <= limit)
    most = f"at most {limit:.0f} and " if limit is not None else ""
    told = f"{value:8.1f}  on {FEW}: {beside:8.1f}  ratio {value / beside:4.2f}"
    print(f"{name:36}{told}  ({most}{ratio} ×)  {'ok' if fine else 'OVER'}")


if __name__ == "__main__":
    main()
