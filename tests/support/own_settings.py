"""Write the config.toml of one test."""

from __future__ import annotations

import os
from pathlib import Path


def own_settings(text: str) -> Path:
    """Write config.toml into the program's directory; returns its path."""
    path = Path(os.environ["CEKURA_TUI_HOME"]) / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
