r"""Split the diff of one side into edits of single sentences and of the gaps before sentences. All texts in this module
have "\n" as line end."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import count, pairwise
from typing import Literal, NamedTuple

from cekura_tui.prose.diff import Edit, ProseDiff
from cekura_tui.prose.formatting import fence_mark, structure, tag_of
from cekura_tui.prose.units import SENTENCE_GAP, Unit, units_of
from cekura_tui.prose.words import words_in

Side = Literal["now", "staged"]
Changeset = tuple[Side, int]
"""Identifies a changeset: the edits of one side that are applied together or not at all."""

_LEAST_WORDS = 2
"""A passage of fewer words is never paired with an equal or similar passage, so it never counts as moved."""
_LEAST_SIMILAR_WORDS = 4
"""A passage of fewer words is only paired with an equal passage."""
_LEAST_SIMILARITY = 0.75
"""Least share of common words (0 to 1) of two passages that are paired as similar."""
_COMMON = 60
"""A word that occurs in more passages than this is not used to find similar passages."""
_FIGURES = re.compile(r"\d+")
_SHORT = 50
"""A text counts as not wrapped if all its lines have fewer characters than this."""
_MOST_PAIRS = 4_000_000
"""Most pairs of an old and a new sentence that are compared in one edit; a larger edit is not split."""


@dataclass(frozen=True, slots=True)
class SideEdit:
    """Replaces characters [start, end) of the sent prompt by `new`. `removed` and `added` are sentences, headings and
    rows. `layout`: no words change. `section`: a heading or a tag is covered."""

    start: int
    end: int
    new: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changesets: frozenset[Changeset] = frozenset()
    layout: bool = False
    section: bool = False
    whole: int = 0
    """The start of the removal that contains this edit; 0 for other edits."""

    @property
    def key(self) -> tuple[object, ...]:
        """Two edits of the same characters have equal keys if they differ only in the white space between words."""
        words = self.new.split()
        new = (self.new[0].isspace(), self.new[-1].isspace(), *words) if words else self.new
        return self.start, self.end, new

    @property
    def continues_line(self) -> bool:
        return "\n" not in self.new

    @property
    def begins_line(self) -> bool:
        return self.new.lstrip(" \t").startswith("\n")

    @property
    def sort_key(self) -> tuple[int, int, bool]:
        """Sorts edits by position. Of two insertions at one place, an insertion that continues a line comes first."""
        return self.start, self.end, not self.continues_line

    @property
    def is_insertion(self) -> bool:
        return self.start == self.end

    @property
    def is_removal(self) -> bool:
        return not (self.new or self.is_insertion)

    @property
    def is_reworded(self) -> bool:
        return len(self.removed) == len(self.added) == 1 and _are_similar(self.removed[0], self.added[0])

    @property
    def adds(self) -> bool:
        return self.is_insertion or len(self.added) > len(self.removed) > 0


class _Token(NamedTuple):
    """Offsets of a unit or of one of its lines: [start, middle) is the gap, [middle, end) the text."""

    start: int
    middle: int
    end: int


class SentPrompt:
    """The sent prompt. Turns the diff of each side into edits."""

    def __init__(self, text: str, *, by_sentence: bool = True) -> None:
        self.text = text.replace("\r\n", "\n")
        self._cr_offsets = [hit.start() for hit in re.finditer("\r\n", text)]
        self._by_sentence = by_sentence
        units = units_of(self.text, by_sentence=by_sentence)
        self._tokens = _tokens(units, len(self.text))
        self._starts = [token.start for token in self._tokens]
        self._headings = [unit.start for unit in units if unit.kind in ("heading", "tag")]
        self.bounds = {0, len(self.text)}.union(*self._tokens)
        """Offsets where gaps and sentences begin and end."""

    def edits(self, side: Side, diff: ProseDiff) -> list[SideEdit]:
        """The edits of one side, in order. Insertions at the same place are one edit."""
        found: list[SideEdit] = []
        kinds = {hunk.number: hunk.kind for hunk in diff.hunks}
        edits = self._lf_edits(diff)
        of_hunk = Counter(edit.hunk for edit in edits)
        numbers = count(len(diff.hunks) + 1)
        for edit in edits:
            parts = [part for part in self._parts(edit) if self.text[part.start : part.end] != part.new]
            lines = (line for part in parts for line in (*part.removed, *part.added))
            # Fence lines and tags come in pairs.
            is_bracket = any(fence_mark(line) or tag_of(line) for line in lines)
            layout = kinds.get(edit.hunk) == "layout"
            together = not layout and (of_hunk[edit.hunk] > 1 or is_bracket)
            for part in parts:
                gap = self.text[part.start : part.end]
                only_gap = not (part.removed or part.added) and _same_structure(gap, part.new)
                # List numbers are recomputed, so they need not be decided with their hunk.
                is_number = only_gap and _FIGURES.sub("", gap) == _FIGURES.sub("", part.new)
                own: Changeset = (side, edit.hunk if together and not is_number else next(numbers))
                if layout:
                    part = replace(part, removed=(), added=())
                section = bisect_left(self._headings, part.start) < bisect_left(self._headings, part.end)
                found.append(replace(part, changesets=frozenset({own}), layout=layout or only_gap, section=section))
        return _couple_moves(_merge_touching(found))

    def _lf_edits(self, diff: ProseDiff) -> list[Edit]:
        r"""The edits of a diff, with "\r\n" converted to "\n". A single edit of the whole text if the converted edits
        do not give the proposed text."""
        if not self._cr_offsets and "\r" not in diff.new:
            return [edit for edit in diff.edits() if self.text[edit.start : edit.end] != edit.new]
        found, edits = [], diff.edits()
        for edit, after in zip(edits, [*edits[1:], None], strict=True):
            start, end = (at - bisect_left(self._cr_offsets, at) for at in (edit.start, edit.end))
            new = edit.new.replace("\r\n", "\n")
            follows = after.new if after and after.start == edit.end else self.text[end : end + 1]
            new = new[:-1] if new.endswith("\r") and follows.startswith("\n") else new
            if self.text[start:end] != new:
                found.append(Edit(start, end, new, edit.hunk))
        wanted = diff.new.replace("\r\n", "\n")
        result = applied(self.text, found)
        # List numbers do not count as edits.
        return found if _FIGURES.sub("", result) == _FIGURES.sub("", wanted) else [Edit(0, len(self.text), wanted, 0)]

    def _parts(self, edit: Edit) -> Iterator[SideEdit]:
        """Edits of single sentences and gaps, which together make `edit`; some of them change nothing."""
        first, last = max(bisect_right(self._starts, edit.start) - 1, 0), bisect_left(self._starts, edit.end)
        covered = (one for one in self._tokens[first:last] if one.end > edit.start)
        olds = [_Token(*(min(max(at, edit.start), edit.end) for at in one)) for one in covered]
        news = _tokens(units_of(edit.new, by_sentence=self._by_sentence), len(edit.new))
        old, new = self.text, edit.new
        old_texts, new_texts = [old[one.middle : one.end] for one in olds], [new[one.middle : one.end] for one in news]
        if not (edit.new and olds) or len(olds) * len(news) > _MOST_PAIRS:
            yield SideEdit(edit.start, edit.end, new, _non_empty(old_texts), _non_empty(new_texts))
            return
        matcher = SequenceMatcher(None, old_texts, new_texts, autojunk=False)
        for op, a, b, c, d in matcher.get_opcodes():
            pairs = list(zip(olds[a:b], news[c:d], strict=False))
            if op == "equal" or (b - a == d - c and all(map(_are_similar, old_texts[a:b], new_texts[c:d]))):
                for one, other in pairs:
                    was, now = old[one.middle : one.end], new[other.middle : other.end]
                    yield SideEdit(one.start, one.middle, new[other.start : other.middle])
                    yield SideEdit(one.middle, one.end, now, _non_empty([was]), _non_empty([now]))
                continue
            start = olds[a].start if a < len(olds) else edit.end
            if pairs and "\n" in old[start : olds[a].middle]:
                # Text that continues a line is never a version of text that begins one.
                continuing = next((n for n in range(c, d) if "\n" in new[news[n].start : news[n].middle]), d)
                if continuing > c:
                    text = new[news[c].start : news[continuing - 1].end]
                    yield SideEdit(start, start, text, (), _non_empty(new_texts[c:continuing]))
                    c = continuing
            end = olds[b - 1].end if b > a else start
            first = news[c].start if d > c else 0
            if b > a and d > c and old[start : olds[a].middle] == new[first : news[c].middle]:
                start, first = olds[a].middle, news[c].middle
            text = new[first : news[d - 1].end] if d > c else ""
            yield SideEdit(start, end, text, _non_empty(old_texts[a:b]), _non_empty(new_texts[c:d]))


def _tokens(units: Sequence[Unit], length: int) -> list[_Token]:
    found, at = [], 0
    for unit in units:
        middle = unit.start
        for start, end in _hard_breaks(unit.text) if unit.kind in ("text", "item") and "\n" in unit.text else ():
            found.append(_Token(at, middle, unit.start + start))
            at, middle = unit.start + start, unit.start + end
        found.append(_Token(at, middle, unit.start + len(unit.text)))
        at = found[-1].end
    return [*found, _Token(at, length, length)] if at < length else found


def _hard_breaks(text: str) -> Iterator[tuple[int, int]]:
    """[start, end) of each intended line end in a sentence, with the white space around it: no lower-case letter
    follows, and the next word would have fitted into the line or all lines are short ("Monday: closed")."""
    lines = text.split("\n")
    width = max(map(len, lines))
    at = 0
    for line, after in pairwise(lines):
        at += len(line) + 1
        bare = after.lstrip()
        room = len(line) + 1 + len(bare.split(" ", 1)[0]) <= width or width < _SHORT
        if room and not bare[:1].islower():
            yield at - 1 - (len(line) - len(line.rstrip())), at + len(after) - len(bare)


def _non_empty(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(filter(None, texts))


def _same_structure(gap: str, other: str) -> bool:
    """Whether two gaps have the same kinds of markers; False if one is empty or only one breaks the line."""
    is_same_break = bool(gap and other) and ("\n" in gap) == ("\n" in other)
    return is_same_break and structure(gap) == structure(other) is not None


def _merge_touching(edits: Iterable[SideEdit]) -> list[SideEdit]:
    """Merge insertions at the same place, and merge adjacent removals."""
    found: list[SideEdit] = []
    for edit in edits:
        is_longer = found and found[-1].is_removal and edit.is_removal and found[-1].end == edit.start
        if found and (is_longer or found[-1].start == edit.end):
            last = found.pop()
            new, changesets = last.new + edit.new, last.changesets | edit.changesets
            removed, added = last.removed + edit.removed, last.added + edit.added
            is_layout, is_section = last.layout and edit.layout, last.section or edit.section
            edit = SideEdit(last.start, edit.end, new, removed, added, changesets, is_layout, is_section)
        found.append(edit)
    return found


def applied(text: str, edits: Iterable[Edit | SideEdit], start: int = 0, end: int | None = None) -> str:
    """Characters [start, end) of a text after applying `edits`, which lie in this range and are sorted by position."""
    parts, at = [], start
    for edit in edits:
        parts += [text[at : edit.start], edit.new]
        at = edit.end
    return "".join([*parts, text[at:end]])


# Moves: removed here, added there


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a passage in lower case, without formatting and punctuation, for comparing passages."""
    return tuple(word.casefold() for word in words_in(text) if any(map(str.isalnum, word)))


