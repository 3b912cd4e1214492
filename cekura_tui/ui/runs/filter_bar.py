"""The line above the run list, which shows the current filter or an input to edit the filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static

from cekura_tui.model.filter.filter import KEYS, Filter
from cekura_tui.model.filter.parse import KnownNames, completions, parse, split_words
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lines import TONE_CLASSES
from cekura_tui.ui.kit.strips import without_background
from cekura_tui.ui.terminal.cells import fit, one_line

LONGEST = 1_000
"""Maximum length of a typed filter, in characters."""


class MistakeMarks(Highlighter):
    def __init__(self, field: Widget) -> None:
        self._field = field
        self.spans: Sequence[tuple[int, int]] = ()

    def highlight(self, text: Text) -> None:
        for start, end in self.spans:
            text.stylize(self._field.get_component_rich_style("filter-input--wrong", partial=True), start, end)


class FilterSuggester(Suggester):
    """Suggests the first completion if that completion starts with the typed text, ignoring case."""

    def __init__(self, bar: FilterBar) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._bar = bar

    async def get_suggestion(self, value: str) -> str | None:
        first = next(iter(completed_lines(value, self._bar.names)), "")
        return first if len(first) > len(value) and first[: len(value)].casefold() == value.casefold() else None


class FilterInput(TypedLine):
    COMPONENT_CLASSES: ClassVar[set[str]] = {"filter-input--wrong"}
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("filter.apply", "enter", lambda line: line.action_submit(), "Apply", footer=1),
        Action("filter.leave", "escape", lambda line: line.bar.leave(), "Cancel", footer=2),
        Action("filter.complete", "tab", lambda line: line.bar.complete(), "Complete", footer=3),
        Action("filter.earlier", "up", lambda line: line.bar.browse_history(1), "Earlier filter"),
        Action("filter.later", "down", lambda line: line.bar.browse_history(-1), "Later filter"),
    )
    longest = LONGEST

    def __init__(self, bar: FilterBar) -> None:
        self.bar, self._marks = bar, MistakeMarks(self)
        super().__init__(highlighter=self._marks, suggester=FilterSuggester(bar), select_on_focus=False, compact=True)

    def entered(self, value: str) -> bool:
        self.bar.submit(value)
        return True

    def mark(self, spans: Sequence[tuple[int, int]]) -> None:
        if self._marks.spans != spans:
            self._marks.spans = spans
            self.refresh()

    def put(self, text: str, rest: str = "") -> None:
        """Set the text to `text` and `rest`, with the cursor in between. A stored filter may be longer than LONGEST."""
        self.value = one_line(text) + rest
        self.cursor_position = len(self.value) - len(rest)

    def on_resize(self) -> None:
        at = cell_len(self.value[: self.cursor_position])
        self.scroll_to_region(Region(at, 0, 2, 1), force=True, animate=False)


def completed_lines(text: str, names: KnownNames, room: int = LONGEST) -> tuple[str, ...]:
    """Versions of `text` with its last term completed: at most `_MOST` versions of at most `room` characters each."""
    lines = (one_line(line) for line in completions(text, names) if len(line) <= room)
    return tuple(dict.fromkeys(islice((line for line in lines if line != text), _MOST)))


def _last_word(line: str) -> str:
    *_, (start, end) = split_words(line)
    return line[start:end]


_HINTED, _MOST = 8, 200
"""Maximum number of completions named in the hint, and maximum number that `tab` cycles through."""
_NOTE_ROOM = 12
"""Minimum number of cells in which a note or the name of a group is readable."""
_EXAMPLE = "filter by outcome: scenario: agent: since: …"
_KEYS = " ".join(key.start for key in KEYS)
_SYNTAX = "outcome:a,b either · -term not · name:~part contains · ↑ earlier filters"


class FilterShown(Static):
    """Shows the group's name, the filter and, on the right, the longest of `notes` that fits."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES

    def __init__(self) -> None:
        super().__init__()
        self.text = self.group = ""
        self.notes: tuple[str, ...] = ()

    def render(self) -> Text:
        dim = without_background(self.get_component_rich_style("tone--dim"))
        line, width = Text("/ ", no_wrap=True, overflow="ellipsis", end=""), self.size.width
        parsed = parse(self.text)
        if self.group:
            line.append(fit(self.group, min(cell_len(self.group), max(width // 2, _NOTE_ROOM))), "bold").append(" · ")
        if not self.text:
            line.append(_EXAMPLE, style=dim)
        elif parsed.problems:
            line.append(clean_line(self.text))
        for n, term in enumerate(() if parsed.problems else parsed.filter.terms):
            written = str(Filter((term,)))
            key = written.index(term.op) + len(term.op) if term.key else int(term.negated)
            line.append(" " if n else "").append(clean_line(written[:key]), style=dim)
            line.append(clean_line(written[key:]))
        line.truncate(width, overflow="ellipsis")
        room = width - line.cell_len - 2
        notes = [Text(clean_line(note), style=dim) for note in self.notes]
        note = next((note for note in notes if note.cell_len <= room), notes[-1] if notes else Text())
        if note and room >= min(_NOTE_ROOM, note.cell_len):
            note.truncate(room, overflow="ellipsis")
            line.pad_right(width - line.cell_len - note.cell_len)
            line.append_text(note)
        return line


class FilterBar(Widget):
    """Shows and edits the filter. The screen sets `names`, for completion, and `history`, with the newest first."""

    @dataclass(eq=False, repr=False)
    class Submitted(Message):
        """The user entered a filter. `text` is the filter in canonical form; empty for no filter."""

        text: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual names it
        super().__init__(id=id)
        self.names = KnownNames()
        self.history: Sequence[str] = ()
        self.editing = False
        self._shown, self._input = FilterShown(), FilterInput(self)
        self._hint = Static(classes="filter-says")
        self._focused_before: Widget | None = None
        self._typed_here: list[str] = []
        self._history_lines: tuple[str, ...] = ()
        self._history_index = 0
        self._completions: tuple[str, ...] = ()
        """Completed versions of the text before the cursor, which `tab` cycles through."""
        self._completion_index = 0
        self._submitted_wrong = False

    def compose(self) -> ComposeResult:
        yield self._shown
        with Horizontal(classes="filter-typing"):
            yield Static(Content("/ "), classes="filter-sign")
            yield self._input
        yield self._hint

    def on_mount(self) -> None:
        self.watch(self._input, "value", self._validate, init=False)
        self.watch(self._input, "selection", self._validate, init=False)

    def show(self, filter_text: str, *notes: str, group: str = "") -> None:
        """Show a filter, its group and the first of `notes` that fits. The text of an open input is not changed."""
        shown = self._shown
        if (filter_text, notes, group) != (shown.text, shown.notes, shown.group):
            shown.text, shown.notes, shown.group = filter_text, notes, group
            shown.refresh()

    def edit(self) -> None:
        """Open the input with the current filter. Only for a priority action: the input then gets keys typed ahead."""
        if not self.editing:
            self.editing = True
            self._focused_before, self._history_lines, self._submitted_wrong = self.screen.focused, (), False
            self.add_class("-typing")
            self._completions = ()
            self._input.put(self._shown.text and f"{self._shown.text} ")  # ready for another term
            self._validate()
        self.screen.set_focus(self._input)

    def _close(self, typed: str) -> None:
        """Close the input and restore the focus. Unless `typed` is blank, put `typed` first in the history."""
        self.editing = False
        if typed.strip():
            self._typed_here[:] = dict.fromkeys((typed, *self._typed_here[:50]))
        if self._input is self.screen.focused:
            before = self._focused_before
            self.screen.set_focus(before if before is not None and before.is_attached and before.focusable else None)
        self.remove_class("-typing")

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        event.stop()

    def submit(self, value: str) -> None:
        """Apply the filter `value` if all its terms are valid; otherwise mark the mistakes."""
        if not self.editing:
            return
        parsed = parse(value)
        if parsed.problems:
            self._submitted_wrong = True
            self._input.cursor_position = parsed.problems[0].end
            self._validate()
            return
        text = str(parsed.filter)
        if text != self._shown.text:
            self.show(text)  # without the notes on the previous filter
        self._close(text)
        self.post_message(self.Submitted(text))

    @on(Input.Blurred)
    def close_on_blur(self, event: Input.Blurred) -> None:
        """Close the input when another widget takes the focus, not if the terminal loses it or is too small."""
        event.stop()
        hidden = not self.display  # while the terminal is too small
        if self.app.app_focus and not hidden and self.screen.focused is not self._input:
            self.leave()

    def leave(self) -> None:
        """Close the input without applying its text. A changed text stays in the history."""
        if self.editing:
            typed = self._input.value.rstrip()
            self._close("" if typed == one_line(self._shown.text) else typed)

    def complete(self) -> None:
        """Complete the word before the cursor; repeated calls cycle through the completions."""
        text, rest = self._split_at_cursor()
        if self._is_completion(text):
            self._completion_index = (self._completion_index + 1) % len(self._completions)
        else:
            self._completions, self._completion_index = completed_lines(text, self.names, LONGEST - len(rest)), 0
        if self._completions:
            self._input.put(self._completions[self._completion_index], rest)

    def _is_completion(self, text: str) -> bool:
        """Whether `text` is the completion inserted last, and `tab` has others to replace it with."""
        return len(self._completions) > 1 and text == self._completions[self._completion_index]

    def browse_history(self, step: int) -> None:
        """Go `step` filters back in the history (forward, if negative), which starts with the text typed before."""
        value = self._input.value.rstrip()
        if not self._history_lines or value != self._history_lines[self._history_index]:
            earlier = (one_line(text) for text in (*self._typed_here, *self.history))
            self._history_lines, self._history_index = tuple(dict.fromkeys((value, *earlier))), 0
        self._history_index = min(max(self._history_index + step, 0), len(self._history_lines) - 1)
        self._input.put(self._history_lines[self._history_index])

    def _validate(self) -> None:
        """Mark mistakes and update the hint. A mistake in the word under the cursor is marked only after enter."""
        if not self.editing:
            return
        text, cursor = self._input.value, self._input.cursor_position
        parsed = parse(text)
        if not parsed.problems:
            self._submitted_wrong = False
        here = next(((start, end) for start, end in split_words(text) if start <= cursor <= end), None)
        shown = [
            wrong
            for wrong in parsed.problems
            if self._submitted_wrong or here is None or not here[0] <= wrong.start <= here[1]
        ]
        self._input.mark([(wrong.start, wrong.end) for wrong in shown])
        self._hint.set_class(bool(shown), "-wrong")
        hint = clean_line(f"! {shown[0].message}" if shown else self._hint_text())
        if hint != str(self._hint.content):
            self._hint.update(Content(hint), layout=False)

    def _split_at_cursor(self) -> tuple[str, str]:
        """The text before and after the cursor. If the cursor is inside a word, the first text is empty."""
        value, cursor = self._input.value, self._input.cursor_position
        at = cursor if cursor == len(value) or any(end == cursor for _, end in split_words(value)) else 0
        return value[:at], value[at:]

    def _hint_text(self) -> str:
        value = self._input.value
        if len(value) >= LONGEST:
            return f"Full: a filter has at most {LONGEST:,} characters."
        text, rest = self._split_at_cursor()
        if not value or text[-1:].isspace():
            return _KEYS
        at = self._completion_index + 1
        if self._is_completion(text):  # start with the next one and wrap around
            offers = (*self._completions[at:], *self._completions[:at])
        else:
            offers = completed_lines(text, self.names, LONGEST - len(rest))
        if not offers:
            return _SYNTAX
        first, *others = map(_last_word, offers[:_HINTED])
        if not others:
            return f"tab {first} · {_SYNTAX}"
        many = f"{len(offers)}{'+' * (len(offers) == _MOST)}"
        values = (word.partition(":")[2] or word for word in others)
        return f"{many} matches · tab {first} · then {', '.join(values)}"
