"""The evidence of a run's verdicts, found in small steps: whoever scrolls meanwhile does not wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterator

from cekura_tui.model.evidence import Evidence, EvidenceFinder
from cekura_tui.model.verdict import Verdict
from cekura_tui.model.view import RunView

Found = tuple[tuple[Verdict, tuple[Evidence, ...]], ...]
"""Each verdict of a run that applied, in order, and the turns that it speaks of."""
MOST = 8
"""Runs whose evidence is kept."""
_STEP = 0.004
"""Seconds of work after which others have their turn."""
_REST = 0.008
"""Seconds of that turn: whoever reads meanwhile has most of the time."""
_LONG = 500
"""Turns from which on the run is drawn first."""
_DRAWN = 0.1
"""Seconds for that."""


class RunEvidence:
    """Of one session, on its loop."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[RunView, Found]] = {}

    async def find(self, view: RunView) -> Found:
        """The evidence of all verdicts of a run, or as it was found for the same run before."""
        number = view.row.id
        kept = self._kept.pop(number, None)
        if kept is None or kept[0].verdicts != view.verdicts or kept[0].transcript != view.transcript:
            kept = view, await _found(view)
        self._kept[number] = kept
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return kept[1]


async def _found(view: RunView) -> Found:
    told: list[tuple[Verdict, tuple[Evidence, ...]]] = []
    if len(view.transcript.turns) >= _LONG:
        await asyncio.sleep(_DRAWN)
    finder = EvidenceFinder(view.transcript.turns)
    until = time.monotonic() + _STEP
    with _no_search_for_garbage():
        for _ in finder.read():
            until = await _rest(until)
        for verdict in view.verdicts:
            if verdict.state != "na":
                steps, found = finder.find(verdict.reasons), None
                while found is None:
                    try:
                        next(steps)
                    except StopIteration as done:
                        found = done.value
                    until = await _rest(until)
                told.append((verdict, found))
    return tuple(told)


@contextlib.contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Python would look for garbage among the words of a long call again and again, for a tenth of a second in which no
    key is answered, and find none. What there is otherwise waits some seconds."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


async def _rest(until: float) -> float:
    """A rest, when a step of work was done; until when the next one goes on."""
    if time.monotonic() < until:
        return until
    await asyncio.sleep(_REST)
    return time.monotonic() + _STEP
