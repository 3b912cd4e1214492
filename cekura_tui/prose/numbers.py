"""The numbers of lists in a prompt that was put together from parts of others: they follow the items."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

from cekura_tui.prose.marks import closes, fence_mark, heading_mark, is_row, item_mark, quote_mark, serials_in, tag_of

NOUNS = (
    "step|rule|stage|phase|section|part|question|example|schritt|regel|abschnitt|teil|frage|beispiel|"
    "paso|regla|fase|etapa|sección|pregunta|ejemplo|étape|règle|passo|regola|sezione"
)
"""What is counted where it begins a line: "Step 3:"; not "Extension 12."."""
_MARKER = re.compile(
    rf"(?P<indent>[^\S\n]*)(?P<lead>(?:(?:[-*+•]|\[[ xX]\])[ \t]+)*)"
    rf"(?P<heading>#{{1,6}}[ \t]+)?(?P<bold>\*\*|__)?(?P<open>(?i:{NOUNS})[ \t]+(?=\d)|\()?"
    r"(?P<value>\d{1,3}(?:\.\d{1,3}){0,4}|[ivx]{2,5}|[IVX]{2,5}|[A-Za-z])"
    r"(?P<close>[.):]?(?:\*\*|__)?:?)(?P<dash>[ \t]+[-–—](?=[ \t]))?[ \t]+(?=\S)"
)
_ROMAN = re.compile(r"(?m)^[^\S\n]*\(?([ivx]{2,5}|[IVX]{2,5})[.)][ \t]")
_DRESS = str.maketrans("–—−‑‘’‚“”„«»", '----\'\'\'"""""', "*_~`#")
_FIRST_WORDS = 5
"""By so many words a line is found that differs behind them."""
_PARTS = ("lead", "heading", "bold", "open", "value", "close")
_NO_BREAK = 10_000
_TITLE, _COLUMN = 14, 16
"""What is deeper is in what is less deep: tags 1, headings 2 to 12, titles and steps, then paragraphs and items, two
for each column of white space."""
_WIDEST = 40

_Key = tuple[object, ...]


@dataclass(slots=True)
class _NumberedItem:
    """A numbered item or heading. `start` and `end` are the characters of `value` ("7", "2.1", "b"), `key` is how it is
    written and where it is indented, `depth` says what it is in; `cut` is the least depth of what lies between it and
    the numbered item before it. `before` is the one before it of its key, -1 for none, `parent` the one whose number a
    dotted one begins with; `is_apart` says whether something lies between it and `before` that may end a list."""

    start: int
    end: int
    value: str
    key: _Key
    depth: int
    cut: int
    number: int
    prefix: tuple[int, ...]
    words: str
    before: int = -1
    parent: int = -1
    is_apart: bool = False

    @property
    def first_words(self) -> str:
        return " ".join(self.words.split(" ")[:_FIRST_WORDS])


def renumbered(text: str, *sources: str) -> str:
    """`text`, put together from parts of `sources`, with the numbers of its lists as they follow from these.

    A list begins with the number with which it began in a source, and an item follows the one before it by as much as
    it did there, if that was the same one, else by one. A text that is one of the sources stays as it is.
    """
    if not sources or text in sources:
        return text
    found = [_Source(source) for source in dict.fromkeys(sources)]
    serials = serials_in(text).union(*(source.serials for source in found))
    romans = _romans(text).union(*(source.romans for source in found))
    numbers = {(*item.prefix, item.number) for source in found for item in source.items}
    items = _items(text, serials, romans, numbers)
    parts, at = [], 0
    for item, value in zip(items, _Numbering(items, found).values(), strict=True):
        parts += [text[at : item.start], value]
        at = item.end
    return "".join([*parts, text[at:]])


def _romans(text: str) -> frozenset[str]:
    """The cases in which there are Roman numbers of more than a letter: "i" is one there, else a letter."""
    marks = {hit.group(1) for hit in _ROMAN.finditer(text)}
    return frozenset(
        "I" if mark.isupper() else "i" for mark in marks if _roman(_of_roman(mark.lower())) == mark.lower()
    )


