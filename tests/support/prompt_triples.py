"""Random input for a merge: the prompt that was sent, its current version on the server, and the staged text.

Edits insert unique words ("now3q"), so that a lost edit is noticed. This module also finds the faults that a merge
must never have: a lost edit, a duplicated rule, or a restored rule that a side removed.
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
_FORMATTING = str.maketrans("–—“”‘’", "--\"\"''", "*_`")
_MIN_WORDS = 4
"""A line with fewer words does not count as a rule, because short lines may occur twice."""


class Triple(NamedTuple):
    """Three versions of a prompt, and the unique words that edits inserted."""

    base: str
    now: str
    staged: str
    inserted: tuple[str, ...]


def triple(rng: Writer, base: str = "") -> Triple:
    """Make two versions of `base` (by default a random prompt) by up to five random edits each. In half of all cases,
    both versions also change the same place or adjacent places."""
    base = base or edits.excerpt(rng, 20, 80)
    now, staged = (base.split("\n") for _ in SIDES)
    rng.inserted = []
    if rng.random() < 0.5:
        rng.choice((_same_rule, _same_line, _neighbours))(rng, now, staged)
    one, other = (_edited(rng, side, lines) for side, lines in zip(SIDES, (now, staged), strict=True))
    return Triple(base, one, other, tuple(rng.inserted))


def _edited(rng: Writer, side: Side, lines: Lines) -> str:
    rng.side = side
    for _ in range(rng.choice((0, 1, 1, 2, 3, 4, 5))):
        rng.choice(_EDITS)(rng, lines)
    for restyle in (edits.typographic, edits.bullets_restyled, edits.bold_titles):
        if rng.random() < 0.08:
            restyle(rng, lines)
    rng.side = ""
    return ("\r\n" if rng.random() < 0.08 else "\n").join(lines)


def _reword(rng: Writer, lines: Lines, at: int, which: int | None = None) -> None:
    """Insert a unique word into a sentence of a line; `which` is the sentence's index, random by default."""
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


# Edits by both sides, at the same place or next to each other


def _same_rule(rng: Writer, now: Lines, staged: Lines) -> None:
    """Insert one rule on both sides, usually at different places, and sometimes reworded."""
    sentence = rng.sentence()
    for rng.side, lines in zip(SIDES, (now, staged), strict=True):
        if places := items(lines):
            at = rng.choice(places)
            insert(rng, lines, at, [sentence])
            if rng.random() < 0.3:
                _reword(rng, lines, next(n for n, line in enumerate(lines) if line.endswith(sentence)))


def _same_line(rng: Writer, now: Lines, staged: Lines) -> None:
    """Choose a rule, and let each side move, remove or reword it."""
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
    """Let one side change a line or sentence, and the other side the next line or sentence."""
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
    """Rules of a text: its lines of at least four words, without list markers and formatting."""
    for line in text.split("\n"):
        start = _MARK.match(line)
        words = line[start.end() if start else 0 :].translate(_FORMATTING).split()
        if sum(any(map(str.isalnum, word)) for word in words) >= _MIN_WORDS:
            yield " ".join(words)


def results(rng: Writer, merge: Merge) -> Iterator[Prompt]:
    """Three merged texts: all conflicts resolved to `now`, all resolved to `staged`, and each resolved at random."""
    for sides in (("now",), ("staged",), SIDES):
        decisions: dict[int, str] = {}
        for group in merge.groups:
            side: Side = rng.choice(sides)  # type: ignore[arg-type] # one of two words
            decisions |= {number: merge.conflicts[number - 1].text_of(side) for number in group}
        yield merge.text(decisions)


def lost_words(case: Triple, *texts: str) -> list[str]:
    """Inserted words that a side still has and that occur in none of these texts."""
    there = "\n".join(texts)
    return [word for word in case.inserted if (word in case.now or word in case.staged) and word not in there]


def duplicated_rules(case: Triple, text: str) -> list[str]:
    """Rules that occur in the text more than once and more often than in any of the three prompts."""
    most = Counter(set(lines_of(text)))
    for side in case[:3]:
        most |= Counter(lines_of(side))
    return sorted((Counter(lines_of(text)) - most).elements())


def without_conflicts(merge: Merge) -> str:
    """Lines of a merged text that contain no conflict."""
    text = "".join(part if isinstance(part, str) else "\0" for part in merge.parts)
    return "\n".join(line for line in text.split("\n") if "\0" not in line)


def restored_rules(case: Triple, text: str) -> list[str]:
    """Rules in the text that at least one side had removed from the base."""
    base, now, staged = (Counter(lines_of(side)) for side in case[:3])
    there = Counter(lines_of(text))
    return [rule for rule, count in base.items() if count == 1 and there[rule] and not (now[rule] and staged[rule])]
