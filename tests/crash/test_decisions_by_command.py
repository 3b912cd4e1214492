"""Commands and keys make the same decisions on a suggestion, and a killed command loses none of them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from app_on_a_server import opened, setup_of
from calling import call, ended, process
from examples import nightly
from scripted_server import ScriptedServer
from terminal import Start, Terminal
from textual.pilot import Pilot
from waiting import eventually
from watching import sees

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.store.store import Store
from cekura_tui.ui.messages import OpenJob
from cekura_tui.workspace.suggestions import StagingService, choices_by_number

SENT = Prompt('Say "hello" first.\n\nBe kind to callers.\n\n1. Never guess a price.\n2. Say "goodbye".\n')
PROPOSED = Prompt(
    "```\nSay “hello” first.\n\nBe brief with callers.\n\n1. Never guess a price.\n2. Ask for the date of birth.\n"
    "3. Read it back to the caller.\n4. Say “goodbye”.\n```\n"
)
DIFF = compare(SENT, PROPOSED)
KEYS = {"accept": "a", "reject": "x", "split": "b", "undo": "u", "all": "A", "edit": "c"}
TEXTS = ("x", "  Two blanks.  ", "1. Be brief.", "")

Step = tuple[str, int, str]
"""What is done, the number of the change, and the text of an edit."""


@pytest.fixture
def store(home: Path, server: ScriptedServer) -> Iterator[Store]:
    with closing(Store(home / "cekura.db", server.url, "key", "default")) as one:
        yield one


def add_job(store: Store) -> int:
    number = store.jobs.begin_launch(Draft((5,), SENT, 7), 1.0, "me").number
    store.jobs.record_progress_id(number, f"p{number}", "raw", 1.1)
    answer = {"status": "completed", "output": {"improved_prompt": PROPOSED}}
    store.jobs.record_answer(number, read_progress(answer), json.dumps(answer), 1.2)
    store.jobs.mark_seen(number, 1.3)
    return number


def shown_hunks(store: Store, job: int) -> Any:
    return asyncio.run(StagingService(store).with_splits(job, DIFF)).hunks


def steps_by_command(store: Store, job: int, rng: Random, run: Any) -> list[Step]:
    """Make random decisions by commands; `run` runs one. Returns the decisions."""
    made: list[Step] = []
    for _ in range(rng.randint(2, 8)):
        what, number = rng.choice([*KEYS, "accept", "edit"]), rng.randint(1, len(shown_hunks(store, job)))
        made.append((what, number, rng.choice(TEXTS)))
        run(job, *made[-1])
    return made


def words_of(job: int, what: str, number: int) -> list[object]:
    if what in ("undo", "all"):
        return ["suggestion", *(["undo", job] if what == "undo" else ["accept", job, "--all"])]
    return ["suggestion", what, job, number, *(["--text-file", "-"] if what == "edit" else [])]


def in_process(job: int, what: str, number: int, text: str) -> None:
    assert call(*words_of(job, what, number), stdin=text.encode()).status in (0, 2, 3)


def in_another_process(job: int, what: str, number: int, text: str) -> None:
    started = process(*words_of(job, what, number), stdin=subprocess.PIPE)
    assert started.stdin is not None
    started.stdin.write(text.encode())
    started.stdin.close()
    started.stdin = None
    assert ended(started).status in (0, 2, 3)


async def press(pilot: Pilot[None], screen: Any, step: Step) -> None:
    """Make a decision by keys, and wait until it is saved."""
    what, number, text = step
    if what not in ("undo", "all") and screen.hunk.number != number:
        await pilot.press("g")
        for _ in range(number + 1):
            if screen.hunk is None or screen.hunk.number != number:
                await pilot.press("n")
        assert screen.hunk.number == number
    await pilot.press(KEYS[what])
    if pilot.app.screen.is_modal:
        typed = ["space" if letter == " " else letter for letter in text] or ["delete"]
        await pilot.press("f7", *typed, "ctrl+g")
        await eventually(lambda: not pilot.app.screen.is_modal, "the dialog is closed")
    await eventually(lambda: all(one.is_finished for one in screen.steps._saving), "the decision is saved")
    await pilot.pause()


@pytest.mark.parametrize("seeds", [range(3), nightly(range(3, 200))])
def test_commands_and_keys_end_in_the_same_staged_prompt(store: Store, server: ScriptedServer, seeds: range) -> None:
    made = {job: steps_by_command(store, job, Random(seed), in_process) for seed in seeds for job in [add_job(store)]}
    others = {job: add_job(store) for job in made}

    async def by_keys() -> None:
        async with opened(setup_of(server.url, "key", 1)) as pilot:
            for job, steps in made.items():
                state = pilot.app.state  # type: ignore[attr-defined]
                await eventually(lambda: state.job(others[job]) is not None, "the job is listed")  # noqa: B023
                state.ask(OpenJob(state.job(others[job])))
                await sees(pilot, f"Suggestion of job {others[job]} ", "Changes · ")
                screen: Any = pilot.app.screen
                await eventually(lambda: screen.reasons is not None, "the reasons are loaded")  # noqa: B023
                for step in steps:
                    await press(pilot, screen, step)
                await pilot.press("escape")

    asyncio.run(by_keys())
    for job, steps in made.items():
        assert store.stagings.staged(others[job]) == store.stagings.staged(job), steps
        assert store.stagings.choices(others[job]) == store.stagings.choices(job), steps


@pytest.mark.parametrize("seeds", [range(300, 302), nightly(range(302, 320))])
def test_processes_and_a_terminal_end_in_the_same_staged_prompt(store: Store, start: Start, seeds: range) -> None:
    for seed in seeds:
        job = add_job(store)
        made = steps_by_command(store, job, Random(seed), in_another_process)
        other = add_job(store)
        terminal = start(columns=120, lines=36)
        terminal.press("2").wait(f"Job {other}").press("enter").wait(f"Suggestion of job {other}", "Changes · 2 of")
        for step in made:
            press_in(terminal, step)
        terminal.quit()
        assert store.stagings.staged(other) == store.stagings.staged(job), f"sequence {seed}: {made}"


def press_in(terminal: Terminal, step: Step) -> None:
    """Make a decision by keys in a terminal, and wait until the program is idle."""
    what, number, text = step
    if what not in ("undo", "all") and shown_place(terminal) != number:
        terminal.press("g").wait_idle()
        for _ in range(number + 1):
            if shown_place(terminal) != number:
                terminal.press("n").wait_idle()
        assert shown_place(terminal) == number
    terminal.press(KEYS[what]).wait_idle()
    if terminal.shows("Edit change"):
        terminal.send(b"\x1b[18~" + (text.encode() or b"\x1b[3~"))
        terminal.wait_idle().press("ctrl+g").wait("Suggestion of job", gone="Edit change")
    terminal.wait_idle()


def shown_place(terminal: Terminal) -> int:
    found = re.search(r"Changes · (\d+)", terminal.text)
    return int(found.group(1)) if found else 0


@pytest.mark.parametrize("kills", [8, nightly(60)])
def test_a_killed_command_keeps_every_earlier_decision(store: Store, kills: int) -> None:
    """Half of the commands are killed at a random moment of their run, the others right after their end."""
    job, rng, longest = add_job(store), Random(7), 0.0
    for turn in range(kills):
        before, number = store.stagings.choices(job), rng.randint(1, 4)
        made = HunkChoice(rng.choice(["accepted", "rejected"]))
        began = time.monotonic()
        started = process("suggestion", made.what[:6], job, number, stdin=subprocess.DEVNULL)
        if turn % 2:
            with suppress(subprocess.TimeoutExpired):
                started.wait(rng.random() * longest)
        else:
            started.wait(60)
            longest = max(longest, time.monotonic() - began)
        started.kill()
        started.wait()
        after = {**before, DIFF.hunks[number - 1].key: made}
        now = store.stagings.choices(job)
        assert now == after or (now == before and turn % 2)
        text = store.stagings.staged(job)
        assert (SENT if text is None else text) == staged(DIFF, choices_by_number(DIFF, now))
        store.stagings.choose(job, lambda chosen: {}, 2.0, lambda chosen: SENT)  # the killed command left no lock
