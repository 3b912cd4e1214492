"""The run list loads what is on screen, and no page that is only scrolled past."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from feed_room import DOWN, feeding, server_of
from run_server import FIRST_ID
from simulated_time import NOON

NEWEST = FIRST_ID + 1_999
"""The newest of 2,000 runs."""

# Pages as they come into view


@pytest.mark.parametrize(
    ("places", "stay", "page"),
    [(range(300, 1_500, 100), 0.14, 15), (range(300, 1_500, 20), 0.1, 15), ((510, 1_510, 510), 0.1, 6)],
    ids=["fast", "page by page", "there and back"],
)
async def test_a_page_is_loaded_only_once_the_list_rests_there(places: Iterable[int], stay: float, page: int) -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        for first in places:
            await room.looks(first, wait=stay)
        assert room.pages() == []
        await room.passes(0.06)
        assert room.pages()[:1] == [page]


async def test_requests_are_cancelled_when_the_list_is_scrolled_on() -> None:
    async with feeding(server_of(2_000)) as room:
        room.desk.held = lambda what: True
        await room.looks(510)
        assert room.desk.going == [6, 7]
        await room.looks(1_510)
        assert (room.desk.cancelled, room.desk.going) == ([6, 7], [16, 17])


async def test_no_more_than_three_pages_are_asked_for_at_once_and_yet_all_come() -> None:
    async with feeding(server_of(2_000)) as room:
        room.desk.most, room.desk.held = 0, lambda what: True
        room.feed.load_all(True)
        room.feed.load_more()
        await room.looks(510, rows=700)
        assert room.desk.most == 3
        room.desk.release()
        await room.passes(1)
        assert None not in room.shows(0, 2_000)
        assert room.desk.most == 3


@pytest.mark.parametrize(("step", "pages"), [(1, [6, 7, 8]), (-1, [6, 7, 5])])
async def test_the_pages_on_screen_and_the_next_are_loaded_once(step: int, pages: list[int]) -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        await room.looks(590, rows=40, step=step)
        assert room.pages() == pages
        assert room.shows(590, 630) == [NEWEST - n for n in range(590, 630)]
        for first in (0, 1_970, 590, 0, 1_970):
            await room.looks(first)
        assert len(room.pages()) == len(set(room.pages()))


@pytest.mark.parametrize("oldest_first", [False, True])
async def test_the_end_of_a_long_list_is_reached_at_once(oldest_first: bool) -> None:
    async with feeding(server_of(2_050, oldest_first=oldest_first)) as room:
        if oldest_first:
            assert room.pages() == [1, 21, 20]
            await room.looks(60)
            assert room.pages()[3:] == [19]
            assert room.shows(0, 200) == [FIRST_ID + 2_049 - n for n in range(200)]
        assert room.shows(0, 2)[0] == FIRST_ID + 2_049
        room.clear()
        await room.looks(2_020)
        assert len(room.pages()) <= 1
        assert room.shows(2_020, 2_050) == [FIRST_ID + n for n in range(29, -1, -1)]


async def test_all_pages_are_of_the_time_that_the_server_gave_with_its_first() -> None:
    async with feeding(server_of(2_000)) as room:
        assert [asked.about for asked in room.desk.asked] == [None, NOON]
        room.server.add(5, after=0.01)
        await room.looks(510)
        assert {asked.about for asked in room.desk.asked[1:]} == {NOON}
        assert room.shows(510, 511) == [NEWEST - 510]


async def test_a_run_opened_by_its_place_is_loaded_where_it_is_not() -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        for place in (1_777, 1_778):
            found = await room.feed.row_at(place)
            assert found is not None
            assert found.id == NEWEST - place
        assert room.pages() == [18]
        assert await room.feed.row_at(2_000) is None
        assert await room.feed.row_at(-1) is None
        room.desk.down = DOWN
        with pytest.raises(type(DOWN)):
            await room.feed.row_at(900)
        assert room.feed.attempts.error is DOWN
