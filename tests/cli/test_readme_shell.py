"""The shell lines of the README do the main job, from a failed run to the updated and the restored prompt, and test."""

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
README = (REPO / "README.md").read_text()


@pytest.fixture
def shell(start: Callable[..., RunningCommand], tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """A function that runs shell lines on a demo server, in a directory that has the programs `cekura-tui` and
    `mail`."""
    for name, line in (("cekura-tui", f'exec {sys.executable} -m cekura_tui "$@"'), ("mail", "cat > mail.txt")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    server = start("demo-server", "--demo-speed", "50")
    server.prints("CEKURA_PROJECT_ID")
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(REPO)}

    def run(lines: str) -> subprocess.CompletedProcess[str]:
        script = "\n".join(["set -e", *server.out, lines])
        words = ["bash", "-c", script]
        return subprocess.run(words, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.mark.long
def test_the_shell_lines_of_the_readme_do_the_main_job(
    shell: Callable[[str], subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (lines,) = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert len(lines.splitlines()) == 8
    done = shell(lines)
    assert done.returncode == 0, done.stderr
    for said in "job 1: succeeded", "2 accepted, 0 undecided", "Saved the staged", "Updated the", "Restored the former":
        assert said in done.stderr
    assert "1. undecided: Identity and privacy" in done.stdout
    assert "full name and the date of birth" in (tmp_path / "better.md").read_text()


@pytest.mark.long
def test_the_shell_lines_of_the_readme_test_a_prompt(
    shell: Callable[[str], subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    nightly, gate = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    prepared = """
    row=$(cekura-tui --agent 1204 runs list outcome:failed --limit 1 --csv | tail -n 1)
    job=$(cekura-tui improve "${row%%,*}" --from-agent) && cekura-tui jobs wait "$job"
    cekura-tui suggestion accept "$job" --all && cekura-tui suggestion update "$job" --yes
    result=$(cekura-tui runs show "${row%%,*}" --json | grep -o '"result_id": [0-9]*' | grep -o '[0-9]*')
    export GITHUB_STEP_SUMMARY=gate.md
    """
    done = shell(
        f"{prepared}\n{nightly.replace('5012', '$result')}\nstatus=0\n{gate.rstrip()} || status=$?; echo $status"
    )
    assert done.stdout.splitlines()[-1] in ("0", "1"), done.stderr
    for page in ("night.md", "gate.md"):
        assert "Passing scenarios: " in (tmp_path / page).read_text()
