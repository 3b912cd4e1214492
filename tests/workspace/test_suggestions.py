"""An opened suggestion has the changes, with reasons that are found in the runs and in the server's issues."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import pytest
from open_window import NewWindow
from scripted_server import Reply, ScriptedServer, run_of, serve_job, serve_runs
from waiting import answered

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.workspace.prompt_files import patch_of
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.suggestions import OpenedSuggestion
from cekura_tui.workspace.workspace import Workspace

ISSUES = "/test_framework/v1/runs/improve_prompt_issues/"
SENT = Prompt("# Identity\n\nAsk for the name.\n\n# Booking\n\nOffer two slots.\n\nSay goodbye.\n")
PROPOSED = SENT.replace("the name.", "the name and the date of birth.").replace("two slots", "the two next slots")
METRIC = {
    "id": 5,
    "name": "Identity check",
    "type": "binary_workflow_adherence",
    "score": 0,
    "explanation": ["At 00:03 the agent did not wait for the date of birth."],
}
TURNS = [
    {"role": "Testing Agent", "content": "I want to see my records.", "start_time": 0.0, "end_time": 2.0},
    {"role": "Main Agent", "content": "What is your name, and your date of birth?", "start_time": 3.0, "end_time": 5.0},
]


Ended = Callable[[Mapping[str, object]], Awaitable[Workspace]]


@pytest.fixture
def ended(scripted: ScriptedServer, open_window: NewWindow) -> Ended:
    """A function that opens a window in which job 1 has ended with the answer `end`."""

    async def open_ended(end: Mapping[str, object]) -> Workspace:
        serve_job(scripted, Reply(end))
        serve_runs(scripted, run_of(5, evaluation={"metrics": [METRIC]}, transcript_object=TURNS))
        window = open_window()
        await window.call(lambda session: session.engine.launch(Draft((5,), SENT, 7, "Agent 7")))
        await answered(
            lambda: window.call(lambda session: session.jobs.get(1)), lambda job: job.state.final, "the job ends"
        )
        return window

    return open_ended


def open_suggestion(session: Session) -> Awaitable[OpenedSuggestion]:
    return session.suggestions.open(1)


DONE = {"status": "completed", "output": {"improved_prompt": PROPOSED, "summary_of_changes": "Two."}}
ACCEPTED, REJECTED = HunkChoice("accepted"), HunkChoice("rejected")


async def test_a_change_is_explained_by_the_verdict_and_the_turn_that_caused_the_change(
    scripted: ScriptedServer, ended: Ended
) -> None:
    scripted.on("POST", ISSUES, Reply({"detail": "Method not allowed."}, 405))
    window = await ended(DONE)
    opened = await window.call(open_suggestion)
    found = await window.call(lambda session: session.suggestions.explain(opened))
    first, second = (hunk.key for hunk in opened.diff.hunks)
    assert (opened.diff.old, opened.diff.new, opened.staged) == (SENT, PROPOSED, SENT)
    reasons = [(reason.run_id, reason.verdict, reason.turn) for reason in found.reasons[first]]
    assert (reasons, found.reasons[second]) == ([(5, "Identity check", 1)], ())
    assert (found.issues, found.problems) == (None, ()), "a server without issues is no failure"


async def test_a_proposal_too_long_to_compare_is_one_change(scripted: ScriptedServer, ended: Ended) -> None:
    long = Prompt("Ask the caller for the date of birth.\n" * 150_000)
    window = await ended({"status": "completed", "output": {"improved_prompt": long, "summary_of_changes": "Longer."}})
    opened = await window.call(open_suggestion)
    found = await window.call(lambda session: session.suggestions.explain(opened))
    await window.call(lambda session: session.staging.choose(1, opened.diff, {1: ACCEPTED}))
    staged = await window.do(lambda session: session.store.stagings.staged(1))
    with pytest.raises(UsageError, match="too long to be compared with the agent's prompt"):
        await window.call(lambda session: session.agent_prompts.preview_update(1, long))
    assert (staged, opened.suggestion.improved_prompt) == (long, long)
    assert (found.reasons, found.own_facts) == ({}, {})
    assert not scripted.requests("GET", "/test_framework/v1/aiagents/7/")
    with pytest.raises(UsageError, match="No patch"):
        patch_of(opened.suggestion, long)


async def test_reasons_that_failed_to_load_are_reported_and_loaded_again(
    scripted: ScriptedServer, ended: Ended
) -> None:
    issues = {"issues": [{"title": "The date of birth was not asked for", "run_id": 5, "section": "Identity"}]}
    scripted.on("POST", ISSUES, Reply({"detail": "No."}, 500), Reply(issues))
    window = await ended(DONE)
    scripted.on("GET", "/test_framework/v1/runs/5/", Reply({"detail": "Gone."}, 404), Reply(run_of(5)))
    opened = await window.call(open_suggestion)
    first, second, third = [await window.call(lambda session: session.suggestions.explain(opened)) for _ in range(3)]
    assert [problem.partition(":")[0] for problem in first.problems] == ["Can't load the issues", "Can't load run 5"]
    assert [issue.run_ids for issue in second.issues or ()] == [(5,)]
    assert second.problems == ()
    assert third is second, "complete evidence is not loaded again"


async def test_a_job_without_a_suggestion_is_refused(ended: Ended) -> None:
    window = await ended({"status": "failed", "error": "No."})
    with pytest.raises(UsageError, match=r"Job 1 has no suggestion \(failed\)"):
        await window.call(open_suggestion)


async def test_choices_and_unsaved_edits_are_restored_when_a_suggestion_is_reopened(ended: Ended) -> None:
    window = await ended(DONE)
    first = await window.call(open_suggestion)
    await window.call(lambda session: session.staging.choose(1, first.diff, {2: REJECTED}))
    chosen = await window.call(lambda session: session.staging.choose(1, first.diff, {1: ACCEPTED}))
    undone = await window.call(lambda session: session.staging.undo(1, first.diff))
    assert (chosen.before, chosen.after) == ({2: REJECTED}, {1: ACCEPTED, 2: REJECTED})
    assert (undone.before, undone.after) == (chosen.after, chosen.before)

    key = first.diff.hunks[0].key
    await window.call(lambda session: session.staging.save_typed(1, key, "Ask for"))
    again = await window.call(open_suggestion)
    await window.call(lambda session: session.staging.save_typed(1, key, None))
    last = await window.call(open_suggestion)
    assert (first.typed, again.typed, last.typed) == ({}, {key: "Ask for"}, {})
    assert (first.choices, again.choices) == ({}, {2: REJECTED})
    assert again.diff is first.diff, "the same texts are not compared again"
