"""Several who ask the same at the same time ask once."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from cekura_tui.workspace.opened_runs import SingleFlight


class Source:
    """Answers when it is let; counts what was asked and what was given up."""

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


async def test_simultaneous_reads_share_one_answer_and_later_ones_do_not() -> None:
    reads, source = SingleFlight[int](), Source()
    asking = [asyncio.create_task(reads.get(5, source.read)) for _ in range(3)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*asking) == [1, 1, 1]
    assert await reads.get(5, source.read) == 2


async def test_another_key_is_another_question() -> None:
    reads, one, other = SingleFlight[int](), Source(), Source()
    one.gate.set()
    other.gate.set()
    await asyncio.gather(reads.get(5, one.read), reads.get(6, other.read))
    assert (one.asked, other.asked) == (1, 1)


async def test_an_error_is_told_to_all_of_them() -> None:
    reads, source = SingleFlight[int](), Source()
    source.error = ValueError("no")
    source.gate.set()
    told = await asyncio.gather(*(reads.get(5, source.read) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in told] == ["no", "no"]
    assert source.asked == 1


async def test_it_goes_on_while_one_waits_and_is_given_up_with_the_last() -> None:
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
