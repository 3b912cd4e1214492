"""The line in which one types what is to be found, below what is searched.

The panes of a run and the line that searches them: keys that come together are done in their order.

Finding one's way in a run: its panes, the search in them, evidence, the timeline and slow answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import ClassVar, Self, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from cekura_tui.evidence.evidence import Evidence
from cekura_tui.model.run.details import DetailRow
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.actions import Action, bindings
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.keys_in_order import do_binding, passed_on
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.run.details import RunDetails
from cekura_tui.ui.run.loader import RunReading
from cekura_tui.ui.run.timeline import TimelineStrip
from cekura_tui.ui.run.transcript import Transcript
from cekura_tui.ui.run.verdicts import VerdictRow, Verdicts


class FindLine(Horizontal):
    """Hidden until `begin`; it tells what is typed, that it was entered, or that it was left."""

    DEFAULT_CSS = """
    FindLine {
        display: none;
        height: 1;
        background: $panel;
        & > Static { width: auto; padding: 0 1; }
        & > Input { width: 1fr; }
        &.-open { display: block; }
    }
    """
    ACTIONS: ClassVar[tuple[Action, ...]] = (Action("find.close", "escape", "leave", "No search", footer=1),)
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)

    @dataclass
    class Typed(Message):
        """The text is another; `begun_at` is where the search began."""

        text: str
        begun_at: object

    class Entered(Message):
        """Enter: the text stands."""

    class Left(Message):
        """Esc: no search after all."""

    def __init__(self) -> None:
        super().__init__()
        self._begun_at: object = None

    def compose(self) -> ComposeResult:
        """What it is, and the line."""
        yield Static(Content("Find"))
        yield _FindInput(compact=True)

    def begin(self, text: str, at: object) -> None:
        """Show it with what was searched last, selected, so that another text takes its place."""
        self._begun_at = at
        line = self.query_one(Input)
        self.add_class("-open")
        with line.prevent(Input.Changed):
            line.value = text
        line.focus()
        line.action_select_all()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Tell what is typed."""
        event.stop()
        self.post_message(self.Typed(event.value, self._begun_at))

    def close(self, message: Message) -> None:
        """Hide it, and tell how it ended."""
        self.remove_class("-open")
        self.post_message(message)

    def action_leave(self) -> None:
        """Esc."""
        self.close(self.Left())


class _FindInput(TypedLine):
    def on_mount(self) -> None:
        """A blinking cursor would write to the terminal for ever."""
        self.cursor_blink = False

    def entered(self, value: str) -> bool:
        """Enter."""
        if isinstance(self.parent, FindLine):
            self.parent.close(FindLine.Entered() if value.strip() else FindLine.Left())
        return True


R = TypeVar("R")
_ON_AND_ON = ("left_square_bracket", "right_square_bracket")
"""One may go on to other runs without looking at those between."""
_PATIENCE = 1.0
"""Seconds that a key waits for a run that one is on the way to."""


class _Pane(VirtualList[R]):
    """What is opened is told by a call at once: a message would come after the keys that are already there."""

    _opened: Callable[[Hashable], None] | None = None

    def calling(self, opened: Callable[[Hashable], None]) -> Self:
        """Have this called with the key of what is opened."""
        self._opened = opened
        return self

    async def _on_key(self, event: events.Key) -> None:
        arrived = getattr(self.screen, "arrived", None)
        if isinstance(arrived, asyncio.Event) and not arrived.is_set() and event.key not in _ON_AND_ON:
            # What comes after the key that leads to another run is for that one.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), _PATIENCE)
        if not await passed_on(self, event):
            await do_binding(self, event)

    def action_open(self) -> None:
        """Enter on a row that is not unfolded by it."""
        if self.cursor_key is not None and self._opened is not None:
            self._opened(self.cursor_key)


