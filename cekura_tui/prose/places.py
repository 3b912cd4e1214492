"""The places of a prompt, in words: the section, and the rule, item or paragraph of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from cekura_tui.model.text import clean_line
from cekura_tui.prose.marks import name_of, style_of, tag_of
from cekura_tui.prose.units import Unit

_WIDEST = 60
_DEEPEST = 2
"""Sections in sections, and items in items, that a place names: the innermost."""
_SIGN = " › "
_AROUND = "*#_=-:[]■□▪◆◇▶►★☆●§ \t"
_MARKUP = re.compile(r"<[^<>]*>")


class Places:
    """The places of the units of two texts; asked about the new one where something is there, else about the old."""

    def __init__(self, old: Sequence[Unit], new: Sequence[Unit]) -> None:
        self._old, self._new = _PlaceNames(old).all(), _PlaceNames(new).all()

    def of(self, olds: range, news: range) -> str:
        """The place of some units: the section, and the rule, item or paragraph of it; "end" behind all of them."""
        if news:
            return self._new[news.start]
        if olds:
            return self._old[olds.start]
        return "end"


@dataclass(slots=True)
class _Item:
    """An open list item: columns before its marker, the style of that, which of its list it is, its name."""

    indent: int
    style: str
    count: int
    name: str


@dataclass
class _PlaceNames:
    """The names of the places of a text, one unit after another."""

    units: Sequence[Unit]
    sections: list[tuple[str, str]] = field(default_factory=list)
    """Kind and name of the open sections: tags that are closed somewhere, a heading, a title below it."""
    items: list[_Item] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    name: str = ""

    def all(self) -> list[str]:
        """The name of each unit's place."""
        self._closed = {tag[0] for unit in self.units if unit.kind == "tag" and (tag := tag_of(unit.text)) and tag[1]}
        names: list[str] = []
        block = 0
        for unit in self.units:
            if unit.kind == "heading":
                self._heading(unit)
            elif unit.kind == "tag":
                names.append(self._tag(unit))
                continue
            elif unit.block != block:
                self.name = self._named(unit)
            block = unit.block
            names.append(self._path(self.name))
        return names

    def _path(self, name: str) -> str:
        return _SIGN.join(filter(None, (*(section for _, section in self.sections[-_DEEPEST:]), name)))

    def _begin(self, kind: str, name: str) -> None:
        self.sections.append((kind, clean_line(name, _WIDEST)))
        self._clear()

    def _clear(self) -> None:
        self.items.clear()
        self.counts.clear()
        self.name = ""

    def _heading(self, unit: Unit) -> None:
        """A heading ends the one before it, a title alone ("**Fees**") the title before it."""
        kind = "heading" if unit.marker.startswith("#") else "title"
        while self.sections and (self.sections[-1][0] == "title" or self.sections[-1][0] == kind):
            self.sections.pop()
        bare = _MARKUP.sub("", f"{unit.marker.lstrip('# ')} {unit.text}")
        self._begin(kind, bare.strip(_AROUND) or bare)

    def _tag(self, unit: Unit) -> str:
        """The place of a tag, which opens or closes a section."""
        name, closes = tag_of(unit.text) or ("", False)
        if name not in self._closed:
            return self._path("") or name
        if not closes:
            self._begin("tag", name)
            return self._path("")
        place = self._path("")
        if ("tag", name) in self.sections:
            last = len(self.sections) - 1 - self.sections[::-1].index(("tag", name))
            place = _SIGN.join(section for _, section in self.sections[: last + 1][-_DEEPEST:])
            del self.sections[last:]
            self._clear()
        return place

    def _named(self, unit: Unit) -> str:
        if unit.kind == "item":
            return self._item(unit)
        if unit.kind != "code":
            indent = unit.indent if self.items else 0
            while self.items and self.items[-1].indent >= indent:
                self.items.pop()
            if self.items:
                return self._in_items()
        self.counts[unit.kind] += 1
        word = {"text": "paragraph"}.get(unit.kind, unit.kind)
        return f"{word} {self.counts[unit.kind]}"

    def _item(self, unit: Unit) -> str:
        """Items with more white space before them, or with markers of another style, are in the one before them."""
        indent, style = unit.indent, style_of(unit.marker)
        while self.items and self.items[-1].indent > indent:
            self.items.pop()
        same = [n for n, one in enumerate(self.items) if one.indent == indent and one.style == style]
        count = self.items[same[0]].count + 1 if same else 1
        del self.items[same[0] if same else len(self.items) :]
        self.items.append(_Item(indent, style, count, name_of(unit.marker) or f"item {count}"))
        return self._in_items()

    def _in_items(self) -> str:
        return _SIGN.join(item.name for item in self.items[-_DEEPEST:])
