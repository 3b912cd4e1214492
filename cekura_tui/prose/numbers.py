"""Renumber the lists of a prompt that was assembled from parts of other prompts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter, itemgetter

from cekura_tui.prose.formatting import columns, heading_mark, item_mark, roman_value, serials_in, tag_of
from cekura_tui.prose.units import Block, blocks_in
from cekura_tui.prose.words import words_in

NOUNS = (
    "step|rule|stage|phase|section|part|question|example|schritt|regel|abschnitt|teil|frage|beispiel|"
    "paso|regla|fase|etapa|sección|pregunta|ejemplo|étape|règle|passo|regola|sezione"
)
"""Words that may be followed by a number at the start of a line, as in "Step 3:"."""
_TITLE_NUMBER = re.compile(
    rf"((?:\[[ xX]\] )?[#*_\s]*(?:(?i:{NOUNS}) |(?=\(?\d{{1,3}}[.)]))\(?)(\d{{1,3}})"
    r"((?:[.):](?!\d)|[ \t]+[-–—]\s).*)",
    re.DOTALL,
)
_MARKER = re.compile(
    rf"[^\S\n]*((?:(?:[-*+•]|\[[ xX]\])[ \t]+)*)(#{{1,6}}[ \t]+)?(\*\*|__)?((?i:{NOUNS})[ \t]+(?=\d)|\()?"
    r"(?P<value>\d{1,3}(?:\.\d{1,3}){0,4}|[ivx]{2,5}|[IVX]{2,5}|[A-Za-z])"
    r"([.):]?(?:\*\*|__)?:?)([ \t]+[-–—](?=[ \t]))?[ \t]+(?=\S)"
)
"""Groups: list markers or boxes, marks of a heading, bold, noun or bracket, `value`, what closes the number, dash."""
_ROMAN = re.compile(r"(?m)^[^\S\n]*\(?([ivx]{2,5}|[IVX]{2,5})[.)][ \t]")
_NORMALISED = str.maketrans("–—−‑‘’‚“”„«»", '----\'\'\'"""""', "*_~`#")
_FEW_WORDS = 5
"""An item is found in another text by this many first or last words if the other words differ."""
_NO_DEPTH = 10_000
_TITLE, _COLUMN = 14, 16
"""Nesting depths of titles and of items; each column of indentation adds 2. Tags have depth 1, headings 2 to 12."""
_WIDEST = 40

_Key = tuple[object, ...]


@dataclass(slots=True)
class _NumberedItem:
    """A numbered item or heading. [start, end) are the offsets of the number, `value` is the number as written ("7",
    "2.1", "b"). `key` is the item's style and indentation, `depth` its nesting depth, `min_depth_before` the least
    depth of the lines since the previous numbered item. `before` is the index of the previous item with the same key,
    `parent` the index of item 2 for an item 2.1; −1 if there is no such item. `is_separated`: something that may end
    the list lies between the item and `before`. `is_title_line`: the words are in capitals or bold ("2. FEES")."""

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
    is_title_line: bool = False
    before: int = -1
    parent: int = -1
    is_separated: bool = False

    @property
    def names(self) -> list[tuple[object, str]]:
        """Keys of this item in another text, best first: style or column, with all, the first or the last words."""
        words = self.words.split(" ")
        found = (self.words, " ".join(words[:_FEW_WORDS]), " ".join(["…", *words[-_FEW_WORDS:]]))
        return [(written, words) for words in found for written in (self.key, self.key[0])]


def renumbered(text: str, *sources: str) -> str:
    """Renumber the lists of `text`, which was assembled from parts of `sources`. A list starts at the first number that
    it has in a source. Items that are adjacent in a source keep the difference of their numbers; other items count up
    by 1. A text equal to a source is returned unchanged."""
    if not sources or text in sources:
        return text
    titled = any(_has_titles(_source(source, False).items) for source in sources)
    found = [_source(source, titled) for source in dict.fromkeys(sources)]
    serials = serials_in(text).union(*(source.serials for source in found))
    romans = _romans(text).union(*(source.romans for source in found))
    numbers = {(*item.prefix, item.number) for source in found for item in source.items}
    items = _items(text, serials, romans, titled, numbers)
    written = attrgetter("key", "words", "is_separated")
    alike = [one.items for one in found if one.counts and [*map(written, one.items)] == [*map(written, items)]]
    values = _Numbering(items, found).values()
    if len(alike) == 1:
        values = [_value(item, one.prefix, one.number) for item, one in zip(items, alike[0], strict=True)]
    parts, at = [], 0
    for item, value in zip(items, values, strict=True):
        parts += [text[at : item.start], value]
        at = item.end
    return "".join([*parts, text[at:]])


