"""A key, a signal or a closed terminal ends the program promptly on any screen and damages nothing."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from examples import nightly
from terminal import Start, Terminal

LIMIT = 5.0
"""Maximum seconds from the signal to the end of the process; half the timeout of a request."""
HUP, TERM, INT = signal.SIGHUP, signal.SIGTERM, signal.SIGINT
EDITOR = """#!/bin/sh
echo "typed in the editor" > "$1"
echo EDITING
exec sleep 60
"""
PAGER = """#!/bin/sh
stty -echo -icanon
echo PAGING
exec sleep 60
"""

# For each place: steps of keys and the text that they show.
Path_ = Sequence[tuple[Sequence[str], str]]
SUGGESTION: Path_ = [(["2"], "Job 4"), (["j"], "Job 3"), (["enter"], "· 1 of 2")]
PLACES: dict[str, Path_] = {
    "runs": [],
    "a run": [(["j", "j", "enter"], "Run 900238")],
    "jobs": [(["2"], "Job 4")],
    "a job": [(["2"], "Job 4"), (["d"], "Server ID")],
    "a suggestion": SUGGESTION,
    "the improve dialog": [(["j", "j", "i"], "792 words")],
    "the editor": [(["j", "j", "i"], "792 words"), (["\x05"], "EDITING")],
    "the project picker": [(["p"], "Northgrid")],
    "the hand-off": [*SUGGESTION, (["y"], "Copy or save the prompt")],
    "the pager": [*SUGGESTION, (["y"], "Open patch in pager"), (["tab"] * 4 + ["enter"], "PAGING")],
    "a question": [(["2"], "Job 4"), (["D"], "Delete job 4")],
    "the keys": [(["?"], "Keys · Runs")],
    "the palette": [(["\x10"], "type to find one")],
}


def by_signal(number: signal.Signals) -> Callable[[Terminal], int]:
    def die(terminal: Terminal) -> int:
        terminal.process.send_signal(number)
        return 128 + number

    return die


def by_closing(terminal: Terminal) -> int:
    terminal.close()
    return 128 + HUP


DEATHS: dict[str, tuple[Callable[[Terminal], int], dict[str, Any]]] = {
    "TERM": (by_signal(TERM), {}),
    "HUP": (by_signal(HUP), {}),
    "INT": (by_signal(INT), {}),
    "a closed terminal": (by_closing, {}),
    "a closed terminal with HUP ignored": (by_closing, {"ignoring": [HUP]}),
}


@pytest.fixture
def opened(start: Start, home: Path, prepared: Path, tmp_path: Path) -> Callable[..., Terminal]:
    """A function that starts the app on a copy of the prepared directory and goes to a place of `PLACES`."""
    shutil.copytree(prepared / "demo", home)
    programs = {name: tmp_path / name for name in ("editor", "pager")}
    for file, text in zip(programs.values(), (EDITOR, PAGER), strict=True):
        file.write_text(text)
        file.chmod(0o755)
    own = {name.upper(): str(file) for name, file in programs.items()}

    def at(place: str, **options: Any) -> Terminal:
        terminal = start("--demo", env=own, **options).wait("240 runs", "900238")
        for keys, seen in PLACES[place]:
            terminal.press(*keys).wait(seen)
        return terminal

    return at


def assert_ends_in_time(terminal: Terminal, status: int) -> None:
    """Check that the process ends within LIMIT seconds, with this status."""
    began = time.monotonic()
    assert terminal.ended() == status
    assert time.monotonic() - began < LIMIT


def assert_database_is_sound(home: Path) -> None:
    """Check that the database is intact and has all four jobs."""
    with contextlib.closing(sqlite3.connect(home / "demo" / "cekura.db")) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert sql.execute("SELECT count(*) FROM jobs WHERE state != 'draft'").fetchone()[0] == 4


ENDS_ALL = [death for death in DEATHS if death not in ("TERM", "INT")]
CASES = [*((place, "TERM") for place in PLACES), *product(("the editor", "the pager"), ENDS_ALL)]
"""Pairs of a place and an end: SIGTERM in every place; in editor and pager also SIGHUP and a closed terminal. Ctrl+c is
left out for editor and pager, because these programs handle ctrl+c themselves."""
FIRST = [*(("runs", death) for death in DEATHS), ("the editor", "HUP"), ("the pager", "a closed terminal")]


@pytest.mark.parametrize(("place", "death"), [*FIRST, *(nightly(*case) for case in CASES if case not in FIRST)])
def test_a_signal_or_a_closed_terminal_ends_the_program_and_keeps_the_database_sound(
    opened: Callable[..., Terminal], home: Path, place: str, death: str
) -> None:
    die, options = DEATHS[death]
    terminal = opened(place, **options)
    assert_ends_in_time(terminal, die(terminal))
    if die is not by_closing:
        terminal.assert_restored()
    assert_database_is_sound(home)


@pytest.mark.parametrize("death", ["a closed terminal", *(nightly(one) for one in ("TERM", "HUP"))])
def test_a_closed_terminal_or_a_signal_ends_the_program_during_the_sign_in(start: Start, death: str) -> None:
    die, options = DEATHS[death]
    terminal = start(**options).wait("API key", "Sign in")
    assert_ends_in_time(terminal, die(terminal))
    if die is not by_closing:
        terminal.assert_restored()


@pytest.mark.parametrize("death", ["a closed terminal with HUP ignored", nightly("TERM")])
def test_text_written_in_an_editor_survives_the_end_of_the_program(
    opened: Callable[..., Terminal], start: Start, death: str
) -> None:
    die, options = DEATHS[death]
    terminal = opened("the editor", **options)
    assert_ends_in_time(terminal, die(terminal))
    again = start("--demo").wait("240 runs", "900238")
    again.press("j", "j", "i").wait("typed in the editor")


def test_ctrl_c_says_how_to_quit_and_ctrl_q_quits_from_a_dialog(start: Start) -> None:
    terminal = start("--demo", columns=80, lines=24).wait("240 runs", "900238")
    terminal.press("ctrl+c")
    terminal.wait("Press q").press("j", "j", "i")
    terminal.wait("792 words").press("ctrl+q")
    assert terminal.ended() == 0
    terminal.assert_restored()
