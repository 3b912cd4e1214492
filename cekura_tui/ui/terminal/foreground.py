"""Lend the terminal to a program of the user's: an editor for a prompt, a pager for a patch or the log."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App

from cekura_tui.config.own_file import read_regular
from cekura_tui.config.programs import command_words, editor_command, without_key
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import MAX_PROMPT_BYTES
from cekura_tui.model.text import Prompt, prompt_bytes, visible

T = TypeVar("T")
_open: list[subprocess.Popen[bytes]] = []
"""The program that has the terminal, unless it was asked to end."""
_ending = threading.Event()
_PLAIN_KEYS = b"\x1b[?1l\x1b>"
"""Resets cursor keys and keypad to their normal mode."""


def run_in_front(app: App[Any], command: Sequence[str], given: bytes | None = None) -> str:
    """Run a command to its end, without the API key, with `given` on its standard input.

    Returns in words how it failed; "" if it did not, or if a signal ended it, as when the connection is lost.
    """
    try:
        status = lend_terminal(app, lambda: _run(command, given))
    except OSError as error:
        return f"could not be started ({error.strerror})"
    return f"ended with status {status}" if status > 0 else ""


def lend_terminal(app: App[Any], work: Callable[[], T]) -> T:
    """Do work that may use the terminal, for example ask for a passphrase, while the app does not draw; raises its
    errors."""
    failed: Exception | None = None
    # ctrl+c belongs to the program; unlike SIG_IGN, a handler is not inherited by it.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    with app.suspend(), app.batch_update():
        try:
            done = work()
        except Exception as error:  # raised inside `suspend` it would leave the app out of application mode
            failed = error
        _put_keys_right()
    signal.signal(signal.SIGINT, before)
    app.refresh()
    if failed is not None:
        raise failed
    return done


def hang_up() -> None:
    """Ask the open program to end, as a lost connection does, so that it can save."""
    _ending.set()
    number = signal.SIGTERM if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else signal.SIGHUP
    while _open:
        program = _open.pop()
        if os.getpgrp() == os.getpid():
            os.killpg(0, number)  # a script of the user's may have started the program
        else:
            program.send_signal(number)


def _put_keys_right() -> None:
    """Reset the key modes, which a killed program leaves changed."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        terminal = sys.__stderr__.fileno()  # type: ignore[union-attr] # what Textual draws on; None where it was closed
        if os.isatty(terminal):
            os.write(terminal, _PLAIN_KEYS)


def _run(command: Sequence[str], given: bytes | None) -> int:
    stdin = None if given is None else subprocess.PIPE
    with subprocess.Popen(command, env=without_key(os.environ), stdin=stdin) as program:
        _open.append(program)
        if _ending.is_set():
            hang_up()  # the signal came while it started
        try:
            program.communicate(given)  # a pager that is left before it has read all is no failure
            return program.wait()
        finally:
            _open.clear()


def edit_prompt(app: App[None], prompt: Prompt, directory: Path) -> Prompt:
    """Open $VISUAL or $EDITOR on a private file and read it back exactly; raises UsageError if that fails."""
    command = editor_command(os.environ)
    try:
        handle, name = tempfile.mkstemp(dir=directory, prefix="prompt-", suffix=".md")
        with os.fdopen(handle, "wb") as file:
            file.write(prompt_bytes(prompt))
    except OSError as error:
        raise UsageError(f"A file to edit could not be made in {directory}: {error.strerror}.") from None
    failed = run_in_front(app, [*command, name])
    # An editor ended by a signal may have saved before.
    return _read_back(Path(name), prompt, f"{command[0]} {failed}." if failed else "")


def _read_back(path: Path, prompt: Prompt, failed: str) -> Prompt:
    """The edited prompt, perhaps empty; the file stays only if its text would be lost."""
    sent, edited = prompt_bytes(prompt), prompt
    stays = f"The prompt is unchanged here; what you wrote is in {path}."
    try:
        written = read_regular(path, links=False, most=max(MAX_PROMPT_BYTES, len(sent)))
    except FileNotFoundError:
        written, failed = sent, failed or "The editor left no file."
    except OSError as error:
        raise UsageError(failed or f"Can't read what the editor left: {error.strerror}.", stays) from None
    try:
        edited = Prompt(written.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        failed = failed or "What the editor wrote is not a text in UTF-8."
    if failed and written != sent:
        raise UsageError(failed, stays)
    path.unlink(missing_ok=True)
    if failed:
        raise UsageError(failed, "The prompt is unchanged.")
    return edited


# delta, and less with F, would quit at once after a patch that fits on one screen.
_STAY = "-+F"
_KNOWN = (("delta", "--paging=always"), ("less", "-R", _STAY))


def pager() -> list[str]:
    """The command of the pager: $PAGER, else delta, else less; empty if there is none. As in git, `cat` is none."""
    words = command_words(os.environ.get("PAGER", ""))
    if words and os.path.basename(words[0]) == "less":
        words.append(_STAY)
    elif words == ["cat"]:
        words = []
    return words or next((list(command) for command in _KNOWN if shutil.which(command[0])), [])


def show_in_pager(app: App[Any], text: str) -> None:
    """Show a text in the pager, with hidden characters made visible; raises UsageError if that fails."""
    command = pager()
    if not command:
        raise UsageError("There is no pager.", "Set PAGER to one, such as less.")
    if failed := run_in_front(app, command, visible(text).encode()):
        raise UsageError(f"{command[0]} {failed}.", "Set PAGER to another pager.")
