"""`runs list` and `runs show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import RUN, Options
from cekura_tui.cli.output import put, put_json, put_table, say
from cekura_tui.cli.script import run_script

if TYPE_CHECKING:
    from cekura_tui.model.run import Run
    from cekura_tui.workspace.session import Session


@click.group()
def runs() -> None:
    """Find and read runs."""


@runs.command("list")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="How many, newest first."
)
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@click.pass_obj
def list_runs(options: Options, limit: int, as_json: bool) -> None:
    """List runs of a project or an agent, newest first."""

    async def work(session: Session) -> None:
        found, count = await _first_runs(session, limit)
        if as_json:
            from cekura_tui.model.outcome import outcome_of

            for run in found:
                put_json({**run.source, "outcome": outcome_of(run).to_json()})
            return
        _put_rows(found)
        say(f"{len(found):,} of {count:,} runs" if len(found) < count else f"{count:,} runs")

    run_script(options, work)


async def _first_runs(session: Session, limit: int) -> tuple[list[Run], int]:
    """The newest runs of the session's scope, and how many there are in all."""
    from cekura_tui.api.client import PAGE_SIZE

    scope = await session.scope()
    size = min(limit, PAGE_SIZE)
    found: dict[int, Run] = {}
    page = 0
    while True:
        page += 1
        got = await session.raw_runs(scope, page, size)
        before = len(found)
        found.update((run.id, run) for run in got.items)
        # A page that brings nothing new is the end too, whatever the server says of a next one.
        if len(found) >= limit or not got.more or len(found) == before:
            newest_first = sorted(found, reverse=True)[:limit]
            return [found[number] for number in newest_first], got.count


def _put_rows(found: list[Run]) -> None:
    from cekura_tui.model.text import clean_line
    from cekura_tui.model.times import clock_text
    from cekura_tui.model.view import row_of

    rows = [row_of(run) for run in found]
    put_table(
        ("RUN", "OUTCOME", "SCENARIO", "PERSONALITY", "AGENT", "LENGTH", "WHEN"),
        (
            (
                str(row.id),
                f"{row.outcome.mark} {row.outcome.text}",
                clean_line(row.scenario, 40),
                clean_line(row.personality, 24),
                clean_line(row.agent, 24),
                row.duration,
                clock_text(row.at) if row.at is not None else "",
            )
            for row in rows
        ),
    )


@runs.command("show")
@click.argument("run_id", type=RUN)
@click.option("--transcript", is_flag=True, help="The transcript alone.")
@click.option("--json", "as_json", is_flag=True, help="One object.")
@click.option("--markdown", is_flag=True, help="A page for an issue or a message.")
@click.pass_obj
def show_run(options: Options, run_id: int, transcript: bool, as_json: bool, markdown: bool) -> None:
    """Show one run: verdicts, then what was said."""
    if as_json + markdown > 1:
        raise click.UsageError("Give --json or --markdown, not both.")

    async def work(session: Session) -> None:
        from cekura_tui.cli import run_pages

        if as_json:
            put_json(run_pages.as_json(await session.raw_run(run_id)))
            return
        view = await session.run(run_id)
        if view.cached:
            say("The server cannot be reached; this is the run as it was got last.")
        put(run_pages.as_markdown(view) if markdown else run_pages.as_text(view, transcript_only=transcript))

    run_script(options, work)
