"""Uses of prompts are listed in an agent's prompt history, and can be pruned, forgotten and recovered."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from damage_database import close_and_damage, damage_notice
from open_store import OpenStore, suggested_job

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.prompt_events import PromptUse, UpdateOutcome, UseKind, words_and_first_line
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.store import prompts as prompt_use_rows
from cekura_tui.store.database import key_id
from cekura_tui.store.errors import StoreError
from cekura_tui.store.schema import MIGRATIONS
from cekura_tui.store.store import Store

ORIGIN, SALT = "https://api.cekura.ai", b"s" * 32
SENT, PROPOSED = Prompt("\ufeff\r\n  # Be\tkind.\x1b \ud800\r\n"), Prompt("Be kinder.\r\n")
DRAFT = Draft((5,), SENT, 7, "Agent 7")
DONE = read_progress({"status": "completed", "output": {"improved_prompt": PROPOSED, "summary_of_changes": "s"}})


def history(store: Store, agent_id: int = 7) -> list[tuple[str, float, int | None]]:
    return [(use.how, use.at, use.job) for use in store.prompt_uses.all(agent_id)]


def texts(store: Store) -> set[str]:
    rows = store.database.read("SELECT text FROM prompts")
    return {bytes(row["text"]).decode("utf-8", "surrogatepass") for row in rows}


# Contents


def test_the_history_has_the_exact_prompts_of_a_job(store: Store) -> None:
    suggested_job(store, DRAFT, PROPOSED, 1.0)
    proposed, sent = store.prompt_uses.all(7)
    assert proposed == PromptUse(7, sha256(PROPOSED), "proposed", 1.2, 1, 2, "Be kinder.")
    assert sent == PromptUse(7, sha256(SENT), "sent", 1.0, 1, *words_and_first_line(SENT))
    assert (sent.words, store.prompt_uses.text(sent.sha256)) == (len(SENT.split()), SENT)
    assert "\x1b" not in sent.first_line
    assert store.prompt_uses.all(8) == []


def test_one_of_two_writes_of_a_prompt_can_be_forgotten(store: Store) -> None:
    for at, text in ((1.0, SENT), (2.0, PROPOSED), (3.0, SENT)):
        store.prompt_uses.note(7, text, "written", at)
    store.prompt_uses.forget(store.prompt_uses.all(7)[-1])
    assert history(store) == [("written", 3.0, None), ("written", 2.0, None)]
    assert store.prompt_uses.text(sha256(SENT)) == SENT


def test_a_repeated_use_is_listed_once_with_its_latest_time(store: Store) -> None:
    for at in (1.0, 2.0, 3.0):
        store.prompt_uses.note(7, SENT, "seen", at)
    store.prompt_uses.note(8, SENT, "seen", 4.0)
    store.prompt_uses.note(7, SENT, "written", 5.0)
    assert history(store) == [("written", 5.0, None), ("seen", 3.0, None)]
    assert history(store, 8) == [("seen", 4.0, None)]


def test_a_refused_launch_leaves_no_history(store: Store) -> None:
    saved = store.jobs.save_draft(DRAFT, 1.0)
    assert history(store) == []
    store.jobs.begin_launch(DRAFT, 2.0, "me", saved)
    assert history(store) == [("sent", 2.0, saved.number)]
    refused = store.jobs.record_state(saved.number, JobState.DRAFT, "refused", 3.0, only_from=(JobState.LAUNCHING,))
    assert history(store) == []
    store.jobs.save_draft(Draft((5,), Prompt("other"), 7), 4.0, refused)
    assert texts(store) == {"other"}


def test_a_draft_launched_from_two_windows_is_in_the_history_once(store: Store, open_store: OpenStore) -> None:
    other = open_store()
    saved = store.jobs.save_draft(DRAFT, 1.0)
    store.jobs.begin_launch(DRAFT, 2.0, "first", saved)
    other.jobs.begin_launch(DRAFT, 3.0, "second", saved)
    other.close()
    (sent,) = store.prompt_uses.all(7)
    assert (sent.sha256, sent.at) == (sha256(SENT), 2.0)


def test_a_job_of_an_unknown_agent_has_no_history(store: Store) -> None:
    suggested_job(store, replace(DRAFT, agent_id=None), PROPOSED, 1.0)
    assert store.database.read("SELECT * FROM prompt_uses") == []


def test_taking_over_a_job_moves_its_prompt_history_to_the_new_key(store: Store, open_store: OpenStore) -> None:
    number = store.jobs.begin_launch(DRAFT, 1.0, "me").number
    store.jobs.record_progress_id(number, "p", "raw", 1.1)
    other = open_store("the new key")
    assert other.prompt_uses.all(7) == []
    other.jobs.take_over(number, 2.0)
    other.jobs.record_answer(number, DONE, "raw", 3.0)
    assert [use.how for use in other.prompt_uses.all(7)] == ["proposed", "sent"]
    assert store.prompt_uses.all(7) == []


def test_migration_adds_earlier_jobs_to_the_history(home: Path, open_store: OpenStore) -> None:
    home.mkdir()
    sql = sqlite3.connect(home / "cekura.db")
    for script in MIGRATIONS[:4]:
        sql.executescript(script)
    sql.execute("INSERT INTO meta VALUES ('salt', ?)", (SALT,))
    sql.executemany("INSERT INTO prompts VALUES (?, ?, 1.0)", [(sha256(text), text.encode()) for text in "abcde"])
    names = "state, agent_id, prompt_sha256, improved_sha256, launched_at, finished_at, created_at"
    rows: list[tuple[object, ...]] = [
        ("succeeded", 7, "a", "b", 10.0, 20.0),
        ("failed", 7, "a", None, 30.0, 40.0),
        ("running", 7, "b", None, 15.0, None),
        ("succeeded", 8, "a", "c", 11.0, 21.0),
        ("draft", 7, "d", None, None, None),
        ("forgotten", 7, "e", None, 12.0, 22.0),
        ("succeeded", None, "a", "b", 13.0, 23.0),
    ]
    for state, agent, sent, improved, *times in rows:
        hashes = (sha256(str(sent)), sha256(str(improved)) if improved else None)
        sql.execute(
            f"INSERT INTO jobs (origin, key_id, profile, run_ids, {names}) VALUES (?, ?, 'default', '[5]'"
            ", ?, ?, ?, ?, ?, ?, 9.0)",
            (ORIGIN, key_id("key", SALT), state, agent, *hashes, *times),
        )
    sql.execute("PRAGMA user_version = 4")
    sql.commit()
    sql.close()
    store = open_store()
    uses = [(use.how, use.first_line, use.at, use.job) for use in store.prompt_uses.all(7)]
    assert uses == [("sent", "a", 30.0, 2), ("proposed", "b", 20.0, 1), ("sent", "b", 15.0, 3)]
    assert [(use.how, use.first_line, use.job) for use in store.prompt_uses.all(8)] == [
        ("proposed", "c", 4),
        ("sent", "a", 4),
    ]
    assert len(store.jobs.all(drafts=True)) == 6
    store.close()


# Pruning


def test_pruning_keeps_the_prompt_replaced_by_the_last_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prompt_use_rows.MAX_USES == 200
    monkeypatch.setattr(prompt_use_rows, "MAX_USES", 10)
    for at, text in ((1.0, "older"), (2.0, "restored from here")):
        store.prompt_uses.note(7, Prompt(text), "replaced", at)
    suggested_job(store, DRAFT, PROPOSED, 3.0)
    store.prompt_uses.note(8, Prompt("another agent's"), "seen", 4.0)
    for n in range(30):
        store.prompt_uses.note(7, Prompt(f"seen {n}"), "seen", 10.0 + n)
    kept = [use.first_line for use in store.prompt_uses.all(7)]
    assert kept == [*(f"seen {n}" for n in range(29, 20, -1)), "restored from here"]
    assert texts(store) == {*kept, "another agent's", SENT, PROPOSED}, "jobs keep what they need"


def test_pruning_keeps_the_prompt_replaced_before_an_unfinished_write(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_use_rows, "MAX_USES", 5)
    monkeypatch.setattr(prompt_use_rows, "ALL_TEXTS_BYTES", 80)
    uses: list[tuple[str, UseKind]] = [
        ("older", "replaced"),
        ("former", "replaced"),
        ("mine", "written"),
        ("mine", "replaced"),
    ]
    for text, how in uses:
        store.prompt_uses.note(7, Prompt(text), how, 1.0)
    for n in range(10):
        store.prompt_uses.note(7, Prompt(f"{n}" * 30), "seen", 2.0 + n)
    assert [(use.how, use.first_line[:6]) for use in store.prompt_uses.all(7)] == [
        ("seen", "999999"),
        ("seen", "888888"),
        ("replaced", "mine"),
        ("written", "mine"),
        ("replaced", "former"),
    ]


def test_writes_stay_in_order_when_the_clock_is_set_back(store: Store, open_store: OpenStore) -> None:
    for at, text in ((9.0, "first"), (8.0, "second"), (7.0, "third"), (6.0, "first")):
        store.prompt_uses.note(7, Prompt(text), "replaced", at, None)
        assert store.prompt_uses.writes(7)[0].first_line == text
    store.prompt_uses.note(7, Prompt("second"), "written", 5.0)
    store.prompt_uses.note(7, Prompt("not a write"), "seen", 4.0)
    store.prompt_uses.note(8, Prompt("another agent's"), "replaced", 10.0)
    again = open_store()
    uses = [(use.how, use.first_line, use.at) for use in again.prompt_uses.writes(7)]
    assert uses[:2] == [("written", "second", 5.0), ("replaced", "first", 6.0)]
    assert [first for _, first, _ in uses[2:]] == ["third", "second", "first"], "each write is kept"
    assert again.prompt_uses.writes(9) == []


def test_prompts_of_the_history_are_pruned_before_jobs_are_pruned(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_use_rows, "ALL_TEXTS_BYTES", 5_000)
    store.prompt_uses.note(7, Prompt("r" * 1_000), "replaced", 0.5)
    for n in range(1, 4):
        job = suggested_job(store, replace(DRAFT, prompt=Prompt(f"{n}" * 500)), PROPOSED, float(n))
        store.jobs.mark_seen(job.number, 5.0)
    for n in range(4):
        store.prompt_uses.note(7, Prompt("abcd"[n] * 1_000), "seen", 10.0 + n)
    seen = {use.first_line[0] for use in store.prompt_uses.all(7) if use.how == "seen"}
    assert seen == {"c", "d"}
    suggested_job(store, replace(DRAFT, prompt=Prompt("4" * 1_400)), PROPOSED, 20.0)
    left = {use.first_line[0] for use in store.prompt_uses.all(7)}
    assert left == {"r", "1", "2", "3", "4", "B", "d"}
    assert len(store.jobs.all()) == 4
    assert sum(len(text.encode("utf-8", "surrogatepass")) for text in texts(store)) <= 5_000


def test_a_full_disk_leaves_the_history_unchanged(store: Store) -> None:
    store.prompt_uses.note(7, SENT, "seen", 1.0)
    with store.database.write() as sql:
        sql.execute(f"PRAGMA max_page_count = {sql.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreError, match="Can't write the database"):
        store.prompt_uses.note(7, Prompt("n" * 100_000), "replaced", 2.0)
    assert history(store) == [("seen", 1.0, None)]
    assert texts(store) == {SENT}


# Forgetting


def everything_of(home: Path) -> bytes:
    """The bytes of all files in the directory of the database."""
    return b"".join(path.read_bytes() for path in home.iterdir())


def test_the_text_of_a_forgotten_prompt_is_in_no_file(store: Store, home: Path) -> None:
    store.prompt_uses.note(7, Prompt("a secret of mine " * 500), "seen", 1.0)
    store.prompt_uses.note(7, Prompt("a secret of mine " * 500), "written", 2.0)
    assert b"a secret of mine" in everything_of(home)
    written, seen = store.prompt_uses.all(7)
    store.prompt_uses.forget(written)
    assert store.prompt_uses.text(seen.sha256).startswith("a secret")
    store.prompt_uses.forget(seen)
    assert store.prompt_uses.all(7) == []
    assert b"a secret of mine" not in everything_of(home)
    with pytest.raises(StoreError, match="was forgotten"):
        store.prompt_uses.text(seen.sha256)


def test_forgetting_a_use_keeps_a_prompt_that_a_job_needs(store: Store) -> None:
    job = suggested_job(store, DRAFT, PROPOSED, 1.0)
    for use in store.prompt_uses.all(7):
        store.prompt_uses.forget(use)
    assert store.prompt_uses.all(7) == []
    suggestion = store.jobs.suggestion(job)
    assert (suggestion.prompt, suggestion.improved_prompt) == (SENT, PROPOSED)


def test_forgetting_a_job_keeps_the_uses_of_its_prompts_by_another_job(store: Store) -> None:
    first, second = suggested_job(store, DRAFT, PROPOSED, 1.0), suggested_job(store, DRAFT, PROPOSED, 2.0)
    assert history(store) == [("proposed", 2.2, second.number), ("sent", 2.0, second.number)]
    store.jobs.forget(second.number, 3.0)
    assert history(store) == [("proposed", 1.2, first.number), ("sent", 1.0, first.number)]
    store.jobs.forget(first.number, 4.0)
    assert history(store) == []
    assert texts(store) == {""}


def test_writes_of_a_forgotten_job_remain_in_the_history(store: Store) -> None:
    job = suggested_job(store, DRAFT, PROPOSED, 1.0)
    store.prompt_uses.note(7, Prompt("before"), "replaced", 2.0, job.number)
    store.prompt_uses.note(7, PROPOSED, "written", 3.0, job.number)
    store.jobs.forget(job.number, 4.0)
    assert history(store) == [("written", 3.0, None), ("replaced", 2.0, None)]
    assert texts(store) == {"", "before", PROPOSED}


def test_an_update_stays_taken_back_after_the_restored_prompt_is_read_again(store: Store) -> None:
    job = suggested_job(store, DRAFT, PROPOSED, 1.0).number
    uses: tuple[tuple[Prompt, UseKind, int | None], ...] = (
        (Prompt("The agent's."), "replaced", job),
        (PROPOSED, "written", job),
        (PROPOSED, "replaced", None),
        (SENT, "written", None),  # as sent with the job, although the agent had another
        (SENT, "seen", None),
    )
    for at, (prompt, how, number) in enumerate(uses, 2):
        store.prompt_uses.note(7, prompt, how, at, number)
    assert store.jobs.get(job).update == UpdateOutcome("taken_back", 5.0)


# Damage


def test_the_history_is_recovered_from_a_damaged_file(store: Store, home: Path, open_store: OpenStore) -> None:
    suggested_job(store, DRAFT, PROPOSED, 1.0)
    for at, text in ((9.0, "first"), (8.0, "second")):
        store.prompt_uses.note(7, Prompt(text), "replaced", at)
    before = store.prompt_uses.all(7)
    close_and_damage(store, home)
    saved = open_store()
    assert "Recovered 1 job and 4 prompts;" in damage_notice(saved)
    assert saved.prompt_uses.all(7) == before
    assert saved.prompt_uses.writes(7)[0].first_line == "second"
