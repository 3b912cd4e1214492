"""Check that accepting a hunk changes the text exactly as the hunk is drawn, mark by mark.

This oracle reads only the drawn lines (`passages`): it takes what they show as removed from the sent text, and puts
what they show as added in its place. White space is ignored, and so are numbers of items, which follow from the
accepted items.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from cekura_tui.model.text import visible
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.lines import Passage, ProseLine, passages
from cekura_tui.prose.numbers import NOUNS
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.prose.words import word_count

_ACCEPTED = HunkChoice("accepted")
_NUMBER = re.compile(r"(?<![\d.,:])\d{1,3}(?=[.):](?:[\s*↵]|$)|\s+[-–—])|(?<=[a-z] )\d{1,2}(?=\*|\n|$)", re.IGNORECASE)
_NOUN = re.compile(rf"(?:{NOUNS})(?=#|[ \t]*\d)")
_MARKER = re.compile(r"^(?:>|[-+•–]|\*(?=\*\*)|\*(?!\*)|\(?#+[.)]?)+")
"""The marker of a line without white space, in which # is a number."""
_QUOTES = "[\"'‘’‚‛“”„‟«»‹›「」『』]"
_WITHOUT: dict[str, str] = {
    "quotation marks": _QUOTES,
    "dashes": "[‐‑‒–—―−-]",
    "emphasis": r"[*_`~]",
    "punctuation": "[.,;:。、，；：]",
    "dots": r"…|\.{3}",
    "bullets": r"^[ \t>]*[-*+•‣–·●▪]",
    "list marks": rf"^[ \t>]*(?:[-*+•–]|(?:{NOUNS})[ \t]+\d+[.:)]?(?:[ \t]+[-–—])?|\(?(?:\d{{1,3}}|[a-z]+)[.)])|[*_.]",
    "heading marks": rf"[-=]{{2,}}|[#*_`:.~)(■●=\d]|\b(?:{NOUNS})\b|[-–—]",
    "lines across": r"^[ \t]*(?:[-*_=][ \t]*){3,}$",
    "numbers": r"\d+|^[ \t]*\(?[a-z][.)]",
}
"""For each kind of formatting, what may differ besides white space."""


def shown_faults(old: str, new: str) -> Iterator[tuple[str, str]]:
    """What is wrong with hunks, first as shown at first, then split as far as possible."""
    found: dict[str, str] = {}
    """The text with a hunk accepted, by the key of the hunk."""
    parts: dict[str, tuple[str, ...]] = {}
    diff = compare(old, new)
    while True:
        yield from _faults(diff, found)
        more = {hunk.key: hunk.parts for hunk in diff.hunks if hunk.parts and hunk.key not in parts}
        parts.update(more)
        if not more:
            break
        diff = compare(old, new, split=frozenset(parts))
    for key, its in parts.items():
        while more := {part for part in its if part in parts}:
            its = (*(part for part in its if part not in more), *(one for part in more for one in parts[part]))
        numbers = [hunk.number for hunk in diff.hunks if hunk.key in its]
        if (together := staged(diff, dict.fromkeys(numbers, _ACCEPTED))) != found[key]:
            yield "a hunk is not all its parts", _difference(found[key], together)


def _faults(diff: ProseDiff, found: dict[str, str]) -> Iterator[tuple[str, str]]:
    drawn = _Drawn(diff)
    nothing, sent = drawn.text(set()), _bare(diff.old)
    if Counter(nothing) != Counter(sent):
        yield "what is drawn is not what was sent", _difference(nothing, sent)
    everything, proposed = (_letters(text) for text in (drawn.text({hunk.number for hunk in diff.hunks}), diff.new))
    if Counter(everything) != Counter(proposed):
        yield "what is drawn is not what is proposed", f"{_change(everything, proposed)}"
    for hunk in diff.hunks:
        found[hunk.key] = text = staged(diff, {hunk.number: _ACCEPTED})
        taken = _bare(text)
        if text == diff.old:
            yield f"{hunk.kind} changes nothing", f"{hunk.number}: {hunk.note}"
        elif hunk.is_folded:
            yield from _folded_faults(diff, hunk, text)
        elif hunk.number in drawn.alike:
            continue
        elif nothing == sent and hunk.number not in drawn.near_moves:
            if (shown := drawn.text({hunk.number})) != taken:
                yield f"{hunk.kind} not taken as shown", f"{hunk.number}: {_difference(shown, taken)}"
        elif (shown_change := _change(nothing, drawn.text({hunk.number}))) != (change := _change(sent, taken)):
            yield f"{hunk.kind} takes other letters than shown", f"{hunk.number}: {shown_change}, {change}"


