"""Desktop notifications and the terminal's title, written between Textual's frames.

kitty (from 0.24), WezTerm, Ghostty, foot, Konsole and Contour take OSC 777; iTerm2 takes OSC 9, which means something
else to ConEmu and Windows Terminal; rxvt-unicode needs an extension for OSC 777. All others get the bell.
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
    """Write control sequences between two writes of Textual, if there is a terminal."""
    # Through the driver's writer thread: a stream of our own would cut into its writes.
    driver = driver_of(app)
    if text and driver is not None and not driver.is_headless:
        driver.write(text)


Kind = Literal["osc777", "osc9", "bell"]

BELL = "\x07"
LONGEST = 120
"""Characters of a notification's text."""
_OSC_777 = ("kitty", "wezterm", "ghostty", "foot", "konsole", "contour")
_SIGNS = {
    "KITTY_WINDOW_ID": "kitty",
    "WEZTERM_PANE": "wezterm",
    "GHOSTTY_RESOURCES_DIR": "ghostty",
    "KONSOLE_VERSION": "konsole",
    "ITERM_SESSION_ID": "iterm",
}


def kind_for(env: Mapping[str, str]) -> Kind:
    """The kind of notification that this environment's terminal supports."""
    program = env.get("TERM_PROGRAM", "").lower()
    names = [program, env.get("TERM", "").lower().removeprefix("screen.").removeprefix("xterm-")]
    if program in ("", "tmux", "screen"):
        # tmux and screen leave these unchanged; other programs may have inherited them. LC_… survives SSH.
        names += [env.get(name, "").lower() for name in ("LC_TERMINAL", "TERMINAL_NAME")]
        names += [sign for name, sign in _SIGNS.items() if env.get(name)]
    if any(name.startswith("iterm") for name in names):
        return "osc9"
    return "osc777" if any(name.startswith(_OSC_777) for name in names) else "bell"


def notification(wanted: str, title: str, text: str, env: Mapping[str, str]) -> str:
    """The sequence of a notification; `wanted` is the setting: auto, osc777, osc9, bell or off."""
    if wanted == "off":
        return ""
    kind = kind_for(env) if wanted == "auto" else wanted
    if kind == "bell":
        return BELL
    title, text = harmless(title), harmless(text)
    sent = f"\x1b]777;notify;{title};{text}{BELL}" if kind == "osc777" else f"\x1b]9;{title}: {text}{BELL}"
    within = read_multiplexer(env)
    # tmux passes it through only if allowed and if the pane is visible; the bell always arrives.
    return wrap(sent, within) + (BELL if within == "tmux" and wanted == "auto" else "")


def harmless(text: str) -> str:
    """The text without characters that end a sequence or a field."""
    return clean_line(text.replace(";", ","), LONGEST)


_KEEP = "\x1b[22;2t"
# A terminal without a title stack gets no title, rather than ours.
_BACK = "\x1b]2;\x07\x1b[23;2t"


class Title:
    """Writes the title if it changed; `back` is the sequence that restores it, empty if it was never set."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._shown: str | None = None

    def show(self, text: str) -> None:
        text = harmless(text)
        if text != self._shown:
            self._write(f"{_KEEP if self._shown is None else ''}\x1b]2;{text}\x07")
            self._shown = text

    @property
    def back(self) -> str:
        return "" if self._shown is None else _BACK
