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
    """The API key."""


@auth.command()
@click.pass_obj
def login(options: Options) -> None:
    """Check an API key and keep it. The key is typed, or read from the file of --api-key-file."""
    import asyncio
    import sys

    from cekura_tui.config.credentials import check_key, save_key
    from cekura_tui.model.errors import KeyMissing, UsageError
    from cekura_tui.workspace.session import Session

    setup = options.setup()
    if setup.demo:
        raise UsageError("The embedded workspace needs no key.", "Leave --demo out to sign in at a server.")
    if options.api_key_file:
        if setup.key is None:
            raise setup.no_key or KeyMissing("There is no API key.")
        key = setup.key
    elif sys.stdin is not None and sys.stdin.isatty():
        print_message(f"An API key of {setup.server.origin} is made in its dashboard, under Settings › API keys.")
        key = check_key(click.prompt("API key", hide_input=True, err=True), "the keyboard")
    else:
        raise UsageError("There is no terminal to type a key on.", "Name a file with --api-key-file, or - .")

    async def check() -> list[Project]:
        session = Session.open(setup.with_key(key))
        try:
            return await session.projects()
        finally:
            await session.close()

    projects = asyncio.run(check())
    save_key(setup.paths.credentials, setup.server, key)
    print_message(f"Signed in at {setup.server.origin}; the key is in {setup.paths.credentials}.")
    for project in projects:
        put(f"{project.id}  {project.name}")


@auth.command()
@click.pass_obj
def status(options: Options) -> None:
    """Say which server and key are used, and whether the server takes the key."""
    setup = options.signed_in()

    async def work(session: Session) -> list[Project]:
        return await session.projects()

    projects = run_script(options, work)
    put(f"server: {'the embedded workspace' if setup.demo else setup.server.origin}")
    put(f"key: {setup.key.source if setup.key else 'none needed'}")
    for project in projects:
        put(f"project: {project.id} {project.name}")
