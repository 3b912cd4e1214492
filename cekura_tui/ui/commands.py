"""The command palette: what the keys do, by name."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import SystemCommand
from textual.screen import Screen

from cekura_tui.ui.screens.runs import RunsScreen


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
        yield SystemCommand("Load all", "Load page after page, or stop", screen.action_read_on)
        yield SystemCommand("Live", "Follow what is new, or not", screen.action_live)
        yield SystemCommand("Note", "On the run under the cursor", screen.action_note)
        yield SystemCommand("Copy", "Links, ids or rows of the marked runs", screen.action_hand_off)
        yield SystemCommand("Export", "The marked runs or the list, to a file", screen.action_export)
        yield SystemCommand("Failures only", "List runs that did not succeed, or all", screen.action_failures)
        yield SystemCommand("Jobs pane", "Show or hide it", screen.action_jobs_pane)
        yield SystemCommand("Improve the prompt", "From the marked runs, or this one", screen.action_improve)
    yield SystemCommand("Keys", "Show the keys of this screen", lambda: app.call_next(app.run_action, "help"))
    yield SystemCommand("Theme", "Change colours", app.action_change_theme)
    yield SystemCommand("Quit", "Leave; jobs go on at the server", lambda: app.call_next(app.run_action, "quit"))
