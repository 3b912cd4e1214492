"""The real app on the demo workspace with a fixed clock, so that its pictures are reproducible."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from odd_runs import EXTRA_RUNS
from odd_runs import WITHOUT_TIMES as UNTIMED
from prose_cases import pairs
from textual.pilot import Pilot
from waiting import eventually
from watching import sees, still

from cekura_tui.config.paths import Paths
from cekura_tui.config.settings import Settings
from cekura_tui.demo.server import DemoServer
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.job import Draft, Job
from cekura_tui.model.job_kind import Progress
from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.suggestion.diff_view import ProseDiffView
from cekura_tui.ui.suggestion.screen import SuggestionScreen
from cekura_tui.ui.test.screen import BeforeAfterScreen
from cekura_tui.workspace import session as session_room
from cekura_tui.workspace.scenario_tests import LaunchChoice
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import DemoOptions, Setup, demo_setup
from cekura_tui.workspace.workspace import Workspace

EPOCH = 1_787_061_600.0
"""Unix time of Tuesday 18 August 2026, 14:00 UTC; all demo runs are older."""
SUGGESTED, NOTHING_FOUND, FAILED, STILL_RUNNING = 900238, 900239, 900220, 900234
"""Ids of runs from which jobs are launched: one for each outcome of a job, and one whose job is still running."""
PROPOSED = 5
"""Number of the job that `add_proposal` adds, and of the first job that `add_cases` adds."""

Scene = Callable[[Pilot[Any]], Awaitable[None]]

_LINE_CLIPS = r'\s*<clipPath id="[^"]*-line-\d+">.*?</clipPath>| clip-path="url\(#[^"]*-line-\d+\)"'
_DROPPED = re.compile(rf'@font-face \{{[^}}]*\}}\s*|{_LINE_CLIPS}| shape-rendering="crispEdges"', re.DOTALL)


_GROUND = r'<rect fill="([^"]*)" x="([^"]*)" y="([^"]*)" width="([^"]*)" height="24.65"/>'


def light_picture(svg: str) -> str:
    """Halve the size of an SVG: remove fonts and the clipping of lines, and merge neighbouring backgrounds."""
    svg = _DROPPED.sub("", svg).replace("&#160;", "\N{NO-BREAK SPACE}")
    return re.sub(f"(?:{_GROUND})+", _joined, svg)


def _joined(grounds: re.Match[str]) -> str:
    """Draw neighbouring cells of one colour as one rectangle."""
    joined: list[tuple[str, str, str, float]] = []
    for fill, x, y, width in re.findall(_GROUND, grounds[0]):
        cells = float(width)
        if joined and joined[-1][::2] == (fill, y) and abs(float(joined[-1][1]) + joined[-1][3] - float(x)) < 0.1:
            _, x, _, before = joined.pop()
            cells += before
        joined.append((fill, x, y, cells))
    return "".join(
        f'<rect fill="{fill}" x="{x}" y="{y}" width="{cells:g}" height="24.65"/>' for fill, x, y, cells in joined
    )


class Clock:
    """A clock that only moves when a test moves it."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@contextmanager
def fixed_clock(clock: Clock) -> Iterator[Clock]:
    """Make everything that records or shows a time use this clock, in UTC. The demo run `UNTIMED` gets no times."""
    defaults: dict[str, Any] = JobEngine.__init__.__kwdefaults__
    served: dict[str, Any] = DemoServer.__init__.__kwdefaults__
    untimed = {"extra_runs": {UNTIMED: EXTRA_RUNS[UNTIMED]}}
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        with (
            patch.object(session_room, "time", SimpleNamespace(time=clock)),
            patch.dict(defaults, {"clock": clock}),
            patch.dict(served, untimed),
        ):
            yield clock
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def _setup(home: Path, speed: float) -> Setup:
    return demo_setup(Paths(home).demo, DemoOptions(epoch=EPOCH, speed=speed), settings=Settings(hints=False))


async def _launched(session: Session, run_id: int) -> Job:
    runs = await session.improvable([run_id])
    agent, prompt = await session.agent_prompt(runs.agent_id)
    return await session.engine.launch(Draft(runs.run_ids, prompt, runs.agent_id, agent.name, prompt_source="agent"))


