"""Turns of a transcript that was sent as text: lines such as `[00:01] Testing Agent: Hello.`, and other forms seen."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from cekura_tui.model.turn import speaker_of

# White space is taken whole (`*+`), else a long stretch of it would be tried in all ways to share it out.
_CLOCK = r"(?:\d{1,6}:)?\d{1,6}:\d{2}(?:[.,]\d++)?|\d{1,6}(?:[.,]\d++)?\s?s(?:ec(?:onds)?)?|\d{1,6}[.,]\d++"
_RANGE = rf"({_CLOCK})(?:\s*+(?:-->|-|–|to)\s*+({_CLOCK}))?"
_ROLE = r"(?:\[?([^:\n\[\]]{1,40}?)\]?\s{0,40}:)"
_STAMPED = re.compile(rf"^[\[(<]\s*+{_RANGE}\s*+[\])>]\s*+(?:[-–]\s*+)?{_ROLE}?[ \t]*(.*)$", re.DOTALL)
"""A time in brackets begins a turn, with or without a role."""
_BARE = re.compile(rf"^{_RANGE}\s*+(?:[-–|]\s*+)?{_ROLE}[ \t]*(.*)$", re.DOTALL)
"""A time without brackets begins one only before a role that is known: somebody may say "10:30 works"."""
_UNSTAMPED = re.compile(rf"^{_ROLE}[ \t]*(.*)$", re.DOTALL)

_DATED = re.compile(
    r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d++)?(?:Z|[+-]\d\d:?\d\d)?\]?\s*+(?:[-–|]\s*+)?"
    rf"{_ROLE}[ \t]*(.*)$",
    re.DOTALL,
)
"""A date begins one likewise; it does not tell when in the call it was."""
_USUAL = frozenset(["user", "assistant", "agent", "bot", "customer", "caller", "human", "ai", "system"])
"""Roles that begin a turn where no line has one that is known."""
_UNIT = re.compile(r"\s?s(?:ec(?:onds)?)?$")


class Said(NamedTuple):
    """A turn as text tells it; times are seconds from the start of the call."""

    role: str
    start: float | None
    end: float | None
    text: str


def said_in(text: str) -> list[Said]:
    """The turns of a text, in its order. A line that begins no turn goes on with the turn before it."""
    lines = [line.strip() for line in text.split("\n")]
    begun = [_begun(line) for line in lines]
    if not any(begun):
        begun = [_begun(line, _is_usual) for line in lines]
    turns: list[tuple[str, float | None, float | None, list[str]]] = []
    for line, found in zip(lines, begun, strict=True):
        if found:
            turns.append((found.role, found.start, found.end, [found.text]))
        elif turns:
            turns[-1][3].append(line)
        elif line:
            turns.append(("", None, None, [line]))
    return [Said(role, start, end, "\n".join(said).strip()) for role, start, end, said in turns]


def _is_known(role: str) -> bool:
    return speaker_of(role) != "other"


def _is_usual(role: str) -> bool:
    return role.strip().lower() in _USUAL


def _begun(line: str, is_role: Callable[[str], bool] = _is_known) -> Said | None:
    """The turn that a line begins, if it does: a time in brackets, or a role that is known, begins one."""
    if found := _STAMPED.match(line):
        start, end, role, said = found.groups()
        return Said(role or "", seconds_of(start), seconds_of(end or ""), said)
    if (found := _BARE.match(line)) and is_role(found[3]):
        return Said(found[3], seconds_of(found[1]), seconds_of(found[2] or ""), found[4])
    for form in (_DATED, _UNSTAMPED):
        if (found := form.match(line)) and is_role(found[1]):
            return Said(found[1], None, None, found[2])
    return None


def seconds_of(clock: str) -> float | None:
    """Seconds of "MM:SS", "HH:MM:SS", "12.5" or "12 s", with or without fractions; None for anything else."""
    parts = _UNIT.sub("", clock.strip()).replace(",", ".").split(":")
    if not 1 <= len(parts) <= 3 or not all(_is_number(part, whole=part is not parts[-1]) for part in parts):
        return None
    total = 0.0
    for part in parts:
        total = total * 60 + float(part)
    return total if math.isfinite(total) else None


def _is_number(part: str, *, whole: bool) -> bool:
    digits = part.strip() if whole else part.strip().replace(".", "", 1)
    return digits.isascii() and digits.isdecimal() and len(digits) <= 12
