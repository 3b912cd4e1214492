"""One run: what was said, when, and why it was judged so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.worker import Worker

from cekura_tui.evidence.evidence import Evidence, TurnMark
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.timeline import Call, clock
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.actions import Action, bindings
from cekura_tui.ui.kit.lines import VERDICT_MARKS, Notice, OneLine
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.run.details import RunDetails
from cekura_tui.ui.run.loader import NeighbourOf, RunLoader
from cekura_tui.ui.run.navigator import FindLine, RunNavigator
from cekura_tui.ui.run.timeline import TimelineStrip
from cekura_tui.ui.run.transcript import Transcript
from cekura_tui.ui.run.turn_lines import clock_cells
from cekura_tui.ui.run.verdicts import Verdicts
from cekura_tui.ui.state import AppState


def _until_read(screen: RunScreen) -> str | None:
    return "The run is not read yet." if screen.loader.view is None else None


def _without_turns(screen: RunScreen) -> str | None:
    view = screen.loader.view
    return _until_read(screen) if view is None or view.transcript.turns else "There is no transcript to compare."


def _without_list(screen: RunScreen) -> str | None:
    by_number = "This run was opened by its number: there is no list around it."
    return by_number if screen.loader.neighbour_of is None else None


class RunScreen(Page):
    """Shows one run, two panes where there is room. Leaves with the id of the run shown last."""

    AUTO_FOCUS = "#transcript"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("run.back", "escape", "back", "Back", footer=2),
        Action("run.pane", "tab", "pane(1)", "Pane", "the next pane", footer=1),
        Action("run.pane-before", "shift+tab", "pane(-1)", "Pane before"),
        Action(
            "run.details",
            "d",
            "show_pane('details')",
            "Details",
            "the details: everything that the server told of the run",
        ),
        Action(
            "run.find",
            "slash",
            "find",
            "Find",
            "find in the transcript (`agent: refund` only what the agent said) or in the details",
            footer=3,
            key_display="/",
            why_not=_until_read,
        ),
        Action("run.next-match", "n", "match(1)", "Next match", "next match of a search", why_not=_until_read),
        Action(
            "run.previous-match", "N", "match(-1)", "Match before", "previous match of a search", why_not=_until_read
        ),
        Action(
            "run.evidence",
            "e",
            "evidence(1)",
            "Evidence",
            "the next turn that this verdict speaks of",
            footer=4,
            why_not=_until_read,
        ),
        Action(
            "run.evidence-before",
            "E",
            "evidence(-1)",
            "Evidence before",
            "the previous turn that this verdict speaks of",
            why_not=_until_read,
        ),
        Action(
            "run.roles",
            "t",
            "roles",
            "Who is shown",
            "who is shown: all, without tools, caller, agent, tools",
            why_not=_until_read,
        ),
        Action("run.slowest", "l", "slowest", "Next slowest answer", "the slowest answer, then the next slowest"),
        Action("run.earlier", "left", "along(-1)", "Back along the timeline", "back along the timeline"),
        Action(
            "run.later", "right", "along(1)", "On along the timeline", "on along the timeline; a click on it goes there"
        ),
        Action(
            "run.previous",
            "left_square_bracket",
            "go(-1)",
            "Run before",
            "previous run of the list",
            key_display="[",
            why_not=_without_list,
        ),
        Action(
            "run.next",
            "right_square_bracket",
            "go(1)",
            "Next run",
            "next run of the list",
            footer=5,
            key_display="]",
            why_not=_without_list,
        ),
        Action(
            "run.compare",
            "equals_sign",
            "compare",
            "Beside a passed run",
            "this run beside the last passed one of its scenario",
            key_display="=",
            why_not=_without_turns,
        ),
        Action("run.improve", "i", "improve", "Improve", "improve the prompt from this run", footer=6),
        Action(
            "run.hand-off",
            "y",
            "hand_off",
            "Copy",
            "copy the link, a turn, a verdict, the transcript or the request, or save the transcript",
            footer=7,
            why_not=_until_read,
        ),
        Action("run.live", "L", "live", "Live on or off", "follow a run that goes on, or not"),
        Action("run.refresh", "r", "refresh", "Read anew", "refresh, retry"),
        Action("run.error", "enter", "whole_error", "Show error"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)
    HELP = """\
# Run
`tab` goes through transcript, verdicts and details; `d` to the details. `enter` on a verdict goes to the first turn
that it speaks of, `e` and `E` to the others; on a tool call it unfolds it (`X` all of them), on a turn with a mark it
goes to the verdict. `x` shows a turn, or the whole run, as the server sent it.

