from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from open_store import OpenStore

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.job_kind import Progress
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.store import jobs as job_rows
from cekura_tui.store import prompts
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store

DRAFT = Draft((5, 6), Prompt("\ufeffBe kind.\r\n\t\x1b \ud800"), 7, "Agent 7", (1,), (2, 3), "agent")
DONE = read_progress(
    {"status": "completed", "output": {"improved_prompt": "Be kinder.\r\n", "summary_of_changes": "s"}}
)
GOING = Progress(None, "running")
ENDS = {
    JobState.SUCCEEDED: DONE,
    JobState.FAILED: Progress("failed", "failed", error="broke"),
    JobState.NO_ISSUES: Progress("no_issues", "failed", error="No issues found"),
}


def running(store: Store) -> Job:
    number = store.jobs.begin_launch(DRAFT, 1.0, "me").number
    return store.jobs.record_progress_id(number, "p-1", "raw", 2.0)


def test_sent_and_proposed_prompts_are_stored_exactly_and_once(store: Store) -> None:
    job = store.jobs.begin_launch(DRAFT, 1.0, "me")
    assert (job.state, job.owner, job.launched_at) == (JobState.LAUNCHING, "me", 1.0)
    assert job.prompt_sha256 == sha256(DRAFT.prompt)
    assert store.jobs.draft_of(job) == DRAFT
    job = store.jobs.record_answer(running(store).number, DONE, "raw", 3.0)
    done = store.jobs.suggestion(job)
    assert (job.state, job.finished_at, job.summary_of_changes) == (JobState.SUCCEEDED, 3.0, "s")
    assert (done.prompt, done.improved_prompt) == (DRAFT.prompt, "Be kinder.\r\n")
    assert len(store.database.read("SELECT * FROM prompts")) == 2


def test_editing_a_draft_deletes_its_earlier_prompts(store: Store) -> None:
    before = Draft((5,), Prompt("sent before"), 7)
    sent = store.jobs.begin_launch(before, 1.0, "me")
    job = store.jobs.save_draft(before, 1.0)
    for n in range(5):
        job = store.jobs.save_draft(Draft((5,), Prompt(f"draft {n}"), 7), float(n), job)
    kept = {bytes(row["text"]) for row in store.database.read("SELECT text FROM prompts")}
    assert kept == {b"sent before", b"draft 4"}
    assert store.jobs.draft_of(sent).prompt == "sent before"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("later", [*ENDS.values(), GOING])
def test_an_ended_job_keeps_its_state_unless_a_failed_job_is_resumed(
    store: Store, end: JobState, later: Progress
) -> None:
    number = running(store).number
    ended = store.jobs.record_answer(number, ENDS[end], "raw", 3.0)
    assert ended.state == end
    assert store.jobs.record_answer(number, later, "other", 4.0) == ended
    for state in JobState if end != JobState.FAILED else ():  # a failure can be resumed
        assert store.jobs.record_state(number, state, "x", 5.0, only_from=tuple(JobState)) == ended
    assert store.jobs.mark_stale([number], 5.0)[0].state == end


EVENTS = st.lists(
    st.sampled_from(["id", "going", "done", "no issues", "lost", "unconfirmed", "forgotten", "stopped", "silence"]),
    max_size=10,
)


@given(EVENTS)
def test_no_order_of_events_revives_a_finished_or_forgotten_job(store: Store, events: list[str]) -> None:
    jobs = store.jobs
    number = jobs.begin_launch(DRAFT, 0.0, "me").number
    shut: JobState | None = None
    for at, event in enumerate(events, 1):
        states = {"lost": JobState.LOST, "stopped": JobState.STOPPED, "unconfirmed": JobState.UNCONFIRMED}
        if event == "id":
            job = jobs.record_progress_id(number, "p", "raw", at)
        elif event in ("going", "done", "no issues"):
            progress = {"going": GOING, "done": DONE, "no issues": ENDS[JobState.NO_ISSUES]}[event]
            job = jobs.record_answer(number, progress, event, at)
        elif event == "silence":
            (job,) = jobs.mark_stale([number], at)
        elif event == "forgotten":
            job = jobs.forget(number, at)
        else:
            job = jobs.record_state(number, states[event], "", at, only_from=(JobState.RUNNING, JobState.LAUNCHING))
        assert shut is None or job.state in (shut, JobState.FORGOTTEN)
        shut = job.state if job.state.final or job.state == JobState.FORGOTTEN else shut
    history = [change.state for change in jobs.changes(number)]
    assert all(before != after for before, after in itertools.pairwise(history))


