"""The details of a run: the properties as a tree that unfolds, or the raw JSON."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.json_tree import ABOVE, MOST_MATCHES, PAGE, JsonMatch, Node, Part, Path, RawRows, TreeRow, matches
from cekura_tui.model.run.details import details_of, details_tree, value_at
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import clean
from cekura_tui.model.transcript.search import MatchNumber
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import TONE_CLASSES
from cekura_tui.ui.kit.strips import EDGES, LEAST, Layer, Line, RowState, Span, StyledText, breaks
from cekura_tui.ui.kit.viewport import Heights, RowHeights
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.run.turn_lines import StyleOf

Spans = Mapping[tuple[Path, Part], Sequence[tuple[int, int]]]
"""(start, end) of the characters to highlight in a row, in order, by the path and the part of the row."""

_SIGNS = {"open": "▾ ", "closed": "▸ "}


class _StyledRun(NamedTuple):
    """A text in one style. If `part` is given, the text starts at character `at` of that part of the row."""

    text: str
    style: Style | None
    part: Part | None = None
    at: int = 0


def indent_of(row: TreeRow, width: int) -> int:
    """Number of cells by which a row is indented before its sign, at most half of `width`."""
    lead = len(row.text) - len(row.text.lstrip(" ")) if row.kind == "raw" and not row.at else 2 * row.depth
    return min(lead, width // 2)


def detail_lines(row: TreeRow, width: int, style_of: StyleOf, spans: Spans) -> list[Line]:
    left = " " * indent_of(row, width)
    sign = "" if row.kind in ("raw", "title") else _SIGNS.get(row.kind, "  ")
    hang = left + " " * len(sign)
    dim, found = style_of("tone--dim"), style_of("run-details--found")
    lines: list[Line] = []
    for runs in _paragraphs(row, style_of):
        text = StyledText.joined((run.text, run.style) for run in runs)
        marks = Layer(list(_marks(row, runs, spans)), lambda span: found)
        for line in replace(text, layers=(*text.layers, marks)).wrapped(max(width - len(hang), LEAST)):
            lines.append([Segment(hang if lines else left + sign, dim), *line])
    return lines


def _marks(row: TreeRow, runs: Sequence[_StyledRun], spans: Spans) -> Iterator[Span]:
    before = 0
    for run in runs:
        is_shortened = run.part == "name" and row.path[-1] != run.text
        for start, end in spans.get((row.path, run.part), ()) if run.part and not is_shortened else ():
            start, end = max(start - run.at, 0), min(end - run.at, len(run.text))
            if start < end:
                yield before + start, before + end
        before += len(run.text)


def line_of(row: TreeRow, width: int, style_of: StyleOf, at: int) -> int:
    """The index of the row's line that shows character `at` of the row's value; 0 if no line shows the character."""
    sign = 0 if row.kind in ("raw", "title") else 2
    room = max(width - indent_of(row, width) - sign, LEAST)
    n = 0
    for runs in _paragraphs(row, style_of):
        for start, end in breaks("".join(run.text for run in runs), room):
            before = 0
            for run in runs:
                if run.part == "value" and run.at + start - before <= at < run.at + end - before and at >= run.at:
                    return n
                before += len(run.text)
            n += 1
    return 0


def _paragraphs(row: TreeRow, style_of: StyleOf) -> Iterator[list[_StyledRun]]:
    head, dim = _label_runs(row, style_of), style_of("tone--dim")
    if row.kind in ("open", "closed", "more"):
        text = with_keys(row.text) if row.kind == "more" else row.text
        yield [*head, _StyledRun(text, dim)]
        return
    if row.kind == "title":
        yield [_StyledRun(row.text, style_of("run-details--title"))]
        return
    texts, at = row.text.split("\n"), row.at
    if row.kind == "raw" and not row.at:
        bare = row.text.lstrip(" ")
        texts, at = [bare], len(row.text) - len(bare)
    if head and len(texts) > 1:
        yield head
        head = []
    for n, text in enumerate(texts):
        note = [_StyledRun(f" ({with_keys(row.note)})", dim)] if row.note and n == len(texts) - 1 else []
        yield [*head, _StyledRun(text, None, "value", at), *note]
        head = []
        at += len(text) + 1


def _label_runs(row: TreeRow, style_of: StyleOf) -> list[_StyledRun]:
    """A row's label and name as `label (name): `, or one of them as `label: ` or `name: `; empty if it has neither."""
    dim, strong = style_of("tone--dim"), style_of("tone--strong")
    if row.label and row.name:
        name = _StyledRun(row.name, dim, "name")
        return [_StyledRun(row.label, strong, "label"), _StyledRun(" (", dim), name, _StyledRun("): ", dim)]
    part: Part = "label" if row.label else "name"
    text = row.label or row.name
    return [_StyledRun(text, strong, part), _StyledRun(": ", dim)] if text else []


