"""Detect the terminal's colours, encoding and multiplexer from environment variables, with reasons for `doctor`."""

from __future__ import annotations

import codecs
import fcntl
import os
import sys
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Multiplexer = Literal["", "tmux", "screen"]
Colours = Literal["none", "16", "256", "truecolor"]


class Capabilities(NamedTuple):
    """The terminal's capabilities; each field `…_why` is the reason to show for the field before it. With
    `background_erase`, erased cells get the current background colour (terminfo's `bce`)."""

    multiplexer: Multiplexer
    over_ssh: bool
    colours: Colours
    colours_why: str
    encoding: str
    encoding_why: str
    background_erase: bool
    background_erase_why: str

    @property
    def utf8(self) -> bool:
        return self.encoding == "utf-8"


def is_terminal(stream: Any, access: int) -> bool:
    """Whether a standard stream (None if closed) is a terminal, open for `access`: os.O_RDONLY or os.O_WRONLY."""
    try:
        return stream.isatty() and fcntl.fcntl(stream.fileno(), fcntl.F_GETFL) & os.O_ACCMODE in (access, os.O_RDWR)
    except (OSError, ValueError, AttributeError):
        return False


def output_terminal() -> Any:
    """The stream that the app draws on: standard error, else standard output; None if neither is a terminal."""
    return next((stream for stream in (sys.__stderr__, sys.__stdout__) if is_terminal(stream, os.O_WRONLY)), None)


def read_multiplexer(env: Mapping[str, str]) -> Multiplexer:
    """The multiplexer around the program, if any. TERM and TERM_PROGRAM show which of two nested ones is inside."""
    term = env.get("TERM", "")
    if env.get("TMUX") and not (
        env.get("STY") and term.startswith("screen") and "tmux" not in env.get("TERM_PROGRAM", "")
    ):
        return "tmux"
    return "screen" if env.get("STY") else ""


