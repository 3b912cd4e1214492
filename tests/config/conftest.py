from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write_config(tmp_path: Path) -> Write:
    """A function that writes config.toml in the test's config directory, and returns the path of the file."""
    path = tmp_path / "config.toml"

    def write(text: str | bytes) -> Path:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write
