"""Control sequences for the terminal around tmux or screen, wrapped so that these pass them on."""

from __future__ import annotations

from cekura_tui.ui.terminal.capabilities import Multiplexer

CHUNK = 240
"""Characters of one string that every version of screen passes on."""


def wrap(sequence: str, multiplexer: Multiplexer) -> str:
    """The sequence as it is written within tmux or screen; unchanged where there is neither.

    tmux drops it unless `allow-passthrough` is on (always before 3.3).
    """
    if multiplexer == "tmux":
        return "\x1bPtmux;{}\x1b\\".format(sequence.replace("\x1b", "\x1b\x1b"))
    if multiplexer == "screen":
        # To screen the byte 0x9c, which is in the UTF-8 of many letters, may end a string.
        plain = sequence.encode("ascii", "replace").decode("ascii")
        return "".join(f"\x1bP{plain[at : at + CHUNK]}\x1b\\" for at in range(0, len(plain), CHUNK))
    return sequence
