"""`cekura-tui manual`: the manual on a terminal, or as Markdown in a pipe."""

from __future__ import annotations

import os
import shutil
import sys

import click

from cekura_tui.cli.output import put, put_table
from cekura_tui.manual import TOPICS, read_page
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line


@click.command()
@click.argument("topic", required=False)
@click.option("--list", "list_topics", is_flag=True, help="List the topics.")
def manual(topic: str | None, list_topics: bool) -> None:
    """Read the manual, or the page of one TOPIC.

    On a terminal, the text opens in $PAGER; in a pipe or a file, it is Markdown.
    """
    if topic is not None and topic not in TOPICS:
        raise UsageError(f"No topic named “{clean_line(topic, 40)}”.", f"Choose from {', '.join(TOPICS)}.")
    if list_topics:
        put_table(("TOPIC", "ABOUT"), list(TOPICS.items()))
        return
    text = "\n".join(map(read_page, [topic] if topic else TOPICS))
    if not sys.stdout.isatty():
        put(text.rstrip("\n"))
        return
    from cekura_tui.ui.terminal.markdown import render_page

    os.environ.setdefault("LESS", "-FRX")  # as git does: a page that fits needs no key
    page = render_page(text, shutil.get_terminal_size().columns)
    encoding, errors = sys.stdout.encoding, sys.stdout.errors or "replace"
    click.echo_via_pager(page.encode(encoding, errors).decode(encoding))  # the pager would get UTF-8
