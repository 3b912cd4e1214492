"""A job of which the row cannot be read takes none of the others from the screen."""

from __future__ import annotations

import pytest
from app_on_a_server import no_crash, opened
from kept_jobs import DONE, RUNNING, SeededJobs, on_jobs

from cekura_tui.store.store import Store
from cekura_tui.ui.kit.lines import StatusLine
from cekura_tui.workspace.setup import Setup


@pytest.mark.parametrize("change", ["state = 'runnin'", "run_ids = 'x'"])
async def test_an_unreadable_job_is_named_beside_the_others(quiet: Setup, seeded: SeededJobs, change: str) -> None:
    seeded.ended(DONE, took=40)
    seeded.ended(DONE, took=40)
    seeded.running(RUNNING, ago=20)
    store = Store(quiet.paths.database, quiet.origin, "another key", quiet.profile)
    with store.database.write() as sql:
        sql.execute(f"UPDATE jobs SET {change} WHERE number = 2")
    store.close()
    async with opened(quiet) as pilot:
        listed = await on_jobs(pilot, "Can't read job 2", " 1 102", " 3 102")
        assert [row.number for row in listed.rows] == [3, 1]
        assert "2 jobs" in pilot.app.screen.query_one("#status", StatusLine).right  # the message lies over it
        no_crash(pilot)
