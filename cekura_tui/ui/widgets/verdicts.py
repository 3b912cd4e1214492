"""Verdicts and details of a run as one list: failing ones first, explanations in full."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment

from cekura_tui.model.text import capped, clean_line
from cekura_tui.model.verdict import Verdict
from cekura_tui.model.view import RunView
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import TONE_CLASSES, TONE_CSS, VERDICT_MARKS, VERDICT_TONES
from cekura_tui.ui.widgets.virtual_list import VirtualList
from cekura_tui.ui.widgets.wrap import wrap

_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry: a verdict, or a detail of the run."""

    n: int
    mark: str
    tone: str
    title: str
    texts: tuple[str, ...]


def findings(view: RunView) -> list[Finding]:
    """The entries of a run."""
    told = [
        (VERDICT_MARKS[v.state], VERDICT_TONES[v.state], f"{v.name}{score_text(v)}", v.explanation)
        for v in view.verdicts
    ]
    told += [(" ", "dim", *_detail(name, text)) for name, text in view.details]
    return [Finding(n, *entry) for n, entry in enumerate(told)]


def _detail(name: str, text: str) -> tuple[str, tuple[str, ...]]:
    """A short detail stands on one line with its name."""
    return (f"{name}: {text}", ()) if len(text) <= 60 and "\n" not in text else (name, (text,))


def score_text(verdict: Verdict) -> str:
    """Score and threshold in words, behind a name."""
    score = f"{verdict.score:g}" if isinstance(verdict.score, int | float) else clean_line(verdict.score or "", 40)
    state = {"na": "does not apply", "review": "to be reviewed"}.get(verdict.state, "")
    threshold = f"needs {verdict.threshold}" if verdict.threshold else ""
    told = ", ".join(filter(None, (score, threshold, state)))
    return f" ({told})" if told else ""


class Verdicts(VirtualList[Finding]):
    """The findings of one run."""

    row_height = None
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    DEFAULT_CSS = f"Verdicts {{ {TONE_CSS} }}"

    def show_run(self, view: RunView) -> None:
        """Show another run's, or the same anew."""
        self.show_rows(findings(view))

    def key_of(self, row: Finding) -> Hashable:
        """Its place."""
        return row.n

    def estimate(self, row: Finding, width: int) -> int:
        """A line a title, and about so many of text."""
        return 1 + sum(len(text) // max(width - 6, 10) + 1 for text in row.texts)

    def lines_of(self, row: Finding, width: int, state: RowState) -> Sequence[Line]:
        """A title and wrapped texts."""
        tone, dim = self.ink(f"tone--{row.tone}"), self.ink("tone--dim")
        strong = self.ink("tone--strong") if row.mark.strip() else dim
        lines: list[Line] = []
        for n, part in enumerate(wrap(row.title, max(width - 3, 8))):
            lines.append([Segment(f"{row.mark} " if n == 0 else _INDENT, tone), Segment(part, strong)])
        for text in row.texts:
            for paragraph in text.split("\n"):
                for part in wrap(capped(paragraph), max(width - 4, 8)):
                    lines.append([Segment(_INDENT), Segment(part)])
        return lines
