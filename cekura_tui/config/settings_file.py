"""The content of config.toml after the check (`settings_check`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cekura_tui.config.settings import Name

UTF8 = "utf-8-sig"
"""Some editors begin a file with a byte order mark."""


class Problem(NamedTuple):
    """A wrong entry of config.toml: its first line and what was expected. If it `refuses`, no key is sent, because the
    entry may have meant a setting that decides which server a key goes to."""

    line: int | None
    text: str
    refuses: bool = False

    @property
    def sentence(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text

    def with_path(self, path: Path) -> str:
        """Formatted as compilers do."""
        return f"{path}:{self.line}: {self.text}" if self.line else f"{path}: {self.text}"


class SettingsFile(NamedTuple):
    """The content of config.toml: `values` above the tables, `profiles` by name."""

    path: Path
    values: Mapping[str, object]
    profiles: Mapping[str, Mapping[str, object]]
    lines: Mapping[Name, int]
    problems: tuple[Problem, ...] = ()

    def place(self, *name: str) -> str:
        line = line_of(self.lines, name)
        return f"{self.path}:{line}" if line else str(self.path)


def unreadable(path: Path, why: str, line: int | None = None) -> SettingsFile:
    return SettingsFile(path, {}, {}, {}, (Problem(line, why, refuses=True),))


def line_of(lines: Mapping[Name, int], name: Name) -> int | None:
    """The line of an entry, else of its table. Action ids have dots, quoted or not."""
    for end in range(len(name), 0, -1):
        for known in (name[:end], (*name[: end - 1], *name[end - 1].split("."))):
            if known in lines:
                return lines[known]
    return None
