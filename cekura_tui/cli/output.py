"""Printing: data on standard output, messages on standard error."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

import click

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.plain import can_encode
from cekura_tui.model.text import Prompt, clean, has_controls, json_text, prompt_bytes


def print_message(text: str) -> None:
    # A closed standard error must not end the work.
    with contextlib.suppress(OSError):
        click.echo(clean(text), file=sys.stderr, err=True)


def complain(error: CekuraTuiError) -> None:
    print_message(f"cekura-tui: {error.sentence()}")


def put(text: str = "") -> None:
    """Print lines of data without control characters."""
    click.echo(clean(text), file=sys.stdout)  # without a file, click writes UTF-8 to an ASCII output


def put_json(value: object, indent: int | None = None) -> None:
    """Print one JSON object, with control characters and what the output's encoding lacks escaped."""
    text = json_text(value, indent)
    if sys.stdout is not None and not can_encode(sys.stdout.encoding, text):
        text = json.dumps(json.loads(text), indent=indent)
    click.echo(text, file=sys.stdout)


def put_prompt(prompt: Prompt) -> None:
    """A prompt: exact into a pipe or a file, cleaned on a terminal; raises UsageError where there is no output."""
    check_output_there("prompt")
    if not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(prompt_bytes(prompt))
        sys.stdout.buffer.flush()
        return
    put(clean(prompt))
    warn_of_controls(prompt)


def put_changes(before: Prompt, after: Prompt) -> None:
    """What changed between two prompts, with marked words."""
    from cekura_tui.prose.compare import compare
    from cekura_tui.prose.lines import as_text

    put(as_text(compare(before, after)).rstrip("\n"))


def warn_of_controls(prompt: Prompt) -> None:
    """Say so if a prompt holds control characters, which drawing hides."""
    if has_controls(prompt):
        print_message("Note: the prompt has control characters. Files keep them; the screen does not show them.")


def warn_of_key(whose: str) -> None:
    """Say so if an improved prompt contains an API key; `whose` is what that is called, empty where there is none."""
    if whose:
        print_message(f"Note: the improved prompt contains {whose}.")


@contextlib.contextmanager
def printing(done: str = "") -> Iterator[None]:
    """Print a result; a closed pipe ends the printing quietly. Other errors raise CekuraTuiError, with what was
    `done`."""
    try:
        yield
    except BrokenPipeError:
        discard(sys.stdout)
    except OSError as error:
        discard(sys.stdout)
        raise CekuraTuiError(f"Can't write the output: {error.strerror or type(error).__name__}.", done) from None


def discard(stream: TextIO | None) -> None:
    """Drop what is still buffered."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_unread() -> bool:
    """Whether standard output is closed at its other end, which is otherwise noticed only by writing."""
    if sys.stdout is None:
        return True
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):
        return False  # it is no file of the system's
    poll = select.poll()
    poll.register(output, 0)  # no events asked for: only a closed other end is reported
    return bool(poll.poll(0))


def is_watched() -> bool:
    """Whether messages go to a terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:
        return False  # it was closed


def can_ask() -> bool:
    """Whether a question can be asked and answered at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and is_watched()


def check_output_there(what: str) -> None:
    """Raise UsageError where standard output is closed: data would be lost silently."""
    if sys.stdout is None:
        raise UsageError("Standard output is closed.", f"Send the {what} to a file or a pipe.")


class Table:
    """Prints rows below a header, page by page, with columns as wide as their widest cell so far."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header: list[Sequence[str]] = [header]
        self._widths = [0] * len(header)

    def put(self, rows: Iterable[Sequence[str]]) -> None:
        lines = [*self._header, *rows]
        self._header.clear()
        for line in lines:
            self._widths = [max(width, len(cell)) for width, cell in zip(self._widths, line, strict=True)]
        for line in lines:
            put("  ".join(cell.ljust(width) for cell, width in zip(line, self._widths, strict=True)).rstrip())


def put_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    Table(header).put(rows)
