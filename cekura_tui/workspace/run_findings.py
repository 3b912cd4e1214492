"""Load runs in full: find out why they failed, from the cache or the server, and let their transcripts be searched."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, retried
from cekura_tui.jobs.polling import AT_ONCE, Budget, load_words
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.run.groups import Finding, findings_of
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import read_verdicts
from cekura_tui.model.run.view import RunRow, review_of, row_of
from cekura_tui.model.transcript.transcript import Turn, read_transcript
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store
from cekura_tui.workspace.run_lists import claim_request, whole_runs

if TYPE_CHECKING:
    from cekura_tui.workspace.all_runs import MatchingPage

_log = logging.getLogger("cekura_tui.workspace")


class RunFindings:
    def __init__(
        self,
        store: Store,
        client: Client,
        budget: Budget,
        save_rows: Callable[[Sequence[RunRow]], None] = lambda rows: None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._findings, self._client, self._budget = store.findings, client, budget
        self._transcripts = store.transcript_search
        self._keep_rows = save_rows
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep

    def cached(self, ids: Sequence[int]) -> dict[int, tuple[Finding, ...]]:
        return self._findings.cached(ids)

    async def all(
        self,
        ids: Sequence[int],
        on_wait: Callable[[ApiError, float], None] = lambda error, seconds: None,
        on_found: Callable[[int], None] = lambda known: None,
        *,
        fresh: bool = False,
    ) -> tuple[dict[int, tuple[Finding, ...] | None], ApiError | None]:
        """The findings by run id, from the cache or else the server, and the error that ended the requests, or None. If
        `fresh`, the cache is not used. Temporary failures are retried; `on_wait(error, seconds)` is called before each
        wait, and `on_found` after each request with the number of runs whose findings are known. Raises StoreError."""
        found: dict[int, tuple[Finding, ...] | None] = {} if fresh else {**self.cached(ids)}
        missing = [number for number in ids if number not in found]
        for start in range(0, len(missing), AT_ONCE):
            fetch = partial(self.fetch, missing[start : start + AT_ONCE])
            try:
                found |= await retried(fetch, on_wait=on_wait, monotonic=self._monotonic, sleep=self._sleep)
            except ApiError as error:
                return found, error
            on_found(len(found))
        return found, None

    async def fetch(self, ids: Sequence[int], _attempt: int = 1) -> dict[int, tuple[Finding, ...] | None]:
        """Fetch the findings of the first 25 runs, by run id (None if the answer lacks the run), within the shared
        budget. Findings of finished runs are cached, and transcripts can be searched. Raises ApiError."""
        wanted = tuple(dict.fromkeys(ids))[:AT_ONCE]
        if not wanted:
            return {}
        turn = partial(claim_request, self._budget, monotonic=self._monotonic, sleep=self._sleep)
        read = await whole_runs(self._client, turn, wanted, _read)
        rows = [row for row, _, _ in read]
        found: dict[int, tuple[Finding, ...] | None] = dict.fromkeys(wanted)
        found |= {row.id: why for row, why, _ in read}
        self._keep_rows(rows)
        try:
            # A running run may still fail, so its findings are not final.
            self._findings.save({row.id: why for row, why, _ in read if row.outcome.settled}, self._clock())
            self._transcripts.save([(row, turns) for row, _, turns in read])
        except StoreError as error:
            _log.warning("full runs were not saved: %s", error.message)
        return found


def _read(run: Run) -> tuple[RunRow, tuple[Finding, ...], tuple[Turn, ...]]:
    row = row_of(run, verdicts := read_verdicts(run))
    return row, findings_of(verdicts, review_of(run, row)), read_transcript(run).turns


class TranscriptLoad:
    """Loads the transcripts of a list's runs, newest first, within the shared budget, so that they can be searched.
    Used on the session's loop; other threads may read the attributes. `searchable` returns the rows of a query's runs
    whose transcripts are cached, and `list_runs` the pages of a query's runs."""

    def __init__(
        self,
        query: RunQuery,
        store: Store,
        findings: RunFindings,
        searchable: Callable[[RunQuery | None], Awaitable[dict[int, RunRow]]],
        list_runs: Callable[..., AsyncGenerator[MatchingPage, None]],
    ) -> None:
        self.query = query
        self._database, self._search, self._findings = store.database, store.transcript_search, findings
        self._searchable, self._list_runs = searchable, list_runs
        self.covered: frozenset[int] = frozenset()
        """Ids of the runs of the list whose transcripts are cached."""
        self.total: int | None = None
        """The number of runs of the list, at most; None until the server has answered."""
        self.problem = ""
        """Why the load waits for the server or has ended early; empty otherwise."""
        self.complete = False
        """Whether all runs of the list were gone through."""
        self._unsettled = 0
        self._listed: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def look_up(self) -> None:
        """Find out which transcripts are cached."""
        matching = await self._searchable(self.query)
        self._unsettled = sum(not row.outcome.settled for row in matching.values())
        self.covered = frozenset({*matching, *self._search.searchable(self._listed)})

    def words(self, total: int) -> str:
        """What it takes to list `total` runs and to load the missing transcripts, at most. Empty if none is missing."""
        missing = max(0, total - len(self.covered)) + self._unsettled  # a run that had not ended is loaded again
        return load_words(missing, total) if missing else ""

    async def pages(self, begin: Callable[[], None] = lambda: None) -> AsyncGenerator[list[int], None]:
        """Load missing transcripts page by page, each after `begin`; yield the matching ids. Raises CekuraTuiError."""
        if why := self._database.unwritable:
            raise UsageError("Can't load transcripts: the database is read-only.", why)
        known, matched, whole = await self._searchable(None), 0, set[int]()

        async def load_whole(ids: Sequence[int]) -> ApiError | None:
            whole.update(ids)
            return (await self._findings.all(ids, self._wait, fresh=True))[1]

        async with aclosing(self._list_runs(self.query, self._wait, load_whole=load_whole)) as pages:
            async for page in pages:
                rows = [row for _, row in page.matches]
                matched += len(rows)
                self.total = matched + page.total - page.read
                begin()
                missing = [row.id for row in rows if row.id not in whole and not _is_current(known.get(row.id), row)]
                if (error := await load_whole(missing)) is not None:
                    raise error
                ids = [row.id for row in rows]
                self._listed.update(ids)
                self.covered |= self._search.searchable(ids)
                self.problem = ""
                yield ids
        self.complete = True

    def start(self) -> None:
        """Load the transcripts in the background, until `stop` or the end of the session."""
        if not self.running:
            self.problem = ""
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            async with aclosing(self.pages()) as pages:
                async for _ in pages:
                    pass
        except CekuraTuiError as error:
            self.problem = error.sentence()

    def _wait(self, error: ApiError, seconds: float) -> None:
        from cekura_tui.workspace.all_runs import wait_text

        self.problem = wait_text(error, seconds)


def _is_current(cached: RunRow | None, row: RunRow) -> bool:
    """Whether a cached run had ended when it was read, and has the same outcome since."""
    return cached is not None and row.outcome.settled and cached.outcome.kind == row.outcome.kind
