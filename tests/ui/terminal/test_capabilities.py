"""What a terminal can do, read from its environment."""

from __future__ import annotations

import pytest

from cekura_tui.ui.terminal.capabilities import (
    Colours,
    read_background_erase,
    read_capabilities,
    read_colours,
    read_encoding,
    read_escape_delay,
)

_FULL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
_SCREEN = {"STY": "1.pts-0.host"}
_TMUX = {"TMUX": "/tmp/tmux-0/default,1,0", "TERM_PROGRAM": "tmux"}


@pytest.mark.parametrize(
    ("env", "colours", "why"),
    [
        (_FULL, "truecolor", "COLORTERM is truecolor"),
        ({**_FULL, "COLORTERM": "24bit"}, "truecolor", "COLORTERM is 24bit"),
        ({**_FULL, "COLORTERM": "gnome-terminal"}, "256", "TERM is xterm-256color without COLORTERM"),
        ({"TERM": "xterm-256color"}, "256", "TERM is xterm-256color without COLORTERM"),
        ({"TERM": "xterm"}, "16", "TERM is xterm"),
        ({"TERM": "xterm-color"}, "16", "TERM is xterm-color"),
        ({"TERM": "xterm-16color"}, "16", "TERM is xterm-16color"),
        ({"TERM": "ansi"}, "16", "TERM is ansi"),
        ({}, "16", "TERM is not set"),
        ({"TERM": "linux"}, "16", "TERM is linux"),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, "16", "TERM is linux"),
        ({"TERM": "vt100"}, "none", "TERM is vt100"),
        ({"TERM": "vt220"}, "none", "TERM is vt220"),
        ({"TERM": "xterm-mono"}, "none", "TERM is xterm-mono"),
        # Over SSH these come without COLORTERM.
        ({"TERM": "xterm-kitty"}, "truecolor", "TERM is xterm-kitty"),
        ({"TERM": "xterm-ghostty"}, "truecolor", "TERM is xterm-ghostty"),
        ({"TERM": "alacritty"}, "truecolor", "TERM is alacritty"),
        ({"TERM": "wezterm"}, "truecolor", "TERM is wezterm"),
        ({"TERM": "foot-extra"}, "truecolor", "TERM is foot-extra"),
        ({"TERM": "xterm-direct"}, "truecolor", "TERM is xterm-direct"),
        ({**_FULL, "TERM_PROGRAM": "Apple_Terminal"}, "256", "TERM_PROGRAM is Apple_Terminal"),
        ({**_FULL, **_SCREEN, "TERM": "screen"}, "16", "screen, TERM is screen, COLORTERM is ignored"),
        (
            {**_FULL, **_SCREEN, "TERM": "screen.xterm-256color"},
            "256",
            "screen, TERM is screen.xterm-256color, COLORTERM is ignored",
        ),
        ({**_SCREEN, "TERM": "screen-256color"}, "256", "screen, TERM is screen-256color"),
        ({**_TMUX, "TERM": "screen"}, "256", "tmux without COLORTERM"),
        ({**_TMUX, "TERM": "tmux-256color"}, "256", "tmux without COLORTERM"),
        ({**_TMUX, **_FULL, "TERM": "tmux-256color"}, "truecolor", "tmux, COLORTERM is truecolor"),
        # tmux in screen, and screen in tmux: the inner one counts.
        ({**_TMUX, **_SCREEN, **_FULL, "TERM": "tmux-256color"}, "truecolor", "tmux, COLORTERM is truecolor"),
        (
            {**_TMUX, **_SCREEN, **_FULL, "TERM": "screen.tmux-256color", "TERM_PROGRAM": ""},
            "256",
            "screen, TERM is screen.tmux-256color, COLORTERM is ignored",
        ),
        ({**_TMUX, **_SCREEN, **_FULL, "TERM": "screen"}, "16", "screen, TERM is screen, COLORTERM is ignored"),
        ({**_FULL, "NO_COLOR": "1"}, "none", "NO_COLOR is set"),
        ({**_FULL, "NO_COLOR": ""}, "truecolor", "COLORTERM is truecolor"),
        ({**_FULL, "TEXTUAL_COLOR_SYSTEM": "256"}, "256", "TEXTUAL_COLOR_SYSTEM is 256"),
        ({"TERM": "linux", "TEXTUAL_COLOR_SYSTEM": "truecolor"}, "truecolor", "TEXTUAL_COLOR_SYSTEM is truecolor"),
        ({**_SCREEN, "TERM": "screen", "TEXTUAL_COLOR_SYSTEM": "standard"}, "16", "TEXTUAL_COLOR_SYSTEM is standard"),
        ({**_FULL, "TEXTUAL_COLOR_SYSTEM": "auto"}, "truecolor", "COLORTERM is truecolor"),
        ({**_FULL, "TEXTUAL_COLOR_SYSTEM": "many"}, "truecolor", "COLORTERM is truecolor"),
        ({"NO_COLOR": "1", "TEXTUAL_COLOR_SYSTEM": "256"}, "none", "NO_COLOR is set"),
    ],
)
def test_the_colours_of_a_terminal(env: dict[str, str], colours: Colours, why: str) -> None:
    assert read_colours(env) == (colours, why)


