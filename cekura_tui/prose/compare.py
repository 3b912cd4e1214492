"""Two prompts compared: paragraphs and list items first, then sentences, then words; what moved is told as moved."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from cekura_tui.prose.align import Link, align
from cekura_tui.prose.diff import SHAPE, Hunk, Kind, Places, ProseDiff, Role, TextPiece, UnitStep, bind, group
from cekura_tui.prose.marks import structure
from cekura_tui.prose.units import Unit, begins, units_of
from cekura_tui.prose.words import WordSpan, quiet, tidy, word_count, word_spans

_LONGEST = 1_500_000
"""Characters of both texts that are compared by sentence and word; longer ones are compared by paragraph."""
_CELLS = 4_000_000
"""Pairs of words that are weighed in all. Both are about a second; what is counted is work, so that the same texts give
the same diff on every machine."""


def compare(old: str, new: str) -> ProseDiff:
    """The difference of a sent and a proposed prompt: the same for the same texts, always, in bounded time."""
    return _Comparison(old, new).diff()


class _Comparison:
    def __init__(self, old: str, new: str) -> None:
        closely = len(old) + len(new) <= _LONGEST
        self.coarse = "" if closely else "compared by paragraph: these texts are very long"
        self.old, self.old_tail = units_of(old, closely=closely)
        self.new, self.new_tail = units_of(new, closely=closely)
        self.links = align(self.old, self.new)
        self._moved_from = {link.c: link.a for link in self.links if link.move}
        self._cells = _CELLS

    def diff(self) -> ProseDiff:
        steps = list(self._steps())
        pieces = [self._piece(step) for step in steps]
        if self.old_tail or self.new_tail:
            same = self.old_tail == self.new_tail
            steps.append(UnitStep("same" if same else "layout", range(0), range(0)))
            pieces.append(TextPiece(self.old_tail, self.new_tail, 0, tuple(_replaced(self.old_tail, self.new_tail))))
        group(self.old, self.new, steps, pieces)
        bind(self.old, self.new, steps)
        return _numbered(self, steps, pieces)

    # The order of reading

    def _steps(self) -> Iterator[UnitStep]:
        here = {j: link for link in self.links if link.move for j in range(link.c, link.d)}
        away = {i: link for link in self.links if link.move for i in range(link.a, link.b)}
        at = to = 0
        ends = Link(len(self.old), len(self.old), len(self.new), len(self.new))
        for link in [*(link for link in self.links if not link.move), ends]:
            yield from self._between(range(at, link.a), range(to, link.c), away, here)
            if link.b > link.a:
                yield from self._versions(range(link.a, link.b), range(link.c, link.d))
            at, to = link.b, link.d

    def _versions(self, olds: range, news: range) -> Iterator[UnitStep]:
        old, new = self.old[olds.start : olds.stop], self.new[news.start : news.stop]
        bare = structure(old[0].gap) != structure(new[0].gap)
        if bare:
            yield UnitStep("structure", olds, news)
        if _whole(old, bare) == _whole(new, bare):
            role: Role = "same"
        elif len(old) == len(new) and [unit.words for unit in old] == [unit.words for unit in new]:
            role = "layout"
        else:
            role = "changed"
        yield UnitStep(role, olds, news, bare=bare)

    def _between(self, olds: range, news: range, away: dict[int, Link], here: dict[int, Link]) -> Iterator[UnitStep]:
        """What went, came or moved between two links. What came in the place of what went is one step with it."""
        gone = [i for i in olds if i not in away]
        come = [j for j in news if j not in here]
        instead = {
            i: j for i, j in zip(gone, come, strict=False) if self._starts(self.old, i) == self._starts(self.new, j)
        }
        replacing = set(instead.values())
        to = news.start
        for i in olds:
            if i in instead:
                yield from self._coming(range(to, instead[i]), here)
                yield UnitStep("instead", range(i, i + 1), range(instead[i], instead[i] + 1))
                to = instead[i] + 1
                continue
            if begins(self.old, i):
                # What goes on within a line stands before what goes, or that, kept, would be the line it goes on in.
                start = to
                while to < news.stop and to not in replacing and not begins(self.new, to):
                    to += 1
                yield from self._coming(range(start, to), here)
            moves = i in away
            yield UnitStep("away" if moves else "gone", range(i, i + 1), range(0), away[i].move if moves else 0)
        yield from self._coming(range(to, news.stop), here)

    @staticmethod
    def _coming(news: range, here: dict[int, Link]) -> Iterator[UnitStep]:
        for j in news:
            yield (
                UnitStep("here", range(0), range(j, j + 1), here[j].move)
                if j in here
                else UnitStep("come", range(0), range(j, j + 1))
            )

    @staticmethod
    def _starts(units: Sequence[Unit], n: int) -> tuple[str, bool]:
        return units[n].kind, begins(units, n)

    # Pieces

    def _piece(self, step: UnitStep) -> TextPiece:
        old, new = self.old[step.olds.start : step.olds.stop], self.new[step.news.start : step.news.stop]
        if step.role == "structure":
            return TextPiece(old[0].gap, new[0].gap, 0, tuple(_replaced(old[0].gap, new[0].gap)))
        one, other = _whole(old, step.bare), _whole(new, step.bare)
        if step.role == "same":
            return TextPiece(one, other)
        if step.role in ("gone", "come", "instead"):
            return TextPiece(one, other, 0, tuple(tidy([WordSpan("del", one), WordSpan("ins", other)])))
        if step.role == "away":
            return TextPiece(one, "", moved="away")
        if step.role == "here":
            was = self.old[self._moved_from[step.news.start]]
            return TextPiece("", other, 0, self._spans([was], new, bare=False), "here")
        return TextPiece(one, other, 0, self._spans(old, new, bare=step.bare))

    def words(self, step: UnitStep, piece: TextPiece, op: Literal["del", "ins"]) -> int:
        """How many words of a piece went or came; the number of a list item is none."""
        if step.role in ("layout", "structure"):
            return 0
        words = sum(word_count(span.text) for span in quiet(piece.spans) if span.op == op)
        units = [self.new[n] for n in step.news] if op == "ins" else [self.old[n] for n in step.olds]
        if step.role == "here" and op == "del":
            units = [self.old[self._moved_from[step.news.start]]]
        if step.role in ("gone", "come", "instead") or (step.role == "here" and self._other_structure(step)):
            words -= sum(word_count(unit.gap) for unit in units)
        return words

    def _other_structure(self, step: UnitStep) -> bool:
        was = self.old[self._moved_from[step.news.start]]
        return structure(was.gap) != structure(self.new[step.news.start].gap)

    def _spans(self, old: Sequence[Unit], new: Sequence[Unit], *, bare: bool) -> tuple[WordSpan, ...]:
        """The gap in both versions, then the words."""
        gap = [] if bare else _replaced(old[0].gap, new[0].gap)
        one, other = _whole(old, bare=True), _whole(new, bare=True)
        cells = 0 if one == other else len(one.split()) * len(other.split())
        closely = cells <= self._cells
        if closely:
            self._cells -= cells
        elif not self.coarse:
            self.coarse = "compared less closely in part: these texts are long and differ throughout"
        return tuple(tidy([*gap, *word_spans(one, other, closely=closely)]))


def _replaced(old: str, new: str) -> list[WordSpan]:
    return [WordSpan("same", old)] if old == new else [WordSpan("del", old), WordSpan("ins", new)]


def _whole(units: Sequence[Unit], bare: bool = False) -> str:
    text = "".join(unit.gap + unit.text for unit in units)
    return text[len(units[0].gap) :] if bare else text


def _numbered(comparison: _Comparison, steps: list[UnitStep], pieces: list[TextPiece]) -> ProseDiff:
    """The diff with its hunks in reading order."""
    of_hunk: dict[int, list[int]] = defaultdict(list)
    for n, step in enumerate(steps):
        if step.hunk:
            of_hunk[step.hunk].append(n)
    mains = {hunk: max(parts, key=lambda n: (_distinctness(pieces[n]), -n)) for hunk, parts in of_hunk.items()}
    order = {hunk: number for number, hunk in enumerate(sorted(of_hunk, key=lambda hunk: mains[hunk]), 1)}
    pieces = [replace(piece, hunk=order.get(step.hunk, 0)) for step, piece in zip(steps, pieces, strict=True)]
    places, lines = Places(comparison.old, comparison.new), _lines(comparison, steps)
    left: dict[int, UnitStep] = {step.move: step for step in reversed(steps) if step.role == "away"}
    reached: dict[int, UnitStep] = {step.move: step for step in reversed(steps) if step.role == "here"}
    for n, step in enumerate(steps):
        if step.move:
            other = (reached if step.role == "away" else left)[step.move]
            pieces[n] = replace(pieces[n], elsewhere=places.of(other.olds, other.news))
    seen: Counter[tuple[str, str]] = Counter()
    hunks = []
    for hunk, number in order.items():
        parts, main = of_hunk[hunk], mains[hunk]
        old, new = "".join(pieces[n].old for n in parts), "".join(pieces[n].new for n in parts)
        seen[old, new] += 1
        key = hashlib.sha256(f"{old}\0{new}\0{seen[old, new]}".encode("utf-8", "surrogatepass")).hexdigest()[:20]
        kind, note = _kind([steps[n] for n in parts], [pieces[n] for n in parts])
        step = steps[main]
        place = places.of(step.olds, step.news)
        if kind == "moved":
            away, came = left[step.move], pieces[main].elsewhere
            is_section = comparison.old[away.olds.start].kind == "heading"
            note = f"from {_short(came, place)}" if came != place else "within it"
            if came == place and is_section:
                note = "up" if any(one is away for one in steps[main:]) else "down"
        if kind == "moved":  # what stands beside it and moves up is not what is told of it
            old = "".join(pieces[n].old for n in parts if pieces[n].moved)
            new = "".join(pieces[n].new for n in parts if pieces[n].moved)
        hunks.append(
            Hunk(
                number,
                kind,
                place,
                sum(comparison.words(steps[n], pieces[n], "del") for n in parts),
                sum(comparison.words(steps[n], pieces[n], "ins") for n in parts),
                old.strip(),
                new.strip(),
                lines[parts[0]],
                note,
                key,
                main,
            )
        )
    return ProseDiff(tuple(pieces), tuple(sorted(hunks, key=lambda one: one.number)), comparison.coarse)


def _short(came: str, place: str) -> str:
    """Where something came from: "rule 6", where that is in the section where it is now."""
    section, sign, rest = came.rpartition(" › ")
    return rest if sign and place.startswith(f"{section}{sign}") else came


def _distinctness(piece: TextPiece) -> int:
    """How much of a hunk a piece is: where a moved passage arrives, else where the words change."""
    if piece.moved:
        return 2 if piece.moved == "here" else 0
    return 1 if any(word_count(span.text) for span in piece.spans if span.op != "same") else 0


def _kind(steps: list[UnitStep], pieces: list[TextPiece]) -> tuple[Kind, str]:
    roles = {step.role for step in steps}
    if "here" in roles:
        return "moved", ""
    if roles == {"layout"}:
        return "layout", _layout_note(pieces)
    if roles <= {"structure", "layout"}:
        return "changed", SHAPE
    if not any(word_count(span.text) for piece in pieces for span in quiet(piece.spans) if span.op != "same"):
        return "changed", "marks only"
    if roles <= {"gone", "layout", "structure"}:
        return "removed", ""
    return ("added", "") if roles <= {"come", "layout", "structure"} else ("changed", "")


def _layout_note(pieces: list[TextPiece]) -> str:
    old, new = "".join(piece.old for piece in pieces), "".join(piece.new for piece in pieces)
    if old.replace("\r\n", "\n") == new.replace("\r\n", "\n"):
        return "line ends only"
    if old.split() != new.split():
        return "list marks only"
    return "white space only"


def _lines(comparison: _Comparison, steps: Sequence[UnitStep]) -> list[int]:
    """For every step the line of the sent text where it stands, or would stand."""
    line = comparison.old[-1].line if comparison.old else 1
    lines = []
    for step in reversed(steps):
        line = comparison.old[step.olds.start].line if step.olds else line
        lines.append(line)
    return lines[::-1]
