"""Where the conflicts of a merge stand, in words."""

from __future__ import annotations

from bisect import bisect_right

from cekura_tui.model.prompt_merge import Conflict, Merge
from cekura_tui.model.prose_places import Places
from cekura_tui.model.prose_units import units_of


def conflict_places(merge: Merge) -> tuple[str, ...]:
    """The place of each conflict in the text that is there now ("Rescheduling › rule 3"); "end" behind all of it."""
    begins: list[int] = []
    texts, at = [], 0
    for part in merge.parts:
        text = part.now if isinstance(part, Conflict) else part
        if isinstance(part, Conflict):
            # White space before a passage is of the place before it.
            begins.append(at + len(text) - len(text.lstrip()) if text.strip() else at + len(text))
        texts.append(text)
        at += len(text)
    units, _ = units_of("".join(texts))
    places, starts = Places(units, units), [unit.start for unit in units]
    found = []
    for begin in begins:
        index = max(bisect_right(starts, begin) - 1, 0)
        found.append(places.of(range(index, index + 1) if units else range(0), range(0)))
    return tuple(found)
