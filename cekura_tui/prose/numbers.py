"""The numbers of lists in a prompt that was put together from parts of others: they follow the items."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from cekura_tui.prose.formatting import columns, item_mark, roman_value, serials_in, tag_of
from cekura_tui.prose.units import Block, blocks_in

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
_NORMALISED = str.maketrans("–—−‑‘’‚“”„«»", '----\'\'\'"""""', "*_~`#")
_FIRST_WORDS = 5
"""By so many words a line is found that differs behind them."""
_PARTS = ("lead", "heading", "bold", "open", "value", "close")
_NO_DEPTH = 10_000
_TITLE, _COLUMN = 14, 16
"""What is deeper is in what is less deep: tags 1, headings 2 to 12, titles and steps, then paragraphs and items, two
for each column of white space."""
_WIDEST = 40

_Key = tuple[object, ...]


@dataclass(slots=True)
class _NumberedItem:
    """A numbered item or heading. `start` and `end` are the characters of `value` ("7", "2.1", "b"), `key` is how it is
    written and where it is indented, `depth` says what it is in; `min_depth_before` is the least depth of the lines
    between the numbered item before it and it. `before` is the item before it of its key, -1 for none, `parent` the
    item whose number a dotted one begins with; `is_apart` says whether something that may end a list lies between it
    and `before`."""

    start: int
    end: int
    value: str
    key: _Key
    case: str
    depth: int
    min_depth_before: int
    number: int
    prefix: tuple[int, ...]
    words: str
    before: int = -1
    parent: int = -1
    is_separated: bool = False

    @property
    def names(self) -> list[tuple[object, str]]:
        """By these it is found in another text, best first: as it is written or its column, with its words or the first
        of them."""
        first_words = " ".join(self.words.split(" ")[:_FIRST_WORDS])
        return [(written, words) for written in (self.key, self.key[0]) for words in (self.words, first_words)]


def renumbered(text: str, *sources: str) -> str:
    """`text`, put together from parts of `sources`, with the numbers of its lists as they follow from these.

    A list begins with the number with which it began in a source, and an item follows the one before it by as much as
    it did there, if that was the same one, else by one. A text that is one of the sources stays as it is.
    """
    if not sources or text in sources:
        return text
    found = [_source(source) for source in dict.fromkeys(sources)]
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
    """The cases of the Roman numbers of several letters: there "i" is one, else a letter."""
    marks = {hit.group(1) for hit in _ROMAN.finditer(text)}
    numbers = (mark for mark in marks if _roman(roman_value(mark.lower())) == mark.lower())
    return frozenset("I" if mark.isupper() else "i" for mark in numbers)


# Reading


def _items(
    text: str, serials: frozenset[str], romans: frozenset[str], numbers: Iterable[tuple[int, ...]] = ()
) -> list[_NumberedItem]:
    """All numbered items and headings outside of fences, tables and quotes; `numbers` may be those of sections."""
    found: list[_NumberedItem] = []
    seen = set(numbers)
    min_depth_since = _NO_DEPTH
    for block in blocks_in(text, serials):
        if block.kind == "row" or (block.kind == "code" and block.start == block.line):
            continue
        start = block.line
        for line in text[start : block.end].split("\n"):
            if item := _item(line, start, serials, romans, seen):
                item.min_depth_before, min_depth_since = min_depth_since, _NO_DEPTH
                seen.add((*item.prefix, item.number))
                found.append(item)
            elif start == block.line:
                min_depth_since = min(min_depth_since, _depth(block, line))
            start += len(line) + 1
    _link(found, [item.key for item in found], [None] * len(found))
    return found


def _depth(block: Block, line: str) -> int:
    if block.kind == "heading":
        return 2 * (len(line.lstrip()) - len(line.lstrip().lstrip("#"))) or _TITLE
    if block.kind == "tag" and tag_of(line):
        return 1
    return _COLUMN + 2 * min(columns(line), _WIDEST) - (block.kind != "item")


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
        number = roman_value(last.lower())
    elif case == "1":
        number = int(last)
    else:
        number, case = ord(last.lower()) - ord("a") + 1, "A" if case == "I" else "a"
    column, level = min(columns(line), _WIDEST), len(heading.strip())
    depth = 2 * level or (_TITLE if is_title and not column else _COLUMN + 2 * column)
    # "1." and "1)" are one list, of which some items are as they were sent and others as they were proposed.
    ending = close.replace(")", ".") if not opening else close
    key = (column, level, bool(lead), bold, noun or opening, case, len(prefix), ending)
    words = " ".join(line[hit.end() :].translate(_NORMALISED).casefold().split())
    first, end = hit.span("value")
    return _NumberedItem(start + first, start + end, value, key, case, depth, 0, number, tuple(map(int, prefix)), words)


