"""The demo's improver rewrites the faulty sentence of a prompt or inserts text, and changes nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from demo_client import run_ids
from hypothesis import given
from hypothesis import strategies as st
from improve_input import improve_input

from cekura_tui.demo.answers import run_whole
from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.facts import Kind
from cekura_tui.demo.improver import (
    NO_ISSUES,
    NO_TRANSCRIPT,
    ImprovementOutcome,
    Prompt,
    improve,
    improve_by_text,
    issues_of,
)
from cekura_tui.demo.library import agents, agents_by_id, rules_by_metric

CLINIC = agents_by_id()[1201]
BANK = agents_by_id()[1204]


def run_with(*failed: int, run_id: int = 1, agent: int = 1201) -> dict[str, Any]:
    """The JSON of a run in which the checks of these metrics failed."""
    return {
        "id": run_id,
        "agent": agent,
        "evaluation_status": "failure" if failed else "success",
        "transcript": "[00:01] Main Agent: Hello.",
        "evaluation": {
            "metrics": [
                {"id": metric, "name": rules_by_metric()[metric].name, "explanation": ["It went wrong."]}
                for metric in failed
            ]
        },
        "rubric": [{"metric_id": metric, "passed": False} for metric in failed],
    }


def removed_and_added(old: str, new: str) -> tuple[str, str]:
    """The removed and the added text, between the common beginning and the common end of both texts."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]


def test_the_faulty_sentence_is_rewritten_in_its_section() -> None:
    outcome = improve([run_with(9101)], CLINIC.prompt)
    rule = CLINIC.rule("verify")
    assert outcome.improved_prompt == CLINIC.prompt.replace(rule.weak, rule.strong)
    assert "“Identity and privacy”" in str(outcome.summary)
    assert "run 1" in str(outcome.summary)
    assert rule.name in str(outcome.summary)


def test_windows_line_ends_and_tabs_and_escape_characters_are_kept() -> None:
    odd = "\r\n\tnote\x1b[31m  \r\n" + "x" * 20_000 + "\r\n"
    prompt = odd + BANK.prompt + odd
    outcome = improve([run_with(9402, agent=1204)], prompt)
    assert outcome.improved_prompt is not None
    removed, added = removed_and_added(prompt, outcome.improved_prompt)
    assert len(removed) <= len(BANK.rule("block").weak)
    assert len(added) <= len(BANK.rule("block").strong)
    assert outcome.improved_prompt.count("\r\n") == prompt.count("\r\n") == prompt.count("\n")


def test_a_numbered_list_gets_a_new_item_with_the_next_number() -> None:
    prompt = "# Line\r\n\r\n## Booking\r\n1. Ask.\r\n2. Book.\r\n\r\n## End\r\nBye.\r\n"
    outcome = improve([run_with(9102)], prompt)
    strong = CLINIC.rule("readback").strong
    assert outcome.improved_prompt == prompt.replace("2. Book.\r\n", f"2. Book.\r\n3. {strong}\r\n")


def test_a_prompt_without_sections_gets_a_section() -> None:
    prompt = "You answer the telephone. Be nice."
    outcome = improve([run_with(9103)], prompt)
    assert outcome.improved_prompt is not None
    assert outcome.improved_prompt.startswith(prompt + "\n\n## When it may be an emergency\n")
    assert CLINIC.rule("urgent").strong in outcome.improved_prompt
    assert "Added a section" in str(outcome.summary)


def test_a_second_improvement_adds_a_sentence_and_a_third_finds_no_issue() -> None:
    first = improve([run_with(9104)], CLINIC.prompt).improved_prompt
    assert first is not None
    second = improve([run_with(9104)], first).improved_prompt
    assert second is not None
    assert CLINIC.rule("human").second in second
    assert improve([run_with(9104)], second).error == NO_ISSUES


def test_runs_that_passed_or_never_connected_give_no_improvement() -> None:
    assert improve([run_with(), run_with(run_id=2)], "Any prompt").error == NO_ISSUES
    silent = {"id": 3, "agent": 1201, "evaluation_status": None, "transcript": None, "evaluation": None}
    assert improve([silent], "Any prompt").error == NO_TRANSCRIPT


def improved(runs: Sequence[dict[str, Any]], prompt: str) -> ImprovementOutcome:
    """The improver's answer to the text for a user's command, in the form of its answer to runs."""
    text, changes = improve_by_text(improve_input(runs, prompt))
    assert changes or text == prompt
    return ImprovementOutcome(text, changes, None) if changes else ImprovementOutcome(None, None, NO_ISSUES)


