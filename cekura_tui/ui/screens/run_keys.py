"""The keys of a run: its panes, the search in them, evidence, slow answers, neighbours, and what is handed on."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.evidence import Evidence
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.verdict import Verdict
from cekura_tui.ui.screens.run_reading import RunReading
from cekura_tui.ui.widgets.find_line import FindLine
from cekura_tui.ui.widgets.run_details import RunDetails
from cekura_tui.ui.widgets.timeline import TimelineStrip
from cekura_tui.ui.widgets.transcript import Transcript
from cekura_tui.ui.widgets.verdicts import Verdicts
from cekura_tui.ui.widgets.virtual_list import VirtualList

PANES = ("transcript", "verdicts", "details")


class RunKeys(RunReading):
    """What is done on a run by keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="run.back"),
        Binding("tab", "pane(1)", "Pane", id="run.pane"),
        Binding("shift+tab", "pane(-1)", "Pane before", id="run.pane-before", show=False),
        Binding("d", "show_pane('details')", "Details", id="run.details", show=False),
        Binding("slash", "find", "Find", key_display="/", id="run.find"),
        Binding("n", "match(1)", "Next match", id="run.next-match", show=False),
        Binding("N", "match(-1)", "Match before", id="run.previous-match", show=False),
        Binding("e", "evidence(1)", "Evidence", id="run.evidence"),
        Binding("E", "evidence(-1)", "Evidence before", id="run.evidence-before", show=False),
        Binding("t", "roles", "Who is shown", id="run.roles", show=False),
        Binding("l", "slowest", "Next slowest answer", id="run.slowest", show=False),
        Binding("left", "along(-1)", "Back along the timeline", id="run.earlier", show=False),
        Binding("right", "along(1)", "On along the timeline", id="run.later", show=False),
        Binding("left_square_bracket", "go(-1)", "Run before", key_display="[", id="run.previous", show=False),
        Binding("right_square_bracket", "go(1)", "Next run", key_display="]", id="run.next"),
        Binding("equals_sign", "compare", "Beside a passed run", key_display="=", id="run.compare", show=False),
        Binding("i", "improve", "Improve", id="run.improve"),
        Binding("y", "hand_off", "Copy", id="run.hand-off"),
        Binding("L", "live", "Live on or off", id="run.live", show=False),
        Binding("r", "refresh", "Read anew", id="run.refresh", show=False),
        Binding("enter", "whole_error", "Show error", id="run.error", show=False),
    ]
    HELP = """\
# Run
`tab` goes through transcript, verdicts and details; `d` to the details. `enter` on a verdict goes to the first turn
that it speaks of, `e` and `E` to the others; on a tool call it unfolds it (`X` all of them), on a turn with a mark it
goes to the verdict. `x` shows a turn, or the whole run, as the server sent it.

`/` finds in the transcript (`caller:` `agent:` `tool:` before the words: there alone) or in the details, `n` and `N` go
on. `t` shows some roles alone. `l` goes to the slowest answer, then the next slowest; `←` `→` go along the timeline.
`[` and `]` go to the neighbours in the list, `=` puts the run beside the last passed one of its scenario.
`y` copies or saves, `i` has a better prompt proposed, `L` stops and starts following a run that goes on.
"""

    pane: str = "transcript"
    walk: tuple[object, int] | None = None
    """The verdict whose evidence is gone through, by its key, and at which piece of it one is."""
    _slow = -1
    _told_end = False

    # Panes

    def action_pane(self, step: int) -> None:
        """To another pane."""
        self.action_show_pane(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def action_show_pane(self, pane: str) -> None:
        """To this pane; in a narrow terminal it takes the place of the one before."""
        self.pane = pane
        for name in PANES:
            self.set_class(name == pane, f"-{name}")
        if pane != "transcript":
            self.set_class(pane == "details", "-left-details")
        self.query_one(f"#{pane}").focus()
        self.draw_title()

    # Search

    def action_find(self) -> None:
        """Open the line for what is searched: in the details if one is there, else in the transcript."""
        if self.pane == "verdicts":
            self.action_show_pane("transcript")
        line = self.query_one(FindLine)
        line.begin(self._searched.asked, self.query_one(Transcript).cursor_key)

    @property
    def _searched(self) -> Transcript | RunDetails:
        return self.query_one(RunDetails) if self.pane == "details" else self.query_one(Transcript)

    @on(FindLine.Typed)
    def find(self, event: FindLine.Typed) -> None:
        """Find as it is typed, from where one was."""
        searched = self._searched
        if isinstance(searched, Transcript):
            searched.find(event.text, event.begun_at if isinstance(event.begun_at, int) else None)
        else:
            searched.find(event.text)
            searched.next_match(1)
        self.draw_title()

    @on(FindLine.Entered)
    def found(self) -> None:
        """Back to the pane; `n` and `N` go on."""
        self._searched.focus()

    @on(FindLine.Left)
    def find_no_more(self) -> None:
        """Esc: the search is over."""
        self._searched.find("")
        self._searched.focus()
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

    @on(Verdicts.Opened, "#verdicts")
    def show_evidence_of(self, event: Verdicts.Opened) -> None:
        """To the first turn that a verdict speaks of."""
        self._walk_to(event.key, 0, ask=True)

    @on(Transcript.Opened, "#transcript")
    def show_verdict_on(self) -> None:
        """From a turn to the verdict that speaks of it, if one does."""
        turn = self.query_one(Transcript).cursor_key
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
        if self.evidence is None:
            self.tell("What the verdicts speak of is still being looked for.")
            return
        if self.walk is not None and (evidence := self._evidence_of(self.walk[0])):
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
        self.query_one(Transcript).go_to(evidence[place].n)
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
        return f"{clean_line(verdict.name, 40)}{of}: {one.why}, {one.sure}"

    def _verdict_of(self, key: object) -> Verdict | None:
        return self.query_one(Verdicts).verdict_of(key)

    # The timeline

    @on(TimelineStrip.Sought)
    def sought(self, event: TimelineStrip.Sought) -> None:
        """A click on the timeline."""
        self.query_one(Transcript).go_to(event.n)

    @on(VirtualList.Moved, "#transcript")
    def moved(self, event: VirtualList.Moved) -> None:
        """The cursor of the timeline is that of the transcript."""
        self.query_one(TimelineStrip).put_cursor(event.key if isinstance(event.key, int) else None)
        self.draw_title()

    def action_along(self, columns: int) -> None:
        """Along the timeline, a column at least."""
        if self.pane == "transcript" and (turn := self.query_one(TimelineStrip).step(columns)) is not None:
            self.query_one(Transcript).go_to(turn)

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
        self.query_one(Transcript).next_roles()
        self.draw_title()

    # Other runs

    def action_back(self) -> None:
        """End the search, or go to the list, with the cursor on this run."""
        if self._searched.asked:
            self.find_no_more()
        else:
            self.dismiss(self.run_id)  # type: ignore[arg-type] # whoever pushed it may want to know

    @work(group="neighbour", exclusive=True)
    async def action_go(self, step: int) -> None:
        """To the run above or below in the list."""
        if self._beside is None:
            self.tell("This run was opened by its number: there is no list around it.")
            return
        try:
            number = await self._beside(self.run_id, step)
        except CekuraTuiError as error:
            self.tell_error(error)
            return
        if number is None:
            if not self._told_end:
                self._told_end = True
                self.tell("That was the last run of the list." if step > 0 else "That was the first run of the list.")
            return
        self._told_end = False
        self.show_another(number)

    def show_another(self, run_id: int) -> None:
        """Another run in place of this one."""
        self.stop_waiting()
        self.run_id, self.view, self.error, self.evidence = run_id, None, None, None
        self.walk, self._slow, self._turn = None, -1, None
        self.query_one(Transcript).show_turns((), {}, reset=True)
        self.query_one(Verdicts).show_rows((), reset=True)
        self.draw()
        self.load()

    def action_compare(self) -> None:
        """Put this run beside the last passed one of its scenario."""
        if self.view is None or not self.view.transcript.turns:
            self.tell("There is no transcript to compare.")
            return
        from cekura_tui.ui.screens.compare import CompareScreen

        self.app.push_screen(CompareScreen(self.board, self.view), self._came_back_at)

    def _came_back_at(self, turn: object) -> None:
        if isinstance(turn, int):
            self.query_one(Transcript).go_to(turn)
            self.action_show_pane("transcript")

    # The rest

    def action_improve(self) -> None:
        """Improve from this run."""
        self.improve([self.run_id])

    @work(group="hand-off", exclusive=True)
    async def action_hand_off(self) -> None:
        """Copy or save something of this run."""
        view = self.view
        if view is None:
            return
        from cekura_tui.ui.dialogs.copy_run import CopyRunDialog

        key = self.query_one(Verdicts).cursor_key
        told = await self.app.push_screen_wait(
            CopyRunDialog(
                self.board,
                view,
                turn=self.query_one(Transcript).cursor_row,
                verdict=self._verdict_of(key) if key is not None else None,
                dashboard=self.board.workspace.setup.settings.dashboard_url,
                scope=None,
            )
        )
        if told:
            self.tell(told)

    def action_live(self) -> None:
        """Follow a run that goes on, or no longer."""
        self.live = not self.live
        if self.live:
            self.load()
        else:
            self.stop_waiting()
        self.draw()

    def action_refresh(self) -> None:
        """Read it again."""
        self.load(anew=True)

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self.error is not None and self.view is None:
            self.tell_error(self.error)

    def turns_text(self) -> str:
        """How many turns there are, and which of them are shown."""
        transcript = self.query_one(Transcript)
        total = count(len(transcript.turns), "turn")
        return f"{total} · {transcript.roles}: {len(transcript.rows):,}" if transcript.roles else total
