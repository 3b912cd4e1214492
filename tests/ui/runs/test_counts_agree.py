"""How many checks failed is the same in the list, beside it and on the run's page, as soon as it is known here."""

from __future__ import annotations

import pytest
from app_on_a_server import LIST, opened, setup_of
from scripted_server import Reply, ScriptedServer, run_of, serve_runs
from watching import sees

FAILED = {"id": 1, "name": "Greeting", "passed": False}
MISSED = {"score": 0, "explanation": ["❌ No table was booked."]}


@pytest.fixture(autouse=True)
def runs(scripted: ScriptedServer) -> None:
    """A list tells of one failed check of a run, and of none of another; both have two."""
    whole = {"evaluation": {"metrics": [FAILED]}, "expected_outcome": MISSED}
    scripted.on("GET", LIST, Reply([run_of(6, metrics=[FAILED]), run_of(5)]))
    scripted.on("GET", f"{LIST}bulk/", Reply([run_of(6, **whole), run_of(5, **whole)]))
    serve_runs(scripted, run_of(6, **whole), run_of(5, **whole))


@pytest.mark.parametrize(
    ("size", "keys", "before"),
    [
        ((80, 24), ("enter", "escape"), ("6        ✗ failed", "5        ✗ failed")),
        ((80, 24), ("b", "escape"), ("6        ✗ failed", "5        ✗ failed")),
        ((120, 36), (), ("✗ failed",)),
    ],
    ids=["opened", "grouped", "previewed"],
)
async def test_a_run_that_is_known_whole_says_so_in_the_list_and_after_a_restart(
    scripted: ScriptedServer, size: tuple[int, int], keys: tuple[str, ...], before: tuple[str, ...]
) -> None:
    setup = setup_of(scripted.url, "key", 1)
    async with opened(setup, size=size) as pilot:
        await sees(pilot, "2 runs", *before)
        for key in keys:
            await pilot.press(key)
            await sees(pilot, {"enter": "Verdicts", "b": "all failure reasons loaded"}.get(key, "2 runs"))
        await sees(pilot, "6        ✗ 2 checks")
        await pilot.press("r")
        await sees(pilot, "6        ✗ 2 checks", "paused")
    scripted.on("GET", LIST, Reply({"detail": "Down."}, 503))
    async with opened(setup, size=size) as pilot:
        await sees(pilot, "6        ✗ 2 checks", "retrying")
