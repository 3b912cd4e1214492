"""While the server fails, a run list remains usable, has the error, and waits as long as the server requests."""

from __future__ import annotations

import asyncio

import pytest
from feed_room import DOWN, QUERY, RUNNING, FeedRoom, feeding, server_of
from run_server import RUNNING as STILL_RUNNING
from simulated_time import NOON

from cekura_tui.api.errors import Busy, KeyRefused, ServerFault

FAULT = ServerFault("The server failed (500).", status=500)
REFUSED = KeyRefused("The key was refused.", status=401)


@pytest.mark.parametrize("what", [6, "newer", "now"])
async def test_no_request_is_sent_until_the_wait_set_by_a_busy_server_has_passed(what: object) -> None:
    server = server_of(2_000)
    server.add(1, outcome=STILL_RUNNING)
    async with feeding(server, live=True) as room:
        busy = room.session.faults[what] = Busy("Too many requests.", status=429, retry_after=40.0)
        await room.scroll_to(510, wait=0.15 if what == 6 else 5)
        until = NOON + room.asked(what)[-1].at + 40
        assert room.feed.attempts.busy_until == pytest.approx(until, abs=0.001)
        assert room.feed.attempts.error is busy
        room.clear()
        room.session.faults.clear()
        room.feed.refresh()
        room.feed.load_all(True)
        await room.scroll_to(1_510, wait=20)
        with pytest.raises(Busy):
            await room.feed.row_at(1_900)
        room.feed.show(RUNNING)
        await room.advance(until - room.time.wall - 0.1)
        assert (room.session.asked, room.feed.attempts.error) == ([], busy)
        await room.advance(0.2)
        assert room.pages()[0] == 1
        assert (room.feed.attempts.busy_until, room.feed.attempts.error) == (None, None)


async def test_no_list_is_requested_after_a_refused_key_until_the_user_refreshes() -> None:
    async with feeding(server_of(2_000), live=True) as room:
        room.session.faults["newer"] = REFUSED
        await room.advance(6)
        room.clear()
        await room.scroll_to(510, wait=600)
        assert (room.session.asked, room.feed.attempts.error) == ([], REFUSED)
        room.session.down = DOWN
        with pytest.raises(type(DOWN)):
            await room.feed.row_at(1_900)
        assert room.feed.attempts.error is REFUSED, "another error does not replace it"
        room.session.down = None
        room.session.faults.clear()
        room.feed.refresh()
        await room.advance(1)
        assert room.feed.attempts.error is None
        assert None not in room.shows(510, 540)


@pytest.mark.parametrize("fails", [True, False])
async def test_a_late_answer_for_the_previous_list_does_not_affect_the_new_list(fails: bool) -> None:
    async with feeding(server_of(2_000)) as room:
        room.session.held = lambda what: what == 18
        opening = asyncio.create_task(room.feed.row_at(1_777))
        await room.advance(0.01)
        room.feed.refresh()
        await room.advance(1)
        got_at = room.feed.got_at
        await room.advance(60)
        room.session.down = DOWN if fails else None
        room.session.release()
        await room.advance(0.01)
        assert (opening.exception() is DOWN) == fails
        assert (room.feed.opened, room.feed.got_at, room.feed.attempts.error) == (2, got_at, None)
        assert None in room.shows(1_770, 1_780)


async def test_a_count_that_changes_on_every_page_does_not_cause_endless_requests() -> None:
    server = server_of(2_000)
    async with feeding(server) as room:
        whole = server.page

        def page(*about: object, **more: object) -> object:
            server.off += 1
            return whole(*about, **more)  # type: ignore[arg-type]# passed on unchanged

        server.page = page  # type: ignore[assignment,method-assign] # its count differs each time
        await room.scroll_to(590, rows=40, wait=60)
        assert 0 < len(room.pages()) < 60


async def test_an_unexpected_exception_is_raised() -> None:
    room = FeedRoom(server_of(10))
    room.session.faults[1] = ZeroDivisionError()
    room.feed.show(QUERY)
    with pytest.raises(ZeroDivisionError):
        await room.feed.run()
