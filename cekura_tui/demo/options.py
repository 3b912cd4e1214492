"""How the embedded server is to be. Imports no web server: the command line lists the faults."""

from __future__ import annotations

from typing import NamedTuple

FAULTS = ("latency", "429", "500", "html-502", "reset", "withdrawn")
"""Ways to misbehave, by name (`faults`)."""


class DemoOptions(NamedTuple):
    """`runs` is the size of the first project; `epoch` (Unix seconds) is the time that runs count back from, by default
    that of the first start; `speed` divides how long jobs take; `live` starts a run every so many seconds, and lets
    runs end."""

    runs: int = 240
    epoch: float | None = None
    speed: float = 1.0
    faults: frozenset[str] = frozenset()
    live: float | None = None
