"""The app, which also writes down how late its event loop was: `python app_with_lag.py FILE OPTION…`.

One line a reading: milliseconds between when a timer of 100 ms was due and when it came.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

EVERY = 0.1


async def measure_lag(path: str) -> None:
    """Write lags until the program ends."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        due = time.perf_counter() + EVERY
        await asyncio.sleep(EVERY)
        os.write(handle, f"{(time.perf_counter() - due) * 1000:.2f}\n".encode())


def main() -> None:
    """Run the command line with the app's start extended by the measurement."""
    path, sys.argv[1:] = sys.argv[1], sys.argv[2:]
    from cekura_tui.cli.main import main as run
    from cekura_tui.ui.app import CekuraApp

    start = CekuraApp._start

    def started(app: CekuraApp) -> None:
        start(app)
        app.run_worker(measure_lag(path), name="lag", group="lag")

    CekuraApp._start = started  # type: ignore[method-assign]
    run()


if __name__ == "__main__":
    main()
