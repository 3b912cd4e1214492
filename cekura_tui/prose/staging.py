"""Accept, reject or edit the hunks of a suggestion, and build the text that results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import Prompt
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.formatting import without_marks
from cekura_tui.prose.numbers import renumbered
from cekura_tui.prose.words import WordSpan, word_spans


@dataclass(frozen=True, slots=True)
class HunkChoice:
    """A decision about a hunk. `text` is the edited passage if the hunk is "edited", else ""."""

    what: Literal["accepted", "rejected", "edited"]
    text: str = ""


Choices = Mapping[int, HunkChoice]
"""Choices by hunk number; an undecided hunk is not applied."""


def staged(diff: ProseDiff, choices: Choices) -> Prompt:
    """The sent text with accepted and edited hunks applied and lists renumbered. If all hunks are accepted, this is
    exactly the proposed text; if none is applied, exactly the sent text."""
    texts = ["".join(span.text for span in spans if span.op != "del") for spans in staged_spans(diff, choices)]
    return Prompt(with_numbers(diff, texts, choices))


def with_numbers(diff: ProseDiff, texts: Sequence[str], choices: Choices | None = None) -> str:
    """Join `texts`, one for each piece, and renumber the lists as in the sent text, the proposed text and the edited
    hunks. A wrapper around the answer is not renumbered, nor is a text that was not compared."""
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
    """Yield the spans of each piece with the choices applied. Lists are not renumbered yet."""
    taken = _taken(choices)
    edited: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for number in choices:
        for index, part, text in _edited_places(diff, number, choices):
            edited[index].append((part, text))
    for index, piece in enumerate(diff.pieces):
        if index in edited and piece.is_here(taken):
            now = piece.text(taken)
            yield word_spans(piece.old, _typed(now if now.strip() else piece.old, edited[index]), exactly=True)
        else:
            yield piece.staged_spans(taken)


def _typed(passage: str, edits: Sequence[tuple[str, str]]) -> str:
    """A passage with its edits. An edit without a part is of the whole passage, and the only one that counts."""
    for part, text in [edit for edit in edits if not edit[0]] or edits:
        is_whole = part not in passage or (not text.strip() and without_marks(passage) == part)
        passage = passage.replace(part, text, 1) if part and not is_whole else reworded(passage, text)
    return passage


def _edited_places(diff: ProseDiff, number: int, choices: Choices) -> Iterator[tuple[int, str, str]]:
    """The indexes of the pieces with the typed text of a hunk (of what moves, at both places), each with the part that
    it replaces, "" for the whole piece, and the typed text."""
    if choices[number].what == "edited":
        index = shown = diff.hunks[number - 1].main
        while diff.pieces[index].is_shown:
            index -= 1
        main, part = diff.pieces[index], ""
        if index != shown:
            spans = diff.pieces[shown].spans
            part = without_marks("".join(one.text for one in spans if one.op != ("ins" if one.format else "del")))
        for n, piece in enumerate(diff.pieces):
            if piece is main or (piece.mover not in (0, number) and piece.spans == main.spans):
                yield n, part, choices[number].text


def _taken(choices: Choices) -> Callable[[int], bool]:
    return lambda hunk: hunk in choices and choices[hunk].what != "rejected"


def reworded(passage: str, text: str) -> str:
    """Replace a passage by `text`, but keep the white space around the passage, and blanks typed at both ends of
    `text`; "" if `text` is blank. A blank passage gets the text on a line of its own."""
    bare = passage.strip()
    if not text.strip():
        return ""
    if bare:
        start = len(passage) - len(passage.lstrip())
        return passage[:start] + text + passage[start + len(bare) :]
    # Only white space is left here: put the text on a line of its own.
    start = passage.find("\n") + 1 or len(passage)
    return passage[:start] + text + (passage[start:] or ("\n" if "\n" in passage else ""))


@dataclass(frozen=True, slots=True)
class Wording:
    """Both versions of a hunk's main passage, stripped, for editing. `others` is the number of its other places,
    accepted as proposed. `moved`: it was moved. `line_end` is the line end of the passage."""

    sent: str
    proposed: str
    others: int = 0
    moved: bool = False
    line_end: str = "\n"

    @property
    def begin(self) -> str:
        return self.proposed or self.sent

    def choice(self, typed: str) -> HunkChoice:
        """The choice that a typed text means: accepted for the proposed passage, rejected for the sent one (if it has
        no other places and did not move), else edited, with the line ends of the passage."""
        text = typed if typed.strip() else ""
        if text == self.proposed:
            return HunkChoice("accepted")
        if text == self.sent and not (self.others or self.moved):
            return HunkChoice("rejected")
        return HunkChoice("edited", typed.replace("\r\n", "\n").replace("\n", self.line_end))


def wording(diff: ProseDiff, hunk: Hunk) -> Wording:
    """A hunk's passage for editing, with the formatting of the sent text; not for layout hunks."""
    main = diff.pieces[hunk.main]
    parts = [piece for piece in diff.pieces if piece.hunk == hunk.number and piece.moved != "away"]
    here = {hunk.number, main.mover or hunk.number}
    text = main.new or main.old
    sent, proposed = ("".join(span.text for span in main.spans if span.op != op) for op in ("ins", "del"))
    return Wording(
        without_marks(sent) if main.is_shown else (sent if main.mover else main.old).strip(),
        without_marks(proposed) if main.is_shown else main.text(here.__contains__).strip(),
        len(parts) - 1,
        hunk.number == main.mover,
        "\r\n" if "\r\n" in (text if "\n" in text else diff.new) else "\n",
    )
