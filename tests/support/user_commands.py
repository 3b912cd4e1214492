"""Run commands that propose prompts, and find the processes that they leave behind."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from forked import state_of
from waiting import answered, eventually

from cekura_tui.jobs.command_runner import CommandRunner
from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt

SENT = Prompt("Greet the caller.\nAsk for the booking number.\n")
BETTER = Prompt("Greet the caller by name.\nAsk for the booking number.\n")
MARK = "A_COMMAND_OF_THE_TEST"
"""A variable that all processes of a test inherit; its value is the test's directory."""


def shell(script: str) -> str:
    return f"sh -c {shlex.quote(script)}"


def draft_of(folder: str, command: str, minutes: float = 5.0) -> Draft:
    return Draft((5,), SENT, 7, parameters={"command": command, "folder": folder, "minutes": minutes})


async def launched(runner: CommandRunner, command: str, minutes: float = 5.0, text: str = BETTER) -> str:
    """Start a command with a text on standard input; return its folder."""
    folder = runner.prepare(text, SENT)
    assert (await runner.launch(draft_of(folder, command, minutes))).progress_id == folder
    return folder


async def progress(runner: CommandRunner, folder: str) -> dict[str, Any]:
    payload = (await runner.progress(IMPROVE_PROMPT, folder)).payload
    assert isinstance(payload, dict)
    return payload


async def end_of(runner: CommandRunner, folder: str) -> dict[str, Any]:
    """The last progress of a command."""
    return await answered(lambda: progress(runner, folder), lambda now: now["status"] != "running", "the command ends")


async def run(runner: CommandRunner, command: str, minutes: float = 5.0, text: str = BETTER) -> dict[str, Any]:
    return await end_of(runner, await launched(runner, command, minutes, text))


def processes(mark: str) -> list[int]:
    """Processes, other than this one, that have the mark in their environment, and zombies among our children."""
    found = []
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            is_marked = f"{MARK}={mark}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            if (is_marked and pid != os.getpid()) or (parent == os.getpid() and state_of(pid) == "Z"):
                found.append(pid)
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


async def none_left(mark: str) -> None:
    await eventually(lambda: not processes(mark), "no process of the command is left")
