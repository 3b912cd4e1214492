"""`runs list` prints all that a filter wants, whatever the server leaves out or counts, or says that it cannot."""

from __future__ import annotations

import json

import pytest
from calling import Result, call
from listed_runs import LIST, Listed, Pin, every_outcome
from scripted_server import ScriptedServer

from cekura_tui.model.filter.filter import BY_NAME
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of

DAY_OF_36 = 2_400
"""Seconds between runs of which 36 are made in a day."""


@pytest.fixture(autouse=True)
def signed_in(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("API_URL", scripted.url), ("API_KEY", "key"), ("PROJECT_ID", "1")):
        monkeypatch.setenv(f"CEKURA_{name}", value)


def ids_of(result: Result) -> list[int]:
    return [json.loads(line)["id"] for line in result.out.splitlines()]


@pytest.mark.parametrize("kind", BY_NAME["outcome"].words)
def test_an_outcome_lists_the_runs_whose_outcome_it_is_and_no_others(scripted: ScriptedServer, kind: str) -> None:
    server = Listed(scripted, list(range(1, 397)), page=100, fields=every_outcome())
    wanted = [n for n in range(396, 0, -1) if row_of(Run.read(server.run(n))).outcome.kind == kind]
    result = call("runs", "list", "--json", "--limit", 1000, f"outcome:{kind}")
    assert (result.status, ids_of(result)) == (0, wanted)
    assert len(scripted.requests("GET", LIST)) <= 4


@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("pin", ["day", "refused", "unknown", "counts"])
def test_a_list_is_whole_or_says_that_it_is_not(
    scripted: ScriptedServer, pin: Pin, oldest_first: bool, grows: bool
) -> None:
    server = Listed(scripted, list(range(1, 362)), page=100, pin=pin, apart=DAY_OF_36, oldest_first=oldest_first)
    server.grows = grows
    result = call("runs", "list", "--json", "--limit", 1000)
    found = ids_of(result)
    if result.status:
        assert (result.status, pin) == (2, "counts")
        assert "the server speaks of" in result.err
    else:
        assert found[-361:] == list(range(361, 0, -1))
