"""config.toml: read with every wrong entry and its line; changed an entry at a time, comments and layout as they were.

Wrong entries are left out. For three settings that is not safe: without `api_url` or `profile` a key would go to
another server than the one that was meant, and without `read_only` jobs would be launched. Entries that may have meant
one of these are `doubts`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cekura_tui.config.atomic_file import atomic_file, locked, output_file
from cekura_tui.config.credentials import read_server
from cekura_tui.config.paths import make_private
from cekura_tui.config.settings import Settings, wrong_values
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line

Name = tuple[str, ...]
"""The name of an entry: of its tables, outermost first, then its own."""

TABLES = ("keys", "theme", "columns")
"""Settings that are tables."""
_UNSAFE = ("api_url", "read_only")
"""Settings that are not safe to leave out."""
_UNSAFE_AT_TOP = (*_UNSAFE, "profile")
_NO_LETTER = re.compile("[^a-z]")
_AS_SIMILAR = 0.75
_UTF8 = "utf-8-sig"
"""Some editors begin a file with a byte order mark."""


@dataclass(frozen=True, slots=True)
class Problem:
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


@dataclass(frozen=True, slots=True)
class SettingsFile:
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
    doubts: Mapping[tuple[str, str], Problem] = field(default_factory=dict)
    unreadable: Problem | None = None

    def doubt(self, setting: str, *profiles: str) -> Problem | None:
        """The problem that may have meant this setting, in one of these profiles."""
        found = (self.doubts.get((profile, setting)) for profile in profiles)
        return next((problem for problem in found if problem is not None), None)

    def place(self, *name: str) -> str:
        """Where an entry is, as a person reads it."""
        line = _line(self.lines, name)
        return f"{self.path}:{line}" if line else str(self.path)


def read_settings_file(path: Path) -> SettingsFile:
    """Read a file; what is wrong in it is no error but among its problems. One that is missing is empty."""
    try:
        return _checked(path, path.read_bytes().decode(_UTF8))
    except FileNotFoundError:
        return SettingsFile(path, {}, {}, {})
    except OSError as error:
        problem = Problem(None, f"can't be read: {error.strerror}")
    except tomllib.TOMLDecodeError as error:
        problem = _invalid(str(error))
    except UnicodeDecodeError:
        problem = Problem(None, "not valid TOML: it is not UTF-8 text")
    except RecursionError:
        problem = Problem(None, "not valid TOML: nested too deeply")
    except ValueError:
        problem = Problem(None, "not valid TOML: a number has too many digits")
    return SettingsFile(path, {}, {}, {}, (problem,), unreadable=problem)


def _invalid(error: str) -> Problem:
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", error, re.DOTALL)
    if found is None:
        return Problem(None, f"not valid TOML: {clean_line(error, 120)}")
    return Problem(int(found[2]), f"not valid TOML: {clean_line(found[1], 100)} (column {found[3]})")


def _checked(path: Path, text: str) -> SettingsFile:
    found = tomllib.loads(text)
    lines = line_numbers(text)
    check = _Check(lines)
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


class _Check:
    """The checks of all entries, and what they found."""

    def __init__(self, lines: Mapping[Name, int]) -> None:
        self._lines = lines
        self._found: list[Problem] = []
        self.doubts: dict[tuple[str, str], Problem] = {}

    def problems(self) -> tuple[Problem, ...]:
        return tuple(sorted(self._found, key=lambda problem: problem.line or 0))

    def report(self, name: Name, text: str, profile: str = "", meant: str = "") -> None:
        """An entry is wrong; `meant` is the setting that it may have meant, where leaving it out is not safe."""
        problem = Problem(_line(self._lines, name), clean_line(text, 250))
        self._found.append(problem)
        if meant:
            self.doubts.setdefault((profile, meant), problem)

    def entries(self, found: Mapping[str, Any], profile: str) -> dict[str, object]:
        """The right entries of a file, or of the table of a profile."""
        table: Name = ("profiles", profile) if profile else ()
        right: dict[str, object] = {}
        for name, value in found.items():
            if name not in Settings.model_fields or (profile and name == "profile"):
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
            meant = _meant(name, (*Settings.model_fields, *(() if profile else ("profiles",))))
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
    for number, line in enumerate(_lines(text), 1):
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
            for name in _names(parsed):
                found.setdefault((*table, *name), begin)
        statement = ""
    return found


def _lines(text: str) -> list[str]:
    """The lines as TOML has them, with their ends: other separators are part of a text."""
    return [f"{line}\n" for line in text.split("\n")]


def _innermost(header: Mapping[str, Any]) -> Name:
    (name, inner), *_ = header.items()
    return (name, *_innermost(inner)) if isinstance(inner, dict) and inner else (name,)


def _names(values: Mapping[str, Any]) -> Iterator[Name]:
    for name, value in values.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *inner) for inner in _names(value))


def _line(lines: Mapping[Name, int], name: Name) -> int | None:
    """Where an entry begins, else what it is in. The ids of actions have dots, quoted or not."""
    for end in range(len(name), 0, -1):
        for known in (name[:end], (*name[: end - 1], *name[end - 1].split("."))):
            if known in lines:
                return lines[known]
    return None


def setting_name(dotted: str) -> Name:
    """The name of an entry as it is written: `project_id`, `theme.name`, `keys."runs.improve"`,
    `profiles.work.api_url`. Raises UsageError.

    Of `keys`, `theme` and `columns` what comes after the first dot is one name, quoted or not.
    """
    try:
        (name,) = _names_of_key(dotted)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        raise UsageError(f"“{clean_line(dotted, 60)}” is not the name of a setting.", _NAMES_HINT) from None
    start = 2 if name[0] == "profiles" else 0
    if len(name) > start + 1 and name[start] in TABLES:
        return (*name[: start + 1], ".".join(name[start + 1 :]))
    return name


_NAMES_HINT = "`cekura-tui config show` lists the settings; write theme.name for an entry of a table."


def _names_of_key(dotted: str) -> list[Name]:
    if "=" in dotted or "\n" in dotted:
        raise ValueError
    return [name for name in _names(tomllib.loads(f"{dotted} = 0")) if len(name) == _depth(dotted)]


def _depth(dotted: str) -> int:
    return max(map(len, _names(tomllib.loads(f"{dotted} = 0"))))


def set_setting(path: Path, name: str, value: object) -> None:
    """Set one entry of config.toml by its dotted name (`setting_name`); a missing file is made, for this user alone.

    Comments and layout stay. A text is read as the number, or true or false, that its setting takes. Raises UsageError
    for what would be a wrong entry, and where the file can't be read or written; then nothing is written.
    """
    entry = setting_name(name)
    with _changing(path):
        _set(path, entry, value)


def _set(path: Path, entry: Name, value: object) -> None:
    import tomlkit

    document = _editable(path)
    table: Any = document
    for depth, part in enumerate(entry[:-1], 2):
        if part not in table:
            table[part] = tomlkit.table(is_super_table=depth < len(entry))
        table = table[part]
        if not isinstance(table, dict):
            raise UsageError(f"{'.'.join(entry)} can't be set: {part} is not a table.", _FIX)
    old = _dotted_entry(table, entry)
    if old is not None:
        table, last = old
    else:
        last = entry[-1]
    before = tomlkit.dumps(document)
    typed = _typed(entry, value)
    table[last] = typed
    text = _with_line(before, entry, typed) or tomlkit.dumps(document)
    _refuse_wrong(path, text, entry)
    _write(path, text)


def unset_setting(path: Path, name: str) -> bool:
    """Remove one entry of config.toml by its dotted name, or a table; returns whether it was there."""
    entry = setting_name(name)
    with _changing(path):
        return _unset(path, entry)


def _unset(path: Path, entry: Name) -> bool:
    import tomlkit

    document = _editable(path)
    table: Any = document
    for part in entry[:-1]:
        table = table.get(part)
        if not isinstance(table, dict):
            return False
    table, last = _dotted_entry(table, entry) or (table, entry[-1])
    if last not in table:
        return False
    del table[last]
    _write(path, tomlkit.dumps(document))
    return True


def create_settings_file(path: Path) -> None:
    """Make a file of comments alone, which list all settings, for this user alone; one that is there stays."""
    if path.exists():
        return
    with _changing(path):
        _write(path, _all_as_comments())


def _all_as_comments() -> str:
    lines = ["# Settings of cekura-tui. To change one, remove the # in front of it."]
    tables = []
    for name, setting in Settings.model_fields.items():
        if name in TABLES:
            tables += ["", f"# {setting.description}", f"#[{name}]", f"#{_EXAMPLES[name]}"]
        else:
            value = _EXAMPLES.get(name) or json.dumps(setting.default)
            lines += ["", f"# {setting.description}", f"#{name} = {value}"]
    tables += ["", "# Settings of a profile, in use with --profile work.", "#[profiles.work]", "#project_id = 4022"]
    return "\n".join([*lines, *tables, ""])


_EXAMPLES = {
    "project_id": "4021",
    "agent_id": "1201",
    "organization_id": "310",
    "api_key_command": '"pass show cekura"',
    "on_job_done": '"notify-send Cekura"',
    "keys": '"runs.improve" = "I"',
    "theme": 'name = "nord"',
    "columns": "scenario = 30",
}
"""What stands for a default that is none, or is empty."""


def _with_line(text: str, entry: Name, value: object) -> str:
    """The text with a new entry above the tables: in the place of the comment that lists it, else above the first
    table and its comment. Empty where the entry is in a table or there already, or there is no such place."""
    import tomlkit

    (name, *more), line = entry, f"{entry[0]} = {tomlkit.item(value).as_string()}"
    if more or name in tomllib.loads(text):
        return ""
    listed = re.compile(rf"^#[ \t]*{re.escape(name)}[ \t]*=.*$", re.MULTILINE)
    lines = _lines(text)
    headers = [number for number in line_numbers(text).values() if lines[number - 1].lstrip().startswith("[")]
    if listed.search(text):
        changed = listed.sub(lambda _: line, text, count=1)
    elif headers:
        at = min(headers) - 1
        while at and lines[at - 1].startswith("#"):
            at -= 1
        while at and not lines[at - 1].strip():
            at -= 1
        changed = "".join([*lines[:at], f"{line}\n", *([] if at else ["\n"]), *lines[at:]])[:-1]
    else:
        return ""
    return changed if tomllib.loads(changed).get(name) == value else ""


_FIX = "Correct the file with `cekura-tui config edit`."


def _editable(path: Path) -> Any:
    """The file as tomlkit has it; raises UsageError where it can't be read."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        text = path.read_bytes().decode(_UTF8)
        tomllib.loads(text)
        return tomlkit.parse(text)
    except FileNotFoundError:
        return tomlkit.document()
    except (OSError, ValueError, RecursionError, TOMLKitError):
        problem = read_settings_file(path).unreadable
        raise UsageError(f"{path} is not changed: {problem.sentence if problem else 'not valid TOML'}.", _FIX) from None


