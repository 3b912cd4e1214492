"""Any JSON value as a tree of rows or as indented lines, both searchable. Closed nodes are not read, large nodes open
page by page, and rows are made lazily."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from json.encoder import encode_basestring as _quoted
from typing import Any, Literal, NamedTuple

from cekura_tui.model.text import clean_line, count

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""
Kind = Literal["title", "leaf", "closed", "open", "piece", "more", "raw"]
Windows = Mapping[Path, range | None]
"""Path of a node → range of the children shown, or None if the user closed the node. A node without an entry is in its
initial state."""

PAGE = 200
"""Number of a node's children per page; an opened node first shows one page."""
PIECE = 1_000
"""Maximum number of characters of a long text in one row."""
PIECE_LINES = 20
"""Maximum number of lines of a long text in one row."""
MAX_OPEN_TEXT = 4_000
"""Maximum number of characters of a text that is initially open."""
LONGEST_NAME = 200
_WIDEST_WINDOW = 10 * PAGE
BELOW, ABOVE = -1, -2
"""Last step in the key of a `more` row below or above a window: negative, so never a list index or an object key."""


class Node(NamedTuple):
    """A value and its path; `label` is a readable form of `name`, and `note` is drawn after the value."""

    path: Path
    name: str
    value: object
    depth: int = 0
    label: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A row of the tree. `key` identifies it, even after values changed; `path` leads to the value. `text` is a value,
    a piece of a text from character `at`, a summary of a node, or the hint of a `more` row."""

    key: Path
    kind: Kind
    depth: int
    text: str
    name: str = ""
    label: str = ""
    note: str = ""
    path: Path = ()
    at: int = 0


def is_long(text: str) -> bool:
    return len(text) > PIECE or text.count("\n") >= PIECE_LINES


def has_children(value: object) -> bool:
    return is_long(value) if isinstance(value, str) else isinstance(value, dict | list) and bool(value)


def leaf_text(value: object) -> str:
    """A value without children as JSON, but without quotes if it is a non-empty text."""
    if isinstance(value, str):
        return value or '""'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return repr(value)


def summary(value: object) -> str:
    if isinstance(value, str):
        return f"{count(len(value), 'character')}, {count(value.count(chr(10)) + 1, 'line')}"
    if isinstance(value, dict):
        names = ", ".join(clean_line(str(key), 20) for key in islice(value, 4))
        return f"{count(len(value), 'entry', 'entries')}: {names}{', …' if len(value) > 4 else ''}"
    return count(len(value), "entry", "entries") if isinstance(value, list) else leaf_text(value)


def shown_name(name: str) -> str:
    return name if len(name) <= LONGEST_NAME and "\n" not in name else clean_line(name, LONGEST_NAME)


def pieces(text: str) -> list[int]:
    """Split a text into rows of at most PIECE characters and PIECE_LINES lines; return where each row starts. A row
    ends at a line end or a space if possible."""
    starts, start = [], 0
    while start < len(text):
        starts.append(start)
        start = _end_of_piece(text, start)
    return starts


def _end_of_piece(text: str, start: int) -> int:
    limit = min(start + PIECE, len(text))
    after_line = start
    for _ in range(PIECE_LINES):
        found = text.find("\n", after_line, limit)
        if found < 0:
            break
        after_line = found + 1
    else:
        return after_line
    if limit == len(text):
        return limit
    if after_line > start:
        return after_line
    if (space := text.rfind(" ", start, limit)) > start:
        return space + 1
    end = limit
    while end > limit - 32 and _belong_together(text[end - 1], text[end]):
        end -= 1
    return end


def _belong_together(before: str, after: str) -> bool:
    return "\u200d" in (before, after) or after == "\ufe0f" or unicodedata.category(after) in ("Mn", "Me", "Mc", "Sk")


class JsonTree:
    """Rows of JSON values; texts at the paths in `always_open` are initially open, however long."""

    def __init__(self, always_open: Iterable[Path] = ()) -> None:
        self._always_open = frozenset(always_open)
        self._pieces: dict[Path, tuple[str, list[int]]] = {}

    def rows(self, roots: Iterable[Node | TreeRow], windows: Windows) -> Iterator[TreeRow]:
        """Yield the visible rows from top to bottom; rows among the roots are yielded unchanged."""
        stack = [iter(roots)]
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
            elif isinstance(item, TreeRow):
                yield item
            elif not has_children(item.value):
                yield _head(item, "leaf", leaf_text(item.value))
            elif (window := self.window(item.path, item.value, windows)) is None:
                yield _head(item, "closed", summary(item.value))
            else:
                yield _head(item, "open", summary(item.value))
                stack.append(self._below(item, window))

    def window(self, path: Path, value: object, windows: Windows) -> range | None:
        """The range of children shown, or None if the node is closed."""
        opens_at_first = isinstance(value, str) and (len(value) <= MAX_OPEN_TEXT or path in self._always_open)
        if (window := windows.get(path, range(PAGE) if opens_at_first else None)) is None:
            return None
        children = self.count_of(path, value)
        start = window.start if window.start < children else 0
        return range(start, min(max(window.stop, start + 1), children))

    def count_of(self, path: Path, value: object) -> int:
        """Number of children: entries, or pieces of a text; 0 for any other value."""
        if isinstance(value, str):
            return len(self._pieces_of(path, value))
        return len(value) if isinstance(value, dict | list) else 0

    def extended(self, row: TreeRow, value: object, windows: Windows) -> range | None:
        """The window of a node, a page longer in the direction of its `more` row `row`; None if the node is closed."""
        if (window := self.window(row.path, value, windows)) is None:
            return None
        if row.key[-1] == ABOVE:
            return range(max(window.start - PAGE, 0), window.stop)
        return range(window.start, window.stop + PAGE)

    def reveal(
        self, roots: Mapping[str | int, object], path: Path, at: int | None, windows: Windows
    ) -> tuple[dict[Path, range | None], Path]:
        """The windows that make the value at `path` visible, and the key of its row (with character `at` of a text)."""
        opened: dict[Path, range | None] = {}
        value: object = roots
        for depth, step in enumerate(path):
            if depth:
                self._open_at(path[:depth], value, _place(value, step), windows, opened)
            value = value[step] if isinstance(value, dict | list) else None  # type: ignore[index] # any JSON
        if at is None or not isinstance(value, str) or not is_long(value):
            return opened, path
        starts = self._pieces_of(path, value)
        piece = sum(1 for start in starts if start <= at) - 1
        self._open_at(path, value, piece, windows, opened)
        return opened, (*path, piece)

    def _open_at(
        self, path: Path, value: object, place: int, windows: Windows, opened: dict[Path, range | None]
    ) -> None:
        window = self.window(path, value, windows)
        if window is None or place not in window:
            opened[path] = _widened(window, place)

    def _pieces_of(self, path: Path, text: str) -> list[int]:
        kept = self._pieces.get(path)
        if kept is None or kept[0] is not text:
            kept = self._pieces[path] = text, pieces(text)
        return kept[1]

    def _below(self, node: Node, window: range) -> Iterator[Node | TreeRow]:
        path, value, depth = node.path, node.value, node.depth + 1
        children = self.count_of(path, value)
        what = "parts" if isinstance(value, str) else "entries"
        if window.start:
            yield _more((*path, ABOVE), path, depth, window.start, f"earlier {what}")
        if isinstance(value, dict):
            for key, item in islice(value.items(), window.start, window.stop):
                yield Node((*path, key), shown_name(key), item, depth)
        elif isinstance(value, list):
            for n in window:
                yield Node((*path, n), str(n + 1), value[n], depth)
        elif isinstance(value, str):
            starts = [*self._pieces_of(path, value), len(value)]
            for n in window:
                text = value[starts[n] : starts[n + 1]].removesuffix("\n")
                yield TreeRow((*path, n), "piece", depth, text, path=path, at=starts[n])
        if window.stop < children:
            yield _more((*path, BELOW), path, depth, children - window.stop, f"more {what}")


def _head(node: Node, kind: Kind, text: str) -> TreeRow:
    return TreeRow(node.path, kind, node.depth, text, node.name, node.label, node.note, node.path)


def _more(key: Path, path: Path, depth: int, left: int, what: str) -> TreeRow:
    return TreeRow(key, "more", depth, f"… {left:,} {what} · {{list.open}} shows {min(left, PAGE):,}", path=path)


def _place(value: object, step: str | int) -> int:
    if isinstance(value, dict):
        return list(value).index(step)
    return step if isinstance(step, int) else 0


def _widened(window: range | None, place: int) -> range:
    """Extend a window up to a nearby child at `place`, or replace the window by the page of a distant child."""
    page = place // PAGE * PAGE
    if window is not None and window.stop <= place < window.stop + _WIDEST_WINDOW:
        return range(window.start, page + PAGE)
    if window is not None and window.start - _WIDEST_WINDOW <= place < window.start:
        return range(page, window.stop)
    return range(page, page + PAGE)


Part = Literal["label", "name", "value"]
MOST_MATCHES = 10_000


class JsonMatch(NamedTuple):
    """A match at characters `start` to `end` (exclusive) of a path's label, name or value."""

    path: Path
    part: Part
    start: int
    end: int