def _link(items: Sequence[_NumberedItem], keys: Sequence[_Key], parents: Sequence[_Key | None]) -> None:
    """Set of every item the one before it of the same key, and its parent: the last one of the key in `parents`, or
    that has the number."""
    last: dict[_Key, int] = {}
    of_parts: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
    """By the depth, for an item that is deeper is no parent."""
    since: list[tuple[int, int]] = []
    """Rising depths, each with the last item before which there was something of that depth or less."""
    for n, (item, key, parent) in enumerate(zip(items, keys, parents, strict=True)):
        item.before = last.get(key, -1)
        if item.prefix:
            above = of_parts.get(item.prefix, {}).items()
            same = (place for depth, place in above if depth <= item.depth)
            item.parent = last.get(parent, -1) if parent else max(same, default=-1)
        since = [*(one for one in since if one[0] < item.min_depth_before), (item.min_depth_before, n)]
        if item.before >= 0:
            parted = max((place for depth, place in since if depth < item.depth), default=-1)
            other = items[item.before]
            is_other = item.parent != other.parent or (item.parent < 0 and item.prefix != other.prefix)
            item.is_separated = parted > item.before or is_other
        since = [*(one for one in since if one[0] < item.depth), (item.depth, n)]
        last[key] = of_parts[*item.prefix, item.number][item.depth] = n


class _Source:
    """The items of a source, for each the list that it is of, and the number of the segment of that: the part that
    nothing parts."""

    def __init__(self, text: str) -> None:
        self.serials, self.romans = serials_in(text), _romans(text)
        self.items = _items(text, self.serials, self.romans)
        self.lists: list[list[int]] = []
        self.list_of: list[int] = []
        self.segment_of: list[int] = []
        self._by_name: dict[tuple[object, str], list[int]] = defaultdict(list)
        for n, item in enumerate(self.items):
            if self._is_first(item):
                self.lists.append([])
            its_list = len(self.lists) - 1 if self._is_first(item) else self.list_of[item.before]
            self.lists[its_list].append(n)
            self.list_of.append(its_list)
            self.segment_of.append(n if self._is_first(item) or item.is_separated else self.segment_of[item.before])
            for name in {*item.names}:
                self._by_name[name].append(n)
        numbers = [{self.items[n].number for n in its_list} for its_list in self.lists]
        sizes = zip(numbers, map(len, self.lists), strict=True)
        self.steps = [min(len(its) - 1, 1) if size > 1 else None for its, size in sizes]
        """What is added from item to item of each list: nothing, if all have one number; None, if there is only one."""

    def _is_first(self, item: _NumberedItem) -> bool:
        if item.before < 0:
            return True
        jump = item.number - self.items[item.before].number
        return (item.is_separated and jump != 1) or jump < 0 or item.prefix != self.items[item.before].prefix

    def place_of(self, item: _NumberedItem, last: int = -1) -> int:
        """The index of this item of another text here, or -1: of several equal ones the next behind `last`."""
        places = next(filter(None, map(self._by_name.get, item.names)), [-1])
        after = bisect_right(places, last)
        return places[after] if after < len(places) else places[max(after - 2, 0)]

    def places_of(self, items: Iterable[_NumberedItem]) -> Iterator[int]:
        last = -1
        for item in items:
            place = self.place_of(item, last)
            last = place if place >= 0 else last
            yield place


@lru_cache(maxsize=4)
def _source(text: str) -> _Source:
    """Cached: while a proposal is read, the same two prompts are the sources at every key."""
    return _Source(text)


