"""Render a prose diff as lines that are safe to draw, and as plain text. Very long lines are split into chunks.
Unchanged text far from a change is folded."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Literal, NamedTuple

from cekura_tui.model.text import LONGEST_LINE, capped, count, visible
from cekura_tui.prose.diff import Hunk, ProseDiff, TextPiece, truncated
from cekura_tui.prose.formatting import structure
from cekura_tui.prose.staging import Choices, HunkChoice, reworded, staged_spans, with_numbers
from cekura_tui.prose.words import Op, WordSpan, tidy, word_count, word_spans

_KEPT_CONTEXT = 200
"""Characters of unchanged text that are kept before and after a change in a very long line."""


def chunk_ranges(text: str) -> list[tuple[int, int]]:
    """[start, end) of chunks of at most LONGEST_LINE characters; a chunk ends after a space in its second half."""
    found = []
    start = 0
    while len(text) - start > LONGEST_LINE:
        end = text.rfind(" ", start + LONGEST_LINE // 2, start + LONGEST_LINE) + 1 or start + LONGEST_LINE
        found.append((start, end))
        start = end
    return [*found, (start, len(text))]


def in_chunks(line: ProseLine) -> list[ProseLine]:
    """Split a line longer than LONGEST_LINE into several lines. Of the unchanged text in a changed line, only the text
    near changes is kept. A "±" line with too many or too long lines becomes removed and added lines."""
    if len(line.text) <= LONGEST_LINE:
        return [line]
    if line.mark == "±":
        texts = [(span.op, n, text) for span in line.spans for n, text in enumerate(span.text.split("\n"))]
        if len(texts) <= _MOST_PARTS and all(len(text) <= LONGEST_LINE for _, _, text in texts):
            return [line]
        versions = (ProseLine((WordSpan(op, text),), _MARKS[op], line.continues and n == 0) for op, n, text in texts)
        return [one if one.text else replace(one, spans=()) for version in versions for one in in_chunks(version)]
    spans, last = list(line.spans), len(line.spans) - 1
    if line.mark != " ":
        spans = [_shortened(span, k > 0, k < last) if span.op == "same" else span for k, span in enumerate(spans)]
    found: list[list[WordSpan]] = [[]]
    room = LONGEST_LINE
    for span in spans:
        for start, end in chunk_ranges(span.text):
            if end - start > room and found[-1]:
                found.append([])
                room = LONGEST_LINE
            found[-1].append(WordSpan(span.op, span.text[start:end]))
            room -= end - start
    return [ProseLine(tuple(row), mark_of(row), line.continues or k > 0) for k, row in enumerate(found)]


_MOST_PARTS = 500
"""Most lines of text, of both versions, in a "±" line; a longer replacement is drawn line by line."""


def _shortened(span: WordSpan, after: bool, before: bool) -> WordSpan:
    """Shorten a long unchanged span. `after`: the span follows a change, so the start is kept. `before`: the span
    precedes a change, so the end is kept. All other characters are replaced by a note with their number."""
    text = span.text
    if len(text) <= 3 * _KEPT_CONTEXT:
        return span
    start = (text.rfind(" ", 0, _KEPT_CONTEXT) + 1 or _KEPT_CONTEXT) if after else 0
    end = len(text)
    if before:
        space = text.find(" ", end - _KEPT_CONTEXT)
        end = space if space >= 0 else end - _KEPT_CONTEXT
    return WordSpan("same", f"{text[:start]}… ({end - start:,} characters unchanged) …{text[end:]}")


Mark = Literal[" ", "-", "+", "~", "±"]
"""How a line changed: not at all (" "), removed ("-"), added ("+"), reworded ("~") or replaced ("±")."""

_MARKS: dict[Op, Mark] = {"same": " ", "del": "-", "ins": "+"}
_SIGNS: dict[Op, tuple[str, str]] = {"same": ("", ""), "del": ("[-", "-]"), "ins": ("{+", "+}")}


@dataclass(frozen=True, slots=True)
class ProseLine:
    """A line of a diff, safe to draw. `continues`: it starts in the middle of a line of the text. A "±" line has a
    deleted and an inserted span, whole versions that may contain line ends; no other span does."""

    spans: tuple[WordSpan, ...]
    mark: Mark = " "
    continues: bool = False

    @property
    def text(self) -> str:
        """The text of all spans, deleted spans included."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Passage:
    """Unchanged lines (`hunk` is 0) or a part of a hunk. `head`: this part shows the header of the hunk. `lines` is
    empty at the old place of a move ("away"), and for a layout hunk that is folded or whose lines another hunk shows.
    `elsewhere` is the opposite place of a move, `words` the number of words that moved away."""

    hunk: int = 0
    head: bool = False
    moved: Literal["", "away", "here"] = ""
    lines: tuple[ProseLine, ...] = ()
    elsewhere: str = ""
    words: int = 0


