"""`config`: print paths, settings and key bindings, and change config.toml."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from cekura_tui.cli.options import Options, json_option
from cekura_tui.cli.output import can_ask, print_error, print_message, put, put_json, put_table
from cekura_tui.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import SettingsJson


@click.group()
def config() -> None:
    """Show and change settings."""


@config.command()
@click.pass_obj
def path(options: Options) -> None:
    """Print the directory that holds settings, keys, runs and jobs."""
    put(str(options.paths.home))


@config.command()
@click.pass_obj
def keys(options: Options) -> None:
    """Print the id, the keys and the name of every action.

    In config.toml, [keys] sets the keys of actions by id. Errors in config.toml are printed to standard error.
    """
    from cekura_tui.ui.catalogue import list_actions, settings_problems

    loaded = options.settings()
    put_table(("ACTION", "KEYS", "NAME", "WHERE"), list_actions(loaded.settings.keys))
    for problem in settings_problems(loaded.file):
        print_message(problem.with_path(loaded.file.path))


@config.command()
@click.option("--origin", is_flag=True, help="Show where each setting was set.")
@json_option()
@click.pass_obj
@click.pass_context
def show(ctx: click.Context, options: Options, origin: bool, as_json: bool) -> None:
    """Print all settings, and list wrong entries of config.toml.

    Settings come from options, the environment, config.toml, the file of the vendor's CLI, and defaults.
    """
    from cekura_tui.config.settings import listed_settings, value_text
    from cekura_tui.ui.catalogue import settings_problems

    path = options.paths.settings
    loaded = options.settings()
    problems = settings_problems(loaded.file)
    failure: UsageError | None = None
    try:
        setup = options.setup(may_run=False, quiet=True)
        rows = list(listed_settings(setup.settings, setup.origins))
    except UsageError as error:
        failure = error
        rows = list(listed_settings(loaded.settings, loaded.origins))
    if as_json:
        shown: SettingsJson = {
            "path": str(path),
            "settings": [{"name": name, "value": value, "origin": where} for name, value, where in rows],
            "problems": [{"line": problem.line, "text": problem.text} for problem in problems],
        }
        put_json(shown)
    else:
        header = ("SETTING", "VALUE", "ORIGIN")[: 3 if origin else 2]
        put_table(header, [(name, value_text(value), where)[: len(header)] for name, value, where in rows])
    for text in (problem.with_path(path) for problem in problems):
        if failure is None or text not in failure.message:
            print_message(text)
    if loaded.refusal is not None:
        print_message("No key is sent until these are corrected.")
    elif failure is not None:
        print_error(failure)
        ctx.exit(failure.exit_status)


@config.command("set")
@click.argument("name")
@click.argument("value")
@click.pass_obj
def set_(options: Options, name: str, value: str) -> None:
    """Set NAME to VALUE in config.toml; comments and layout stay.

    NAME is a setting (project_id), an entry of a table (theme.name, keys.runs.improve), or a setting of a profile
    (profiles.work.api_url).
    """
    from cekura_tui.config.settings_edit import set_setting, setting_name
    from cekura_tui.config.sources import read_settings_file
    from cekura_tui.ui.actions import all_actions
    from cekura_tui.ui.catalogue import kept_letter, settings_problems

    path = options.paths.settings
    if name in all_actions():
        raise UsageError(f"{name} is an action, not a setting.", f"Set its keys with keys.{name}.")
    set_setting(path, name, value, settings_problems)
    later = " An open app uses the value from its next start." if name.startswith(("keys", "theme")) else ""
    *table, entry = setting_name(name)
    keys: Any = read_settings_file(path).values.get("keys", {})
    kept = kept_letter(entry, {**keys, entry: value}) if table[-1:] == ["keys"] else ""
    print_message(f"Saved {name} in {path}.{later}{kept}")


@config.command()
@click.argument("name")
@click.pass_obj
def unset(options: Options, name: str) -> None:
    """Remove NAME from config.toml; comments and layout stay."""
    from cekura_tui.config.settings_edit import set_setting
    from cekura_tui.ui.catalogue import settings_problems

    path = options.paths.settings
    if not set_setting(path, name, None, settings_problems):
        raise UsageError(f"{path} does not set {name}.")
    print_message(f"Removed {name} from {path}.")


@config.command()
@click.pass_obj
@click.pass_context
def edit(ctx: click.Context, options: Options) -> None:
    """Edit a copy of config.toml in $VISUAL or $EDITOR; save it if it has no errors.

    If there is no config.toml yet, the copy lists all settings as comments.
    """
    from cekura_tui.config.programs import editor_command
    from cekura_tui.config.settings_edit import copy_settings, left_text, put_copy
    from cekura_tui.config.sources import read_settings_file
    from cekura_tui.ui.catalogue import settings_problems

    path = options.paths.settings
    command = editor_command(os.environ)
    copy, saved = copy_settings(path)
    try:
        _run_editor([*command, str(copy)])
        while problems := settings_problems(read_settings_file(copy)._replace(path=path)):
            for problem in problems:
                print_message(problem.with_path(path))
            if not can_ask() or not click.confirm("Edit again?", default=True, err=True):
                ctx.exit(Exit.WRONG_USE)
            _run_editor([*command, str(copy)])
        changed = put_copy(path, copy, saved)
        print_message(f"{path} {'is saved' if changed else 'was not changed'}; it has no errors.")
    finally:
        if left := left_text(path, copy, saved):
            print_message(left)


def _run_editor(command: list[str]) -> None:
    """Run an editor until it ends, without the API key in its environment. Raises UsageError if the editor fails."""
    from cekura_tui.config.programs import run_program

    ended = run_program(command, os.environ, data=None, quiet=False, in_front=True)
    if ended.failure:
        raise UsageError(f"{command[0]} {ended.failure}.", "Set EDITOR to another." if ended.status is None else "")
