"""Only one of several windows polls; another replaces it when it is closed, dead or hanging."""

from __future__ import annotations

import pytest
from engine_room import DONE, DRAFT, RUNNING, Follow, OpenRoom, Room
from open_store import OpenStore
from scripted_server import PROGRESS
from waiting import eventually

from cekura_tui.jobs.lease import Lease
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import JobState
from cekura_tui.store.store import Store


class Windows:
    """Two windows, each with a lease of its own; `gone` holds the owners whose process has ended."""

    def __init__(self, *stores: Store) -> None:
        self.stores, self.gone = stores, set[str]()
        self.asked_about: list[str] = []
        self.first, self.second = (Lease(store.lease, is_gone=self._is_gone) for store in stores)

    def _is_gone(self, holder: str) -> bool:
        self.asked_about.append(holder)
        return holder in self.gone


@pytest.fixture
def windows(open_store: OpenStore) -> Windows:
    return Windows(open_store(), open_store())


def test_only_one_window_polls_as_long_as_it_lives(windows: Windows) -> None:
    for second in range(100):
        assert windows.first.keep(float(second))
        assert not windows.second.keep(float(second))
    assert len(windows.asked_about) == 1, "the system is not asked about a process that shows signs of life"


def test_a_closed_window_hands_over_at_once_and_an_idle_one_does_not_seem_to_hang(windows: Windows) -> None:
    assert windows.first.keep(0.0)
    assert not windows.second.keep(0.1)
    windows.first.give_up()
    assert windows.second.keep(0.2)
    assert not windows.first.keep(0.3)
    windows.second.give_up()
    assert windows.first.keep(12.0)
    assert not windows.second.keep(13.0)


def test_a_window_whose_process_has_died_is_replaced_within_seconds(windows: Windows) -> None:
    assert windows.first.keep(0.0)
    assert not windows.second.keep(1.0)
    windows.gone.add(windows.first._me)
    assert not windows.second.keep(5.0)
    assert windows.second.keep(5.1)


def test_a_window_that_died_before_this_one_was_opened_is_replaced_at_once(windows: Windows) -> None:
    assert windows.first.keep(0.0)
    windows.gone.add(windows.first._me)
    assert windows.second.keep(500.0)


def test_a_window_that_hangs_is_replaced_and_stops_asking_when_it_wakes(windows: Windows) -> None:
    assert windows.first.keep(0.0)
    assert not windows.second.keep(1.0)
    assert not windows.second.keep(10.9)
    assert windows.second.keep(11.0)
    assert not windows.first.keep(60.0)
    assert windows.second.keep(61.0)


def test_a_clock_set_back_takes_the_lease_from_no_living_window(windows: Windows) -> None:
    assert windows.first.keep(1000.0)
    assert not windows.second.keep(1000.0)
    for second in range(30):
        assert windows.first.keep(float(second))
        assert not windows.second.keep(float(second))


def test_the_time_of_the_last_answer_is_saved_with_the_sign_of_life(windows: Windows) -> None:
    jobs = windows.stores[0].jobs
    number = jobs.begin_launch(DRAFT, 1.0, "me").number
    jobs.record_progress_id(number, "p", "id", 2.0)
    jobs.record_answer(number, read_progress({"status": "running"}), "running", 3.0)
    windows.first.keep(0.0)
    windows.first.record_repeated_answer(number, 7.0)
    windows.first.keep(4.0)
    assert jobs.answers(number)[-1].last_at == 7.0
    job = jobs.get(number)
    assert job is not None
    assert job.answered_at == 7.0


async def test_two_windows_poll_a_job_no_more_often_than_one(here: Room, open_room: OpenRoom) -> None:
    here.server.on("GET", PROGRESS, RUNNING, DONE)
    there = await open_room()
    here.engine.start()
    await here.launch()
    await here.asked(1)
    there.engine.start()
    await eventually(lambda: there.engine._running, "the other window follows it")
    before = there.changes
    await here.comes_into(JobState.SUCCEEDED)
    await eventually(lambda: there.changes > before and not there.engine._running, "the other window saw its end")
    assert here.polls() == 2


async def test_a_job_that_another_window_launched_is_followed_without_a_restart(
    here: Room, open_room: OpenRoom
) -> None:
    here.server.on("GET", PROGRESS, DONE)
    here.engine.start()
    await (await open_room()).launch()  # its engine was not started: a command that does not wait
    await here.comes_into(JobState.SUCCEEDED)


async def test_a_window_without_a_running_job_leaves_polling_to_the_others(follow: Follow) -> None:
    here = await follow(DONE)
    await here.comes_into(JobState.SUCCEEDED)
    other = Lease(here.store.lease)
    await eventually(lambda: other.keep(0.0), "the other window may poll, at the same second")
