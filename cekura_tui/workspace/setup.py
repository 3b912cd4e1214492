"""The decisions before a workspace opens: directory, profile, server, key, scope, and whether to open the demo."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cekura_tui.config.credentials import DEFAULT_API_URL, PROFILE, ApiKey, Server, read_server, saved_key, saved_keys
from cekura_tui.config.key_lookup import NOT_RUN, KeyPlaces, KeySource, look_up
from cekura_tui.config.own_file import unwritable
from cekura_tui.config.paths import Paths, find_paths
from cekura_tui.config.programs import VARIABLE
from cekura_tui.config.settings import ENVIRONMENT, FLAGS, Settings, wrong_profile_name
from cekura_tui.config.settings_file import Problem, SettingsFile
from cekura_tui.config.sources import DEFAULT, LoadedSettings, load_settings, read_settings_file
from cekura_tui.config.vendor_file import find_vendor_file, read_vendor_file
from cekura_tui.demo import DemoOptions
from cekura_tui.model.errors import KeyMissing, UsageError
from cekura_tui.model.scope import Scope
from cekura_tui.model.secrets import known_keys, quoted, redact, shown, shown_words

BY_FLAG = f"Start without {FLAGS['read_only']}."
"""How to end a read-only session that the flag started."""


def refuse_read_only(read_only: str, undone: str) -> None:
    """Raise UsageError in a read-only session. `undone` says what was not done, such as "nothing was launched".
    `read_only` is the hint on how to end the read-only session; empty if the session may write."""
    if read_only:
        raise UsageError(f"Read-only session: {undone}.", read_only)


DEMO_ORIGIN = "demo"
"""The origin stored with the demo's runs and jobs, since the demo server's port changes."""
_DEMO = "built-in demo"
"""The server and the origin of the settings that the demo sets itself."""
KEYBOARD = "the keyboard"
"""The `source` of an API key that the user typed."""


class KnownKeys:
    """The API keys of this machine by description, to detect a key in a text; keys are never shown."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = dict(keys)

    def found_in(self, text: str) -> str:
        """The description of a key in the text, such as "your API key"; empty if the text contains no known key."""
        found = (name for name, key in self._keys.items() if redact(text, [key]) is not text)
        return next(found, "")


