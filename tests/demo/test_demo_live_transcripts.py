"""What a run that goes on tells of its call: more and more of it, and verdicts only when it has ended."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from demo_client import EPOCH, Clock
from test_demo_arrivals import FINAL, ORDER

from cekura_tui.demo.answers import run_whole
from cekura_tui.demo.corpus import SLOWEST, Arrivals, Corpus
from cekura_tui.demo.facts import Kind, Shape

pytestmark = pytest.mark.xdist_group("live transcripts")  # they share what they watch
QUEUE = ORDER[:3]
TALKING = ("running", "in_progress")
STEP = 6.0


@pytest.fixture(scope="module")
def runs_seen() -> dict[int, list[dict[str, Any]]]:
    """Every run that was going on at the epoch or came in the minutes after it, as it was told every few seconds."""
    clock = Clock(EPOCH)
    corpus = Corpus(100, EPOCH, arrivals=Arrivals(EPOCH, 5.0, clock))
    runs_seen: dict[int, list[dict[str, Any]]] = {run_id: [] for run_id in range(900_071, 900_131)}
    still = Corpus(100, EPOCH)
    for run_id in range(900_071, 900_101):
        facts = still.facts(run_id)
        if facts is None or facts.fate.kind is not Kind.LIVE:
            del runs_seen[run_id]
    while clock.now < EPOCH + 150 + SLOWEST:
        for run_id, seen in runs_seen.items():
            if (facts := corpus.facts(run_id)) is not None and not (seen and seen[-1]["status"] in FINAL):
                seen.append(run_whole(corpus, facts))
        clock.now += STEP
    return runs_seen


def spoken(run: dict[str, Any]) -> list[Any] | str:
    """What a run tells of its call, in whichever form."""
    turns = run["transcript_object"]
    return turns if isinstance(turns, list) and turns else run["transcript"] or ""


def test_a_run_that_waits_has_no_transcript_and_no_verdicts(runs_seen: dict[int, list[dict[str, Any]]]) -> None:
    waiting = [run for seen in runs_seen.values() for run in seen if run["status"] in QUEUE]
    assert len(waiting) > 10
    assert all(run["transcript"] is None and run["transcript_object"] is None for run in waiting)
    assert all(run["evaluation"] is None and run["executed_at"] is None for run in waiting)


def test_while_a_call_goes_on_turns_are_added_and_none_changes(
    runs_seen: dict[int, list[dict[str, Any]]],
) -> None:
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


def test_no_turn_is_in_the_transcript_before_it_was_spoken(runs_seen: dict[int, list[dict[str, Any]]]) -> None:
    for run_id, seen in runs_seen.items():
        for number, run in enumerate(seen):
            if run["status"] in TALKING and isinstance(run["transcript_object"], list) and run_id > 900_100:
                # A run is first seen at most a step after it came, and six seconds go by before its call.
                assert all(turn["end_time"] <= (number + 1) * STEP - 6.0 for turn in run["transcript_object"])


def test_what_is_evaluated_is_the_whole_call_and_stays_as_it_is(runs_seen: dict[int, list[dict[str, Any]]]) -> None:
    judged = 0
    for seen in runs_seen.values():
        ends = [run for run in seen if run["status"] in ("evaluating", *FINAL)]
        if ends and ends[0]["status"] == "evaluating":
            assert {str(spoken(run)) for run in ends} == {str(spoken(ends[0]))}
            judged += ends[-1]["evaluation"] is not None
    assert judged > 10


def test_nothing_is_judged_before_the_end(runs_seen: dict[int, list[dict[str, Any]]]) -> None:
    for seen in runs_seen.values():
        assert seen[-1]["status"] in FINAL
        for run in seen[:-1]:
            assert run["evaluation"] is run["rubric"] is run["expected_outcome"] is None
            assert run["critical_categories"] == []
            assert run["voice_recording_url"] is None
            assert run["duration"] is None


def test_a_run_that_was_never_answered_has_no_transcript() -> None:
    clock = Clock(EPOCH)
    corpus = Corpus(180, EPOCH, arrivals=Arrivals(EPOCH, 5.0, clock))
    clock.now += 30.0
    number = 900_186
    words = []
    for _ in range(60):
        facts = corpus.facts(number)
        assert facts is not None
        run = run_whole(corpus, facts)
        words.append(run["status"])
        assert run["transcript"] is run["transcript_object"] is run["evaluation"] is None
        clock.now += 1.0
    assert run["metadata"]["ended_reason"] == "call-not-answered"
    assert set(words) == {*QUEUE, *TALKING, "failed"}


def test_runs_in_progress_at_the_start_have_the_transcript_of_their_status(
    runs_seen: dict[int, list[dict[str, Any]]],
) -> None:
    still = Corpus(100, EPOCH)
    first = {run_id: seen for run_id, seen in runs_seen.items() if run_id <= 900_100}
    assert len(first) == 6
    for run_id, seen in first.items():
        facts = still.facts(run_id)
        assert facts is not None
        assert seen[0]["status"] == facts.fate.status
        steps = [ORDER.index(run["status"]) for run in seen[:-1]]
        assert steps == sorted(steps)
        if facts.fate.status in (*TALKING, "evaluating"):
            assert spoken(seen[0])


def test_in_a_still_workspace_a_run_in_progress_has_a_part_of_its_call(corpus: Corpus) -> None:
    lengths = {}
    for run_id in corpus.run_ids(0)[:30]:
        facts = corpus.facts(run_id)
        assert facts is not None
        if facts.fate.kind is Kind.LIVE:
            run = run_whole(corpus, facts)
            lengths[run["status"]] = len(run["transcript_object"] or [])
            assert run["evaluation"] is None
    assert 2 <= lengths["running"] < lengths["in_progress"]
    assert lengths["evaluating"] >= 8
    assert {lengths[word] for word in QUEUE} == {0}


def test_a_run_with_text_alone_grows_as_text(runs_seen: dict[int, list[dict[str, Any]]]) -> None:
    clock = Clock(EPOCH)
    corpus = Corpus(100, EPOCH, arrivals=Arrivals(EPOCH, 5.0, clock))
    clock.now += 200.0
    alone = [run_id for run_id in runs_seen if (facts := corpus.facts(run_id)) and facts.shape is Shape.TEXT]
    assert alone
    for run_id in alone:
        assert all(run["transcript_object"] is None for run in runs_seen[run_id])
        assert runs_seen[run_id][-1]["transcript"]
