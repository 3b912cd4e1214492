"""The command palette: what the keys do, by name."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import SystemCommand
from textual.screen import Screen

from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import OpenPromptHistory
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.runs.screen import RunsScreen


def palette(screen: Screen[object]) -> Iterable[SystemCommand]:
    """The commands that fit this screen, beside the app's own."""
    app = screen.app
    yield SystemCommand("Runs", "Go to the list of runs", lambda: app.call_next(app.run_action, "go('runs')"))
    yield SystemCommand("Jobs", "Go to the list of jobs", lambda: app.call_next(app.run_action, "go('jobs')"))
    yield SystemCommand("Next new job", "Open what ended", lambda: app.call_next(app.run_action, "next_unread"))
    yield SystemCommand(
        "Search opened runs",
        "What was said in all runs that were opened here",
        lambda: app.call_next(app.run_action, "search_runs"),
    )
    if isinstance(screen, RunsScreen):
        yield SystemCommand("Project or agent", "List runs of another one", screen.action_pick_scope)
        yield SystemCommand("Filter", "List runs that pass a filter", screen.action_filter)
        yield SystemCommand("Views", "List runs by a filter that has a name", screen.action_views)
        yield SystemCommand("Groups", "What fails most, and since when", screen.action_groups)
        yield SystemCommand("Sort", "By the next column", screen.action_sort)
        yield SystemCommand("Load all", "Load page after page, or stop", screen.action_load_all)
        yield SystemCommand("Live", "Follow what is new, or not", screen.action_live)
        yield SystemCommand("Note", "On the run under the cursor", screen.action_note)
        yield SystemCommand("Copy", "Links, ids or rows of the marked runs", screen.action_hand_off)
        yield SystemCommand("Export", "The marked runs or the list, to a file", screen.action_export)
        yield SystemCommand("Failures only", "List runs that did not succeed, or all", screen.action_failures)
        yield SystemCommand("Jobs pane", "Show or hide it", screen.action_jobs_pane)
        yield SystemCommand("Improve the prompt", "From the marked runs, or this one", screen.action_improve)
    if isinstance(screen, Page) and (agent := _agent_of(screen)) is not None:
        about = f"What {clean_line(agent[1], 40) or f'agent {agent[0]}'} had, was sent and was proposed"
        yield SystemCommand("Prompt history of this agent", about, lambda: _show_prompts(screen, *agent))
    yield SystemCommand("Keys", "Show the keys of this screen", lambda: app.call_next(app.run_action, "help"))
    yield SystemCommand("Theme", "Change colours", app.action_change_theme)
    yield SystemCommand("Quit", "Leave; jobs go on at the server", lambda: app.call_next(app.run_action, "quit"))


def _agent_of(page: Page) -> tuple[int, str] | None:
    """The agent of the run or job that a page is about or has the cursor on: its id, and its name if that is told."""
    from cekura_tui.ui.jobs.job_keys import JobKeys
    from cekura_tui.ui.run.screen import RunScreen
    from cekura_tui.ui.suggestion.screen import SuggestionScreen

    if isinstance(page, JobKeys | SuggestionScreen):
        job = page.job if isinstance(page, JobKeys) else page.state.job(page.number)
        return None if job is None or job.agent_id is None else (job.agent_id, job.agent_name)
    row = page.query_one(RunList).cursor_row if isinstance(page, RunsScreen) else None
    if isinstance(page, RunScreen):
        row = page.row
    return (row.agent_id, row.agent) if isinstance(row, RunRow) and row.agent_id is not None else None


def _show_prompts(page: Page, agent_id: int, name: str) -> None:
    page.state.ask(OpenPromptHistory(agent_id, name))
