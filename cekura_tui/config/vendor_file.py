"""The settings of the vendor's own CLI, `~/.cekura/config.toml`: read as a last source, never written.

The file is flat, `name = "value"`; its CLI reads it line by line and minds nothing, and so do we.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cekura_tui.config.own_file import read_regular

_NAMES = frozenset({"api_key", "api_url", "dashboard_url", "default_project_id", "default_organization_id"})
"""What is read of it; the rest, such as OAuth tokens, is none of ours."""
_MOST_BYTES = 65_536


def find_vendor_file(env: Mapping[str, str]) -> Path | None:
    """Where the file is, whether it exists or not; None where HOME is not set."""
    home = env.get("HOME")
    return Path(home) / ".cekura" / "config.toml" if home else None


def read_vendor_file(path: Path | None) -> dict[str, str]:
    """Its settings and `api_key` by the names that it gives them, without empty ones.

    Nothing is raised: a file that is missing or can't be read has none.
    """
    try:
        if path is None:
            return {}
        lines = read_regular(path, most=_MOST_BYTES).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):  # ValueError: HOME holds a character that no path may have
        return {}
    pairs = (line.partition("=") for line in lines)
    found = {name.strip(): value.strip().strip('"').strip("'") for name, _, value in pairs}
    return {name: value for name, value in found.items() if name in _NAMES and value}
