"""Open the screens that requests, keys and commands ask for; rarely used screens are imported when first opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import JobState
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import count
from cekura_tui.ui.away import next_unread
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import (
    CompareRuns,
    HandOff,
    Improve,
    OpenJob,
    OpenJobDetails,
    OpenPromptHistory,
    OpenRun,
    PrepareRunScreen,
    Request,
    TestRuns,
    WriteNote,
)
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.runs.screen import RunsScreen
from cekura_tui.ui.state import AppState

if TYPE_CHECKING:
    from textual.app import App

    from cekura_tui.ui.runs.listing import RunListing


class Router:
    def __init__(self, app: App[None], state: AppState, runs: Callable[[], RunsScreen]) -> None:
        self._app, self._state, self._runs = app, state, runs

    def answer(self, request: Request) -> None:
        app, state = self._app, self._state
        match request:
            case OpenRun():
                self.open_run(request)
            case CompareRuns():
                from cekura_tui.ui.run.compare import CompareScreen

                screen = CompareScreen(state, request.run_id, request.other_id, request.neighbour)
                app.push_screen(screen, request.opened)
            case OpenJob():
                self.open_job(request)
            case OpenJobDetails():
                from cekura_tui.ui.jobs.job import JobScreen

                app.push_screen(JobScreen(state, request.number))
            case PrepareRunScreen():
                app.run_worker(asyncio.to_thread(import_module, "cekura_tui.ui.run.screen"), group="import")
            case OpenPromptHistory():
                from cekura_tui.ui.suggestion.history import PromptHistoryScreen

                app.push_screen(PromptHistoryScreen(state, request.agent_id, request.agent_name))
            case HandOff():
                from cekura_tui.ui.suggestion.hand_off import HandOffDialog

                app.push_screen(HandOffDialog(request.suggestion, request.staged), request.done)
            case Improve():
                from cekura_tui.ui.jobs.improve import open_improve_dialog

                if (page := self._page) is not None:
                    open_improve_dialog(page, request)
            case TestRuns():
                from cekura_tui.ui.test.dialog import open_test_dialog

                if (page := self._page) is not None:
                    open_test_dialog(page, request)
            case WriteNote():
                from cekura_tui.ui.runs.notes import NoteWriter

                if (page := self._page) is not None:
                    writer = NoteWriter(runs := self._runs(), runs.controller, request.changed)
                    page.opening.begin(partial(writer.write, request.run_id), "Loading the note", group="write-note")

    # Runs

    def open_run(self, request: OpenRun) -> None:
        from cekura_tui.ui.run.screen import RunScreen

        screen = RunScreen(self._state, request.run_id, request.neighbour_of, request.turn, request.row, request.find)
        self._app.push_screen(screen, request.closed)

    def search_transcripts(self, listing: RunListing) -> None:
        """Search the transcripts of the listed runs, and open the chosen hit."""
        from cekura_tui.ui.run.transcript import TranscriptView
        from cekura_tui.ui.runs.search import SearchRunsDialog

        text = next((view.search_query for view in self._app.screen.query(TranscriptView)), "")
        self._app.push_screen(
            SearchRunsDialog(self._state, listing, text), lambda hit: self.open_run(hit) if hit else None
        )

    # Jobs

    def open_job(self, request: OpenJob) -> None:
        """Open a job's suggestion or test, or the job's details if there is neither, and mark the job as read."""
        from cekura_tui.model.job_kinds import KINDS
        from cekura_tui.ui.jobs.job import JobScreen
        from cekura_tui.ui.suggestion.screen import SuggestionScreen
        from cekura_tui.ui.test.screen import BeforeAfterScreen

        app, job = self._app, request.job
        self._state.pointed_job = job.number
        below = app.screen_stack[-2] if len(app.screen_stack) > 1 else None
        pages = SuggestionScreen | BeforeAfterScreen
        if isinstance(app.screen, pages | JobScreen) and isinstance(below, pages) and below.number == job.number:
            app.pop_screen()  # this page was opened from it
            return
        shown: Callable[[AppState, int], Page] = JobScreen
        if KINDS[job.kind].screen == "test" and job.progress_id is not None:
            shown = BeforeAfterScreen
        elif KINDS[job.kind].screen == "suggestion" and job.state == JobState.SUCCEEDED:
            shown = SuggestionScreen
        screen = shown(self._state, job.number)
        instead = request.instead and isinstance(app.screen, pages | JobScreen)
        (app.switch_screen if instead else app.push_screen)(screen)
        if job.unread:
            self._state.mark_read(job)

    def open_next_unread(self) -> None:
        """Open the unread job that ended first."""
        if (job := next_unread(self._state.jobs)) is not None:
            # Counts as read at once, so that a quick second `U` opens the next job.
            self._state.put_job(replace(job, looked_at=self._state.clock()))
            self.open_job(OpenJob(job, instead=True))

    @property
    def _page(self) -> Page | None:
        return next((one for one in reversed(self._app.screen_stack) if isinstance(one, Page)), None)

    # Agents, and the log

    def agent(self) -> tuple[int, str] | None:
        """Id and name of the agent of the run or job that is open or under the cursor; None if there is no agent."""
        from cekura_tui.ui.jobs.job import JobScreen
        from cekura_tui.ui.jobs.screen import JobsScreen
        from cekura_tui.ui.run.screen import RunScreen
        from cekura_tui.ui.suggestion.screen import SuggestionScreen
        from cekura_tui.ui.test.screen import BeforeAfterScreen

        page = self._page
        if isinstance(page, JobScreen | JobsScreen | SuggestionScreen | BeforeAfterScreen):
            job = page.job
            return None if job is None or job.agent_id is None else (job.agent_id, job.agent_name)
        row = page.query_one(RunList).cursor_row if isinstance(page, RunsScreen) else None
        if isinstance(page, RunScreen):
            row = page.loader.row
        return (row.agent_id, row.agent) if isinstance(row, RunRow) and row.agent_id is not None else None

    def open_prompt_history(self) -> None:
        if (agent := self.agent()) is not None:
            self.answer(OpenPromptHistory(*agent))

    def show_request_log(self) -> None:
        """Show the last requests to the server in the pager, newest first."""
        from cekura_tui.ui.kit.dialog import DetailsDialog
        from cekura_tui.ui.terminal.foreground import show_in_pager

        workspace = self._state.workspace
        lines = [
            f"{'!' if one.failed else ' '} {self._state.when(one.at, seconds=True)}  {one.line()}"
            for one in reversed(workspace.requests())
        ]
        title = f"The last {count(len(lines), 'request')} to the server, newest first; ! marks failed ones."
        try:
            show_in_pager(self._app, "\n".join([title, f"Log file: {workspace.setup.paths.log}", "", *lines, ""]))
        except CekuraTuiError as error:
            self._app.push_screen(DetailsDialog.of_error(error))
