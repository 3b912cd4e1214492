"""How the same words are dressed in two texts: quotation marks, dashes, emphasis, white space, list and title marks.

What differs so is no change of words: all places of one kind are one change of the whole prompt.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from cekura_tui.prose.marks import structure

Format = Literal[
    "",
    "quotation marks",
    "dashes",
    "emphasis",
    "dots",
    "line ends",
    "trailing spaces",
    "white space",
    "bullets",
    "list marks",
    "heading marks",
    "lines across",
    "numbers",
    "follows",
]
"""What of the dress it is; "follows" is the number of an item, which is as what is taken before it has it."""

UNSEEN: tuple[Format, ...] = ("line ends", "trailing spaces", "white space")
"""White space, of which nothing is to be seen where it is."""

_QUOTE = "\"'‘’‚‛“”„‟«»‹›「」『』"
_DASH = "‐‑‒–—―−-"
_ATOM = re.compile(
    rf"(?P<space>\s+)|(?P<word>[^\W_]+(?:(?:['’]|_+)[^\W_]+)*)|(?P<quote>[{_QUOTE}])"
    rf"|(?P<dash>[{_DASH}]+)|(?P<dots>…|\.{{3,}})|(?P<mark>.)",
    re.DOTALL,
)
_ATOMS = re.compile(re.sub(r"\(\?P<\w+>", "(?:", _ATOM.pattern), re.DOTALL)
"""The same without names: of hundreds of thousands of words and marks most are read only once."""
_PAIRED = re.compile(rf"\*+|_+|`+|[{_QUOTE}]")
_ENDS = {"“": "”", "„": "“”", "‟": "”", "«": "»", "‹": "›", "‘": "’", "‚": "‘’", "‛": "’", "「": "」", "『": "』"}
_ONLY_ENDS = frozenset("”»›」』")
_NEAR = 8
"""Opened marks among which the one is looked for that is closed."""
_SINGLE = frozenset("'‘’‚‛‹›")
_DRESS = re.compile(rf"[\s{_QUOTE}*`_~…{_DASH}]+|\.{{3,}}")
_CONTENT = {"dash": "-", "dots": "..."}
_KINDS: dict[str, Format] = {
    **{"quote": "quotation marks", "word": "quotation marks", "emphasis": "emphasis"},
    **{"dash": "dashes", "dots": "dots", "mark": "white space"},
}
_TRAILING = re.compile(r"(?<![^\S\n])[^\S\n]+(?=\n)")
_MOST_PLACES = 10_000
"""In a passage that is dressed otherwise in more places all further ones are one."""


class Atom(NamedTuple):
    """A word, a mark, or white space; `key` is what is compared of it, "" for what is dress alone."""

    kind: str
    text: str
    key: str


@lru_cache(maxsize=16_384)
def _atom(text: str) -> Atom:
    """What has no partner is no dress, but a sign of its own: a key of a telephone, the inches of a door."""
    found = _ATOM.match(text)
    kind = found.lastgroup or "" if found else ""
    if kind == "space":
        return Atom(kind, text, "")
    if kind == "quote":
        return Atom(kind, text, "'" if text in _SINGLE else '"')
    return Atom(kind, text, _CONTENT.get(kind) or (text.replace("’", "'") if kind == "word" else text))


class Dressed:
    """A text of which it is known which marks are around words: quotation marks and emphasis that open and close."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._marks: list[tuple[int, int]] = []
        """Where they are, by place."""
        opened: list[tuple[str, int, int]] = []
        for hit in _PAIRED.finditer(text):
            start, end = hit.span()
            before, after = text[start - 1 : start], text[end : end + 1]
            opens = bool(after.strip()) and not before.isalnum() and hit.group() not in _ONLY_ENDS
            closes = bool(before.strip()) and not after.isalnum() and (hit.group() not in _ENDS or hit.group() in "“‘")
            if closes and self._close(opened, hit.group(), start, end):
                continue
            if opens:
                opened.append((hit.group(), start, end))
        self._marks.sort()

    def _close(self, opened: list[tuple[str, int, int]], mark: str, start: int, end: int) -> bool:
        for n in range(len(opened) - 1, max(len(opened) - _NEAR, 0) - 1, -1):
            first, at, to = opened[n]
            if mark == first if first not in _ENDS else mark in _ENDS[first]:
                within = self._text[to:start]
                if mark[0] in "*_" and (not any(map(str.isalpha, within)) or (mark[0] == "_" and " " not in within)):
                    continue  # *67*, a name: __init__
                self._marks += [(at, to), (start, end)]
                del opened[n:]
                return True
        return False

    def atoms(self, start: int = 0, end: int | None = None) -> list[Atom]:
        """All between two characters."""
        end = len(self._text) if end is None else end
        found: list[Atom] = []
        for at, to in self._marks[bisect_left(self._marks, (start, 0)) : bisect_left(self._marks, (end, 0))]:
            found += map(_atom, _ATOMS.findall(self._text[start:at]))
            mark = self._text[at:to]
            found.append(Atom("quote" if mark in _QUOTE else "emphasis", mark, ""))
            start = to
        return [*found, *map(_atom, _ATOMS.findall(self._text[start:end]))]

    def key(self, start: int, end: int) -> str:
        """What is compared of a word: without what is around it, every dash as one; never empty."""
        word = self._text[start:end]
        if word.isalnum():
            return word
        return "".join(atom.key for atom in self.atoms(start, end)) or word[0]


