"""All settings: names, values and defaults, and the flags and variables that set them. The module `sources` reads
config.toml and merges all sources, `settings_check` validates config.toml, and `settings_edit` changes config.toml."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Annotated, Any, Literal, NamedTuple, get_args

from cekura_tui.config.credentials import DEFAULT_API_URL, DEFAULT_DASHBOARD_URL, PROFILE, is_url
from cekura_tui.model.secrets import may_show, quoted, shown, shown_words

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
"""Settings that the vendor CLI's file has, with their names in that file."""
SCOPE = ("project_id", "agent_id")
"""Settings that say whose runs are listed. If a source sets one of the two, both are ignored in sources with lower
precedence."""
PERSONAL = frozenset({"notify", "on_job_done", "title", "whole_frames", "hints", "keys", "theme", "columns", "improve"})
PERSONAL |= {"player", "keep_audio"}
"""Settings of the user and the terminal, not of an account. The demo uses no other settings of config.toml."""


Name = tuple[str, ...]
"""Path of an entry: the names of its tables, outermost first, then the entry's own name."""


class SettingKind(NamedTuple):
    """The values that a setting accepts: their type and description, and an extra check. For a table, `entries` is the
    kind of the table's entries. If a table accepts only certain entries, `named` holds these by name instead."""

    type: type
    expected: str
    check: Callable[[Any], bool] = lambda value: True
    entries: "SettingKind | None" = None
    named: Mapping[str, "Setting"] = {}

    def entry(self, name: str) -> "SettingKind | None":
        return self.named[name].kind if name in self.named else self.entries

    def read(self, value: object) -> object:
        """Return the value. For a number, a text of digits (as in environment variables) is converted to an int."""
        if self.type is int and isinstance(value, str) and re.fullmatch("[0-9]{1,19}", value.strip()):
            return int(value)
        return dict(value) if isinstance(value, dict) else value

    def takes(self, value: object) -> bool:
        read = self.read(value)
        return type(read) is self.type and self.check(read)


class Setting(NamedTuple):
    """Default (empty for a table), kind and description of a setting."""

    default: object
    kind: SettingKind
    description: str


def _settings_of(annotated: type) -> dict[str, Setting]:
    return {
        one.name: Setting({} if one.default is MISSING else one.default, *get_args(one.type)[1:])
        for one in fields(annotated)
    }


def wrong_profile_name(name: str) -> str:
    """An error text if a new profile may not have this name; else empty."""
    valid = re.fullmatch("[A-Za-z0-9._-]{1,40}", name)
    return "" if valid else "the name of a profile must be 1 to 40 letters (a–z), digits, “.”, “-” or “_”."


def _is_command(value: str) -> bool:
    from cekura_tui.config.programs import command_words  # imported only if a command is set

    words = command_words(value)
    return not value or ("\0" not in value and bool(words) and not re.match(r"\w+=", words[0]))


def _table(name: str, entries: SettingKind) -> SettingKind:
    return SettingKind(dict, f"a table such as [{name}]", entries=entries)


