"""Editing a prompt in the user's own editor, exactly."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.workspace.prompt_files import read_prompt_file

if TYPE_CHECKING:
    from textual.app import App


_open: list[subprocess.Popen[bytes]] = []
"""The editor that has the terminal, if there is one that was not told yet that the program ends."""
_ending = threading.Event()


def edit_prompt(app: App[None], prompt: Prompt, directory: Path) -> Prompt:
    """Open $VISUAL or $EDITOR on a private file and read it back; raises UsageError with what went wrong."""
    command = _command()
    env = {name: value for name, value in os.environ.items() if name != "CEKURA_API_KEY"}
    try:
        handle, name = tempfile.mkstemp(dir=directory, prefix="prompt-", suffix=".md")
        with os.fdopen(handle, "wb") as file:
            file.write(prompt_bytes(prompt))
    except OSError as error:
        raise UsageError(f"A file to edit could not be made in {directory}: {error.strerror}.") from None
    failed = ""
    # ctrl+c in the editor is the editor's; a handler of ours, unlike ignoring it, is not handed on to the child.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    # An exception inside `suspend` would leave the app out of application mode: it is told afterwards.
    with app.suspend(), app.batch_update():
        try:
            status = _run([*command, name], env)
            # One that was ended by a signal, as when the connection is lost, may have written before.
            failed = f"ended with status {status}" if status > 0 else ""
        except OSError as error:
            failed = f"could not be started ({error.strerror})"
    signal.signal(signal.SIGINT, before)
    app.refresh()
    return _read_back(Path(name), prompt, f"{command[0]} {failed}." if failed else "")


def _run(command: list[str], env: dict[str, str]) -> int:
    """Run the editor to its end; returns its exit status."""
    with subprocess.Popen(command, env=env) as editor:
        _open.append(editor)
        if _ending.is_set():
            hang_up()  # the signal came while it was being started
        try:
            return editor.wait()
        finally:
            _open.clear()


def hang_up() -> None:
    """Ask an open editor to end, as a lost connection does: at the first signal it keeps what it can."""
    _ending.set()
    number = signal.SIGTERM if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else signal.SIGHUP
    while _open:
        editor = _open.pop()
        if os.getpgrp() == os.getpid():
            os.killpg(0, number)  # the group is ours: a script of the user's may have started the editor
        else:
            editor.send_signal(number)


def _read_back(path: Path, prompt: Prompt, failed: str) -> Prompt:
    """The edited prompt; the file stays only where it holds something that would be lost."""
    try:
        written = path.read_bytes()
    except OSError:
        written = b""
    if failed and written != prompt_bytes(prompt):
        raise UsageError(failed, f"The prompt is unchanged here; what you wrote is in {path}.")
    if failed:
        path.unlink(missing_ok=True)
        raise UsageError(failed, "The prompt is unchanged.")
    edited = read_prompt_file(str(path), ordinary=True)
    path.unlink(missing_ok=True)
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
