"""The text of config.toml, checked: its right entries, and every wrong one with its line.

Wrong entries are left out. For three settings that is not safe: without `api_url` or `profile` a key would go to
another server than the one that was meant, and without `read_only` jobs would be launched. Entries that may have meant
one of these are `doubts`.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cekura_tui.config.credentials import read_server
from cekura_tui.config.settings import SETTINGS, wrong_values
from cekura_tui.config.settings_file import Name, Problem, SettingsFile, line_of, unreadable
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line

TABLES = ("keys", "theme", "columns")
"""Settings that are tables."""
_UNSAFE = ("api_url", "read_only")
"""Settings that are not safe to leave out."""
_UNSAFE_AT_TOP = (*_UNSAFE, "profile")
_NO_LETTER = re.compile("[^a-z]")
_AS_SIMILAR = 0.75


def checked(path: Path, text: str) -> SettingsFile:
    """What the text of a file says; one that is no TOML is a problem, too."""
    try:
        return check_text(path, text)
    except tomllib.TOMLDecodeError as error:
        problem = _invalid(str(error))
    except RecursionError:
        problem = Problem(None, "not valid TOML: nested too deeply")
    except ValueError:
        problem = Problem(None, "not valid TOML: a number has too many digits")
    return unreadable(path, problem)


def _invalid(error: str) -> Problem:
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", error, re.DOTALL)
    if found is None:
        return Problem(None, f"not valid TOML: {clean_line(error, 120)}")
    return Problem(int(found[2]), f"not valid TOML: {clean_line(found[1], 100)} (column {found[3]})")


def check_text(path: Path, text: str) -> SettingsFile:
    """What the text of a file says, and what is wrong in it; raises TOMLDecodeError and what else `tomllib` does."""
    found = tomllib.loads(text)
    lines = line_numbers(text)
    check = _Checker(lines)
    profiles = found.pop("profiles", {})
    values = check.entries(found, "")
    of_profile: dict[str, Mapping[str, object]] = {}
    if not isinstance(profiles, dict):
        check.report(("profiles",), "profiles must hold tables such as [profiles.work]")
        check.misplaced(("profiles",), profiles)
        profiles = {}
    for name, entries in profiles.items():
        if not name:
            check.report(("profiles", name), "a profile needs a name, such as [profiles.work]")
        elif isinstance(entries, dict):
            of_profile[name] = check.entries(entries, name)
        else:
            meant = _meant(name, _UNSAFE_AT_TOP)
            belongs = f"{meant} belongs above the first table" if meant else "a profile is a table"
            check.report(("profiles", name), f"{belongs}, such as [profiles.work]", "", meant)
    return SettingsFile(path, values, of_profile, lines, check.problems(), check.doubts)


class _Checker:
    """The checks of all entries, and what they found."""

    def __init__(self, lines: Mapping[Name, int]) -> None:
        self._lines = lines
        self._found: list[Problem] = []
        self.doubts: dict[tuple[str, str], Problem] = {}

    def problems(self) -> tuple[Problem, ...]:
        return tuple(sorted(self._found, key=lambda problem: problem.line or 0))

    def report(self, name: Name, text: str, profile: str = "", meant: str = "") -> None:
        """An entry is wrong; `meant` is the setting that it may have meant, where leaving it out is not safe."""
        problem = Problem(line_of(self._lines, name), clean_line(text, 250))
        self._found.append(problem)
        if meant:
            self.doubts.setdefault((profile, meant), problem)

    def entries(self, found: Mapping[str, Any], profile: str) -> dict[str, object]:
        """The right entries of a file, or of the table of a profile."""
        table: Name = ("profiles", profile) if profile else ()
        right: dict[str, object] = {}
        for name, value in found.items():
            if name not in SETTINGS or (profile and name == "profile"):
                self._unknown(table, name, profile)
            else:
                right[name] = dict(_flat(value) if name == "keys" else value) if isinstance(value, dict) else value
            self.misplaced((*table, name), value, profile, right.get(name))
        for wrong, text in wrong_values(right).items():
            shown = ".".join((*table, *wrong))
            self.report((*table, *wrong), f"{shown} {text}", profile, wrong[0] if wrong[0] in _UNSAFE_AT_TOP else "")
            inner = right.get(wrong[0])
            if len(wrong) == 2 and isinstance(inner, dict):
                inner.pop(wrong[1], None)
            else:
                right.pop(wrong[0], None)
        if isinstance(url := right.get("api_url"), str):
            try:
                read_server(url, ".".join((*table, "api_url")))
            except UsageError as error:
                self.report((*table, "api_url"), error.sentence().rstrip("."), profile, "api_url")
                del right["api_url"]
        return right

    def _unknown(self, table: Name, name: str, profile: str) -> None:
        shown = clean_line(".".join((*table, name)), 60)
        if name == "profile":
            text = f"{shown} belongs above the first table"
        elif _letters(name) in ("apikey", "key"):
            text = f"{shown} is no setting: delete the line and save the key with `cekura-tui auth login`"
        else:
            meant = _meant(name, (*SETTINGS, *(() if profile else ("profiles",))))
            hint = f"use {meant}" if meant else "`cekura-tui config show` lists the settings"
            text = f"unknown setting “{shown}”; {hint}"
        self.report((*table, name), text, profile, _meant(name, _UNSAFE if profile else _UNSAFE_AT_TOP))

    def misplaced(self, table: Name, found: object, profile: str = "", right: object = None) -> None:
        """Entries below the header of a table, or of one of several, that were meant for above it.

        Names there may be similar, as that of the action `read-on` is, but nothing there is true or false.
        """
        if isinstance(found, list):
            for one in found:
                self.misplaced(table, one, profile)
        for name, value in found.items() if isinstance(found, dict) else ():
            exact = next((unsafe for unsafe in _UNSAFE if _letters(unsafe) in _letters(name)), "")
            if meant := _meant(name, ("read_only",)) if isinstance(value, bool) else exact:
                place = f"directly in [profiles.{profile}]" if profile else "above the first table"
                self.report((*table, name), f"{meant} belongs {place}, not in [{'.'.join(table)}]", profile, meant)
                if isinstance(right, dict):
                    right.pop(name, None)
            else:
                self.misplaced((*table, name), value, profile)


def _meant(entry: str, names: Sequence[str]) -> str:
    """The name that an entry may have meant, or none: its letters are nearly the same."""
    letters = _letters(entry)
    for name in names:
        wanted = _letters(name)
        if wanted in letters or _is_similar(letters, wanted):
            return name
    return ""


def _letters(name: str) -> str:
    return _NO_LETTER.sub("", name.lower())


def _is_similar(one: str, other: str) -> bool:
    common = (Counter(one) & Counter(other)).total()
    if 2 * common < _AS_SIMILAR * (len(one) + len(other)):
        return False  # in whatever order; this saves the import in most starts
    from difflib import SequenceMatcher

    return SequenceMatcher(None, one, other).ratio() >= _AS_SIMILAR


def _flat(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """The entries of a table by their dotted names: `runs.improve = "i"` without quotes is a table in a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def line_numbers(text: str) -> dict[Name, int]:
    """The line, from 1, in which each entry and table of a valid TOML text begins.

    Statements end where lines end, so one that goes over several lines ends with the first line up to which it is
    valid on its own.
    """
    found: dict[Name, int] = {}
    table: Name = ()
    begin, statement = 0, ""
    for number, line in enumerate(lines_with_ends(text), 1):
        if not statement and (not line.strip() or line.lstrip().startswith("#")):
            continue
        begin = begin if statement else number
        statement += line
        if begin != number and not any(end in line for end in ("]", "}", '"""', "'''")):
            continue
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if statement.lstrip().startswith("["):
            table = _innermost(parsed)
            for end in range(1, len(table) + 1):
                found.setdefault(table[:end], begin)
        else:
            for name in entry_names(parsed):
                found.setdefault((*table, *name), begin)
        statement = ""
    return found


def lines_with_ends(text: str) -> list[str]:
    """The lines as TOML has them, with their ends: other separators are part of a text."""
    return [f"{line}\n" for line in text.split("\n")]


def _innermost(header: Mapping[str, Any]) -> Name:
    (name, inner), *_ = header.items()
    return (name, *_innermost(inner)) if isinstance(inner, dict) and inner else (name,)


def entry_names(values: Mapping[str, Any]) -> Iterator[Name]:
    """The names of all entries and tables, each table before what is in it."""
    for name, value in values.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *inner) for inner in entry_names(value))
