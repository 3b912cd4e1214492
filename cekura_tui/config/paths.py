"""Where the program keeps its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cekura_tui.model.errors import UsageError


class Paths(NamedTuple):
    """The config directory and what is in it; nothing is made by naming it."""

    home: Path

    @property
    def settings(self) -> Path:
        """The settings, edited by people."""
        return self.home / "config.toml"

    @property
    def credentials(self) -> Path:
        """The keys, 0600."""
        return self.home / "credentials.json"

    @property
    def database(self) -> Path:
        """Runs, jobs and prompts."""
        return self.home / "cekura.db"

    @property
    def log(self) -> Path:
        """The log file."""
        return self.home / "log" / "cekura-tui.log"

    @property
    def copied(self) -> Path:
        """The text of the last copy that may not have reached the clipboard, 0600."""
        return self.home / "copied.txt"

    @property
    def demo(self) -> Paths:
        """The embedded workspace's own directory."""
        return Paths(self.home / "demo")


def find_paths(config_dir: str | None, env: Mapping[str, str]) -> Paths:
    """The directory of the flag, else of CEKURA_TUI_HOME, else the platform's own."""
    named = config_dir if config_dir is not None else env.get("CEKURA_TUI_HOME") or None
    if named is not None:
        return Paths(expand(named).absolute())
    import platformdirs

    return Paths(platformdirs.user_config_path("cekura-tui", appauthor=False))


def expand(name: str) -> Path:
    """A path as people write it, `~` and all; raises UsageError for a blank one, and where there is no such person."""
    if not name.strip():
        raise UsageError("The path is empty.", "Name a file or a directory.")
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise UsageError(f"{name} has no such home directory.") from None


def make_private(directory: Path) -> None:
    """Make a directory, and those above that are missing, for this user alone; one that is there stays as it is."""
    for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
