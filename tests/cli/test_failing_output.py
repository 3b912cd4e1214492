"""Every command reacts in the same way to a standard output that is full or closed, or whose reader has ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click
import pytest
from calling import Result, call, call_into, called

from cekura_tui.cli import main

CLOSED = "cekura-tui: Standard output is closed. Connect it to a terminal, a file or a pipe.\n"
FULL = "cekura-tui: Can't write the output: No space left on device."
ENDLESS = ("demo-server", "jobs watch")
SILENT = {
    *("auth login", "auth logout", "config edit", "config set", "config unset", "demo-improve"),
    *("jobs adopt", "jobs forget", "jobs resume", "jobs stop", "jobs wait", "notes set", "views delete", "views save"),
    *(f"suggestion {verb}" for verb in ("accept", "edit", "reject", "restore", "save", "split", "undo", "update")),
}
"""Commands that print messages only."""
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")


def without_reader() -> TextIO:
    """A pipe that the reader has closed."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def on_a_full_disk(*words: object) -> Result:
    return call_into(open("/dev/full", "w"), *words)


def commands(command: click.Command, path: str = "") -> Iterator[tuple[str, bool]]:
    """Every command, and whether it has `--json`."""
    if not isinstance(command, click.Group):
        yield path, any("--json" in option.opts for option in command.params)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        one = command.get_command(context, name)
        assert one is not None
        yield from commands(one, f"{path} {name}".strip())


@full
@pytest.mark.parametrize("words", ["--help", "--version", "runs --help", "1 --help", "schema runs-list", "config path"])
def test_help_and_data_on_a_failing_output_end_as_documented(words: str, home: Path) -> None:
    assert on_a_full_disk(*words.split()) == Result(2, b"", f"{FULL}\n")
    assert call_into(without_reader(), *words.split()) == Result(0, b"", "")
    assert call_into(None, *words.split()) == Result(2, b"", CLOSED)


@pytest.mark.long
@full
def test_every_command_treats_a_failing_output_alike(
    by_kind: dict[str, list[dict[str, Any]]], failed: int, home: Path, prompt_file: Path
) -> None:
    for words in (f"notes set {failed} x", "views save v outcome:failed", f"runs show {failed}"):
        called(*words.split())
    improve = ("improve", failed, "--from-agent")
    called(*improve)
    called("jobs", "wait", 1)
    agent = by_kind["failed"][0]["agent"]
    prompt_file.write_bytes(called("jobs", "show", 1, "--prompt").raw)
    given = {
        **{"compare": (failed, by_kind["passed"][0]["id"]), "completion": ("bash",), "doctor": ("--offline",)},
        **{
            "improve": improve[1:],
            "review": (prompt_file, "--agent", agent),
            "jobs show": (1,),
            "notes show": (failed,),
            "prompts history": (agent,),
        },
        **{
            "prompts list": (agent,),
            "prompts show": (agent, 1),
            "runs audio": (failed, "--speech"),
            "runs list": ("--limit", 3),
            "runs show": (failed,),
            "search": ("the",),
        },
        **{
            "views show": ("v",),
            "suggestion show": (1,),
            "test": (failed, "--yes", "--wait", "--live", "no", "--times", 1),
        },
    }
    silent = set()
    for name, has_json in commands(main.cli):
        for form in ([], ["--json"]) if has_json else ([],):
            words = (*name.split(), *given.get(name, ()), *form)
            if name == "jobs watch":
                called(*improve)  # printed by the first line
            result = Result(0, b"...", "") if name in ENDLESS else call(*words)
            assert call_into(None, *words) == Result(2, b"", CLOSED), words
            if not result.raw:
                silent.add(name)
                continue
            assert call_into(without_reader(), *words).status == result.status, words
            lost = on_a_full_disk(*words)
            assert (lost.status, FULL in lost.err) == (2, True), words
    assert silent == SILENT
