"""The app on a fast clock: `python -m tests.bench.fast_app BEGAN REPORT OPTION…`. On SIGUSR1 it appends a line of JSON
to the file REPORT: what its process holds and, with BENCH_TRACES=1, the lines of code that hold more than before."""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import sys
import threading
import time
import tracemalloc

SPEED = 20
"""Seconds of the program's clock in a real second."""


class _Selector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout / SPEED if timeout else timeout)


class _Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(_Selector())


def speed_up(began: float) -> None:
    """Make the clocks of this process and its event loops run `SPEED` times as fast since the Unix time `began`. Call
    this before the program is imported, because its functions have clocks as defaults."""
    wall, monotonic = time.time, time.monotonic
    time.time = lambda: began + SPEED * (wall() - began)
    time.monotonic = lambda: SPEED * monotonic()
    asyncio.set_event_loop_policy(_Policy())


def main() -> None:
    """Run the command line."""
    began, report, sys.argv[1:] = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    snapshots: list[tracemalloc.Snapshot] = []
    if os.environ.get("BENCH_TRACES"):
        tracemalloc.start()

    def write(*_: object) -> None:
        from a_week import count_objects

        kinds = count_objects()  # after a garbage collection
        held = {"kinds": kinds, "blocks": sys.getallocatedblocks(), "threads": threading.active_count(), "lines": []}
        if tracemalloc.is_tracing():
            snapshots.append(tracemalloc.take_snapshot())
            held["lines"] = [*map(str, snapshots[-1].compare_to(snapshots[0], "lineno")[:20])]
        with open(report, "a", encoding="utf-8") as file:
            file.write(json.dumps(held) + "\n")

    signal.signal(signal.SIGUSR1, write)
    speed_up(began)
    from cekura_tui.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
