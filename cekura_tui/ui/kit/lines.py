"""Text lines, marks and colours that screens share; each mark can be recognised without its colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rich.text import Text
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import JobState
from cekura_tui.model.text import clean, clean_line
from cekura_tui.ui.actions import table_of
from cekura_tui.ui.keymap import keymap_in_use

if TYPE_CHECKING:
    from cekura_tui.model.run.outcome import Kind
    from cekura_tui.model.run.verdict import State


class OneLine(Static):
    """A line that is redrawn only if its text changes, without a new layout."""

    DEFAULT_CSS = "OneLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, classes=classes)
        self._shown: Text | Content = Text()

    def show(self, text: Text | Content) -> None:
        if text != self._shown or getattr(text, "style", None) != getattr(self._shown, "style", None):
            self._shown = text
            self.update(text, layout=False)


class StatusLine(Static):
    """The line at the top of a page: a name and facts on the left, further facts on the right."""

    left: reactive[tuple[str, ...]] = reactive(())
    right: reactive[tuple[str, ...]] = reactive(())

    def render(self) -> Content:
        name, *facts = [clean_line(part, 60) for part in self.left] or [""]
        left = Content.assemble((name, "bold"), *((f" · {fact}", "$muted") for fact in facts))
        right = Content(" · ".join(clean_line(part, 80) for part in self.right if part))
        room = self.size.width - right.cell_length
        return Content.assemble(left.truncate(max(room - 1, 0), ellipsis=True, pad=True), " ", right)


class WrappedText(Widget):
    """A text whose lines depend on the width; a subclass returns them from `lines_at`. As high as the text."""

    _drawn: tuple[int, Content] | None = None
    lines_at: Callable[[int], Iterable[Content]]

    def _content(self, width: int) -> Content:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = width, Content("\n").join(self.lines_at(width))
        return self._drawn[1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._content(width).plain.count("\n") + 1

    def render(self) -> Content:
        return self._content(self.content_size.width)

    def notify_style_update(self) -> None:
        self._drawn = None
        super().notify_style_update()


class Notice(Static):
    """Takes the place of a pane's data, and says why there is no data or shows an error."""

    def show(self, title: str, text: str = "", *, failed: bool = False) -> None:
        self.set_class(failed, "-failed")
        shown = Text(clean(title), style="bold", justify="left")
        if text:
            shown.append(f"\n{clean(text)}", style="not bold")
        self.update(shown)

    def show_error(self, error: CekuraTuiError) -> None:
        actions = {action.partition(".")[2]: action for action in table_of(type(self.screen))}
        retry = actions.get("retry") or actions["refresh"]
        keys = keymap_in_use().hint(f"{{{retry}}} retries · {{{actions['error']}}} shows the whole error")
        self.show(f"! {error.title}", f"{error.sentence()}\n{keys}", failed=True)


VERDICT_MARKS: dict[State, str] = {"fail": "✗", "review": "◐", "pass": "✓", "na": "–"}
VERDICT_TONES: dict[State, str] = {"fail": "bad", "review": "warn", "pass": "good", "na": "dim"}
OUTCOME_TONES = {
    "passed": "good",
    "failed": "bad",
    "error": "warn",
    "running": "busy",
    "review": "warn",
    "unknown": "dim",
}
JOB_MARKS = {
    JobState.DRAFT: "·",
    JobState.LAUNCHING: "→",
    JobState.RUNNING: "◌",
    JobState.SUCCEEDED: "✓",
    JobState.NO_ISSUES: "–",
    JobState.FAILED: "✗",
    JobState.UNCONFIRMED: "?",
    JobState.STOPPED: "■",
    JobState.LOST: "!",
    JobState.FORGOTTEN: "·",
}
NOTED = "+"
"""Mark of a run that has a note."""
UNREAD = "•"
"""Mark of a job that the user has not opened since it ended."""
JOB_TONES: dict[str, str] = {
    JobState.SUCCEEDED: "good",
    JobState.FAILED: "bad",
    JobState.LAUNCHING: "busy",
    JobState.RUNNING: "busy",
    JobState.UNCONFIRMED: "warn",
    JobState.LOST: "warn",
}
TONES = {
    "good": "$success",
    "bad": "$error",
    "warn": "$warning",
    "busy": "$info",
    "dim": "$muted",
    "faint": "$faint",
    "accent": "$accent",
    "strong": "$text",
}
"""Colour of each tone, as a variable of the style sheets."""
TONE_CLASSES = {f"tone--{tone}" for tone in TONES}
"""Component classes for lists that draw text in tones."""
CHIP_CLASSES = {"chip--bad", "chip--warn"}
"""Component classes for lists that draw failures and errors as chips: words on a coloured ground."""
_STATE_TONES = {**OUTCOME_TONES, **JOB_TONES}
_CHIPS = ("failed", "error", JobState.UNCONFIRMED, JobState.LOST)


def state_class(state: Kind | JobState) -> str:
    """The component class in which a list draws a run's outcome or a job's state."""
    return f"{'chip' if state in _CHIPS else 'tone'}--{_STATE_TONES.get(state, 'dim')}"


def state_style(state: Kind | JobState) -> str:
    """The style in which a headline draws a run's outcome or a job's state."""
    tone = _STATE_TONES.get(state, "dim")
    return f"{TONES[tone]} on ${tone}-ground" if state in _CHIPS else TONES[tone]
