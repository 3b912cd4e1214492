"""Leaving the app, whichever way it is asked, and what is told when an error ends it."""

from __future__ import annotations

import asyncio
import logging
import traceback

from textual.app import App

from cekura_tui.ui.dialogs.dialog import Dialog
from cekura_tui.workspace.workspace import Workspace

_log = logging.getLogger("cekura_tui.ui")


class LeavingApp(App[None]):
    """An app on a workspace that ends in order, by a key, by a signal or by an error."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.crash = ""
        """What to say of an error that ended the app."""
        self.status: int | None = None
        """The exit status, once it is being left."""
        self._workspace = workspace
        self._ui_loop: asyncio.AbstractEventLoop | None = None
        """The loop of the screens, once it runs."""

    def leaving(self) -> None:
        """It is being left: what is to be done before."""
        raise NotImplementedError

    async def action_quit(self) -> None:
        """Leave, whichever way it was asked."""
        self._leave(0)

    def leave_from_signal(self, status: int) -> None:
        """Called from a signal handler: leave with this status."""
        if self._ui_loop is not None:
            self._ui_loop.call_soon_threadsafe(self._leave, status)

    def _leave(self, status: int) -> None:
        """Leave with this status; what is being typed is kept."""
        self.leaving()
        for screen in self.screen_stack:
            if isinstance(screen, Dialog):
                screen.keep()
        self.status = status
        self.exit(return_code=status)

    def _fatal_error(self) -> None:
        """An error nobody expected: restore the terminal, one line, and the details (no variables) in the log."""
        self._workspace.keep_log()  # it may not have been started yet
        _log.error("the app ended by an error\n%s", traceback.format_exc())
        error, log = self._exception, self._workspace.setup.paths.log
        if self.status is None:  # screens that are taken apart while keys come are no crash
            self.status = 1
            self.crash = f"cekura-tui ended by an error of its own ({type(error).__name__}); what happened is in {log}."
        self._close_messages_no_wait()
