"""A live run of the demo server, of which each answer has as much as its clock allows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import EPOCH, WIDE, Served, no_crash, opened
from textual.pilot import Pilot
from waiting import eventually
from watching import sees, still

from cekura_tui.demo.server import DemoServer
from cekura_tui.ui.run.transcript import Transcript

RUN = 900_261
"""A run that fails: its call begins six seconds after it came."""
EVERY = 10.0
LASTS = 90
"""Seconds of its call."""


class Clock:
    """Shows the time that it was set to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the server; the app polls at once."""
    monkeypatch.setattr("cekura_tui.ui.run.loader.REPOLL", 0.05)
    return Clock(EPOCH)


@pytest.fixture
def live(tmp_path: Path, clock: Clock) -> Iterator[Served]:
    """A demo server with a new run every ten seconds of its clock."""
    log: list[dict[str, object]] = []
    server = DemoServer(tmp_path / "demo", epoch=EPOCH, live=EVERY, log=log.append, clock=clock)
    server.start()
    yield Served(server, log)
    server.stop()


def came(clock: Clock, after: float) -> None:
    """Set the clock to this many seconds after the run began to be listed."""
    clock.now = EPOCH + EVERY * (RUN - 900_240) + after


def transcript(pilot: Pilot[Any]) -> Transcript:
    return pilot.app.screen.query_one(Transcript)


async def turns(pilot: Pilot[Any], more_than: int) -> int:
    """Wait until there are more turns than this many; returns how many."""
    await eventually(lambda: len(transcript(pilot).turns) > more_than, f"more than {more_than} turns")
    await pilot.pause()
    return len(transcript(pilot).turns)


async def test_a_live_demo_run_waits_then_is_spoken_then_judged(live: Served, clock: Clock) -> None:
    came(clock, 1)
    async with opened(live.setup(), size=WIDE, run_id=RUN) as pilot:
        await sees(pilot, f"Run {RUN}", "No turns yet", "live")
        came(clock, 6 + 20)
        shown = await turns(pilot, 0)
        await sees(pilot, transcript(pilot).turns[0].text.split()[0], gone="No turns yet")
        assert pilot.app.screen.loader.view.verdicts == ()

        came(clock, 6 + LASTS + 1)
        whole = await turns(pilot, shown)
        await sees(pilot, "evaluating")
        assert pilot.app.screen.loader.view.verdicts == ()

        came(clock, 6 + LASTS + 11)
        await eventually(lambda: pilot.app.screen.loader.view.verdicts, "verdicts")
        failing = next(verdict for verdict in pilot.app.screen.loader.view.verdicts if verdict.state == "fail")
        await sees(pilot, failing.name[:24], gone=" live ")
        assert len(transcript(pilot).turns) == whole
        await still(pilot)
        assert pilot.app.screen.loader._timer is None
        no_crash(pilot)
