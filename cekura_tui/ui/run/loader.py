"""Loads one run from the cache or the server, and finds the turns that the run's verdicts cite."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.worker import Worker

from cekura_tui.evidence.evidence import Findings, marks_of, surest_first
from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunRow, RunView
from cekura_tui.ui.run.verdicts import Key, keyed
from cekura_tui.workspace.run_lists import claim_request
from cekura_tui.workspace.session import Session

if TYPE_CHECKING:
    from cekura_tui.ui.run.screen import RunScreen

NeighbourOf = Callable[[int, int], Awaitable[int | None]]
"""Gets a run id and a step; returns the id of the run that many rows below in the list, None past either end."""
POLL_INTERVAL = 3.0
"""Seconds between two polls of a run that is not finished."""
MAX_POLL_INTERVAL = 60.0
"""Maximum seconds between polls while the server does not answer."""


class RunLoader:
    """Loads one run at a time. `row` is shown until the run is loaded; `neighbour_of` is None without a list."""

    def __init__(
        self, screen: RunScreen, run_id: int, row: RunRow | None = None, neighbour_of: NeighbourOf | None = None
    ) -> None:
        self.run_id = run_id
        self.view: RunView | None = None
        self.error: CekuraTuiError | None = None
        self.live = True
        self.evidence: dict[Key, Findings] | None = None
        """Evidence by verdict key, the surest first, except of overlong explanations; None until the search ended."""
        self.neighbour_of = neighbour_of
        self.failures = 0
        """Number of consecutive requests that failed."""
        self.arrived = asyncio.Event()
        """Cleared while another run is loading. Keys wait until this event is set."""
        self._screen, self._workspace = screen, screen.state.workspace
        self._listed = row
        self._evidence_worker: Worker[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def row(self) -> RunRow | None:
        return self._listed if self.view is None else self.view.row

    @property
    def is_running(self) -> bool:
        return self.view is not None and not self.view.row.outcome.settled

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> Worker[None]:
        # An error in the search for evidence only costs the marks, so it must not end the app.
        return self._screen.run_worker(work, group=group, exclusive=True, exit_on_error=group != "evidence")

    def load(self, *, reload: bool = False, background: bool = False) -> None:
        """Fetch the run. If no run is shown yet, first show the cached run; if the cached run is fresh, do not fetch.
        With `reload`, the cache is not read. With `background`, the request waits for the request budget."""
        self._start(partial(self._load, reload, background), "run")

    def show(self, run_id: int) -> None:
        self.pause()
        if self._evidence_worker is not None:
            self._evidence_worker.cancel()
        self.run_id, self.view, self.error, self.evidence = run_id, None, None, None
        self._listed, self.failures = None, 0
        self.load()

    def follow(self, live: bool) -> None:
        """Start or stop polling a run that is not finished."""
        self.live = live
        if live:
            self.load()
        else:
            self.pause()

    def pause(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def resume(self) -> None:
        """Load the run if it may have changed behind another screen. Do nothing while polling is paused."""
        if self._workspace.started and self.live and self._may_change:
            self.load()

    async def _load(self, reload: bool, background: bool) -> None:
        run_id = self.run_id

        async def fetch(session: Session) -> RunView:
            if background:
                await claim_request(session.budget)
            return await session.run(run_id, once=background)

        known, fresh = None, False
        try:
            if self.view is None and not reload:
                known, fresh = await self._workspace.call(lambda session: session.known_run(run_id))
            if known is not None:
                self._accept(known)
            elif self.view is None:
                self._screen.draw()  # not cached, so show that it is loading
            self.arrived.set()
            if not fresh:
                self._accept(view := await self._workspace.call(fetch))
                # `session.run` returns the cached run if the server is unreachable.
                self.failures = self.failures + 1 if view.cached else 0
        except CekuraTuiError as error:
            self.error, self.failures = error, self.failures + 1
            if error.exit_status == Exit.KEY_REFUSED and self.view is None:
                self._screen.show_error(error)  # only if there is nothing to read
            self._screen.draw()
        self.arrived.set()
        if not self._screen.is_unmounted:
            self._schedule_poll()
            self._start(self._prefetch, "prefetch")

    def _accept(self, view: RunView) -> None:
        if self._screen.is_unmounted or view.row.id != self.run_id:
            return
        before, self.view, self.error = self.view, view, None
        if before is not None and before.source == view.source:
            self._screen.draw_headline()
            return
        if before is not None and before.judgements != view.judgements:
            self.evidence = None
        self._screen.draw()
        if before is None or before.judgements != view.judgements or before.transcript != view.transcript:
            self._evidence_worker = self._start(partial(self._find_evidence, view), "evidence")

    async def _find_evidence(self, view: RunView) -> None:
        """Find evidence once the transcript is drawn, so that the user can already read the transcript."""
        drawn = asyncio.Event()
        self._screen.call_after_refresh(drawn.set)
        await drawn.wait()
        try:
            found = await self._workspace.call(lambda session: session.evidence(view))
        except CekuraTuiError:
            return  # the app is closing, or a reload failed, which is already shown
        if self._screen.is_unmounted or self.view is None or self.view.row.id != view.row.id:
            return
        by_verdict: dict[Verdict, list[Findings]] = {}
        for verdict, findings in found:
            by_verdict.setdefault(verdict, []).append(findings._replace(turns=tuple(surest_first(findings.turns))))
        self.evidence = {
            key: by_verdict[verdict].pop(0) for key, verdict in keyed(view).items() if by_verdict.get(verdict)
        }
        self._screen.show_evidence(marks_of(found))

    @property
    def _may_change(self) -> bool:
        if self.error is not None:
            return self.error.is_transient
        return self.is_running or (self.view is not None and self.view.cached)

    def _schedule_poll(self) -> None:
        self.pause()
        trouble = self.error is not None or (self.view is not None and self.view.cached)
        if self._screen.is_current and self.live and self._may_change:
            seconds = min(POLL_INTERVAL * 2 ** min(self.failures, 5), MAX_POLL_INTERVAL) if trouble else POLL_INTERVAL
            self._timer = asyncio.get_running_loop().call_later(seconds, lambda: self.load(background=True))

    async def _prefetch(self) -> None:
        view = self.view
        if self.neighbour_of is None or view is None or view.cached or self.is_running:
            return
        await asyncio.sleep(0.3)  # prefetch nothing while the user skips through runs
        try:
            number = await self.neighbour_of(self.run_id, 1)
            if number is not None:
                await self._workspace.call(lambda session: session.prefetch.fetch(number))
        except CekuraTuiError:
            return  # reported if the user opens that run
