"""The user's decisions about merge conflicts. A decision also applies to later merges that have the same conflict."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import Prompt, sha256
from cekura_tui.prose.merge import Conflict, Merge, Side

_KEY_PREFIX = "conflict "


@dataclass(frozen=True, slots=True)
class Decision:
    """The text chosen for a conflict: the text of one side, or a text that the user edited."""

    side: Literal["now", "staged", "edited"]
    text: str


class ConflictDecisions:
    """Decisions about a merge's conflicts, numbered from 1; the conflicts of a group are decided together. A conflict's
    key is a hash of its group's texts: the same in every merge, process and version, and never a hunk's."""

    def __init__(self) -> None:
        self._merge = Merge(())
        self._line_end = "\n"
        self._keys: dict[int, str] = {}
        self._decisions: dict[str, Decision] = {}
        self._typed: dict[str, str] = {}
        """Typed texts, by conflict key, that differ from the initial text and are not written to the agent yet."""
        self._edited_texts: dict[str, str] = {}
        """The texts of edited decisions as the user typed them, by conflict key."""

    def load_merge(self, merge: Merge) -> None:
        """Switch to a new merge. A decision stays valid if the new merge has the same group of conflicts, and as many
        equal groups as the previous merge."""
        kinds = [tuple(merge.conflicts[number - 1] for number in group) for group in merge.groups]
        every, so_far = Counter(kinds), Counter[tuple[Conflict, ...]]()
        self._merge, self._keys = merge, {}
        now = (part.now if isinstance(part, Conflict) else part for part in merge.parts)
        self._line_end = "\r\n" if any("\r\n" in text for text in now) else "\n"
        for group, kind in zip(merge.groups, kinds, strict=True):
            so_far[kind] += 1
            texts = [[one.base, one.now, one.staged] for one in kind]
            for index, number in enumerate(group):
                self._keys[number] = _KEY_PREFIX + sha256(json.dumps([texts, every[kind], so_far[kind], index]))

    def group_of(self, number: int) -> tuple[int, ...]:
        """Numbers of the conflicts that are decided together with conflict `number`, including `number`."""
        return next(group for group in self._merge.groups if number in group)

    def key_of(self, number: int) -> str:
        return self._keys[number]

    def number_of(self, key: str) -> int | None:
        """The number of the conflict with this key; None if the merge has no such conflict."""
        return next((number for number, other in self._keys.items() if other == key), None)

    def of(self, number: int) -> Decision | None:
        return self._decisions.get(self._keys[number])

    @property
    def undecided(self) -> list[int]:
        return sorted(number for number, key in self._keys.items() if key not in self._decisions)

    @property
    def text(self) -> Prompt | None:
        """The merged prompt; None while a conflict is undecided."""
        if self.undecided:
            return None
        return self._merge.text({number: self._decisions[key].text for number, key in self._keys.items()})

    def decide_side(self, number: int, side: Side) -> None:
        """Decide a conflict and its group in favour of one side."""
        for one in self.group_of(number):
            self._decisions[self._keys[one]] = Decision(side, self._conflict(one).text_of(side))
            self._edited_texts.pop(self._keys[one], None)

    def initial_text(self, number: int) -> str:
        """The editor's initial text, stripped: the typed text, else the decided text or the text to edit."""
        return self._typed.get(self._keys[number], self._decided_text(number))

    def save_typed(self, key: str, text: str) -> None:
        """Save a text typed into a conflict. A text that equals the decided text is forgotten instead. But the saved
        text of an edited decision is kept, because that text is not written to the agent yet."""
        number = self.number_of(key)
        is_decided = number is not None and text == self._decided_text(number)
        if is_decided and not (key in self._edited_texts and key in self._typed):
            self._typed.pop(key, None)
        else:
            self._typed[key] = text

    def typed_text(self, key: str) -> str | None:
        """The saved typed text of a conflict; None if no text is saved."""
        return self._typed.get(key)

    def restore_typed(self, typed: Mapping[str, str]) -> None:
        """Load typed texts of conflicts from `typed`, which may also have hunk keys; newer typed texts stay."""
        for key, text in typed.items():
            if key.startswith(_KEY_PREFIX):
                self._typed.setdefault(key, text)

    def decide_text(self, number: int, text: str) -> None:
        """Decide a conflict by an edited text, with the white space around the edited side and the agent's line ends.
        The group's other conflicts are decided for that side, so that no moved passage occurs twice."""
        decision, side = self.of(number), self._side_to_edit(number)
        if decision is None or decision.side not in ("edited", side):
            self.decide_side(number, side)
        lines = text.replace("\r\n", "\n").replace("\n", self._line_end)
        self._decisions[self._keys[number]] = Decision("edited", self._conflict(number).reworded(side, lines))
        self._edited_texts[self._keys[number]] = text

    @property
    def edited_texts(self) -> dict[str, str]:
        """The texts of edited decisions in this merge, as the user typed them, by conflict key."""
        return {key: self._edited_texts[key] for key in self._keys.values() if key in self._edited_texts}

    def forget_typed(self, taken: Mapping[str, str]) -> list[str]:
        """Forget the saved texts that equal those in `taken`, which are written to the agent now. Returns the keys of
        the forgotten texts. A text that the user has typed since stays saved."""
        written = [key for key, text in taken.items() if self._typed.get(key) == text]
        for key in written:
            del self._typed[key]
        return written

    def _decided_text(self, number: int) -> str:
        text = self._conflict(number).text_of(self._side_to_edit(number)).strip()
        return self._edited_texts.get(self._keys[number], text)

    def _side_to_edit(self, number: int) -> Side:
        """The side to edit: the decided one (by default "staged"), or the opposite if only that side has a text."""
        decision = self.of(number)
        sides: tuple[Side, Side] = ("now", "staged") if decision and decision.side == "now" else ("staged", "now")
        return next((side for side in sides if self._conflict(number).text_of(side).strip()), sides[0])

    def _conflict(self, number: int) -> Conflict:
        return self._merge.conflicts[number - 1]
