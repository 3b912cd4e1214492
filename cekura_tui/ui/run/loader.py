"""Reading one run: from memory, the store and the server, again while it goes on, and what its verdicts speak of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer

from cekura_tui.evidence.evidence import Evidence, marks_of
from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunRow, RunView
from cekura_tui.model.transcript.timeline import clock
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.run.timeline import TimelineStrip
from cekura_tui.ui.run.transcript import Transcript
from cekura_tui.ui.run.turn_lines import clock_cells
from cekura_tui.ui.run.verdicts import Verdicts, keyed
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.run_lists import take_turn

if TYPE_CHECKING:
    from cekura_tui.workspace.session import Session

Beside = Callable[[int, int], Awaitable[int | None]]
"""Tells the run so many rows below another in the list."""
AGAIN = 3.0
"""Seconds after which a run that goes on is read again."""
AT_MOST = 60.0
"""Likewise, where the server does not answer."""


class RunReading(Page):
    """A page about one run at a time."""

    def __init__(
        self,
        state: AppState,
        run_id: int,
        beside: Beside | None = None,
        turn: int | None = None,
        row: RunRow | None = None,
    ) -> None:
        super().__init__(state)
        self.run_id = run_id
        self.view: RunView | None = None
        self.error: CekuraTuiError | None = None
        self.live = True
        self.evidence: dict[object, tuple[Evidence, ...]] | None = None
        """By the key of a verdict in its list; None while it is being looked for."""
        self._row = row
        """As the list told of it, until the run is read."""
        self._beside = beside
        self._turn = turn
        """The turn to begin at."""
        self._carried = ""
        """What was searched in the run before: it is searched in this one, too."""
        self._again: Timer | None = None
        self._failures = 0
        self.arrived = asyncio.Event()
        """Not set while one is on the way to another run, of which nothing is shown yet."""

    @property
    def row(self) -> RunRow | None:
        """What is known of the run in short."""
        return self._row if self.view is None else self.view.row

    def draw(self) -> None:
        """Show the run as it is known."""
        raise NotImplementedError

    def draw_headline(self) -> None:
        """Show how fresh that is."""
        raise NotImplementedError

    def draw_title(self) -> None:
        """Show what is told above the transcript."""
        raise NotImplementedError

    @work(group="run", exclusive=True)
    async def load(self, anew: bool = False, again: bool = False) -> None:
        """Show what is at hand, then what the server says; with `anew` even if it was asked a moment ago, with `again`
        in the turn of background reads."""
        workspace, run_id = self.state.workspace, self.run_id

        async def asked(session: Session) -> RunView:
            if again:
                await take_turn(session.budget)
            return await session.run(run_id, once=again)

        known, fresh = None, False
        try:
            if self.view is None and not anew:
                known, fresh = await workspace.call(lambda session: session.known_run(run_id))
            if known is not None:
                self._take(known)
            elif self.view is None:
                self.draw()  # it takes longer now: what is read is told
            self.arrived.set()
            if not fresh:
                self._take(view := await workspace.call(asked))
                # A server that cannot be reached is answered for by what is kept.
                self._failures = self._failures + 1 if view.cached else 0
        except CekuraTuiError as error:
            self.error, self._failures = error, self._failures + 1
            if error.exit_status == Exit.KEY_REFUSED and self.view is None:
                self.tell_error(error)  # what is being read is not taken away
            self.draw()
        self.arrived.set()
        if not self.gone:
            self._wait()
            self._look_ahead()

    def _take(self, view: RunView) -> None:
        if self.gone or view.row.id != self.run_id:
            return
        before, self.view, self.error = self.view, view, None
        if before is not None and before.source == view.source:
            self.draw_headline()
            return
        anew = before is None or before.verdicts != view.verdicts or before.transcript != view.transcript
        if before is not None and before.verdicts != view.verdicts:
            self.evidence = None
        self.draw()
        if self._carried and view.transcript.turns:
            self.query_one(Transcript).find(self._carried)
            self._carried = ""
            self.draw_title()
        if self._turn is not None and view.transcript.turns:
            self.query_one(Transcript).go_to(self._turn)
            self._turn = None
        if anew:
            self._find_evidence(view)

    # Where it goes wrong there are no marks, and nothing else is lost.
    @work(group="evidence", exclusive=True, description="evidence", exit_on_error=False)
    async def _find_evidence(self, view: RunView) -> None:
        """The marks come when they are found: nobody waits for them to read, and the call is drawn before."""
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        await drawn.wait()
        try:
            found = await self.state.workspace.call(lambda session: session.evidence(view))
        except CekuraTuiError:
            return  # the program is closing, or the run could not be read again: that is told already
        if self.gone or self.view is None or self.view.row.id != view.row.id:
            return
        by_verdict: dict[Verdict, list[tuple[Evidence, ...]]] = {}
        for verdict, evidence in found:
            by_verdict.setdefault(verdict, []).append(evidence)
        self.evidence = {
            key: by_verdict[verdict].pop(0) if by_verdict.get(verdict) else ()
            for key, verdict in keyed(view.verdicts).items()
            if verdict.state != "na"
        }
        marks = marks_of(found)
        self.query_one(Transcript).show_marks(marks)
        self.query_one(TimelineStrip).mark({n: told[0].state for n, told in marks.items()})
        turns = view.transcript.turns
        told = {key: _turns_text(found, turns) for key, found in self.evidence.items()} if turns else {}
        self.query_one(Verdicts).show_evidence(told)
        self.draw_title()

    # A run that goes on

    @property
    def going_on(self) -> bool:
        """Whether the run has not ended as far as is known."""
        return self.view is not None and not self.view.row.outcome.settled

    @property
    def _may_change(self) -> bool:
        """Whether asking again may tell something else."""
        if self.error is not None:
            return _may_pass(self.error)
        return self.going_on or (self.view is not None and self.view.cached)

    def _wait(self) -> None:
        self.stop_waiting()
        trouble = self.error is not None or (self.view is not None and self.view.cached)
        if self.is_current and self.live and self._may_change:
            wait = min(AGAIN * 2 ** min(self._failures, 5), AT_MOST) if trouble else AGAIN
            self._again = self.set_timer(wait, self._once_more)

    def _once_more(self) -> None:
        self.load(again=True)

    def stop_waiting(self) -> None:
        """Ask no more for now."""
        if self._again is not None:
            self._again.stop()
            self._again = None

    def on_screen_suspend(self) -> None:
        """Something else is shown: nobody looks at this run."""
        self.stop_waiting()

    def on_screen_resume(self) -> None:
        """Back: a run that went on meanwhile is read again."""
        if self.state.workspace.started and self.live and self._may_change:
            self.load()

    # The runs beside it

    @work(group="ahead", exclusive=True)
    async def _look_ahead(self) -> None:
        """Have the next run of the list here before somebody goes to it."""
        view = self.view
        if self._beside is None or view is None or view.cached or self.going_on:
            return
        await asyncio.sleep(0.3)  # whoever leafs through quickly does not want every run that is passed
        try:
            number = await self._beside(self.run_id, 1)
            if number is not None:
                await self.state.workspace.call(lambda session: session.prefetch.fetch(number))
        except CekuraTuiError:
            return  # it is told when somebody goes there


def _may_pass(error: CekuraTuiError) -> bool:
    """Whether the same question may be answered later; not where the server understood it and said no."""
    status = getattr(error, "status", None)
    refused = isinstance(status, int) and 400 <= status < 500 and status not in (408, 429)
    return not refused and error.exit_status != Exit.KEY_REFUSED


def _turns_text(evidence: tuple[Evidence, ...], turns: Sequence[Turn]) -> str:
    """Which turns a verdict speaks of, in words: by their times, as the transcript shows them, where they have some."""
    if not evidence:
        return "no turn is named or quoted"
    hours = clock_cells(max((turn.start or 0.0 for turn in turns), default=0.0)) > 5
    shown = [clock(turns[one.n - 1].start, hours=hours) or f"turn {one.n}" for one in evidence[:6]]
    more = " …" if len(evidence) > 6 else ""
    return f"{', '.join(shown)}{more} ({'enter' if len(evidence) == 1 else 'enter, then e'})"
