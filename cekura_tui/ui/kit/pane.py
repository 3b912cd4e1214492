"""A framed part of a page with a title; in short windows only the title line of the frame is left."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget

from cekura_tui.model.text import clean_line
from cekura_tui.ui.terminal.textual_private import set_lower_edge

_LONGEST = 80
"""Maximum number of characters of a name or fact in a title, and of a footnote."""


def title_parts(name: str, facts: Iterable[str]) -> list[tuple[str, str]]:
    """Style a name and facts about it for a title, as (text, style) pairs."""
    shown = [(f" · {clean_line(fact, _LONGEST)}", "not bold $muted") for fact in facts if fact]
    return [(clean_line(name, _LONGEST), ""), *shown]


class Pane(Vertical):
    """A frame, highlighted while the focus is inside. Lists fill the frame's width; other widgets need the class
    `padded`, which leaves a blank cell on each side."""

    SCOPED_CSS = False  # the screen's class -short folds the frame
    DEFAULT_CSS = """
    Pane {
        height: 1fr;
        border: round $faint;
        border-title-color: $text;
        border-title-style: bold;
        border-subtitle-color: $muted;

        &:focus-within { border: round $focus; border-title-color: $accent; }
        & > .padded { padding: 0 1; }
    }
    .-short Pane {
        border: none;
        border-top: solid $faint;

        &:focus-within { border-top: solid $focus; }
    }
    """

    def __init__(self, *children: Widget, title: str = "", id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(*children, id=id, classes=classes)
        self._title = self._shown = Content("")
        self._footnote = self._place = ""
        self._placed: Widget | None = None
        """The list whose cursor's place is shown in the lower edge."""
        if title:
            self.show_title(title)

    def show_title(self, name: str, *facts: str) -> None:
        """Set the title: a name, and facts about the contents ("240", "12 failed")."""
        self.set_title(Content.assemble(*title_parts(name, facts)))

    def set_title(self, title: Content) -> None:
        """Set a title of several names, made with `title_parts`."""
        if title != self._title:
            self._title = title
            self.draw_title()

    @property
    def is_folded(self) -> bool:
        """Whether only the title line of the frame is shown."""
        return self.is_attached and not self.styles.border_left[0]

    @on(Resize)
    def draw_title(self) -> None:
        """Draw the title in the frame. A folded frame has a dash and a blank before the title, and a blank after it."""
        title = Content.assemble(("─", "$faint"), " ", self._title, " ") if self.is_folded else self._title
        if not title.is_same(self._shown):
            self._shown = self.border_title = title

    def show_footnote(self, text: str) -> None:
        """Show a text at the right end of the lower edge, which a folded frame does not have."""
        self._draw_lower_edge(clean_line(text, _LONGEST), self._place)

    def show_place(self, of: Widget, text: str) -> None:
        """Show after the footnote where the cursor of the list `of` is; "" if that list is hidden or empty."""
        if text or self._placed is of:
            self._placed = of
            self._draw_lower_edge(self._footnote, text)

    def _draw_lower_edge(self, footnote: str, place: str) -> None:
        if (footnote, place) != (self._footnote, self._place):
            self._footnote, self._place = footnote, place
            words = " · ".join(filter(None, (footnote, place)))
            set_lower_edge(self, Content.styled(words, "$muted") if words else None)
