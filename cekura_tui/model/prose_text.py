"""A prose diff as plain text, for the command line: [-deleted-] and {+inserted+}, what did not change folded."""

from __future__ import annotations

from collections.abc import Iterator

from cekura_tui.model.prose_blocks import Block, ProseDiff
from cekura_tui.model.text import capped, count
from cekura_tui.model.visible import visible

_MARKS = {"same": ("", ""), "del": ("[-", "-]"), "ins": ("{+", "+}")}


def as_text(diff: ProseDiff, context: int = 2) -> str:
    """Every change under a line that says where it is, with `context` unchanged lines around; safe for a terminal."""
    return "".join(f"{line}\n" for line in _lines(diff, context))


def fold(lines: list[str], before: int, after: int) -> tuple[list[str], int, list[str]]:
    """Unchanged lines as (shown first, number folded, shown last). A single line is not worth folding."""
    hidden = len(lines) - before - after
    if hidden <= 1:
        return lines, 0, []
    return lines[:before], hidden, lines[len(lines) - after :]


def _lines(diff: ProseDiff, context: int) -> Iterator[str]:
    last = len(diff.blocks) - 1
    for n, (block, heading) in enumerate(zip(diff.blocks, diff.headings, strict=True)):
        if block.changed:
            yield _head(block, heading)
            if block.note != "line ends only":
                yield from _changed(block)
            continue
        first, hidden, rest = fold(
            visible(block.spans[0].text).removesuffix("\n").split("\n"),
            context if n > 0 else 0,
            context if n < last else 0,
        )
        yield from map(capped, first)
        if hidden:
            yield f"… {count(hidden, 'line')} unchanged …"
        yield from map(capped, rest)


def _head(block: Block, heading: str) -> str:
    under = f' under "{visible(heading)}"' if heading else ""
    note = f" ({block.note})" if block.note else ""
    return f"@@ line {block.old_line} @@{under}{note}"


def _changed(block: Block) -> Iterator[str]:
    """Marks do not reach over the end of a line, so that every line can be read by itself."""
    line = ""
    for span in block.readable:
        start, end = _MARKS[span.op]
        parts = visible(span.text).split("\n")
        for k, part in enumerate(parts):
            if part or (span.op != "same" and not line and k < len(parts) - 1):
                line += f"{start}{part}{end}"
            if k < len(parts) - 1:
                yield line
                line = ""
    if line:
        yield line
