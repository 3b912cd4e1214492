"""Every setting is taken from the source with the highest precedence; the tests use real files, variables and flags."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from cekura_tui.config.settings import ENVIRONMENT, FLAGS, SETTINGS, VENDOR, Settings
from cekura_tui.workspace.setup import Setup, make_setup

FIRST, SECOND = "first", "second"
VALUES: dict[str, tuple[Any, Any]] = {
    "api_url": ("https://one.example", "https://two.example"),
    "dashboard_url": ("https://one.example", "https://two.example"),
    "project_id": (4021, 4022),
    "agent_id": (7, 8),
    "organization_id": (310, 311),
    "profile": ("work", "home"),
    "api_key_command": ("echo one", "echo two"),
    "read_only": (False, True),
    "max_test_calls": (8, 9),
    "notify": ("bell", "off"),
    "on_job_done": ("one", "two"),
    "player": ("mpv", "ffplay"),
    "keep_audio": (False, True),
    "title": (True, False),
    "whole_frames": (False, True),
    "hints": (False, True),
    "keys": ({"open": "o"}, {"open": "p"}),
    "theme": ({"name": "nord"}, {"name": "gruvbox"}),
    "columns": ({"run": 5}, {"run": 6}),
    "improve": ({"minutes": 5}, {"minutes": 6}),
}
"""Two valid values of each setting."""


@dataclass
class World:
    """The sources of settings, which a test fills: flags, environment variables and files."""

    home: Path
    flags: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=lambda: {"profile": [], "file": [], "vendor": []})

    def set(self, place: str, name: str, value: Any) -> str:
        """Set a setting in a source. Return the source as named in `Setup.origins`, or "file" for config.toml."""
        if place == "flag":
            self.flags[name] = value
            return FLAGS[name]
        if place == "environment":
            self.env[ENVIRONMENT[name]] = str(value)
            return ENVIRONMENT[name]
        if place == "vendor":
            self.files["vendor"].append(f'{VENDOR[name]} = "{value}"')
            return str(self.home / ".cekura" / "config.toml")
        self.files[place].append(f"{name} = {_toml(value)}")
        return "file"

    def setup(self) -> Setup:
        (self.home / ".cekura").mkdir()
        (self.home / ".cekura" / "config.toml").write_text("\n".join(self.files["vendor"]))
        profiles = ["[profiles.work]", "[profiles.home]", "[profiles.default]", *self.files["profile"]]
        (self.home / "config.toml").write_text("\n".join([*self.files["file"], *profiles]))
        env = {"HOME": str(self.home), "CEKURA_TUI_HOME": str(self.home), **self.env}
        return make_setup(env=env, **self.flags)

    def origin(self, setup: Setup, name: str) -> str:
        """The source of a setting, named as `set` names the source."""
        found = setup.origins[name]
        path, _, line = found.rpartition(":")
        if path != str(self.home / "config.toml"):
            return found
        assert (self.home / "config.toml").read_text().splitlines()[int(line) - 1].startswith(f"{name} = ")
        return "file"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, int) else f'"{value}"'


def places_of(name: str) -> list[str]:
    """The sources that can set a setting, highest precedence first."""
    there = {"flag": name in FLAGS, "environment": name in ENVIRONMENT, "profile": name != "profile", "file": True}
    # Server and dashboard of the vendor's file apply only with its key: see test_vendor_settings.py.
    there["vendor"] = name in ("project_id", "organization_id")
    return [place for place, possible in there.items() if possible]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_every_setting_has_test_values() -> None:
    assert set(VALUES) == set(SETTINGS)


@pytest.mark.parametrize(
    ("name", "stronger", "weaker"),
    [
        (name, *pair)
        for name in VALUES
        for pair in (*combinations(places_of(name), 2), *((place, None) for place in places_of(name)))
        if not (name == "read_only" and pair[0] == "flag" and pair[1])
    ],
)
def test_a_setting_is_taken_from_the_source_with_the_highest_precedence(
    world: World, name: str, stronger: str, weaker: str | None
) -> None:
    if weaker:
        world.set(weaker, name, VALUES[name][0])
    place = world.set(stronger, name, VALUES[name][1])
    setup = world.setup()
    assert (getattr(setup.settings, name), world.origin(setup, name)) == (VALUES[name][1], place)
    assert setup.problems == ()


@pytest.mark.parametrize("place", ["profile", "file"])
def test_the_read_only_flag_overrides_the_file(world: World, place: str) -> None:
    world.set(place, "read_only", False)
    world.set("flag", "read_only", True)
    setup = world.setup()
    assert (setup.settings.read_only, setup.origins["read_only"]) == (True, "--read-only")


@pytest.mark.parametrize(
    ("named", "place", "other", "dropped"),
    [
        (named, place, other, weaker)
        for named, other in (("project_id", "agent_id"), ("agent_id", "project_id"))
        for place, weaker in combinations(["flag", "environment", "profile", "file", "vendor"], 2)
        if place in places_of(named) and weaker in places_of(other)
    ],
)
def test_a_project_overrides_an_agent_of_lower_precedence_and_vice_versa(
    world: World, named: str, place: str, other: str, dropped: str
) -> None:
    world.set(dropped, other, VALUES[other][0])
    called = world.set(place, named, VALUES[named][1])
    setup = world.setup()
    assert setup.scope is not None
    assert (f"{setup.scope.kind}_id", setup.scope.id) == (named, VALUES[named][1])
    assert (getattr(setup.settings, other), setup.origins[other]) == (None, "default")
    assert world.origin(setup, named) == called


@pytest.mark.parametrize("place", ["flag", "profile", "file"])
def test_an_agent_overrides_a_project_from_the_same_source(world: World, place: str) -> None:
    world.set(place, "project_id", 4021)
    world.set(place, "agent_id", 7)
    scope = world.setup().scope
    assert scope is not None
    assert (scope.kind, scope.id) == ("agent", 7)


@pytest.mark.parametrize("name", ["keys", "theme", "columns"])
def test_the_entries_of_a_table_are_merged_with_the_table_of_the_profile(world: World, name: str) -> None:
    value = 4 if name == "columns" else "x"
    world.set("file", name, {"one": value, "two": value})
    world.set("profile", name, {"two": value * 2, "three": value})
    setup = world.setup()
    assert getattr(setup.settings, name) == {"one": value, "two": value * 2, "three": value}
    assert [setup.origins[f"{name}.{entry}"][-2:] for entry in ("one", "two", "three")] == [":1", ":5", ":5"]


def test_an_empty_variable_sets_nothing(world: World) -> None:
    world.env = dict.fromkeys(ENVIRONMENT.values(), "")
    setup = world.setup()
    assert setup.settings == Settings()
    assert set(setup.origins.values()) == {"default"}
