"""The config directory and the files in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cekura_tui.model.errors import UsageError


class Paths(NamedTuple):
    """Paths of the config directory `home` and of its files. No file or directory is created."""

    home: Path

    @property
    def settings(self) -> Path:
        return self.home / "config.toml"

    @property
    def credentials(self) -> Path:
        return self.home / "credentials.json"

    @property
    def database(self) -> Path:
        return self.home / "cekura.db"

    @property
    def log(self) -> Path:
        return self.home / "log" / "cekura-tui.log"

    @property
    def copied(self) -> Path:
        """The file with the last copied text that may not have reached the clipboard (mode 0600)."""
        return self.home / "copied.txt"

    @property
    def audio(self) -> Path:
        return self.home / "audio"

    @property
    def demo(self) -> Paths:
        return Paths(self.home / "demo")


def find_paths(config_dir: str | None, env: Mapping[str, str]) -> Paths:
    """Paths of the config directory: `config_dir` from the flag, else CEKURA_TUI_HOME, else the platform's default."""
    named = config_dir if config_dir is not None else env.get("CEKURA_TUI_HOME") or None
    if named is not None:
        return Paths(expand(named).absolute())
    import platformdirs

    return Paths(platformdirs.user_config_path("cekura-tui", appauthor=False))


def expand(name: str) -> Path:
    """Expand `~` in a path that the user typed; raises UsageError for a blank path or an unknown user."""
    if not name.strip():
        raise UsageError("The path is empty.", "Name a file or a directory.")
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise UsageError(f"{name} has no such home directory.") from None


def make_private(directory: Path) -> None:
    """Create a directory and its missing parents with mode 0700; an existing directory keeps its mode."""
    for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


MOST_AUDIO = 500_000_000


def remove_old_recordings(directory: Path, now: float) -> None:
    """Remove recordings older than a day and, oldest first, those over MOST_AUDIO bytes in total; no other files."""
    total = 0
    with contextlib.suppress(OSError):
        kept = directory.glob("*cekura-" + 32 * "[0-9a-f]" + ".*")  # with files of a fetch that was killed
        for path in sorted(kept, key=os.path.getmtime, reverse=True):
            total += os.path.getsize(path)
            if total > MOST_AUDIO or os.path.getmtime(path) < now - 86_400:
                path.unlink()