def passages(diff: ProseDiff, choices: Choices | None = None) -> list[Passage]:
    """The diff as passages in reading order, with the lines of both texts. Folded layout changes are shown as sent; a
    changed list number alone does not mark a line as changed. The new text of an edited hunk is the edited text."""
    edited = {number: choice for number, choice in (choices or {}).items() if choice.what == "edited"}
    writer = _LineWriter()
    found: list[Passage] = []
    parts_of = groupby(_with_markers(diff, edited), lambda one: (one.hunk, one.moved, one.elsewhere, bool(one.pieces)))
    for (hunk, moved, elsewhere, is_drawn), group in parts_of:
        parts = list(group)
        pieces, head = [spans for part in parts for spans in part.pieces], any(part.head for part in parts)
        lines = tuple(writer.lines(pieces))
        if moved == "away":
            words = sum(word_count(span.text) for spans in pieces for span in spans)
            found.append(Passage(hunk, head, moved, (), elsewhere, words))
        elif lines or head or not is_drawn:
            found.append(Passage(hunk, head, moved, lines, elsewhere))
    return found + [Passage(hunk.number, head=True) for hunk in diff.hunks if hunk.is_folded]


def readable(spans: Iterable[WordSpan]) -> list[WordSpan]:
    """Exclude surrounding white space from replacements, so that only words are marked as changed."""
    found: list[WordSpan] = []
    for span in spans:
        if span.op == "ins" and found and found[-1].op == "del" and not (span.format or found[-1].format):
            found += _trimmed(found.pop().text, span.text)
        else:
            found.append(span)
    return tidy(found)


def signed(op: Op, text: str) -> str:
    """Mark words as `wdiff` does: "[-deleted-]", "{+inserted+}". Trailing white space stays outside the signs."""
    bare = text.rstrip() or text
    return f"{_SIGNS[op][0]}{bare}{_SIGNS[op][1]}{text[len(bare) :]}"


# Adjacent pieces that are drawn as one part


class _LinePart(NamedTuple):
    """Spans to draw, by line or sentence; none for a layout hunk whose lines another hunk shows."""

    hunk: int
    head: bool
    pieces: list[list[WordSpan]]
    moved: Literal["", "away", "here"] = ""
    elsewhere: str = ""


def _with_markers(diff: ProseDiff, edited: Mapping[int, HunkChoice]) -> Iterator[_LinePart]:
    """The parts; a list marker at the end of a part is drawn on one line with the text of its item."""
    lead: _LinePart | None = None
    heads: list[_LinePart] = []
    for part in _piece_parts(diff, edited):
        if lead and not part.pieces:
            heads.append(part)
            continue
        if lead and (lead.hunk or part.moved != "away"):
            if lead.hunk and part.hunk:
                lead.pieces[-1] += [WordSpan("same", "…")] if lead.hunk != part.hunk else []
                heads = [lead, *heads]
            else:
                pieces = [*lead.pieces[:-1], tidy([*lead.pieces[-1], *part.pieces[0]]), *part.pieces[1:]]
                part = (lead if lead.hunk else part)._replace(pieces=pieces)
            yield from heads
            lead, heads = None, []
        spans = part.pieces[-1] if part.pieces and part.moved != "away" else []
        versions = ("".join(span.text for span in spans if span.op != op) for op in ("ins", "del"))
        if any(structure(text.rpartition("\n")[2]) for text in versions):
            lead = part
        else:
            yield part
    yield from [lead, *heads] if lead else []


