"""The staging controller without a screen: choices are saved before they are shown, and no typed text is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cekura_tui.evidence.overfitting import OwnFact
from cekura_tui.jobs.owner import this_process
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store
from cekura_tui.ui.suggestion.staging_controller import CHANGED_ELSEWHERE, StagingController
from cekura_tui.workspace.suggestions import OpenedSuggestion, StagingService, SuggestionReasons, choices_by_number

SENT = Prompt("# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n")
PROPOSED = Prompt(SENT.replace("kind to", "brief with").replace("guess", "estimate"))
DIFF = compare(SENT, PROPOSED)
FIRST, SECOND = DIFF.hunks
WRAPPED = compare(
    SENT, Prompt(f"```\n{SENT.replace('kind to', 'brief with')}\n- Ask for the name.\n- Read it back.\n```\n")
)
YES, NO = HunkChoice("accepted"), HunkChoice("rejected")


class FakeWorkspace:
    """A fake workspace with the suggestion of job 1. Requests run at once; `send` fails with `failure`, if set."""

    def __init__(self, store: Store) -> None:
        self.staging = StagingService(store, window=this_process())
        self.failure: CekuraTuiError | None = None
        self.unsaved = SimpleNamespace(sentence="")
        self.diff = DIFF
        self.session: Any = SimpleNamespace(staging=self.staging, suggestions=self)

    async def open(self, number: int) -> OpenedSuggestion:
        diff = await self.staging.comparisons.diff(self.diff.old, self.diff.new)
        suggestion: Any = None  # used by the screen only
        return OpenedSuggestion(
            suggestion,
            await self.staging.with_splits(number, diff),
            self.staging._stagings.choices(number),
            self.staging._stagings.typed(number),
        )

    async def call(self, ask: Callable[[Any], Awaitable[Any]]) -> Any:
        return await ask(self.session)

    def send(self, ask: Callable[[Any], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        if self.failure is not None:
            future.set_exception(self.failure)
            return future
        step = ask(self.session)
        try:
            step.send(None)  # the store needs no event loop
        except StopIteration as done:
            future.set_result(done.value)
        else:
            raise AssertionError("a step is not done at once")
        return future

    def save(self, slot: Any, value: Any, write: Callable[[Any], Any]) -> Future[Any]:
        return self.send(write)

    def put(self, slot: tuple[str, int, str], value: str | None) -> None:
        self.send(lambda session: session.staging.save_typed(*slot[1:], value))


class Opened:
    """A controller and its workspace."""

    def __init__(self, workspace: Any) -> None:
        self.workspace = workspace
        self.staging = StagingController(workspace, 1)

    async def loaded(self, diff: ProseDiff = DIFF) -> StagingController:
        self.workspace.diff = diff
        await self.staging.load()
        return self.staging

    @property
    def shown(self) -> OpenedSuggestion:
        assert self.staging.opened is not None
        return self.staging.opened

    async def on_disk(self) -> tuple[Any, dict[str, str]]:
        stagings = self.workspace.staging._stagings
        return choices_by_number(DIFF, stagings.choices(1)), stagings.typed(1)


@contextmanager
def other_window(home: Path) -> Iterator[StagingService]:
    with closing(Store(home / "cekura.db", "https://api.cekura.ai", "key", "default")) as store:
        yield StagingService(store, window=this_process())


@pytest.fixture
def opened(home: Path) -> Iterator[Opened]:
    store = Store(home / "cekura.db", "https://api.cekura.ai", "key", "default")
    number = store.jobs.begin_launch(Draft((5,), SENT, 7), 1.0, "me").number
    store.jobs.record_progress_id(number, "p", "raw", 1.1)
    answer = {"status": "completed", "output": {"improved_prompt": PROPOSED}}
    store.jobs.record_answer(number, read_progress(answer), "raw", 1.2)
    yield Opened(FakeWorkspace(store))
    store.close()


async def test_choice_is_saved_before_being_shown(opened: Opened) -> None:
    staging = await opened.loaded()
    late, _ = await opened.workspace.staging.current(1, DIFF)
    assert (staging.undecided, staging.next_undecided(FIRST)) == ([1, 2], 2)
    step = staging.choose(FIRST, YES)
    assert (await opened.on_disk())[0] == {1: YES}, "saving starts at once"
    assert (opened.shown.choices, staging.undecided) == ({}, [2]), "the choice is shown only once saved"
    assert await step == ""
    assert staging._show(late) == "", "a late reload does not undo it"
    assert (opened.shown.choices, opened.shown.staged) == ({1: YES}, SENT.replace("kind to", "brief with"))
    assert staging.next_undecided(SECOND) is None
    assert await staging.choose(SECOND, NO) == ""
    await staging.undo()
    assert (staging.undone_key, staging.undecided, staging.next_undecided(FIRST)) == (SECOND.key, [2], 2)


async def test_a_dismissed_warning_stays_away_in_every_window_until_it_is_shown_again(opened: Opened) -> None:
    staging = await opened.loaded()
    name, date = OwnFact("Priya", "the test profile"), OwnFact("14 March", "the caller")
    found = SuggestionReasons(own_facts={FIRST.key: (name,), SECOND.key: (name, date)})
    assert staging.dismiss(SECOND, found) == "Warning dismissed · B shows it again"
    for window in (staging, await Opened(opened.workspace).loaded()):
        shown = window.opened
        assert shown is not None
        assert [shown.own_facts(found, hunk) for hunk in DIFF.hunks] == [(name,), ()]
    more = SuggestionReasons(own_facts={SECOND.key: (name, OwnFact("9:30", "the agent"), date)})
    assert [fact.text for fact in opened.shown.own_facts(more, SECOND)] == ["9:30"], "only what the user has seen"
    part, whole = replace(SECOND, key="part", whole=SECOND.key), replace(SECOND, key="whole", parts=(SECOND.key,))
    for hunk in (part, whole):
        assert opened.shown.own_facts(SuggestionReasons(own_facts={hunk.key: (name, date)}), hunk) == ()
    assert staging.dismiss(part, SuggestionReasons(own_facts={"part": (name, date)})) == "Warning shown again"
    assert opened.shown.own_facts(found, SECOND) == (name, date)
    assert (await opened.on_disk())[1] == {}


async def test_accept_all_keeps_decided_changes_and_undo_names_changes(opened: Opened) -> None:
    staging = await opened.loaded()
    assert await staging.accept_all() == "2 changes accepted · u undo"
    assert opened.shown.staged == PROPOSED
    assert await staging.undo() == "Undone: 2 changes are as before."
    rejecting = staging.choose(SECOND, NO)
    await opened.workspace.staging.choose(1, DIFF, {1: HunkChoice("edited", "  Be swift.")})
    assert await staging.accept_all() == "No undecided changes · 1 rejected and 1 edited, unchanged"
    await rejecting
    assert await staging.undo() == "Undone: change 1 is undecided. c opens your text."
    assert await staging.accept_all() == "1 change accepted · 1 rejected, unchanged · u undo"
    await staging.undo()
    assert await staging.undo() == "Undone: change 2 is undecided."
    assert await staging.undo() == "Nothing to undo."
    await staging.accept_all()
    await opened.workspace.staging.choose(1, DIFF, {2: NO})
    assert await staging.undo() == "Undone: change 2 is accepted.", "also by another page"


async def test_typed_text_is_saved_until_applied_and_again_after_undo(opened: Opened) -> None:
    staging = await opened.loaded()
    assert staging.text_to_edit(DIFF, FIRST) == "Be brief with callers."
    assert staging.save_typed(DIFF, FIRST, "Be swift.")
    assert await opened.on_disk() == ({}, {FIRST.key: "Be swift."})
    assert staging.text_to_edit(DIFF, FIRST) == "Be swift."
    await staging.edit(DIFF, FIRST, "Be swift.")
    assert await opened.on_disk() == ({1: HunkChoice("edited", "Be swift.")}, {})
    assert (await staging.undo()).endswith("c opens your text.")
    assert await opened.on_disk() == ({}, {FIRST.key: "Be swift."})
    assert not staging.save_typed(DIFF, FIRST, "Be brief with callers."), "the proposed text is not saved"
    assert await opened.on_disk() == ({}, {})


async def test_choices_of_another_window_are_reported_and_cannot_be_undone_in_this_window(
    opened: Opened, home: Path
) -> None:
    staging = await opened.loaded()
    await staging.choose(FIRST, YES)
    with other_window(home) as other:
        await other.choose(1, DIFF, {2: NO})
        assert await staging.reload_choices() == CHANGED_ELSEWHERE
        assert await staging.undo() == "Undone: change 1 is undecided."
        assert await staging.undo() == "Nothing to undo."
        await other.choose(1, DIFF, {1: NO, 2: YES})
        assert await staging.choose(FIRST, YES) == CHANGED_ELSEWHERE
        assert opened.shown.choices == {1: YES, 2: YES}, "the last choice wins"


async def test_text_typed_or_applied_in_another_window_is_offered_for_editing(opened: Opened) -> None:
    there = await opened.loaded()
    there.save_typed(DIFF, FIRST, "Be swift.")
    here = await Opened(opened.workspace).loaded()
    assert here.text_to_edit(DIFF, FIRST) == "Be swift."
    assert here.save_typed(DIFF, FIRST, "Be swift."), "the unapplied text is unchanged"
    await there.edit(DIFF, FIRST, "Be swift and kind.")
    await here.reload_choices()
    assert here.text_to_edit(DIFF, FIRST) == "Be swift and kind."


async def test_unsaved_choice_is_not_shown_and_the_typed_text_is_kept(opened: Opened) -> None:
    staging = await opened.loaded()
    opened.workspace.failure = StoreError("The database cannot be written.")
    with pytest.raises(StoreError):
        await staging.edit(DIFF, FIRST, "Be swift.")
    assert opened.shown.choices == {}
    assert staging.text_to_edit(DIFF, FIRST) == "Be swift."
    for text in ("Be swift. O", "Be swift. On"):
        staging.save_typed(DIFF, FIRST, text)
    opened.workspace.failure = None
    staging.save_typed(DIFF, FIRST, "Be swift. One")
    assert await opened.on_disk() == ({}, {FIRST.key: "Be swift. One"})


async def split(opened: Opened, whole: Hunk) -> list[Hunk]:
    """Split a change and return its parts."""
    # A diff in the cache is split without waiting.
    await opened.workspace.staging.comparisons.diff(WRAPPED.old, WRAPPED.new, frozenset((whole.key,)))
    message = await opened.staging.split(whole)
    parts = [hunk for hunk in opened.shown.diff.hunks if hunk.whole == whole.key]
    assert message == f"Split into {len(parts)} changes · b joins the parts"
    return parts


async def test_parts_of_a_split_change_can_be_chosen_and_edited_and_undone(opened: Opened) -> None:
    staging, rules = await opened.loaded(WRAPPED), WRAPPED.hunks[-1]
    await staging.choose(rules, NO)
    first, second = await split(opened, rules)
    assert opened.shown.choices == {first.number: NO, second.number: NO}
    await staging.edit(opened.shown.diff, second, "- Read it back, twice.")
    assert opened.shown.staged.startswith(SENT.rstrip())
    assert opened.shown.staged.endswith("\n- Read it back, twice.\n")
    decided_separately = f"Can't join the parts: change {first.number} is decided separately. Undo that decision first."
    assert staging.why_not_split(first) == decided_separately
    await staging.undo()
    assert staging.text_to_edit(opened.shown.diff, second) == "- Read it back, twice."
    assert staging.why_not_split(first) == "Can't join the parts: one of them has text that is not applied yet."
    staging.save_typed(opened.shown.diff, second, second.new)
    assert staging.why_not_split(first) is None
    await staging.split(first)
    assert (opened.shown.diff.hunks, opened.shown.choices) == (WRAPPED.hunks, {rules.number: NO})


async def test_a_change_that_has_no_parts_or_is_edited_as_a_whole_is_not_split(opened: Opened) -> None:
    staging, (around, first, rules) = await opened.loaded(WRAPPED), WRAPPED.hunks
    no_parts = "Can't split: the change has no parts."
    assert [staging.why_not_split(hunk) for hunk in (around, first, rules)] == [no_parts, no_parts, None]
    await staging.edit(WRAPPED, rules, "- Ask.")
    assert staging.why_not_split(rules) == "Can't split change 3: it is edited as a whole. Undo the edit first."


async def test_text_for_a_change_that_another_window_split_applies_to_the_whole_change(
    opened: Opened, home: Path
) -> None:
    staging, rules = await opened.loaded(WRAPPED), WRAPPED.hunks[-1]
    typed = staging.text_to_edit(WRAPPED, rules)
    with other_window(home) as other:
        apart = (await other.split(1, WRAPPED, rules.key)).diff
        await other.choose(1, apart, {4: YES})
    await staging.reload_choices()
    assert opened.shown.diff.hunks == apart.hunks
    assert not staging.save_typed(WRAPPED, rules, typed)
    await staging.edit(WRAPPED, rules, f"{typed}\n- Say goodbye.")
    assert opened.shown.diff.hunks == WRAPPED.hunks
    assert opened.shown.choices == {3: HunkChoice("edited", f"{typed}\n- Say goodbye.")}
    assert opened.shown.staged == f"{SENT}\n{typed}\n- Say goodbye.\n"


async def test_accepting_all_leaves_out_and_reports_text_around_the_answer(opened: Opened) -> None:
    staging = await opened.loaded(WRAPPED)
    out = " · change 1 left out (text around the model's answer)"
    assert await staging.accept_all() == f"2 changes accepted{out} · u undo"
    assert f"```\n{opened.shown.staged}```\n" == WRAPPED.new
    assert await staging.accept_all() == f"No undecided changes{out}"
    await staging.choose(WRAPPED.hunks[0], YES)
    assert opened.shown.staged == WRAPPED.new
    assert await staging.accept_all() == "No undecided changes"
