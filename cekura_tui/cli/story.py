"""`--demo` without a terminal: the main job, told as text."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from cekura_tui.cli.options import Options
from cekura_tui.cli.output import put
from cekura_tui.cli.script import run_script, wait_for_jobs
from cekura_tui.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from cekura_tui.model.view import RunRow
    from cekura_tui.workspace.session import Session


def tell_story(options: Options) -> int:
    """Find the newest failed run, show its verdicts, launch a job, wait, and show what is proposed."""

    async def work(session: Session) -> Exit:
        from cekura_tui.model.job import Draft
        from cekura_tui.model.prose_compare import compare
        from cekura_tui.model.prose_text import as_text
        from cekura_tui.model.run_text import STATE_MARKS, verdict_line

        row = await _newest_failed(session)
        view = await session.run(row.id)
        put(f"Run {row.id}: {row.scenario} ({row.personality}), {row.agent}: {row.outcome.mark} {row.outcome.text}\n")
        for verdict in view.verdicts:
            put(f"{STATE_MARKS[verdict.state]} {verdict_line(verdict)}")
            if verdict.state == "fail":
                for text in verdict.reasons:
                    put(f"    {text}")
        runs = await session.improvable([row.id])
        agent, prompt = await session.agent_prompt(runs.agent_id)
        job = await session.jobs.launch(Draft(runs.run_ids, prompt, runs.agent_id, agent.name, prompt_source="agent"))
        (job,) = await wait_for_jobs(session, [job.number], None)
        done = await session.jobs.suggestion(job.number)
        put(f"\nJob {job.number}: {job.state.words}{': ' + job.error if job.error else ''}")
        if done.improved_prompt is not None:
            put(f"\n{job.summary_of_changes or ''}\n")
            put(as_text(compare(done.prompt, done.improved_prompt)).rstrip("\n"))
        return Exit.DONE

    return run_script(options, work)


async def _newest_failed(session: Session) -> RunRow:
    from cekura_tui.model.run_query import RunQuery
    from cekura_tui.model.view import row_of
    from cekura_tui.workspace.all_runs import all_runs

    params = RunQuery(await session.scope()).params(time.time())
    async with aclosing(all_runs(session.client, params, session.budget)) as pages:
        async for page in pages:
            for run in page.items:
                if (row := row_of(run)).outcome.kind == "failed":
                    return row
    raise UsageError("There is no failed run to learn from.")
