"""The line in which one types what is to be found, below what is searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from cekura_tui.ui.widgets.typed_line import TypedLine


class FindLine(Horizontal):
    """Hidden until `begin`; it tells what is typed, that it was entered, or that it was left."""

    DEFAULT_CSS = """
    FindLine {
        display: none;
        height: 1;
        background: $panel;
        & > Static { width: auto; padding: 0 1; }
        & > Input { width: 1fr; }
        &.-open { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "No search", id="find.close")]

    @dataclass
    class Typed(Message):
        """The text is another; `begun_at` is where the search began."""

        text: str
        begun_at: object

    class Entered(Message):
        """Enter: the text stands."""

    class Left(Message):
        """Esc: no search after all."""

    def __init__(self) -> None:
        super().__init__()
        self._begun_at: object = None

    def compose(self) -> ComposeResult:
        """What it is, and the line."""
        yield Static(Content("Find"))
        yield _Line(compact=True)

    def begin(self, text: str, at: object) -> None:
        """Show it with what was searched last, selected, so that another text takes its place."""
        self._begun_at = at
        line = self.query_one(Input)
        self.add_class("-open")
        with line.prevent(Input.Changed):
            line.value = text
        line.focus()
        line.action_select_all()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Tell what is typed."""
        event.stop()
        self.post_message(self.Typed(event.value, self._begun_at))

    def close(self, message: Message) -> None:
        """Hide it, and tell how it ended."""
        self.remove_class("-open")
        self.post_message(message)

    def action_leave(self) -> None:
        """Esc."""
        self.close(self.Left())


class _Line(TypedLine):
    def on_mount(self) -> None:
        """A blinking cursor would write to the terminal for ever."""
        self.cursor_blink = False

    def entered(self, value: str) -> bool:
        """Enter."""
        if isinstance(self.parent, FindLine):
            self.parent.close(FindLine.Entered() if value.strip() else FindLine.Left())
        return True