class KeyTaken(UsageError):
    """The profile has another saved key, which is replaced only on request."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The configuration of a workspace before the workspace is opened.

    `key` is None if no key was found (`no_key` says why) or no key is needed. If `offline`, no key is used and only
    the cache is shown. `read_only` says how to end a read-only session; empty if the session may write. `problems`
    are wrong entries in config.toml. `origins` names the source of each setting.
    """

    paths: Paths
    settings: Settings
    server: Server
    key: ApiKey | None = None
    no_key: KeyMissing | None = field(default=None, compare=False)
    demo: DemoOptions | None = None
    profile: str = PROFILE
    read_only: str = ""
    key_places: KeyPlaces | None = field(default=None, repr=False)
    key_sources: tuple[KeySource, ...] = ()
    offline: bool = False
    problems: tuple[Problem, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def origin(self) -> str:
        """The server origin under which runs and jobs are stored."""
        return DEMO_ORIGIN if self.demo else self.server.origin

    @property
    def scope(self) -> Scope | None:
        """The scope set by flag, environment or config.toml; None if no scope is set."""
        if self.settings.agent_id is not None:
            return Scope("agent", self.settings.agent_id)
        if self.settings.project_id is not None:
            return Scope("project", self.settings.project_id)
        return None

    @property
    def ready(self) -> bool:
        """Whether the workspace can open: with a key or, in the demo and offline, without a key."""
        return self.demo is not None or self.key is not None or self.offline

    @property
    def key_is_saved(self) -> bool:
        """Whether the key in use is the profile's saved key or was typed in, not from a flag or the environment."""
        return self.key is not None and self.key.source in (KEYBOARD, str(self.paths.credentials))

    @property
    def key_from(self) -> str:
        """The source of the key in use; without a key, the source whose key command has not run, or else empty."""
        waiting = next((source.place for source in self.key_sources if source.why_not == NOT_RUN), "")
        return next((source.place for source in self.key_sources if not source.why_not), waiting)

    def newly_saved_key(self) -> ApiKey | None:
        """The profile's saved key, if the key in use is missing or another saved one; None in the demo."""
        if self.demo or not (self.key is None or self.key_is_saved):
            return None
        try:
            key = saved_key(self.paths.credentials, self.server, self.profile)
        except KeyMissing:
            return None
        return None if key is None or (self.key is not None and key.text == self.key.text) else key

    def key_conflict(self, key: ApiKey) -> KeyTaken | None:
        """The error if saving this key would replace another key or server of the profile; else None."""
        saved = saved_keys(self.paths.credentials).get(self.profile)
        if saved is None or (saved.api_url, saved.api_key) == (self.server.base, key.text):
            return None
        theirs = shown_words(saved.api_url)
        of = f"another key of {theirs}" if saved.api_url == self.server.base else f"the key of {theirs}"
        return KeyTaken(
            f"Profile {shown(self.profile, 3)} has {of}.",
            "To keep both keys, give the new one a name with --profile NAME; to replace the old one, add --replace.",
        )

    def with_key(self, key: ApiKey) -> Setup:
        return replace(self, key=key, no_key=None, offline=False)

    def known_keys(self) -> KnownKeys:
        """The key in use and the saved keys of all profiles."""
        keys = {"your API key": self.key.text} if self.key is not None else {}
        with contextlib.suppress(KeyMissing):
            for name, saved in saved_keys(self.paths.credentials).items():
                keys.setdefault(f"the API key of profile {shown(name, 3)}", saved.api_key.strip())
        keys |= {"the key in CEKURA_API_KEY": key} if (key := os.environ.get(VARIABLE, "").strip()) else {}
        known_keys.update(keys.values())  # neither shown, nor passed to the user's commands
        return KnownKeys(keys)

    def without_key(self) -> Setup:
        return replace(self, offline=True)

    def looked_up_again(self, *, may_run: bool = True) -> Setup:
        """This setup with a missing or saved key looked up again; without `may_run`, no `api_key_command` is run."""
        if self.key_places is None or (self.key is not None and not self.key_is_saved):
            return replace(self, offline=False)
        found = look_up(replace(self.key_places, may_run=may_run), self.server)
        return replace(self, key=found.key, no_key=found.missing, key_sources=found.sources, offline=False)


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
    may_run: bool = True,
) -> Setup:
    """Combine flags, environment and files; raises UsageError. A missing key is not an error yet.

    The vendor CLI's file: its server is used only with its key; its project and organization only with its server, and
    never with a saved key. With `new_profile`, the profile need not exist yet. Without `may_run`, no `api_key_command`
    is run.
    """
    paths = find_paths(config_dir, env)
    flags = {"api_url": api_url, "profile": profile, "project_id": project_id, "agent_id": agent_id}
    named = {**flags, "read_only": read_only or None}
    loaded = load_settings(named, env, paths.settings, demo=demo is not None)
    if demo is not None:
        opened = demo_setup(paths, demo, read_only=BY_FLAG if read_only else "", settings=loaded.settings)
        origins = loaded.origins | {"api_url": _DEMO, "profile": _DEMO}
        return replace(opened, problems=loaded.file.problems, origins=origins)
    if loaded.refusal is not None:
        raise loaded.refusal
    name = loaded.settings.profile
    check_profile(loaded, new_profile)
    url, place = loaded.settings.api_url, loaded.origins["api_url"]
    if place not in (FLAGS["api_url"], ENVIRONMENT["api_url"]) and (saved := _saved_url(paths, name, loaded.file)):
        url, place = saved, str(paths.credentials)
    server = read_server(url, "the API URL" if place == DEFAULT else place)
    command = loaded.settings.api_key_command
    command_server = _command_server(paths, name, loaded.file) if command else None
    places = KeyPlaces(paths.credentials, api_key_file, env, name, command, command_server, may_run)
    found = look_up(places, server)
    vendor_path = find_vendor_file(env)
    vendor = read_vendor_file(vendor_path)
    if (theirs := _vendor_server(vendor)) is not None:
        if place == DEFAULT and not (found.decided or command) and theirs.origin != server.origin:
            # Send only the vendor file's own key to the vendor file's server.
            other = look_up(places, theirs)
            if other.key is not None and other.decided == str(vendor_path):
                server, found = theirs, other
        if theirs.origin == server.origin and found.decided != str(paths.credentials):
            loaded = load_settings(named, env, paths.settings, vendor=vendor, vendor_path=vendor_path)
    if place == str(paths.credentials):
        settings = replace(loaded.settings, api_url=url)
        loaded = loaded._replace(settings=settings, origins=loaded.origins | {"api_url": place})
    return Setup(
        paths,
        loaded.settings,
        server,
        found.key,
        found.missing,
        profile=name,
        read_only=_read_only(loaded, paths),
        problems=loaded.file.problems,
        origins=loaded.origins,
        key_places=places,
        key_sources=found.sources,
    )


def _saved_url(paths: Paths, profile: str, file: SettingsFile) -> str:
    """The server URL saved with the profile's key; empty if invalid, or if config.toml sets it for the profile."""
    own = file.values if profile == PROFILE else {}
    if "api_url" in file.profiles.get(profile, {}) or "api_url" in own:
        return ""
    try:
        saved = saved_keys(paths.credentials).get(profile)
        return read_server(saved.api_url).base if saved else ""
    except (KeyMissing, UsageError):
        return ""  # the key lookup reports it


