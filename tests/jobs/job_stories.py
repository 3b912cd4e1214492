"""Run the stories of `job_stories.txt`: report each poll with its time and answer, and each change of the jobs."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine_window import DONE, DRAFT
from simulated_time import NOON, SimulatedTime

from cekura_tui.api import errors
from cekura_tui.api.client import LaunchAnswer, ProgressAnswer
from cekura_tui.jobs import engine
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job
from cekura_tui.store.store import Store

ANSWERS: dict[str, dict[str, object]] = {
    "queued": {"status": "in_queue", "output": None},
    "running": {"status": "running", "output": None, "error": None},
    "evaluating": {"status": "Evaluating"},
    "done": DONE.body,
    "empty": {"status": "completed", "output": {"improved_prompt": " "}},
    "broke": {"status": "in_progress", "error": "Broke."},
    "failed": {"status": "failed", "error": "It broke."},
    "expired": {"status": "expired"},
    "nothing": {},
}
ERRORS: dict[int, type[errors.ApiError]] = {
    0: errors.Unreachable,
    400: errors.Rejected,
    401: errors.KeyRefused,
    403: errors.KeyRefused,
    404: errors.NotFound,
    429: errors.Busy,
    500: errors.ServerFault,
    999: errors.TooLarge,
}


_SERVER = "https://api.example"


class _Server:
    """Answers each request with the next word of its script, and repeats the last word. The word `429:40` is an error
    of status 429 with a `Retry-After` of 40 seconds."""

    def __init__(self, time: SimulatedTime) -> None:
        self._time, self.asked, self.launched = time, list[str](), 0
        self.scripts: dict[str, deque[str]] = {"launch": deque(["taken"]), "all": deque(["running"])}
        self.held: asyncio.Event | None = None

    async def ask(self, about: str, window: str) -> dict[str, object]:
        script = self.scripts.get(about) or self.scripts["all"]
        word = script.popleft() if len(script) > 1 else script[0]
        self.asked.append(f"{window}{about} {word} at {self._time.elapsed - 1_000:g}")
        if self.held is not None:
            await self.held.wait()
        word, _, wait = word.partition(":")
        if word.isdecimal():
            status, retry_after = int(word), float(wait) if wait else None
            raise ERRORS[status](f"Error {word}.", status=status % 999, retry_after=retry_after, body="{}")
        return dict(ANSWERS.get(word, {}))


class _Client:
    def __init__(self, server: _Server, window: str) -> None:
        self._server, self._window = server, window

    async def launch(self, draft: object) -> LaunchAnswer:
        await self._server.ask("launch", self._window)
        self._server.launched += 1
        return LaunchAnswer(f"p{self._server.launched}", "{}")

    async def progress(self, kind: object, progress_id: str) -> ProgressAnswer:
        answer = await self._server.ask(progress_id, self._window)
        return ProgressAnswer(answer, json.dumps(answer))


class _Window:
    def __init__(self, path: Path, server: _Server, time: SimulatedTime, name: str, key: str) -> None:
        self.ended, self.changes = list[str](), 0
        self.store = Store(path, _SERVER, key, "default")
        self.engine = engine.JobEngine(
            self.store.jobs,
            _Client(server, name),  # type: ignore[arg-type] # as much of a client as an engine needs
            changed=self._changed,
            ended=lambda job: self.ended.append(f"{job.number} {job.state}"),
            clock=time.clock,
            monotonic=time.monotonic,
            jitter=lambda: 0.5,
            pause=time.pause,
        )
        self.engine.start()

    def _changed(self) -> None:
        self.changes += 1

    async def close(self) -> None:
        await self.engine.close()
        self.store.close()


def _broken() -> int:
    raise ValueError("unexpected")


class _Story:
    def __init__(self, folder: Path) -> None:
        self.time = SimulatedTime()
        self.server, self._path = _Server(self.time), folder / "cekura.db"
        self.windows: dict[str, _Window] = {}
        self.window = self._open("", "key")
        self._before: dict[str, object] = {}

    def _open(self, name: str, key: str) -> _Window:
        opened = self.windows[name] = _Window(self._path, self.server, self.time, name, key)
        return opened

    async def run_step(self, step: str) -> str:
        """Run a step. Return a line with the step, its error if any, the requests that were sent, and the changes."""
        try:
            await self._happens(*step.split())
            came = ""
        except CekuraTuiError as error:
            came = f" {error} {error.hint}"
        await self.time.advance(0.0)
        now = self._state()
        changed = "; ".join(f"{name} {value}" for name, value in now.items() if self._before.get(name) != value)
        polled: dict[str, list[str]] = {}
        for question in self.server.asked:
            what, _, at = question.rpartition(" at ")
            polled.setdefault(what, []).append(at)
        asked = ", ".join(
            f"{what} at {' '.join(at[:8])}{f' … {at[-1]}' if at[8:] else ''}" for what, at in polled.items()
        )
        self.server.asked, self._before = [], now
        return f"{step}:{came} {asked} | {changed}"

    async def _happens(self, what: str, *words: str) -> None:
        jobs, server = self.window.engine, self.server
        match what:
            case "answer":
                about, *script = words if words[0] in ("launch", "p1", "p2") else ("all", *words)
                server.scripts[about] = deque(script)
            case "launch":
                await jobs.launch(DRAFT, again_of=int(words[0]) if words else None)
            case "send":
                await jobs.launch(DRAFT, self.window.store.jobs.get(int(words[0])))
            case "pass":
                await self.time.advance(float(words[0]))
            case "jump":
                self.time.jump(float(words[0]))
            case "clock":
                self.time.wall += float(words[0])
            case "stop" | "forget":
                getattr(jobs, what)(int(words[0]))
            case "resume" if words:
                await jobs.resume(int(words[0]))
            case "resume":
                jobs.resume_polling()
            case "take":
                jobs.take_over([int(words[0])])
            case "hold":
                server.held = asyncio.Event()
            case "release" if server.held is not None:
                server.held.set()
                server.held = None
            case "open":
                self.window = self._open(*words)
            case "to":
                self.window = self.windows[words[0] if words else ""]
            case "close":
                await self.window.close()
                self.windows = {name: one for name, one in self.windows.items() if one is not self.window}
                self.window = next(iter(self.windows.values()), self.window)
            case "break":
                self.window.store.jobs.version = _broken  # type: ignore[method-assign]
            case "mend":
                del self.window.store.jobs.version
            case "orphan":
                owner = {"host": socket.gethostname() if words[0] == "here" else words[0], "pid": 2**30, "start": "x"}
                other = Store(self._path, _SERVER, "key", "default")
                other.jobs.begin_launch(DRAFT, self.time.clock(), json.dumps(owner))
                other.close()
            case "lock" | "unlock":
                self.window.store.database.read(f"PRAGMA query_only = {'ON' if what == 'lock' else 'OFF'}")

    def _state(self) -> dict[str, object]:
        state: dict[str, object] = {}
        for name, window in self.windows.items():
            following = window.engine
            state[f"{name}engine"] = (
                following.idle,
                following.in_flight,
                following.paused,
                type(following.trouble).__name__,
            )
            state[f"{name}reported"] = (window.changes, window.ended[:])
            for job in window.store.jobs.all():
                if times := following.poll_times(job.number):
                    state[f"{name}times {job.number}"] = (self._at(times.last_at), self._at(times.next_at))
        for job in self.window.store.jobs.all() if self.windows else ():
            state[f"job {job.number}"] = " ".join(map(str, self._facts(job)))
        return state

    def _facts(self, job: Job) -> Iterator[Any]:
        yield from (job.state, job.last_status, repr(job.reason), job.error, self._at(job.finished_at), job.other_key)
        yield from (self._at(at) for at in (job.stale_since, job.answered_at, job.since))
        yield from (round(fact) for fact in (job.again_of, job.took) if fact is not None)
        answers = self.window.store.jobs.answers(job.number)
        yield [(self._at(answer.first_at), self._at(answer.last_at)) for answer in answers]

    def _at(self, at: float | None) -> str:
        return "-" if at is None else f"{round(at - NOON, 1):g}"


async def _run_story(title: str, steps: list[str]) -> list[str]:
    engine.TICK, tick = 30.0 if title.startswith("days:") else 1.0, engine.TICK
    with TemporaryDirectory() as folder:
        story = _Story(Path(folder))
        try:
            return [f"⁂ {title}", *[await story.run_step(step) for step in steps]]
        finally:
            engine.TICK = tick
            for window in story.windows.values():
                await window.close()


def answers() -> Iterator[str]:
    for story in Path(__file__).with_name("job_stories.txt").read_text().split("⁂ ")[1:]:
        title, *steps = story.splitlines()
        yield from asyncio.run(_run_story(title, [step for step in steps if step]))
