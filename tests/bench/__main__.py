"""Measure the program's costs. Without options, `python -m tests.bench` measures every part in `PARTS`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.row import HEAD, Options, Part, Row, line, machine, rule, write_json

PARTS = {
    "first_frame": "first_frame:rows",
    "screens": "screens:rows",
    "runs": "hundred_thousand:rows",
    "transcript": "long_transcript:rows",
    "rest": "at_rest:rows",
    "jobs": "many_jobs:rows",
    "memory": "memory:rows",
    "prose": "prose_diff:rows",
}
"""Parts measured by default, which check the budgets of time, bytes, memory and CPU."""
MORE_PARTS = {
    "paging": "hundred_thousand:paging",
    "transcript_keys": "long_transcript:every_key",
    "300_jobs": "many_jobs:three_hundred",
    "week": "seven_days:rows",
    "six_hours": "six_hours:rows",
    "evidence": "evidence:rows",
    "recordings": "recordings:rows",
    "marks": "prose_diff:marks",
    "decisions": "prose_diff:decisions",
    "merge": "prompt_merge:rows",
    "groups": "whole_groups:rows",
    "large": "large_texts:rows",
    "peers": "peers:rows",
    "growth": "growth:rows",
    "slow_lines": "slow_lines:rows",
}
"""Parts that are measured only if an option names them."""


def main() -> int:
    """Run the command; the exit status is 1 if a budget is exceeded or a part could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parts = {**PARTS, **MORE_PARTS}
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows to FILE")
    parser.add_argument("--only", nargs="+", choices=parts, metavar="PART", help=", ".join(parts))
    parser.add_argument("--peers", action="store_true", help="add comparable programs, if they are found")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PATH", help="path of a peer")
    parser.add_argument("--growth", action="store_true", help="add the growth of figures with runs, turns and jobs")
    parser.add_argument("--slow-lines", action="store_true", help="add a line of 1 Mbit/s and 150 ms")
    parser.add_argument("--repeat", type=int, default=7, metavar="N", help="repetitions of slow measurements (7)")
    parser.add_argument("--details", action="store_true", help="print details of some parts")
    parser.add_argument("--hours", type=float, default=6.0, metavar="H", help="duration of six_hours (6)")
    given = parser.parse_args()
    if given.repeat < 5:
        parser.error("--repeat must be at least 5 for a 95th percentile")
    names = [*(given.only or PARTS), *(name for name in ("peers", "growth", "slow_lines") if getattr(given, name))]
    peers = dict(words.split("=", 1) for words in given.peer)
    # SIGTERM, too, must end the servers and programs that the bench has started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    rows, failed, seconds = list[Row](), list[str](), dict[str, float]()
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"\n{line(HEAD)}\n{rule()}", flush=True)
    with TemporaryDirectory(prefix="bench-") as place:
        for name in dict.fromkeys(names):
            module, _, function = parts[name].partition(":")
            measure: Part = getattr(import_module(f"tests.bench.{module}"), function)
            part_began = time.monotonic()
            try:
                for row in measure(Options(Path(place, name), given.repeat, given.details, peers, given.hours)):
                    rows.append(row)
                    print(row.as_line(), flush=True)
            except AssertionError as error:
                failed.append(name)
                print(f"{name}: not completed: {error}", flush=True)
            seconds[name] = time.monotonic() - part_began
    over = sum(row.verdict == "OVER" for row in rows)
    judged = sum(bool(row.verdict) for row in rows)
    print(f"\n{judged - over} of {judged} budgets met, {over} OVER; load {os.getloadavg()[0]:.1f} at the end")
    print(f"{sum(seconds.values()):.0f} s: {', '.join(f'{name} {took:.0f}' for name, took in seconds.items())}")
    if given.json:
        write_json(given.json, rows)
    return 1 if over or failed else 0


if __name__ == "__main__":
    sys.exit(main())
