"""What happened while nobody was at this terminal: one line at the start, and when somebody is back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual import events

from cekura_tui.model.away import NewFailures, Presence, away_line, ended_at, new_failures
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job
from cekura_tui.ui.board import Board
from cekura_tui.ui.messages import RunsRead

if TYPE_CHECKING:
    from textual.app import App

    from cekura_tui.workspace.session import Session

PATIENCE = 5.0
"""Seconds that the line waits for the server at the most."""
LONG = 60.0
"""Seconds of absence after which the run list is read anew."""


@dataclass
class _Telling:
    """What is still to be known before the line is told. `going` are jobs by number, with their last answer's time."""

    runs: bool
    going: dict[int, float | None] = field(default_factory=dict)
    looked: bool = False
    jobs: bool = False
    failures: NewFailures = field(default_factory=NewFailures)


class WhileAway:
    """Knows whether somebody is there. `look_again` has the run list read anew; False where there is none yet."""

    def __init__(self, app: App[None], board: Board, look_again: Callable[[], bool]) -> None:
        self._app, self._board, self._look_again = app, board, look_again
        self._presence = Presence(board.clock())
        self._unread: frozenset[int] = frozenset()
        self._seen: frozenset[int] = frozenset()
        """The unread jobs of which somebody has been told."""
        self._noted: frozenset[int] | None = None
        """What was unread when it was last noted that somebody is here."""
        self._telling: _Telling | None = None

    @property
    def away(self) -> bool:
        """Whether nobody is there."""
        return self._presence.away_since(self._board.clock()) is not None

    # Coming and going

    def begin(self, *, runs: bool) -> None:
        """The program starts, or another workspace is entered; `runs` tells that the run list is being read."""
        self._unread = self._seen = frozenset()
        self._noted = None
        going = {job.number: job.answered_at for job in self._board.jobs if job.state.going and not job.other_key}
        telling = self._wait(_Telling(runs, going))
        self._app.run_worker(self._look_back(telling), group="while-away", exclusive=True)

    async def _look_back(self, telling: _Telling) -> None:
        """Find out what had been told before: what ended until somebody last sat here, but for jobs that went on."""

        async def ask(session: Session) -> tuple[float | None, list[Job]]:
            return await session.jobs.looked_at(), await session.jobs.all()

        try:
            looked_at, jobs = await self._board.workspace.call(ask)
        except CekuraTuiError:
            self._telling = None  # whoever reads the jobs tells why
            return
        old = (job for job in jobs if job.unread and job.number not in telling.going)
        self._seen |= {job.number for job in old if looked_at is None or ended_at(job) <= looked_at}
        telling.looked = True
        self._check()

    def saw(self, event: events.InputEvent) -> None:
        """A key or the mouse; a pointer that crosses a terminal without focus says nothing."""
        if isinstance(event, events.Key | events.MouseDown) or not self.away:
            self._back()

    def focus(self) -> None:
        """The terminal has the focus."""
        self._back(told=True)

    def blur(self) -> None:
        """The terminal lost the focus."""
        self._presence.left(self._board.clock())
        if self._telling is None:
            self._look_around()

    def leaving(self) -> None:
        """Somebody leaves the program."""
        if not self.away and self._telling is None:
            self._look_around()

    def _back(self, *, told: bool = False) -> None:
        now = self._board.clock()
        since = self._presence.back(now, told=told)
        if self._telling is not None:
            self._check()
        elif since is None:
            self._seen = self._unread
        else:
            self._wait(_Telling(now - since > LONG and self._look_again(), looked=True, jobs=True))
            self._check()

    # What is read

    def jobs_read(self, jobs: Sequence[Job]) -> None:
        """The board has the jobs as they are now."""
        self._unread = frozenset(job.number for job in jobs if job.unread)
        if self._telling is not None:
            self._telling.jobs = True
            self._check()

    def runs_read(self, event: RunsRead) -> None:
        """The run list was read anew."""
        if self._telling is not None and self._telling.runs:
            failures = new_failures(event.before, event.now, whole=event.whole)
            self._telling.runs, self._telling.failures = False, failures
            self._check()

    def withholds(self, number: int) -> bool:
        """Whether the end of this job is left to the line."""
        return self._telling is not None and number in self._telling.going

    def told(self, numbers: Collection[int]) -> None:
        """The ends of these jobs were told."""
        if self._telling is not None and not self.away:
            self._seen |= frozenset(numbers)

    # The line

    def _wait(self, telling: _Telling) -> _Telling:
        self._telling = telling
        self._app.set_timer(PATIENCE, lambda: self._wait_no_more(telling))
        return telling

    def _wait_no_more(self, telling: _Telling) -> None:
        telling.runs = False
        telling.going.clear()
        self._check()

    def _check(self) -> None:
        """Tell the line once everything is known and somebody is there."""
        telling = self._telling
        if telling is None or telling.runs or not (telling.looked and telling.jobs) or self.away:
            return
        if any(self._awaited(job, telling.going) for job in self._board.jobs):
            return
        self._telling = None
        news = [job for job in self._board.jobs if job.unread and job.number not in self._seen]
        if line := away_line(news, telling.failures):
            self._app.notify(line, timeout=10, markup=False)
        self._look_around()

    def _awaited(self, job: Job, going: dict[int, float | None]) -> bool:
        """Whether a job that went on has not been asked about yet."""
        unasked = job.state.going and job.stale_since is None
        return unasked and job.number in going and job.answered_at == going[job.number]

    def _look_around(self) -> None:
        """Note that somebody is here, unless that would change nothing of what is news the next time."""
        self._seen = self._unread
        if self._noted == self._unread:
            return
        self._noted = self._unread
        with contextlib.suppress(CekuraTuiError):
            self._board.workspace.send(lambda session: session.jobs.look_around())
