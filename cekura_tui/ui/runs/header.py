"""The header of the run list with profile, scope and freshness, and the bar of outcomes, which also sets the filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.outcome import MARKS, Kind
from cekura_tui.model.secrets import shown
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.kit.lines import OUTCOME_TONES, TONES, state_style
from cekura_tui.ui.runs.listing import Freshness, RunListing
from cekura_tui.ui.runs.outcomes import OutcomeCounts
from cekura_tui.ui.state import AppState

_SIGNS = {"good": "●", "warn": "!", "dim": "○"}


class HeaderFacts(NamedTuple):
    named: tuple[tuple[str, str], ...] = ()
    freshness: Freshness = Freshness("dim", "")
    jobs: str = ""


def header_facts(state: AppState, listing: RunListing, error: CekuraTuiError | None) -> HeaderFacts:
    """The header's facts about `listing`. `error` is why the scope could not be found; None if there was no error."""
    setup, scope = state.workspace.setup, listing.scope
    profile, locked = "demo" if setup.demo else shown(setup.profile, 3), ("read-only",) if setup.read_only else ()
    place = "…" if scope is None else scope.name or str(scope.id)
    kind = "project" if scope is None else scope.kind
    values = [one for term in listing.filter.terms if term.key == "agent" and not term.negated for one in term.values]
    agents = ", ".join(f"{'~' * value.contains}{value.text}" for value in values) or "all agents"
    going = sum(job.state.active for job in state.jobs)
    return HeaderFacts(
        (
            ("Profile", " · ".join((profile, *locked))),
            (kind.capitalize(), place),
            *([] if kind == "agent" else [("Agent", agents)]),
            ("Server", urlsplit(setup.origin).hostname or "built-in demo"),
        ),
        listing.freshness(state.when, error),
        f"{count(going, 'job')} running" if going else "",
    )


class RunsHeader(Static):
    """Shows the facts on one line, with their names if there is room."""

    facts: reactive[HeaderFacts] = reactive(HeaderFacts())

    def render(self) -> Content:
        tone, words = self.facts.freshness
        right = Content.styled(f"{_SIGNS[tone]} {clean_line(words, 80)}", TONES[tone])
        if self.facts.jobs:
            right = Content.assemble(right, (" · ", "$muted"), (self.facts.jobs, "$info"))
        room = self.size.width - right.cell_length - 2
        named = [(f"{name} ", clean_line(text, 60)) for name, text in self.facts.named]
        left = Content("   ").join(Content.assemble((name, "$muted"), (text, "bold")) for name, text in named)
        if left.cell_length > room:
            left = Content.styled(" · ", "$muted").join(Content(text) for _, text in named)
        return Content.assemble(left.truncate(max(room, 0), ellipsis=True, pad=True), "  ", right)


_WORDS: dict[Kind, str] = {
    "failed": "failed",
    "error": "errors",
    "review": "to review",
    "running": "running",
    "passed": "passed",
    "unknown": "no verdict",
}
_SHRINK_ORDER: tuple[Kind, ...] = ("passed", "running", "unknown", "review", "error", "failed")
"""The order in which outcomes lose their word if the bar is too narrow, and keep only mark and number."""


class _Chip(NamedTuple):
    """An outcome in the bar. `start` is the cell where `text` starts. `kind` is None for the number of all runs."""

    kind: Kind | None
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class OutcomeBar(Static):
    """Shows the number of runs by outcome. A click on an outcome lists only runs with that outcome. A second click on
    the outcome, or a click on the number of all runs, lists the runs of all outcomes."""

    ALLOW_SELECT = False
    outcomes: reactive[OutcomeCounts] = reactive(OutcomeCounts())

    @dataclass(eq=False, repr=False)
    class Chosen(Message):
        """The user clicked an outcome; `kind` is None if the user clicked the number of all runs."""

        kind: Kind | None

    def render(self) -> Content:
        counted = self.outcomes
        parts: list[tuple[str, str]] = []
        at = 0
        for chip in self._chips():
            parts.append((" " * (chip.start - at), ""))
            at = chip.end
            if chip.kind is None:
                parts += [(counted.runs, "bold"), (chip.text.removeprefix(counted.runs), "$muted")]
                continue
            if chip.kind in counted.active:
                parts.append((chip.text, f"bold {state_style(chip.kind)}"))
            else:
                parts += [(chip.text[:2], TONES[OUTCOME_TONES[chip.kind]]), (chip.text[2:], "")]
        line, key = Content.assemble(*parts), Content.assemble(("o", "bold $accent"), (" next", "$muted"))
        room = self.size.width - line.cell_length - key.cell_length
        return Content.assemble(line, " " * room, key) if room >= 4 and counted.counts else line

    def _chips(self) -> list[_Chip]:
        """The bar's chips with as many words as fit; words are dropped in the order of _SHRINK_ORDER."""
        counted = self.outcomes
        for shorter in range(len(_SHRINK_ORDER) + 1):
            chips: list[_Chip] = []
            for kind, text in self._texts(counted, _SHRINK_ORDER[:shorter]):
                chips.append(_Chip(kind, text, chips[-1].end + 1 if chips else 0))
            if not chips or chips[-1].end <= self.size.width:
                break
        return chips

    def _texts(self, counted: OutcomeCounts, wordless: Sequence[Kind]) -> Iterator[tuple[Kind | None, str]]:
        if counted.runs:
            yield None, f"{counted.runs} · {counted.loaded}:" if counted.loaded else counted.runs
        for kind, number in counted.counts:
            if not number and kind not in counted.active and (kind == "unknown" or (kind in wordless and number == 0)):
                continue
            word = "error" if kind == "error" and number == 1 else _WORDS[kind]
            words = [] if kind in wordless else [word]
            yield kind, f" {' '.join([MARKS[kind], '…' if number is None else f'{number:,}', *words])} "

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and event.button == 1:
            for chip in self._chips():
                if chip.start <= offset.x < chip.end:
                    self.post_message(self.Chosen(chip.kind))
