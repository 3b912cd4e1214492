"""The list of commands in --help, which is shown without loading them, is the one of the commands."""

from __future__ import annotations

import pytest
from calling import call, refused

from cekura_tui.cli.main import SUMMARIES, cli


@pytest.mark.parametrize("name", SUMMARIES)
def test_help_says_of_a_command_what_it_says_of_itself(name: str) -> None:
    command = cli.commands[name]
    assert (command.name, command.get_short_help_str(1_000)) == (name, SUMMARIES[name])


def test_a_misspelled_command_is_no_command() -> None:
    refused("No such command 'rnus'", "rnus")


def test_a_file_of_the_command_line_is_no_command() -> None:
    assert "No such command 'options'" in call("options").err


def test_the_version_and_the_help_are_printed() -> None:
    assert call("--version").out.startswith("cekura-tui, version ")
    assert "improve" in call("--help").out
