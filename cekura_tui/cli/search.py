"""`search`: search the transcripts cached on this machine."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import json_option
from cekura_tui.cli.output import print_message, put, put_json
from cekura_tui.cli.script import command
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line, clock_text

if TYPE_CHECKING:
    from cekura_tui.model.transcript.search import Hit
    from cekura_tui.workspace.session import Session


@command("search", key=False)
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@json_option("per hit")
async def search(session: Session, words: tuple[str, ...], as_json: bool) -> None:
    """Search the transcripts of all runs cached on this machine.

    Finds turns that contain all WORDS; quoted words are a phrase. Put caller:, agent: or tool: before a word to search
    only what that side said. Sends nothing to the server.
    """
    from cekura_tui.model.transcript.search import LONGEST_QUERY, join_words, read_query, result_text

    query = join_words(words)
    if len(query) > LONGEST_QUERY:
        raise UsageError(
            f"The search has {len(query):,} characters; the limit is {LONGEST_QUERY}.", "Leave out some words."
        )
    if not read_query(query).words:
        raise UsageError("No words to search for.", "Give words from a call, such as `search agent:refund`.")
    found = await session.search_transcripts(query)
    if as_json:
        for hit in found.hits:
            put_json(hit.to_json())
    else:
        for _, hits in groupby(found.hits, key=lambda hit: hit.run_id):
            _put_run(list(hits))
    if not as_json or len(found.hits) < found.total or not found.hits:
        print_message(result_text(query, found))


def _put_run(hits: list[Hit]) -> None:
    from cekura_tui.model.run.words import SPEAKERS
    from cekura_tui.model.transcript.timeline import clock, needs_hours

    first = hits[0]
    when = clock_text(first.when) if first.when is not None else ""
    put(", ".join(filter(None, (f"Run {first.run_id}", clean_line(first.scenario), when))))
    for hit in hits:
        time = clock(hit.start, hours=needs_hours(hit.start or 0.0)) or f"#{hit.n}"
        put(f"  {time} {SPEAKERS.get(hit.speaker, 'Other')}: {clean_line(hit.snippet, None)}")