def _command_server(paths: Paths, profile: str, file: SettingsFile) -> Server:
    """The server to which the key of `api_key_command` may be sent. The URL comes from config.toml or the saved keys;
    if neither has a URL, the default URL is used. A URL from a flag or the environment is ignored."""
    url = str(file.values.get("api_url") or DEFAULT_API_URL)
    if "api_key_command" in file.profiles.get(profile, {}):
        url = str(file.profiles.get(profile, {}).get("api_url") or _saved_url(paths, profile, file) or url)
    return read_server(url, str(paths.settings))


def _vendor_server(vendor: Mapping[str, str]) -> Server | None:
    """The server in the vendor CLI's file; None if the file has no settings or an invalid URL."""
    try:
        return read_server(vendor.get("api_url", DEFAULT_API_URL)) if vendor else None
    except UsageError:
        return None


def check_profile(loaded: LoadedSettings, new_profile: bool) -> None:
    """Raise UsageError for an unknown profile: another profile's key must not be used instead. With `new_profile`, an
    unknown profile is an error only if its name is not valid."""
    name = loaded.settings.profile
    wrong = wrong_profile_name(name)
    if (wrong or not new_profile) and (unknown := unknown_profile(name, loaded.file)):
        hint = "" if wrong else "To create one, run `cekura-tui auth login --profile NAME`."
        raise UsageError(f"{loaded.origins['profile']}: {wrong or unknown}", hint)


def unknown_profile(name: str, file: SettingsFile) -> str:
    """A sentence if there is no profile `name`, with settings in `file` or a saved key; else empty."""
    known = {PROFILE, *file.profiles}
    if name not in known:
        try:
            known |= saved_keys(Paths(file.path.parent).credentials).keys()
        except KeyMissing:
            return ""  # the key lookup reports it
    listed = ", ".join(shown(one, 3) for one in sorted(known))
    return "" if name in known else f"no profile named {quoted(name)}. Profiles: {listed}."


def _read_only(loaded: LoadedSettings, paths: Paths) -> str:
    """How to end a session that is read-only by flag, setting, wrong entry or unwritable directory; empty if not."""
    if loaded.origins["read_only"] == FLAGS["read_only"]:
        return BY_FLAG
    if loaded.settings.read_only:
        return f"Remove read_only = true from {paths.settings}."
    for problem in loaded.file.problems:
        return f"Correct {paths.settings}, {problem.sentence}."
    return unwritable(paths.database)


def demo_setup(paths: Paths, options: DemoOptions, *, read_only: str = "", settings: Settings | None = None) -> Setup:
    """The demo's setup, without the account's keys, servers and projects. Only the flag makes the demo read-only."""
    nowhere = Server(DEMO_ORIGIN, "", loopback=True)
    flag = read_only if read_only == BY_FLAG else ""
    own = replace(settings or Settings(), api_url=_DEMO, profile="demo")
    return Setup(paths.demo, own, nowhere, demo=options, profile=own.profile, read_only=flag)


class ProfileFacts(NamedTuple):
    """A profile's name, server origin and key source. `wrong` is the error in the profile's settings; empty if none."""

    name: str
    origin: str = ""
    key_from: str = ""
    wrong: str = ""


def other_profile(
    start: Setup,
    name: str,
    env: Mapping[str, str],
    *,
    api_url: str | None = None,
    new_profile: bool = False,
    may_run: bool = True,
) -> Setup:
    """The setup of another profile, with that profile's own server, scope and key. Raises UsageError. The program's
    flags and environment variables apply to the first profile only, except for `--read-only`."""
    return make_setup(
        config_dir=str(account_paths(start).home),
        profile=name,
        api_url=api_url,
        read_only=start.read_only == BY_FLAG,
        new_profile=new_profile,
        env={variable: value for variable, value in env.items() if not variable.startswith("CEKURA_")},
        may_run=may_run,
    )


def account_paths(setup: Setup) -> Paths:
    """The paths of the account's settings and keys; the demo's directory is inside the account's directory."""
    return Paths(setup.paths.home.parent) if setup.demo else setup.paths


def profile_names(paths: Paths, current: str = PROFILE) -> list[str]:
    """The names of all profiles with a key or settings, and of `current`: the default profile first, then by name."""
    names = {current, PROFILE, *read_settings_file(paths.settings).profiles}
    with contextlib.suppress(KeyMissing):
        names |= saved_keys(paths.credentials).keys()
    return sorted(names, key=lambda name: (name != PROFILE, name))


def run_command(setup: Setup, run_id: int) -> str | None:
    """A curl command that reads a run, without the API key. None for the demo, whose server ends with the program."""
    if setup.demo:
        return None
    url = f"{setup.server.base}/test_framework/v1/runs/{run_id}/"
    return f'curl {shlex.quote(url)} -H "X-CEKURA-API-KEY: $CEKURA_API_KEY"'
