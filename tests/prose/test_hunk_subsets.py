"""Any of the hunks of a diff may be taken and the others left: what comes of it is a whole prompt, and the lines that
are shown say nothing that is in neither text. On random prompts and random versions of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

import pytest
from prompt_edits import prompt, version
from staged_faults import Sources, diff_faults

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.staging import HunkChoice, staged

QUICK, LONG = 5, 500
"""Pairs of each of the four batches."""
FEW = 0.04
"""Of pairs that differ by as many as twelve edits of any kind, some in one another's lines, at most this part is known
to have a subset that is not whole: lists that run into one another when what was between them goes, say."""
_ACCEPTED = HunkChoice("accepted")


class Case(NamedTuple):
    """A prompt, another version of it, and its diff with some of its hunks split."""

    rng: Random
    sent: str
    proposed: str
    diff: ProseDiff
    split: frozenset[str]

    @property
    def name(self) -> str:
        return f"compare({self.sent!r}, {self.proposed!r}, split={sorted(self.split)})"


def _cases(seed: int, most: int) -> Iterator[Case]:
    """A pair that differs by at most so many edits, whole, with all of its hunks split, and with one."""
    rng = Random(seed)
    sent = prompt(rng)
    proposed, names = version(rng, sent, rng.randint(1, most))
    while most <= 2 and "rewritten" in names:  # another prompt altogether, of the same words
        proposed, names = version(rng, sent, rng.randint(1, most))
    diff = compare(sent, proposed)
    yield Case(rng, sent, proposed, diff, frozenset())
    keys = [hunk.key for hunk in diff.hunks if hunk.parts]
    for split in [keys, rng.sample(keys, 1)] if len(keys) > 1 else [keys] if keys else []:
        yield Case(rng, sent, proposed, compare(sent, proposed, split=frozenset(split)), frozenset(split))


def _subsets(rng: Random, count: int) -> Iterator[list[int]]:
    """Hunks alone, all but one, and any mixture."""
    numbers = list(range(1, count + 1))
    for number in rng.sample(numbers, min(count, 4)):
        yield [number]
        yield [other for other in numbers if other != number]
    for share in (0.3, 0.5, 0.7):
        yield [number for number in numbers if rng.random() < share]


def _with(diff: ProseDiff, taken: list[int]) -> str:
    return staged(diff, dict.fromkeys(taken, _ACCEPTED))


def _all_or_none(case: Case) -> Iterator[str]:
    if _with(case.diff, [hunk.number for hunk in case.diff.hunks]) != case.proposed:
        yield "all hunks taken do not make the proposed text"
    if _with(case.diff, []) != case.sent:
        yield "no hunk taken does not leave the sent text"


def _some(case: Case) -> Iterator[str]:
    sources = Sources(case.diff)
    for taken in _subsets(case.rng, len(case.diff.hunks)):
        text = _with(case.diff, taken)
        for kind, what in sources.faults(text):
            yield f"{kind}: {what!r} with {taken} of {len(case.diff.hunks)} taken:\n{text}"


def _shown(case: Case) -> Iterator[str]:
    for kind, what in diff_faults(case.diff, case.split):
        yield f"{kind}: {what!r}"


CHECKS = (
    pytest.param(_all_or_none, id="all hunks make the proposed text and none the sent one"),
    pytest.param(_some, id="some hunks make a whole text"),
    pytest.param(_shown, id="lines show what is there and keys name one hunk"),
)


def _wrong(check: Callable[[Case], Iterator[str]], seeds: range, most: int) -> dict[int, list[str]]:
    """What is wrong, by the seed of the pair."""
    found = {seed: [f"{wrong}\n{case.name}" for case in _cases(seed, most) for wrong in check(case)] for seed in seeds}
    return {seed: wrong for seed, wrong in found.items() if wrong}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("batch", range(4))
def test_of_a_version_with_few_edits(check: Callable[[Case], Iterator[str]], batch: int) -> None:
    found = _wrong(check, range(batch * QUICK, (batch + 1) * QUICK), 2)
    assert not found, min((wrong for every in found.values() for wrong in every), key=len)


@pytest.mark.long
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("batch", range(4))
def test_of_versions_with_many_edits(check: Callable[[Case], Iterator[str]], batch: int) -> None:
    found = _wrong(check, range(1_000 + batch * LONG, 1_000 + (batch + 1) * LONG), 12)
    most = 0 if check is _all_or_none else FEW * LONG
    assert len(found) <= most, min((wrong for every in found.values() for wrong in every), key=len)