@pytest.mark.parametrize(
    ("env", "python", "encoding", "why"),
    [
        ({"LANG": "en_US.UTF-8"}, "utf-8", "utf-8", "LANG is en_US.UTF-8"),
        ({"LANG": "C.utf8"}, "UTF-8", "utf-8", "LANG is C.utf8"),
        ({"LC_CTYPE": "UTF-8"}, "utf-8", "utf-8", "LC_CTYPE is UTF-8"),
        ({}, "utf-8", "utf-8", "no locale is set"),
        ({"LC_CTYPE": "C.UTF-8"}, "utf-8", "utf-8", "LC_CTYPE is C.UTF-8"),  # no locale, as Python changes it
        ({"LANG": "en_US"}, "utf-8", "utf-8", "LANG is en_US"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", "ascii", "LANG is C"),  # LANG=C, as Python changes it
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, "utf-8", "ascii", "LC_ALL is C"),
        ({"LC_ALL": "POSIX"}, "utf-8", "ascii", "LC_ALL is POSIX"),
        ({"LC_ALL": "C"}, "ANSI_X3.4-1968", "ascii", "LC_ALL is C"),
        ({"LANG": "en_US.ISO-8859-1"}, "iso-8859-1", "iso8859-1", "LANG is en_US.ISO-8859-1"),
        # A locale that is not installed: Python takes UTF-8, and may put that into its environment.
        ({"LANG": "en_US.ISO-8859-1", "LC_CTYPE": "C.UTF-8"}, "utf-8", "ascii", "LANG is en_US.ISO-8859-1"),
        ({"LANG": "en_US.ISO-8859-1"}, "utf-8", "ascii", "LANG is en_US.ISO-8859-1"),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, "utf-8", "ascii", "LANG is de_DE.ISO-8859-15@euro"),
        ({"LANG": "de_DE@euro"}, "iso8859-15", "iso8859-15", "LANG is de_DE@euro"),
        ({"LANG": "C", "PYTHONUTF8": "1"}, "utf-8", "utf-8", "Python is set to UTF-8"),
        ({"LANG": "C", "PYTHONIOENCODING": "utf8:replace"}, "utf-8", "utf-8", "Python is set to UTF-8"),
    ],
)
def test_the_encoding_of_a_terminal(env: dict[str, str], python: str, encoding: str, why: str) -> None:
    assert read_encoding(env, python) == (encoding, why)


def test_capabilities_are_read_together() -> None:
    env = {**_TMUX, "TERM": "tmux-256color", "SSH_TTY": "/dev/pts/1", "LANG": "C"}
    found = read_capabilities(env, "utf-8")
    assert (found.multiplexer, found.over_ssh, found.colours, found.encoding) == ("tmux", True, "256", "ascii")
    assert not found.utf8


@pytest.mark.parametrize(
    ("env", "erases", "why"),
    [
        ({"TERM": "xterm-256color"}, True, "TERM is xterm-256color"),
        ({"TERM": "xterm-kitty"}, True, "TERM is xterm-kitty"),
        ({"TERM": "linux"}, True, "TERM is linux"),
        ({"TERM": "foot-extra"}, True, "TERM is foot-extra"),
        ({**_TMUX, "TERM": "screen-256color"}, True, "tmux"),
        ({"TERM": "tmux-256color"}, True, "TERM is tmux-256color"),
        ({"TERM": "screen-256color"}, False, "screen, TERM is screen-256color"),
        ({**_SCREEN, "TERM": "xterm-256color"}, False, "screen, TERM is xterm-256color"),
        ({"TERM": "vt220"}, False, "TERM is vt220"),
        ({"TERM": "stterm"}, False, "TERM is stterm"),
        ({}, False, "TERM is not set"),
    ],
)
def test_cells_are_erased_only_where_erasing_fills_the_background(env: dict[str, str], erases: bool, why: str) -> None:
    assert read_background_erase(env) == (erases, why)


@pytest.mark.parametrize(
    ("env", "seconds"),
    [
        ({}, 0.025),
        ({"SSH_CONNECTION": "10.0.0.1 5022 10.0.0.2 22"}, 0.05),
        ({"SSH_CONNECTION": "10.0.0.1 5022 10.0.0.2 22", "ESCDELAY": "300"}, 0.3),
        ({"ESCDELAY": "0"}, 0.001),
        ({"ESCDELAY": "soon"}, 0.025),
    ],
    ids=str,
)
def test_esc_waits_longer_over_ssh_or_as_set_by_the_user(env: dict[str, str], seconds: float) -> None:
    assert read_escape_delay(env) == seconds