def _piece_parts(diff: ProseDiff, edited: Mapping[int, HunkChoice]) -> Iterator[_LinePart]:
    seen: set[int] = set()
    for index, piece in enumerate(diff.pieces):
        if not diff.is_compared:
            piece = replace(piece, old=truncated(piece.old), new=truncated(piece.new))
        if piece.moved == "away":
            if piece.hunk == piece.mover:
                yield _LinePart(piece.hunk, False, [[WordSpan("del", piece.old)]], "away", piece.elsewhere)
            continue
        layout = {span.hunk for span in piece.spans if span.format and span.hunk}
        places = sorted(number for number in layout if not diff.hunks[number - 1].is_folded)
        # A line is drawn once, with the hunk that changes its words; its other hunks go before it.
        own = piece.hunk or (places[-1] if places else 0)
        for number in places:
            if number != own and number not in seen:
                seen.add(number)
                yield _LinePart(number, True, [])
        main = bool(own) and diff.hunks[own - 1].main == index
        # The header is at the first part of a hunk; of a move, at the new place.
        head = bool(own) and (main if diff.hunks[own - 1].kind == "moved" else own not in seen)
        seen.add(own)
        spans = _piece_spans(piece, edited.get(own) if main else None, places)
        if piece.hunk and piece.hunk == piece.mover:
            yield _LinePart(own, head, spans, "here", piece.elsewhere)
        else:
            yield _LinePart(own, head, spans)


def _piece_spans(piece: TextPiece, choice: HunkChoice | None, places: Sequence[int]) -> list[list[WordSpan]]:
    """The spans of a piece, by line or sentence; adjacent lines that changed completely are one list. `choice` has the
    edited text, None if not edited. `places` are the layout hunks to show."""
    if not piece.hunk:
        return [_shown_spans(piece, piece.spans, places) or [WordSpan("same", piece.old)]]
    if choice is not None:
        sent = "".join(span.text for span in piece.spans if span.op != "ins")
        return [readable(word_spans(sent, reworded(piece.new or piece.old, choice.text), exactly=True))]
    if not piece.spans:
        return [readable([WordSpan("del", piece.old), WordSpan("ins", piece.new)])]
    found: list[list[WordSpan]] = []
    cuts = pairwise((0, *piece.cuts, len(piece.spans)))
    parts = (_shown_spans(piece, piece.spans[start:end], places) for start, end in cuts)
    for is_other, (*here,) in groupby(parts, key=lambda spans: all(span.op != "same" for span in spans)):
        # Draw adjacent lines that changed completely as one replacement.
        found += [tidy(span for spans in here for span in spans)] if is_other else here
    return [readable(spans) for spans in found]


def _shown_spans(piece: TextPiece, spans: Iterable[WordSpan], places: Sequence[int]) -> list[WordSpan]:
    """The spans with the sent formatting, and without the changes of other hunks. Only changes of list numbers and of
    the layout hunks `places` are kept. The white space around a moved passage is as at the new place."""
    found = []
    for span in spans:
        if piece.moved == "here" and span.op != "same" and not (span.hunk or span.text.strip()):
            found += [WordSpan("same", span.text)] if span.op == "ins" else []
        elif span.other is not None:
            found.append(WordSpan(span.op, span.text))
        elif not (span.format or span.hunk) or span.format == "follows" or span.hunk in places:
            found.append(span)
        elif span.op == "del":
            found.append(WordSpan("same", span.text))
    return tidy(found)


