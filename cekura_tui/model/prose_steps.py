"""What became of the units of two prompts, step by step in reading order, and the hunks that these steps make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from cekura_tui.model.prose_diff import Piece
from cekura_tui.model.prose_units import Unit

Role = Literal["same", "layout", "structure", "changed", "instead", "gone", "come", "away", "here"]
"""What became of some units: "structure" is what makes them an item, a heading or prose, "instead" is what came in the
place of something else that went."""


@dataclass(slots=True)
class Step:
    """Some units of both texts, in the order in which they are read; `bare` ones without the gap before them. `hunk` is
    given later."""

    role: Role
    olds: range
    news: range
    move: int = 0
    bare: bool = False
    hunk: int = 0


def group(old: Sequence[Unit], new: Sequence[Unit], steps: Sequence[Step], pieces: Sequence[Piece]) -> None:
    """Give every step that changes something the number of its hunk, the piece of each step being given."""
    _Grouping(old, new, steps).run(pieces)


@dataclass
class _Grouping:
    old: Sequence[Unit]
    new: Sequence[Unit]
    steps: Sequence[Step]
    count: int = 0
    moves: dict[int, int] = field(default_factory=dict)
    layout: tuple[int, int] | None = None
    """The hunk of white space, and its section."""
    shape: tuple[int, Step] | None = None
    """The hunk of what made a list of a paragraph, and the last step of it."""
    section: int = 0

    def run(self, pieces: Sequence[Piece]) -> None:
        """One step after another."""
        at = to = 0
        for n, (step, piece) in enumerate(zip(self.steps, pieces, strict=True)):
            if step.news and self.new[step.news.start].kind == "heading":
                self.section += 1
            if piece.old != piece.new or piece.moved:
                step.hunk = self._hunk(step, self.steps[n - 1] if n else None)
                # The first of a text has no white space before it: what stands before it in the other text is taken or
                # left together with it, or two words were joined.
                if _begins(step, piece.old, at, to) or _begins(step, piece.new, to, at):
                    self._merge(n)
            at, to = at + len(piece.old), to + len(piece.new)

    def _hunk(self, step: Step, before: Step | None) -> int:
        if step.role == "layout":
            if before is not None and before.role in ("gone", "come", "away", "here"):
                return before.hunk
            if self.layout is None or self.layout[1] != self.section:
                self.layout = self._next(), self.section
            return self.layout[0]
        if step.role == "structure":
            hunk = self.shape[0] if self.shape and self._one_shape(self.shape[1], step) else self._next()
            self.shape = hunk, step
            return hunk
        if step.move:
            if step.move not in self.moves:
                self.moves[step.move] = self._next()
            return self.moves[step.move]
        if before is not None and before.hunk and self._one_passage(before, step):
            return before.hunk
        return self._next()

    def _next(self) -> int:
        self.count += 1
        return self.count

    def _merge(self, n: int) -> None:
        """All that changed right before step n belongs to its hunk."""
        now, before = self.steps[n].hunk, set()
        while n and self.steps[n - 1].hunk:
            n -= 1
            before.add(self.steps[n].hunk)
        for step in self.steps:
            if step.hunk in before:
                step.hunk = now
        # What comes later belongs to it, too.
        self.moves = {move: now if hunk in before else hunk for move, hunk in self.moves.items()}
        if self.layout and self.layout[0] in before:
            self.layout = now, self.layout[1]
        if self.shape and self.shape[0] in before:
            self.shape = now, self.shape[1]

    def _one_passage(self, before: Step, step: Step) -> bool:
        """Whether two steps beside one another are one change: sentences that went from, or came into, a paragraph."""
        kinds = {before.role, step.role}
        if kinds - {"gone", "come", "instead"} or kinds == {"gone", "come"}:
            return False
        sides = ((self.old, before.olds, step.olds), (self.new, before.news, step.news))
        return all(units[one[-1]].block == units[other.start].block for units, one, other in sides if one and other)

    def _one_shape(self, before: Step, step: Step) -> bool:
        """Whether two units that became an item, a heading or prose were, or are, in one paragraph."""
        return (
            self.old[before.olds[-1]].block == self.old[step.olds.start].block
            or self.new[before.news[-1]].block == self.new[step.news.start].block
        )


def _begins(step: Step, text: str, here: int, there: int) -> bool:
    """Whether a piece is the first of one text, of which more stands before it in the other one; what makes an item of
    the first of a text may be nothing there."""
    is_there = bool(text) or step.role == "structure"
    before = text[: len(text) - len(text.lstrip())]
    return is_there and "\n" not in before and here == 0 and there > 0
