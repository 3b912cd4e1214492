"""Where settings come from, read and merged: a flag, then the environment, the profile's table in config.toml, what is
above the tables there, the file of the vendor's CLI, and the default. Each remembers where it came from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from cekura_tui.config.credentials import PROFILE
from cekura_tui.config.own_file import read_regular
from cekura_tui.config.settings import (
    ENVIRONMENT,
    FLAGS,
    SCOPE,
    SETTINGS,
    VENDOR,
    Settings,
    make_settings,
    wrong_values,
)
from cekura_tui.config.settings_file import UTF8, Problem, SettingsFile, unreadable
from cekura_tui.model.errors import UsageError

DEFAULT = "default"


class WrongSettings(UsageError):
    """config.toml leaves open which server a key is for, so it is sent to none."""

    title = "Wrong settings"

    def __init__(self, path: Path, problems: Collection[Problem]) -> None:
        listed = "\n".join(f"  {problem.sentence}" for problem in problems)
        super().__init__(f"{path} has to be corrected first:\n{listed}", "Run `cekura-tui config edit`.")

    def sentence(self) -> str:
        """With a line for each problem."""
        return f"{self.message}\n{self.hint}"


class Loaded(NamedTuple):
    """Settings, and for each where it came from: a flag, a variable, a file with its line, or "default".

    Of a setting that is a table, `came_from` has its entries too, such as "theme.name".
    """

    settings: Settings
    came_from: dict[str, str]
    file: SettingsFile

    @property
    def refusal(self) -> WrongSettings | None:
        """Why no key may be sent."""
        refused = any(problem.refuses for problem in self.problems)
        return WrongSettings(self.file.path, self.problems) if refused else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The wrong entries of the file."""
        return self.file.problems


def load_settings(
    flags: Mapping[str, object],
    env: Mapping[str, str],
    path: Path,
    *,
    vendor: Mapping[str, str] | None = None,
    vendor_path: Path | None = None,
    of_file: Collection[str] | None = None,
) -> Loaded:
    """Merge all places; wrong entries of the file are problems, a wrong flag or variable is a UsageError that names it.

    `vendor` is what the file of the vendor's CLI says, at `vendor_path`. `of_file` names what counts of config.toml,
    None for everything.
    """
    file = read_settings_file(path)
    from_flags = {name: value for name, value in flags.items() if value is not None}
    from_env = {name: env[variable] for name, variable in ENVIRONMENT.items() if env.get(variable)}
    profile = str((dict(file.values) | from_env | from_flags).get("profile", PROFILE))
    places = [
        SettingsSource(_right_of(vendor or {}), dict.fromkeys(VENDOR, str(vendor_path))),
        _place_of_file(file, (), file.values, of_file),
        _place_of_file(file, ("profiles", profile), file.profiles.get(profile, {}), of_file),
        SettingsSource(from_env, ENVIRONMENT),
        SettingsSource(from_flags, FLAGS),
    ]
    found: dict[str, object] = {}
    came_from = dict.fromkeys(SETTINGS, DEFAULT)
    for place in places:
        if any(name in place.values for name in SCOPE):
            for name in SCOPE:
                found.pop(name, None)
                came_from[name] = DEFAULT
        for name, value in place.values.items():
            below = found.get(name)
            found[name] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
            came_from |= {one: where for one, where in place.named.items() if one.partition(".")[0] == name}
    for wrong, text in wrong_values(found).items():
        raise UsageError(f"{wrong[0]} in {came_from[wrong[0]]} {text}.")
    return Loaded(make_settings(found), came_from, file)


def read_settings_file(path: Path) -> SettingsFile:
    """Read a file; what is wrong in it is no error but among its problems. One that is missing is empty."""
    try:
        text = read_regular(path).decode(UTF8)
    except FileNotFoundError:
        return SettingsFile(path, {}, {}, {})
    except OSError as error:
        return unreadable(path, f"can't be read: {error.strerror}")
    except UnicodeDecodeError:
        return unreadable(path, "not valid TOML: it is not UTF-8 text")
    from cekura_tui.config.settings_check import checked  # who has no file needs none of it

    return checked(path, text)


class SettingsSource(NamedTuple):
    """What one place says, and for each setting, and each entry of a table, how the place is called."""

    values: Mapping[str, object]
    named: Mapping[str, str]


def _place_of_file(
    file: SettingsFile, table: tuple[str, ...], values: Mapping[str, object], only: Collection[str] | None
) -> SettingsSource:
    chosen = {name: value for name, value in values.items() if only is None or name in only}
    named = {name: file.place(*table, name) for name in chosen}
    for name, value in chosen.items():
        if isinstance(value, dict):
            named |= {f"{name}.{entry}": file.place(*table, name, entry) for entry in value}
    return SettingsSource(chosen, named)


def _right_of(vendor: Mapping[str, str]) -> dict[str, object]:
    """The settings in the vendor's file; wrong ones count for nothing, as its own CLI has it."""
    found: dict[str, object] = {name: vendor[theirs] for name, theirs in VENDOR.items() if theirs in vendor}
    wrong = {name[0] for name in wrong_values(found)}
    return {name: value for name, value in found.items() if name not in wrong}
