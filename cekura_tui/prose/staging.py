"""Accept, reject or edit the hunks of a suggestion, and build the text that results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import Prompt
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.numbers import renumbered
from cekura_tui.prose.words import WordSpan, word_spans


@dataclass(frozen=True, slots=True)
class HunkChoice:
    """The decision about a hunk; `text` is the edited passage, for "edited" only."""

    what: Literal["accepted", "rejected", "edited"]
    text: str = ""


Choices = Mapping[int, HunkChoice]
"""Choices by hunk number; an undecided hunk is not applied."""


def staged(diff: ProseDiff, choices: Choices) -> Prompt:
    """The sent text with the accepted and edited hunks applied and its lists renumbered. All hunks accepted give the
    proposed text, none accepted the sent one, to the byte."""
    texts = ["".join(span.text for span in spans if span.op != "del") for spans in staged_spans(diff, choices)]
    return Prompt(with_numbers(diff, texts, choices))


def with_numbers(diff: ProseDiff, texts: Sequence[str], choices: Choices | None = None) -> str:
    """Join the texts of the pieces and renumber the lists. The wrapper around an answer is not renumbered. Numbers
    typed into edited hunks count as a source, too."""
    if not diff.is_compared:
        return "".join(texts)
    typed = [choice.text for choice in (choices or {}).values() if choice.what == "edited"]
    around = [bool(piece.hunk) and diff.hunks[piece.hunk - 1].kind == "wrapper" for piece in diff.pieces]
    bare = "".join(text for text, is_around in zip(texts, around, strict=True) if not is_around)
    proposed = "".join(piece.new for piece, is_around in zip(diff.pieces, around, strict=True) if not is_around)
    numbered = renumbered(bare, diff.old, proposed, *typed)
    behind = max((n for n, is_around in enumerate(around) if is_around and n), default=len(texts))
    end = len(numbered) - sum(map(len, texts[behind + 1 :]))
    before = texts[0] if around[:1] == [True] else ""
    return before + numbered[:end] + (texts[behind] if behind < len(texts) else "") + numbered[end:]


def staged_spans(diff: ProseDiff, choices: Choices) -> Iterator[Sequence[WordSpan]]:
    """Yield the spans of each piece in the staged text, before lists are renumbered."""
    edited = {diff.hunks[number - 1].main: choice.text for number, choice in choices.items() if choice.what == "edited"}

    taken = _taken(choices)
    for index, piece in enumerate(diff.pieces):
        if index in edited:
            now = piece.text(taken)
            yield word_spans(piece.old, reworded(now if piece.new else piece.old, edited[index]), exactly=True)
        else:
            yield piece.staged_spans(taken)


def _taken(choices: Choices) -> Callable[[int], bool]:
    return lambda hunk: hunk in choices and choices[hunk].what != "rejected"


def reworded(passage: str, text: str) -> str:
    """Replace the words of a passage by `text` and keep the white space around them; empty if `text` is blank."""
    bare, typed = passage.strip(), text.strip()
    if not typed:
        return ""
    if bare:
        start = len(passage) - len(passage.lstrip())
        return passage[:start] + typed + passage[start + len(bare) :]
    # Only white space is left here: put the text on a line of its own.
    start = passage.find("\n") + 1 or len(passage)
    return passage[:start] + typed + (passage[start:] or ("\n" if "\n" in passage else ""))


@dataclass(frozen=True, slots=True)
class Wording:
    """The main passage of a hunk in both versions, without surrounding white space, to be edited. `others` counts
    the hunk's further places, such as the renumbered rules after a `moved` one; they are accepted as proposed."""

    sent: str
    proposed: str
    others: int = 0
    moved: bool = False
    line_end: str = "\n"

    @property
    def begin(self) -> str:
        return self.proposed or self.sent

    def choice(self, typed: str) -> HunkChoice:
        """The choice that a typed text means: accepted if it is the proposed passage, rejected if it is the sent one
        and the hunk has no other places, else edited, with the line ends of the passage."""
        bare = typed.strip()
        if bare == self.proposed:
            return HunkChoice("accepted")
        if bare == self.sent and not (self.others or self.moved):
            return HunkChoice("rejected")
        return HunkChoice("edited", typed.replace("\r\n", "\n").replace("\n", self.line_end))


def wording(diff: ProseDiff, hunk: Hunk, choices: Choices | None = None) -> Wording:
    """The text of a hunk to edit, formatted according to `choices`; not for layout hunks."""
    main = diff.pieces[hunk.main]
    parts = [piece for piece in diff.pieces if piece.hunk == hunk.number]
    away = [piece for piece in parts if piece.moved == "away"]
    taken = _taken({**(choices or {}), hunk.number: HunkChoice("accepted")})
    text = main.new or main.old
    return Wording(
        ("".join(piece.old for piece in away) if main.moved else main.old).strip(),
        main.text(taken).strip(),
        len(parts) - len(away) - 1,
        bool(main.moved),
        "\r\n" if "\r\n" in (text if "\n" in text else diff.new) else "\n",
    )
