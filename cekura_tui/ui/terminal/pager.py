"""Reading a patch in the user's own pager."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import Any

from textual.app import App

from cekura_tui.model.errors import UsageError
from cekura_tui.model.visible import visible
from cekura_tui.ui.terminal.foreground import run_in_front

# Both would be gone at once with a patch that fits on one screen: delta by its own default, less where it was told F.
_STAY = "-+F"
_KNOWN = (("delta", "--paging=always"), ("less", "-R", _STAY))


def pager() -> list[str]:
    """The command that shows a patch: $PAGER, else delta, else less; empty where there is none.

    `cat` as $PAGER stands for none, as git has it: what it shows is gone at once.
    """
    try:
        words = shlex.split(os.environ.get("PAGER", ""))
    except ValueError:
        words = []
    if words and os.path.basename(words[0]) == "less":
        words.append(_STAY)
    elif words == ["cat"]:
        words = []
    return words or next((list(command) for command in _KNOWN if shutil.which(command[0])), [])


def show_in_pager(app: App[Any], patch: str) -> None:
    """Show it until the pager is left; raises UsageError with what went wrong.

    Hidden characters are made visible: a pager may hand them to the terminal.
    """
    command = pager()
    if not command:
        raise UsageError("There is no pager.", "Set PAGER to one, such as less.")
    if failed := run_in_front(app, command, visible(patch).encode()):
        raise UsageError(f"{command[0]} {failed}.", "Set PAGER to another pager, or save the patch.")
