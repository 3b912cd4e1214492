"""The input for a search in a run."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.inputs import TypedLine


class FindLine(Horizontal):
    """An input for a search, hidden until `begin`. `typed` is called with the text on each change, and `ended` with the
    final text ("" if cancelled). Both also get the turn where the search starts; None if no turn was current."""

    DEFAULT_CSS = """
    FindLine {
        display: none;
        height: 1;
        background: $panel;
        & > Static { width: auto; padding: 0 1; color: $accent; text-style: bold; }
        & > Input { width: 1fr; }
        &.-open { display: block; }
    }
    """

    def __init__(self, typed: Callable[[str, int | None], None], ended: Callable[[str, int | None], None]) -> None:
        super().__init__()
        self._typed, self._ended = typed, ended
        self._begun_at: int | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content("Find"))
        yield FindInput(compact=True, placeholder="text, or agent: text")

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def begin(self, text: str, at: Hashable) -> None:
        """Show and focus the input, with the last search `text` selected. `at` is the key of the current turn."""
        self._begun_at = at if isinstance(at, int) else None
        line = self.query_one(Input)
        self.add_class("-open")
        with line.prevent(Input.Changed):
            line.value = text
        line.action_select_all()
        self.screen.set_focus(line)

    def close(self, text: str) -> None:
        self.remove_class("-open")
        self._ended(text, self._begun_at)

    @on(Input.Changed)
    def _search_typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self._typed(event.value, self._begun_at)


class FindInput(TypedLine):
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("find.close", "escape", lambda line: line.parent.close(""), "Cancel", footer=1),
    )

    def entered(self, value: str) -> bool:
        """Submit the search. A blank text cancels the search."""
        if isinstance(self.parent, FindLine):
            self.parent.close(value if value.strip() else "")
        return True
