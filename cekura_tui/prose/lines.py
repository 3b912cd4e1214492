"""A prose diff in the lines that a reader reads, safe to draw, and as plain text.

Lines of any length are cut into stretches; what did not change is folded to what stands beside a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cekura_tui.model.text import LONGEST_LINE, capped, count, visible
from cekura_tui.prose.diff import SHAPE, Hunk, ProseDiff, TextPiece
from cekura_tui.prose.marks import structure
from cekura_tui.prose.staging import Choices, HunkChoice, staged
from cekura_tui.prose.words import Op, WordSpan, quiet, tidy, word_count, word_spans

_NEAR = 200
"""Characters that are shown of what did not change, before and after a change in a very long line."""


def stretches(text: str) -> list[tuple[int, int]]:
    """Where a line is cut, as (start, end) of each stretch of at most LONGEST_LINE characters: behind a space, if there
    is one in the second half."""
    found = []
    start = 0
    while len(text) - start > LONGEST_LINE:
        end = text.rfind(" ", start + LONGEST_LINE // 2, start + LONGEST_LINE) + 1 or start + LONGEST_LINE
        found.append((start, end))
        start = end
    return [*found, (start, len(text))]


def in_stretches(line: ProseLine) -> list[ProseLine]:
    """A line as it is; a longer one than LONGEST_LINE in several that go on, and if something changed in it without
    what stands far from every change."""
    if len(line.text) <= LONGEST_LINE or not _is_long(line):
        return [line]
    if line.mark == "±":
        return [one for span in line.spans for one in _of_version(span, line.continues)]
    spans = line.spans if line.mark == " " else _near_changes(line.spans)
    found: list[list[WordSpan]] = [[]]
    room = LONGEST_LINE
    for span in spans:
        for start, end in stretches(span.text):
            if end - start > room and found[-1]:
                found.append([])
                room = LONGEST_LINE
            found[-1].append(WordSpan(span.op, span.text[start:end]))
            room -= end - start
    return [ProseLine(tuple(row), mark_of(row), line.continues or k > 0) for k, row in enumerate(found)]


def _is_long(line: ProseLine) -> bool:
    return line.mark != "±" or any(len(part) > LONGEST_LINE for span in line.spans for part in span.text.split("\n"))


def _of_version(span: WordSpan, continues: bool) -> Iterator[ProseLine]:
    """What went, or what came in its place, line by line."""
    for n, text in enumerate(span.text.split("\n")):
        for start, end in stretches(text):
            spans = (WordSpan(span.op, text[start:end]),) if end > start else ()
            yield ProseLine(spans, "-" if span.op == "del" else "+", start > 0 or (continues and n == 0))


def _near_changes(spans: Sequence[WordSpan]) -> list[WordSpan]:
    last = len(spans) - 1
    return [_shortened(span, k > 0, k < last) if span.op == "same" else span for k, span in enumerate(spans)]


def _shortened(span: WordSpan, after: bool, before: bool) -> WordSpan:
    """What did not change, where it stands after a change, before one, or between two."""
    text = span.text
    if len(text) <= 3 * _NEAR:
        return span
    start = (text.rfind(" ", 0, _NEAR) + 1 or _NEAR) if after else 0
    end = len(text)
    if before:
        space = text.find(" ", end - _NEAR)
        end = space if space >= 0 else end - _NEAR
    return WordSpan("same", f"{text[:start]}… ({end - start:,} characters unchanged) …{text[end:]}")


Mark = Literal[" ", "-", "+", "~", "±"]
"""What became of a line: the same, gone, come, other words in it, or another text in its place."""

_SIGNS: dict[Op, tuple[str, str]] = {"same": ("", ""), "del": ("[-", "-]"), "ins": ("{+", "+}")}


@dataclass(frozen=True, slots=True)
class ProseLine:
    """One line: its spans, without line ends, their texts safe to draw. `continues` says that it begins within a line
    of its text. A "±" line holds all of a passage that went and of the one that came instead: one deleted and one
    inserted span, which may have several lines each."""

    spans: tuple[WordSpan, ...]
    mark: Mark = " "
    continues: bool = False

    @property
    def text(self) -> str:
        """All that is drawn, what went and what came."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands in one place: unchanged lines (`hunk` is 0), or a part of a hunk; the one of its parts that has its
    words is the `head`. What is a hunk of layout, and what a move leaves behind ("away"), have no lines. `elsewhere` is
    where a moved one went, or came from, `words` how many went."""

    hunk: int = 0
    head: bool = False
    moved: Literal["", "away", "here"] = ""
    lines: tuple[ProseLine, ...] = ()
    elsewhere: str = ""
    words: int = 0


def passages(diff: ProseDiff, choices: Choices | None = None) -> list[Passage]:
    """All of both texts in reading order. White space that changed, and numbers of a list, are told in their new form
    and not marked; an edited hunk has the edited text as its new side."""
    edited = {number: choice for number, choice in (choices or {}).items() if choice.what == "edited"}
    writer = _Writer()
    found: list[Passage] = []
    for part in _parts(diff, edited):
        if part.moved == "away" or part.is_layout:
            found.append(Passage(part.hunk, part.head, part.moved, (), part.elsewhere, part.words))
            if part.moved == "away":
                writer.leave()
            continue
        lines = writer.lines(part.pieces)
        if lines or part.head:
            found.append(Passage(part.hunk, part.head, part.moved, tuple(lines), part.elsewhere))
    return found


def places_of(diff: ProseDiff, number: int) -> int:
    """In how many places a hunk changes something."""
    return sum(piece.hunk == number for piece in diff.pieces)


def readable(spans: Iterable[WordSpan]) -> list[WordSpan]:
    """The spans as they are marked: `quiet`, and of a change of words the white space around both is not marked."""
    found: list[WordSpan] = []
    for span in quiet(spans):
        if span.op == "ins" and found and found[-1].op == "del":
            found += _bare(found.pop().text, span.text)
        else:
            found.append(span)
    return tidy(found)


def edited_text(diff: ProseDiff, number: int, choice: HunkChoice) -> str:
    """What stands in the place of a hunk's main piece as it was edited."""
    hunk = diff.hunks[number - 1]
    alone = ProseDiff((replace(diff.pieces[hunk.main], hunk=1),), (replace(hunk, number=1, main=0),))
    return staged(alone, {1: choice})


