"""A prompt that was sent, what others made of it since, and what was staged for it: by random edits of every kind.

The prompts are those of `tests/prose/cases`. Every edit puts in a word of its own ("now3q"), so that one that is lost
is found; and what a merge must never do is measured here: lose an edit, double a rule, bring back what a side removed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from prose_cases import pairs

from cekura_tui.model.text import Prompt
from cekura_tui.prose.merge import Merge, Side

SIDES: tuple[Side, Side] = ("now", "staged")
_ITEM = re.compile(r"(\s*)(?:[-*+]|(\d+)([.)]))\s+(?=\S)")
_CONTINUED = re.compile(r"\s+(?![-*+]\s|\d+[.)]\s)\S")
_MARK = re.compile(r"\s*(?:[-*+•>#|]+\s*|\(?\d+[.)]\s+|\*\*\d+[.)]\*\*\s*)*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_DRESS = str.maketrans("–—“”‘’", "--\"\"''", "*_`")
_LEAST = 4
"""A line of fewer words may well be there twice."""


@dataclass(frozen=True)
class Triple:
    """Three prompts, and the words that a side alone has put in."""

    base: str
    now: str
    staged: str
    put_in: tuple[str, ...]

    @property
    def sides(self) -> tuple[str, str, str]:
        return self.base, self.now, self.staged


@cache
def _prompts() -> tuple[str, ...]:
    return tuple(pair.sent.text.replace("\r\n", "\n") for pair in pairs("cases"))


@cache
def _words() -> tuple[str, ...]:
    """Words to make rules of."""
    return tuple(sorted(set(re.findall(r"\b[a-z]{5,9}\b", "\n".join(_prompts())))))


def triple(rng: Random, base: str = "") -> Triple:
    """Up to five edits of a side, and in half of all cases one that the other side's edits meet."""
    return _Editor(rng, base or _excerpt(rng)).triple()


def _excerpt(rng: Random) -> str:
    lines = rng.choice(_prompts()).split("\n")
    at = rng.randint(0, max(len(lines) - 40, 0))
    return "\n".join(lines[at : at + rng.randint(20, 80)]).strip("\n") + "\n"


Lines = list[str]


