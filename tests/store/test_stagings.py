"""The choices for the hunks of a suggestion are stored with the suggestion's job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from damage_database import close_and_damage, damage_notice
from open_store import OpenStore, suggested_job

from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store

YES, NO = HunkChoice("accepted"), HunkChoice("rejected")
DRAFT = Draft((5,), Prompt("sent"), 7)


def text_of(chosen: Mapping[str, HunkChoice]) -> Prompt:
    taken = [f"{hunk}{choice.text}" for hunk, choice in chosen.items() if choice.what != "rejected"]
    return Prompt(" ".join(["sent", *taken]))


def staged_in_history(store: Store) -> list[tuple[str, float, int | None]]:
    return [(use.first_line, use.at, use.job) for use in store.prompt_uses.all(7) if use.how == "staged"]


def texts(store: Store) -> set[str]:
    rows = store.database.read("SELECT text FROM prompts")
    return {bytes(row["text"]).decode("utf-8", "surrogatepass") for row in rows}


def test_only_the_current_staged_text_is_stored_and_in_the_history(store: Store) -> None:
    number = suggested_job(store, DRAFT, "proposed").number
    assert (store.stagings.choices(number), store.stagings.staged(number)) == ({}, None)
    store.stagings.choose(number, lambda chosen: {"a": NO}, 2.0, text_of)
    assert (store.stagings.staged(number), staged_in_history(store)) == ("sent", [])
    for at, hunk in enumerate("bcd", 3):
        store.stagings.choose(number, lambda chosen, hunk=hunk: {hunk: YES}, at, text_of)
    assert staged_in_history(store) == [("sent b c d", 5, number)]
    assert texts(store) == {"sent", "proposed", "sent b c d"}
    assert store.stagings.undo(number, "abcd", 6.0, text_of).after == {"a": NO, "b": YES, "c": YES}
    assert store.stagings.staged(number) == "sent b c"
    assert texts(store) == {"sent", "proposed", "sent b c"}


def test_a_text_staged_by_two_jobs_is_kept_while_one_job_has_that_text(store: Store) -> None:
    first, second = suggested_job(store, DRAFT, "proposed").number, suggested_job(store, DRAFT, "proposed").number
    for at, number in ((2.0, first), (3.0, second)):
        store.stagings.choose(number, lambda chosen: {"a": YES}, at, text_of)
    store.stagings.choose(second, lambda chosen: {"b": YES}, 4.0, text_of)
    assert staged_in_history(store) == [("sent a b", 4.0, second), ("sent a", 2.0, first)]


def test_an_edited_hunk_is_stored_exactly(store: Store) -> None:
    number = suggested_job(store, DRAFT, "proposed").number
    edited = HunkChoice("edited", "é\r\n\x1b \ud800")
    store.stagings.choose(number, lambda chosen: {"a": edited}, 2.0, text_of)
    assert store.stagings.current(number) == {"a": edited}
    assert store.stagings.staged(number) == f"sent a{edited.text}"


def test_repeating_a_choice_adds_no_step_to_undo(store: Store) -> None:
    number = suggested_job(store, DRAFT, "proposed").number
    store.stagings.choose(number, lambda chosen: {"a": YES, "b": YES}, 2.0, text_of)
    store.stagings.choose(number, lambda chosen: {"a": YES, "c": None}, 3.0, text_of)
    store.stagings.choose(number, lambda chosen: {"a": YES, "b": NO}, 4.0, text_of)
    assert store.stagings.undo(number, "abc", 5.0, text_of).after == {"a": YES, "b": YES}
    assert store.stagings.undo(number, "abc", 6.0, text_of).after == {}
    assert store.stagings.undo(number, "abc", 7.0, text_of).after == {}


def test_a_forgotten_job_has_no_choices_and_accepts_no_choice(store: Store, home: Path) -> None:
    number = suggested_job(store, DRAFT, "proposed").number
    store.stagings.choose(number, lambda chosen: {"a": HunkChoice("edited", " a secret of mine")}, 2.0, text_of)
    store.jobs.forget(number, 3.0)
    assert (store.stagings.choices(number), store.stagings.staged(number)) == ({}, None)
    assert texts(store) == {""}
    assert b"a secret of mine" not in b"".join(path.read_bytes() for path in home.iterdir())
    with pytest.raises(StoreError, match=f"Job {number} was forgotten"):
        store.stagings.choose(number, lambda chosen: {"a": YES}, 4.0, text_of)
    with pytest.raises(StoreError, match="No job 99"):
        store.stagings.undo(99, "a", 4.0, text_of)
    assert store.stagings.choices(number) == {}


def test_forgetting_a_staged_use_keeps_the_staged_text(store: Store) -> None:
    number = suggested_job(store, DRAFT, "proposed").number
    store.stagings.choose(number, lambda chosen: {"a": YES}, 2.0, text_of)
    for use in store.prompt_uses.all(7):
        store.prompt_uses.forget(use)
    assert store.stagings.staged(number) == "sent a"


def test_a_choice_and_the_staged_text_are_saved_atomically(store: Store) -> None:
    number = suggested_job(store, DRAFT, "proposed").number
    store.stagings.choose(number, lambda chosen: {"a": YES}, 2.0, text_of)
    with store.database.write() as sql:
        sql.execute(f"PRAGMA max_page_count = {sql.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreError, match="Can't write the database"):
        store.stagings.choose(number, lambda chosen: {"b": YES}, 3.0, lambda chosen: Prompt("x" * 100_000))
    with pytest.raises(ZeroDivisionError):
        store.stagings.undo(number, "a", 3.0, lambda chosen: Prompt(str(1 // 0)))
    assert store.stagings.choices(number) == {"a": YES}
    assert store.stagings.staged(number) == "sent a"


def test_choices_are_recovered_from_a_damaged_file(store: Store, home: Path, open_store: OpenStore) -> None:
    number = suggested_job(store, DRAFT, "proposed").number
    store.stagings.choose(number, lambda chosen: {"a": YES, "b": NO}, 2.0, text_of)
    close_and_damage(store, home)
    saved = open_store()
    assert "damaged" in damage_notice(saved)
    assert saved.stagings.choices(number) == {"a": YES, "b": NO}
    assert saved.stagings.staged(number) == "sent a"