def finder(text: str) -> Callable[[str], Iterable[tuple[int, int]]]:
    """Return a function that finds all (start, end) spans of `text` in a string, ignoring case."""
    pattern = re.compile(re.escape(text), re.IGNORECASE)
    small, plain = text.lower(), text.isascii()

    def find(words: str) -> Iterable[tuple[int, int]]:
        # Most strings do not contain the text, which this check finds out faster.
        if plain and words.isascii() and small not in words.lower():
            return ()
        return [found.span() for found in pattern.finditer(words)]

    return find


def matches(nodes: Iterable[Node], text: str) -> Iterator[JsonMatch]:
    """Yield all matches of a non-empty text in labels, names and values; list indexes are not searched."""
    find = finder(text)
    for node in nodes:
        for part, words in (("label", node.label), ("name", node.name)):
            for found in find(words):
                yield JsonMatch(node.path, part, *found)  # type: ignore[arg-type] # one of the two
        if not isinstance(node.value, dict | list) or not node.value:
            for found in find(leaf_text(node.value)):
                yield JsonMatch(node.path, "value", *found)
            continue
        stack = [(node.path, _children(node.value))]
        while stack:
            path, children = stack[-1]
            for step, value in children:
                if isinstance(step, str):
                    for found in find(step):
                        yield JsonMatch((*path, step), "name", *found)
                if isinstance(value, dict | list) and value:
                    stack.append(((*path, step), _children(value)))
                    break
                for found in find(leaf_text(value)):
                    yield JsonMatch((*path, step), "value", *found)
            else:
                stack.pop()