def signed(op: Op, text: str) -> str:
    """Words of a line with signs for what became of them: "[-gone-]", "{+come+}"; white space after them is outside."""
    bare = text.rstrip() or text
    return f"{_SIGNS[op][0]}{bare}{_SIGNS[op][1]}{text[len(bare) :]}"


# Parts: neighbouring pieces that are read as one


@dataclass(slots=True)
class _LinePart:
    hunk: int
    head: bool
    moved: Literal["", "away", "here"]
    pieces: list[list[WordSpan]]
    elsewhere: str = ""
    words: int = 0
    is_layout: bool = False


def _parts(diff: ProseDiff, edited: Mapping[int, HunkChoice]) -> Iterator[_LinePart]:
    kept: _LinePart | None = None
    for part in _each(diff, edited):
        if kept is not None and _are_one(kept, part):
            kept.head = kept.head or part.head
            kept.pieces += part.pieces
            kept.words += part.words
            continue
        if kept is not None:
            yield kept
        kept = part
    if kept is not None:
        yield kept


def _are_one(before: _LinePart, part: _LinePart) -> bool:
    ways = ((one.hunk, one.moved, one.elsewhere, one.is_layout) for one in (before, part))
    return next(ways) == next(ways) and not part.is_layout


def _each(diff: ProseDiff, edited: Mapping[int, HunkChoice]) -> Iterator[_LinePart]:
    lead = ""
    for index, piece in enumerate(diff.pieces):
        hunk = diff.hunks[piece.hunk - 1] if piece.hunk else None
        head = hunk is not None and index == hunk.main
        if hunk is not None and hunk.has_text and hunk.note != SHAPE and not head and piece.is_gap:
            lead += piece.new  # the sentence that went or came before it is told
            continue
        if hunk is not None and hunk.has_text:
            spans = _spans(diff, hunk, piece, edited.get(hunk.number) if head else None, head=head)
            if head or piece.moved or _marks(spans):
                if piece.moved == "away":  # it has no lines: what leads is written before what comes after it
                    yield _LinePart(hunk.number, head, "away", [spans], piece.elsewhere, word_count(piece.old))
                    continue
                shown = [WordSpan("same", lead), *spans] if lead else spans
                yield _LinePart(hunk.number, head, piece.moved, [shown], piece.elsewhere)
                lead = ""
                continue
        elif hunk is not None:
            if head:
                yield _LinePart(hunk.number, True, "", [], is_layout=True)
            if piece.new.strip() and structure(piece.new):
                lead += piece.new  # the mark of a line is written before what stands in it
                continue
        yield _LinePart(0, False, "", [[WordSpan("same", lead + piece.new)]])
        lead = ""
    if lead:
        yield _LinePart(0, False, "", [[WordSpan("same", lead)]])


