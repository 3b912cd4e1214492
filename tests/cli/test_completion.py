"""What shells complete, in the shells themselves, from this machine's database alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call
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
    """An environment in which `cekura-tui` is this program, and its database knows one run; there is no key."""
    program = tmp_path / "bin" / "cekura-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={_REPO} exec {sys.executable} -m cekura_tui "$@"\n')
    program.chmod(0o755)
    rows = [
        RunRow(number, name, "Calm", 7, "Clinic, day", Outcome("failed", "failed"), "01:10", 1.0)
        for number, name in enumerate(("Late refund", "$(touch /tmp/x)", "Latte;ls", "`id`", 'La"t', "Latin!"), 1)
    ]
    store = Store(home / "cekura.db", "https://api.cekura.ai", "a key", "default")
    store.runs.keep_rows("project_id=1", len(rows), rows, 1.0, first=True)
    store.close()
    return {**environment(home, tmp_path), "PATH": f"{program.parent}:{os.environ['PATH']}"}


@pytest.fixture
def bash(shell_env: dict[str, str]) -> Callable[[str], list[str]]:
    """What bash offers for the last of these words, split as bash splits them."""

    def offered(words: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", _BASH.format(words=words)], env=shell_env, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]

    return offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("cekura-tui comple", ["completion"]),
        ("cekura-tui completion z", ["zsh"]),
        ("cekura-tui runs list out", ["outcome:"]),
        ("cekura-tui runs list outcome :", ["passed", "failed", "error", "review", "running", "unknown"]),
        ("cekura-tui runs list outcome : pa", ["passed"]),
        ("cekura-tui runs list agent : cl", ['"Clinic, day"']),
        ("cekura-tui groups agent : cl", ['"Clinic, day"']),
        ("cekura-tui views save mine agent : cl", ['"Clinic, day"']),
    ],
)
def test_bash_completes_commands_and_the_words_of_a_filter(
    bash: Callable[[str], list[str]], words: str, offered: list[str]
) -> None:
    assert bash(words) == offered


def test_no_name_is_offered_that_a_shell_would_obey(bash: Callable[[str], list[str]]) -> None:
    assert bash("cekura-tui runs list scenario : la") == ['"Late refund"']


def test_a_database_that_is_damaged_or_missing_offers_nothing_and_stays_so(
    home: Path, tmp_path: Path, bash: Callable[[str], list[str]]
) -> None:
    (home / "cekura.db").write_bytes(b"no database" * 1000)
    assert bash("cekura-tui runs list scenario :") == [""]
    assert bash(f"cekura-tui --config-dir {tmp_path}/none jobs show ''") == [""]
    assert not (tmp_path / "none").exists()


def test_another_shell_is_refused_with_those_that_there_are() -> None:
    result = call("completion", "tcsh")
    assert result.status == 2
    assert all(shell in result.err for shell in ("bash", "zsh", "fish"))


@pytest.mark.long
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_a_name_with_a_comma(shell_env: dict[str, str]) -> None:
    script = "cekura-tui completion fish | source; complete -C 'cekura-tui runs list agent:Cl'"
    done = subprocess.run(["fish", "-c", script], env=shell_env, capture_output=True, text=True, check=True)
    assert done.stdout == 'agent:"Clinic, day"\n'


@pytest.mark.long
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_a_name_with_its_quotes(shell_env: dict[str, str]) -> None:
    with Terminal(command=["zsh", "-f"], env=shell_env) as shell:
        shell.press("PS1='ready> '; autoload -U compinit; compinit -u -D; eval \"$(cekura-tui completion zsh)\"\r")
        shell.until(lambda: shell.text.rstrip().endswith("ready>"), "the shell is ready")
        shell.press("cekura-tui runs list agent:cl\t")
        shell.wait('agent:\\"Clinic,\\ day\\"')