class _Editor:
    def __init__(self, rng: Random, base: str) -> None:
        self.rng = rng
        self.base = base.split("\n")
        self.follows = "\n".join(_numbered(self.base)) == base
        self.put_in: list[str] = []

    def triple(self) -> Triple:
        now, staged = list(self.base), list(self.base)
        if self.rng.random() < 0.5:
            self.rng.choice((self.same_rule, self.same_line, self.neighbours))(now, staged)
        one, other = self.side("now", now), self.side("staged", staged)
        return Triple("\n".join(self.base), one, other, tuple(self.put_in))

    def side(self, side: str, lines: Lines) -> str:
        edits: Sequence[Callable[[str, Lines], None]] = (
            *(self.rule_in, self.rule_in, self.rule_out, self.word, self.word, self.move),
            *(self.sentence_in, self.sentence_out, self.section_in, self.section_out, self.section_move, self.row),
        )
        for _ in range(self.rng.choice((0, 1, 1, 2, 3, 4, 5))):
            self.rng.choice(edits)(side, lines)
        text = "\n".join(_numbered(lines) if self.follows else lines)
        for dress in (_typographic, _bullets, _titles, _line_ends):
            if self.rng.random() < 0.08:
                text = dress(text)
        return text

    # One side

    def word_of(self, side: str) -> str:
        self.put_in.append(f"{side}{self.rng.randrange(10**9)}q")
        return self.put_in[-1]

    def sentence(self, side: str) -> str:
        words = self.rng.sample(_words(), 7)
        return f"{words[0].capitalize()} {self.word_of(side)} {' '.join(words[1:])}."

    def rule_in(self, side: str, lines: Lines) -> None:
        self.put_rule(lines, self.sentence(side))

    def put_rule(self, lines: Lines, sentence: str) -> None:
        items = self.items(lines)
        if not items:
            lines += ["", sentence]
            return
        at = self.rng.choice(items)
        hit = _ITEM.match(lines[at])
        assert hit
        lines.insert(at + self.rng.randint(0, 1), hit.group() + sentence)

    def rule_out(self, side: str, lines: Lines) -> None:
        if items := self.items(lines):
            del lines[self.rng.choice(items)]

    def move(self, side: str, lines: Lines) -> None:
        if len(items := self.items(lines)) > 1:
            one = lines.pop(self.rng.choice(items))
            lines.insert(self.rng.choice(self.items(lines)) + self.rng.randint(0, 1), one)

    def word(self, side: str, lines: Lines) -> None:
        if prose := self.prose(lines):
            self.reword(lines, self.rng.choice(prose), side)

    def reword(self, lines: Lines, at: int, side: str, which: int | None = None) -> None:
        """Another word in one of the sentences of a line."""
        mark, sentences = _sentences(lines[at])
        n = self.rng.randrange(len(sentences)) if which is None else which
        words = sentences[n].split(" ")
        words.insert(self.rng.randrange(len(words)), self.word_of(side))
        sentences[n] = " ".join(words)
        lines[at] = mark + " ".join(sentences)

    def sentence_in(self, side: str, lines: Lines) -> None:
        if prose := self.prose(lines):
            at = self.rng.choice(prose)
            lines[at] += f" {self.sentence(side)}"

    def sentence_out(self, side: str, lines: Lines) -> None:
        several = [at for at in self.prose(lines) if len(_sentences(lines[at])[1]) > 1]
        if several:
            at = self.rng.choice(several)
            mark, sentences = _sentences(lines[at])
            del sentences[self.rng.randrange(1, len(sentences))]
            lines[at] = mark + " ".join(sentences)

    def section_in(self, side: str, lines: Lines) -> None:
        at = self.rng.choice([*self.headings(lines), len(lines) - 1])
        rules = [f"- {self.sentence(side)}" for _ in range(self.rng.randint(1, 3))]
        lines[at:at] = [f"## About {self.word_of(side)} and others", "", *rules, ""]

    def section_out(self, side: str, lines: Lines) -> None:
        if len(headings := self.headings(lines)) > 2:
            n = self.rng.randrange(1, len(headings) - 1)
            del lines[headings[n] : headings[n + 1]]

    def section_move(self, side: str, lines: Lines) -> None:
        if len(headings := self.headings(lines)) > 3:
            n = self.rng.randrange(1, len(headings) - 1)
            section = lines[headings[n] : headings[n + 1]]
            del lines[headings[n] : headings[n + 1]]
            at = self.rng.choice(self.headings(lines)[1:])
            lines[at:at] = section

    def row(self, side: str, lines: Lines) -> None:
        rows = [at for at, line in enumerate(lines) if line.startswith("|") and "--" not in line]
        if rows:
            at = self.rng.choice(rows[1:] or rows)
            if self.rng.random() < 0.5:
                lines.insert(at + 1, re.sub(r"\w[^|]*", self.word_of(side) + " ", lines[at], count=1))
            else:
                lines[at] = lines[at].rstrip()[:-1] + f"{self.word_of(side)} |"

    # Both sides at what is the same, or near it

    def same_rule(self, now: Lines, staged: Lines) -> None:
        """The same rule, or nearly the same, put in by both, mostly at different places."""
        sentence = " ".join(self.rng.sample(_words(), 9)).capitalize() + "."
        for side, lines in (("now", now), ("staged", staged)):
            words = sentence.split(" ")
            if self.rng.random() < 0.3:
                words[self.rng.randrange(1, 8)] = self.word_of(side)
            self.put_rule(lines, " ".join(words))

    def same_line(self, now: Lines, staged: Lines) -> None:
        """A rule that both move, remove or reword, each in its way."""
        rules = [self.base[at] for at in self.items(self.base) if self.base.count(self.base[at]) == 1]
        if len(rules) < 2:
            return
        rule = self.rng.choice(rules)
        for side, lines in (("now", now), ("staged", staged)):
            at = lines.index(rule)
            what = self.rng.choice(("move", "move", "out", "word", "move and word"))
            if "word" in what:
                self.reword(lines, at, side)
            if what == "out":
                del lines[at]
            elif "move" in what:
                one = lines.pop(at)
                lines.insert(self.rng.choice(self.items(lines)) + self.rng.randint(0, 1), one)

    def neighbours(self, now: Lines, staged: Lines) -> None:
        """Two lines, or two sentences, beside one another, one changed by each."""
        prose = self.prose(self.base)
        beside = [at for at in prose if at + 1 in prose]
        several = [at for at in prose if len(_sentences(self.base[at])[1]) > 1]
        if several and self.rng.random() < 0.5:
            at = self.rng.choice(several)
            self.reword(now, at, "now", 0)
            self.reword(staged, at, "staged", 1)
        elif beside:
            at = self.rng.choice(beside)
            self.reword(now, at, "now")
            self.reword(staged, at + 1, "staged")

    # Places

    @staticmethod
    def items(lines: Lines) -> list[int]:
        """The items of one line."""
        after = [*lines[1:], ""]
        return [at for at, line in enumerate(lines) if _ITEM.match(line) and not _CONTINUED.match(after[at])]

    @staticmethod
    def prose(lines: Lines) -> list[int]:
        return [at for at, line in enumerate(lines) if len(line.split()) > 4 and line.lstrip()[0] not in '#|<`{}"=[']

    @staticmethod
    def headings(lines: Lines) -> list[int]:
        return [at for at, line in enumerate(lines) if line.startswith("#")]


