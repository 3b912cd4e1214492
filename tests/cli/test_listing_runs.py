"""`runs list` sends requests, applies the filter terms that the server does not apply, and prints the runs."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import select
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from calling import call, called, objects, process, refused
from listed_runs import NOON, Listed, Pin, every_outcome
from scripted_server import Got, Reply, ScriptedServer, run_of
from waiting import PATIENCE, until

from cekura_tui.model.filter.filter import BY_NAME
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of
from cekura_tui.model.run.words import csv_header
from cekura_tui.store.store import Store

RUNS = "/test_framework/v1/runs/"
KINDS = {"passed", "failed", "error", "running", "review", "unknown"}
RUN_INTERVAL = 2_400
"""Seconds between two runs, so that a day has 36 runs."""
TABLE = ["RUN", "OUTCOME", "SCENARIO", "PERSONALITY", "AGENT", "LENGTH", "WHEN"]


def ids(*words: object) -> list[int]:
    """The ids of the runs that `runs list` prints for these filter terms and options."""
    return [json.loads(line)["id"] for line in called("runs", "list", "--json", "--no-checks", *words).out.splitlines()]


def listing(server: ScriptedServer, *runs: dict[str, object]) -> None:
    """Let the server list these runs."""
    server.on("GET", RUNS, Reply({"count": len(runs), "next": None, "results": runs}))


@pytest.fixture
def long_list(api: ScriptedServer) -> ScriptedServer:
    """A server that lists 250 runs and ignores filters. The personality of every tenth run is Zoe."""

    def page(got: Got) -> Reply:
        size, number = int(got.query["page_size"]), int(got.query["page"])
        ids = range(250 - (number - 1) * size, max(0, 250 - number * size), -1)
        names = ["Books a table" if n > 150 else "Books a table for two" for n in ids]
        people = ["Zoe" if n % 10 == 0 else "Max" for n in ids]
        found = [
            run_of(n, personality_name=who, scenario_name=name) for n, who, name in zip(ids, people, names, strict=True)
        ]
        return Reply({"count": 250, "next": "x" if ids[-1] > 1 else None, "results": found})

    api.on("GET", RUNS, page)
    return api


def test_the_list_is_a_table_of_the_newest_runs_with_a_count(demo: object) -> None:
    result = called("runs", "list")
    header, *lines = result.out.splitlines()
    numbers = [int(line.split()[0]) for line in lines]
    assert (header.split(), len(lines), result.err) == (TABLE, 100, "100 of 240 runs\n")
    assert numbers == sorted(numbers, reverse=True)
    assert called("runs", "list", "--limit", 500).err == "240 runs\n"


def test_json_of_the_list_has_the_servers_fields_and_the_outcome_of_each_run(
    by_kind: dict[str, list[dict[str, Any]]],
) -> None:
    assert KINDS >= set(by_kind) >= {"passed", "failed", "error", "running"}
    rows = [row for rows in by_kind.values() for row in rows]
    assert len({row["id"] for row in rows}) == len(rows) == 240
    for row in rows:
        assert set(row["outcome"]) == {"kind", "text"}
        assert {"id", "status", "scenario_name", "agent"} <= set(row)
    agent = by_kind["failed"][0]["agent"]
    assert {row["agent"] for row in objects("--agent", agent, "runs", "list")} == {agent}


@pytest.mark.parametrize("more", [Reply({"detail": "Invalid page."}, 404), None])
def test_an_incomplete_list_is_reported(api: ScriptedServer, more: Reply | None) -> None:
    first = Reply({"count": 9000, "next": "http://x/?page=2", "results": [run_of(2), run_of(1)]})
    for form in ([], ["--json"], ["--csv"]):
        api.seen.clear()
        api.on("GET", RUNS, *([first, more, first] if more else [first]))
        result = call("runs", "list", "--limit", 9000, *form)
        assert result.status == 2
        assert result.err.startswith("cekura-tui: The list is incomplete: the server reported 9,000 runs and sent 2.")
        assert len(api.seen) < 6


def test_a_single_project_is_chosen_and_several_projects_are_listed_in_an_error(
    api: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    listing(api)
    projects = [{"id": 9, "name": "Nine"}, {"id": 10, "name": "Ten"}]
    api.on("GET", "/user/v1/projects/", Reply(projects), Reply(projects[:1]))
    several = refused("", "runs", "list").err
    for words in ("9 (Nine)", "10 (Ten)", "--project", "CEKURA_PROJECT_ID"):
        assert words in several
    assert called("runs", "list").err == "0 runs\n"
    assert api.seen[-1].query["project_id"] == "9"


def test_a_filter_lists_the_runs_that_match_all_terms(demo: object) -> None:
    everything = objects("runs", "list", "--limit", 300)
    for words, passes in (
        (["outcome:passed,error"], lambda run, kind: kind in ("passed", "error")),
        (["status:completed", "-outcome:passed"], lambda run, kind: run["status"] == "completed" and kind != "passed"),
        (["!status:completed"], lambda run, kind: run["status"] != "completed"),
        (["persona:~calm", "outcome:failed"], lambda run, kind: kind == "failed" and "Calm" in run["personality_name"]),
    ):
        wanted = [run["id"] for run in everything if passes(run, run["outcome"]["kind"])]
        assert wanted
        assert ids(*words, "--limit", 300) == wanted


def test_filter_terms_that_the_server_supports_are_sent_as_parameters(demo: Any) -> None:
    call("runs", "list", "status:failed,timeout", "dur>20", "id:900240,900239")
    (asked,) = [entry["query"] for entry in demo.log if entry["path"] == RUNS]
    for term in ("status__in=failed%2Ctimeout", "duration__gte=21", "id__in=900240%2C900239"):
        assert term in asked


@pytest.mark.parametrize("kind", BY_NAME["outcome"].words)
def test_a_filter_by_outcome_lists_all_runs_of_that_outcome_and_no_other_runs(api: ScriptedServer, kind: str) -> None:
    server = Listed(api, list(range(1, 397)), page=100, fields=every_outcome())
    wanted = [n for n in range(396, 0, -1) if row_of(Run.read(server.run(n))).outcome.kind == kind]
    assert ids("--limit", 1000, f"outcome:{kind}") == wanted
    assert len(api.requests("GET", RUNS)) <= 4


@pytest.mark.parametrize(
    ("pin", "oldest_first", "grows"),
    [("day", False, True), ("refused", True, True), ("unknown", True, False), ("counts", True, True)],
)
def test_a_list_is_complete_or_reported_as_incomplete(
    api: ScriptedServer, pin: Pin, oldest_first: bool, grows: bool
) -> None:
    server = Listed(api, list(range(1, 74)), page=20, pin=pin, apart=RUN_INTERVAL, oldest_first=oldest_first)
    server.grows = grows
    result = call("runs", "list", "--json", "--no-checks", "--limit", 1000)
    if result.status:
        assert (result.status, pin, "the server reported" in result.err) == (2, "counts", True)
    else:
        assert [json.loads(line)["id"] for line in result.out.splitlines()][-73:] == list(range(73, 0, -1))


@pytest.mark.parametrize("pin", ["exact", "day", "unknown"])
def test_the_term_until_lists_all_runs_up_to_the_end_of_a_day_and_no_later_runs(api: ScriptedServer, pin: Pin) -> None:
    Listed(api, list(range(1, 74)), page=20, pin=pin, apart=RUN_INTERVAL)
    end = datetime.fromtimestamp(NOON + RUN_INTERVAL * 60)
    midnight = end.replace(hour=0, minute=0, second=0).timestamp() + 86_400
    wanted = [number for number in range(73, 0, -1) if NOON + RUN_INTERVAL * number < midnight]
    assert ids("--limit", 1000, f"until:{end:%Y-%m-%d}") == wanted


def test_a_filter_that_the_server_ignores_is_applied_by_the_program(api: ScriptedServer) -> None:
    fields: dict[int, dict[str, object]] = {1: {"duration": "02:00"}, 2: {"agent": 8}, 3: {"status": "failed"}}
    listing(api, *(run_of(n, **{"result_id": 1, "duration": "00:30", **fields.get(n, {})}) for n in range(9, 0, -1)))
    wanted = {"id:5,7": [7, 5], "status:failed": [3], "agent:8": [2], "dur>60": [1], "result:9": []}
    assert {term: ids(term) for term in wanted} == wanted


FAILED_CHECK = {"id": 1, "name": "Greeting", "passed": False}
BULK = f"{RUNS}bulk/"


@pytest.fixture
def thirty(api: ScriptedServer) -> ScriptedServer:
    """A server with 30 failed runs. A run in the list has one failed check, and a whole run two."""
    whole = {"metrics": [FAILED_CHECK, {**FAILED_CHECK, "name": "Tone", "id": 2}]}
    listing(api, *(run_of(n, metrics=[FAILED_CHECK]) for n in range(30, 0, -1)))
    api.on("GET", BULK, lambda got: Reply([run_of(int(n), evaluation=whole) for n in got.query["run_ids"].split(",")]))
    return api


def test_csv_has_all_failed_checks_of_each_run_and_requests_each_run_once(thirty: ScriptedServer) -> None:
    result = called("runs", "list", "--csv")
    words = {
        (run["outcome_text"], run["failed_checks"], run["failing"]) for run in csv.DictReader(io.StringIO(result.out))
    }
    assert (words, result.err) == (
        {("failed", "2", "Greeting; Tone")},
        "Loading the failed checks of 30 runs (2 requests, about 1 s).\n",
    )
    (run, *_) = objects("runs", "list", "--json")
    assert (run["failed_checks"], run["failing"]) == (2, ["Greeting", "Tone"])
    assert called("runs", "list").out.count("✗ failed") == 30
    assert len(thirty.requests("GET", BULK)) == 2


def test_without_checks_nothing_more_is_requested_and_an_error_leaves_checks_unknown(thirty: ScriptedServer) -> None:
    (run, *_) = objects("runs", "list", "--json", "--no-checks")
    assert {"failed_checks", "failing"}.isdisjoint(run)
    assert thirty.requests("GET", BULK) == []
    thirty.on("GET", BULK, Reply({}, 403))
    result = call("runs", "list", "--csv", "--limit", 5)
    found = [(run["outcome"], run["failed_checks"], run["failing"]) for run in csv.DictReader(io.StringIO(result.out))]
    assert (result.status, found) == (4, [("failed", "", "")] * 5)
    assert "The failed checks of 5 runs are unknown." in result.err


def test_a_filter_by_check_loads_the_checks_of_runs_that_may_match(thirty: ScriptedServer) -> None:
    assert ids("metric:Tone", "id:4,6") == [6, 4]
    assert ids("-metric:Tone", "metric:Greeting") == []
    assert [got.query["run_ids"].count(",") + 1 for got in thirty.requests("GET", BULK)] == [2, 25, 3]


def test_pages_are_read_until_the_limit_of_matching_runs_is_reached(long_list: ScriptedServer) -> None:
    result = called("runs", "list", "persona:Zoe", "--limit", 12)
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == [str(n) for n in range(250, 130, -10)]
    assert len({line.rindex("Agent") for line in result.out.splitlines()[1:]}) == 1
    assert result.err == "12 runs (limit reached); 200 of 250 checked\n"
    assert ids("persona:zoe") == list(range(250, 0, -10))
    none = called("runs", "list", "persona:nobody")
    assert (none.out.split(), none.err) == (TABLE, "0 runs; 250 of 250 checked\n")
    assert len(call("runs", "list", "--limit", 3).out.splitlines()) == 4
    asked = [(got.query["page"], got.query["page_size"]) for got in long_list.requests("GET", RUNS)]
    assert [page for page, _ in asked] == [*"12", *"123", *"123", "1"]
    assert asked[-1] == ("1", "3")


@pytest.mark.long
def test_pages_are_printed_as_they_arrive_until_the_output_is_closed(long_list: ScriptedServer) -> None:
    listing = process("runs", "list", "persona:Zoe", "--json", "--no-checks", "--limit", 9_000)
    assert listing.stdout is not None
    assert listing.stderr is not None
    until(lambda: len(long_list.requests("GET", RUNS)) == 3, "all pages were asked for")
    assert json.loads(listing.stdout.readline())["id"] == 250
    listing.stdout.close()
    assert (listing.wait(20), listing.stderr.read()) == (0, b"")


@pytest.mark.long
def test_a_search_without_hits_reports_progress_until_the_output_is_closed(api: ScriptedServer) -> None:
    endless = {"count": 10**6, "next": "x"}
    api.on("GET", RUNS, lambda got: Reply({**endless, "results": [run_of(10**6 - int(got.query["page"]))]}))
    screen, terminal = os.openpty()
    searching = process("runs", "list", "persona:nobody", "--json", stderr=terminal)
    os.close(terminal)
    try:
        assert select.select([screen], [], [], PATIENCE)[0], "nothing was said"
        assert re.fullmatch(r"\d+ of 1,000,000 checked\r\n", os.read(screen, 1_000).decode())
        assert searching.stdout is not None
        searching.stdout.close()
        assert searching.wait(20) == 0
    finally:
        searching.kill()
        searching.wait()
        os.close(screen)


def test_search_progress_is_printed_only_to_a_terminal(
    long_list: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.cli.output.PROGRESS_INTERVAL", 0.0)
    assert call("runs", "list", "persona:nobody").err == "0 runs; 250 of 250 checked\n"
    monkeypatch.setattr("cekura_tui.cli.runs.stderr_is_terminal", lambda: True)
    *on_the_way, _ = call("runs", "list", "persona:nobody").err.splitlines()
    assert on_the_way == ["100 of 250 checked", "200 of 250 checked"]
    assert call("runs", "list", "--limit", 250).err == "250 runs\n"


def test_csv_has_a_line_per_run_and_no_formulas(api: ScriptedServer) -> None:
    evil = run_of(7, scenario_name='=cmd|"/c calc"!A1\x1b[31m', personality_name="a, b\nc", agent_name="-1+2")
    listing(api, evil, run_of(6))
    result = called("runs", "list", "--csv", "--no-checks")
    first, second = csv.DictReader(io.StringIO(result.out))
    assert (first["id"], first["outcome"], second["id"]) == ("7", "failed", "6")
    assert (first["agent"], first["personality"], first["scenario"][:6]) == ("'-1+2", "a, b c", "'=cmd|")
    assert (result.err, "\x1b" in result.out, result.out.splitlines()[0]) == ("", False, csv_header(checks=False))
    assert call("runs", "list", "persona:nobody", "--csv").out == f"{csv_header()}\n"


def test_runs_are_found_by_their_notes(long_list: ScriptedServer, home: Path) -> None:
    call("runs", "list", "--limit", 1)  # creates the database
    store = Store(home / "cekura.db", long_list.url, "key", "default")
    store.notes.put(17, "ask Mo", 1.0)
    store.notes.put(230, "done", 1.0)
    store.close()
    assert ids("note:yes") == [230, 17]
    assert ids("note:~mo") == [17]
    result = call("runs", "list", "note:ask Mo", "--csv")
    assert [(run["id"], run["note"]) for run in csv.DictReader(io.StringIO(result.out))] == [("17", "ask Mo")]


def test_a_negated_term_is_not_an_option_and_a_mistyped_option_is_reported(long_list: ScriptedServer) -> None:
    for words in (["--", "-persona:Max"], ["-persona:Max"], ["--limit", 30, "-persona:Max"]):
        assert ids(*words) == list(range(250, 0, -10))
    # Some of its letters are also options, such as -h.
    assert call("runs", "list", "-scenario:~the").out.startswith("RUN ")
    for word, term in (("-j", "j"), ("-json", "json")):
        result = called("runs", "list", word, word)
        assert result.err.splitlines()[0] == f"Reading {word} as a filter: without the word {term}."
        assert result.err.count("as a filter") == 1
    for words in (["-refund"], ["-outcome:passed"], ["--", "-j"], ["j"], ["-"]):
        assert "as a filter" not in call("runs", "list", *words).err


@pytest.mark.parametrize(
    ("words", "mark"),
    [
        ("statuss:failed dur>120", "  ^^^^^^^^ unknown term “statuss:”; did you mean status?"),
        ("id:5 outcome:fialed", "               ^^^^^^ unknown outcome “fialed”; did you mean failed?"),
        ("scenario:預約 dur:120", "                ^^^^^^^ write dur>120 or dur<120"),
        ('metric:"Task', '         ^^^^^ missing closing quote: add "'),
    ],
)
def test_a_wrong_term_is_marked_before_anything_is_sent(demo: Any, words: str, mark: str) -> None:
    first, place, line = refused("", "runs", "list", *words.split(), "--json").err.splitlines()
    assert (first, place, demo.log) == ("cekura-tui: Can't read the filter:", f"  {words}", [])
    assert line.startswith(mark)


def test_every_wrong_value_is_marked_even_without_an_api_key() -> None:
    result = refused("", "runs", "list", "mode:smoke", "reviewed:perhaps")
    assert result.err.count("mode:smoke reviewed:perhaps") == 1
    assert result.err.count("^") == len("smoke") + len("perhaps")
    long = refused("", "runs", "list", *["a\x1b[31mb\u202e"] * 40, "mode:smoke\x07", *["c"] * 400)
    _, place, mark = long.err.splitlines()
    assert len(place) <= 80
    assert place[mark.index("^") :].startswith("smoke")
    assert not set(long.err) & set("\x1b\x07\u202e")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("runs show abc", "is not a valid run id"),
        ("runs show 12\x1b[31m", "is not a valid run id"),
        (f"runs show {'9' * 30}", "is not a valid run id"),
        ("runs show -1", ""),
        ("runs show 1 --json --markdown", "not both"),
        ("runs show 1 --transcript --json --markdown", "not both"),
        ("runs show 1 --timeline --transcript", ""),
        ("runs show 1 --timeline --markdown", ""),
        ("runs list --limit 0", "--limit"),
        ("runs list --limit -3", "--limit"),
        ("runs list --limit", "--limit"),
        ("runs list --jsn", "--jsn"),
        ("runs list --json --csv", "Use --json or --csv, not both."),
        ("runs list --no-checks", "Use --no-checks with --json or --csv."),
        ("--project mine runs list", "is not a valid project id"),
        (f"--project {'9' * 40} runs list", "is not a valid project id"),
        ("runs shaw", "No such command"),
        ("runs", "Commands"),
    ],
)
def test_wrong_arguments_are_refused_without_asking_the_server(demo: Any, words: str, said: str) -> None:
    refused(said, *words.split(" "))
    assert demo.log == []


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (Reply({"detail": "Slow down."}, 429, {"Retry-After": "0"}), "Too many requests to"),
        (Reply(b"", 502, {"Retry-After": "0"}), "failed (502). Retrying at "),
    ],
)
def test_a_retry_of_the_list_is_reported_with_the_reason(api: ScriptedServer, trouble: Reply, said: str) -> None:
    api.on("GET", RUNS, trouble, Reply({"count": 1, "next": None, "results": [run_of(3)]}))
    result = called("runs", "list", "--json", "--no-checks")
    assert json.loads(result.out)["id"] == 3
    assert said in result.err
