"""Editing a prompt in the user's own editor, exactly."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.workspace.prompt_files import read_prompt_file

if TYPE_CHECKING:
    from textual.app import App


def edit_prompt(app: App[None], prompt: Prompt, directory: Path) -> Prompt:
    """Open $VISUAL or $EDITOR on a private file and read it back; raises UsageError with what went wrong."""
    command = _command()
    env = {name: value for name, value in os.environ.items() if name != "CEKURA_API_KEY"}
    handle, name = tempfile.mkstemp(dir=directory, prefix="prompt-", suffix=".md")
    with os.fdopen(handle, "wb") as file:
        file.write(prompt_bytes(prompt))
    failed = ""
    # An exception inside `suspend` would leave the app out of application mode: it is told afterwards.
    with app.suspend(), app.batch_update():
        try:
            status = subprocess.run([*command, name], env=env, check=False).returncode
            failed = f"ended with status {status}" if status else ""
        except OSError as error:
            failed = f"could not be started ({error.strerror})"
    app.refresh()
    if failed:
        raise UsageError(f"{command[0]} {failed}.", f"The prompt is unchanged here; what you wrote is in {name}.")
    edited = read_prompt_file(name)
    Path(name).unlink(missing_ok=True)
    return edited


def _command() -> list[str]:
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR") or shutil.which("nano") or shutil.which("vi")
    try:
        words = shlex.split(wanted or "")
    except ValueError:
        words = []
    if not words:
        raise UsageError("There is no editor.", "Set EDITOR to one, such as vim.")
    return words
