"""Desktop notifications and the terminal's title. OSC 777 works in the terminals of `_OSC_777` and in rxvt-unicode with
an extension, OSC 9 in iTerm2 (elsewhere it means something else); all others get the bell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from textual.app import App

from cekura_tui.model.text import clean_line
from cekura_tui.ui.terminal.capabilities import read_multiplexer
from cekura_tui.ui.terminal.passthrough import wrap
from cekura_tui.ui.terminal.textual_private import driver_of


def write_between_frames(app: App[None], text: str) -> None:
    """Write control sequences between two writes of Textual; does nothing if the app has no terminal."""
    # Through the driver's writer thread: another stream would interleave with its writes.
    driver = driver_of(app)
    if text and driver is not None and not driver.is_headless:
        driver.write(text)


Kind = Literal["osc777", "osc9", "bell"]

BELL = "\x07"
MAX_TEXT = 120
"""Maximum number of characters of a notification's title or text."""
_OSC_777 = ("kitty", "wezterm", "ghostty", "foot", "konsole", "contour")
_TERMINAL_VARIABLES = {
    "KITTY_WINDOW_ID": "kitty",
    "WEZTERM_PANE": "wezterm",
    "GHOSTTY_RESOURCES_DIR": "ghostty",
    "KONSOLE_VERSION": "konsole",
    "ITERM_SESSION_ID": "iterm",
}


def kind_for(env: Mapping[str, str]) -> Kind:
    """The kind of notification that the terminal supports, detected from its environment."""
    program = env.get("TERM_PROGRAM", "").lower()
    names = [program, env.get("TERM", "").lower().removeprefix("screen.").removeprefix("xterm-")]
    if program in ("", "tmux", "screen"):
        # tmux and screen keep these variables; SSH passes on LC_TERMINAL. Other programs may have inherited them.
        names += [env.get(name, "").lower() for name in ("LC_TERMINAL", "TERMINAL_NAME")]
        names += [sign for name, sign in _TERMINAL_VARIABLES.items() if env.get(name)]
    if any(name.startswith("iterm") for name in names):
        return "osc9"
    return "osc777" if any(name.startswith(_OSC_777) for name in names) else "bell"


def notification(setting: str, title: str, text: str, env: Mapping[str, str]) -> str:
    """The control sequence for a notification; "" if `setting` is off. `setting` is auto, osc777, osc9, bell or off."""
    if setting == "off":
        return ""
    kind = kind_for(env) if setting == "auto" else setting
    if kind == "bell":
        return BELL
    title, text = without_controls(title), without_controls(text)
    sent = f"\x1b]777;notify;{title};{text}{BELL}" if kind == "osc777" else f"\x1b]9;{title}: {text}{BELL}"
    multiplexer = read_multiplexer(env)
    # tmux passes it through only if configured and if the pane is visible, but always passes on the bell.
    return wrap(sent, multiplexer) + (BELL if multiplexer == "tmux" and setting == "auto" else "")


def without_controls(text: str) -> str:
    """Crop the text to `MAX_TEXT`, remove control characters, and replace semicolons with commas. A control character
    would end the sequence, and a semicolon would end a field of the sequence."""
    return clean_line(text.replace(";", ","), MAX_TEXT)


_PUSH_TITLE = "\x1b[22;2t"
# Clears the title first, for terminals without a title stack.
_POP_TITLE = "\x1b]2;\x07\x1b[23;2t"


class Title:
    """Sets the terminal's title when its text changes; `restore_sequence` is "" if the title was never set."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._shown: str | None = None

    def show(self, text: str) -> None:
        text = without_controls(text)
        if text != self._shown:
            self._write(f"{_PUSH_TITLE if self._shown is None else ''}\x1b]2;{text}\x07")
            self._shown = text

    @property
    def restore_sequence(self) -> str:
        return "" if self._shown is None else _POP_TITLE
