"""The number of failed checks is the same in the list, in the preview and on the run's page."""

from __future__ import annotations

import pytest
from app_on_a_server import LIST, opened, setup_of
from scripted_server import Reply, ScriptedServer, run_of, serve_runs
from watching import sees

FAILED = {"id": 1, "name": "Greeting", "passed": False}
MISSED = {"score": 0, "explanation": ["❌ No table was booked."]}


@pytest.fixture(autouse=True)
def runs(scripted: ScriptedServer) -> None:
    """The list has one failed check of a run and none of another; both runs failed two."""
    whole = {"evaluation": {"metrics": [FAILED]}, "expected_outcome": MISSED}
    scripted.on("GET", LIST, Reply([run_of(6, metrics=[FAILED]), run_of(5)]))
    scripted.on("GET", f"{LIST}bulk/", Reply([run_of(6, **whole), run_of(5, **whole)]))
    serve_runs(scripted, run_of(6, **whole), run_of(5, **whole))


async def test_a_run_that_was_loaded_whole_says_so_in_the_list_and_after_a_restart(scripted: ScriptedServer) -> None:
    setup = setup_of(scripted.url, "key", 1)
    async with opened(setup, size=(80, 24)) as pilot:
        await sees(pilot, "2 runs", "6        ✗ failed", "5        ✗ failed")
        await pilot.press("enter")
        await sees(pilot, "Verdicts")
        await pilot.press("escape")
        await sees(pilot, "6        ✗ 2 checks", "5        ✗ failed")
        await pilot.press("b")
        await sees(pilot, "all failure reasons loaded")
        await pilot.press("escape")
        await sees(pilot, "6        ✗ 2 checks", "5        ✗ 2 checks")
        await pilot.press("r")
        await sees(pilot, "6        ✗ 2 checks", "paused")
    scripted.on("GET", LIST, Reply({"detail": "Down."}, 503))
    async with opened(setup, size=(80, 24)) as pilot:
        await sees(pilot, "6        ✗ 2 checks", "5        ✗ 2 checks", "retrying")


async def test_a_run_that_is_previewed_has_its_checks_in_the_list(scripted: ScriptedServer) -> None:
    async with opened(setup_of(scripted.url, "key", 1), size=(120, 36)) as pilot:
        await sees(pilot, "6        ✗ 2 checks", "5        ✗ failed")
