"""Search in the turns of one transcript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from cekura_tui.model.turn import Speaker, Turn

MOST = 100_000
"""Matches that are counted; nobody goes through more."""
_SIDES: dict[str, tuple[Speaker, ...]] = {
    "caller": ("testing",),
    "agent": ("main",),
    "tool": ("tool_call", "tool_result"),
    "other": ("other",),
}


class Match(NamedTuple):
    """Where the words are: turn number, and from which character of its text to before which one."""

    n: int
    start: int
    end: int


class At(NamedTuple):
    """Which match one is at, from 1, of how many: 3 of 17. 0 where one is at none yet."""

    number: int
    of: int


class Asked(NamedTuple):
    """What is searched: the speakers (empty for all), and the words."""

    speakers: tuple[Speaker, ...]
    words: str


def read_asked(text: str) -> Asked:
    """`caller:`, `agent:`, `tool:` or `other:` before the words narrows the search to that side."""
    side, colon, words = text.partition(":")
    if colon and (speakers := _SIDES.get(side.strip().lower())):
        return Asked(speakers, words.strip())
    return Asked((), text.strip())


def find_in_turns(turns: Iterable[Turn], asked: str, text_of: Callable[[Turn], str]) -> list[Match]:
    """All places of the words in order, upper and lower case alike; `text_of` is the text that a turn shows."""
    speakers, words = read_asked(asked)
    if not words:
        return []
    # White space in what is typed stands for any: a turn may be broken into lines.
    pattern = re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)
    found: list[Match] = []
    for turn in turns:
        if speakers and turn.speaker not in speakers:
            continue
        found.extend(Match(turn.n, *place.span()) for place in pattern.finditer(text_of(turn)))
        if len(found) >= MOST:
            break
    return found