@lru_cache(maxsize=8192)
def undressed(word: str) -> str:
    """A word in the form by which alike passages are found: without what is around it, every dash as one."""
    return Dressed(word).key(0, len(word))


def bare_letters(text: str) -> str:
    """A text without all that may be dress: where this differs, words do."""
    return _DRESS.sub("", text)


class FormatSpan(NamedTuple):
    """`old` in one text is `new` in the other; `format` is "" where both are the same."""

    old: str
    new: str
    format: Format = ""


def format_spans(old: str, new: str) -> list[FormatSpan] | None:
    """How two texts of the same words differ; None where their words are not the same."""
    if bare_letters(old) != bare_letters(new):
        return None
    return dress_spans(Dressed(old).atoms(), Dressed(new).atoms())


def dress_spans(before: Sequence[Atom], after: Sequence[Atom]) -> list[FormatSpan] | None:
    """How two passages of the same words differ; None where their words are not the same."""
    if [atom.key for atom in before if atom.key] != [atom.key for atom in after if atom.key]:
        return None
    found: list[FormatSpan] = []
    places = 0
    for span in _spans_between(before, after):
        found.append(span)
        places += bool(span.format)
        if places > _MOST_PLACES:
            at, to = sum(len(one.old) for one in found), sum(len(one.new) for one in found)
            old, new = ("".join(atom.text for atom in side) for side in (before, after))
            return [*found, FormatSpan(old[at:], new[to:], span.format)]
    return found


def _spans_between(before: Sequence[Atom], after: Sequence[Atom]) -> Iterator[FormatSpan]:
    for (dress, word, is_dash), (other_dress, other, _) in zip(_fillers(before), _fillers(after), strict=True):
        yield from _dress_spans(dress, other_dress, is_dash)
        if word is not None and other is not None:
            yield from _word_spans(word, other)


def _fillers(found: Sequence[Atom]) -> Iterator[tuple[list[Atom], Atom | None, bool]]:
    """What is dress alone, with the word after it (None at the end), and whether a dash is beside it."""
    dress: list[Atom] = []
    was_dash = False
    for atom in found:
        if atom.key:
            yield dress, atom, was_dash or atom.kind == "dash"
            dress, was_dash = [], atom.kind == "dash"
        else:
            dress.append(atom)
    yield dress, None, was_dash


def _word_spans(old: Atom, new: Atom) -> Iterator[FormatSpan]:
    """One word, or mark: what differs in it are its apostrophes, or all of it."""
    if old.text == new.text:
        yield FormatSpan(old.text, new.text)
    elif old.kind == new.kind == "word":
        for one, other in zip(old.text, new.text, strict=True):
            yield FormatSpan(one, other, "" if one == other else "quotation marks")
    else:
        yield FormatSpan(old.text, new.text, _KINDS[new.kind])