def _sentences(line: str) -> tuple[str, Lines]:
    """What makes a line an item, and its sentences."""
    hit = _MARK.match(line)
    end = hit.end() if hit else 0
    return line[:end], _SENTENCE.split(line[end:])


def _numbered(lines: Iterable[str]) -> Lines:
    """The items of every list counted from its first number; for lists as plain as these are."""
    found: Lines = []
    counts: dict[int, int] = {}
    for line in lines:
        hit = _ITEM.match(line)
        if hit:
            indent = len(hit.group(1))
            counts = {other: count for other, count in counts.items() if other <= indent}
            if hit.group(2):
                counts[indent] = counts[indent] + 1 if indent in counts else 1
                line = f"{hit.group(1)}{counts[indent]}{line[hit.end(2) :]}"
        elif line and not line[0].isspace():
            counts = {}
        found.append(line)
    return found


def _typographic(text: str) -> str:
    return re.sub(r'"([^"\n{}]*)"', "“\\1”", text)


def _bullets(text: str) -> str:
    return re.sub(r"(?m)^(\s*)- ", r"\1* ", text)


def _titles(text: str) -> str:
    return re.sub(r"(?m)^## (.*)$", r"**\1**", text)


def _line_ends(text: str) -> str:
    return text.replace("\n", "\r\n")


# What a merge must never do


def lines_of(text: str) -> Iterator[str]:
    """The rules of a text: its lines of at least four words, without what makes them items, and undressed."""
    for line in text.split("\n"):
        start = _MARK.match(line)
        words = line[start.end() if start else 0 :].translate(_DRESS).split()
        if sum(any(map(str.isalnum, word)) for word in words) >= _LEAST:
            yield " ".join(words)


def results(rng: Random, merge: Merge) -> Iterator[Prompt]:
    """The merged text with all conflicts decided for one side, for the other, and for either."""
    for sides in (("now",), ("staged",), SIDES):
        decisions: dict[int, str] = {}
        for group in merge.groups:
            side: Side = rng.choice(sides)  # type: ignore[arg-type] # one of two words
            decisions |= {number: merge.conflicts[number - 1].text_of(side) for number in group}
        yield merge.text(decisions)


def lost(case: Triple, *texts: str) -> list[str]:
    """The words that a side has put in, and that are in none of these texts; those that it removed again are not."""
    there = "\n".join(texts)
    return [word for word in case.put_in if (word in case.now or word in case.staged) and word not in there]


def doubled(case: Triple, text: str) -> list[str]:
    """The rules that are in a text twice, and more often than in any of the three prompts."""
    most = Counter(set(lines_of(text)))
    for side in case.sides:
        most |= Counter(lines_of(side))
    return sorted((Counter(lines_of(text)) - most).elements())


def settled(merge: Merge) -> str:
    """What of a merged text is no conflict, without the lines in which there is one."""
    text = "".join(part if isinstance(part, str) else "\0" for part in merge.parts)
    return "\n".join(line for line in text.split("\n") if "\0" not in line)


def brought_back(case: Triple, text: str) -> list[str]:
    """The rules that one side removed while the other left them, and that are in a text."""
    base, now, staged = (Counter(lines_of(side)) for side in case.sides)
    there = Counter(lines_of(text))
    return [rule for rule, count in base.items() if count == 1 and there[rule] and not (now[rule] and staged[rule])]