def _trimmed(removed: str, added: str) -> list[WordSpan]:
    """Spans that replace `removed` by `added`. White space that both texts begin with, or that both end with, becomes
    an unchanged span with the white space of `added`. The indentation of a line stays with the words of the line."""
    before = after = ""
    if (lead := _LINE_GAP.match(removed)) and (gap := _LINE_GAP.match(added)):
        before, removed, added = gap[0], removed[lead.end() :], added[gap.end() :]
    if removed != removed.rstrip() and added != added.rstrip():
        after = added[len(added.rstrip()) :]
        removed, added = removed.rstrip(), added.rstrip()
    return [WordSpan("same", before), WordSpan("del", removed), WordSpan("ins", added), WordSpan("same", after)]


_LINE_GAP = re.compile(r"\s*\n|\s+")
"""The white space at the start of a text, up to the last line break in it, if any."""


# Writing lines


_SIDES: dict[Op, set[Op]] = {"same": {"del", "ins"}, "del": {"del"}, "ins": {"ins"}}


class _LineWriter:
    """Writes spans as lines. As a piece may begin with the line end of the previous piece, the writer remembers which
    texts, the old ("del") and the new ("ins"), are at the start of a line."""

    def __init__(self) -> None:
        self._at_line_start: set[Op] = {"del", "ins"}
        self._row: list[WordSpan] = []
        self._continues = False
        self._lines: list[ProseLine] = []

    def lines(self, pieces: Sequence[Sequence[WordSpan]]) -> list[ProseLine]:
        self._lines = []
        if all(span.op == "same" for spans in pieces for span in spans):
            pieces = [[WordSpan("same", "".join(span.text for spans in pieces for span in spans))]]
        for spans in pieces:
            is_replacement = all(span.op != "same" or structure(span.text) is not None for span in spans)
            rest = deque(spans)
            while rest:
                span = rest.popleft()
                if is_replacement and span.op == "del" and not span.format and rest and rest[0].op == "ins":
                    self._write_replacement(span, rest.popleft())
                else:
                    self._write(span)
        self._end()
        return self._lines

    def _write_replacement(self, removed: WordSpan, added: WordSpan) -> None:
        """Write a "±" line; if the line has only a list marker so far, both versions begin with it."""
        marker = "".join(span.text for span in self._row)
        if self._row and structure(marker) is not None and all(span.op == "same" for span in self._row):
            self._row = []
        else:
            self._end()
            marker, self._continues = "", "ins" not in self._at_line_start
        spans = tuple(WordSpan(span.op, marker + visible(span.text)) for span in (removed, added))
        self._lines.append(ProseLine(spans, "±", self._continues))
        self._at_line_start.clear()

    def _write(self, span: WordSpan) -> None:
        for k, part in enumerate(visible(span.text).split("\n")):
            if k:
                self._line_end(span.op)
            if not part:
                continue
            if not self._row:
                self._continues = ("del" if span.op == "del" else "ins") not in self._at_line_start
                part = part.lstrip(" ") if self._continues else part
            if part:
                self._row.append(WordSpan(span.op, part, span.format))
            self._at_line_start -= _SIDES[span.op]

    def _line_end(self, op: Op) -> None:
        """End a line. A deleted line end in a line with unchanged text does not end the line: it is drawn as "↵"."""
        if op == "del" and any(span.op == "same" for span in self._row):
            self._row.append(WordSpan("del", "↵"))
            return
        ended = any(span.op != "del" or op != "ins" for span in self._row)
        self._end()
        if not ended and _SIDES[op] <= self._at_line_start:
            self._lines.append(ProseLine((), mark_of([WordSpan(op, "")])))
        self._at_line_start |= _SIDES[op]

    def _end(self) -> None:
        if self._row:
            self._lines.append(ProseLine(tuple(tidy(self._row)), mark_of(self._row), self._continues))
            self._row, self._continues = [], False


def mark_of(spans: Iterable[WordSpan]) -> Mark:
    """A line's mark; changed list numbers count as unchanged, and unchanged white space is ignored."""
    ops = {"same" if span.format == "follows" else span.op for span in spans if span.op != "same" or span.text.strip()}
    return "~" if len(ops) > 1 else _MARKS[next(iter(ops), "same")]


_LONGEST_CONTEXT_LINE, _SHORTENED = 300, 200
"""An unchanged line next to a change is shortened to _SHORTENED characters if it is longer than _LONGEST_CONTEXT_LINE.
Between two changes, both limits are twice as high."""