def _dotted_entry(table: Any, entry: Name) -> tuple[Any, str] | None:
    """Where an action's id is written without quotes: the table in the table, and the last part of the name."""
    if len(entry) < 2 or entry[-2] != "keys" or entry[-1] in table:
        return None
    *above, last = entry[-1].split(".")
    for part in above:
        table = table.get(part) if isinstance(table, dict) else None
    return (table, last) if above and isinstance(table, dict) and last in table else None


def _typed(entry: Name, value: object) -> object:
    """A text as what its setting takes, where it can be read as that."""
    setting = entry[2] if entry[0] == "profiles" and len(entry) > 2 else entry[0]
    if not isinstance(value, str):
        return value
    if setting in ("columns", "project_id", "agent_id", "organization_id") and re.fullmatch(r"[0-9]{1,19}", value):
        return int(value)
    if setting in ("title", "hints", "read_only") and value in ("true", "false"):
        return value == "true"
    return value


def _refuse_wrong(path: Path, text: str, entry: Name) -> None:
    """Raise UsageError where this entry would be wrong in the text; other wrong entries were there before."""
    after = _checked(path, text)
    line = _line(after.lines, entry)
    wrong = [problem for problem in after.problems if problem.line == line]
    if wrong:
        raise UsageError(f"{path} is not changed: {wrong[0].text}.")


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Alone among all that change files of this directory, if it is there."""
    try:
        with locked(path.parent) if path.parent.exists() else nullcontext():
            yield
    except OSError as error:
        raise UsageError(f"Can't write {path}: {error.strerror}.") from None


def _write(path: Path, text: str) -> None:
    """Write the whole file; a link stays one, and what is there keeps its mode."""
    try:
        make_private(path.parent)
        with output_file(path) if path.exists() else atomic_file(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise UsageError(f"Can't write {path}: {error.strerror}.") from None
