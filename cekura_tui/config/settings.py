"""What can be set: the names, what they are for, what is expected of them, and where they can be named.

`sources` merges the places, `settings_file` reads config.toml, `settings_edit` changes it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

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
"""The names in the file of the vendor's CLI."""
SCOPE = ("project_id", "agent_id")
"""One choice: named at one place, they take the place of both at a weaker one."""
PERSONAL = frozenset({"notify", "on_job_done", "title", "whole_frames", "hints", "keys", "theme", "columns"})
"""Settings that are about the person and the terminal, not about an account: the embedded workspace keeps to them."""


class Settings(BaseModel):
    """Every field is a key of config.toml, but for `profile` also in the table of a profile."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api_url: str = Field(default=DEFAULT_API_URL, description="The server.")
    dashboard_url: str = Field(default=DEFAULT_DASHBOARD_URL, description="Where links to runs lead.")
    project_id: int | None = Field(default=None, ge=0, lt=2**63, description="The project whose runs are listed.")
    agent_id: int | None = Field(default=None, ge=0, lt=2**63, description="The agent whose runs are listed.")
    organization_id: int | None = Field(
        default=None,
        ge=0,
        lt=2**63,
        description="The organization whose projects are listed, for keys that see several.",
    )
    profile: str = Field(
        default=PROFILE, min_length=1, description="The profile in use: a key with settings of its own."
    )
    api_key_command: str = Field(default="", description="A command that prints the API key; not a shell line.")
    read_only: bool = Field(default=False, strict=True, description="Launch no jobs and change no agent.")
    notify: Notify = Field(
        default="auto", description="How the terminal notifies you when a job ends while you are away."
    )
    on_job_done: str = Field(default="", description="A command that runs when a job ends; not a shell line.")
    title: bool = Field(
        default=False, strict=True, description="Show the numbers of running and new jobs as terminal title."
    )
    whole_frames: bool = Field(
        default=False,
        strict=True,
        description="Send the terminal all that is drawn, not only what changed; for one that shows leftovers.",
    )
    hints: bool = Field(default=True, strict=True, description="Show tips in the demo.")
    keys: dict[str, str] = Field(default={}, description="Keys by the ids of actions, separated by commas.")
    theme: dict[str, str] = Field(
        default={}, description="`name` is the theme; other entries are its colours, as “#rrggbb”."
    )
    columns: dict[str, Annotated[int, Field(ge=0, le=1000)]] = Field(
        default={}, description="Columns of run lists in their order, with their width in cells; 0 is the usual width."
    )

    @field_validator("project_id", "agent_id", "organization_id", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("true and false are not numbers")
        return value

    @field_validator("columns", mode="before")
    @classmethod
    def _widths(cls, value: object) -> object:
        if isinstance(value, dict):
            return {name: None if isinstance(width, bool) else width for name, width in value.items()}
        return value

    @field_validator("on_job_done", "api_key_command")
    @classmethod
    def _command(cls, value: str) -> str:
        if value and ("\0" in value or not shlex.split(value)):
            raise ValueError("the command is empty")
        return value

    def personal(self) -> Settings:
        """Only what is about the person and the terminal."""
        return Settings(**{name: getattr(self, name) for name in PERSONAL})


_NUMBER, _TRUTH = "a number", "true or false"
_EXPECTED = {
    "project_id": _NUMBER,
    "agent_id": _NUMBER,
    "organization_id": _NUMBER,
    "profile": "the name of a profile",
    "api_key_command": "a command with closed quotes",
    "read_only": _TRUTH,
    "notify": f"one of {', '.join(get_args(Notify))}",
    "on_job_done": "a command with closed quotes",
    "title": _TRUTH,
    "whole_frames": _TRUTH,
    "hints": _TRUTH,
    "keys": "a table such as [keys]",
    "theme": "a table such as [theme]",
    "columns": "a table such as [columns]",
}
_IN_TABLE = {"columns": "a number of cells"}


def wrong_values(values: Mapping[str, object]) -> dict[tuple[str, ...], str]:
    """What of these values can't be used: by its name, in a table also the entry's, what was expected of it."""
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        wrong = {tuple(str(part) for part in one["loc"][:2]): None for one in error.errors()}
        return {name: f"must be {_expected_of(name)}{_instead(values, name)}" for name in wrong}
    return {}


def _expected_of(name: tuple[str, ...]) -> str:
    return _EXPECTED.get(name[0], "text") if len(name) == 1 else _IN_TABLE.get(name[0], "text")


def _instead(values: Mapping[str, object], name: tuple[str, ...]) -> str:
    """What it is, unless a key may be in it."""
    return "" if name[0] == "api_key_command" else f", not {_shown(values, name)}"


def _shown(values: Mapping[str, object], name: tuple[str, ...]) -> str:
    value: object = values
    for part in name:
        value = value[part] if isinstance(value, dict) else value
    try:
        if isinstance(value, bool):
            return f"“{str(value).lower()}”"
        if isinstance(value, dict):
            return "a table"
        return f"“{clean_line(str(value), 40)}”"
    except (ValueError, RecursionError):  # Python writes no number of thousands of digits
        return "“…”"
