"""Make runs as the server sends them, and open the page of a run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app_on_a_server import LIST, SMALL, no_crash, opened, setup_of
from one_page import page_app
from scripted_server import Reply, ScriptedServer, run_of, serve_runs
from textual.pilot import Pilot
from waiting import eventually
from watching import sees

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of
from cekura_tui.ui.run.details import RunDetails
from cekura_tui.ui.run.screen import RunScreen
from cekura_tui.ui.run.timeline import TimelineStrip
from cekura_tui.ui.run.transcript import TranscriptView
from cekura_tui.ui.run.verdicts import Verdicts
from cekura_tui.ui.state import AppState

KEY = "key-of-the-test"
TURNS = [
    ("Main Agent", 0, 3, "Hello, Luigi's, how can I help?"),
    ("Testing Agent", 4, 8, "A table for four at seven, please."),
    ("Main Agent", 14, 18, "I have booked a table for four at eight."),
    ("Testing Agent", 19, 22, "I said seven. Is the terrace open?"),
    ("Main Agent", 23, 26, "I cannot say, I am only the telephone."),
    ("Testing Agent", 27, 30, "Thank you for nothing, bye."),
]
METRICS = [
    {
        "id": 1,
        "name": "Right time",
        "type": "binary_workflow_adherence",
        "score": 0,
        "explanation": ["At 00:14 the agent booked for eight.", 'The caller complains: "I said seven."'],
    },
    {"id": 2, "name": "Tone", "type": "binary_workflow_adherence", "score": 0, "explanation": ["It was cold."]},
    {"id": 3, "name": "Greeting", "type": "binary_workflow_adherence", "score": 5, "explanation": ["Kept."]},
]


def call(number: int, turns: list[tuple[str, int, int, str]] | None = None, **fields: Any) -> dict[str, object]:
    """A failed run with three verdicts and, by default, six turns. The first verdict cites turns 3 and 4, the other
    verdicts cite no turns."""
    turns_sent = [
        {"role": role, "start_time": start, "end_time": end, "content": text}
        for role, start, end, text in (TURNS if turns is None else turns)
    ]
    sent = {"scenario": 3, "duration": "00:30", "evaluation": {"metrics": METRICS}, "transcript_object": turns_sent}
    return run_of(number, **{**sent, **fields})


def running(number: int, turns: int, **fields: Any) -> dict[str, object]:
    """A running run with this many turns so far."""
    turns_sent = [
        ("Main Agent" if n % 2 else "Testing Agent", 5 * n, 5 * n + 3, f"Sentence {n}.") for n in range(1, turns + 1)
    ]
    state = {"status": "in_progress", "evaluation_status": None, "evaluation": None, "duration": None}
    return call(number, turns_sent, **{**state, **fields})


def path_of(number: int) -> str:
    return f"/test_framework/v1/runs/{number}/"


def serve(server: ScriptedServer, *runs: dict[str, object]) -> None:
    """Serve these runs, and a run list that has them in this order."""
    server.on("GET", LIST, Reply({"count": len(runs), "next": None, "previous": None, "results": list(runs)}))
    serve_runs(server, *runs)


class Reader:
    """A user on the page of a run; `listed` are the run ids of the list from which the page was opened."""

    def __init__(self, pilot: Pilot[None], listed: list[int] | None = None) -> None:
        self.pilot, self.listed = pilot, listed or []

    @property
    def page(self) -> RunScreen:
        page = self.pilot.app.screen
        assert isinstance(page, RunScreen)
        return page

    @property
    def transcript(self) -> TranscriptView:
        return self.page.query_one(TranscriptView)

    @property
    def verdicts(self) -> Verdicts:
        return self.page.query_one(Verdicts)

    @property
    def details(self) -> RunDetails:
        return self.page.query_one(RunDetails)

    @property
    def strip(self) -> TimelineStrip:
        return self.page.query_one(TimelineStrip)

    @property
    def pane(self) -> str | None:
        """Id of the focused pane; None if no pane is focused."""
        focused = self.page.focused
        return focused.id if focused else None

    @property
    def turn(self) -> object:
        """Number of the turn under the cursor."""
        return self.transcript.cursor_key

    @property
    def verdict(self) -> str:
        row = self.verdicts.cursor_row
        return row.verdict.name if row else ""

    @property
    def turns_on_screen(self) -> list[int]:
        """Numbers of the turns on screen, including turns that are cut off."""
        shown = self.transcript.shown_range
        return [] if shown is None else [turn.n for turn in self.transcript.rows[shown[0] : shown[1] + 1]]

    async def sees(self, *texts: str, gone: str = "") -> None:
        await sees(self.pilot, *texts, gone=gone)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    def burst(self, *keys: str) -> None:
        """Send all keys before the app handles the first key."""
        for key in keys:
            self.pilot.app.simulate_key(key)

    async def at(self, turn: int) -> None:
        """Wait until the cursors of the transcript and the timeline are on this turn."""
        await eventually(lambda: self.turn == turn, f"the cursor is on turn {turn}")
        await eventually(lambda: self.strip._cursor == turn, f"the timeline's cursor is on turn {turn}")
        await self.pilot.pause()

    async def in_pane(self, pane: str) -> None:
        await eventually(lambda: self.pane == pane, f"the focus is in {pane}")
        await self.pilot.pause()

    async def evidence(self) -> None:
        """Wait until the evidence is found."""
        await eventually(lambda: self.page.loader.evidence is not None, "the evidence is found")
        await self.pilot.pause()


@asynccontextmanager
async def reading(
    server: ScriptedServer, *runs: dict[str, object], size: tuple[int, int] = SMALL, served: bool = True
) -> AsyncIterator[Reader]:
    """Open the page of the first run; the other runs are its neighbours in the list. With `served`, the server gets
    these runs as its only runs; otherwise the test has set up the server."""
    if served:
        serve(server, *runs)
    rows = [view_of(Run.read(run), 0.0).row for run in runs]
    listed = [row.id for row in rows]

    async def neighbour_of(run_id: int, step: int) -> int | None:
        place = listed.index(run_id) + step if run_id in listed else -1
        return listed[place] if place in range(len(listed)) else None

    def page(state: AppState) -> RunScreen:
        return RunScreen(state, rows[0].id, neighbour_of, row=rows[0])

    async with page_app(setup_of(server.url, KEY, 1), page, size=size) as (_, pilot):
        await sees(pilot, f"Run {rows[0].id} ")
        yield Reader(pilot, listed)


@asynccontextmanager
async def opened_from_list(
    server: ScriptedServer,
    *runs: dict[str, object],
    size: tuple[int, int] = SMALL,
    down: int = 0,
    gone: str = "Loading",
    served: bool = True,
) -> AsyncIterator[Reader]:
    """Open the whole app, and then the run that is `down` rows below the first run of the list."""
    if served:
        serve(server, *runs)
    async with opened(setup_of(server.url, KEY, 1), size=size) as pilot:
        await sees(pilot, " run", "paused", str(runs[down]["id"]))
        await pilot.press(*("j" * down), "enter")
        await sees(pilot, f"Run {runs[down]['id']} ", gone=gone)
        yield Reader(pilot)
        no_crash(pilot)


@asynccontextmanager
async def by_number(
    server: ScriptedServer, run: dict[str, object], size: tuple[int, int] = SMALL
) -> AsyncIterator[Reader]:
    """Open the whole app directly on a run, by its id."""
    serve(server, run)
    number = int(str(run["id"]))
    async with opened(setup_of(server.url, KEY, 1), size=size, run_id=number) as pilot:
        await sees(pilot, f"Run {number} ")
        yield Reader(pilot)
        no_crash(pilot)
