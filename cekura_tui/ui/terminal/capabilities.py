"""What the terminal can show, read from its environment: colours, letters, and the multiplexer before it.

Each answer comes with its reason, for `doctor`. Knows nothing of Textual and asks the terminal nothing.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Literal, NamedTuple

Multiplexer = Literal["", "tmux", "screen"]
Colours = Literal["none", "16", "256", "truecolor"]


class Capabilities(NamedTuple):
    """`colours_why`, `encoding_why` and `background_erase_why` say in words what decided.

    `background_erase` is whether cells that are erased get the background that is set, and not the usual one.
    """

    multiplexer: Multiplexer
    over_ssh: bool
    colours: Colours
    colours_why: str
    encoding: str
    utf8: bool
    encoding_why: str
    background_erase: bool
    background_erase_why: str


def read_multiplexer(env: Mapping[str, str]) -> Multiplexer:
    """What the program runs in: the innermost where one is in the other, which is the one that TERM is of."""
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
    """What this environment says; `encoding` is the one that Python writes to the terminal in."""
    colours, colours_why = read_colours(env)
    letters, encoding_why = read_encoding(env, encoding)
    background_erase, background_erase_why = read_background_erase(env)
    return Capabilities(
        multiplexer=read_multiplexer(env),
        over_ssh=read_over_ssh(env),
        colours=colours,
        colours_why=colours_why,
        encoding=letters,
        utf8=letters == "utf-8",
        encoding_why=encoding_why,
        background_erase=background_erase,
        background_erase_why=background_erase_why,
    )


_ESCAPE_DELAY, _ESCAPE_DELAY_OVER_SSH = 0.025, 0.05


def read_escape_delay(env: Mapping[str, str]) -> float:
    """Seconds after which esc is that key, and not the begin of another: a terminal sends a key in one piece, which a
    slow line may cut in two. ESCDELAY says it in milliseconds."""
    named = env.get("ESCDELAY", "")
    if named.isascii() and named.isdecimal() and 0 < len(named) <= 5:
        return max(int(named), 1) / 1000
    return _ESCAPE_DELAY_OVER_SSH if read_over_ssh(env) else _ESCAPE_DELAY


COLOUR_SYSTEMS: Mapping[Colours, str] = {"none": "standard", "16": "standard", "256": "256", "truecolor": "truecolor"}
"""What Textual calls them, in TEXTUAL_COLOR_SYSTEM."""
_CHOSEN: Mapping[str, Colours] = {"standard": "16", "windows": "16", "256": "256", "truecolor": "truecolor"}
_ALL_COLOURS = ("kitty", "alacritty", "ghostty", "wezterm", "foot", "contour", "rio", "direct", "truecolor")
"""What the TERM of a terminal with all colours contains as a word; over SSH it comes without COLORTERM."""
_NO_COLOURS = ("vt52", "vt100", "vt102", "vt220", "vt320", "vt420", "vt510", "mono", "m")


def read_colours(env: Mapping[str, str]) -> tuple[Colours, str]:
    """How many colours the terminal has, and what says so. The first that applies, and of several the poorer one: too
    few colours look plain, too many are garbage."""
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
        # COLORTERM is of what is around it, TERM_PROGRAM too if that is tmux. screen 4 takes 38;2;R;G;B apart into
        # attributes.
        why = f"screen, TERM is {term}" + (", COLORTERM is ignored" if full else "")
        return ("256" if "256color" in words else "16"), why
    if multiplexer == "tmux":
        # It knows 256 colours whatever its TERM is, and sends on what the terminal around it has.
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
"""How a TERM begins whose description has back_color_erase (bce), or which is known to erase so."""


def read_background_erase(env: Mapping[str, str]) -> tuple[bool, str]:
    """Whether the terminal erases with the background that is set, and what says so. Not where nobody knows: blanks
    that are written are right in every terminal."""
    term = env.get("TERM", "").lower()
    multiplexer = read_multiplexer(env)
    if multiplexer == "tmux":
        return True, "tmux"  # whatever its TERM is, and whatever is around it
    if multiplexer == "screen" or term.startswith("screen"):
        return False, f"screen, TERM is {term}"  # it can, by defbce, but does not say so
    begins = term.replace(".", "-").replace("+", "-").partition("-")[0]
    return f"|{begins}|" in _ERASING, f"TERM is {term or 'not set'}"


def read_encoding(env: Mapping[str, str], encoding: str) -> tuple[str, str]:
    """The encoding whose letters the terminal draws, and what says so.

    `encoding` is Python's, which takes UTF-8 where the locale is C or is not installed. A locale that was named says
    what the terminal is set to; where none is named, as in many containers, Python's guess is the better one.
    """
    python = _normal(encoding)
    # Python puts LC_CTYPE into its own environment where the locale is C, or the one of LANG is not installed.
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
