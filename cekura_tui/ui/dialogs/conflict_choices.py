"""What of the dialog for an agent's prompt is about conflicts: one at a time, and what was decided of each."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Label

from cekura_tui.model.conflict_decisions import ConflictDecisions
from cekura_tui.model.conflict_places import conflict_places
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.prompt_merge import Conflict, Side
from cekura_tui.model.text import Prompt, clean_line
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.dialog import Dialog
from cekura_tui.ui.dialogs.edit_hunk import Edited, EditHunkDialog
from cekura_tui.ui.widgets.conflict_texts import ConflictTexts, conflict_rows

if TYPE_CHECKING:
    from cekura_tui.workspace.placing import Placing

_ON_CONFLICTS = ("keep_theirs", "take_staged", "word", "conflict")


class ConflictChoices(Dialog[None]):
    """What was decided holds also when the agent is looked at again, as long as the conflict is the same.

    `number` is the job that the text was staged with, `decisions` what was decided in a dialog like this before. What
    is typed is kept with the job, like what is typed into its changes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "keep_theirs", "Keep the agent's", id="put.theirs"),
        Binding("s", "take_staged", "Take the staged", id="put.staged"),
        Binding("e", "word", "Word it", id="put.word"),
        Binding("c", "look_back", "Conflicts", id="put.conflicts"),
    ]

    def __init__(self, board: Board, number: int, decisions: ConflictDecisions | None = None) -> None:
        super().__init__()
        self.board, self.number = board, number
        self.decisions = ConflictDecisions() if decisions is None else decisions
        self.placing: Placing | None = None
        self.looking_back = False
        """Whether the conflicts are shown though all are decided."""
        self._at = 1
        self._places: tuple[str, ...] = ()
        self._told_unkept = False

    def draw(self) -> None:
        """Show what is known."""
        raise NotImplementedError

    def decided(self) -> None:
        """Something was decided, or there is another look at the agent."""
        raise NotImplementedError

    def take_up(self, placing: Placing) -> None:
        """The agent as it is now."""
        self.placing = placing
        self.decisions.take_up(placing.merge)
        self._at = min(self._at, max(len(self.conflicts), 1))
        self._places = conflict_places(placing.merge)
        self.looking_back = self.looking_back and bool(self.conflicts)
        if open_ones := self.undecided:
            self._at = self._at if self._at in open_ones else open_ones[0]
        self.decided()

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """All conflicts, decided or not."""
        return self.placing.merge.conflicts if self.placing else ()

    @property
    def undecided(self) -> list[int]:
        """The numbers of the conflicts that nobody has decided yet."""
        return self.decisions.undecided if self.placing else []

    @property
    def text(self) -> Prompt | None:
        """What would be written; None as long as a conflict is not decided."""
        return self.decisions.text if self.placing else None

    def draw_conflict(self) -> None:
        """The conflict that one is at."""
        if self.placing is None:
            return
        conflict, left = self.conflicts[self._at - 1], len(self.undecided)
        state = "all are decided, c shows the change" if not left else f"{left} to be decided"
        head = f"conflict {self._at} of {len(self.conflicts)} · {self._places[self._at - 1]} · {state}"
        if others := [str(number) for number in self.decisions.together(self._at) if number != self._at]:
            head += f" · decided together with {', '.join(others)}"
        self.query_one("#conflict-head", Label).update(Content(clean_line(head)))
        agent = clean_line(self.placing.agent.name, 40)
        rows = conflict_rows(conflict, self.decisions.of(self._at), self.placing.job.number, agent)
        self.query_one(ConflictTexts).show_rows(rows)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Conflicts are decided where there are some and they are shown."""
        if action in _ON_CONFLICTS:
            return bool(self.conflicts) and (self.looking_back or self.text is None)
        if action == "look_back":
            return bool(self.conflicts) and self.text is not None
        return super().check_action(action, parameters)

    def action_conflict(self, step: int) -> None:
        """To the next conflict, or the one before; at the last one it stays."""
        at = min(max(self._at + step, 1), len(self.conflicts))
        if at != self._at:
            self._at = at
            self.query_one(ConflictTexts).action_first()
            self.draw()

    def action_look_back(self) -> None:
        """From what would be written to the conflicts, or back."""
        self.looking_back = not self.looking_back
        self.draw()

    def action_keep_theirs(self) -> None:
        """What the agent has stays."""
        self._take("now")

    def action_take_staged(self) -> None:
        """What was staged takes its place."""
        self._take("staged")

    def _take(self, side: Side) -> None:
        self.decisions.take(self._at, side)
        self._go_on()

    def _go_on(self) -> None:
        """On to the next that is not decided; after the last one what would be written is shown."""
        if open_ones := self.undecided:
            self._at = next((number for number in open_ones if number > self._at), open_ones[0])
            self.query_one(ConflictTexts).action_first()
        self.looking_back = False
        self.decided()

    def action_word(self) -> None:
        """Word it otherwise; what was typed and not taken is there again the next time."""
        number, spot = self._at, self.decisions.spot(self._at)
        title = f"Conflict {number} of {len(self.conflicts)} · {self._places[number - 1]}"
        home, sent = self.board.workspace.setup.paths.home, self.conflicts[number - 1].base
        text = self.decisions.wording(number)

        def keep(now: str) -> None:
            """Keep what is typed, also for who comes back after a crash."""
            before = self.decisions.kept(spot)
            self.decisions.typed(spot, now)
            kept = self.decisions.kept(spot)
            if (before, kept) != (None, None):
                self.keep_typed(spot, kept)

        def worded(edited: Edited | None) -> None:
            if edited is None:
                return
            keep(edited.text)
            by_now = self.decisions.number(spot)  # the agent may have been looked at again
            if edited.taken and by_now is not None:
                self.decisions.word(by_now, edited.text)
                self._go_on()
            elif self.decisions.kept(spot) is not None:
                self.notify("What you typed is not taken, but kept: e opens it again.", markup=False)

        self.app.push_screen(EditHunkDialog(title, sent, text, home, keep), worded)

    def keep_typed(self, spot: str, text: str | None) -> None:
        """Keep on the disk what is typed into a conflict; None forgets it."""
        try:
            done = self.board.workspace.send(lambda session: session.suggestions.keep_typed(self.number, spot, text))
        except CekuraTuiError:
            return  # the program is closing
        self.app.run_worker(self._await_kept(done), group="typed")

    async def _await_kept(self, done: Future[None]) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(done))
        except CekuraTuiError as error:
            # While one types there is a try twice a second.
            if not self._told_unkept:
                told = f"What you typed is not on the disk yet. {error.sentence()}"
                self.app.notify(told, severity="warning", markup=False)
            self._told_unkept = True
        else:
            self._told_unkept = False
