"""The footer: the keys of the screen in one line; and how a key is called everywhere (`key_name`)."""

from __future__ import annotations

from typing import Any, NamedTuple

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from cekura_tui.ui.actions import rank_of


def key_name(app: App[Any], binding: Binding) -> str:
    """`esc`, `^g`, `enter`, `/`."""
    # Textual's sign for it is in few fonts, and the prose of the pages says the word.
    return "enter" if binding.key == "enter" else app.get_key_display(binding)


_HELP = "question_mark"


class _FooterKey(NamedTuple):
    key: str
    shown: str
    description: str
    enabled: bool

    def cells(self) -> int:
        return Content(f"{self.shown} {self.description}").cell_length


class KeyFooter(Widget, can_focus=False):
    """The keys that do something where one is; a click on one is that key.

    One line of text instead of Textual's footer, which makes a widget of each key, and all of them anew when the focus
    goes elsewhere: that took longer than everything else that such a key does.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: 1; text-wrap: nowrap; color: $text; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[_FooterKey, ...] = ()

    def on_mount(self) -> None:
        """From now on told when keys come and go."""
        self.screen.bindings_updated_signal.subscribe(self, self._look)

    def on_unmount(self) -> None:
        """No more."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _look(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        shown: dict[str, _FooterKey] = {}
        # sorted() keeps the order of those without a rank, which come from Textual.
        active = sorted(screen.active_bindings.values(), key=lambda one: rank_of(one.node, one.binding))
        for _, binding, enabled, _ in active:
            if binding.show and binding.action not in shown:  # the first of its keys stands for them
                key = _FooterKey(binding.key, key_name(self.app, binding), binding.description, enabled)
                shown[binding.action] = key
        if (keys := tuple(shown.values())) != self._keys:
            self._keys = keys
            self.refresh()

    def _that_fit(self) -> list[_FooterKey]:
        """As many as there is room for; where it is not enough for all, the one that shows all is among them."""
        room = self.size.width + 1
        if sum(one.cells() + 1 for one in self._keys) <= room:
            return list(self._keys)
        helping = [one for one in self._keys if one.key == _HELP]
        room -= sum(one.cells() + 1 for one in helping)
        fitting = []
        for one in self._keys:
            if one not in helping and (room := room - one.cells() - 1) >= 0:
                fitting.append(one)
        return fitting + helping

    def render(self) -> Content:
        """Each key and what it does."""
        parts: list[tuple[str, str]] = []
        for one in self._that_fit():
            dim = "" if one.enabled else "dim"
            parts += [(one.shown, f"bold $accent {dim}"), (f" {one.description} ", dim)]
        return Content.assemble(*parts)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """As if the key under the mouse was pressed."""
        if event.button != 1:
            return
        begin = 0
        for one in self._that_fit():
            end = begin + one.cells()
            if begin <= event.x < end:
                (self.app.simulate_key(one.key) if one.enabled else self.app.bell())
            begin = end + 1