Beside a turn stands how a verdict that speaks of it ended, `~` where that is only guessed; below it which and why.
`/` finds in the transcript (`caller:` `agent:` `tool:` before the words: there alone) or in the details, `n` and `N` go
on. `t` shows some roles alone. `l` goes to the slowest answer, then the next slowest; `←` `→` go along the timeline.
`[` and `]` go to the neighbours in the list, `=` puts the run beside the last passed one of its scenario.
`y` copies or saves, `i` has a better prompt proposed, `L` stops and starts following a run that goes on.
"""

    def __init__(
        self,
        state: AppState,
        run_id: int,
        neighbour_of: NeighbourOf | None = None,
        turn: int | None = None,
        row: RunRow | None = None,
    ) -> None:
        super().__init__(state)
        self.loader = RunLoader(state.workspace, self, self._start, run_id, row=row, neighbour_of=neighbour_of)
        self.navigator = RunNavigator(self, self.loader, turn=turn, report=self.notify_once, draw_title=self.draw_title)
        self._drawn: int | None = None
        """The run that is on the screen."""
        self._counted: tuple[Sequence[Verdict], str] = ((), "")
        """Verdicts, and how many there are of each kind: of a thousand they are not counted with every key."""
        self._steps = 0
        """How many runs down the list somebody asked to go, up where negative."""
        self._end_reported = False

    def body(self) -> ComposeResult:
        """Headline and timeline, then verdicts or details beside the transcript."""
        go, keys = self.navigator, self.navigator.handle_key
        yield OneLine(id="run-headline")
        yield TimelineStrip(id="run-timeline")
        with Horizontal(id="run-body"):
            with Vertical(id="run-left"):
                yield OneLine(id="left-title", classes="pane-title")
                yield Verdicts(keys=keys, opened=go.show_evidence_of, id="verdicts")
                yield RunDetails(keys=keys, opened=go.show_turn_of, id="details")
            with Vertical(id="run-right"):
                yield OneLine(id="transcript-title", classes="pane-title")
                yield Transcript(keys=keys, opened=go.show_verdict_on, moved=go.turn_moved, id="transcript")
                yield Notice(id="run-notice")
        yield FindLine(go.find_typed, go.find_entered)

    def on_mount(self) -> None:
        """Fetch the run."""
        self.draw()
        self.loader.load()

    def on_unmount(self) -> None:
        """Nobody looks at it any more."""
        self.loader.pause()

    def on_screen_suspend(self) -> None:
        """Something else is shown: nobody looks at this run."""
        self.loader.pause()

    def on_screen_resume(self) -> None:
        """It is shown again."""
        self.loader.resume()

    def on_resize(self) -> None:
        """Titles are as wide as the screen, and another width has room for other panes."""
        self.navigator.lay_out_panes()
        self.draw_title()

    def watch_focused(self, former: Widget | None, now: Widget | None) -> None:
        """A pane that was hidden for a moment loses the focus, perhaps only after it is shown again."""
        super().watch_focused(former, now)
        if now is None and self.loader.view is not None:
            self.call_later(self.navigator.restore_focus)

    @on(events.DescendantFocus)
    def focus_came(self) -> None:
        """Perhaps by the mouse."""
        self.navigator.follow_focus()

    @on(TimelineStrip.TurnClicked)
    def turn_clicked(self, event: TimelineStrip.TurnClicked) -> None:
        """A click on the timeline."""
        self.query_one(Transcript).go_to(event.n)

    @property
    def row(self) -> RunRow | None:
        """What is known of the run in short."""
        return self.loader.row

    # For the loader

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> Worker[None]:
        # Where looking for evidence goes wrong there are no marks, and nothing else is lost.
        return self.run_worker(work, group=group, exclusive=True, exit_on_error=group != "evidence")

    async def drawn(self) -> None:
        """Wait until what was shown last is drawn."""
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        await drawn.wait()

    # Keys

    def action_back(self) -> None:
        """End the search, or go to the list, with the cursor on this run."""
        if not self.navigator.end_search():
            self.dismiss(self.loader.run_id)  # type: ignore[arg-type] # whoever pushed it may want to know

    def action_pane(self, step: int) -> None:
        """To another pane."""
        self.navigator.next_pane(step)

    def action_show_pane(self, pane: str) -> None:
        """To this pane."""
        self.navigator.show_pane(pane)

    def action_find(self) -> None:
        """Open the line for what is searched."""
        self.navigator.open_find_line()

    def action_match(self, step: int) -> None:
        """To the next match, or the one before."""
        self.navigator.next_match(step)

    def action_evidence(self, step: int) -> None:
        """To the next piece of evidence, or the one before."""
        self.navigator.next_evidence(step)

    def action_roles(self) -> None:
        """Show other roles."""
        self.navigator.next_roles()

    def action_slowest(self) -> None:
        """To the answer that took longest, then to the next slowest."""
        self.navigator.next_slowest()

    def action_along(self, columns: int) -> None:
        """Along the timeline."""
        self.navigator.step_along(columns)

    def action_go(self, step: int) -> None:
        """To the run above or below in the list; keys that come together add up."""
        if self.loader.neighbour_of is None:
            return
        self._steps += step
        self.loader.leave()
        self._go(self.loader.neighbour_of)

    @work(group="neighbour", exclusive=True)
    async def _go(self, neighbour_of: NeighbourOf) -> None:
        steps, run_id = self._steps, self.loader.run_id
        back = -1 if steps > 0 else 1
        try:
            number = await neighbour_of(run_id, steps)
            beyond = number is None
            while number is None and (steps := steps + back) * back < 0:
                number = await neighbour_of(run_id, steps)
            listed = not beyond or await neighbour_of(run_id, 0) is not None
        except CekuraTuiError as error:
            self._steps = 0
            self.loader.stay()
            self.show_error(error)
            return
        self._steps = 0
        if not self.is_current:
            self.loader.stay()  # something else was asked for meanwhile, of the run that is shown
            return
        if not listed:
            self.notify_once("This run is no longer in the list.")
        elif beyond and not self._end_reported:
            self.notify_once(
                "That was the last run of the list." if back < 0 else "That was the first run of the list."
            )
        self._end_reported = beyond
        if number is None:
            self.loader.stay()
        else:
            # This one stays on the screen until it is known whether the other is at hand.
            self.navigator.leave()
            self.loader.show(number)

    def action_compare(self) -> None:
        """Put this run beside the last passed one of its scenario."""
        if (view := self.loader.view) is None:
            return
        from cekura_tui.ui.run.compare import CompareScreen

        def chosen(turn: object) -> None:
            if isinstance(turn, int) and view.row.id == self.loader.run_id:
                self.navigator.show_turn(turn)

        self.app.push_screen(CompareScreen(self.state, view), chosen)

    def action_improve(self) -> None:
        """Improve from this run."""
        self.improve([self.loader.run_id])

    def action_hand_off(self) -> None:
        """Copy or save something of this run."""
        self.opening.begin(self._hand_off, "Reading the run", group="hand-off")

    async def _hand_off(self) -> None:
        if (view := self.loader.view) is None:
            return
        from cekura_tui.ui.run.copy import CopyRunDialog

        row = self.query_one(Verdicts).cursor_row
        done = await self.opening.ask(
            CopyRunDialog(
                self.state,
                view,
                turn=self.query_one(Transcript).cursor_row,
                verdict=row.verdict if row is not None else None,
                dashboard=self.state.workspace.setup.settings.dashboard_url,
                scope=None,
            )
        )
        if done:
            self.notify_once(done)

    def action_live(self) -> None:
        """Follow a run that is running, or no longer."""
        self.loader.follow(not self.loader.live)
        self.draw()

    def action_refresh(self) -> None:
        """Load it again."""
        self.loader.load(reload=True)

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self.loader.error is not None and self.loader.view is None:
            self.show_error(self.loader.error)

    # Drawing

    def draw(self) -> None:
        """Everything that is known."""
        if self.gone:
            return
        loader, view = self.loader, self.loader.view
        transcript, notice = self.query_one(Transcript), self.query_one(Notice)
        turns = view.transcript.turns if view else ()
        transcript.display, notice.display = bool(turns), not turns
        strip = self.query_one(TimelineStrip)
        strip.display = bool(turns)
        self.navigator.lay_out_panes()
        other = self._drawn != loader.run_id
        self._drawn = loader.run_id
        if view is not None:
            transcript.show_call(view.call, reset=other or not transcript.turns)
            strip.show(view.timeline, {} if loader.evidence is None else strip.marks)
            strip.put_cursor(transcript.cursor_key if isinstance(transcript.cursor_key, int) else None)
            self.query_one(Verdicts).show_run(view)
            self.query_one(RunDetails).show_run(view)
            why = "Nothing was said yet: this run goes on." if loader.is_running else view.transcript.note
            notice.show(why, "tab goes to the verdicts and the details.")
            if turns:
                self.navigator.arrive()
        else:
            if other:
                transcript.show_call(Call(), reset=True)
                self.query_one(Verdicts).show_rows((), reset=True)
                self.query_one(RunDetails).show_nothing()
            if loader.error is not None:
                notice.show_error(loader.error)
            else:
                notice.show(f"Loading run {loader.run_id} …")
        self.draw_headline()
        self.draw_title()
        if view is not None:
            self.navigator.restore_focus()

    def draw_headline(self) -> None:
        """Which run it is, how it ended, how fresh that is; until it is loaded as listed."""
        loader = self.loader
        text = Text(f" Run {loader.run_id} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
        row, view, error = loader.row, loader.view, loader.error
        if row is not None:
            text.append(f" {row.outcome.mark} {clean_line(row.outcome.text, 40)} ")
            if view is not None and (view.cached or error is not None):
                why = error.title if error is not None else view.why
                state = f"not read again ({why})" if why else "cached"
                text.append(f" {state}, as of {self.state.when(view.got_at)}  ", style="yellow")
            elif loader.is_running:
                text.append(" live  " if loader.live else " paused  ", style="cyan")
            facts = (row.scenario, row.personality, row.agent, row.duration, self.state.when(row.at))
            text.append(" · ".join(clean_line(fact, 60) for fact in facts if fact), style="not bold")
        self.query_one("#run-headline", OneLine).show(text)

    def draw_title(self) -> None:
        """The names of the panes, the one with the focus apart, and where one is in the transcript."""
        if self.gone:
            return
        go, view = self.navigator, self.loader.view
        narrow = not self.has_class("-wide")
        left = Text(no_wrap=True, overflow="ellipsis", end="")
        right = Text(no_wrap=True, overflow="ellipsis", end="")
        seeking = [] if view is None else [*filter(None, (go.transcript_search(), go.walk_text()))]
        _tab(right, "Transcript", here=go.pane == "transcript")
        for title in (right, left) if narrow else (left,):
            if title is right and seeking:
                continue  # there is no room for more than what is sought
            if narrow and title is left:
                _tab(left, "Transcript", here=False)
            _tab(title, f"Verdicts {self._verdict_counts()}".rstrip(), here=go.pane == "verdicts")
            _tab(title, "Details", here=go.pane == "details")
        if view is not None:
            right.append("  ".join(["", *seeking, go.turns_text()]), style="not bold")
            if view.transcript.note and view.transcript.turns:
                right.append(f"  {view.transcript.note}", style="not bold dim")
            if (searched := go.details_search()) is not None:
                left.append(f"  {searched}", style="not bold")
        self.query_one("#left-title", OneLine).show(left)
        self.query_one("#transcript-title", OneLine).show(right)

    def _verdict_counts(self) -> str:
        """How many verdicts of each kind there are."""
        verdicts = self.loader.view.verdicts if self.loader.view else ()
        if verdicts is not self._counted[0]:
            kinds = Counter(verdict.state for verdict in verdicts)
            counts = (f"{VERDICT_MARKS[state]}{kinds[state]}" for state in ("fail", "review", "pass") if kinds[state])
            self._counted = verdicts, " ".join(counts)
        return self._counted[1]

    def show_evidence(self, marks: Mapping[int, Sequence[TurnMark]]) -> None:
        """These verdicts cite these turns."""
        view, evidence = self.loader.view, self.loader.evidence or {}
        self.query_one(Transcript).show_marks(marks)
        self.query_one(TimelineStrip).mark({n: some[0].state for n, some in marks.items()})
        turns = view.transcript.turns if view is not None else ()
        cited = {key: _cited_turns(found, turns) for key, found in evidence.items()} if turns else {}
        self.query_one(Verdicts).show_evidence(cited)
        self.draw_title()


def _cited_turns(evidence: tuple[Evidence, ...], turns: Sequence[Turn]) -> str:
    """Which turns a verdict speaks of, by their times as the transcript shows them."""
    if not evidence:
        return "no turn is named or quoted"
    hours = clock_cells(max((turn.start or 0.0 for turn in turns), default=0.0)) > 5
    shown = [clock(turns[one.n - 1].start, hours=hours) or f"turn {one.n}" for one in evidence[:6]]
    more = " …" if len(evidence) > 6 else ""
    return f"{', '.join(shown)}{more} ({'enter' if len(evidence) == 1 else 'enter, then e'})"


def _tab(title: Text, name: str, *, here: bool) -> None:
    title.append(f" {name} ", style="reverse" if here else "")