async def _past_jobs(home: Path, clock: Clock) -> None:
    """Save three finished jobs with different outcomes, and one that still runs."""
    for n, run_id in enumerate((FAILED, NOTHING_FOUND, SUGGESTED)):
        clock.now = EPOCH - 4_000 + n * 1_500
        session = Session.open(_setup(home, 1e9))
        try:
            job = await _launched(session, run_id)
            clock.now += 31 + 7 * n
            session.engine.start()
            jobs = session.store.jobs
            await eventually(lambda: (jobs.get(job.number) or job).state.final, f"job {job.number} ends")  # noqa: B023
        finally:
            await session.close()
    clock.now = EPOCH + 280
    session = Session.open(_setup(home, 1e-6))
    try:
        await _launched(session, STILL_RUNNING)
    finally:
        await session.close()


def prepare(home: Path) -> None:
    """Fill a new data directory with past jobs."""
    clock = Clock(EPOCH)
    with fixed_clock(clock):
        asyncio.run(_past_jobs(home, clock))


@contextmanager
def prepared_app(prepared: Path, **options: Any) -> Iterator[CekuraApp]:
    """The app at 14:05, not yet started, on a copy of a prepared directory; `options` are arguments of the app."""
    with TemporaryDirectory() as place, fixed_clock(Clock(EPOCH + 300)) as clock:
        home = Path(place) / "home"
        shutil.copytree(prepared, home)
        workspace = Workspace(_setup(home, 1e-6))
        try:
            yield CekuraApp(workspace, clock=clock, **options)
        finally:
            workspace.close()


# Scenes: each starts from the run list


async def runs(pilot: Pilot[Any]) -> None:
    """Show the run list with the cursor on a failed run."""
    await sees(pilot, "240 runs", "of 200 loaded", "live", "1 job running")
    await pilot.press("j", "j")
    if pilot.app.size.width >= 120:
        await sees(pilot, f"{SUGGESTED} · ✗ 4 checks")
    await still(pilot)


async def groups(pilot: Pilot[Any]) -> None:
    """Show all runs grouped by failed check."""
    await runs(pilot)
    await pilot.press("b")
    await sees(pilot, "By failed check and reason", "71 failed", gone="rovisional")
    await still(pilot)


async def nothing(pilot: Pilot[Any]) -> None:
    """Show the run list with a filter that no run matches."""
    await runs(pilot)
    await pilot.press("slash", *"agent:nobody", "enter")
    await sees(pilot, "No matching runs.", "240")
    await still(pilot)


async def run(pilot: Pilot[Any]) -> None:
    """Show a failed run whose cited turns are marked."""
    await runs(pilot)
    await pilot.press("enter")
    await sees(pilot, f"Run {SUGGESTED}", "14 turns", "· quoted", gone=" cached ")
    await still(pilot)


async def by_sound(pilot: Pilot[Any]) -> None:
    """Show a failed run by the sound of its recording."""
    await run(pilot)
    await pilot.press("comma")
    await sees(pilot, "By sound", "later by sound")
    await still(pilot)


async def verdicts(pilot: Pilot[Any]) -> None:
    """Show a failed run with the pane of its verdicts focused."""
    await run(pilot)
    await pilot.press("tab")
    await sees(pilot, "cites 00:14")
    await still(pilot)


async def details(pilot: Pilot[Any]) -> None:
    """Show all fields of a failed run after a search in the fields."""
    await run(pilot)
    await pilot.press("d", "slash", *"carer", "enter")
    await sees(pilot, "1 of 1 “ca")
    await still(pilot)


async def compared(pilot: Pilot[Any]) -> None:
    """Show a failed run next to the last passed run of its scenario."""
    await run(pilot)
    await pilot.press("equals_sign")
    await sees(pilot, "Differs from 00:14")
    await still(pilot)


async def untimed(pilot: Pilot[Any]) -> None:
    """Show a run whose turns have no times, after a search in its transcript."""
    await runs(pilot)
    await pilot.press("slash", *f"id:{UNTIMED}", "enter")
    await sees(pilot, "1 run")
    await pilot.press("enter")
    await sees(pilot, f"Run {UNTIMED}", "has a time")
    await pilot.press("slash", *"you", "enter")
    await sees(pilot, "“you” 1 of")
    await still(pilot)


async def improve(pilot: Pilot[Any]) -> None:
    """Show the dialog that launches a job from a run."""
    await runs(pilot)
    await pilot.press("i")
    await sees(pilot, "792 words", "Focus", gone="Loading")
    await still(pilot)


async def jobs(pilot: Pilot[Any]) -> None:
    """Show the job list with the cursor on the job that has a suggestion."""
    await runs(pilot)
    await pilot.press("2")
    await sees(pilot, "4 jobs")
    await pilot.press("j")
    await sees(pilot, "Job 3 · ✓ succeeded", "running", "2 changes")
    await still(pilot)


