"""The shell lines of the README do the main job, from a failed run to the updated and the restored prompt."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running_commands import RunningCommand

REPO = Path(__file__).parents[2]


@pytest.mark.long
def test_the_shell_lines_of_the_readme_do_the_main_job(start: Callable[..., RunningCommand], tmp_path: Path) -> None:
    (lines,) = re.findall(r"```bash\n(.*?)```", (REPO / "README.md").read_text(), re.DOTALL)
    assert len(lines.splitlines()) == 8
    program = tmp_path / "cekura-tui"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m cekura_tui "$@"\n')
    program.chmod(0o755)
    server = start("demo-server", "--demo-speed", "50")
    server.prints("CEKURA_PROJECT_ID")
    script = "\n".join(["set -e", *server.out, lines])
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(REPO)}
    done = subprocess.run(["bash", "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for said in "job 1: succeeded", "2 accepted, 0 undecided", "Saved the staged", "Updated the", "Restored the former":
        assert said in done.stderr
    assert "1. undecided: Identity and privacy" in done.stdout
    assert "full name and the date of birth" in (tmp_path / "better.md").read_text()
