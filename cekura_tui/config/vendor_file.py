"""Read `~/.cekura/config.toml` of the vendor's CLI: the source with the lowest precedence, never written. The file is
flat (`name = "value"`), and is read line by line without checks, as the vendor's CLI does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cekura_tui.config.own_file import read_regular

_NAMES = frozenset({"api_key", "api_url", "dashboard_url", "default_project_id", "default_organization_id"})
"""The only entries that are read; other entries, such as OAuth tokens, are ignored."""


def find_vendor_file(env: Mapping[str, str]) -> Path | None:
    """Path of the file, which may not exist; None without $HOME."""
    home = env.get("HOME")
    return Path(home) / ".cekura" / "config.toml" if home else None


def read_vendor_file(path: Path | None) -> dict[str, str]:
    """The file's non-empty entries with names in `_NAMES`; no entries if the file is missing or unreadable."""
    try:
        if path is None:
            return {}
        lines = read_regular(path, most=65_536).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):  # ValueError: HOME holds a NUL
        return {}
    pairs = (line.partition("=") for line in lines)
    found = {name.strip(): value.strip().strip('"').strip("'") for name, _, value in pairs}
    return {name: value for name, value in found.items() if name in _NAMES and value}
