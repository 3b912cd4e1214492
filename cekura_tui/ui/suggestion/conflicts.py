"""Conflicts between the staged text and the agent's current prompt, which are shown and resolved one by one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from rich.segment import Segment

from cekura_tui.model.text import LONGEST_LINE, Prompt, capped, clean_line, visible
from cekura_tui.prose.conflicts import ConflictDecisions, Decision
from cekura_tui.prose.merge import Conflict, Merge, Side, conflict_places
from cekura_tui.prose.words import WordSpan, tidy, word_spans
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.strips import LEAST, Layer, Line, RowState, Span, StyledText, paragraphs
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.terminal.cells import fit

_MAX_MARKED = 20_000
"""Maximum length of both versions together, in characters, for changed words to be marked."""


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """The heading of a version, or a line of a version's text. `chosen` says that the user chose the version. `added`
    has (start, end) of words that the sent text lacks."""

    index: int
    text: str
    is_head: bool = False
    chosen: bool = False
    added: tuple[Span, ...] = ()


def conflict_rows(conflict: Conflict, decision: Decision | None, job: int, agent: str) -> list[ConflictRow]:
    """Rows for all versions of a conflict. Control characters are made visible, and the chosen version gets a ✓."""
    side = decision.side if decision else ""
    versions = [
        (f"Original, sent with job {job}", conflict.base, False),
        (f"Now on {agent} · {with_keys('{put.theirs} keep')}", conflict.now, side == "now"),
        (with_keys("Staged · {put.staged} use"), conflict.staged, side == "staged"),
    ]
    if decision is not None and side == "edited":
        versions.append((with_keys("Your text · {put.word} edit"), decision.text, True))
    rows: list[ConflictRow] = []
    for name, text, chosen in versions:
        rows.append(ConflictRow(len(rows), f"{'✓' if chosen else '·'} {name}", True, chosen))
        lines = _trimmed_lines(conflict.base, text)
        for line, added in lines or [("(nothing)", ())]:
            rows.append(ConflictRow(len(rows), line, False, chosen, added))
    return rows


class ConflictTexts(VirtualList[ConflictRow]):
    """Shows all versions of one conflict. Words that the original lacks are highlighted."""

    row_height = None
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("conflict.next", "n", "screen.conflict(1)", "Next", footer=1),
        Action("conflict.previous", "N", "screen.conflict(-1)", "Prev", footer=2),
    )
    INKS: ClassVar[Mapping[str, str]] = {
        "conflict--head": "color: $accent; text-style: bold;",
        "conflict--chosen": "color: $success; text-style: bold;",
        "conflict--fresh": "background: $added-word-ground; text-style: bold;",
        "conflict--rule": "color: $faint;",
    }

    def key_of(self, row: ConflictRow) -> Hashable:
        return row.index

    def estimate(self, row: ConflictRow, width: int) -> int:
        return 1 + min(len(row.text), LONGEST_LINE) // _text_width(width)

    def lines_of(self, row: ConflictRow, width: int, state: RowState) -> Sequence[Line]:
        if row.is_head:
            ink = self.style_of(f"conflict--{'chosen' if row.chosen else 'head'}")
            return [[Segment(fit(f" {row.text}", width), ink)]]
        rule = Segment("   ┃ " if row.chosen else "   │ ", self.style_of("conflict--rule"))
        added = self.style_of("conflict--fresh")
        text = StyledText(capped(row.text), layers=(Layer(row.added, lambda span: added),))
        return [[rule, *line] for line in text.wrapped(_text_width(width))]


def _text_width(width: int) -> int:
    return max(width - 6, LEAST)  # three blanks, a rule and a blank before the text, a blank after it


def _trimmed_lines(base: str, text: str) -> list[tuple[str, tuple[Span, ...]]]:
    """A version's lines without blank lines at both ends, each with (start, end) of the words missing in `base`."""
    spans = [WordSpan("same", text)]
    if len(text) + len(base) <= _MAX_MARKED and text != base:
        found = (span for span in word_spans(base, text) if span.op != ("ins" if span.format else "del"))
        spans = tidy(WordSpan("same", span.text) if span.format else span for span in found)
    lines: list[tuple[str, tuple[Span, ...]]] = []
    for pieces in paragraphs((visible(span.text), span.op) for span in spans):
        ends = [*accumulate(len(text) for text, _ in pieces)]
        added = ((end - len(text), end) for (text, op), end in zip(pieces, ends, strict=True) if op == "ins" and text)
        lines.append(("".join(text for text, _ in pieces), tuple(added)))
    written = [n for n, (line, _) in enumerate(lines) if line.strip()]
    return lines[written[0] : written[-1] + 1] if written else []


