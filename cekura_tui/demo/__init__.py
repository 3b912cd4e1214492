"""The demo server: a generated workspace behind the API's own HTTP operations. This file has its options."""

from __future__ import annotations

from typing import NamedTuple

FAULTS = ("latency", "429", "500", "html-502", "reset", "withdrawn")
"""Names of the faults that the module `faults` can inject."""


class DemoOptions(NamedTuple):
    """`runs` is the number of runs in the first project, dated back from `epoch` (Unix seconds; None: the first start).
    `speed` divides jobs' durations, `faults` are from `FAULTS`, `live` is seconds between new runs."""

    runs: int = 240
    epoch: float | None = None
    speed: float = 1.0
    faults: frozenset[str] = frozenset()
    live: float | None = None
