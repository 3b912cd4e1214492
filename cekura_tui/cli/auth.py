"""`auth login` and `auth status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import Options
from cekura_tui.cli.output import print_message, put
from cekura_tui.cli.script import run_script

if TYPE_CHECKING:
    from cekura_tui.model.scope import Project
    from cekura_tui.workspace.session import Session


@click.group()
def auth() -> None:
    """Sign in with an API key."""


@auth.command()
@click.pass_obj
def login(options: Options) -> None:
    """Check an API key and save it. Asks for the key, or reads it from --api-key-file."""
    import asyncio
    import sys

    from cekura_tui.config.credentials import check_key, save_key
    from cekura_tui.model.errors import KeyMissing, UsageError
    from cekura_tui.workspace.session import Session

    setup = options.setup()
    if setup.demo:
        raise UsageError("The demo workspace needs no key.", "To sign in to a server, leave out --demo.")
    if options.api_key_file:
        if setup.key is None:
            raise setup.no_key or KeyMissing("No API key found.")
        key = setup.key
    elif sys.stdin is not None and sys.stdin.isatty():
        print_message(f"Create an API key for {setup.server.origin} in its dashboard: Settings › API keys.")
        key = check_key(click.prompt("API key", hide_input=True, err=True), "the keyboard")
    else:
        raise UsageError("No terminal to type a key in.", "Use --api-key-file FILE, or - for standard input.")

    async def check() -> list[Project]:
        session = Session.open(setup.with_key(key))
        try:
            return await session.projects()
        finally:
            await session.close()

    projects = asyncio.run(check())
    save_key(setup.paths.credentials, setup.server, key, setup.profile)
    print_message(f"Signed in to {setup.server.origin}. Key saved in {setup.paths.credentials}.")
    for project in projects:
        put(f"{project.id}  {project.name}")


@auth.command()
@click.pass_obj
def status(options: Options) -> None:
    """Check the key, and show the server, key and projects in use."""
    setup = options.signed_in()

    async def work(session: Session) -> list[Project]:
        return await session.projects()

    projects = run_script(options, work)
    put(f"server: {'demo workspace' if setup.demo else setup.server.origin}")
    put(f"key: {setup.key.source if setup.key else 'not needed'}")
    for project in projects:
        put(f"project: {project.id} {project.name}")
