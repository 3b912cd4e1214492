"""Memory after opening 200 runs, compared with the bare app, and growth of memory over 10,000 polls and 500 screens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.many_jobs import PROGRESS, SLOW, launch, watched_app
from tests.bench.row import Options, Row
from tests.bench.servers import Account, demo_server, newest
from tests.bench.timed_terminal import HELLO_TEXT, TimedTerminal, environment, hello, watch

OPENED, POLLS, VISITS = 200, 10_000, 500
JOBS, EVERY = 100, 0.8
"""Number of jobs, and seconds between two polls of each job; 10,000 polls take a minute and a half."""
PAUSE = 4.0
"""Seconds without a key, in which the program collects garbage."""
STEPS = (
    *(("enter", "│ Details"), ("esc", "240 runs"), ("2", "elapsed")),
    *(("enter", "SHA-256"), ("esc", "elapsed"), ("1", "240 runs")),
)
MOST_RATIO, MOST_GROWTH = 2.0, 5.0


def rows(options: Options) -> Iterator[Row]:
    """Measure the bare app, then the program while it opens runs, on a server and in the demo; then measure
    long use."""
    bare = []
    for _ in range(5):
        with hello(env=environment(options.place / "bare")) as terminal:
            terminal.wait(HELLO_TEXT).settle()
            bare.append(terminal.resident)
    yield Row("memory, bare app", "MB", bare)
    demo = environment(options.place / "demo")
    with (
        demo_server(options.place / "server") as account,
        TimedTerminal(env=account.env) as at_server,
        TimedTerminal("--demo", env=demo) as embedded,
    ):
        opened = {"": at_server, " (--demo, with its server)": embedded}
        for terminal in opened.values():
            terminal.wait("240 runs", "live").settle()
        fresh = {name: terminal.resident for name, terminal in opened.items()}
        open_runs([*opened.values()])
        for name, terminal in opened.items():
            yield Row(f"memory, before any run was opened{name}", "MB", [fresh[name]], bare)
            most = None if name else MOST_RATIO
            yield Row(f"memory, {OPENED} runs opened{name}", "MB", [terminal.resident], bare, most_ratio=most)
            terminal.quit()
    yield from long_life(options)


def open_runs(terminals: list[TimedTerminal]) -> None:
    """Open the newest `OPENED` runs one after another in each terminal."""
    for n in range(OPENED):
        for terminal in terminals:
            terminal.press("]" if n else "enter")
        for terminal in terminals:
            terminal.wait(f"Run {int(newest(240)) - n}", "│ Details")
        for terminal in terminals:
            terminal.pump_all(0.05)
            terminal.forget()


def long_life(options: Options) -> Iterator[Row]:
    """Measure the growth of memory in a program whose screens are opened and closed, and in a program that
    polls jobs."""
    with ExitStack() as stack:

        def opened(name: str, jobs: int, every: float) -> tuple[Account, TimedTerminal]:
            account = stack.enter_context(demo_server(options.place / name, 240, *SLOW))
            launch(account, jobs)
            terminal = stack.enter_context(watched_app(account, options.place / f"{name}-lags.txt", every))
            terminal.wait("240 runs", "running").rest()  # with this many polls, it is never idle
            return account, terminal

        _, visited = opened("visited", 1, 0.0)
        account, polled = opened("polled", JOBS, EVERY)
        visit(visited, polled, len(STEPS))
        watch([visited, polled], PAUSE)
        began, before = time.time(), (visited.resident, polled.resident)
        visit(visited, polled, VISITS)
        polls = 0
        while polls < POLLS:
            watch([visited, polled], PAUSE)
            polls = sum(entry["path"] == PROGRESS for entry in account.requests(began))
        after = visited.resident, polled.resident
        grown = [100 * (late - early) / early for early, late in zip(before, after, strict=True)]
        visited.quit()
        polled.quit()
    yield Row(f"memory, growth over {VISITS} screens", "%", [grown[0]], most=MOST_GROWTH)
    yield Row(f"memory, growth over {POLLS:,} polls", "%", [grown[1]], most=MOST_GROWTH)


def visit(terminal: TimedTerminal, beside: TimedTerminal, screens: int) -> None:
    """Show about `screens` screens in `terminal`, in a cycle: run, run list, jobs, job. Also read the output of
    `beside`, so that its program's writes do not block."""
    for n in range(screens - screens % len(STEPS)):
        key, shows = STEPS[n % len(STEPS)]
        terminal.press(key).wait(shows)
        for one in (terminal, beside):
            one.pump_all(0.03)
            one.forget()
