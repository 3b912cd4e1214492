"""What was decided of the conflicts of a merge; it holds for another merge with the same conflicts as well."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.prompt_merge import Conflict, Merge, Side
from cekura_tui.model.text import Prompt

_Kind = tuple[Conflict, ...]
_Key = tuple[_Kind, int, int]
"""The texts of conflicts that are one decision, how often these are there, and which of them it is, from 1."""
Spot = tuple[_Key, int]
"""A conflict by what it is: its group, and which of that it is."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to stand in the place of a conflict: the text of a side, or one that was worded here."""

    side: Literal["now", "staged", "edited"]
    text: str


class ConflictDecisions:
    """Conflicts that belong together are decided together. Numbers are those of the conflicts, from 1."""

    def __init__(self) -> None:
        self._merge = Merge(())
        self._line_end = "\n"
        self._keys: dict[int, _Key] = {}
        self._made: dict[_Key, dict[int, Decision]] = {}
        """By the place of the conflict in its group."""
        self._typed: dict[Spot, str] = {}

    def take_up(self, merge: Merge) -> None:
        """The merge that is decided on from here; what has another number of equal conflicts is to be decided anew."""
        kinds = [tuple(merge.conflicts[number - 1] for number in group) for group in merge.groups]
        every, so_far = Counter(kinds), Counter[_Kind]()
        self._merge, self._keys = merge, {}
        now = (part.now if isinstance(part, Conflict) else part for part in merge.parts)
        self._line_end = "\r\n" if any("\r\n" in text for text in now) else "\n"
        for group, kind in zip(merge.groups, kinds, strict=True):
            so_far[kind] += 1
            self._keys |= dict.fromkeys(group, (kind, every[kind], so_far[kind]))

    def together(self, number: int) -> tuple[int, ...]:
        """The numbers of the conflicts that are decided with this one, itself among them."""
        return next(group for group in self._merge.groups if number in group)

    def spot(self, number: int) -> Spot:
        """A conflict so that it is found again in the merge of another look."""
        return self._keys[number], self.together(number).index(number)

    def number(self, spot: Spot) -> int | None:
        """The number of a conflict by now; None where it is there no more."""
        return next((number for number in self._keys if self.spot(number) == spot), None)

    def of(self, number: int) -> Decision | None:
        """What was decided of a conflict."""
        key, index = self.spot(number)
        return self._made.get(key, {}).get(index)

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
        """The text of a side is to stand there."""
        key = self._keys[number]
        self._made[key] = {index: Decision(side, conflict.text_of(side)) for index, conflict in enumerate(key[0])}

    def wording(self, number: int) -> str:
        """What to begin with where it is to be worded otherwise, without the white space around it."""
        spot, before = self.spot(number), self.of(number)
        if spot in self._typed:
            return self._typed[spot]
        if before is not None and before.side == "edited":
            return before.text.strip()
        return self._conflict(number).text_of(self._worded_side(number)).strip()

    def typed(self, spot: Spot, text: str) -> None:
        """This was typed, and may not have been taken; the next time it is there again."""
        self._typed[spot] = text

    def word(self, number: int, text: str) -> None:
        """This is to stand there, with the white space that was around it and the line ends of the agent's prompt; the
        other places of a passage go with the side that has it there, so that it does not stand in two."""
        before, side = self.of(number), self._worded_side(number)
        if before is None or before.side not in ("edited", side):
            self.take(number, side)
        lines = text.replace("\r\n", "\n").replace("\n", self._line_end)
        worded = self._conflict(number).worded(side, lines)
        key, index = self.spot(number)
        self._made[key][index] = Decision("edited", worded)

    def _worded_side(self, number: int) -> Side:
        """The side that was decided for, unless it leaves nothing there."""
        conflict, before = self._conflict(number), self.of(number)
        first: Side = "now" if before is not None and before.side == "now" else "staged"
        other: Side = "staged" if first == "now" else "now"
        return first if conflict.text_of(first).strip() or not conflict.text_of(other).strip() else other

    def _conflict(self, number: int) -> Conflict:
        return self._merge.conflicts[number - 1]
