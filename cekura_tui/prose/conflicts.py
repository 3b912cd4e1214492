"""What was decided of the conflicts of a merge; it holds for another merge with the same conflicts as well."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import Prompt, sha256
from cekura_tui.prose.merge import Conflict, Merge, Side

_Kind = tuple[Conflict, ...]
_Key = tuple[_Kind, int, int]
"""The texts of conflicts that are one decision, how often these are there, and which of them it is, from 1."""
_SPOT = "conflict "


@dataclass(frozen=True, slots=True)
class Decision:
    """The text in the place of a conflict: the text of a side, or one that was worded here."""

    side: Literal["now", "staged", "edited"]
    text: str


class ConflictDecisions:
    """Conflicts that belong together are decided together. Numbers are those of the conflicts, from 1.

    A spot is the key of a conflict by what it is, the same in every look, process and version, and the key of no hunk.
    """

    def __init__(self) -> None:
        self._merge = Merge(())
        self._line_end = "\n"
        self._keys: dict[int, _Key] = {}
        self._made: dict[_Key, dict[int, Decision]] = {}
        """By the place of the conflict in its group."""
        self._spots: dict[int, str] = {}
        self._typed: dict[str, str] = {}
        """By the spot: what was typed and neither written nor is there anyway."""
        self._taken: dict[str, str] = {}
        """By the spot: what was typed where other words were decided on."""
        self._written: dict[Prompt, Prompt] = {}
        """By the staged text."""

    def take_up(self, merge: Merge) -> None:
        """The merge that is decided on from here; what has another number of equal conflicts is undecided again."""
        kinds = [tuple(merge.conflicts[number - 1] for number in group) for group in merge.groups]
        every, so_far = Counter(kinds), Counter[_Kind]()
        self._merge, self._keys, self._spots = merge, {}, {}
        now = (part.now if isinstance(part, Conflict) else part for part in merge.parts)
        self._line_end = "\r\n" if any("\r\n" in text for text in now) else "\n"
        for group, kind in zip(merge.groups, kinds, strict=True):
            so_far[kind] += 1
            key = kind, every[kind], so_far[kind]
            for index, number in enumerate(group):
                self._keys[number], self._spots[number] = key, _spot(key, index)

    def together(self, number: int) -> tuple[int, ...]:
        """The numbers of the conflicts that are decided with this one, itself among them."""
        return next(group for group in self._merge.groups if number in group)

    def spot(self, number: int) -> str:
        """The key of a conflict, by which it is found again in the merge of another look."""
        return self._spots[number]

    def number(self, spot: str) -> int | None:
        """The number of a conflict by now; None where it is there no more."""
        return next((number for number, other in self._spots.items() if other == spot), None)

    def of(self, number: int) -> Decision | None:
        """What was decided of a conflict."""
        return self._made.get(self._keys[number], {}).get(self._index(number))

    @property
    def undecided(self) -> list[int]:
        """The numbers of the conflicts that nobody has decided yet."""
        return [number for number in range(1, len(self._merge.conflicts) + 1) if self._keys[number] not in self._made]

    @property
    def text(self) -> Prompt | None:
        """The merged prompt; None as long as a conflict is not decided."""
        if self.undecided:
            return None
        decided = {number: self.of(number) for number in self._keys}
        return self._merge.text({number: one.text for number, one in decided.items() if one is not None})

    def take(self, number: int, side: Side) -> None:
        """Decide for the text of a side."""
        key = self._keys[number]
        self._made[key] = {index: Decision(side, conflict.text_of(side)) for index, conflict in enumerate(key[0])}

    def wording(self, number: int) -> str:
        """What to begin with where it is to be worded otherwise, without the white space around it."""
        typed = self._typed.get(self.spot(number))
        return self._wording(number) if typed is None else typed

    def typed(self, spot: str, text: str) -> None:
        """This was typed, and may not have been taken; the next time it is there again. What is there anyway need not
        be kept, but where a wording was taken that is not written yet, it is."""
        number = self.number(spot)
        edited = number is not None and self._is_edited(number)
        if number is not None and text == self._wording(number) and not (edited and spot in self._typed):
            self._typed.pop(spot, None)
        else:
            self._typed[spot] = text

    def kept(self, spot: str) -> str | None:
        """What was typed there and is to be kept; None where there is nothing."""
        return self._typed.get(spot)

    def recall(self, typed: Mapping[str, str]) -> None:
        """What was kept of what was typed, by the key; what was typed here since is newer."""
        for spot, text in typed.items():
            if spot.startswith(_SPOT):
                self._typed.setdefault(spot, text)

    def word(self, number: int, text: str) -> None:
        """Decide for this text, with the white space that was around it and the line ends of the agent's prompt; the
        other places of a passage go with the side that has it there, so that it is not in two."""
        before, side = self.of(number), self._worded_side(number)
        if before is None or before.side not in ("edited", side):
            self.take(number, side)
        lines = text.replace("\r\n", "\n").replace("\n", self._line_end)
        worded = self._conflict(number).worded(side, lines)
        self._made[self._keys[number]][self._index(number)] = Decision("edited", worded)
        self._taken[self.spot(number)] = text

    @property
    def taken(self) -> dict[str, str]:
        """What was typed where other words were chosen, by the spot."""
        return {self.spot(number): self._taken[self.spot(number)] for number in self._keys if self._is_edited(number)}

    def forget(self, taken: Mapping[str, str]) -> list[str]:
        """What was `taken` is written. Returns the spots of which nothing need be kept any more: nothing else was typed
        there since."""
        over = [spot for spot, text in taken.items() if self._typed.get(spot) == text]
        for spot in over:
            del self._typed[spot]
        return over

    def write(self, staged: Prompt, text: Prompt) -> None:
        """This is being written in place of a staged text; an agent that has it, has all of that."""
        self._written[staged] = text

    def written(self, staged: Prompt) -> Prompt | None:
        """What was written in place of a staged text last, whatever came of it; None where nothing was."""
        return self._written.get(staged)

    def _index(self, number: int) -> int:
        return self.together(number).index(number)

    def _is_edited(self, number: int) -> bool:
        before = self.of(number)
        return before is not None and before.side == "edited"

    def _wording(self, number: int) -> str:
        """What is there anyway, without what was typed."""
        before = self.of(number)
        if before is not None and before.side == "edited":
            return before.text.strip()
        return self._conflict(number).text_of(self._worded_side(number)).strip()

    def _worded_side(self, number: int) -> Side:
        """The side that was decided for, unless it leaves nothing there."""
        conflict, before = self._conflict(number), self.of(number)
        first: Side = "now" if before is not None and before.side == "now" else "staged"
        other: Side = "staged" if first == "now" else "now"
        return first if conflict.text_of(first).strip() or not conflict.text_of(other).strip() else other

    def _conflict(self, number: int) -> Conflict:
        return self._merge.conflicts[number - 1]


def _spot(key: _Key, index: int) -> str:
    kind, of_how_many, which = key
    texts = [[conflict.base, conflict.now, conflict.staged] for conflict in kind]
    return _SPOT + sha256(json.dumps([texts, of_how_many, which, index]))
