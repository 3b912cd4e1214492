"""Shells complete commands, filters and names, using only the database on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from calling import call, refused
from terminal import Terminal, environment

from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow
from cekura_tui.store.store import Store

_REPO = Path(__file__).parents[2]
_BASH = """
eval "$(cekura-tui completion bash)"
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_cekura_tui_completion cekura-tui
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def shell_env(home: Path, tmp_path: Path) -> dict[str, str]:
    """An environment for shells, with the command `cekura-tui` and without an API key. Runs with names that are hard to
    quote are cached."""
    program = tmp_path / "bin" / "cekura-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={_REPO} exec {sys.executable} -m cekura_tui "$@"\n')
    program.chmod(0o755)
    rows = [
        RunRow(number, name, "Calm", 7, "Clinic, day", Outcome("failed", "failed"), "01:10", 1.0)
        for number, name in enumerate(("Late refund", "$(touch /tmp/x)", "Latte;ls", "`id`", 'La"t', "Latin!"), 1)
    ]
    store = Store(home / "cekura.db", "https://api.cekura.ai", "a key", "default")
    store.runs.save_rows("project_id=1", len(rows), rows, 1.0, first=True)
    store.close()
    return {**environment(home, tmp_path), "PATH": f"{program.parent}:{os.environ['PATH']}"}


def offered(*words: str) -> list[str]:
    """The completions that bash gets for the last of `words`, which are split as bash splits a line."""
    env = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1), "_CEKURA_TUI_COMPLETE": "bash_complete"}
    with patch.dict(os.environ, env):
        return [line.partition(",")[2] for line in call().out.splitlines()]


@pytest.mark.usefixtures("shell_env")
def test_bash_completes_commands_and_filter_terms() -> None:
    expected = {
        "comple": ["completion"],
        "completion z": ["zsh"],
        "runs list out": ["outcome:"],
        "runs list outcome :": ["passed", "failed", "error", "review", "running", "unknown"],
        "runs list outcome : pa": ["passed"],
        "runs list agent : cl": ['"Clinic, day"'],
        "groups agent : cl": ['"Clinic, day"'],
        "views save mine agent : cl": ['"Clinic, day"'],
        "runs list scenario : la": ['"Late refund"'],  # no names that a shell would expand
    }
    assert {words: offered("cekura-tui", *words.split()) for words in expected} == expected


def test_bash_completes_a_name_with_a_comma(shell_env: dict[str, str]) -> None:
    script = _BASH.format(words="cekura-tui runs list agent : cl")
    done = subprocess.run(["bash", "-c", script], env=shell_env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ('"Clinic, day"\n', "")


@pytest.mark.usefixtures("shell_env")
def test_a_damaged_or_missing_database_gives_no_completions(home: Path, tmp_path: Path) -> None:
    (home / "cekura.db").write_bytes(b"no database" * 1000)
    assert offered("cekura-tui", "runs", "list", "scenario", ":") == [""]
    assert offered("cekura-tui", "--config-dir", f"{tmp_path}/none", "jobs", "show", "") == [""]
    assert (home / "cekura.db").read_bytes() == b"no database" * 1000
    assert not (tmp_path / "none").exists()


def test_an_unknown_shell_is_refused_with_a_list_of_shells() -> None:
    refused("'bash', 'zsh', 'fish'", "completion", "tcsh")


@pytest.mark.long
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_a_name_with_a_comma(shell_env: dict[str, str]) -> None:
    script = "cekura-tui completion fish | source; complete -C 'cekura-tui runs list agent:Cl'"
    done = subprocess.run(["fish", "-c", script], env=shell_env, capture_output=True, text=True, check=True)
    assert done.stdout == 'agent:"Clinic, day"\n'


@pytest.mark.long
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_a_name_and_adds_quotes(shell_env: dict[str, str]) -> None:
    with Terminal(command=["zsh", "-f"], env=shell_env) as shell:
        shell.press("PS1='ready> '; autoload -U compinit; compinit -u -D; eval \"$(cekura-tui completion zsh)\"\r")
        shell.until(lambda: shell.text.rstrip().endswith("ready>"), "the shell is ready")
        shell.press("cekura-tui runs list agent:cl\t")
        shell.wait('agent:\\"Clinic,\\ day\\"')
