"""The base of all dialogs, a question, and a dialog that shows a text with facts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual import events, on
from textual.app import App, ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import keymap_in_use
from cekura_tui.ui.kit.app_screen import AppScreen
from cekura_tui.ui.kit.lines import WrappedText
from cekura_tui.ui.kit.strips import breaks
from cekura_tui.ui.terminal.textual_private import drop_toasts

T = TypeVar("T")

_KEYS = re.compile(r"\S+(?: (?:\S|\w+\+\S+)(?= ))*")


def key_hint(words: str) -> Content:
    """Style a hint such as "enter save · n N next", in which each part begins with keys. The keys are the first word of
    a part and all single characters and words such as "shift+↑" directly after that word."""
    return Content(" · ").join(Content.assemble((keys, "bold $accent"), rest) for keys, rest in _parts(words))


def _parts(words: str) -> Iterator[tuple[str, str]]:
    """The keys of each part of a hint, and the rest of the part."""
    for part in words.split(" · ") if words else ():
        keys = _KEYS.match(part)
        at = keys.end() if keys else 0
        yield part[:at], part[at:]


class KeyHint(WrappedText):
    """The last line of a dialog, with its keys, such as "{dialog.close} close · tab next". An action id in braces is
    replaced by the action's key; a part whose actions have no key is left out. Keys stay beside the next word."""

    DEFAULT_CSS = "KeyHint { height: auto; }"

    def __init__(self, words: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, classes="dialog-hint")
        self.show(words)

    def show(self, words: str) -> None:
        self._hint, self._drawn = key_hint(keymap_in_use().hint(words)), None
        self.refresh(layout=True)

    def lines_at(self, width: int) -> list[Content]:
        unbroken = "\u00a0· ".join(
            keys.replace(" ", "\u00a0") + rest.replace(" ", "\u00a0", 1) for keys, rest in _parts(self._hint.plain)
        )
        return [self._hint[start:end] for start, end in breaks(unbroken, width)]


class DialogNote(Static):
    """The message line of a dialog: facts are muted, success is green, failures are amber."""

    def __init__(self, text: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(Content(clean(text)), id=id, classes="dialog-note")

    def show(self, text: str, *, failed: bool = False, done: bool = False) -> None:
        sign = "! " if failed else "✓ " if done else ""
        self.set_class(failed, "-failed")
        self.set_class(done, "-done")
        if (shown := Content(sign + clean(text) if text else "")) != self.content:
            self.update(shown)


def dialog_box(title: str, *, id: str | None = None, classes: str = "") -> Vertical:  # noqa: A002 - Textual's own word
    box = Vertical(id=id, classes=f"dialog {classes}")
    box.border_title = Content(clean(title))
    return box


def section(title: str, *parts: Widget, id: str | None = None) -> Vertical:  # noqa: A002 - Textual's own word
    """Widgets under a title that is highlighted while one of these widgets has the focus."""
    return Vertical(Label(Content(title), classes="section-title"), *parts, id=id, classes="section")


class Dialog(AppScreen[T | None], ModalScreen[T | None]):
    """The base of all dialogs; esc closes a dialog with the result None."""

    PLACE = "In every dialog"
    SHEETS = ("dialogs",)
    # Textual declares it as an instance variable.
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("dialog.close", "escape", "give_up", "Close", footer=1),
        Action("dialog.help", "question_mark", "app.help", "Keys"),
    )

    drops_early_keys: ClassVar[bool] = False
    """Whether keys pressed before the dialog opened are dropped, except esc."""

    def __init__(self) -> None:
        super().__init__(WaitingDialog)

    def _on_mount(self, event: events.Mount) -> None:
        # Older toasts would cover its title.
        drop_toasts(self.app, lambda toast: toast.severity == "information")
        if self.drops_early_keys:
            self.keys_dropped_until = time.monotonic()

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close the dialog only once, because a key pressed twice must not close the screen below as well."""
        if self not in self.app.screen_stack:
            return AwaitComplete()
        while self.app.screen is not self:  # opened above the dialog meanwhile
            self.app.pop_screen()
        return super().dismiss(result)

    def action_give_up(self) -> None:
        self.dismiss(None)


class WaitingDialog(Dialog[None]):
    """Receives keys while another dialog loads; esc cancels the loading."""

    def __init__(self, words: str, cancel: Callable[[], object], is_over: Callable[[], bool]) -> None:
        super().__init__()
        self._words, self._cancel, self._is_over = words, cancel, is_over

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(Content(f"{self._words} …"))
            yield KeyHint("{dialog.close} cancel")

    def on_screen_resume(self) -> None:
        """Close if loading ended while the help or the palette was on top."""
        if self._is_over():
            self.dismiss(None)

    def action_give_up(self) -> None:
        self._cancel()


class DetailsDialog(Dialog[None]):
    def __init__(self, title: str, text: str, facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._title, self._text, self._facts = title, text, facts

    @classmethod
    def of_error(cls, error: CekuraTuiError) -> DetailsDialog:
        return cls(error.title, "\n\n".join(filter(None, (error.message, error.hint))), error.facts())

    def compose(self) -> ComposeResult:
        text = Text(clean(self._text))
        for name, value in self._facts:
            text.append(f"\n\n{clean(name)}\n", style="bold")
            text.append(clean(value))
        with VerticalScroll(classes="dialog") as box:
            box.border_title = Content(clean(self._title))
            yield Static(text)
            yield KeyHint("↑↓ scroll · {dialog.close} close")


class ConfirmDialog(Dialog[bool]):
    """Asks before something is done; enter alone cancels. The result is True, False for `no`, or None after esc.
    `yes` and `no` say what each button does, also beside its key: "Delete job 3". `warnings` is below the text."""

    PLACE = "In a question"
    AUTO_FOCUS = "#no"
    drops_early_keys = True
    ACTIONS = (
        Action("confirm.yes", "ctrl+g", lambda question: question.dismiss(True), "Confirm", footer=1),
        Action("confirm.no", "", lambda question: question.dismiss(False), "Cancel"),
        Action("confirm.next-button", "right,down", "app.focus_next", "Next button"),
        Action("confirm.previous-button", "left,up", "app.focus_previous", "Previous button"),
    )

    def __init__(self, title: str, text: str, yes: str, no: str = "Cancel", warnings: Widget | None = None) -> None:
        super().__init__()
        self._title, self._text, self._yes, self._no, self._warnings = title, text, yes, no, warnings

    def compose(self) -> ComposeResult:
        with dialog_box(self._title):
            yield Static(Content(clean(self._text)))
            if self._warnings is not None:
                yield self._warnings
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content(self._yes), id="yes", compact=True)
                yield Button(Content(self._no), id="no", compact=True)
            yes, no = (words[:1].lower() + words[1:] for words in (self._yes, self._no))
            yield KeyHint(f"{{confirm.yes}} {yes} · tab next · {{dialog.close}} {{confirm.no}} {no}")

    def ask(self, app: App[Any], then: Callable[[], object]) -> None:
        """Open the dialog, and call `then` if the user confirms."""

        def answered(sure: bool | None) -> None:
            if sure:
                then()

        app.push_screen(self, answered)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")