class _Numbering:
    """The numbers of the items of a text, by what its sources say of each."""

    def __init__(self, items: Sequence[_NumberedItem], sources: Sequence[_Source]) -> None:
        self._items, self._sources = items, sources
        self._places = [list(source.places_of(items)) for source in sources]
        """For each source, of each item its place there."""
        self._extents: list[dict[int, tuple[int, int]]] = []
        """For each source, of each list the first and the last item of the text that is of it."""
        for source, places in zip(sources, self._places, strict=True):
            ends: dict[int, tuple[int, int]] = {}
            for n, place in enumerate(places):
                if place >= 0:
                    its_list = source.list_of[place]
                    ends[its_list] = ends.get(its_list, (n, n))[0], n
            self._extents.append(ends)
        self._keys, self._parents = self._unified_keys()
        _link(items, self._keys, self._parents)

    def values(self) -> list[str]:
        """The number of each item, as it is to be written."""
        known: dict[tuple[int, _Key], int] = {}
        numbers: list[int] = []
        alike: list[bool] = []
        """Of each item whether all of its list have the same number."""
        parts: list[tuple[int, ...]] = []
        for n, (item, key) in enumerate(zip(self._items, self._keys, strict=True)):
            start, step = self._start_or_step(n, known)
            alike.append(step == 0 or (step is None and start is None and alike[item.before]))
            step = 0 if alike[n] else step or 1
            numbers.append(numbers[item.before] + step if start is None else start)
            known |= {(s, key): n for s in self._sources_with(n)}
            is_its = item.parent >= 0 and len(parts[item.parent]) == len(item.prefix)  # not of a restyled list
            parts.append((*(parts[item.parent] if is_its else item.prefix), numbers[n]))
        return [_value(item, part[:-1], part[-1]) for item, part in zip(self._items, parts, strict=True)]

    def _unified_keys(self) -> tuple[list[_Key], list[_Key | None]]:
        """The key of each item and of its parent; a list written otherwise in a later source has the earlier key."""
        keys_of: list[list[_Key]] = []
        for source in self._sources:
            keys_of.append([self._earlier_key(source, its_list, keys_of) for its_list in source.lists])
        keys: list[_Key] = []
        parents: list[_Key | None] = []
        for n, item in enumerate(self._items):
            key, parent = item.key, None
            if self._sources_with(n):
                s, place = self._origin(n)
                source, there = self._sources[s], self._sources[s].items[place]
                if there.key == item.key:
                    key = keys_of[s][source.list_of[place]]
                    parent = keys_of[s][source.list_of[there.parent]] if there.parent >= 0 else None
            keys.append(key)
            parents.append(parent)
        return keys, parents

    def _earlier_key(self, source: _Source, its_list: Sequence[int], keys_of: Sequence[Sequence[_Key]]) -> _Key:
        for item in (source.items[n] for n in its_list):
            for earlier, keys in zip(self._sources, keys_of, strict=False):
                place = earlier.place_of(item)
                if place >= 0 and earlier.items[place].words == item.words:
                    return keys[earlier.list_of[place]]
        return source.items[its_list[0]].key

    def _sources_with(self, n: int) -> list[int]:
        """The sources that have an item."""
        return [s for s, places in enumerate(self._places) if places[n] >= 0]

    def _origin(self, n: int) -> tuple[int, int]:
        """The source, of those that have an item, in which it is written alike, and its place there."""

        def similarity(s: int) -> tuple[bool, bool]:
            there = self._sources[s].items[self._places[s][n]]
            return there.key == self._items[n].key, there.number == self._items[n].number

        s = max(self._sources_with(n), key=similarity)
        return s, self._places[s][n]

    def _start_or_step(self, n: int, known: Mapping[tuple[int, _Key], int]) -> tuple[int | None, int | None]:
        """The number with which a list begins at an item, or None and by how much it follows the one before it; of
        `known` are the last items of each key that a source has."""
        item, at = self._items[n], self._sources_with(n)
        if item.before < 0:
            if not at:
                return item.number, None
            s, place = self._origin(n)
            source, its_list = self._sources[s], self._sources[s].list_of[place]
            return source.items[source.lists[its_list][0]].number, source.steps[its_list]
        if at:
            return max(self._ranked_vote(n, s, known) for s in at)[1]
        follows = not item.is_separated or item.number == self._items[item.before].number + 1
        return None if follows else item.number, None

    def _ranked_vote(
        self, n: int, s: int, known: Mapping[tuple[int, _Key], int]
    ) -> tuple[tuple[bool | int, ...], tuple[int | None, int | None]]:
        """How an item follows the one before it in a source, and how much that counts: most, if both are neighbours
        there."""
        item, source, place = self._items[n], self._sources[s], self._places[s][n]
        there, its_list = source.items[place], source.list_of[place]
        first, step = source.lists[its_list][0], source.steps[its_list]
        other = known.get((s, self._keys[n]), -1)
        other_place = self._places[s][other] if other >= 0 else -1
        is_next = other >= 0 and there.before == other_place and other == item.before
        agrees = other >= 0 and (source.segment_of[other_place] != source.segment_of[place]) == item.is_separated
        jump = there.number - source.items[other_place].number
        begins = item.is_separated
        if other < 0:
            begins = begins and source.segment_of[place] == first
        elif (other_list := source.list_of[other_place]) == its_list:
            begins = begins and place == first
            step = jump if is_next and step != 0 else step
        elif not source.items[first].is_separated:
            # A list may begin behind another one with nothing between them.
            begins = begins or self._extents[s][other_list][1] < n <= self._extents[s][its_list][0]
        as_written = other >= 0 and item.number - self._items[item.before].number == jump
        rank = (other >= 0, is_next, agrees, as_written, there.number == item.number, -s)
        return rank, (source.items[first].number if begins else None, step)


def _value(item: _NumberedItem, prefix: tuple[int, ...], number: int) -> str:
    """A number written as the item has its own; what cannot be written so stays as it is."""
    if (prefix, number) == (item.prefix, item.number):
        return item.value
    case = item.case
    if case == "1":
        *firsts, last = item.value.split(".")
        zero = ord(last[0]) - int(last[0])
        width = len(last) if int(last[0]) == 0 and len(last) > 1 else 0
        parts = zip(firsts, item.prefix, prefix, strict=True)
        firsts = [first if old == new else str(new) for first, old, new in parts]
        return ".".join([*firsts, "".join(chr(zero + int(digit)) for digit in f"{number:0{width}}")])
    letter = chr(ord("a") + number - 1) if 1 <= number <= 26 else ""
    written = _roman(number) if case in ("i", "I") else letter
    return (written.upper() if case in ("A", "I") else written) or item.value


_ROMAN_DIGITS = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def _roman(number: int) -> str:
    """A Roman number up to 39, in small letters; else ""."""
    found = ""
    for value, letters in _ROMAN_DIGITS:
        while number >= value and len(found) < 8:
            found, number = found + letters, number - value
    return found if number == 0 else ""
