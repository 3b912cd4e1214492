"""JSON as indented lines, quickly and however deep it is, and as rows that are made when they are looked at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from itertools import repeat
from json.encoder import encode_basestring as _quoted
from typing import Any, overload

from cekura_tui.model.json_search import Match, finder
from cekura_tui.model.json_tree import PIECE, TreeRow, leaf_text, pieces


def json_lines(value: object) -> list[str]:
    """The lines of `json.dumps(value, indent=2, ensure_ascii=False)`, which takes longer and ends at a depth of some
    hundred. It is a loop with all in it, for it is gone through once a line."""
    if not isinstance(value, dict | list) or not value:
        return [_scalar(value)]
    lines = ["{" if isinstance(value, dict) else "["]
    stack = [_children(value)]
    names: list[dict[str, str]] = [{}]  # at each depth, for the keys of 10,000 turns are the same
    while stack:
        children, close = stack[-1]
        depth = len(stack)
        indent = "  " * depth
        if depth == len(names):
            names.append({})
        known = names[depth]
        for key, child in children:
            if key is None:
                prefix = indent
            elif (prefix := known.get(key, "")) == "":
                prefix = known[key] = f"{indent}{_quoted(key)}: "
            kind = type(child)
            if isinstance(child, str):
                lines.append(f"{prefix}{_quoted(child)},")
            elif kind is int or kind is float:
                lines.append(f"{prefix}{child!r},")
            elif isinstance(child, dict | list) and child:
                lines.append(f"{prefix}{'{' if isinstance(child, dict) else '['}")
                stack.append(_children(child))
                break
            else:
                lines.append(f"{prefix}{_scalar(child)},")
        else:
            stack.pop()
            lines[-1] = lines[-1][:-1]
            lines.append(indent[2:] + close)
    lines[-1] = lines[-1][:-1]
    return lines


def _children(value: dict[str, object] | list[object]) -> tuple[Iterator[tuple[str | None, object]], str]:
    """Key, if there is one, and value of each, and how it is closed."""
    if isinstance(value, dict):
        return iter(value.items()), "},"
    return zip(repeat(None), value, strict=False), "],"


def _scalar(value: object) -> str:
    return _quoted(value) if isinstance(value, str) else leaf_text(value)


class RawRows(Sequence[TreeRow]):
    """The lines as rows, each made when it is asked for; a line longer than a piece is several rows."""

    def __init__(self, value: object) -> None:
        self.lines = json_lines(value)
        self._cuts: list[tuple[int, int]] | None = None
        """(line, character) at which each row begins, where not every line is one row."""
        if max(map(len, self.lines)) > PIECE:
            self._cuts = [
                (n, start)
                for n, line in enumerate(self.lines)
                for start in (pieces(line) if len(line) > PIECE else (0,))
            ]

    def __len__(self) -> int:
        return len(self.lines if self._cuts is None else self._cuts)

    @overload
    def __getitem__(self, index: int) -> TreeRow: ...

    @overload
    def __getitem__(self, index: slice) -> list[TreeRow]: ...

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        if self._cuts is None:
            return TreeRow((index,), "raw", 0, self.lines[index], path=(index,))
        line, start = self._cuts[index]
        return TreeRow((index,), "raw", 0, self.lines[line][start : self._end(index)], path=(line,), at=start)

    def place_of(self, key: Hashable) -> int | None:
        """The index of a row's key."""
        index = key[0] if isinstance(key, tuple) and len(key) == 1 else None
        return index if isinstance(index, int) and 0 <= index < len(self) else None

    def lengths(self) -> Iterator[int]:
        """The characters of every row."""
        if self._cuts is None:
            return map(len, self.lines)
        return ((self._end(n) or len(self.lines[line])) - start for n, (line, start) in enumerate(self._cuts))

    def row_at(self, match: Match) -> int:
        """The index of the row in which a match begins."""
        line = int(match.path[0])
        return line if self._cuts is None else bisect_right(self._cuts, (line, match.start)) - 1

    def matches(self, text: str) -> Iterator[Match]:
        """All matches of a text that is not empty, by line."""
        find = finder(text)
        for n, line in enumerate(self.lines):
            for found in find(line):
                yield Match((n,), "value", *found)

    def _end(self, index: int) -> int | None:
        """The character of the line before which a row ends; None for the end of the line."""
        cuts = self._cuts or []
        follows = cuts[index + 1] if index + 1 < len(cuts) else (-1, 0)
        return follows[1] if follows[0] == cuts[index][0] else None
