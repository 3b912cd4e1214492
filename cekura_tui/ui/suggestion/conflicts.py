"""A passage in the versions among which somebody has to decide, one below the other.

What of the dialog for an agent's prompt is about conflicts: one at a time, and what was decided of each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Label

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import LONGEST_LINE, Prompt, capped, clean_line, visible
from cekura_tui.prose.conflicts import ConflictDecisions, Decision
from cekura_tui.prose.merge import Conflict, Side, conflict_places
from cekura_tui.prose.words import WordSpan, quiet, word_spans
from cekura_tui.ui.kit.dialog import Dialog
from cekura_tui.ui.kit.row_canvas import RowState
from cekura_tui.ui.kit.strips import Line, breaks
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.edit import Edited, EditHunkDialog
from cekura_tui.ui.terminal.cells import fit

if TYPE_CHECKING:
    from cekura_tui.workspace.agent_prompt_update import PromptUpdate


_GUTTER = 4
_LEAST = 10
_MARKED = 20_000
"""Characters of a version beyond which it is shown without marks at its words."""


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A line of the versions: the name of one, or a line of its text. `fresh` are its stretches (start, end) that the
    sent text does not have, `chosen` tells that this version was decided on."""

    place: int
    text: str
    is_head: bool = False
    chosen: bool = False
    fresh: tuple[tuple[int, int], ...] = ()


def conflict_rows(conflict: Conflict, decision: Decision | None, job: int, agent: str) -> list[ConflictRow]:
    """All versions of a conflict, safe to draw; what was decided on bears a mark."""
    side = decision.side if decision else ""
    versions = [
        (f"sent with job {job}", conflict.base, False),
        (f"what {agent} has now · o keeps it", conflict.now, side == "now"),
        ("staged · s takes it", conflict.staged, side == "staged"),
    ]
    if decision is not None and side == "edited":
        versions.append(("as you worded it · e words it otherwise", decision.text, True))
    rows: list[ConflictRow] = []
    for name, text, chosen in versions:
        rows.append(ConflictRow(len(rows), f"{'✓' if chosen else '·'} {name}", True, chosen))
        lines = _lines(conflict.base, text)
        for line, fresh in lines or [("(nothing stands here)", ())]:
            rows.append(ConflictRow(len(rows), line, False, chosen, fresh))
    return rows


class ConflictTexts(VirtualList[ConflictRow]):
    """The versions of one conflict; the words that the sent text does not have are bold and underlined."""

    row_height = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "screen.conflict(1)", "Next", id="conflict.next"),
        Binding("N", "screen.conflict(-1)", "Prev", id="conflict.previous"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"conflict--head", "conflict--chosen", "conflict--fresh", "conflict--rule"}
    DEFAULT_CSS = """
    ConflictTexts {
        & > .conflict--head { color: $text-primary; text-style: bold; }
        & > .conflict--chosen { color: $success; text-style: bold; }
        & > .conflict--fresh { text-style: bold underline; }
        & > .conflict--rule { color: $text-muted; }
    }
    """

    def key_of(self, row: ConflictRow) -> Hashable:
        """Its place."""
        return row.place

    def estimate(self, row: ConflictRow, width: int) -> int:
        """From its length."""
        return 1 + min(len(row.text), LONGEST_LINE) // _room(width)

    def lines_of(self, row: ConflictRow, width: int, state: RowState) -> Sequence[Line]:
        """The name, or the text behind a rule."""
        if row.is_head:
            return [[Segment(fit(row.text, width), self.ink(f"conflict--{'chosen' if row.chosen else 'head'}"))]]
        rule = Segment("  ┃ " if row.chosen else "  │ ", self.ink("conflict--rule"))
        drawn, fresh = capped(row.text), self.ink("conflict--fresh")
        lines = []
        for start, end in breaks(drawn, _room(width)):
            line, at = [rule], start
            for left, right in row.fresh:
                left, right = max(left, at), min(right, end)
                if left < right:
                    line += [Segment(drawn[at:left]), Segment(drawn[left:right], fresh)]
                    at = right
            lines.append([*line, Segment(drawn[at:end])])
        return lines


def _room(width: int) -> int:
    return max(width - _GUTTER - 1, _LEAST)


def _lines(base: str, text: str) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    """The lines of a version, and on each what the base does not have; white space around all is left out."""
    spans = [WordSpan("same", text)]
    if len(text) + len(base) <= _MARKED and text != base:
        spans = [span for span in quiet(word_spans(base, text)) if span.op != "del"]
    lines: list[tuple[str, list[tuple[int, int]]]] = [("", [])]
    for span in spans:
        for n, part in enumerate(visible(span.text).split("\n")):
            if n:
                lines.append(("", []))
            before, fresh = lines[-1]
            if span.op == "ins" and part:
                fresh.append((len(before), len(before) + len(part)))
            lines[-1] = before + part, fresh
    while lines and not lines[0][0].strip():
        lines.pop(0)
    while lines and not lines[-1][0].strip():
        lines.pop()
    return [(line, tuple(fresh)) for line, fresh in lines]


_ON_CONFLICTS = ("keep_theirs", "take_staged", "word", "conflict")


