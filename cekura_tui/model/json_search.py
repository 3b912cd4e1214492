"""Where a text is found in JSON: in names and values, also of nodes that are closed, in the order they are drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from cekura_tui.model.json_tree import Node, Path, leaf_text

Part = Literal["label", "name", "value"]
MOST_MATCHES = 10_000


class Match(NamedTuple):
    """Characters `start` to before `end` of a name, of the words for it, or of the value of a path."""

    path: Path
    part: Part
    start: int
    end: int


def finder(text: str) -> Callable[[str], Iterable[tuple[int, int]]]:
    """What tells where a text is, whatever the case of its letters, as (start, end)."""
    pattern = re.compile(re.escape(text), re.IGNORECASE)
    small, plain = text.lower(), text.isascii()

    def find(words: str) -> Iterable[tuple[int, int]]:
        # Most texts do not hold it, and that is told sooner so.
        if plain and words.isascii() and small not in words.lower():
            return ()
        return [found.span() for found in pattern.finditer(words)]

    return find


def matches(nodes: Iterable[Node], text: str) -> Iterator[Match]:
    """All matches of a text that is not empty. The numbers of a list's entries are no names."""
    find = finder(text)
    for node in nodes:
        for part, words in (("label", node.label), ("name", node.name)):
            for found in find(words):
                yield Match(node.path, part, *found)  # type: ignore[arg-type] # one of the two
        if not isinstance(node.value, dict | list) or not node.value:
            for found in find(leaf_text(node.value)):
                yield Match(node.path, "value", *found)
            continue
        stack = [(node.path, _children(node.value))]
        while stack:
            path, children = stack[-1]
            for step, value in children:
                if isinstance(step, str):
                    for found in find(step):
                        yield Match((*path, step), "name", *found)
                if isinstance(value, dict | list) and value:
                    stack.append(((*path, step), _children(value)))
                    break
                for found in find(leaf_text(value)):
                    yield Match((*path, step), "value", *found)
            else:
                stack.pop()


def _children(value: dict[str, object] | list[object]) -> Iterator[tuple[str | int, object]]:
    return iter(value.items()) if isinstance(value, dict) else iter(enumerate(value))
