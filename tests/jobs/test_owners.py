"""Whose launch it is: one that another process is in the middle of is left to it while it lives."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine_room import DRAFT, TAKEN, room
from scripted_server import LAUNCH, Hold, ScriptedServer
from waiting import until

from cekura_tui.jobs import lease as owner
from cekura_tui.jobs.engine import mark_orphaned_launches
from cekura_tui.model.job import JobState
from cekura_tui.store.store import Store

_LAUNCH_IN_ANOTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from cekura_tui.api.client import Client
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.jobs.lease import Lease
from cekura_tui.model.job import Draft
from cekura_tui.store.store import Store
path, url = Path(sys.argv[1]), sys.argv[2]
async def main():
    store = Store(path, url, "key", "default")
    engine = JobEngine(store.jobs, Lease(store.lease), Client(url, "key", loopback=True))
    await engine.launch(Draft((5,), "Be kind.", 7))
asyncio.run(main())
"""


def launching_elsewhere(home: Path, server: ScriptedServer) -> subprocess.Popen[bytes]:
    """Another process that is in the middle of launching job 1."""
    hold = Hold(TAKEN)
    server.on("POST", LAUNCH, hold)
    script = [sys.executable, "-c", _LAUNCH_IN_ANOTHER_PROCESS, str(home / "cekura.db"), server.url]
    process = subprocess.Popen(script)
    until(hold.arrived.is_set, "the other process launched")
    return process


async def test_the_launch_of_a_process_that_lives_is_left_to_it(home: Path, scripted: ScriptedServer) -> None:
    process = await asyncio.to_thread(launching_elsewhere, home, scripted)
    try:
        async with room(home, scripted) as here:
            here.engine.start()
            here.engine.adopt()
            assert here.job().state == JobState.LAUNCHING
    finally:
        process.kill()
        process.wait()


async def test_the_launch_of_a_killed_process_is_unconfirmed_and_not_resent(
    home: Path, scripted: ScriptedServer
) -> None:
    process = await asyncio.to_thread(launching_elsewhere, home, scripted)
    process.send_signal(signal.SIGKILL)
    process.wait()
    async with room(home, scripted) as here:
        here.engine.start()
        await here.comes_into(JobState.UNCONFIRMED)
        assert "may or may not" in here.job().reason
        assert here.posts() == 1


def test_a_process_is_known_by_more_than_its_number() -> None:
    me = owner.this_process()
    assert owner.is_alive(me, 0)
    assert owner.this_process() != me
    assert not owner.is_alive(me.replace('"start": "', '"start": "other'), 0)


@pytest.mark.parametrize(
    "told", ["", "nonsense", "[]", "null", '{"host": 1}', '{"host": "h", "pid": "x", "start": ""}']
)
def test_an_owner_that_cannot_be_read_counts_as_dead(told: str) -> None:
    assert not owner.is_alive(told, 0)


def test_a_launch_on_another_machine_is_given_ten_minutes() -> None:
    elsewhere = '{"host": "another-machine", "pid": 1, "start": "x", "token": "t"}'
    assert owner.is_alive(elsewhere, 599)
    assert not owner.is_alive(elsewhere, 601)
    assert owner.is_alive(elsewhere, -599)
    assert not owner.is_alive(elsewhere, -601)


def test_a_launch_of_another_machine_is_left_to_it_for_ten_minutes(store: Store) -> None:
    elsewhere = '{"host": "another-machine", "pid": 1, "start": "x", "token": "t"}'
    job = store.jobs.begin_launch(DRAFT, 10_000.0, elsewhere)
    launching = [job]
    assert not mark_orphaned_launches(store.jobs, launching, 10_599.0)
    assert (launching, store.jobs.get(job.number)) == ([job], job)
    assert mark_orphaned_launches(store.jobs, launching, 10_601.0)
    assert (launching, [change.state for change in store.jobs.changes(job.number)]) == (
        [],
        ["launching", "unconfirmed"],
    )


def test_a_process_is_gone_only_where_that_is_certain() -> None:
    me = owner.this_process()
    assert not owner.is_gone(me)
    assert owner.is_gone(me.replace('"start": "', '"start": "other'))
    told = json.loads(me)
    assert not owner.is_gone(json.dumps({**told, "start": ""})), "its system does not say when it began"
    assert not owner.is_gone(json.dumps({**told, "host": "another-machine", "pid": 1}))
    assert owner.is_gone("nonsense")
