"""The app with what a bench needs from the inside: `python watched_app.py LAGS EVERY OPTION…`.

Into the file LAGS goes a line for each reading of how late the event loop was: milliseconds between when a timer of
100 ms was due and when it came. Each job is polled every EVERY seconds; 0 leaves that to the program.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

TIMER = 0.1


async def measure_lag(path: str) -> None:
    """Write lags until the program ends."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        due = time.perf_counter() + TIMER
        await asyncio.sleep(TIMER)
        os.write(handle, f"{(time.perf_counter() - due) * 1000:.2f}\n".encode())


def main() -> None:
    """Run the command line with the app's start extended by the measurement."""
    path, every, sys.argv[1:] = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    from cekura_tui.cli.main import main as run
    from cekura_tui.ui.app import CekuraApp

    start = CekuraApp._start

    def started(app: CekuraApp) -> None:
        start(app)
        app.run_worker(measure_lag(path), name="lag", group="lag")

    CekuraApp._start = started  # type: ignore[method-assign, assignment]
    if every:
        from cekura_tui.jobs import polling

        polling.interval = lambda age, jitter: every
        polling.Budget.__init__.__defaults__ = (10_000, polling.WINDOW)  # as many requests as that takes
    run()


if __name__ == "__main__":
    main()
