"""Saves the decisions on a suggestion in the order in which the user makes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.worker import Worker

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.suggestion.staging_controller import StagingController, Step


class StepQueue:
    """Saves the steps of a page, even after the page was closed. While the page is open, `show` is called after each
    saved step, with the diff from before the step and the message of the step."""

    def __init__(self, page: Page, staging: StagingController, show: Callable[[ProseDiff, str], None]) -> None:
        self._page, self._staging, self._show = page, staging, show
        self._saving: list[Worker[bool]] = []
        """Workers that save a step. A worker returns whether its step was saved."""

    def begin(
        self,
        start: Callable[[], Step],
        *,
        on_saved: Callable[[], object] = lambda: None,
        on_failed: Callable[[], object] = lambda: None,
    ) -> bool:
        """Start a step; return whether the step started. When the step was saved or has failed, `on_saved` or
        `on_failed` is called if the page is still open."""
        if self._staging.opened is None:
            return False
        try:
            step = start()
        except CekuraTuiError as error:
            self._page.notify_once(error.sentence(), warning=True)
            return False
        saving = self._page.app.run_worker(self._save(step, on_saved, on_failed), group="staging")
        self._saving = [*(one for one in self._saving if not one.is_finished), saving]
        return True

    async def _save(self, step: Step, on_saved: Callable[[], object], on_failed: Callable[[], object]) -> bool:
        page, before = self._page, self._staging.diff
        try:
            message = await step
        except CekuraTuiError as error:
            if not page.is_unmounted:
                on_failed()
            pages = [screen for screen in page.app.screen_stack if isinstance(screen, Page)]
            reporting = page if page.is_attached or not pages else pages[-1]
            reporting.notify_once(f"Can't save your decision. {error.sentence()}", warning=True)
            return False
        if not page.is_unmounted:
            self._show(before, message)
            on_saved()
        return True

    def when_saved(self, open_dialog: Callable[[], object]) -> None:
        """Open a dialog once all steps are saved. If a step fails, the dialog is not opened."""
        saving = [one for one in self._saving if not one.is_finished]
        if not saving:
            open_dialog()
            return
        page = self._page

        async def wait() -> None:
            # Shielded, because cancelling the wait must not cancel the saves.
            saved = [await asyncio.shield(one.wait()) for one in saving]
            if not all(saved):
                page.keys_dropped_until = time.monotonic()  # drops keys typed for the dialog
            elif not page.is_unmounted:
                page.opening.end_wait()
                open_dialog()

        page.opening.begin(wait, "Saving your decisions", group="staged-dialog")