# Reading


def _items(
    text: str, serials: frozenset[str], romans: frozenset[str], numbers: Iterable[tuple[int, ...]] = ()
) -> list[_NumberedItem]:
    """All numbered items and headings outside of fences, tables and quotes; `numbers` may be those of sections."""
    found: list[_NumberedItem] = []
    seen = set(numbers)
    fence, cut, is_in_item, at = "", _NO_BREAK, False, 0
    for line in text.split("\n"):
        start, at = at, at + len(line) + 1
        if fence:
            fence = "" if closes(line, fence) else fence
            continue
        if not line.strip():
            is_in_item = False
            continue
        if fence := fence_mark(line):
            continue
        if is_row(line) or quote_mark(line):
            continue
        if item := _item(line, start, serials, romans, seen):
            item.cut = cut
            seen.add((*item.prefix, item.number))
            found.append(item)
            fence = fence_mark(line, item_mark(line, serials))
            cut, is_in_item = _NO_BREAK, True
        elif mark := item_mark(line, serials):
            fence = fence_mark(line, mark)
            cut, is_in_item = min(cut, _COLUMN + 2 * _columns(line)), True
        elif tag_of(line):
            cut, is_in_item = 1, False
        elif heading_mark(line, begins=not is_in_item) >= 0:
            level = len(line.lstrip()) - len(line.lstrip().lstrip("#"))
            cut, is_in_item = min(cut, 2 * level or _TITLE), False
        elif not is_in_item:
            cut = min(cut, _COLUMN - 1 + 2 * _columns(line))
    _link(found, [item.key for item in found], [None] * len(found))
    return found


def _columns(line: str) -> int:
    line = line.expandtabs(4)
    return min(len(line) - len(line.lstrip()), _WIDEST)


def _item(
    line: str, start: int, serials: frozenset[str], romans: frozenset[str], seen: Set[tuple[int, ...]]
) -> _NumberedItem | None:
    hit = _MARKER.match(line)
    if hit is None:
        return None
    lead, heading, bold, opening, value, close = (hit.group(part) or "" for part in _PARTS)
    noun = opening.strip("( \t").casefold()
    is_title = bool(heading or noun or (bold and bold not in close))
    if lead and not close.strip("*_"):
        return None
    if not is_title:
        begins = "." in value and tuple(map(int, value.split(".")[:-1])) in seen  # the only one of its section
        if hit.group("dash") or not (begins or item_mark(line, serials)):
            return None
    elif not (close.strip("*_") or (noun and (heading or bold or hit.group("dash"))) or "." in value):
        return None
    *prefix, last = value.split(".")
    case = "1" if last.isdecimal() else "I" if last.isupper() else "i"
    if case != "1" and (len(last) > 1 or (case in romans and last.lower() in ("i", "v", "x"))):
        number = _of_roman(last.lower())
    elif case == "1":
        number = int(last)
    else:
        number, case = ord(last.lower()) - ord("a") + 1, "A" if case == "I" else "a"
    columns, level = _columns(line), len(heading.strip())
    depth = 2 * level or (_TITLE if is_title and not columns else _COLUMN + 2 * columns)
    # "1." and "1)" are one list, of which some items are as they were sent and others as they were proposed.
    ending = close.replace(")", ".") if not opening else close
    key = (columns, level, bool(lead), bold, noun or opening, case, len(prefix), ending, hit.group("dash") is None)
    words = " ".join(line[hit.end() :].translate(_DRESS).casefold().split())
    first, end = hit.span("value")
    return _NumberedItem(start + first, start + end, value, key, depth, 0, number, tuple(map(int, prefix)), words)


