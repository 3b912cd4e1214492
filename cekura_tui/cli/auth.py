"""`auth login`, `auth status` and `auth logout`: save, check and remove the key of a profile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import Options, json_option
from cekura_tui.cli.output import can_ask, print_error, print_message, put, put_json, put_table
from cekura_tui.cli.script import run_script
from cekura_tui.config.credentials import ApiKey, check_key, remove_key, save_key
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.scope import Project, Scope
from cekura_tui.model.secrets import shown
from cekura_tui.model.text import clean_line
from cekura_tui.workspace.setup import Setup, profile_names

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import AuthStatusJson


@click.group()
def auth() -> None:
    """Sign in with an API key; one for each profile."""


profile_option = click.option("--profile", metavar="NAME", help="The same as --profile before the command.")


@auth.command()
@profile_option
@click.option("--replace", "over", is_flag=True, help="Replace the key that the profile has.")
@click.pass_obj
def login(options: Options, over: bool, profile: str | None) -> None:
    """Check an API key and save it. Asks for the key, or reads it from --api-key-file.

    To keep keys of several accounts or servers, give each a name with --profile.
    """
    options = options.with_given({"profile": profile})
    setup = options.setup(new_profile=True, may_run=False)
    if setup.demo:
        raise UsageError("The demo workspace needs no key.", "To sign in to a server, leave out --demo.")
    key = _key_to_save(options, setup)
    if not over:
        _check_replacing(setup, key)
    signing_in = setup.with_key(key)

    projects = run_script(options, lambda session: session.projects(), given=signing_in)
    # No session is open during the question: it would delay ctrl+c until the answer.
    if (chosen := _choose_project(options, signing_in, projects)) is not None:
        scope = Scope("project", chosen.id, chosen.name)
        run_script(options, lambda session: session.choose(scope), given=signing_in)
    save_key(setup.paths.credentials, setup.server, key, setup.profile)
    print_message(f"Signed in to {setup.server.origin}. Key saved in {setup.paths.credentials}.")
    if options.profile:
        # No --api-url: the server is saved with the key.
        command = options._replace(api_url=None).command_line("").strip()
        print_message(f"To use the key, run `{command}`, or press P in the app.")
    _warn_of_other_keys(setup)
    _warn_of_other_server(options, setup)
    for project in projects:
        put(f"{project.id}  {project.name}")


def _key_to_save(options: Options, setup: Setup) -> ApiKey:
    """The key in --api-key-file, or typed without echo. Raises KeyMissing if invalid, UsageError without a terminal."""
    if options.api_key_file:
        if setup.key is None:
            raise setup.no_key or KeyMissing("No API key found.")
        return setup.key
    if not can_ask():
        raise UsageError("No terminal to type a key in.", "Use --api-key-file FILE, or - for standard input.")
    print_message(f"Create an API key for {setup.server.origin} in its dashboard: Settings › API keys.")
    return check_key(click.prompt("API key", hide_input=True, err=True), "the keyboard")


def _check_replacing(setup: Setup, key: ApiKey) -> None:
    """Confirm before replacing another key of the profile; raises UsageError if the user declines or can't be asked."""
    if (conflict := setup.key_conflict(key)) is None:
        return
    if not can_ask():
        raise conflict
    print_message(conflict.message)
    if not click.confirm("Replace that key?", err=True):
        raise UsageError("Nothing was saved.", conflict.hint)


def _choose_project(options: Options, setup: Setup, projects: list[Project]) -> Project | None:
    """The project to save as chosen: the one in --project (UsageError if the key lacks it), else the only one, else one
    picked at the terminal; None if a setting decides, or if there is no project or no terminal."""
    if options.project is not None:
        named = next((project for project in projects if project.id == options.project), None)
        if named is None:
            found = ", ".join(f"{project.id} ({clean_line(project.name, 40)})" for project in projects) or "none"
            raise UsageError(f"This key has no project {options.project}.", f"Found: {found}.")
        return named
    if setup.scope is not None:
        return None  # the setting takes precedence over a saved choice
    if len(projects) == 1:
        return projects[0]
    if not projects or not can_ask():
        return None
    for number, project in enumerate(projects, 1):
        print_message(f"{number:>3}  {clean_line(project.name, 60)} ({project.id})")
    picked: int = click.prompt("Project", type=click.IntRange(1, len(projects)), default=1, err=True)
    return projects[picked - 1]