def split_title(title: str) -> tuple[str, str, str]:
    """Split a numbered title or line ("## Step 3: Fees") before and after its number; number and rest may be empty."""
    hit = _TITLE_NUMBER.fullmatch(title)
    return (hit[1], hit[2], hit[3]) if hit else (title, "", "")


@lru_cache(maxsize=1024)
def title_words(title: str) -> tuple[str, ...]:
    """The words of a title in lower case, without its number and marks."""
    before, _, rest = split_title(title)
    return tuple(word.casefold() for word in words_in(rest or before) if any(map(str.isalnum, word)))


def _romans(text: str) -> frozenset[str]:
    """The letter cases ("i" or "I") with a Roman numeral of several letters; only in these, single i, v, x are one."""
    marks = (mark for mark in _ROMAN.findall(text) if _roman(roman_value(mark.lower())) == mark.lower())
    return frozenset("I" if mark.isupper() else "i" for mark in marks)


# Reading


def _items(
    text: str, serials: frozenset[str], romans: frozenset[str], titled: bool, numbers: Iterable[tuple[int, ...]] = ()
) -> list[_NumberedItem]:
    """All numbered items and headings outside of fences, tables and quotations. `titled`: a title line is a title and
    not an item. `numbers` are the known numbers of other texts: after a known 2, "2.1" is an item."""
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
                if titled and item.is_title_line:
                    item.key, item.depth = (*item.key, "title"), _TITLE
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
    lead, heading, bold, opening, value, close, dash = hit.groups("")
    *firsts, last = value.split(".")
    prefix, noun = tuple(map(int, firsts)), opening.strip("( \t").casefold()
    is_title = bool(heading or noun or (bold and bold not in close))
    if lead and not close.strip("*_"):
        return None
    if not is_title:
        if dash or not (prefix in seen or item_mark(line, serials)):  # 2.1 may be alone in section 2
            return None
    elif not (close.strip("*_") or (noun and (heading or bold or dash)) or prefix):
        return None
    case = "1" if last.isdecimal() else "I" if last.isupper() else "i"
    if case == "1":
        number = int(last)
    elif len(last) > 1 or (case in romans and last.lower() in ("i", "v", "x")):
        number = roman_value(last.lower())
    else:
        number, case = ord(last.lower()) - ord("a") + 1, "A" if case == "I" else "a"
    column, level = min(columns(line), _WIDEST), len(heading.strip())
    depth = 2 * level or (_TITLE if is_title and not column else _COLUMN + 2 * column)
    # A list restyled from "1." to "1)" is one list, even if only some of its items are accepted.
    ending = close.replace(")", ".") if not opening else close
    key = (column, level, bool(lead), bold, noun or opening, case, len(prefix), ending)
    words = " ".join(line[hit.end() :].translate(_NORMALISED).casefold().split()).rstrip(".:")
    first, end = hit.span("value")
    is_line = not column and not is_title and heading_mark(line[hit.end() :], starts_paragraph=True) == 0
    return _NumberedItem(start + first, start + end, value, key, case, depth, 0, number, prefix, words, is_line)


def _has_titles(items: Sequence[_NumberedItem]) -> bool:
    """Whether title lines are titles: they alone count 1, 2, 3, …, and directly below one of them, a list begins."""
    numbers = [item.number for item in items if item.is_title_line]
    return numbers == list(range(1, len(numbers) + 1)) and any(
        one.is_title_line and (one.key, other.number, other.is_title_line) == (other.key, 1, False)
        for one, other in pairwise(items)
        if other.min_depth_before > _TITLE
    )


