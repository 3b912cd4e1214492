"""`groups` puts all matching runs into groups, for example by failed check, and says since which run they fail."""

from __future__ import annotations

from typing import Any

import pytest
from calling import call, called, refused
from documented_shapes import read_all
from scripted_server import Got, Reply, ScriptedServer, run_of

from cekura_tui.model.run.groups import GROUPINGS

LIST, BULK = "/test_framework/v1/runs/", "/test_framework/v1/runs/bulk/"
WHY = {"score": 0, "explanation": ["The agent never said the time of the table."]}


def grouped(*words: object) -> dict[str, Any]:
    result = called("groups", "--json", *words)
    return dict(*read_all("groups", result.out))


@pytest.fixture
def few(api: ScriptedServer) -> ScriptedServer:
    """A server with six runs: a pair that has failed since run 12, a pair that passes, and a run with an error. A pair
    is a scenario together with a personality."""
    ends = {14: "failure", 13: "success", 12: "failure", 11: "success", 10: "failure"}
    calm = {"scenario": 3, "personality": 8, "personality_name": "Calm"}
    runs = [run_of(number, evaluation_status=end, **calm) for number, end in ends.items()]
    runs[1] |= {"personality": 9, "personality_name": "Hasty"}
    runs.append(run_of(9, status="timeout", evaluation_status="", scenario=4))
    api.on("GET", LIST, Reply({"count": 6, "next": None, "previous": None, "results": runs}))

    def whole(got: Got) -> Reply:
        wanted = got.query["run_ids"].split(",")
        return Reply([run | {"expected_outcome": WHY} for run in runs if str(run["id"]) in wanted])

    api.on("GET", BULK, whole)
    return api


def test_failed_runs_are_grouped_by_failed_check_and_errors_are_grouped_separately(few: ScriptedServer) -> None:
    result = call("groups")
    assert result.out.strip().split("\n\n") == [
        "By failed check and reason: 3 failed, 1 error in 6 runs",
        "Failed checks: 3 runs",
        "Expected outcome: 3 runs, 100% of all failures\n  why: The agent never said the time of the table.\n"
        "  failing since run 14\n  newest: run 14, failed\n  runs: 14 12 10",
        "Ended with an error: 1 run",
        "timeout: 1 run, 100% of all errors\n  newest: run 9, error\n  runs: 9",
    ]
    assert (result.status, result.err) == (0, "6 runs, 2 requests\n")
    few.on("GET", BULK, Reply(b"", 500))
    assert call("groups").out == result.out  # failure reasons are cached
    few.on("GET", LIST, Reply({"count": 0, "next": None, "previous": None, "results": []}))
    assert call("groups").out == "By failed check and reason: 0 failed, 0 errors in 0 runs\n"
    assert grouped()["groups"] == []


def test_a_pair_is_shown_with_its_outcomes_and_the_run_since_which_the_pair_fails(few: ScriptedServer) -> None:
    assert (
        "Books a table: 4 runs, 100% of all failures\n  personality: Calm\n  failed: 3, errors: 0\n"
        "  failing since run 12\n  outcomes, newest last: failed, passed, failed, failed\n  newest: run 14, failed\n"
        "  filter: scenario:3 persona:8\n"
    ) in call("groups", "--by", "pair").out
    pair = grouped("--by", "pair")["groups"][0]
    assert (pair["failing_since"], pair["outcomes"][-1], pair["runs"]) == ({"run": 12, "at": None}, "failed", 4)
    assert (pair["failing"], pair["last_failed"]) == (True, {"run": 14, "at": None})
    result = call("groups", "--by", "pair", "outcome:failed")
    assert "failing since" not in result.out
    assert "Failing since when is not known" in result.err
    unknown = grouped("--by", "pair", "outcome:failed")["groups"][0]
    assert [unknown[key] for key in ("failing", "failing_since")] == [None, None]


def test_a_scenario_that_passes_again_says_so_and_which_run_failed_last(api: ScriptedServer) -> None:
    runs = [run_of(2, evaluation_status="success"), run_of(1)]
    api.on("GET", LIST, Reply({"count": 2, "next": None, "previous": None, "results": runs}))
    assert "\n  passing now · last failed run 1\n" in call("groups", "--by", "scenario").out
    group = grouped("--by", "scenario")["groups"][0]
    assert [group[key] for key in ("failing", "failing_since", "last_failed")] == [False, None, {"run": 1, "at": None}]


def test_a_limit_groups_only_the_newest_runs(demo: object) -> None:
    whole = grouped("--by", "scenario", "--limit", 7)
    assert (whole["runs"], whole["complete"]) == (7, False)
    assert call("groups", "--by", "scenario", "--limit", 7).err.startswith("7 of 240 runs, ")


@pytest.mark.parametrize("how", GROUPINGS)
def test_every_grouping_can_be_printed_as_json(demo: object, how: str) -> None:
    whole = grouped("--by", how)
    assert (whole["by"], whole["runs"], whole["complete"], whole["reasons_missing"]) == (how, 240, True, 0)
    counted = sum(group["runs"] for group in whole["groups"])
    assert counted > whole["failed"] + whole["errors"] > 0 if how == "verdict" else counted == 240
    largest = whole["groups"][0]
    assert (len(largest["run_ids"]), largest["newest"]["run"]) == (largest["runs"], largest["run_ids"][0])
    if how == "scenario":
        assert (largest["title"], largest["failed"], largest["runs"]) == ("The wrong pizza came", 6, 20)
    listed = call("runs", "list", largest["filter"], "--json").out.splitlines()
    assert len(listed) == largest["runs"]


def test_groups_are_printed_even_if_failure_reasons_cannot_be_loaded(
    few: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.api.errors.TRIES", 1)
    few.on("GET", BULK, Reply(b"", 500))
    result = call("groups")
    assert result.status == 2
    assert "Reason not loaded yet: 3 runs, 100% of all failures" in result.out
    assert "500" in result.err
    assert read_all("groups", call("groups", "--json").out)[0]["reasons_missing"] == 3


def test_a_failure_reason_is_requested_again_from_a_busy_server(few: ScriptedServer) -> None:
    before = len(few.requests("GET", BULK))
    few.on("GET", BULK, Reply(b"", 429, {"Retry-After": "0"}), Reply([run_of(14, expected_outcome=WHY)]))
    result = called("groups")
    assert "Expected outcome: 1 run" in result.out
    assert "Retrying at" in result.err
    assert len(few.requests("GET", BULK)) - before == 2


def test_a_wrong_filter_or_grouping_is_refused_without_a_request(demo: Any) -> None:
    for words in (["outcome:broken"], ["--by", "colour"]):
        refused("", "groups", *words)
    assert demo.log == []
