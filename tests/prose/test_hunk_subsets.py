"""Accepting any subset of hunks gives a well-formed prompt, and drawn lines contain only text of the two versions. Both
rules hold for random prompts and random versions of these prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from prompt_edits import Writer, prompt, version
from staged_faults import Sources, diff_faults, times_of_single_lines

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.staging import HunkChoice, staged

FEW = 0.04
"""Largest allowed share of pairs with a subset that is not well-formed, if the pairs differ by up to twelve edits. An
example is two lists that run together when the text between them is removed."""
_ACCEPTED = HunkChoice("accepted")


class Case(NamedTuple):
    """A prompt, a changed version, and their diff. In the diff, the hunks with the keys `split` are split."""

    rng: Writer
    sent: str
    proposed: str
    diff: ProseDiff
    split: frozenset[str]

    @property
    def name(self) -> str:
        return f"compare({self.sent!r}, {self.proposed!r}, split={sorted(self.split)})"


def _cases(seed: int, most: int) -> Iterator[Case]:
    """Cases for a pair that differs by at most `most` edits: no hunk split, all hunks split, and one hunk split."""
    rng = Writer(seed)
    sent = prompt(rng)
    proposed, is_rewritten = version(rng, sent, rng.randint(1, most))
    while most <= 2 and is_rewritten:
        proposed, is_rewritten = version(rng, sent, rng.randint(1, most))
    diff = compare(sent, proposed)
    yield Case(rng, sent, proposed, diff, frozenset())
    keys = [hunk.key for hunk in diff.hunks if hunk.parts]
    for split in [keys, rng.sample(keys, 1)] if len(keys) > 1 else [keys] if keys else []:
        yield Case(rng, sent, proposed, compare(sent, proposed, split=frozenset(split)), frozenset(split))


def _subsets(rng: Writer, count: int) -> Iterator[list[int]]:
    """Subsets of the hunk numbers: single hunks, all hunks but one, and random mixtures."""
    numbers = list(range(1, count + 1))
    for number in rng.sample(numbers, min(count, 4)):
        yield [number]
        yield [other for other in numbers if other != number]
    for share in (0.3, 0.5, 0.7):
        yield [number for number in numbers if rng.random() < share]


def _with(diff: ProseDiff, accepted: list[int]) -> str:
    return staged(diff, dict.fromkeys(accepted, _ACCEPTED))


def _all_or_none(case: Case) -> Iterator[str]:
    if _with(case.diff, [hunk.number for hunk in case.diff.hunks]) != case.proposed:
        yield "accepting all hunks does not make the proposed text"
    if _with(case.diff, []) != case.sent:
        yield "accepting no hunk does not leave the sent text"


def _some(case: Case) -> Iterator[str]:
    sources = Sources(case.diff)
    for accepted in _subsets(case.rng, len(case.diff.hunks)):
        text = _with(case.diff, accepted)
        for kind, what in sources.faults(text):
            yield f"{kind}: {what!r} with {accepted} of {len(case.diff.hunks)} accepted:\n{text}"


def _shown(case: Case) -> Iterator[str]:
    for kind, what in diff_faults(case.diff, case.split):
        yield f"{kind}: {what!r}"


def _check(seeds: range, most: int, share: float) -> None:
    """Check the pairs of all seeds. At most this `share` of the pairs may have a malformed subset or wrong lines. For
    each pair, accepting all hunks or none must be right."""
    found = dict[Callable[[Case], Iterator[str]], dict[int, str]]()
    for seed in seeds:
        for case in _cases(seed, most):
            for check in (_all_or_none, _some, _shown):
                for wrong in check(case):
                    found.setdefault(check, {}).setdefault(seed, f"{wrong}\n{case.name}")
    for check, by_seed in found.items():
        allowed = 0 if check is _all_or_none else share * len(seeds)
        assert len(by_seed) <= allowed, min(by_seed.values(), key=len)


_SCRIPT = """"Great choice."|[Tool: book(day)]|"One moment."|[Tool: update_auto_renew(status=True)]|(say the date)
[Wait.]|If yes:|"Bye."|Ask why.|<pause/>|Hang up.""".replace("\n", "|").split("|")


def _with_moved_line(seed: int) -> Case:
    """A pair in which short lines, such as calls of tools, change places, beside up to two other edits."""
    rng = Writer(seed)
    script, lines = rng.sample(_SCRIPT, 4), prompt(rng).split("\n")
    gap = rng.choice([n for n, line in enumerate(lines) if not line.strip()] or [len(lines)])
    sent = "\n".join([*lines[:gap], "", *script, *lines[gap:]])
    news = version(rng, sent, 2)[0].split("\n") if rng.random() < 0.7 else sent.split("\n")
    there = [
        n for n, line in enumerate(news) if line in script and news[n + 1 : n + 2] and news[n + 1] in ("", *script)
    ]
    for n in there[:1]:
        news[n], news[n + 1] = news[n + 1], news[n]
    diff = compare(sent, "\n".join(news))
    return Case(rng, sent, "\n".join(news), diff, frozenset())


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 500), marks=pytest.mark.long)])
def test_a_line_that_both_texts_have_once_is_never_doubled_or_lost(seeds: range) -> None:
    for case in map(_with_moved_line, seeds):
        for hunk in case.diff.hunks:
            times = times_of_single_lines(case.diff, _with(case.diff, [hunk.number]))
            assert set(times.values()) <= {1}, f"{times} with {hunk.number} of\n{case.name}"


@pytest.mark.parametrize("batch", range(3))
def test_any_subset_of_a_few_hunks_makes_a_well_formed_prompt(batch: int) -> None:
    _check(range(batch * 5, batch * 5 + 5), 2, 0.0)


@pytest.mark.long
def test_subsets_of_many_hunks_mostly_make_a_well_formed_prompt() -> None:
    _check(range(1_000, 1_050), 12, FEW)


@pytest.mark.nightly
@pytest.mark.parametrize("batch", range(4))
def test_subsets_of_many_hunks_mostly_make_a_well_formed_prompt_for_500_pairs(batch: int) -> None:
    _check(range(1_050 + batch * 500, 1_550 + batch * 500), 12, FEW)
