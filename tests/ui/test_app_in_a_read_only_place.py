"""The app in a directory where nothing can be written: it says so once, shows everything, and launches nothing."""

from __future__ import annotations

from pathlib import Path

from app_on_a_server import LAUNCH, Served, no_crash, opened
from kept_jobs import DONE, seeded_jobs
from read_only_place import read_only_place
from watching import sees


async def test_a_read_only_session_says_once_that_nothing_is_saved_and_works(served: Served, home: Path) -> None:
    setup = served.setup()
    with seeded_jobs(setup, served.server.key) as seeded:
        seeded.ended(DONE, took=30.0)
        seeded.running()
    with read_only_place(home):
        async with opened(served.setup()) as pilot:
            await sees(pilot, "Read-only session: nothing is saved or launched.", "read-only", "240 runs")
            await pilot.press("2")
            await sees(pilot, "succeeded", "running", "none: nothing can be")
            no_crash(pilot)
    assert served.asked(LAUNCH, "POST") == []
