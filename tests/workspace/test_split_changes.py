"""Each part of a split hunk is chosen separately, in any window, without changing other text."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from examples import COSTLY
from hypothesis import given
from hypothesis import strategies as st
from open_store import OpenStore, suggested_job
from waiting import eventually

from cekura_tui.model.job import Draft, Suggestion
from cekura_tui.model.text import Prompt
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.matching import Stop, Stopped
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.store.store import Store
from cekura_tui.workspace import suggestions
from cekura_tui.workspace.suggestions import DiffCache, StagingService, choices_by_number, parts_by_hunk

SENT = Prompt('Say "hello" first.\n\n1. Never guess a price.\n2. Say "goodbye".\n')
PROPOSED = Prompt(
    "```\nSay “hello” first.\n\n1. Never guess a price.\n2. Ask for the date of birth.\n"
    "3. Read it back to the caller.\n4. Say “goodbye”.\n```\n"
)
DIFF = compare(SENT, PROPOSED)
RULES = next(hunk for hunk in DIFF.hunks if hunk.kind == "added")
QUOTES = next(hunk for hunk in DIFF.hunks if hunk.kind == "layout")
YES, NO, EDITED = HunkChoice("accepted"), HunkChoice("rejected"), HunkChoice("edited", "1. Ask for the name.")


@pytest.fixture
def number(store: Store) -> int:
    """The number of a saved job that sent SENT and proposes PROPOSED."""
    return suggested_job(store, Draft((5,), SENT, 7), PROPOSED).number


@pytest.fixture
def here(store: Store) -> StagingService:
    return StagingService(store)


@pytest.fixture
def there(open_store: OpenStore) -> StagingService:
    """The staging service of another window."""
    return StagingService(open_store())


def parts(diff: ProseDiff, whole: Hunk) -> list[Hunk]:
    return [hunk for hunk in diff.hunks if hunk.whole == whole.key]


async def test_parts_of_a_split_hunk_have_the_choice_of_the_hunk_until_a_part_is_changed(
    here: StagingService, number: int
) -> None:
    whole = await here.choose(number, DIFF, {RULES.number: YES})
    text = here._stagings.staged(number)
    split = await here.split(number, DIFF, RULES.key)
    first, second = parts(split.diff, RULES)
    assert (split.after, here._stagings.staged(number)) == ({first.number: YES, second.number: YES}, text)
    step = await here.choose(number, split.diff, {first.number: NO})
    assert step.after == {first.number: NO, second.number: YES}
    assert here._stagings.staged(number) == SENT.replace("2.", "2. Read it back to the caller.\n3.")
    undone = await here.undo(number, step.diff)
    assert (undone.after, undone.after_by_key) == (split.after, whole.after_by_key)
    joined = await here.split(number, undone.diff, RULES.key, joined=True)
    assert (joined.diff.hunks, joined.after) == (DIFF.hunks, whole.after)


async def test_choices_that_an_ended_window_left_in_its_file_are_made_for_parts_too(
    here: StagingService, store: Store, number: int
) -> None:
    async def suggestion(number: int) -> Suggestion:
        job = store.jobs.get(number)
        assert job is not None
        return store.jobs.suggestion(job)

    jobs = SimpleNamespace(suggestion=suggestion)
    saved = suggestions.Suggestions(jobs, here, store.stagings, *[None] * 3)  # type: ignore[arg-type]
    part = RULES.parts[0]
    for made in ({QUOTES.key: asdict(YES)}, {part: asdict(EDITED)}, {QUOTES.key: asdict(NO)}, None):
        await saved.choose_again(number, made)
    assert store.stagings.choices(number) == {QUOTES.key: YES, part: EDITED}


async def test_a_hunk_with_a_chosen_or_edited_part_is_split_in_every_window(
    here: StagingService, there: StagingService, number: int, open_store: OpenStore
) -> None:
    split = (await here.split(number, DIFF, QUOTES.key)).diff
    first, second = parts(split, QUOTES)
    await here.choose(number, split, {first.number: YES})
    assert (await there.current(number, DIFF))[0].diff.hunks == split.hunks
    late = await there.choose(number, DIFF, {RULES.number: YES})
    assert late.diff.hunks == split.hunks
    assert there._stagings.staged(number) == staged(split, {first.number: YES, RULES.number + 1: YES})
    assert second.number not in late.after
    await here.undo(number, split)
    await there.undo(number, split)
    assert (await StagingService(open_store()).with_splits(number, DIFF)).hunks == split.hunks
    joined = (await there.split(number, split, QUOTES.key, joined=True)).diff
    assert joined.hunks == (await here.current(number, split))[0].diff.hunks == DIFF.hunks
    await here.save_typed(number, parts(compare(SENT, PROPOSED, {RULES.key}), RULES)[1].key, "2. Read")
    assert parts(await StagingService(open_store()).with_splits(number, DIFF), RULES)


async def test_a_later_choice_for_a_hunk_replaces_choices_for_its_parts_and_vice_versa(
    here: StagingService, there: StagingService, number: int
) -> None:
    split = (await here.split(number, DIFF, RULES.key)).diff
    first, second = parts(split, RULES)
    await here.choose(number, split, {first.number: YES, second.number: NO})
    edited = await there.choose(number, DIFF, {RULES.number: EDITED})
    assert (edited.diff.hunks, edited.after) == (DIFF.hunks, {RULES.number: EDITED})
    assert (await here.current(number, split))[0].diff.hunks == DIFF.hunks
    again = await here.choose(number, split, {second.number: YES})
    assert (again.diff.hunks, again.after) == (split.hunks, {second.number: YES})


STEP = st.tuples(st.integers(0, 1), st.integers(0, 9), st.sampled_from([YES, NO, None, EDITED, "split"]))


@COSTLY
@given(st.lists(STEP, max_size=12))
def test_the_text_matches_the_choices_of_two_windows_after_any_sequence(
    store: Store, steps: list[tuple[int, int, HunkChoice | str | None]]
) -> None:
    number = suggested_job(store, Draft((5,), SENT, 7), PROPOSED).number
    services, shown = [StagingService(store, window=name) for name in ("a", "b")], [DIFF, DIFF]
    for who, which, what in steps:
        service, diff = services[who], shown[who]
        hunk = diff.hunks[which % len(diff.hunks)]
        if which == 9:
            step = asyncio.run(service.undo(number, diff))
        elif isinstance(what, str):
            step = asyncio.run(service.split(number, diff, hunk.whole or hunk.key, joined=bool(hunk.whole)))
            assert (step.before_by_key, step.after_by_key) == (store.stagings.choices(number),) * 2
        else:
            step = asyncio.run(service.choose(number, diff, {hunk.number: what}))
            now = [one.number for one in step.diff.hunks if hunk.key in (one.key, one.whole)]
            assert {step.after.get(one) for one in now} == {what}
        shown[who] = step.diff
        needed = {whole for whole, of in parts_by_hunk(DIFF).items() if not step.after_by_key.keys().isdisjoint(of)}
        exact = compare(SENT, PROPOSED, needed)
        text = store.stagings.staged(number)
        assert (SENT if text is None else text) == staged(exact, choices_by_number(exact, step.after_by_key))
        assert staged(step.diff, step.after) == staged(exact, choices_by_number(exact, step.after_by_key))


async def test_a_cancelled_comparison_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the cancellation, the comparison would run for nearly a second after its page was closed."""
    begun, ended = threading.Event(), threading.Event()

    def watched(old: str, new: str, split: frozenset[str], *, stop: Stop) -> ProseDiff:
        begun.set()
        try:
            return compare(old, new, split, stop=lambda: ended.wait(0.01) or stop())
        except Stopped:
            ended.set()
            raise

    monkeypatch.setattr(suggestions, "compare", watched)
    sent = " ".join(f"Sentence {n} of the prompt." for n in range(2_000))
    waiting = asyncio.create_task(DiffCache().diff(sent, sent.replace("of the", "of a")))
    await eventually(begun.is_set, "the comparison has begun")
    waiting.cancel()
    await eventually(ended.is_set, "the comparison is stopped")
