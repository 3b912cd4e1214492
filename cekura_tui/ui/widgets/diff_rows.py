"""A prose diff as the rows of a list: a header for every change, its lines, and folds for what did not change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.prose_blocks import Block, ProseDiff, Span
from cekura_tui.model.prose_text import fold
from cekura_tui.model.text import count
from cekura_tui.model.visible import visible

CONTEXT = 2
_MARKS = {frozenset({"del"}): "-", frozenset({"ins"}): "+", frozenset({"same"}): " "}


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of the diff before wrapping. `block` is the index of the diff's block that it belongs to."""

    block: int
    line: int
    kind: Literal["head", "line", "fold"]
    spans: tuple[Span, ...]
    mark: str = " "

    @property
    def key(self) -> tuple[int, int]:
        return self.block, self.line

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


def diff_rows(diff: ProseDiff) -> list[DiffRow]:
    """All rows of a diff, their texts safe to draw."""
    if diff.is_same:
        return [_said(0, 0, "fold", "Both texts are the same.")]
    rows: list[DiffRow] = []
    change = 0
    last = len(diff.blocks) - 1
    for n, (block, heading) in enumerate(zip(diff.blocks, diff.headings, strict=True)):
        if block.changed:
            change += 1
            rows.append(_said(n, 0, "head", _head(block, heading, change, diff.changes)))
            if block.note != "line ends only":
                rows.extend(DiffRow(n, line, "line", *row) for line, row in enumerate(_lines(block.readable), 1))
        else:
            rows.extend(_unchanged(n, block, CONTEXT if n > 0 else 0, CONTEXT if n < last else 0))
    return rows


def _said(block: int, line: int, kind: Literal["head", "fold"], text: str) -> DiffRow:
    return DiffRow(block, line, kind, (Span("same", text),))


def _head(block: Block, heading: str, change: int, changes: int) -> str:
    under = visible(heading).lstrip("#").strip()
    parts = [f"change {change} of {changes}", f"under “{under}”" if under else "", f"line {block.old_line}", block.note]
    if block.note == "line ends only":
        parts.append(count(block.text("ins").count("\n") or 1, "line"))
    return " · ".join(part for part in parts if part)


def _unchanged(n: int, block: Block, before: int, after: int) -> Iterator[DiffRow]:
    texts = visible(block.spans[0].text).removesuffix("\n").split("\n")
    first, hidden, rest = fold(texts, before, after)
    for line, text in enumerate(first):
        yield DiffRow(n, line, "line", (Span("same", text),))
    if hidden:
        yield _said(n, len(first), "fold", f"… {count(hidden, 'line')} unchanged …")
    for line, text in enumerate(rest, len(first) + 1):
        yield DiffRow(n, line, "line", (Span("same", text),))


def _lines(spans: tuple[Span, ...]) -> Iterator[tuple[tuple[Span, ...], str]]:
    """(spans, mark) of each line. A line end that went is shown as ↵ and does not break a line that is still there."""
    line: list[Span] = []
    touched: set[str] = set()
    for span in spans:
        parts = visible(span.text).split("\n")
        for k, part in enumerate(parts):
            if part:
                if line and _collide(line[-1], span.op, part):
                    line.append(Span("same", " "))
                line.append(Span(span.op, part))
                touched.add(span.op)
            if k == len(parts) - 1:
                break
            if span.op == "del" and touched - {"del"}:
                line.append(Span("del", "↵"))
                touched.add("del")
                continue
            yield tuple(line), _MARKS.get(frozenset(touched or {span.op}), "~")
            line, touched = [], set()
    if line:
        yield tuple(line), _MARKS.get(frozenset(touched), "~")


def _collide(before: Span, op: str, text: str) -> bool:
    """Whether a removed word and the one in its place would be read as one where strike and underline do not show."""
    return {before.op, op} == {"del", "ins"} and before.text[-1].isalnum() and text[0].isalnum()
