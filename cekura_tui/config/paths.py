"""Where the program keeps its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
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
    def demo(self) -> Paths:
        """The embedded workspace's own directory."""
        return Paths(self.home / "demo")


def find_paths(config_dir: str | None, env: Mapping[str, str]) -> Paths:
    """The directory of the flag, else of CEKURA_TUI_HOME, else the platform's own."""
    named = config_dir or env.get("CEKURA_TUI_HOME")
    if named:
        return Paths(Path(named).expanduser().absolute())
    import platformdirs

    return Paths(platformdirs.user_config_path("cekura-tui", appauthor=False))