@pytest.mark.parametrize("state", [JobState.STOPPED, JobState.LOST, JobState.UNCONFIRMED])
def test_an_answer_that_the_job_is_running_revives_only_a_lost_job(store: Store, state: JobState) -> None:
    number = running(store).number
    store.jobs.record_state(number, state, "", 3.0, only_from=(JobState.RUNNING,))
    late = store.jobs.record_answer(number, GOING, "raw", 4.0)
    assert late.state == (JobState.RUNNING if state == JobState.LOST else state)
    assert store.jobs.record_answer(number, DONE, "raw", 5.0).state == JobState.SUCCEEDED
    (job,) = store.jobs.mark_stale([number], 6.0)
    assert job.stale_since is None, "an ended job is never stale"


def test_a_job_confirmed_by_a_late_answer_does_not_become_unconfirmed_again(store: Store) -> None:
    number = store.jobs.begin_launch(DRAFT, 1.0, "me").number
    store.jobs.record_state(number, JobState.UNCONFIRMED, "no answer", 2.0, only_from=(JobState.LAUNCHING,))
    job = store.jobs.record_progress_id(number, "p-1", "raw", 3.0)
    assert (job.state, job.progress_id) == (JobState.RUNNING, "p-1")
    job = store.jobs.record_state(number, JobState.UNCONFIRMED, "guess", 4.0, only_from=(JobState.LAUNCHING,))
    assert (job.state, job.reason) == (JobState.RUNNING, "")


def test_a_late_answer_restores_no_text_of_a_forgotten_job(store: Store) -> None:
    number = store.jobs.begin_launch(DRAFT, 1.0, "me").number
    store.jobs.record_state(number, JobState.UNCONFIRMED, "no answer", 2.0, only_from=(JobState.LAUNCHING,))
    store.jobs.forget(number, 3.0)
    store.jobs.record_progress_id(number, "p-1", "late", 4.0)
    job = store.jobs.record_state(number, JobState.LOST, "unknown", 5.0, "late too", only_from=(JobState.RUNNING,))
    assert job.state == JobState.FORGOTTEN
    assert store.jobs.answers(number) == []


def test_a_draft_launched_from_two_windows_is_launched_once(store: Store, open_store: OpenStore) -> None:
    other = open_store()
    saved = store.jobs.save_draft(DRAFT, 1.0)
    first = store.jobs.begin_launch(DRAFT, 2.0, "first", saved)
    second = other.jobs.begin_launch(DRAFT, 3.0, "second", saved)
    assert (first.owner, second) == ("first", first)


def test_a_refused_launch_becomes_a_draft_again(store: Store) -> None:
    number = store.jobs.begin_launch(DRAFT, 1.0, "me").number
    job = store.jobs.record_state(number, JobState.DRAFT, "refused", 2.0, only_from=(JobState.LAUNCHING,))
    assert (job.state, job.reason, job.launched_at) == (JobState.DRAFT, "refused", None)
    assert store.jobs.draft_of(job) == DRAFT
    assert (store.jobs.all(), store.jobs.all(drafts=True)) == ([], [job])


def test_jobs_of_another_profile_or_server_are_not_listed_or_polled(store: Store, open_store: OpenStore) -> None:
    mine = running(store)
    for origin, key in (("https://api.cekura.ai", "other"), ("https://other.example", "key")):
        other = open_store(key, origin, "another")
        assert other.jobs.all(drafts=True) == other.jobs.unfinished() == []
        assert other.jobs.last_prompt(7) is None
        found = other.jobs.get(mine.number)
        assert found is not None
        assert found.key_id != other.account.key_id or found.origin != other.account.origin
    assert [job.number for job in store.jobs.unfinished()] == [mine.number]


def test_jobs_of_a_profile_stay_listed_when_the_key_of_the_profile_is_replaced(
    store: Store, open_store: OpenStore
) -> None:
    mine = running(store)
    store.jobs.save_draft(DRAFT, 5.0)
    other = open_store("the new key")
    (seen,) = other.jobs.all(drafts=True)
    assert (seen.number, seen.other_key) == (mine.number, True)
    assert other.jobs.unfinished() == []
    taken = other.jobs.take_over(mine.number, 9.0)
    assert not taken.other_key
    assert [job.number for job in other.jobs.unfinished()] == [mine.number]
    assert store.jobs.unfinished() == []


def test_state_changes_stay_in_order_when_the_clock_is_set_back(store: Store) -> None:
    number = store.jobs.begin_launch(DRAFT, 1000.0, "me").number
    store.jobs.record_progress_id(number, "p", "raw", 900.0)
    store.jobs.record_answer(number, DONE, "raw", 800.0)
    assert [change.state for change in store.jobs.changes(number)] == ["launching", "running", "succeeded"]


