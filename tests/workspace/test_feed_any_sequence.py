"""After any sequence of user actions and server failures, the run list is complete and sorted."""

from __future__ import annotations

from feed_room import feeding, server_of
from feed_scenarios import perform
from hypothesis import given
from hypothesis import strategies as st

STEP = st.one_of(
    st.builds("look {} 30 1 {}".format, st.integers(0, 1_200), st.sampled_from([0.05, 0.2, 0.2])),
    st.builds("pass {}".format, st.sampled_from([0.0, 0.1, 5.0, 70.0])),
    st.builds("make {}".format, st.sampled_from([1, 5, 130])),
    st.builds("fail {} {}".format, st.sampled_from([1, 2, 9, "newer", "now"]), st.sampled_from(["500", "429", "down"])),
    st.sampled_from(
        ["mend", "hold", "release", "refresh", "more", "load on", "load off", "hide on", "hide off", "enter"]
    ),
)


@given(st.lists(STEP, max_size=25), st.booleans(), st.sampled_from([50, 100]))
async def test_the_list_is_complete_after_any_sequence_of_events(
    steps: list[str], oldest_first: bool, size: int
) -> None:
    server = server_of(1_000, oldest_first=oldest_first, size=size)
    async with feeding(server, live=True) as room:
        for step in steps:
            await perform(room, step)
        room.session.faults.clear()
        room.session.release()
        room.feed.set_hidden(False)
        await room.scroll_to(300, wait=150)
        await room.advance(0.2)
        assert room.session.max_in_flight <= 3
        assert room.feed.attempts.error is None
        loaded = room.shows(300, 330)
        assert None not in loaded
        newest = room.runs.listed.place_of(loaded[0])
        assert newest == 300
        assert loaded == sorted(loaded, key=lambda number: -(number or 0))
        known = len(room.runs.listed) + room.runs.waiting
        assert known == len(server.runs) or room.feed.flood
