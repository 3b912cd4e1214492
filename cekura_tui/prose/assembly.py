"""Turn compared steps into a diff: number the hunks, compute their keys and places, and join steps into pieces."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise

from cekura_tui.prose.diff import Hunk, Kind, ProseDiff, TextPiece
from cekura_tui.prose.formatting import UNSEEN, Format, breaks
from cekura_tui.prose.hunks import Step
from cekura_tui.prose.matching import Stop, stoppable
from cekura_tui.prose.numbers import renumbered
from cekura_tui.prose.units import Places
from cekura_tui.prose.words import WordSpan, has_half, word_count
from cekura_tui.prose.wrapper import Wrapper


@dataclass(slots=True)
class _HunkDraft:
    """A hunk without a number. `steps` are indexes of steps. A layout hunk has a `format`; its steps are those in which
    this format changes. `texts` are the old and the new text; `key`, `parts` and `whole` are as in Hunk."""

    steps: list[int]
    format: Format = ""
    texts: tuple[str, str] = ("", "")
    key: str = ""
    parts: tuple[str, ...] = ()
    whole: str = ""

    @property
    def is_folded(self) -> bool:
        """Whether this is a layout hunk of several places, or of invisible white space that was not split off."""
        return bool(self.format) and (bool(self.parts) or (not self.whole and self.format in UNSEEN))


@dataclass
class Assembly:
    """Builds the diff. `lines` has the line number of each step in the sent text. `titles` maps the step of an
    underline to the step of the heading above the underline."""

    steps: Sequence[Step]
    titles: Mapping[int, int]
    places: Places
    lines: Sequence[int]
    wrapper: Wrapper
    stop: Stop

    def diff(self, hunks: tuple[Sequence[int], Sequence[int]], split: AbstractSet[str]) -> ProseDiff:
        """Build the diff from the result of `hunks_of`; a hunk whose key is in `split` is split into its parts."""
        old, new = "".join(step.old for step in self.steps), "".join(step.new for step in self.steps)
        here = (step for step in self.steps if step.role not in ("away", "twin", "reworded"))
        if renumbered("".join(map(_with_old_numbers, here)), old, new) != new:
            for step in self.steps:  # the proposed numbers are not consecutive
                step.spans = [one._replace(format="numbers") if one.format == "follows" else one for one in step.spans]
        return self._numbered(hunks, split)

    def _numbered(self, hunks: tuple[Sequence[int], Sequence[int]], split: AbstractSet[str]) -> ProseDiff:
        """Build the diff with numbered hunks: the wrapper, hunks in reading order, then folded layout hunks."""
        whole, parts = map(self._drafts, hunks)
        drafts = [*self._with_splits(whole, parts, split), *self._layout_drafts(split)]
        groups = self._piece_groups({n: draft.key for draft in drafts if not draft.format for n in draft.steps})
        at = {n: index for index, group in enumerate(groups) for n in group}
        mains = {draft.key: self._main_piece(draft, groups, at) for draft in drafts}
        drafts.sort(key=lambda draft: (draft.is_folded, mains[draft.key], not draft.format))
        numbers = {draft.key: number for number, draft in enumerate(drafts, 2 if self.wrapper.note else 1)}
        layout = {(one.format, n): numbers[one.key] for one in drafts for n in one.steps}
        worded = {n: numbers[draft.key] for draft in drafts if not draft.format for n in draft.steps}
        self._movers = {step.move: worded[n] for n, step in enumerate(self.steps) if step.move}
        self._index = {step: n for n, step in enumerate(self.steps)}
        self._ends = {(step.role, step.move): step for step in reversed(self.steps) if step.move}
        pieces = [self._text_piece(group, worded, layout) for group in stoppable(self.stop, groups, 512)]
        found = [self._hunk(one, numbers[one.key], mains[one.key], pieces, at) for one in stoppable(self.stop, drafts)]
        return self._with_wrapper(pieces, found)

    def _piece_groups(self, hunks: Mapping[int, str]) -> list[list[int]]:
        """Group adjacent steps of one hunk; each group becomes a piece. Steps of a move are grouped only if they are
        adjacent at both the old and the new place. `hunks` maps each step of a worded hunk to the key of the hunk."""
        groups: list[list[int]] = []
        moved: dict[int, list[int]] = defaultdict(list)
        for n, step in enumerate(self.steps):
            if step.move:
                moved[step.move].append(n)
        whole = {move for move, ns in moved.items() if sum(m - n > 1 for n, m in pairwise(ns)) == 1}
        for n, step in enumerate(self.steps):
            hunk, before = hunks.get(n), self.steps[n - 1]
            is_one = bool(groups) and hunks.get(n - 1) == hunk and (before.move, before.side) == (step.move, step.side)
            is_one = is_one and (before.role == "reworded") == (step.role == "reworded")
            if hunk and is_one and (not step.side or step.move in whole):
                groups[-1].append(n)
            else:
                groups.append([n])
        return groups

    def _main_piece(self, draft: _HunkDraft, groups: Sequence[Sequence[int]], at: Mapping[int, int]) -> int:
        """Index of the main piece: the first place of a layout hunk, the new one of a move, or the most changed."""
        if draft.format:
            return at[draft.steps[0]]
        weights: Counter[int] = Counter()
        for n in draft.steps:
            here = 1_000_000 if self.steps[n].role == "here" else 0
            weights[at[n]] += here + self.steps[n].removed + self.steps[n].added
        return max(weights, key=lambda index: (weights[index], -index))

    def _text_piece(
        self, group: Sequence[int], worded: Mapping[int, int], layout: Mapping[tuple[Format, int], int]
    ) -> TextPiece:
        old, new = ("".join(getattr(self.steps[n], side) for n in group) for side in ("old", "new"))
        spans: list[WordSpan] = []
        cuts: list[int] = []
        for n in group:
            if spans and not self.steps[n].continues:
                cuts.append(len(spans))
            spans += self._numbered_spans(n, worded, layout)
        step, hunk = self.steps[group[0]], worded.get(group[0], 0)
        mover = self._movers.get(step.move or step.within, 0)
        if step.within and mover == hunk:  # it comes and goes with the passage
            piece = TextPiece(old, new, hunk, tuple(spans), cuts=tuple(cuts))
            return TextPiece(old, new) if step.role == "twin" else piece
        is_shown = step.role == "reworded"
        return TextPiece(old, new, hunk, tuple(spans), step.side, self._elsewhere(step), tuple(cuts), mover, is_shown)

    def _numbered_spans(
        self, n: int, worded: Mapping[int, int], layout: Mapping[tuple[Format, int], int]
    ) -> Iterator[WordSpan]:
        """The spans of a step with the numbers of their hunks, as far as these are not the hunk of the step."""
        step = self.steps[n]
        n = self._index[step.twin] if step.twin and step.role == "away" else n
        for span in step.spans or [WordSpan("same", step.old)]:
            number = layout.get((span.format, n), 0) if span.format else worded[n - span.hunk] if span.hunk < 0 else 0
            yield WordSpan(span.op, span.text, span.format, number, span.other) if number else span

    def _elsewhere(self, step: Step) -> str:
        """The other place of a step that moves; "" if the step does not move."""
        other = self._ends.get(("here" if step.role == "away" else "away", step.move))
        return self.places.of(other.olds, other.news) if other else ""

    def _hunk(
        self, draft: _HunkDraft, number: int, main: int, pieces: Sequence[TextPiece], at: Mapping[int, int]
    ) -> Hunk:
        old, new = draft.texts
        kind, note = self._kind(draft)
        steps = [self.steps[n] for n in draft.steps]
        step = max(steps, key=lambda one: (one.role == "here", bool(one.olds or one.news)))
        place = "" if draft.is_folded else self.places.of(step.olds, step.news)
        if kind == "moved":
            old_place = pieces[main].elsewhere
            note = f"from {_short_place(old_place, place)}" if old_place != place else self._direction(draft)
            moved = dict.fromkeys(at[n] for n in draft.steps if self.steps[n].role == "here")
            old = new = "".join(pieces[index].text(lambda hunk: hunk == number) for index in moved)
        words = [] if draft.format else [(step.removed, step.added) for step in steps]
        removed, added = sum(one for one, _ in words), sum(one for _, one in words)
        line, rest = self.lines[draft.steps[0]], (draft.parts, draft.whole, draft.is_folded)
        return Hunk(number, kind, place, removed, added, old.strip(), new.strip(), line, note, draft.key, main, *rest)

    def _kind(self, draft: _HunkDraft) -> tuple[Kind, str]:
        if draft.format:
            return "layout", format_note(draft.format, [self.steps[n].spans for n in draft.steps])
        roles = {self.steps[n].role for n in draft.steps} - {"gap", "twin"}
        if "here" in roles:
            return "moved", ""
        if not any(self.steps[n].removed or self.steps[n].added for n in draft.steps):
            return "changed", "list or heading" if "restructured" in roles else "marks only"
        if roles <= {"removed"}:
            return "removed", ""
        return ("added", "") if roles <= {"added"} else ("changed", "")

    def _direction(self, draft: _HunkDraft) -> str:
        """How a passage moved within a place: "up" or "down" for a section, else "within its section"."""
        away, here = (next(n for n in draft.steps if self.steps[n].role == role) for role in ("away", "here"))
        is_section = self.steps[away].old.lstrip().startswith("#")
        return "within its section" if not is_section else "down" if away < here else "up"

    def _with_wrapper(self, pieces: list[TextPiece], hunks: list[Hunk]) -> ProseDiff:
        """The diff of the pieces and hunks; any text that a model wrote around its answer is put back as hunk 1."""
        if not self.wrapper.note:
            return ProseDiff(tuple(pieces), tuple(hunks))
        before, behind, tail = self.wrapper.before, self.wrapper.behind, self.wrapper.tail
        lead, end = ([TextPiece("", text, 1, (WordSpan("ins", text),))] if text else [] for text in (before, behind))
        at = len(pieces) - (1 if tail and pieces and pieces[-1].new == tail else 0)
        found = [*lead, *pieces[:at], *end, *pieces[at:]]
        hunks = [replace(hunk, main=hunk.main + len(lead)) for hunk in hunks]
        key = hashlib.sha256(f"wrapper\0{before}\0{behind}".encode("utf-8", "surrogatepass")).hexdigest()[:20]
        added = word_count(before) + word_count(behind)
        new = "\n…\n".join(filter(None, (before.strip(), behind.strip())))
        first = Hunk(1, "wrapper", "", 0, added, "", new, 1, self.wrapper.note, key, main=0 if lead else at)
        return ProseDiff(tuple(found), (first, *hunks))

    def _drafts(self, hunks: Sequence[int]) -> list[_HunkDraft]:
        of_hunk: dict[int, list[int]] = defaultdict(list)
        for n, hunk in enumerate(hunks):
            if hunk >= 0:
                of_hunk[hunk].append(n)
        drafts = [_HunkDraft(steps) for steps in of_hunk.values()]
        self._key(drafts)
        return drafts

    def _key(self, drafts: Iterable[_HunkDraft]) -> None:
        seen = Counter[tuple[str, str]]()
        for draft in stoppable(self.stop, drafts, 512):
            old, new = draft.texts = self._texts(draft)
            seen[old, new] += 1
            # Without a format, the key must stay what is stored already.
            what = f"{draft.format}\0" * bool(draft.format) + f"{old}\0{new}\0{seen[old, new]}"
            draft.key = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:20]

    def _texts(self, draft: _HunkDraft) -> tuple[str, str]:
        steps = [self.steps[n] for n in draft.steps]
        if not draft.format:
            return "".join(step.version("ins") for step in steps), "".join(step.version("del") for step in steps)
        spans = [span for step in steps for span in step.spans if span.format == draft.format]
        removed, added = ("\0".join(span.text for span in spans if span.op == op) for op in ("del", "ins"))
        return removed, added

    @staticmethod
    def _with_splits(whole: list[_HunkDraft], parts: list[_HunkDraft], split: AbstractSet[str]) -> Iterator[_HunkDraft]:
        of_step = {draft.steps[0]: draft for draft in parts}
        for draft in whole:
            own = [of_step[n] for n in draft.steps if n in of_step]
            draft.parts = tuple(part.key for part in own) if len(own) > 1 else ()
            if draft.parts and draft.key in split:
                yield from (replace(part, whole=draft.key) for part in own)
            else:
                yield draft if draft.parts else own[0]

    def _layout_drafts(self, split: AbstractSet[str]) -> Iterator[_HunkDraft]:
        places: dict[Format, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for n, step in enumerate(self.steps):
            if step.role in ("away", "twin", "reworded"):
                continue
            for kind in {span.format: None for span in step.spans if span.format not in ("", "follows")}:
                there = next(reversed(places[kind].values()), [])
                marks = (span.text for m in there for span in self.steps[m].spans if span.format == kind)
                is_apart = there[-1:] != [n - 1] or step.is_changed or self.steps[n - 1].is_changed or breaks(step.old)
                # Quotation marks around several sentences, but not hundreds, are one place.
                is_one = not is_apart and len(there) < 100 and has_half("".join(marks))
                places[kind][there[0] if is_one else self.titles.get(n, n)].append(n)
        for kind in sorted(places):
            steps = [n for place in places[kind].values() for n in place]
            whole = _HunkDraft(steps, kind)
            own = [_HunkDraft(place, kind) for place in places[kind].values()]
            self._key([whole])
            self._key(own)
            yield from self._with_splits([whole], own, split)


def _with_old_numbers(step: Step) -> str:
    """The new text of a step, but with the old numbers where the new ones follow from other numbers."""
    spans = step.spans or [WordSpan("same", step.old)]
    return "".join(span.text for span in spans if span.op != ("ins" if span.format == "follows" else "del"))


def format_note(kind: Format, places: Iterable[Sequence[WordSpan]]) -> str:
    """A format's name and most frequent changes, as in "bullets - → *"; `places` has the spans of each place."""
    marks: Counter[tuple[str, str]] = Counter()
    cases = ""
    for spans in places:
        texts = [[one.text.strip() for one in spans if one.format == kind and one.op == op] for op in ("del", "ins")]
        removed, added = (next(filter(None, found), "") for found in texts)
        if kind == "heading marks":  # the words of the title may differ in case
            was, now = ("".join(filter(str.isalpha, "".join(found))) for found in texts)
            cases = "capitals" if was != now and was.casefold() == now.casefold() else cases
            removed, added = (re.sub(r"[^#*_=:]", "", text) for text in (removed, added))
        if kind == "list marks":
            removed, added = (re.sub(r"\d+", "1", text.removeprefix(".")) for text in (removed, added))
        marks[removed, added] += 1
    named = [
        f"{removed} → {added}" if removed and added else f"{added} added" if added else f"{removed} removed"
        for (removed, added), _ in marks.most_common(_MOST_MARKS)
        if (removed or added) and removed != added and max(len(removed), len(added)) <= _LONGEST_MARK
    ]
    named += [cases] if cases else []
    return f"{kind} {', '.join(named)}" if named else kind


_MOST_MARKS = 2
"""Maximum number of changes that the note of a format names."""
_LONGEST_MARK = 6
"""Longest mark, in characters, that the note of a format names."""


def _short_place(old_place: str, place: str) -> str:
    """The old place of a moved passage; without its section ("rule 6") if the new place is in the same section."""
    section, sign, rest = old_place.rpartition(" › ")
    return rest if sign and place.startswith(f"{section}{sign}") else old_place