def _link(items: Sequence[_NumberedItem], keys: Sequence[_Key], parents: Sequence[_Key | None]) -> None:
    """Set `before`, `parent` and `is_separated` of each item. `parents` has the key of each item's parent, or None. The
    parent of an item 2.1 is the last item with this key; without a key, the last item 2."""
    last: dict[_Key, int] = {}
    of_parts: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
    """Index of the last item, by number and depth. A deeper item cannot be a parent."""
    since: list[tuple[int, int]] = []
    """Stack of (depth, n): n is the last item of this depth or less, or after a line of this depth or less."""
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
    """The items of a source. Each item belongs to a list, and to a segment: a part of the list without separators.
    Lists and segments are identified by the index of their first item."""

    def __init__(self, text: str, titled: bool) -> None:
        self.serials, self.romans = serials_in(text), _romans(text)
        self.items = _items(text, self.serials, self.romans, titled)
        self.counts = True
        """Whether no list skips or repeats a number."""
        self.lists: dict[int, list[int]] = defaultdict(list)
        self.list_of: list[int] = []
        self.segment_of: list[int] = []
        self._by_name: dict[tuple[object, str], list[int]] = defaultdict(list)
        for n, item in enumerate(self.items):
            jump = item.number - self.items[item.before].number
            goes_on = jump == 1 or (jump >= 0 and not item.is_separated)
            is_first = item.before < 0 or not goes_on or item.prefix != self.items[item.before].prefix
            self.counts = self.counts and (is_first or jump == 1)
            self.list_of.append(n if is_first else self.list_of[item.before])
            self.segment_of.append(n if is_first or item.is_separated else self.segment_of[item.before])
            self.lists[self.list_of[n]].append(n)
            for name in {*item.names}:
                self._by_name[name].append(n)

        self.steps: dict[int, int | None] = {}
        """The increment of each list: 0 if all items have the same number, None for a single item, else 1."""
        for first, its in self.lists.items():
            self.steps[first] = min(len({self.items[n].number for n in its}) - 1, 1) if len(its) > 1 else None

    def place_of(self, item: _NumberedItem, last: int = -1) -> int:
        """This source's index of another text's item, −1 if missing; of several equal items, the next after `last`."""
        places = next(filter(None, map(self._by_name.get, item.names)), [-1])
        after = bisect_right(places, last)
        return places[after] if after < len(places) else places[max(after - 2, 0)]

    def places_of(self, items: Iterable[_NumberedItem]) -> Iterator[int]:
        last = -1
        for item in items:
            place = self.place_of(item, last)
            last = place if place >= 0 else last
            yield place


_source = lru_cache(maxsize=8)(_Source)
"""Cached, because renumbering needs both prompts of a suggestion at every key press."""


_Found = tuple[_Source, int, _NumberedItem]
"""A source that contains an item of another text, and the item's index and counterpart in the source."""


