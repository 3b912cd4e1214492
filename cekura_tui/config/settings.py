"""All settings: their names, values and defaults, and where they can be set.

`sources` reads config.toml and merges all places, `settings_check` checks that file, `settings_edit` changes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, NamedTuple, get_args

from cekura_tui.config.credentials import DEFAULT_API_URL, DEFAULT_DASHBOARD_URL, PROFILE
from cekura_tui.model.text import clean_line

Notify = Literal["auto", "osc777", "osc9", "bell", "off"]

FLAGS = {
    "api_url": "--api-url",
    "project_id": "--project",
    "agent_id": "--agent",
    "profile": "--profile",
    "read_only": "--read-only",
}
ENVIRONMENT = {
    "api_url": "CEKURA_API_URL",
    "dashboard_url": "CEKURA_DASHBOARD_URL",
    "project_id": "CEKURA_PROJECT_ID",
    "organization_id": "CEKURA_ORGANIZATION_ID",
    "profile": "CEKURA_PROFILE",
}
VENDOR = {
    "api_url": "api_url",
    "dashboard_url": "dashboard_url",
    "project_id": "default_project_id",
    "organization_id": "default_organization_id",
}
"""Names in the file of the vendor's CLI."""
SCOPE = ("project_id", "agent_id")
"""Set together: a place that sets one of them overrides both of weaker places."""
PERSONAL = frozenset({"notify", "on_job_done", "title", "whole_frames", "hints", "keys", "theme", "columns"})
"""Settings about the person and the terminal, not an account: the only ones the demo uses."""


Name = tuple[str, ...]
"""An entry's name: its tables, outermost first, then its own."""


class SettingKind(NamedTuple):
    """The values a setting takes: their type, a check, and the words for what is expected.

    `entries` is the kind of a table's entries.
    """

    type: type
    expected: str
    check: Callable[[Any], bool] = lambda value: True
    entries: SettingKind | None = None

    def read(self, value: object) -> object:
        """The value itself; a number may be written as text, as in variables."""
        if self.type is int and isinstance(value, str) and re.fullmatch("[0-9]{1,19}", value.strip()):
            return int(value)
        return dict(value) if isinstance(value, dict) else value

    def takes(self, value: object) -> bool:
        read = self.read(value)
        return type(read) is self.type and self.check(read)


def _is_name(value: str) -> bool:
    try:
        return bool(value.encode())
    except UnicodeEncodeError:  # a variable may not be UTF-8
        return False


def _is_command(value: str) -> bool:
    import shlex  # few set a command

    try:
        return not value or ("\0" not in value and bool(shlex.split(value)))
    except ValueError:
        return False


def _table(name: str, entries: SettingKind) -> SettingKind:
    return SettingKind(dict, f"a table such as [{name}]", entries=entries)


_TEXT = SettingKind(str, "text")
_NUMBER = SettingKind(int, "a number", lambda value: 0 <= value < 2**63)
_TRUTH = SettingKind(bool, "true or false")
_COMMAND = SettingKind(str, "a command with closed quotes", _is_command)
_NAME = SettingKind(str, "the name of a profile", _is_name)
_NOTIFY = SettingKind(str, f"one of {', '.join(get_args(Notify))}", lambda value: value in get_args(Notify))
_WIDTH = SettingKind(int, "a number of cells", lambda value: 0 <= value <= 1000)


def _about(kind: SettingKind, description: str) -> dict[str, Any]:
    return {"kind": kind, "description": description}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every field is a key of config.toml and, except `profile`, of a profile's table."""

    api_url: str = field(default=DEFAULT_API_URL, metadata=_about(_TEXT, "The server."))
    dashboard_url: str = field(default=DEFAULT_DASHBOARD_URL, metadata=_about(_TEXT, "Where links to runs lead."))
    project_id: int | None = field(default=None, metadata=_about(_NUMBER, "The project whose runs are listed."))
    agent_id: int | None = field(default=None, metadata=_about(_NUMBER, "The agent whose runs are listed."))
    organization_id: int | None = field(
        default=None,
        metadata=_about(_NUMBER, "The organization whose projects are listed, for keys that see several."),
    )
    profile: str = field(default=PROFILE, metadata=_about(_NAME, "The profile in use: a key with settings of its own."))
    api_key_command: str = field(
        default="", metadata=_about(_COMMAND, "A command that prints the API key; not a shell line.")
    )
    read_only: bool = field(default=False, metadata=_about(_TRUTH, "Launch no jobs and change no agent."))
    notify: Notify = field(
        default="auto",
        metadata=_about(_NOTIFY, "How the terminal notifies you when a job ends while you are away."),
    )
    on_job_done: str = field(
        default="", metadata=_about(_COMMAND, "A command that runs when a job ends; not a shell line.")
    )
    title: bool = field(
        default=False, metadata=_about(_TRUTH, "Show the numbers of running and new jobs as terminal title.")
    )
    whole_frames: bool = field(
        default=False,
        metadata=_about(
            _TRUTH, "Send the terminal all that is drawn, not only what changed; for one that shows leftovers."
        ),
    )
    hints: bool = field(default=True, metadata=_about(_TRUTH, "Show tips in the demo."))
    keys: dict[str, str] = field(
        default_factory=dict, metadata=_about(_table("keys", _TEXT), "Keys by the ids of actions, separated by commas.")
    )
    theme: dict[str, str] = field(
        default_factory=dict,
        metadata=_about(_table("theme", _TEXT), "`name` is the theme; other entries are its colours, as “#rrggbb”."),
    )
    columns: dict[str, int] = field(
        default_factory=dict,
        metadata=_about(
            _table("columns", _WIDTH),
            "Columns of run lists in their order, with their width in cells; 0 is the usual width.",
        ),
    )

    def personal(self) -> Settings:
        return Settings(**{name: getattr(self, name) for name in PERSONAL})


class Setting(NamedTuple):
    """A setting's values, description and default; a table's default is empty."""

    kind: SettingKind
    description: str
    default: object


SETTINGS = {
    one.name: Setting(**one.metadata, default={} if one.default is MISSING else one.default) for one in fields(Settings)
}


def make_settings(values: Mapping[str, object]) -> Settings:
    """Build Settings from checked values (`wrong_values`); ignore unknown names."""
    return Settings(**{name: SETTINGS[name].kind.read(value) for name, value in values.items() if name in SETTINGS})  # type: ignore[arg-type] # checked


def wrong_values(values: Mapping[str, object]) -> dict[Name, str]:
    """Wrong values by setting, or by setting and entry: what was expected. Ignores unknown names."""
    wrong: dict[Name, str] = {}
    for name, value in values.items():
        kind = SETTINGS[name].kind if name in SETTINGS else None
        if kind is None:
            continue
        instead = "" if name == "api_key_command" else f", not {_shown(value)}"  # a key may be in it
        if not kind.takes(value):
            wrong[name,] = f"must be {kind.expected}{instead}"
        elif isinstance(value, dict) and kind.entries is not None:
            for entry, one in value.items():
                if not kind.entries.takes(one):
                    wrong[name, entry] = f"must be {kind.entries.expected}, not {_shown(one)}"
    return wrong


def _shown(value: object) -> str:
    try:
        if isinstance(value, bool):
            return f"“{str(value).lower()}”"
        if isinstance(value, dict):
            return "a table"
        return f"“{clean_line(str(value), 40)}”"
    except (ValueError, RecursionError):  # Python refuses to write thousands of digits
        return "“…”"