def _spans(diff: ProseDiff, hunk: Hunk, piece: TextPiece, choice: HunkChoice | None, *, head: bool) -> list[WordSpan]:
    if choice is not None:
        sent = "".join(span.text for span in piece.spans if span.op != "ins")
        return readable(word_spans(sent, edited_text(diff, hunk.number, choice)))
    spans = readable(piece.spans)
    # What changes may be no word, but it is all there is to see.
    return list(piece.spans) if head and not (piece.moved or _marks(spans)) else spans


def _bare(gone: str, come: str) -> list[WordSpan]:
    """What went and what came, without the white space that both begin or end with, which is told in its new form."""
    before, after = _gap(come) if _gap(gone) else "", ""
    if before:
        gone, come = gone.lstrip(), come.lstrip()
    if gone != gone.rstrip() and come != come.rstrip():
        after = come[len(come.rstrip()) :]
        gone, come = gone.rstrip(), come.rstrip()
    return [WordSpan("same", before), WordSpan("del", gone), WordSpan("ins", come), WordSpan("same", after)]


def _marks(spans: Sequence[WordSpan]) -> bool:
    return any(span.op != "same" for span in spans)


def _gap(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


# Lines


class _Writer:
    """Writes spans as lines. It knows of both texts whether they are at the start of a line, for a piece begins with
    the line end of what stands before it."""

    def __init__(self) -> None:
        self._fresh: dict[Op, bool] = {"del": True, "ins": True}
        self._row: list[WordSpan] = []
        self._continues = False
        self._lines: list[ProseLine] = []

    def lines(self, pieces: Sequence[Sequence[WordSpan]]) -> list[ProseLine]:
        """The lines of the next passage."""
        self._lines = []
        whole = [span for spans in pieces for span in spans]
        if all(span.op == "same" for span in whole):
            self._write("same", visible("".join(span.text for span in whole)))
        else:
            for spans in pieces:
                self._piece(spans)
        self._end()
        return self._lines

    def leave(self) -> None:
        """Something is passed over that is in the old text alone."""
        self._fresh["del"] = False

    def _piece(self, spans: Sequence[WordSpan]) -> None:
        instead = all(span.op != "same" or structure(span.text) is not None for span in spans)
        after = [*spans[1:], WordSpan("same", "")]
        come: WordSpan | None = None
        for span, following in zip(spans, after, strict=True):
            if span is come:
                continue
            if instead and span.op == "del" and following.op == "ins":
                come = following
                self._instead(span, following)
            else:
                self._write(span.op, visible(span.text))

    def _instead(self, gone: WordSpan, come: WordSpan) -> None:
        """One text in the place of another: behind the marker of a list, if that is the same."""
        marker = "".join(span.text for span in self._row if span.op == "same")
        if self._row and structure(marker) is not None and all(span.op == "same" for span in self._row):
            self._row = []
        else:
            self._end()
            marker, self._continues = "", not self._fresh["ins"]
        spans = tuple(WordSpan(span.op, marker + visible(span.text)) for span in (gone, come))
        self._lines.append(ProseLine(spans, "±", self._continues))
        self._fresh = {"del": False, "ins": False}

    def _write(self, op: Op, text: str) -> None:
        for k, part in enumerate(text.split("\n")):
            if k:
                self._line_end(op)
            if not part:
                continue
            if not self._row:
                self._continues = not self._fresh["del" if op == "del" else "ins"]
                part = part.lstrip(" ") if self._continues else part
            if part:
                self._row.append(WordSpan(op, part))
            for side in _sides(op):
                self._fresh[side] = False

    def _line_end(self, op: Op) -> None:
        """A line end that went is shown where it was, and does not break a line that is still there."""
        if op == "del" and any(span.op != "del" for span in self._row):
            self._row.append(WordSpan("del", "↵"))
            return
        is_gone = all(span.op == "del" for span in self._row)
        ended = bool(self._row) and not (is_gone and op == "ins")
        self._end()
        if not ended and all(self._fresh[side] for side in _sides(op)):
            self._lines.append(ProseLine((), mark_of([WordSpan(op, "")])))
        for side in _sides(op):
            self._fresh[side] = True

    def _end(self) -> None:
        if self._row:
            self._lines.append(ProseLine(tuple(tidy(self._row)), mark_of(self._row), self._continues))
            self._row, self._continues = [], False


def _sides(op: Op) -> tuple[Op, ...]:
    return ("del", "ins") if op == "same" else (op,)


def mark_of(spans: Iterable[WordSpan]) -> Mark:
    """What became of a line with these spans; white space that is the same says nothing."""
    ops = {span.op for span in spans if span.op != "same" or span.text.strip()}
    if len(ops) > 1:
        return "~"
    return "-" if "del" in ops else "+" if "ins" in ops else " "


_LONG, _SHORTENED = 300, 200
"""Of an unchanged line with more characters than the first, so many are shown beside a change while it is folded."""


def fold(lines: Sequence[ProseLine], before: int, after: int) -> tuple[list[ProseLine], int, list[ProseLine]]:
    """Unchanged lines as (shown first, number folded, shown last); a single line is not worth folding. A long one that
    is shown for what stands beside it is shortened."""
    hidden = len(lines) - before - after
    if len(lines) == 1:
        return [_shortened_line(lines[0], before > 0, after > 0)], 0, []
    if hidden <= 1:
        before, hidden = len(lines) - min(after, len(lines) - 1), 0
    first = [_shortened_line(line, True, False) for line in lines[:before]]
    last = [_shortened_line(line, False, True) for line in lines[before + hidden :]]
    return first, hidden, last


def _shortened_line(line: ProseLine, start: bool, end: bool) -> ProseLine:
    """The start of a long line, its end, or both."""
    text = line.text
    if len(text) <= _LONG * (start + end) or not (start or end):
        return line
    head = text[:_SHORTENED].rpartition(" ")[0] or text[:_SHORTENED] if start else ""
    tail = text[-_SHORTENED:].partition(" ")[2] or text[-_SHORTENED:] if end else ""
    parts = (f"{head} …" if start else "", tail)
    return replace(
        line, spans=(WordSpan("same", " ".join(filter(None, parts))),), continues=line.continues or not start
    )


def as_text(diff: ProseDiff, context: int = 2) -> str:
    """Every hunk under a line that says where it is, with `context` unchanged lines around; safe for a terminal. What
    begins within a line of its text begins with an ellipsis."""
    return "".join(f"{line}\n" for line in _lines(diff, context))


def counts(removed: int, added: int) -> str:
    """Words that came and went: "+8 −3"; what is none is not said."""
    return " ".join(filter(None, (f"+{added:,}" if added else "", f"−{removed:,}" if removed else "")))


def noted(diff: ProseDiff, hunk: Hunk) -> str:
    """What more there is to say of a hunk: "moved from Identity › rule 2", "white space only, 12 places"."""
    if not hunk.has_text:
        return f"{hunk.note}, {count(places_of(diff, hunk.number), 'place')}"
    return visible(f"moved {hunk.note}" if hunk.kind == "moved" else hunk.note)


def moved_away(passage: Passage) -> str:
    """What stands where a moved passage stood: "moved to Closing (24 words)"."""
    return f"moved to {visible(passage.elsewhere) or 'the start'} ({count(passage.words, 'word')})"


def also_here(passage: Passage) -> str:
    """What is said of a further part of a hunk: "also here", and where it came from."""
    return f"also here, moved from {visible(passage.elsewhere) or 'the start'}" if passage.moved else "also here"


def _lines(diff: ProseDiff, context: int) -> Iterator[str]:
    if diff.coarse:
        yield f"({diff.coarse})"
    found = passages(diff)
    for passage, before, after in zip(found, [None, *found], [*found[1:], None], strict=False):
        if not passage.hunk:
            yield from _unchanged(passage, context if has_words(before) else 0, context if has_words(after) else 0)
            continue
        hunk = diff.hunks[passage.hunk - 1]
        if passage.head:
            yield _head(diff, hunk)
        elif passage.moved == "away":
            yield f"→ {moved_away(passage)}"
        else:
            yield f"@@ {hunk.number} of {len(diff.hunks)} @@ {also_here(passage)}"
        yield from map(_marked, passage.lines)


def has_words(passage: Passage | None) -> bool:
    """Whether it is worth showing what stands beside this part of a hunk."""
    return passage is not None and passage.hunk > 0 and (passage.moved == "away" or bool(passage.lines))


def _head(diff: ProseDiff, hunk: Hunk) -> str:
    counted = ", ".join(filter(None, (counts(hunk.removed, hunk.added), noted(diff, hunk))))
    place = f" {visible(hunk.place)}" if hunk.place else ""
    return f"@@ {hunk.number} of {len(diff.hunks)} @@{place}{f' ({counted})' if counted else ''}"


def _unchanged(passage: Passage, before: int, after: int) -> Iterator[str]:
    first, hidden, last = fold(passage.lines, before, after)
    yield from map(_marked, first)
    if hidden:
        yield f"… {count(hidden, 'line')} unchanged …"
    yield from map(_marked, last)


def _marked(line: ProseLine) -> str:
    """Signs do not reach over the end of a line, so that every line can be read by itself."""
    text = "… " if line.continues else ""
    for span in line.spans:
        text += "\n".join(signed(span.op, capped(part)) if part else "" for part in span.text.split("\n"))
    return text
