"""Which server a URL names: a key goes to its own origin only, and plain http only to this machine."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from cekura_tui.model.errors import UsageError
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
    example = f"Give one such as {DEFAULT_API_URL}."
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
            f"{named} “{shown}” is plain http to another host, which would show your key on the way.",
            "Use https; plain http is for this machine only.",
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
