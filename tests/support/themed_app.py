"""An app with our colours, for a widget or a dialog that is tried alone."""

from __future__ import annotations

from typing import Any

from textual.app import App

from cekura_tui.ui.theme import THEMES, themes


class ThemedApp(App[None]):
    """In our dark theme, whose tokens the style sheets use."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for theme in themes():
            self.register_theme(theme)
        self.theme = THEMES[0]
