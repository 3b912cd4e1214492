"""Find out why runs failed: from the cache on this machine, else from the server, whose full runs are also searched."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, retried
from cekura_tui.jobs.polling import BUDGET, WINDOW, Budget
from cekura_tui.model.run.groups import Finding, findings_of
from cekura_tui.model.run.listed_runs import PAGE
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import read_verdicts
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.text import count, span_text
from cekura_tui.model.transcript.transcript import Turn, read_transcript
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store
from cekura_tui.workspace.run_lists import claim_request, whole_runs

AT_ONCE = 25
"""Maximum number of runs whose findings are fetched at once."""
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
    ) -> tuple[dict[int, tuple[Finding, ...]], ApiError | None]:
        """The findings by run id, from the cache or else the server, and the error that ended the requests, or None. If
        `fresh`, the cache is not used. Temporary failures are retried; `on_wait(error, seconds)` is called before each
        wait, and `on_found` after each request with the number of runs whose findings are known. Raises StoreError."""
        found = {} if fresh else self.cached(ids)
        missing = [number for number in ids if number not in found]
        for start in range(0, len(missing), AT_ONCE):
            fetch = partial(self._fetch_some, missing[start : start + AT_ONCE])
            try:
                found |= await retried(fetch, on_wait=on_wait, monotonic=self._monotonic, sleep=self._sleep)
            except ApiError as error:
                return found, error
            on_found(len(found))
        return found, None

    async def _fetch_some(self, ids: Sequence[int], attempt: int) -> dict[int, tuple[Finding, ...]]:
        return await self.fetch(ids)

    async def fetch(self, ids: Sequence[int]) -> dict[int, tuple[Finding, ...]]:
        """Fetch the findings of the first 25 of these runs, by run id, within the shared budget. Raises ApiError. A run
        missing from the answer has no findings. Findings of a run that has not finished are not cached. The transcripts
        can be searched from now on."""
        wanted = tuple(dict.fromkeys(ids))[:AT_ONCE]
        if not wanted:
            return {}
        turn = partial(claim_request, self._budget, monotonic=self._monotonic, sleep=self._sleep)
        read = await whole_runs(self._client, turn, wanted, _read)
        rows = [row for row, _, _ in read]
        found = dict.fromkeys(wanted, ()) | {row.id: why for row, why, _ in read}
        self._keep_rows(rows)
        # A running run may still fail, so its findings are not final.
        running = {row.id for row in rows if not row.outcome.settled}
        try:
            final = {number: some for number, some in found.items() if number not in running}
            self._findings.save(final, self._clock())
            self._transcripts.save([(row, turns) for row, _, turns in read])
        except StoreError as error:
            _log.warning("full runs were not saved: %s", error.message)
        return found


def _read(run: Run) -> tuple[RunRow, tuple[Finding, ...], tuple[Turn, ...]]:
    return row_of(run), findings_of(read_verdicts(run)), read_transcript(run).turns


def load_words(runs: int, listed: int = 0) -> str:
    """How long it takes to load runs in full, after listing `listed` runs: "30 runs (2 requests, about 1 s)"."""
    requests = -(-runs // AT_ONCE) + -(-listed // PAGE)
    seconds = max(1, round(requests * WINDOW / BUDGET))
    return f"{count(runs, 'run')} ({count(requests, 'request')}, about {span_text(seconds)})"
