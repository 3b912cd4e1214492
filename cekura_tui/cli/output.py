"""Print data to standard output and messages to standard error."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

import click

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.plain import can_encode
from cekura_tui.model.text import Prompt, clean, has_controls, json_text, prompt_bytes
from cekura_tui.ui.terminal.capabilities import is_terminal


def print_message(text: str) -> None:
    # A closed standard error must not stop the command.
    with contextlib.suppress(OSError):
        click.echo(clean(text), file=sys.stderr, err=True)


def print_error(error: CekuraTuiError) -> None:
    print_message(f"cekura-tui: {error.sentence()}")


def put(text: str = "") -> None:
    """Print data to standard output, without control characters and with a line end."""
    click.echo(clean(text), file=sys.stdout)  # without a file, click writes UTF-8 to an ASCII output


def put_json(value: object, indent: int | None = None) -> None:
    """Print a JSON value; escape control characters, and characters that the output's encoding lacks."""
    text = json_text(value, indent)
    if not can_encode(sys.stdout.encoding, text):
        text = json.dumps(json.loads(text), indent=indent)
    click.echo(text, file=sys.stdout)


def put_prompt(prompt: Prompt) -> None:
    """Print a prompt byte for byte to a pipe or file, or cleaned to a terminal."""
    if not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(prompt_bytes(prompt))
        sys.stdout.buffer.flush()
        return
    put(clean(prompt))
    warn_of_controls(prompt)


def put_changes(before: Prompt, after: Prompt) -> None:
    from cekura_tui.prose.compare import compare
    from cekura_tui.prose.lines import as_text

    put(as_text(compare(before, after)).rstrip("\n"))


def warn_of_controls(prompt: Prompt) -> None:
    if has_controls(prompt):
        print_message("Note: the prompt has control characters. Files keep them; the screen does not show them.")


def warn_of_key(whose: str) -> None:
    """Warn if the improved prompt contains a key. `whose` describes the key; it is empty if there is no key."""
    if whose:
        print_message(f"Note: the improved prompt contains {whose}.")


@contextlib.contextmanager
def printing(done: str = "") -> Iterator[None]:
    """Guard a block that prints a result: ignore a closed pipe, and turn other OSErrors of the output, which name no
    file, into CekuraTuiError. `done` is the hint of that error; it says what the command has done already."""
    try:
        yield
    except BrokenPipeError:
        discard(sys.stdout)
    except OSError as error:
        if error.filename is not None:
            raise
        discard(sys.stdout)
        raise CekuraTuiError(f"Can't write the output: {error.strerror or type(error).__name__}.", done) from None


def discard(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_output_closed() -> bool:
    """Whether standard output is closed, or the reader of its pipe has ended; checked without writing."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):
        return False  # replaced by an object without a file descriptor
    poll = select.poll()
    poll.register(output, 0)  # 0: report errors and hang-ups only
    return bool(poll.poll(0))


PROGRESS_INTERVAL = 3.0
"""Seconds between two progress messages of a long command."""


class ProgressLine:
    """Prints the progress of a long command on standard error, at most once in PROGRESS_INTERVAL seconds."""

    def __init__(self) -> None:
        self._shown_at = time.monotonic()

    def show(self, text: str) -> None:
        if time.monotonic() - self._shown_at >= PROGRESS_INTERVAL:
            self._shown_at = time.monotonic()
            print_message(text)


def stderr_is_terminal() -> bool:
    return is_terminal(sys.stderr, os.O_WRONLY)


def can_ask() -> bool:
    return is_terminal(sys.stdin, os.O_RDONLY) and stderr_is_terminal()


async def ask(question: str) -> str:
    """Ask at the terminal; return the typed line, trimmed and in lower case. Raises click.Abort after ctrl+d."""
    import asyncio

    click.echo(question, nl=False, err=True)
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        typed = b""
        with contextlib.suppress(OSError):  # the terminal was closed
            while not typed.endswith(b"\n") and (more := os.read(sys.stdin.fileno(), 4096)):
                typed += more
        loop.call_soon_threadsafe(line.set_result, typed.decode(errors="replace"))

    # A read in the main thread, as in input(), can miss a signal, and blocks even when a part of a line has come.
    threading.Thread(target=read, daemon=True).start()
    answer = await line
    if not answer.endswith("\n"):
        click.echo(err=True)
    if not answer:
        raise click.Abort
    return answer.strip().lower()


class Table:
    """Prints rows page by page below a header; each column is as wide as its widest cell so far."""

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
