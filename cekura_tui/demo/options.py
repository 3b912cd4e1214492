"""Options of the demo server, in a module that imports no web server: the command line needs them for --help."""

from __future__ import annotations

from typing import NamedTuple

FAULTS = ("latency", "429", "500", "html-502", "reset", "withdrawn")
"""Names of the faults that `faults` can inject."""


class DemoOptions(NamedTuple):
    """Options of the demo server.

    `runs` is the size of the first project, dated back from `epoch` (Unix seconds; default: the first start). `speed`
    divides the duration of jobs. `live` is the seconds between two new runs; without it, no runs start.
    """

    runs: int = 240
    epoch: float | None = None
    speed: float = 1.0
    faults: frozenset[str] = frozenset()
    live: float | None = None
