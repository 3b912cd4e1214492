"""Where in a prompt something stands, in words: "Rescheduling › rule 3"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from cekura_tui.model.prose_units import Unit
from cekura_tui.model.text import clean_line

_NUMBER = re.compile(r"\(?(\d{1,3}|[a-z])[.)]")
_WIDEST = 60


class Places:
    """The places of the units of two texts; asked about the new one where something is there, else about the old."""

    def __init__(self, old: Sequence[Unit], new: Sequence[Unit]) -> None:
        self._old, self._new = _named(old), _named(new)

    def of(self, olds: range, news: range) -> str:
        """The place of some units: the section, and the rule, item or paragraph of it; "" for an empty text."""
        if news:
            return self._new[news.start]
        if olds:
            return self._old[olds.start]
        return "end"


def _named(units: Sequence[Unit]) -> list[str]:
    names: list[str] = []
    section = ""
    counts = {"item": 0, "text": 0, "row": 0, "code": 0}
    name = ""
    for before, unit in pairwise([None, *units]):
        assert unit is not None
        starts = before is None or before.block != unit.block
        if unit.kind == "heading":
            section = clean_line(unit.text.strip("*#_ "), _WIDEST)
            counts = dict.fromkeys(counts, 0)
            names.append(section)
            continue
        if starts:
            if unit.kind == "item" and before is not None and before.kind not in ("item", "code"):
                counts["item"] = 0
            counts[unit.kind] += 1
            name = _name(unit, counts[unit.kind])
        names.append(f"{section} › {name}" if section else name)
    return names


def _name(unit: Unit, count: int) -> str:
    if unit.kind == "item":
        number = _NUMBER.search(unit.gap)
        return f"rule {number.group(1)}" if number else f"item {count}"
    return {"text": f"paragraph {count}", "row": f"row {count}", "code": f"code {count}"}[unit.kind]