def read_over_ssh(env: Mapping[str, str]) -> bool:
    return any(env.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def read_capabilities(env: Mapping[str, str], encoding: str) -> Capabilities:
    """Detect all capabilities; `encoding` is Python's encoding for the terminal."""
    return Capabilities(
        read_multiplexer(env),
        read_over_ssh(env),
        *read_colours(env),
        *read_encoding(env, encoding),
        *read_background_erase(env),
    )


def read_escape_delay(env: Mapping[str, str]) -> float:
    """Seconds after which an escape byte counts as esc: ESCDELAY (in milliseconds) if set, else longer over SSH."""
    value = env.get("ESCDELAY", "")
    if value.isascii() and value.isdecimal() and 0 < len(value) <= 5:
        return max(int(value), 1) / 1000
    return 0.05 if read_over_ssh(env) else 0.015


COLOUR_SYSTEMS: Mapping[Colours, str] = {"none": "standard", "16": "standard", "256": "256", "truecolor": "truecolor"}
"""The value of TEXTUAL_COLOR_SYSTEM for each number of colours."""
_BY_TEXTUAL_NAME: Mapping[str, Colours] = {"standard": "16", "windows": "16", "256": "256", "truecolor": "truecolor"}
_TRUECOLOR_TERMS = ("kitty", "alacritty", "ghostty", "wezterm", "foot", "contour", "rio", "direct", "truecolor")
"""Words in TERM that imply true colour. SSH passes on TERM but not COLORTERM."""
_COLOURLESS_TERMS = ("vt52", "vt100", "vt102", "vt220", "vt320", "vt420", "vt510", "mono", "m")


def read_colours(env: Mapping[str, str]) -> tuple[Colours, str]:
    """The number of colours, the smaller one if unsure (unsupported colours garble the screen), and the reason."""
    if env.get("NO_COLOR"):
        return "none", "NO_COLOR is set"
    if (override := env.get("TEXTUAL_COLOR_SYSTEM", "").lower()) in _BY_TEXTUAL_NAME:
        return _BY_TEXTUAL_NAME[override], f"TEXTUAL_COLOR_SYSTEM is {override}"
    term = env.get("TERM", "").lower()
    words = term.replace(".", "-").split("-")
    colorterm = env.get("COLORTERM", "").strip().lower()
    full = colorterm in ("truecolor", "24bit")
    multiplexer = read_multiplexer(env)
    if multiplexer == "screen" or (env.get("STY") and term.startswith("screen")):
        # COLORTERM describes the terminal outside. screen 4 misreads 38;2;R;G;B as attributes.
        why = f"screen, TERM is {term}" + (", COLORTERM is ignored" if full else "")
        return ("256" if "256color" in words else "16"), why
    if multiplexer == "tmux":
        # tmux has 256 colours with any TERM, and true colour only if the terminal outside has it.
        return ("truecolor", f"tmux, COLORTERM is {colorterm}") if full else ("256", "tmux without COLORTERM")
    if words[0] == "linux" or "16color" in words:
        return "16", f"TERM is {term}"
    if words[0] in _COLOURLESS_TERMS or words[-1] in _COLOURLESS_TERMS:
        return "none", f"TERM is {term}"
    if env.get("TERM_PROGRAM") == "Apple_Terminal":
        return "256", "TERM_PROGRAM is Apple_Terminal"
    if full:
        return "truecolor", f"COLORTERM is {colorterm}"
    if any(word in _TRUECOLOR_TERMS for word in words):
        return "truecolor", f"TERM is {term}"
    if "256color" in words:
        return "256", f"TERM is {term} without COLORTERM"
    return "16", f"TERM is {term or 'not set'}"


_BCE_TERMS = (
    "|alacritty|contour|foot|ghostty|gnome|iterm|iterm2|kitty|konsole|linux|mintty|ms|nsterm|putty|rio|rxvt|st|tmux|vte"
    "|wezterm|xterm|"
)
"""First words of TERM for terminals that erase with the current background colour."""


def read_background_erase(env: Mapping[str, str]) -> tuple[bool, str]:
    """Whether the terminal erases with the current background, and why; False if unknown: blanks always look right."""
    term = env.get("TERM", "").lower()
    multiplexer = read_multiplexer(env)
    if multiplexer == "tmux":
        return True, "tmux"
    if multiplexer == "screen" or term.startswith("screen"):
        return False, f"screen, TERM is {term}"  # the option `defbce` would change that, but cannot be detected
    first_word = term.replace(".", "-").replace("+", "-").partition("-")[0]
    return f"|{first_word}|" in _BCE_TERMS, f"TERM is {term or 'not set'}"


def read_encoding(env: Mapping[str, str], encoding: str) -> tuple[str, str]:
    """The terminal's encoding and the reason: Python's `encoding` unless it is UTF-8, which Python also uses if the
    locale is C or not installed. Then the locale variable in effect decides, without one UTF-8."""
    python = _normal(encoding)
    # Ignore LC_CTYPE if Python may have set it: it does so if the locale is C or not installed.
    coerced = env.get("LC_CTYPE") in ("C.UTF-8", "C.utf8", "UTF-8") and env.get("LANG")
    name = next((name for name in ("LC_ALL", *([] if coerced else ["LC_CTYPE"]), "LANG") if env.get(name)), "")
    locale = env.get(name, "")
    why = f"{name} is {locale}" if name else "no locale is set"
    if python != "utf-8":
        return python, why
    if env.get("PYTHONUTF8") == "1" or _normal(env.get("PYTHONIOENCODING", "").partition(":")[0]) == "utf-8":
        return python, "Python is set to UTF-8"
    codeset = locale.partition(".")[2].partition("@")[0]
    if locale in ("C", "POSIX") or (codeset and _normal(codeset) != "utf-8"):
        return "ascii", why
    return python, why


def _normal(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return encoding.lower()
