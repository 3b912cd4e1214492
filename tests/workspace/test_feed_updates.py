"""New and changed runs are added to a list with few requests, and the visible rows do not move."""

from __future__ import annotations

import time

import pytest
from feed_room import DOWN, QUERY, RUNNING, feeding, server_of
from run_server import FIRST_ID
from run_server import RUNNING as STILL_RUNNING
from simulated_time import NOON

from cekura_tui.api.errors import ServerFault
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.query import RunQuery

FOCUSED, UNFOCUSED = 5, 30
"""Seconds between two requests for newer runs, in a window with focus and in a window without focus."""
FAULT = ServerFault("The server failed (500).", status=500)


async def test_all_running_runs_are_polled_in_one_request_until_they_end() -> None:
    server = server_of(10)
    server.add(3, outcome=STILL_RUNNING)
    async with feeding(server, live=True) as room:
        await room.advance(FOCUSED)
        assert sorted(room.asked("now")[0].about) == [FIRST_ID + 10, FIRST_ID + 11, FIRST_ID + 12]
        server.finish(FIRST_ID + 11)
        await room.advance(FOCUSED)
        assert room.runs.listed[1].outcome.settled
        await room.advance(FOCUSED)
        assert sorted(room.asked("now")[2].about) == [FIRST_ID + 10, FIRST_ID + 12]
        server.finish(FIRST_ID + 10)
        server.finish(FIRST_ID + 12)
        await room.advance(FOCUSED)
        room.clear()
        await room.advance(60)
        assert room.asked("now") == []


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_hidden_or_paused_list_polls_again_only_when_shown_or_resumed(hidden: bool) -> None:
    server = server_of(2_000)
    server.add(1, outcome=STILL_RUNNING)
    async with feeding(server, live=True) as room:
        room.feed.set_hidden(hidden)
        room.feed.set_live(hidden)
        room.feed.load_all(hidden)
        room.clear()
        await room.scroll_to(510, wait=600)
        assert [asked.what for asked in room.session.asked] == ([] if hidden else [6, 7])
        room.feed.set_hidden(False)
        room.feed.set_live(True)
        await room.advance(0.2)
        assert {asked.what for asked in room.session.asked} >= {"newer", "now", 6}


async def test_newer_runs_that_are_known_do_not_reload_a_list_filtered_by_state() -> None:
    async with feeding(server_of(800), query=RUNNING, live=True) as room:
        await room.advance(60)
        assert {asked.about for asked in room.asked("newer")} == {NOON - 1_800}
        assert (room.feed.opened, room.feed.flood) == (1, False)


# Refresh


async def test_a_refresh_keeps_the_old_list_until_the_new_list_is_loaded() -> None:
    async with feeding(server_of(2_000)) as room:
        await room.scroll_to(510)
        before, on_screen = room.runs, room.shows(510, 540)
        room.server.add(7, after=0.1)
        room.session.held = lambda what: True
        room.feed.refresh()
        await room.advance(10)
        assert (room.runs is before, room.feed.attempts.running) == (True, ["open"])
        room.session.release()
        await room.advance(0.01)
        assert (room.runs is before, room.feed.opened, len(room.runs.listed)) == (False, 2, 2_007)
        assert room.shows(517, 547) == on_screen, "the rows on screen are loaded with it"
        assert room.runs.pin > before.pin
        await room.scroll_to(1_000)
        assert room.session.asked[-1].about == room.runs.pin


async def test_a_list_loaded_whole_is_whole_again_after_a_refresh_under_a_filter() -> None:
    async with feeding(server_of(400)) as room:
        room.feed.load_all(True)
        await room.advance(5)
        room.feed.show(RUNNING)
        await room.advance(1)
        room.feed.refresh()
        room.clear()
        room.feed.show(QUERY)
        assert room.runs.listed.loaded == 400
        await room.advance(5)
        assert sorted(asked.what for asked in room.session.asked) == [1, 2, 3, 4]
        assert room.runs.listed.loaded == 400


async def test_a_live_list_is_reloaded_when_its_filter_means_another_day() -> None:
    since = RunQuery(QUERY.scope, parse(time.strftime("since:%H:%M until:1m", time.localtime(NOON + 120))).filter)
    async with feeding(server_of(400), query=since, live=True) as room:
        await room.advance(110)
        before = room.runs
        assert room.feed.opened == 1
        await room.advance(60)
        assert (room.feed.opened, room.runs is before) == (2, False)


async def test_a_refresh_does_not_wait_for_pages_that_never_arrive() -> None:
    async with feeding(server_of(2_000)) as room:
        room.session.max_in_flight, room.session.held = 0, lambda what: True
        room.feed.load_all(True)
        await room.scroll_to(510)
        assert room.session.in_flight == [3, 6, 7]
        room.session.held = lambda what: False
        room.feed.refresh()
        await room.advance(0.01)
        assert (room.feed.opened, room.session.max_in_flight) == (2, 3)


@pytest.mark.parametrize(("error", "wait"), [(FAULT, 0.01), (DOWN, 3)], ids=["at once", "at the second try"])
async def test_a_refresh_succeeds_even_if_a_visible_page_fails(error: Exception, wait: float) -> None:
    async with feeding(server_of(2_000)) as room:
        await room.scroll_to(510)
        before = room.shows(510, 540)
        room.server.add(7, after=0.1)
        room.session.faults[6] = error
        room.feed.refresh()
        await room.advance(wait / 3)
        if error is DOWN:
            assert (room.feed.opened, room.shows(510, 540)) == (1, before)
        await room.advance(wait)
        assert (room.feed.opened, room.shows(0, 1)) == (2, [FIRST_ID + 2_006])
        assert room.runs.listed[517].why == str(error)
