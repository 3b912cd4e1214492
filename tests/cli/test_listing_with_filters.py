"""`runs list` with a filter: what is asked of the server, what is told here, and what is printed of it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import select
from typing import Any

import pytest
from calling import call, called, process, refused
from scripted_server import Got, Reply, ScriptedServer, run_of
from waiting import PATIENCE, until

from cekura_tui.model.run.words import CSV_HEADER
from cekura_tui.store.store import Store

RUNS = "/test_framework/v1/runs/"


def listed(*words: object) -> list[dict[str, Any]]:
    """The runs that a filter lets through, as JSON."""
    return [json.loads(line) for line in called("runs", "list", "--json", *words).out.splitlines()]


def ids(*words: object) -> list[int]:
    return [run["id"] for run in listed(*words)]


@pytest.fixture
def long_list(api: ScriptedServer) -> ScriptedServer:
    """A server of 250 runs that filters nothing; every tenth was called Zoe."""

    def page(got: Got) -> Reply:
        size, number = int(got.query["page_size"]), int(got.query["page"])
        ids = range(250 - (number - 1) * size, max(0, 250 - number * size), -1)
        found = [run_of(n, personality_name="Zoe" if n % 10 == 0 else "Max") for n in ids]
        return Reply({"count": 250, "next": "x" if ids[-1] > 1 else None, "results": found})

    api.on("GET", RUNS, page)
    return api


def test_a_filter_lists_the_runs_that_pass_all_its_terms(demo: object) -> None:
    everything = listed("--limit", 300)
    for words, passes in (
        (["outcome:passed,error"], lambda run, kind: kind in ("passed", "error")),
        (["status:completed", "-outcome:passed"], lambda run, kind: run["status"] == "completed" and kind != "passed"),
        (["!status:completed"], lambda run, kind: run["status"] != "completed"),
        (["persona:~calm", "outcome:failed"], lambda run, kind: kind == "failed" and "Calm" in run["personality_name"]),
    ):
        wanted = [run["id"] for run in everything if passes(run, run["outcome"]["kind"])]
        assert wanted
        assert ids(*words, "--limit", 300) == wanted


def test_the_server_filters_by_what_it_knows(demo: Any) -> None:
    call("runs", "list", "status:failed,timeout", "dur>20", "id:900240,900239")
    (asked,) = [entry for entry in demo.log if entry["path"] == RUNS]
    assert "status__in=failed%2Ctimeout" in asked["query"]
    assert "duration__gte=21" in asked["query"]
    assert "id__in=900240%2C900239" in asked["query"]


def test_pages_are_read_until_as_many_runs_pass_as_the_limit_asks_for(long_list: ScriptedServer) -> None:
    result = call("runs", "list", "persona:Zoe", "--limit", 12)
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == [str(n) for n in range(250, 130, -10)]
    assert result.err == "12 runs (limit reached); 200 of 250 checked\n"
    assert [got.query["page"] for got in long_list.requests("GET", RUNS)] == ["1", "2"]


def test_all_are_read_where_fewer_pass(long_list: ScriptedServer) -> None:
    assert ids("persona:zoe") == list(range(250, 0, -10))
    assert len(long_list.requests("GET", RUNS)) == 3
    result = call("runs", "list", "persona:nobody")
    assert (result.status, result.err) == (0, "0 runs; 250 of 250 checked\n")
    assert result.out.split() == ["RUN", "OUTCOME", "SCENARIO", "PERSONALITY", "AGENT", "LENGTH", "WHEN"]


def test_no_more_is_asked_for_than_a_small_limit_needs(long_list: ScriptedServer) -> None:
    result = call("runs", "list", "--limit", 3)
    assert (len(result.out.splitlines()), result.err) == (4, "3 of 250 runs\n")
    assert [got.query["page_size"] for got in long_list.requests("GET", RUNS)] == ["3"]


@pytest.mark.long
def test_pages_are_printed_as_they_come_and_a_reader_may_leave(long_list: ScriptedServer) -> None:
    listing = process("runs", "list", "persona:Zoe", "--json", "--limit", 9_000)
    assert listing.stdout is not None
    assert listing.stderr is not None
    until(lambda: len(long_list.requests("GET", RUNS)) == 3, "all pages were asked for")
    assert json.loads(listing.stdout.readline())["id"] == 250
    listing.stdout.close()
    assert (listing.wait(), listing.stderr.read()) == (0, b"")


@pytest.mark.long
def test_a_search_without_hits_ends_when_its_reader_leaves(long_list: ScriptedServer) -> None:
    endless = {"count": 10**6, "next": "x"}
    long_list.on("GET", RUNS, lambda got: Reply({**endless, "results": [run_of(10**6 - int(got.query["page"]))]}))
    listing = process("runs", "list", "persona:nobody", "--json")
    until(lambda: long_list.requests("GET", RUNS), "the list was asked for")
    assert listing.stdout is not None
    listing.stdout.close()
    assert listing.wait(20) == 0
    assert listing.stderr is not None
    assert listing.stderr.read() == b""


def test_as_csv_a_run_is_a_line_and_no_cell_is_a_formula(
    long_list: ScriptedServer, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = run_of(7, scenario_name='=cmd|"/c calc"!A1\x1b[31m', personality_name="a, b\nc", agent_name="-1+2")
    long_list.on("GET", RUNS, Reply({"count": 2, "next": None, "results": [evil, run_of(6)]}))
    result = call("runs", "list", "--csv")
    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines()[0] == CSV_HEADER
    first, second = csv.DictReader(io.StringIO(result.out))
    assert (first["id"], first["outcome"], second["id"]) == ("7", "failed", "6")
    assert first["scenario"].startswith("'=cmd|")
    assert first["agent"] == "'-1+2"
    assert first["personality"] == "a, b c"
    assert "\x1b" not in result.out


def test_as_csv_no_runs_are_a_header(long_list: ScriptedServer) -> None:
    assert call("runs", "list", "persona:nobody", "--csv").out == f"{CSV_HEADER}\n"


def test_runs_are_found_by_the_notes_of_this_machine(long_list: ScriptedServer, home: Any) -> None:
    call("runs", "list", "--limit", 1)  # makes the database
    store = Store(home / "cekura.db", long_list.url, "key", "default")
    store.notes.put(17, "ask Mo", 1.0)
    store.notes.put(230, "done", 1.0)
    store.close()
    assert ids("note:yes") == [230, 17]
    assert ids("note:~mo") == [17]
    result = call("runs", "list", "note:ask Mo", "--csv")
    assert [(run["id"], run["note"]) for run in csv.DictReader(io.StringIO(result.out))] == [("17", "ask Mo")]


def test_a_negated_term_is_no_option_wherever_it_stands(long_list: ScriptedServer) -> None:
    for words in (["--", "-persona:Max"], ["-persona:Max"], ["--limit", 30, "-persona:Max"]):
        assert ids(*words) == list(range(250, 0, -10))
    # The letters of this one would else be those of options, -h for one.
    assert call("runs", "list", "-scenario:~the").out.startswith("RUN ")


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["statuss:failed", "dur>120"],
            ["  statuss:failed dur>120", "  ^^^^^^^^ unknown term “statuss:”; did you mean status?"],
        ),
        (
            ["id:5", "outcome:fialed"],
            ["  id:5 outcome:fialed", "               ^^^^^^ unknown outcome “fialed”; did you mean failed?"],
        ),
        (["scenario:預約", "dur:120"], ["  scenario:預約 dur:120", "                ^^^^^^^ write dur>120 or dur<120"]),
        (['metric:"Task'], ['  metric:"Task', '         ^^^^^ missing closing quote: add "']),
    ],
)
def test_a_wrong_term_is_marked_where_it_is_wrong_before_anything_is_sent(
    demo: Any, words: list[str], lines: list[str]
) -> None:
    result = refused("", "runs", "list", *words, "--json")
    first, place, mark, *more = result.err.splitlines()
    assert first == "cekura-tui: Can't read the filter:"
    assert (place, mark[: len(lines[1])], more) == (lines[0], lines[1], [])
    assert demo.log == []


def test_every_wrong_term_is_marked_even_without_a_key() -> None:
    result = refused("", "runs", "list", "mode:smoke", "reviewed:perhaps")
    assert result.err.count("mode:smoke reviewed:perhaps") == 1
    assert result.err.count("^") == len("smoke") + len("perhaps")


def test_a_long_and_hostile_filter_is_marked_on_lines_of_a_terminal(demo: Any) -> None:
    result = call("runs", "list", *["a\x1b[31mb\u202e"] * 40, "mode:smoke\x07", *["c"] * 400)
    assert result.status == 2
    _, place, mark = result.err.splitlines()
    assert len(place) <= 80
    assert place[mark.index("^") :].startswith("smoke")
    assert not set(result.err) & set("\x1b\x07\u202e")


def test_json_and_csv_at_once_is_refused(demo: Any) -> None:
    refused("Use --json or --csv, not both.", "runs", "list", "--json", "--csv")
    assert demo.log == []


def test_an_unknown_option_is_no_term(demo: Any) -> None:
    for words in (["--jsn"], ["--limit"], ["--limit", "-3"]):
        refused("", "runs", "list", *words)
        assert demo.log == []
    assert "FILTER" in call("runs", "list", "-h").out


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (Reply({"detail": "Slow down."}, 429, {"Retry-After": "0"}), "Too many requests to"),
        (Reply(b"", 502, {"Retry-After": "0"}), "failed (502). Retrying at "),
    ],
)
def test_a_list_that_is_retried_says_why(long_list: ScriptedServer, trouble: Reply, said: str) -> None:
    long_list.on("GET", RUNS, trouble, Reply({"count": 1, "next": None, "results": [run_of(3)]}))
    result = called("runs", "list", "--json")
    assert json.loads(result.out)["id"] == 3
    assert said in result.err


@pytest.mark.long
def test_a_long_search_reports_its_progress_on_a_terminal(long_list: ScriptedServer) -> None:
    endless = {"count": 10**6, "next": "x"}
    long_list.on("GET", RUNS, lambda got: Reply({**endless, "results": [run_of(10**6 - int(got.query["page"]))]}))
    screen, terminal = os.openpty()
    listing = process("runs", "list", "persona:nobody", "--json", stderr=terminal)
    os.close(terminal)
    try:
        assert select.select([screen], [], [], PATIENCE)[0], "nothing was said"
        result = os.read(screen, 1_000).decode()
    finally:
        listing.kill()
        listing.communicate()
        os.close(screen)
    assert re.fullmatch(r"\d+ of 1,000,000 checked\r\n", result)


def test_progress_of_a_search_is_printed_only_to_a_terminal(
    long_list: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.cli.runs.LOOKED_EVERY", 0.0)
    assert call("runs", "list", "persona:nobody").err == "0 runs; 250 of 250 checked\n"
    monkeypatch.setattr("cekura_tui.cli.runs.is_watched", lambda: True)
    *on_the_way, _ = call("runs", "list", "persona:nobody").err.splitlines()
    assert on_the_way == ["100 of 250 checked", "200 of 250 checked"]
    assert call("runs", "list", "--limit", 250).err == "250 runs\n"


def test_a_mistyped_option_that_is_read_as_a_term_is_reported_once(long_list: ScriptedServer) -> None:
    for word, term in (("-j", "j"), ("-json", "json")):
        result = call("runs", "list", word, word)
        assert result.status == 0
        assert result.err.splitlines()[0] == f"Reading {word} as a filter: without the word {term}."
        assert result.err.count("as a filter") == 1
    for words in (["-refund"], ["-outcome:passed"], ["--", "-j"], ["j"], ["-"]):
        assert "as a filter" not in call("runs", "list", *words).err
