"""The reason for a hunk is the verdict that the hunk addresses, with the turn that shows the fault. A hunk without
words in common with a verdict has no reason."""

from __future__ import annotations

import time
from typing import Any

import pytest
from evidence_cases import found_in

from cekura_tui.demo.answers import run_whole
from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.improver import improve, issues_of
from cekura_tui.demo.library import agents_by_id
from cekura_tui.evidence.evidence import Evidence, Findings
from cekura_tui.evidence.hunk_reasons import MOST, Reason, reasons
from cekura_tui.evidence.prompt_issues import IssueQuote, PromptIssue, read_issues
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.model.text import clean_json
from cekura_tui.prose.compare import compare

CORPUS = Corpus(240, 1_760_000_000.0)
SENT = """# Desk

## Rescheduling
1. Look up the appointment.
2. Move it when the caller names a day.

## Closing
Say goodbye.
"""


TURNS = (
    ("Main Agent", "Hello, this is the desk."),
    ("Testing Agent", "I need to move my appointment to Tuesday."),
    ("Main Agent", "Done, it is on Thursday."),
)


def run(run_id: int = 1, *metrics: dict[str, Any], **more: Any) -> RunView:
    """A run of three turns in which these metrics failed."""
    turns = [
        {"role": role, "content": text, "start_time": n * 10.0, "end_time": n * 10.0 + 5}
        for n, (role, text) in enumerate(TURNS)
    ]
    evaluation = {"metrics": [{"passed": False, "score": 0, **metric} for metric in metrics]}
    payload = {"id": run_id, "status": "completed", "evaluation_status": "failure", "evaluation": evaluation}
    payload |= {"transcript_object": turns, **more}
    return view_of(Run.read(clean_json(payload)), 0.0)


LINES = ["The agent moved the appointment without repeating the new weekday.", '"it is on Thursday" is wrong.']
NOT_REPEATED = {"id": 1, "name": "New day read back", "explanation": LINES}
RUDE = {"id": 2, "name": "Politeness", "explanation": ["The agent interrupted the caller's complaint."]}
REPEAT = SENT.replace("names a day.", "names a day, and repeat the new weekday before you move the appointment.")


def why(proposed: str, *views: RunView, issues: tuple[PromptIssue, ...] = ()) -> dict[int, tuple[Reason, ...]]:
    return reasons(compare(SENT, proposed), issues, views, found_in(list(views)))


@pytest.mark.parametrize("run_id", [900238, 900188, 900184])
@pytest.mark.parametrize("with_issues", [False, True])
def test_the_reason_of_a_proposed_change_is_the_verdict_that_the_change_addresses(
    run_id: int, with_issues: bool
) -> None:
    facts = CORPUS.facts(run_id)
    assert facts is not None
    agent = agents_by_id()[CORPUS.agent_of(facts).id]
    assert agent is not None
    whole = run_whole(CORPUS, facts)
    outcome = improve([whole], agent.prompt)
    view = view_of(Run.read(clean_json(whole)), 0.0)
    sent = [
        {"run_id": run_id, "metric": issue.rule.name, "title": issue.rule.finding, "section": issue.rule.section}
        for issue in issues_of([whole])
    ]
    issues = read_issues(sent) if with_issues else ()
    diff = compare(agent.prompt, outcome.improved_prompt or "")
    found = reasons(diff, issues, [view], found_in([view]))
    assert len(diff.worded) == 2
    for hunk in diff.worded:
        (rule,) = (rule for rule in agent.rules if rule.strong in hunk.new and rule.strong not in hunk.old)
        first = found[hunk.number][0]
        assert (first.run_id, first.verdict) == (run_id, rule.name)
        assert f"{rule.name} failed in run {run_id}" in str(outcome.summary)
        assert first.why.startswith("an issue names") is with_issues
        if not with_issues and rule.name != "No selling after a no":
            assert first.turn is not None
            assert view.transcript.turns[first.turn].speaker == "main"


