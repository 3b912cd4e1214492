"""100 running jobs on a server in another process: the requests that the server gets, and the cost of watching jobs.
Measured in the first minute, when ages are shown by the second; later the program polls and repaints less."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from cekura_tui.model.job import Draft
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup
from tests.bench.row import Options, Row
from tests.bench.servers import IMPROVED, Account, demo_server
from tests.bench.timed_terminal import TimedTerminal, watch

PROGRESS = "/test_framework/v1/runs/improve_prompt_progress/"
OPENING, WINDOW = 3.0, 7.0
"""Seconds in which the screen is first drawn, and seconds of each measurement."""
SLOW = ("--demo-speed", "0.01")
"""Options of the demo server that slow down jobs, so that the shortest job takes 500 seconds."""
MOST_BYTES, MOST_CORE, MOST_LAG, MOST_REQUESTS, MOST_UNASKED = 1_000, 3.0, 50.0, 5, 90.0


def rows(options: Options) -> Iterator[Row]:
    """Watch 100 jobs in their first minute."""
    yield from watch_jobs(options, 100, 6)


def three_hundred(options: Options) -> Iterator[Row]:
    """Watch 300 jobs for two minutes, in which each job must be polled."""
    yield from watch_jobs(options, 300, 18)


def launch(account: Account, jobs: int) -> None:
    """Launch this many jobs through the program's own engine."""

    async def launch_all() -> None:
        session = Session.open(make_setup(env=account.env))
        try:
            runs = await session.improvable([IMPROVED])
            agent, prompt = await session.agent_prompt(runs.agent_id)
            draft = Draft(runs.run_ids, prompt, runs.agent_id, agent.name, prompt_source="agent")
            for _ in range(jobs):
                await session.engine.launch(draft)
        finally:
            await session.close()

    asyncio.run(launch_all())


def watched_app(account: Account, lags: Path, every: float = 0.0) -> TimedTerminal:
    """Start the app with a log of its event loop's lag. `every` is the poll interval in seconds; 0 leaves the interval
    to the program."""
    script = str(Path(__file__).with_name("watched_app.py"))
    return TimedTerminal(env=account.env, command=[sys.executable, script, str(lags), str(every)])


def watch_jobs(options: Options, jobs: int, windows: int) -> Iterator[Row]:
    """Measure the job list with this many running jobs, in `windows` consecutive windows."""
    lags = options.place / "lags.txt"
    with demo_server(options.place / "server", 240, *SLOW) as account:
        launch(account, jobs)
        with watched_app(account, lags) as terminal:
            terminal.wait("240 runs", f"{jobs} jobs running")
            terminal.press("2").wait(f"{jobs} running")
            opened = time.time()
            terminal.written_within(OPENING)
            began, lagged = time.time(), len(lags.read_text().split())
            figures = [watch([terminal], WINDOW)[0] for _ in range(windows)]
            ended = time.time()
            late = [float(lag) for lag in lags.read_text().split()[lagged:]]
            terminal.quit()
        entries = account.requests(opened, ended)
    polled = defaultdict(list)
    for entry in entries:
        if entry["path"] == PROGRESS:
            polled[entry["progress_id"]].append(entry["at"])
    moments = sorted(moment for times in polled.values() for moment in times if moment >= began)
    most = max(sum(first <= moment < first + 1 for moment in moments) for first in moments)
    # A job that was never polled counts as unpolled all the time.
    each = [*polled.values(), *[[] for _ in range(jobs - len(polled))]]
    unasked = [max(after - before for before, after in itertools.pairwise([opened, *one, ended])) for one in each]
    name = f"{jobs} jobs running"
    yield Row(f"{name}: bytes a second", "B/s", [sent for sent, _ in figures], most=MOST_BYTES)
    yield Row(f"{name}: of a core", "%", [core for _, core in figures], most=MOST_CORE)
    yield Row(f"{name}: loop lag, 99 %", "ms", [sorted(late)[int(len(late) * 0.99)]], most=MOST_LAG)
    yield Row(f"{name}: requests a second", "", [len(moments) / (ended - began)], most=MOST_REQUESTS)
    yield Row(f"{name}: requests in any second", "", [most], most=MOST_REQUESTS)
    yield Row(f"{name}: longest unasked", "s", [max(unasked)], most=MOST_UNASKED)
