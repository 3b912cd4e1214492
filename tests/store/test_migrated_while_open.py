"""While a database is open, a newer version of the program migrates the database: nothing more is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from newer_database import ADDED, REPLACED, contents, migrate
from open_store import suggested_job

from cekura_tui.model.errors import Exit
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.store.errors import RestartNeeded
from cekura_tui.store.store import Store

DRAFT = Draft((5,), Prompt("Be kind."), 7, "Agent 7")
SENTENCE = "A newer cekura-tui changed the database; this one sends and saves nothing more. Restart cekura-tui."


def read_all(store: Store) -> list[object]:
    job = store.jobs.get(1)
    assert job is not None
    return [
        job,
        store.jobs.all(),
        store.jobs.unfinished(),
        store.jobs.changes(1),
        store.jobs.answers(1),
        store.jobs.suggestion(job),
        store.jobs.durations(),
        store.stagings.current(1),
        store.prompt_uses.all(7),
        store.runs.cached_list("project_id=1"),
        store.notes.all(),
        store.views.views(),
    ]


@pytest.fixture
def filled(store: Store) -> Store:
    suggested_job(store, DRAFT, "Be kinder.")
    store.stagings.choose(1, lambda chosen: {"a": HunkChoice("accepted")}, 2.0, lambda *_: Prompt("Be kinder."))
    store.runs.save_rows("project_id=1", 0, (), 2.0, first=True)
    store.notes.put(5, "Look here.", 2.0)
    return store


def test_added_columns_and_tables_leave_all_reads_unchanged_and_refuse_writes(filled: Store, home: Path) -> None:
    before = read_all(filled)
    version = filled.jobs.version()
    migrate(home / "cekura.db", ADDED)
    assert read_all(filled) == before
    saved = contents(home / "cekura.db")
    for write in (
        lambda: filled.jobs.version() == version,
        lambda: filled.jobs.save_draft(DRAFT, 3.0),
        lambda: filled.jobs.begin_launch(DRAFT, 3.0, "me"),
        lambda: filled.jobs.claim_poll(1, 3.0, 2.0),
        lambda: filled.notes.put(5, "Changed.", 3.0),
    ):
        with pytest.raises(RestartNeeded) as caught:
            write()
        assert (caught.value.sentence(), caught.value.exit_status) == (SENTENCE, Exit.RESTART_NEEDED)
    assert contents(home / "cekura.db") == saved
    assert not [*home.glob("*taken*")]


def test_a_missing_column_or_table_is_reported_as_a_newer_version_not_as_damage(filled: Store, home: Path) -> None:
    migrate(home / "cekura.db", REPLACED)
    saved = contents(home / "cekura.db")
    for read in (filled.jobs.all, filled.jobs.unfinished, lambda: filled.jobs.get(1), lambda: filled.jobs.answers(1)):
        with pytest.raises(RestartNeeded):
            read()
    assert filled.notes.all() == {5: "Look here."}
    assert contents(home / "cekura.db") == saved
