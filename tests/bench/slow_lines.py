"""Response times over a line of 1 Mbit/s with a round trip of 150 ms, which `slow_line.py` simulates."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from terminal import PROGRAM

from tests.bench.row import Options, Row
from tests.bench.servers import cache_list, demo_server, newest
from tests.bench.timed_terminal import HELLO, HELLO_TEXT, TimedTerminal

ROUND_TRIP, BITS = 150, 1_000_000
GAP = 0.3
"""Seconds of silence that end an answer."""
RUNS = 1_000
STEPS = (
    ("runs → run", "enter", "│ Details"),
    ("run → runs", "esc", "1,000 runs"),
    ("runs → jobs", "2", "Jobs"),
    ("jobs → runs", "1", "1,000 runs"),
    ("help", "?", "esc close"),
    ("help closed", "esc", "1,000 runs"),
)


SLOWED = (sys.executable, str(Path(__file__).with_name("slow_line.py")), str(ROUND_TRIP), str(BITS))
"""Command prefix that puts a program behind the slow line."""


def rows(options: Options) -> Iterator[Row]:
    """Measure starts, compared with the bare app, then screens and keys."""
    took: dict[str, list[float]] = defaultdict(list)
    with demo_server(options.place, RUNS) as account:
        cache_list(account, RUNS)
        for n in range(6):
            with TimedTerminal(env=account.env, command=[*SLOWED, *HELLO]) as bare:
                bare_took = bare.first_shown(HELLO_TEXT)
            with TimedTerminal(env=account.env, command=[*SLOWED, *PROGRAM]) as terminal:
                shown = terminal.first_shown(newest(RUNS), "passed")
                terminal.wait("live").settle()
                still = (terminal.pieces[-1][0] - terminal.began) * 1000
                if n:
                    took["bare app"].append(bare_took)
                    took["first frame"].append(shown)
                    took["first frame and all that follows"].append(still)
                for name, key, shows in STEPS if n else ():
                    took[name].append(terminal.answer(key, GAP).took)
                    terminal.wait(shows).settle()
                if n:
                    began = terminal.hold("j", 20)
                    terminal.pump_all(GAP)
                    took["20 × j, from the first key"].append((terminal.pieces[-1][0] - began) * 1000)
                terminal.quit()
    for name, values in took.items():
        beside = took["bare app"] if name.startswith("first") else ()
        yield Row(f"slow line: {name}", "ms", values, beside)