class RunDetails(VirtualList[TreeRow]):
    """A run's properties as a tree, or its raw JSON. Opening a row unfolds it, or calls `opened` if it can't."""

    row_height = None
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("details.unfold", "right", "unfold", "Unfold"),
        Action("details.fold", "left", "fold", "Fold"),
        Action("details.raw", "X", "raw", "Raw JSON", "show or hide the raw JSON of the run", footer=1),
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    INKS: ClassVar[Mapping[str, str]] = {
        "run-details--title": "color: $accent; text-style: bold;",
        "run-details--found": "color: $text; background: $selection;",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._run_shown: RunView | None = None
        self._reset()

    def _reset(self) -> None:
        self._details: list[Node | TreeRow] = []
        self._note = ""
        self._tree = details_tree()
        self._windows: dict[Path, range | None] = {}
        self._raw: RawRows | None = None
        self._other_cursor: Hashable | None = None
        """The cursor of the view that is not shown, which is the tree or the raw JSON."""
        self.search_query = ""
        self._matches: list[JsonMatch] = []
        self._match: int | None = None
        self._spans: dict[tuple[Path, Part], list[tuple[int, int]]] = {}

    def show_run(self, view: RunView, note: str = "") -> None:
        """Show a run, with the user's note. If the run is only reloaded, the unfolded rows and the cursor stay."""
        shown = self._run_shown
        if shown is not None and shown.source is view.source and note == self._note:
            self._run_shown = view
            return
        same = shown is not None and shown.row.id == view.row.id
        if not same:
            self._reset()
        self._run_shown = view
        self._details, self._note = details_of(view.source, note), note
        if self._raw is not None:
            self._raw = RawRows(view.source)
        if self.search_query:
            self._search()
        self._show(reset=not same or (self.at_top and not self.cursor_index))

    def show_nothing(self) -> None:
        self._reset()
        self._run_shown = None
        self._show(reset=True)

    def key_of(self, row: TreeRow) -> Hashable:
        return row.key

    def estimate(self, row: TreeRow, width: int) -> int:
        room = max(width - EDGES - indent_of(row, width - EDGES) - 2, LEAST)
        return 1 + (len(row.label) + len(row.name) + len(row.text)) // room + row.text.count("\n")

    def lines_of(self, row: TreeRow, width: int, state: RowState) -> list[Line]:
        pad = Segment(" ")
        return [[pad, *line] for line in detail_lines(row, width - EDGES, self.style_of, self._spans)]

    def _new_heights(self) -> Heights:
        """Estimate raw JSON rows by line length: the JSON of 10,000 turns has 100,000 rows, too many to build."""
        if self._raw is None or not (width := self._laid_out.width):
            return super()._new_heights()
        return RowHeights(1 + length // max(width - EDGES, 1) for length in self._raw.lengths())

    def _roots(self) -> dict[str | int, object]:
        return {node.path[0]: node.value for node in self._properties()}

    def _properties(self) -> Iterator[Node]:
        return (one for one in self._details if isinstance(one, Node))

    def _show(self, *, reset: bool = False) -> None:
        rows: Sequence[TreeRow] = self._raw or list(self._tree.rows(self._details, self._windows))
        self.show_rows(rows, reset=reset)

    def action_open(self) -> None:
        """Fold or unfold the row under the cursor; open a row that cannot unfold."""
        row = self.cursor_row
        if row is not None and row.kind == "open":
            self._fold(row)
        elif row is not None and not self._unfold(row):
            super().action_open()

    def action_unfold(self) -> None:
        """Unfold the row under the cursor. If the row is unfolded already, move to its first child."""
        if (row := self.cursor_row) is not None and not self._unfold(row) and row.kind == "open":
            self.move_by(1)

    def action_fold(self) -> None:
        row = self.cursor_row
        if row is not None and row.kind == "open":
            self._fold(row)
        elif row is not None and row.kind != "raw" and len(row.key) > 1:
            self.move_to(row.key[:-1])

    def _fold(self, row: TreeRow) -> None:
        self._windows[row.path] = None
        self._show()

    def _unfold(self, row: TreeRow) -> bool:
        if row.kind == "closed":
            self._windows[row.path] = range(PAGE)
            self._show()
        elif row.kind == "more":
            place, before = self._cursor, len(self._rows)
            self._windows[row.path] = self._tree.extended(row, value_at(self._roots(), row.path), self._windows)
            self._show()
            if row.key[-1] == ABOVE:
                place += len(self._rows) - before
            self.move_to(self._rows[place].key)
        return row.kind in ("closed", "more")

    def action_raw(self) -> None:
        """Switch between the tree and the raw JSON. Both keep their own cursor."""
        if self._run_shown is None:
            return
        cursor, self._other_cursor = self._other_cursor, self.cursor_key
        self._raw = RawRows(self._run_shown.source) if self._raw is None else None
        if self.search_query:
            self._search()
        self._show(reset=True)
        if cursor is not None:
            self.move_to(cursor)

    @property
    def match_number(self) -> MatchNumber | None:
        """The number of the current match (0 if none is current) and the number of matches; None without a search."""
        number = 0 if self._match is None else self._match + 1
        return MatchNumber(number, len(self._matches)) if self.search_query else None

    def find(self, text: str) -> int:
        """Highlight at most `MOST_MATCHES` matches of `text` and return their number. An empty text ends the search."""
        self.search_query = clean(text)
        self._match = None
        self._search()
        self.redraw()
        return len(self._matches)

    def next_match(self, step: int = 1) -> tuple[int, int] | None:
        """Go to the next (`step` 1) or previous (-1) match, wrapping around; return its number and the total."""
        total = len(self._matches)
        if not total:
            return None
        place = self._match = (0 if step > 0 else total - 1) if self._match is None else (self._match + step) % total
        self._go_to(self._matches[place])
        return place + 1, total

    def _search(self) -> None:
        text, raw = self.search_query, self._raw
        all_found = matches(self._properties(), text) if raw is None else raw.matches(text)
        found = list(islice(all_found, MOST_MATCHES)) if text else []
        if self._match is not None:
            self._match = min(self._match, len(found) - 1) if found else None
        self._matches = found
        self._spans = {}
        for match in found:
            self._spans.setdefault((match.path, match.part), []).append((match.start, match.end))
        self._renderer.clear()

    def _go_to(self, match: JsonMatch) -> None:
        at = match.start if match.part == "value" else None
        if self._raw is not None:
            key: Path = (self._raw.row_at(match),)
        else:
            opened, key = self._tree.reveal(self._roots(), match.path, at, self._windows)
            if opened:
                self._windows.update(opened)
                self._show()
        self.move_to(key)
        if at is not None:
            self._reveal(at)

    def _reveal(self, at: int) -> None:
        """Scroll to the line that shows character `at` of the value of the cursor's row, unless it is visible."""
        row, index = self.cursor_row, self.cursor_index
        if row is None or index is None or not self._laid_out:
            return
        line = line_of(row, self._laid_out.width - EDGES, self.style_of, at)
        if (index, line) not in self._shown:
            self.viewport.hold(index, line, self._laid_out.height // 3)
            self.repaint_changes()
