"""What is decided before a workspace is opened: directory, server, key, scope, embedded or not.

Also how a read-only session refuses (`refuse_read_only`), and the request for a run as a curl command (`run_command`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cekura_tui.config.credentials import PROFILE, ApiKey, Server, find_key, read_server, saved_key
from cekura_tui.config.paths import Paths, find_paths
from cekura_tui.config.settings import PERSONAL, Settings, load_settings
from cekura_tui.model.errors import KeyMissing, UsageError
from cekura_tui.model.scope import Scope

FLAG = "--read-only"


def refuse_read_only(read_only: str, undone: str) -> None:
    """Raise UsageError in a read-only session; does nothing in another.

    `read_only` is the flag, or the settings file that says so, or empty; `undone` is what was not done ("nothing was
    launched").
    """
    if read_only:
        mend = "Start without --read-only." if read_only == FLAG else f"Remove read_only = true from {read_only}."
        raise UsageError(f"Read-only session: {undone}.", mend)


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

    `read_only` names what made it so that nothing is launched or written to an agent: the flag or the settings file;
    else it is empty.
    """

    paths: Paths
    settings: Settings
    server: Server
    key: ApiKey | None = None
    no_key: KeyMissing | None = field(default=None, compare=False)
    demo: DemoOptions | None = None
    profile: str = PROFILE
    read_only: str = ""

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
    env: Mapping[str, str],
) -> Setup:
    """Read flags, environment and files; raises UsageError. A missing key is no error yet."""
    paths = find_paths(config_dir, env)
    flag = FLAG if read_only else ""
    scope = {"project_id": project_id, "agent_id": agent_id}
    if demo is not None:
        personal = load_settings(scope, {}, paths.settings, of_file=PERSONAL)
        return demo_setup(paths, demo, read_only=flag, settings=personal.settings)
    name = profile or PROFILE
    loaded = load_settings({"api_url": api_url, **scope}, env, paths.settings, profile=name)
    place = loaded.came_from["api_url"]
    named = {"flag": "--api-url", "default": "the API URL"}.get(place, place)
    server = read_server(loaded.settings.api_url, named)
    try:
        key, missing = find_key(api_key_file, env, paths.credentials, server, name), None
    except KeyMissing as error:
        key, missing = None, error
    of_file = str(paths.settings) if loaded.settings.read_only else ""
    return Setup(paths, loaded.settings, server, key, missing, profile=name, read_only=flag or of_file)


def demo_setup(paths: Paths, options: DemoOptions, *, read_only: str = "", settings: Settings | None = None) -> Setup:
    """The embedded workspace: no key, URL or project of flags, environment and files is looked at.

    Neither is it read-only because the settings of an account say so; the flag makes it so.
    """
    nowhere = Server(DEMO_ORIGIN, "", loopback=True)
    flag = read_only if read_only == FLAG else ""
    return Setup(paths.demo, settings or Settings(), nowhere, demo=options, profile="demo", read_only=flag)


def run_command(setup: Setup, run_id: int) -> str | None:
    """Asks for the whole run; the key is not in it. None for the embedded server, which ends with the program."""
    if setup.demo:
        return None
    url = f"{setup.server.base}/test_framework/v1/runs/{run_id}/"
    return f'curl {shlex.quote(url)} -H "X-CEKURA-API-KEY: $CEKURA_API_KEY"'
