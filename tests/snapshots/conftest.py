"""What went on before the pictures is made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from scenes import add_cases, add_proposal, prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stage") / "home"
    prepare(home)
    return home


@pytest.fixture(scope="session")
def proposed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("proposed") / "home"
    shutil.copytree(prepared, home)
    add_proposal(home)
    return home


@pytest.fixture(scope="session")
def cases(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cases") / "home"
    shutil.copytree(prepared, home)
    add_cases(home)
    return home
