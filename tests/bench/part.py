"""What a part of the bench is given: how often to measure, and a directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.row import Row


@dataclass(frozen=True)
class Options:
    """`repeat` is how often what takes long is measured; `details` asks a part to print what its figures hide."""

    place: Path
    repeat: int = 7
    details: bool = False
    peers: dict[str, str] | None = None
    """Paths of programs by the name of the peer."""


Part = Callable[[Options], Iterator[Row]]
"""Measures, and gives each row as soon as it has its figures."""
