"""A dialog that picks whose runs to list: a project's or an agent's, found by typing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.dialog import Dialog, DialogNote, KeyHint
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.simple_list import Ink, SimpleList
from cekura_tui.ui.kit.strips import Line
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.worker import Worker

    from cekura_tui.model.scope import Agent, NoScope, Project
    from cekura_tui.ui.kit.page import Page
    from cekura_tui.ui.runs.controller import RunsController

AT_ONCE = 3
"""Queries for agents in flight."""
PAGES = 20
"""Pages of one list of agents that are read."""
FEW = 8
"""So many projects have all their agents read at once; of more, only those that are looked for."""
SETTLED = 0.2
"""Seconds without a key before the server is asked for what was typed."""
_ONE_PAGE = 100


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """A project, or an agent under it. One that does not fit what was typed is there to head those that do."""

    scope: Scope
    current: bool
    fits: bool = True

    @property
    def key(self) -> Hashable:
        """Kind and number."""
        return (self.scope.kind, self.scope.id)


@dataclass(frozen=True, slots=True)
class AgentQuery:
    """A list of agents at the server: of a project or of all, and what their names are to hold."""

    project_id: int | None
    q: str = ""


def _scope_line(row: ScopeChoice, width: int, ink: Ink) -> Line:
    name = fit(("    " if row.scope.kind == "agent" else "") + row.scope.shown, width - 14)
    number = fit(str(row.scope.id), 10, right=True)
    mark = "● " if row.current else "  "
    return [Segment(mark), Segment(name, None if row.fits else ink("dim")), Segment(number, ink("dim"))]


class PickScopeDialog(Dialog[Scope]):
    """Answers with the scope."""

    PLACE = "In the dialog of projects"
    AUTO_FOCUS = "Input"
    FIRST_READS = ("agents",)
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("scopes.down", "down", lambda dialog: dialog.scopes.move_by(1), "Down"),
        Action("scopes.up", "up", lambda dialog: dialog.scopes.move_by(-1), "Up"),
        Action("scopes.page-down", "pagedown", lambda dialog: dialog.scopes.action_page(1), "Page down"),
        Action("scopes.page-up", "pageup", lambda dialog: dialog.scopes.action_page(-1), "Page up"),
    )

    def __init__(self, state: AppState, projects: Sequence[Project], current: Scope | None) -> None:
        super().__init__()
        self._state = state
        self._projects = {project.id: Scope("project", project.id, project.name) for project in projects}
        self._current = current and Scope(current.kind, current.id, current.name)
        self._agents: dict[int, tuple[int | None, Scope]] = {}
        """Each agent with its project, where that is known."""
        if self._current and self._current.kind == "agent":
            self._agents[self._current.id] = None, self._current
        self._words: tuple[str, ...] = ()
        self._typing: Timer | None = None
        self._in_flight: dict[AgentQuery, Worker[None]] = {}
        self._next: dict[AgentQuery, int] = {}
        """The page that is read next; 0 where the list was read to its end."""
        self._totals: dict[int, int] = {}
        self._failed: dict[AgentQuery, str] = {}

    def compose(self) -> ComposeResult:
        """What is looked for, and the list."""
        with Vertical(id="pick-scope", classes="dialog") as box:
            box.border_title = Content("List runs of")
            yield TypedLine(placeholder="Type a project, agent or ID", id="scope-search", compact=True)
            yield SimpleList(key=lambda row: row.key, line=_scope_line, id="scopes", can_focus=False)
            yield DialogNote(id="scope-note")
            yield KeyHint("enter choose · {scopes.up} {scopes.down} move · {dialog.close} cancel")

    def on_mount(self) -> None:
        """Projects at once, agents as they come."""
        self.query_one(Input).cursor_blink = False
        self._show()
        self._ask()

    @property
    def scopes(self) -> SimpleList[ScopeChoice]:
        """The list, whose cursor moves while the keys go to the search."""
        return self.query_one(SimpleList)

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Narrow what is known at once, and ask for the rest when the keys have settled."""
        words = tuple(clean_line(event.value).casefold().split())
        if words == self._words:
            return
        self._words = words
        self._failed.clear()
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(SETTLED, self._ask)
        self._show(reset=True)
        self._draw_note()

    @on(Input.Submitted)
    @on(SimpleList.Opened)
    def pick(self) -> None:
        """Enter on one."""
        if (row := self.scopes.cursor_row) is not None:
            self.dismiss(row.scope)

    # What is shown

    def _fits(self, *scopes: Scope) -> bool:
        text = "\n".join(_searched_text(scope) for scope in scopes)
        return all(word in text for word in self._words)

    def _choices(self) -> Iterator[ScopeChoice]:
        """Projects and agents that hold every word; an agent's project counts as a part of its name."""
        now = self._current
        under: dict[int | None, list[Scope]] = {}
        for project_id, agent in self._agents.values():
            under.setdefault(project_id, []).append(agent)
        alone = [now] if now and now.kind == "result" else []
        for scope in [*alone, *under.get(None, ())]:
            if self._fits(scope):
                yield ScopeChoice(scope, scope == now)
        for number, project in self._projects.items():
            fits = self._fits(project)
            agents = [agent for agent in under.get(number, ()) if fits or self._fits(project, agent)]
            if fits or agents:
                yield ScopeChoice(project, _same(project, now), fits)
            yield from (ScopeChoice(agent, _same(agent, now)) for agent in agents)

    def _show(self, *, reset: bool = False) -> None:
        """Show what fits. The cursor goes to the best row where other words were typed or there was none that fits."""
        scopes = self.scopes
        reset = reset or not any(row.fits for row in scopes.rows)
        scopes.show_rows(list(self._choices()))
        best = [row for row in scopes.rows if row.current and not self._words]
        best += [row for row in scopes.rows if row.fits][:1]
        scopes.move_to(best[0].key if reset and best else scopes.cursor_key)

    def _draw_note(self) -> None:
        """Say what is missing, and why."""
        text, many = "", len(self._projects) > FEW
        if self._failed:
            text = f"Can't load agents: {next(iter(self._failed.values()))}"
        elif not self._projects:
            text = "This API key has no project."
        elif self._open():
            text = "Loading agents …"
        elif not self.scopes.rows:
            more = any(self._next.get(ask, 1) > PAGES for ask in self._wanted())
            text = "No match yet. Type more of the name." if more else "No matching project or agent."
        elif long := [
            project.shown for n, project in self._projects.items() if self._next.get(AgentQuery(n), 1) > PAGES
        ]:
            text = f"Some agents of {long[0]} are not listed. Type to find them."
        elif many and not self._words:
            text = "Type to find agents of other projects."
        self.query_one(DialogNote).show(text, failed=bool(self._failed))

    # What the server is asked

    @property
    def _home(self) -> int | None:
        """The project of the current scope, where it is known."""
        now = self._current
        if now is None or now.kind == "result":
            return None
        return now.id if now.kind == "project" else self._agents[now.id][0]

    def _wanted(self) -> list[AgentQuery]:
        """What is to be asked for, the most wanted first."""
        now, many, words = self._current, len(self._projects) > FEW, self._words
        # The server looks for what it is sent as a whole; the longest word also finds what has the words elsewhere.
        sought = list(dict.fromkeys((" ".join(words), max(words, key=len)))) if words else []
        hits = {n: sum(word in _searched_text(project) for word in words) for n, project in self._projects.items()}
        near = sorted(hits, key=lambda n: (n != self._home, -hits[n]))
        near = [n for n in near if not many or n == self._home or hits[n]][: 2 * FEW]
        wanted = [AgentQuery(n) for n in near]
        large = [n for n in near if self._totals.get(n, 0) > _ONE_PAGE and self._next[AgentQuery(n)]]
        places: list[int | None] = [None, *large] if many else [*large]
        if not words and now and now.kind == "agent" and now.name and self._home is None:
            sought, places = [now.name], places[: int(many)]
        # Without a project agents are found of those that are not read.
        return [*(AgentQuery(place, text) for text in sought for place in places), *wanted]

    def _open(self) -> list[AgentQuery]:
        """What is wanted and not read to its end."""
        return [ask for ask in self._wanted() if 1 <= self._next.get(ask, 1) <= PAGES and ask not in self._failed]

    def _ask(self) -> None:
        """Ask for what is open, and no longer for what is not wanted any more."""
        if self.gone:
            return
        wanted = self._open()
        for stale in self._in_flight.keys() - set(wanted):
            self._in_flight.pop(stale).cancel()
        for ask in wanted:
            if len(self._in_flight) < AT_ONCE and ask not in self._in_flight:
                self._in_flight[ask] = self.run_worker(self._read(ask), group="agents")
        self._draw_note()

    async def _read(self, ask: AgentQuery) -> None:
        """One page; what is wanted most is asked for next, which may be another list's."""
        number = self._next.get(ask, 1)
        try:
            page = await self._state.workspace.call(lambda session: session.agents(ask.project_id, number, ask.q))
        except CekuraTuiError as error:
            self._failed[ask] = error.message
        else:
            for agent in page.items:
                self._add(agent, ask.project_id)
            self._next[ask] = number + 1 if page.more and page.items else 0
            if ask.project_id is not None and not ask.q:
                self._totals[ask.project_id] = page.count
        # Whoever cancels a question takes it out himself.
        del self._in_flight[ask]
        if not self.gone:
            self._show()
            self._ask()

    def _add(self, agent: Agent, of_project: int | None) -> None:
        known = self._agents.get(agent.id)
        project_id = agent.project_id if agent.project_id in self._projects else of_project
        if known is None or (known[0] is None and project_id is not None):
            self._agents.pop(agent.id, None)
            self._agents[agent.id] = project_id, Scope("agent", agent.id, agent.name)


def _same(scope: Scope, current: Scope | None) -> bool:
    return current is not None and (scope.kind, scope.id) == (current.kind, current.id)


def _searched_text(scope: Scope) -> str:
    return f"{scope.shown} {scope.id}".casefold()


async def pick_scope(
    page: Page, controller: RunsController, several: NoScope | None, *, wanted: Callable[[], bool]
) -> None:
    """Have a person choose what is listed; not where it is `wanted` no more when the projects are there."""
    workspace = page.state.workspace
    try:
        projects = several.projects if several else await workspace.call(lambda session: session.projects())
        if not wanted():
            return  # somebody does something else by now
        chosen = await page.opening.ask(PickScopeDialog(page.state, projects, controller.listing.scope))
        if chosen is not None:
            scope: Scope = chosen
            await workspace.call(lambda session: session.choose(scope))
            controller.list_scope(scope)
    except CekuraTuiError as error:
        page.show_error(error)
