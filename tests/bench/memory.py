"""Memory after 200 runs were opened, beside the bare app; and what 10,000 polls and 500 screens add to it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.many_jobs import PROGRESS, SLOW, launch, watched_app
from tests.bench.part import Options
from tests.bench.row import Row
from tests.bench.servers import Account, demo_server, newest
from tests.bench.timed_terminal import HELLO_TEXT, TimedTerminal, environment, hello

OPENED, POLLS, VISITS = 200, 10_000, 500
JOBS, EVERY = 100, 0.8
"""So many jobs, each polled after so many seconds, make 10,000 polls in a minute or two."""
MOST_RATIO, MOST_GROWTH = 2.0, 5.0


def rows(options: Options) -> Iterator[Row]:
    """Runs opened one after the other, at a server in another process and in the demo; then the long life."""
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
    with demo_server(options.place / "long", 240, *SLOW) as account:
        launch(account, JOBS)
        yield from long_life(options, account)


def open_runs(terminals: list[TimedTerminal]) -> None:
    """Open the newest runs, each after the one before."""
    for n in range(OPENED):
        for terminal in terminals:
            terminal.press("]" if n else "enter")
        for terminal in terminals:
            terminal.wait(f"Run {int(newest(240)) - n}", "Timeline")
        for terminal in terminals:
            terminal.pump_all(0.05)
            terminal.forget()


def long_life(options: Options, account: Account) -> Iterator[Row]:
    """Screens are opened and left while jobs are polled; what came up to the first fifth of it may stay."""
    with watched_app(account, options.place / "lags.txt", EVERY) as terminal:
        terminal.wait("240 runs", f"{JOBS} jobs running").settle()
        visit(terminal, VISITS // 10)
        began, before = time.time(), terminal.resident
        visit(terminal, VISITS)
        while (polls := sum(entry["path"] == PROGRESS for entry in account.requests(began))) < POLLS:
            terminal.written_within(2)
            terminal.forget()
        grown = 100 * (terminal.resident - before) / before
        terminal.quit()
    yield Row(f"memory, growth over {polls:,} polls, {VISITS} screens", "%", [grown], most=MOST_GROWTH)


def visit(terminal: TimedTerminal, screens: int) -> None:
    """Show so many screens: a run, the list of runs, the jobs, a job, and back."""
    steps = (
        ("enter", "Timeline"),
        ("esc", "240 runs"),
        ("2", "elapsed"),
        ("enter", "SHA-256"),
        ("esc", "elapsed"),
        ("1", "240 runs"),
    )
    for n in range(screens - screens % len(steps)):
        key, shows = steps[n % len(steps)]
        terminal.press(key)
        terminal.wait(shows)
        terminal.pump_all(0.03)
        terminal.forget()
