"""Wrap control sequences so that tmux or screen passes them to the terminal outside."""

from __future__ import annotations

from cekura_tui.ui.terminal.capabilities import Multiplexer

MAX_CHUNK = 240
"""Maximum number of characters of a string that every version of screen passes through."""


def wrap(sequence: str, multiplexer: Multiplexer) -> str:
    """Wrap a sequence for this multiplexer; returned unchanged without a multiplexer. tmux drops a wrapped sequence
    unless `allow-passthrough` is on; tmux before version 3.3 never drops it."""
    if multiplexer == "tmux":
        return "\x1bPtmux;{}\x1b\\".format(sequence.replace("\x1b", "\x1b\x1b"))
    if multiplexer == "screen":
        # ASCII only: screen may read the byte 0x9c, part of many UTF-8 letters, as the end of a string.
        plain = sequence.encode("ascii", "replace").decode("ascii")
        return "".join(f"\x1bP{plain[at : at + MAX_CHUNK]}\x1b\\" for at in range(0, len(plain), MAX_CHUNK))
    return sequence
