"""What the terminal can show, read from its environment: colours, letters, and what stands between it and us.

Each answer comes with its reason, for `doctor`. Knows nothing of Textual and asks the terminal nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Multiplexer = Literal["", "tmux", "screen"]
Colours = Literal["none", "16", "256", "truecolor"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`colours_why` and `encoding_why` say in words what decided."""

    multiplexer: Multiplexer
    over_ssh: bool
    colours: Colours
    colours_why: str
    encoding: str
    utf8: bool
    encoding_why: str


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
