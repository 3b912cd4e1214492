"""Run another program in the terminal while the app is suspended: the user's editor or pager."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App

from cekura_tui.config.own_file import read_regular
from cekura_tui.config.programs import command_words, editor_command, run_program
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import MAX_PROMPT_BYTES
from cekura_tui.model.text import Prompt, prompt_bytes, visible
from cekura_tui.ui.terminal.capabilities import output_terminal

T = TypeVar("T")


def run_in_front(app: App[Any], command: Sequence[str], stdin_data: bytes | None = None) -> str:
    """Run a command in the terminal, without the API key in its environment, and wait until it ends. Returns an error
    message. Returns "" if the command succeeded, or if a signal ended it, as when the connection is lost."""
    ended = lend_terminal(app, lambda: run_program(command, os.environ, data=stdin_data, quiet=False, in_front=True))
    return "" if ended.status is not None and ended.status < 0 else ended.failure


def lend_terminal(app: App[Any], work: Callable[[], T], title: str = "") -> T:
    """Suspend the app while `work` uses the terminal, for example to ask for a passphrase. Shows `title` meanwhile.
    Returns the result of `work`, or raises its error, or KeyboardInterrupt if the user stops the program."""
    failure: Exception | KeyboardInterrupt | None = None
    # ctrl+c is for the program only. A handler, because the program would inherit SIG_IGN.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    with app.suspend(), app.batch_update():
        try:
            _write(title.encode())
            done = work()
        except (Exception, KeyboardInterrupt) as error:  # raised inside `suspend`, it would leave the app suspended
            failure = error
        _write(b"\x1b[?1l\x1b>")  # cursor keys and keypad: a killed program may have left them changed
    signal.signal(signal.SIGINT, before)
    app.refresh()
    if failure is not None:
        raise failure
    return done


def _write(data: bytes) -> None:
    if terminal := output_terminal():
        with contextlib.suppress(OSError):
            os.write(terminal.fileno(), data)


def edit_prompt(app: App[None], prompt: Prompt, directory: Path) -> Prompt:
    """Edit a prompt in $VISUAL or $EDITOR and return the exact edited text; raises UsageError if editing fails."""
    command = editor_command(os.environ)
    try:
        handle, name = tempfile.mkstemp(dir=directory, prefix="prompt-", suffix=".md")
        with os.fdopen(handle, "wb") as file:
            file.write(prompt_bytes(prompt))
    except OSError as error:
        raise UsageError(f"Can't create a file to edit in {directory}: {error.strerror}.") from None
    failure = run_in_front(app, [*command, name])
    # Read it also after a failure: the editor may have saved before.
    return _read_back(Path(name), prompt, f"{command[0]} {failure}." if failure else "")


def _read_back(path: Path, prompt: Prompt, failure: str) -> Prompt:
    """The edited prompt, which may be empty; deletes the file. Raises UsageError with `failure`, if given, or if the
    file cannot be used. The file is kept if an error would lose the edited text."""
    sent, edited = prompt_bytes(prompt), prompt
    hint = f"The prompt is unchanged here; your text is in {path}."
    try:
        written = read_regular(path, links=False, most=max(MAX_PROMPT_BYTES, len(sent)))
    except FileNotFoundError:
        written, failure = sent, failure or "The editor deleted the file."
    except OSError as error:
        raise UsageError(failure or f"Can't read the edited file: {error.strerror}.", hint) from None
    try:
        edited = Prompt(written.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        failure = failure or "The edited file is not UTF-8 text."
    if failure and written != sent:
        raise UsageError(failure, hint)
    path.unlink(missing_ok=True)
    if failure:
        raise UsageError(failure, "The prompt is unchanged.")
    return edited


# Without these options, delta and less may quit at once if the text fits on one screen.
_NO_AUTO_QUIT = "-+F"
_PAGERS = (("delta", "--paging=always"), ("less", "-R", _NO_AUTO_QUIT))


def pager() -> list[str]:
    """The pager's command: $PAGER, unless it is `cat`; else delta, else less. Empty if no pager is installed."""
    words = command_words(os.environ.get("PAGER", ""))
    if words and os.path.basename(words[0]) == "less":
        words.append(_NO_AUTO_QUIT)
    elif words == ["cat"]:
        words = []
    return words or next((list(command) for command in _PAGERS if shutil.which(command[0])), [])


def show_in_pager(app: App[Any], text: str) -> None:
    """Show a text in the pager, with hidden characters made visible. Raises UsageError if there is none or it fails."""
    command = pager()
    if not command:
        raise UsageError("There is no pager.", "Set PAGER to one, such as less.")
    if failure := run_in_front(app, command, visible(text).encode()):
        raise UsageError(f"{command[0]} {failure}.", "Set PAGER to another pager.")
