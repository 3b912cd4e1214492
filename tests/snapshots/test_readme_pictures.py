"""The README's five pictures match the app. After an intended change run `python screenshots/make.py`."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PICTURES = {"runs.svg", "run.svg", "improve.svg", "jobs.svg", "suggestion.svg"}
_OWN = re.compile(r"terminal-\d+|(?m:^\s*\n)")
"""Matches a picture's generated id and blank lines; both differ each time the script runs."""


def _pictures(directory: Path) -> dict[str, list[str]]:
    return {path.name: _OWN.sub("", path.read_text("utf-8")).splitlines() for path in directory.glob("*.svg")}


@pytest.mark.long
def test_the_script_makes_the_committed_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    script = str(REPO / "screenshots" / "make.py")
    monkeypatch.setattr(sys, "argv", [script, str(tmp_path)])
    monkeypatch.setattr(sys, "path", [*sys.path])  # the script adds to it
    runpy.run_path(script, run_name="__main__")
    assert capfd.readouterr().err == ""
    made, there = _pictures(tmp_path), _pictures(REPO / "screenshots")
    assert set(made) == PICTURES
    assert [name for name in made if made[name] != there[name]] == []
    assert any("240\N{NO-BREAK SPACE}runs" in line for line in made["runs.svg"])


def test_every_picture_in_the_readme_exists() -> None:
    readme = (REPO / "README.md").read_text()
    assert {name for name in PICTURES if f"screenshots/{name}" in readme} == PICTURES
    assert {path.name for path in (REPO / "screenshots").glob("*.svg")} >= PICTURES