class _Numbering:
    """Numbers the items of a text as they are numbered in the sources."""

    def __init__(self, items: Sequence[_NumberedItem], sources: Sequence[_Source]) -> None:
        self._items = items
        self._places = {source: list(source.places_of(items)) for source in sources}
        """For each source, the index of each item in that source, or −1."""
        _link(items, *self._unified_keys())

    def values(self) -> list[str]:
        """The new number of each item, written in the style of the item."""
        parts: list[tuple[int, ...]] = []
        alike: list[bool] = []
        """For each item, whether all items of its list have the same number."""
        for n, item in enumerate(self._items):
            start, step = self._start_or_step(n)
            alike.append(step == 0 or (step is None and start is None and alike[item.before]))
            number = parts[item.before][-1] + (0 if alike[n] else step or 1) if start is None else start
            is_its = item.parent >= 0 and len(parts[item.parent]) == len(item.prefix)  # a restyled list may differ
            parts.append((*(parts[item.parent] if is_its else item.prefix), number))
        return [_value(item, part[:-1], part[-1]) for item, part in zip(self._items, parts, strict=True)]

    def _unified_keys(self) -> tuple[list[_Key], list[_Key | None]]:
        """The key of each item, and the key of its parent or None. A list that a later source restyles keeps the key
        that it has in the earlier source."""
        keys_of: dict[_Source, dict[int, _Key]] = {}
        for source in self._places:
            keys_of[source] = {first: self._earlier_key(source, first, keys_of) for first in source.lists}
        keys: list[_Key] = []
        parents: list[_Key | None] = []
        known = {one.items[first].key: key for one, its in keys_of.items() for first, key in its.items()}
        for n, item in enumerate(self._items):
            key, parent = known.get(item.key, item.key), None
            if (origin := self._origin(n)) and origin[2].key == item.key:
                source, place, there = origin
                key = keys_of[source][source.list_of[place]]
                parent = keys_of[source][source.list_of[there.parent]] if there.parent >= 0 else None
            known[item.key] = key
            keys.append(key)
            parents.append(parent)
        return keys, parents

    def _earlier_key(self, source: _Source, first: int, keys_of: Mapping[_Source, Mapping[int, _Key]]) -> _Key:
        for item in (source.items[n] for n in source.lists[first]):
            for earlier, keys in keys_of.items():
                place = earlier.place_of(item)
                if place >= 0 and earlier.items[place].words == item.words:
                    return keys[earlier.list_of[place]]
        return source.items[first].key

    def _found(self, n: int) -> list[_Found]:
        found = ((source, places[n]) for source, places in self._places.items() if places[n] >= 0)
        return [(source, place, source.items[place]) for source, place in found]

    def _origin(self, n: int) -> _Found | None:
        """Item `n` in the source in which its style and number are most similar."""
        key, number = self._items[n].key, self._items[n].number
        return max(self._found(n), key=lambda one: (one[2].key == key, one[2].number == number), default=None)

    def _start_or_step(self, n: int) -> tuple[int | None, int | None]:
        """(number, step) of item `n`: the number at which a list starts with this item, else None and the difference
        from the previous item, None if unknown."""
        item = self._items[n]
        if item.before >= 0 and (found := self._found(n)):
            return max((self._ranked_vote(n, one) for one in found), key=itemgetter(0))[1]
        if origin := self._origin(n):
            source, place, _ = origin
            return source.items[source.list_of[place]].number, source.steps[source.list_of[place]]
        follows = item.before >= 0 and (not item.is_separated or item.number == self._items[item.before].number + 1)
        return None if follows else item.number, None

    def _ranked_vote(self, n: int, found: _Found) -> tuple[tuple[bool, ...], tuple[int | None, int | None]]:
        """The rank of a source for item `n`, and (number, step) as that source has them. A source in which the item has
        the same predecessor ranks high."""
        item, (source, place, there) = self._items[n], found
        places = self._places[source]
        first = source.list_of[place]
        step = source.steps[first]
        other = item.before
        while other >= 0 and places[other] < 0:
            other = self._items[other].before
        other_place = places[other] if other >= 0 else -1
        is_next = other >= 0 and there.before == other_place and other == item.before
        agrees = other >= 0 and (source.segment_of[other_place] != source.segment_of[place]) == item.is_separated
        jump = there.number - source.items[other_place].number
        begins = item.is_separated
        if other < 0:
            begins = begins and source.segment_of[place] == first
        elif (other_list := source.list_of[other_place]) == first:
            begins = begins and place == first
            step = jump if is_next and step != 0 else step
        elif not (begins or source.items[first].is_separated):
            # A list may begin directly after another one.
            lists = [source.list_of[at] if at >= 0 else -1 for at in places]
            begins = first not in lists[:n] and other_list not in lists[n:]
        as_written = other >= 0 and item.number - self._items[item.before].number == jump
        rank = (other >= 0, is_next, agrees, as_written, there.number == item.number)
        return rank, (source.items[first].number if begins else None, step)


def _value(item: _NumberedItem, prefix: tuple[int, ...], number: int) -> str:
    """A number in the style of the item; the old value of the item if the style cannot express the number."""
    if (prefix, number) == (item.prefix, item.number):
        return item.value
    case = item.case
    if case == "1":
        last = item.value.split(".")[-1]
        zero = ord(last[0]) - int(last[0])
        width = len(last) if int(last[0]) == 0 else 0
        return ".".join([*map(str, prefix), "".join(chr(zero + int(digit)) for digit in f"{number:0{width}}")])
    letter = chr(ord("a") + number - 1) if 1 <= number <= 26 else ""
    written = _roman(number) if case in ("i", "I") else letter
    return (written.upper() if case in ("A", "I") else written) or item.value


def _roman(number: int) -> str:
    """The Roman numeral of a number, in lower case; "" for 0 or less."""
    ones = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
    return "x" * (number // 10) + ones[number % 10] if number > 0 else ""
