"""Where one goes from a suggestion: to the turn behind a change, and out with the text that was staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cekura_tui.model.errors import UsageError
from cekura_tui.ui.screens.suggestion_keys import SuggestionKeys
from cekura_tui.workspace.read_only import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.workspace.suggestions import Why

_OUT = ("hand_off", "put_on_agent", "try_again")


class SuggestionWays(SuggestionKeys):
    """The keys that lead on; esc leads back to the same change."""

    why: Why | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to hand on before it is read."""
        return self.reading is not None if action in _OUT else super().check_action(action, parameters)

    def action_turn(self) -> None:
        """The run at the turn that the change under the cursor seems to answer."""
        if (hunk := self._meant()) is None:
            return
        if self.why is None:
            self.tell("What the runs tell is still being read.")
            return
        answered = [reason for reason in self.why.reasons.get(hunk.number, ()) if reason.run_id is not None]
        if not answered:
            unread = "".join(f" {problem}" for problem in self.why.problems[:1])
            self.tell(f"No turn of a run is known that change {hunk.number} answers.{unread}")
            return
        from cekura_tui.ui.screens.run import RunScreen

        first = answered[0]
        assert first.run_id is not None
        turn = None if first.turn is None else first.turn + 1
        self.app.push_screen(RunScreen(self.board, first.run_id, turn=turn))

    def action_hand_off(self) -> None:
        """Save or copy the staged prompt, or hand the change on."""
        if self.reading is None:
            return
        from cekura_tui.ui.dialogs.hand_off import HandOffDialog

        def handed_off(told: str | None) -> None:
            if told:
                self.tell(told)

        self.app.push_screen(HandOffDialog(self.reading.done, self.reading.staged), handed_off)

    def action_put_on_agent(self) -> None:
        """Put the staged prompt onto the agent."""
        if self.reading is None:
            return
        from cekura_tui.model.conflict_decisions import ConflictDecisions
        from cekura_tui.ui.dialogs.put_on_agent import PutOnAgentDialog

        decisions = self.board.decisions.setdefault(self.number, ConflictDecisions())
        self.app.push_screen(PutOnAgentDialog(self.board, self.number, self.reading.staged, decisions))

    def action_try_again(self) -> None:
        """Improve once more, from the staged prompt."""
        if self.reading is None:
            return
        try:
            refuse_read_only(self.board.workspace.setup.read_only, "nothing is launched")
        except UsageError as error:
            self.tell(error.sentence(), warning=True)
            return
        from cekura_tui.ui.dialogs.prompt_sources import GivenPrompt

        given = GivenPrompt(f"staged from job {self.number}", self.reading.staged)
        self.improve(self.reading.done.job.run_ids, given)

    def action_history(self) -> None:
        """The prompts that this agent had, was sent or was proposed."""
        job = self.reading.done.job if self.reading else self.board.job(self.number)
        if job is None:
            return
        if job.agent_id is None:
            self.tell("The server did not say whose run this is, so there is no history.")
            return
        from cekura_tui.ui.screens.prompt_history import PromptHistoryScreen

        self.app.push_screen(PromptHistoryScreen(self.board, job.agent_id, job.agent_name))

    def action_details(self) -> None:
        """All that is known of its job."""
        from cekura_tui.ui.screens.job import JobScreen

        self.app.push_screen(JobScreen(self.board, self.number))
