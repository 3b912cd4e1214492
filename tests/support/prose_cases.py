"""Pairs of prompts in `prose/`, with the changed words marked by hand.

Rules are tuned on `cases/`; `held/` is a held-out set, only measured.

A pair is `NAME.sent.md` and `NAME.proposed.md`. In both, `⟦…⟧` marks changed text (removed from the first, added in the
second) and `⟪…⟫` marks moved text: a whole sentence, list item, paragraph or section, inside which changes are marked
as well. `⦃…⦄` marks the wrapper that a model puts around its answer, such as "Here is the improved prompt:" or the
lines of a fence. Without these marks, the files are the two prompts.

A word is a run of characters between white space, with its punctuation, that has a letter or a digit. Each character of
Han, kana or Hangul is a word of its own. The markers of headings, items, quotes and fences (`##`, `-`, `3.`, `>`, ````
```json ````) are not words. Formatting is never marked and does not count: quotation marks, emphasis (`*`, `_`) and the
kind of dash. A marked word does not count if only its punctuation changed.

`NAME.edits.md`, if there is one, has a line for each decision that a reader would want to make, in reading order.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

HERE = Path(__file__).parents[1] / "prose"

Mark = Literal["", "changed", "moved", "wrapper"]
_SIGNS: dict[str, tuple[Mark, int]] = {
    **{"⟦": ("changed", 1), "⟧": ("changed", -1), "⟪": ("moved", 1), "⟫": ("moved", -1)},
    **{"⦃": ("wrapper", 1), "⦄": ("wrapper", -1)},
}
_ITEM = r"(?:[-*+•‣–・]|(?:\*\*)?\d{1,3}[.)](?:\*\*)?|[a-z][.)]|#{1,6})(?=[ \t\r\n]|$)"
PUNCTUATION = ".,;:()"
_NO_WORD = re.compile(rf"(?m)^[ \t]*(?:(?:```|~~~).*$|(?:>[ \t]*)*{_ITEM}(?:[ \t]+{_ITEM})*|(?:>[ \t]*)+)")
_DASHES = re.compile("[‐‑‒–—−]|--+")
_FORMATTING = re.compile("[\"'‘’‚‛“”„‟«»‹›「」*_`~#]")
_WORD = re.compile(r"[぀-ヿ㐀-鿿豈-﫿가-힣]|[^\s぀-ヿ㐀-鿿豈-﫿가-힣]+")


class Word(NamedTuple):
    """A word at [start, end) of its text."""

    text: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The words of a prompt, in order."""
    bare = _NO_WORD.sub(lambda found: " " * len(found.group()), text)
    return [
        Word(found.group(), *found.span()) for found in _WORD.finditer(bare) if any(map(str.isalnum, found.group()))
    ]


class Marked(NamedTuple):
    """A prompt, its words, and the mark of each word; `blocks` are the spans [start, end) of moved text."""

    text: str
    words: tuple[Word, ...]
    marks: tuple[Mark, ...]
    blocks: tuple[tuple[int, int], ...]

    bare: str
    """The text without its wrapper."""

    @property
    def changed(self) -> int:
        return self.marks.count("changed") + self.marks.count("wrapper")


class Pair(NamedTuple):
    """A sent and a proposed prompt; `edits` are the reader's decisions, empty if they were not recorded."""

    name: str
    sent: Marked
    proposed: Marked
    edits: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        """Number of words marked as changed or as a wrapper, in the two prompts together."""
        return self.sent.changed + self.proposed.changed


def read(marked: str) -> Marked:
    """Parse a marked prompt. A word with a changed letter is changed. Raises ValueError for unbalanced marks."""
    text: list[str] = []
    inside = {"changed": 0, "moved": 0, "wrapper": 0}
    letter_marks: list[Mark] = []
    blocks: list[tuple[int, int]] = []
    start = 0
    for letter in marked:
        if letter in _SIGNS:
            kind, step = _SIGNS[letter]
            inside[kind] += step
            if inside[kind] not in (0, 1):
                raise ValueError(f"{letter} at {''.join(text)[-60:]!r} has no partner")
            if kind == "moved":
                if step > 0:
                    start = len(text)
                else:
                    blocks.append((start, len(text)))
            continue
        text.append(letter)
        letter_marks.append(next((mark for mark in _PRECEDENCE if inside[mark]), ""))
    if any(inside.values()):
        raise ValueError("a mark is not closed")
    whole = "".join(text)
    found = words(whole)
    marks: list[Mark] = []
    for word in found:
        kinds = set(letter_marks[word.start : word.end])
        marks.append(next((mark for mark in _PRECEDENCE if mark in kinds), ""))
    bare = "".join(letter for letter, mark in zip(whole, letter_marks, strict=True) if mark != "wrapper")
    return Marked(whole, tuple(found), tuple(marks), tuple(blocks), bare)


