"""Writing to the terminal around what Textual draws: desktop notifications and the terminal's title.

Notifications are OSC 777 or OSC 9, also through tmux and screen, or the bell. kitty (from 0.24), WezTerm, Ghostty,
foot, Konsole and Contour take OSC 777; iTerm2 takes OSC 9, which is something else to ConEmu and Windows Terminal;
rxvt-unicode takes OSC 777 only with an extension that it does not come with. All others have the bell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from cekura_tui.model.text import clean_line
from cekura_tui.ui.terminal.capabilities import read_multiplexer
from cekura_tui.ui.terminal.passthrough import wrap
from cekura_tui.ui.terminal.textual_private import driver_of

if TYPE_CHECKING:
    from textual.app import App


def write_around(app: App[None], text: str) -> None:
    """Write control sequences in one piece, between two writes of Textual; nothing where there is no terminal."""
    # The driver's writer thread takes one text after the other; a stream of our own would cut into one of them.
    driver = driver_of(app)
    if text and driver is not None and not driver.is_headless:
        driver.write(text)


Kind = Literal["osc777", "osc9", "bell"]

BELL = "\x07"
LONGEST = 120
"""Characters of a notification's text."""
_OSC_777 = ("kitty", "wezterm", "ghostty", "foot", "konsole", "contour")
# Within tmux and screen TERM and TERM_PROGRAM are theirs; these are left of the terminal around. LC_… survives SSH.
_OUTER_TERMINAL = ("LC_TERMINAL", "TERMINAL_NAME")
_SIGNS = {
    "KITTY_WINDOW_ID": "kitty",
    "WEZTERM_PANE": "wezterm",
    "GHOSTTY_RESOURCES_DIR": "ghostty",
    "KONSOLE_VERSION": "konsole",
    "ITERM_SESSION_ID": "iterm",
}


def kind_for(env: Mapping[str, str]) -> Kind:
    """What the terminal with this environment is known to take."""
    program = env.get("TERM_PROGRAM", "").lower()
    names = [program, env.get("TERM", "").lower().removeprefix("screen.").removeprefix("xterm-")]
    if program in ("", "tmux", "screen"):
        # Any other program may have inherited these from the terminal that it was started in.
        names += [env.get(name, "").lower() for name in _OUTER_TERMINAL] + [
            _SIGNS[name] for name in _SIGNS if env.get(name)
        ]
    if any(name.startswith("iterm") for name in names):
        return "osc9"
    return "osc777" if any(name.startswith(_OSC_777) for name in names) else "bell"


def notification(wanted: str, title: str, text: str, env: Mapping[str, str]) -> str:
    """What to write to the terminal for a notification; `wanted` is the setting: auto, osc777, osc9, bell or off."""
    if wanted == "off":
        return ""
    kind = kind_for(env) if wanted == "auto" else wanted
    if kind == "bell":
        return BELL
    title, text = harmless(title), harmless(text)
    sent = f"\x1b]777;notify;{title};{text}{BELL}" if kind == "osc777" else f"\x1b]9;{title}: {text}{BELL}"
    within = read_multiplexer(env)
    # tmux drops what is passed through unless it is allowed to and the pane is in sight; the bell always arrives.
    return wrap(sent, within) + (BELL if within == "tmux" and wanted == "auto" else "")


def harmless(text: str) -> str:
    """Text that ends no sequence and parts no field of one."""
    return clean_line(text.replace(";", ","), LONGEST)


_KEEP = "\x1b[22;2t"
# A terminal that keeps no titles is left without one, rather than with ours.
_BACK = "\x1b]2;\x07\x1b[23;2t"


class Title:
    """Writes only what differs from what is there; `back` is what restores the title, empty where it was never set."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._shown: str | None = None

    def show(self, text: str) -> None:
        """Make this the title."""
        text = harmless(text)
        if text != self._shown:
            self._write(f"{_KEEP if self._shown is None else ''}\x1b]2;{text}\x07")
            self._shown = text

    @property
    def back(self) -> str:
        """What to write when the program ends."""
        return "" if self._shown is None else _BACK
