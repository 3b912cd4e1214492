"""Garbage collection is set up once the first frame is shown, and garbage is freed from then on."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from app_on_a_server import opened
from waiting import eventually

from cekura_tui.workspace.setup import Setup


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Restore what is set for the whole process."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.enable()


async def test_what_the_first_frame_loaded_is_set_aside_and_collection_goes_on(quiet: Setup) -> None:
    gc.disable()
    async with opened(quiet, tune_gc=True):
        await eventually(lambda: gc.get_freeze_count() > 0, "what is loaded is set aside")
        assert gc.isenabled()


class Cycle:
    def __init__(self) -> None:
        self.itself = self


async def test_old_garbage_is_collected_after_another_screen_was_painted(quiet: Setup) -> None:
    async with opened(quiet, tune_gc=True) as pilot:
        await eventually(lambda: gc.get_freeze_count() > 0, "what is loaded is set aside")
        first = gc.get_freeze_count()
        await eventually(lambda: gc.get_freeze_count() > first, "so is what is loaded after the first frame")
        garbage = Cycle()
        for _ in range(5):
            gc.collect(1)  # it grows old while it is used
        collected = weakref.ref(garbage)
        del garbage
        await pilot.press("?")
        await eventually(lambda: collected() is None, "it is collected")
