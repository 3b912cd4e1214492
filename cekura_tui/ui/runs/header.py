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
from cekura_tui.model.filter.filter import Filter
from cekura_tui.model.run.outcome import MARKS, Kind
from cekura_tui.model.secrets import shown
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.kit.lines import OUTCOME_TONES, TONES
from cekura_tui.ui.runs.listing import Freshness, RunListing
from cekura_tui.ui.runs.outcomes import OutcomeCounts
from cekura_tui.ui.state import AppState

_SIGNS = {"good": "●", "warn": "!", "dim": "○"}
_GAP = 4
"""Minimum number of cells between two facts."""


class HeaderFacts(NamedTuple):
    """The header's (name, text) pairs in its first and second line.

    `freshness` ends the first line, and `jobs` the second.

    `short` are the texts that replace the pairs in a header of one line.
    """

    first: tuple[tuple[str, str], ...] = ()
    second: tuple[tuple[str, str], ...] = ()
    short: tuple[str, ...] = ()
    freshness: Freshness = Freshness("dim", "")
    jobs: str = ""


def header_facts(state: AppState, listing: RunListing, error: CekuraTuiError | None) -> HeaderFacts:
    """The header's facts about `listing`. `error` is why the scope could not be found; None if there was no error."""
    setup, scope = state.workspace.setup, listing.scope
    profile, locked = "demo" if setup.demo else shown(setup.profile, 3), ("read-only",) if setup.read_only else ()
    place = "…" if scope is None else scope.name or str(scope.id)
    project, agent = ("Project", place), ", ".join(_agents_of(listing.filter)) or "all agents"
    if scope is not None and scope.kind == "result":
        project = ("Result", place)
    elif scope is not None and scope.kind == "agent":
        project, agent = ("Project", "–"), place
    going = sum(job.state.active for job in state.jobs)
    return HeaderFacts(
        (("Profile", " · ".join((profile, *locked))), ("Agent", agent)),
        (project, ("Server", urlsplit(setup.origin).hostname or "built-in demo")),
        (profile, scope.shown if scope else "…", *locked),
        listing.freshness(state.when, error),
        f"{count(going, 'job')} running" if going else "",
    )


def _agents_of(wanted: Filter) -> list[str]:
    terms = [term for term in wanted.terms if term.key == "agent" and not term.negated]
    return [f"{'~' * value.contains}{value.text}" for term in terms for value in term.values]


class RunsHeader(Static):
    """Shows the facts on two lines, or on one line if the header has only one."""

    facts: reactive[HeaderFacts] = reactive(HeaderFacts())

    def render(self) -> Content:
        tone, words = self.facts.freshness
        fresh = Content.styled(f"{_SIGNS[tone]} {clean_line(words, 80)}", TONES[tone])
        return self._two_lines(fresh) if self.size.height > 1 else self._one_line(fresh)

    def _one_line(self, right: Content) -> Content:
        facts = self.facts
        if facts.jobs:
            right = Content.assemble(right, (" · ", "$muted"), (facts.jobs, "$info"))
        words = [clean_line(word, 60) for word in facts.short]
        left = Content.assemble((words[0] if words else "", "bold"), *((f" · {word}", "$muted") for word in words[1:]))
        return self._ends(left, right)

    def _two_lines(self, fresh: Content) -> Content:
        """The header's two lines, with names and texts aligned in columns."""
        facts = self.facts
        ends = fresh, Content.styled(facts.jobs, "$info") if facts.jobs else Content.styled("no jobs running", "$muted")
        names = [max(len(name) for name, _ in column) for column in zip(facts.first, facts.second, strict=True)]
        rows = [list(map(_fact, line, names)) for line in (facts.first, facts.second)]
        widths = [max(fact.cell_length for fact in column) + _GAP for column in zip(*rows, strict=True)]
        lines = []
        for row, end in zip(rows, ends, strict=True):
            cells = [fact.pad_right(width - fact.cell_length) for fact, width in zip(row, widths, strict=True)]
            lines.append(self._ends(Content.assemble(*cells), end))
        return Content("\n").join(lines)

    def _ends(self, left: Content, right: Content) -> Content:
        """A line with `left` and `right` at its ends; `left` is truncated if there is no room for both texts."""
        room = self.size.width - right.cell_length
        return Content.assemble(left.truncate(max(room - 2, 0), ellipsis=True, pad=True), "  ", right)


def _fact(fact: tuple[str, str], cells: int) -> Content:
    name, words = fact
    return Content.assemble((f"{name:<{cells}} ", "$muted"), (clean_line(words, 60), "bold"))


_WORDS: dict[Kind, str] = {
    "failed": "failed",
    "error": "errors",
    "review": "to review",
    "running": "running",
    "passed": "passed",
    "unknown": "no verdict",
}
_SHRINK_ORDER: tuple[Kind, ...] = ("passed", "running", "unknown", "review", "error", "failed")
"""The order in which outcomes lose their word if the bar is too narrow, and keep only mark and number. The rows of the
list show what each mark means."""


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
                parts.append((chip.text, "bold"))
                continue
            tone = OUTCOME_TONES[chip.kind]
            if chip.kind in counted.active:
                parts.append((chip.text, f"bold {TONES[tone]} on ${tone}-ground"))
            else:
                mark, words = chip.text[:2], chip.text[2:]
                parts += [(mark, TONES[tone]), (words, "" if any(map(str.isdigit, words)) else "$muted")]
        if counted.loaded:
            parts.append((f" {counted.loaded}", "$muted"))
        line, key = Content.assemble(*parts), Content.assemble(("o", "bold $accent"), (" next", "$muted"))
        room = self.size.width - line.cell_length - key.cell_length
        return Content.assemble(line, " " * room, key) if room >= _GAP and counted.counts else line

    def _chips(self) -> list[_Chip]:
        """The bar's chips with as many words as fit. If the bar is too narrow, all outcomes without a count are dropped
        first, then words in the order of _SHRINK_ORDER."""
        counted = self.outcomes
        for shorter in range(len(_SHRINK_ORDER) + 2):
            chips: list[_Chip] = []
            for kind, text in self._texts(counted, shorter == 0, _SHRINK_ORDER[: max(shorter - 1, 0)]):
                chips.append(_Chip(kind, text, chips[-1].end + 1 if chips else 0))
            needed = (chips[-1].end if chips else 0) + (len(counted.loaded) + 1 if counted.loaded else 0)
            if needed <= self.size.width:
                break
        return chips

    def _texts(
        self, counted: OutcomeCounts, uncounted: bool, wordless: Sequence[Kind]
    ) -> Iterator[tuple[Kind | None, str]]:
        if counted.runs:
            yield None, counted.runs
        for kind, number in counted.counts:
            if (number is None and not uncounted) or (kind == "unknown" and not number and kind not in counted.active):
                continue
            word = "error" if kind == "error" and number == 1 else _WORDS[kind]
            words = [] if kind in wordless else [word]
            yield kind, f" {' '.join([MARKS[kind], *([] if number is None else [f'{number:,}']), *words])} "

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and event.button == 1:
            for chip in self._chips():
                if chip.start <= offset.x < chip.end:
                    self.post_message(self.Chosen(chip.kind))
