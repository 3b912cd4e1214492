"""The line above the run list that shows the current filter, and in which another one is typed."""

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
"""Characters of a filter that can be typed."""


class MistakeMarks(Highlighter):
    def __init__(self, field: Widget) -> None:
        self._field = field
        self.spans: Sequence[tuple[int, int]] = ()

    def highlight(self, text: Text) -> None:
        for start, end in self.spans:
            text.stylize(self._field.get_component_rich_style("filter-input--wrong", partial=True), start, end)


class FilterSuggester(Suggester):
    """Offers a completion after the cursor, where it only adds to the text."""

    def __init__(self, bar: FilterBar) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._bar = bar

    async def get_suggestion(self, value: str) -> str | None:
        first = next(iter(completed_lines(value, self._bar.names)), "")
        return first if len(first) > len(value) and first[: len(value)].casefold() == value.casefold() else None


class FilterInput(TypedLine):
    """Where a filter is typed: one line, whatever is pasted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"filter-input--wrong"}
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("filter.apply", "enter", lambda line: line.action_submit(), "Apply", footer=1),
        Action("filter.leave", "escape", lambda line: line.bar.leave(), "Cancel", footer=2),
        Action("filter.complete", "tab", lambda line: line.bar.complete(), "Complete", footer=3),
        Action("filter.earlier", "up", lambda line: line.bar.walk(1), "Earlier filter"),
        Action("filter.later", "down", lambda line: line.bar.walk(-1), "Later filter"),
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
        """Hold this text, the cursor at its end, and the rest after it; a stored filter is not cut."""
        self.value = one_line(text) + rest
        self.cursor_position = len(self.value) - len(rest)

    def on_resize(self) -> None:
        at = cell_len(self.value[: self.cursor_position])
        self.scroll_to_region(Region(at, 0, 2, 1), force=True, animate=False)


def completed_lines(text: str, names: KnownNames, room: int = LONGEST) -> tuple[str, ...]:
    """The text with its last term completed in each way that fits, as the line holds it; at most so many."""
    lines = (one_line(line) for line in completions(text, names) if len(line) <= room)
    return tuple(dict.fromkeys(islice((line for line in lines if line != text), _MOST)))


def _last_word(line: str) -> str:
    *_, (start, end) = split_words(line)
    return line[start:end]


_OFFERED, _MOST = 8, 200
"""Values that are shown at once of those that fit, and that `tab` goes through."""


_TYPED_HERE = 50
"""Filters typed here that ↑ brings back."""
_NOTE_ROOM = 12
"""Cells below which a note is not readable."""
_EXAMPLE = "filter by outcome: scenario: agent: since: …"
_KEYS = " ".join(key.start for key in KEYS)
_SYNTAX = "outcome:a,b either · -term not · name:~part contains · ↑ earlier filters"


class FilterShown(Static):
    """The current filter, after the name of its group; on the right a note, in the first wording that fits."""

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
        elif parsed.wrong:
            line.append(clean_line(self.text))
        for n, term in enumerate(() if parsed.wrong else parsed.filter.terms):
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
    """`names` complete what is typed, `history` are earlier filters, newest first; the screen sets both."""

    @dataclass(eq=False, repr=False)
    class Submitted(Message):
        """This filter (canonical text, empty for none) was entered."""

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
        self._walk: tuple[str, ...] = ()
        self._at = 0
        self._offers: tuple[str, ...] = ()
        """What tab offered last for the text up to the cursor; tab again gives the next of them."""
        self._offer_at = 0
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
        """Show this filter, a group's with its name; the same again paints nothing, and what is being typed stays."""
        shown = self._shown
        if (filter_text, notes, group) != (shown.text, shown.notes, shown.group):
            shown.text, shown.notes, shown.group = filter_text, notes, group
            shown.refresh()

    def edit(self) -> None:
        """Edit the current filter; keys that follow at once are typed into it only after a key with priority."""
        if not self.editing:
            self.editing = True
            self._focused_before, self._walk, self._at, self._submitted_wrong = self.screen.focused, (), 0, False
            self.add_class("-typing")
            self._offers = ()
            self._input.put(self._shown.text)
            self._validate()
        self.screen.set_focus(self._input)

    def _close(self, typed: str) -> None:
        """Close the line, and offer what was typed as the first of the earlier filters."""
        self.editing = False
        if typed.strip():
            self._typed_here[:] = dict.fromkeys((typed, *self._typed_here[:_TYPED_HERE]))
        if self._input is self.screen.focused:
            before = self._focused_before
            self.screen.set_focus(before if before is not None and before.is_attached and before.focusable else None)
        self.remove_class("-typing")

    # While one types

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        event.stop()

    def submit(self, value: str) -> None:
        """Apply it, if all of it is valid."""
        if not self.editing:
            return
        parsed = parse(value)
        if parsed.wrong:
            self._submitted_wrong = True
            self._input.cursor_position = parsed.wrong[0].end
            self._validate()
            return
        text = str(parsed.filter)
        if text != self._shown.text:
            self.show(text)  # without the note, which was about the former one
        self._close(text)
        self.post_message(self.Submitted(text))

    @on(Input.Blurred)
    def elsewhere(self, event: Input.Blurred) -> None:
        """Close the line when another widget takes the focus, not another window of the terminal."""
        event.stop()
        hidden = not self.display  # the terminal is too small for a moment
        if self.app.app_focus and not hidden and self.screen.focused is not self._input:
            self.leave()

    def leave(self) -> None:
        """Close the line; the former filter still applies."""
        if self.editing:
            typed = self._input.value
            self._close("" if typed == one_line(self._shown.text) else typed)

    def complete(self) -> None:
        """Complete the word that ends at the cursor; once more, with the next value that fits."""
        text, rest = self._parted()
        if self._offered(text):
            self._offer_at = (self._offer_at + 1) % len(self._offers)
        else:
            self._offers, self._offer_at = completed_lines(text, self.names, LONGEST - len(rest)), 0
        if self._offers:
            self._input.put(self._offers[self._offer_at], rest)

    def _offered(self, text: str) -> bool:
        """Whether tab wrote this text, and has another in its place."""
        return len(self._offers) > 1 and text == self._offers[self._offer_at]

    def walk(self, step: int) -> None:
        """To an earlier filter, or back; the text in the line is the first."""
        value = self._input.value
        if not self._walk or value != self._walk[self._at]:
            earlier = (one_line(text) for text in (*self._typed_here, *self.history))
            self._walk, self._at = tuple(dict.fromkeys((value, *earlier))), 0
        self._at = min(max(self._at + step, 0), len(self._walk) - 1)
        self._input.put(self._walk[self._at])

    def _validate(self) -> None:
        """Show what is wrong; of the word under the cursor only after enter."""
        if not self.editing:
            return
        text, cursor = self._input.value, self._input.cursor_position
        parsed = parse(text)
        if not parsed.wrong:
            self._submitted_wrong = False
        here = next(((start, end) for start, end in split_words(text) if start <= cursor <= end), None)
        shown = [
            wrong
            for wrong in parsed.wrong
            if self._submitted_wrong or here is None or not here[0] <= wrong.start <= here[1]
        ]
        self._input.mark([(wrong.start, wrong.end) for wrong in shown])
        self._hint.set_class(bool(shown), "-wrong")
        hint = clean_line(f"! {shown[0].message}" if shown else self._offer())
        if hint != str(self._hint.content):
            self._hint.update(Content(hint), layout=False)

    def _parted(self) -> tuple[str, str]:
        """The text up to the cursor, if a word ends there, and the rest; else nothing and all."""
        value, cursor = self._input.value, self._input.cursor_position
        at = cursor if cursor == len(value) or any(end == cursor for _, end in split_words(value)) else 0
        return value[:at], value[at:]

    def _offer(self) -> str:
        value = self._input.value
        if len(value) >= LONGEST:
            return f"Full: a filter has at most {LONGEST:,} characters."
        text, rest = self._parted()
        if not value or text[-1:].isspace():
            return _KEYS
        at = self._offer_at + 1
        if self._offered(text):  # from the next one on, round to this one
            offers = (*self._offers[at:], *self._offers[:at])
        else:
            offers = completed_lines(text, self.names, LONGEST - len(rest))
        if not offers:
            return _SYNTAX
        first, *others = map(_last_word, offers[:_OFFERED])
        if not others:
            return f"tab {first} · {_SYNTAX}"
        many = f"{len(offers)}{'+' * (len(offers) == _MOST)}"
        values = (word.partition(":")[2] or word for word in others)
        return f"{many} matches · tab {first} · then {', '.join(values)}"
