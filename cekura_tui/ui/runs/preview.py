"""Beside the run list: the verdicts of the run under the cursor, then how the call began."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView
from cekura_tui.model.run.words import judged_words
from cekura_tui.model.text import clean_line
from cekura_tui.ui.kit.lines import VERDICT_MARKS
from cekura_tui.ui.state import AppState

_STYLES = {"fail": "bold red", "review": "yellow", "pass": "green", "na": "dim"}
_WHO = {"testing": "caller", "main": "agent", "tool_call": "tool →", "tool_result": "tool ←"}
_TURNS, _VERDICTS = 12, 40


class RunPreview(VerticalScroll, can_focus=False):
    """Never fetches; it shows what it is handed."""

    def __init__(self, state: AppState) -> None:
        super().__init__(id="preview")
        self._state = state
        self._shown = Static()

    def compose(self) -> ComposeResult:
        """One text."""
        yield self._shown

    def clear(self, note: str = "") -> None:
        """Show a note alone."""
        self._shown.update(Text(note, style="dim"))

    def show(self, view: RunView) -> None:
        """Show a run."""
        row = view.row
        text = Text(overflow="fold")
        text.append(f"{row.id} {row.outcome.mark} {row.outcome.text}\n", style="bold")
        facts = (row.scenario, row.personality, row.duration, self._state.when(row.at))
        text.append(" · ".join(filter(None, facts)) + "\n", style="dim")
        if view.cached:
            text.append(f"as got at {self._state.when(view.got_at)}\n", style="yellow")
        text.append("\n")
        for verdict in view.verdicts[:_VERDICTS]:
            text.append(f"{VERDICT_MARKS[verdict.state]} ", style=_STYLES[verdict.state])
            text.append(f"{clean_line(verdict.name, 80)}  {judged_words(verdict)}\n")
            if verdict.state == "fail":
                for reason in _why(verdict)[:2]:
                    text.append(f"  {clean_line(reason, 240)}\n", style="dim")
        if len(view.verdicts) > _VERDICTS:
            text.append(f"… {len(view.verdicts) - _VERDICTS:,} more verdicts: enter opens the run\n", style="dim")
        if not view.verdicts:
            text.append("No verdicts.\n", style="dim")
        text.append("\n")
        if view.transcript.note:
            text.append(f"{view.transcript.note}\n\n", style="dim")
        for turn in view.transcript.turns[:_TURNS]:
            text.append(
                f"{_WHO.get(turn.speaker, clean_line(turn.role, 12)):<7}",
                style="bold" if turn.speaker == "main" else "dim",
            )
            text.append(f"{clean_line(turn.text, 240)}\n")
        if len(view.transcript.turns) > _TURNS:
            text.append(f"… {len(view.transcript.turns) - _TURNS} more turns: enter opens the run", style="dim")
        self._shown.update(text)
        self.scroll_home(animate=False)


def _why(verdict: Verdict) -> tuple[str, ...]:
    """The reasons of a verdict; a critical category without any may say how far the run went off."""
    return verdict.reasons or ((verdict.deviation,) if isinstance(verdict.deviation, str) else ())
