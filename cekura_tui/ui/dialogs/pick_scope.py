"""A dialog that picks what to list runs of: a project, or one of its agents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.scope import Scope
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.dialog import Dialog
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import TONE_CLASSES, TONE_CSS
from cekura_tui.ui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from cekura_tui.model.account import Agent, Project
    from cekura_tui.model.page import Page
    from cekura_tui.workspace.session import Session


@dataclass(frozen=True, slots=True)
class Choice:
    """A project, or an agent under it."""

    scope: Scope
    current: bool


class ScopeList(VirtualList[Choice]):
    """Projects with their agents indented under them."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    DEFAULT_CSS = f"ScopeList {{ {TONE_CSS} }}"

    def key_of(self, row: Choice) -> Hashable:
        """Kind and number."""
        return (row.scope.kind, row.scope.id)

    def lines_of(self, row: Choice, width: int, state: RowState) -> Sequence[Line]:
        """One line."""
        agent = row.scope.kind == "agent"
        name = fit(("    " if agent else "") + row.scope.shown, width - 14)
        mark = "● " if row.current else "  "
        return [[Segment(mark), Segment(name), Segment(fit(str(row.scope.id), 10, right=True), self.ink("tone--dim"))]]


class PickScopeDialog(Dialog[Scope]):
    """Answers with the scope."""

    AUTO_FOCUS = "ScopeList"

    def __init__(self, board: Board, projects: Sequence[Project], current: Scope | None) -> None:
        super().__init__()
        self._board, self._current = board, current
        self._choices = [self._choice(Scope("project", project.id, project.name)) for project in projects]

    def _choice(self, scope: Scope) -> Choice:
        now = self._current
        return Choice(scope, now is not None and (now.kind, now.id) == (scope.kind, scope.id))

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog"):
            yield Label(Content("List runs of"), classes="dialog-title")
            yield ScopeList(id="scopes")
            yield Static(id="scope-note")
            yield Label(Content("enter picks · esc closes"), classes="dialog-hint")

    def on_mount(self) -> None:
        """Projects at once, agents as they come."""
        scopes = self.query_one(ScopeList)
        scopes.show_rows(list(self._choices))
        if self._current is not None:
            scopes.move_to((self._current.kind, self._current.id))
        if not self._choices:
            self.query_one("#scope-note", Static).update(Content("This key sees no project."))
        self._add_agents()

    @work(group="agents")
    async def _add_agents(self) -> None:
        rows: list[Choice] = []
        for choice in self._choices:
            rows.append(choice)
            try:
                page = await self._board.workspace.call(_agents_of(choice.scope.id))
            except CekuraTuiError as error:
                self.query_one("#scope-note", Static).update(Content(f"Agents could not be read: {error.message}"))
                return
            rows += [self._choice(Scope("agent", agent.id, agent.name)) for agent in page.items]
        self.query_one(ScopeList).show_rows(rows)

    @on(ScopeList.Opened)
    def pick(self) -> None:
        """Enter on one."""
        if (row := self.query_one(ScopeList).cursor_row) is not None:
            self.dismiss(row.scope)


def _agents_of(project_id: int) -> Callable[[Session], Awaitable[Page[Agent]]]:
    return lambda session: session.agents(project_id)