_TEXT = SettingKind(str, "text")
_NUMBER = SettingKind(int, "a number", lambda value: 0 <= value < 2**63)
_BOOLEAN = SettingKind(bool, "true or false")
_COMMAND = SettingKind(
    str, "a command with closed quotes, without NAME=value before it (use `env` in a script of your own)", _is_command
)
_URL = SettingKind(str, "an http(s) URL without user, query and fragment", is_url)
_NAME = SettingKind(str, "the name of a profile", bool)
_NOTIFY = SettingKind(str, f"one of {', '.join(get_args(Notify))}", lambda value: value in get_args(Notify))
_WIDTH = SettingKind(int, "a number of cells", lambda value: 0 <= value <= 1000)
_CHARACTERS = SettingKind(int, "a number from 5000 to 2000000", lambda value: 5_000 <= value <= 2_000_000)
_MINUTES = SettingKind(int, "a number from 1 to 1440", lambda value: 1 <= value <= 1440)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImproveSettings:
    """The entries of [improve], annotated as the fields of Settings."""

    command: Annotated[str, _COMMAND, "A command that proposes prompts; not a shell line."] = ""
    template: Annotated[str, _TEXT, "A file with your own template of the text that the command reads."] = ""
    characters: Annotated[int, _CHARACTERS, "The most characters of the text that the command reads."] = 60_000
    minutes: Annotated[int, _MINUTES, "Minutes after which the command is ended."] = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every field is a key of config.toml and, except `profile`, of a profile's table. Each field is annotated with its
    kind and the description that users read."""

    api_url: Annotated[str, _TEXT, "The server."] = DEFAULT_API_URL
    dashboard_url: Annotated[str, _URL, "Where links to runs lead."] = DEFAULT_DASHBOARD_URL
    project_id: Annotated[int | None, _NUMBER, "The project whose runs are listed."] = None
    agent_id: Annotated[int | None, _NUMBER, "The agent whose runs are listed."] = None
    organization_id: Annotated[
        int | None, _NUMBER, "The organization whose projects are listed, for keys that see several."
    ] = None
    profile: Annotated[str, _NAME, "The profile in use: a key with settings of its own."] = PROFILE
    api_key_command: Annotated[str, _COMMAND, "A command that prints the API key; not a shell line."] = ""
    read_only: Annotated[bool, _BOOLEAN, "Launch no jobs and change no agent."] = False
    max_test_calls: Annotated[int, _NUMBER, "The most test calls that are launched without typing their number."] = 20
    notify: Annotated[Notify, _NOTIFY, "How the terminal notifies you when a job ends while you are away."] = "auto"
    on_job_done: Annotated[str, _COMMAND, "A command that runs when a job ends; not a shell line."] = ""
    player: Annotated[str, _COMMAND, "A command that plays recordings; not a shell line."] = ""
    keep_audio: Annotated[bool, _BOOLEAN, "Keep fetched recordings for a day, not only while the run is open."] = True
    title: Annotated[bool, _BOOLEAN, "Show the numbers of running and new jobs as terminal title."] = False
    whole_frames: Annotated[
        bool, _BOOLEAN, "Send whole rows, not only changed cells; for terminals that show leftovers."
    ] = False
    hints: Annotated[bool, _BOOLEAN, "Show tips in the demo."] = True
    keys: Annotated[dict[str, str], _table("keys", _TEXT), "Keys by the ids of actions, separated by commas."] = field(
        default_factory=dict
    )
    theme: Annotated[
        dict[str, str], _table("theme", _TEXT), "`name` is the theme; other entries are its colours, as “#rrggbb”."
    ] = field(default_factory=dict)
    columns: Annotated[
        dict[str, int],
        _table("columns", _WIDTH),
        "Columns of run lists in their order, with their width in cells; 0 is the usual width.",
    ] = field(default_factory=dict)
    improve: Annotated[
        dict[str, Any],
        SettingKind(dict, "a table such as [improve]", named=_settings_of(ImproveSettings)),
        "A program of your own that proposes prompts.",
    ] = field(default_factory=dict)

    @property
    def improvement(self) -> ImproveSettings:
        return ImproveSettings(**self.improve)

    def personal(self) -> "Settings":
        return Settings(**{name: getattr(self, name) for name in PERSONAL})


SETTINGS = _settings_of(Settings)


def show_value(kind: SettingKind | None, value: Any) -> Any:
    """What may be shown of a valid setting, or of an entry of a table: no text or number that may be a secret."""
    if not isinstance(value, str):
        return value if len(str(value)) <= 12 else "…"
    if kind == _COMMAND:
        from cekura_tui.config.programs import command_words, program_name

        name = program_name(value)
        return value and (f"{name} …" if command_words(value)[1:] and name != "…" else name)
    return value if may_show(value) else shown_words(value)


def listed_settings(settings: Settings, origins: Mapping[str, str]) -> Iterator[tuple[str, str | int | None, str]]:
    """Name, value and origin of each setting, and of each entry of a table, without what may be a secret."""
    for name, value in asdict(settings).items():
        kind = SETTINGS[name].kind
        entries = {entry: one.default for entry, one in kind.named.items()} | (value if kind.type is dict else {})
        for entry, one in entries.items():
            yield f"{name}.{shown(entry)}", show_value(kind.entry(entry), one), origins[f"{name}.{entry}"]
        if not entries:
            yield name, None if value in (None, {}) else show_value(kind, value), origins[name]


def value_text(value: object) -> str:
    if value is None or value == "":
        return "not set"
    return str(value).lower() if isinstance(value, bool) else str(value)


def make_settings(values: Mapping[str, object]) -> Settings:
    """Build Settings from values that passed `wrong_values`; ignore unknown names."""
    return Settings(**{name: SETTINGS[name].kind.read(value) for name, value in values.items() if name in SETTINGS})  # type: ignore[arg-type] # checked


def wrong_values(values: Mapping[str, object]) -> dict[Name, str]:
    """Error texts of invalid settings, and of invalid entries of tables, by path. Unknown names are ignored."""
    wrong: dict[Name, str] = {}
    for name, value in values.items():
        kind = SETTINGS[name].kind if name in SETTINGS else None
        if kind is None:
            continue
        if not kind.takes(value):
            wrong[name,] = f"must be {kind.expected}, not {quoted(value)}"
        for entry, one in value.items() if isinstance(value, dict) else ():
            if (own := kind.entry(entry)) and (type(one) is not own.type or not own.takes(one)):
                wrong[name, entry] = f"must be {own.expected}, not {quoted(one)}"
    return wrong
