"""A run that goes on while it is read: the embedded server tells more of it each time, as the clock goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import EPOCH, LIST, SMALL, WIDE, Served, no_crash, opened
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text, sees, still

from cekura_tui.demo.server import DemoServer
from cekura_tui.ui.run.transcript import Transcript

RUN = 900_261
"""A run that fails: its call begins six seconds after it came."""
PATH = f"{LIST}{RUN}/"
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
    """The server's; the app asks again at once."""
    monkeypatch.setattr("cekura_tui.ui.run.loader.REPOLL", 0.05)
    return Clock(EPOCH)


@pytest.fixture
def live(tmp_path: Path, clock: Clock) -> Iterator[Served]:
    """A server on which a run comes every ten seconds of its clock."""
    log: list[dict[str, object]] = []
    server = DemoServer(tmp_path / "demo", epoch=EPOCH, live=EVERY, log=log.append, clock=clock)
    server.start()
    yield Served(server, log)
    server.stop()


def came(clock: Clock, after: float) -> None:
    """So many seconds have passed since the run came."""
    clock.now = EPOCH + EVERY * (RUN - 900_240) + after


def transcript(pilot: Pilot[Any]) -> Transcript:
    return pilot.app.screen.query_one(Transcript)


async def turns(pilot: Pilot[Any], more_than: int) -> int:
    """Wait until more turns are there than so many; returns how many."""
    await eventually(lambda: len(transcript(pilot).turns) > more_than, f"more than {more_than} turns")
    await pilot.pause()
    return len(transcript(pilot).turns)


async def test_turns_come_at_the_bottom_and_are_followed_from_the_bottom_alone(live: Served, clock: Clock) -> None:
    came(clock, 6 + 45)
    async with opened(live.setup(), size=SMALL, run_id=RUN) as pilot:
        await sees(pilot, f"Run {RUN}", "live")
        shown = await turns(pilot, 4)
        await pilot.press("G")
        await eventually(lambda: transcript(pilot).cursor_key == shown, "the cursor on the last turn")
        for after in (60, 72):
            came(clock, 6 + after)
            shown = await turns(pilot, shown)
            await eventually(
                lambda shown=shown: transcript(pilot).cursor_key == shown, "the newest turn under the cursor"
            )
            assert transcript(pilot).at_bottom
            last = transcript(pilot).turns[-1].text.split()[-1]
            await sees(pilot, last)

        await pilot.press("g")
        await eventually(lambda: transcript(pilot).cursor_key == 1, "the cursor on the first turn")
        await still(pilot)
        before = body(pilot)
        came(clock, 6 + LASTS)
        await turns(pilot, shown)
        await still(pilot)
        assert transcript(pilot).cursor_key == 1
        assert not transcript(pilot).at_bottom
        assert body(pilot) == before
        no_crash(pilot)


def body(pilot: Pilot[Any]) -> list[str]:
    """What is seen of the transcript."""
    region = transcript(pilot).region
    edge = region.right - 2  # the bar beside it does move
    return [line.ljust(edge)[region.x : edge] for line in screen_text(pilot.app).split("\n")[region.y : region.bottom]]


async def test_a_run_that_waits_says_so_then_is_spoken_then_judged(live: Served, clock: Clock) -> None:
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
        asked = len(live.asked(PATH))
        await still(pilot)
        assert len(live.asked(PATH)) == asked
        no_crash(pilot)
