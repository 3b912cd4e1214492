"""After any sequence of events of servers, networks, clocks and windows, the database holds the server's outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fickle_server import BAD, ENDS, GOING, LAUNCHES, UNKNOWN, FickleServer
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import ScriptedServer, closed_port
from simulated_time import SimulatedTime
from story import Story
from windows import World

from cekura_tui.api.client import Client
from cekura_tui.jobs.waiting import DAY, HOUR

pytestmark = pytest.mark.long

Play = Callable[[Sequence[Sequence[Any]]], None]
WHICH = st.integers(0, 5)
PROMPTS = st.text(st.characters(), max_size=9)
TRUTHS = st.sampled_from(ENDS)
HOW = st.just("taken") | st.sampled_from([*LAUNCHES])
ANSWERS = st.sampled_from([*GOING]) | st.sampled_from([*BAD, *UNKNOWN]) | st.sampled_from(ENDS)
STEPS: dict[str, tuple[int, tuple[st.SearchStrategy[Any], ...]]] = {
    "opens_a_window": (3, ()),
    "closes_a_window": (1, (WHICH,)),
    "kills_a_window": (2, (WHICH, st.booleans())),
    "launches": (6, (WHICH, PROMPTS, HOW, TRUTHS)),
    "launches_six": (2, (WHICH, PROMPTS, TRUTHS)),
    "launches_a_draft": (1, (WHICH, HOW, TRUTHS)),
    "launches_again": (1, (WHICH, HOW, TRUTHS)),
    "will_answer": (6, (WHICH, st.lists(ANSWERS, min_size=1, max_size=6))),
    "has_ended": (2, (WHICH,)),
    "always_answers": (2, (st.sampled_from(["", "", *BAD]), st.sampled_from([0.0, 70.0, 140.0]))),
    "network_is": (2, (st.sampled_from([True, True, False]),)),
    "answers_are": (3, (st.booleans(),)),
    "passes": (8, (st.sampled_from([0.3, 2.0, 2.0, 9.0, 30.0, 70.0]),)),
    "sleeps": (1, (st.sampled_from([60.0, HOUR, 2 * DAY]),)),
    "clock_is_set": (2, (st.sampled_from([-3 * DAY, -HOUR, HOUR, 3 * DAY]),)),
    "lists_runs": (1, (WHICH,)),
    "stops": (1, (WHICH, WHICH)),
    "resumes": (2, (WHICH, WHICH)),
    "asks_again": (2, (WHICH, WHICH)),
    "is_overtaken": (3, (WHICH, WHICH, st.lists(ANSWERS, min_size=2, max_size=2))),
    "forgets": (1, (WHICH, WHICH)),
}
"""Each step with its relative frequency and the strategies for its arguments."""
STEP = st.one_of([st.tuples(st.just(name), *about) for name, (often, about) in STEPS.items() for _ in range(often)])
STORIES = st.integers(0, 60).flatmap(lambda steps: st.lists(STEP, min_size=steps, max_size=steps))


@pytest.fixture
def play(tmp_path: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """A function that runs the steps of a story, from an empty database until all jobs have ended."""
    # These delays use the real clock, also in a killed window.
    for wait in ("engine.CLOSE_TIMEOUT", "launch_records.RETRY_DELAY", "launch_records.LATE_RETRY_DELAY"):
        monkeypatch.setattr(f"cekura_tui.jobs.{wait}", 0.01)
    # Loading certificates for each launch would take half of the time, and this server has none.
    monkeypatch.setattr(httpx, "AsyncClient", partial(httpx.AsyncClient, verify=False))
    numbers = count()
    with asyncio.Runner() as runner:
        there = Client(scripted.url, "key", loopback=True)
        nowhere = Client(f"http://127.0.0.1:{closed_port()}", "key", loopback=True)

        async def happens(steps: Sequence[Sequence[Any]]) -> None:
            path = tmp_path / f"{next(numbers)}.db"
            story = Story(World(path, FickleServer(scripted), there, nowhere, SimulatedTime()))
            try:
                for step in (("opens_a_window",), *steps):
                    await story.happens(step)
                await story.ends()
            finally:
                for window in story.windows:
                    await window.kill()

        yield lambda steps: runner.run(happens(steps))
        runner.run(there.aclose())
        runner.run(nowhere.aclose())


ONE = ("launches", 0, "Be kind.", "taken", "succeeded")


@given(steps=STORIES)
def test_jobs_end_as_the_server_said_after_any_sequence(play: Play, steps: Sequence[Sequence[Any]]) -> None:
    play(steps)


@pytest.mark.parametrize("late", ["failed", "502"])
def test_the_answer_that_ended_a_job_wins_over_a_simultaneous_answer(play: Play, late: str) -> None:
    play([ONE, ("is_overtaken", 0, 0, ["succeeded", late])])


def test_an_answer_to_a_forgotten_job_is_discarded(play: Play) -> None:
    held = [("answers_are", True), ("passes", 70.0), ("forgets", 0, 0), ("answers_are", False)]
    play([ONE, ("will_answer", 0, ["404"] * 5), ("passes", 8.0), *held])


def test_retry_after_is_respected_if_answers_to_other_polls_arrive_later(play: Play) -> None:
    six = [("launches_six", 0, "Be kind.", "succeeded"), ("will_answer", 0, ["429 for 90 s"])]
    play([*six, ("answers_are", True), ("passes", 9.0), ("answers_are", False), ("passes", 70.0)])


def test_resuming_many_jobs_at_once_respects_the_request_budget(play: Play) -> None:
    six = ("launches_six", 0, "Be kind.", "succeeded")
    everything = [("resumes", 1, which) for which in range(7)]
    play([("opens_a_window",), six, six, ("passes", 2.0), *everything])
    play([("opens_a_window",), six, ("passes", 2.0), ("always_answers", "429 for 90 s", 0.0), *everything])
