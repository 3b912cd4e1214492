"""An unreadable row hides no other row, and a text that does not match its hash is never returned."""

from __future__ import annotations

import pytest
from open_store import suggested_job

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.jobs import StateChange
from cekura_tui.store.store import Store

ORIGIN = "https://api.cekura.ai"
SENT, PROPOSED = Prompt("Be kind."), Prompt("Be kinder.")
DRAFT = Draft((5,), SENT, 7, "Agent 7", prompt_source="/prompts/caf\udce9 \ud800.md")
DONE = read_progress({"status": "completed", "output": {"improved_prompt": PROPOSED, "summary_of_changes": "s"}})


@pytest.fixture
def jobs(store: Store) -> list[int]:
    """The numbers of three saved jobs that have succeeded."""
    return [suggested_job(store, DRAFT, PROPOSED, at).number for at in (1.0, 2.0, 3.0)]


def corrupt(store: Store, statement: str, *values: object) -> None:
    with store.database.write() as sql:
        assert sql.execute(statement, values).rowcount == 1


@pytest.mark.parametrize("change", ["state = 'runnin'", "run_ids = 'x'", "launched_at = 1e300", "agent_name = x'ff'"])
def test_an_unreadable_job_can_be_forgotten_with_its_texts(store: Store, jobs: list[int], change: str) -> None:
    for number in (1, 3):
        store.jobs.forget(number, 9.0)
    corrupt(store, f"UPDATE jobs SET {change} WHERE number = 2")
    assert store.jobs.forget(2, 9.0).state == JobState.FORGOTTEN
    assert store.jobs.changes(2)[-1] == StateChange(9.0, JobState.FORGOTTEN, "")
    assert (store.jobs.all(), store.jobs.unreadable, store.prompt_uses.all(7)) == ([], None, [])
    assert [bytes(row["text"]) for row in store.database.read("SELECT text FROM prompts")] == [b""]


def test_unreadable_rows_hide_no_other_running_job_or_draft(store: Store) -> None:
    for at in (1.0, 2.0):
        store.jobs.begin_launch(DRAFT, at, "me")
    drafts = [store.jobs.save_draft(DRAFT, at).number for at in (3.0, 4.0)]
    for number in (1, drafts[1]):
        corrupt(store, "UPDATE jobs SET run_ids = 'x' WHERE number = ?", number)
    assert [job.number for job in store.jobs.unfinished()] == [2]
    found = store.jobs.latest_draft(7, (5,))
    assert found is not None
    assert found.number == drafts[0]


def test_a_prompt_source_is_stored_byte_for_byte(store: Store, jobs: list[int]) -> None:
    assert [job.prompt_source for job in store.jobs.all()] == [DRAFT.prompt_source] * 3
    assert store.jobs.draft_of(store.jobs.all()[0]) == DRAFT


# Texts


@pytest.mark.parametrize("kept", [b"\xffA", b"AB", "Be kinder."], ids=["no text", "another text", "no bytes"])
def test_a_text_that_does_not_match_its_hash_is_refused(store: Store, kept: bytes | str) -> None:
    job = suggested_job(store, DRAFT, PROPOSED, 1.0)
    corrupt(store, "UPDATE prompts SET text = ? WHERE sha256 = ?", kept, job.improved_sha256)
    with pytest.raises(DamagedText, match="in the database is damaged"):
        store.jobs.suggestion(job)
    with pytest.raises(DamagedText):
        store.prompt_uses.text(job.improved_sha256 or "")
    assert store.jobs.draft_of(job).prompt == SENT
    assert [(use.how, use.job) for use in store.prompt_uses.all(7)] == [("proposed", 1), ("sent", 1)]


def test_a_damaged_text_is_repaired_when_saved_again(store: Store) -> None:
    job = suggested_job(store, DRAFT, PROPOSED, 1.0)
    corrupt(store, "UPDATE prompts SET text = x'ff41' WHERE sha256 = ?", job.improved_sha256)
    suggested_job(store, DRAFT, PROPOSED, 2.0)
    assert store.jobs.suggestion(job).improved_prompt == PROPOSED


def test_the_last_prompt_is_not_offered_if_its_text_is_damaged(store: Store) -> None:
    job = suggested_job(store, DRAFT, PROPOSED, 1.0)
    assert store.jobs.last_prompt(7) == SENT
    corrupt(store, "UPDATE prompts SET text = x'4142' WHERE sha256 = ?", job.prompt_sha256)
    assert store.jobs.last_prompt(7) is None


def test_a_damaged_choice_leaves_only_its_hunk_undecided(store: Store) -> None:
    number = suggested_job(store, DRAFT, PROPOSED, 1.0).number
    for what, text in ("accepted", ""), ("edited", "Be very kind."):
        choices = dict.fromkeys("ab", HunkChoice(what, text))  # type: ignore[arg-type]
        store.stagings.choose(number, lambda chosen, new=choices: new, 2.0, lambda chosen: Prompt(f"{len(chosen)}"))
    corrupt(store, "UPDATE stagings SET text = x'ff' WHERE hunk = 'a' AND what = 'edited'")
    for hunk in "ab":
        store.stagings.save_typed(number, hunk, "Be")
    corrupt(store, "UPDATE typed SET text = x'ff' WHERE hunk = 'a'")
    assert store.stagings.choices(number) == {"b": HunkChoice("edited", "Be very kind.")}
    assert store.stagings.typed(number) == {"b": "Be"}
    corrupt(store, "UPDATE prompts SET text = x'4142' WHERE text = x'32'")
    with pytest.raises(StoreError, match="damaged"):
        store.stagings.staged(number)
