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
"""The conflicts that are one decision."""
_SPOT = "conflict "


@dataclass(frozen=True, slots=True)
class Decision:
    """The text in the place of a conflict: the text of a side, or one that was worded here."""

    side: Literal["now", "staged", "edited"]
    text: str


class ConflictDecisions:
    """Conflicts that belong together are decided together. Numbers are those of the conflicts, from 1.

    A spot is the key of a conflict by its texts, the same in every merge, process and version, and the key of no hunk.
    """

    def __init__(self) -> None:
        self._merge = Merge(())
        self._line_end = "\n"
        self._spots: dict[int, str] = {}
        self._made: dict[str, Decision] = {}
        """By the spot."""
        self._typed: dict[str, str] = {}
        """By the spot: text that was typed, is not written yet, and differs from what the conflict begins with."""
        self._taken: dict[str, str] = {}
        """By the spot: the text as it was typed for an edited decision."""
        self._written: dict[Prompt, Prompt] = {}
        """By the staged text."""

    def take_up(self, merge: Merge) -> None:
        """Keep the decisions for a new merge, except where the number of equal conflicts changed."""
        kinds = [tuple(merge.conflicts[number - 1] for number in group) for group in merge.groups]
        every, so_far = Counter(kinds), Counter[_Kind]()
        self._merge, self._spots = merge, {}
        now = (part.now if isinstance(part, Conflict) else part for part in merge.parts)
        self._line_end = "\r\n" if any("\r\n" in text for text in now) else "\n"
        for group, kind in zip(merge.groups, kinds, strict=True):
            so_far[kind] += 1
            for index, number in enumerate(group):
                self._spots[number] = _spot(kind, every[kind], so_far[kind], index)

    def together(self, number: int) -> tuple[int, ...]:
        """The numbers of the conflicts decided with this one, itself included."""
        return next(group for group in self._merge.groups if number in group)

    def spot(self, number: int) -> str:
        """The key of a conflict, by which it is found in another merge."""
        return self._spots[number]

    def number(self, spot: str) -> int | None:
        """The number of a conflict in this merge; None where it has none."""
        return next((number for number, other in self._spots.items() if other == spot), None)

    def of(self, number: int) -> Decision | None:
        return self._made.get(self._spots[number])

    @property
    def undecided(self) -> list[int]:
        """The numbers of the conflicts without a decision."""
        return sorted(number for number, spot in self._spots.items() if spot not in self._made)

    @property
    def text(self) -> Prompt | None:
        """The merged prompt; None as long as a conflict is not decided."""
        if self.undecided:
            return None
        return self._merge.text({number: self._made[spot].text for number, spot in self._spots.items()})

    def take(self, number: int, side: Side) -> None:
        """Decide for the text of a side."""
        for one in self.together(number):
            self._made[self._spots[one]] = Decision(side, self._conflict(one).text_of(side))

    def wording(self, number: int) -> str:
        """The text with which editing begins, without the white space around it."""
        typed = self._typed.get(self.spot(number))
        return self._wording(number) if typed is None else typed

    def typed(self, spot: str, text: str) -> None:
        """Keep a text that was typed, taken or not, for the next time. The text with which editing begins is kept only
        where another wording was taken that is not written yet."""
        number = self.number(spot)
        edited = number is not None and self._is_edited(number)
        if number is not None and text == self._wording(number) and not (edited and spot in self._typed):
            self._typed.pop(spot, None)
        else:
            self._typed[spot] = text

    def kept(self, spot: str) -> str | None:
        """The text to keep that was typed there, if any."""
        return self._typed.get(spot)

    def recall(self, typed: Mapping[str, str]) -> None:
        """Take up texts that were kept, by the spot; what was typed here since is newer."""
        for spot, text in typed.items():
            if spot.startswith(_SPOT):
                self._typed.setdefault(spot, text)

    def word(self, number: int, text: str) -> None:
        """Decide for this text, with the white space that was around it and the line ends of the agent's prompt; the
        other places of a passage go with the side that has it there, so that it is not in two."""
        made, side = self.of(number), self._worded_side(number)
        if made is None or made.side not in ("edited", side):
            self.take(number, side)
        lines = text.replace("\r\n", "\n").replace("\n", self._line_end)
        self._made[self._spots[number]] = Decision("edited", self._conflict(number).worded(side, lines))
        self._taken[self._spots[number]] = text

    @property
    def taken(self) -> dict[str, str]:
        """The texts as they were typed for edited decisions, by the spot."""
        return {spot: self._taken[spot] for number, spot in self._spots.items() if self._is_edited(number)}

    def forget(self, taken: Mapping[str, str]) -> list[str]:
        """Forget texts that are written. Returns their spots, but for those where another text was typed since."""
        over = [spot for spot, text in taken.items() if self._typed.get(spot) == text]
        for spot in over:
            del self._typed[spot]
        return over

    def write(self, staged: Prompt, text: Prompt) -> None:
        """Note that `text` is being written in place of a staged text."""
        self._written[staged] = text

    def written(self, staged: Prompt) -> Prompt | None:
        """The text written last in place of a staged text, even if the write failed; None where there is none."""
        return self._written.get(staged)

    def _is_edited(self, number: int) -> bool:
        made = self.of(number)
        return made is not None and made.side == "edited"

    def _wording(self, number: int) -> str:
        made = self.of(number)
        if made is not None and made.side == "edited":
            return made.text.strip()
        return self._conflict(number).text_of(self._worded_side(number)).strip()

    def _worded_side(self, number: int) -> Side:
        """The side that was decided for, unless it leaves nothing there."""
        conflict, made = self._conflict(number), self.of(number)
        first: Side = "now" if made is not None and made.side == "now" else "staged"
        other: Side = "staged" if first == "now" else "now"
        return first if conflict.text_of(first).strip() or not conflict.text_of(other).strip() else other

    def _conflict(self, number: int) -> Conflict:
        return self._merge.conflicts[number - 1]


def _spot(kind: _Kind, of_how_many: int, which: int, index: int) -> str:
    texts = [[conflict.base, conflict.now, conflict.staged] for conflict in kind]
    return _SPOT + sha256(json.dumps([texts, of_how_many, which, index]))