def fold(lines: Sequence[ProseLine], before: int, after: int) -> tuple[list[ProseLine], int, list[ProseLine]]:
    """Fold all unchanged lines except the first `before` and the last `after`. Returns the first lines, the number of
    folded lines and the last lines. A single line is never folded. Long lines that are shown are shortened."""
    hidden = len(lines) - before - after
    if len(lines) == 1:
        return [_shortened_line(lines[0], before > 0, after > 0)], 0, []
    if hidden <= 1:
        before, hidden = len(lines) - min(after, len(lines) - 1), 0
    first = [_shortened_line(line, True, False) for line in lines[:before]]
    last = [_shortened_line(line, False, True) for line in lines[before + hidden :]]
    return first, hidden, last


def _shortened_line(line: ProseLine, start: bool, end: bool) -> ProseLine:
    text = line.text
    if len(text) <= _LONGEST_CONTEXT_LINE * (start + end) or not (start or end):
        return line
    head = text[:_SHORTENED].rpartition(" ")[0] or text[:_SHORTENED]
    tail = text[-_SHORTENED:].partition(" ")[2] or text[-_SHORTENED:] if end else ""
    shown = f"{head} … {tail}" if start and end else f"{head} …" if start else tail
    return replace(line, spans=(WordSpan("same", shown),), continues=line.continues or not start)


def as_text(diff: ProseDiff, context: int = 2) -> str:
    """The diff as plain text, safe for a terminal. Each hunk has a header with its place, and `context` unchanged lines
    on either side; an ellipsis begins a line that starts in the middle of a line of the text."""
    lines = [f"({diff.coarse})"] if diff.coarse else []
    for passage, before, after in with_context(passages(diff)):
        number = f"@@ {passage.hunk} of {len(diff.hunks)} @@"
        if not passage.hunk:
            first, hidden, last = fold(passage.lines, context * before, context * after)
            folded = [f"… {count(hidden, 'line')} unchanged …"] if hidden else []
            lines += [*map(_marked, first), *folded, *map(_marked, last)]
            continue
        if passage.head:
            hunk = diff.hunks[passage.hunk - 1]
            counted = ", ".join(filter(None, (counts(hunk.removed, hunk.added), hunk_note(hunk))))
            lines.append(" ".join(filter(None, (number, visible(hunk.place), f"({counted})" if counted else ""))))
        else:
            lines.append(f"→ {moved_away(passage)}" if passage.moved == "away" else f"{number} {also_here(passage)}")
        lines += map(_marked, passage.lines)
    return "".join(f"{line}\n" for line in lines)


def with_context(found: Sequence[Passage]) -> Iterator[tuple[Passage, bool, bool]]:
    """Each passage, and whether the one before and the one after it need unchanged lines as context: because they are
    part of a hunk and have lines, or are the old place of a move."""
    need = [one.hunk > 0 and (one.moved == "away" or bool(one.lines)) for one in found]
    return zip(found, [False, *need], [*need[1:], False], strict=False)


def counts(removed: int, added: int) -> str:
    """The numbers of added and removed words, such as "+8 −3"; zeros are left out."""
    return " ".join(filter(None, (f"+{added:,}" if added else "", f"−{removed:,}" if removed else "")))


def change_words(diff: ProseDiff) -> str:
    """Added and removed words of a diff, such as "+14 −6 words", or a phrase such as "no changes"."""
    counted = counts(diff.removed_words, diff.added_words)
    other = "only moved text" if any(hunk.kind == "moved" for hunk in diff.hunks) else "only formatting changes"
    return f"{counted} words" if counted else other if diff.hunks else "no changes"


def hunk_note(hunk: Hunk) -> str:
    """The note of a hunk as shown, such as "moved from Identity › rule 2" or "white space only, 12 places"."""
    if hunk.is_folded:
        return visible(f"{hunk.note}, {count(max(len(hunk.parts), 1), 'place')}")
    return visible(f"moved {hunk.note}" if hunk.kind == "moved" else hunk.note)


