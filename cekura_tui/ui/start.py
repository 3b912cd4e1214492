"""Start the app: set the environment before Textual is imported, and print notices at exit."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING

from cekura_tui.model.text import clean, count
from cekura_tui.ui.terminal.capabilities import COLOUR_SYSTEMS, output_terminal, read_capabilities, read_escape_delay

if TYPE_CHECKING:
    from cekura_tui.model.scope import Scope
    from cekura_tui.workspace.setup import Setup

# Defaults that suit a terminal over SSH; Textual reads them when it is imported.
_OVER_SSH = {"TEXTUAL_FPS": "120", "TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}


def set_defaults(env: MutableMapping[str, str]) -> None:
    for name, value in _OVER_SSH.items():
        if not env.get(name):
            env[name] = value


def drop_odd_size(env: MutableMapping[str, str], most: tuple[int, int]) -> None:
    """Remove each of COLUMNS and LINES whose value is not a number from 1 to its maximum in `most`."""
    for name, cells in zip(("COLUMNS", "LINES"), most, strict=True):
        value = env.get(name, "")
        if not (value.isdecimal() and len(value) <= len(str(cells)) and 0 < int(value) <= cells):
            env.pop(name, None)


def run_app(
    setup: Setup,
    *,
    run_id: int | None = None,
    scope: Scope | None = None,
    mouse: bool = True,
    ascii_only: bool | None = None,
    command_line: Callable[[str], str] = "cekura-tui {}".format,
) -> int:
    """Run the app and return the exit status. `ascii_only=None` follows the locale. `command_line` completes a command
    with the options of this workspace, so that the command can be shown to the user."""
    set_defaults(os.environ)
    if not os.environ.get("NO_COLOR"):
        os.environ.pop("NO_COLOR", None)  # empty means unset, as no-color.org defines
    terminal = output_terminal()
    has = read_capabilities(os.environ, terminal.encoding)
    if ascii_only is False:
        terminal.reconfigure(encoding="utf-8")
    os.environ["TEXTUAL_COLOR_SYSTEM"] = COLOUR_SYSTEMS[has.colours]
    from cekura_tui.ui.app import CekuraApp
    from cekura_tui.ui.terminal.cells import MAX_SIZE
    from cekura_tui.ui.terminal.driver import TerminalDriver
    from cekura_tui.ui.terminal.signals import exits_on_signals
    from cekura_tui.workspace.workspace import Workspace

    has_size = all(os.get_terminal_size(terminal.fileno()))
    drop_odd_size(os.environ, (0, 0) if has_size else MAX_SIZE)  # the variables do not follow a resize
    workspace = Workspace(setup)
    app = CekuraApp(
        workspace,
        run_id=run_id,
        scope=scope,
        colours=has.colours,
        ascii_only=not has.utf8 if ascii_only is None else ascii_only,
        encoding="utf-8" if ascii_only is False else has.encoding,
        tune_gc=True,
    )
    app.driver_class = partial(  # type: ignore[assignment] # Textual only calls it
        TerminalDriver,
        terminal=terminal,
        whole_frames=setup.settings.whole_frames,
        background_erase=has.background_erase,
        escape_delay=read_escape_delay(os.environ),
    )
    with exits_on_signals(app) as emergency:
        try:
            app.run(mouse=mouse)
        except Exception as error:  # the last resort: an error on the screens' event loop
            app.note_crash(error)
        workspace.close()
    unrecorded = [clean(f"{one.message} {one.hint_at_end(command_line)}") for one in workspace.unrecorded]
    running = sum(job.state.active for job in app.state.jobs)
    run = "runs" if running == 1 else "run"
    still = f"{count(running, 'job')} still {run}. Open cekura-tui again to see the result."
    notices = (*workspace.notices, *unrecorded, app.crash or (still if running else ""))
    for stream, text in ((terminal, app.news.former_title), (sys.stderr, "\n".join((*filter(None, notices), "")))):
        with contextlib.suppress(OSError):  # the terminal may be gone
            stream.write(text)
            stream.flush()
    return (app.status or 0) if emergency.status is None else emergency.status
