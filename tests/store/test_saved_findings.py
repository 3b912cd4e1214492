"""Findings, which say why runs failed, are saved in the database."""

from __future__ import annotations

import pytest
from open_store import OpenStore

from cekura_tui.model.run.groups import Finding, findings_of
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import read_verdicts
from cekura_tui.store import runs as findings_module
from cekura_tui.store.runs import MAX_FINDINGS
from cekura_tui.store.store import Store

ORIGIN = "https://api.cekura.ai"
LATE = (Finding("Latency", "Waited 6 s."), Finding("Expected outcome", 'No "table" 🙂\n'))


def run_of(number: int, **fields: object) -> Run:
    expected = {"score": 0, "explanation": ["❌ No table was booked."]}
    return Run.read({"id": number, "status": "completed", "expected_outcome": expected, **fields})


def test_findings_and_the_fact_that_a_run_has_no_findings_survive_a_restart(
    store: Store, open_store: OpenStore
) -> None:
    store.findings.save({5: LATE, 6: ()}, 1.0)
    store.close()
    again = open_store()
    assert again.findings.cached([7, 6, 5]) == {5: LATE, 6: ()}
    assert again.findings.cached([]) == {}


def test_findings_are_hidden_from_another_key(store: Store, open_store: OpenStore) -> None:
    store.findings.save({5: LATE}, 1.0)
    other = open_store("other")
    assert other.findings.cached([5]) == {}


def test_later_findings_replace_earlier_findings(store: Store) -> None:
    store.findings.save({5: LATE}, 1.0)
    store.findings.save({5: LATE[:1]}, 2.0)
    assert store.findings.cached([5]) == {5: LATE[:1]}


def test_findings_of_5000_runs_are_read_in_one_call(store: Store) -> None:
    ids = range(1, 5_001)
    store.findings.save({number: LATE for number in ids}, 1.0)
    assert len(store.findings.cached(ids)) == 5_000


def test_the_oldest_findings_are_pruned(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_FINDINGS == 20_000
    monkeypatch.setattr(findings_module, "MAX_FINDINGS", 10)
    for number in range(12):
        store.findings.save({number: LATE}, float(number))
    store.findings.save({2: LATE}, 100.0)
    store.findings.save({12: LATE}, 101.0)
    assert sorted(store.findings.cached(range(20))) == [2, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert len(store.database.read("SELECT * FROM findings")) == 10


def test_opening_a_run_saves_its_findings(store: Store) -> None:
    store.findings.save({5: LATE}, 1.0)
    store.runs.save_opened(run_of(5), 2.0)
    known = store.findings.cached([5])[5]
    assert known == findings_of(read_verdicts(run_of(5))) != LATE
    assert [finding.verdict for finding in known] == ["Expected outcome"]


def test_an_unfinished_run_saves_no_findings(store: Store) -> None:
    store.runs.save_opened(run_of(5, status="in_progress", expected_outcome=None), 1.0)
    assert store.findings.cached([5]) == {}