def _warn_of_other_keys(setup: Setup) -> None:
    """Print a note for each setting or variable whose key takes precedence over the saved key."""
    from cekura_tui.config.programs import VARIABLE

    if setup.settings.api_key_command:
        print_message("Note: api_key_command is set and overrides the saved key.")
    if os.environ.get(VARIABLE, "").strip():
        print_message(f"Note: {VARIABLE} is set and overrides the saved key.")


def _warn_of_other_server(options: Options, setup: Setup) -> None:
    """Print a note if the settings name a server other than the key's server, because the key is not sent there."""
    try:
        later = options._replace(api_url=None, api_key_file=None).setup(may_run=False, quiet=True)
    except UsageError as error:
        print_message(f"Note: {error.sentence()}")
        return
    if later.server.origin != setup.server.origin:
        place = later.origins["api_url"]
        print_message(f"Note: {place} sets the server {later.server.origin}; this key is not sent there.")


@auth.command()
@profile_option
@json_option()
@click.pass_obj
@click.pass_context
def status(ctx: click.Context, options: Options, as_json: bool, profile: str | None) -> None:
    """Check the key, and show its source, the server, the profile and the projects.

    Exits with 4 if the key is missing or refused, with 2 if the server can't be reached.
    """
    options = options.with_given({"profile": profile})
    setup = options.setup()
    failure: CekuraTuiError | None = setup.no_key
    projects: list[Project] = []
    if failure is None:
        try:
            projects = run_script(options, lambda session: session.projects(), given=setup)
        except CekuraTuiError as error:
            failure = error
    if as_json:
        put_json(_status_json(setup, projects, failure))
    else:
        _put_status(setup, projects)
    if failure is not None:
        print_error(failure)
        ctx.exit(failure.exit_status)


def _put_status(setup: Setup, projects: list[Project]) -> None:
    if setup.demo:
        put("server: demo workspace\nkey: not needed")
    else:
        put(f"server: {setup.server.origin}")
        put(f"profile: {shown(setup.profile, 3)}")
        put(f"key: {setup.key.source if setup.key else 'none'}")
        names = ", ".join(shown(name, 3) for name in profile_names(setup.paths, setup.profile))
        put(f"profiles: {names}")
    for project in projects:
        put(f"project: {project.id} {project.name}")
    if setup.key_sources:
        put()
        rows = [(source.place, source.why_not or "used") for source in setup.key_sources]
        put_table(("LOOKED IN", "KEY"), rows)


def _status_json(setup: Setup, projects: list[Project], failure: CekuraTuiError | None) -> AuthStatusJson:
    return {
        "server": setup.origin,
        "profile": shown(setup.profile, 3),
        "key_from": setup.key.source if setup.key else None,
        "looked_in": [
            {"place": source.place, "used": not source.why_not, "why_not": source.why_not}
            for source in setup.key_sources
        ],
        "profiles": [] if setup.demo else [shown(name, 3) for name in profile_names(setup.paths, setup.profile)],
        "projects": [{"id": project.id, "name": project.name} for project in projects],
        "error": failure.message if failure else None,
    }


@auth.command()
@profile_option
@click.pass_obj
def logout(options: Options, profile: str | None) -> None:
    """Remove the saved key of the profile from this machine. Jobs, notes and cached runs stay."""
    options = options.with_given({"profile": profile})
    setup = options.setup(new_profile=True, may_run=False)
    if setup.demo:
        raise UsageError("The demo workspace has no saved key.", "Leave out --demo.")
    path, name = setup.paths.credentials, shown(setup.profile, 3)
    if not remove_key(path, setup.profile):
        names = ", ".join(shown(name, 3) for name in profile_names(setup.paths))
        raise UsageError(f"Profile {name} has no saved key.", f"Profiles: {names}.")
    print_message(f"Removed the key of profile {name} from {path}. Jobs, notes and cached runs stay.")
    if left := setup.looked_up_again(may_run=False).key_from:
        print_message(f"Note: the key of {left} is still used.")
