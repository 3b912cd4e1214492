"""Find the API key: the first source that has a key for the server is used. A key is sent only to its own server. A
source that is set but unreadable ends the lookup, so that no other account is used by accident."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cekura_tui.config.credentials import (
    DEFAULT_API_URL,
    KEY_HINT,
    ApiKey,
    OtherServer,
    Server,
    check_key,
    read_server,
    refuse_open_file,
    saved_key,
)
from cekura_tui.config.paths import expand
from cekura_tui.config.programs import STOPPED, VARIABLE, command_words, has_terminal, program_name, run_program
from cekura_tui.config.vendor_file import find_vendor_file, read_vendor_file
from cekura_tui.model.errors import KeyMissing, UsageError
from cekura_tui.model.secrets import shown, shown_words

COMMAND = "api_key_command"
NOT_RUN = "not run"
"""Reason for not using the key of `api_key_command` when commands may not run."""
UNATTENDED, ATTENDED = 10.0, 60.0
"""Timeouts of `api_key_command` in seconds, without and with a terminal at which to type a passphrase."""


class KeySource(NamedTuple):
    """A source that was tried: a path, variable, flag or setting; `why_not` is empty for the source that was used."""

    place: str
    why_not: str = ""


class KeyLookup(NamedTuple):
    """The result of a lookup: the key, or the error if there is no key, and all sources in the order of precedence."""

    key: ApiKey | None
    missing: KeyMissing | None
    sources: tuple[KeySource, ...]
    decided: str = ""
    """The source that ended the lookup with a key or an error; empty if no source did."""


@dataclass(frozen=True, slots=True)
class KeyPlaces:
    """Inputs of the lookup. `command` is `api_key_command`, which is run only if `may_run`. The command's key is for
    `command_server`, or for `DEFAULT_API_URL` if None."""

    credentials: Path
    key_file: str | None
    env: Mapping[str, str] = field(repr=False)
    profile: str
    command: str
    command_server: Server | None
    may_run: bool


class _NoKey(Exception):
    """A source has no key, so the next source is tried; the text says why there is no key."""


def look_up(places: KeyPlaces, server: Server) -> KeyLookup:
    """Look for a server's key in all sources; the first source that has a key or is unusable decides. The order is
    --api-key-file, environment, `api_key_command`, saved keys, vendor CLI's file."""
    key: ApiKey | None = None
    missing: KeyMissing | None = None
    decided = ""
    elsewhere: list[str] = []
    sources: list[KeySource] = []
    for place, find in _places(places, server):
        why_not = f"{decided} comes first" if decided else ""
        try:
            # Do not run a command whose key would not be used.
            found = None if decided and place == COMMAND and places.command else find()
        except _NoKey as nothing:
            why_not = str(nothing)
        except OtherServer as error:
            why_not = error.message
            elsewhere.append(error.message)
        except KeyMissing as error:
            why_not = error.sentence()
            if not decided:
                missing, decided = error, place
        else:
            if not decided:
                key, decided = found, place
        sources.append(KeySource(place, why_not))
    if not decided:
        missing = KeyMissing(" ".join(elsewhere) or "No API key found.", KEY_HINT)
    return KeyLookup(key, missing, tuple(sources), decided)


def _places(places: KeyPlaces, server: Server) -> Iterator[tuple[str, Callable[[], ApiKey]]]:
    """Each source with a function that returns its key, or raises _NoKey, or KeyMissing if the source is unusable."""
    vendor = find_vendor_file(places.env)
    yield "--api-key-file", lambda: _of_file(places.key_file)
    yield VARIABLE, lambda: _of_environment(places.env)
    yield COMMAND, lambda: _of_command(places, server)
    yield str(places.credentials), lambda: _saved(places, server)
    yield str(vendor or "~/.cekura/config.toml"), lambda: _of_vendor(vendor, server)