def test_a_reason_has_the_explanation_and_the_turn_and_the_words_in_common() -> None:
    (reason,) = why(REPEAT, run(7, NOT_REPEATED, RUDE))[1]
    assert reason == Reason(7, "New day read back", LINES[0], 2, "likely", reason.why, 20.0)
    assert reason.why.startswith("in common: ")
    assert {"repeat", "weekday"} <= set(reason.why.removeprefix("in common: ").split(", "))


@pytest.mark.parametrize(
    "proposed",
    [
        SENT.replace("Say goodbye.", "Thank them and wish them a pleasant evening."),
        SENT.replace("Say goodbye.", "Before you say goodbye, always ask the caller."),
        SENT.replace("Desk", "Front desk"),
    ],
)
def test_a_hunk_unrelated_to_any_failed_verdict_has_no_reason(proposed: str) -> None:
    assert why(proposed, run(7, NOT_REPEATED, RUDE)) == {1: ()}
    assert why(proposed) == {1: ()}
    assert why(REPEAT, run(7, {**NOT_REPEATED, "passed": True, "score": 5}, evaluation_status="success")) == {1: ()}


@pytest.mark.parametrize(("reworded", "kinds"), [("", ["moved"]), (" and repeat the weekday", ["moved", "changed"])])
def test_a_moved_rule_has_no_reason_but_its_new_words_have(reworded: str, kinds: list[str]) -> None:
    rule = "- Ask for the day before you move the appointment of a caller{}.\n"
    rest = "- Be kind.\n\n# Closing\n\n- Say goodbye to everybody who has called today.\n"
    diff = compare(f"# Moving\n\n{rule.format('')}{rest}", f"# Moving\n\n{rest}{rule.format(reworded)}")
    view = run(7, NOT_REPEATED)
    assert [hunk.kind for hunk in diff.worded] == kinds
    found = reasons(diff, (), [view], found_in([view]))
    assert [bool(found[hunk.number]) for hunk in diff.worded] == [kind == "changed" for kind in kinds]


def test_an_issue_about_the_section_wins_over_verdicts_and_leads_to_a_quoted_turn() -> None:
    quote = IssueQuote("need to move my appointment")
    issue = PromptIssue("The day is not said again", section="the Rescheduling section", run_ids=(7,), quotes=(quote,))
    (reason,) = why(REPEAT, run(7, NOT_REPEATED), issues=(issue,))[1]
    assert (reason.run_id, reason.text, reason.turn) == (7, "The day is not said again", 1)
    assert reason.why.startswith("an issue names “the Rescheduling section”")


@pytest.mark.parametrize(
    ("issue", "sure", "words"),
    [
        (PromptIssue("The new weekday is never repeated", section="Rescheduling", run_ids=(7,)), "sure", "repeat"),
        (PromptIssue("The weekday is never repeated", section="Rescheduling", run_ids=(7,)), "sure", "weekday"),
        (PromptIssue("Something is wrong", section="Rescheduling", run_ids=(7,)), "likely", ""),
        (PromptIssue("Wrong", quotes=(IssueQuote("repeat the new weekday before you move"),)), "maybe", "repeat"),
    ],
)
def test_an_issue_is_certain_if_both_its_section_and_its_words_match(issue: PromptIssue, sure: str, words: str) -> None:
    (reason,) = why(REPEAT, run(7, NOT_REPEATED), issues=(issue,))[1]
    assert (reason.sure, words in reason.why) == (sure, True)


def test_a_verdict_is_certain_if_no_other_verdict_has_the_words_of_the_hunk() -> None:
    said = "It did not repeat the new weekday before you move the appointment."
    one, other = ({"id": n, "name": f"Check {n}", "explanation": [said]} for n in (1, 2))
    assert [reason.sure for reason in why(REPEAT, run(7, one))[1]] == ["sure"]
    assert [reason.sure for reason in why(REPEAT, run(7, one, other))[1]] == ["likely", "likely"]


def test_an_issue_about_another_section_does_not_replace_verdicts() -> None:
    issue = PromptIssue("Farewell is too long", section="Closing", run_ids=(7,))
    assert [reason.verdict for reason in why(REPEAT, run(7, NOT_REPEATED), issues=(issue,))[1]] == ["New day read back"]


