"""Compare two prompts: paragraphs and list items first, then sentences, then words; moves are detected."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import accumulate, pairwise

from cekura_tui.prose.align import Link, align, contents
from cekura_tui.prose.assembly import Assembly
from cekura_tui.prose.diff import ProseDiff, are_too_long, uncompared
from cekura_tui.prose.formatting import (
    Format,
    FormatSpan,
    breaks,
    gap_spans,
    is_rule,
    space_format,
    space_spans,
    split_gap,
    structure,
)
from cekura_tui.prose.hunks import UNMATCHED, Role, Step, hunks_of
from cekura_tui.prose.matching import Stop, in_order_fallback, match, never, stoppable
from cekura_tui.prose.numbers import split_title, title_words
from cekura_tui.prose.units import Places, Unit, begins_block, is_title, units_of_both
from cekura_tui.prose.words import WordSpan, as_word_spans, changes, differ, joined, tidy, word_count, word_spans
from cekura_tui.prose.wrapper import Wrapper, wrapper_of

_BUDGET = 4_000_000
"""Most pairs of words that one comparison compares closely, about half a second of work. Pairs are counted instead of
seconds, so that two texts have the same diff on every machine."""


def compare(
    old: str, new: str, split: AbstractSet[str] = frozenset(), *, as_is: bool = False, stop: Stop = never
) -> ProseDiff:
    """Compare a sent prompt `old` with a proposed prompt `new`, deterministically and in bounded time. Texts over
    LONGEST or MOST_LINES become one hunk without a comparison. Hunks whose keys are in `split` are split into their
    parts. A quoted, indented or JSON prompt is decoded first, unless `as_is`. Calls `stop` often, on the calling
    thread, and raises Stopped once `stop` returns True."""
    wrapper = Wrapper(new) if are_too_long(old, new) else wrapper_of(old, new, as_is=as_is)
    if are_too_long(old, wrapper.inner):
        return uncompared(old, wrapper.inner)
    return replace(_Comparison(old, wrapper, stop).diff(split), proposed=new)


class _Comparison:
    def __init__(self, old: str, wrapper: Wrapper, stop: Stop) -> None:
        self.texts, self.wrapper, self._stop = (old, new := wrapper.inner), wrapper, stop
        (self.old, self.old_tail), (self.new, self.new_tail), self.coarse = units_of_both(old, new, stop)
        self.links = align(self.old, self.new, stop)
        self._within = contents(self.links, self.old, self.new)
        self._moved_from = {link.c: link.a for link in self.links if link.move}
        moved = [link for link in self.links if link.move]
        self._moves = {link.a: link.move for link in moved}, {link.c: link.move for link in moved}
        self._removed_ranges: dict[int, tuple[int, int]] = {}
        """Characters [start, end) in the old text of each unit that moved away, with the gap before it."""
        self._budget = _BUDGET

    def diff(self, split: AbstractSet[str]) -> ProseDiff:
        steps = list(stoppable(self._stop, _shift_gaps(self._steps(), self.old, self.new), 512))
        self._shift_stops(steps)
        self._removed_ranges = {step.olds.start: step.at[0] for step in steps if step.role == "away"}
        for step in stoppable(self._stop, steps, 16):
            self._diff_step(step)
        stops = [step for step in steps if any(map(_is_stop, step.spans))]
        for step in stops if len(stops) == 1 and stops[0].is_changed and not stops[0].content else []:
            # Punctuation that changed in no other sentence is part of the change of words.
            step.spans = tidy(span._replace(format="") if _is_stop(span) else span for span in step.spans)
        parts = [part for step in stoppable(self._stop, steps, 512) for part in _split_step(step)]
        steps = list(_with_twins(parts, self._moved_from))
        titles = self._fold_rules(steps)
        if self.old_tail or self.new_tail:
            tails = (self.old_tail, self.new_tail)
            at = [(len(text) - len(tail), len(text)) for text, tail in zip(self.texts, tails, strict=True)]
            is_gap = bool(steps) and steps[-1].role in UNMATCHED and space_format(*tails) == "white space"
            steps.append(Step("gap" if is_gap else "same", range(0), range(0), at))
            self._diff_step(steps[-1])
        hunks = hunks_of(self.old, self.new, steps)
        for step, hunk in stoppable(self._stop, zip(steps, hunks[0], strict=True), 512):
            if step.role == "gap" and hunk < 0:
                step.spans = as_word_spans(space_spans(step.old, step.new))
        titles |= self._adapt_gaps(steps, hunks[0])
        places, lines = Places(self.old, self.new), self._lines(steps)
        diff = Assembly(steps, titles, places, lines, self.wrapper, self._stop).diff(hunks, split)
        return replace(diff, coarse="; ".join(filter(None, (self.wrapper.decoded, self.coarse))))

    def _adapt_gaps(self, steps: Sequence[Step], hunks: Sequence[int]) -> dict[int, int]:
        """Turn new line starts of units that stay into layout, and give the added and removed units beside them the
        line starts that they have without it. Returns a map from the step of each such unit to its neighbour's."""
        neighbours: dict[int, int] = {}
        for n, step in enumerate(steps):
            if step.role != "restructured" or hunks[n] >= 0:
                continue
            units = self.old[step.olds.start], self.new[step.news.start]
            kind: Format = "heading marks" if "heading" in (units[0].kind, units[1].kind) else "list marks"
            step.spans = [span if span.op == "same" else span._replace(format=kind) for span in step.spans]
            for way in (-1, 1):
                m = n + way
                while 0 <= m < len(steps) and not (steps[m].olds and steps[m].news and steps[m].role != "replaced"):
                    self._adapt_gap(steps[m], step, kind)
                    neighbours.setdefault(m, n)
                    m += way
        return {m: n for m, n in neighbours.items() if any(span.other is not None for span in steps[m].spans)}

    def _adapt_gap(self, step: Step, beside: Step, kind: Format) -> None:
        side = 0 if step.role == "removed" else 1
        if step.role not in ("added", "removed") or any(span.other is not None for span in step.spans):
            return
        units = (self.old, self.new)[side]
        unit, text = units[(step.olds, step.news)[side].start], (step.old, step.new)[side]
        neighbour = (self.old[beside.olds.start], self.new[beside.news.start])
        if unit.gap and text.startswith(unit.gap) and breaks(unit.gap) == breaks(neighbour[side].gap):
            other, op = neighbour[1 - side].gap, step.spans[0].op
            step.spans = [WordSpan(op, unit.gap, kind, 0, other), WordSpan(op, text[len(unit.gap) :])]

    def _lines(self, steps: Sequence[Step]) -> list[int]:
        """The line number of each step in the sent text. A step without old units has the line of the next old unit."""
        own = (self.old[step.olds.start].line if step.olds else 0 for step in reversed(steps))
        last = self.old[-1].line if self.old else 1
        return [*accumulate(own, lambda after, line: line or after, initial=last)][:0:-1]

    # Steps in reading order

    def _steps(self) -> Iterator[Step]:
        at = to = 0
        ends = Link(len(self.old), len(self.old), len(self.new), len(self.new))
        for link in [*(link for link in self.links if not link.move), ends]:
            if (link.a, link.c) != (at, to):
                yield from self._unpaired_steps(range(at, link.a), range(to, link.c))
            if link.b > link.a:
                yield from self._version_steps(range(link.a, link.b), range(link.c, link.d))
            at, to = link.b, link.d

    def _step(self, role: Role, olds: range, news: range, move: int = 0, *, bare: bool = False) -> Step:
        return Step(role, olds, news, [_char_range(self.old, olds, bare), _char_range(self.new, news, bare)], move)

    def _version_steps(self, olds: range, news: range) -> Iterator[Step]:
        one, other = self.old[olds.start], self.new[news.start]
        is_bare = structure(one.gap) == structure(other.gap) == ""
        if is_bare and olds.start and news.start and breaks(one.gap) != breaks(other.gap):
            gaps = [(one.start - len(one.gap), one.start), (other.start - len(other.gap), other.start)]
            yield Step("gap", olds, news, gaps)
            yield self._step("changed", olds, news, bare=True)
        else:
            yield self._step("changed", olds, news)

    def _unpaired_steps(self, olds: range, news: range) -> Iterator[Step]:
        """Steps for the removed, added and moved units between two links. A removed line of markup and the added one in
        its place share a step, and so do two headings directly above the same text. An underline directly below a
        heading comes first, so that the two stay together."""
        below = (olds[: _is_below_title(self.old, olds)], news[: _is_below_title(self.new, news)])
        if below[0] or below[1]:
            yield self._step("replaced" if all(below) else "removed" if below[0] else "added", *below)
            olds, news = olds[len(below[0]) :], news[len(below[1]) :]
        is_renamed = bool(olds and news) and self.old[olds[-1]].kind == self.new[news[-1]].kind == "heading"
        removed, added = self._replaceable(olds, 0, is_renamed), self._replaceable(news, 1, is_renamed)
        old_kinds = [(self.old[i].kind, begins_block(self.old, i)) for i in removed]
        new_kinds = [(self.new[j].kind, begins_block(self.new, j)) for j in added]
        pairs = match(old_kinds, new_kinds, in_order_fallback(old_kinds, new_kinds))
        instead = {removed[a]: added[b] for a, b in pairs}
        replacing = set(instead.values())
        to = news.start
        for i in olds:
            if i in instead:
                yield from (self._single(j, 1) for j in range(to, instead[i]))
                yield self._step("replaced", range(i, i + 1), range(instead[i], instead[i] + 1))
                to = instead[i] + 1
                continue
            if begins_block(self.old, i):
                # Text that continues a line goes first, or it would continue the removed line if that is kept.
                start = to
                while to < news.stop and to not in replacing and not begins_block(self.new, to):
                    to += 1
                yield from (self._single(j, 1) for j in range(start, to))
            yield self._single(i, 0)
        yield from (self._single(j, 1) for j in range(to, news.stop))

    def _replaceable(self, there: range, side: int, is_renamed: bool) -> list[int]:
        units, fixed = (self.old, self.new)[side], (self._moves[side], self._within[side])
        markup = (n for n in there if units[n].kind in ("tag", "row", "code") or (is_renamed and n == there[-1]))
        return [n for n in markup if not any(n in one for one in fixed)]

    def _single(self, n: int, side: int) -> Step:
        """The step of a unit that only the old text has (`side` 0) or only the new one (1), or that moved."""
        there, move = range(n, n + 1), self._moves[side].get(n, 0)
        roles: tuple[Role, Role] = ("away", "here") if move else ("removed", "added")
        step = self._step(roles[side], *((range(0), there) if side else (there, range(0))), move)
        step.within = self._within[side].get(n, 0)
        if move or step.within:
            step.side = "here" if side else "away"
        return step

    def _shift_stops(self, steps: Sequence[Step]) -> None:
        """Shift a full stop that only one text has to the sentence behind it, if only that text has the sentence on the
        same line, and the stop of an added or removed sentence to the next one. Of moved ones, only the last counts."""
        roles: tuple[tuple[Role, ...], ...] = ("removed", "away", "changed", "gap"), ("added", "here", "changed", "gap")
        for side, units in enumerate((self.old, self.new)):
            shifted: Step | None = None
            for step, after in pairwise(step for step in steps if step.at[side][1] > step.at[side][0]):
                if after.role not in roles[side] or self.texts[side][step.at[side][1] - 1] != ".":
                    continue
                own, end = self._units(after), (after.olds, after.news)[side].stop
                marks = [structure(one[0].gap) if one else None for one in own]
                is_last = not (after.move and _is_in_line(units[end : end + 1]))
                if is_last and _is_in_line(own[side]) > _is_in_line(own[not side]):
                    is_other = not self.texts[not side].endswith(tuple(".,;:!?…"), 0, step.at[not side][1])
                    goes_on = shifted is step and step.role == roles[side][0]
                    if goes_on or (step.role == "changed" and marks[0] != marks[1] and is_other):
                        step.at[side] = step.at[side][0], step.at[side][1] - 1
                        after.at[side] = after.at[side][0] - 1, after.at[side][1]
                        shifted = after

    # The changes of each step

    def _diff_step(self, step: Step) -> None:
        step.old, step.new = (text[slice(*at)] for text, at in zip(self.texts, step.at, strict=True))
        if step.role in ("lead", "same") and step.old != step.new:
            step.spans = as_word_spans(gap_spans(step.old, step.new) or space_spans(step.old, step.new))
        elif step.role == "changed":
            self._diff_versions(step)
        elif step.role not in ("lead", "same"):
            step.is_changed = True
            if step.role == "here":
                self._diff_moved(step)
            elif step.role == "gap":
                step.spans = [WordSpan("del", step.old), WordSpan("ins", step.new)]
            elif step.role != "away":
                step.spans = tidy([WordSpan("del", step.old), WordSpan("ins", step.new)])
                step.removed, step.added = (sum(word_count(unit.text) for unit in side) for side in self._units(step))

    def _diff_moved(self, step: Step) -> None:
        """Diff the old and the new version of a moved unit, for the step at the new place. Changed words belong to a
        hunk of their own, white space and markers to the move."""
        n, j = self._moved_from[step.news.start], step.news.start
        start, end = self._removed_ranges[n]
        was, now = self.old[n], self.new[j]
        gaps = (self.texts[0][start : was.start], step.new[: now.start - step.at[1][0]])
        tails = (self.texts[0][was.start + len(was.text) : end], step.new[len(gaps[1]) + len(now.text) :])
        spaces, marks = zip(*map(split_gap, gaps), strict=True)
        formats = gap_spans(*marks)
        lead = _changed(*marks) if formats is None else as_word_spans(formats)
        if title := self._title_spans(n, j, (marks[0], marks[1])):
            if any(span.format not in ("", "follows") for span in title):
                title = _changed(marks[0] + was.text, marks[1] + now.text)  # its markup moves with it
            step.spans, step.content = [*_changed(*spaces), *title, *_changed(*tails)], [[]]
            return
        words = _marks_as_words(self._spans(was.text, now.text, exactly=now.kind == "code"))
        goes_on = [_is_in_line(self.old[n + 1 : n + 2]), _is_in_line(self.new[j + 1 : j + 2])]
        is_its = _is_stop(words[-1]) and goes_on == [words[-1].op == "del", words[-1].op == "ins"]
        stop = [words.pop()._replace(format="")] if is_its else []
        step.content = changes(words)
        # The hunk of each group is −1, −2, … until the hunks are numbered.
        words = [
            span._replace(hunk=-n) if span.op != "same" and not span.format else span
            for n, group in enumerate(step.content, 1)
            for span in group
        ]
        step.spans = [*_changed(*spaces), *lead, *words, *stop, *_changed(*tails)]
        step.content[0].insert(0, WordSpan("same", gaps[1]))

    def _units(self, step: Step) -> tuple[Sequence[Unit], Sequence[Unit]]:
        return self.old[step.olds.start : step.olds.stop], self.new[step.news.start : step.news.stop]

    def _diff_versions(self, step: Step) -> None:
        """Diff the words and the formatting of two versions of a unit."""
        one, other = self.old[step.olds.start], self.new[step.news.start]
        if step.old == step.new:
            step.role = "same"
            return
        cut, other_cut = one.start - step.at[0][0], other.start - step.at[1][0]
        gaps, bodies = (step.old[:cut], step.new[:other_cut]), (step.old[cut:], step.new[other_cut:])
        kinds = one.kind, other.kind
        is_title = _may_be_title(one, other)
        is_single = len(step.olds) == len(step.news) == 1
        if is_single and (title := self._title_spans(step.olds.start, step.news.start, gaps)):
            step.spans = title
            return
        formats = gap_spans(*gaps) if one.depth == other.depth else None
        words = self._line_spans(step, bodies)
        (space, mark), (other_space, other_mark) = map(split_gap, gaps)
        kind: Format = "heading marks" if "heading" in kinds else "list marks"
        is_marker = is_single and not {"row", "code", "tag"} & {*kinds}
        is_marker = is_marker and not (is_title and re.search(r"\d", mark + other_mark))
        begins = [breaks(unit.gap) or unit.start == len(unit.gap) for unit in (one, other)]
        if formats is None and is_marker and begins[0] == begins[1]:
            formats = [
                *space_spans(space, other_space),
                FormatSpan(mark, other_mark, kind if mark != other_mark else ""),
            ]
        if formats is None and not is_marker:
            words = self._spans(mark + bodies[0], other_mark + bodies[1])
        words = _marks_as_words(words)
        step.removed, step.added = _word_counts(words)
        step.keeps = any(word_count(span.text) for span in words if span.op == "same" or span.format)
        if formats is None:
            lead = _changed(space, other_space)
            step.marker = [*lead, *_changed(mark, other_mark)] if is_marker else []
            words = words if is_marker else [*lead, *words]
        else:
            words = [*as_word_spans(formats), *words]
        step.spans, step.is_changed = tidy(words), differ(words)

    def _line_spans(self, step: Step, bodies: tuple[str, str]) -> list[WordSpan]:
        """Diff the words of a line; a changed number at its start ("**Step 3:** Ask") gets the format "follows"."""
        is_code = self.old[step.olds.start].kind == self.new[step.news.start].kind == "code"
        was, now = split_title(bodies[0]), split_title(bodies[1])
        starts = begins_block(self.old, step.olds.start) and begins_block(self.new, step.news.start)
        if is_code or not (was[1] and now[1] and starts) or was[0] != now[0] or was[1] == now[1]:
            return self._spans(*bodies, exactly=is_code)
        number = as_word_spans([FormatSpan(was[0], now[0]), FormatSpan(was[1], now[1], "follows")])
        return [*number, *self._spans(was[2], now[2])]

    def _title_spans(self, n: int, m: int, gaps: tuple[str, str]) -> list[WordSpan] | None:
        """Spans of a heading that differs only in markup, case or number; None for any other change."""
        (space, mark), (other_space, other_mark) = map(split_gap, gaps)
        titles = [mark + self.old[n].text, other_mark + self.new[m].text]
        may_be = _may_be_title(self.old[n], self.new[m]) and is_title(self.old, n) and is_title(self.new, m)
        if not (may_be and title_words(titles[0]) and title_words(titles[0]) == title_words(titles[1])):
            return None
        spans = as_word_spans(space_spans(space, other_space))
        was, now = map(split_title, titles)
        for n, (one, other) in enumerate(zip(was, now, strict=True) if was[1] and now[1] else [titles]):
            if n == 1:
                spans += as_word_spans([FormatSpan(one, other, "" if one == other else "follows")])
            else:
                # The markup and the case of a title are heading marks; other formats keep their name.
                spans += [
                    span._replace(format="heading marks")
                    if span.op != "same" and span.format in ("", "emphasis", "punctuation")
                    else span
                    for span in self._spans(one, other)
                ]
        return tidy(spans)

    def _fold_rules(self, steps: Sequence[Step]) -> dict[int, int]:
        """Turn added or removed horizontal rules into layout: underlines of headings that both texts have, and rules
        without a changed neighbour. If one text has no rules and the other has several, rules after a blank line become
        layout, too. Returns a map from the step of each underline to the step of its heading."""
        rules = [sum(unit.kind == "row" and is_rule(unit.text) for unit in units) for units in (self.old, self.new)]
        is_formatting = min(rules) == 0 and max(rules) > 1
        both = [(n, step) for n, step in enumerate(steps) if step.olds and step.news and step.role != "replaced"]
        kept = {(side, at): n for n, step in both[::-1] for side in (0, 1) for at in (step.olds, step.news)[side]}
        titles = {}
        for n, step in enumerate(steps):
            units = [unit for side in self._units(step) for unit in side]
            if step.role not in UNMATCHED or not all(unit.kind == "row" and is_rule(unit.text) for unit in units):
                continue
            title = self._title_above(step, kept)
            after = [unit for one in steps[n + 1 : n + 2] for side in self._units(one) for unit in side[:1]]
            has_space = all(unit.gap.count("\n") > 1 for unit in units) and all(breaks(unit.gap) for unit in after)
            if title is None or (title < 0 and not (is_formatting and has_space) and _has_changed_neighbour(steps, n)):
                continue
            if title >= 0:
                titles[n] = title
            kind: Format = "heading marks" if title >= 0 else "lines across"
            step.spans = [WordSpan(span.op, span.text, kind) for span in step.spans]
            step.is_changed = False
        return titles

    def _title_above(self, step: Step, kept: Mapping[tuple[int, int], int]) -> int | None:
        """Step of the heading directly above a rule: −1 if none; None if added, removed, replaced or moved. `kept` maps
        each unit that has two versions (its side and index) to its first step."""
        side, units, at = (0, self.old, step.olds.start) if step.olds else (1, self.new, step.news.start)
        if not at or units[at - 1].kind != "heading" or units[at].gap.count("\n") != 1:
            return -1
        return kept.get((side, at - 1))

    def _spans(self, old: str, new: str, *, exactly: bool = False) -> list[WordSpan]:
        cells = 0 if old == new else len(old.split()) * len(new.split())
        thorough = cells <= self._budget
        if thorough:
            self._budget -= cells
        elif not self.coarse:
            self.coarse = "compared less closely in part: these texts are long and differ throughout"
        return word_spans(old, new, thorough=thorough, exactly=exactly)


