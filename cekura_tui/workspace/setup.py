"""What is decided before a workspace is opened: directory, server, key, scope, embedded or not.

Also how a read-only session refuses (`refuse_read_only`), and the request for a run as a curl command (`run_command`).
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cekura_tui.config.credentials import PROFILE, ApiKey, Server, find_key, read_server, saved_key, saved_profiles
from cekura_tui.config.paths import Paths, find_paths
from cekura_tui.config.settings import FLAGS, PERSONAL, Settings
from cekura_tui.config.settings_file import Problem
from cekura_tui.config.sources import DEFAULT, Loaded, load_settings
from cekura_tui.model.errors import KeyMissing, UsageError
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import clean_line

BY_FLAG = f"Start without {FLAGS['read_only']}."
"""How a session ends to be read-only that the flag made so."""


def refuse_read_only(read_only: str, undone: str) -> None:
    """Raise UsageError in a read-only session; does nothing in another.

    `read_only` is `Setup.read_only`; `undone` is what was not done ("nothing was launched").
    """
    if read_only:
        raise UsageError(f"Read-only session: {undone}.", read_only)


DEMO_ORIGIN = "demo"
"""The embedded server's port changes; its runs and jobs belong to this name."""
KEYBOARD = "the keyboard"
"""Where a key that was typed comes from."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How the embedded server is to be: see `--demo-…`."""

    runs: int = 240
    epoch: float | None = None
    speed: float = 1.0
    faults: frozenset[str] = frozenset()
    live: float | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """One workspace, not yet opened. `key` is None where there is none (`no_key` says why) or none is needed.

    `read_only` says how to change that nothing is launched or written to an agent; it is empty where that is not so.
    `problems` are the wrong entries of config.toml, `came_from` says where each setting was named.
    """

    paths: Paths
    settings: Settings
    server: Server
    key: ApiKey | None = None
    no_key: KeyMissing | None = field(default=None, compare=False)
    demo: DemoOptions | None = None
    profile: str = PROFILE
    read_only: str = ""
    problems: tuple[Problem, ...] = ()
    came_from: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def origin(self) -> str:
        """To which server's name runs and jobs belong."""
        return DEMO_ORIGIN if self.demo else self.server.origin

    @property
    def scope(self) -> Scope | None:
        """The scope that flag, environment or settings name."""
        if self.settings.agent_id is not None:
            return Scope("agent", self.settings.agent_id)
        if self.settings.project_id is not None:
            return Scope("project", self.settings.project_id)
        return None

    @property
    def personal_settings(self) -> Path:
        """The file of the settings that are about the person, which the demo shares."""
        return (Paths(self.paths.home.parent) if self.demo else self.paths).settings

    @property
    def ready(self) -> bool:
        """Whether it can be opened: there is a key, or none is needed."""
        return self.demo is not None or self.key is not None

    @property
    def key_is_saved(self) -> bool:
        """Whether the key is the profile's own: one of the flag or the environment goes before that, refused or not."""
        return self.key is not None and self.key.source in (KEYBOARD, self.paths.credentials.name)

    def signed_in_since(self) -> ApiKey | None:
        """The key that was signed in with elsewhere since, where that one takes the place of this."""
        if self.demo or not (self.key is None or self.key_is_saved):
            return None
        try:
            key = saved_key(self.paths.credentials, self.server, self.profile)
        except KeyMissing:
            return None  # there is none as yet
        return key if self.key is None or key.text != self.key.text else None

    def with_key(self, key: ApiKey) -> Setup:
        """The same workspace with this key."""
        return replace(self, key=key, no_key=None)


def make_setup(
    *,
    config_dir: str | None = None,
    profile: str | None = None,
    api_url: str | None = None,
    api_key_file: str | None = None,
    project_id: int | None = None,
    agent_id: int | None = None,
    read_only: bool = False,
    demo: DemoOptions | None = None,
    new_profile: bool = False,
    env: Mapping[str, str],
) -> Setup:
    """Read flags, environment and files; raises UsageError. A missing key is no error yet.

    With `new_profile` the profile need not exist, for it is about to be made.
    """
    paths = find_paths(config_dir, env)
    flags: dict[str, object] = {"project_id": project_id, "agent_id": agent_id, "read_only": read_only or None}
    if demo is not None:
        loaded = load_settings(flags, {}, paths.settings, of_file=PERSONAL)
        opened = demo_setup(paths, demo, read_only=BY_FLAG if read_only else "", settings=loaded.settings)
        return replace(opened, problems=loaded.problems, came_from=loaded.came_from)
    loaded = load_settings({"api_url": api_url, "profile": profile, **flags}, env, paths.settings)
    if loaded.refusal is not None:
        raise loaded.refusal
    name = loaded.settings.profile
    if not new_profile:
        _check_profile(name, loaded, paths)
    place = loaded.came_from["api_url"]
    server = read_server(loaded.settings.api_url, "the API URL" if place == DEFAULT else place)
    try:
        key, missing = find_key(api_key_file, env, paths.credentials, server, name), None
    except KeyMissing as error:
        key, missing = None, error
    return Setup(
        paths,
        loaded.settings,
        server,
        key,
        missing,
        profile=name,
        read_only=_read_only(loaded, paths),
        problems=loaded.problems,
        came_from=loaded.came_from,
    )


def _check_profile(name: str, loaded: Loaded, paths: Paths) -> None:
    """Raise UsageError for a profile that nobody made: a key of another one is not used in its place."""
    known = {PROFILE, *loaded.profiles}
    if name not in known:
        with contextlib.suppress(KeyMissing):
            known |= saved_profiles(paths.credentials)
    if name not in known:
        listed = ", ".join(clean_line(one, 40) for one in sorted(known))
        raise UsageError(
            f"{loaded.came_from['profile']}: no profile named “{clean_line(name, 40)}”. Profiles: {listed}.",
            "To create one, run `cekura-tui auth login --profile NAME`.",
        )


def _read_only(loaded: Loaded, paths: Paths) -> str:
    """How to end that the session is read-only, empty where it is not: a misspelled entry makes it so, too."""
    if loaded.came_from["read_only"] == FLAGS["read_only"]:
        return BY_FLAG
    if loaded.settings.read_only:
        return f"Remove read_only = true from {paths.settings}."
    if loaded.read_only_doubt is not None:
        return f"Correct {paths.settings}, {loaded.read_only_doubt.sentence}."
    return ""


def demo_setup(paths: Paths, options: DemoOptions, *, read_only: str = "", settings: Settings | None = None) -> Setup:
    """The embedded workspace: no key, URL or project of flags, environment and files is looked at.

    Neither is it read-only because the settings of an account say so; the flag makes it so.
    """
    nowhere = Server(DEMO_ORIGIN, "", loopback=True)
    flag = read_only if read_only == BY_FLAG else ""
    return Setup(paths.demo, settings or Settings(), nowhere, demo=options, profile="demo", read_only=flag)


def run_command(setup: Setup, run_id: int) -> str | None:
    """Asks for the whole run; the key is not in it. None for the embedded server, which ends with the program."""
    if setup.demo:
        return None
    url = f"{setup.server.base}/test_framework/v1/runs/{run_id}/"
    return f'curl {shlex.quote(url)} -H "X-CEKURA-API-KEY: $CEKURA_API_KEY"'