def _link(items: Sequence[_NumberedItem], keys: Sequence[_Key], parents: Sequence[_Key | None]) -> None:
    """Set of every item the one before it of the same key, and its parent: the last one of the key in `parents`, or
    that has the number."""
    last: dict[_Key, int] = {}
    of_parts: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
    """By the depth, for an item that is deeper is no parent."""
    # Places between and at items with the least depths behind them, so that the least since an item is found at once.
    places: list[int] = []
    depths: list[int] = []

    def put(place: int, depth: int) -> None:
        while depths and depths[-1] >= depth:
            depths.pop()
            places.pop()
        depths.append(depth)
        places.append(place)

    for n, (item, key, parent) in enumerate(zip(items, keys, parents, strict=True)):
        put(2 * n, item.cut)
        item.before = last.get(key, -1)
        if item.prefix:
            above = of_parts.get(item.prefix, {}).items()
            same = (other for depth, other in above if depth <= item.depth)
            item.parent = last.get(parent, -1) if parent else max(same, default=-1)
        if item.before >= 0:
            other = items[item.before]
            item.is_apart = (
                depths[bisect_right(places, 2 * item.before + 1)] < item.depth
                or item.parent != other.parent
                or (item.parent < 0 and item.prefix != other.prefix)
            )
        last[key] = of_parts[*item.prefix, item.number][item.depth] = n
        put(2 * n + 1, item.depth)


class _Source:
    """The items of a source, and for each the list it is of and the segment of that: the part that nothing parts."""

    def __init__(self, text: str) -> None:
        self.serials, self.romans = serials_in(text), _romans(text)
        self.items = _items(text, self.serials, self.romans)
        self.list_of: list[int] = []
        self.segment_of: list[int] = []
        self.firsts: list[int] = []
        """Of each list its first item."""
        self.heads: list[int] = []
        """Of each segment its first item."""
        self.constant: set[int] = set()
        """Lists in which every item has the same number."""
        self.by_words: dict[tuple[object, str], list[int]] = defaultdict(list)
        """By the columns of white space before an item, and its words."""
        self.by_mark: dict[tuple[_Key, str], list[int]] = defaultdict(list)
        for n, item in enumerate(self.items):
            is_first = self._is_first(item)
            if is_first:
                self.firsts.append(n)
            if is_first or item.is_apart:
                self.heads.append(n)
            self.list_of.append(len(self.firsts) - 1 if is_first else self.list_of[item.before])
            self.segment_of.append(len(self.heads) - 1 if is_first or item.is_apart else self.segment_of[item.before])
            for words in {item.words, item.first_words}:
                self.by_words[item.key[0], words].append(n)
                self.by_mark[item.key, words].append(n)
        numbers: dict[int, list[int]] = defaultdict(list)
        for item, its_list in zip(self.items, self.list_of, strict=True):
            numbers[its_list].append(item.number)
        self.constant = {one for one, its in numbers.items() if len(its) > 1 and len(set(its)) == 1}

    def _is_first(self, item: _NumberedItem) -> bool:
        if item.before < 0:
            return True
        jump = item.number - self.items[item.before].number
        return (item.is_apart and jump != 1) or jump < 0 or item.prefix != self.items[item.before].prefix

    def first(self, n: int) -> _NumberedItem:
        """The first item of the list of an item."""
        return self.items[self.firsts[self.list_of[n]]]

    def places_of(self, items: Sequence[_NumberedItem]) -> Iterator[int]:
        """For each item of another text the one of this that it is, or -1."""
        at = -1
        for item in items:
            marked = (self.by_mark.get((item.key, words)) for words in (item.words, item.first_words))
            named = (self.by_words.get((item.key[0], words)) for words in (item.words, item.first_words))
            places = next(filter(None, (*marked, *named)), [])
            if places:
                at = self._place(item, places, at)
            yield at if places else -1

    def _place(self, item: _NumberedItem, places: Sequence[int], last: int) -> int:
        """Of several equal ones the next, or one with the same number."""
        after = bisect_right(places, last)
        near = [*places[after : after + 2], *places[max(after - 2, 0) : after], places[0]]
        if near[0] == last + 1:
            return near[0]
        same = [n for n in near if (self.items[n].number, self.items[n].key) == (item.number, item.key)]
        return (same or near)[0]


# Numbering


@dataclass(slots=True)
class _List:
    """Items of a text that are one list: each with what it adds to the number before it; None where all may have the
    same number."""

    start: int
    items: list[int] = field(default_factory=list)
    steps: list[int | None] = field(default_factory=list)


