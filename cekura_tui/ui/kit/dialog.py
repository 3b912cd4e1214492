"""The base of all dialogs; one that asks yes or no; one that shows a text with facts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean
from cekura_tui.ui.actions import Action, bindings, is_offered
from cekura_tui.ui.kit.keys_in_order import PendingDialog, do_in_order
from cekura_tui.ui.terminal.cells import LEAST, too_small
from cekura_tui.ui.terminal.textual_private import is_gone

T = TypeVar("T")


class Dialog(ModalScreen[T | None]):
    """Asks one thing; esc answers with nothing."""

    # Textual declares it as an instance variable.
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("dialog.close", "escape", "give_up", "Close", footer=1),
        Action("dialog.help", "question_mark", "app.help", "Keys"),
    )
    BINDINGS = bindings(ACTIONS)

    deaf: ClassVar[bool] = False
    """Whether keys that were pressed before it was there are not for it, as where one of them would cost something."""
    deaf_until = 0.0
    """Keys pressed before this moment, in seconds as events count them, are not for it."""

    def __init__(self) -> None:
        super().__init__()
        self.opening = PendingDialog(self, WaitingDialog)

    def _on_mount(self, event: events.Mount) -> None:
        if self.deaf:
            self.deaf_until = time.monotonic()

    async def _on_key(self, event: events.Key) -> None:
        await do_in_order(self, event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is not to be mentioned now is no key either."""
        return is_offered(self, action, parameters)

    @property
    def gone(self) -> bool:
        """Whether it is being taken apart or is not put together yet: whoever waited must not draw on it."""
        return is_gone(self)

    def keep(self) -> None:
        """The program is being left: what was typed here is to be kept."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Answer, once: a key that was pressed twice in haste does not take away the screen below as well."""
        return super().dismiss(result) if self in self.app.screen_stack else AwaitComplete()

    def action_give_up(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)


class WaitingDialog(Dialog[None]):
    """Stands in for a dialog of which something is still being read, and takes the keys meanwhile; esc gives it up."""

    def __init__(self, words: str, cancel: Callable[[], object]) -> None:
        super().__init__()
        self._words, self._cancel = words, cancel

    def compose(self) -> ComposeResult:
        """What is read."""
        with Vertical(classes="dialog"):
            yield Label(Content(f"{self._words} …"))
            yield Label(Content("esc cancels"), classes="dialog-hint")

    def action_give_up(self) -> None:
        """Wait no more: whoever waits takes this away."""
        self._cancel()


class DetailsDialog(Dialog[None]):
    """A title, a text and named facts, to be read and closed."""

    def __init__(self, title: str, text: str, facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._title, self._text, self._facts = title, text, facts

    @classmethod
    def of_error(cls, error: CekuraTuiError) -> DetailsDialog:
        """An error, whole."""
        return cls(error.title, "\n\n".join(filter(None, (error.message, error.hint))), error.facts())

    def compose(self) -> ComposeResult:
        """Everything in one scrolling text."""
        text = Text(clean(self._text))
        for name, value in self._facts:
            text.append(f"\n\n{clean(name)}\n", style="bold")
            text.append(clean(value))
        with VerticalScroll(classes="dialog"):
            yield Label(Content(clean(self._title)), classes="dialog-title")
            yield Static(text)
            yield Label(Content("esc closes"), classes="dialog-hint")


class ConfirmDialog(Dialog[bool]):
    """Answers True for yes, but not where the question is not seen whole; enter alone says no."""

    AUTO_FOCUS = "#no"
    deaf = True
    ACTIONS = (
        Action("confirm.yes", "y", "answer(True)", "Yes", footer=1),
        Action("confirm.no", "n", "answer(False)", "No", footer=2),
    )
    BINDINGS = bindings(ACTIONS)

    def __init__(self, title: str, text: str, yes: str) -> None:
        super().__init__()
        self._title, self._text, self._yes = title, text, yes

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        with Vertical(classes="dialog"):
            yield Label(Content(clean(self._title)), classes="dialog-title")
            yield Static(Content(clean(self._text)))
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content(self._yes), variant="warning", id="yes", compact=True)
                yield Button(Content("Cancel"), id="no", compact=True)
            yield Label(Content("y yes · n no · esc closes"), classes="dialog-hint")

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """A button was pressed."""
        self.action_answer(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """A letter was pressed."""
        if answer and too_small(self.app.size):
            needed = f"{LEAST.width} × {LEAST.height}"
            self.notify(f"Yes needs a terminal of {needed}; nothing was done.", severity="warning", markup=False)
            return
        self.dismiss(answer)
