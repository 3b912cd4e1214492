"""`runs list` prints all that a filter wants, whatever the server leaves out or counts, or says that it cannot."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from calling import Result, call
from listed_runs import LIST, NOON, Listed, Pin, every_outcome
from scripted_server import Reply, ScriptedServer, run_of, serve_runs

from cekura_tui.model.filter.filter import BY_NAME
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of

pytestmark = pytest.mark.usefixtures("api")
DAY_OF_36 = 2_400
"""Seconds between runs of which 36 are made in a day."""


def ids_of(result: Result) -> list[int]:
    return [json.loads(line)["id"] for line in result.out.splitlines()]


@pytest.mark.parametrize("kind", BY_NAME["outcome"].words)
def test_a_filter_by_outcome_lists_all_runs_of_that_outcome_and_no_others(scripted: ScriptedServer, kind: str) -> None:
    server = Listed(scripted, list(range(1, 397)), page=100, fields=every_outcome())
    wanted = [n for n in range(396, 0, -1) if row_of(Run.read(server.run(n))).outcome.kind == kind]
    result = call("runs", "list", "--json", "--limit", 1000, f"outcome:{kind}")
    assert (result.status, ids_of(result)) == (0, wanted)
    assert len(scripted.requests("GET", LIST)) <= 4


@pytest.mark.parametrize(
    ("pin", "oldest_first", "grows"),
    [
        ("day", False, True),
        ("refused", True, True),
        ("unknown", True, False),
        ("unknown", False, True),
        ("counts", False, False),
        ("counts", True, True),
    ],
)
def test_a_list_is_whole_or_says_that_it_is_not(
    scripted: ScriptedServer, pin: Pin, oldest_first: bool, grows: bool
) -> None:
    server = Listed(scripted, list(range(1, 74)), page=20, pin=pin, apart=DAY_OF_36, oldest_first=oldest_first)
    server.grows = grows
    result = call("runs", "list", "--json", "--limit", 1000)
    found = ids_of(result)
    if result.status:
        assert (result.status, pin) == (2, "counts")
        assert "the server reported" in result.err
    else:
        assert found[-73:] == list(range(73, 0, -1))


@pytest.mark.parametrize("pin", ["exact", "day", "unknown"])
def test_runs_until_a_day_are_all_listed_and_no_later_ones(scripted: ScriptedServer, pin: Pin) -> None:
    Listed(scripted, list(range(1, 74)), page=20, pin=pin, apart=DAY_OF_36)
    end = datetime.fromtimestamp(NOON + DAY_OF_36 * 60)
    result = call("runs", "list", "--json", "--limit", 1000, f"until:{end:%Y-%m-%d}")
    midnight = end.replace(hour=0, minute=0, second=0).timestamp() + 86_400
    wanted = [number for number in range(73, 0, -1) if NOON + DAY_OF_36 * number < midnight]
    assert (result.status, ids_of(result)) == (0, wanted)


@pytest.mark.parametrize(
    ("term", "wanted"),
    [("id:5,7", [7, 5]), ("status:failed", [3]), ("agent:8", [2]), ("dur>60", [1]), ("result:9", [])],
)
def test_a_server_that_does_not_know_a_filter_lists_no_others(
    scripted: ScriptedServer, term: str, wanted: list[int]
) -> None:
    fields: dict[int, dict[str, object]] = {1: {"duration": "02:00"}, 2: {"agent": 8}, 3: {"status": "failed"}}
    runs = [run_of(n, **{"result_id": 1, "duration": "00:30", **fields.get(n, {})}) for n in range(9, 0, -1)]
    scripted.on("GET", LIST, Reply({"count": 9, "next": None, "results": runs}))
    assert ids_of(call("runs", "list", "--json", term)) == wanted


def test_a_run_that_was_shown_before_is_listed_with_its_number_of_failed_checks(scripted: ScriptedServer) -> None:
    failed = {"id": 1, "name": "Greeting", "passed": False}
    scripted.on("GET", LIST, Reply([run_of(6, metrics=[failed])]))
    assert "✗ failed" in call("runs", "list").out
    serve_runs(scripted, run_of(6, evaluation={"metrics": [failed, {**failed, "id": 2}]}))
    call("runs", "show", 6)
    assert "✗ 2 checks" in call("runs", "list").out