def _is_below_title(units: Sequence[Unit], there: range) -> bool:
    n = there.start
    is_below = bool(there and n) and (units[n - 1].kind, units[n].kind) == ("heading", "row")
    return is_below and is_rule(units[n].text) and units[n].gap.count("\n") == 1


def _has_changed_neighbour(steps: Sequence[Step], n: int) -> bool:
    """Whether step `n` begins its text, or the step before or after it was added, removed, replaced or moved."""
    step = steps[n]
    around = [one for one in steps[max(n - 1, 0) : n + 2] if one is not step]
    is_first = step.at[0 if step.olds else 1][0] == 0
    return is_first or any(one.role in (*UNMATCHED, "away", "here") for one in around)


def _char_range(units: Sequence[Unit], there: range, bare: bool) -> tuple[int, int]:
    if not there:
        return 0, 0
    first, last = units[there.start], units[there.stop - 1]
    return first.start - (0 if bare else len(first.gap)), last.start + len(last.text)


_SIGNS: dict[Format, re.Pattern[str]] = {
    "quotation marks": re.compile('["“”„«»「」『』]'),  # without apostrophes, which belong to their words
    "emphasis": re.compile(r"\*+|_+|`+|~+"),
}


def _may_be_title(one: Unit, other: Unit) -> bool:
    """Whether one version of a unit is a heading, or their markers differ, but their words only in case or a colon."""
    cased = [unit.text.casefold().strip("*_: ") for unit in (one, other)]
    is_cased = one.marker != other.marker and one.text != other.text and cased[0] == cased[1]
    return is_cased or "heading" in (one.kind, other.kind)


