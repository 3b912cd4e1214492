"""Content of a validated config.toml (see `settings_check`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cekura_tui.config.settings import Name

UTF8 = "utf-8-sig"
"""Encoding of config.toml; skips the byte order mark that some editors write."""


class Problem(NamedTuple):
    """An invalid entry of config.toml, with its first line; the line is None if unknown. If `blocks_key`, no key is
    sent: the entry may be a misspelt setting that decides which server receives the key."""

    line: int | None
    text: str
    blocks_key: bool = False

    @property
    def sentence(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text

    def with_path(self, path: Path) -> str:
        """The problem as `path:line: text`, like a compiler's error."""
        return f"{path}:{self.line}: {self.text}" if self.line else f"{path}: {self.text}"


class SettingsFile(NamedTuple):
    """The valid entries of config.toml, the line numbers of all entries, and the problems in the file. `values` holds
    the valid entries outside profiles."""

    path: Path
    values: Mapping[str, object]
    profiles: Mapping[str, Mapping[str, object]]
    lines: Mapping[Name, int]
    problems: tuple[Problem, ...] = ()

    def place(self, *name: str) -> str:
        line = line_of(self.lines, name)
        return f"{self.path}:{line}" if line else str(self.path)


def unreadable(path: Path, why: str, line: int | None = None) -> SettingsFile:
    return SettingsFile(path, {}, {}, {}, (Problem(line, why, blocks_key=True),))


def line_of(lines: Mapping[Name, int], name: Name) -> int | None:
    """The line of an entry, else of the innermost enclosing table with a known line, else None. Action ids contain
    dots. An id is found whether it is written quoted (one name) or unquoted (nested tables)."""
    for end in range(len(name), 0, -1):
        for known in (name[:end], (*name[: end - 1], *name[end - 1].split("."))):
            if known in lines:
                return lines[known]
    return None