def _of_file(name: str | None) -> ApiKey:
    if name is None:
        raise _NoKey("not given")
    return check_key(_read_key_file(name), "standard input" if name == "-" else name)


def _of_environment(env: Mapping[str, str]) -> ApiKey:
    if not (text := env.get(VARIABLE, "")).strip():
        raise _NoKey("not set")
    return check_key(text, VARIABLE)


def _of_command(places: KeyPlaces, server: Server) -> ApiKey:
    if not places.command:
        raise _NoKey("not set")
    home = places.command_server or read_server(DEFAULT_API_URL)
    if home.origin != server.origin:
        raise OtherServer(f"The key of {COMMAND}", home, server)
    if not places.may_run:
        raise _NoKey(NOT_RUN)
    return run_key_command(places.command, places.env)


def _saved(places: KeyPlaces, server: Server) -> ApiKey:
    if (found := saved_key(places.credentials, server, places.profile)) is None:
        raise _NoKey(f"no key of profile {shown(places.profile, 3)}")
    return found


def _of_vendor(path: Path | None, server: Server) -> ApiKey:
    values = read_vendor_file(path)
    if path is None or "api_key" not in values:
        raise _NoKey("no key")
    try:
        home = read_server(values.get("api_url", DEFAULT_API_URL), f"api_url in {path}")
    except UsageError as error:
        raise _NoKey(error.message) from None
    if home.origin != server.origin:
        raise OtherServer(f"The key in {path}", home, server)
    with contextlib.suppress(OSError):
        refuse_open_file(path, path.stat().st_mode)
    return check_key(values["api_key"], str(path))


_MAX_CHARACTERS = 65_536


def _read_key_file(name: str) -> str:
    try:
        if name == "-" and sys.stdin is None:
            raise KeyMissing("Can't read the key: standard input is closed.", KEY_HINT)
        if name == "-":
            return sys.stdin.readline(_MAX_CHARACTERS)
        path = expand(name)
        with path.open(encoding="utf-8") as file:
            refuse_open_file(path, os.fstat(file.fileno()).st_mode)
            return file.read(_MAX_CHARACTERS)  # reading a device to its end would never finish
    except UnicodeDecodeError:
        raise KeyMissing(f"{shown_words(name)} is not a text file.", KEY_HINT) from None
    except OSError as error:
        raise KeyMissing(f"Can't read the key file {shown_words(name)}: {error.strerror}.", KEY_HINT) from None


_printed: dict[str, ApiKey] = {}
"""The key printed by each command. A command runs once per process, as it may ask for a passphrase."""


def run_key_command(command: str, env: Mapping[str, str]) -> ApiKey:
    """Run a command, without a shell and without CEKURA_API_KEY; return the first line of its output as a key. It may
    use the terminal to ask for a passphrase. Raises KeyMissing, which names the command but never its output, and
    KeyboardInterrupt if the user stops the command."""
    if command in _printed:
        return _printed[command]
    if not (words := command_words(command)):
        raise KeyMissing(f"{COMMAND} is not a command.", "Check its quotes in config.toml.")
    program = program_name(command)
    named = COMMAND if program == "…" else f"{program} ({COMMAND})"
    attended = sys.stdin is not None and sys.stdin.isatty()
    ended = run_program(
        words,
        env,
        data=None if attended else b"",  # piped input belongs to this program, not to the command
        kept="stdout",
        limit=ATTENDED if attended else UNATTENDED,
        quiet=False,
        in_front=has_terminal(),
    )
    if ended.failure == STOPPED:
        raise KeyboardInterrupt
    if ended.failure:
        raise KeyMissing(f"{named} {ended.failure}.", _COMMAND_HINT)
    first = ended.output.partition(b"\n")[0].decode("utf-8", "replace")
    return _printed.setdefault(command, check_key(first, named))


_COMMAND_HINT = f"Run the command in a shell to see why, or correct {COMMAND} in config.toml."
