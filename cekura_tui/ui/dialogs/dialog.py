"""The base of all dialogs."""

from __future__ import annotations

import time
from typing import ClassVar, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from cekura_tui.ui.widgets.keys_in_order import KeysInOrder

T = TypeVar("T")


class Dialog(KeysInOrder, ModalScreen[T | None]):
    """Asks one thing; esc answers with nothing."""

    # Textual declares it as an instance variable.
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Close", id="dialog.close"),
        Binding("question_mark", "app.help", "Keys", id="dialog.help", show=False),
    ]

    deaf: ClassVar[bool] = False
    """Whether keys that were pressed before it was there are not for it, as where one of them would cost something."""
    deaf_until = 0.0
    """Keys pressed before this moment, in seconds as events count them, are not for it."""

    def _on_mount(self, event: events.Mount) -> None:
        if self.deaf:
            self.deaf_until = time.monotonic()

    def keep(self) -> None:
        """The program is being left: what was typed here is to be kept."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Answer, once: a key that was pressed twice in haste does not take away the screen below as well."""
        return super().dismiss(result) if self in self.app.screen_stack else AwaitComplete()

    def action_give_up(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
