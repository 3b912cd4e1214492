"""Garbage is looked for in pauses, and nothing that is let go of stays."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from textual.app import App
from waiting import eventually

from cekura_tui.ui import app as garbage
from cekura_tui.ui.app import GarbageWhenIdle


class Ring:
    """Holds itself: only a search for garbage ends it."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is set for the whole process is set back."""
    before = gc.get_threshold()
    monkeypatch.setattr(garbage, "_DUE", 0)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


async def test_in_a_pause_what_nobody_holds_goes_also_what_was_put_aside_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "IDLE", 0.05)
    async with App[None]().run_test() as pilot:
        idle = GarbageWhenIdle(pilot.app)
        ring = Ring()
        idle.busy()
        await eventually(lambda: gc.get_freeze_count() > 0, "a first look")
        gone, ring = weakref.ref(ring), None  # type: ignore[assignment]
        assert gone() is not None
        idle.busy()
        await eventually(lambda: gone() is None, "a second look")


async def test_what_was_loaded_after_the_first_frame_is_put_aside_in_the_first_pause_and_little_is_not_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "IDLE", 0.05)
    monkeypatch.setattr(garbage, "_DUE", 1_000_000)
    async with App[None]().run_test() as pilot:
        idle = GarbageWhenIdle(pilot.app)
        idle.busy()
        await eventually(lambda: gc.get_freeze_count() > 0, "a first look")
        gc.unfreeze()
        idle.busy()
        await eventually(lambda: idle._timer is None, "a second pause")
        assert gc.get_freeze_count() == 0


async def test_while_keys_come_it_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "IDLE", 30.0)
    async with App[None]().run_test() as pilot:
        idle, set_timer, timers = GarbageWhenIdle(pilot.app), pilot.app.set_timer, []
        monkeypatch.setattr(pilot.app, "set_timer", lambda *how: (timers.append(how), set_timer(*how))[1])
        for _ in range(50):
            idle.busy()
            await pilot.pause()
        assert gc.get_freeze_count() == 0
        assert len(timers) == 1
