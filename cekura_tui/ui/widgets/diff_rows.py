"""A prose diff as the rows of a list: a header for every hunk, why, its lines, and folds for what did not change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.folded_lines import fold
from cekura_tui.model.long_lines import in_stretches
from cekura_tui.model.prose_diff import Hunk, ProseDiff
from cekura_tui.model.prose_lines import Passage, ProseLine
from cekura_tui.model.prose_text import also_here, counts, has_words, moved_away, noted
from cekura_tui.model.prose_words import Span, word_count
from cekura_tui.model.staging import Choices
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.visible import visible
from cekura_tui.ui.widgets.hunk_told import HunkTold

CONTEXT = 2
"""Unchanged lines that are shown before and after a change."""
SIGNS = {"": "·", "accepted": "✓", "rejected": "✗", "edited": "✎"}

Kind = Literal["head", "also", "why", "flag", "line", "away", "fold"]
Decided = Literal["", "accepted", "rejected", "edited"]


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A row before wrapping. `passage` and `part` are its key; `hunk` is 0 in what did not change, `decided` what was
    chosen of the hunk. A row of a kind other than "line" has one unmarked span."""

    passage: int
    part: int
    kind: Kind
    line: ProseLine
    hunk: int = 0
    moved: bool = False
    decided: Decided = ""

    @property
    def key(self) -> tuple[int, int]:
        return self.passage, self.part

    @property
    def text(self) -> str:
        return self.line.text


def diff_rows(
    diff: ProseDiff,
    found: Sequence[Passage],
    choices: Choices,
    told: Mapping[int, HunkTold],
    *,
    unfolded: AbstractSet[int] = frozenset(),
    only_changes: bool = False,
) -> list[DiffRow]:
    """The rows of the passages of a diff; `unfolded` are the indexes of unchanged passages that are shown whole, with
    `only_changes` none is shown. All texts are safe to draw."""
    if diff.is_same:
        return [_said(0, 0, "fold", "Both texts are the same.")]
    rows = [_said(-1, 0, "fold", visible(diff.coarse))] if diff.coarse else []
    for n, (passage, before, after) in enumerate(zip(found, [None, *found], [*found[1:], None], strict=False)):
        if passage.hunk:
            rows.extend(_of_hunk(n, diff, passage, choices, told.get(passage.hunk, HunkTold())))
        elif n in unfolded and not only_changes:
            rows.extend(DiffRow(n, part, "line", line) for part, line in enumerate(_drawn(passage)))
        elif not only_changes:
            rows.extend(_folded(n, passage, CONTEXT * has_words(before), CONTEXT * has_words(after)))
    return rows


def _said(
    passage: int, part: int, kind: Kind, text: str, hunk: int = 0, moved: bool = False, decided: Decided = ""
) -> DiffRow:
    return DiffRow(passage, part, kind, ProseLine((Span("same", text),)), hunk, moved, decided)


def _folded(n: int, passage: Passage, before: int, after: int) -> Iterator[DiffRow]:
    first, hidden, last = fold(passage.lines, before, after)
    for part, line in enumerate(first):
        yield DiffRow(n, part, "line", line)
    if hidden:
        yield _said(n, len(first), "fold", f"… {count(hidden, 'line')} unchanged …")
    for part, line in enumerate(last, len(first) + hidden):
        yield DiffRow(n, part, "line", line)


def _of_hunk(n: int, diff: ProseDiff, passage: Passage, choices: Choices, told: HunkTold) -> Iterator[DiffRow]:
    """Its header and what is told have keys below those of its lines, so that these stay when more is told."""
    hunk = diff.hunks[passage.hunk - 1]
    choice = choices.get(hunk.number)
    decided: Decided = choice.what if choice else ""
    of_hunk = (hunk.number, bool(passage.moved), decided)
    number = f"{SIGNS[decided]} {hunk.number} of {len(diff.hunks)}"
    if passage.head:
        yield _said(n, -1_000, "head", _head(number, diff, hunk, passage, decided), *of_hunk)
        for k, reason in enumerate(told.reasons):
            yield _said(n, -900 + k, "why", clean_line(reason), *of_hunk)
        if told.own_facts:
            facts = clean_line(", ".join(told.own_facts))
            yield _said(n, -1, "flag", f"! speaks of this one call: {facts}", *of_hunk)
    elif passage.moved == "away":
        yield _said(n, -1_000, "away", moved_away(passage), *of_hunk)
    else:
        yield _said(n, -1_000, "also", f"{number} · {also_here(passage)}", *of_hunk)
    for part, line in enumerate(_drawn(passage)):
        yield DiffRow(n, part, "line", line, *of_hunk)


def _drawn(passage: Passage) -> Iterator[ProseLine]:
    return (one for line in passage.lines for one in in_stretches(line))


def _head(number: str, diff: ProseDiff, hunk: Hunk, passage: Passage, decided: Decided) -> str:
    removed, added = hunk.removed, hunk.added
    if decided == "edited":
        removed, added = (
            sum(word_count(span.text) for line in passage.lines for span in line.spans if span.op == op)
            for op in ("del", "ins")
        )
    parts = (number, visible(hunk.place), counts(removed, added), noted(diff, hunk), decided)
    return " · ".join(part for part in parts if part)
