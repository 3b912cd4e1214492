"""Whatever servers and people do, in any order: the run list comes to be what it should."""

from __future__ import annotations

from feed_room import DOWN, FeedRoom, feeding, server_of
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.api.errors import Busy, ServerFault

FAULT = ServerFault("The server failed (500).", status=500)

STEP = st.one_of(
    st.tuples(st.just("look"), st.integers(0, 1_200), st.sampled_from([0.05, 0.2, 0.2])),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.1, 5.0, 70.0])),
    st.tuples(st.just("make"), st.sampled_from([1, 5, 130])),
    st.tuples(st.just("fail"), st.sampled_from([1, 2, 9, "newer", "now"]), st.sampled_from(["", "500", "429", "down"])),
    st.tuples(st.just("hold"), st.booleans()),
    st.tuples(st.just("command"), st.sampled_from(["refresh", "more", "on", "off", "sleep", "wake", "let in"])),
)
ERRORS = {"500": FAULT, "429": Busy("Too many.", status=429, retry_after=20.0), "down": DOWN}


@given(st.lists(STEP, max_size=25), st.booleans(), st.sampled_from([50, 100]))
async def test_the_list_is_whole_after_any_sequence_of_events(
    steps: list[tuple[object, ...]], oldest_first: bool, size: int
) -> None:
    server = server_of(1_000, oldest_first=oldest_first, size=size)
    async with feeding(server, live=True) as room:
        for step in steps:
            await _happens(room, *step)
        room.desk.faults.clear()
        room.desk.release()
        room.feed.set_hidden(False)
        await room.looks(300, wait=150)
        await room.passes(0.2)
        assert room.desk.most <= 3
        assert room.feed.attempts.error is None
        loaded = room.shows(300, 330)
        assert None not in loaded
        newest = room.runs.listed.place_of(loaded[0])
        assert newest == 300
        assert loaded == sorted(loaded, key=lambda number: -(number or 0))
        known = len(room.runs.listed) + room.runs.waiting
        assert known == len(server.runs) or room.feed.flood


async def _happens(room: FeedRoom, what: object, *about: object) -> None:
    match what, *about:
        case "look", int(first), float(wait):
            await room.looks(first, wait=wait)
        case "pass", float(seconds):
            await room.passes(seconds)
        case "make", int(runs):
            room.server.now = max(room.server.now, room.time.wall)
            room.server.add(runs, after=0.001)
            await room.passes(1.0)
        case "fail", thing, str(how):
            room.desk.faults.pop(thing, None)
            if how:
                room.desk.faults[thing] = ERRORS[how]
        case "hold", True:
            room.desk.held = lambda what: True
        case "hold", False:
            room.desk.release()
            await room.passes(0.0)
        case "command", str(command):
            _command(room, command)
            await room.passes(0.0)


def _command(room: FeedRoom, command: str) -> None:
    match command:
        case "refresh":
            room.feed.refresh()
        case "more":
            room.feed.load_more()
        case "on" | "off":
            room.feed.load_all(command == "on")
        case "sleep" | "wake":
            room.feed.set_hidden(command == "sleep")
        case "let in" if room.feed.runs is not None:
            room.feed.runs.let_in()