async def suggestion(pilot: Pilot[Any]) -> None:
    """Show a suggestion whose first change is accepted, with the cursor on the second change."""
    await jobs(pilot)
    await pilot.press("enter")
    await sees(pilot, "Suggestion of job 3", "· 1 of 2", "reason:")
    await pilot.press("a", "n")
    await sees(pilot, "✓1")
    await still(pilot)


CHANGES = (
    (
        "Ask for the caller's date of birth if you need to tell two patients apart.",
        "Before you open a record, ask for the full name and the date of birth, and go on only when both match.",
    ),
    ("2. Ask whether", "2. Confirm the booking before you end the call.\n3. Ask whether"),
    ("3. Call `find", "4. Call `find"),
    ("4. When the caller", "5. When the caller"),
    ("5. Tell the caller to bring their insurance card", "6. Tell the caller to bring a card of their insurance"),
    ("\n6. Confirm the booking before you end the call.", ""),
    ("Later than that there is a fee", "Later than that\nthere is a fee"),
    (
        "always go to a nurse.",
        "always go to a nurse. When Sofia Lindqvist asks about lisinopril, ask first on which day it runs out.",
    ),
    ("Try to help the caller yourself before transferring. ", ""),
    ("- No lists of more than three things", "- No lists of more than two things"),
)
"""Changes (old, new) of the clinic's prompt: reworded sentences, a moved rule that renumbers other rules, rewrapped
lines, a fact of one call, and a removed sentence."""


async def _proposed(home: Path) -> None:
    session = Session.open(_setup(home, 1e-6))
    try:
        improvable = await session.improvable([SUGGESTED])
        agent, sent = await session.agent_prompt(improvable.agent_id)
        proposed: str = sent
        for old, new in CHANGES:
            assert old in proposed, old
            proposed = proposed.replace(old, new)
        at, jobs = EPOCH + 200, session.store.jobs
        job = jobs.begin_launch(Draft(improvable.run_ids, sent, agent.id, agent.name), at, "")
        jobs.record_progress_id(job.number, "abc", "{}", at)
        summary = "Asked for name and birth date before a record is opened, and for the day that a medicine runs out."
        jobs.record_answer(job.number, Progress("succeeded", "completed", Prompt(proposed), summary), "{}", at + 40)
        jobs.mark_seen(job.number, at + 60)
        opened = await session.suggestions.open(job.number)
        text = "When somebody asks for a medicine, ask first on which day it runs out."
        edited = next(hunk.number for hunk in opened.diff.hunks if "Sofia" in hunk.new)
        await session.staging.choose(job.number, opened.diff, {edited: HunkChoice("edited", text)})
        assert job.number == PROPOSED
    finally:
        await session.close()


CASES = {
    "wrapped": "e01-dental-fence",
    "restyled": "e07-driving-school-restyled",
    "section": "g01-dental-comment",
    "renumbered": "f07-blood-steps",
}
"""Names of prompt pairs in `prose/cases`, by the scene that shows the proposed prompt of the pair."""


def add_cases(home: Path) -> None:
    """Add a job for each pair in `CASES` to a directory filled by `prepare`; the first is job `PROPOSED`."""

    async def add() -> None:
        session = Session.open(_setup(home, 1e-6))
        found, jobs = {pair.name: pair for pair in pairs("cases")}, session.store.jobs
        try:
            improvable = await session.improvable([SUGGESTED])
            for n, name in enumerate(CASES.values()):
                at, sent = EPOCH + 200 + n, Prompt(found[name].sent.text)
                job = jobs.begin_launch(Draft(improvable.run_ids, sent, improvable.agent_id, "Agent"), at, "")
                jobs.record_progress_id(job.number, f"case-{n}", "{}", at)
                proposed = Prompt(found[name].proposed.text)
                jobs.record_answer(job.number, Progress("succeeded", "completed", proposed), "{}", at + 40)
                jobs.mark_seen(job.number, at + 60)
        finally:
            await session.close()

    with fixed_clock(Clock(EPOCH + 290)):
        asyncio.run(add())


def _case(name: str, *keys: str) -> Scene:
    """A scene that opens the proposed prompt of a pair in `CASES` and presses these keys."""

    async def scene(pilot: Pilot[Any]) -> None:
        await runs(pilot)
        app: CekuraApp = pilot.app  # type: ignore[assignment]
        number = PROPOSED + list(CASES).index(name)
        app.push_screen(page := SuggestionScreen(app.state, number))
        await sees(pilot, f"Suggestion of job {number}", "2 issues")
        await eventually(lambda: page.reasons is not None, "the reasons are loaded")
        await pilot.press(*keys)
        page.query_one(ProseDiffView).redraw()
        await still(pilot)

    return scene


