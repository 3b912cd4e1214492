"""Navigation within a run: panes, search, timeline and slow answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Hashable
from typing import TYPE_CHECKING

from textual import events
from textual.widget import Widget
from textual.widgets import Input

from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.search import MatchNumber
from cekura_tui.model.transcript.transcript import turns_text
from cekura_tui.ui.actions import ACTIONS
from cekura_tui.ui.keymap import keymap_in_use, with_keys
from cekura_tui.ui.kit.keys_in_order import do_binding, handled_elsewhere
from cekura_tui.ui.run.details import RunDetails
from cekura_tui.ui.run.evidence_walk import EvidenceWalk
from cekura_tui.ui.run.transcript import TranscriptView

if TYPE_CHECKING:
    from cekura_tui.ui.run.screen import RunScreen

PANES = ("transcript", "verdicts", "details")
_KEY_WAIT = 1.0
"""Maximum seconds that a key waits for a loading run."""
_NO_MATCH = "No match here · {app.search-runs} searches other runs"


class RunNavigator:
    """Switches panes, and moves between turns, matches and evidence: first to `turn` and the search `find`, if any."""

    def __init__(self, screen: RunScreen, *, turn: int | None, find: str) -> None:
        self.pane = "transcript"
        self._screen, self._loader = screen, screen.loader
        self.side_pane = "verdicts"
        """The pane shown beside the transcript."""
        self.walk = EvidenceWalk(screen)
        self._slow = -1
        """Index of the current answer in the list of answers, slowest first; -1 before the first answer."""
        self._carried_search = find
        """The search to repeat in the next run, taken from the previous run or the search of all transcripts."""
        self._begin_at = turn

    def leave(self) -> None:
        """Forget all positions in this run before another run is shown, but keep the search for the other run."""
        self.walk.end()
        self._slow, self._begin_at = -1, None
        self._carried_search = self._screen.transcript.search_query or self._carried_search

    def arrive(self) -> None:
        """Repeat the search from the previous run, and go to the turn to begin at. Called once the run is drawn."""
        if self._carried_search:
            self._screen.transcript.find(self._carried_search, self._begin_at)
            self._carried_search = ""
        if self._begin_at is not None:
            if self._screen.transcript.cursor_key != self._begin_at:
                self._screen.transcript.go_to(self._begin_at)
            self._begin_at = None

    async def handle_key(self, pane: Widget, event: events.Key) -> None:
        """Handle a key in `pane`, after waiting `_KEY_WAIT` for a loading run, unless the key goes to another run."""
        arrived = self._loader.arrived
        keymap = keymap_in_use()
        skip_keys = ("run.next", "run.previous")  # these skip the loading run
        if not arrived.is_set() and not any(event.key in keymap.keys_of(ACTIONS[one]) for one in skip_keys):
            # Keys typed after the one that opened another run are meant for that run.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), _KEY_WAIT)
        if not await handled_elsewhere(pane, event):
            await do_binding(pane, event)

    def next_pane(self, step: int) -> None:
        pane = PANES[(PANES.index(self.pane) + step) % len(PANES)]
        if pane != "transcript" or not self.walk.begin_unread():
            self.show_pane(pane)

    def toggle_details(self) -> None:
        if back := self.pane == "details":
            self.side_pane = "verdicts"
        self.show_pane("transcript" if back else "details")

    def show_pane(self, pane: str) -> None:
        """Show and focus a pane, in a narrow terminal in place of the former pane. Close an open find line."""
        if self._screen.find_line.is_open:
            self._screen.find_line.close(self._screen.find_line.query_one(Input).value)  # keep the search
        self.pane = pane
        if pane != "transcript":
            self.side_pane = pane
        self.lay_out_panes()
        # Not deferred: the next key may already be queued.
        self._screen.set_focus(self._screen.query_one(f"#{pane}"))
        self._screen.draw_title()

    def lay_out_panes(self) -> None:
        """Show the transcript and a pane if there is room, else the current pane; until a run is loaded, the notice."""
        # Not by a CSS class on the screen: that restyles all its widgets, which is slow.
        wide = self._screen.has_class("-wide")
        shown = self.pane if self._loader.view is not None else "transcript"
        self._screen.query_one("#run-left").display = wide or shown != "transcript"
        self._screen.query_one("#run-right").display = wide or shown == "transcript"
        for name in ("verdicts", "details"):
            self._screen.query_one(f"#{name}").display = name == self.side_pane

    def restore_focus(self) -> None:
        """Focus the current pane, unless the find line is open or a widget outside the panes has the focus."""
        focused = self._screen.focused
        if not self._screen.find_line.is_open and (focused is None or focused.id in PANES):
            self._screen.set_focus(self._screen.query_one(f"#{self.pane}"))

    def follow_focus(self) -> None:
        """Switch to the pane that the user focused with the mouse."""
        focused = self._screen.focused
        # Until a run is loaded its panes are hidden, and Textual moves the focus on its own.
        other = focused is not None and (focused.id != self.pane or self._screen.find_line.is_open)
        if self._loader.view is not None and focused is not None and focused.id in PANES and other:
            self.show_pane(focused.id)

    @property
    def _searched(self) -> TranscriptView | RunDetails:
        return self._screen.details if self.pane == "details" else self._screen.transcript

    def open_find_line(self) -> None:
        """Open the find line, for the details if that pane is current, else for the transcript."""
        if self.pane == "verdicts":
            self.show_pane("transcript")
        self._screen.find_line.begin(self._searched.search_query, self._screen.transcript.cursor_key)

    def find_typed(self, text: str, begun_at: int | None) -> None:
        """Search the transcript as the user types. The details, which may be long, are searched only on enter."""
        searched = self._searched
        if isinstance(searched, TranscriptView) and text != searched.search_query:
            searched.find(text, begun_at)
            self._screen.draw_title()

    def find_entered(self, text: str, begun_at: int | None) -> None:
        """Search for `text`, then focus the searched pane. An empty text ends the search."""
        searched = self._searched
        if text != searched.search_query:
            if isinstance(searched, TranscriptView):
                searched.find(text, begun_at)
            else:
                searched.find(text)
                searched.next_match(1)
        if isinstance(searched, TranscriptView) and text and not (searched.match_number and searched.match_number.of):
            self._screen.notify_once(with_keys(_NO_MATCH))
        self._screen.set_focus(searched)
        self._screen.draw_title()

    @property
    def is_searching(self) -> bool:
        return bool(self._searched.search_query)

    def end_search(self) -> None:
        self._searched.find("")
        self._screen.draw_title()

    def next_match(self, step: int) -> None:
        searched = self._searched
        if not searched.search_query:
            self.open_find_line()
        elif not searched.next_match(step):
            self._screen.notify_once(with_keys(_NO_MATCH) if isinstance(searched, TranscriptView) else "No matches.")
        self._screen.draw_title()

    def transcript_search(self) -> str:
        return " ".join(_search_words(self._screen.transcript))

    def details_search(self) -> str:
        words = _search_words(self._screen.details) if self.pane == "details" else ()
        return " ".join(reversed(words))  # the position first, since the query may be cut off

    def show_turn_of(self, path: Hashable) -> None:
        """Go from a property in the details to the turn that contains the property, if any."""
        view = self._loader.view
        match path:
            case ("transcript_object", int(place), *_) if view is not None and view.transcript.form == "turns":
                self.show_turn(place + 1)

    def show_turn(self, turn: int) -> None:
        self._screen.transcript.go_to(turn)
        self.show_pane("transcript")

    @property
    def turn_to_hear(self) -> Hashable:
        """The turn under the cursor, on a verdict the first turn that it cites."""
        cited = self.walk.evidence_of(self._screen.verdicts.cursor_key) if self.pane == "verdicts" else ()
        sure = [one.n for one in cited if one.sure == "sure"]
        return min(sure or [one.n for one in cited], default=self._screen.transcript.cursor_key)

    def turn_moved(self, turn: Hashable) -> None:
        self._screen.strip.move_cursor(turn if isinstance(turn, int | float) else None)
        self._screen.draw_title()

    def step_along(self, columns: int) -> None:
        turn = self._screen.strip.step(columns)
        if self.pane == "transcript" and turn is not None:
            self._screen.transcript.go_to(turn)

    def next_slowest(self) -> None:
        if self._loader.view is None:
            return
        timeline = self._screen.strip.timeline
        slowest = timeline.slowest_first
        if not slowest:
            self._screen.notify_once(timeline.note or "No answer of the agent has a time.")
            return
        self._slow = (self._slow + 1) % len(slowest)
        answer = slowest[self._slow]
        self.show_turn(answer.turn)
        self._screen.notify_once(f"Answer {self._slow + 1} of {len(slowest)}, slowest first: {answer.seconds:.1f} s")

    def next_roles(self) -> None:
        self._screen.transcript.next_roles()
        self._screen.draw_title()

    def turns_text(self) -> str:
        transcript = self._screen.transcript
        total = turns_text(transcript.turns)
        return f"{len(transcript.rows):,} of {total}, {transcript.roles}" if transcript.roles else total


def _search_words(searched: TranscriptView | RunDetails) -> tuple[str, ...]:
    """Two texts: the query, and the position of the current match. Empty without a search."""
    if not searched.search_query:
        return ()
    at = searched.match_number or MatchNumber(0, 0)
    return f"“{clean_line(searched.search_query, 30)}”", f"{at.number:,} of {at.of:,}" if at.of else "no match"
