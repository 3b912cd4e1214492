"""Moves through the turns that a verdict cites, and from a turn to the verdict that cites the turn."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from cekura_tui.evidence.evidence import Evidence, Findings, reason_words
from cekura_tui.model.text import shortened
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.run.verdicts import Key

if TYPE_CHECKING:
    from cekura_tui.ui.run.screen import RunScreen


class EvidenceWalk:
    def __init__(self, screen: RunScreen) -> None:
        self._screen, self._loader = screen, screen.loader
        self._at: tuple[Key, int] | None = None
        """The key of the current verdict and the index of the verdict's current evidence; None without a verdict."""

    def end(self) -> None:
        """Forget the current verdict. Called before another run is shown."""
        self._at = None

    def evidence_of(self, verdict: Any) -> tuple[Evidence, ...]:
        """The turns that a verdict cites, the surest first; empty until they are known."""
        return (self._loader.evidence or {}).get(verdict, Findings(())).turns

    def begin(self, verdict: Hashable) -> None:
        """Go to the first turn that this verdict cites. If no cited turn is known, notify the user."""
        if self.evidence_of(verdict):
            self._go_to(verdict, 0)
        else:
            self._report("This verdict cites no turn.")

    def begin_unread(self) -> bool:
        """Go to the first turn that the verdict under the cursor cites, and return True. Return False if there is none,
        or if the user already read its turns, or moved in the transcript before going to any."""
        verdict = self._screen.verdicts.cursor_key
        is_read = self._screen.transcript.cursor_index if self._at is None else self._at[0] == verdict
        if begins := bool(self.evidence_of(verdict)) and not is_read:
            self._go_to(verdict, 0)
        return begins

    def show_verdict_on(self, turn: Hashable) -> None:
        """Go from a turn to the first verdict that cites the turn. If no such verdict is known, notify the user."""
        for row in self._screen.verdicts.rows:
            for place, evidence in enumerate(self.evidence_of(row.key)):
                if evidence.n == turn:
                    self._screen.verdicts.move_to(row.key)
                    self._at = row.key, place
                    self._screen.navigator.show_pane("verdicts")
                    return
        self._report(with_keys("No verdict cites this turn. {transcript.raw} shows its raw JSON."))

    def step(self, step: int) -> None:
        """Go to the next (1) or previous (-1) evidence of the verdict, wrapping around, or to the first of all."""
        if self._at is not None and (evidence := self.evidence_of(self._at[0])):
            if len(evidence) == 1 and self._screen.transcript.cursor_key == evidence[0].n:
                self._screen.notify_once(
                    with_keys("The verdict cites only this turn. {run.pane} switches to the verdicts.")
                )
            self._go_to(self._at[0], (self._at[1] + step) % len(evidence))
            return
        first = next((row.key for row in self._screen.verdicts.rows if self.evidence_of(row.key)), None)
        if first is None:
            self._report("No verdict cites a turn.")
        else:
            self._go_to(first, 0)

    def _report(self, text: str) -> None:
        looking = self._loader.evidence is None
        self._screen.notify_once("Still looking for the turns that the verdicts cite." if looking else text)

    def texts(self) -> tuple[str, ...]:
        """Descriptions of the current evidence, from long to short; empty if the cursor is not on the cited turn."""
        if self._at is None:
            return ()
        key, place = self._at
        evidence, verdict = self.evidence_of(key), self._screen.verdicts.verdict_of(key)
        if verdict is None or place >= len(evidence) or evidence[place].n != self._screen.transcript.cursor_key:
            return ()
        name, reason = shortened(verdict.name, 40), reason_words(evidence[place].why, evidence[place].sure)
        if len(evidence) == 1:
            return f"{name} · {reason}", reason
        of = f"{place + 1} of {len(evidence)}"
        return f"{name} {of} · {reason}", f"{of} · {reason}", of

    def _go_to(self, key: Any, place: int) -> None:
        self._at = key, place
        self._screen.verdicts.move_to(key)
        self._screen.transcript.go_to(self.evidence_of(key)[place].n)
        if self._screen.focused is self._screen.transcript:
            self._screen.draw_title()
        else:
            self._screen.navigator.show_pane("transcript")