def moved_away(passage: Passage) -> str:
    """The line shown at the old place of a moved passage, such as "moved to Closing (24 words)"."""
    return f"moved to {visible(passage.elsewhere) or 'the start'} ({count(passage.words, 'word')})"


def also_here(passage: Passage) -> str:
    return f"also here, moved from {visible(passage.elsewhere) or 'the start'}" if passage.moved else "also here"


def _marked(line: ProseLine) -> str:
    """A line with `signed` changes; each line of text in a changed span has its own signs."""
    text = "… " if line.continues else ""
    for span in line.spans:
        text += "\n".join(signed(span.op, capped(part)) if part else "" for part in span.text.split("\n"))
    return text


# The staged text line by line, with change marks and the place of each hunk

StagedMark = Literal[" ", "+", "~", "-"]
"""How a staged line differs from the sent text: unchanged (" "), new ("+"), reworded ("~"), or followed by a removal
("-")."""


@dataclass(frozen=True, slots=True)
class StagedLine:
    """A line of the staged text, safe to draw."""

    text: str
    mark: StagedMark = " "


@dataclass(frozen=True, slots=True)
class StagedLines:
    """The lines of the staged text. `places` and `columns` map the number of a hunk to the line index and the column of
    the first change in its main piece."""

    lines: tuple[StagedLine, ...]
    places: dict[int, int]
    columns: dict[int, int]


def staged_lines(diff: ProseDiff, choices: Choices) -> StagedLines:
    """The lines of `staged(diff, choices)`. A text that was not compared is truncated."""
    starts: dict[int, int] = {}
    written: list[str] = []
    drawn: list[WordSpan] = []
    at = 0
    for index, (piece, spans) in enumerate(zip(diff.pieces, staged_spans(diff, choices), strict=True)):
        if not diff.is_compared:
            spans = [WordSpan(span.op, truncated(span.text)) for span in spans]
        now = "".join(span.text for span in spans if span.op != "del")
        for number in piece.hunks():
            if diff.hunks[number - 1].main == index:
                changing = spans if any(span.op != "same" for span in spans) else piece.spans
                starts[number] = at + len(_before_change(now, changing))
        drawn += readable(spans)
        written.append(now)
        at += len(now)
    text, marks = "".join(written), _staged_marks(drawn)
    ends = [hit.end() for hit in re.finditer("\n", text)]
    places = {number: bisect_right(ends, start) for number, start in starts.items()}
    columns = {number: len(visible(text[text.rfind("\n", 0, start) + 1 : start])) for number, start in starts.items()}
    # A final line end does not begin another line.
    *rows, last = with_numbers(diff, written, choices).split("\n")
    lines = [StagedLine(visible(row.removesuffix("\r")), mark) for row, mark in zip(rows, marks, strict=False)]
    lines += [StagedLine(visible(last), marks[-1])] if last or not rows else []
    return StagedLines(tuple(lines), places, columns)


def _before_change(written: str, spans: Sequence[WordSpan]) -> str:
    """A piece's staged text before the first changed word; if no word follows, the whole text, right-stripped."""
    after = written[len(spans[0].text) if spans and spans[0].op == "same" else 0 :]
    return written[: len(written) - len(after.lstrip())] if after.strip() else written.rstrip()


def _staged_marks(spans: Iterable[WordSpan]) -> list[StagedMark]:
    touched: list[set[str]] = [set()]
    for span in spans:
        if span.op == "del" and span.text.strip():
            touched[-1].add("removed after" if span.text.lstrip(" \r").startswith("\n") else "removed within")
        for k, part in enumerate(span.text.split("\n") if span.op != "del" else ()):
            touched += [set()] if k else []
            touched[-1] |= {span.op} if part.strip() else set()
    return [_staged_mark(one) for one in touched]


def _staged_mark(touched: set[str]) -> StagedMark:
    if "ins" in touched:
        return "~" if touched & {"same", "removed within"} else "+"
    return "~" if "removed within" in touched else "-" if "removed after" in touched else " "
