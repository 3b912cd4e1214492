"""The app with a log of its event loop's lag: `python watched_app.py LAGS EVERY OPTION…`.

Each line of the file LAGS is the delay of a 100 ms timer, in milliseconds. EVERY is the poll interval of each job in
seconds; 0 leaves the interval to the program.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

TIMER = 0.1


async def measure_lag(path: str) -> None:
    """Append lags to a file until the program ends."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        due = time.perf_counter() + TIMER
        await asyncio.sleep(TIMER)
        os.write(handle, f"{(time.perf_counter() - due) * 1000:.2f}\n".encode())


def main() -> None:
    """Run the command line with an app that logs its lag."""
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
        polling.Budget.__init__.__defaults__ = (10_000, polling.WINDOW)  # enough requests for this interval
    run()


if __name__ == "__main__":
    main()
