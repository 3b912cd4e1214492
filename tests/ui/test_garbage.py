"""Garbage is collected in pauses, and all of it is freed."""

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
    """Restore what is set for the whole process."""
    before = gc.get_threshold()
    gc.unfreeze()  # what an app of another test put aside
    monkeypatch.setattr(garbage, "_DUE", 0)
    monkeypatch.setattr(garbage, "IDLE", 0.05)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


async def test_much_garbage_is_freed_in_a_pause_even_where_it_was_set_aside_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with App[None]().run_test() as pilot:
        idle = GarbageWhenIdle(pilot.app)
        ring = Ring()
        idle.busy()
        await eventually(lambda: gc.get_freeze_count() > 0, "a first look")
        gone, ring = weakref.ref(ring), None  # type: ignore[assignment]
        assert gone() is not None
        idle.busy()
        await eventually(lambda: gone() is None, "a second look")
        monkeypatch.setattr(garbage, "_DUE", 1_000_000)
        gc.unfreeze()
        idle.busy()
        await eventually(lambda: idle._timer is None, "a third pause")
        assert gc.get_freeze_count() == 0


async def test_no_garbage_is_collected_while_keys_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "IDLE", 30.0)
    async with App[None]().run_test() as pilot:
        idle, set_timer, timers = GarbageWhenIdle(pilot.app), pilot.app.set_timer, []
        monkeypatch.setattr(pilot.app, "set_timer", lambda *how: (timers.append(how), set_timer(*how))[1])
        for _ in range(10):
            idle.busy()
            await pilot.pause()
        assert gc.get_freeze_count() == 0
        assert len(timers) == 1
