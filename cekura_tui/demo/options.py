"""Options of the demo server. Imports no web server, because the command line lists the faults."""

from __future__ import annotations

from typing import NamedTuple

FAULTS = ("latency", "429", "500", "html-502", "reset", "withdrawn")
"""Names of faults (`faults`)."""


class DemoOptions(NamedTuple):
    """`runs` is the size of the first project; runs count back from `epoch` (Unix seconds, default: the first start);
    `speed` divides how long jobs take; `live` is the seconds between starts of runs, which then also end."""

    runs: int = 240
    epoch: float | None = None
    speed: float = 1.0
    faults: frozenset[str] = frozenset()
    live: float | None = None
