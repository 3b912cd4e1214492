"""Check the terminal: size, colours, encoding, clipboard, and its answers to queries."""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cekura_tui.doctor.check import Check, Status
from cekura_tui.doctor.multiplexer import check_multiplexer
from cekura_tui.model.text import clean_line
from cekura_tui.ui.terminal.capabilities import Capabilities, Multiplexer, is_terminal, read_capabilities
from cekura_tui.ui.terminal.clipboard import copy_methods, describe, probe

PATIENCE = 2.0
"""Seconds to wait for the terminal's answers."""
GOOD_COLUMNS, GOOD_LINES = 80, 24
"""Smallest size of the terminal, in columns and lines, at which the app shows everything."""
SYNCHRONIZED, FOCUS = 2026, 1004
"""DEC private modes: synchronized output, and focus events."""
# XTVERSION, DECRQM for both modes, and DA1: every terminal answers DA1, so its answer is the last one.
_QUERIES = f"\x1b[>0q\x1b[?{SYNCHRONIZED}$p\x1b[?{FOCUS}$p\x1b[c".encode()
_CLEAR_LINE = b"\r\x1b[K"
"""Erases the line, which shows the query if the terminal does not understand the query."""
_NAME = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
_MODE = re.compile(rb"\x1b\[\?(\d+);(\d)\$y")
_DA1_ANSWER = re.compile(rb"\x1b\[\?[\d;]*c")

_NO_CLIPBOARD = "Save to a file instead, or install wl-copy, xclip or xsel where there is a display."


@dataclass(frozen=True, slots=True)
class TerminalAnswers:
    """The terminal's name (empty if unknown), whether it supports each mode, and whether all answers arrived."""

    name: str = ""
    modes: Mapping[int, bool] = field(default_factory=dict)
    complete: bool = False


def ask_terminal(read_from: int, write_to: int, within: float = PATIENCE) -> TerminalAnswers:
    """Query the terminal and read its answers for at most `within` seconds. The terminal's modes are restored, and no
    answers are left in the input. Raises OSError or termios.error if `read_from` is not a terminal."""
    before = termios.tcgetattr(read_from)
    got, complete = b"", False
    try:
        tty.setcbreak(read_from, termios.TCSADRAIN)
        os.write(write_to, _QUERIES)
        end = time.monotonic() + within
        while not complete and (left := end - time.monotonic()) > 0:
            if select.select([read_from], [], [], left)[0]:
                piece = os.read(read_from, 4096)
                if not piece:
                    break
                got += piece
                complete = _DA1_ANSWER.search(got) is not None
    finally:
        # Discard late answers; once the last one is read, all further input was typed.
        termios.tcsetattr(read_from, termios.TCSADRAIN if complete else termios.TCSAFLUSH, before)
        os.write(write_to, _CLEAR_LINE)
    name = _NAME.search(got)
    # 0: unknown mode; 4: cannot be set.
    modes = {int(mode): state in (b"1", b"2", b"3") for mode, state in _MODE.findall(got)}
    return TerminalAnswers(clean_line(name[1].decode("utf-8", "replace"), 80) if name else "", modes, complete)


def check_terminal(env: Mapping[str, str]) -> Iterator[Check]:
    yield from _terminal_and_size(env)
    capabilities = read_capabilities(env, getattr(sys.stdout, "encoding", None) or "ascii")
    yield from _display(capabilities)
    if capabilities.over_ssh:
        yield Check("terminal", "connection", "ok", "over SSH")
    if _on_terminal() and _in_foreground() and env.get("TERM", "dumb") not in ("", "dumb"):
        answers = ask_terminal(sys.stdin.fileno(), sys.stdout.fileno())
        yield from _answers(answers, capabilities.multiplexer)
    yield from check_multiplexer(capabilities.multiplexer, env)
    if _on_terminal():
        yield from _clipboard(env)


