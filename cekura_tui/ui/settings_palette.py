"""A palette of all settings with their values and origins, from which the user edits config.toml."""

from __future__ import annotations

import asyncio
import contextlib
import os
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App

from cekura_tui.config.programs import editor_command
from cekura_tui.config.settings import FLAGS, SETTINGS, listed_settings, value_text
from cekura_tui.config.settings_edit import copy_settings, left_text, put_copy
from cekura_tui.config.settings_file import SettingsFile
from cekura_tui.config.sources import DEFAULT, read_settings_file
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.ui.catalogue import settings_problems
from cekura_tui.ui.kit.dialog import ConfirmDialog, DetailsDialog
from cekura_tui.ui.kit.palette import Command, Palette
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.foreground import run_in_front
from cekura_tui.workspace.setup import account_paths, make_setup

_OPEN_AT_LINE = frozenset(("vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "kak", "joe", "mg"))
"""Editors that take the line to begin at as an argument +N."""


def settings_palette(app: App[None], state: AppState) -> Palette:
    """A palette of all settings as a start with the same flags would find them. Choosing one opens the editor."""
    setup, home = state.workspace.setup, str(account_paths(state.workspace.setup).home)
    by_flag = [name for name, flag in FLAGS.items() if setup.origins.get(name) == flag]
    given: dict[str, Any] = {name: getattr(setup.settings, name) for name in by_flag}
    env = setup.key_places.env if setup.key_places is not None else {}
    with contextlib.suppress(UsageError):  # the file has got errors since the start
        setup = make_setup(config_dir=home, demo=setup.demo, env=env, may_run=False, new_profile=True, **given)

    def is_later(name: str) -> bool:
        """Whether the app does not use the value yet."""
        (setting, _, entry), running = name.partition("."), state.workspace.setup.settings
        now, new = getattr(running, setting), getattr(setup.settings, setting)
        if name == "theme.name" and new.get(entry) == app.theme:  # chosen in the app
            return False
        return bool(now.get(entry) != new.get(entry) if entry else now != new)

    async def edit(name: str = "") -> None:
        app.run_worker(_edit(app, state, name), group="settings")

    errors = [Command(f"Error {n}", f"config.toml: {text}", edit) for n, text in enumerate(state.problems, 1)]
    settings = [
        Command(
            name, _words(value_text(value), where.removeprefix(f"{home}/"), later=is_later(name)), partial(edit, name)
        )
        for name, value, where in listed_settings(setup.settings, setup.origins)
    ]
    return Palette([*errors, *settings], "Settings", "edit config.toml")


def _words(value: str, where: str, *, later: bool) -> str:
    """A value and, unless it says the same, its origin."""
    is_said = where == value or (where, value) == (DEFAULT, "not set")
    return " · ".join([value, *([] if is_said else [where]), *(["from the next start"] if later else [])])


def _line_of(name: str, text: str) -> int:
    """The number of the line of config.toml that sets a setting, perhaps in a comment; if none does, of its table."""
    lines, found = text.splitlines(), 0
    for word in filter(None, name.partition(".")[::2]):
        found = next((n for n in range(found, len(lines)) if lines[n].lstrip(' #["').startswith(word)), found)
    return found + 1


async def _edit(app: App[None], state: AppState, name: str) -> None:
    """Edit a copy of config.toml in $VISUAL or $EDITOR, until it has no errors or the user keeps config.toml as it is.
    Then say which settings have changed, or where the edited text is."""
    path, again = account_paths(state.workspace.setup).settings, True
    try:
        command, former = editor_command(os.environ), read_settings_file(path)
        copy, before = copy_settings(path)
    except CekuraTuiError as error:
        app.push_screen(DetailsDialog.of_error(error))
        return
    if Path(command[0]).name in _OPEN_AT_LINE:
        command.append(f"+{_line_of(name, before.decode(errors='replace'))}")
    try:
        while again:
            if failure := run_in_front(app, [*command, str(copy)]):
                raise UsageError(f"{command[0]} {failure}.")
            file = read_settings_file(copy)._replace(path=path)
            if problems := await asyncio.to_thread(settings_problems, file):
                text = "\n".join(problem.sentence for problem in problems)
                question = ConfirmDialog("config.toml is not saved", text, "Edit again")
                again = await app.push_screen_wait(question) is True
            else:
                _report(app, former, file, saved=put_copy(path, copy, before))
                again, state.problems = False, ()
    except CekuraTuiError as error:
        app.push_screen(DetailsDialog.of_error(error))
    if left := left_text(path, copy, before):
        app.push_screen(DetailsDialog("config.toml is not changed", left))


def _report(app: App[None], former: SettingsFile, file: SettingsFile, *, saved: bool) -> None:
    changed = [name for name in SETTINGS if former.values.get(name) != file.values.get(name)]
    changed += ["profiles"] * (former.profiles != file.profiles)
    later = f" In effect at the next start: {', '.join(changed)}." if changed else ""
    app.notify(f"Saved config.toml.{later}" if saved else "config.toml was not changed.", markup=False, timeout=10)
