"""Which texts of the server are links of the web: nothing else is ever opened."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_link(text: object) -> str | None:
    """The text, if it is a http(s) link to some host."""
    if not isinstance(text, str) or not text.isprintable() or any(sign.isspace() for sign in text.strip()):
        return None
    link = text.strip()
    try:
        parts = urlsplit(link)
        return link if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None
