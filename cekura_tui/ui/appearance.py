"""The app's appearance: its theme with the user's colours, reduced to the terminal's colour depth, and its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.filter import LineFilter

from cekura_tui.ui.terminal.capabilities import Colours as Depth
from cekura_tui.ui.terminal.filters import AsciiFilter, ControlFilter
from cekura_tui.ui.theme import THEMES, choose_theme, colours_of, themes, tokens

if TYPE_CHECKING:
    from cekura_tui.config.settings import Settings


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
