"""Fixtures: directories that are prepared once per session, and snapshots reduced to few bytes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from scenes import add_cases, add_proposal, add_test, light_picture, prepare
from textual.app import App


@pytest.fixture(autouse=True)
def light_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drop the constant parts of screenshots before `snap_compare` stores or compares them."""
    monkeypatch.setattr(App, "export_screenshot", _export(App.export_screenshot))


def _export(export: Any) -> Any:
    return lambda app, **_: light_picture(export(app, simplify=True))


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
def tested(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("tested") / "home"
    shutil.copytree(prepared, home)
    add_test(home)
    return home


@pytest.fixture(scope="session")
def cases(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cases") / "home"
    shutil.copytree(prepared, home)
    add_cases(home)
    return home
