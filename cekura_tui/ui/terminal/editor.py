"""Editing a prompt in the user's own editor, exactly."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import MAX_PROMPT_BYTES
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.ui.terminal.foreground import run_in_front

if TYPE_CHECKING:
    from textual.app import App


def edit_prompt(app: App[None], prompt: Prompt, directory: Path) -> Prompt:
    """Open $VISUAL or $EDITOR on a private file and read it back; raises UsageError with what went wrong."""
    command = _command()
    try:
        handle, name = tempfile.mkstemp(dir=directory, prefix="prompt-", suffix=".md")
        with os.fdopen(handle, "wb") as file:
            file.write(prompt_bytes(prompt))
    except OSError as error:
        raise UsageError(f"A file to edit could not be made in {directory}: {error.strerror}.") from None
    failed = run_in_front(app, [*command, name])
    # One that was ended by a signal, as when the connection is lost, may have written before.
    return _read_back(Path(name), prompt, f"{command[0]} {failed}." if failed else "")


def _read_back(path: Path, prompt: Prompt, failed: str) -> Prompt:
    """The edited prompt, perhaps empty; the file stays only where it holds something that would be lost."""
    sent, edited = prompt_bytes(prompt), prompt
    try:
        written = path.read_bytes()
    except OSError:
        written, failed = sent, failed or "The editor left no file."
    try:
        edited = Prompt(written.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        failed = failed or "What the editor wrote is not a text in UTF-8."
    if len(written) > max(MAX_PROMPT_BYTES, len(sent)):
        failed = failed or f"What the editor wrote is over {MAX_PROMPT_BYTES:,} bytes."
    if failed and written != sent:
        raise UsageError(failed, f"The prompt is unchanged here; what you wrote is in {path}.")
    path.unlink(missing_ok=True)
    if failed:
        raise UsageError(failed, "The prompt is unchanged.")
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
