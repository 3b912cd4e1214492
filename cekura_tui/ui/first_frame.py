"""The first frame: the cached rows to show in it, the app's appearance, and the work to do after it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.filter import LineFilter

from cekura_tui.config.settings import Settings
from cekura_tui.config.sources import read_settings_file
from cekura_tui.model.job import Job
from cekura_tui.model.run.columns import columns_of, read_columns
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import count
from cekura_tui.store.runs import read_cached_start
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.app_screen import style_sheets
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.capabilities import Colours as Depth
from cekura_tui.ui.terminal.filters import AsciiFilter, ControlFilter
from cekura_tui.ui.theme import THEMES, choose_theme, colours_of, themes, tokens
from cekura_tui.workspace.setup import account_paths
from cekura_tui.workspace.workspace import Workspace


def read_first_frame(
    workspace: Workspace, scope: Scope | None, clock: Callable[[], float] = time.time
) -> tuple[RunListing, tuple[Job, ...]]:
    """The cached runs and jobs to show first; the runs of `scope`, else of the configured or the last chosen scope."""
    setup = workspace.setup
    named = scope or setup.scope
    text = named.text if named else None
    cached = read_cached_start(setup.paths.database, setup.origin, workspace.known_key(), setup.profile, text)
    if named is None and cached.chosen is not None:
        kind, number, name = cached.chosen
        named = Scope("agent" if kind == "agent" else "project", number, name)
    whole = cached.filtered or not cached.filter
    known = cached.seen.rows if cached.seen is not None and not whole else ()
    seen = cached.seen if whole else None
    columns = {text: read_columns(stored) for text, stored in cached.columns.items()}
    usual = columns_of(setup.settings.columns)
    listing = RunListing(
        named, seen, cached.filter, cached.notes, clock, known=known, columns=columns, usual_columns=usual
    )
    return listing, cached.jobs


class Appearance:
    """Sets an app's theme and filters; `ascii_only` replaces characters that `encoding` lacks."""

    def __init__(self, app: App[Any], settings: Settings, depth: Depth, *, ascii_only: bool, encoding: str) -> None:
        self._app, self._depth = app, depth
        app.no_color = depth == "none"
        app.set_class(app.no_color, "-no-colour")
        app.set_class(depth in ("16", "none"), "-few-colours")
        for theme in themes():
            app.register_theme(theme)
        for name in [name for name, theme in app.available_themes.items() if theme.ansi]:
            app.unregister_theme(name)  # the terminal's own colours are unknown
        chosen = choose_theme(settings.theme, app.available_themes)
        self.theme, self._own_colours = chosen.name, chosen.colours
        self.filters: list[LineFilter] = [ControlFilter(), *([AsciiFilter(encoding)] if ascii_only else [])]
        if depth != "truecolor":
            from cekura_tui.ui.few_colours import colour_filter

            self.filters.insert(0, colour_filter(depth))

    def variables(self, of_textual: dict[str, str]) -> dict[str, str]:
        """Variables for the style sheets: Textual's (`of_textual`) and ours, reduced to the terminal's colours. Our
        variables are computed from the current theme and the user's colours."""
        theme, variables = self._app.current_theme, of_textual
        if theme.name not in THEMES or self._own_colours:
            variables = {**variables, **tokens(colours_of(theme, variables, self._own_colours))}
        if self._depth != "truecolor":
            from cekura_tui.ui.few_colours import reduce_colours

            variables = {**variables, **reduce_colours(variables, self._depth, dark=theme.dark)}
        return variables


def parse_other_sheets(app: App[None]) -> None:
    """Parse the remaining style sheets, so that opening the first dialog does not wait for them."""
    for sheet in style_sheets():
        if not app.stylesheet.has_source(str(sheet)):
            app.stylesheet.read(sheet)
    app.stylesheet.parse()


async def report_settings(app: App[None], state: AppState) -> None:
    """Warn about errors in config.toml, and store them for the help, which lists all errors."""
    file = read_settings_file(account_paths(state.workspace.setup).settings)
    if file.lines or file.problems:
        from cekura_tui.ui.catalogue import settings_problems

        found = await asyncio.to_thread(settings_problems, file)  # may import every screen
        state.problems = tuple(problem.sentence for problem in found)
    if problems := state.problems:
        more = f"config.toml has {count(len(problems), 'problem')}; {with_keys('{app.keys}')} lists them."
        first = f"config.toml: {problems[0]}" if len(problems) == 1 else more
        app.notify(first, severity="warning", markup=False, timeout=10)
