"""`--help` and the man pages match the commands and the manual."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import man_page
import pytest
from calling import call, refused

from cekura_tui.cli.main import SUMMARIES, cli


def test_help_lists_each_command_with_the_summary_of_the_command() -> None:
    commands = [cli.get_command(click.Context(cli), name) for name in SUMMARIES]
    assert {one.name: one.get_short_help_str(1_000) for one in commands if one} == SUMMARIES


@pytest.mark.parametrize("word", ["rnus", "options"])
def test_a_misspelled_command_or_the_name_of_a_module_is_refused(word: str) -> None:
    refused(f"No such command '{word}'", word)


def test_version_and_help_are_printed() -> None:
    assert call("--version").out.startswith("cekura-tui, version ")
    assert "improve" in call("--help").out


def test_man_pages_match_the_commands_and_the_manual() -> None:
    how = "write them with: python tests/support/man_page.py"
    assert {path: path.read_text(encoding="utf-8") for path in man_page.pages()} == man_page.pages(), how


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("path", man_page.pages(), ids=lambda path: path.name)
def test_groff_formats_a_man_page_without_warnings(path: Path) -> None:
    done = subprocess.run(
        ["groff", "-ww", "-K", "utf8", "-man", "-Tutf8", str(path)], capture_output=True, text=True, check=True
    )
    assert (done.stderr, len(done.stdout) > 10_000) == ("", True)
