"""What config.toml says: its right entries, and every wrong one with its line (`settings_check`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

Name = tuple[str, ...]
"""The name of an entry: of its tables, outermost first, then its own."""

UTF8 = "utf-8-sig"
"""Some editors begin a file with a byte order mark."""


class Problem(NamedTuple):
    """A wrong entry of config.toml: the line where it begins, and what was expected."""

    line: int | None
    text: str

    @property
    def sentence(self) -> str:
        """Both, as a person reads them."""
        return f"line {self.line}: {self.text}" if self.line else self.text

    def with_path(self, path: Path) -> str:
        """The same with its file, as compilers write it."""
        return f"{path}:{self.line}: {self.text}" if self.line else f"{path}: {self.text}"


class SettingsFile(NamedTuple):
    """What config.toml says.

    `values` are the right entries above the tables, `profiles` those of each [profiles.NAME]. `doubts` are problems by
    profile ("" above the tables) and by the setting that may have been meant. A file that can't be read has nothing
    but the problem `unreadable`.
    """

    path: Path
    values: Mapping[str, object]
    profiles: Mapping[str, Mapping[str, object]]
    lines: Mapping[Name, int]
    problems: tuple[Problem, ...] = ()
    doubts: Mapping[tuple[str, str], Problem] = MappingProxyType({})
    unreadable: Problem | None = None

    def doubt(self, setting: str, *profiles: str) -> Problem | None:
        """The problem that may have meant this setting, in one of these profiles."""
        found = (self.doubts.get((profile, setting)) for profile in profiles)
        return next((problem for problem in found if problem is not None), None)

    def place(self, *name: str) -> str:
        """Where an entry is, as a person reads it."""
        line = line_of(self.lines, name)
        return f"{self.path}:{line}" if line else str(self.path)


def unreadable(path: Path, problem: Problem) -> SettingsFile:
    """A file of which nothing can be read."""
    return SettingsFile(path, {}, {}, {}, (problem,), unreadable=problem)


def line_of(lines: Mapping[Name, int], name: Name) -> int | None:
    """Where an entry begins, else what it is in. The ids of actions have dots, quoted or not."""
    for end in range(len(name), 0, -1):
        for known in (name[:end], (*name[: end - 1], *name[end - 1].split("."))):
            if known in lines:
                return lines[known]
    return None
