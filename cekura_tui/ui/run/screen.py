"""The screen of one run: transcript, timeline, verdicts and details."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one
from textual.screen import ModalScreen
from textual.widget import Widget

from cekura_tui.evidence.evidence import Findings, TurnMark
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.verdict import State
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.run.words import missing_words
from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.timeline import Call, clock, have_hours, needs_hours, time_of
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import NOTED, VERDICT_MARKS, Notice, OneLine, state_style
from cekura_tui.ui.kit.page import Page, error_action
from cekura_tui.ui.kit.pane import Pane, title_parts
from cekura_tui.ui.messages import WriteNote
from cekura_tui.ui.run.details import RunDetails
from cekura_tui.ui.run.find_line import FindInput, FindLine
from cekura_tui.ui.run.loader import NeighbourOf, RunLoader
from cekura_tui.ui.run.navigator import RunNavigator
from cekura_tui.ui.run.timeline import TimelineStrip
from cekura_tui.ui.run.transcript import TranscriptView
from cekura_tui.ui.run.verdicts import Verdicts, keyed
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

if TYPE_CHECKING:
    from cekura_tui.ui.run.playing import Playback

_COUNTED: tuple[State, ...] = ("fail", "review", "pass")


def _unless_loaded(screen: RunScreen) -> str | None:
    return "The run is still loading." if screen.loader.view is None else None


def _unless_comparable(screen: RunScreen) -> str | None:
    view = screen.loader.view
    return _unless_loaded(screen) if view is None or view.transcript.turns else "This run has no transcript to compare."


def _unless_from_list(screen: RunScreen) -> str | None:
    return "This run was opened by its ID, not from a list." if screen.loader.neighbour_of is None else None


def _unless_recorded(screen: RunScreen) -> str | None:
    view = screen.loader.view
    recorded = view is None or view.source.get("voice_recording_url")
    return _unless_loaded(screen) if recorded else "This run has no recording."


def _unless_playing(screen: RunScreen) -> str | None:
    return None if screen.playback is not None and screen.playback.label else NOT_OFFERED


def _unless_cited(screen: RunScreen) -> str | None:
    evidence, view = screen.loader.evidence, screen.loader.view
    if evidence is None or view is None or any(found.turns for found in evidence.values()):
        return _unless_loaded(screen)
    return "No verdict cites a turn: a review decided the outcome." if view.review else "No verdict cites a turn."


_of_run = partial(Action, why_not=_unless_loaded)
_of_list = partial(Action, why_not=_unless_from_list)
_cited = partial(Action, why_not=_unless_cited)
_recorded = partial(Action, why_not=_unless_recorded)
_playing = partial(Action, why_not=_unless_playing, footer=1)


class RunScreen(Page):
    """Shows one run, in two panes if there is room; returns the id of the run shown last. `turn` is the turn to begin
    at, `find` a search to repeat. `row` and `neighbour_of` come from the list, if any."""

    PLACE = "In a run"
    PARTS = (TranscriptView, Verdicts, RunDetails, FindInput)
    AUTO_FOCUS = "#transcript"
    FIRST_READS = ("run", "evidence")
    strip, transcript = query_one(TimelineStrip), query_one(TranscriptView)
    verdicts, details, find_line = query_one(Verdicts), query_one(RunDetails), query_one(FindLine)
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("run.pane", "tab", lambda run: run.navigator.next_pane(1), "Pane", "the next pane", footer=1),
        Action("run.pane-before", "shift+tab", lambda run: run.navigator.next_pane(-1), "Previous pane"),
        _cited(
            "run.evidence",
            "e",
            lambda run: run.navigator.walk.step(1),
            "Evidence",
            "the next turn that the verdict cites, the surest first",
            footer=2,
        ),
        _cited(
            "run.evidence-before",
            "E",
            lambda run: run.navigator.walk.step(-1),
            "Previous evidence",
            "the previous turn that the verdict cites",
        ),
        Action(
            "run.improve",
            "i",
            lambda run: run.improve([run.loader.run_id]),
            "Improve",
            "improve the agent's prompt from this run",
            footer=3,
        ),
        _of_run("run.test", "T", lambda run: run.test([run.loader.run_id]), "Test", "call its scenario again", 9),
        _of_run(
            "run.find",
            "slash",
            lambda run: run.navigator.open_find_line(),
            "Find",
            "find in the transcript (`agent: refund` searches the agent's turns only) or in the details",
            footer=4,
        ),
        _of_run(
            "run.next-match", "n", lambda run: run.navigator.next_match(1), "Next match", "next match of the search"
        ),
        _of_run(
            "run.previous-match",
            "N",
            lambda run: run.navigator.next_match(-1),
            "Previous match",
            "previous match of the search",
        ),
        Action(
            "run.stop",
            "escape,semicolon",
            lambda run: run.sound().stop(),
            "Stop",
            "stop playing or fetching the recording",
            footer=1,
            why_not=lambda run: None if run.playback and run.playback.is_active else NOT_OFFERED,
        ),
        Action(
            "run.end-search",
            "escape",
            lambda run: run.navigator.end_search(),
            "Clear search",
            footer=5,
            why_not=lambda run: None if run.navigator.is_searching else NOT_OFFERED,
        ),
        Action("run.back", "escape", lambda run: run.dismiss(run.loader.run_id), "Back", footer=5),
        _recorded(
            "run.play",
            "full_stop",
            lambda run: run.sound().play_or_pause(),
            "Play or pause",
            "hear the recording (audio) from the turn under the cursor, or pause",
            footer=1,
            label_now=lambda run: run.playback and run.playback.label,
        ),
        _playing("run.play-on", "right_square_bracket", lambda run: run.sound().step(5), "5 s on"),
        _playing("run.play-back", "left_square_bracket", lambda run: run.sound().step(-5), "5 s back"),
        _recorded(
            "run.by-sound",
            "comma",
            lambda run: run.sound().show_by_sound(),
            "By sound",
            "the timeline by the sound of the recording, or by the transcript",
        ),
        _of_list("run.next", "right_square_bracket", lambda run: run.go(1), "Next run", "next run in the list", 6),
        _of_list(
            "run.previous", "left_square_bracket", lambda run: run.go(-1), "Previous run", "previous run in the list"
        ),
        _of_run(
            "run.hand-off",
            "y",
            lambda run: run.copy_or_save(),
            "Copy or save",
            "copy or save the link, a turn, a verdict, the transcript or the request",
            footer=7,
        ),
        Action(
            "run.compare",
            "equals_sign",
            lambda run: run.compare(),
            "Compare",
            "compare with the last passed run of the scenario",
            footer=8,
            command="Compare with a passed run",
            why_not=_unless_comparable,
        ),
        Action(
            "run.details",
            "d",
            lambda run: run.navigator.toggle_details(),
            "Details",
            "everything that the server sent about the run, or back to the transcript",
        ),
        _of_run(
            "run.roles",
            "t",
            lambda run: run.navigator.next_roles(),
            "Speakers",
            "choose the speakers: all, without tools, caller, agent, tools",
        ),
        Action(
            "run.slowest",
            "l",
            lambda run: run.navigator.next_slowest(),
            "Slowest answer",
            "the slowest answer, then the next slowest",
        ),
        Action(
            "run.note",
            "m",
            lambda run: run.state.ask(WriteNote(run.loader.run_id, run.draw_note)),
            "Note",
            "write a note on this run; notes stay on this machine",
        ),
        Action(
            "run.later",
            "right",
            lambda run: run.navigator.step_along(1),
            "Later",
            "later in the call; a click on the timeline also works",
        ),
        Action("run.earlier", "left", lambda run: run.navigator.step_along(-1), "Earlier", "earlier in the call"),
        Action("run.live", "L", lambda run: run.toggle_live(), "Live on or off", "follow a running run, or pause"),
        Action("run.refresh", "r", lambda run: run.loader.load(reload=True), "Reload", "reload the run"),
        error_action("run"),
    )
    HELP = """\