def _dress_spans(old: Sequence[Atom], new: Sequence[Atom], is_dash: bool) -> Iterator[FormatSpan]:
    at = 0
    for atom in old:
        place = next((n for n in range(at, len(new)) if new[n].kind == atom.kind), -1)
        if place < 0:
            yield _alone(atom, is_dash, gone=True)
            continue
        for came in new[at:place]:
            yield _alone(came, is_dash, gone=False)
        yield _paired(atom, new[place], is_dash)
        at = place + 1
    for came in new[at:]:
        yield _alone(came, is_dash, gone=False)


def _alone(atom: Atom, is_dash: bool, *, gone: bool) -> FormatSpan:
    kind: Format = space_format(atom.text, "", is_dash) if atom.kind == "space" else _KINDS[atom.kind]
    return FormatSpan(atom.text, "", kind) if gone else FormatSpan("", atom.text, kind)


def _paired(old: Atom, new: Atom, is_dash: bool) -> FormatSpan:
    if old.text == new.text:
        return FormatSpan(old.text, new.text)
    kind: Format = space_format(old.text, new.text, is_dash) if old.kind == "space" else _KINDS[old.kind]
    return FormatSpan(old.text, new.text, kind)


def space_format(old: str, new: str, is_dash: bool = False) -> Format:
    """What of white space differs: line ends, spaces before them, or anything; beside a dash it is of that."""
    if is_dash and "\n" not in old + new:
        return "dashes"
    one, other = old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
    if one == other:
        return "line ends"
    return "trailing spaces" if _TRAILING.sub("", one) == _TRAILING.sub("", other) and "\n" in one else "white space"


# What is before the words of a line: white space, and what makes it an item or a heading

_VALUE = re.compile(r"\d+(?:\.\d+)*(?=\D*$)|(?<![A-Za-z])[A-Za-z](?=\W*$)|[ivxIVX]+(?=\W*$)")


def split_gap(gap: str) -> tuple[str, str]:
    """Its white space, and its marks with the white space behind them."""
    bare = gap.lstrip()
    return gap[: len(gap) - len(bare)], bare


def breaks(gap: str) -> bool:
    """Whether it begins a line."""
    return "\n" in split_gap(gap)[0]


def gap_spans(old: str, new: str) -> list[FormatSpan] | None:
    """How two gaps differ in dress; None where the one makes something else of its line than the other."""
    (space, mark), (other_space, other) = split_gap(old), split_gap(new)
    spans = space_spans(space, other_space)
    if mark == other:
        return [*spans, FormatSpan(mark, other)]
    before, after = structure(mark), structure(other)
    if before is None or after is None or not (before and after):
        return None
    if before == after == "1" or (before != after and before[0] == after[0] == "#" and before[-1] == after[-1] == "1"):
        return [*spans, *_number_spans(mark, other)]
    if {*before} | {*after} == {"#"}:
        return [*spans, FormatSpan(mark, other, "heading marks")]
    if before != after:
        return None
    kind: Format = "bullets" if before == "-" else "list marks"
    return [*spans, FormatSpan(mark, other, kind)]


def space_spans(old: str, new: str) -> list[FormatSpan]:
    """White space for white space."""
    return [FormatSpan(old, new, "" if old == new else space_format(old, new))]


def _number_spans(old: str, new: str) -> list[FormatSpan]:
    """One number for another: it follows, if both are written alike."""
    was, now = _VALUE.search(old), _VALUE.search(new)
    is_alike = was and now and was.group().isdecimal() == now.group().isdecimal()
    if was and now and is_alike and (old[: was.start()], old[was.end() :]) == (new[: now.start()], new[now.end() :]):
        head, tail = old[: was.start()], old[was.end() :]
        return [FormatSpan(head, head), FormatSpan(was.group(), now.group(), "follows"), FormatSpan(tail, tail)]
    return [FormatSpan(old, new, "heading marks" if "#" in old else "list marks")]