class ConflictChoices(Dialog[None]):
    """What was decided holds also when the agent is looked at again, as long as the conflict is the same.

    `number` is the job that the text was staged with, `decisions` what was decided in a dialog like this before. What
    is typed is kept with the job, like what is typed into its changes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "keep_theirs", "Keep the agent's", id="put.theirs"),
        Binding("s", "take_staged", "Take the staged", id="put.staged"),
        Binding("e", "word", "Word it", id="put.word"),
        Binding("c", "look_back", "Conflicts", id="put.conflicts"),
    ]

    def __init__(self, app_state: AppState, number: int, decisions: ConflictDecisions | None = None) -> None:
        super().__init__()
        self.state, self.number = app_state, number
        self.decisions = ConflictDecisions() if decisions is None else decisions
        self.placing: PromptUpdate | None = None
        self.looking_back = False
        """Whether the conflicts are shown though all are decided."""
        self._at = 1
        self._places: tuple[str, ...] = ()
        self._told_unkept = False

    def draw(self) -> None:
        """Show what is known."""
        raise NotImplementedError

    def decided(self) -> None:
        """Something was decided, or there is another look at the agent."""
        raise NotImplementedError

    def take_up(self, placing: PromptUpdate) -> None:
        """The agent as it is now."""
        self.placing = placing
        self.decisions.take_up(placing.merge)
        self._at = min(self._at, max(len(self.conflicts), 1))
        self._places = conflict_places(placing.merge)
        self.looking_back = self.looking_back and bool(self.conflicts)
        if open_ones := self.undecided:
            self._at = self._at if self._at in open_ones else open_ones[0]
        self.decided()

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """All conflicts, decided or not."""
        return self.placing.merge.conflicts if self.placing else ()

    @property
    def undecided(self) -> list[int]:
        """The numbers of the conflicts that nobody has decided yet."""
        return self.decisions.undecided if self.placing else []

    @property
    def text(self) -> Prompt | None:
        """What would be written; None as long as a conflict is not decided."""
        return self.decisions.text if self.placing else None

    def draw_conflict(self) -> None:
        """The conflict that one is at."""
        if self.placing is None:
            return
        conflict, left = self.conflicts[self._at - 1], len(self.undecided)
        state = "all are decided, c shows the change" if not left else f"{left} to be decided"
        head = f"conflict {self._at} of {len(self.conflicts)} · {self._places[self._at - 1]} · {state}"
        if others := [str(number) for number in self.decisions.together(self._at) if number != self._at]:
            head += f" · decided together with {', '.join(others)}"
        self.query_one("#conflict-head", Label).update(Content(clean_line(head)))
        agent = clean_line(self.placing.agent.name, 40)
        rows = conflict_rows(conflict, self.decisions.of(self._at), self.placing.job.number, agent)
        self.query_one(ConflictTexts).show_rows(rows)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Conflicts are decided where there are some and they are shown."""
        if action in _ON_CONFLICTS:
            return bool(self.conflicts) and (self.looking_back or self.text is None)
        if action == "look_back":
            return bool(self.conflicts) and self.text is not None
        return super().check_action(action, parameters)

    def action_conflict(self, step: int) -> None:
        """To the next conflict, or the one before; at the last one it stays."""
        at = min(max(self._at + step, 1), len(self.conflicts))
        if at != self._at:
            self._at = at
            self.query_one(ConflictTexts).action_first()
            self.draw()

    def action_look_back(self) -> None:
        """From what would be written to the conflicts, or back."""
        self.looking_back = not self.looking_back
        self.draw()

    def action_keep_theirs(self) -> None:
        """What the agent has stays."""
        self._take("now")

    def action_take_staged(self) -> None:
        """What was staged takes its place."""
        self._take("staged")

    def _take(self, side: Side) -> None:
        self.decisions.take(self._at, side)
        self._go_on()

    def _go_on(self) -> None:
        """On to the next that is not decided; after the last one what would be written is shown."""
        if open_ones := self.undecided:
            self._at = next((number for number in open_ones if number > self._at), open_ones[0])
            self.query_one(ConflictTexts).action_first()
        self.looking_back = False
        self.decided()

    def action_word(self) -> None:
        """Word it otherwise; what was typed and not taken is there again the next time."""
        number, spot = self._at, self.decisions.spot(self._at)
        title = f"Conflict {number} of {len(self.conflicts)} · {self._places[number - 1]}"
        home, sent = self.state.workspace.setup.paths.home, self.conflicts[number - 1].base
        text = self.decisions.wording(number)

        def keep(now: str) -> None:
            """Keep what is typed, also for who comes back after a crash."""
            before = self.decisions.kept(spot)
            self.decisions.typed(spot, now)
            kept = self.decisions.kept(spot)
            if (before, kept) != (None, None):
                self.keep_typed(spot, kept)

        def worded(edited: Edited | None) -> None:
            if edited is None:
                return
            keep(edited.text)
            by_now = self.decisions.number(spot)  # the agent may have been looked at again
            if edited.taken and by_now is not None:
                self.decisions.word(by_now, edited.text)
                self._go_on()
            elif self.decisions.kept(spot) is not None:
                self.notify("What you typed is not taken, but kept: e opens it again.", markup=False)

        self.app.push_screen(EditHunkDialog(title, sent, text, home, keep), worded)

    def keep_typed(self, spot: str, text: str | None) -> None:
        """Keep on the disk what is typed into a conflict; None forgets it."""
        try:
            done = self.state.workspace.send(lambda session: session.suggestions.keep_typed(self.number, spot, text))
        except CekuraTuiError:
            return  # the program is closing
        self.app.run_worker(self._await_kept(done), group="typed")

    async def _await_kept(self, done: Future[None]) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(done))
        except CekuraTuiError as error:
            # While one types there is a try twice a second.
            if not self._told_unkept:
                told = f"What you typed is not on the disk yet. {error.sentence()}"
                self.app.notify(told, severity="warning", markup=False)
            self._told_unkept = True
        else:
            self._told_unkept = False