def _marks_as_words(spans: Sequence[WordSpan]) -> list[WordSpan]:
    """Convert changes of quotation marks or emphasis to changes of words if the changed words have one mark of a pair,
    so that both marks of the pair change together."""
    words = [joined((span for span in spans if span.op == op and not span.format), "same") for op in ("del", "ins")]
    plain = {kind for kind, signs in _SIGNS.items() if any(len(signs.findall(text)) % 2 for text in words)}
    return [
        span._replace(format="") if span.format in plain and _SIGNS[span.format].fullmatch(span.text) else span
        for span in spans
    ]


def _is_in_line(units: Sequence[Unit]) -> bool:
    """Whether the first of the units, if any, continues a line."""
    return bool(units) and not breaks(units[0].gap)


def _is_stop(span: WordSpan) -> bool:
    return span.format == "punctuation"


def _word_counts(spans: Sequence[WordSpan]) -> tuple[int, ...]:
    """Numbers of removed and of added words."""
    return tuple(
        sum(word_count(span.text) for span in spans if span.op == op and not span.format) for op in ("del", "ins")
    )


def _changed(old: str, new: str) -> list[WordSpan]:
    spans = [WordSpan("same", old)] if old == new else [WordSpan("del", old), WordSpan("ins", new)]
    return [span for span in spans if span.text]


