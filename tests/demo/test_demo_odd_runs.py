"""The demo's runs and the odd runs added by tests have every form of transcript and every kind of verdict."""

from __future__ import annotations

import itertools
from typing import Any

import odd_runs
import pytest
from demo_client import run_ids
from evidence_cases import evidence_in
from odd_runs import EMPATHY, LONG_RUN, LONG_TURNS, TALKATIVE_RUN, odd_corpus, with_odd_turns

from cekura_tui.demo.answers import run_whole, turns_of
from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.facts import Facts, Kind
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import Verdict, read_verdicts
from cekura_tui.model.transcript.transcript import Transcript, read_transcript

Runs = dict[int, dict[str, Any]]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return odd_corpus()


@pytest.fixture(scope="module")
def known(corpus: Corpus) -> list[Facts]:
    return [facts for project in (0, 1) for i in run_ids(corpus, project) if (facts := corpus.facts(i)) is not None]


@pytest.fixture(scope="module")
def runs(corpus: Corpus, known: list[Facts]) -> Runs:
    return {facts.id: run_whole(corpus, facts) for facts in known}


def transcript(runs: Runs, run_id: int) -> Transcript:
    return read_transcript(read(runs, run_id))


def read(runs: Runs, run_id: int) -> Run:
    return Run.read(runs[run_id])


def test_one_call_has_no_times_and_another_call_has_only_whole_seconds(runs: Runs) -> None:
    without = transcript(runs, odd_runs.WITHOUT_TIMES)
    assert without.form == "turns"
    assert len(without.turns) >= 8
    assert {(turn.start, turn.end) for turn in without.turns} == {(None, None)}
    assert "[" not in runs[odd_runs.WITHOUT_TIMES]["transcript"][:1]
    clock = transcript(runs, odd_runs.CLOCK_ONLY).turns
    assert all(turn.start is not None and turn.start == int(turn.start) and turn.end is None for turn in clock)


def test_text_with_odd_time_stamps_is_split_into_all_its_turns(corpus: Corpus, runs: Runs) -> None:
    run = runs[odd_runs.ODD_STAMPS]
    facts = corpus.facts(odd_runs.ODD_STAMPS)
    assert facts is not None
    found = transcript(runs, odd_runs.ODD_STAMPS)
    assert found.form == "text"
    assert len(found.turns) == len(turns_of(corpus, facts))
    starts = [-1.0 if turn.start is None else turn.start for turn in found.turns]
    assert min(starts) >= 0
    assert all(after > before - 1 for before, after in itertools.pairwise(starts))
    assert any("\n" in turn.text for turn in found.turns)
    assert "(00:" in run["transcript"]
    assert "[00:00:" in run["transcript"]


def test_encrypted_calls_exist_with_and_without_a_text(runs: Runs) -> None:
    assert transcript(runs, odd_runs.ENCRYPTED_ONLY).form == "encrypted"
    sealed = [run_id for run_id, run in runs.items() if isinstance(run["transcript_object"], dict)]
    forms = {transcript(runs, run_id).form for run_id in sealed}
    assert forms == {"encrypted", "text"}


def test_unknown_roles_and_failed_tools_and_unanswered_tool_calls_exist(runs: Runs) -> None:
    strange = transcript(runs, odd_runs.STRANGE_ROLES).turns
    assert {turn.role for turn in strange if turn.speaker == "other"} == {"Supervisor", "DTMF", "system", ""}
    *_, call, failed, again = transcript(runs, odd_runs.TOOL_TROUBLE).turns
    assert [turn.speaker for turn in (call, failed, again)] == ["tool_call", "tool_result", "tool_call"]
    assert failed.tool is not None
    assert "error" in failed.tool["result"]  # type: ignore[operator]
    assert again.tool is not None
    assert again.tool["id"] != failed.tool["id"]


def test_one_call_has_a_silence_of_more_than_five_seconds_and_an_overlap(runs: Runs) -> None:
    run = runs[odd_runs.LONG_SILENCE]
    pairs = list(itertools.pairwise(run["transcript_object"]))
    assert max(after["start_time"] - before["end_time"] for before, after in pairs) > 5
    assert min(after["start_time"] - before["end_time"] for before, after in pairs) < -0.8
    starts = [turn["start_time"] for turn in run["transcript_object"]]
    assert starts == sorted(starts)
    minutes, _, seconds = run["duration"].partition(":")
    assert run["transcript_object"][-1]["end_time"] <= int(minutes) * 60 + int(seconds)


def test_two_calls_are_very_long(runs: Runs) -> None:
    assert len(transcript(runs, TALKATIVE_RUN).turns) == 120
    assert any(verdict.state == "fail" for verdict in read_verdicts(read(runs, TALKATIVE_RUN)))
    assert len(runs[LONG_RUN]["transcript_object"]) == LONG_TURNS
    assert runs[LONG_RUN]["duration"] == "210:00"
    assert {runs[run_id]["evaluation_status"] for run_id in (TALKATIVE_RUN, LONG_RUN)} == {"failure"}


def test_a_score_below_the_threshold_fails_and_a_score_at_the_threshold_passes(runs: Runs) -> None:
    for run_id, score, state in ((odd_runs.BELOW_THRESHOLD, 2, "fail"), (odd_runs.ABOVE_THRESHOLD, 4, "pass")):
        verdict = next(one for one in read_verdicts(read(runs, run_id)) if one.id == EMPATHY)
        assert (verdict.score, verdict.state) == (score, state)
        assert "4" in (verdict.threshold or "")


