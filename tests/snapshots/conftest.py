"""What went on before the pictures is made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from staging import prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stage") / "home"
    prepare(home)
    return home
