"""The script makes the pictures of the README, and they are small enough for a page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

REPO = Path(__file__).parents[2]
PICTURES = {"runs.svg", "run.svg", "improve.svg", "jobs.svg", "suggestion.svg"}


def test_the_script_makes_the_five_pictures(tmp_path: Path) -> None:
    script = REPO / "screenshots" / "make.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    made = {path.name: path.read_text() for path in tmp_path.glob("*.svg")}
    assert set(made) == PICTURES
    assert all(1_000 < len(svg) < 300_000 for svg in made.values())
    assert "240\N{NO-BREAK SPACE}runs" in made["runs.svg"]
    assert "✓1\N{NO-BREAK SPACE}✗0" in made["suggestion.svg"]


def test_the_readme_shows_pictures_that_are_there() -> None:
    readme = (REPO / "README.md").read_text()
    shown = {name for name in PICTURES if f"screenshots/{name}" in readme}
    assert shown == PICTURES
    assert {path.name for path in (REPO / "screenshots").glob("*.svg")} >= PICTURES
