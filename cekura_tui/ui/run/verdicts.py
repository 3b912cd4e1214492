"""The list of a run's verdicts: failed verdicts come first, and verdicts that do not apply come last."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from rich.segment import Segment
from textual.strip import Strip

from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView
from cekura_tui.model.run.words import judged_words, reasons
from cekura_tui.model.text import LONGEST_LINE, capped, clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.lines import TONE_CLASSES, VERDICT_MARKS, VERDICT_TONES
from cekura_tui.ui.kit.strips import EDGES, LEAST, Line, RowState, StyledText, breaks, strips_of, wrap
from cekura_tui.ui.kit.virtual_list import VirtualList

_PAD, _INDENT = " ", "  "
_VERDICT_LINES = 1_000
_WITHOUT_VERDICTS = {
    "error": "No verdicts: the run failed before it was judged.",
    "running": "No verdicts yet: the run is still in progress.",
}

Key = tuple[str, int | None, str, int]
"""The key of a verdict: source, id, name and a number from 1, which counts verdicts of one source, id and name."""


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict in the list. `evidence` has the cited turns and the missing quotes, a line for each; "" without any."""

    key: Key
    verdict: Verdict
    evidence: str = ""
    heading: str = ""


def keyed(view: RunView) -> dict[Key, Verdict]:
    """The review and the verdicts of a run by row key, in order; a verdict keeps its key when the run is reloaded."""
    found: dict[Key, Verdict] = {("review", None, one.name, 1): one for one in view.review}
    alike: dict[tuple[str, int | None, str], int] = {}
    for verdict in view.verdicts:
        place = (verdict.source, verdict.id, verdict.name)
        alike[place] = n = alike.get(place, 0) + 1
        found[*place, n] = verdict
    return found


