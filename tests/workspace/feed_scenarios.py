"""Run the scenarios of a text file: report what a run list requests and how the list changes in each step."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from pathlib import Path

from feed_room import DOWN, QUERY, RUNNING, FeedRoom, Request, feeding, server_of
from run_server import FIRST_ID, PASSED
from run_server import RUNNING as STILL_RUNNING
from simulated_time import NOON

from cekura_tui.api.errors import Busy, KeyRefused, NotFound, Rejected, ServerFault
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.listed_runs import UnloadedRun
from cekura_tui.model.run.view import RunRow

ERRORS = {
    "500": ServerFault("The server failed (500).", status=500),
    "429": Busy("Too many requests.", status=429, retry_after=20.0),
    "401": KeyRefused("The key was refused.", status=401),
    "400": Rejected("The server refused.", status=400),
    "404": NotFound("Not found.", status=404),
    "down": DOWN,
}
QUERIES = {"all": QUERY, "running": RUNNING, "nothing": None}


async def perform(room: FeedRoom, step: str) -> str:
    """Perform one step, such as `look 300` or `fail newer 429`. Only the step `row` returns a text: the row's
    id or an error."""
    what, *words = step.split()
    things = [int(word) if word.isdecimal() else word for word in words]
    numbers = [float(word) for word in words if word.lstrip("-").replace(".", "").isdecimal()]
    count = int(numbers[0]) if numbers else 0
    feed = room.feed
    match what:
        case "look":
            rows, direction, wait = [*numbers[1:], *(30.0, 1.0, 0.2)[len(numbers) - 1 :]]
            await room.scroll_to(count, int(rows), int(direction), wait)
        case "pass":
            await room.advance(numbers[0])
        case "make":
            room.server.now = max(room.server.now, room.time.wall)
            room.server.add(count, 0.001, STILL_RUNNING if "running" in words else PASSED)
            await room.advance(1.0)
        case "finish":
            room.server.finish(FIRST_ID + count)
        case "delete":
            del room.server.runs[:count]
        case "fail" if "all" in words:
            room.session.down = ERRORS[words[1]]
        case "fail":
            room.session.faults[things[0]] = ERRORS[words[1]]
        case "mend":
            room.session.down = None
            room.session.faults.clear()
        case "hold":
            room.session.held = lambda asked: not things or asked in things
        case "release":
            room.session.release()
        case "refresh" | "more":
            (feed.refresh if what == "refresh" else feed.load_more)()
        case "enter" if feed.runs is not None:
            feed.runs.show_waiting()
        case "show":
            feed.show(QUERIES[words[0]])
        case "load" | "live" | "focus" | "hide":
            switch = {"load": feed.load_all, "live": feed.set_live, "focus": feed.set_focused, "hide": feed.set_hidden}
            switch[what]("on" in words)
        case "row":
            try:
                row = await feed.row_at(count)
                return f" {row and row.id - FIRST_ID}"
            except CekuraTuiError as error:
                return f" {error}"
    await room.advance(0.0)
    return ""


async def _run_scenario(title: str, steps: list[str]) -> list[str]:
    """Run a scenario on the server that the title describes. Return the title and one line per step."""
    words = title.partition(":")[0].split()
    server = server_of(int(words[0]), oldest_first="oldest" in words, size=50 if "small" in words else 100)
    lines, before = [f"⁂ {title}"], dict[str, object]()
    async with feeding(server, query=QUERIES["nothing" if "closed" in words else "all"], live="live" in words) as room:
        for step in ("open", *steps):
            came = "" if step == "open" else await perform(room, step)
            asked = ", ".join(map(_question, room.session.asked))
            room.clear()
            now = _state(room)
            changed = (f"{name} {value}" for name, value in now.items() if before.get(name) != value)
            lines.append(f"{step}:{came} {asked} | {', '.join(changed)}")
            before = now
    return lines


def _question(asked: Request) -> str:
    about = asked.about
    if isinstance(about, list):
        about = f"{len(about)} {zlib.crc32(repr(about).encode()) & 0xFFFF:04x}"
    return f"{asked.what} at {asked.at:g}" + (
        f" ({_time(about) if isinstance(about, float) else about})" if about else ""
    )


def _time(at: float | None) -> str:
    return "never" if at is None else f"{round(at - NOON, 2):g}"


def _state(room: FeedRoom) -> dict[str, object]:
    feed, attempts, now = room.feed, room.feed.attempts, room.time.monotonic()
    state: dict[str, object] = {
        "going": room.session.in_flight[:],
        "cancelled": len(room.session.cancelled),
        "error": attempts.error,
        "failing since": _time(attempts.failing_since),
        "busy until": _time(attempts.busy_until),
        "silent for": round(attempts.server_pause(now), 2),
        "got at": _time(feed.got_at),
        "opened": (feed.opened, feed.flood, feed.loading_all),
        "most": room.session.max_in_flight,
        "turns": sorted(map(str, room.session.budgeted_pages)),
        "drawn": room.changes,
    }
    if feed.runs is not None:
        shown = room.shows(0, len(feed.runs.listed))
        known = [number - FIRST_ID for number in shown if number is not None]
        state["rows"] = f"{feed.runs.listed.loaded}/{len(shown)} {sum(known) + len(known)} +{feed.runs.waiting}"
        state["ended"] = sum(isinstance(row, RunRow) and row.outcome.settled for row in feed.runs.listed)
        state["why"] = sorted({row.why for row in feed.runs.listed if isinstance(row, UnloadedRun)})
    return state


def answers() -> Iterator[str]:
    for scenario in Path(__file__).with_name("feed_scenarios.txt").read_text().split("⁂ ")[1:]:
        title, *steps = scenario.splitlines()
        yield from asyncio.run(_run_scenario(title, [step for step in steps if step]))
