"""Prompts from and to files: exactly, byte for byte."""

from __future__ import annotations

import sys
from pathlib import Path

from cekura_tui.config.paths import expand
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import MAX_PROMPT_BYTES
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.workspace.text_files import check_output, write_output

__all__ = ["check_output", "check_prompt", "read_prompt_file", "source_of", "write_prompt"]


def check_prompt(prompt: str, named: str = "The prompt") -> Prompt:
    """A prompt that can be sent; raises UsageError for a blank or an oversized one."""
    if not prompt.strip():
        raise UsageError(f"{named} is blank.", "Give the agent's prompt: a file, or the one it has now.")
    size = len(prompt_bytes(prompt))
    if size > MAX_PROMPT_BYTES:
        raise UsageError(f"{named} is {size:,} bytes; up to {MAX_PROMPT_BYTES:,} are taken.", "Shorten it.")
    return Prompt(prompt)


def read_prompt_file(name: str, *, ordinary: bool = False) -> Prompt:
    """The exact text of a file, `-` being standard input; raises UsageError.

    With `ordinary` only a regular file is read, so that nobody waits for a pipe or a terminal.
    """
    piped = name == "-" and not ordinary
    shown = "standard input" if piped else name
    path = expand(name)
    try:
        if piped:
            if sys.stdin is None:
                raise UsageError("There is no standard input.", "Name the file that holds the prompt.")
            raw = sys.stdin.buffer.read(MAX_PROMPT_BYTES + 1)
        elif ordinary and path.exists() and not path.is_file() and not path.is_dir():
            raise UsageError(f"{shown} is no ordinary file.", "Name the file that holds the prompt.")
        elif path.is_dir():
            raise UsageError(f"{shown} is a directory.", "Name the file that holds the prompt.")
        else:
            with path.open("rb") as file:
                raw = file.read(MAX_PROMPT_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"There is no file {shown}.", "Name the file that holds the prompt, or - .") from None
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise UsageError(f"{shown} is no name that a file can have.", "Name the file that holds the prompt.") from None
    if len(raw) > MAX_PROMPT_BYTES:
        raise UsageError(f"{shown} is over {MAX_PROMPT_BYTES:,} bytes.", "Is it the right file? Shorten it.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UsageError(f"{shown} is not a text file in UTF-8.", "Name the file that holds the prompt.")
    return check_prompt(text, shown)


def source_of(name: str) -> str:
    """A file as a person names it, as a job's `prompt_source` names it: the same from whatever directory.

    It is exact, whatever is in it, bytes that are no UTF-8 too (as surrogates): whoever shows it cleans it.
    """
    try:
        path = expand(name)
        return str(path.parent.resolve() / path.name)
    except (OSError, ValueError, RuntimeError, UsageError):
        return name


def write_prompt(path: Path, prompt: Prompt, *, force: bool = True) -> None:
    """Write a prompt exactly, the whole file or none of it; raises UsageError.

    Without `force` a file that has come to be there since `check_output` is left alone.
    """
    write_output(path, prompt_bytes(prompt), force=force, kept="The suggestion is kept.")
