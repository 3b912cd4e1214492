"""Textual's environment variables: the user's values win over this app's defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from cekura_tui.config.paths import Paths
from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.start import drop_odd_size, set_defaults
from cekura_tui.ui.terminal.cells import MAX_SIZE
from cekura_tui.workspace.setup import DemoOptions, demo_setup
from cekura_tui.workspace.workspace import Workspace


def test_textual_settings_of_the_user_are_kept() -> None:
    env = {"TEXTUAL_FPS": "30", "TEXTUAL_ANIMATIONS": "basic", "TEXTUAL_SMOOTH_SCROLL": ""}
    set_defaults(env)
    assert env == {"TEXTUAL_FPS": "30", "TEXTUAL_ANIMATIONS": "basic", "TEXTUAL_SMOOTH_SCROLL": "0"}


@pytest.mark.parametrize("odd", ["99999", "9" * 5_000, "0", "-5", "x", "", "²"])
def test_impossible_size_in_the_environment_is_ignored(odd: str) -> None:
    env = {"COLUMNS": odd, "LINES": "30"}
    drop_odd_size(env, MAX_SIZE)
    assert env == {"LINES": "30"}
    drop_odd_size(env, (0, 0))
    assert env == {}


@pytest.mark.parametrize(("own", "level"), [("", "none"), ("full", "full")])
def test_animations_are_off_unless_the_user_sets_them(
    monkeypatch: pytest.MonkeyPatch, home: Path, own: str, level: str
) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", own)  # Textual read its own value at import
    workspace = Workspace(demo_setup(Paths(home), DemoOptions()))
    assert CekuraApp(workspace).animation_level == level
    workspace.close()