# Run
`{run.pane}` goes from pane to pane, and to the turn that the verdict under the cursor cites. `{verdicts.open}` on a
verdict goes to the surest turn that it cites; `{run.evidence}` and `{run.evidence-before}` go through the others.
`{list.open}` on a cited turn goes back to its verdict, and on a tool call unfolds the call.

A mark beside a turn shows how the verdict that cites it ended; `~` marks a guess. The lines below the turn name the
verdict and say why the turn is its evidence.

`{run.find}` finds words in the transcript or text in the details; `fee*` finds longer words, too. `caller:`, `agent:`
or `tool:` in front searches only their turns. `{run.next-match}` and `{run.previous-match}` go to the next and the
previous match. `{app.search-runs}` searches the transcripts of other runs.

`{run.play}` plays the recording from the turn under the cursor, and pauses. `{run.by-sound}` shows the timeline by
what is heard: who speaks over whom, how late the answers are, and speech that the transcript does not have.

`{run.improve}` proposes a better prompt from this run. `{run.compare}` compares the run with the last passed run of
its scenario. `{run.test}` calls the scenario again, to test a changed prompt.
"""

    def __init__(
        self,
        state: AppState,
        run_id: int,
        neighbour_of: NeighbourOf | None = None,
        turn: int | None = None,
        row: RunRow | None = None,
        find: str = "",
    ) -> None:
        super().__init__(state)
        self.loader = RunLoader(self, run_id, row, neighbour_of)
        self.navigator = RunNavigator(self, turn=turn, find=find)
        self.playback: Playback | None = None
        """The recording of the run; None until the user wants to hear it."""
        self._drawn: int | None = None
        self._drawn_search = False
        """Whether a search was active when the titles were last drawn."""
        self._steps = 0
        """Number of rows still to move in the list of runs: down if positive, up if negative."""

    def body(self) -> ComposeResult:
        go, keys = self.navigator, self.navigator.handle_key
        yield OneLine(id="run-headline")
        yield OneLine(id="run-note")
        yield Pane(TimelineStrip(id="run-timeline", classes="padded"), title="Timeline", id="run-times")
        with Horizontal(id="run-body"):
            with Pane(id="run-left"):
                yield Verdicts(keys=keys, opened=go.walk.begin, id="verdicts")
                yield RunDetails(keys=keys, opened=go.show_turn_of, id="details")
            with Pane(id="run-right"):
                yield TranscriptView(keys=keys, opened=go.walk.show_verdict_on, moved=go.turn_moved, id="transcript")
                yield Notice(id="run-notice")
        yield FindLine(go.find_typed, go.find_entered)

    def on_mount(self) -> None:
        self.draw()
        self.loader.load()

    def on_unmount(self) -> None:
        self.loader.pause()
        self.leave_sound()

    def on_screen_suspend(self) -> None:
        self.loader.pause()
        if self.playback is not None and not isinstance(self.app.screen, ModalScreen):
            self.playback.stop()

    def on_screen_resume(self) -> None:
        self.draw_note()  # another screen may have changed it
        self.loader.resume()

    def on_resize(self) -> None:
        self.navigator.lay_out_panes()
        self.draw_headline()
        self.draw_times()
        self.draw_title()

    def watch_focused(self, former: Widget | None, now: Widget | None) -> None:
        """Restore the focus if a pane lost the focus because the pane was briefly hidden."""
        if now is None and self.loader.view is not None:
            self.call_later(self.navigator.restore_focus)

    @on(events.DescendantFocus)
    def focus_came(self) -> None:
        self.navigator.follow_focus()

    @on(TimelineStrip.TurnClicked)
    def turn_clicked(self, event: TimelineStrip.TurnClicked) -> None:
        self.transcript.go_to(event.n)

    # Keys

    def go(self, step: int) -> None:
        """Go to the run `step` rows below in the list. The steps of rapid key presses add up."""
        if self.loader.neighbour_of is None:
            return
        self._steps += step
        self.loader.arrived.clear()
        self._go(self.loader.neighbour_of)

    @work(group="neighbour", exclusive=True)
    async def _go(self, neighbour_of: NeighbourOf) -> None:
        step, run_id = self._steps, self.loader.run_id
        back = -1 if step > 0 else 1
        try:
            while (number := await neighbour_of(run_id, step)) is None and step:
                step += back
        except CekuraTuiError as error:
            self._steps = 0
            self.loader.arrived.set()
            self.show_error(error)
            return
        wanted, self._steps = self._steps, 0
        if self.is_current and number is None:
            self.notify_once("This run is no longer in the list.")
        elif self.is_current and step != wanted:
            self.notify_once("This is the last run in the list." if back < 0 else "This is the first run in the list.")
        if number in (None, run_id) or not self.is_current:  # the user may have opened another screen meanwhile
            self.loader.arrived.set()
        else:
            # This run stays on screen until the other is read from the cache or found missing there.
            self.navigator.leave()
            self.leave_sound()
            self.loader.show(number)

    def compare(self) -> None:
        if (view := self.loader.view) is None:
            return
        from cekura_tui.ui.run.compare import CompareScreen

        def chosen(turn: object) -> None:
            if isinstance(turn, int) and view.row.id == self.loader.run_id:
                self.navigator.show_turn(turn)

        self.app.push_screen(CompareScreen(self.state, view), chosen)

    def copy_or_save(self) -> None:
        if (view := self.loader.view) is None:
            return
        from cekura_tui.ui.run.copy import copy_run_dialog

        row, turn = self.verdicts.cursor_row, self.transcript.cursor_row
        cited = self.navigator.walk.evidence_of(row.key) if row and self.navigator.pane == "verdicts" else ()
        turn = None if turn is not None and turn.n % 1 else turn  # heard, but not in the transcript
        dialog = copy_run_dialog(
            self.state,
            view,
            turns={one.n: one.sure for one in cited} or ({turn.n: "sure"} if turn is not None else {}),
            verdict=row.verdict if row is not None else None,
            verdict_first=self.navigator.pane == "verdicts",
        )
        self.app.push_screen(dialog, self.notify_once)

    def sound(self) -> Playback:
        from cekura_tui.ui.run.playing import Playback

        assert self.loader.view is not None
        if self.playback is None:
            self.playback = Playback(self, self.loader.view)
        return self.playback

    def leave_sound(self) -> None:
        if self.playback is not None:
            self.playback.leave()
            self.playback = None

    def toggle_live(self) -> None:
        self.loader.follow(not self.loader.live)
        self.draw()

    # Drawing

    def draw(self) -> None:
        if self.is_unmounted:
            return
        loader, view = self.loader, self.loader.view
        transcript, strip = self.transcript, self.strip
        turns = view.transcript.turns if view else ()
        empty = f"Loading run {loader.run_id} …", ""
        if view is not None:
            why = "No turns yet: the run is still in progress." if loader.is_running else view.transcript.note
            empty = why, with_keys("Press {run.pane} for the verdicts and the details.")
        error = loader.error if view is None else None
        self.show_state(transcript, loaded=bool(turns), error=error, empty=empty, focus=False)
        self.query_one("#run-times").display = bool(turns)
        self.navigator.lay_out_panes()
        other = self._drawn != loader.run_id
        self._drawn = loader.run_id
        if view is not None:
            if self.playback is not None and self.playback.view.transcript != view.transcript:
                self.leave_sound()
            shown = (self.playback and self.playback.by_sound) or view
            transcript.show_call(shown.call, reset=other or not transcript.turns)
            strip.show(shown.timeline, {} if loader.evidence is None else strip.marks)
            strip.move_cursor(transcript.cursor_key if isinstance(transcript.cursor_key, int | float) else None)
            self.verdicts.show_run(view)
            if turns:
                self.navigator.arrive()
        elif other:
            transcript.show_call(Call(), reset=True)
            self.verdicts.show_rows((), reset=True)
            self.details.show_nothing()
        self.draw_headline()
        self.draw_note()
        self.draw_times()
        self.draw_title()
        if view is not None:
            self.navigator.restore_focus()

    def draw_headline(self) -> None:
        """Draw the run's facts, outcome and freshness. Until the run is loaded, draw the facts of its listed row."""
        row = self.loader.row
        if row is None:
            self.query_one("#run-headline", OneLine).show(Content.styled(f"Run {self.loader.run_id}", "bold"))
            return
        chip = f" {clean_line(row.chip, 42)} "
        freshness, ink = self._freshness()
        state = freshness and f"  {freshness}"
        style = state_style(row.outcome.kind)
        left = Content.assemble((f"Run {row.id}", "bold"), " ", (chip, style), (state, ink), "  ")
        right = "  " + " · ".join(filter(None, (clean_line(row.duration, 20), self.state.when(row.at))))
        room = max(self.size.width - 2 - left.cell_length - len(right), 0)
        facts = " · ".join(clean_line(fact, 60) for fact in (row.scenario, row.personality, row.agent) if fact)
        headline = Content.assemble(left, fit(facts, room), (right, "$muted"))
        self.query_one("#run-headline", OneLine).show(headline)

    def draw_note(self) -> None:
        """Draw the user's note on the run below the headline and in the details."""
        if self.is_unmounted:
            return
        note, line = self.state.notes().get(self.loader.run_id, ""), self.query_one("#run-note", OneLine)
        line.display = bool(note)
        line.show(Content.assemble((f"{NOTED} ", "bold $accent"), clean_line(note, None)))
        if (view := self.loader.view) is not None:
            self.details.show_run(view, note)

    def _freshness(self) -> tuple[str, str]:
        """How fresh the run is, in words and as a colour. Both are empty for a finished run that was just loaded."""
        loader, view = self.loader, self.loader.view
        if view is not None and (view.cached or loader.error is not None):
            why = loader.error.title if loader.error is not None else view.why
            cached = f"cached {self.state.when(view.got_at)}"
            return f"{cached} ({clean_line(why, 60)})" if why else cached, "$warning"
        if loader.is_running:
            return ("live", "$info") if loader.live else ("paused", "$muted")
        return "", ""

    def draw_times(self) -> None:
        view, strip = self.loader.view, self.strip
        length = clock(strip.timeline.length, hours=needs_hours(strip.timeline.length))
        name, facts = "Timeline", [length] if strip.timeline.has_times else []
        if self.playback is not None and view is not None:
            name, facts = self.playback.title(facts)
        room = self.size.width - len(" · ".join((f"╭─ {name}", *facts, "─╮")))
        figures = strip.figures(room, answers=name == "Timeline") if facts else ()
        self.query_one("#run-times", Pane).show_title(name, *facts, *figures)

    def draw_title(self) -> None:
        if self.is_unmounted:
            return
        go, view = self.navigator, self.loader.view
        if self._drawn_search != go.is_searching:
            self._drawn_search = go.is_searching
            self.refresh_bindings()
        left, right = self.query_one("#run-left", Pane), self.query_one("#run-right", Pane)
        narrow, folded = not self.has_class("-wide"), right.is_folded
        seeking, walks, note, shown = go.transcript_search(), go.walk.texts(), "", ""
        if view is not None and view.transcript.turns:
            note, shown = view.transcript.note, go.turns_text()
        walk = walks[0] if walks else ""
        turns = [*filter(None, (seeking, walk if folded else "", shown, note if folded else ""))]
        verdicts = _Tab("verdicts", f"Verdicts {self._verdict_counts()}".rstrip(), ())
        details = _Tab("details", "Details", (go.details_search(),))
        transcript = _Tab("transcript", "Transcript", turns)
        if narrow:
            short, steps = "text only" if note else "", walks[1:] if folded else ()
            known = [(seeking,)] if seeking else [*((step,) for step in steps), (shown, short), (shown,)]
            tried = ([_Tab("transcript", "Transcript", facts), verdicts, details] for facts in (*known, ()))
            room = self.size.width - 6  # without the frame around the title
            tabs = next(tabs for tabs in tried if not tabs[0].facts or _tabs_title(tabs, go.pane).cell_length <= room)
            if seeking and not tabs[0].facts and go.pane == "transcript":
                tabs = [transcript]  # no room for other names beside the search
            left.set_title(_tabs_title(tabs, go.pane))
            right.set_title(_tabs_title(tabs, go.pane))
        else:
            left.set_title(_tabs_title([verdicts, details], go.side_pane))
            right.set_title(_tabs_title([transcript], "transcript"))
        right.show_footnote("" if folded else walk or note)

    def _verdict_counts(self) -> str:
        kinds = Counter(one.state for one in view.judgements) if (view := self.loader.view) else {}
        return " ".join(f"{VERDICT_MARKS[state]}{n}" for state in _COUNTED if (n := kinds.get(state, 0)))

    def show_evidence(self, marks: Mapping[int, Sequence[TurnMark]]) -> None:
        view, evidence = self.loader.view, self.loader.evidence or {}
        self.transcript.show_marks(marks)
        cited = {n: [mark.state for mark in some if mark.sure != "closest"] for n, some in marks.items()}
        self.strip.mark({n: states[0] for n, states in cited.items() if states})
        turns = view.transcript.turns if view is not None else ()
        shown = {key: _evidence_words(found, turns) for key, found in evidence.items()} if turns else {}
        if turns and view is not None and self.loader.evidence is not None:
            judged = (key for key, verdict in keyed(view).items() if verdict.state != "na")
            shown |= {key: _UNREAD for key in judged if key not in evidence}
        self.verdicts.show_evidence(shown)
        self.refresh_bindings()  # the tip about cited turns
        self.draw_times()
        self.draw_title()


