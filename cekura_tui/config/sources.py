"""Merge settings from flags, environment, config.toml and the vendor CLI's file; record the origin of each setting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cekura_tui.config.credentials import PROFILE
from cekura_tui.config.own_file import read_regular
from cekura_tui.config.settings import (
    ENVIRONMENT,
    FLAGS,
    PERSONAL,
    SCOPE,
    SETTINGS,
    VENDOR,
    Name,
    Settings,
    make_settings,
    wrong_values,
)
from cekura_tui.config.settings_file import UTF8, Problem, SettingsFile, unreadable
from cekura_tui.model.errors import UsageError

DEFAULT = "default"
_Sourced = tuple[object, str]
"""A value and its origin."""


class WrongSettings(UsageError):
    """Errors in config.toml make it uncertain which server gets which key, so no key is sent."""

    title = "Wrong settings"

    def __init__(self, path: Path, problems: Collection[Problem]) -> None:
        listed = "\n".join(f"  {problem.sentence}" for problem in problems)
        super().__init__(f"{path} has to be corrected first:\n{listed}", "Run `cekura-tui config edit`.")

    def sentence(self) -> str:
        return f"{self.message}\n{self.hint}"


class LoadedSettings(NamedTuple):
    """Settings, and the origin of each: a flag, a variable, a file with its line, or "default". `origins` also has the
    entries of tables, such as "theme.name"; a table has the origin of its last entry."""

    settings: Settings
    origins: dict[str, str]
    file: SettingsFile

    @property
    def refusal(self) -> WrongSettings | None:
        """The error to raise instead of sending a key; None if keys may be sent."""
        refused = any(problem.blocks_key for problem in self.file.problems)
        return WrongSettings(self.file.path, self.file.problems) if refused else None


def load_settings(
    flags: Mapping[str, object],
    env: Mapping[str, str],
    path: Path,
    *,
    vendor: Mapping[str, str] | None = None,
    vendor_path: Path | None = None,
    demo: bool = False,
) -> LoadedSettings:
    """Merge all sources. Wrong entries of config.toml (`path`) become problems; a wrong flag or variable raises
    UsageError. `vendor` holds the entries of the vendor CLI's file at `vendor_path`. With `demo`, only the personal
    settings of config.toml apply, and the environment, `--api-url` and `--profile` are ignored."""
    file = read_settings_file(path)
    if demo:
        flags, env = {name: value for name, value in flags.items() if name not in ("api_url", "profile")}, {}
    from_flags = {name: value for name, value in flags.items() if value is not None}
    from_env = {name: env[variable] for name, variable in ENVIRONMENT.items() if env.get(variable)}
    profile = str((dict(file.values) | from_env | from_flags).get("profile", PROFILE))
    places: list[dict[Name, _Sourced]] = [
        _of_vendor(vendor or {}, str(vendor_path)),
        _of_file(file, (), file.values, demo),
        _of_file(file, ("profiles", profile), file.profiles.get(profile, {}), demo),
        {(name,): (value, ENVIRONMENT[name]) for name, value in from_env.items()},
        {(name,): (value, FLAGS[name]) for name, value in from_flags.items()},
    ]
    found: dict[Name, _Sourced] = {}
    for place in places:
        if any((name,) in place for name in SCOPE):
            for name in SCOPE:
                found.pop((name,), None)
        found |= place
    values: dict[str, Any] = {}
    origins = dict.fromkeys(SETTINGS, DEFAULT)
    origins |= {f"{name}.{entry}": DEFAULT for name in SETTINGS for entry in SETTINGS[name].kind.named}
    for (setting, *entry), (value, where) in found.items():
        origins[".".join((setting, *entry))] = origins[setting] = where
        if entry:
            values.setdefault(setting, {})[entry[0]] = value
        else:
            values[setting] = value
    for wrong, text in wrong_values(values).items():
        raise UsageError(f"{wrong[0]} in {origins[wrong[0]]} {text}.")
    return LoadedSettings(make_settings(values), origins, file)


def _of_file(file: SettingsFile, table: Name, values: Mapping[str, object], demo: bool) -> dict[Name, _Sourced]:
    found: dict[Name, object] = {}
    for name, value in values.items():
        if demo and name not in PERSONAL:
            continue
        if isinstance(value, dict):
            found |= {(name, entry): one for entry, one in value.items()}
        else:
            found[name,] = value
    return {name: (value, file.place(*table, *name)) for name, value in found.items()}


def _of_vendor(vendor: Mapping[str, str], where: str) -> dict[Name, _Sourced]:
    """Settings in the vendor CLI's file. Invalid settings are ignored, as by the vendor CLI."""
    there = {name: vendor[theirs] for name, theirs in VENDOR.items() if theirs in vendor}
    return {(name,): (value, where) for name, value in there.items() if SETTINGS[name].kind.takes(value)}


def read_settings_file(path: Path) -> SettingsFile:
    """Read and validate config.toml: empty for a missing file, only a problem for an unreadable file."""
    try:
        text = read_regular(path).decode(UTF8)
    except FileNotFoundError:
        return SettingsFile(path, {}, {}, {})
    except OSError as error:
        return unreadable(path, f"can't be read: {error.strerror}")
    except UnicodeDecodeError:
        return unreadable(path, "not valid TOML: it is not UTF-8 text")
    from cekura_tui.config.settings_check import checked  # slow to import, and not needed without a file

    return checked(path, text)
