"""Two versions of a prompt hunk by hunk, in one column or side by side, with what is chosen of each hunk and why.

A line that changed is shown as it was and as it would be, on grounds of their own, its changed words on brighter ones;
marks beside the lines say the same without colour. First the rows of a diff, then how one is drawn, then the list of
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from typing import ClassVar, Literal

from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.text import LONGEST_LINE, capped, clean_line, count, visible
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.lines import (
    Passage,
    ProseLine,
    also_here,
    counts,
    fold,
    has_words,
    in_stretches,
    moved_away,
    noted,
    passages,
    signed,
)
from cekura_tui.prose.staging import Choices
from cekura_tui.prose.words import Op, WordSpan, word_count, word_spans
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.strips import LEAST, Line, RowState, StyledText, breaks, readable
from cekura_tui.ui.kit.virtual_list import ListMessage, VirtualList
from cekura_tui.ui.terminal.cells import fit


@dataclass(frozen=True, slots=True)
class HunkNotes:
    """Why a hunk may have been proposed.

    `reasons` are whole lines ("reason: ✗ Identity check · run 900238 00:14"), `own_facts` what it has of one run alone
    ("14 March", "Priya").
    """

    reasons: tuple[str, ...] = ()
    own_facts: tuple[str, ...] = ()


CONTEXT = 2
"""Unchanged lines that are shown before and after a change."""
SIGNS = {"": "·", "accepted": "✓", "rejected": "✗", "edited": "✎"}
FOLDED = "⋯"
"""The sign of a way of dressing words that is undecided, in one line for all its places."""

Kind = Literal["head", "also", "why", "flag", "line", "away", "fold"]
Decided = Literal["", "accepted", "rejected", "edited"]


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A row before wrapping. `passage` and `part` are its key; `hunk` is 0 in what did not change, `decided` what was
    chosen of the hunk. A row of a kind other than "line" begins with its mark; in a head, words that went and came are
    counted in spans of their own."""

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
    notes: Mapping[int, HunkNotes],
    *,
    unfolded: AbstractSet[int] = frozenset(),
    only_changes: bool = False,
) -> list[DiffRow]:
    """The rows of the passages of a diff; `unfolded` are the indexes of unchanged passages that are shown whole, with
    `only_changes` none is shown. All texts are safe to draw."""
    if diff.is_same:
        return [_text_row(0, 0, "fold", "  Both texts are the same.")]
    rows = [_text_row(-1, 0, "flag", f"! {visible(diff.coarse)}")] if diff.coarse else []
    for n, (passage, before, after) in enumerate(zip(found, [None, *found], [*found[1:], None], strict=False)):
        if passage.hunk:
            rows.extend(_of_hunk(n, diff, passage, choices, notes.get(passage.hunk, HunkNotes())))
        elif n in unfolded and not only_changes:
            rows.extend(DiffRow(n, part, "line", line) for part, line in enumerate(_drawn(passage)))
        elif not only_changes:
            rows.extend(_folded(n, passage, CONTEXT * has_words(before), CONTEXT * has_words(after)))
    return rows


def _text_row(
    passage: int, part: int, kind: Kind, text: str, hunk: int = 0, moved: bool = False, decided: Decided = ""
) -> DiffRow:
    return _note_row(passage, part, kind, (WordSpan("same", text),), hunk, moved, decided)


def _note_row(
    passage: int,
    part: int,
    kind: Kind,
    spans: tuple[WordSpan, ...],
    hunk: int = 0,
    moved: bool = False,
    decided: Decided = "",
) -> DiffRow:
    return DiffRow(passage, part, kind, ProseLine(spans), hunk, moved, decided)


def _folded(n: int, passage: Passage, before: int, after: int) -> Iterator[DiffRow]:
    first, hidden, last = fold(passage.lines, before, after)
    for part, line in enumerate(first):
        yield DiffRow(n, part, "line", line)
    if hidden:
        yield _text_row(n, len(first), "fold", f"… {count(hidden, 'line')} unchanged")
    for part, line in enumerate(last, len(first) + hidden):
        yield DiffRow(n, part, "line", line)


