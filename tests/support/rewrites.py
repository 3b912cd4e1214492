"""Rewrites of prompts, in which a reader marked the decisions that he wants to make.

A pair is `NAME.marked.md` in `prose/rewrites` or `prose/rewrites_held`. It contains both texts:

- `⟦3−removed⟧` and `⟦3+added⟧`: text that decision 3 removes or adds
- `⟦5:block⟧` and `⟦5>⟧`: the old and the new place of a block that decision 5 moves; other marks may be in the block
- `⟦F1−**⟧` and `⟦F1+__⟧`: a change of formatting; each number is one kind of formatting
- `⟦N−3⟧` and `⟦N+4⟧`: a number that follows from the decisions
- `⟦W+Here is the prompt:⟧`: text that a model put around its answer

If the first line is `@wrap quoted`, `@wrap indented` or `@wrap json`, the answer is quoted, indented by four spaces or
a JSON string; only W marks are outside of that. Without any decision, the text is the sent prompt, with all of them the
answer. `NAME.decisions.txt` has a line for each decision, in reading order: "3. Confirm the date of birth".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from prose_cases import PUNCTUATION, Word, words

HERE = Path(__file__).parents[1] / "prose"
_SIGN = re.compile(r"⟦(\d+|F\d*|N|W)([−+:>])|⟧")
_ENCODED: dict[str, Callable[[str, str], str]] = {
    "quoted": lambda letter, before: ("> " if letter != "\n" else ">") * (before == "\n") + letter,
    "indented": lambda letter, before: "    " * (before == "\n" != letter) + letter,
    "json": lambda letter, before: json.dumps(letter, ensure_ascii=False)[1:-1],
}
"""For each way to wrap an answer, a letter as it is written after the letter `before`."""


class Mark(NamedTuple):
    """A part of a marked text: unmarked ("") or with the sign − + : or >, and the decision `who`. Only a moved block
    (:) has `inner` parts, all others have a `text`."""

    who: str
    sign: str
    text: str = ""
    inner: tuple[Mark, ...] = ()


class Rewrite:
    """A sent prompt and a model's answer, with the reader's decisions. `labels` has the reader's words for each
    decision and for each kind of formatting, in reading order."""

    def __init__(self, name: str, marked: str, decisions: str) -> None:
        self.name = name
        head, _, rest = marked.partition("\n")
        self.wrap = head.removeprefix("@wrap ") if head.startswith("@wrap ") else ""
        self.marks = _parsed(rest if self.wrap else marked)
        self.labels = dict(line.split(". ", 1) for line in decisions.splitlines() if line.strip())
        self._moved = {mark.who: mark.inner for mark in _all(self.marks) if mark.sign == ":"}

    @cached_property
    def decisions(self) -> list[str]:
        """The numbers of the decisions; kinds of formatting are left out."""
        return [who for who in self.labels if who.isdigit()]

    @property
    def asked(self) -> int:
        """How many things a reader decides: all decisions, kinds of formatting, and the wrapper."""
        return len(self.labels) + (bool(self.wrap) or any(mark.who == "W" for mark in self.marks))

    def parts(self, *taken: str) -> Iterator[Mark]:
        """The marks whose text is in the prompt if only these decisions are taken."""
        return self._parts(self.marks, taken.__contains__)

    def text(self, *taken: str) -> str:
        return "".join(mark.text for mark in self.parts(*taken))

    @cached_property
    def sent(self) -> str:
        return self.text()

    @cached_property
    def answer(self) -> str:
        return "".join(text for text, _ in self._answer())

    def changed_words(self) -> tuple[list[tuple[Word, bool]], list[tuple[Word, bool]]]:
        """The words of the sent text and of the answer, and whether a decision changes them. Words of the text around
        an answer are left out."""
        sent = [(mark.text, mark) for mark in self.parts()]
        return _flagged(sent), _flagged(self._answer())

    def _answer(self) -> list[tuple[str, Mark]]:
        """The answer in parts, each with its mark."""
        parts = list(self._parts(self.marks, lambda who: True))
        if not self.wrap:
            return [(mark.text, mark) for mark in parts]
        inside = [mark for mark in parts if mark.who != "W"]
        found, before = [], "\n"
        for mark in inside:
            text = ""
            for letter in mark.text:
                text, before = text + _ENCODED[self.wrap](letter, before), letter
            found.append((text, mark))
        sign = ('"', Mark("W", "+")) if self.wrap == "json" else ("", Mark("W", "+"))
        around = [[(mark.text, mark) for mark in parts[at : at + 1] if mark.who == "W"] for at in (0, len(parts) - 1)]
        return [*around[0], sign, *found, sign, *around[1]]

    def _parts(self, marks: tuple[Mark, ...], taken: Callable[[str], bool]) -> Iterator[Mark]:
        for mark in marks:
            if mark.sign == ":" and not taken(mark.who):
                yield from self._parts(mark.inner, taken)
            elif mark.sign == ">" and taken(mark.who):
                yield from self._parts(self._moved[mark.who], taken)
            elif not mark.sign or mark.sign == ("+" if taken(mark.who) else "−"):
                yield mark

    def faults(self) -> Iterator[str]:
        """What is wrong with the marks."""
        every = [mark for mark in _all(self.marks) if mark.who]
        if {mark.who for mark in every} - {"N", "W"} != self.labels.keys():
            yield "the decisions of the two files differ"
        for sign in ":>":
            if sorted(mark.who for mark in every if mark.sign == sign) != sorted(self._moved):
                yield "a moved block does not have one old and one new place"
        for who in self.labels:
            if self.text(who) == self.sent:
                yield f"{who} changes nothing"


def _parsed(text: str) -> tuple[Mark, ...]:
    """Parse marked text. Raises ValueError for a mark that is not closed or is at a wrong place."""
    opened: list[tuple[str, str, list[Mark]]] = [("", ":", [])]
    at = 0
    for sign in _SIGN.finditer(text):
        plain = text[at : sign.start()]
        at = sign.end()
        if plain:
            opened[-1][2].append(Mark("", "", plain))
        if sign[1]:
            opened.append((sign[1], sign[2], []))
            continue
        who, kind, inner = opened.pop()
        if not opened or (kind != ":" and any(mark.who for mark in inner)):
            raise ValueError(f"a mark at a wrong place, near {text[max(0, at - 60) : at]!r}")
        within = "".join(mark.text for mark in inner)
        opened[-1][2].append(Mark(who, ":", "", tuple(inner)) if kind == ":" else Mark(who, kind, within))
    if len(opened) > 1 or "⟦" in text[at:]:
        raise ValueError("a mark is not closed")
    return (*opened[0][2], *([Mark("", "", text[at:])] if text[at:] else []))


def _all(marks: tuple[Mark, ...]) -> Iterator[Mark]:
    for mark in marks:
        yield mark
        yield from _all(mark.inner)


def _flagged(parts: list[tuple[str, Mark]]) -> list[tuple[Word, bool]]:
    text = "".join(text for text, _ in parts)
    owner = [mark for part, mark in parts for _ in part]
    found = []
    for word in words(text):
        letters = zip(owner[word.start : word.end], word.text, strict=True)
        marks = [mark for mark, letter in letters if letter not in PUNCTUATION]
        if any(mark.who != "W" for mark in marks):
            found.append((word, any(mark.who.isdigit() for mark in marks)))
    return found


@cache
def rewrites(folder: str) -> list[Rewrite]:
    """The pairs in the directory `rewrites` or `rewrites_held`, by name."""
    found = []
    for file in sorted((HERE / folder).glob("*.marked.md")):
        name = file.name.removesuffix(".marked.md")
        decisions = file.with_name(f"{name}.decisions.txt").read_text("utf-8")
        found.append(Rewrite(name, file.read_bytes().decode("utf-8"), decisions))
    return found