def _with_twins(steps: Sequence[Step], moved_from: Mapping[int, int]) -> Iterator[Step]:
    """Add a step for the changed words of each moved unit, and one for each unit that is added to or removed from a
    moved passage: at the other place of the passage, behind the unit that it follows."""
    away = {step.olds.start: step for step in steps if step.role == "away"}
    behind: dict[Step, list[Step]] = defaultdict(list)
    last: dict[tuple[int, str], Step] = {}
    for step in steps:
        if step.role == "here":
            step.twin = away[moved_from[step.news.start]]
            step.twin.twin, step.twin.spans = step, step.spans
    for step in steps:
        if step.role in ("away", "here"):
            last[step.move, step.role] = step
        elif step.within and (before := last[step.within, step.side].twin):
            nowhere = [(0, 0), (0, 0)]
            step.twin = replace(step, role="twin", at=nowhere, twin=step, old="", new="", removed=0, added=0)
            step.twin.side = "here" if step.side == "away" else "away"
            step.twin.olds = step.twin.news = range(0)
            behind[before].append(step.twin)
    for step in steps:
        yield step
        for spans in step.content if any(map(differ, step.content)) else ():
            removed, added = _word_counts(spans)
            part = Step("reworded", step.olds, step.news, [(0, 0), (0, 0)], spans=spans, removed=removed, added=added)
            part.is_changed, part.continues = True, spans is not step.content[0]
            yield part
        yield from behind[step]


