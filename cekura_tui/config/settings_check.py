"""Validate config.toml: collect the valid entries, and report every unknown or invalid entry with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from cekura_tui.config.credentials import read_server
from cekura_tui.config.settings import SETTINGS, Name, wrong_profile_name, wrong_values
from cekura_tui.config.settings_file import Problem, SettingsFile, line_of, unreadable
from cekura_tui.model.errors import UsageError
from cekura_tui.model.secrets import shown
from cekura_tui.model.text import clean_line, most_similar

TABLES = ("keys", "theme", "columns", "improve")
_KEY_DECIDING = frozenset({"api_url", "profile", "profiles", "api_key_command"})
"""Settings that decide which key is used and which server receives it."""
_KEY_NAMES = ("api_key", "key")
"""Names that suggest an API key, which does not belong in config.toml."""


def checked(path: Path, text: str) -> SettingsFile:
    """Validate the text of config.toml. If the text is not TOML, the result has no entries and a single problem."""
    try:
        return check_text(path, text)
    except tomllib.TOMLDecodeError as error:
        # The error's own text may quote the file.
        if (found := re.search(r"\(at line (\d+), column (\d+)\)$", str(error))) is None:
            return unreadable(path, "not valid TOML at the end of the file")
        return unreadable(path, f"not valid TOML at column {found[2]}", int(found[1]))
    except RecursionError:
        return unreadable(path, "not valid TOML: nested too deeply")
    except ValueError:
        return unreadable(path, "not valid TOML: a number has too many digits")


def check_text(path: Path, text: str) -> SettingsFile:
    """Validate the text of config.toml. Raises ValueError or RecursionError if the text is not valid TOML."""
    found = tomllib.loads(text)
    check = _Checker(line_numbers(text))
    profiles = found.pop("profiles", {})
    values = check.entries((), found)
    of_profile: dict[str, Mapping[str, object]] = {}
    if not isinstance(profiles, dict):
        check.report(("profiles",), "profiles must hold tables such as [profiles.work]")
        profiles = {}
    for name, entries in profiles.items():
        if name and isinstance(entries, dict):
            of_profile[name] = check.entries(("profiles", name), entries)
            if wrong := wrong_profile_name(name):  # older versions accepted any name
                check.problems.append(Problem(line_of(check.lines, ("profiles", name)), wrong))
        else:
            check.report(("profiles", name), "a profile is a table with a name, such as [profiles.work]")
    problems = tuple(sorted(check.problems, key=lambda problem: problem.line or 0))
    return SettingsFile(path, values, of_profile, check.lines, problems)


class _Checker:
    def __init__(self, lines: Mapping[Name, int]) -> None:
        self.lines = lines
        self.problems: list[Problem] = []

    def report(self, name: Name, text: str, value: object = None) -> None:
        """Record a wrong entry. No API key is sent if the entry is a profile, or if a name in the entry's path or value
        resembles one of `_KEY_DECIDING`."""
        own = name[2:] if name[0] == "profiles" else name
        blocks_key = not own or any(nearest(one) in _KEY_DECIDING for one in (*own, *_names_in(value)))
        self.problems.append(Problem(line_of(self.lines, name), clean_line(text, 250), blocks_key))

    def entries(self, table: Name, found: Mapping[str, Any]) -> dict[str, object]:
        right: dict[str, Any] = {}
        for name, value in found.items():
            if name not in SETTINGS or (table and name == "profile"):
                self._unknown((*table, name), value, nearest(name))
            else:
                right[name] = dict(_flat(value) if name == "keys" else value) if isinstance(value, dict) else value
                named = SETTINGS[name].kind.named if isinstance(value, dict) else {}
                for entry in [one for one in value if one not in (*named, *SETTINGS)] if named else ():
                    self._unknown((*table, name, entry), right[name].pop(entry), nearest(entry, (*named, *_KEY_NAMES)))
        wrong = wrong_values(right) | self._misplaced(table, right)
        if isinstance(url := right.get("api_url"), str):
            try:
                read_server(url, "")
            except UsageError as error:
                wrong["api_url",] = error.sentence().strip(" .")
        for entry, text in wrong.items():
            above = right if len(entry) == 1 else right[entry[0]]
            self.report((*table, *entry), f"{_dotted((*table, *entry))} {text}", above.pop(entry[-1]))
        return right

    def _unknown(self, name: Name, value: object, near: str) -> None:
        hint = f"use {near}" if near else "`cekura-tui config show` lists the settings"
        text = f"unknown setting “{_dotted(name)}”; {hint}"
        if name[-1] == "profile":
            text = f"{_dotted(name)} belongs above the first table"
        elif near in _KEY_NAMES:
            text = f"{_dotted(name)} is no setting: delete the line and save the key with `cekura-tui auth login`"
        self.report(name, text, value)

    def _misplaced(self, table: Name, right: Mapping[str, Any]) -> dict[Name, str]:
        """Error texts, by path, of settings that are inside a table such as `keys` but belong outside."""
        place = f"directly in [{'.'.join(table)}]" if table else "above the first table"
        tables = [(name, right[name]) for name in TABLES if isinstance(right.get(name), dict)]
        return {(name, entry): f"belongs {place}" for name, value in tables for entry in value if entry in SETTINGS}


def _dotted(name: Name) -> str:
    return ".".join(map(shown, name))


def nearest(name: str, known: Collection[str] = (*SETTINGS, "profiles", *_KEY_NAMES)) -> str:
    """The known name that is most similar to `name`; empty if no name is similar."""
    plain = name.lower().replace("-", "_")
    return plain if plain in known else most_similar(plain, known, 0.75)


def _names_in(value: object) -> Iterator[str]:
    for name, one in value.items() if isinstance(value, dict) else ():
        yield name
        yield from _names_in(one)
    for one in value if isinstance(value, list) else ():
        yield from _names_in(one)


def _flat(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Entries of a table and its tables by dotted name, as TOML nests tables for an unquoted `runs.improve = "i"`."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def line_numbers(text: str) -> dict[Name, int]:
    """First line (from 1) of each entry and table; each statement takes the fewest lines that parse as TOML."""
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
        is_header = statement.lstrip().startswith("[")
        names = [(*(() if is_header else table), *name) for name in entry_names(parsed)]
        for name in names:
            found.setdefault(name, begin)
        table = names[-1] if is_header else table
        statement = ""
    return found


def lines_with_ends(text: str) -> list[str]:
    """Split a text at line feeds only, as TOML does; every line, even the last, is returned with a line feed."""
    return [f"{line}\n" for line in text.split("\n")]


def entry_names(values: Mapping[str, Any]) -> Iterator[Name]:
    """Paths of all entries and tables, each table before its entries."""
    for name, value in values.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *inner) for inner in entry_names(value))
