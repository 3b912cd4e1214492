"""`runs list` and `runs show`."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.filter_words import FilterCommand, read_filter
from cekura_tui.cli.options import RUN, Options
from cekura_tui.cli.output import check_output_there, is_unread, is_watched, put, put_json, say
from cekura_tui.cli.run_listing import Csv, JsonLines, Listing, Table, counted
from cekura_tui.cli.script import run_script

if TYPE_CHECKING:
    from cekura_tui.model.filter import Filter
    from cekura_tui.model.view import RunView
    from cekura_tui.workspace.session import Session

LOOKED_EVERY = 3.0
"""Seconds after which it is said again how far a long search has come, to whoever watches."""
_KEPT = "The server cannot be reached; this is the run as it was got last."


@click.group()
def runs() -> None:
    """Find and read runs."""


@runs.command("list", cls=FilterCommand)
@click.argument("words", nargs=-1, metavar="[FILTER]...")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="How many, newest first."
)
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@click.option("--csv", "as_csv", is_flag=True, help="A header and a line a run, for spreadsheets.")
@click.pass_obj
def list_runs(options: Options, words: tuple[str, ...], limit: int, as_json: bool, as_csv: bool) -> None:
    """List runs of a project or an agent, newest first.

    With a filter those that pass all its terms, such as status:failed,timeout outcome:failed "scenario:~refund"
    agent:7 persona:~hurry result:991 id:48213 "dur>120" since:2d until:2026-11-01 metric:"Task completion"
    reviewed:no mode:text note:yes, or bare words; -term or !term asks that a term does not hold.
    """
    if as_json + as_csv > 1:
        raise click.UsageError("Give --json or --csv, not both.")
    check_output_there("list")
    wanted = read_filter(words)
    listing: Listing = JsonLines() if as_json else Csv() if as_csv else Table()

    async def work(session: Session) -> None:
        told = await _list(session, wanted, limit, listing)
        if not as_json and not as_csv:
            say(told)

    run_script(options, work)


async def _list(session: Session, wanted: Filter, limit: int, listing: Listing) -> str:
    """Print the newest runs of the session's scope that pass, and return how many there are in words."""
    from cekura_tui.api.client import PAGE_SIZE
    from cekura_tui.model.filter_match import noted
    from cekura_tui.model.run_query import RunQuery
    from cekura_tui.workspace.all_runs import Asking, matching_runs, wait_text

    notes, now = await session.shelf.notes(), time.time()
    query = RunQuery(await session.scope(), wanted, noted(wanted, notes))
    rest = query.rest(now)
    asking = Asking(
        PAGE_SIZE if rest else min(max(limit, 2), PAGE_SIZE), lambda error, wait: say(wait_text(error, wait))
    )
    shown = looked = total = 0
    said_at = time.monotonic()
    async with aclosing(matching_runs(session.client, session.budget, query, notes, now, asking)) as pages:
        async for page in pages:
            if is_unread():
                raise BrokenPipeError
            found = page.found[: limit - shown]
            listing.put(found, notes)
            shown, looked, total = shown + len(found), page.looked, page.total
            if shown >= limit:
                break
            if rest and looked < total and time.monotonic() - said_at >= LOOKED_EVERY and is_watched():
                said_at = time.monotonic()
                say(f"{looked:,} of {total:,} looked at")
    return counted(shown, limit, looked, total, told_here=bool(rest))


@runs.command("show")
@click.argument("run_id", type=RUN)
@click.option("--transcript", is_flag=True, help="The transcript alone: as text, or as --json or --markdown.")
@click.option("--json", "as_json", is_flag=True, help="One object.")
@click.option("--markdown", is_flag=True, help="A page for an issue or a message.")
@click.pass_obj
def show_run(options: Options, run_id: int, transcript: bool, as_json: bool, markdown: bool) -> None:
    """Show one run: verdicts, failing ones first, then what was said."""
    if as_json + markdown > 1:
        raise click.UsageError("Give --json or --markdown, not both.")

    async def work(session: Session) -> None:
        if as_json and not transcript:
            from cekura_tui.model.run_json import as_json as run_as_json

            run, kept = await session.raw_run(run_id)
            if kept:
                say(_KEPT)
            put_json(run_as_json(run))
            return
        view = await session.run(run_id)
        if view.cached:
            say(_KEPT)
        put(_page(view, transcript=transcript, as_json=as_json, markdown=markdown))

    run_script(options, work)


def _page(view: RunView, *, transcript: bool, as_json: bool, markdown: bool) -> str:
    from cekura_tui.model.run_json import transcript_json
    from cekura_tui.model.run_markdown import as_markdown, transcript_markdown
    from cekura_tui.model.run_text import as_text, transcript_text

    if not transcript:
        return as_markdown(view) if markdown else as_text(view)
    if as_json:
        return transcript_json(view)
    return transcript_markdown(view) if markdown else transcript_text(view.transcript)
