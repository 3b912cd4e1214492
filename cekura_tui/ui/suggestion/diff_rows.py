"""Build the rows of a prompt diff: for each hunk a heading, the reasons and the lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Literal

from cekura_tui.model.text import clean_line, count, visible
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.lines import (
    Passage,
    ProseLine,
    also_here,
    counts,
    fold,
    hunk_note,
    in_chunks,
    moved_away,
    with_context,
)
from cekura_tui.prose.staging import Choices
from cekura_tui.prose.words import WordSpan, word_count
from cekura_tui.ui.keymap import with_keys


@dataclass(frozen=True, slots=True)
class HunkNotes:
    """The notes on a hunk. `reasons` say why the hunk may have been proposed, such as "reason: ✗ Identity check · run
    900238 00:14". `own_facts` are words in the hunk that are specific to one run, such as
    "“14 March” (the test profile)"."""

    reasons: tuple[str, ...] = ()
    own_facts: tuple[str, ...] = ()


CONTEXT = 2
"""Number of unchanged lines to show before and after a change."""
SIGNS = {"": "·", "accepted": "✓", "rejected": "✗", "edited": "✎"}

Kind = Literal["head", "also", "why", "flag", "line", "away", "fold"]
Decided = Literal["", "accepted", "rejected", "edited"]


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A row before wrapping. `hunk` is the number of the row's hunk, or 0 for unchanged text. The text of a row whose
    kind is not "line" starts with a sign."""

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
    passages: Sequence[Passage],
    choices: Choices,
    notes: Mapping[int, HunkNotes],
    *,
    unfolded: AbstractSet[int] = frozenset(),
    only_changes: bool = False,
) -> list[DiffRow]:
    """The rows of a diff, with control characters made visible. `unfolded` has the indexes of unchanged passages to
    show completely. With `only_changes`, no unchanged passage is shown."""
    if diff.is_same:
        return [DiffRow(0, 0, "fold", _plain_line("  Both texts are the same."))]
    rows = [DiffRow(-1, 0, "flag", _plain_line(f"! {visible(diff.coarse)}"))] if diff.coarse else []
    for n, (passage, before, after) in enumerate(with_context(passages)):
        if passage.hunk:
            rows.extend(_hunk_rows(n, diff, passage, choices, notes.get(passage.hunk, HunkNotes())))
        elif n in unfolded and not only_changes:
            rows.extend(DiffRow(n, part, "line", line) for part, line in enumerate(_display_lines(passage)))
        elif not only_changes:
            rows.extend(_folded(n, passage, CONTEXT * before, CONTEXT * after))
    return rows


def _plain_line(text: str) -> ProseLine:
    return ProseLine((WordSpan("same", text),))


def _folded(n: int, passage: Passage, before: int, after: int) -> Iterator[DiffRow]:
    first, hidden, last = fold(passage.lines, before, after)
    for part, line in enumerate(first):
        yield DiffRow(n, part, "line", line)
    if hidden:
        yield DiffRow(n, len(first), "fold", _plain_line(f"… {count(hidden, 'line')} unchanged"))
    for part, line in enumerate(last, len(first) + hidden):
        yield DiffRow(n, part, "line", line)


def _hunk_rows(n: int, diff: ProseDiff, passage: Passage, choices: Choices, notes: HunkNotes) -> Iterator[DiffRow]:
    """The rows of a hunk's passage. Heading and notes have negative parts, so that lines keep their keys."""
    hunk = diff.hunks[passage.hunk - 1]
    choice = choices.get(hunk.number)
    # Text that the model put around its answer is rejected by default.
    is_proposed = choice is None and hunk.kind == "wrapper"
    decided: Decided = choice.what if choice else "rejected" if is_proposed else ""
    hunk_fields = (hunk.number, bool(passage.moved), decided)
    sign = "⋯" if hunk.is_folded and not decided else SIGNS[decided]
    number = f"{sign} {hunk.number} of {len(diff.hunks)}"
    shown = list(_display_lines(passage))
    lines = [DiffRow(n, part, "line", line, *hunk_fields) for part, line in enumerate(shown)]
    blank = next((k for k, line in enumerate(shown) if line.text.strip() or line.mark != " "), len(shown))
    # Keep the blank lines between paragraphs above the heading.
    yield from (replace(line, moved=False) for line in lines[:blank])
    if passage.head:
        state = "left out unless accepted" if is_proposed else decided
        yield DiffRow(n, -1_000, "head", _head(number, hunk, passage, state), *hunk_fields)
        for k, reason in enumerate(notes.reasons):
            yield DiffRow(n, -900 + k, "why", _plain_line(f"  {clean_line(reason)}"), *hunk_fields)
        if notes.own_facts:
            facts = f"{clean_line(', '.join(notes.own_facts))}{with_keys(' · {suggestion.dismiss} dismiss')}"
            yield DiffRow(n, -1, "flag", _plain_line(f"! specific to this call: {facts}"), *hunk_fields)
    elif passage.moved == "away":
        yield DiffRow(n, -1_000, "away", _plain_line(f"→ {moved_away(passage)}"), *hunk_fields)
    else:
        yield DiffRow(n, -1_000, "also", _plain_line(f"{number} · {also_here(passage)}"), *hunk_fields)
    yield from lines[blank:]


def _display_lines(passage: Passage) -> Iterator[ProseLine]:
    return (one for line in passage.lines for one in in_chunks(line))


def _head(number: str, hunk: Hunk, passage: Passage, state: str) -> ProseLine:
    removed, added = hunk.removed, hunk.added
    if state == "edited":
        removed, added = (
            sum(word_count(span.text) for line in passage.lines for span in line.spans if span.op == op)
            for op in ("del", "ins")
        )
    spans = [WordSpan("same", " · ".join(filter(None, (number, visible(hunk.place)))))]
    if removed or added:
        gap = " " if removed and added else ""
        counted = [WordSpan("ins", counts(0, added)), WordSpan("same", gap), WordSpan("del", counts(removed, 0))]
        spans += [WordSpan("same", " · "), *(span for span in counted if span.text)]
    parts = count(len(hunk.parts), "part") if hunk.parts and not hunk.is_folded else ""
    spans += [WordSpan("same", f" · {note}") for note in (hunk_note(hunk), parts, state) if note]
    return ProseLine(tuple(spans))
