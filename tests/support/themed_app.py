"""An app with the program's themes, to test a widget or a dialog alone."""

from __future__ import annotations

from typing import Any

from textual.app import App

from cekura_tui.ui.theme import THEMES, themes


class ThemedApp(App[None]):
    """An app with the program's dark theme, which defines the variables of the style sheets."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for theme in themes():
            self.register_theme(theme)
        self.theme = THEMES[0]
