"""Terminal capabilities detected from environment variables."""

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

_FULL = "COLORTERM=truecolor "
_SCREEN = "STY=1.pts-0.host "
_TMUX = "TMUX=/tmp/tmux-0/default,1,0 TERM_PROGRAM=tmux "
_BOTH = f"{_SCREEN}{_TMUX}{_FULL}"


def variables(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split())


@pytest.mark.parametrize(
    ("env", "colours", "why"),
    [
        (f"{_FULL}TERM=xterm-256color", "truecolor", "COLORTERM is truecolor"),
        ("COLORTERM=24bit TERM=xterm-256color", "truecolor", "COLORTERM is 24bit"),
        ("COLORTERM=gnome-terminal TERM=xterm-256color", "256", "TERM is xterm-256color without COLORTERM"),
        ("TERM=xterm", "16", "TERM is xterm"),
        ("TERM=xterm-16color", "16", "TERM is xterm-16color"),
        ("", "16", "TERM is not set"),
        (f"{_FULL}TERM=linux", "16", "TERM is linux"),
        *((f"TERM={term}", "none", f"TERM is {term}") for term in ("vt100", "vt220", "xterm-mono")),
        # Over SSH these come without COLORTERM.
        *((f"TERM={term}", "truecolor", f"TERM is {term}") for term in ("xterm-kitty", "xterm-ghostty", "alacritty")),
        *((f"TERM={term}", "truecolor", f"TERM is {term}") for term in ("wezterm", "foot-extra", "xterm-direct")),
        (f"{_FULL}TERM=xterm-256color TERM_PROGRAM=Apple_Terminal", "256", "TERM_PROGRAM is Apple_Terminal"),
        (f"{_FULL}{_SCREEN}TERM=screen", "16", "screen, TERM is screen, COLORTERM is ignored"),
        (f"{_SCREEN}TERM=screen-256color", "256", "screen, TERM is screen-256color"),
        (f"{_TMUX}TERM=screen", "256", "tmux without COLORTERM"),
        (f"{_TMUX}{_FULL}TERM=tmux-256color", "truecolor", "tmux, COLORTERM is truecolor"),
        # tmux in screen, then screen in tmux: the inner one counts.
        (f"{_BOTH}TERM=tmux-256color", "truecolor", "tmux, COLORTERM is truecolor"),
        (
            f"{_BOTH}TERM=screen.tmux-256color TERM_PROGRAM=",
            "256",
            "screen, TERM is screen.tmux-256color, COLORTERM is ignored",
        ),
        (f"{_BOTH}TERM=screen", "16", "screen, TERM is screen, COLORTERM is ignored"),
        (f"{_FULL}NO_COLOR=1", "none", "NO_COLOR is set"),
        (f"{_FULL}NO_COLOR=", "truecolor", "COLORTERM is truecolor"),
        (f"{_FULL}TEXTUAL_COLOR_SYSTEM=256", "256", "TEXTUAL_COLOR_SYSTEM is 256"),
        ("TERM=linux TEXTUAL_COLOR_SYSTEM=truecolor", "truecolor", "TEXTUAL_COLOR_SYSTEM is truecolor"),
        (f"{_SCREEN}TERM=screen TEXTUAL_COLOR_SYSTEM=standard", "16", "TEXTUAL_COLOR_SYSTEM is standard"),
        (f"{_FULL}TEXTUAL_COLOR_SYSTEM=auto", "truecolor", "COLORTERM is truecolor"),
        ("NO_COLOR=1 TEXTUAL_COLOR_SYSTEM=256", "none", "NO_COLOR is set"),
    ],
)
def test_colours_are_detected_with_a_reason(env: str, colours: Colours, why: str) -> None:
    assert read_colours(variables(env)) == (colours, why)


@pytest.mark.parametrize(
    ("env", "python", "encoding", "why"),
    [
        ("LANG=C.utf8", "UTF-8", "utf-8", "LANG is C.utf8"),
        ("LC_CTYPE=UTF-8", "utf-8", "utf-8", "LC_CTYPE is UTF-8"),
        ("", "utf-8", "utf-8", "no locale is set"),
        ("LC_CTYPE=C.UTF-8", "utf-8", "utf-8", "LC_CTYPE is C.UTF-8"),  # set by Python if there is no locale
        ("LANG=en_US", "utf-8", "utf-8", "LANG is en_US"),
        ("LANG=C LC_CTYPE=C.UTF-8", "utf-8", "ascii", "LANG is C"),  # set by Python for LANG=C
        ("LANG=en_US.UTF-8 LC_ALL=C", "utf-8", "ascii", "LC_ALL is C"),
        ("LC_ALL=POSIX", "utf-8", "ascii", "LC_ALL is POSIX"),
        ("LC_ALL=C", "ANSI_X3.4-1968", "ascii", "LC_ALL is C"),
        ("LANG=en_US.ISO-8859-1", "iso-8859-1", "iso8859-1", "LANG is en_US.ISO-8859-1"),
        # The locale is not installed: Python uses UTF-8, and may set LC_CTYPE.
        ("LANG=en_US.ISO-8859-1 LC_CTYPE=C.UTF-8", "utf-8", "ascii", "LANG is en_US.ISO-8859-1"),
        ("LANG=de_DE.ISO-8859-15@euro", "utf-8", "ascii", "LANG is de_DE.ISO-8859-15@euro"),
        ("LANG=de_DE@euro", "iso8859-15", "iso8859-15", "LANG is de_DE@euro"),
        ("LANG=C PYTHONUTF8=1", "utf-8", "utf-8", "Python is set to UTF-8"),
        ("LANG=C PYTHONIOENCODING=utf8:replace", "utf-8", "utf-8", "Python is set to UTF-8"),
    ],
)
def test_encoding_is_detected_with_a_reason(env: str, python: str, encoding: str, why: str) -> None:
    assert read_encoding(variables(env), python) == (encoding, why)


def test_all_capabilities_are_detected_at_once() -> None:
    found = read_capabilities(variables(f"{_TMUX}TERM=tmux-256color SSH_TTY=/dev/pts/1 LANG=C"), "utf-8")
    assert found == ("tmux", True, "256", "tmux without COLORTERM", "ascii", "LANG is C", True, "tmux")


@pytest.mark.parametrize(
    ("env", "erases", "why"),
    [
        ("TERM=xterm-256color", True, "TERM is xterm-256color"),
        ("TERM=foot-extra", True, "TERM is foot-extra"),
        (f"{_TMUX}TERM=screen-256color", True, "tmux"),
        ("TERM=screen-256color", False, "screen, TERM is screen-256color"),
        (f"{_SCREEN}TERM=xterm-256color", False, "screen, TERM is xterm-256color"),
        ("TERM=stterm", False, "TERM is stterm"),
        ("", False, "TERM is not set"),
    ],
)
def test_background_erase_is_detected_with_a_reason(env: str, erases: bool, why: str) -> None:
    assert read_background_erase(variables(env)) == (erases, why)


@pytest.mark.parametrize(
    ("env", "seconds"),
    [
        ("", 0.015),
        ("SSH_CONNECTION=10.0.0.1", 0.05),
        ("SSH_CONNECTION=10.0.0.1 ESCDELAY=300", 0.3),
        ("ESCDELAY=0", 0.001),
        ("ESCDELAY=soon", 0.015),
    ],
)
def test_escape_delay_is_longer_over_ssh_and_can_be_set_by_escdelay(env: str, seconds: float) -> None:
    assert read_escape_delay(variables(env)) == seconds
