"""The options of a part of the bench, and the rows that the part measures."""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from pathlib import Path

HEAD = ("what", "unit", "n", "median", "95 %", "ratio", "budget", "")
_WIDTHS = (-66, -4, 4, 8, 8, -21, -29, -4)


@dataclass(frozen=True)
class Row:
    """A median and a 95th percentile, with limits for both and for the ratio of two medians.

    `beside` are values of the same unit, measured in turn with `values`; `to` names the program or case of `beside`.
    `at_least` is a minimum of the median, for figures where more is better.
    """

    what: str
    unit: str
    values: Sequence[float]
    beside: Sequence[float] = ()
    to: str = "hello-world"
    most: float | None = None
    most_95: float | None = None
    most_ratio: float | None = None
    at_least: float | None = None
    points: Mapping[int, float] | None = None
    """Values by size, to which the figure was fitted; None if it was not fitted."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def high(self) -> float:
        """95th percentile; of fewer than 20 values, the highest."""
        return sorted(self.values)[ceil(0.95 * len(self.values)) - 1]

    @property
    def ratio(self) -> float | None:
        """Median divided by the median of `beside`; None if `beside` is empty or its median is 0."""
        below = statistics.median(self.beside) if self.beside else 0.0
        return self.median / below if below else None

    @property
    def budget(self) -> str:
        """Limits in words, such as "≤ 60 ms, ≤ 1.3 ×"; "" if there are no limits."""
        limits = (
            ("at least {} " + self.unit, self.at_least),
            ("≤ {} " + self.unit, self.most),
            ("95 % ≤ {} " + self.unit, self.most_95),
            ("≤ {} ×", self.most_ratio),
        )
        return ", ".join(words.format(f"{limit:,g}").strip() for words, limit in limits if limit is not None)

    @property
    def verdict(self) -> str:
        """`ok`, `OVER`, or "" without a budget."""
        if not self.budget:
            return ""
        limits = ((self.median, self.most), (self.high, self.most_95), (self.ratio or 0.0, self.most_ratio))
        over = any(limit is not None and value > limit for value, limit in limits)
        return "OVER" if over or (self.at_least is not None and self.median < self.at_least) else "ok"

    def as_line(self) -> str:
        ratio = f"{self.ratio:.2f} × {self.to}" if self.ratio is not None else ""
        cells = (self.what, self.unit, f"{len(self.values)}", figure(self.median), figure(self.high), ratio)
        return line((*cells, self.budget, self.verdict))

    def as_json(self) -> dict[str, object]:
        beside = statistics.median(self.beside) if self.beside else None
        return {
            **{"what": self.what, "unit": self.unit, "n": len(self.values)},
            **{"least": min(self.values), "median": self.median, "high": self.high},
            **{"beside": beside, "to": self.to if self.beside else None, "ratio": self.ratio},
            **{"budget": self.budget or None, "verdict": self.verdict or None, "points": self.points},
        }


def figure(value: float) -> str:
    """Format a number with about three significant digits."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def line(cells: Iterable[str]) -> str:
    """A line of the table, in Markdown."""
    padded = (f"{cell:{'<' if width < 0 else '>'}{abs(width)}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    return f"| {' | '.join(padded)} |"


def rule() -> str:
    """The line below the table's head."""
    return f"|{'|'.join(('-' * (abs(width) + 1)) + ('-' if width < 0 else ':') for width in _WIDTHS)}|"


def machine() -> dict[str, object]:
    """Date, machine and versions of a measurement."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cpu": cpu[1] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "textual": version("textual"),
        "load": round(os.getloadavg()[0], 2),
    }


def write_json(path: Path, rows: Sequence[Row]) -> None:
    """Write the machine and all rows as one JSON object."""
    found = {"machine": machine(), "rows": [row.as_json() for row in rows]}
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Options:
    """`place` is a new directory, and `repeat` the number of repetitions of slow measurements. With `details`, a part
    prints more than its rows."""

    place: Path
    repeat: int = 7
    details: bool = False
    peers: Mapping[str, str] | None = None
    """Paths of other programs by name."""
    hours: float = 6.0
    """Duration of the part `six_hours`, on the program's fast clock."""


Part = Callable[[Options], Iterator[Row]]
"""A function that measures, and yields each row as soon as the row is complete."""
