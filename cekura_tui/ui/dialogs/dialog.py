"""The base of all dialogs."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

T = TypeVar("T")


class Dialog(ModalScreen[T | None]):
    """Asks one thing; esc answers with nothing."""

    # Textual declares it as an instance variable.
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Close", id="dialog.close")]

    def keep(self) -> None:
        """The program is being left: what was typed here is to be kept."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Answer, once: a key that was pressed twice in haste does not take away the screen below as well."""
        return super().dismiss(result) if self in self.app.screen_stack else AwaitComplete()

    def action_give_up(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
