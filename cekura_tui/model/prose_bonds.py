"""Which changes of a prompt stand or fall together, so that whatever is taken of them, every line keeps its start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from cekura_tui.model.prose_marks import closes, fence_mark
from cekura_tui.model.prose_steps import Role, Step
from cekura_tui.model.prose_units import Unit, begins, blocks_of

_Node = tuple[str, int]
_OF_ITS_OWN: tuple[Role, ...] = ("same", "layout", "structure")
"""A hunk of such steps alone is of many lines: each of them may be bound without the others."""


def bind(old: Sequence[Unit], new: Sequence[Unit], steps: Sequence[Step]) -> None:
    """Give steps that need one another the same hunk, every step having one already.

    What begins a paragraph or item and the sentence that begins it without that: one alone would leave the other to the
    line above. The line that opens a fence and the one that closes it: one alone would make code of all that follows.
    """
    of_old = _by_unit((step.olds, n) for n, step in enumerate(steps))
    of_new = _by_unit((step.news, n) for n, step in enumerate(steps))
    bonds = [*_bonds(old, of_old, steps, ("gone", "away")), *_bonds(new, of_new, steps, ("come", "here"))]
    bonds += _breaks(old, of_old, new, [range(0) if step.olds else step.news for step in steps])
    bonds += _breaks(new, of_new, old, [range(0) if step.news else step.olds for step in steps])
    worded = {step.hunk for step in steps if step.hunk and step.role not in _OF_ITS_OWN}
    nodes: list[_Node] = [("hunk", step.hunk) if step.hunk in worded else ("step", n) for n, step in enumerate(steps)]
    roots = _Roots()
    for bond in bonds:
        for one, other in pairwise(bond):
            roots.join(nodes[one], nodes[other])
    hunks: dict[_Node, int] = {}
    for hunk in sorted(worded, reverse=True):
        hunks[roots.of(("hunk", hunk))] = hunk
    for node, step in zip(nodes, steps, strict=True):
        step.hunk = hunks.get(roots.of(node), step.hunk) if step.hunk else 0


def _by_unit(found: Iterable[tuple[range, int]]) -> dict[int, int]:
    """For every unit the first step that is about it: that has the gap before it."""
    firsts: dict[int, int] = {}
    for units, n in found:
        for unit in units:
            firsts.setdefault(unit, n)
    return firsts


def _bonds(
    units: Sequence[Unit], step_of: dict[int, int], steps: Sequence[Step], passing: tuple[Role, ...]
) -> Iterator[list[int]]:
    """The steps that are bound by what they do to one of the texts; of its units, `passing` ones are not in the other
    text where they are in this one."""
    for start, end in blocks_of(units):
        if fence := fence_mark(units[start].text) if units[start].kind == "code" else "":
            if closes(units[end - 1].text, fence):
                yield [step_of[start], step_of[end - 1]]
            continue
        at = start
        while at < end and steps[step_of[at]].role in passing:
            at += 1
        if at > start:
            yield [step_of[n] for n in range(start, min(at + 1, end))]


def _breaks(
    units: Sequence[Unit], step_of: dict[int, int], others: Sequence[Unit], alone: Sequence[range]
) -> Iterator[list[int]]:
    """What begins a line in one text alone and is read between two sentences of a paragraph of the other: the second
    one would go on in that line. `alone` has for every step its units of the one text, if it has none of the other."""
    for start, end in blocks_of(units):
        for n in range(start + 1, end):
            for between in range(step_of[n - 1] + 1, step_of[n]):
                if any(begins(others, other) for other in alone[between]):
                    yield [between, step_of[n]]


class _Roots:
    """What is joined, directly or by way of others, has the same root."""

    def __init__(self) -> None:
        self._above: dict[_Node, _Node] = {}

    def of(self, node: _Node) -> _Node:
        while (above := self._above.get(node, node)) != node:
            self._above[node] = self._above.get(above, above)
            node = above
        return node

    def join(self, one: _Node, other: _Node) -> None:
        self._above[self.of(one)] = self.of(other)