class _Numbering:
    """The numbers of the items of a text, by what its sources say of each."""

    def __init__(self, items: Sequence[_NumberedItem], sources: Sequence[_Source]) -> None:
        self._items, self._sources = items, sources
        self._places = [list(source.places_of(items)) for source in sources]
        """For each source, of each item its place there."""
        self._ends: list[dict[int, tuple[int, int]]] = []
        """For each source, of each list the first and the last item of the text that is of it."""
        for source, places in zip(sources, self._places, strict=True):
            ends: dict[int, tuple[int, int]] = {}
            for n, place in enumerate(places):
                if place >= 0:
                    its_list = source.list_of[place]
                    ends[its_list] = ends.get(its_list, (n, n))[0], n
            self._ends.append(ends)
        self._keys: list[_Key] = []
        self._parents: list[_Key | None] = []
        self._set_keys()
        _link(items, self._keys, self._parents)

    def values(self) -> list[str]:
        """The number of each item, as it is to be written."""
        lists: dict[_Key, _List] = {}
        every: list[_List] = []
        known: dict[tuple[int, _Key], int] = {}
        for n, key in enumerate(self._keys):
            start, step = self._relation(n, known)
            if start is not None or key not in lists:
                lists[key] = _List(self._items[n].number if start is None else start)
                every.append(lists[key])
            lists[key].items.append(n)
            lists[key].steps.append(step)
            for s, places in enumerate(self._places):
                if places[n] >= 0:
                    known[s, key] = n
        numbers = [0] * len(self._items)
        for one in every:
            self._count(one, numbers)
        return self._written(numbers)

    def _set_keys(self) -> None:
        """The key of each item and of its parent; a list that is written otherwise in a later source has the key of the
        earlier one."""
        keys_of: list[list[_Key]] = []
        for source in self._sources:
            keys: dict[int, _Key] = {}
            for item, its_list in zip(source.items, source.list_of, strict=True):
                if its_list not in keys and (key := self._earlier_key(item, keys_of)):
                    keys[its_list] = key
            keys_of.append([keys.get(n, source.items[first].key) for n, first in enumerate(source.firsts)])
        for n, item in enumerate(self._items):
            key, parent = item.key, None
            if at := self._at(n):
                s, place = self._origin(n, at)
                source, there = self._sources[s], self._sources[s].items[self._places[s][n]]
                if there.key == item.key:
                    key = keys_of[s][source.list_of[place]]
                    parent = keys_of[s][source.list_of[there.parent]] if there.parent >= 0 else None
            self._keys.append(key)
            self._parents.append(parent)

    def _earlier_key(self, item: _NumberedItem, keys_of: Sequence[Sequence[_Key]]) -> _Key | None:
        for source, keys in zip(self._sources, keys_of, strict=False):
            if places := source.by_words.get((item.key[0], item.words)):
                return keys[source.list_of[places[0]]]
        return None

    def _at(self, n: int) -> list[int]:
        """The sources that have an item."""
        return [s for s, places in enumerate(self._places) if places[n] >= 0]

    def _origin(self, n: int, at: Sequence[int]) -> tuple[int, int]:
        """Of the sources that have an item the one that has it as it is written, and its place there."""

        def likeness(s: int) -> tuple[bool, bool]:
            there = self._sources[s].items[self._places[s][n]]
            return there.key == self._items[n].key, there.number == self._items[n].number

        s = max(at, key=likeness)
        return s, self._places[s][n]

    def _relation(self, n: int, known: dict[tuple[int, _Key], int]) -> tuple[int | None, int | None]:
        """The number with which a list begins at an item, or None and by how much it follows the one before it; of
        `known` are the last items of each key that a source has."""
        item = self._items[n]
        at = self._at(n)
        if item.before < 0:
            if not at:
                return item.number, 1
            s, place = self._origin(n, at)
            source = self._sources[s]
            return source.first(place).number, None if source.list_of[place] in source.constant else 1
        before = self._items[item.before]
        if not at:
            follows = not item.is_apart or item.number == before.number + 1
            return (None, 1) if follows else (item.number, 1)
        return max((self._opinion(n, s, known) for s in at), key=lambda one: one[0])[1]

    def _opinion(
        self, n: int, s: int, known: dict[tuple[int, _Key], int]
    ) -> tuple[tuple[bool | int, ...], tuple[int | None, int | None]]:
        """What a source says of an item that it has, and how much that counts."""
        item, source, place = self._items[n], self._sources[s], self._places[s][n]
        there, its_list = source.items[place], source.list_of[place]
        start, first = source.first(place).number, source.firsts[its_list]
        step = None if its_list in source.constant else 1
        is_same = there.number == item.number
        other = known.get((s, self._keys[n]), -1)
        if other < 0:
            begins = item.is_apart and source.heads[source.segment_of[place]] == first
            return (False, False, False, False, False, is_same, False, -s), (start if begins else None, step)
        other_place = self._places[s][other]
        is_next = there.before == other_place and other == item.before
        agrees = (source.segment_of[other_place] != source.segment_of[place]) == item.is_apart
        jump = there.number - source.items[other_place].number
        as_written = item.number - self._items[item.before].number == jump
        rank = (is_next and agrees, is_next, agrees, True, as_written, is_same, jump == 1, -s)
        other_list = source.list_of[other_place]
        if other_list == its_list:
            is_again = item.is_apart and place == first
            return rank, (start if is_again else None, jump if is_next and step else step)
        ends = self._ends[s]
        # A list may begin behind another one with nothing between them.
        begins = item.is_apart or (not source.items[first].is_apart and ends[other_list][1] < n <= ends[its_list][0])
        return rank, (start if begins else None, step)

    def _count(self, one: _List, numbers: list[int]) -> None:
        """Number a list; with the same number everywhere where most of it is written so."""
        pairs = list(pairwise(self._items[n].number for n in one.items))
        alike = sum(first == second for first, second in pairs)
        is_constant = None in one.steps and 2 * alike >= len(pairs)
        number = one.start
        for k, (n, step) in enumerate(zip(one.items, one.steps, strict=True)):
            if k and not is_constant:
                number += 1 if step is None else step
            numbers[n] = number

    def _written(self, numbers: Sequence[int]) -> list[str]:
        found: list[str] = []
        parts: list[tuple[int, ...]] = []
        for item, number in zip(self._items, numbers, strict=True):
            is_its = item.parent >= 0 and len(parts[item.parent]) == len(item.prefix)  # not of a restyled list
            prefix = parts[item.parent] if is_its else item.prefix
            parts.append((*prefix, number))
            found.append(_value(item, prefix, number))
        return found


