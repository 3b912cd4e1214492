"""Split a prompt into blocks (paragraphs, items, headings, tags, rows, fences), and these into units such as sentences,
for the diff. Name a unit's place: the section, and the rule, item or paragraph in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, pairwise, takewhile
from typing import Literal, NamedTuple

from cekura_tui.model.text import clean_line
from cekura_tui.prose.formatting import (
    bare_letters,
    breaks,
    closes,
    columns,
    fence_mark,
    heading_mark,
    is_row,
    is_underline,
    item_mark,
    quote_mark,
    serials_in,
    style_and_name,
    tag_of,
)
from cekura_tui.prose.matching import Stop, never, stoppable
from cekura_tui.prose.words import words_in

UnitKind = Literal["heading", "tag", "item", "text", "row", "code"]

_LINE = re.compile("[^\n]*\n|[^\n]+")
_SENTENCE_END = re.compile(
    r"(?<![.!?…।॥؟۔])[.!?…।॥؟۔]+(?:[ \u00a0\u202f]»)?[*_`\"'”’»)\]]*(?=\s+\S)|(?<![。！？])[。！？]+[」』”）]*"
)
SENTENCE_GAP = re.compile(r"(?<=[.!?])\s+(?=\S)")
_CONTINUATION = re.compile(r"\s+[a-zß-öø-ÿα-ωа-я]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"“„*_])(?:[A-Za-zÀ-ÿ]|e\.g|i\.e|z\.\s?B|d\.\s?h|u\.\s?a|bzw|ca|etc|vs|Mrs?|Ms|Dr|Sra?|St|Nr|No|Tel|ext|approx)\.$"
)
_LONGEST_ABBREVIATION = 10
_NUMBER_ALONE = re.compile(r"\s*(?:\[[ xX]\] )?\(?\d{1,3}[.)]")
"""Matches a number that follows another marker, as in "- 1. Ask"."""
_BEGINS_MARKUP = re.compile(r"\s*<(?:[^\W\d_]|/|!--)")
_COMMENT = re.compile(r"\s*(?:<!--|-->|<!--.*-->)\s*")
_NARROWEST = 40
"""A text is assumed to be wrapped at this width, in characters, or at the width of its widest line if that is wider."""
_CONTINUES_SENTENCE = re.compile(r"[a-zß-öø-ÿα-ωа-я](?![^:\n]{0,30}:)")
"""The start of a line that continues a sentence: a lower-case letter, unless it begins a label ("name: …")."""
ASIDE = re.compile(r"\s*(?:\[[^\]\n]*\]|\([^)\n]*\)|(?:<[^<>\n]*>\s*)+)[.:]?\s*")
"""A pause, stage direction or call of a tool: a text in brackets, or nothing but tags."""
_ALONE = re.compile(rf'{ASIDE.pattern}|["“„«][^"“”„»\n]*["“”»]')
"""Matches a line that is never wrapped: an aside, or a whole line in quotation marks."""
_FULL_SHARE = 0.8
"""If a line and the next word fit into this share of the widest line, the line break is intended, not a wrap."""


@dataclass(frozen=True, slots=True)
class Unit:
    r"""A sentence, heading, tag, row or line of code.

    `gap` is the white space and list marker before the unit ("\n\n3. "), `text` the unit itself, `start` the offset of
    `text`. `words` are the words and punctuation marks of the unit. `block` is the number of the block that contains
    the unit, `line` the line number, from 1. `depth` is the nesting depth of the list item that the unit begins; 0 if
    the unit begins no item.
    """

    gap: str
    text: str
    words: tuple[str, ...]
    kind: UnitKind
    block: int
    line: int
    start: int
    depth: int = 0

    @property
    def marker(self) -> str:
        """The list or heading marker before the unit ("3.", "-", "##"); "" if there is no marker."""
        return " ".join(self.gap.rpartition("\n")[2].split())

    @property
    def indent(self) -> int:
        """Width of the indentation, in columns, of a unit that begins a line."""
        return columns(self.gap.rpartition("\n")[2])


def units_of(text: str, *, by_sentence: bool = True) -> list[Unit]:
    """Split a text into units. Without `by_sentence`, a paragraph or item is a single unit."""
    return list(_units(text, by_sentence))


_UnitsAndTail = tuple[list[Unit], str]
# Limits of both texts together; at each limit, the work takes about half a second.
_LONGEST = 600_000
_MOST_LINES = 40_000
_MOST_UNITS = 8_000


def units_of_both(old: str, new: str, stop: Stop = never) -> tuple[_UnitsAndTail, _UnitsAndTail, str]:
    """The units of two texts, each with the text after its last unit; gaps, units and that text, joined, are the text.
    The third value is "" if the texts were split by sentence, else a note: long texts are split by paragraph and item,
    and texts with too many lines or units only into the common start, the difference and the common end. Raises Stopped
    once `stop` returns True."""
    modes = [True, False] if len(old) + len(new) <= _LONGEST else [False]
    read = cache(words_in)
    for by_sentence in modes if old.count("\n") + new.count("\n") <= _MOST_LINES else []:
        olds = list(islice(stoppable(stop, _units(old, by_sentence, read), 512), _MOST_UNITS + 1))
        news = list(islice(stoppable(stop, _units(new, by_sentence, read), 512), _MOST_UNITS + 1 - len(olds)))
        if len(olds) + len(news) <= _MOST_UNITS:
            coarse = "" if by_sentence else "compared by paragraph: these texts are very long"
            break
    else:
        start = _common_length(_LINE.findall(old), _LINE.findall(new))
        end = _common_length(*(reversed(_LINE.findall(text[start:])) for text in (old, new)))
        olds, news = (list(_units(text, False, cuts=(start, len(text) - end))) for text in (old, new))
        coarse = "compared as a whole: these texts have very many lines or items"
    return (olds, old[_end(olds) :]), (news, new[_end(news) :]), coarse


def _end(units: Sequence[Unit]) -> int:
    return units[-1].start + len(units[-1].text) if units else 0


def _common_length(old: Iterable[str], new: Iterable[str]) -> int:
    """Length, in characters, of the first lines that two texts have in common."""
    return sum(takewhile(bool, (len(line) if line == other else 0 for line, other in zip(old, new, strict=False))))


def _units(
    text: str, by_sentence: bool, read: Callable[..., tuple[str, ...]] = words_in, cuts: tuple[int, int] | None = None
) -> Iterator[Unit]:
    """The units of a text; with `cuts`, the up to three parts of the text that are not blank."""
    at = counted = 0
    line = 1
    if cuts is None:
        blocks = blocks_in(text, serials_in(text))
    else:
        blocks = [Block(0, start, end, "text", n) for n, (start, end) in enumerate(pairwise((0, *cuts, len(text))), 1)]
    for _, start, end, kind, block, depth in blocks:
        prose = by_sentence and kind in ("item", "text")
        for first, last in _sentences(text, start, end) if prose else [(start, end)]:
            bare = last - len(text[first:last].lstrip())
            shut = first + len(text[first:last].rstrip())
            if shut <= bare:
                continue
            line += text.count("\n", counted, bare)
            counted = bare
            unit = text[bare:shut]
            words = read(unit, exactly=kind == "code") if by_sentence else (bare_letters(unit),)
            yield Unit(text[at:bare], unit, words, kind, block, line, bare, depth)
            at, depth = shut, 0


def begins_block(units: Sequence[Unit], n: int) -> bool:
    return n == 0 or units[n - 1].block != units[n].block


_TITLE = 10
"""Most words and marks of a line of prose that can become a heading by a change of markup alone."""


def is_title(units: Sequence[Unit], n: int) -> bool:
    """Whether unit `n` is a heading, or a short line without a full stop that may become a heading."""
    unit, after = units[n], units[n + 1 : n + 2]
    is_line = begins_block(units, n) and (not after or begins_block(units, n + 1) or breaks(after[0].gap))
    is_short = len(unit.words) <= _TITLE and unit.text[0] not in '([<{"“' and unit.text.rstrip("*_ ")[-1:] not in ".!?"
    return is_line and unit.kind not in ("tag", "row", "code") and (unit.kind == "heading" or is_short)


def block_ranges(units: Sequence[Unit]) -> list[tuple[int, int]]:
    """[start, end) of the units of each block."""
    starts = [n for n in range(len(units)) if begins_block(units, n)]
    return list(pairwise([*starts, len(units)]))


class Block(NamedTuple):
    """A paragraph or list item with all its lines, or a single line of another kind. `line` is the offset of the first
    line. [start, end) are the characters of the block, without the marker at the start of the first line. `number`
    counts blocks from 1; all lines of a fence have the same number. `depth` is the nesting depth of an item, from 1; 0
    for other blocks."""

    line: int
    start: int
    end: int
    kind: UnitKind
    number: int
    depth: int = 0


_LONGEST_CACHED = 200_000
"""Longest text, in characters, whose blocks are cached. The cache is useful because splitting into units, renumbering
lists and each staging read the same texts."""


def blocks_in(text: str, serials: frozenset[str]) -> Iterable[Block]:
    """The blocks of a text. `serials`, from `serials_in`, are additional line starts that are list markers."""
    return _cached_blocks(text, serials) if len(text) <= _LONGEST_CACHED else _BlockReader(text, serials).found()


@lru_cache(maxsize=4)
def _cached_blocks(text: str, serials: frozenset[str]) -> tuple[Block, ...]:
    return tuple(_BlockReader(text, serials).found())


class _BlockReader:
    def __init__(self, text: str, serials: frozenset[str]) -> None:
        self._text, self._serials = text, serials
        self._number = 0
        self._indent = 0
        self._fence = ""
        """The mark of the open fence; " " up to the next blank line if no line closes the fence."""
        self._items: list[int] = []
        """Indentation, in columns, of the open list items."""
        self._open: Block | None = None
        """The paragraph or item that the next line may continue."""

    def found(self) -> Iterator[Block]:
        for hit in _LINE.finditer(self._text):
            yield from self._read(hit.group(), *hit.span())
        yield from self._close(len(self._text))

    def _read(self, line: str, at: int, end: int) -> Iterator[Block]:
        if self._fence.strip():
            yield Block(at, at, end, "code", self._number)
            self._fence = "" if closes(line, self._fence) else self._fence
            return
        if not line.strip():
            yield from self._close(at)
            self._fence = ""
            return
        self._indent = columns(line)
        fence = fence_mark(line)
        item = 0 if fence else item_mark(line, self._serials)
        ends_item = self._open is not None and self._open.kind == "item" and self._indent < self._items[-1]
        if fence or (item and (fence := fence_mark(line, item))):
            yield from self._single_line(at, at + item, end, "code")
            next_fence = re.compile(rf"(?m)^[^\S\n]*{fence[:32]}{fence[0]}*[^\S\n]*(\S?)").search(self._text, end)
            self._fence = fence if next_fence and not next_fence[1] else " "
        elif self._open and self._open.kind == "text" and is_underline(line, self._text[self._open.start : at]):
            self._open = self._open._replace(kind="heading")
            yield from self._single_line(at, at, end, "row")
        elif alone := self._kind_of(line):
            yield from self._single_line(at, at + alone[1], end, alone[0])
        elif item or not self._open or self._fence or _BEGINS_MARKUP.match(line) or ends_item:
            yield from self._close(at)
            self._open = self._block(at, at + item, at, "item" if item else "text")

    def _block(self, line: int, start: int, end: int, kind: UnitKind) -> Block:
        self._number += 1
        if kind == "item":
            self._items = [*takewhile(self._indent.__gt__, self._items), self._indent]
        elif kind != "code" and not self._indent:
            self._items.clear()
        return Block(line, start, end, kind, self._number, len(self._items) if kind == "item" else 0)

    def _close(self, end: int) -> Iterator[Block]:
        if self._open:
            yield self._open._replace(end=end)
        self._open = None

    def _single_line(self, line: int, start: int, end: int, kind: UnitKind) -> Iterator[Block]:
        yield from self._close(line)
        yield self._block(line, start, end, kind)

    def _kind_of(self, line: str) -> tuple[UnitKind, int] | None:
        """The kind of a line that is a block of its own, and the length of its marker; None for a line of prose."""
        mark = heading_mark(line, starts_paragraph=self._open is None or self._open.kind == "item")
        if mark >= 0:
            return "heading", (item_mark(line, self._serials, mark) or mark) if mark else 0
        sign = line.lstrip()[:1]
        if sign == ">" and (quote := quote_mark(line)):
            return "row", item_mark(line, self._serials, quote) or quote
        if sign in "<-" and (tag_of(line) or _COMMENT.fullmatch(line)):
            return "tag", 0
        return ("row", 0) if is_row(line) else None


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for first, last in _unwrapped_lines(text, start, end):
        for found in _SENTENCE_END.finditer(text, first, last):
            stop = found.end()
            if found.group()[0] not in "。！？" and (
                _CONTINUATION.match(text, stop, last)
                or _NUMBER_ALONE.fullmatch(text, at, stop)
                or (found.group() == "." and _ABBREVIATION.search(text, max(at, stop - _LONGEST_ABBREVIATION), stop))
            ):
                continue
            yield at, stop
            at = stop
        if text[at:last].strip():
            yield at, last
            at = last


def _unwrapped_lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """[start, end) of the lines of a paragraph; a line that was wrapped counts as one line."""
    cuts = [hit.end() for hit in _LINE.finditer(text, start, end)]
    begins = text.rfind("\n", 0, start) + 1
    lines = [text[at:cut] for at, cut in pairwise([begins, *cuts])]
    # Extra spaces must not make a line look full, nor its start like a label.
    single = [" ".join(line.split()) for line in lines]
    widths = [len(line) - len(line.lstrip()) + len(words) for line, words in zip(lines, single, strict=True)]
    widest = max(_NARROWEST, *widths)
    at = start
    for width, line, following, cut in zip(widths, single, single[1:], cuts, strict=False):
        first = following.partition(" ")[0]
        fits = width + 1 + len(first) <= _FULL_SHARE * widest and not _CONTINUES_SENTENCE.match(following)
        is_turn = first[:1].isupper() and first[-1:] == ":"  # "Caller: Hello"
        if fits or is_turn or _ALONE.fullmatch(line) or _ALONE.fullmatch(following):
            yield at, cut
            at = cut
    yield at, end


# Places

_WIDEST = 60
_DEEPEST = 2
"""Most nested sections, and most nested items, in the name of a place; outer sections and items are left out."""
_SEPARATOR = " › "
_HEADING_SIGNS = "*#_=-:[]■□▪◆◇▶►★☆●§ \t"
_MARKUP = re.compile(r"<[^<>]*>")


class Places:
    def __init__(self, old: Sequence[Unit], new: Sequence[Unit]) -> None:
        self._old, self._new = _PlaceNames(old).names, _PlaceNames(new).names

    def of(self, olds: range, news: range) -> str:
        """The place of some units: the section, and the rule, item or paragraph in the section. Units of the new text
        decide, if there are any. "end" if there are no units."""
        return self._new[news.start] if news else self._old[olds.start] if olds else "end"


class _Item(NamedTuple):
    """An open list item: its indentation, the style of its marker, its position in the list (from 1), and its name."""

    indent: int
    style: str
    number: int
    name: str


class _PlaceNames:
    def __init__(self, units: Sequence[Unit]) -> None:
        self.sections: list[tuple[str, str]] = []
        """(kind, name) of open sections: tags that have a closing tag, a heading, and a title below that heading."""
        self.items: list[_Item] = []
        self.counts = Counter[str]()
        self.block, self.name = 0, ""
        self._closed = {tag[0] for unit in units if unit.kind == "tag" and (tag := tag_of(unit.text)) and tag[1]}
        self.names = [self._place(unit) for unit in units]

    def _place(self, unit: Unit) -> str:
        if unit.kind == "tag":
            return self._tag(unit)
        if unit.kind == "heading":
            self._heading(unit)
        elif unit.block != self.block:
            self.name = self._block_name(unit)
        self.block = unit.block
        return self._path(self.name)

    def _path(self, name: str) -> str:
        return _SEPARATOR.join(filter(None, (*(section for _, section in self.sections[-_DEEPEST:]), name)))

    def _begin(self, sections: list[tuple[str, str]]) -> None:
        """Replace the open sections; items and paragraphs are counted from 1 again."""
        self.sections, self.items, self.name = sections, [], ""
        self.counts.clear()

    def _heading(self, unit: Unit) -> None:
        """Open a section: a "#" heading ends the open heading and title, another title ("**Fees**") only the title."""
        kind = "heading" if unit.marker.startswith("#") else "title"
        while self.sections and self.sections[-1][0] in ("title", kind):
            self.sections.pop()
        bare = _MARKUP.sub("", f"{unit.marker.lstrip('# ')} {unit.text}")
        self._begin([*self.sections, (kind, clean_line(bare.strip(_HEADING_SIGNS) or bare, _WIDEST))])

    def _tag(self, unit: Unit) -> str:
        name, closes = tag_of(unit.text) or ("", False)
        if name not in self._closed:
            return self._path("") or name
        if not closes:
            self._begin([*self.sections, ("tag", name)])
        elif ("tag", name) in self.sections:
            while self.sections[-1] != ("tag", name):
                self.sections.pop()
            place = self._path("")
            self._begin(self.sections[:-1])
            return place
        return self._path("")

    def _block_name(self, unit: Unit) -> str:
        if unit.kind == "item":
            return self._item_name(unit)
        if unit.kind != "code":
            self.items = list(takewhile(lambda item: item.indent < unit.indent, self.items))
            if self.items:
                return self._items_path()
        self.counts[unit.kind] += 1
        return f"{'paragraph' if unit.kind == 'text' else unit.kind} {self.counts[unit.kind]}"

    def _item_name(self, unit: Unit) -> str:
        """Open an item and return its path; a larger indentation or another marker nests it in the previous item."""
        indent, (style, name) = unit.indent, style_and_name(unit.marker)
        same = next((one for one in self.items if (one.indent, one.style) == (indent, style)), None)
        number = same.number + 1 if same else 1
        outer = takewhile(lambda one: one.indent <= indent and one is not same, self.items)
        self.items = [*outer, _Item(indent, style, number, name or f"item {number}")]
        return self._items_path()

    def _items_path(self) -> str:
        return _SEPARATOR.join(item.name for item in self.items[-_DEEPEST:])
