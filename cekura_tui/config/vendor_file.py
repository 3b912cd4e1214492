"""The settings of the vendor's CLI, `~/.cekura/config.toml`: read as the last source, never written.

The file is flat, `name = "value"`, and read line by line without checks, as its own CLI does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cekura_tui.config.own_file import read_regular

_NAMES = frozenset({"api_key", "api_url", "dashboard_url", "default_project_id", "default_organization_id"})
"""The names read; others, such as OAuth tokens, are not."""


def find_vendor_file(env: Mapping[str, str]) -> Path | None:
    """Where the file would be; None without HOME."""
    home = env.get("HOME")
    return Path(home) / ".cekura" / "config.toml" if home else None


def read_vendor_file(path: Path | None) -> dict[str, str]:
    """Its non-empty settings and `api_key`; a missing or unreadable file has none."""
    try:
        if path is None:
            return {}
        lines = read_regular(path, most=65_536).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):  # ValueError: HOME holds a NUL
        return {}
    pairs = (line.partition("=") for line in lines)
    found = {name.strip(): value.strip().strip('"').strip("'") for name, _, value in pairs}
    return {name: value for name, value in found.items() if name in _NAMES and value}
