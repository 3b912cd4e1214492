"""Opening the app: what it opens on, and what happens where there is no terminal."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from cekura_tui.cli.options import Options, number
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line

if TYPE_CHECKING:
    from cekura_tui.model.scope import Scope
    from cekura_tui.workspace.setup import Setup


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

    site, path = _read_link(link, "Give a run's number or a dashboard link.")
    home, _ = _read_link(dashboard, "It is set by CEKURA_DASHBOARD_URL, or dashboard_url in config.toml.")
    if site != home:
        raise UsageError(
            f"{clean_line(link, 80)} is not a link of the dashboard {clean_line(dashboard, 80)}.",
            "Set another with CEKURA_DASHBOARD_URL.",
        )
    words = [word for word in path.split("/") if word]
    for kind, word in pairwise(words):
        if kind in ("results", "agents") and word.isdecimal() and len(word) < 19:
            return Scope("result" if kind == "results" else "agent", int(word))
    raise UsageError(
        f"{clean_line(link, 80)} is not a link that can be opened.",
        "Links of results (…/PROJECT/results/ID) and agents (…/agents/ID) can, and a run by its number.",
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
            from cekura_tui.cli.story import tell_story

            return tell_story(options)
        raise UsageError(
            "The app needs a terminal that can draw (TERM is dumb, or input or output is no terminal).",
            "Commands work without one: see `cekura-tui --help`.",
        )
    from cekura_tui.ui.start import run_app

    return run_app(
        setup or options.setup(), run_id=run_id, scope=scope, mouse=not options.no_mouse, ascii_only=options.ascii_only
    )


def _can_draw() -> bool:
    """Whether input and output are a terminal, and one that can draw."""
    streams = (sys.stdin, sys.stdout)
    terminal = all(stream is not None and stream.isatty() for stream in streams)
    return terminal and os.environ.get("TERM", "dumb") not in ("", "dumb")