def test_an_issue_without_runs_or_a_metric_is_still_a_reason() -> None:
    issue = PromptIssue("The weekday is never repeated before moving")
    (reason,) = why(REPEAT, issues=(issue,))[1]
    assert (reason.run_id, reason.verdict, reason.turn) == (None, issue.title, None)


def test_a_critical_category_that_repeats_a_metric_is_no_second_reason() -> None:
    text = "The caller complained of a wrong order and was offered neither a replacement nor a credit."
    category = {"category": "Complaints", "priority": "critical", "deviation": text, "feedback": text}
    view = run(1, {"id": 1, "name": "Remedy", "explanation": [text]}, critical_categories=[category])
    (found, *_) = why(SENT.replace("goodbye.", "goodbye, with a replacement or credit."), view).values()
    assert [one.verdict for one in found] == ["Remedy"]


def test_a_reviewers_feedback_is_a_reason() -> None:
    feedback = "At 00:20 it should repeat the weekday before it will move an appointment."
    view = run(7, evaluation_status="reviewed_failure", is_reviewed=True, feedback=feedback)
    assert [(reason.verdict, reason.turn) for reason in why(REPEAT, view)[1]] == [("Feedback", 2)]


def test_the_reason_quotes_the_unmet_part_of_the_expected_outcome() -> None:
    outcome = {
        "score": 50,
        "explanation": ["✅ The appointment is moved.", "❌ The new weekday is repeated. See [00:20]."],
        "outcome_alignments": [
            {"prompt_part": "The appointment is moved.", "aligned": True},
            {"prompt_part": "The new weekday is repeated.", "aligned": False},
        ],
    }
    (reason,) = why(REPEAT, run(7, expected_outcome=outcome))[1]
    line = "❌ The new weekday is repeated. See [00:20]."
    assert (reason.verdict, reason.text, reason.turn) == ("Expected outcome", line, 2)


def test_several_runs_give_several_reasons_in_a_fixed_order_up_to_the_limit() -> None:
    views = [run(number, NOT_REPEATED) for number in (9, 7, 8, 5)]
    found = why(REPEAT, *views)[1]
    assert [reason.run_id for reason in found] == [5, 7, 8]
    assert len(found) == MOST
    assert found == why(REPEAT, *reversed(views))[1]


@pytest.mark.parametrize("proof", [Evidence(99, "sure", "is turn 99"), Evidence(2, "closest", "shares words: move")])
def test_a_missing_turn_and_a_closest_turn_are_no_evidence(proof: Evidence) -> None:
    view = run(7, NOT_REPEATED)
    verdict: Verdict = view.verdicts[0]
    (reason,) = reasons(compare(SENT, REPEAT), (), [view], {7: [(verdict, Findings((proof,)))]})[1]
    assert reason.turn is None


@pytest.mark.long
def test_reasons_for_many_hunks_and_verdicts_are_found_quickly() -> None:
    names = [
        f"{first}{second}{third}" for first in "bdfgk" for second in "aeiou" for third in ("lka", "rno", "mpu", "stik")
    ]
    names = [f"{name}{end}" for name in names for end in ("do", "ri", "va")]
    sections = [f"## Part {name}\nKeep all of {name} apart.\n" for name in names]
    proposed = [text.replace("apart", f"together, {names[n]}x and {names[n]}z") for n, text in enumerate(sections)]
    diff = compare("\n".join(sections), "\n".join(proposed))
    metrics = [{"id": n, "name": f"{names[n]}z", "explanation": [f"No {names[n]}x was seen. " * 40]} for n in range(60)]
    view = run(7, *metrics)
    evidence = found_in([view])
    begun = time.thread_time()
    found = reasons(diff, (), [view], evidence)
    assert time.thread_time() - begun < 3
    assert len(diff.worded) == 300
    assert [found[hunk.number][0].verdict for hunk in diff.worded[:60]] == [f"{name}z" for name in names[:60]]
    assert not any(found[hunk.number] for hunk in diff.worded[60:])
