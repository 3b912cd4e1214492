"""Files that a person has something written to: whole or not at all, and never over another unasked."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cekura_tui.config.paths import expand
from cekura_tui.config.whole_file import output_file
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean

_UNSAFE = re.compile(r"[^\w.-]+")
_NAME_BYTES = 120


class AlreadyThere(UsageError):
    """A file of that name exists, and nobody said that it may be overwritten."""

    title = "A file is there already"


def safe_name(text: str, ending: str) -> str:
    """A file's name of letters, digits, `-`, `_` and `.`, whatever the text; `ending` with its dot is kept whole."""
    name = _UNSAFE.sub("-", clean(text)).strip(".-")
    name = name.encode()[: _NAME_BYTES - len(ending.encode())].decode(errors="ignore").rstrip(".-")
    return f"{name or 'unnamed'}{ending}"


def check_output(name: str, *, force: bool) -> Path:
    """Where something is to be written; raises UsageError before anything else is done, also AlreadyThere."""
    path = expand(name)
    try:
        # What is written is the file that a link leads to.
        target = path.resolve()
        folder = target.parent
        if target.is_symlink():  # some versions of Python give a loop back instead of raising
            raise _loop(name)
        if path.is_dir() or name.endswith(os.sep):
            raise UsageError(f"{name or 'The name of the file'} is a directory.", "Name a file in it.")
        if not folder.is_dir():
            raise UsageError(f"There is no directory {folder}.", "Make it first, or name another.")
        if target.exists() and not force:
            raise _exists(name)
        if target.exists() and not target.is_file():
            raise UsageError(f"{name} is no ordinary file.", "Name a file.")
        if target.exists() and not os.access(target, os.W_OK):
            raise UsageError(f"{name} may not be written to.", "Name another file, or change its rights.")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"{folder} cannot be written to.", "Name another directory.")
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}.", "Name another file.") from None
    except ValueError:
        raise UsageError(f"{name} is no name that a file can have.", "Name another file.") from None
    except RuntimeError:
        raise _loop(name) from None
    return path


def _loop(name: str) -> UsageError:
    return UsageError(f"{name} is a link that leads to itself.", "Name another file.")


def _exists(name: object) -> AlreadyThere:
    return AlreadyThere(f"{name} exists already.", "Overwrite it with --force, or name another file.")


def write_text(path: Path, text: str, *, force: bool = True) -> None:
    """Write a text as UTF-8 with a line end at its end; raises as `write_output`."""
    write_output(path, (text if text.endswith("\n") else f"{text}\n").encode(errors="replace"), force=force)


def write_output(path: Path, data: bytes, *, force: bool = True, kept: str = "") -> None:
    """Write the whole file or none of it; raises UsageError, which also tells what is `kept`.

    Without `force` a file that has come to be there since `check_output` is left alone: AlreadyThere.
    """
    try:
        with output_file(path, force=force) as file:
            file.write(data)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}.", kept) from None
