"""A week of the program in some minutes: 7 days of 20 jobs a day, in simulated time, and what it holds each evening.

    .venv/bin/python tests/bench/seven_days.py [--trace]

The app runs without a terminal, on a real database and a real server on this machine; engine, lease and clock are as
they always are, but no second is waited for. Each evening somebody looks at the twenty jobs of the day. Prints memory,
open files, live objects and the size of the database by day, and how much each grew from the second evening to the
last. The exit status is 1 where memory or open files grew by more than 5 %. `--trace` also tells which lines of code
hold more than on the second evening; memory is then not what it would be.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import drift, resident_bytes

import a_week  # isort: skip - found by what measuring did
from scripted_server import ScriptedServer  # isort: skip

LIMIT = 5.0
MB = 2**20


async def live(home: Path, trace: bool) -> bool:
    """Live through the week; returns whether memory and open files stayed within the limit."""
    memory: list[int] = []
    second: tracemalloc.Snapshot | None = None
    with ScriptedServer() as scripted:
        async with a_week.a_week(home, scripted, looks=a_week.A_DAY) as week:
            print(" day  jobs  questions  memory MB  open files  tasks  objects  database MB", flush=True)
            for day in range(1, a_week.DAYS + 1):
                now = await week.live()
                memory.append(resident_bytes())
                print(
                    f"{day:4}{now.jobs:6}{now.asked:11}{memory[-1] / MB:11.1f}{now.open_files:12}{now.tasks:7}"
                    f"{sum(now.things.values()):9}{now.database_bytes / MB:13.2f}",
                    flush=True,
                )
                if trace and day == 2:
                    second = tracemalloc.take_snapshot()
            if second is not None:
                print_growth(second, tracemalloc.take_snapshot())
            before, after = week.evenings[1], week.evenings[-1]
    grown = {
        "memory": drift(memory[1], memory[-1]),
        "open files": drift(before.open_files, after.open_files),
    }
    print("\nfrom the second evening to the last:")
    for name, percent in grown.items():
        print(f"  {name:12}{percent:+6.1f} %  {'within' if percent <= LIMIT else 'OVER'} {LIMIT:.0f} %")
    a_job = (after.database_bytes - before.database_bytes) / (after.jobs - before.jobs)
    print(f"  {'database':12}{a_job:+6.0f} bytes a job")
    for name, count in after.things.items():
        if count > before.things[name] + 2:
            print(f"  {name}: {before.things[name]} → {count}")
    return max(grown.values()) <= LIMIT


def print_growth(before: tracemalloc.Snapshot, after: tracemalloc.Snapshot) -> None:
    """The lines that hold more than before."""
    print("\nwhat holds more than on the second evening:")
    for line in after.compare_to(before, "lineno")[:20]:
        print(f"  {line}")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trace", action="store_true", help="tell which lines of code hold more")
    options = parser.parse_args()
    if options.trace:
        tracemalloc.start()
    gc.collect()
    with TemporaryDirectory() as place:
        return 0 if asyncio.run(live(Path(place) / "home", options.trace)) else 1


if __name__ == "__main__":
    sys.exit(main())
