"""The doctor in a terminal, in tmux and in GNU screen reports its findings and reads all answers of the terminal."""

from __future__ import annotations

import sys

import pytest
from multiplexers import NEEDS_SCREEN, NEEDS_TMUX, Screen, Tmux
from terminal import Start, Terminal

SCRIPT = f'{sys.executable} -m cekura_tui doctor --offline; echo "status $?"; cat'
"""Runs the doctor and prints its exit status; then `cat` shows any input that the doctor left unread."""
SHELL = ("sh", "-c", SCRIPT)


def test_doctor_reports_the_size_and_answers_of_the_terminal(surroundings: dict[str, str]) -> None:
    with Terminal(env=surroundings, command=SHELL, columns=100, lines=50) as terminal:
        terminal.wait("TERM: xterm-256color", "size: 100 × 50", "colours: true colours", "encoding: utf-8")
        terminal.wait("the terminal did not answer within 2 s", "synchronized output: supported", "status 1")
        terminal.wait("warning  focus events: the terminal does not say (mode 1004)")
        terminal.press("x\r").wait("x\nx")
        assert b"2026;1$y" not in terminal.raw  # neither echoed nor left for the shell


def test_doctor_in_the_background_does_not_query_the_terminal(surroundings: dict[str, str]) -> None:
    script = f"set -m; {sys.executable} -m cekura_tui doctor --offline & wait; echo over"
    with Terminal(env=surroundings, command=("sh", "-c", script), columns=100, lines=50) as terminal:
        terminal.wait("size: 100 × 50", "Versions", "over")
        assert b"\x1b[c" not in terminal.raw


@pytest.mark.parametrize("found", ["failure  size: 59 × 40", "warning  size: 79 × 40", "ok       size: 80 × 40"])
def test_doctor_warns_about_a_small_terminal_and_fails_for_a_tiny_terminal(start: Start, found: str) -> None:
    terminal = start("doctor", "--offline", columns=int(found.split()[2]), lines=40)
    terminal.until(lambda: found.encode() in terminal.raw, found)


@NEEDS_TMUX
def test_doctor_names_lines_missing_from_a_default_tmux_config(surroundings: dict[str, str]) -> None:
    with Tmux(env=surroundings, command=SHELL, columns=150, lines=60) as tmux:
        tmux.wait("tmux set-clipboard: external", "status ")
        tmux.wait("ok       clipboard: tmux", "ok       copying: a test text was copied and read back")
        assert tmux.buffer == b""  # the test text is neither kept nor sent to the outer terminal
        assert b"\x1b]52" not in tmux.outer.raw
        tmux.wait("warning  tmux allow-passthrough: off", "Add to ~/.tmux.conf: set -g allow-passthrough on")
        tmux.wait("warning  tmux focus-events: off", "Add to ~/.tmux.conf: set -g focus-events on")
        tmux.wait('Add to ~/.tmux.conf: set -g default-terminal "tmux-256color"')
        tmux.wait('set -as terminal-features ",xterm-256color:RGB"')


@NEEDS_TMUX
def test_doctor_finds_no_problem_in_a_complete_tmux_config(surroundings: dict[str, str]) -> None:
    config = """
        set -g allow-passthrough on
        set -g focus-events on
        set -g default-terminal "tmux-256color"
        set -as terminal-features ",xterm-256color:RGB"
    """
    with Tmux(env=surroundings, command=SHELL, columns=150, lines=60, config=config) as tmux:
        tmux.wait("ok       tmux allow-passthrough: on", "ok       tmux focus-events: on", "status ")
        tmux.wait("ok       tmux default-terminal: tmux-256color", "ok       tmux true colours: passed on")
        assert "tmux.conf" not in tmux.text
        assert "focus events" not in tmux.text


@NEEDS_SCREEN
def test_doctor_says_what_gnu_screen_does_not_support(surroundings: dict[str, str]) -> None:
    with Screen(env=surroundings, command=SHELL, columns=150, lines=60) as screen:
        screen.wait("GNU screen passes on no true colours, focus events or synchronized output", "status ")
