"""One run: what was said, when, and why it was judged so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from cekura_tui.model.call import Call
from cekura_tui.model.text import clean_line
from cekura_tui.model.turn_search import At
from cekura_tui.model.verdict import Verdict
from cekura_tui.ui.screens.run_keys import RunKeys
from cekura_tui.ui.screens.run_panes import DetailsPane, RunFind, TranscriptPane, VerdictsPane
from cekura_tui.ui.screens.run_ways import PANES
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.one_line import OneLine
from cekura_tui.ui.widgets.run_details import RunDetails
from cekura_tui.ui.widgets.signs import VERDICT_MARKS
from cekura_tui.ui.widgets.timeline import TimelineStrip
from cekura_tui.ui.widgets.transcript import Transcript
from cekura_tui.ui.widgets.verdicts import Verdicts


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
                text.append(f" {state}, as of {self.board.when(view.got_at)}  ", style="yellow")
            elif self.going_on:
                text.append(" live  " if self.live else " paused  ", style="cyan")
            facts = (row.scenario, row.personality, row.agent, row.duration, self.board.when(row.at))
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
