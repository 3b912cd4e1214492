"""Opening the app on the run list, a run or a dashboard link, and what happens without a terminal.

`--demo` prints the main job there, as text (`run_improvement`); all else is refused.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import aclosing
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from cekura_tui.cli.options import Options, number
from cekura_tui.cli.output import put
from cekura_tui.cli.script import run_script, wait_for_jobs
from cekura_tui.model.errors import Exit, UsageError
from cekura_tui.model.text import clean_line

if TYPE_CHECKING:
    from cekura_tui.model.run.view import RunRow
    from cekura_tui.model.scope import Scope
    from cekura_tui.workspace.session import Session
    from cekura_tui.workspace.setup import Setup


def run_improvement(options: Options) -> int:
    """Find the newest failed run, show its verdicts, launch a job, wait, and show what is proposed."""

    async def work(session: Session) -> Exit:
        from cekura_tui.model.job import Draft
        from cekura_tui.model.run.words import STATE_MARKS, verdict_line
        from cekura_tui.prose.compare import compare
        from cekura_tui.prose.lines import as_text

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
        put(f"\nJob {job.number}: {job.state.words}{': ' + reason if (reason := job.error or job.reason) else ''}")
        if done.improved_prompt is not None:
            put(f"\n{job.summary_of_changes or ''}\n")
            put(as_text(compare(done.prompt, done.improved_prompt)).rstrip("\n"))
        return Exit.DONE

    return run_script(options, work)


async def _newest_failed(session: Session) -> RunRow:
    from cekura_tui.model.run.query import RunQuery
    from cekura_tui.model.run.view import row_of
    from cekura_tui.workspace.all_runs import all_runs

    params = RunQuery(await session.scope()).params(time.time())
    async with aclosing(all_runs(session.client, params, session.budget)) as pages:
        async for page in pages:
            for run in page.items:
                if (row := row_of(run)).outcome.kind == "failed":
                    return row
    raise UsageError("No failed run found.")


@click.command("open", hidden=True)
@click.argument("target")
@click.pass_obj
@click.pass_context
def open_target(ctx: click.Context, options: Options, target: str) -> None:
    """Open the app on a run, or on the runs of a dashboard link."""
    if target.isdecimal():
        ctx.exit(open_app(options, run_id=number("run")(target)))
    setup = options.setup()
    ctx.exit(open_app(options, scope=scope_of_link(target, setup.settings.dashboard_url), setup=setup))


def scope_of_link(link: str, dashboard: str) -> Scope:
    """The runs that a dashboard link is about; raises UsageError."""
    from cekura_tui.model.scope import Scope

    site, path = _read_link(link, "Give a run id or a dashboard link.")
    home, _ = _read_link(dashboard, "Check CEKURA_DASHBOARD_URL, or dashboard_url in config.toml.")
    if site != home:
        raise UsageError(
            f"{clean_line(link, 80)} is not on the dashboard {clean_line(dashboard, 80)}.",
            "Set another dashboard with CEKURA_DASHBOARD_URL.",
        )
    words = [word for word in path.split("/") if word]
    for kind, word in pairwise(words):
        if kind in ("results", "agents") and word.isdecimal() and len(word) < 19:
            return Scope("result" if kind == "results" else "agent", int(word))
    raise UsageError(
        f"Can't open {clean_line(link, 80)}.",
        "Give a link to a result (…/PROJECT/results/ID) or an agent (…/agents/ID), or a run id.",
    )


def _read_link(link: str, hint: str) -> tuple[tuple[object, ...], str]:
    """What links of one dashboard have in common, and the path; raises UsageError with this hint."""
    try:
        url = urlsplit(link.strip())
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    except ValueError:
        raise UsageError(f"{clean_line(link, 80)} is not a URL.", hint) from None
    return (url.scheme, url.hostname, port, "@" in url.netloc), url.path


def open_app(
    options: Options, *, run_id: int | None = None, scope: Scope | None = None, setup: Setup | None = None
) -> int:
    """Open the app, or, without a terminal, do the embedded workspace's main job as text; returns the exit status.

    `setup` is what was read of environment and files, if it was: a key may come from what can be read once.
    """
    if not _can_draw():
        if options.demo and run_id is None and scope is None:
            return run_improvement(options)
        raise UsageError(
            "The app needs an interactive terminal (TERM is dumb, or input or output is redirected).",
            "Commands work without one; see `cekura-tui --help`.",
        )
    import gc

    gc.disable()  # until the first frame: what is loaded stays, and need not be looked through (`GarbageWhenIdle`)
    from cekura_tui.ui.start import run_app

    return run_app(
        setup or options.setup(),
        run_id=run_id,
        scope=scope,
        mouse=not options.no_mouse,
        ascii_only=options.ascii_only,
        command_line=options.again,
    )


def _can_draw() -> bool:
    """Whether input and output are a terminal, and one that can draw."""
    streams = (sys.stdin, sys.stdout)
    terminal = all(stream is not None and stream.isatty() for stream in streams)
    return terminal and os.environ.get("TERM", "dumb") not in ("", "dumb")
