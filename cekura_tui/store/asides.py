"""What a server answered to a launch while the database could not be written: in a file beside it, until it can."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cekura_tui.config.whole_file import whole_file


@dataclass(frozen=True, slots=True)
class Aside:
    """The server took job `number`, launched at `launched_at`, by this id; times are Unix time."""

    number: int
    launched_at: float
    progress_id: str
    raw: str
    at: float


class Asides:
    """The files beside one database. Nothing here raises: they are what is left when something else went wrong."""

    def __init__(self, database: Path) -> None:
        self._directory, self._prefix = database.parent, f"{database.name}-taken-"

    def _path(self, number: int) -> Path:
        return self._directory / f"{self._prefix}{number}.json"

    def keep(self, aside: Aside) -> bool:
        """Keep it, readable by this user alone; returns whether that went well."""
        try:
            with whole_file(self._path(aside.number)) as file:
                file.write(json.dumps(asdict(aside)).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            return False
        return True

    def drop(self, number: int) -> None:
        """It is in the database now."""
        with contextlib.suppress(OSError):
            self._path(number).unlink()

    def all(self) -> Iterator[Aside]:
        """All that are kept; files that hold something else are left alone."""
        for path in sorted(self._directory.glob(f"{self._prefix}*.json")):
            with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
                aside = Aside(**json.loads(path.read_bytes()))
                if path == self._path(aside.number):
                    yield aside
