"""Concurrent reads of one key share a request."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from cekura_tui.workspace.opened_runs import SingleFlight


class Source:
    """A source that answers reads once its gate is open, and counts the started and the cancelled reads."""

    def __init__(self) -> None:
        self.asked = self.given_up = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def read(self) -> int:
        self.asked += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.error is not None:
            raise self.error
        return self.asked


async def test_concurrent_reads_of_one_cache_key_share_one_answer() -> None:
    reads, source = SingleFlight[int](), Source()
    asking = [asyncio.create_task(reads.get(key, source.read)) for key in (5, 5, 6, 5)]
    await asyncio.sleep(0)
    source.gate.set()
    await asyncio.gather(*asking)
    assert source.asked == 2
    await reads.get(5, source.read)
    assert source.asked == 3


async def test_an_error_of_a_shared_read_is_raised_in_all_callers() -> None:
    reads, source = SingleFlight[int](), Source()
    source.error = ValueError("no")
    source.gate.set()
    errors = await asyncio.gather(*(reads.get(5, source.read) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in errors] == ["no", "no"]
    assert source.asked == 1


async def test_a_read_is_cancelled_with_its_last_caller() -> None:
    reads, source = SingleFlight[int](), Source()
    first, second = (asyncio.create_task(reads.get(5, source.read)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert source.given_up == 0
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await asyncio.sleep(0)
    assert source.given_up == 1
    source.gate.set()
    assert await reads.get(5, source.read) == 2