def _value(item: _NumberedItem, prefix: tuple[int, ...], number: int) -> str:
    """A number written as the item has its own; what cannot be written so stays as it is."""
    if (prefix, number) == (item.prefix, item.number):
        return item.value
    case = item.key[5]
    if case == "1":
        *firsts, last = item.value.split(".")
        zero = ord(last[0]) - int(last[0])
        width = len(last) if int(last[0]) == 0 and len(last) > 1 else 0
        firsts = [
            first if old == new else str(new) for first, old, new in zip(firsts, item.prefix, prefix, strict=True)
        ]
        return ".".join([*firsts, "".join(chr(zero + int(digit)) for digit in f"{number:0{width}}")])
    letter = chr(ord("a") + number - 1) if 1 <= number <= 26 else ""
    written = _roman(number) if case in ("i", "I") else letter
    return (written.upper() if case in ("A", "I") else written) or item.value


_ROMAN_DIGITS = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def _roman(number: int) -> str:
    """A Roman number up to 39, in small letters; "" where there is none."""
    found = ""
    for value, letters in _ROMAN_DIGITS:
        while number >= value and len(found) < 8:
            found, number = found + letters, number - value
    return found if number == 0 else ""


def _of_roman(letters: str) -> int:
    digits = [{"i": 1, "v": 5, "x": 10}[letter] for letter in letters]
    return sum(-one if one < other else one for one, other in pairwise([*digits, 0]))