class _Place:
    """A passage with lines, or the old place of a move. `layout` are the hunks of formatting that are drawn in these
    lines. `again` are passages that draw lines of this one again, with their changed words."""

    def __init__(self, passage: Passage, layout: list[Hunk]) -> None:
        self.passage, self.layout = passage, layout
        self.again: list[_Place] = []

    def text(self, taken: set[int]) -> str:
        """The text, as `_bare`, in which only these hunks are taken."""
        text = self._lines(taken, {one.note for one in self.layout if one.number in taken})
        for place in self.again:
            before, after = place.words(set()), place.words(taken)
            if before == after:
                continue
            text = (text if before in text else self._lines(taken, set())).replace(before, after, 1)
        return text

    def _lines(self, taken: set[int], kinds: set[str]) -> str:
        return _bare("\n".join(_side(line, self.passage.hunk in taken, kinds) for line in self.passage.lines))

    def words(self, taken: set[int]) -> str:
        """The text without the marker of its first line, which may be another at the old place of a move."""
        return _MARKER.sub("", self.text(taken))

    def is_again(self, before: _Place | None) -> bool:
        """Whether the lines are drawn again, after the moved passage `before`."""
        if before is None or before.passage.moved != "here" or self.passage.moved or not self.passage.hunk:
            return False
        words = self.words(set())
        return self.passage.hunk != before.passage.hunk and bool(words) and words in before.text(set())


class _Drawn:
    """The drawn lines of a diff. `near_moves` are the numbers of hunks that are drawn next to a moved passage: what
    they add to it moves, too."""

    def __init__(self, diff: ProseDiff) -> None:
        self.places: list[_Place] = []
        layout: list[Hunk] = []
        for passage in passages(diff):
            if passage.hunk and diff.hunks[passage.hunk - 1].kind == "layout":
                layout.append(diff.hunks[passage.hunk - 1])
            if not passage.lines and passage.moved != "away":
                continue
            place, before = _Place(passage, layout), self.places[-1] if self.places else None
            layout = []
            if before is not None and place.is_again(before):
                before.again.append(place)
            else:
                self.places.append(place)
        kinds = Counter((at, _kind(hunk)) for at, place in enumerate(self.places) for hunk in place.layout)
        layouts = [(hunk, kinds[at, _kind(hunk)]) for at, place in enumerate(self.places) for hunk in place.layout]
        self.alike = {hunk.number for hunk, count in layouts if count > 1}
        here = [place.passage.moved == "here" for place in self.places]
        around = zip([False, *here], [*here[1:], False], self.places, strict=False)
        self.near_moves = {place.passage.hunk for before, after, place in around if before or after}

    def text(self, taken: set[int]) -> str:
        """The text, as `_bare`, in which only these hunks are taken."""
        found, arrived = "", defaultdict[int, list[_Place]](list)
        for place in self.places:
            if place.passage.moved == "here":
                arrived[place.passage.hunk].append(place)
        for place in self.places:
            moved, hunk = place.passage.moved, place.passage.hunk
            if moved == "away" and hunk not in taken:
                found += "".join(one.text(taken) for one in _left(arrived[hunk], place.passage.words))
            elif moved != "away" and (moved != "here" or hunk in taken):
                found += place.text(taken)
        return found


def _left(arrived: list[_Place], words: int) -> list[_Place]:
    """What was at the old place of a move, by its new places: one of so many words, or several together."""
    counts = [word_count("\n".join(_side(line, False, set()) for line in one.passage.lines)) for one in arrived]
    start = counts.index(words) if words in counts else 0
    end = start + 1
    while end < len(counts) and sum(counts[start:end]) < words:
        end += 1
    found = arrived[start:end]
    del arrived[start:end]
    return found


def _side(line: ProseLine, is_taken: bool, kinds: set[str]) -> str:
    """The text of a line with its changes of words taken or not, and of changes of formatting only these `kinds`."""
    text = ""
    for n, span in enumerate(line.spans, 1):
        if (span.op, span.text.strip()) == ("same", "…") and n == len(line.spans):
            break  # the line goes on in another hunk
        if span.format == "follows":
            is_new = False
        elif span.format:
            is_new = any(note.startswith(span.format) for note in kinds)
        else:
            is_new = is_taken
        text += span.text if span.op in ("same", "ins" if is_new else "del") else ""
    return text


def _bare(text: str) -> str:
    return re.sub(r"[\s↵]+", "", _NUMBER.sub("#", visible(text)))


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, _NOUN.sub("", text.casefold())))


def _change(old: str, new: str) -> tuple[str, str]:
    """The letters and marks that are removed and added."""
    before, after = Counter(old), Counter(new)
    return "".join(sorted((before - after).elements())), "".join(sorted((after - before).elements()))


def _difference(shown: str, taken: str) -> str:
    start = next((n for n, (one, other) in enumerate(zip(shown, taken, strict=False)) if one != other), 0)
    return f"shown …{shown[max(0, start - 25) : start + 45]!r}, taken …{taken[max(0, start - 25) : start + 45]!r}"


def _kind(hunk: Hunk) -> str:
    """The kind of formatting that a hunk changes; "" for a kind that only changes white space."""
    return next((kind for kind in _WITHOUT if hunk.note.startswith(kind)), "")


def _folded_faults(diff: ProseDiff, hunk: Hunk, text: str) -> Iterator[tuple[str, str]]:
    """A folded hunk is drawn as one line: it must change nothing but this kind of formatting."""
    pattern = re.compile(rf"\n|{_WITHOUT.get(_kind(hunk), '(?!)')}|[^\S\n]+", re.MULTILINE | re.IGNORECASE)
    one, other = (pattern.sub("", _NUMBER.sub("1", side)).casefold() for side in (diff.old, text))
    if one != other:
        yield "more than a kind of formatting", f"{hunk.number} {hunk.note}: {_difference(one, other)}"
