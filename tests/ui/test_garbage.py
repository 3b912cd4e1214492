"""Garbage collection is set up once the first frame is shown, and garbage is freed from then on."""

from __future__ import annotations

import gc
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
    async with opened(quiet, tidy=True):
        await eventually(lambda: gc.get_freeze_count() > 0, "what is loaded is set aside")
        assert gc.isenabled()