def _of_hunk(n: int, diff: ProseDiff, passage: Passage, choices: Choices, notes: HunkNotes) -> Iterator[DiffRow]:
    """Its header and its notes have keys below those of its lines, so that these stay when notes come."""
    hunk = diff.hunks[passage.hunk - 1]
    choice = choices.get(hunk.number)
    # What a model put around its answer is proposed for rejection.
    is_proposed = choice is None and hunk.kind == "wrapper"
    decided: Decided = choice.what if choice else "rejected" if is_proposed else ""
    of_hunk = (hunk.number, bool(passage.moved), decided)
    sign = FOLDED if hunk.is_folded and not decided else SIGNS[decided]
    number = f"{sign} {hunk.number} of {len(diff.hunks)}"
    drawn = list(_drawn(passage))
    lines = [DiffRow(n, part, "line", line, *of_hunk) for part, line in enumerate(drawn)]
    blank = next((k for k, line in enumerate(drawn) if line.text.strip() or line.mark != " "), len(drawn))
    yield from lines[:blank]  # the gap between two paragraphs is above the head
    if passage.head:
        state = "left out unless accepted" if is_proposed else decided
        yield _note_row(n, -1_000, "head", _head(number, hunk, passage, state), *of_hunk)
        for k, reason in enumerate(notes.reasons):
            yield _text_row(n, -900 + k, "why", f"  {clean_line(reason)}", *of_hunk)
        if notes.own_facts:
            facts = clean_line(", ".join(notes.own_facts))
            yield _text_row(n, -1, "flag", f"! specific to this call: {facts}", *of_hunk)
    elif passage.moved == "away":
        yield _text_row(n, -1_000, "away", f"→ {moved_away(passage)}", *of_hunk)
    else:
        yield _text_row(n, -1_000, "also", f"{number} · {also_here(passage)}", *of_hunk)
    yield from lines[blank:]


def _drawn(passage: Passage) -> Iterator[ProseLine]:
    return (one for line in passage.lines for one in in_stretches(line))


def _head(number: str, hunk: Hunk, passage: Passage, state: str) -> tuple[WordSpan, ...]:
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
    spans += [WordSpan("same", f" · {part}") for part in (noted(hunk), state) if part]
    return tuple(spans)


WIDE = 137
"""From so many cells on there are two columns: what a view in a frame has of a terminal of 140."""
_GUTTER = 3
"""A blank cell, the mark, a blank cell."""
_BETWEEN = " │ "
_ITEM = re.compile(r"\s*(?:(?:[-*+•!✓✗]|\(?(?:\d{1,3}|[A-Za-z])[.)])\s+)?")
"""What a line is indented by, and the mark of an item."""
_DEEPEST = 12
"""The most cells by which a line hangs."""
_COMPARED = 4_000
"""Characters of a passage and of the one in its place up to which their common words are looked for."""

_Side = Literal["", "del", "ins", "away", "here"]
_MARKS: dict[_Side, str] = {"": " ", "del": "−", "ins": "+", "away": "→", "here": "←"}


@dataclass(frozen=True, slots=True)
class DiffLook:
    """How rows are drawn: the styles of the view, whether signs stand around words, where there is no colour, and
    whether the cursor is on the row, whose ground is then that of the cursor."""

    style_of: Callable[[str], Style]
    signs: bool = False
    cursor: bool = False

    def line_ground(self, name: str) -> Style | None:
        return None if self.cursor else self.style_of(f"prose-diff--{name}")


