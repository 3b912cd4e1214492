"""--help and the manual page say what the commands say."""

from __future__ import annotations

import shutil
import subprocess

import click
import man_page
import pytest
from calling import call, refused

from cekura_tui.cli.main import SUMMARIES, cli


def test_help_says_of_a_command_what_it_says_of_itself_without_loading_it() -> None:
    commands = [cli.get_command(click.Context(cli), name) for name in SUMMARIES]
    assert {one.name: one.get_short_help_str(1_000) for one in commands if one} == SUMMARIES


@pytest.mark.parametrize("word", ["rnus", "options"])
def test_a_misspelled_command_or_a_file_of_the_program_is_no_command(word: str) -> None:
    refused(f"No such command '{word}'", word)


def test_the_version_and_the_help_are_printed() -> None:
    assert call("--version").out.startswith("cekura-tui, version ")
    assert "improve" in call("--help").out


def test_the_manual_page_is_that_of_the_commands() -> None:
    how = "write it with: python tests/support/man_page.py --write"
    assert man_page.PAGE.read_text(encoding="utf-8") == man_page.page(), f"the manual page is an old one; {how}"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_page_is_set_without_a_warning() -> None:
    command = ["groff", "-ww", "-K", "utf8", "-man", "-Tutf8", str(man_page.PAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stderr, "EXIT STATUS" in done.stdout) == ("", True)
