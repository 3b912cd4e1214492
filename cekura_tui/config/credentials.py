"""Check, save and remove API keys, one per profile, each with the URL of its server. A key is sent only to the origin
with which it was saved, and over plain HTTP only to this machine (`read_server`)."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cekura_tui.config.atomic_file import atomic_file, locked
from cekura_tui.config.own_file import NotUsable, open_own
from cekura_tui.config.paths import make_private
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.secrets import known_keys, may_show, shown_words
from cekura_tui.model.text import clean_line

_HOST = re.compile(
    r"(?!.{254})(?:(?:[a-z0-9_-]+\.)+(?:[a-z]+|xn--[a-z0-9-]+|\d+)|[a-z0-9_-]+)\.?|[0-9a-f.]*:[0-9a-f:.]+(?:%[a-z0-9]+)?"
)

DEFAULT_API_URL = "https://api.cekura.ai"
DEFAULT_DASHBOARD_URL = "https://dashboard.cekura.ai"


class Server(NamedTuple):
    """A validated base URL; `origin` is its scheme, host and port. `loopback`: the host is this machine."""

    origin: str
    base: str
    loopback: bool


def read_server(url: str, named: str = "the API URL") -> Server:
    """Validate a base URL as `read_url` does. It may use plain HTTP only for this machine."""
    server = read_url(url, named)
    if server.origin.startswith("http:") and not server.loopback:
        hint = "Use https; plain http works for this machine only."
        raise UsageError(f"{named} “{server.origin}” would send your key unencrypted (plain http).", hint)
    return server


def is_url(url: str) -> bool:
    try:
        return bool(read_url(url, ""))
    except UsageError:
        return False


def read_url(url: str, named: str) -> Server:
    """Validate a base URL. Raises UsageError with a message that calls the URL `named`."""
    example = f"Use one such as {DEFAULT_API_URL}."
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
        labels = host.removesuffix(".").split(".")
        if not (host.isascii() and all(0 < len(label) < 64 for label in labels)):
            # Loads the IDNA tables, which ASCII names do not need.
            host = host.encode("idna").decode("ascii").lower()
    except ValueError:
        raise UsageError(f"{named} “{shown_words(clean_line(url, 80))}” is not a URL.", example) from None
    plain = url.strip().isprintable() and not any(c.isspace() for c in url.strip())
    is_host = _HOST.fullmatch(host) and (len(labels) > 1 or ":" in host or may_show(host))
    if parts.scheme not in ("http", "https") or not plain or not is_host:
        raise UsageError(f"{named} “{shown_words(clean_line(url, 80))}” is not an http(s) URL.", example)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(f"{named} must be a plain URL without user, query or fragment.", example)
    default = {"http": 80, "https": 443}[parts.scheme]
    name = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{name}" + (f":{port}" if port and port != default else "")
    return Server(origin, origin + parts.path.rstrip("/"), is_loopback(host))


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


PROFILE = "default"
KEY_HINT = "Run `cekura-tui auth login`, set CEKURA_API_KEY, or use --api-key-file FILE."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key and where it was found; repr hides the key."""

    text: str = field(repr=False)
    source: str

    def __post_init__(self) -> None:
        known_keys.add(self.text)


class OtherServer(KeyMissing):
    """A key was found, but belongs to another server than the server in use."""

    def __init__(self, whose: str, home: Server, server: Server) -> None:
        super().__init__(f"{whose} belongs to {home.origin} and was not sent to {server.origin}.", KEY_HINT)


def check_key(text: str, source: str) -> ApiKey:
    """Strip and validate a key; raises KeyMissing with a message that never contains the key."""
    key = text.strip()
    if not key:
        raise KeyMissing(f"The key from {source} is empty.", KEY_HINT)
    if not (key.isascii() and key.isprintable()) or " " in key or len(key) > 4096:
        why = "keys have no spaces, line breaks or special characters"
        raise KeyMissing(f"The text from {source} is not an API key: {why}.", KEY_HINT)
    return ApiKey(key, source)


def refuse_open_file(path: Path, mode: int) -> None:
    """Raise KeyMissing if other users may open a regular key file; `mode` is of the opened file, not of a link."""
    if stat.S_ISREG(mode) and mode & 0o077:
        why = f"Other users can open {path} (mode {stat.S_IMODE(mode):04o}), so the key in it was not used."
        raise KeyMissing(why, f"Run `chmod 600 {shlex.quote(str(path.resolve()))}`.")


@dataclass(frozen=True, slots=True)
class SavedKey:
    api_url: str
    api_key: str = field(repr=False)


def saved_keys(path: Path) -> dict[str, SavedKey]:
    """The saved keys by profile; none without a file. Raises KeyMissing if the file is damaged or open to others."""
    return {
        name: SavedKey(str(entry.get("api_url", "")), str(entry.get("api_key", "")))
        for name, entry in _read_saved(path).items()
        if isinstance(entry, dict)
    }


def saved_key(path: Path, server: Server, profile: str = PROFILE) -> ApiKey | None:
    """The profile's saved key, if any. Raises OtherServer, or KeyMissing if the key or its file cannot be used."""
    saved = saved_keys(path).get(profile)
    if saved is None:
        return None
    try:
        home = read_server(saved.api_url, f"the URL in {path.name}")
    except CekuraTuiError:
        raise KeyMissing(f"Can't read the URL saved with the key in {path}.", KEY_HINT) from None
    if home.origin != server.origin:
        raise OtherServer("The saved key", home, server)
    return check_key(saved.api_key, str(path))


def save_key(path: Path, server: Server, key: ApiKey, profile: str = PROFILE) -> None:
    """Save a profile's key with its server's URL, in a file with mode 0600. Raises UsageError if saving fails."""
    with _changing(path) as saved:
        saved[profile] = {"api_url": server.base, "api_key": key.text}


def remove_key(path: Path, profile: str) -> bool:
    """Remove a profile's key; return whether the profile had a key."""
    if profile not in _read_saved(path, any_mode=True):
        return False
    with _changing(path) as saved:
        saved.pop(profile, None)
    return True


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[dict[str, object]]:
    """Yield the saved entries by profile, locked, and write them when the block ends. Raises UsageError."""
    try:
        make_private(path.parent)
        with locked(path.parent):
            saved = _read_saved(path, any_mode=True)
            yield saved
            with atomic_file(path.resolve()) as file:  # replacing a link would leave a removed key in its target
                file.write(json.dumps(saved, indent=1).encode())
    except OSError as error:
        raise UsageError(f"Can't save the key in {path}: {error.strerror}.") from None


def _read_saved(path: Path, *, any_mode: bool = False) -> dict[str, object]:
    """The saved entries by profile, empty if there is no file. Raises KeyMissing. With `any_mode`, a file that other
    users may open is read too, because the caller replaces the file."""
    try:
        with os.fdopen(open_own(path), "rb") as file:
            if not any_mode:
                refuse_open_file(path, os.fstat(file.fileno()).st_mode)
            saved = json.loads(file.read())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        raise KeyMissing(f"{path} is damaged.", "Delete the file and sign in again.") from None
    except OSError as error:
        hint = error.hint if isinstance(error, NotUsable) else ""
        raise KeyMissing(f"Can't read {path}: {error.strerror}.", hint) from None
    return saved if isinstance(saved, dict) else {}
