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
from calling import call, process
from scripted_server import Got, Reply, ScriptedServer, run_of
from waiting import PATIENCE, until

from cekura_tui.model.run.words import CSV_HEADER
from cekura_tui.store.store import Store

RUNS = "/test_framework/v1/runs/"


def listed(*words: object) -> list[dict[str, Any]]:
    """The runs that a filter lets through, as JSON."""
    result = call("runs", "list", "--json", *words)
    assert (result.status, result.err) == (0, "")
    return [json.loads(line) for line in result.out.splitlines()]


def queries(demo: Any) -> list[dict[str, Any]]:
    return [entry for entry in demo.log if entry["path"] == RUNS]


@pytest.fixture
def long_list(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A server of 250 runs that filters nothing; every tenth was called Zoe."""
    for name, value in (("API_URL", scripted.url), ("API_KEY", "key"), ("PROJECT_ID", "1")):
        monkeypatch.setenv(f"CEKURA_{name}", value)

    def page(got: Got) -> Reply:
        size, number = int(got.query["page_size"]), int(got.query["page"])
        ids = range(250 - (number - 1) * size, max(0, 250 - number * size), -1)
        found = [run_of(n, personality_name="Zoe" if n % 10 == 0 else "Max") for n in ids]
        return Reply({"count": 250, "next": "x" if ids[-1] > 1 else None, "results": found})

    scripted.on("GET", RUNS, page)
    return scripted


def test_a_filter_lists_the_runs_that_pass_all_its_terms(demo: object) -> None:
    everything = listed("--limit", 300)
    for words, passes in (
        (["outcome:failed"], lambda run: run["outcome"]["kind"] == "failed"),
        (["outcome:passed,error"], lambda run: run["outcome"]["kind"] in ("passed", "error")),
        (["status:completed", "-outcome:passed"], lambda run: run["status"] == "completed" and not passed(run)),
        (["!status:completed"], lambda run: run["status"] != "completed"),
        (["persona:~calm", "outcome:failed"], lambda run: failed(run) and "calm" in run["personality_name"].lower()),
    ):
        wanted = [run["id"] for run in everything if passes(run)]
        assert wanted
        assert [run["id"] for run in listed(*words, "--limit", 300)] == wanted


def passed(run: dict[str, Any]) -> bool:
    return bool(run["outcome"]["kind"] == "passed")


def failed(run: dict[str, Any]) -> bool:
    return bool(run["outcome"]["kind"] == "failed")


def test_what_the_server_can_filter_it_is_asked_to(demo: Any) -> None:
    call("runs", "list", "status:failed,timeout", "dur>20", "id:900240,900239")
    (asked,) = queries(demo)
    assert "status__in=failed%2Ctimeout" in asked["query"]
    assert "duration__gte=21" in asked["query"]
    assert "id__in=900240%2C900239" in asked["query"]


def test_it_is_read_on_until_as_many_pass_as_were_asked_for_and_no_further(long_list: ScriptedServer) -> None:
    result = call("runs", "list", "persona:Zoe", "--limit", 12)
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == [str(n) for n in range(250, 130, -10)]
    assert result.err == "12 runs (limit reached); 200 of 250 checked\n"
    assert [got.query["page"] for got in long_list.requests("GET", RUNS)] == ["1", "2"]


def test_all_are_read_where_fewer_pass(long_list: ScriptedServer) -> None:
    assert [run["id"] for run in listed("persona:zoe")] == list(range(250, 0, -10))
    assert len(long_list.requests("GET", RUNS)) == 3
    result = call("runs", "list", "persona:nobody")
    assert (result.status, result.err) == (0, "0 runs; 250 of 250 checked\n")
    assert result.out.split() == ["RUN", "OUTCOME", "SCENARIO", "PERSONALITY", "AGENT", "LENGTH", "WHEN"]


def test_no_more_is_asked_for_than_a_small_limit_needs(long_list: ScriptedServer) -> None:
    result = call("runs", "list", "--limit", 3)
    assert (len(result.out.splitlines()), result.err) == (4, "3 of 250 runs\n")
    assert [got.query["page_size"] for got in long_list.requests("GET", RUNS)] == ["3"]


def test_pages_are_printed_as_they_come_and_a_reader_that_has_enough_ends_the_asking(
    long_list: ScriptedServer,
) -> None:
    listing = process("runs", "list", "persona:Zoe", "--json", "--limit", 9_000)
    assert listing.stdout is not None
    assert listing.stderr is not None
    until(lambda: len(long_list.requests("GET", RUNS)) == 3, "all pages were asked for")
    assert json.loads(listing.stdout.readline())["id"] == 250
    listing.stdout.close()
    assert (listing.wait(), listing.stderr.read()) == (0, b"")


def test_a_reader_that_left_at_once_does_not_keep_it_reading_what_never_passes(
    long_list: ScriptedServer,
) -> None:
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
    assert [run["id"] for run in listed("note:yes")] == [230, 17]
    assert [run["id"] for run in listed("note:~mo")] == [17]
    result = call("runs", "list", "note:ask Mo", "--csv")
    assert [(run["id"], run["note"]) for run in csv.DictReader(io.StringIO(result.out))] == [("17", "ask Mo")]


def test_a_term_that_must_not_hold_is_no_option_wherever_it_stands(demo: object) -> None:
    expected = [run["id"] for run in listed("--", "-outcome:passed")]
    assert expected
    for words in (["-outcome:passed"], ["--limit", 100, "-outcome:passed"], ["-outcome:passed", "--limit=100"]):
        assert [run["id"] for run in listed(*words)] == expected
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
    result = call("runs", "list", *words, "--json")
    assert (result.status, result.out) == (2, "")
    first, place, mark, *more = result.err.splitlines()
    assert first == "cekura-tui: Can't read the filter:"
    assert (place, mark[: len(lines[1])], more) == (lines[0], lines[1], [])
    assert demo.log == []


def test_a_wrong_term_is_told_also_without_a_key_and_every_wrong_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    result = call("runs", "list", "mode:smoke", "reviewed:perhaps")
    assert result.status == 2
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
    result = call("runs", "list", "--json", "--csv")
    assert (result.status, demo.log) == (2, [])
    assert "Use --json or --csv, not both." in result.err


def test_an_option_that_there_is_not_is_no_term(demo: Any) -> None:
    for words in (["--jsn"], ["--limit"], ["--limit", "-3"]):
        result = call("runs", "list", *words)
        assert (result.status, result.out, demo.log) == (2, "", [])
    assert "FILTER" in call("runs", "list", "-h").out


def test_a_server_that_asks_to_wait_is_waited_for_and_this_is_said(long_list: ScriptedServer) -> None:
    busy = Reply({"detail": "Slow down."}, 429, {"Retry-After": "0"})
    long_list.on("GET", RUNS, busy, Reply({"count": 1, "next": None, "results": [run_of(3)]}))
    result = call("runs", "list", "--json")
    assert (result.status, json.loads(result.out)["id"]) == (0, 3)
    assert "Too many requests to" in result.err


def test_why_a_list_takes_longer_is_said_also_where_the_server_failed(long_list: ScriptedServer) -> None:
    long_list.on("GET", RUNS, Reply(b"", 502), Reply({"count": 1, "next": None, "results": [run_of(3)]}))
    result = call("runs", "list", "--json")
    assert (result.status, json.loads(result.out)["id"]) == (0, 3)
    assert "failed (502). Retrying at " in result.err


def test_whoever_watches_a_long_search_is_told_how_far_it_has_come(long_list: ScriptedServer) -> None:
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


def test_a_log_is_not_filled_with_how_far_a_search_has_come(
    long_list: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.cli.runs.LOOKED_EVERY", 0.0)
    assert call("runs", "list", "persona:nobody").err == "0 runs; 250 of 250 checked\n"
    monkeypatch.setattr("cekura_tui.cli.runs.is_watched", lambda: True)
    *on_the_way, _ = call("runs", "list", "persona:nobody").err.splitlines()
    assert on_the_way == ["100 of 250 checked", "200 of 250 checked"]
    assert call("runs", "list", "--limit", 250).err == "250 runs\n"


def test_a_mistyped_option_that_is_taken_for_a_term_is_said_so_once(demo: Any) -> None:
    for word, term in (("-j", "j"), ("-json", "json")):
        result = call("runs", "list", word, word)
        assert result.status == 0
        assert result.err.splitlines()[0] == f"Reading {word} as a filter: without the word {term}."
        assert result.err.count("as a filter") == 1
    for words in (["-refund"], ["-outcome:passed"], ["--", "-j"], ["j"], ["-"]):
        assert "as a filter" not in call("runs", "list", *words).err