def _children(value: dict[str, object] | list[object]) -> Iterator[tuple[str | int, object]]:
    return iter(value.items()) if isinstance(value, dict) else iter(enumerate(value))


def json_lines(value: object) -> list[str]:
    """The lines of `json.dumps(value, indent=2, ensure_ascii=False)`, but faster and without a depth limit."""
    if not isinstance(value, dict | list) or not value:
        return [_scalar(value)]
    lines = ["{" if isinstance(value, dict) else "["]
    stack = [_children_as_lines(value)]
    names: list[dict[str, str]] = [{}]  # cached per depth: the keys of 10,000 turns are the same
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
                stack.append(_children_as_lines(child))
                break
            else:
                lines.append(f"{prefix}{_scalar(child)},")
        else:
            stack.pop()
            lines[-1] = lines[-1][:-1]
            lines.append(indent[2:] + close)
    lines[-1] = lines[-1][:-1]
    return lines


def _children_as_lines(value: dict[str, object] | list[object]) -> tuple[Iterator[tuple[str | None, object]], str]:
    """(key, value) of each child, and the closing bracket with a comma; the key is None in a list."""
    if isinstance(value, dict):
        return iter(value.items()), "},"
    return zip(repeat(None), value, strict=False), "],"


def _scalar(value: object) -> str:
    return _quoted(value) if isinstance(value, str) else leaf_text(value)


class RawRows(Sequence[TreeRow]):
    """JSON lines as rows, made lazily; a line longer than PIECE becomes several rows."""

    def __init__(self, value: object) -> None:
        self.lines = json_lines(value)
        self._cuts: list[tuple[int, int]] | None = None
        """(line, character) where each row starts; None if every line is one row."""
        if max(map(len, self.lines)) > PIECE:
            self._cuts = [
                (n, start)
                for n, line in enumerate(self.lines)
                for start in (pieces(line) if len(line) > PIECE else (0,))
            ]

    def __len__(self) -> int:
        return len(self.lines if self._cuts is None else self._cuts)

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
        index = key[0] if isinstance(key, tuple) and len(key) == 1 else None
        return index if isinstance(index, int) and 0 <= index < len(self) else None

    def lengths(self) -> Iterator[int]:
        if self._cuts is None:
            return map(len, self.lines)
        return ((self._end(n) or len(self.lines[line])) - start for n, (line, start) in enumerate(self._cuts))

    def row_at(self, match: JsonMatch) -> int:
        line = int(match.path[0])
        return line if self._cuts is None else bisect_right(self._cuts, (line, match.start)) - 1

    def matches(self, text: str) -> Iterator[JsonMatch]:
        find = finder(text)
        for n, line in enumerate(self.lines):
            for found in find(line):
                yield JsonMatch((n,), "value", *found)

    def _end(self, index: int) -> int | None:
        """Character of the line where a row ends (exclusive); None for the end of the line."""
        cuts = self._cuts or []
        follows = cuts[index + 1] if index + 1 < len(cuts) else (-1, 0)
        return follows[1] if follows[0] == cuts[index][0] else None