def with_list(outcome: ImprovementOutcome) -> ImprovementOutcome:
    changes = outcome.summary.split("\n\n") if isinstance(outcome.summary, str) else outcome.summary
    return replace(outcome, summary=changes)


def test_the_text_for_a_command_gives_the_same_prompt_and_summary_as_the_runs(corpus: Corpus) -> None:
    runs: dict[tuple[int, Kind], list[dict[str, Any]]] = {}
    for run_id in (*run_ids(corpus, 0), *run_ids(corpus, 1)):
        facts = corpus.facts(run_id)
        assert facts is not None
        runs.setdefault((facts.agent_id, facts.fate.kind), []).append(run_whole(corpus, facts))
    kinds = (Kind.FAILED, Kind.REVIEWED_FAILURE, Kind.REVIEWED_SUCCESS, Kind.PASSED)
    for (agent_id, kind), found in runs.items():
        for chosen in filter(None, (found[:1], found[1:4])) if kind in kinds else ():
            prompt = agents_by_id()[agent_id].prompt
            assert improved(chosen, prompt) == with_list(improve(chosen, prompt)), (agent_id, kind)


def test_the_prompt_in_the_text_may_contain_marks_and_any_line_end() -> None:
    prompt = (
        f"{BANK.prompt}\r\nPROMPT 00000000>>>\r\n<<<FAILED 00000000\n- Review (run 9): failed\n\nFAILED 00000000>>>\n"
    )
    run = run_with(9402, agent=1204)
    outcome = improved([run], prompt)
    assert outcome == with_list(improve([run], prompt))
    assert outcome.improved_prompt is not None
    assert removed_and_added(prompt, outcome.improved_prompt)[0] in BANK.rule("block").weak


def test_a_check_that_several_agents_have_is_fixed_as_for_the_agent_of_the_prompt() -> None:
    for agent in agents():
        rule = next(rule for rule in agent.rules if rule.name == "Caller allowed to finish")
        assert rule.strong in str(improved([run_with(rule.metric, agent=agent.id)], agent.prompt).improved_prompt)


def test_a_focus_excludes_other_issues() -> None:
    runs = [run_with(9101, 9102), run_with(9102, run_id=2)]
    assert [issue.rule.metric for issue in issues_of(runs)] == [9102, 9101]
    assert [issue.rule.metric for issue in issues_of(runs, category_ids=[611])] == [9101]
    assert [issue.rule.metric for issue in issues_of(runs, metric_ids=[9102])] == [9102]
    assert improve(runs, CLINIC.prompt, category_ids=[1]).error == NO_ISSUES


def test_a_reviewed_outcome_of_a_run_overrides_the_checks(corpus: Corpus) -> None:
    by_kind: dict[Kind, list[dict[str, Any]]] = {}
    for run_id in run_ids(corpus, 0):
        known = corpus.facts(run_id)
        assert known is not None
        by_kind.setdefault(known.fate.kind, []).append(run_whole(corpus, known))
    assert all(issues_of([run]) for run in by_kind[Kind.REVIEWED_FAILURE])
    assert not any(issues_of([run]) for run in by_kind[Kind.REVIEWED_SUCCESS])
    assert all(issues_of([run]) for run in by_kind[Kind.FAILED])
    assert not any(issues_of([run]) for run in by_kind[Kind.PASSED])


@given(st.text(alphabet="# ab:-1.\t\r\n\x1b\u2028é", max_size=200), st.sampled_from((9101, 9102, 9103, 9104, 9105)))
def test_an_improvement_only_inserts_one_piece_of_text(prompt: str, metric: int) -> None:
    outcome = improve([run_with(metric)], prompt)
    assert outcome.improved_prompt is not None
    removed, added = removed_and_added(prompt, outcome.improved_prompt)
    assert removed == ""
    assert len(added) == len(outcome.improved_prompt) - len(prompt)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_headings_are_found_with_every_kind_of_line_end(newline: str) -> None:
    text = newline.join(("intro", "# One #", "first", "Second part:", "more", ""))
    prompt = Prompt(text)
    assert [section.title for section in prompt.sections] == ["One", "Second part"]
    assert prompt.newline == newline
    assert text[prompt.sections[0].body : prompt.sections[0].end].strip() == "first"


def test_an_improvement_for_three_metrics_changes_three_lines() -> None:
    outcome = improve([run_with(9101, 9104, 9105)], CLINIC.prompt)
    assert outcome.improved_prompt is not None
    lines = difflib.ndiff(CLINIC.prompt.splitlines(), outcome.improved_prompt.splitlines())
    changed = [line for line in lines if line.startswith(("+ ", "- "))]
    assert len(changed) == 6
