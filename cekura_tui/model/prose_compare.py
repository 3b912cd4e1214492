"""Two prompts compared: paragraphs and list items first, then sentences, then words; what moved is told as moved."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cekura_tui.model.prose_align import Link, align
from cekura_tui.model.prose_diff import Hunk, Kind, Piece, ProseDiff
from cekura_tui.model.prose_places import Places
from cekura_tui.model.prose_units import Unit, units_of
from cekura_tui.model.prose_words import Span, quiet, structure, tidy, word_count, word_spans

_ROLES = ("same", "layout", "changed", "gone", "come", "away", "here")


def compare(old: str, new: str) -> ProseDiff:
    """The difference of a sent and a proposed prompt: the same for the same texts, always, in bounded time."""
    return _Comparison(old, new).diff()


@dataclass(slots=True)
class _Step:
    """Some units of both texts, in the order in which they are read; `hunk` is given later."""

    role: str
    olds: range
    news: range
    move: int = 0
    hunk: int = 0


class _Comparison:
    def __init__(self, old: str, new: str) -> None:
        self.old, self.old_tail = units_of(old)
        self.new, self.new_tail = units_of(new)
        self.links = align(self.old, self.new)
        self.moves: dict[int, tuple[range, range]] = {}

    def diff(self) -> ProseDiff:
        steps = list(self._steps())
        pieces = [self._piece(step) for step in steps]
        if self.old_tail or self.new_tail:
            same = self.old_tail == self.new_tail
            steps.append(_Step("same" if same else "layout", range(0), range(0)))
            pieces.append(Piece(self.old_tail, self.new_tail, 0, tuple(_replaced(self.old_tail, self.new_tail))))
        groups = _grouped(self, steps, pieces)
        return _numbered(self, steps, pieces, groups)

    # The order of reading

    def _steps(self) -> Iterator[_Step]:
        here = {j: link for link in self.links if link.move for j in range(link.c, link.d)}
        away = {i: link for link in self.links if link.move for i in range(link.a, link.b)}
        at = to = 0
        ends = Link(len(self.old), len(self.old), len(self.new), len(self.new))
        for link in [*(link for link in self.links if not link.move), ends]:
            yield from self._between(range(at, link.a), range(to, link.c), away, here)
            if link.b > link.a:
                yield _Step(self._role(link), range(link.a, link.b), range(link.c, link.d))
            at, to = link.b, link.d

    def _role(self, link: Link) -> str:
        old, new = _whole(self.old[link.a : link.b]), _whole(self.new[link.c : link.d])
        if old == new:
            return "same"
        same = [word for unit in self.old[link.a : link.b] for word in unit.words] == [
            word for unit in self.new[link.c : link.d] for word in unit.words
        ]
        alike = structure(self.old[link.a].gap) == structure(self.new[link.c].gap)
        return "layout" if same and alike and link.b - link.a == link.d - link.c else "changed"

    def _between(
        self, olds: range, news: range, away: dict[int, Link], here: dict[int, Link]
    ) -> Iterator[_Step]:
        """What went, came or moved between two links. What came in the place of what went is one step with it."""
        gone = [i for i in olds if i not in away]
        come = [j for j in news if j not in here]
        instead = {
            i: j for i, j in zip(gone, come, strict=False) if self._starts(self.old, i) == self._starts(self.new, j)
        }
        to = news.start
        for i in olds:
            if i in instead:
                yield from self._coming(range(to, instead[i]), here)
                yield _Step("changed", range(i, i + 1), range(instead[i], instead[i] + 1), move=-1)
                to = instead[i] + 1
            elif i in away:
                yield _Step("away", range(i, i + 1), range(0), away[i].move)
            else:
                yield _Step("gone", range(i, i + 1), range(0))
        yield from self._coming(range(to, news.stop), here)

    @staticmethod
    def _coming(news: range, here: dict[int, Link]) -> Iterator[_Step]:
        for j in news:
            yield _Step("here", range(0), range(j, j + 1), here[j].move) if j in here else _Step(
                "come", range(0), range(j, j + 1)
            )

    @staticmethod
    def _starts(units: Sequence[Unit], n: int) -> tuple[str, bool]:
        return units[n].kind, n == 0 or units[n - 1].block != units[n].block

    # Pieces

    def _piece(self, step: _Step) -> Piece:
        old, new = self.old[step.olds.start : step.olds.stop], self.new[step.news.start : step.news.stop]
        one, other = _whole(old), _whole(new)
        if step.role == "same":
            return Piece(one, other)
        if step.role == "gone" or step.role == "come" or step.move == -1:
            return Piece(one, other, 0, tuple(tidy([Span("del", one), Span("ins", other)])))
        if step.role == "away":
            return Piece(one, "", moved="away")
        if step.role == "here":
            link = next(link for link in self.links if link.move and link.c <= step.news.start < link.d)
            was = self.old[link.a]
            return Piece("", other, 0, _spans([was], new), "here")
        return Piece(one, other, 0, _spans(old, new))


def _spans(old: Sequence[Unit], new: Sequence[Unit]) -> tuple[Span, ...]:
    gap = _replaced(old[0].gap, new[0].gap)
    return tuple(tidy([*gap, *word_spans(_whole(old)[len(old[0].gap) :], _whole(new)[len(new[0].gap) :])]))


def _replaced(old: str, new: str) -> list[Span]:
    return [Span("same", old)] if old == new else [Span("del", old), Span("ins", new)]


def _whole(units: Sequence[Unit]) -> str:
    return "".join(unit.gap + unit.text for unit in units)


def _grouped(comparison: _Comparison, steps: list[_Step], pieces: list[Piece]) -> int:
    """Give every step that changes something the number of its hunk; returns how many there are."""
    count = 0
    moves: dict[int, int] = {}
    layout: tuple[int, int] | None = None  # its hunk and its section
    section = 0
    for n, (step, piece) in enumerate(zip(steps, pieces, strict=True)):
        if step.news and comparison.new[step.news.start].kind == "heading":
            section += 1
        before = steps[n - 1] if n else None
        if piece.old == piece.new and not piece.moved:
            continue
        if step.role == "layout":
            if before is not None and before.role in ("gone", "come", "away", "here") or _glued(piece, n, steps):
                step.hunk = before.hunk if before else 0
                if _glued(piece, n, steps):
                    _merge(steps, n)
                continue
            if layout is None or layout[1] != section:
                count += 1
                layout = count, section
            step.hunk = layout[0]
            continue
        if step.move > 0:
            if step.move not in moves:
                count += 1
                moves[step.move] = count
            step.hunk = moves[step.move]
        elif before is not None and before.hunk and _one_passage(comparison, before, step):
            step.hunk = before.hunk
        else:
            count += 1
            step.hunk = count
        if _glued(piece, n, steps):
            _merge(steps, n)
    return count


def _glued(piece: Piece, n: int, steps: list[_Step]) -> bool:
    """Whether text would be joined to the text before it, if this were taken and what changed before it were not."""
    if n == 0 or not piece.old or not piece.new:
        return False
    return piece.old[:1].isspace() != piece.new[:1].isspace()


def _merge(steps: list[_Step], n: int) -> None:
    """All that changed right before step n belongs to its hunk."""
    while n and steps[n - 1].hunk:
        if steps[n - 1].hunk != steps[n].hunk:
            was, now = steps[n - 1].hunk, steps[n].hunk
            for step in steps:
                if step.hunk == was:
                    step.hunk = now
        n -= 1


def _one_passage(comparison: _Comparison, before: _Step, step: _Step) -> bool:
    """Whether two steps beside one another are one change: sentences that went from, or came into, one paragraph."""
    kinds = {before.role if before.move != -1 else "instead", step.role if step.move != -1 else "instead"}
    if kinds - {"gone", "come", "instead"} or kinds == {"gone", "come"}:
        return False
    for units, one, other in (
        (comparison.old, before.olds, step.olds),
        (comparison.new, before.news, step.news),
    ):
        if one and other and units[one[-1]].block != units[other.start].block:
            return False
    return True


def _numbered(comparison: _Comparison, steps: list[_Step], pieces: list[Piece], count: int) -> ProseDiff:
    """The diff with its hunks in reading order."""
    of_hunk: dict[int, list[int]] = defaultdict(list)
    for n, step in enumerate(steps):
        if step.hunk:
            of_hunk[step.hunk].append(n)
    mains = {hunk: max(parts, key=lambda n: (_telling(pieces[n]), -n)) for hunk, parts in of_hunk.items()}
    order = {hunk: number for number, hunk in enumerate(sorted(of_hunk, key=lambda hunk: mains[hunk]), 1)}
    pieces = [replace(piece, hunk=order.get(step.hunk, 0)) for step, piece in zip(steps, pieces, strict=True)]
    places = Places(comparison.old, comparison.new)
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
        away = next((steps[n] for n in parts if steps[n].role == "away"), None)
        if kind == "moved" and away is not None:
            came = places.of(away.olds, range(0))
            note = f"from {came}" if came != place else "within it"
        spans = [span for n in parts if pieces[n].moved != "away" for span in quiet(pieces[n].spans)]
        told = old.strip() if kind != "moved" else "".join(pieces[n].old for n in parts if pieces[n].moved).strip()
        hunks.append(
            Hunk(
                number,
                kind,
                place,
                sum(word_count(span.text) for span in spans if span.op == "del"),
                sum(word_count(span.text) for span in spans if span.op == "ins"),
                told,
                new.strip(),
                _line(comparison, steps, parts[0]),
                note,
                key,
                main,
            )
        )
    return ProseDiff(tuple(pieces), tuple(sorted(hunks, key=lambda one: one.number)))


def _telling(piece: Piece) -> int:
    """How much of a hunk a piece is: where a moved passage arrives, else where the words change."""
    if piece.moved:
        return 2 if piece.moved == "here" else 0
    return 1 if any(word_count(span.text) for span in piece.spans if span.op != "same") else 0


def _kind(steps: list[_Step], pieces: list[Piece]) -> tuple[Kind, str]:
    roles = {step.role for step in steps}
    if "here" in roles:
        return "moved", ""
    if roles == {"layout"}:
        return "layout", _layout_note(pieces)
    if not any(word_count(span.text) for piece in pieces for span in quiet(piece.spans) if span.op != "same"):
        return "changed", "marks only"
    if roles <= {"gone", "layout"}:
        return "removed", ""
    return ("added", "") if roles <= {"come", "layout"} else ("changed", "")


def _layout_note(pieces: list[Piece]) -> str:
    old, new = "".join(piece.old for piece in pieces), "".join(piece.new for piece in pieces)
    if old.replace("\r\n", "\n") == new.replace("\r\n", "\n"):
        return "line ends only"
    if old.split() != new.split():
        return "list marks only"
    return "white space only"


def _line(comparison: _Comparison, steps: list[_Step], n: int) -> int:
    """The line of the sent text where a step stands, or would stand."""
    for step in steps[n:]:
        if step.olds:
            return comparison.old[step.olds.start].line
    return comparison.old[-1].line if comparison.old else 1
