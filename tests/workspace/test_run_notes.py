"""Notes, views and filters that a session saves in a real database."""

from __future__ import annotations

import pytest
from open_store import OpenStore
from scripted_server import run_of

from cekura_tui.api.client import Client
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.errors import UsageError
from cekura_tui.model.filter.filter import BUILT_IN_VIEWS, SavedView
from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.groups import Finding
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of
from cekura_tui.model.scope import Scope
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store
from cekura_tui.workspace.notes_and_views import RunNotes, SavedViews
from cekura_tui.workspace.run_findings import RunFindings

SCOPE = Scope("project", 9, "Nine")
WHY = (Finding("Expected outcome", "No table was booked."),)


@pytest.fixture
def notes(store: Store) -> RunNotes:
    return RunNotes(store, lambda: 50.0)


@pytest.fixture
def views(store: Store) -> SavedViews:
    return SavedViews(store, lambda: 50.0)


async def test_a_note_is_saved_as_typed_and_a_blank_note_is_deleted(notes: RunNotes, store: Store) -> None:
    await notes.save(5, "  line one\n\tline two \x07")
    assert store.notes.all() == {5: "  line one\n\tline two \x07"}
    await notes.save(5, " \n ")
    assert store.notes.all() == {}


async def test_views_and_recent_filters_and_the_last_filter_of_a_scope_are_saved(
    views: SavedViews, store: Store
) -> None:
    await views.save("refunds", "scenario:~refund")
    await views.save("gone", "id:1")
    await views.save("gone", None)
    assert store.views.views() == [SavedView("refunds", "scenario:~refund")]
    for text in ("", "status:failed"):
        await views.save_filter(SCOPE.text, text)
    assert store.views.used() == ["status:failed"]
    assert store.views.last_filter(SCOPE.text) == "status:failed"
    for elsewhere in (Scope("project", 90), Scope("agent", 9), Scope("result", 9)):
        assert store.views.last_filter(elsewhere.text) == ""
    await views.save_filter(SCOPE.text, "")
    assert store.views.last_filter(SCOPE.text) == ""


async def test_a_view_name_is_trimmed_and_names_of_built_in_views_are_refused(views: SavedViews, store: Store) -> None:
    with pytest.raises(UsageError, match="built-in view errors"):
        await views.save("errors ", "id:1")
    for given in BUILT_IN_VIEWS:
        await views.save(given.name, None)
    assert store.views.views() == []
    await views.save("refunds", "id:1")
    await views.save(" refunds\t", "id:2")
    assert store.views.views() == [SavedView("refunds", "id:2")]


async def test_notes_and_views_are_seen_only_with_the_key_and_server_of_their_creation(
    notes: RunNotes, views: SavedViews, store: Store, open_store: OpenStore
) -> None:
    await notes.save(5, "look")
    await views.save("refunds", "scenario:~refund")
    await views.save_filter(SCOPE.text, "id:1")
    store.findings.save({5: WHY}, 1.0)
    typed = [{5: "look"}, [SavedView("refunds", "scenario:~refund")], ["id:1"], "id:1", {5: WHY}]
    nothing = [{}, [], [], "", {}]
    for other, expected in (
        (open_store(), typed),
        (open_store("another key"), nothing),
        (open_store(origin="https://eu.cekura.example"), nothing),
    ):
        client = Client("http://127.0.0.1:1", "key", loopback=True)
        found: list[object] = [other.notes.all(), other.views.views(), other.views.used()]
        found += [other.views.last_filter(SCOPE.text), RunFindings(other, client, Budget()).cached([5])]
        await client.aclose()
        assert found == expected


async def test_a_full_disk_is_reported_and_earlier_notes_stay(notes: RunNotes, views: SavedViews, store: Store) -> None:
    await notes.save(5, "look")
    await views.save("refunds", "scenario:~refund")
    sql = store.database._sql
    sql.execute("VACUUM")  # migrations leave free pages
    sql.execute(f"PRAGMA max_page_count = {sql.execute('PRAGMA page_count').fetchone()[0]}")
    for write in (notes.save(5, "n" * 4_000), views.save("x", "f" * 2_000), views.save_filter("agent=9", "f" * 2_000)):
        with pytest.raises(StoreError, match="disk is full"):
            await write
    assert (store.notes.all(), store.views.views()) == ({5: "look"}, [SavedView("refunds", "scenario:~refund")])


async def test_notes_and_views_and_filters_that_are_too_long_are_refused(
    notes: RunNotes, views: SavedViews, store: Store
) -> None:
    await notes.save(5, "n" * 4_000)
    with pytest.raises(UsageError, match="The note has 4,001 characters; the limit is 4,000"):
        await notes.save(5, "m" * 4_001)
    assert store.notes.all() == {5: "n" * 4_000}
    await views.save("v" * 60, "f" * 2_000)
    for name, text in (("v" * 61, "f"), ("v", "f" * 2_001), (" ", "f")):
        with pytest.raises(UsageError):
            await views.save(name, text)
    assert store.views.views() == [SavedView("v" * 60, "f" * 2_000)]
    with pytest.raises(UsageError, match="The filter"):
        await views.save_filter(SCOPE.text, "f" * 2_001)
    assert (store.views.used(), store.views.last_filter(SCOPE.text)) == ([], "")


async def test_runs_are_found_by_their_notes(notes: RunNotes, store: Store) -> None:
    rows = [row_of(Run.read(run_of(number))) for number in range(12)]
    await notes.save(3, "Ask Zoë: why the LATE transfer?")
    await notes.save(7, "Transfer is fine.")
    await notes.save(9, "gone")
    await notes.save(9, "")
    noted = store.notes.all()

    def found(text: str) -> list[int]:
        passes = Matcher(parse(text).filter, now=0.0, notes=noted)
        return [row.id for row in rows if passes(row)]

    assert found('note:~"late transfer"') == found("note:~zoë") == [3]
    assert found("note:~transfer") == found("note:yes") == [3, 7]
    assert found("-note:~late note:yes") == [7]
    assert found("note:~gone") == []
    assert len(found("note:no")) == 10
