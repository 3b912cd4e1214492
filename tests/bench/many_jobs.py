"""300 running jobs against `demo-server` in another process: what the server sees, and what watching costs.

    .venv/bin/python tests/bench/many_jobs.py [--jobs 300] [--seconds 60] [--times 3] [--settle 70]

Prints, for each time and as medians: requests a second (mean, and the most in any second) and the longest a job went
unasked, by the server's own log; how late the app's event loop was; bytes written to the terminal a second; and the
share of a core that the app's process took. That is measured `--settle` seconds after the app showed the jobs; what is
written and taken before that, from three seconds on, is told as well: it is when their ages are given by the second.
How long a job went unasked is looked up from the start, for asking about all of them once takes a minute. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent / "support")]

from terminal import Terminal  # noqa: E402 - found where the tests' own modules are

from cekura_tui.model.job import Draft  # noqa: E402
from cekura_tui.workspace.session import Session  # noqa: E402
from cekura_tui.workspace.setup import make_setup  # noqa: E402

PROGRESS = "/test_framework/v1/runs/improve_prompt_progress/"
FAILED_RUN = 900238
OPENING = 3.0
"""Seconds in which the screen itself is drawn."""
SLOW = "0.01"
"""At this speed the shortest job takes 500 seconds."""


@dataclass(frozen=True)
class Figures:
    """What one time gave."""

    mean: float
    most: int
    unasked: float
    lag: float
    bytes: float
    core: float
    young_bytes: float
    young_core: float

    LIMITS = (5.0, 5, 90.0, 50.0, 1024.0, 5.0, 1024.0, 5.0)
    NAMES = (
        "requests a second, mean",
        "requests in any second, most",
        "longest unasked, seconds",
        "loop lag, 99 %, ms",
        "bytes a second to the terminal",
        "% of a core",
        "bytes a second, before",
        "% of a core, before",
    )

    def values(self) -> tuple[float, ...]:
        return (
            self.mean,
            self.most,
            self.unasked,
            self.lag,
            self.bytes,
            self.core,
            self.young_bytes,
            self.young_core,
        )


async def launch(env: dict[str, str], jobs: int) -> None:
    """Launch so many jobs as any program does."""
    session = Session.open(make_setup(env=env))
    try:
        runs = await session.improvable([FAILED_RUN])
        agent, prompt = await session.agent_prompt(runs.agent_id)
        draft = Draft(runs.run_ids, prompt, runs.agent_id, agent.name, prompt_source="agent")
        for _ in range(jobs):
            await session.jobs.launch(draft)
    finally:
        await session.close()


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(home: Path, log: Path, env: dict[str, str], settle: float, seconds: float, jobs: int) -> Figures:
    """Open the app on its jobs screen, watch it for so many seconds, and read the server's log of them."""
    lags = home / "lag.txt"
    lags.unlink(missing_ok=True)
    command = [sys.executable, str(_HERE / "app_with_lag.py"), str(lags)]
    with Terminal(env=env, command=command) as terminal:
        terminal.wait("240 runs")
        terminal.press("2")
        terminal.wait(f"{jobs} running")
        opened, pid = time.time(), terminal.process.pid
        terminal.written_within(OPENING)
        settling = max(settle - OPENING, 1.0)
        cpu = cpu_seconds(pid)
        young = terminal.written_within(settling) / settling
        young_core = 100 * (cpu_seconds(pid) - cpu) / settling
        began, cpu, lagged = time.time(), cpu_seconds(pid), len(lags.read_text().split())
        written = terminal.written_within(seconds)
        took, core = time.time() - began, cpu_seconds(pid) - cpu
        late = sorted(map(float, lags.read_text().split()[lagged:]))
        terminal.press("q")
        assert terminal.ended() == 0
    at = defaultdict(list)
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        if entry["path"] == PROGRESS and opened <= entry["at"] <= began + took:
            at[entry["progress_id"]].append(entry["at"])
    moments = sorted(moment for asked in at.values() for moment in asked if moment >= began)
    most = max(sum(first <= moment < first + 1 for moment in moments) for first in moments)
    # A job that was never asked about went unasked all the time.
    asked = [*at.values(), *[[] for _ in range(jobs - len(at))]]
    unasked = max(longest([opened, *times, began + took]) for times in asked)
    lag = late[int(len(late) * 0.99)]
    return Figures(len(moments) / took, most, unasked, lag, written / took, 100 * core / took, young, young_core)


def longest(moments: list[float]) -> float:
    """The longest time between two moments that follow each other."""
    return max(after - before for before, after in itertools.pairwise(moments))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--settle", type=float, default=63)
    options = parser.parse_args()
    with TemporaryDirectory() as place:
        home, log = Path(place), Path(place) / "requests.jsonl"
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("CEKURA_", "TEXTUAL"))}
        served = {**plain, "CEKURA_TUI_HOME": str(home / "server"), "PYTHONPATH": str(_HERE.parents[1])}
        words = ["--demo-speed", SLOW, "demo-server", "--log", str(log)]
        server = subprocess.Popen(
            [sys.executable, "-m", "cekura_tui", *words], env=served, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            assert server.stdout is not None
            told = [server.stdout.readline().decode().removeprefix("export ").strip() for _ in range(3)]
            env = {**served, "CEKURA_TUI_HOME": str(home / "client"), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
            env |= {name: value.strip("'") for name, _, value in (line.partition("=") for line in told)}
            asyncio.run(launch(env, options.jobs))
            print(f"{options.jobs} running jobs, {options.seconds:.0f} s, {options.times} times")
            found = []
            for n in range(options.times):
                found.append(measure(home, log, env, options.settle, options.seconds, options.jobs))
                print(f"  {n + 1}: " + ", ".join(f"{value:.1f}" for value in found[-1].values()))
        finally:
            server.terminate()
            server.wait()
    for name, limit, *values in zip(
        Figures.NAMES, Figures.LIMITS, *(figures.values() for figures in found), strict=True
    ):
        median = statistics.median(values)
        print(f"{name:32} {median:8.1f}   limit {limit:6.0f}   {'ok' if median <= limit else 'OVER'}")


if __name__ == "__main__":
    main()
