"""What the terminal can show, read from its environment: colours, letters, and its multiplexer, with reasons for
`doctor`. Neither Textual nor the terminal is asked."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Literal, NamedTuple

Multiplexer = Literal["", "tmux", "screen"]
Colours = Literal["none", "16", "256", "truecolor"]


class Capabilities(NamedTuple):
    """`…_why` are reasons in words; `background_erase` is whether erased cells get the background that is set."""

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


def read_multiplexer(env: Mapping[str, str]) -> Multiplexer:
    """The multiplexer that the program runs in; of nested ones the innermost, which sets TERM."""
    term = env.get("TERM", "")
    if env.get("TMUX") and not (
        env.get("STY") and term.startswith("screen") and "tmux" not in env.get("TERM_PROGRAM", "")
    ):
        return "tmux"
    return "screen" if env.get("STY") else ""


def read_over_ssh(env: Mapping[str, str]) -> bool:
    """Whether the terminal is at the other end of an SSH connection."""
    return any(env.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def read_capabilities(env: Mapping[str, str], encoding: str) -> Capabilities:
    """What this environment says; `encoding` is Python's for the terminal."""
    return Capabilities(
        read_multiplexer(env),
        read_over_ssh(env),
        *read_colours(env),
        *read_encoding(env, encoding),
        *read_background_erase(env),
    )


def read_escape_delay(env: Mapping[str, str]) -> float:
    """Seconds after which esc is a key and not the start of a sequence, which a slow line may cut in two. ESCDELAY sets
    it in milliseconds."""
    named = env.get("ESCDELAY", "")
    if named.isascii() and named.isdecimal() and 0 < len(named) <= 5:
        return max(int(named), 1) / 1000
    return 0.05 if read_over_ssh(env) else 0.015


COLOUR_SYSTEMS: Mapping[Colours, str] = {"none": "standard", "16": "standard", "256": "256", "truecolor": "truecolor"}
"""Textual's names, in TEXTUAL_COLOR_SYSTEM."""
_CHOSEN: Mapping[str, Colours] = {"standard": "16", "windows": "16", "256": "256", "truecolor": "truecolor"}
_ALL_COLOURS = ("kitty", "alacritty", "ghostty", "wezterm", "foot", "contour", "rio", "direct", "truecolor")
"""Words in the TERM of terminals with all colours; over SSH it comes without COLORTERM."""
_NO_COLOURS = ("vt52", "vt100", "vt102", "vt220", "vt320", "vt420", "vt510", "mono", "m")


def read_colours(env: Mapping[str, str]) -> tuple[Colours, str]:
    """How many colours the terminal has, and why; in doubt the fewer, because too many become garbage."""
    if env.get("NO_COLOR"):
        return "none", "NO_COLOR is set"
    if (chosen := env.get("TEXTUAL_COLOR_SYSTEM", "").lower()) in _CHOSEN:
        return _CHOSEN[chosen], f"TEXTUAL_COLOR_SYSTEM is {chosen}"
    term = env.get("TERM", "").lower()
    words = term.replace(".", "-").split("-")
    claimed = env.get("COLORTERM", "").strip().lower()
    full = claimed in ("truecolor", "24bit")
    multiplexer = read_multiplexer(env)
    if multiplexer == "screen" or (env.get("STY") and term.startswith("screen")):
        # COLORTERM is of the terminal around it. screen 4 reads 38;2;R;G;B as attributes.
        why = f"screen, TERM is {term}" + (", COLORTERM is ignored" if full else "")
        return ("256" if "256color" in words else "16"), why
    if multiplexer == "tmux":
        # It knows 256 colours with any TERM, and passes on what the terminal around it has.
        return ("truecolor", f"tmux, COLORTERM is {claimed}") if full else ("256", "tmux without COLORTERM")
    if words[0] == "linux" or "16color" in words:
        return "16", f"TERM is {term}"
    if words[0] in _NO_COLOURS or words[-1] in _NO_COLOURS:
        return "none", f"TERM is {term}"
    if env.get("TERM_PROGRAM") == "Apple_Terminal":
        return "256", "TERM_PROGRAM is Apple_Terminal"
    if full:
        return "truecolor", f"COLORTERM is {claimed}"
    if any(word in _ALL_COLOURS for word in words):
        return "truecolor", f"TERM is {term}"
    if "256color" in words:
        return "256", f"TERM is {term} without COLORTERM"
    return "16", f"TERM is {term or 'not set'}"


_ERASING = (
    "|alacritty|contour|foot|ghostty|gnome|iterm|iterm2|kitty|konsole|linux|mintty|ms|nsterm|putty|rio|rxvt|st|tmux|vte"
    "|wezterm|xterm|"
)
"""First words of a TERM that has back_color_erase (bce), or is known to erase so."""


def read_background_erase(env: Mapping[str, str]) -> tuple[bool, str]:
    """Whether the terminal erases with the background that is set, and why. In doubt it does not: written blanks are
    right in every terminal."""
    term = env.get("TERM", "").lower()
    multiplexer = read_multiplexer(env)
    if multiplexer == "tmux":
        return True, "tmux"
    if multiplexer == "screen" or term.startswith("screen"):
        return False, f"screen, TERM is {term}"  # it can, by defbce, but does not say so
    begins = term.replace(".", "-").replace("+", "-").partition("-")[0]
    return f"|{begins}|" in _ERASING, f"TERM is {term or 'not set'}"


def read_encoding(env: Mapping[str, str], encoding: str) -> tuple[str, str]:
    """The encoding whose letters the terminal draws, and why.

    `encoding` is Python's, which is UTF-8 if the locale is C or is not installed. A named locale describes the
    terminal; without one, as in many containers, Python's guess is better.
    """
    python = _normal(encoding)
    # Python sets LC_CTYPE itself if the locale is C or LANG's is not installed.
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
