"""The command palette: what can be done on the screen below it, and everywhere, by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.app import App, SystemCommand
from textual.screen import Screen

from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import commands_of
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import OpenPromptHistory
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.runs.screen import RunsScreen


def palette(screen: Screen[object]) -> Iterable[SystemCommand]:
    """The commands of the app and of this screen; Textual sorts them by name."""
    nodes: tuple[App[object] | Screen[object], ...] = (screen.app, screen)
    for node in nodes:
        for action in commands_of(node):
            about = action.tooltip[0].upper() + action.tooltip[1:].replace("`", "")
            # Not before the palette is gone: the action is about the screen below it.
            run = partial(screen.app.call_next, screen.app.run_action, action.does, node)
            yield SystemCommand(action.command or action.label, about, run)
    if isinstance(screen, Page) and (agent := _agent_of(screen)) is not None:
        number, name = agent
        about = f"What {clean_line(name, 40) or f'agent {number}'} had, was sent and was proposed"
        show = partial(screen.state.ask, OpenPromptHistory(number, name))
        yield SystemCommand("Prompt history of this agent", about, show)


def _agent_of(page: Page) -> tuple[int, str] | None:
    """The agent of the run or job that a page is about or has the cursor on: its id, and its name if that is known."""
    from cekura_tui.ui.jobs.job import JobScreen
    from cekura_tui.ui.jobs.screen import JobsScreen
    from cekura_tui.ui.run.screen import RunScreen
    from cekura_tui.ui.suggestion.screen import SuggestionScreen

    if isinstance(page, JobScreen | JobsScreen | SuggestionScreen):
        job = page.state.job(page.number) if isinstance(page, SuggestionScreen) else page.job
        return None if job is None or job.agent_id is None else (job.agent_id, job.agent_name)
    row = page.query_one(RunList).cursor_row if isinstance(page, RunsScreen) else None
    if isinstance(page, RunScreen):
        row = page.row
    return (row.agent_id, row.agent) if isinstance(row, RunRow) and row.agent_id is not None else None
