"""The keys of a run, and what they do beside leading about in it: neighbours, comparing, handing on, live.

One run: what was said, when, and why it was judged so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import Call
from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.search import At
from cekura_tui.ui.actions import Action, bindings
from cekura_tui.ui.kit.lines import VERDICT_MARKS, Notice, OneLine
from cekura_tui.ui.run.details import RunDetails
from cekura_tui.ui.run.loader import Beside
from cekura_tui.ui.run.navigator import PANES, DetailsPane, RunFind, RunWays, TranscriptPane, VerdictsPane
from cekura_tui.ui.run.timeline import TimelineStrip
from cekura_tui.ui.run.transcript import Transcript
from cekura_tui.ui.run.verdicts import Verdicts


class RunKeys(RunWays):
    """What is done on a run by keys."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("run.back", "escape", "back", "Back", footer=1),
        Action("run.pane", "tab", "pane(1)", "Pane", "the next pane", footer=2),
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
        ),
        Action("run.next-match", "n", "match(1)", "Next match", "next match of a search"),
        Action("run.previous-match", "N", "match(-1)", "Match before", "previous match of a search"),
        Action("run.evidence", "e", "evidence(1)", "Evidence", "the next turn that this verdict speaks of", footer=4),
        Action(
            "run.evidence-before",
            "E",
            "evidence(-1)",
            "Evidence before",
            "the previous turn that this verdict speaks of",
        ),
        Action("run.roles", "t", "roles", "Who is shown", "who is shown: all, without tools, caller, agent, tools"),
        Action("run.slowest", "l", "slowest", "Next slowest answer", "the slowest answer, then the next slowest"),
        Action("run.earlier", "left", "along(-1)", "Back along the timeline", "back along the timeline"),
        Action(
            "run.later",
            "right",
            "along(1)",
            "On along the timeline",
            "on along the timeline; a click on it goes there",
        ),
        Action(
            "run.previous", "left_square_bracket", "go(-1)", "Run before", "previous run of the list", key_display="["
        ),
        Action(
            "run.next", "right_square_bracket", "go(1)", "Next run", "next run of the list", footer=5, key_display="]"
        ),
        Action(
            "run.compare",
            "equals_sign",
            "compare",
            "Beside a passed run",
            "this run beside the last passed one of its scenario",
            key_display="=",
        ),
        Action("run.improve", "i", "improve", "Improve", "improve the prompt from this run", footer=6),
        Action(
            "run.hand-off",
            "y",
            "hand_off",
            "Copy",
            "copy the link, a turn, a verdict, the transcript or the request, or save the transcript",
            footer=7,
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

    _told_end = False
    _steps = 0
    """How many runs on somebody wishes to go, back where negative."""

    # Other runs

    def action_back(self) -> None:
        """End the search, or go to the list, with the cursor on this run."""
        if self._searched.asked:
            self._searched.find("")
            self.draw_title()
        else:
            self.dismiss(self.run_id)  # type: ignore[arg-type] # whoever pushed it may want to know

    def action_go(self, step: int) -> None:
        """To the run above or below in the list; keys that come together go on from each other."""
        if self._beside is None:
            self.tell("This run was opened by its number: there is no list around it.")
            return
        self._steps += step
        self.arrived.clear()
        self._go(self._beside)

    @work(group="neighbour", exclusive=True)
    async def _go(self, beside: Beside) -> None:
        steps = self._steps
        back = -1 if steps > 0 else 1
        try:
            number = await beside(self.run_id, steps)
            beyond = number is None
            while number is None and (steps := steps + back) * back < 0:
                number = await beside(self.run_id, steps)
            listed = not beyond or await beside(self.run_id, 0) is not None
        except CekuraTuiError as error:
            self._steps = 0
            self.arrived.set()
            self.tell_error(error)
            return
        self._steps = 0
        if not self.is_current:
            self.arrived.set()  # something else was wished for meanwhile, of the run that is shown
            return
        if not listed:
            self.tell("This run is no longer in the list.")
        elif beyond and not self._told_end:
            self.tell("That was the last run of the list." if back < 0 else "That was the first run of the list.")
        self._told_end = beyond
        if number is not None:
            self.show_another(number)
        else:
            self.arrived.set()

    def show_another(self, run_id: int) -> None:
        """Another run in place of this one, which stays until it is known whether that is at hand."""
        self.stop_waiting()
        self.workers.cancel_group(self, "evidence")
        self.run_id, self.view, self.error, self.evidence = run_id, None, None, None
        self.walk, self._slow, self._turn, self._row, self._failures = None, -1, None, None, 0
        self._carried = self.query_one(Transcript).asked or self._carried
        self.load()

    def action_compare(self) -> None:
        """Put this run beside the last passed one of its scenario."""
        if self.view is None or not self.view.transcript.turns:
            self.tell("The run is not read yet." if self.view is None else "There is no transcript to compare.")
            return
        from cekura_tui.ui.run.compare import CompareScreen

        run_id = self.run_id
        self.app.push_screen(CompareScreen(self.state, self.view), lambda turn: self._came_back_at(run_id, turn))

    def _came_back_at(self, run_id: int, turn: object) -> None:
        if isinstance(turn, int) and run_id == self.run_id:
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
            self.tell("The run is not read yet.")
            return
        from cekura_tui.ui.run.copy import CopyRunDialog

        key = self.query_one(Verdicts).cursor_key
        told = await self.app.push_screen_wait(
            CopyRunDialog(
                self.state,
                view,
                turn=self.query_one(Transcript).cursor_row,
                verdict=self._verdict_of(key) if key is not None else None,
                dashboard=self.state.workspace.setup.settings.dashboard_url,
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


class RunScreen(RunKeys):
    """Shows one run of a list, two panes where there is room. Leaves with the id of the run shown last."""

    AUTO_FOCUS = "#transcript"
    _drawn: int | None = None
    """The run that is on the screen."""
    _judged_of: tuple[Sequence[Verdict], str] = ((), "")

    def body(self) -> ComposeResult:
        """Headline and timeline, then verdicts or details beside the transcript."""
        yield OneLine(id="run-headline")
        yield TimelineStrip(id="run-timeline")
        with Horizontal(id="run-body"):
            with Vertical(id="run-left"):
                yield OneLine(id="left-title", classes="pane-title")
                yield VerdictsPane(id="verdicts").calling(self.show_evidence_of)
                yield DetailsPane(id="details").calling(self.show_turn_of)
            with Vertical(id="run-right"):
                yield OneLine(id="transcript-title", classes="pane-title")
                yield TranscriptPane(self.moved, id="transcript").calling(self.show_verdict_on)
                yield Notice(id="run-notice")
        yield RunFind(self.found)

    def on_mount(self) -> None:
        """Fetch the run."""
        self.draw()
        self.load()

    def on_resize(self) -> None:
        """Titles are as wide as the screen, and another width has room for other panes."""
        self.show_panes()
        self.draw_title()

    def draw(self) -> None:
        """Everything that is known."""
        if self.gone:
            return
        view = self.view
        transcript, notice = self.query_one(Transcript), self.query_one(Notice)
        turns = view.transcript.turns if view else ()
        transcript.display, notice.display = bool(turns), not turns
        strip = self.query_one(TimelineStrip)
        strip.display = bool(turns)
        self.show_panes()
        other = self._drawn != self.run_id
        self._drawn = self.run_id
        if view is not None:
            transcript.show_call(view.call, reset=other or not transcript.turns)
            strip.show(view.timeline, {} if self.evidence is None else strip.marks)
            strip.put_cursor(transcript.cursor_key if isinstance(transcript.cursor_key, int) else None)
            self.query_one(Verdicts).show_run(view)
            self.query_one(RunDetails).show_run(view)
            why = "Nothing was said yet: this run goes on." if self.going_on else view.transcript.note
            notice.say(why, "tab goes to the verdicts and the details.")
        else:
            if other:
                transcript.show_call(Call(), reset=True)
                self.query_one(Verdicts).show_rows((), reset=True)
                self.query_one(RunDetails).show_nothing()
            if self.error is not None:
                notice.say_error(self.error)
            else:
                notice.say(f"Loading run {self.run_id} …")
        self.draw_headline()
        self.draw_title()
        typing = self.query_one(RunFind).is_open
        if view is not None and not typing and (self.focused is None or self.focused.id in PANES):
            self.set_focus(self.query_one(f"#{self.pane}"))

    def draw_headline(self) -> None:
        """Which run it is, how it ended, and how fresh that is; of one that is not read yet what the list told."""
        text = Text(f" Run {self.run_id} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
        row, view = self.row, self.view
        if row is not None:
            text.append(f" {row.outcome.mark} {clean_line(row.outcome.text, 40)} ")
            if view is not None and (view.cached or self.error is not None):
                why = self.error.title if self.error is not None else view.why
                state = f"not read again ({why})" if why else "cached"
                text.append(f" {state}, as of {self.state.when(view.got_at)}  ", style="yellow")
            elif self.going_on:
                text.append(" live  " if self.live else " paused  ", style="cyan")
            facts = (row.scenario, row.personality, row.agent, row.duration, self.state.when(row.at))
            text.append(" · ".join(clean_line(fact, 60) for fact in facts if fact), style="not bold")
        self.query_one("#run-headline", OneLine).show(text)

    def draw_title(self) -> None:
        """The names of the panes, the one with the focus apart, and what is told of the transcript."""
        if self.gone:
            return
        narrow = not self.has_class("-wide")
        left = Text(no_wrap=True, overflow="ellipsis", end="")
        right = Text(no_wrap=True, overflow="ellipsis", end="")
        searched, seeking = self._searched, []
        if self.view is not None:
            seeking = [*filter(None, (self._search_text(self.query_one(Transcript)), self.walk_text()))]
        _tab(right, "Transcript", here=self.pane == "transcript")
        for title in (right, left) if narrow else (left,):
            if title is right and seeking:
                continue  # there is no room for more than what is sought
            if narrow and title is left:
                _tab(left, "Transcript", here=False)
            _tab(title, f"Verdicts {self._judged()}".rstrip(), here=self.pane == "verdicts")
            _tab(title, "Details", here=self.pane == "details")
        if self.view is not None:
            right.append("  ".join(["", *seeking, self.turns_text()]), style="not bold")
            if self.view.transcript.note and self.view.transcript.turns:
                right.append(f"  {self.view.transcript.note}", style="not bold dim")
            if isinstance(searched, RunDetails):
                left.append(f"  {self._search_text(searched)}", style="not bold")
        self.query_one("#left-title", OneLine).show(left)
        self.query_one("#transcript-title", OneLine).show(right)

    def _judged(self) -> str:
        """How many verdicts of each kind there are."""
        verdicts = self.view.verdicts if self.view else ()
        if verdicts is not self._judged_of[0]:
            kinds = Counter(verdict.state for verdict in verdicts)
            told = (f"{VERDICT_MARKS[state]}{kinds[state]}" for state in ("fail", "review", "pass") if kinds[state])
            self._judged_of = verdicts, " ".join(told)  # of a thousand verdicts it is not counted with every key
        return self._judged_of[1]

    def _search_text(self, searched: Transcript | RunDetails) -> str:
        if not searched.asked:
            return ""
        at = searched.at or At(0, 0)
        where = f"{at.number:,} of {at.of:,}" if at.of else "not found"
        asked = f"“{clean_line(searched.asked, 30)}”"
        return f"{where} {asked}" if isinstance(searched, RunDetails) else f"{asked} {where}"  # there is less room


def _tab(title: Text, name: str, *, here: bool) -> None:
    title.append(f" {name} ", style="reverse" if here else "")
