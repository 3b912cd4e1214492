"""The run list loads visible pages, and skips pages that the user only scrolls past."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from feed_room import DOWN, feeding, server_of
from run_server import FIRST_ID
from simulated_time import NOON

NEWEST = FIRST_ID + 1_999
"""The id of the newest of 2,000 runs."""

# Visible pages


@pytest.mark.parametrize(
    ("places", "stay", "page"),
    [(range(300, 1_500, 100), 0.14, 15), (range(300, 1_500, 20), 0.1, 15), ((510, 1_510, 510), 0.1, 6)],
    ids=["fast", "page by page", "there and back"],
)
async def test_pages_are_loaded_only_after_scrolling_has_stopped(places: Iterable[int], stay: float, page: int) -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        for first in places:
            await room.scroll_to(first, wait=stay)
        assert room.pages() == []
        await room.advance(0.06)
        assert room.pages()[:1] == [page]


async def test_page_requests_are_cancelled_when_the_user_scrolls_to_other_pages() -> None:
    async with feeding(server_of(2_000)) as room:
        room.session.held = lambda what: True
        await room.scroll_to(510)
        assert room.session.in_flight == [6, 7]
        await room.scroll_to(1_510)
        assert (room.session.cancelled, room.session.in_flight) == ([6, 7], [16, 17])


async def test_at_most_three_page_requests_are_in_flight_and_all_pages_arrive() -> None:
    async with feeding(server_of(2_000)) as room:
        room.session.max_in_flight, room.session.held = 0, lambda what: True
        room.feed.load_all(True)
        room.feed.load_more()
        await room.scroll_to(510, rows=700)
        assert room.session.max_in_flight == 3
        room.session.release()
        await room.advance(1)
        assert None not in room.shows(0, 2_000)
        assert room.session.max_in_flight == 3


@pytest.mark.parametrize(("step", "pages"), [(1, [6, 7, 8]), (-1, [6, 7, 5])])
async def test_the_visible_pages_and_the_next_page_are_each_loaded_once(step: int, pages: list[int]) -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        await room.scroll_to(590, rows=40, step=step)
        assert room.pages() == pages
        assert room.shows(590, 630) == [NEWEST - n for n in range(590, 630)]
        for first in (0, 1_970, 590, 0, 1_970):
            await room.scroll_to(first)
        assert len(room.pages()) == len(set(room.pages()))


@pytest.mark.parametrize("oldest_first", [False, True])
async def test_the_end_of_a_long_list_is_loaded_with_at_most_one_request(oldest_first: bool) -> None:
    async with feeding(server_of(2_050, oldest_first=oldest_first)) as room:
        if oldest_first:
            assert room.pages() == [1, 21, 20]
            await room.scroll_to(60)
            assert room.pages()[3:] == [19]
            assert room.shows(0, 200) == [FIRST_ID + 2_049 - n for n in range(200)]
        assert room.shows(0, 2)[0] == FIRST_ID + 2_049
        room.clear()
        await room.scroll_to(2_020)
        assert len(room.pages()) <= 1
        assert room.shows(2_020, 2_050) == [FIRST_ID + n for n in range(29, -1, -1)]


async def test_all_pages_are_pinned_to_the_server_time_of_the_first_page() -> None:
    async with feeding(server_of(2_000)) as room:
        assert [asked.about for asked in room.session.asked] == [None, NOON]
        room.server.add(5, after=0.01)
        await room.scroll_to(510)
        assert {asked.about for asked in room.session.asked[1:]} == {NOON}
        assert room.shows(510, 511) == [NEWEST - 510]


async def test_a_run_opened_by_index_is_loaded_if_missing() -> None:
    async with feeding(server_of(2_000)) as room:
        room.clear()
        for place in (1_777, 1_778):
            found = await room.feed.row_at(place)
            assert found is not None
            assert found.id == NEWEST - place
        assert room.pages() == [18]
        assert await room.feed.row_at(2_000) is None
        assert await room.feed.row_at(-1) is None
        room.session.down = DOWN
        with pytest.raises(type(DOWN)):
            await room.feed.row_at(900)
        assert room.feed.attempts.error is DOWN