def text_room(width: int) -> int:
    """The cells of a line of text, in a view of this width."""
    if width >= WIDE:
        return readable((width - len(_BETWEEN) - 1) // 2 - _GUTTER)
    return readable(width - _GUTTER - 1)


def _item_of(text: str) -> str:
    found = _ITEM.match(text)
    return found.group() if found else ""


def hung_breaks(text: str, room: int) -> list[tuple[int, int, int]]:
    """Where a line is cut: (start, end) of each piece, and how many cells the piece is indented by, so that an item
    hangs below its own words."""
    first, *others = breaks(text, room)
    if not others:
        return [(*first, 0)]
    indent = min(len(_item_of(text)), _DEEPEST, room // 2)
    start = others[0][0]
    return [(*first, 0), *((start + at, start + end, indent) for at, end in breaks(text[start:], room - indent))]


def diff_lines(row: DiffRow, width: int, look: DiffLook) -> list[Line]:
    """A row's lines, `width` cells each at most."""
    if row.kind != "line":
        return _note_lines(row, width, look)
    room = text_room(width)
    if width < WIDE:
        return _column(row, room, width, look)
    column = _GUTTER + room
    left, right = _side(row, "del", room, column, look), _side(row, "ins", room, width - column - len(_BETWEEN), look)
    between = Segment(_BETWEEN, look.style_of("prose-diff--rule"))
    empty: Line = [Segment(" " * column)]
    return [[*_filled(one, column), between, *other] for one, other in zip_longest(left, right, fillvalue=empty)]


def _note_lines(row: DiffRow, width: int, look: DiffLook) -> list[Line]:
    """What is no text of a prompt: it begins with a mark."""
    ground = look.line_ground("bar") if row.kind in ("head", "also") else None
    ink = look.style_of(f"prose-diff--{row.kind}")
    if row.kind in ("head", "also") and row.decided:
        ink += look.style_of(f"prose-diff--{row.decided}")
    inks: dict[Op, Style] = {
        "same": ink,
        "del": look.style_of("prose-diff--went"),
        "ins": look.style_of("prose-diff--came"),
    }
    styled = StyledText.joined((span.text, inks[span.op]) for span in row.line.spans)
    first, *others = replace(styled, text=capped(row.text)).wrapped(max(min(width, WIDE) - 2, LEAST))
    lines = [[Segment(" "), *first], *([Segment(" " * _GUTTER), *line] for line in others)]
    return [grounded(line, width, ground) for line in lines]


def _column(row: DiffRow, room: int, width: int, look: DiffLook) -> list[Line]:
    """Both versions in one: the line as it was, then as it would be."""
    mark = row.line.mark
    if mark in ("~", "±"):
        return [*_side(row, "del", room, width, look), *_side(row, "ins", room, width, look)]
    sides: dict[str, _Side] = {"-": "del", "+": "ins"}
    return _wrapped(row, row.line.spans, sides.get(mark, "here" if row.moved else ""), room, width, look)


def _side(row: DiffRow, op: Literal["del", "ins"], room: int, width: int, look: DiffLook) -> list[Line]:
    """A row as it was, or as it would be."""
    mark = row.line.mark
    if mark == " ":
        spans = tuple(span for span in row.line.spans if span.op in ("same", op))
        moved: _Side = "away" if op == "del" else "here"
        return _wrapped(row, spans, moved if row.moved else "", room, width, look)
    if mark not in ("~", "±", "-" if op == "del" else "+"):
        return []
    spans = _common(*(span.text for span in row.line.spans)) if mark == "±" else _same_start(row.line.spans)
    return _wrapped(row, [span for span in spans if span.op in ("same", op)], op, room, width, look)


def _same_start(spans: tuple[WordSpan, ...]) -> tuple[WordSpan, ...]:
    """Where both versions of a line begin with other words behind the same mark of an item, that is the same."""
    if [span.op for span in spans[:2]] != ["del", "ins"]:
        return spans
    gone, come = spans[:2]
    item = _item_of(gone.text)
    if not item or item != _item_of(come.text):
        return spans
    cut = [replace(span, text=span.text[len(item) :]) for span in (gone, come)]
    return (WordSpan("same", item), *cut, *spans[2:])


@lru_cache(maxsize=256)
def _common(gone: str, come: str) -> tuple[WordSpan, ...]:
    """A text and the one in its place, as spans: what both have is the same, even where that is little, as long as it
    is enough to help the eye. How words are dressed says nothing here."""
    if len(gone) + len(come) > _COMPARED:
        return (WordSpan("del", gone), WordSpan("ins", come))
    return tuple(word_spans(gone, come, least=_ENOUGH / (1 + come.count("\n"))))


_ENOUGH = 0.1
"""The part of a line in the place of another that must be the same to be shown as such."""


def _wrapped(row: DiffRow, spans: Sequence[WordSpan], side: _Side, room: int, width: int, look: DiffLook) -> list[Line]:
    is_rejected = row.decided == "rejected"
    ground = look.line_ground(f"line-{side}") if side in ("del", "ins") and not is_rejected else None
    kind = f"mark-{side if side in ('del', 'ins') else 'moved'}"
    ink = look.style_of(f"prose-diff--{'rejected' if is_rejected else kind}") if side else None
    mark = [Segment(" "), Segment(_MARKS[side], ink), Segment(" ")]
    found: list[Line] = []
    for line in _by_line(spans):
        pieces = _styled(row, line, look)
        if not found and row.line.continues:
            pieces.insert(0, ("… ", look.style_of("prose-diff--fold")))
        text = StyledText.joined(pieces)
        for start, end, indent in hung_breaks(text.text, room):
            piece = [*mark, *([Segment(" " * indent)] if indent else []), *text.cut(start, end)]
            found.append(grounded(piece, width, ground))
    return found


def _by_line(spans: Sequence[WordSpan]) -> list[list[WordSpan]]:
    lines: list[list[WordSpan]] = [[]]
    for span in spans:
        for k, part in enumerate(span.text.split("\n")):
            if k:
                lines.append([])
            lines[-1].append(WordSpan(span.op, part, span.format))
    return lines


def _styled(row: DiffRow, spans: Sequence[WordSpan], look: DiffLook) -> list[tuple[str, Style | None]]:
    """The words in their styles: on a line that has words which are the same, others have a ground of their own. A
    number that follows from other changes is no change: in a line that is the same it is "2→3"."""
    rejected = look.style_of("prose-diff--rejected") if row.decided == "rejected" else None
    follows = look.style_of("prose-diff--fold")
    is_mixed = any(span.op == "same" and any(map(str.isalnum, span.text)) for span in spans)
    found: list[tuple[str, Style | None]] = []
    before: Op = "same"
    for span in spans:
        if span.format == "follows":
            found.append((f"→{span.text}" if before == "del" and span.op == "ins" else span.text, follows))
        elif span.op == "same" or not is_mixed or (span.format and row.line.mark == "±"):
            found.append((span.text, rejected))
        else:
            ink = rejected or look.style_of(f"prose-diff--{span.op}")
            if look.signs:
                found.append((signed(span.op, span.text), ink))
            else:  # a ground ends where the words end
                words = span.text.strip() or span.text
                start = span.text.index(words)
                after = span.text[start + len(words) :]
                found += [(span.text[:start], rejected), (words, ink), (after, rejected)]
        before = span.op
    return found


def grounded(line: Line, width: int, ground: Style | None) -> Line:
    """The line on a ground that reaches from side to side; as it is without one."""
    if ground is None:
        return line
    return [Segment(text, ground + style if style else ground) for text, style, _ in _filled(line, width)]


def _filled(line: Line, width: int) -> Line:
    used = sum(segment.cell_length for segment in line)
    return [*line, Segment(fit("", width - used))]


class ProseDiffView(VirtualList[DiffRow]):
    """The rows of a diff; `n` and `N` go from hunk to hunk, `f` unfolds what did not change, `w` leaves it out. From
    140 columns on the sent text is beside the proposed one. Without `opens`, enter is a key of the screen."""

    row_height = None
    INKS: ClassVar[Mapping[str, str]] = {
        "prose-diff--head": "color: $accent; text-style: bold;",
        "prose-diff--bar": "background: $panel;",
        "prose-diff--also": "color: $accent;",
        "prose-diff--why": "color: $muted;",
        "prose-diff--flag": "color: $warning;",
        "prose-diff--away": "color: $accent;",
        "prose-diff--fold": "color: $muted;",
        "prose-diff--rule": "color: $faint;",
        "prose-diff--came": "color: $added;",
        "prose-diff--went": "color: $removed;",
        "prose-diff--accepted": "color: $success;",
        "prose-diff--rejected": "color: $muted;",
        "prose-diff--edited": "color: $accent;",
        "prose-diff--line-del": "background: $removed-ground;",
        "prose-diff--line-ins": "background: $added-ground;",
        "prose-diff--del": "background: $removed-word-ground; text-style: bold;",
        "prose-diff--ins": "background: $added-word-ground; text-style: bold;",
        "prose-diff--mark-del": "color: $removed; text-style: bold;",
        "prose-diff--mark-ins": "color: $added; text-style: bold;",
        "prose-diff--mark-moved": "color: $accent; text-style: bold;",
    }
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("diff.next", "n", "change(1)", "Next", "Next change", 7),
        Action("diff.previous", "N", "change(-1)", "Prev", "Previous change", 11),
        Action("diff.fold", "f", "fold", "Unfold", "Unfold or fold unchanged lines", 12),
        Action("diff.only-changes", "w", "only_changes", "Only changes", "Hide or show unchanged lines"),
    )

    @dataclass
    class HunkMoved(ListMessage):
        """The cursor came into another hunk, of this number."""

        hunk: int

    @dataclass
    class SplitRequested(ListMessage):
        """The hunk under the cursor is to be shown in its parts."""

    def __init__(self, *, opens: bool = True, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._opens = opens
        self._diff: ProseDiff | None = None
        self._choices: Choices = {}
        self._notes: Mapping[int, HunkNotes] = {}
        self._passages: list[Passage] = []
        self._unfolded: frozenset[int] = frozenset()
        self._only_changes = False
        self._reported_hunk = 0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter is left to the screen where that names the key and what it does."""
        return super().check_action(action, parameters) if self._opens or action != "open" else False

    def show_diff(
        self, diff: ProseDiff, choices: Choices | None = None, notes: Mapping[int, HunkNotes] | None = None
    ) -> None:
        """Show this diff with what was decided and is known of its hunks (both by number). Another diff begins at the
        first hunk that is undecided; in the same one cursor, folds and position stay, and what looks as before is not
        drawn again. Where a hunk was split or joined the cursor goes to the first of its parts, or to the whole."""
        choices, notes = dict(choices or {}), dict(notes or {})
        before = self._diff
        is_other = before is None or (before is not diff and (before.old, before.new) != (diff.old, diff.new))
        is_split = not is_other and before != diff
        at = self._nearest if is_split else None
        if is_other:
            self._unfolded, self._only_changes = frozenset(), False
        if is_other or is_split or _edited(choices) != _edited(self._choices):
            all_unfolded = bool(self._unfolded) and self._unchanged <= self._unfolded
            self._passages = passages(diff, choices)
            if is_split:  # passages have other numbers now
                self._unfolded = self._unchanged if all_unfolded else frozenset()
        if is_other or is_split:
            self._reported_hunk = 0
        more_notes, self._notes = notes != self._notes, notes
        self._diff, self._choices = diff, choices
        self._show(reset=is_other)
        if is_other and diff.hunks:
            hunks = [hunk for hunk in diff.hunks if hunk.kind != "wrapper"] or [*diff.hunks]
            self.go_to(next((hunk for hunk in hunks if hunk.number not in choices), hunks[0]).number)
            if not self.rows_that_fit:  # what is above is shown, too, once there is room
                self.viewport.place(0, 0)
        elif at is not None:
            self.go_to(next((hunk for hunk in diff.hunks if _follows(hunk, at)), diff.hunks[0]).number)
        elif more_notes:  # which take lines from the hunk under the cursor
            self.show_whole()

    @property
    def _unchanged(self) -> frozenset[int]:
        return frozenset(n for n, passage in enumerate(self._passages) if not passage.hunk)

    @property
    def _nearest(self) -> Hunk | None:
        """The hunk under the cursor, or the last one before it."""
        rows = self.rows[: (self.cursor_index or 0) + 1]
        number = next((row.hunk for row in reversed(rows) if row.hunk), 1)
        return self._diff.hunks[number - 1] if self._diff is not None and self._diff.hunks else None

    @property
    def hunk(self) -> Hunk | None:
        row = self.cursor_row
        return self._diff.hunks[row.hunk - 1] if self._diff is not None and row is not None and row.hunk else None

    def go_to(self, number: int) -> None:
        """Put the cursor on the header of a hunk, and show as much of it as fits."""
        for index, row in enumerate(self.rows):
            if row.hunk == number and row.kind == "head":
                following = sum(1 for after in self.rows[index + 1 :] if after.passage == row.passage)
                self.move_to(row.key, following=following)
                return

    def on_resize(self) -> None:
        """What is around it grew or shrank."""
        self.call_later(self.show_whole)

    def show_whole(self) -> None:
        """With the cursor on the header of a hunk, on screen, show as much of the hunk as fits."""
        row = self.cursor_row
        if row is not None and row.kind == "head" and self.viewport.shows(self.cursor_index or 0):
            self.go_to(row.hunk)

    def action_change(self, step: int) -> None:
        """Go to the next or previous hunk; at the last one it stays."""
        at = self.cursor_index or 0
        indexes = range(at + 1, len(self.rows)) if step > 0 else range(at - 1, -1, -1)
        for index in indexes:
            row = self.rows[index]
            if row.kind == "head":
                self.go_to(row.hunk)
                return

    def action_fold(self) -> None:
        """Unfold the unchanged passage under the cursor, or fold it; on a hunk all of them. A way of dressing words is
        unfolded to its places."""
        if self.hunk is not None and self.hunk.is_folded:
            self.post_message(self.SplitRequested(self))
            return
        row, unchanged = self.cursor_row, self._unchanged
        if row is not None and row.passage in unchanged:
            self._unfolded ^= {row.passage}
        else:
            self._unfolded = frozenset() if unchanged <= self._unfolded else unchanged
        self._only_changes = False
        self._show()

    def action_only_changes(self) -> None:
        """Leave out what did not change, or show it again."""
        self._only_changes = not self._only_changes
        self._show()

    def _show(self, *, reset: bool = False) -> None:
        if self._diff is not None:
            rows = diff_rows(
                self._diff,
                self._passages,
                self._choices,
                self._notes,
                unfolded=self._unfolded,
                only_changes=self._only_changes,
            )
            self.show_rows(rows, reset=reset)

    def cursor_moved(self) -> None:
        """Report also when it comes into another hunk."""
        super().cursor_moved()
        hunk = self.hunk
        if hunk is not None and hunk.number != self._reported_hunk:
            self._reported_hunk = hunk.number
            self.post_message(self.HunkMoved(self, hunk.number))

    def key_of(self, row: DiffRow) -> tuple[int, int]:
        return row.key

    def estimate(self, row: DiffRow, width: int) -> int:
        return 1 + min(len(row.text), LONGEST_LINE) // text_room(width)

    def lines_of(self, row: DiffRow, width: int, state: RowState) -> list[Line]:
        return diff_lines(row, width, DiffLook(self.style_of, self.app.no_color, state.cursor))


def _follows(hunk: Hunk, before: Hunk) -> bool:
    """Whether a hunk is what another one became where that was split or joined, or is the same."""
    return hunk.key in (before.key, before.whole) or hunk.whole == before.key


def _edited(choices: Choices) -> dict[int, str]:
    return {number: choice.text for number, choice in choices.items() if choice.what == "edited"}
