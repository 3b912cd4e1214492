"""Accepting a hunk changes the prompt as the hunk is drawn, and accepting any subset gives a well-formed prompt. Both
rules hold for random prompts and random versions of these prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from dressed_prompts import dressed_pair
from prompt_edits import Writer, prompt, version
from shown_changes import shown_faults
from staged_faults import Sources, key_faults

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.staging import HunkChoice, staged

FEW = 0.04
"""Largest allowed share of pairs with a subset that is not well-formed, if the pairs differ by up to twelve edits. An
example is two lists that run together when the text between them is removed."""
FEW_DRESSED, FEW_NOT_SHOWN = 0.03, 0.005
"""The same share for pairs in two house styles, and the share of these pairs with a hunk that is not taken as drawn."""
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


def edited_pair(most: int) -> Callable[[Writer], tuple[str, str]]:
    """A function that makes a random prompt and a version with at most `most` edits."""

    def pair(rng: Writer) -> tuple[str, str]:
        sent = prompt(rng)
        proposed, is_rewritten = version(rng, sent, rng.randint(1, most))
        while most <= 2 and is_rewritten:
            proposed, is_rewritten = version(rng, sent, rng.randint(1, most))
        return sent, proposed

    return pair


def _cases(rng: Writer, sent: str, proposed: str) -> Iterator[Case]:
    """Cases of a pair: no hunk split, all hunks split, and one hunk split."""
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
    if _with(case.diff, [hunk.number for hunk in case.diff.hunks]) != case.diff.new:
        yield "accepting all hunks does not make the proposed text"
    if _with(case.diff, []) != case.sent:
        yield "accepting no hunk does not leave the sent text"


def _some(case: Case) -> Iterator[str]:
    sources = Sources(case.diff)
    for accepted in _subsets(case.rng, len(case.diff.hunks)):
        text = _with(case.diff, accepted)
        for kind, what in sources.faults(text):
            yield f"{kind}: {what!r} with {accepted} of {len(case.diff.hunks)} accepted:\n{text}"


def _keys(case: Case) -> Iterator[str]:
    for kind, what in key_faults(case.diff, case.split):
        yield f"{kind}: {what!r}"


def _check(seeds: range, pair: Callable[[Writer], tuple[str, str]], share: float) -> None:
    """Check the pairs of all seeds. At most this `share` of the pairs may have a malformed subset. For each pair,
    accepting all hunks or none must be right."""
    found = dict[Callable[[Case], Iterator[str]], dict[int, str]]()
    for seed in seeds:
        rng = Writer(seed)
        for case in _cases(rng, *pair(rng)):
            for check in (_all_or_none, _some, _keys):
                for wrong in check(case):
                    found.setdefault(check, {}).setdefault(seed, f"{wrong}\n{case.name}")
    for check, by_seed in found.items():
        allowed = share * len(seeds) if check is _some else 0
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


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 250), marks=pytest.mark.long)])
def test_a_line_that_both_texts_have_once_is_never_doubled_or_lost(seeds: range) -> None:
    for case in map(_with_moved_line, seeds):
        sources = Sources(case.diff)
        for hunk in case.diff.hunks:
            faults = [*sources.single_line_faults(_with(case.diff, [hunk.number]))]
            assert not faults, f"{faults} with {hunk.number} of\n{case.name}"


def _check_shown(seeds: range, pair: Callable[[Writer], tuple[str, str]], share: float) -> None:
    """Check that hunks are taken as they are drawn, except for at most this `share` of the pairs."""
    found = {}
    for seed in seeds:
        sent, proposed = pair(Writer(seed))
        for kind, what in shown_faults(sent, proposed):
            found[seed] = f"{kind}: {what}\ncompare({sent!r}, {proposed!r})"
    assert len(found) <= share * len(seeds), min(found.values(), key=len)


@pytest.mark.parametrize(
    ("sent", "proposed"),
    [
        (
            "2. Book the order number by 5 p.m., and skip the ticket.\n3. Send the ticket, and charge the reservation.",
            "2. Send the ticket, and charge the fee\n3. Book the order number by 5 p.m., and skip the ticket.",
        ),
        (
            "## Fees\n\n- Name the parcel only once.\n- Say, “Mention the fee in every call”.\n\n"
            "1. Repeat the form.\n2. Wait.",
            "## Fees\n\n1. Name the parcel only once.\n2. Form: Say, “Mention the fee in every call”.\n\n"
            "1. Repeat the form.\n2. Wait.",
        ),
        (
            'Caller: Always ask for the reminder for {{name}}\nCaller: Hold the key safe "as soon as we can"',
            'Caller: Hold the key safe "as soon as we can"\nCaller: Always ask for the reminder for {{name}}',
        ),
        (
            "1) Promise the fee.\n2) Wait.\n3) Check it.\n\n1) Never ask.",
            "1) Check it.\n2) Promise the fee.\n\n1) Wait.\n2) Never ask.",
        ),
        ("2.  **Guardrails**\n\nBe kind.", "Guardrails:\n\nBe kind."),
        (
            "- Never ask for the key safe, and promise the form",
            "Never ask for the key safe, and promise the form. Read back the old date. Charge the old seat again.",
        ),
        (
            "- Change the address in one breath\n- Say the fee\n- Wait",
            "Change the address in one breath. Say the fee. Wait.",
        ),
        (
            "* Form: Skip the reminder in one breath",
            "Look up the old account and wait. **Form:** Skip the reminder in one breath.",
        ),
        ("1. TOOLS\n- Ask now.\n1) **Fee:** Look it up.", "1) **Fee:** Look it up.\n### Step 3: Tools\n- Ask now."),
        ("1.  **Closing and fees**\n2.  **Identity and form**", "## Identity and form\n## Closing and fees"),
        ("Guardrails:\n\nPrivacy:", "### Step 1: Privacy\n### Step 2: Guardrails"),
        ("Ask. Say, “skip the fee now”. Wait for the key.", "Ask. Wait for the key.\n- Say, “skip the fee now”"),
        (
            "Say it as they said it. Promise the key safe as we can. If it is gone, ask for the fee.",
            "* Say it as they said it\n* Then note down the branch now\n* If it is gone, ask for the fee",
        ),
        ('Bye: "Thank you for the call. Good night."\n', "Bye: «Thank you for the call. Good night.»\n"),
        ('Bye: "Thank you all. Good night."\nWait.', 'Bye: "Thank you all. May I ask about the old fee?"\nWait.'),
        ("* Say it as they said it\n* Skip the branch\n* Ask for the fee", "Say it as they said it. Ask for the fee."),
    ],
)
def test_small_pairs_are_taken_as_drawn_and_every_subset_is_well_formed(sent: str, proposed: str) -> None:
    _check_shown(range(1), lambda rng: (sent, proposed), 0.0)
    _check(range(4), lambda rng: (sent, proposed), 0.0)


@pytest.mark.parametrize("batch", range(3))
def test_any_subset_of_a_few_hunks_makes_a_well_formed_prompt(batch: int) -> None:
    _check(range(batch * 5, batch * 5 + 5), edited_pair(2), 0.0)


def test_hunks_of_restyled_moved_and_wrapped_prompts_are_taken_as_drawn() -> None:
    _check_shown(range(24), dressed_pair, 0.0)


def test_any_subset_of_a_restyled_prompt_is_mostly_well_formed() -> None:
    _check(range(6), dressed_pair, FEW_DRESSED)


@pytest.mark.long
def test_subsets_of_many_hunks_mostly_make_a_well_formed_prompt() -> None:
    _check(range(1_000, 1_050), edited_pair(12), FEW)


@pytest.mark.long
def test_hunks_of_200_restyled_prompts_are_taken_as_drawn() -> None:
    _check_shown(range(100, 300), dressed_pair, FEW_NOT_SHOWN)


@pytest.mark.long
def test_hunks_of_100_edited_prompts_are_taken_as_drawn() -> None:
    _check_shown(range(100), edited_pair(12), 0.05)


@pytest.mark.long
def test_subsets_of_30_restyled_prompts_are_mostly_well_formed() -> None:
    _check(range(100, 130), dressed_pair, FEW_DRESSED)


@pytest.mark.nightly
@pytest.mark.parametrize("batch", range(4))
def test_subsets_of_many_hunks_mostly_make_a_well_formed_prompt_for_500_pairs(batch: int) -> None:
    _check(range(1_050 + batch * 500, 1_550 + batch * 500), edited_pair(12), FEW)


@pytest.mark.nightly
@pytest.mark.parametrize("batch", range(20))
def test_hunks_of_1000_restyled_prompts_are_taken_as_drawn(batch: int) -> None:
    _check_shown(range(batch * 1_000, batch * 1_000 + 1_000), dressed_pair, FEW_NOT_SHOWN)


@pytest.mark.nightly
@pytest.mark.parametrize("batch", range(10))
def test_subsets_of_500_restyled_prompts_are_mostly_well_formed(batch: int) -> None:
    _check(range(batch * 500, batch * 500 + 500), dressed_pair, FEW_DRESSED)