def _are_similar(one: str, other: str) -> bool:
    return _similarity(plain_words(one), plain_words(other)) >= 0.4


def _similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """Share of words that two passages have in common, 0 to 1. A repeated word counts each time."""
    return 2 * (Counter(one) & Counter(other)).total() / max(len(one) + len(other), 1)


Passage = tuple[tuple[str, ...], int]
"""The words of a passage, and the index of the edit that contains the passage."""


def similar_pairs(ones: Sequence[Passage], others: Sequence[Passage]) -> Iterator[tuple[int, int]]:
    """Pairs (one, other) of edit indexes for all passages that are equal or similar."""
    places: dict[str, set[int]] = defaultdict(set)
    same: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for n, (words, number) in enumerate(others):
        same[words].append(number)
        for word in words:
            places[word].add(n)
    for words, number in ones:
        if len(words) >= _LEAST_WORDS:
            yield from ((number, other) for other in same[words])
        if len(words) < _LEAST_SIMILAR_WORDS:
            continue
        shared = Counter(n for word in set(words) if len(places[word]) <= _COMMON for n in places[word])
        for n, common in shared.items():
            other_words, other = others[n]
            is_version = 2 * common >= len(words) and len(other_words) >= _LEAST_SIMILAR_WORDS and other_words != words
            if is_version and _similarity(words, other_words) >= _LEAST_SIMILARITY:
                yield number, other


