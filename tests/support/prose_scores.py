"""Compare the words that a diff of two prompts marks with the words that a reader marked by hand (`prose_cases`)."""

from __future__ import annotations

import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from prose_cases import PUNCTUATION, Mark, Marked, Pair, Word, words

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff


class Drawn(NamedTuple):
    """Output of a diff: whether each character of both texts is marked, and the number of hunks. `line_hunks` is the
    number of hunks of a diff by line."""

    old: Sequence[bool]
    new: Sequence[bool]
    hunks: int
    line_hunks: int = 0


Differ = Callable[[str, str], Drawn]


class Score(NamedTuple):
    """The numbers of words that are marked by hand and by the diff, in both texts, and the words that the diff missed.

    `hunks` and `line_hunks` count the decisions that a diff asks for, `edits` the decisions of the reader; all three
    are 0 if the reader's decisions were not recorded. `islands` counts groups of one or two unmarked words between
    marked words of a line, `cut` counts words with only some letters marked. For wrapped pairs, `outside` is
    the number of marked words outside the wrapper, and `bare` the number of words marked when the answer is compared
    without its wrapper.
    """

    by_hand: int
    marked: int
    missed: tuple[str, ...] = ()
    hunks: int = 0
    line_hunks: int = 0
    edits: int = 0
    islands: int = 0
    cut: int = 0
    outside: int = 0
    bare: int = 0

    @property
    def ratio(self) -> float:
        return self.marked / self.by_hand if self.by_hand else 1.0 if not self.marked else float("inf")


def total(scores: Iterable[Score]) -> Score:
    """Sum of scores, field by field."""
    columns = list(zip(*scores, strict=True))
    return Score(
        *(sum(column, () if name == "missed" else 0) for name, column in zip(Score._fields, columns, strict=True))
    )


def kinds(pair: Pair) -> set[str]:
    """Categories of a pair. A pair is "surgical" or "heavy"; a heavy pair may also be "wrapped" or "restyled"."""
    if pair.name[0] < "e":
        return {"surgical"}
    is_restyled = any(word in pair.name for word in _RESTYLED)
    return {"heavy", *(["restyled"] if is_restyled else []), *(["wrapped"] if is_wrapped(pair) else [])}


_RESTYLED = ("restyled", "quotes", "bullets", "emphasis", "plain", "crlf", "setext", "flattened")


def is_wrapped(pair: Pair) -> bool:
    """Whether the proposed prompt has a wrapper, such as a fence or a preamble."""
    return "wrapper" in pair.proposed.marks


def score(pair: Pair, differ: Differ) -> Score:
    """Run a diff on a pair and score the words that the diff marks."""
    drawn = differ(pair.sent.text, pair.proposed.text)
    old, new = marked_words(pair.sent.words, drawn.old), marked_words(pair.proposed.words, drawn.new)
    sides = ((pair.sent, old, drawn.old, "−"), (pair.proposed, new, drawn.new, "+"))
    outside = bare = 0
    if is_wrapped(pair):
        alone = differ(pair.sent.text, pair.proposed.bare)
        bare = sum(marked_words(pair.sent.words, alone.old)) + sum(marked_words(words(pair.proposed.bare), alone.new))
        outside = sum(old) + sum(flag for flag, mark in zip(new, pair.proposed.marks, strict=True) if mark != "wrapper")
    missed = tuple(
        f"{sign}{word.text}"
        for side, flags, _, sign in sides
        for word, wanted, flag in zip(side.words, side.marks, flags, strict=True)
        if _by_hand(wanted) and not flag
    )
    return Score(
        pair.changed,
        sum(old) + sum(new),
        missed,
        drawn.hunks if pair.edits else 0,
        drawn.line_hunks if pair.edits else 0,
        len(pair.edits),
        sum(_islands(side, flags) for side, flags, _, _ in sides),
        sum(_is_cut(word, letters) for side, _, letters, _ in sides for word in side.words),
        outside,
        bare,
    )


def islands_by_hand(pair: Pair) -> int:
    """Number of islands (see `Score`) in the marks made by hand."""
    return sum(_islands(side, [*map(_by_hand, side.marks)]) for side in (pair.sent, pair.proposed))


def _islands(side: Marked, flags: Sequence[bool]) -> int:
    at, count = 0, 0
    for is_marked, group in groupby(flags):
        length = len(list(group))
        if not is_marked and length <= 2 and 0 < at < len(flags) - length:
            count += "\n" not in side.text[side.words[at - 1].end : side.words[at + length].start]
        at += length
    return count


def _is_cut(word: Word, letters: Sequence[bool]) -> bool:
    return (
        len({flag for letter, flag in zip(word.text, letters[word.start : word.end], strict=True) if letter.isalnum()})
        > 1
    )


def prose_diff(old: str, new: str) -> Drawn:
    """Run the prose diff; changes of formatting are not marked."""
    diff = compare(old, new)
    return Drawn(*changed_letters(diff), len(diff.hunks))


