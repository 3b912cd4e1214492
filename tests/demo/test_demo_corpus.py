"""The demo's runs have all statuses, outcomes and forms of transcripts, and are the same on every request."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import Any

import pytest
from demo_client import run_ids

from cekura_tui.demo.answers import run_row, run_whole
from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.facts import NEWEST, Facts, Kind
from cekura_tui.demo.library import agents, rules_by_metric
from cekura_tui.demo.listing import STATUSES

GOING_ON = ("running", "in_progress")


@pytest.fixture(scope="module")
def facts(corpus: Corpus) -> list[Facts]:
    return [known for project in (0, 1) for i in run_ids(corpus, project) if (known := corpus.facts(i)) is not None]


@pytest.fixture(scope="module")
def runs(corpus: Corpus, facts: list[Facts]) -> list[dict[str, Any]]:
    return [run_whole(corpus, known) for known in facts]


def test_300_runs_of_six_agents_have_every_status_and_every_outcome(facts: list[Facts]) -> None:
    assert Counter(known.project for known in facts) == {0: 240, 1: 60}
    assert {known.agent_id for known in facts} == {agent.id for agent in agents()}
    assert len({(known.agent_id, known.script) for known in facts}) >= 20
    assert len({known.personality for known in facts}) == 8
    assert {known.fate.status for known in facts} == STATUSES
    assert {known.fate.kind for known in facts} == set(Kind) - {Kind.ERRORED}  # only runs started by a test
    assert {known.fate.kind for known in facts[:8]} >= {Kind.LIVE, Kind.PASSED, Kind.FAILED}, "seen in the first rows"
    assert {known.fate.failed for known in facts if known.fate.kind is Kind.FAILED} == {1, 2, 3}
    shares = Counter(known.fate.kind for known in facts)
    assert 0.45 <= shares[Kind.PASSED] / len(facts) <= 0.65
    assert 0.18 <= shares[Kind.FAILED] / len(facts) <= 0.32


def test_a_run_is_the_same_on_every_request(corpus: Corpus, facts: list[Facts]) -> None:
    again = Corpus(240, corpus.epoch)
    for known in facts[::17]:
        assert run_whole(again, known) == run_whole(corpus, known)
        assert run_row(again, known) == run_row(corpus, known)


def test_times_of_runs_are_distinct_and_leave_time_for_each_call(corpus: Corpus, facts: list[Facts]) -> None:
    times = [known.at for known in facts if known.project == 0]
    assert times[0] < corpus.epoch
    assert all(30 <= newer - older <= 90 for newer, older in itertools.pairwise(times[: len(NEWEST)]))
    assert all(599 <= newer - older <= 2401 for newer, older in itertools.pairwise(times[len(NEWEST) :]))
    assert all(corpus.epoch - known.at < 3600 for known in facts if known.fate.kind is Kind.LIVE)
    assert all(known.at + (known.seconds or 0) + 10 < corpus.epoch for known in facts)


def test_the_prompt_of_an_agent_has_one_faulty_sentence_for_each_rule() -> None:
    words = sorted(len(agent.prompt.split()) for agent in agents())
    assert (words[0] >= 290, words[-1] >= 2_700) == (True, True), words
    assert sum("\r\n" in agent.prompt for agent in agents()) == 1
    for agent in agents():
        for rule in agent.rules:
            assert agent.prompt.count(rule.weak) == 1, (agent.name, rule.key)
            assert rule.strong not in agent.prompt
            assert rule.second not in agent.prompt
    assert len(rules_by_metric()) == sum(len(agent.rules) for agent in agents())


def test_failed_checks_quote_the_transcript(runs: list[dict[str, Any]]) -> None:
    failed = [run for run in runs if run["evaluation_status"] == "failure"]
    assert len(failed) > 50
    for run in failed:
        refused = [entry for entry in run["rubric"] if not entry["passed"]]
        assert 1 <= len(refused) <= 3
        for entry in refused:
            found = re.search(r"(\[\d+:\d\d\] Main Agent: )\"", " ".join(entry["explanation"]))
            assert found is not None, run["id"]
            assert found.group(1) in run["transcript"]


def test_a_call_has_8_to_40_turns_in_order_of_time(runs: list[dict[str, Any]]) -> None:
    gaps = overlaps = 0
    for run in runs:
        turns = run["transcript_object"]
        if not isinstance(turns, list) or not turns or run["status"] in (*GOING_ON, "failed"):
            continue
        assert 8 <= len(turns) <= 40
        starts = [turn["start_time"] for turn in turns]
        assert starts == sorted(starts)
        for before, after in itertools.pairwise(turns):
            gaps += after["start_time"] - before["end_time"] > 2
            overlaps += after["start_time"] < before["end_time"] - 0.3
    assert gaps > 100
    assert overlaps > 30


def test_transcripts_exist_in_every_form(runs: list[dict[str, Any]]) -> None:
    forms = Counter()
    for run in runs:
        turns = run["transcript_object"]
        form = "list" if turns else "empty" if turns == [] else "null"
        form = "sealed" if isinstance(turns, dict) else form
        forms[form, run["transcript"] is not None] += 1
    assert {("list", True), ("sealed", True), ("null", True), ("null", False), ("empty", True)} <= forms.keys()
    everything = "".join(run["transcript"] or "" for run in runs)
    for mark in ("नमस्ते", "مرحبا", "ありがとう", "🍕"):
        assert mark in everything, repr(mark)


def test_some_metrics_pass_with_true_and_some_with_false(runs: list[dict[str, Any]]) -> None:
    entries = [entry for run in runs for entry in run["rubric"] or []]
    passed = {(entry["conditions"], entry["passed"]) for entry in entries}
    assert {("value eq True", True), ("value eq False", True)} <= passed
