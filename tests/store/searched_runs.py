"""Save opened runs in a database, and search their transcripts."""

from __future__ import annotations

from pathlib import Path

from cekura_tui.model.run.run import Run
from cekura_tui.model.transcript.search import Hit, read_query
from cekura_tui.store.store import Store
from cekura_tui.store.transcript_search import hit_of

ORIGIN = "https://api.cekura.ai"
CALLER, AGENT, CALL, RESULT = "Testing Agent", "Main Agent", "Function Call", "Function Call Result"


def opened_store(home: Path, key: str = "key", *, origin: str = ORIGIN) -> Store:
    return Store(home / "cekura.db", origin, key, "default")


def save_opened(store: Store, number: int, *turns: str | tuple[str, str], at: float = 1.0, **fields: object) -> None:
    """Save an opened run with these turns: pairs of role and text, or only the text of a caller's turn. `at` is the
    time of opening; `fields` are added to the run's JSON."""
    said = [(CALLER, turn) if isinstance(turn, str) else turn for turn in turns]
    items = [{"role": role, "content": text, "start_time": 4.0 * n} for n, (role, text) in enumerate(said)]
    source = {"id": number, "scenario_name": f"Scenario {number}", "transcript_object": items, **fields}
    store.runs.save_opened(Run.read(source), at)


def search(store: Store, text: str) -> list[Hit]:
    """Catch up, and search all transcripts."""
    while store.transcript_search.catch_up():
        pass
    query = read_query(text)
    steps = store.transcript_search.search(query, store.transcript_search.rows())
    return [hit_of(turn, query) for found in steps for turn in found]


def places(store: Store, text: str) -> list[tuple[int, int]]:
    return [(hit.run_id, hit.n) for hit in search(store, text)]