class ConflictResolver:
    """Steps through the conflicts of an update. A decision survives a reload as long as the conflict is unchanged."""

    def __init__(self, decisions: ConflictDecisions, save_typed: Callable[[str, str | None], object]) -> None:
        """`save_typed` saves, or with None deletes, an unapplied text by the key of its conflict."""
        self.decisions, self._save_typed = decisions, save_typed
        self.merge: Merge | None = None
        self.number = 1
        self.reviewing = False
        """Whether to show the conflicts although all conflicts are decided."""
        self._places: tuple[str, ...] = ()

    def load(self, merge: Merge | None) -> None:
        """Set the merge of the staged text with the agent's current prompt; None while the merge is loading. The first
        undecided conflict is shown, unless the conflict shown before is undecided."""
        self.merge = merge
        if merge is None:
            return
        self.decisions.load_merge(merge)
        self._places = conflict_places(merge)
        self.number = min(self.number, max(len(merge.conflicts), 1))
        self.reviewing = self.reviewing and bool(merge.conflicts)
        if (undecided := self.undecided) and self.number not in undecided:
            self.number = undecided[0]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return self.merge.conflicts if self.merge else ()

    @property
    def undecided(self) -> list[int]:
        return self.decisions.undecided if self.merge else []

    @property
    def text(self) -> Prompt | None:
        """The text to write; None while a conflict is undecided or the merge is loading."""
        return self.decisions.text if self.merge else None

    @property
    def is_shown(self) -> bool:
        """Whether to show a conflict instead of the change to write."""
        return self.merge is not None and (self.reviewing or self.text is None)

    @property
    def can_review(self) -> bool:
        """Whether the user can switch between the change to write and the conflicts."""
        return bool(self.conflicts) and self.text is not None

    @property
    def position(self) -> str:
        """The number and the place of the shown conflict, such as "1 of 2 · Prices"."""
        return f"{self.number} of {len(self.conflicts)} · {self._places[self.number - 1]}"

    def headline(self) -> str:
        undecided = len(self.undecided)
        state = f"{undecided} undecided" if undecided else with_keys("all decided · {put.conflicts} changes")
        head = f"Conflict {self.position} · {state}"
        if others := [str(number) for number in self.decisions.group_of(self.number) if number != self.number]:
            head += f" · decided together with {', '.join(others)}"
        return clean_line(head)

    def rows(self, job: int, agent: str) -> list[ConflictRow]:
        conflict = self.conflicts[self.number - 1]
        return conflict_rows(conflict, self.decisions.of(self.number), job, clean_line(agent, 40))

    def move(self, step: int) -> bool:
        """Move by `step` conflicts, at most to the first or last conflict; return whether another conflict is shown."""
        before, self.number = self.number, max(min(self.number + step, len(self.conflicts)), 1)
        return self.number != before

    def decide(self, side: Side) -> None:
        self.decisions.decide_side(self.number, side)
        self._advance()

    def edit(self, key: str, text: str) -> bool:
        """Resolve the conflict `key` with this text, and go to the next; False if a reload has removed the conflict."""
        if (number := self.decisions.number_of(key)) is None:
            return False
        self.decisions.decide_text(number, text)
        self._advance()
        return True

    def _advance(self) -> None:
        """Go to the next undecided conflict, wrapping around. If all conflicts are decided, show the change."""
        if undecided := self.undecided:
            self.number = next((number for number in undecided if number > self.number), undecided[0])
        self.reviewing = False

    def save_typed(self, key: str, text: str) -> bool:
        """Save a text that the user typed for a conflict but did not apply; return whether such a text is saved now."""
        before = self.decisions.typed_text(key)
        self.decisions.save_typed(key, text)
        now = self.decisions.typed_text(key)
        if before is not None or now is not None:
            self._save_typed(key, now)
        return now is not None

    def forget(self, applied: Mapping[str, str]) -> None:
        """Delete the saved texts in `applied`, which have now been written to the agent."""
        for key in self.decisions.forget_typed(applied):
            self._save_typed(key, None)
