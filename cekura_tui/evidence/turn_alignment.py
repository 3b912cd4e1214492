"""Which turn of one call answers to which of another call of the same scenario: by speaker and by words in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cekura_tui.model.text import clean, count
from cekura_tui.model.transcript.timeline import have_hours, time_of
from cekura_tui.model.transcript.tool_call import parsed_value, tool_name
from cekura_tui.prose.matching import match
from cekura_tui.prose.words import similarity, word_set, word_spans

if TYPE_CHECKING:
    from cekura_tui.model.transcript.transcript import Turn

Sign = Literal["=", "~", "<", ">"]
Piece = tuple[str, bool]
"""A stretch of a turn, and whether it differs in the other call."""

_LEAST = 0.25
"""Turns of one speaker that have a smaller part of their words in common are two, not one that was said otherwise."""
_CELLS = 80_000
"""Pairs of turns that are weighed: of calls of some 500 turns all, of longer ones those at about the same place."""
_COMPARED = 8_000
"""Characters of a turn in which differing words are looked for."""
_READ = 4_000
"""Characters of a turn whose words are weighed; equality is decided by the whole turn."""
_MARKS = str.maketrans(dict.fromkeys('.,;:!?"()[]{}<>-–—…“”„«»¿¡*_`|/\\', " ") | dict.fromkeys("'’‘"))


@dataclass(frozen=True, slots=True)
class Pair:
    """A turn of each call, or of one alone. `alike` is 1 for the same words, 0 where there is no other turn."""

    left: Turn | None
    right: Turn | None
    alike: float = 0.0

    @property
    def sign(self) -> Sign:
        """`=` the same words, `~` said otherwise, `<` only on the left, `>` only on the right."""
        if self.left is None:
            return ">"
        if self.right is None:
            return "<"
        return "=" if self.alike == 1.0 else "~"


@dataclass(frozen=True, slots=True)
class _ComparedTurn:
    """What of a turn is compared: only turns of one `kind` are ever paired; one `key` is the same words."""

    kind: tuple[str, str]
    key: str
    words: frozenset[str]
    tool: bool


def align(left: Sequence[Turn], right: Sequence[Turn]) -> list[Pair]:
    """Pair the turns of two calls, each turn once and in its order; turns of the left alone come before the right's.

    The same pairs for the same turns, always; 10,000 turns against 10,000 take less than a second.
    """
    one, other = [_compared(turn) for turn in left], [_compared(turn) for turn in right]
    # In calls of usual length all is weighed against all; in longer ones turns that occur once are held on to first.
    if len(one) * len(other) <= 4 * _CELLS:
        found = _trimmed(one, other)
    else:
        band = max(_CELLS // max(len(one), len(other)), 2)

        def between(a: int, b: int, c: int, d: int) -> list[tuple[int, int]]:
            return [(a + i, c + j) for i, j in _best(one[a:b], other[c:d], band)]

        found = match(list(map(_word, one)), list(map(_word, other)), between)
    pairs: list[Pair] = []
    at = to = 0
    for i, j in [*found, (len(left), len(right))]:
        pairs += [Pair(turn, None) for turn in left[at:i]]
        pairs += [Pair(None, turn) for turn in right[to:j]]
        if i < len(left):
            pairs.append(Pair(left[i], right[j], _alike(one[i], other[j])))
        at, to = i + 1, j + 1
    return pairs


def shown_text(turn: Turn) -> str:
    """What a turn says: its text, or the tool with what it was given or gave, the same values in the same form."""
    if turn.tool is None or not (name := tool_name(turn).strip()):
        return turn.text
    value = parsed_value(turn)
    if value is None:
        return turn.text if turn.text.startswith(name) else f"{name} {turn.text}".strip()
    return f"{name} {value if isinstance(value, str) else _compact(value)}"


def pieces_of(pair: Pair) -> tuple[list[Piece], list[Piece]]:
    """The words of both turns, cleaned; where they are similar, those that differ apart."""
    here, there = (clean(shown_text(turn)) if turn else "" for turn in (pair.left, pair.right))
    if pair.sign != "~" or len(here) + len(there) > 2 * _COMPARED:
        return [(here, False)], [(there, False)]
    spans = word_spans(here, there)
    left, right = ([(span.text, span.op != "same") for span in spans if span.op != other] for other in ("ins", "del"))
    return left, right


def first_difference(pairs: Sequence[Pair]) -> str:
    """When in the left call the two begin to differ, in words."""
    place = next((place for place, pair in enumerate(pairs) if pair.sign != "="), None)
    if place is None:
        return f"No difference in {count(len(pairs), 'turn')}"
    before = pairs[place - 1].left if place else None
    hours = have_hours(pair.left for pair in pairs if pair.left)
    if (turn := pairs[place].left) is not None:
        return f"Differs from {time_of(turn, hours=hours)}"
    return f"Differs after {time_of(before, hours=hours)}" if before else "Differs from the start"


def _trimmed(one: list[_ComparedTurn], other: list[_ComparedTurn]) -> list[tuple[int, int]]:
    """What both begin and end with is the same; the rest is weighed whole."""
    least = min(len(one), len(other))
    start = next((k for k in range(least) if _word(one[k]) != _word(other[k])), least)
    end = next((k for k in range(least - start) if _word(one[-1 - k]) != _word(other[-1 - k])), least - start)
    middle = _best(one[start : len(one) - end], other[start : len(other) - end], len(one) + len(other))
    head = [(k, k) for k in range(start)]
    tail = [(len(one) - k, len(other) - k) for k in range(end, 0, -1)]
    return [*head, *((start + i, start + j) for i, j in middle), *tail]


def _best(one: Sequence[_ComparedTurn], other: Sequence[_ComparedTurn], band: int) -> list[tuple[int, int]]:
    """The rising pairs that are most alike in sum of squares, of those at most `band` turns off the straight way."""
    if len(one) < len(other):
        return [(i, j) for j, i in _best(other, one, band)]
    rows, columns = len(one), len(other)
    if not columns:
        return []
    nothing = float("-inf")
    low, scores = 0, [0.0] * (min(columns, band) + 1)
    steps: list[tuple[int, bytearray]] = [(0, bytearray(b"\1" * len(scores)))]
    for i in range(1, rows + 1):
        centre, compared = i * columns // rows, one[i - 1]
        first, last = max(0, centre - band), min(columns, centre + band)
        now: list[float] = []
        ways = bytearray()
        for j in range(first, last + 1):
            best, way = (scores[j - low] if j - low < len(scores) else nothing), 0
            if j > first and now[-1] > best:
                best, way = now[-1], 1
            if j > low and compared.kind == other[j - 1].kind and (alike := _alike(compared, other[j - 1])):
                both = scores[j - 1 - low] + alike * alike
                if both >= best:
                    best, way = both, 2
            now.append(best)
            ways.append(way)
        low, scores = first, now
        steps.append((first, ways))
    found: list[tuple[int, int]] = []
    i, j = rows, columns
    while i and j:
        first, ways = steps[i]
        way = ways[j - first]
        if way == 2:
            found.append((i - 1, j - 1))
        i, j = i - (way != 1), j - (way != 0)
    return found[::-1]


def _alike(one: _ComparedTurn, other: _ComparedTurn) -> float:
    """0 to 1: how much of their words turns of one kind share; 0 where that is not enough to be a pair."""
    if one.key == other.key:
        return 1.0
    share = similarity(one.words, other.words)
    if one.tool:
        return 0.5 + 0.49 * share
    return min(share, 0.99) if share >= _LEAST else 0.0


def _word(compared: _ComparedTurn) -> str:
    return "\0".join((*compared.kind, compared.key))


def _compared(turn: Turn) -> _ComparedTurn:
    name = tool_name(turn).strip() if turn.tool is not None else ""
    role = turn.role.strip().casefold() if turn.speaker == "other" else ""
    if name:
        value = parsed_value(turn)
        text = turn.text if value is None else _compact(value)
        return _ComparedTurn((turn.speaker, name), text, word_set(text[:_READ]), True)
    # A text of nothing but marks is compared by them.
    key = " ".join(turn.text.casefold().translate(_MARKS).split()) or turn.text.strip()
    read = key[:_READ]
    # In other scripts words are not always told apart by spaces.
    words = frozenset(read.split()) if read.isascii() else word_set(read)
    return _ComparedTurn((turn.speaker, role), key, words, False)


def _compact(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (ValueError, TypeError, RecursionError):
        return str(value)