def _couple_moves(edits: list[SideEdit]) -> list[SideEdit]:
    """Merge the changesets of two edits if one removes a passage and the other adds an equal or similar one."""
    moving = [(n, edit) for n, edit in enumerate(edits) if not edit.is_reworded]
    removed = [(plain_words(text), n) for n, edit in moving for text in edit.removed]
    added = [(plain_words(text), n) for n, edit in moving for text in edit.added]
    # A sentence may also come again within a longer one.
    there = {plain_words(one): n for n, edit in enumerate(edits) for it in edit.added for one in SENTENCE_GAP.split(it)}
    again = [(n, there.get(plain_words(old), n)) for n, edit in enumerate(edits) for old in edit.removed]
    pairs = {*similar_pairs(removed, added), *again}
    coupled = [edits[n].changesets | edits[m].changesets for n, m in pairs if n != m]
    first = roots(coupled)
    return [replace(edit, changesets=frozenset(first.get(one, one) for one in edit.changesets)) for edit in edits]


def roots(coupled: Iterable[frozenset[Changeset]]) -> Mapping[Changeset, Changeset]:
    """Union-find: map each changeset to the least changeset with which it is coupled, directly or indirectly."""
    parent: dict[Changeset, Changeset] = {}

    def root(one: Changeset) -> Changeset:
        while (higher := parent.setdefault(one, one)) != one:
            parent[one] = parent[higher]
            one = higher
        return one

    for changesets in coupled:
        least = min(map(root, changesets))
        for one in changesets:
            parent[root(one)] = least
    return {one: root(one) for one in list(parent)}