def test_raw_answers_are_deduplicated_and_limited(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = job_rows.MAX_ANSWER, job_rows.MAX_ANSWERS, job_rows.MAX_ANSWERS_BYTES, job_rows.ALL_ANSWERS_BYTES
    assert (*limits, prompts.ALL_TEXTS_BYTES) == (400_000, 200, 2_097_152, 67_108_864, 268_435_456)
    monkeypatch.setattr(job_rows, "MAX_ANSWERS", 20)
    number = running(store).number
    for n in range(40):
        store.jobs.record_answer(number, GOING, f"answer {n}", float(n))
        store.jobs.record_answer(number, GOING, f"answer {n}", n + 0.5)
    kept = store.database.read("SELECT raw FROM job_answers WHERE job = ?", number)
    assert len(kept) == 20
    assert store.jobs.answers(number)[-1].raw == "answer 39"


@pytest.mark.parametrize("draft", [Draft((5,), Prompt("x"), 2**70), Draft((5,), Prompt("x"), 7, "name \ud800")])
def test_a_launch_with_values_that_sqlite_rejects_raises_an_error(store: Store, draft: Draft) -> None:
    with pytest.raises(StoreError):
        store.jobs.begin_launch(draft, 1.0, "me")
    assert (store.jobs.all(drafts=True), store.jobs.get(99)) == ([], None)
    with pytest.raises(StoreError, match="No job 99"):
        store.jobs.mark_stale([99], 1.0)


def test_a_draft_for_the_same_runs_is_preferred_to_a_newer_draft(store: Store) -> None:
    mine = store.jobs.save_draft(DRAFT, 1.0)
    other = store.jobs.save_draft(Draft((9,), Prompt("for another run"), 7), 2.0)
    found = [store.jobs.latest_draft(7, runs) for runs in (DRAFT.run_ids, (9,), (1,))]
    assert [job and job.number for job in found] == [mine.number, other.number, other.number]


def test_the_oldest_viewed_jobs_are_pruned_if_texts_exceed_the_size_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "ALL_TEXTS_BYTES", 5_000)
    for n in range(1, 31):
        job = store.jobs.begin_launch(Draft((n,), Prompt(f"{n} " * 300), 7), float(n), "me")
        store.jobs.record_progress_id(job.number, "p", "raw", n + 0.1)
        store.jobs.record_answer(job.number, DONE, f"raw {n}", n + 0.2)
        if n != 2:
            store.jobs.mark_seen(job.number, n + 0.3)
    kept = [job.number for job in store.jobs.all()]
    assert kept[0] == 30
    assert 2 in kept, "an unseen job is not pruned"
    assert len(kept) < 15
    assert store.jobs.suggestion(store.jobs.all()[0]).improved_prompt == "Be kinder.\r\n"


def test_pruning_raw_answers_keeps_the_results_of_jobs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_rows, "ALL_ANSWERS_BYTES", 3_000)
    for n in range(1, 11):
        job = running(store)
        store.jobs.record_answer(job.number, DONE, f"{n} " * 400, 10.0 + n)
    kept = store.database.read("SELECT sum(bytes) AS bytes FROM job_answers")[0]["bytes"]
    assert kept <= 3_000
    assert [store.jobs.suggestion(job).improved_prompt for job in store.jobs.all()] == ["Be kinder.\r\n"] * 10


def test_an_ended_job_is_unread_until_viewed_and_unread_again_after_another_end(store: Store) -> None:
    number = running(store).number
    lost = store.jobs.record_state(number, JobState.LOST, "", 3.0, only_from=(JobState.RUNNING,))
    assert lost.unread
    assert not store.jobs.mark_seen(number, 4.0).unread
    store.jobs.record_state(number, JobState.RUNNING, "", 5.0, only_from=(JobState.LOST,))
    assert store.jobs.record_answer(number, DONE, "raw", 6.0).unread


def test_unfinished_jobs_are_listed_even_beyond_the_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert job_rows.MAX_LISTED == 2_000
    monkeypatch.setattr(job_rows, "MAX_LISTED", 3)
    old = running(store)
    for _ in range(5):
        store.jobs.record_answer(running(store).number, DONE, "raw", 3.0)
    store.jobs.save_draft(DRAFT, 4.0)
    listed = [job.number for job in store.jobs.all()]
    assert listed[-1] == old.number
    assert listed[:2] == [6, 5]