class Verdicts(VirtualList[VerdictRow]):
    row_height = None
    numbered = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("verdicts.open", "enter", "open", "Show turn", "the first turn that the verdict cites", footer=1),
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES

    _run: int | None = None
    _note = ""

    def show_run(self, view: RunView) -> None:
        """Show the verdicts of a run. After a reload of the run, the cursor and the evidence of equal verdicts stay."""
        other = view.row.id != self._run
        self._run = view.row.id
        known = {} if other else {row.key: row for row in self.rows}
        rows: list[VerdictRow] = []
        for key, verdict in keyed(view).items():
            before = known.get(key)
            evidence = before.evidence if before and before.verdict == verdict else ""
            first = verdict.state == "na" and (not rows or rows[-1].verdict.state != "na")
            rows.append(VerdictRow(key, verdict, evidence, "Not applicable" if first else ""))
        self._show_note("" if rows else _WITHOUT_VERDICTS.get(view.row.outcome.kind, "No verdicts."))
        super().show_rows(rows, reset=other)

    def show_rows(self, rows: Sequence[VerdictRow], *, reset: bool = False, follow: bool = False) -> None:
        if not rows:
            self._run = None
            self._show_note("")
        super().show_rows(rows, reset=reset, follow=follow)

    def show_evidence(self, places: Mapping[Any, str]) -> None:
        """Show which turns each verdict cites. `places` has the text to show by the key of the row."""
        super().show_rows([replace(row, evidence=places.get(row.key, "")) for row in self.rows])

    def verdict_of(self, key: Hashable) -> Verdict | None:
        index = self.index_of(key)
        return None if index is None else self.rows[index].verdict

    def key_of(self, row: VerdictRow) -> Hashable:
        return row.key

    def estimate(self, row: VerdictRow, width: int) -> int:
        verdict = row.verdict
        if verdict.state == "na":
            return (2 if row.heading else 0) + min(len(_folded(row)) // max(width - 4, LEAST) + 1, _VERDICT_LINES)
        room = max(width - 6, LEAST)
        explained = sum(min(len(reason.text), LONGEST_LINE) // room + 1 for reason in reasons(verdict))
        return min(1 + len(row.evidence.splitlines()) + explained, _VERDICT_LINES)

    def lines_of(self, row: VerdictRow, width: int, state: RowState) -> Sequence[Line]:
        room, pad = width - EDGES, Segment(_PAD)
        lines = self._not_applicable(row, room) if row.verdict.state == "na" else self._judged(row, room)
        return [[pad, *line] for line in lines]

    def _not_applicable(self, row: VerdictRow, width: int) -> Iterator[Line]:
        dim = self.style_of("tone--dim")
        if row.heading:
            yield []
            yield [Segment(row.heading, self.style_of("tone--strong"))]
        for n, text in enumerate(wrap(capped(_folded(row)), max(width - 2, LEAST))[:_VERDICT_LINES]):
            yield [Segment(_INDENT if n else "", dim), Segment(text, dim)]

    def _judged(self, row: VerdictRow, width: int) -> list[Line]:
        dim, room = self.style_of("tone--dim"), max(width - 2, LEAST)
        lines = self._title(row.verdict, room)
        for text in row.evidence.splitlines():
            lines += [[Segment(_INDENT), Segment(part, dim)] for part in wrap(clean_line(text), room)]
        found = list(reasons(row.verdict))
        several = sum(not (one.met or one.quiet) for one in found) > 1
        bullet = "• " if several and row.verdict.source != "critical_category" else ""
        for one in found:
            sign = f"{VERDICT_MARKS[one.met]} " if one.met else "" if one.quiet else bullet
            tone, ink = self.style_of(f"tone--{VERDICT_TONES[one.met or 'na']}"), dim if one.quiet else None
            for text in one.text.split("\n"):
                if len(lines) >= _VERDICT_LINES:
                    lines.append([Segment(f"{_INDENT}… more lines are not shown", dim)])
                    return lines
                for n, piece in enumerate(wrap(capped(text), max(room - 2, LEAST))):
                    hang = _INDENT if n and one.quiet else ""
                    lines.append([Segment(_INDENT + hang), Segment(sign, tone), Segment(piece, ink)])
                    sign = _INDENT if sign else ""
        return lines

    def render_line(self, y: int) -> Strip:
        if self.rows or not self._note:
            return super().render_line(y)
        width = self._area.width
        dim = self.style_of("tone--dim")
        lines = [[Segment(_PAD), Segment(text, dim)] for text in wrap(self._note, max(width - EDGES, LEAST))]
        return strips_of(lines, width, self.rich_style)[y] if y < len(lines) else super().render_line(y)

    def _show_note(self, note: str) -> None:
        if note != self._note:
            self._note = note
            self.refresh()

    def _title(self, verdict: Verdict, room: int) -> list[Line]:
        tone, strong = self.style_of(f"tone--{VERDICT_TONES[verdict.state]}"), self.style_of("tone--strong")
        name = clean_line(verdict.name, LONGEST_LINE)
        title = f"{name}  {judged_words(verdict)}"
        styled = StyledText.joined([(name, strong), (title[len(name) :], tone)])
        # Keep a threshold on one line with its sign.
        whole = title.replace("≥ ", "≥\u00a0").replace("≤ ", "≤\u00a0")
        lines = [styled.cut(start, end) for start, end in breaks(whole, room)]
        signs = [f"{VERDICT_MARKS[verdict.state]} ", *[_INDENT] * (len(lines) - 1)]
        return [[Segment(sign, tone), *line] for sign, line in zip(signs, lines, strict=True)]


def _folded(row: VerdictRow) -> str:
    """The text of a verdict that does not apply, as one paragraph."""
    verdict = row.verdict
    judged = judged_words(verdict).removeprefix("does not apply").lstrip(", ").removeprefix("· ")
    explained = (clean_line(one.text, LONGEST_LINE) for one in reasons(verdict))
    text = " · ".join(filter(None, (row.evidence, judged, *explained)))
    return f"{VERDICT_MARKS['na']} {clean_line(verdict.name)}" + (f"  {text}" if text else "")