def _split_step(step: Step) -> Iterator[Step]:
    """Split a step so that each part has one change of words; a new marker of the line is a part of its own. A
    line that becomes a row of a table, or the reverse, is not split."""
    spans = step.spans if step.role == "changed" and step.is_changed else ()
    changed = "".join(span.text for span in spans if span.op != "same")
    groups = changes(step.spans) if changed and "|" not in changed else [step.spans]
    groups = [step.marker, *groups] if step.marker else groups
    if len(groups) == 1:
        yield step
        return
    (at, _), (to, _) = step.at
    for n, spans in enumerate(groups):
        old, new = (joined(spans, other) for other in ("ins", "del"))
        role: Role = "restructured" if spans is step.marker else "changed"
        ends = at + len(old), to + len(new)
        removed, added = (0, 0) if spans is step.marker else _word_counts(spans)
        part = replace(step, role=role, at=[(at, ends[0]), (to, ends[1])], old=old, new=new, spans=spans, marker=())
        part.removed, part.added, part.is_changed = removed, added, differ(spans)
        part.continues = n > bool(step.marker)
        yield part
        at, to = ends


def _shift_gaps(steps: Iterable[Step], old: Sequence[Unit], new: Sequence[Unit]) -> Iterator[Step]:
    """Shift the gaps between steps so that the lines stay well formed whichever hunks are accepted. A removal at the
    start of a text includes the white space after the removed units. If the first sentences of a paragraph or item are
    added or removed, the marker stays in front of the remaining sentences."""
    unmatched: list[Step] = []
    for step in steps:
        if not (step.olds and step.news) or step.role == "replaced":
            unmatched.append(step)
            continue
        roles = {one.role for one in unmatched}
        side = 0 if roles and roles <= {"removed", "away"} else 1 if roles and roles <= {"added", "here"} else -1
        lead = _lead(unmatched, step, side, (old, new)) if side >= 0 and step.role != "gap" else None
        yield from [*([lead] if lead else []), *unmatched]
        is_start = bool(unmatched) and (step.at[0][0] == 0) != (step.at[1][0] == 0)
        follows = bool(unmatched) and (unmatched[-1].role in (*UNMATCHED, "away", "here") or is_start)
        if follows and lead is None and step.role != "gap":
            yield from _space_between(step, old[step.olds.start], new[step.news.start])
        yield step
        unmatched = []
    yield from unmatched


