"""Save opened runs in a database, and search their transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cekura_tui.model.run.run import Run
from cekura_tui.model.transcript.search import TranscriptHits, read_query
from cekura_tui.store.store import Store
from cekura_tui.store.transcript_search import TranscriptSearchStore, can_index

ORIGIN = "https://api.cekura.ai"
CALLER, AGENT, CALL, RESULT = "Testing Agent", "Main Agent", "Function Call", "Function Call Result"


def opened_store(home: Path, key: str = "key", *, index: bool = True, origin: str = ORIGIN) -> Store:
    store = Store(home / "cekura.db", origin, key, "default")
    store.transcript_search = TranscriptSearchStore(store.database, store.account, index=index)
    return store


@contextmanager
def watched_store(home: Path, *, index: bool) -> Iterator[Store]:
    """Open a store with or without a search index. Without an index, assert that no SQL statement names the index."""
    assert can_index(), "the tests need a SQLite with FTS5 and trigrams"
    store = opened_store(home, index=index)
    statements: list[str] = []
    store.database._sql.set_trace_callback(statements.append)
    yield store
    store.database._sql.set_trace_callback(None)
    assert any("said_index" in statement for statement in statements) <= index
    store.close()


def save_opened(store: Store, number: int, *turns: str | tuple[str, str], at: float = 1.0, **fields: object) -> None:
    """Save an opened run with these turns: pairs of role and text, or only the text of a caller's turn. `at` is the
    time of opening; `fields` are added to the run's JSON."""
    said = [(CALLER, turn) if isinstance(turn, str) else turn for turn in turns]
    items = [{"role": role, "content": text, "start_time": 4.0 * n} for n, (role, text) in enumerate(said)]
    source = {"id": number, "scenario_name": f"Scenario {number}", "transcript_object": items, **fields}
    store.runs.save_opened(Run.read(source), at)


def search(store: Store, text: str) -> TranscriptHits:
    while store.transcript_search.catch_up():
        pass
    return store.transcript_search.search(read_query(text))


def places(store: Store, text: str) -> list[tuple[int, int]]:
    return [(hit.run_id, hit.n) for hit in search(store, text).hits]


def by_index(store: Store) -> bool:
    return store.transcript_search._index
