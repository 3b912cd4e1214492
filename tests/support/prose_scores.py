"""How a diff of two prompts marks words, against the marks that a reader made by hand (`prose_cases`)."""

from __future__ import annotations

import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from prose_cases import Mark, Pair, Word

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff


class Score(NamedTuple):
    """Words of both texts: those that a reader marked as changed, those that were marked, those that were missed."""

    by_hand: int
    marked: int
    missed: tuple[str, ...]

    @property
    def ratio(self) -> float:
        return self.marked / self.by_hand if self.by_hand else 1.0 if not self.marked else float("inf")


def ours(pair: Pair) -> Score:
    """The score of the prose diff."""
    diff = compare(pair.sent.text, pair.proposed.text)
    old, new = changed_letters(diff)
    return _score(pair, _marks(pair.sent.words, old), _marks(pair.proposed.words, new))


def of_git(pair: Pair) -> Score:
    """The score of `git diff --word-diff`, whose whitespace-separated words are the words here."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("sent", "proposed")
        for name, side in zip(names, (pair.sent, pair.proposed), strict=True):
            (Path(folder) / name).write_bytes(side.text.encode("utf-8"))
        asked = ["git", "diff", "--no-index", "--word-diff=porcelain", "--no-color", "-U100000", *names]
        printed = subprocess.run(asked, cwd=folder, capture_output=True, check=False).stdout.decode("utf-8")
    body = printed.split("\n@@", 1)[-1].split("\n")[1:] if "\n@@" in printed else []
    marks = []
    for side, sign in ((pair.sent, "-"), (pair.proposed, "+")):
        tokens = [(word, line[0] == sign) for line in body if line[:1] in (" ", sign) for word in line[1:].split()]
        marks.append(_in_order(side.words, tokens))
    return _score(pair, *marks)


def _in_order(wanted: Sequence[Word], tokens: Sequence[tuple[str, bool]]) -> list[bool]:
    """The flags of the words; tokens that are no words here, as the number of a list item, are passed over."""
    left = iter(tokens)
    found = []
    for word in wanted:
        # A token may be several words here, each of one letter, where a script has no spaces.
        flag = next((flag for token, flag in left if word.text in token), False)
        found.append(flag)
    return found


def changed_letters(diff: ProseDiff) -> tuple[list[bool], list[bool]]:
    """For every character of both texts whether it is drawn as gone, or as come."""
    aways: dict[tuple[int, str], list[int]] = defaultdict(list)
    at = 0
    for piece in diff.pieces:
        if piece.moved == "away":
            aways[piece.hunk, piece.old].append(at)
        at += len(piece.old)
    old, new = [False] * len(diff.old), [False] * len(diff.new)
    at = to = 0
    for piece in diff.pieces:
        was = "".join(span.text for span in piece.spans if span.op != "ins")
        start = aways[piece.hunk, was].pop(0) if piece.moved == "here" else at
        i, j = start, to
        for span in piece.spans:
            for flags, place, op in ((old, i, "del"), (new, j, "ins")):
                if span.op == op:
                    flags[place : place + len(span.text)] = [True] * len(span.text)
            i += len(span.text) if span.op != "ins" else 0
            j += len(span.text) if span.op != "del" else 0
        at, to = at + len(piece.old), to + len(piece.new)
    return old, new


def _marks(found: Sequence[Word], changed: Sequence[bool]) -> list[bool]:
    return [any(changed[word.start : word.end]) for word in found]


def _score(pair: Pair, old: Sequence[bool], new: Sequence[bool]) -> Score:
    sides = ((pair.sent, old, "−"), (pair.proposed, new, "+"))
    missed = tuple(
        f"{sign}{word.text}"
        for side, flags, sign in sides
        for word, wanted, flag in zip(side.words, side.marks, flags, strict=True)
        if wanted == "changed" and not flag
    )
    return Score(pair.changed, sum(old) + sum(new), missed)


def in_context(pair: Pair, context: int = 4) -> Iterator[str]:
    """Where the marks of the diff and of the reader differ, one line each: [ours] and {the reader's}."""
    old, new = changed_letters(compare(pair.sent.text, pair.proposed.text))
    for sign, side, letters in (("−", pair.sent, old), ("+", pair.proposed, new)):
        flags = _marks(side.words, letters)
        wrong = [n for n, mark in enumerate(side.marks) if (mark == "changed") != flags[n]]
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
    return mark == "changed"
