"""Garbage collection is tuned once the first frame is shown, and garbage is still freed later."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from app_on_a_server import opened
from waiting import eventually

from cekura_tui.workspace.setup import Setup


@pytest.fixture(autouse=True)
def restore_gc() -> Iterator[None]:
    """Restore the garbage collector's settings, which apply to the whole process."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.enable()


async def test_objects_of_the_first_frame_are_frozen_and_collection_is_enabled(quiet: Setup) -> None:
    gc.disable()
    async with opened(quiet, tune_gc=True):
        await eventually(lambda: gc.get_freeze_count() > 0, "loaded objects are frozen")
        assert gc.isenabled()


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.mark.long
async def test_old_garbage_is_collected_after_another_screen_is_painted(quiet: Setup) -> None:
    async with opened(quiet, tune_gc=True) as pilot:
        await eventually(lambda: gc.get_freeze_count() > 0, "loaded objects are frozen")
        first = gc.get_freeze_count()
        await eventually(lambda: gc.get_freeze_count() > first, "objects loaded after the first frame are frozen")
        garbage = Cycle()
        for _ in range(5):
            gc.collect(1)  # moves it to the oldest generation while it is in use
        collected = weakref.ref(garbage)
        del garbage
        await pilot.press("?")
        await eventually(lambda: collected() is None, "it is collected")