_UNREAD = "turns not looked for: the explanations of this run are very long"


def _evidence_words(findings: Findings, turns: Sequence[Turn]) -> str:
    """The times of the turns that a verdict cites, then the missing quotes on a line of their own."""
    hours, found = have_hours(turns), {word: list[str]() for word in ("cites", "perhaps", "closest turns")}
    for one in findings.turns:
        word = {"sure": "cites", "closest": "closest turns"}.get(one.sure, "perhaps")
        found[word].append(time_of(turns[one.n - 1], hours=hours))
    more = {word: f" and {len(times) - 6} more" if len(times) > 6 else "" for word, times in found.items()}
    listed = " · ".join(f"{word} {', '.join(times[:6])}{more[word]}" for word, times in found.items() if times)
    return "\n".join(filter(None, (listed, missing_words(findings.missing))))


class _Tab(NamedTuple):
    pane: str
    name: str
    facts: Sequence[str]


def _tabs_title(tabs: Sequence[_Tab], current: str) -> Content:
    """A title that names all panes in `tabs`, which share a place. If there are several, ▸ marks the current pane."""
    parts: list[tuple[str, str]] = []
    for tab in tabs:
        if parts:
            parts.append((" │ ", "not bold $faint"))
        if tab.pane == current:
            parts += title_parts(f"▸ {tab.name}" if len(tabs) > 1 else tab.name, tab.facts)
        else:
            parts.append((" ".join(filter(None, (tab.name, *tab.facts[:1]))), "not bold $muted"))
    return Content.assemble(*parts)
