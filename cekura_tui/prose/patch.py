"""Write the change of a prompt as a patch that `git apply` and `patch -p1` apply exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cekura_tui.prose.matching import Gap, Pairs, difflib_fallback, match

_UNNAMED = "prompt.md"
_KNOWN_SOURCE = re.compile(r"agent|file|last|draft|staged from job \d+|-|")
_NO_PATH = re.compile(r"/(?:dev|proc)/.*|.*[\\\n\0].*|.*…", re.DOTALL)
"""Matches prompt sources that are not regular files, or whose names `patch` refuses."""
_REFUSED_BY_GIT = re.compile(r"(?:\.git|git~\d)[ .]*(?::.*)?", re.IGNORECASE)
_NAME_BYTES = 240
_PLAIN_NAME = re.compile(r"[\w./+@%=-]+", re.ASCII)
_NO_LINE_END = "\n\\ No newline at end of file\n"


def unified_patch(old: str, new: str, path: str, context: int = 3) -> str:
    r"""A unified diff of two texts with `context` lines around each change; "" if the texts are equal. Only "\n" ends a
    line and all other characters are kept, so write the diff with `prompt_bytes`. `path` is relative, from
    `patch_path`. An empty text is an empty file, not a missing file."""
    if old == new:
        return ""
    before, after = _lines(old), _lines(new)
    gaps = _gaps(match(before, after, difflib_fallback(before, after)), len(before), len(after))
    one, other = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    # No "diff --git" line: with it `git apply` resolves the path from the top of the repository, silently.
    parts = [f"--- {one}\n+++ {other}\n"]
    for group in _near(gaps, 2 * context):
        parts += _hunk(before, after, group, context)
    return "".join(parts)


def patch_path(source: str) -> str:
    """The path of the file that a job's `prompt_source` names, accepted by git and patch, else "prompt.md". Of an
    absolute path or one with "..", only the file name, as a patch cannot leave the working directory."""
    source = source.removesuffix(", edited")
    if _KNOWN_SOURCE.fullmatch(source) or _NO_PATH.fullmatch(source):
        return _UNNAMED
    parts = [part for part in source.split("/") if part not in ("", ".")]
    if source.startswith(("/", "~")) or ".." in parts:
        parts = parts[-1:]
    return "/".join(parts) if parts and all(map(_fits, parts)) and parts[-1] not in ("..", "~") else _UNNAMED


def _fits(part: str) -> bool:
    """Whether git and patch accept a part of a path. Invisible characters are skipped, because some file systems ignore
    them."""
    try:
        length = len(_bytes(part))
    except UnicodeEncodeError:
        return False
    return length <= _NAME_BYTES and not _REFUSED_BY_GIT.fullmatch("".join(filter(str.isprintable, part)))


def _lines(text: str) -> list[str]:
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])


def _gaps(pairs: Pairs, before: int, after: int) -> Iterator[Gap]:
    """The ranges of lines that differ. `before` and `after` are the numbers of lines in the two texts."""
    at = to = 0
    for i, j in [*pairs, (before, after)]:
        if at < i or to < j:
            yield at, i, to, j
        at, to = i + 1, j + 1


def _near(gaps: Iterator[Gap], most: int) -> Iterator[list[Gap]]:
    """Group changes: two changes with at most `most` lines between them are in one group."""
    group: list[Gap] = []
    for gap in gaps:
        if group and gap[0] - group[-1][1] > most:
            yield group
            group = []
        group.append(gap)
    if group:
        yield group


def _hunk(before: list[str], after: list[str], group: list[Gap], context: int) -> Iterator[str]:
    first, last = group[0], group[-1]
    start, end = max(first[0] - context, 0), min(last[1] + context, len(before))
    new_start, new_end = first[2] - (first[0] - start), last[3] + (end - last[1])
    yield f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@\n"
    at = start
    for a, b, c, d in group:
        yield from _signed(" ", before[at:a])
        yield from _signed("-", before[a:b])
        yield from _signed("+", after[c:d])
        at = b
    yield from _signed(" ", before[at:end])


def _range(start: int, end: int) -> str:
    """Lines [start, end) as a hunk header gives them: the first line, counted from 1, and the number of lines. An empty
    range has the number of the line before the range."""
    return f"{start + 1 if end > start else start},{end - start}"


def _signed(sign: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}{_NO_LINE_END}"


def _quoted(name: str) -> str:
    """Quote a name for git and patch, with octal escapes, unless it is plain."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    letters = (chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}" for byte in _bytes(name))
    return f'"{"".join(letters)}"'


def _bytes(name: str) -> bytes:
    """The bytes of a file name, in which surrogates represent invalid UTF-8."""
    return name.encode("utf-8", "surrogateescape")