_PRECEDENCE: tuple[Mark, ...] = ("wrapper", "changed", "moved")
"""Marks by precedence: a word whose letters have different marks gets the first of these marks."""


def normalised(word: str) -> str:
    """A word prepared for comparison: without quotation marks and emphasis, and with "-" for every dash."""
    return _DASHES.sub("-", _FORMATTING.sub("", word))


@cache
def pairs(folder: str) -> list[Pair]:
    """The pairs in the directory `cases` or `held`, by name."""
    found = []
    for file in sorted((HERE / folder).glob("*.sent.md")):
        name = file.name.removesuffix(".sent.md")
        sent, proposed = (
            read((file.parent / f"{name}.{side}.md").read_bytes().decode("utf-8")) for side in ("sent", "proposed")
        )
        counted = file.parent / f"{name}.edits.md"
        edits = [line for line in counted.read_text("utf-8").splitlines() if line.strip()] if counted.exists() else []
        found.append(Pair(name, *_without_punctuation(sent, proposed), tuple(edits)))
    return found


def _without_punctuation(sent: Marked, proposed: Marked) -> tuple[Marked, Marked]:
    """The two prompts without the marks of words that differ only in punctuation, at the ends of a change."""
    old, new = list(sent.marks), list(proposed.marks)
    same = zip(*([n for n, mark in enumerate(marks) if not mark] for marks in (old, new)), strict=False)
    for (i, j), (i_end, j_end) in pairwise([(-1, -1), *same, (len(old), len(new))]):
        for step, at, to in ((1, i + 1, j + 1), (-1, i_end - 1, j_end - 1)):
            while at in range(len(old)) and to in range(len(new)) and old[at] == new[to] == "changed":
                if bare(sent.words[at].text) != bare(proposed.words[to].text):
                    break
                old[at] = new[to] = ""
                at, to = at + step, to + step
    return sent._replace(marks=tuple(old)), proposed._replace(marks=tuple(new))


def bare(word: str) -> str:
    """A word without formatting and without the punctuation around the word."""
    return normalised(word).strip(PUNCTUATION)


def faults(pair: Pair) -> Iterator[str]:
    """Errors in the marks: unmarked words or moved blocks that are not the same on both sides."""
    plain = [
        [bare(word.text) for word, mark in zip(side.words, side.marks, strict=True) if not mark]
        for side in (pair.sent, pair.proposed)
    ]
    for n, (one, other) in enumerate(zip(*plain, strict=False)):
        if one != other:
            yield f"not marked, but differs: {' '.join(plain[0][n : n + 8])!r} and {' '.join(plain[1][n : n + 8])!r}"
            return
    if len(plain[0]) != len(plain[1]):
        longer = max(plain, key=len)
        yield f"not marked, but in one alone: {' '.join(longer[min(map(len, plain)) :][:8])!r}"
    moved = [
        sorted(
            " ".join(
                normalised(word.text)
                for word, mark in zip(side.words, side.marks, strict=True)
                if mark == "moved" and start <= word.start < end
            )
            for start, end in side.blocks
        )
        for side in (pair.sent, pair.proposed)
    ]
    if moved[0] != moved[1]:
        yield f"what moved differs: {moved[0]} and {moved[1]}"


def main() -> int:
    """Print the number of marked words in each pair, and the errors in its marks; returns 1 if there are errors."""
    wrong = 0
    for half in ("cases", "held"):
        for pair in pairs(half):
            found = list(faults(pair))
            wrong += len(found)
            summary = f"{len(pair.sent.words)} words, {pair.changed} changed, {len(pair.edits)} edits"
            print(f"{half}/{pair.name}: {summary}, {len(pair.sent.blocks)} moved", *found, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
