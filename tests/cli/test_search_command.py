"""`search` searches cached transcripts without a request, and all transcripts with `--all`."""

from __future__ import annotations

import pytest
from calling import call, called, objects, refused
from documented_shapes import read_all
from scripted_server import Got, Reply, ScriptedServer, run_of, serve_runs

LIST, BULK = "/test_framework/v1/runs/", "/test_framework/v1/runs/bulk/"
TURNS = [
    {"role": "Main Agent", "content": "Hello, how can I help?", "start_time": 1},
    {"role": "Testing Agent", "content": "I want my refund today.", "start_time": 4},
    {"role": "Main Agent", "content": "A refund takes two days.", "start_time": 8},
    {"role": "Function Call", "data": {"name": "start_refund", "arguments": '{"order": 12}'}, "start_time": 3700},
]


@pytest.fixture
def cached(api: ScriptedServer) -> ScriptedServer:
    """A server whose runs 5 and 6 are cached. The record of requests is empty."""
    serve_runs(api, run_of(5, transcript_object=TURNS), run_of(6, transcript_object=TURNS[:3]))
    for number in (5, 6):
        called("runs", "show", number)
    api.seen.clear()
    return api


def test_hits_are_listed_by_run_with_time_and_speaker_and_text(cached: ScriptedServer) -> None:
    result = call("search", "refund")
    assert result.out.splitlines() == [
        "Run 6, failed, Books a table",
        "  00:04 Caller: I want my refund today.",
        "  00:08 Agent: A refund takes two days.",
        "Run 5, failed, Books a table",
        "  00:04 Caller: I want my refund today.",
        "  00:08 Agent: A refund takes two days.",
        '  1:01:40 Tool call: start_refund {"order": 12}',
    ]
    said = "Searching 2 cached runs of project 1; --all loads any others.\n5 hits in 2 of 2 runs.\n"
    assert (result.status, result.err) == (0, said)
    assert cached.seen == []


def test_json_of_a_hit_names_the_run_and_turn_and_speaker_and_time(cached: ScriptedServer) -> None:
    result = call("search", "caller:refund", "--json")
    hits = read_all("search", result.out)
    places = [(hit["run"], hit["turn"], hit["speaker"], hit["start"]) for hit in hits]
    assert places == [(6, 2, "caller", 4.0), (5, 2, "caller", 4.0)]
    assert [hit["snippet"][start:end] for hit in hits for start, end in hit["matches"]] == ["refund", "refund"]
    assert hits[0]["text"] == "I want my refund today."
    assert hits[0]["outcome"]["kind"] == "failed"


def test_words_match_anywhere_in_a_turn_and_phrases_only_in_their_order(cached: ScriptedServer) -> None:
    hits = {
        ("refund", "days"): 2,
        ("days refund",): 0,  # one argument, quoted in the shell, is a phrase
        ("refund takes",): 2,
        ("caller:refund takes",): 0,
        ('agent:"refund takes"',): 2,
        ("tool:", "refund"): 1,
    }
    assert {words: len(objects("search", *words)) for words in hits} == hits


def test_a_search_without_hits_or_cached_runs_or_words_is_reported(
    cached: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = called("search", "invoice")
    assert (result.out, result.err.splitlines()[1][:17]) == ("", "No hits in 2 runs")
    assert "No hits in 2 runs. * needs letters before it" in called("search", "*").err
    monkeypatch.setenv("CEKURA_API_KEY", "another")
    assert "No transcripts to search yet." in call("search", "refund").err
    for words, said in ((["agent:"], "No words to search for."), (["a" * 201], "the limit is 200")):
        refused(said, "search", *words)


def serve_list(api: ScriptedServer, *ids: int, gone: int = 0, **fields: object) -> None:
    """Serve a list of runs, and all runs in full, with `fields`, but the run `gone`, which was deleted meanwhile."""
    runs = [run_of(number, transcript_object=TURNS, **fields) for number in ids]

    def bulk(got: Got) -> Reply:
        wanted = got.query["run_ids"].split(",")
        return Reply([run for run in runs if str(run["id"]) in wanted and run["id"] != gone])

    api.on("GET", LIST, Reply({"count": len(runs), "next": None, "results": [run_of(number) for number in ids]}))
    api.on("GET", BULK, bulk)


def test_all_loads_missing_transcripts_once_and_says_the_requests_before(api: ScriptedServer) -> None:
    serve_list(api, 8, 7, 6, gone=7)
    result = call("search", "refund", "days", "--all")
    assert [line for line in result.out.splitlines() if line.startswith("Run ")] == [
        "Run 8, failed, Books a table",
        "Run 6, failed, Books a table",
    ]
    assert result.err.splitlines() == [
        "Searching up to 3 runs of project 1. Loading up to 3 runs (2 requests, about 1 s).",
        "Not searched: 1 run, whose transcripts could not be loaded.",
        "2 hits in 2 of 2 runs. 2 requests.",
    ]
    serve_list(api, 8, 6)
    assert call("search", "refund", "--all").err.startswith("Searching up to 2 runs of project 1. All are cached.")
    api.seen.clear()
    assert len(objects("search", "refund", "days", "--all", "--filter", "agent:7 id:6")) == 1
    assert [got.path for got in api.seen] == [LIST]


def test_a_filter_by_check_finds_runs_whose_checks_are_not_in_the_list(api: ScriptedServer) -> None:
    serve_list(api, 8, 7, evaluation={"metrics": [{"id": 1, "name": "Tone", "passed": False}]})
    assert len(objects("search", "days", "--all", "--filter", "metric:Tone")) == 2
    assert len(api.requests("GET", BULK)) == 1


def test_an_error_while_loading_ends_all_after_the_hits_found_before(api: ScriptedServer) -> None:
    serve_list(api, 6)
    api.on("GET", BULK, Reply({"detail": "No."}, 403))
    result = call("search", "refund", "--all")
    assert (result.status, result.out) == (4, "")


def test_all_announces_that_a_running_run_is_loaded_again(api: ScriptedServer) -> None:
    running = run_of(8, status="in_progress", evaluation_status="", transcript_object=TURNS)
    api.on("GET", LIST, Reply({"count": 1, "next": None, "results": [running]}))
    api.on("GET", BULK, Reply([running]))
    call("search", "refund", "--all")
    again = call("search", "refund", "--all").err
    assert "Loading up to 1 run (2 requests, about 1 s)." in again
    assert again.endswith(" 2 requests.\n")
