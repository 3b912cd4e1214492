"""Write the change of a prompt as a patch that `git apply` and `patch -p1` apply exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cekura_tui.prose.matching import Gap, difflib_fallback, match

_PLAIN_NAME = re.compile(r"[\w./+@%=-]+", re.ASCII)
_NO_LINE_END = "\n\\ No newline at end of file\n"


def unified_patch(old: str, new: str, path: str, context: int = 3) -> str:
    r"""A unified diff of two texts with `context` lines around each change; "" if the texts are equal. Only "\n" ends a
    line and all other characters are kept, so write the diff with `prompt_bytes`. `path` is relative, and
    git accepts it. An empty text is an empty file, not a missing file."""
    if old == new:
        return ""
    before, after = _lines(old), _lines(new)
    groups: list[list[Gap]] = []
    """Changes by hunk: fewer than 2 * `context` + 1 lines lie between two changes of a hunk."""
    at = to = 0
    for i, j in [*match(before, after, difflib_fallback(before, after)), (len(before), len(after))]:
        if at < i or to < j:
            if not groups or at - groups[-1][-1][1] > 2 * context:
                groups.append([])
            groups[-1].append((at, i, to, j))
        at, to = i + 1, j + 1
    # No "diff --git" line: with it `git apply` resolves the path from the top of the repository, silently.
    hunks = ("".join(_hunk(before, after, group, context)) for group in groups)
    return "".join([f"--- {_quoted(f'a/{path}')}\n+++ {_quoted(f'b/{path}')}\n", *hunks])


def _lines(text: str) -> list[str]:
    """The lines of a text as a patch contains them: with a note after a last line without a line end."""
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last + _NO_LINE_END] if last else [])


def _hunk(before: list[str], after: list[str], group: list[Gap], context: int) -> Iterator[str]:
    """The lines of a hunk: its header, and the changes in `group` with their context."""
    start, end = max(group[0][0] - context, 0), min(group[-1][1] + context, len(before))
    new_start, new_end = group[0][2] - (group[0][0] - start), group[-1][3] + (end - group[-1][1])
    yield f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@\n"
    for a, b, c, d in [*group, (end, end, new_end, new_end)]:
        for sign, lines in ((" ", before[start:a]), ("-", before[a:b]), ("+", after[c:d])):
            yield from (sign + line for line in lines)
        start = b


def _range(start: int, end: int) -> str:
    """Lines [start, end) as a hunk header gives them: the first line, counted from 1, and the number of lines. An empty
    range has the number of the line before the range."""
    return f"{start + 1 if end > start else start},{end - start}"


def _quoted(name: str) -> str:
    """Quote a name for git and patch, with octal escapes, unless it is plain."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    encoded = name.encode("utf-8", "surrogateescape")
    letters = (chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}" for byte in encoded)
    return f'"{"".join(letters)}"'