def git_diff(old: str, new: str) -> Drawn:
    """Run `git diff --word-diff`. Hunks are runs of changed words; `line_hunks` are the hunks of `git diff -U0`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("old", old), ("new", new)):
            (Path(folder) / name).write_bytes(text.encode("utf-8"))

        def printed(*asked: str) -> str:
            command = ["git", "diff", "--no-index", "--no-color", *asked, "old", "new"]
            return subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout.decode("utf-8")

        worded, lines = printed("--word-diff=porcelain", "-U100000"), printed("-U0")
    body = worded.split("\n@@", 1)[-1].split("\n")[1:] if "\n@@" in worded else []
    flags = []
    for text, sign in ((old, "-"), (new, "+")):
        found, at = [False] * len(text), 0
        for line in body:
            for word in line[1:].split() if line[:1] in (" ", sign) else ():
                start = text.index(word, at)
                at = start + len(word)
                found[start:at] = [line[0] == sign] * len(word)
        flags.append(found)
    runs = groupby(line[0] for line in body if line[:1] in ("-", "+", " "))
    merged = [sign for sign, _ in groupby(sign == " " for sign, _ in runs)]
    return Drawn(*flags, merged.count(False), lines.count("\n@@ "))


def match_patch_diff(old: str, new: str) -> Drawn:
    """Run diff-match-patch with the usual clean-up, `diff_cleanupSemantic`; hunks are runs of changes."""
    try:
        from diff_match_patch import diff_match_patch
    except ModuleNotFoundError:
        raise SystemExit("diff-match-patch is not installed. Install it with: pip install -e '.[dev]'") from None
    differ = diff_match_patch()
    found = differ.diff_main(old, new)
    differ.diff_cleanupSemantic(found)
    sides = ([op != 0 for op, text in found if op != other for _ in text] for other in (1, -1))
    return Drawn(*sides, sum(changed for changed, _ in groupby(op != 0 for op, _ in found)))


def changed_letters(diff: ProseDiff) -> tuple[list[bool], list[bool]]:
    """Whether each character of both texts is drawn as removed or added; changes of formatting do not count."""
    aways: dict[tuple[int, str], list[int]] = defaultdict(list)
    at = 0
    for piece in diff.pieces:
        if piece.moved == "away" and piece.hunk == piece.mover:
            aways[piece.hunk, piece.old].append(at)
        at += len(piece.old)
    old, new = [False] * len(diff.old), [False] * len(diff.new)
    at = to = 0
    for piece in diff.pieces:
        was = "".join(span.text for span in piece.spans if span.op != "ins")
        is_moved = piece.hunk == piece.mover and bool(piece.hunk)
        i, j = aways[piece.hunk, was].pop(0) if is_moved and piece.moved == "here" else at, to
        is_drawn = not piece.is_shown and (piece.old or piece.new) and not (is_moved and piece.moved == "away")
        for span in piece.spans if is_drawn else ():
            for flags, place, op in ((old, i, "del"), (new, j, "ins")):
                if span.op == op and not span.format:
                    flags[place : place + len(span.text)] = [True] * len(span.text)
            i += len(span.text) if span.op != "ins" else 0
            j += len(span.text) if span.op != "del" else 0
        at, to = at + len(piece.old), to + len(piece.new)
    return old, new


def marked_words(found: Sequence[Word], changed: Sequence[bool]) -> list[bool]:
    """Whether each word is marked, apart from the punctuation around the word."""
    return [
        any(flag for letter, flag in zip(word.text, changed[word.start :], strict=False) if letter not in PUNCTUATION)
        for word in found
    ]


def in_context(pair: Pair, context: int = 4) -> Iterator[str]:
    """One line, with `context` words around, for each place where the marks of the diff and the reader differ. Words
    that the diff marks are in [brackets], words that the reader marked are in {braces}."""
    old, new = changed_letters(compare(pair.sent.text, pair.proposed.text))
    for sign, side, letters in (("−", pair.sent, old), ("+", pair.proposed, new)):
        flags = marked_words(side.words, letters)
        wrong = [n for n, mark in enumerate(side.marks) if _by_hand(mark) != flags[n]]
        for n, at in enumerate(wrong):
            if n and at - wrong[n - 1] <= context:
                continue
            last = at
            for later in wrong[n + 1 :]:
                if later - last > context:
                    break
                last = later
            marked = []
            for k in range(max(at - context, 0), min(last + context + 1, len(flags))):
                word, mark = side.words[k].text, side.marks[k]
                marked.append(f"[{word}]" * flags[k] or word)
                if _by_hand(mark):
                    marked[-1] = f"{{{marked[-1]}}}"
            yield f"{sign} {' '.join(marked)}"


def _by_hand(mark: Mark) -> bool:
    return mark in ("changed", "wrapper")
