"""Opening the app: what it opens on, and what happens where there is no terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from cekura_tui.cli.options import Options, number
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line

if TYPE_CHECKING:
    from cekura_tui.model.scope import Scope


@click.command("open", hidden=True)
@click.argument("target")
@click.pass_obj
@click.pass_context
def open_target(ctx: click.Context, options: Options, target: str) -> None:
    """Open the app on a run, or on the runs of a dashboard link."""
    if target.isdecimal():
        ctx.exit(open_app(options, run_id=number("run")(target)))
    from cekura_tui.config.origin import DEFAULT_DASHBOARD_URL

    dashboard = DEFAULT_DASHBOARD_URL if options.demo else options.setup().settings.dashboard_url
    ctx.exit(open_app(options, scope=scope_of_link(target, dashboard)))


def scope_of_link(link: str, dashboard: str) -> Scope:
    """The runs that a dashboard link is about; raises UsageError."""
    from cekura_tui.model.scope import Scope

    try:
        parts, home = urlsplit(link), urlsplit(dashboard)
    except ValueError:
        raise UsageError(f"{clean_line(link, 80)} is not a URL.", "Give a run's number or a dashboard link.") from None
    if (parts.scheme, parts.netloc) != (home.scheme, home.netloc):
        raise UsageError(
            f"{clean_line(link, 80)} is not a link of the dashboard {dashboard}.",
            "Set another with CEKURA_DASHBOARD_URL.",
        )
    words = [word for word in parts.path.split("/") if word]
    if len(words) >= 2 and words[-1].isdecimal() and len(words[-1]) < 19 and words[-2] in ("results", "agents"):
        return Scope("result" if words[-2] == "results" else "agent", int(words[-1]))
    raise UsageError(
        f"{clean_line(link, 80)} is not a link that can be opened.",
        "Links of results (…/PROJECT/results/ID) and agents (…/agents/ID) can, and a run by its number.",
    )


def open_app(options: Options, *, run_id: int | None = None, scope: Scope | None = None) -> int:
    """Open the app, or, without a terminal, do the embedded workspace's main job as text; returns the exit status."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)) or os.environ.get(
        "TERM", "dumb"
    ) in ("", "dumb"):
        if options.demo and run_id is None and scope is None:
            from cekura_tui.cli.story import tell_story

            return tell_story(options)
        raise UsageError(
            "The app needs a terminal that can draw (TERM is dumb, or input or output is no terminal).",
            "Commands work without one: see `cekura-tui --help`.",
        )
    from cekura_tui.ui.start import run_app

    return run_app(
        options.setup(), run_id=run_id, scope=scope, mouse=not options.no_mouse, ascii_only=options.ascii_only
    )