def test_categories_and_alignments_exist_in_every_form(runs: Runs) -> None:
    found = [one for run in runs.values() for one in run["critical_categories"]]
    assert {one["priority"] for one in found} == {"critical", "non-critical", "not_a_bug"}
    taken_back = [one["feedback"] for one in found if one["wrongly_marked"]]
    assert taken_back
    assert all(taken_back)
    outcomes = [run["expected_outcome"] or {} for run in runs.values()]
    aligned = {repr(one["aligned"]) for outcome in outcomes for one in outcome.get("outcome_alignments", [])}
    assert aligned == {"'yes'", "'no'", "True", "False"}


@pytest.mark.parametrize(
    ("run_id", "words"),
    [(odd_runs.MISQUOTED, 'The agent said "'), (odd_runs.BY_TURN_NUMBER, "Turn "), (odd_runs.BY_TOOL_NAME, "called `")],
)
def test_reasons_cite_turns_by_inexact_words_or_by_numbers_or_by_tools(runs: Runs, run_id: int, words: str) -> None:
    reason = failing_check(runs, run_id).explanation[-1]
    assert words in reason
    assert evidence_in(transcript(runs, run_id).turns, [[reason]])[0]
    assert reason.partition('"')[2].partition('"')[0] not in runs[run_id]["transcript"] or '"' not in reason


def test_one_reason_cites_no_turn(runs: Runs) -> None:
    reasons = failing_check(runs, odd_runs.VAGUE).explanation
    assert evidence_in(transcript(runs, odd_runs.VAGUE).turns, [reasons]) == [()]


def failing_check(runs: Runs, run_id: int) -> Verdict:
    refused = next(line for line in runs[run_id]["rubric"] if not line["passed"])
    verdict = next(one for one in read_verdicts(read(runs, run_id)) if one.id == refused["metric_id"])
    assert list(verdict.explanation) == refused["explanation"]
    return verdict


def test_most_spoken_runs_have_a_recording_and_some_have_no_recording(known: list[Facts], runs: Runs) -> None:
    over = [facts for facts in known if runs[facts.id]["transcript"] and facts.fate.kind is not Kind.LIVE]
    spoken = [runs[facts.id]["voice_recording_url"] for facts in over if not facts.as_text]
    assert 0.7 < sum(url is not None for url in spoken) / len(spoken) < 1
    assert all(url is None or url.startswith("/recordings/") for url in spoken)
    assert all(runs[facts.id]["voice_recording_url"] is None for facts in known if facts.fate.kind is Kind.LIVE)


def test_provider_profile_and_mocked_tools_are_nested_objects(runs: Runs) -> None:
    assert any(isinstance((run["provider_call_details"] or {}).get("cost"), dict) for run in runs.values())
    profiles = [run["test_profile_data"] for run in runs.values()]
    assert None in profiles
    assert any(profile and profile["information"]["address"]["city"] for profile in profiles)
    entries = [entry for run in runs.values() for entry in run["generated_mock_tool_entries"]]
    assert any(isinstance(entry["information"][0]["output"], dict) for entry in entries)


def test_every_failed_run_has_a_passed_run_of_the_same_scenario(known: list[Facts]) -> None:
    passed = {(one.agent_id, one.script) for one in known if one.fate.kind in (Kind.PASSED, Kind.REVIEWED_SUCCESS)}
    failed = [one for one in known if one.fate.kind in (Kind.FAILED, Kind.REVIEWED_FAILURE)]
    assert len(failed) > 50
    assert {(one.agent_id, one.script) for one in failed} <= passed


def test_hostile_calls_contain_terminal_control_sequences(runs: Runs) -> None:
    for run_id in (odd_runs.HOSTILE_FAILED, odd_runs.HOSTILE_PASSED):
        for mark in ("\x1b[2J", "[@click=app.quit]", "\u202e"):
            assert mark in runs[run_id]["transcript"], repr(mark)
    everything = "".join(run["transcript"] or "" for run in runs.values())
    assert "\U000e0001" in everything
    assert "\x9b" in everything


def test_odd_turns_are_read_without_losing_spoken_turns(corpus: Corpus) -> None:
    facts = corpus.facts(900_238)
    assert facts is not None
    usual, odd = run_whole(corpus, facts), with_odd_turns(run_whole(corpus, facts))
    assert {type(turn) for turn in odd["transcript_object"]} == {dict, str, int, type(None), list}
    spoken = usual["transcript_object"]
    assert [turn for turn in odd["transcript_object"] if turn in spoken] == spoken
    assert len(read_transcript(Run.read(odd)).turns) == len(spoken) + 5


def test_a_corpus_without_extra_runs_has_ordinary_runs_with_the_same_ids(corpus: Corpus) -> None:
    plain = Corpus(240, corpus.epoch)
    for run_id in odd_runs.EXTRA_RUNS:
        facts, extra = plain.facts(run_id), corpus.facts(run_id)
        assert facts is not None
        assert extra is not None
        assert (extra.fate, extra.agent_id) == (facts.fate, facts.agent_id)
        assert run_whole(plain, facts) != run_whole(corpus, extra)