class TranscriptPane(Transcript, _Pane[Turn]):
    """What was said. `moved` is called with the turn of the cursor at once, so that one drawing shows it everywhere."""

    def __init__(self, moved: Callable[[Hashable], None], *, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._moved = moved

    def cursor_moved(self) -> None:
        """The cursor is on another turn, or on none."""
        self._moved(self.cursor_key)


class VerdictsPane(Verdicts, _Pane[VerdictRow]):
    """How it was judged."""


class DetailsPane(RunDetails, _Pane[DetailRow]):
    """Everything else."""


class RunFind(FindLine):
    """`ended` is called with what was entered, "" for no search after all, and the turn at which it began."""

    def __init__(self, ended: Callable[[str, int | None], None]) -> None:
        super().__init__()
        self._ended = ended

    def begin(self, text: str, at: object) -> None:
        """Show it; the next key is for the line."""
        line = self.query_one(Input)
        line.can_focus = True
        super().begin(text, at)
        self.screen.set_focus(line)

    def close(self, message: Message) -> None:
        """Hide it; the next key is for the pane."""
        super().close(message)
        # Where it was opened a moment ago, the focus is still on its way to it.
        self.query_one(Input).can_focus = False
        text = self.query_one(Input).value if isinstance(message, self.Entered) else ""
        self._ended(text, self._begun_at if isinstance(self._begun_at, int) else None)

    @property
    def is_open(self) -> bool:
        """Whether somebody types in it."""
        return self.has_class("-open")


PANES = ("transcript", "verdicts", "details")


class RunWays(RunReading):
    """What leads from one place of a run to another."""

    pane = "transcript"
    """The pane with the focus."""
    _left = "verdicts"
    """The pane that stands beside the transcript."""
    walk: tuple[object, int] | None = None
    """The verdict whose evidence is gone through, by its key, and at which piece of it one is."""
    _slow = -1

    # Panes

    def action_pane(self, step: int) -> None:
        """To another pane."""
        self.action_show_pane(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def action_show_pane(self, pane: str) -> None:
        """To this pane; in a narrow terminal it takes the place of the one before."""
        find = self.query_one(RunFind)
        if find.is_open:
            find.close(find.Entered())  # what was found stays
        self.pane = pane
        if pane != "transcript":
            self._left = pane
        self.show_panes()
        # At once: the next key may be here already.
        self.set_focus(self.query_one(f"#{pane}"))
        self.draw_title()

    def show_panes(self) -> None:
        """Show both panes where there is room, else the one with the focus; of a run that cannot be shown why."""
        # Not by a class of the screen: that styles each widget of it anew, for longer than all else takes.
        wide, shown = self.has_class("-wide"), self.pane if self.view is not None else "transcript"
        self.query_one("#run-left").display = wide or shown != "transcript"
        self.query_one("#run-right").display = wide or shown == "transcript"
        for name in ("verdicts", "details"):
            self.query_one(f"#{name}").display = name == self._left

    @on(events.DescendantFocus)
    def focus_came(self) -> None:
        """The mouse may give the focus to another pane."""
        focused = self.focused
        # Of a run that is not read yet the panes are hidden: the focus goes about by itself.
        other = focused is not None and (focused.id != self.pane or self.query_one(RunFind).is_open)
        if self.view is not None and focused is not None and focused.id in PANES and other:
            self.action_show_pane(focused.id)

    # Search

    def action_find(self) -> None:
        """Open the line for what is searched: in the details if one is there, else in the transcript."""
        if self.view is None:
            self.tell("The run is not read yet.")
            return
        if self.pane == "verdicts":
            self.action_show_pane("transcript")
        self.query_one(RunFind).begin(self._searched.asked, self.query_one(Transcript).cursor_key)

    @property
    def _searched(self) -> Transcript | RunDetails:
        return self.query_one(RunDetails) if self.pane == "details" else self.query_one(Transcript)

    @on(FindLine.Typed)
    def find(self, event: FindLine.Typed) -> None:
        """Find as it is typed, from where one was; in the details, which may be long, when it is entered."""
        searched = self._searched
        if isinstance(searched, Transcript) and self.query_one(RunFind).is_open and event.text != searched.asked:
            searched.find(event.text, event.begun_at if isinstance(event.begun_at, int) else None)
            self.draw_title()

    def found(self, text: str, begun_at: int | None) -> None:
        """Back to the pane; `n` and `N` go on. Without a text the search is over."""
        searched = self._searched
        if text != searched.asked:
            if isinstance(searched, Transcript):
                searched.find(text, begun_at)
            else:
                searched.find(text)
                searched.next_match(1)
        self.set_focus(searched)
        self.draw_title()

    def action_match(self, step: int) -> None:
        """To the next match, or the one before."""
        searched = self._searched
        if not searched.asked:
            self.action_find()
        elif not searched.next_match(step):
            self.tell("Nothing is found.")
        self.draw_title()

    # Evidence

    def show_evidence_of(self, verdict: Hashable) -> None:
        """To the first turn that a verdict speaks of."""
        self._walk_to(verdict, 0, ask=True)

    def show_turn_of(self, path: Hashable) -> None:
        """From something in the details to the turn that it is of, if it is of one."""
        turns = self.view is not None and self.view.transcript.form == "turns"
        match path:
            case ("transcript_object", int(place), *_) if turns:
                self.query_one(Transcript).go_to(place + 1)
                self.action_show_pane("transcript")

    def show_verdict_on(self, turn: Hashable) -> None:
        """From a turn to the verdict that speaks of it, if one does."""
        if self.evidence is None:
            self.tell("What the verdicts speak of is still being looked for.")
            return
        for key in (row.key for row in self.query_one(Verdicts).rows):
            evidence = self._evidence_of(key)
            if any(one.n == turn for one in evidence):
                self.query_one(Verdicts).move_to(key)
                self.walk = key, next(n for n, one in enumerate(evidence) if one.n == turn)
                self.action_show_pane("verdicts")
                return
        self.tell("No verdict speaks of this turn. x shows it as it was sent.")

    def action_evidence(self, step: int) -> None:
        """To the next piece of evidence: of the verdict that was opened last, else of the first that has some."""
        if self.view is None:
            self.tell("The run is not read yet.")
            return
        if self.evidence is None:
            self.tell("What the verdicts speak of is still being looked for.")
            return
        if self.walk is not None and (evidence := self._evidence_of(self.walk[0])):
            if len(evidence) == 1 and self.query_one(Transcript).cursor_key == evidence[0].n:
                self.tell("This verdict speaks of no other turn. tab goes to the verdicts, enter on one to its turns.")
            self._walk_to(self.walk[0], (self.walk[1] + step) % len(evidence))
            return
        keys = [row.key for row in self.query_one(Verdicts).rows if self._evidence_of(row.key)]
        if keys:
            self._walk_to(keys[0], 0)
        else:
            self.tell("No verdict names or quotes a turn.")

    def _walk_to(self, key: object, place: int, *, ask: bool = False) -> None:
        evidence = self._evidence_of(key)
        if not evidence:
            if ask:
                still = "What it speaks of is still being looked for." if self.evidence is None else ""
                self.tell(still or "No turn is named or quoted in what this verdict says.")
            return
        self.walk = key, place
        self.query_one(Verdicts).move_to(key)
        transcript = self.query_one(Transcript)
        transcript.go_to(evidence[place].n)
        if self.focused is transcript:
            self.draw_title()
        else:
            self.action_show_pane("transcript")

    def _evidence_of(self, key: object) -> tuple[Evidence, ...]:
        return (self.evidence or {}).get(key, ())

    def walk_text(self) -> str:
        """Where one is in the evidence of a verdict, in words; empty when one has gone elsewhere."""
        if self.walk is None:
            return ""
        key, place = self.walk
        evidence = self._evidence_of(key)
        verdict = self._verdict_of(key)
        if verdict is None or place >= len(evidence) or evidence[place].n != self.query_one(Transcript).cursor_key:
            return ""
        one = evidence[place]
        of = f" {place + 1} of {len(evidence)}" if len(evidence) > 1 else ""
        return f"{clean_line(verdict.name, 40)}{of}: {one.sure}, {one.why}"

    def _verdict_of(self, key: object) -> Verdict | None:
        return self.query_one(Verdicts).verdict_of(key)

    # The timeline

    @on(TimelineStrip.Sought)
    def sought(self, event: TimelineStrip.Sought) -> None:
        """A click on the timeline."""
        self.query_one(Transcript).go_to(event.n)

    def moved(self, turn: Hashable) -> None:
        """The cursor of the timeline is that of the transcript."""
        self.query_one(TimelineStrip).put_cursor(turn if isinstance(turn, int) else None)
        self.draw_title()

    def action_along(self, columns: int) -> None:
        """Along the timeline, a column at least."""
        strip, transcript = self.query_one(TimelineStrip), self.query_one(Transcript)
        if self.pane == "transcript" and (turn := strip.step(columns)) is not None:
            transcript.go_to(turn)

    def action_slowest(self) -> None:
        """To the answer that took longest, then to the next slowest."""
        if self.view is None:
            return
        timeline = self.view.timeline
        slowest = timeline.slowest_first
        if not slowest:
            self.tell(timeline.note or "No answer of the agent can be timed here.")
            return
        self._slow = (self._slow + 1) % len(slowest)
        answer = next(one for one in timeline.answers if one.turn == slowest[self._slow])
        self.query_one(Transcript).go_to(answer.turn)
        self.action_show_pane("transcript")
        self.tell(f"Answer {self._slow + 1} of {len(slowest)}, slowest first: {answer.seconds:.1f} s.")

    def action_roles(self) -> None:
        """Show other roles."""
        if self.view is None:
            self.tell("The run is not read yet.")
            return
        self.query_one(Transcript).next_roles()
        self.draw_title()

    def turns_text(self) -> str:
        """How many turns there are, and which of them are shown."""
        transcript = self.query_one(Transcript)
        total = count(len(transcript.turns), "turn")
        return f"{total} · {transcript.roles}: {len(transcript.rows):,}" if transcript.roles else total
