"""Another process's launch is not touched while that process is alive."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from engine_window import ACCEPTED, DRAFT, Window, opened_window
from scripted_server import LAUNCH, Hold, ScriptedServer
from waiting import until

from cekura_tui.jobs import owner
from cekura_tui.jobs.engine import mark_orphaned_launches
from cekura_tui.model.job import JobState
from cekura_tui.store.store import Store

_LAUNCH_IN_ANOTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from cekura_tui.api.client import Client
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.job import Draft
from cekura_tui.store.store import Store
path, url = Path(sys.argv[1]), sys.argv[2]
async def main():
    store = Store(path, url, "key", "default")
    engine = JobEngine(store.jobs, Client(url, "key", loopback=True))
    await engine.launch(Draft((5,), "Be kind.", 7))
asyncio.run(main())
"""


def launching_elsewhere(home: Path, server: ScriptedServer) -> subprocess.Popen[bytes]:
    """Start another process that launches job 1; return the process once the launch has reached the server."""
    hold = Hold(ACCEPTED)
    server.on("POST", LAUNCH, hold)
    script = [sys.executable, "-c", _LAUNCH_IN_ANOTHER_PROCESS, str(home / "cekura.db"), server.url]
    process = subprocess.Popen(script)
    until(hold.arrived.is_set, "the other process launched")
    return process


async def test_a_launch_of_a_live_process_is_not_marked_as_unconfirmed(home: Path, scripted: ScriptedServer) -> None:
    process = await asyncio.to_thread(launching_elsewhere, home, scripted)
    try:
        async with opened_window(home, scripted) as here:
            here.engine.start()
            here.engine.reload()
            assert here.job().state == JobState.LAUNCHING
    finally:
        process.kill()
        process.wait()


async def test_a_launch_of_a_killed_process_becomes_unconfirmed_and_is_not_sent_again(here: Window, home: Path) -> None:
    process = await asyncio.to_thread(launching_elsewhere, home, here.server)
    process.send_signal(signal.SIGKILL)
    process.wait()
    here.engine.start()
    await here.wait_for_state(JobState.UNCONFIRMED)
    assert "may or may not" in here.job().reason
    assert here.posts() == 1


def test_a_process_is_identified_by_pid_and_start_time() -> None:
    me = owner.this_process()
    other = me.replace('"start": "', '"start": "other')
    assert (owner.is_alive(me, 0), owner.is_alive(other, 0)) == (True, False)
    assert owner.this_process() != me


def test_an_owner_that_cannot_be_parsed_counts_as_dead() -> None:
    unreadable = ("", "nonsense", "[]", "null", '{"host": 1}', '{"host": "h", "pid": "x", "start": ""}')
    assert [text for text in unreadable if owner.is_alive(text, 0)] == []


def test_a_launch_of_another_host_becomes_unconfirmed_after_ten_minutes(store: Store) -> None:
    elsewhere = '{"host": "another-machine", "pid": 1, "start": "x", "token": "t"}'
    assert [owner.is_alive(elsewhere, age) for age in (599, 601, -599, -601)] == [True, False, True, False]
    job = store.jobs.begin_launch(DRAFT, 10_000.0, elsewhere)
    launching = [job]
    assert not mark_orphaned_launches(store.jobs, launching, 10_599.0)
    assert (launching, store.jobs.get(job.number)) == ([job], job)
    assert mark_orphaned_launches(store.jobs, launching, 10_601.0)
    assert launching == []
    assert [change.state for change in store.jobs.changes(job.number)] == ["launching", "unconfirmed"]
