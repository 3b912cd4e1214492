"""A prompt that was sent, what others made of it since, and what was staged for it: by random edits of every kind.

Every edit puts in a word of its own ("now3q"), so that one that is lost is found; and what a merge must never do is
measured here: lose an edit, double a rule, bring back what a side removed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import prompt_edits as edits
from prompt_edits import Edit, Lines, Writer, body, insert, items, prose, remove

from cekura_tui.model.text import Prompt
from cekura_tui.prose.merge import Merge, Side

SIDES: tuple[Side, Side] = ("now", "staged")
_MARK = re.compile(r"\s*(?:[-*+•>#|]+\s*|\(?\d+[.)]\s+|\*\*\d+[.)]\*\*\s*)*")
_DRESS = str.maketrans("–—“”‘’", "--\"\"''", "*_`")
_LEAST = 4
"""A line of fewer words may well be there twice."""


class Triple(NamedTuple):
    """Three prompts, and the words that a side alone has put in."""

    base: str
    now: str
    staged: str
    put_in: tuple[str, ...]


def triple(rng: Writer, base: str = "") -> Triple:
    """Up to five edits of a side, and in half of all cases one that the other side's edits meet."""
    base = base or edits.excerpt(rng, 20, 80)
    now, staged = (base.split("\n") for _ in SIDES)
    rng.put_in = []
    if rng.random() < 0.5:
        rng.choice((_same_rule, _same_line, _neighbours))(rng, now, staged)
    one, other = (_edited(rng, side, lines) for side, lines in zip(SIDES, (now, staged), strict=True))
    return Triple(base, one, other, tuple(rng.put_in))


def _edited(rng: Writer, side: Side, lines: Lines) -> str:
    rng.side = side
    for _ in range(rng.choice((0, 1, 1, 2, 3, 4, 5))):
        rng.choice(_EDITS)(rng, lines)
    for dress in (edits.typographic, edits.bullets_restyled, edits.bold_titles):
        if rng.random() < 0.08:
            dress(rng, lines)
    rng.side = ""
    return ("\r\n" if rng.random() < 0.08 else "\n").join(lines)


def _reword(rng: Writer, lines: Lines, at: int, which: int | None = None) -> None:
    """Another word in one of the sentences of a line."""
    marker, sentences = body(lines[at])
    n = rng.randrange(len(sentences)) if which is None else which
    words = sentences[n].split(" ")
    words.insert(rng.randrange(len(words)), rng.mark())
    sentences[n] = " ".join(words)
    lines[at] = marker + " ".join(sentences)


_word_in = edits.at_one_of(prose)(_reword)
_EDITS: tuple[Edit, ...] = (
    *(edits.rule_in, edits.rule_in, edits.rule_out, edits.rule_moved, _word_in, _word_in),
    *(edits.sentence_in, edits.sentence_out, edits.section_in, edits.section_out, edits.section_moved),
    *(edits.row_in, edits.cell_reworded),
)


# Both sides at what is the same, or near it


def _same_rule(rng: Writer, now: Lines, staged: Lines) -> None:
    """The same rule, or nearly the same, put in by both, mostly at different places."""
    sentence = rng.sentence()
    for rng.side, lines in zip(SIDES, (now, staged), strict=True):
        if places := items(lines):
            at = rng.choice(places)
            insert(rng, lines, at, [sentence])
            if rng.random() < 0.3:
                _reword(rng, lines, next(n for n, line in enumerate(lines) if line.endswith(sentence)))


def _same_line(rng: Writer, now: Lines, staged: Lines) -> None:
    """A rule that both move, remove or reword, each in its way."""
    rules = [at for at in items(now) if now.count(now[at]) == 1]
    if len(rules) > 1:
        at = rng.choice(rules)
        for rng.side, lines in zip(SIDES, (now, staged), strict=True):
            what = rng.choice(("move", "move", "out", "word", "move and word"))
            if "word" in what:
                _reword(rng, lines, at)
            if what != "word":
                block = remove(rng, lines, at)
                if "move" in what:
                    insert(rng, lines, rng.choice(items(lines)), block)


def _neighbours(rng: Writer, now: Lines, staged: Lines) -> None:
    """Two lines, or two sentences, beside one another, one changed by each."""
    places = prose(now)
    several = [(at, at, 0, 1) for at in places if len(body(now[at])[1]) > 1]
    beside = [(at, at + 1, None, None) for at in places if at + 1 in places]
    if found := rng.choice((several, beside)) or several or beside:
        one, other, first, second = rng.choice(found)
        rng.side = "now"
        _reword(rng, now, one, first)
        rng.side = "staged"
        _reword(rng, staged, other, second)


# What a merge must never do


def lines_of(text: str) -> Iterator[str]:
    """The rules of a text: its lines of at least four words, without what makes them items, and undressed."""
    for line in text.split("\n"):
        start = _MARK.match(line)
        words = line[start.end() if start else 0 :].translate(_DRESS).split()
        if sum(any(map(str.isalnum, word)) for word in words) >= _LEAST:
            yield " ".join(words)


def results(rng: Writer, merge: Merge) -> Iterator[Prompt]:
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
    for side in case[:3]:
        most |= Counter(lines_of(side))
    return sorted((Counter(lines_of(text)) - most).elements())


def settled(merge: Merge) -> str:
    """What of a merged text is no conflict, without the lines in which there is one."""
    text = "".join(part if isinstance(part, str) else "\0" for part in merge.parts)
    return "\n".join(line for line in text.split("\n") if "\0" not in line)


def brought_back(case: Triple, text: str) -> list[str]:
    """The rules that one side removed while the other left them, and that are in a text."""
    base, now, staged = (Counter(lines_of(side)) for side in case[:3])
    there = Counter(lines_of(text))
    return [rule for rule, count in base.items() if count == 1 and there[rule] and not (now[rule] and staged[rule])]
