"""Settings: flag, then environment, then config.toml, then default; each remembers where it came from."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cekura_tui.config.credentials import DEFAULT_API_URL, DEFAULT_DASHBOARD_URL, PROFILE
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line

ENVIRONMENT = {
    "api_url": "CEKURA_API_URL",
    "dashboard_url": "CEKURA_DASHBOARD_URL",
    "project_id": "CEKURA_PROJECT_ID",
    "organization_id": "CEKURA_ORGANIZATION_ID",
}
Notify = Literal["auto", "osc777", "osc9", "bell", "off"]
PERSONAL = frozenset({"notify", "on_job_done", "title", "hints", "keys", "theme", "columns"})
"""Settings that are about the person and the terminal, not about an account: the embedded workspace keeps to them."""


class Settings(BaseModel):
    """What can be set; every field is also a key of config.toml."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api_url: str = DEFAULT_API_URL
    """The server."""
    dashboard_url: str = DEFAULT_DASHBOARD_URL
    """Where links to runs lead."""
    project_id: int | None = Field(default=None, ge=0, lt=2**63)
    """The project whose runs are listed."""
    agent_id: int | None = Field(default=None, ge=0, lt=2**63)
    """The agent whose runs are listed."""
    organization_id: int | None = Field(default=None, ge=0, lt=2**63)
    """The organization whose projects are listed, for keys that see several."""
    api_key_command: str = ""
    """A command that prints the API key; no shell."""
    notify: Notify = "auto"
    """How the terminal is asked to tell that a job ended while nobody looked."""
    on_job_done: str = ""
    """A command that is run when a job ended, with the job on its standard input; no shell."""
    title: bool = Field(default=False, strict=True)
    """Whether the terminal's title tells how many jobs run and how many ended."""
    hints: bool = Field(default=True, strict=True)
    """Whether the demo shows tips: the next useful key of each page, until it was used once."""
    read_only: bool = Field(default=False, strict=True)
    """Whether nothing is launched, and nothing written to an agent."""
    keys: dict[str, str] = Field(default_factory=dict)
    """Keys by the ids of actions, which replace those of the program; Textual's names, separated by commas."""
    theme: dict[str, str] = Field(default_factory=dict)
    """`name` is a theme's, every other entry a colour by the name that it has in `ui/theme.py`, as "#rrggbb"."""
    columns: dict[str, int] = Field(default_factory=dict)
    """The columns of run lists that have none of their own, in their order; the width in cells, 0 for its usual one."""

    @field_validator("project_id", "agent_id", "organization_id", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("true and false are not numbers")
        return value

    @field_validator("on_job_done")
    @classmethod
    def _command(cls, value: str) -> str:
        if value and ("\0" in value or not shlex.split(value)):
            raise ValueError("the command is empty")
        return value

    def personal(self) -> Settings:
        """Only what is about the person and the terminal."""
        return Settings(**{name: getattr(self, name) for name in PERSONAL})


_NO_LETTER = re.compile("[^a-z]")
_WANTED = {
    "notify": f"one of {', '.join(get_args(Notify))}",
    "on_job_done": "a command with closed quotes",
    "title": "true or false",
    "hints": "true or false",
    "read_only": "true or false",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and for each where it came from."""

    settings: Settings
    came_from: dict[str, str]


def load_settings(
    flags: Mapping[str, object],
    env: Mapping[str, str],
    path: Path,
    *,
    profile: str = PROFILE,
    of_file: Collection[str] | None = None,
) -> Loaded:
    """Merge the four places; raises UsageError that names the place of a wrong value.

    `of_file` names what is looked at in the file, None for everything.
    """
    found: dict[str, object] = {}
    came_from = dict.fromkeys(Settings.model_fields, "default")
    from_env = {name: env[variable] for name, variable in ENVIRONMENT.items() if env.get(variable)}
    in_file = _of_profile(_read_file(path), path, profile)
    from_file = {name: value for name, value in in_file.items() if of_file is None or name in of_file}
    for place, values in ((str(path), from_file), ("", from_env), ("flag", flags)):
        for name, value in values.items():
            if name in came_from and value is not None:
                found[name] = value
                came_from[name] = place or ENVIRONMENT[name]
    try:
        return Loaded(Settings.model_validate(found), came_from)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        place = {"flag": f"--{name.removesuffix('_id').replace('_', '-')}"}.get(came_from[name], came_from[name])
        wanted = _WANTED.get(name) or ("a number" if name.endswith("_id") else "text")
        raise UsageError(f"{name} in {place} must be {wanted}, not “{_shown(found[name])}”.") from None


def _of_profile(settings: dict[str, object], path: Path, name: str) -> dict[str, object]:
    """What a file sets, also in the table of the profile; raises UsageError for a `read_only` that is misspelled, for
    that is the one setting nobody may believe to be on when it is not."""
    profiles = settings.get("profiles")
    profile = profiles.get(name) if isinstance(profiles, dict) else None
    merged = settings | (profile if isinstance(profile, dict) else {})
    for entry in merged:
        if entry != "read_only" and _NO_LETTER.sub("", entry.lower()) == "readonly":
            raise UsageError(f"{path} has an unknown setting “{_shown(entry)}”.", "Use read_only.")
    return merged


def _read_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not valid TOML: {clean_line(str(error), 120)}.", "Fix or delete the file."
        ) from None
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"
        raise UsageError(f"{path} is not valid TOML: {why}.", "Fix or delete the file.") from None
    except OSError as error:
        raise UsageError(f"Can't read {path}: {error.strerror}.") from None


def _shown(value: object) -> str:
    try:
        return clean_line(str(value), 40)
    except (ValueError, RecursionError):  # Python writes no number of thousands of digits
        return "…"
