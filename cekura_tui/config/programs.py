"""Run programs that the user configured: split commands, find the editor, and hide the API key from them."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping

from cekura_tui.model.errors import UsageError

VARIABLE = "CEKURA_API_KEY"


def without_key(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name != VARIABLE}


def command_words(command: str) -> list[str]:
    """Split a command as a shell does; empty if a quote is not closed."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


def editor_command(env: Mapping[str, str]) -> list[str]:
    """The words of $VISUAL, else $EDITOR, else nano or vi; raises UsageError if none is found."""
    wanted = env.get("VISUAL") or env.get("EDITOR") or shutil.which("nano") or shutil.which("vi")
    if not (words := command_words(wanted or "")):
        raise UsageError("There is no editor.", "Set EDITOR to one, such as vim.")
    return words