def add_proposal(home: Path) -> None:
    """Add a job to a directory filled by `prepare`. The proposal has changes of every kind; one is edited."""
    with fixed_clock(Clock(EPOCH + 290)):
        asyncio.run(_proposed(home))


RETESTED = (900238, 900212, 900205, 900140)
"""Ids of failed runs whose scenarios `add_test` calls again."""


def add_test(home: Path) -> None:
    """Put the suggestion of job 3 on the agent and test it, in a directory filled by `prepare`, as job `PROPOSED`."""

    async def add() -> None:
        session = Session.open(_setup(home, 1e9))
        try:
            improved = (await session.jobs.suggestion(3)).improved_prompt or Prompt("")
            await session.agent_prompts.write(await session.agent_prompts.preview_update(3, improved), improved)
            plan = await session.tests.plan(RETESTED, job=3)
            session.engine.start()
            choice = LaunchChoice(plan.failing, "published", plan.ways[0].key, name="Ask who is calling")
            (job,) = await session.tests.launch(plan, choice)
            await eventually(lambda: session.store.jobs.get(job.number).state.final, "the calls ended")  # type: ignore[union-attr]
            await session.tests.report(job.number)
            session.store.jobs.mark_seen(job.number, EPOCH + 299)
            assert job.number == PROPOSED
        finally:
            await session.close()

    with fixed_clock(Clock(EPOCH + 290)):
        asyncio.run(add())
    with closing(sqlite3.connect(_setup(home, 1.0).paths.home / "demo.db")) as database, database:
        database.execute(
            "UPDATE launch SET created = created - 1e9"
        )  # so long ago that the calls have ended at any speed


async def test_dialog(pilot: Pilot[Any]) -> None:
    """Show the dialog that tests the prompt on the scenario of a failed run, with the answer that it is live."""
    await runs(pilot)
    await pilot.press("T")
    await sees(pilot, "Test the prompt of", "credits, estimated")
    await pilot.press("tab", "tab", "space")
    await still(pilot)


async def running_test(pilot: Pilot[Any]) -> None:
    """Show a test whose calls have just begun."""
    await test_dialog(pilot)
    await pilot.press("ctrl+g")
    await sees(pilot, "0 of 4 calls ended", "Repeat prescription", "to come")
    await still(pilot)


async def before_after(pilot: Pilot[Any]) -> None:
    """Show the test of `add_test`."""
    await sees(pilot, "runs", "live", "1 running")
    app: CekuraApp = pilot.app  # type: ignore[assignment]
    app.push_screen(BeforeAfterScreen(app.state, PROPOSED))
    await sees(pilot, "Ask who is calling", "Repeat prescription", "unclear", gone="to come")
    await still(pilot)


async def changes(pilot: Pilot[Any]) -> None:
    """Show the proposal of `add_proposal` with one change accepted and one rejected; the cursor is on the
    next change."""
    await runs(pilot)
    app: CekuraApp = pilot.app  # type: ignore[assignment]
    app.push_screen(SuggestionScreen(app.state, PROPOSED))
    await sees(pilot, f"Suggestion of job {PROPOSED}", "reason:")
    await pilot.press("a", "x")
    await sees(pilot, "✓1 ✗1 ✎1")
    diff = app.screen.query_one(ProseDiffView)
    await eventually(lambda: diff.hunk is not None and diff.hunk.number == 3, "the cursor is at change 3")
    # Heights of off-screen rows are estimates until the rows come near the screen, which depends on timing.
    diff.redraw()
    await still(pilot)


SCENES: dict[str, Scene] = {"runs": runs, "run": run, "improve": improve, "jobs": jobs, "suggestion": suggestion}
"""Scenes whose pictures the README shows."""
MORE_SCENES: dict[str, Scene] = {
    "groups": groups,
    "nothing": nothing,
    "by_sound": by_sound,
    "verdicts": verdicts,
    "details": details,
    "compared": compared,
    "untimed": untimed,
    "changes": changes,
    "test_dialog": test_dialog,
    "running_test": running_test,
    "before_after": before_after,
    "wrapped": _case("wrapped"),
    "restyled": _case("restyled", "G"),
    "section": _case("section", "n", "n"),
    "renumbered": _case("renumbered", "n", "n"),
}
