"""The transcript of a running call grows, and verdicts appear only after the call has ended."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from demo_client import EPOCH, Clock, run_ids
from test_demo_arrivals import FINAL, ORDER

from cekura_tui.demo.answers import run_whole
from cekura_tui.demo.corpus import SLOWEST, Arrivals, Corpus
from cekura_tui.demo.facts import Facts, Kind

QUEUE = ORDER[:3]
TALKING = ("running", "in_progress")
STEP = 6.0
Json = dict[str, Any]
RunsSeen = dict[int, list[Json]]
"""The JSON of each run as seen every STEP seconds, by the run's id."""


def facts_of(corpus: Corpus, run_id: int) -> Facts:
    facts = corpus.facts(run_id)
    assert facts is not None
    return facts


@pytest.fixture(scope="module")
def runs_seen() -> RunsSeen:
    """The JSON of runs that are in progress at the epoch or start soon after, until each run has ended."""
    clock = Clock(EPOCH)
    corpus = Corpus(100, EPOCH, arrivals=Arrivals(EPOCH, 5.0, clock))
    still = Corpus(100, EPOCH)
    live = [run_id for run_id in run_ids(still, 0)[:30] if facts_of(still, run_id).fate.kind is Kind.LIVE]
    runs_seen: RunsSeen = {run_id: [] for run_id in (*live, *range(900_101, 900_131))}
    while clock.now < EPOCH + 150 + SLOWEST:
        for run_id, seen in runs_seen.items():
            if (facts := corpus.facts(run_id)) is not None and not (seen and seen[-1]["status"] in FINAL):
                seen.append(run_whole(corpus, facts))
        clock.now += STEP
    return runs_seen


def spoken(run: Json) -> list[Any] | str:
    """The transcript of a run: the list of turns, or else the text; "" if the run has no transcript."""
    turns = run["transcript_object"]
    return turns if isinstance(turns, list) and turns else run["transcript"] or ""


def test_a_queued_run_has_no_transcript_and_no_verdicts(runs_seen: RunsSeen) -> None:
    waiting = [run for seen in runs_seen.values() for run in seen if run["status"] in QUEUE]
    assert len(waiting) > 10
    assert all(run["transcript"] is None and run["transcript_object"] is None for run in waiting)
    assert all(run["evaluation"] is None and run["executed_at"] is None for run in waiting)


def test_turns_are_added_during_a_call_and_no_earlier_turn_changes(runs_seen: RunsSeen) -> None:
    grown = texts = 0
    for seen in runs_seen.values():
        going = [run for run in seen if run["status"] in (*TALKING, "evaluating")]
        talking = [spoken(run) for run in going if run["transcript"]]
        for before, after in itertools.pairwise(talking):
            assert after[: len(before)] == before
            grown += len(after) > len(before)
            texts += isinstance(after, str) and len(after) > len(before) > 0
    assert grown > 50
    assert texts > 0
    for run_id, seen in runs_seen.items():
        for number, run in enumerate(seen):
            if run["status"] in TALKING and isinstance(run["transcript_object"], list) and run_id > 900_100:
                # A run is first seen within a step of its arrival, and its call starts six seconds after that.
                assert all(turn["end_time"] <= (number + 1) * STEP - 6.0 for turn in run["transcript_object"])


def test_a_call_is_judged_only_after_its_end_and_its_transcript_stays_the_same(runs_seen: RunsSeen) -> None:
    judged = 0
    for seen in runs_seen.values():
        assert seen[-1]["status"] in FINAL
        ends = [run for run in seen if run["status"] in ("evaluating", *FINAL)]
        if ends[0]["status"] == "evaluating":
            assert {str(spoken(run)) for run in ends} == {str(spoken(ends[0]))}
            judged += ends[-1]["evaluation"] is not None
        for run in seen[:-1]:
            assert run["evaluation"] is run["rubric"] is run["expected_outcome"] is None
            assert run["voice_recording_url"] is run["duration"] is None
            assert run["critical_categories"] == []
    assert judged > 10


def test_an_unanswered_run_has_no_transcript() -> None:
    clock = Clock(EPOCH)
    corpus = Corpus(180, EPOCH, arrivals=Arrivals(EPOCH, 5.0, clock))
    clock.now += 30.0
    words = []
    for _ in range(60):
        run = run_whole(corpus, facts_of(corpus, 900_186))
        words.append(run["status"])
        assert run["transcript"] is run["transcript_object"] is run["evaluation"] is None
        clock.now += 1.0
    assert run["metadata"]["ended_reason"] == "call-not-answered"
    assert set(words) == {*QUEUE, *TALKING, "failed"}


def test_runs_in_progress_at_the_start_have_the_transcript_of_their_status(runs_seen: RunsSeen) -> None:
    still = Corpus(100, EPOCH)
    first = {run_id: seen for run_id, seen in runs_seen.items() if run_id <= 900_100}
    assert len(first) == 6
    for run_id, seen in first.items():
        facts = facts_of(still, run_id)
        assert seen[0]["status"] == facts.fate.status
        steps = [ORDER.index(run["status"]) for run in seen[:-1]]
        assert steps == sorted(steps)
        if facts.fate.status in (*TALKING, "evaluating"):
            assert spoken(seen[0])


def test_in_a_frozen_workspace_a_run_in_progress_has_part_of_its_call(corpus: Corpus) -> None:
    lengths = {}
    for run_id in run_ids(corpus, 0)[:30]:
        facts = facts_of(corpus, run_id)
        if facts.fate.kind is Kind.LIVE:
            run = run_whole(corpus, facts)
            lengths[run["status"]] = len(run["transcript_object"] or [])
            assert run["evaluation"] is None
    assert 2 <= lengths["running"] < lengths["in_progress"]
    assert lengths["evaluating"] >= 8
    assert {lengths[word] for word in QUEUE} == {0}
