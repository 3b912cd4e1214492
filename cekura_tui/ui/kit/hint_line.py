"""The tip of a page: a row above the footer that is only there while there is a tip, and never where rows are few."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from cekura_tui.ui.hints import Hints
from cekura_tui.ui.kit.footer import key_name


class HintLine(Static):
    """Shows the first tip left of those whose action has a key now, and none while somebody types."""

    DEFAULT_CSS = """
    HintLine {
        display: none;
        height: 1;
        padding: 0 1;
        color: $muted;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    HintLine.-tip { display: block; }
    """

    def __init__(self, hints: Hints) -> None:
        super().__init__()
        self._hints = hints

    def on_mount(self) -> None:
        """Look again whenever keys change, or the page is on top again."""
        self.screen.bindings_updated_signal.subscribe(self, self._look)
        self.app.screen_change_signal.subscribe(self, self._look)

    def _look(self, screen: Screen[Any]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        tip = self._tip()
        if tip != self.content:
            self.update(tip, layout=False)
            self.set_class(bool(tip.plain), "-tip")

    def _tip(self) -> Content:
        focused = self.screen.focused
        if self._hints.left and not (focused is not None and focused.check_consume_key("a", "a")):
            # Of two keys of one action the first is named.
            bound = {one.binding.id: one.binding for one in reversed(self.screen.active_bindings.values())}
            for hint in self._hints.left:
                if (binding := bound.get(hint.action)) is not None:
                    key = key_name(self.app, binding)
                    return Content.assemble("Tip: press ", (key, "bold $accent"), f" to {hint.use}.")
        return Content("")
