"""The run list fills where one looks, and asks for nothing that is only flown over."""

from __future__ import annotations

import pytest
from feed_room import DOWN, feeding, server_of
from run_server import FIRST_ID
from simulated_time import NOON

from cekura_tui.workspace.run_feed import IN_FLIGHT

# Pages as they come into view


async def test_a_page_that_is_only_flown_over_is_not_asked_for() -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        for first in range(300, 1_500, 100):
            await room.looks(first, wait=0.14)
        assert room.pages() == []
        await room.looks(1_510)
        assert room.pages() == [16, 17]


async def test_nothing_is_loaded_while_paging_quickly() -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        for first in range(300, 1_500, 20):
            await room.looks(first, wait=0.1)
        assert room.pages() == []
        await room.passes(0.1)
        assert room.pages()[:2] == [15, 16]


async def test_a_page_that_left_the_view_and_came_back_is_only_asked_for_when_it_stays() -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        await room.looks(510, wait=0.1)
        await room.looks(1_510, wait=0.1)
        await room.looks(510, wait=0.1)
        assert room.pages() == []
        await room.passes(0.05)
        assert room.pages()[:1] == [6]


async def test_what_is_on_its_way_is_given_up_when_one_scrolls_on() -> None:
    async with feeding(server_of(2_000)) as room:
        room.desk.held = lambda what: True
        await room.looks(510)
        assert room.desk.going == [6, 7]
        await room.looks(1_510)
        assert room.desk.cancelled == [6, 7]
        assert room.desk.going == [16, 17]


async def test_no_more_than_three_pages_are_asked_for_at_once_and_yet_all_come() -> None:
    async with feeding(server_of(2_000)) as room:
        room.desk.most, room.desk.held = 0, lambda what: True
        room.feed.load_all(True)
        room.feed.load_more()
        await room.looks(510, rows=700)
        assert room.desk.most == IN_FLIGHT
        room.desk.release()
        await room.passes(1)
        assert None not in room.shows(0, 2_000)
        assert room.desk.most == IN_FLIGHT


@pytest.mark.parametrize(("step", "pages"), [(1, [6, 7, 8]), (-1, [6, 7, 5])])
async def test_the_pages_on_screen_are_read_and_the_one_ahead(step: int, pages: list[int]) -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        await room.looks(590, rows=40, step=step)
        assert room.pages() == pages
        assert room.shows(590, 630) == [FIRST_ID + 1_999 - n for n in range(590, 630)]


@pytest.mark.parametrize("oldest_first", [False, True])
async def test_the_end_of_a_long_list_is_reached_at_once(oldest_first: bool) -> None:
    async with feeding(server_of(2_050, oldest_first=oldest_first)) as room:
        assert room.shows(0, 2)[0] == FIRST_ID + 2_049
        room.clear()
        await room.looks(2_020)
        assert len(room.pages()) <= 1
        assert room.shows(2_020, 2_050) == [FIRST_ID + n for n in range(29, -1, -1)]


async def test_a_server_that_lists_oldest_first_is_read_from_its_last_page() -> None:
    async with feeding(server_of(2_050, oldest_first=True)) as room:
        assert room.pages() == [1, 21, 20]
        await room.looks(60)
        assert room.pages()[3:] == [19]
        assert room.shows(0, 200) == [FIRST_ID + 2_049 - n for n in range(200)]


async def test_nothing_is_read_twice() -> None:
    async with feeding(server_of(2_000)) as room:
        for first in (0, 510, 1_970, 510, 0, 1_970):
            await room.looks(first)
        assert len(room.pages()) == len(set(room.pages()))


async def test_all_pages_are_of_the_moment_that_the_server_gave_with_its_first() -> None:
    async with feeding(server_of(2_000)) as room:
        assert [asked.about for asked in room.desk.asked] == [None, NOON]
        room.server.add(5, after=0.01)
        await room.looks(510)
        assert {asked.about for asked in room.desk.asked[1:]} == {NOON}
        assert room.shows(510, 511) == [FIRST_ID + 1_999 - 510]


async def test_a_run_that_is_opened_by_its_place_is_read_where_it_is_not_loaded() -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        for place in (1_777, 1_778):
            found = await room.feed.row_at(place)
            assert found is not None
            assert found.id == FIRST_ID + 1_999 - place
        assert room.pages() == [18]
        assert await room.feed.row_at(2_000) is None
        assert await room.feed.row_at(-1) is None
        room.desk.down = DOWN
        with pytest.raises(type(DOWN)):
            await room.feed.row_at(900)
        assert room.feed.attempts.error is DOWN


# More than is on screen


async def test_loading_on_goes_on_to_the_end_in_turn_with_all_else_and_says_so() -> None:
    async with feeding(server_of(1_000)) as room:
        room.feed.load_all(True)
        told = room.changes
        await room.passes(1)
        assert room.runs.listed.loaded == room.runs.count
        assert not room.feed.loading_all
        assert room.changes > told + 8
        assert room.desk.turns == set(range(3, 11))


async def test_loading_on_stops_when_one_says_so_and_what_came_is_kept() -> None:
    async with feeding(server_of(1_000)) as room:
        room.desk.held = lambda what: what == 5
        room.feed.load_all(True)
        await room.passes(1)
        room.feed.load_all(False)
        await room.passes(1)
        assert room.desk.cancelled == [5]
        assert room.runs.listed.loaded == 400


async def test_loading_on_stops_when_no_more_can_be_held() -> None:
    async with feeding(server_of(600, size=2)) as room:
        room.feed.load_all(True)
        await room.passes(5)
        assert room.runs.full
        assert not room.feed.loading_all
        before = room.pages()
        room.feed.load_more()
        await room.passes(5)
        assert room.pages() == before


async def test_one_more_page_is_read_each_time_it_is_wanted() -> None:
    async with feeding(server_of(1_000)) as room:
        for loaded in (300, 400):
            room.feed.load_more()
            await room.passes(1)
            assert room.runs.listed.loaded == loaded
        await room.passes(60)
        assert room.runs.listed.loaded == 400
