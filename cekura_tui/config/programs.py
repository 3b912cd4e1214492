"""Commands that the user configured: split them into words, find the editor, and keep the API key from programs."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping

from cekura_tui.model.errors import UsageError

VARIABLE = "CEKURA_API_KEY"


def without_key(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name != VARIABLE}


def command_words(command: str) -> list[str]:
    """Split a command into words as a shell does; return no words if a quote is not closed."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


def editor_command(env: Mapping[str, str]) -> list[str]:
    """The words of $VISUAL, else $EDITOR, else nano or vi. Raises UsageError if there is no usable command."""
    wanted = env.get("VISUAL") or env.get("EDITOR") or shutil.which("nano") or shutil.which("vi")
    if not (words := command_words(wanted or "")):
        raise UsageError("There is no editor.", "Set EDITOR to one, such as vim.")
    return words