def _space_between(step: Step, old: Unit, new: Unit) -> Iterator[Step]:
    """Split the white space at the start of `step` off, as a "gap" step that can join the previous step. Yields nothing
    if the white space is equal in both texts, or differs only in line ends or trailing spaces."""
    gaps = [unit.gap[at[0] - unit.start + len(unit.gap) :] for unit, at in zip((old, new), step.at, strict=True)]
    spaces = [split_gap(gap)[0] for gap in gaps]
    if spaces[0] == spaces[1] or space_format(spaces[0], spaces[1]) != "white space":
        return
    ends = [at[0] + len(space) for at, space in zip(step.at, spaces, strict=True)]
    yield Step("gap", step.olds, step.news, [(at[0], end) for at, end in zip(step.at, ends, strict=True)])
    step.at = [(end, at[1]) for at, end in zip(step.at, ends, strict=True)]


def _lead(unmatched: list[Step], step: Step, side: int, units: tuple[Sequence[Unit], Sequence[Unit]]) -> Step | None:
    """Shift the bounds of steps so that the gap at the start of a block (line break and marker) stays with the units
    that are kept. Returns a "lead" step for this gap; None if the gap need not be split off."""
    here, there = (units[0][step.olds.start], units[1][step.news.start])[:: 1 if side == 0 else -1]
    first = units[side][(unmatched[0].olds, unmatched[0].news)[side].start]
    (start, end), (at, _) = unmatched[-1].at[side], unmatched[0].at[side]
    if at == 0 and step.at[1 - side][0] == 0 and breaks(here.gap):
        space = len(split_gap(here.gap)[0])
        unmatched[-1].at[side] = start, end + space
        step.at[side] = step.at[side][0] + space, step.at[side][1]
        return None
    wanted = structure(there.gap), breaks(there.gap) or step.at[1 - side][0] == 0
    if first.block != here.block or (structure(here.gap), breaks(here.gap)) == wanted:
        return None
    if (structure(first.gap), breaks(first.gap) or at == 0) != wanted:
        return None
    lead = Step("lead", step.olds, step.news, [(0, 0), (0, 0)])
    lead.at[side] = first.start - len(first.gap), first.start
    lead.at[1 - side] = there.start - len(there.gap), there.start
    unmatched[0].at[side] = first.start, unmatched[0].at[side][1]
    unmatched[-1].at[side] = unmatched[-1].at[side][0], here.start
    step.at[side] = here.start, step.at[side][1]
    step.at[1 - side] = there.start, step.at[1 - side][1]
    return lead
