"""`search`: search the transcripts cached on this machine or, with `--all`, the transcripts of all matching runs."""

from __future__ import annotations

import time
from contextlib import aclosing
from itertools import groupby
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.completion import complete_filters
from cekura_tui.cli.options import json_option
from cekura_tui.cli.output import ProgressLine, is_output_closed, print_message, put, put_json
from cekura_tui.cli.runs import read_filter
from cekura_tui.cli.script import command
from cekura_tui.model.errors import UsageError
from cekura_tui.model.filter.match import noted_ids
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.words import SPEAKERS
from cekura_tui.model.text import clean_line, clock_text, count
from cekura_tui.model.transcript.search import LONGEST_QUERY, Hit, TranscriptHits, join_words, read_query, result_text
from cekura_tui.model.transcript.timeline import clock, needs_hours

if TYPE_CHECKING:
    from cekura_tui.model.filter.filter import Filter
    from cekura_tui.workspace.session import Session


@command("search", key=False)
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@click.option("--all", "load", is_flag=True, help="First load the transcripts of all matching runs from the server.")
@click.option(
    "--filter",
    "wanted",
    multiple=True,
    metavar="TERMS",
    shell_complete=complete_filters,
    callback=lambda context, parameter, texts: read_filter(" ".join(texts).split(" ")),
    help="Search only the runs that match a filter; see `runs list --help`.",
)
@json_option("per hit")
async def search(session: Session, words: tuple[str, ...], load: bool, wanted: Filter, as_json: bool) -> None:
    """Search the transcripts of a project's or agent's runs.

    Finds turns that contain all WORDS. Only whole words match: fee does not find "feel", but "fee*" finds both. Quoted
    words are a phrase. Put caller:, agent: or tool: before a word to search only what that side said. Without --all,
    only transcripts cached on this machine are searched, and nothing is sent to the server.
    """
    text = join_words(words)
    if len(text) > LONGEST_QUERY:
        raise UsageError(f"The search has {len(text):,} characters; the limit is {LONGEST_QUERY}.", "Leave out words.")
    if not read_query(text).words:
        raise UsageError("No words to search for.", "Give words from a call, such as `search agent:refund`.")
    scope = await session.scope() if load or wanted else session.known_scope()
    sent = session.client.sent
    query = RunQuery(scope, wanted, noted_ids(wanted, session.store.notes.all())) if scope is not None else None
    if load and query is not None:
        found, searched = await _search_all(session, text, query, as_json=as_json)
    else:
        ids = await session.searchable_runs(query)
        searched = len(ids)
        print_message(_scope_text(session, query, len(ids)))
        found = await session.search_transcripts(text, ids)
        _put_hits(found, as_json=as_json)
    requests = f" {count(session.client.sent - sent, 'request')}." if load else ""
    silent = f" No transcript: {count(empty, 'run')}." if (empty := searched - found.runs_covered) > 0 else ""
    print_message(result_text(text, found) + silent + requests)


def _scope_text(session: Session, query: RunQuery | None, covered: int) -> str:
    of = "" if query is None else f" of {clean_line(query.scope.shown)}"
    listed = None if query is None or query.rest(time.time()) else session.store.runs.cached_list(query.key)
    if listed is not None and covered < listed.count:
        return f"Searching {covered:,} of the {count(listed.count, 'run')}{of}; --all loads the others."
    return f"Searching {count(covered, 'cached run')}{of}; --all loads any others."


async def _search_all(session: Session, text: str, query: RunQuery, *, as_json: bool) -> tuple[TranscriptHits, int]:
    """Load the transcripts of a query, and print hits page by page. Return the hits and the number of loaded runs."""
    load, found, progress = await session.transcript_load(query), TranscriptHits(), ProgressLine()
    announced = False

    def begin() -> None:
        nonlocal announced
        runs = count(load.total or 0, "run")
        if announced:
            progress.show(f"{found.runs_covered:,} of {runs} searched")
        else:
            name = clean_line(query.scope.shown)
            words = f"Loading up to {words}" if (words := load.words(load.total or 0)) else "All are cached"
            print_message(f"Searching up to {runs} of {name}. {words}.")
        announced = True

    async with aclosing(load.pages(begin)) as pages:
        async for ids in pages:
            if is_output_closed():
                raise BrokenPipeError
            some = await session.search_transcripts(text, ids)
            _put_hits(some, as_json=as_json)
            found = TranscriptHits(found.runs_covered + some.runs_covered, (), found.counts | some.counts)
    if (unsent := (load.total or 0) - len(load.covered)) > 0:
        print_message(f"Not searched: {count(unsent, 'run')}, whose transcripts could not be loaded.")
    return found, len(load.covered)


def _put_hits(found: TranscriptHits, *, as_json: bool) -> None:
    if as_json:
        for hit in found.hits:
            put_json(hit.to_json())
    else:
        for _, hits in groupby(found.hits, key=lambda hit: hit.run_id):
            _put_run(list(hits))


def _put_run(hits: list[Hit]) -> None:
    row = hits[0].row
    when = clock_text(row.at) if row.at is not None else ""
    put(", ".join(filter(None, (f"Run {row.id}", row.judged, clean_line(row.scenario), when))))
    for hit in hits:
        time = clock(hit.start, hours=needs_hours(hit.start or 0.0)) or f"#{hit.n}"
        put(f"  {time} {SPEAKERS.get(hit.speaker, 'Other')}: {clean_line(hit.snippet, None)}")
