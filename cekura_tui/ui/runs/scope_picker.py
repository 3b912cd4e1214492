"""A dialog in which the user searches for and picks the project or agent whose runs are listed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.scope import NoScope, Project, Scope
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.debounce import Debounce
from cekura_tui.ui.kit.dialog import Dialog, DialogNote, KeyHint, dialog_box
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lists import Ink, SimpleList
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.strips import Line
from cekura_tui.ui.runs.controller import RunsController
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

FEW = 8
"""If at most this many projects match the search, the agents of all these projects are loaded."""


class ScopeChoice(NamedTuple):
    """A row for a project, an agent or a result. `current` says that the runs of this scope are listed now. `fits` is
    False for a project that is shown only as the heading of matching agents."""

    scope: Scope
    current: bool
    fits: bool = True

    @property
    def key(self) -> Hashable:
        return (self.scope.kind, self.scope.id)


def _scope_line(row: ScopeChoice, width: int, ink: Ink) -> Line:
    name = fit(("    " if row.scope.kind == "agent" else "") + row.scope.shown, width - 14)
    number = fit(str(row.scope.id), 10, right=True)
    mark = "● " if row.current else "  "
    return [Segment(mark), Segment(name, None if row.fits else ink("dim")), Segment(number, ink("dim"))]


class PickScopeDialog(Dialog[Scope]):
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
        """(project id, agent) by agent id; the project id is None if unknown."""
        if self._current and self._current.kind == "agent":
            self._agents[self._current.id] = None, self._current
        self._words: tuple[str, ...] = ()
        self._settled = Debounce(self, 0.2, self._load)
        self._loaded: dict[int, bool] = {}
        """Project ids whose agents were requested. The value is True if there are more agents than the first page."""
        self._found_more = False
        """Whether the server found more agents than it sent."""
        self._requests = 0
        """Number of pending requests for agents."""
        self._failed = ""

    def compose(self) -> ComposeResult:
        with dialog_box("List runs of", id="pick-scope"):
            yield TypedLine(placeholder="Type a project, agent or ID", id="scope-search", compact=True)
            yield SimpleList(key=lambda row: row.key, line=_scope_line, id="scopes", can_focus=False)
            yield DialogNote(id="scope-note")
            yield KeyHint("enter choose · {scopes.up} {scopes.down} move · {dialog.close} cancel")

    def on_mount(self) -> None:
        self._show()
        self._load()

    @property
    def scopes(self) -> SimpleList[ScopeChoice]:
        """The list of scopes, whose cursor moves while the input keeps the focus."""
        return self.query_one(SimpleList)

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Filter the known scopes immediately, and search the server once the user stops typing."""
        words = tuple(clean_line(event.value).casefold().split())
        if words == self._words:
            return
        self._words, self._failed, self._found_more = words, "", False
        self._settled.start()
        self._show(reset=True)
        self._draw_note()

    @on(Input.Submitted)
    @on(SimpleList.Opened)
    def pick(self) -> None:
        if (row := self.scopes.cursor_row) is not None:
            self.dismiss(row.scope)

    def _fits(self, *scopes: Scope) -> bool:
        text = "\n".join(f"{scope.shown} {scope.id}" for scope in scopes).casefold()
        return all(word in text for word in self._words)

    def _choices(self) -> Iterator[ScopeChoice]:
        """Rows of projects and agents with every typed word in name or id; the project of an agent counts, too."""
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
        """Show the matching scopes. With `reset`, or if no row matched before, the cursor moves to the best row. The
        best row is the current scope while nothing is typed, else the first match."""
        scopes = self.scopes
        reset = reset or not any(row.fits for row in scopes.rows)
        scopes.show_rows(list(self._choices()))
        best = [row for row in scopes.rows if row.current and not self._words]
        best += [row for row in scopes.rows if row.fits][:1]
        scopes.move_to(best[0].key if reset and best else scopes.cursor_key)

    def _draw_note(self) -> None:
        text = ""
        if self._failed:
            text = f"Can't load agents: {self._failed}"
        elif not self._projects:
            text = "This API key has no project."
        elif self._requests:
            text = "Loading agents …"
        elif not self.scopes.rows:
            text = "No match yet. Type more of the name." if self._found_more else "No matching project or agent."
        elif long := [self._projects[number].shown for number, more in self._loaded.items() if more]:
            text = f"Some agents of {long[0]} are not listed. Type to find them."
        elif len(self._projects) > FEW and not self._words:
            text = "Type to find agents of other projects."
        self.query_one(DialogNote).show(text, failed=bool(self._failed))

    @property
    def _current_project(self) -> int | None:
        """The id of the current scope's project; None if the project is unknown."""
        now = self._current
        if now is None or now.kind == "result":
            return None
        return now.id if now.kind == "project" else self._agents[now.id][0]

    def _load(self) -> None:
        """Load the agents of the matching projects or, if these are more than FEW, of the current project. Also search
        the server for the typed words, or for the current agent if its project is unknown."""
        if self.is_unmounted:
            return
        now = self._current
        ids = [number for number, project in self._projects.items() if self._fits(project)]
        ids = ids if len(ids) <= FEW else [number for number in ids if number == self._current_project]
        for number in ids:
            if number not in self._loaded:
                self._loaded[number] = False
                self._requests += 1
                self.start_worker(partial(self._load_project, number), "agents")
        text = " ".join(self._words)
        if not text and now is not None and now.kind == "agent" and self._current_project is None:
            text = now.name
        if text and (self._words or len(self._projects) > FEW):
            self.start_worker(partial(self._search, text), "agents-search", exclusive=True)
        self._draw_note()

    async def _load_project(self, number: int) -> None:
        try:
            self._loaded[number] = await self._request(number, "")
        except CekuraTuiError as error:
            del self._loaded[number]
            self._failed = error.message
        finally:
            self._requests -= 1
            self._draw_loaded()

    async def _search(self, text: str) -> None:
        """Search for the text, then for its longest word: the server does not match words in another order."""
        self._requests += 1
        try:
            for part in dict.fromkeys((text, max(text.split(), key=len))):
                self._found_more = await self._request(None, part)
        except CekuraTuiError as error:
            self._failed = error.message
        finally:
            self._requests -= 1
            self._draw_loaded()

    async def _request(self, project_id: int | None, text: str) -> bool:
        """Load the first page of a project's agents, or of agents that match `text`; return whether there are more."""
        page = await self._state.workspace.call(lambda session: session.agents(project_id, 1, text))
        for agent in page.items:
            owner = agent.project_id if agent.project_id in self._projects else project_id
            known = self._agents.get(agent.id)
            if known is None or (known[0] is None and owner is not None):
                self._agents.pop(agent.id, None)
                self._agents[agent.id] = owner, Scope("agent", agent.id, agent.name)
        return page.more

    def _draw_loaded(self) -> None:
        if not self.is_unmounted:
            self._show()
            self._draw_note()


def _same(scope: Scope, current: Scope | None) -> bool:
    return current is not None and (scope.kind, scope.id) == (current.kind, current.id)


async def pick_scope(
    page: Page, controller: RunsController, several: NoScope | None, *, wanted: Callable[[], bool]
) -> None:
    """Let the user choose one of `several`, or of all projects, and list its runs, if this is still `wanted`."""
    workspace = page.state.workspace
    try:
        projects = several.projects if several else await workspace.call(lambda session: session.projects())
        if not wanted():
            return  # the user is doing something else by now
        chosen = await page.opening.ask(PickScopeDialog(page.state, projects, controller.listing.scope))
        if chosen is not None:
            scope: Scope = chosen
            await workspace.call(lambda session: session.choose(scope))
            controller.list_scope(scope)
    except CekuraTuiError as error:
        page.show_error(error)