def _clipboard(env: Mapping[str, str]) -> Iterator[Check]:
    """Report how copies reach the clipboard. If the clipboard can be read back, also report whether a copy arrived."""
    methods = copy_methods(env)
    status: Status = "ok" if methods else "warning"
    yield Check("terminal", "clipboard", status, describe(methods), "" if methods else _NO_CLIPBOARD)
    if methods:
        works, words = probe(methods, env)
        advice = "Copies are also saved to a file, which the message names." if works is False else ""
        yield Check("terminal", "copying", "warning" if works is False else "ok", words, advice)


def _on_terminal() -> bool:
    return is_terminal(sys.stdin, os.O_RDONLY) and is_terminal(sys.stdout, os.O_WRONLY)


def _in_foreground() -> bool:
    """Whether the terminal may be queried: a background process is stopped if it changes the terminal's modes."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return True  # no job control


def _terminal_and_size(env: Mapping[str, str]) -> Iterator[Check]:
    if not _on_terminal():
        found = "input or output is not a terminal, so size and answers were not checked"
        yield Check("terminal", "terminal", "warning", found, "Run `cekura-tui doctor` in the terminal you work in.")
        return
    term = clean_line(env.get("TERM", ""), 60)
    advice = "Set TERM, for example to xterm-256color." if term in ("", "dumb") else ""
    yield Check("terminal", "TERM", "failure" if advice else "ok", term or "not set", advice)
    yield _size(*os.get_terminal_size(sys.stdout.fileno()))


def _size(columns: int, lines: int) -> Check:
    from cekura_tui.ui.terminal.cells import MIN_SIZE

    status: Status = "ok"
    advice = ""
    if columns < MIN_SIZE.width or lines < MIN_SIZE.height:
        status, advice = "failure", f"Enlarge the window: the app needs {MIN_SIZE.width} × {MIN_SIZE.height}."
    elif columns < GOOD_COLUMNS or lines < GOOD_LINES:
        status, advice = "warning", f"{GOOD_COLUMNS} × {GOOD_LINES} or more shows everything."
    return Check("terminal", "size", status, f"{columns} × {lines}", advice)


def _display(capabilities: Capabilities) -> Iterator[Check]:
    colours = {"none": "none", "16": "16", "256": "256", "truecolor": "true colours"}[capabilities.colours]
    few = capabilities.colours == "16"
    advice = "If the terminal has more, set TERM to a name that ends in -256color." if few else ""
    yield Check("terminal", "colours", "warning" if few else "ok", f"{colours} ({capabilities.colours_why})", advice)
    found = f"{capabilities.encoding} ({capabilities.encoding_why})"
    without = "Letters outside ASCII are replaced. Set a UTF-8 locale, for example LC_ALL=C.UTF-8."
    advice = "" if capabilities.utf8 else without
    yield Check("terminal", "encoding", "warning" if advice else "ok", found, advice)
    blanks = "erased in their colour" if capabilities.background_erase else "written as spaces"
    yield Check("terminal", "blank cells", "ok", f"{blanks} ({capabilities.background_erase_why})")


def _answers(answers: TerminalAnswers, within: Multiplexer) -> Iterator[Check]:
    if answers.name:
        yield Check("terminal", "program", "ok", answers.name)
    if not answers.complete:
        found = f"the terminal did not answer within {PATIENCE:g} s"
        yield Check("terminal", "answers", "warning", found, "On a slow connection, try again.")
    modes = [(SYNCHRONIZED, "synchronized output", "A large change may be seen half drawn.")]
    if not within:  # `check_multiplexer` reports these for tmux and screen
        modes.append((FOCUS, "focus events", "Without them, two minutes without a key count as away."))
    for mode, name, without in modes:
        if answers.modes.get(mode):
            yield Check("terminal", name, "ok", f"supported (mode {mode})")
        else:
            found = "not supported" if mode in answers.modes else "the terminal does not say"
            yield Check("terminal", name, "warning", f"{found} (mode {mode})", without)
