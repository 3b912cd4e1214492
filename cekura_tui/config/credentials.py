"""API keys: where one is found, checked and saved, and which server it belongs to.

A key goes to the origin that it was saved with only, and over plain http to this machine only (`read_server`).
"""

from __future__ import annotations

import ipaddress
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.paths import expand, make_private
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.text import clean_line

_HOST = re.compile(r"(?!.{254})(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?|[0-9a-f:.]+(?:%[a-z0-9]+)?")

DEFAULT_API_URL = "https://api.cekura.ai"
DEFAULT_DASHBOARD_URL = "https://dashboard.cekura.ai"


@dataclass(frozen=True, slots=True)
class Server:
    """A base URL, checked. `origin` is scheme, host and port; `base` may have a path before the API's own."""

    origin: str
    base: str
    loopback: bool


def read_server(url: str, named: str = "the API URL") -> Server:
    """Check a base URL; `named` says where it came from. Raises UsageError with what is wrong."""
    shown = clean_line(url, 80)
    example = f"Use one such as {DEFAULT_API_URL}."
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").encode("idna").decode("ascii").lower(), parts.port
    except ValueError:
        raise UsageError(f"{named} “{shown}” is not a URL.", example) from None
    plain = url.strip().isprintable() and not any(c.isspace() for c in url.strip())
    if parts.scheme not in ("http", "https") or not plain or not _HOST.fullmatch(host):
        raise UsageError(f"{named} “{shown}” is not an http(s) URL.", example)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(f"{named} must be a plain URL without user, query or fragment.", example)
    local = is_loopback(host)
    if parts.scheme == "http" and not local:
        raise UsageError(
            f"{named} “{shown}” would send your key unencrypted (plain http).",
            "Use https; plain http works for this machine only.",
        )
    default = {"http": 80, "https": 443}[parts.scheme]
    name = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{name}" + (f":{port}" if port and port != default else "")
    return Server(origin, origin + parts.path.rstrip("/"), local)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


PROFILE = "default"
_HOW = "Run `cekura-tui auth login`, set CEKURA_API_KEY, or use --api-key-file FILE."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key and where it came from; its text is not shown by repr."""

    text: str = field(repr=False)
    source: str


def check_key(text: str, source: str) -> ApiKey:
    """A key of a text, without the white space around it; raises KeyMissing, which never holds the key."""
    key = text.strip()
    if not key:
        raise KeyMissing(f"The key from {source} is empty.", _HOW)
    if not (key.isascii() and key.isprintable()) or " " in key or len(key) > 4096:
        raise KeyMissing(
            f"The text from {source} is not an API key: keys have no spaces, line breaks or special characters.", _HOW
        )
    return ApiKey(key, source)


def find_key(
    key_file: str | None, env: Mapping[str, str], path: Path, server: Server, profile: str = PROFILE
) -> ApiKey:
    """The key for a server: of the flag's file, of CEKURA_API_KEY, or the one signed in with there."""
    if key_file:
        return check_key(_read_key_file(key_file), "standard input" if key_file == "-" else key_file)
    if env.get("CEKURA_API_KEY", "").strip():
        return check_key(env["CEKURA_API_KEY"], "CEKURA_API_KEY")
    return saved_key(path, server, profile)


def saved_key(path: Path, server: Server, profile: str = PROFILE) -> ApiKey:
    """The key that was signed in with at a server."""
    saved = _read_saved(path).get(profile)
    if not isinstance(saved, dict):
        raise KeyMissing("No API key found.", _HOW)
    try:
        home = read_server(str(saved.get("api_url", "")), f"the URL in {path.name}")
    except CekuraTuiError:
        raise KeyMissing(f"Can't read the URL saved with the key in {path}.", _HOW) from None
    if home.origin != server.origin:
        raise KeyMissing(f"The saved key belongs to {home.origin} and was not sent to {server.origin}.", _HOW)
    return check_key(str(saved.get("api_key", "")), path.name)


def saved_profiles(path: Path) -> set[str]:
    """The profiles that have a saved key; raises KeyMissing where the file is damaged."""
    return set(_read_saved(path))


def save_key(path: Path, server: Server, key: ApiKey, profile: str = PROFILE) -> None:
    """Keep a key with its server's URL, readable by this user alone; other entries stay."""
    saved = _read_saved(path) | {profile: {"api_url": server.base, "api_key": key.text}}
    try:
        make_private(path.parent)
        with atomic_file(path) as file:
            file.write(json.dumps(saved, indent=1).encode())
    except OSError as error:
        raise UsageError(f"Can't save the key in {path}: {error.strerror}.") from None


def _read_saved(path: Path) -> dict[str, object]:
    try:
        saved = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        raise KeyMissing(f"{path} is damaged.", "Delete the file and sign in again.") from None
    except OSError as error:
        raise KeyMissing(f"Can't read {path}: {error.strerror}.") from None
    return saved if isinstance(saved, dict) else {}


def _read_key_file(name: str) -> str:
    try:
        if name == "-" and sys.stdin is None:
            raise KeyMissing("Can't read the key: standard input is closed.", _HOW)
        if name == "-":
            return sys.stdin.readline()
        return expand(name).read_text("utf-8")
    except UnicodeDecodeError:
        raise KeyMissing(f"{name} is not a text file.", _HOW) from None
    except OSError as error:
        raise KeyMissing(f"Can't read the key file {name}: {error.strerror}.", _HOW) from None
