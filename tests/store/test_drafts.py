"""Two windows edit and launch drafts: no typed text is lost, and no text is stored twice."""

from __future__ import annotations

from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store

S = JobState


def typed(prompt: str, *categories: int, source: str = "agent, edited") -> Draft:
    return Draft((5, 6), Prompt(prompt), 7, "Agent 7", categories, (), source)


def all_of(store: Store) -> list[tuple[JobState, str, tuple[int, ...]]]:
    """The state, prompt and category ids of every job and draft, oldest first."""
    jobs = sorted(store.jobs.all(drafts=True), key=lambda job: job.number)
    return [(job.state, store.jobs.draft_of(job).prompt, job.category_ids) for job in jobs]


def in_two_windows(store: Store) -> tuple[Job, Job]:
    """Save a draft; return the job record that each of two windows has of this draft."""
    job = store.jobs.save_draft(typed("first"), 1.0)
    found = store.jobs.latest_draft(7, (5, 6))
    assert found == job
    return job, found


def test_a_draft_edited_in_two_windows_becomes_two_drafts(store: Store) -> None:
    here, there = in_two_windows(store)
    here = store.jobs.save_draft(typed("first of A"), 2.0, here)
    there = store.jobs.save_draft(typed("first of B"), 3.0, there)
    here = store.jobs.save_draft(typed("more of A"), 4.0, here)
    there = store.jobs.save_draft(typed("more of B"), 5.0, there)
    assert all_of(store) == [(S.DRAFT, "more of A", ()), (S.DRAFT, "more of B", ())]
    assert (here.number, there.number) == (1, 2)


def test_saving_a_draft_overwritten_in_another_window_adds_a_second_draft(store: Store) -> None:
    here, there = in_two_windows(store)
    store.jobs.save_draft(typed("first of B"), 2.0, there)
    store.jobs.save_draft(typed("first"), 3.0, here)
    assert all_of(store) == [(S.DRAFT, "first of B", ()), (S.DRAFT, "first", ())]


def launch_drafts_that_differ_only_in_focus_are_both_kept(store: Store) -> None:
    here, there = in_two_windows(store)
    store.jobs.save_draft(typed("first", 1), 2.0, here)
    store.jobs.save_draft(typed("first", 2), 3.0, there)
    assert all_of(store) == [(S.DRAFT, "first", (1,)), (S.DRAFT, "first", (2,))]


def test_two_windows_that_save_the_same_text_have_one_draft(store: Store) -> None:
    here, there = in_two_windows(store)
    store.jobs.save_draft(typed("the same"), 2.0, here)
    there = store.jobs.save_draft(typed("the same", source="draft, edited"), 3.0, there)
    store.jobs.save_draft(typed("another"), 4.0, there)
    assert all_of(store) == [(S.DRAFT, "another", ())]


def test_a_launch_does_not_change_a_draft_that_has_another_prompt(store: Store) -> None:
    here, there = in_two_windows(store)
    store.jobs.save_draft(typed("first of B"), 2.0, there)
    job = store.jobs.begin_launch(typed("first"), 3.0, "A", here)
    assert (job.number, job.owner) == (2, "A")
    assert all_of(store) == [(S.DRAFT, "first of B", ()), (S.LAUNCHING, "first", ())]
    back = store.jobs.record_state(job.number, S.DRAFT, "refused", 4.0, only_from=(S.LAUNCHING,))
    assert store.jobs.latest_draft(7, (5, 6)) == back


def test_a_launch_reuses_the_draft_even_if_fields_besides_the_prompt_changed(store: Store) -> None:
    saved = store.jobs.save_draft(Draft((5, 6), Prompt("from a script"), None), 1.0)
    job = store.jobs.begin_launch(typed("from a script", 1), 2.0, "A", saved)
    assert (job.number, job.agent_id) == (saved.number, 7)
    assert all_of(store) == [(S.LAUNCHING, "from a script", (1,))]


def test_saving_a_draft_launched_in_another_window_adds_no_draft(store: Store) -> None:
    here, there = in_two_windows(store)
    store.jobs.begin_launch(typed("first"), 2.0, "B", there)
    kept = store.jobs.save_draft(typed("first"), 3.0, here)
    assert (kept.number, kept.state, kept.created_at) == (here.number, S.LAUNCHING, 2.0)
    assert all_of(store) == [(S.LAUNCHING, "first", ())]


def test_an_edit_of_a_draft_launched_in_another_window_is_a_new_draft(store: Store) -> None:
    here, there = in_two_windows(store)
    store.jobs.begin_launch(typed("first"), 2.0, "B", there)
    kept = store.jobs.save_draft(typed("typed here"), 3.0, here)
    assert kept.state == S.DRAFT
    assert all_of(store) == [(S.LAUNCHING, "first", ()), (S.DRAFT, "typed here", ())]


def test_saving_a_draft_forgotten_in_another_window_saves_a_new_draft(store: Store) -> None:
    here, _ = in_two_windows(store)
    store.jobs.forget(here.number, 2.0)
    store.jobs.save_draft(typed("first"), 3.0, here)
    assert all_of(store) == [(S.DRAFT, "first", ())]
