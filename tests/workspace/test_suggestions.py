"""A suggestion as it is read: what changes, and what the runs and the server tell of the reasons."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer, run_of, serve_runs
from waiting import answered

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, Job
from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.workspace.prompt_files import patch_of
from cekura_tui.workspace.setup import make_setup
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


@contextlib.asynccontextmanager
async def suggested(server: ScriptedServer, home: Path, end: dict[str, object]) -> AsyncIterator[tuple[Workspace, Job]]:
    """A workspace with a job that came to this end."""
    server.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    server.on("GET", PROGRESS, Reply(end))
    serve_runs(server, run_of(5, evaluation={"metrics": [METRIC]}, transcript_object=TURNS))
    env = {"CEKURA_API_URL": server.url, "CEKURA_API_KEY": "key-of-the-test"}
    workspace = Workspace(make_setup(config_dir=str(home), env=env))
    workspace.start(lambda: None)
    try:
        await workspace.call(lambda session: session.jobs.launch(Draft((5,), SENT, 7, "Agent 7")))

        async def now() -> Job:
            return await workspace.call(lambda session: session.jobs.get(1))

        yield workspace, await answered(now, lambda job: job.state.final, "the job ends")
    finally:
        await asyncio.to_thread(workspace.close)


DONE: dict[str, object] = {"status": "completed", "output": {"improved_prompt": PROPOSED, "summary_of_changes": "Two."}}


async def test_each_change_shows_the_verdict_and_turn_it_answers(scripted: ScriptedServer, home: Path) -> None:
    scripted.on("POST", ISSUES, Reply({"detail": "Method not allowed."}, 405))
    async with suggested(scripted, home, DONE) as (workspace, _):
        opened = await workspace.call(lambda session: session.suggestions.open(1))
        found = await workspace.call(lambda session: session.suggestions.explain(opened))
    first, second = (hunk.key for hunk in opened.diff.hunks)
    assert (opened.diff.old, opened.diff.new, opened.staged) == (SENT, PROPOSED, SENT)
    assert [(reason.run_id, reason.verdict, reason.turn) for reason in found.reasons[first]] == [
        (5, "Identity check", 1)
    ]
    assert found.reasons[second] == ()
    assert found.issues is None, "a server that does not tell them is no failure"
    assert found.problems == ()


async def test_a_proposal_too_long_to_compare_is_shown_whole(scripted: ScriptedServer, home: Path) -> None:
    long = Prompt("Ask the caller for the date of birth.\n" * 150_000)
    end = {"status": "completed", "output": {"improved_prompt": long, "summary_of_changes": "Longer."}}
    async with suggested(scripted, home, end) as (workspace, _):
        opened = await workspace.call(lambda session: session.suggestions.open(1))
        found = await workspace.call(lambda session: session.suggestions.explain(opened))
        made = {1: HunkChoice("accepted")}
        await workspace.call(lambda session: session.staging.choose(1, opened.diff, made))
        staged = await workspace.call(lambda session: session.staging.staged(1))
        with pytest.raises(UsageError, match="too long to be compared with the agent's prompt"):
            await workspace.call(lambda session: session.agent_prompts.preview_update(1, long))
    assert (staged, opened.suggestion.improved_prompt) == (long, long)
    assert (found.reasons, found.own_facts) == ({}, {})
    assert not scripted.requests("GET", "/test_framework/v1/aiagents/7/")
    with pytest.raises(UsageError, match="No patch"):
        patch_of(opened.suggestion, long)


async def test_evidence_that_failed_to_load_says_why_and_is_retried(scripted: ScriptedServer, home: Path) -> None:
    told = {"issues": [{"title": "The date of birth was not asked for", "run_id": 5, "section": "Identity"}]}
    scripted.on("POST", ISSUES, Reply({"detail": "No."}, 500), Reply(told))
    async with suggested(scripted, home, DONE) as (workspace, _):
        scripted.on("GET", "/test_framework/v1/runs/5/", Reply({"detail": "Gone."}, 404), Reply(run_of(5)))
        opened = await workspace.call(lambda session: session.suggestions.open(1))
        first = await workspace.call(lambda session: session.suggestions.explain(opened))
        second = await workspace.call(lambda session: session.suggestions.explain(opened))
        third = await workspace.call(lambda session: session.suggestions.explain(opened))
    assert [problem.partition(":")[0] for problem in first.problems] == ["Can't load the issues", "Can't load run 5"]
    assert [issue.run_ids for issue in second.issues or ()] == [(5,)]
    assert second.problems == ()
    assert third is second, "what was told in full is not asked for again"


async def test_a_job_without_a_suggestion_is_refused_in_words(scripted: ScriptedServer, home: Path) -> None:
    async with suggested(scripted, home, {"status": "failed", "error": "No."}) as (workspace, job):
        with pytest.raises(UsageError, match=f"Job {job.number} has no suggestion: it is failed"):
            await workspace.call(lambda session: session.suggestions.open(1))


async def test_a_step_is_told_from_what_another_window_chose_meanwhile(scripted: ScriptedServer, home: Path) -> None:
    async with suggested(scripted, home, DONE) as (workspace, _):
        opened = await workspace.call(lambda session: session.suggestions.open(1))
        await workspace.call(lambda session: session.staging.choose(1, opened.diff, {2: HunkChoice("rejected")}))
        chosen = await workspace.call(
            lambda session: session.staging.choose(1, opened.diff, {1: HunkChoice("accepted")})
        )
        undone = await workspace.call(lambda session: session.staging.undo(1, opened.diff))
    assert opened.choices == {}
    assert (chosen.before, chosen.after) == (
        {2: HunkChoice("rejected")},
        {1: HunkChoice("accepted"), 2: HunkChoice("rejected")},
    )
    assert (undone.before, undone.after) == (chosen.after, chosen.before)


async def test_text_typed_into_a_change_is_there_when_reopened(scripted: ScriptedServer, home: Path) -> None:
    async with suggested(scripted, home, DONE) as (workspace, _):
        first = await workspace.call(lambda session: session.suggestions.open(1))
        key = first.diff.hunks[0].key
        await workspace.call(lambda session: session.staging.save_typed(1, key, "Ask for"))
        again = await workspace.call(lambda session: session.suggestions.open(1))
        await workspace.call(lambda session: session.staging.save_typed(1, key, None))
        last = await workspace.call(lambda session: session.suggestions.open(1))
    assert (first.typed, again.typed, last.typed) == ({}, {key: "Ask for"}, {})
    assert again.diff is first.diff, "the same texts are not compared again"
