"""Seven simulated days of 20 jobs each, and the memory, files and objects that the program holds every evening.

The app runs without a terminal on a real database, a real server on this machine, and the real engine, but its time is
simulated. Each evening the app opens the twenty jobs of the day. Memory, open files, live objects and the size of the
database are printed by day; the rows are their growth from the second evening to the last. With details, the lines of
code that hold more memory than on the second evening are printed, too, but tracing the memory inflates the figures.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tracemalloc
from collections.abc import Iterator

import a_week
from scripted_server import ScriptedServer

from tests.bench.row import Options, Row
from tests.bench.timed_terminal import resident

MOST_GROWTH = 5.0
"""Limit of the growth of memory and open files, in percent."""


def rows(options: Options) -> Iterator[Row]:
    """Run the week and report the growth of memory, open files and database."""
    if options.details:
        tracemalloc.start()
    gc.collect()
    memory, evenings = asyncio.run(_live(options))
    before, after = evenings[1], evenings[-1]
    for name, first, last in (("memory", memory[1], memory[-1]), ("open files", before.open_files, after.open_files)):
        yield Row(f"a week of jobs: growth of {name}", "%", [100 * (last - first) / first], most=MOST_GROWTH)
    a_job = (after.database_bytes - before.database_bytes) / (after.jobs - before.jobs)
    yield Row("a week of jobs: database, of a job", "B", [a_job])
    for kind, count in after.live_objects.items():
        if count > before.live_objects[kind] + 2:
            print(f"  {kind}: {before.live_objects[kind]} → {count}")


async def _live(options: Options) -> tuple[list[float], list[a_week.Evening]]:
    """Run the week; returns the resident memory in MB and the other figures of each evening."""
    memory: list[float] = []
    second: tracemalloc.Snapshot | None = None
    with ScriptedServer() as scripted:
        async with a_week.a_week(options.place / "home", scripted, jobs_viewed=a_week.JOBS_PER_DAY) as week:
            print(" day  jobs   requests  memory MB  open files  tasks  objects  database MB", flush=True)
            for day in range(1, a_week.DAYS + 1):
                now = await week.run_day()
                memory.append(resident(os.getpid()))
                print(
                    f"{day:4}{now.jobs:6}{now.requests:11}{memory[-1]:11.1f}{now.open_files:12}{now.tasks:7}"
                    f"{sum(now.live_objects.values()):9}{now.database_bytes / 2**20:13.2f}",
                    flush=True,
                )
                if options.details and day == 2:
                    second = tracemalloc.take_snapshot()
            if second is not None:
                print("\nlines that hold more than on the second evening:")
                grown = tracemalloc.take_snapshot().compare_to(second, "lineno")
                print(*(f"  {line}" for line in grown[:20]), sep="\n")
            return memory, week.evenings
